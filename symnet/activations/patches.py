"""Patches of an expression that is right almost everywhere: around a point, and far out.

a removable point      Taylor's polynomial around it
far out                the same in 1/z, where the formula has one: z sin(1/z)
long gone to 0         z no further than where it is
no longer changing     a number from there on
too large for doubles  infinite, where its terms would make a NaN of it
"""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache

import mpmath
import sympy
from sympy import Abs, Expr, Piecewise, Rational, exp
from sympy.core.relational import Relational

from symnet.activations import digits
from symnet.activations.functions import held
from symnet.activations.systems import Z

_TERMS = 30  # of a Taylor polynomial
_LEADING = 8  # terms, one of which is not 0
_REACH = 1.0  # how far one is used at most
_FEW = 3  # derivatives
_NOTHING = 1e-310
_POLES = 3  # powers of z that a formula grows with, at most, where it has a series in 1/z


def patched(expression: Expr, place: Expr, arm: Expr, order: int, side: int = 1) -> Expr | None:
    """Taylor's polynomial of the derivative near `place`, of one side, and the expression."""
    around = _around(arm, place, order + _TERMS, side)
    if around is None:
        return None
    with mpmath.workdps(40):
        terms = [c / mpmath.factorial(k) for k, c in enumerate(around[order:])]
        size = _size(terms)
        if size < mpmath.mpf(10) ** -200:
            return Piecewise((0, Abs(Z - place) < _flat(arm, place, order)), (expression, True))
        reach, kept = _kept(terms, size)
    return Piecewise((_horner(kept, Z - place), Abs(Z - place) < _short(reach)), (expression, True))


def continued(expression: Expr, arm: Expr, order: int) -> Expr | None:
    """The derivative's series in u = 1/z far out, and the expression before.

    f = sum c_k u^(k - m),   f^(r) = (-1)^r sum c_k (k - m) ... (k - m + r - 1) u^(k - m + r)
    """
    found = _in_inverse(arm, _TERMS + max(order, 2))
    if found is None:
        return None
    m, around = found
    with mpmath.workdps(40):
        terms = [
            (-1) ** order * c / mpmath.factorial(k) * mpmath.rf(k - m, order)
            for k, c in enumerate(around)
        ]
        size = _size(terms)
        if size < mpmath.mpf(10) ** -200:
            return None
        reach, kept = _kept(terms[: _TERMS + 1], size)
    series = _horner(kept, held(1 / Z)) * Z ** (m - order)
    return Piecewise((series, Abs(Z) > 1 / _short(reach)), (expression, True))


@lru_cache(maxsize=256)
def _in_inverse(arm: Expr, highest: int) -> tuple[int, list[digits.Number]] | None:
    """m and the derivatives of u^m f(1/u) at 0, where they are the same from both sides."""
    for m in range(_POLES + 1):
        inverse = arm.xreplace({Z: 1 / Z}) * Z**m
        # Most are told apart by a few derivatives.
        if _from_both_sides(inverse, _FEW) and (found := _from_both_sides(inverse, highest)):
            return m, found
    return None


def _from_both_sides(inverse: Expr, highest: int) -> list[digits.Number] | None:
    right, left = (digits.derivatives(inverse, 0, highest, side) for side in (1, -1))
    return right if right and left and all(map(_near, right, left)) else None


def _near(a: digits.Number, b: digits.Number) -> bool:
    return bool(abs(a - b) <= mpmath.mpf(10) ** -15 * (1 + abs(a)))


def _size(terms: list[digits.Number]) -> digits.Number:
    """Of the first terms that are more than what is left of differences."""
    size = max(map(abs, terms[:3]))
    largest = max(map(abs, terms[:_LEADING]))
    return largest if size < largest * mpmath.mpf(10) ** -20 else size


def _kept(
    terms: list[digits.Number], size: digits.Number
) -> tuple[float, list[digits.Number | None]]:
    """How far from its place a polynomial is right, and the terms that it takes."""
    last = max((abs(c) / size) ** (mpmath.mpf(1) / k) for k, c in enumerate(terms) if k > 20)
    reach = min(_REACH, float(mpmath.mpf(10) ** (-17 / mpmath.mpf(_TERMS)) / (last or 1)))
    return reach, [c if abs(c) * reach**k > size * 1e-19 else None for k, c in enumerate(terms)]


def _flat(arm: Expr, place: Expr, order: int) -> Expr:
    """How far from its place a derivative is 0 to the last double, as those of exp(-1/z^2)."""
    reach = Rational(1, 64)
    while reach > Rational(1, 2**40):
        beside = (digits.number(place + side * reach) for side in (1, -1))
        known = [digits.derivatives(arm, z, order) for z in beside]
        if all(found is None or abs(found[order]) < _NOTHING for found in known):
            break
        reach /= 4
    return reach


@lru_cache(maxsize=256)
def _around(arm: Expr, place: Expr, highest: int, side: int) -> list[digits.Number] | None:
    return digits.derivatives(arm, digits.number(place), highest, side)


def _horner(terms: list[digits.Number | None], step: Expr) -> Expr:
    even = all(c is None for c in terms[1::2])
    odd = all(c is None for c in terms[::2])
    found: Expr = sympy.S.Zero
    square = step**2
    if even or odd:
        for c in reversed(terms[1::2] if odd else terms[::2]):
            found = found * square + (0 if c is None else sympy.Float(c, 20))
        return found * step if odd else found
    for c in reversed(terms):
        found = found * step + (0 if c is None else sympy.Float(c, 20))
    return found


def _short(number: float) -> Expr:
    return Rational(int(number * 64), 64)


def clipped(expression: Expr, bound: float, sides: Collection[float] = (1, -1)) -> Expr:
    """The expression of z, but no further than `bound` from 0 on these sides."""
    limit = sympy.Integer(int(bound)) if bound < 2**53 else sympy.Float(bound)
    inside = Piecewise((limit * sympy.sign(Z), Abs(Z) > limit), (Z, True))
    if len(set(sides)) == 1:
        limit = limit * int(next(iter(sides)))
        inside = Piecewise((limit, limit < Z if limit > 0 else limit > Z), (Z, True))
    tests = {test: sympy.Dummy() for test in expression.atoms(Relational)}
    back = {dummy: test for test, dummy in tests.items()}
    return expression.xreplace(tests).xreplace({Z: held(inside)}).xreplace(back)


def level(expression: Expr, bound: float, side: int, value: float) -> Expr:
    """The expression, but a number beyond `bound` on one side of 0."""
    number = sympy.nsimplify(value, rational=True) if value == int(value) else sympy.Float(value)
    return Piecewise((number, side * Z > sympy.Float(bound)), (expression, True))


def infinite(expression: Expr, bound: float, side: int, sign: int) -> Expr:
    """The expression, but beyond `bound` on one side of 0 what overflows in every type."""
    beyond = sign * exp(1000 * Abs(Z))
    return Piecewise((beyond, side * Z > sympy.Float(bound)), (expression, True))
