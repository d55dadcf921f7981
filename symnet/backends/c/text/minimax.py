"""Coefficients of the approximations in `library/elementary`, from the constant term up.

They are minimax, of the relative error: found by the Remez exchange in 60-digit arithmetic, then
rounded. The intervals:

    exp    (exp(r) - 1 - r)/r^2                          |r| <= log(2)/2
    log    (log((1 + s)/(1 - s)) - 2 s)/s^3,  w = s^2    |s| <= 0.1716 (1 + f from sqrt(1/2) on)
    log1p  the same                                      0 <= s <= 1/3
    tanh   (tanh(x) - x)/x^3,  w = x^2                   |x| <= 0.55
    erf    erf(x)/x - 1,  w = x^2                        |x| <= 1
    erfinv      P and Q in erfinv(x) = x P/Q,  w = -log(1 - x^2)          0 <= w <= 5
    erfinv_far  P and Q in erfinv(x) = P/Q,  t = sqrt(-log(1 - x)) - 2.375  beyond
    loggamma    P and Q in log Gamma(1 + v) = v (v - 1) P/Q               0 <= v <= 3
    erfcx  P and D in exp(u^2) erfc(u) = P/(P + u D)     0 <= u <= 26.6, for floats 9.3

All those of the last four are positive, so nothing cancels. Of these, only erfcx has others for
floats. `series` is Stirling's, in w = 1/x^2.
"""

from __future__ import annotations

from symnet.backends.numpy import gammas, special

Approximation = tuple[str, *tuple[tuple[float, ...], ...]]

_IN_BOTH: dict[str, Approximation] = {
    "erfinv": ("w", special.ERFINV_P, special.ERFINV_Q),
    "erfinv_far": ("t", special.ERFINV_FAR_P, special.ERFINV_FAR_Q),
    "loggamma": ("v", gammas.LOGGAMMA_P, gammas.LOGGAMMA_Q),
    "series": ("w", gammas.SERIES),
}

COEFFICIENTS: dict[str, dict[str, Approximation]] = {
    "double": {
        "exp": (
            "r",
            (
                *(0.5, 0.16666666666666602, 0.04166666666662003, 0.008333333333388294),
                *(0.001388888892048523, 0.00019841269709533601, 2.4801516383055102e-05),
                *(2.7557424926144836e-06, 2.7622211158844284e-07, 2.5045938235e-08),
            ),
        ),
        "log": (
            "w",
            (
                *(0.6666666666666734, 0.39999999999414626, 0.2857142874240221),
                *(0.2222219857143583, 0.1818356442826347, 0.15314047684964324),
                0.14795980676757348,
            ),
        ),
        "log1p": (
            "w",
            (
                *(0.6666666666666631, 0.4000000000015727, 0.28571428547850075),
                *(0.22222223969962343, 0.1818174391695311, 0.1538656009008921),
                *(0.13300971419278582, 0.12106103262869425, 0.08340027500041361),
                0.17018712307317208,
            ),
        ),
        "tanh": (
            "w",
            (
                *(-0.3333333333333231, 0.1333333333316823, -0.053968253875843905),
                *(0.02186948596917198, -0.008863194428198853, 0.0035917190818500165),
                *(-0.0014532136897364072, 0.0005791278362214551, -0.00021028725873233864),
                5.101090510133894e-05,
            ),
        ),
        "erf": (
            "w",
            (
                *(0.12837916709551256, -0.3761263890318352, 0.1128379167094417),
                *(-0.026866170643109016, 0.005223977606097641, -0.0008548325928296288),
                *(0.0001205529354611401, -1.4924711706695891e-05, 1.644712419419782e-06),
                *(-1.6206257078955124e-07, 1.3710734554827891e-08, -7.779008384721908e-10),
            ),
        ),
        "erfcx": ("u", special.ERFCX_P, special.ERFCX_D),
        **_IN_BOTH,
    },
    "float": {
        **_IN_BOTH,
        "exp": ("r", (0.5, 0.1666655, 0.041666854, 0.008366035, 0.0013898229)),
        "log": ("w", (0.6666666, 0.40000334, 0.28537306, 0.2358219)),
        "log1p": ("w", (0.6666641, 0.400217, 0.27999124, 0.2802456)),
        "tanh": ("w", (-0.33333316, 0.13332585, -0.053852197, 0.021071175, -0.006273483)),
        "erf": (
            "w",
            (0.12837912, -0.37612325, 0.11280179, -0.026711268, 0.0049174973, -0.00056311855),
        ),
        "erfcx": (
            "u",
            (1.0, 1.2314217, 0.724305, 0.22574699, 0.0320703),
            (1.1283797, 1.6627425, 1.0859982, 0.3680858, 0.056842305),
        ),
    },
}
"""The variable of each approximation, and the coefficients from the constant term up."""
