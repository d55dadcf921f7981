"""The error functions, which NumPy lacks, and a tanh beside its derivative.

    erf(x)   = 2/sqrt(pi) * integral of exp(-t^2) from 0 to x,    erfc(x) = 1 - erf(x)
    erfcx(x) = exp(x^2) erfc(x) = P(x)/(P(x) + x D(x)) for x >= 0
    erfinv(x) = x P(w)/Q(w),  w = -log(1 - x^2),  and P(s)/Q(s) in s = sqrt(-log(1 - |x|)) near 1
    tanh(x)  = x + x^3 T(x^2) near 0

Errors in units in the last place: erf 1, erfc 2.5, erfcx 7, erfinv 5, tanh_from 4. `erfc` keeps
its relative accuracy in the right tail, down to 5e-324. The text of this module is complete in
itself: generated standalone source repeats it.

Source of the form of erfcx: W. J. Cody, "Rational Chebyshev approximations for the error function",
Math. Comp. 23 (1969); its coefficients are this package's own, minimax of the relative error, and
those of erfinv and T interpolate at Chebyshev's nodes. Source of erfinv's variables: M. Giles,
"Approximating the erfinv function", GPU Computing Gems 2 (2011). Source of the rational
approximations of erf and erfc: fdlibm's s_erf.c. Copyright (C) 1993 by Sun Microsystems, Inc. All
rights reserved. Developed at SunPro, a Sun Microsystems, Inc. business. Permission to use, copy,
modify, and distribute this software is freely granted, provided that this notice is preserved.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from symnet.backends.numpy import gammas

# P and D up to x = 26.6, from the constant term up: all are positive, so nothing cancels.
ERFCX_P = (
    *(1.0, 2.3390466981825075, 2.7125360743241047, 2.0150199408929206, 1.0519192066778664),
    *(0.4013979280375485, 0.11323044818613892, 0.023344600021641106, 0.0033792592372420133),
    *(0.00031231981681706264, 1.4167353956325516e-05),
)
ERFCX_D = (
    *(1.1283791670955128, 2.912571109827835, 3.632080672062305, 2.855344241881004),
    *(1.5604647475448412, 0.6186406844844101, 0.18033337882854863, 0.038274753203568955),
    *(0.005689816721899249, 0.0005394051080762655, 2.5110981077023947e-05),
)
# T for |x| < 0.3, three terms less than C's takes to 0.55.
TANH = (
    *(-0.3333333333333303, 0.1333333333300249, -0.0539682533789634, 0.021869449100677837),
    *(-0.008861975209308605, 0.003571339147190281, -0.0012835455276683214),
)
# erfinv(x)/x where w <= 5, and erfinv(x) beyond, in s - 2.375: again all are positive.
ERFINV_P = (
    *(0.886226925452758, 0.35365432945340464, 0.09502616750991792, 0.018440151969261843),
    *(0.002647928812334752, 0.00028782421220015404, 2.308707469949709e-05),
    *(1.2474734829737013e-06, 3.5195333908916356e-08),
)
ERFINV_Q = (
    *(1.0, 0.1372567899092089, 0.058259767227898204, 0.006401256414891165),
    *(0.001058915818467052, 8.487309794351945e-05, 5.817019158306773e-06),
    *(2.5914914750330895e-07, 2.1139569561159198e-09),
)
ERFINV_FAR_P = (
    *(2.06160353118477, 4.507509522248509, 4.157958848258276, 2.0905160235369395),
    *(0.6166192278296527, 0.1066927676606596, 0.010202281709913587, 0.0004668878527370385),
    7.20597069203749e-06,
)
ERFINV_FAR_Q = (
    *(1.0, 1.6780353417388774, 1.1657071480912646, 0.42573176614999264),
    *(0.08582627462840377, 0.009153826646688167, 0.00044980782744655755),
    7.205834854139795e-06,
)
# Coefficients from the constant term up. erf(x) = x + x P(x^2)/Q(x^2) on [0, 0.84375],
ERF_P = (
    *(1.28379167095512558561e-01, -3.25042107247001499370e-01, -2.84817495755985104766e-02),
    *(-5.77027029648944159157e-03, -2.37630166566501626084e-05),
)
ERF_Q = (
    *(1.0, 3.97917223959155352819e-01, 6.50222499887672944485e-02, 5.08130628187576562776e-03),
    *(1.32494738004321644526e-04, -3.96022827877536812320e-06),
)
# = _MIDDLE + P(x - 1)/Q(x - 1) on [0.84375, 1.25],
_MIDDLE = 8.45062911510467529297e-01
_P1 = (
    *(-2.36211856075265944077e-03, 4.14856118683748331666e-01, -3.72207876035701323847e-01),
    *(3.18346619901161753674e-01, -1.10894694282396677476e-01, 3.54783043256182359371e-02),
    -2.16637559486879084300e-03,
)
_Q1 = (
    *(1.0, 1.06420880400844228286e-01, 5.40397917702171048937e-01, 7.18286544141962662868e-02),
    *(1.26171219808761642112e-01, 1.36370839120290507362e-02, 1.19844998467991074170e-02),
)
# = 1 - exp(-x^2 - 0.5625 + P(1/x^2)/Q(1/x^2))/x on [1.25, 1/0.35],
_P2 = (
    *(-9.86494403484714822705e-03, -6.93858572707181764372e-01, -1.05586262253232909814e01),
    *(-6.23753324503260060396e01, -1.62396669462573470355e02, -1.84605092906711035994e02),
    *(-8.12874355063065934246e01, -9.81432934416914548592e00),
)
_Q2 = (
    *(1.0, 1.96512716674392571292e01, 1.37657754143519042600e02, 4.34565877475229228821e02),
    *(6.45387271733267880336e02, 4.29008140027567833386e02, 1.08635005541779435134e02),
    *(6.57024977031928170135e00, -6.04244152148580987438e-02),
)
# and the same beyond.
_P3 = (
    *(-9.86494292470009928597e-03, -7.99283237680523006574e-01, -1.77579549177547519889e01),
    *(-1.60636384855821916062e02, -6.37566443368389627722e02, -1.02509513161107724954e03),
    -4.83519191608651397019e02,
)
_Q3 = (
    *(1.0, 3.03380607434824582924e01, 3.25792512996573918826e02, 1.53672958608443695994e03),
    *(3.19985821950859553908e03, 2.55305040643316442583e03, 4.74528541206955367215e02),
    -2.24409524465858183362e01,
)


def erf(x: ArrayLike) -> NDArray[Any]:
    """The error function, elementwise; float32 stays float32."""
    return _elementwise(x, complement=False)


def erfc(x: ArrayLike) -> NDArray[Any]:
    """The complementary error function `1 - erf(x)`, elementwise; float32 stays float32."""
    return _elementwise(x, complement=True)


def erfcx(x: NDArray[Any]) -> NDArray[Any]:
    """`exp(x^2) erfc(x)` for 0 <= x <= 40, elementwise."""
    above = _polynomial(ERFCX_P, x)
    below = _polynomial(ERFCX_D, x)
    below *= x
    below += above
    return above / below


def erfinv(x: ArrayLike) -> NDArray[Any]:
    """The inverse of the error function, elementwise, NaN for |x| > 1; float32 stays float32."""
    given = np.asarray(x)
    u = given.astype(np.float64)
    size = np.abs(u)
    w = -np.log((1 - u) * (1 + u))
    near = w <= 5
    result = u * _ratio(ERFINV_P, ERFINV_Q, np.where(near, w, 0))
    # Negative and infinite arguments of what is not taken here would be NaN with a warning.
    beyond = np.where(near | (size >= 1), 0.5, size)
    s = np.sqrt(-np.log(1 - beyond)) - 2.375
    far = np.where(size == 1, np.inf, _ratio(ERFINV_FAR_P, ERFINV_FAR_Q, s))
    result = np.where(near, result, np.copysign(far, u))
    kind = given.dtype if given.dtype.kind == "f" else np.float64
    return np.where(size > 1, np.nan, result).astype(kind, copy=False)[()]


def tanh_from(x: NDArray[Any], q: NDArray[Any]) -> NDArray[Any]:
    """tanh(x) from q = e/(1 + e), e = exp(-2 |x|), elementwise: in half the time of np.tanh.

    Where NumPy has AVX-512 its own tanh is the faster one, 2-8-8-1 in 3.6 ms instead of 6.
    """
    if tanh_is_wide():
        return np.tanh(x)
    w = x * x
    near = _polynomial(TANH, w)
    near *= w
    near *= x
    near += x
    return np.where(w < 0.09, near, np.copysign(1 - 2 * q, x))


@lru_cache(maxsize=1)
def tanh_is_wide() -> bool:
    """Whether NumPy's tanh of doubles uses AVX-512 here, as it tells from version 2.1 on."""
    try:
        from numpy.lib.introspect import opt_func_info
    except ImportError:
        return False
    found = opt_func_info(func_name="^tanh$", signature="float64")
    return any(
        loop["current"] == "X86_V4" or loop["current"].startswith("AVX512")
        for loops in found.values()
        for loop in loops.values()
    )


