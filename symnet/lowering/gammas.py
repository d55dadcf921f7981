"""erfinv, loggamma and polygamma as scalar functions, for languages: see `backends.numpy`.

Arms of a choice that are not taken are computed by some languages, and must not end a program:
their arguments are such that nothing divides by 0 but at a pole.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import reduce

from sympy import Abs, Expr, Float, Function, Piecewise, Rational, Symbol, factorial, log, pi, tan

from symnet.activations.systems import Z
from symnet.backends.numpy import gammas, special
from symnet.lowering.loops import ScalarFunction

_HALF = Rational(1, 2)


def polynomial(coefficients: Sequence[float], z: Expr) -> Expr:
    """Horner's scheme, from coefficients from the constant term up."""
    first, *rest = map(Float, reversed(coefficients))
    return reduce(lambda found, c: c + z * found, rest, first)


def reals(names: str) -> list[Symbol]:
    """Symbols of these names."""
    return [Symbol(name, real=True) for name in names.split()]


def function(name: str, *shared: tuple[Symbol, Expr], result: Expr) -> ScalarFunction:
    """A function of z with temporaries."""
    return ScalarFunction(name, "", (0,), shared, (result,))


def erfinv() -> ScalarFunction:
    """`x P(w)/Q(w)`, and beyond `P(t)/Q(t)`."""
    u, d, w, v, t, p, q, f, g = reals("u d w v t p q f g")
    near = w <= 5
    return function(
        "erfinv",
        (u, Abs(Z)),
        (d, 1 - u),
        (w, Piecewise((-log(d * (1 + u)), d > 0), (6, True))),
        (v, Piecewise((w, near), (1, True))),
        (t, Piecewise((_HALF, near), (_HALF, d <= 0), (-log(d), True)) ** _HALF - Float(2.375)),
        (p, polynomial(special.ERFINV_P, v)),
        (q, polynomial(special.ERFINV_Q, v)),
        (f, polynomial(special.ERFINV_FAR_P, t) / polynomial(special.ERFINV_FAR_Q, t)),
        # An infinity, and NaN beyond the ends.
        (g, Piecewise((f, d > 0), (-log(Abs(d)), d >= 0), (log(d), True))),
        result=Piecewise((Z * (p / q), near), (-g, Z < 0), (g, True)),
    )


def loggamma() -> ScalarFunction:
    """`u (u - 1) P(u)/Q(u)`, and Stirling's series."""
    v, y, i, p, q, s, t, c, r = reals("v y i p q s t c r")
    small = Z <= 4
    rising = Z * (Z + 1) * (Z + 2) * (Z + 3)
    return function(
        "loggamma",
        (v, Piecewise((Z, Z < 1), (Z - 1, small), (1, True))),
        (y, Piecewise((8, small), (Z + 4, Z < 8), (Z, True))),
        (i, 1 / y),
        (p, polynomial(gammas.LOGGAMMA_P, v)),
        (q, polynomial(gammas.LOGGAMMA_Q, v)),
        (s, polynomial(gammas.SERIES, i * i)),
        (t, (y - _HALF) * log(y) - y + math.log(2 * math.pi) / 2 + s * i),
        (c, Piecewise((Z, Z < 1), (1, small), (rising, Z < 8), (1, True))),
        (r, Piecewise((v * (v - 1) * (p / q), small), (t, True))),
        result=r - log(c),
    )


def polygamma(n: int) -> ScalarFunction:
    """By shifting and Stirling's series, on the left by reflection."""
    u, i, s, e, f, r, a, b = reals("u i s e f r a b")
    size = int(factorial(n))
    steps = [(1 / (u + k)) ** (n + 1) for k in range(gammas.SHIFT + n)]
    near = reduce(lambda found, term: found + term, steps)
    tail = polynomial([0.0, *gammas.stirling(n)], i * i) + Rational(size, 2) * i
    if n == 0:
        right = log(u + gammas.SHIFT) - s - e
    else:
        right = (-1) ** (n + 1) * ((size / n + s) * i**n + size * e)
    left = (-1) ** n * f - float(pi ** (n + 1)) * polynomial(gammas.cotangent(n), b)
    return function(
        f"polygamma{n}",
        (u, Piecewise((Z, Z > 0), (1 - Z, True))),
        (i, 1 / (u + gammas.SHIFT + n)),
        (s, tail),
        (e, near),
        (f, right),
        (r, Piecewise((_HALF, Z > 0), (Z, True))),
        (a, tan(float(pi) * (r - Function("rint")(r)))),
        (b, 1 / a),
        result=Piecewise((f, Z > 0), (left, True)),
    )
