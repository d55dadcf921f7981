"""Elementary functions that some languages lack, in those that all have, as scalar functions.

    erfcx(z) = exp(z^2) erfc(z) = P(z)/(P(z) + z D(z)) for z >= 0
    erfc(z)  = exp(-z^2) erfcx(z) for z >= 0,  erfc(-z) = 2 - erfc(z)
    erf(z)   = 1 - erfc(z),  and z + z P(z^2)/Q(z^2) near 0
    log1p(z) = log(u) z/(u - 1),  u the rounded 1 + z
    expm1(z) = (u - 1) z/log(u),  u the rounded exp(z)

Sources: W. J. Cody, "Rational Chebyshev approximations for the error function", Math. Comp. 23
(1969), the form; fdlibm's s_erf.c near 0 (see `backends.numpy.special`); W. Kahan's log1p and expm1
in N. J. Higham, "Accuracy and Stability of Numerical Algorithms", 2nd ed., SIAM 2002, section 1.14.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import reduce

from sympy import Abs, Expr, Float, Function, Piecewise, Symbol, exp, floor, log

from symnet.activations.systems import Z, erfcx
from symnet.backends.numpy import special
from symnet.lowering.loops import ScalarFunction

_BEYOND = 28  # erfc is 0 from here on, in every type
_HUGE = 2**60  # 1 + z is z
_NOTHING = Float(1e-30)  # less than any rounding of a number near 1


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
        (d, u - 1),
        result=Piecewise((Z, Abs(d) < _NOTHING), (log(u), u > _HUGE), (log(u) * (Z / d), True)),
    )


def _expm1() -> ScalarFunction:
    u, d = _reals("u d")
    return _function(
        "expm1",
        (u, exp(Z)),
        (d, u - 1),
        result=Piecewise(
            (Z, Abs(d) < _NOTHING), (-1, u < Float(1e-20)), (u, u > _HUGE), (d * (Z / log(u)), True)
        ),
    )


OWN = {f.name: f for f in (_erfcx(), _erfc(), _erf(), _log1p(), _expm1())}
"""The functions by name, those that others call first."""

_CALLS = {"erfc": ("erfcx",), "erf": ("erfc", "erfcx")}


def needed(names: Collection[str], lacking: Collection[str]) -> tuple[ScalarFunction, ...]:
    """Those of `lacking` that are called by `names`, in the order of their definition."""
    called = {name for name in names if name in lacking}
    called |= {inner for name in called for inner in _CALLS.get(name, ()) if inner in lacking}
    return tuple(function for name, function in OWN.items() if name in called)