def _elementwise(x: ArrayLike, complement: bool) -> NDArray[Any]:
    given = np.asarray(x)
    u = given.astype(np.float64).ravel()
    size = np.abs(u)
    result = np.sign(u)
    if complement:
        result = 1 - result
    with np.errstate(under="ignore"):
        for low, high, function in _REGIONS:
            # Where signs and sizes are mixed, a mask costs 7 ns a number, np.where 10, indices 2.
            inside = np.flatnonzero((size >= low) & (size < high))
            if len(inside):
                result[inside] = function(u[inside], complement)
    kind = given.dtype if given.dtype.kind == "f" else np.float64
    return result.reshape(given.shape).astype(kind, copy=False)[()]


def _near(x: NDArray[Any], complement: bool) -> NDArray[Any]:
    y = _ratio(ERF_P, ERF_Q, x * x)
    if not complement:
        return x + x * y
    result = 1 - (x + x * y)
    right = np.flatnonzero(x >= 0.25)
    x, y = x[right], y[right]
    result[right] = 0.5 - ((x - 0.5) + x * y)
    return result


def _middle(x: NDArray[Any], complement: bool) -> NDArray[Any]:
    y = _ratio(_P1, _Q1, np.abs(x) - 1)
    if not complement:
        return np.copysign(_MIDDLE + y, x)
    return np.where(x > 0, (1 - _MIDDLE) - y, 1 + (_MIDDLE + y))


