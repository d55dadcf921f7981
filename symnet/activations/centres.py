"""The places that a formula is written around: 3 of (z - 3)^5/(1 + (z - 3)^4).

A derivative and the next may vanish there together, and then rounding z is no excuse: what cancels
among powers of z is wrong, while powers of z - 3 are right.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache

import sympy
from sympy import Expr, Piecewise

from symnet.activations.systems import Z
from symnet.activations.zeros import MOST, TooMany, zeros

_DEGREE = 12  # of polynomials whose zeros SymPy finds at once
_SOLVED = 2  # and of those whose coefficients are no fractions
_LONG = 10**6


@lru_cache(maxsize=1024)
def centres(formula: Expr) -> tuple[Expr, ...]:
    """Zeros of the polynomials in a formula and of their slopes, and multiple ones further on.

    Without 0, which is one of every formula.
    """
    found = (place for u in _polynomials(formula) for place in _of_polynomial(u))
    return tuple(dict.fromkeys(place for place in found if place != 0))[:MOST]


def _polynomials(node: Expr) -> Iterator[Expr]:
    """All of them: of a sum or product what there is, and of a power the base."""
    if not node.has(Z) or node == Z:
        return
    parts = [value for value, _ in node.args] if isinstance(node, Piecewise) else node.args
    if isinstance(node, (sympy.Add, sympy.Mul)):
        yield node.func(*(part for part in parts if part.is_polynomial(Z)))
    for part in parts:
        yield from _polynomials(part)


def _of_polynomial(u: Expr) -> Iterator[Expr]:
    decimals = {c: sympy.Rational(str(float(c))) for c in u.atoms(sympy.Float)}
    poly = sympy.Poly(u.xreplace(decimals), Z).monic()
    if poly.degree() > (_DEGREE if all(c.is_Rational for c in poly.coeffs()) else _SOLVED):
        return
    slope = poly.diff()
    with suppress(TooMany):
        yield from map(_short, (*zeros(poly.as_expr()), *zeros(slope.as_expr())))
    while (slope := slope.diff()).degree() > 1:
        yield from map(_short, zeros(sympy.gcd(slope, slope.diff()).as_expr()))


def _short(place: Expr) -> Expr:
    """The double next to it, if it is no short fraction."""
    return (
        place if place.is_Rational and place.q < _LONG else sympy.Float(float(sympy.N(place, 20)))
    )
