"""Elementary functions that some languages lack, in those that all have, as scalar functions.

    erfcx(z) = exp(z^2) erfc(z) = P(z)/(P(z) + z D(z)) for z >= 0
    erfc(z)  = exp(-z^2) erfcx(z) for z >= 0,  erfc(-z) = 2 - erfc(z)
    erf(z)   = 1 - erfc(z),  and z + z P(z^2)/Q(z^2) near 0
    log1p(z) = log(u) z/(u - 1),  u the rounded 1 + z
    expm1(z) = (u - 1) z/log(u),  u the rounded exp(z)
    rint(z)  = floor(z) or floor(z) + 1, at 1/2 the even one
    asinh(z) = log1p(z + z^2/(1 + sqrt(1 + z^2))) for z >= 0
    acosh(z) = log1p(t + sqrt(t (t + 2))),  t = z - 1
    atanh(z) = log1p(2 z/(1 - z))/2 for z >= 0
    asin(z)  = atan(z/sqrt((1 - z) (1 + z))),  acos(z) = 2 atan(sqrt((1 - z)/(1 + z)))
    sinh(z)  = (e + e/(e + 1))/2,  e = expm1(z), for z >= 0
    atan(z)  = atan(c) + atan((z - c)/(1 + c z)),  and a polynomial near 0

Sources: W. J. Cody, "Rational Chebyshev approximations for the error function", Math. Comp. 23
(1969), the form; fdlibm's s_erf.c near 0 (see `backends.numpy.special`) and its s_atan.c;
W. Kahan's log1p and expm1 in N. J. Higham, "Accuracy and Stability of Numerical Algorithms",
2nd ed., SIAM 2002, section 1.14.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from functools import cache, partial

from sympy import (
    Abs,
    Expr,
    Float,
    Function,
    Integer,
    Piecewise,
    Rational,
    Symbol,
    atan,
    cos,
    exp,
    floor,
    log,
    sin,
)
from sympy.codegen.cfunctions import expm1, log1p
from sympy.core.function import AppliedUndef
from sympy.logic.boolalg import Boolean

from symnet.activations.functions import POLYGAMMAS, erfcx
from symnet.activations.systems import Z
from symnet.backends.numpy import special
from symnet.lowering.gammas import erfinv, function, loggamma, polygamma, polynomial, reals
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


def _erfcx() -> ScalarFunction:
    p, d = reals("p d")
    return function(
        "erfcx",
        (p, polynomial(special.ERFCX_P, Z)),
        (d, polynomial(special.ERFCX_D, Z)),
        result=p / (p + Z * d),
    )


def _erfc() -> ScalarFunction:
    u, h, q = reals("u h q")
    # The square of a short h is exact: what is left of z^2 is small.
    power = exp(-h * h, evaluate=False) * exp((h - u) * (h + u), evaluate=False)
    return function(
        "erfc",
        (u, Piecewise((_BEYOND, Abs(Z) > _BEYOND), (Abs(Z), True))),
        (h, floor(256 * u) / 256),
        (q, power * erfcx(u)),
        result=Piecewise((2 - q, Z < 0), (q, True)),
    )


def _erf() -> ScalarFunction:
    u, w, p, q, c = reals("u w p q c")
    return function(
        "erf",
        (u, Abs(Z)),
        (w, Piecewise((0, u > 1), (Z * Z, True))),
        (p, polynomial(special.ERF_P, w)),
        (q, polynomial(special.ERF_Q, w)),
        (c, 1 - Function("erfc")(u)),
        result=Piecewise((Z + Z * (p / q), u < 0.84375), (-c, Z < 0), (c, True)),
    )


def _log1p() -> ScalarFunction:
    u, d = reals("u d")
    return function(
        "log1p",
        (u, 1 + Z),
        (d, Piecewise((1, Abs(u - 1) < _NOTHING), (u - 1, True))),
        result=Piecewise((Z, Abs(u - 1) < _NOTHING), (log(u), u > _HUGE), (log(u) * (Z / d), True)),
    )


def _expm1() -> ScalarFunction:
    u, d, v = reals("u d v")
    near, low, high = Abs(d) < _NOTHING, u < Float(1e-20), u > _HUGE
    return function(
        "expm1",
        (u, exp(Z)),
        (d, u - 1),
        # Arms that are not chosen must not divide by 0 either: some languages compute all.
        (v, Piecewise((2, near), (3, low), (4, high), (u, True))),
        result=Piecewise((Z, near), (-1, low), (u, high), ((v - 1) * (Z / log(v)), True)),
    )


def _atan() -> ScalarFunction:
    u, v, t, w, c, q = reals("u v t w c q")
    above = [Rational(k, 16) for k in (7, 11, 19, 39)]
    half, one_and_half = Rational(1, 2), Rational(3, 2)
    quotients = [(u - a) / (1 + a * u) for a in (half, Integer(1), one_and_half)]
    moved = [u, *quotients]
    places = (0, math.atan(0.5), math.pi / 4, math.atan(1.5))
    return function(
        "atan",
        (u, Abs(Z)),
        (v, Piecewise((1, u < 1), (u, True))),
        (t, Piecewise(*zip(moved, (u < a for a in above), strict=True), (-1 / v, True))),
        (w, t * t),
        (c, Piecewise(*zip(places, (u < a for a in above), strict=True), (math.pi / 2, True))),
        (q, c + (t - t * (w * polynomial(_ATAN, w)))),
        result=Piecewise((-q, Z < 0), (q, True)),
    )


def _asinh() -> ScalarFunction:
    u, v, q = reals("u v q")
    return function(
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


def _acosh() -> ScalarFunction:
    t, v, q = reals("t v q")
    return function(
        "acosh",
        (t, Z - 1),
        (v, Piecewise((1, t > 2**28), (t, True))),
        (q, v + (v * (v + 2)) ** Rational(1, 2)),
        result=Piecewise((log(Z) + math.log(2), t > 2**28), (log1p(q), True)),
    )


def _atanh() -> ScalarFunction:
    u, q = reals("u q")
    return function(
        "atanh",
        (u, Abs(Z)),
        (q, log1p(2 * u / (1 - u)) / 2),
        result=Piecewise((-q, Z < 0), (q, True)),
    )


def _tan() -> ScalarFunction:
    return function("tan", result=sin(Z) / cos(Z))


def _asin() -> ScalarFunction:
    v, q = reals("v q")
    root = ((1 - Z) * (1 + Z)) ** Rational(1, 2)  # NaN beyond the ends
    inside, end = Abs(Z) < 1, Abs(Z) <= 1
    return function(
        "asin",
        (v, Piecewise((root, inside), (1, end), (root, True))),
        (q, atan(Z / v)),
        result=Piecewise((q, inside), (2 * q, end), (q, True)),
    )


def _acos() -> ScalarFunction:
    v, q = reals("v q")
    inside, end = Z > -1, Z >= -1
    return function(
        "acos",
        (v, Piecewise((1 + Z, inside), (1, end), (1 + Z, True))),
        (q, 2 * atan(((1 - Z) / v) ** Rational(1, 2))),
        result=Piecewise((q, inside), (math.pi, end), (q, True)),
    )


def _sinh() -> ScalarFunction:
    e, q = reals("e q")
    far = exp(Abs(Z) / 2)
    return function(
        "sinh",
        (e, expm1(Piecewise((0, Abs(Z) > 20), (Abs(Z), True)))),
        (q, Piecewise((far / 2 * far, Abs(Z) > 20), ((e + e / (e + 1)) / 2, True))),
        result=Piecewise((-q, Z < 0), (q, True)),
    )


def _cosh() -> ScalarFunction:
    (e,) = reals("e")
    return function("cosh", (e, exp(Abs(Z) / 2)), result=e / 2 * e + 1 / (e * e) / 2)


def _rint() -> ScalarFunction:
    q, f = reals("q f")
    nearer = Piecewise((q, f < Rational(1, 2)), (q + 1, f > Rational(1, 2)), (q + _odd(q), True))
    return function("rint", (q, floor(Z)), (f, Z - q), result=nearer)


def _odd(q: Expr) -> Expr:
    return q - 2 * floor(q / 2)


def _stepped(name: str, beyond: Boolean, step: int) -> ScalarFunction:
    """From `aint`, which cuts digits off: Fortran's own floor is an integer, and may overflow."""
    (q,) = reals("q")
    return function(name, (q, Function("aint")(Z)), result=Piecewise((q + step, beyond), (q, True)))


