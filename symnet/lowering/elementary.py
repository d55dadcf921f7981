"""Elementary functions that some languages lack, in those that all have, as scalar functions.

    erfcx(z) = exp(z^2) erfc(z) = P(z)/(P(z) + z D(z)) for z >= 0
    erfc(z)  = exp(-z^2) erfcx(z) for z >= 0,  erfc(-z) = 2 - erfc(z)
    erf(z)   = 1 - erfc(z),  and z + z P(z^2)/Q(z^2) near 0
    log1p(z) = log(u) z/(u - 1),  u the rounded 1 + z
    expm1(z) = (u - 1) z/log(u),  u the rounded exp(z)
    asinh(z) = log1p(z + z^2/(1 + sqrt(1 + z^2))) for z >= 0
    atan(z)  = atan(c) + atan((z - c)/(1 + c z)),  and a polynomial near 0

Sources: W. J. Cody, "Rational Chebyshev approximations for the error function", Math. Comp. 23
(1969), the form; fdlibm's s_erf.c near 0 (see `backends.numpy.special`) and its s_atan.c;
W. Kahan's log1p and expm1 in N. J. Higham, "Accuracy and Stability of Numerical Algorithms",
2nd ed., SIAM 2002, section 1.14.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from functools import reduce

from sympy import Abs, Expr, Float, Function, Integer, Piecewise, Rational, Symbol, exp, floor, log
from sympy.codegen.cfunctions import log1p

from symnet.activations.systems import Z, erfcx
from symnet.backends.numpy import special
from symnet.lowering.loops import ScalarFunction

_BEYOND = 28  # erfc is 0 from here on, in every type
_HUGE = 2**60  # 1 + z is z
_NOTHING = Float(1e-30)  # less than any rounding of a number near 1


# Of fdlibm's s_atan.c: atan(t) = t - t^3 P(t^2) for |t| < 7/16.
_ATAN = (
    *(3.33333333333329318027e-01, -1.99999999998764832476e-01, 1.42857142725034663711e-01),
    *(-1.11111104054623557880e-01, 9.09088713343650656196e-02, -7.69187620504482999495e-02),
    *(6.66107313738753120669e-02, -5.83357013379057348645e-02, 4.97687799461593236017e-02),
    *(-3.65315727442169155270e-02, 1.62858201153657823623e-02),
)


def _polynomial(coefficients: Sequence[float], z: Expr) -> Expr:
    first, *rest = map(Float, reversed(coefficients))
    return reduce(lambda found, c: c + z * found, rest, first)


def _reals(names: str) -> list[Symbol]:
    return [Symbol(name, real=True) for name in names.split()]


def _function(name: str, *shared: tuple[Symbol, Expr], result: Expr) -> ScalarFunction:
    return ScalarFunction(name, "", (0,), shared, (result,))


def _erfcx() -> ScalarFunction:
    p, d = _reals("p d")
    return _function(
        "erfcx",
        (p, _polynomial(special.ERFCX_P, Z)),
        (d, _polynomial(special.ERFCX_D, Z)),
        result=p / (p + Z * d),
    )


def _erfc() -> ScalarFunction:
    u, h, q = _reals("u h q")
    # The square of a short h is exact: what is left of z^2 is small.
    power = exp(-h * h, evaluate=False) * exp((h - u) * (h + u), evaluate=False)
    return _function(
        "erfc",
        (u, Piecewise((_BEYOND, Abs(Z) > _BEYOND), (Abs(Z), True))),
        (h, floor(256 * u) / 256),
        (q, power * erfcx(u)),
        result=Piecewise((2 - q, Z < 0), (q, True)),
    )


def _erf() -> ScalarFunction:
    u, w, p, q, c = _reals("u w p q c")
    return _function(
        "erf",
        (u, Abs(Z)),
        (w, Piecewise((0, u > 1), (Z * Z, True))),
        (p, _polynomial(special._P0, w)),
        (q, _polynomial(special._Q0, w)),
        (c, 1 - Function("erfc")(u)),
        result=Piecewise((Z + Z * (p / q), u < 0.84375), (-c, Z < 0), (c, True)),
    )


def _log1p() -> ScalarFunction:
    u, d = _reals("u d")
    return _function(
        "log1p",
        (u, 1 + Z),
        (d, Piecewise((1, Abs(u - 1) < _NOTHING), (u - 1, True))),
        result=Piecewise((Z, Abs(u - 1) < _NOTHING), (log(u), u > _HUGE), (log(u) * (Z / d), True)),
    )


def _expm1() -> ScalarFunction:
    u, d, v = _reals("u d v")
    near, low, high = Abs(d) < _NOTHING, u < Float(1e-20), u > _HUGE
    return _function(
        "expm1",
        (u, exp(Z)),
        (d, u - 1),
        # Arms that are not chosen must not divide by 0 either: some languages compute all.
        (v, Piecewise((2, near), (3, low), (4, high), (u, True))),
        result=Piecewise((Z, near), (-1, low), (u, high), ((v - 1) * (Z / log(v)), True)),
    )


def _atan() -> ScalarFunction:
    u, v, t, w, c, q = _reals("u v t w c q")
    above = [Rational(k, 16) for k in (7, 11, 19, 39)]
    half, one_and_half = Rational(1, 2), Rational(3, 2)
    quotients = [(u - a) / (1 + a * u) for a in (half, Integer(1), one_and_half)]
    moved = [u, *quotients]
    places = (0, math.atan(0.5), math.pi / 4, math.atan(1.5))
    return _function(
        "atan",
        (u, Abs(Z)),
        (v, Piecewise((1, u < 1), (u, True))),
        (t, Piecewise(*zip(moved, (u < a for a in above), strict=True), (-1 / v, True))),
        (w, t * t),
        (c, Piecewise(*zip(places, (u < a for a in above), strict=True), (math.pi / 2, True))),
        (q, c + (t - t * (w * _polynomial(_ATAN, w)))),
        result=Piecewise((-q, Z < 0), (q, True)),
    )


def _asinh() -> ScalarFunction:
    u, v, q = _reals("u v q")
    return _function(
        "asinh",
        (u, Abs(Z)),
        (v, Piecewise((1, u > 2**28), (u, True))),
        (
            q,
            Piecewise(
                (log(u) + math.log(2), u > 2**28),
                (log1p(v + v * v / (1 + (1 + v * v) ** Rational(1, 2))), True),
            ),
        ),
        result=Piecewise((-q, Z < 0), (q, True)),
    )


OWN = {f.name: f for f in (_erfcx(), _erfc(), _erf(), _log1p(), _expm1(), _atan(), _asinh())}
"""The functions by name, those that others call first."""

_CALLS = {"erfc": ("erfcx",), "erf": ("erfc", "erfcx")}


def needed(names: Collection[str], lacking: Collection[str]) -> tuple[ScalarFunction, ...]:
    """Those of `lacking` that are called by `names`, in the order of their definition."""
    called = {name for name in names if name in lacking}
    called |= {inner for name in called for inner in _CALLS.get(name, ()) if inner in lacking}
    return tuple(function for name, function in OWN.items() if name in called)
