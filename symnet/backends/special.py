"""The error functions, which NumPy lacks, and a tanh beside its derivative.

Errors in units in the last place: erf 2, erfc 8, tanh_from 4.

    erf(x)   = 2/sqrt(pi) * integral of exp(-t^2) from 0 to x = x + x E(x^2) near 0
    erfcx(x) = exp(x^2) erfc(x) = P(x)/(P(x) + x D(x)) for x >= 0
    tanh(x)  = x + x^3 T(x^2) near 0
    erfc(x)  = 1 - erf(x) = exp(-x^2) erfcx(x) for x >= 0,  erfc(-x) = 2 - erfc(x)

`erfc` keeps its relative accuracy in the right tail, down to 5e-324. The text of this module is
complete in itself: generated standalone source repeats it.

Source of the form of erfcx: W. J. Cody, "Rational Chebyshev approximations for the error function",
Math. Comp. 23 (1969). The coefficients are this package's own, from computations in 40 and 60
digits: T interpolates at Chebyshev's nodes, the others are minimax of the relative error.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

# T(w) for w <= 0.09, E(w) for w <= 1, and P and D up to x = 26.6, from the constant term up. Those
# of P and D are positive, so nothing cancels.
TANH = (
    *(-0.3333333333333303, 0.1333333333300249, -0.0539682533789634, 0.021869449100677837),
    *(-0.008861975209308605, 0.003571339147190281, -0.0012835455276683214),
)
ERF = (
    *(0.12837916709551256, -0.3761263890318352, 0.1128379167094417, -0.026866170643109016),
    *(0.005223977606097641, -0.0008548325928296288, 0.0001205529354611401, -1.4924711706695891e-05),
    *(1.644712419419782e-06, -1.6206257078955124e-07, 1.3710734554827891e-08),
    -7.779008384721908e-10,
)
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
_FAR = 28.0  # erfc is 0 from there on


def tanh_from(x: NDArray[Any], q: NDArray[Any]) -> NDArray[Any]:
    """tanh(x) from q = e/(1 + e), e = exp(-2 |x|), elementwise: in half the time of np.tanh."""
    w = x * x
    near = _polynomial(TANH, w)
    near *= w
    near *= x
    near += x
    return np.where(w < 0.09, near, np.copysign(1 - 2 * q, x))


def erf(x: ArrayLike) -> NDArray[Any]:
    """The error function, elementwise; float32 stays float32."""
    given = _floats(x)
    inner = np.clip(given, -1, 1)
    with np.errstate(under="ignore"):
        near = inner + inner * _polynomial(ERF, inner * inner)
    far = np.copysign(1 - _tail(np.abs(given)), given)
    return np.where(inner == given, near, far)[()]


def erfc(x: ArrayLike) -> NDArray[Any]:
    """The complementary error function `1 - erf(x)`, elementwise; float32 stays float32."""
    given = _floats(x)
    tail = _tail(np.abs(given))
    return np.where(given < 0, 2 - tail, tail)[()]


def erfcx(x: NDArray[Any]) -> NDArray[Any]:
    """`exp(x^2) erfc(x)` for 0 <= x <= 40, elementwise."""
    above = _polynomial(ERFCX_P, x)
    below = _polynomial(ERFCX_D, x)
    below *= x
    below += above
    return above / below


def _tail(u: NDArray[Any]) -> NDArray[Any]:
    """erfc for u >= 0. The square of a short h is exact: u^2 = h^2 + (u - h)(u + h)."""
    u = np.minimum(u, _FAR)
    h = np.floor(u * 256) / 256
    with np.errstate(under="ignore"):
        first, second = -h * h, (h - u) * (h + u)
        exponent = first + second
        power = np.exp(exponent)
        power += power * ((first - exponent) + second)
        return power * erfcx(u)


def _floats(x: ArrayLike) -> NDArray[Any]:
    given = np.asarray(x)
    return given if given.dtype.kind == "f" else given.astype(np.float64)


def _polynomial(coefficients: tuple[float, ...], t: NDArray[Any]) -> NDArray[Any]:
    result = np.multiply(t, coefficients[-1])
    for coefficient in coefficients[-2:0:-1]:
        result += coefficient
        result *= t
    result += coefficients[0]
    return result


FUNCTIONS = {function.__name__: function for function in (erf, erfc, erfcx, tanh_from)}
"""What generated text calls, by name."""