def _floor() -> ScalarFunction:
    return _stepped("floor", Symbol("q", real=True) > Z, -1)


def _ceiling() -> ScalarFunction:
    return _stepped("ceiling", Symbol("q", real=True) < Z, 1)


_MADE: Mapping[str, Callable[[], ScalarFunction]] = {
    **{"floor": _floor, "ceiling": _ceiling, "rint": _rint, "erfcx": _erfcx, "erfc": _erfc},
    **{"erf": _erf, "log1p": _log1p, "expm1": _expm1, "atan": _atan, "tan": _tan, "asin": _asin},
    **{"acos": _acos, "sinh": _sinh, "cosh": _cosh, "asinh": _asinh, "acosh": _acosh},
    **{"atanh": _atanh, "erfinv": erfinv, "loggamma": loggamma},
    **{f"polygamma{n}": partial(polygamma, n) for n in range(len(POLYGAMMAS))},
}
"""The functions by name, those that others call first."""


@cache
def own(name: str) -> ScalarFunction:
    """The function of this name. ValueError where there is none."""
    if name not in _MADE:
        raise ValueError(f"no elementary function {name!r}; there are {', '.join(_MADE)}")
    return _MADE[name]()


NAMES = frozenset(_MADE) - {"floor", "ceiling"}
"""Those with a value in NumPy's terms: Fortran's steps are made of its own function."""

LACKING = frozenset(
    {"erfcx", "erfinv", "loggamma", *(f"polygamma{n}" for n in range(len(POLYGAMMAS)))}
)
"""Those that next to no language has."""


def needed(names: Collection[str], lacking: Collection[str]) -> tuple[ScalarFunction, ...]:
    """Those of `lacking` that are called by `names`, in the order of their definition."""
    called: set[str] = set()
    waiting = {name for name in names if name in lacking and name in _MADE}
    while waiting:
        called |= waiting
        inner = set().union(*(_names(own(name)) for name in waiting))
        waiting = {name for name in inner if name in lacking and name in _MADE} - called
    return tuple(own(name) for name in _MADE if name in called)


def _names(function: ScalarFunction) -> set[str]:
    """The functions that it calls."""
    expressions = [*function.results, *(e for _, e in function.shared)]
    found = set().union(*(e.atoms(Function, AppliedUndef) for e in expressions), set())
    return {type(f).__name__.lower() for f in found}