def _tail(x: NDArray[Any], complement: bool) -> NDArray[Any]:
    return _exponential(_P2, _Q2, x, complement)


def _far(x: NDArray[Any], complement: bool) -> NDArray[Any]:
    return _exponential(_P3, _Q3, x, complement)


def _exponential(
    p: tuple[float, ...], q: tuple[float, ...], x: NDArray[Any], complement: bool
) -> NDArray[Any]:
    size = np.abs(x)
    y = _ratio(p, q, 1 / (size * size))
    short = size.astype(np.float32).astype(np.float64)  # its square is exact
    y = np.exp(-short * short - 0.5625) * np.exp((short - size) * (short + size) + y) / size
    if not complement:
        return np.copysign(1 - y, x)
    left = np.flatnonzero(x < 0)
    y[left] = 2 - y[left]
    return y


_REGIONS = (
    *((0.0, 0.84375, _near), (0.84375, 1.25, _middle)),
    *((1.25, 1 / 0.35, _tail), (1 / 0.35, 28.0, _far)),
)


def _ratio(p: tuple[float, ...], q: tuple[float, ...], t: NDArray[Any]) -> NDArray[Any]:
    return _polynomial(p, t) / _polynomial(q, t)


def _polynomial(coefficients: tuple[float, ...], t: NDArray[Any]) -> NDArray[Any]:
    result = np.multiply(t, coefficients[-1])
    for coefficient in coefficients[-2:0:-1]:
        result += coefficient
        result *= t
    result += coefficients[0]
    return result


_HERE = (erf, erfc, erfcx, erfinv, tanh_from)
FUNCTIONS = {function.__name__: function for function in _HERE} | gammas.FUNCTIONS
"""What generated text calls, by name."""
