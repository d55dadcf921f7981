"""Patches of an expression that is right almost everywhere: around a point, and far out.

a removable point      Taylor's polynomial around it
far out                the same in 1/z, where the formula has one: z sin(1/z)
long gone to 0         z no further than where it is
no longer changing     a number from there on
too large for doubles  infinite, where its terms would make a NaN of it
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from functools import lru_cache
from typing import TypeAlias

import mpmath
import sympy
from sympy import Abs, Expr, Piecewise, Rational, exp
from sympy.core.relational import Relational
from sympy.logic.boolalg import Boolean

from symnet import precision
from symnet.activations import digits
from symnet.activations.functions import held
from symnet.activations.systems import Z

_TERMS = 30  # of a Taylor polynomial
_LEADING = 8  # terms, one of which is not 0
_REACH = 64.0  # how far one is used at most
_LITTLE = 1.0  # how far without a look at what cancels
_CANCELLED = 8
_FEW = 4  # derivatives
_NOTHING = 1e-310
_UNSEEN = 320  # digits, in which that is something beside 1
_POLES = 3  # powers of z that a formula grows with, at most, where it has a series in 1/z
_TRIES = 8
_HALVINGS = 200
_SHARE = 0.7
_SHARES = (2, Rational(3, 2), Rational(5, 4), Rational(9, 8))
_ROOTS = 6  # of which series have powers
_STEEP = 1e10  # what a derivative is where there is none


_Arm: TypeAlias = tuple[Expr, Boolean]
"""What stands in the place of an expression, and where."""


def patched(expression: Expr, place: Expr, arm: Expr, order: int, side: int = 1) -> Expr | None:
    """Taylor's polynomial of the derivative near `place`, of one side, and the expression."""
    found = _polynomial(arm, place, order, side)
    return found and Piecewise(found, (expression, True))


def reach(place: Expr, arm: Expr, order: int, side: int) -> float:
    """How far from `place` that polynomial is right."""
    found = _polynomial(arm, place, order, side)
    return float(found[1].rhs) if found else 0.0


@lru_cache(maxsize=1024)
def _polynomial(arm: Expr, place: Expr, order: int, side: int) -> _Arm | None:
    around = _around(arm, place, order + _TERMS, side)
    if around is None:
        return None
    with precision.digits(40):
        terms = [c / mpmath.factorial(k) for k, c in enumerate(around[order:])]
        size = _size(terms)
        if size < mpmath.mpf(10) ** -200:
            flat = _flat(arm, place, order, side)
            return flat and (sympy.S.Zero, Abs(Z - place) < flat)
        reach, kept = _kept(terms, size)
        middle = digits.number(place)
        reach = _sure(reach, kept, lambda u: _derivative(arm, middle + u, order), (side,))
    if not reach:
        return None
    return horner(kept, Z - place), Abs(Z - place) < _short(reach)


def continued(expression: Expr, arm: Expr, order: int, side: int, inward: bool) -> Expr | None:
    """The derivative's series in powers of z far out, or `inward` near 0, and the expression.

    f = sum c_k |z|^s_k,   f^(r) = side^r sum c_k s_k (s_k - 1) ... (s_k - r + 1) |z|^(s_k - r)

    with s_k = p + k near 0 and p - k far out; on both sides of 0 where that is one function.
    """
    found = _continuation(arm, order, side, inward)
    return found and Piecewise(found, (expression, True))


@lru_cache(maxsize=1024)
def _continuation(arm: Expr, order: int, side: int, inward: bool) -> _Arm | None:
    highest = _TERMS + max(order, 2)
    found = _series(arm, highest, side, inward)
    if found is None:
        return None
    p, around = found
    step = 1 if inward else -1
    with precision.digits(40):
        terms = [
            c / mpmath.factorial(k) * mpmath.ff(mpmath.mpf(p.p) / p.q + step * k, order)
            for k, c in enumerate(around)
        ]
        size = _size(terms)
        if size < mpmath.mpf(10) ** -200:
            return None
        reach, kept = _kept(terms[: _TERMS + 1], size)
        power = step * (mpmath.mpf(p.p) / p.q - order)

        def right(u: digits.Number) -> digits.Number | None:
            found = _derivative(arm, side * (u if inward else 1 / u), order)
            return None if found is None else side**order * found / u**power

        reach = _sure(reach, kept, right, (1,))
    if not reach:
        return None
    other = _series(arm, highest, -side, inward) if p.is_Integer else None
    both = other is not None and other[0] == p and _one_function(around, other[1], int(p))
    first = next(k for k, c in enumerate(kept) if c is not None)
    lead, kept = p + step * first, kept[first:]
    x = Z if p.is_Integer else Abs(Z)
    if side < 0:  # c_k |z|^s = (-1)^s c_k z^s
        signs = [order if x != Z else int(lead) + k for k in range(len(kept))]
        kept = [None if c is None else (-1) ** n * c for n, c in zip(signs, kept, strict=True)]
    series = horner(kept, x if inward else held(1 / x)) * x ** (lead - order)
    near = _short(reach) if inward else 1 / _short(reach)
    size_of = Abs(Z) if both else side * Z
    return series, size_of < near if inward else size_of > near


@lru_cache(maxsize=256)
def _series(
    arm: Expr, highest: int, side: int, inward: bool
) -> tuple[Expr, list[digits.Number]] | None:
    """p, and the derivatives at u = 0 of f(side u) / u^p, or far out of u^p f(side/u)."""
    unit = math.lcm(*(power.exp.q for power in arm.atoms(sympy.Pow) if power.exp.is_Rational))
    if unit > _ROOTS:
        return None
    there = arm.xreplace({Z: side * Z if inward else side / Z})
    for k in range(_POLES * unit + 1):
        p = Rational(k, unit)
        smooth = there * Z ** (-p if inward else p)
        # Most are told apart by a few derivatives.
        few = digits.derivatives(smooth, 0, _FEW)
        if few is not None and all(abs(c) < _STEEP for c in few):
            flat = all(abs(c) < mpmath.mpf(10) ** -200 for c in few)
            found = None if flat else digits.derivatives(smooth, 0, highest)
            return None if found is None else (p, found)
    return None


@lru_cache(maxsize=256)
def power_series(formula: Expr) -> tuple[float, tuple[digits.Number, ...]] | None:
    """How far to the right of 0 a polynomial is the formula, and its coefficients."""
    few = digits.derivatives(formula, 0, _FEW)
    if few is None or any(abs(c) > _STEEP for c in few):
        return None
    found = digits.derivatives(formula, 0, _TERMS)
    if found is None:
        return None
    with precision.digits(40):
        terms = [c / mpmath.factorial(k) for k, c in enumerate(found)]
        size = _size(terms)
        if size < mpmath.mpf(10) ** -200:
            return None
        reach, kept = _kept(terms, size)
        reach = _sure(reach, kept, lambda u: digits.value(formula, u), (1,))
    return (reach, tuple(c or mpmath.mpf(0) for c in kept)) if reach else None


def _one_function(right: list[digits.Number], left: list[digits.Number], p: int) -> bool:
    """Whether both are in the same powers of z, to 15 digits."""
    pairs = (
        (a / mpmath.factorial(k), (-1) ** (p + k) * b / mpmath.factorial(k))
        for k, (a, b) in enumerate(zip(right, left, strict=True))
    )
    return all(abs(a - b) <= mpmath.mpf(10) ** -15 * (1 + abs(a)) for a, b in pairs)


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


def _sure(
    reach: float,
    kept: list[digits.Number | None],
    right: Callable[[digits.Number], digits.Number | None],
    sides: Sequence[int],
) -> float:
    """The reach, less until the polynomial is right at its ends: that of exp(-1/z) is 0."""
    for _ in range(_TRIES):
        steps = [mpmath.mpf(side * share * reach) for side in sides for share in (0.4, 0.98)]
        if all(_is_at(kept, u, right(u)) for u in steps):
            return reach
        reach *= _SHARE
    return 0.0


def _is_at(kept: list[digits.Number | None], u: digits.Number, right: digits.Number | None) -> bool:
    terms = [c * u**k for k, c in enumerate(kept) if c is not None]
    size = mpmath.fsum(map(abs, terms))
    return (
        right is not None
        and bool(abs(mpmath.fsum(terms) - right) <= mpmath.mpf(10) ** -15 * size)
        and (abs(u) <= _LITTLE or bool(size <= _CANCELLED * abs(right)))
    )


def _derivative(arm: Expr, z: digits.Number, order: int) -> digits.Number | None:
    found = digits.derivatives(arm, z, order)
    return None if found is None else found[order]


def _flat(arm: Expr, place: Expr, order: int, side: int) -> Expr | None:
    """How far to a side a derivative is 0 to the last double, as those of exp(-1/z^2).

    On the other side may be a pole, as of exp(1/z).
    """

    def is_flat(reach: Expr) -> bool:
        beside = digits.number(place + side * reach)
        found = digits.derivatives(arm, beside, order, 1, _UNSEEN)
        return found is None or bool(abs(found[order]) < _NOTHING)

    reaches = (Rational(1, 2**halvings) for halvings in range(6, _HALVINGS, 2))
    flat: Expr | None = next((reach for reach in reaches if is_flat(reach)), None)
    for share in _SHARES:
        if flat is not None and is_flat(flat * share):
            flat *= share
    return flat


@lru_cache(maxsize=256)
def _around(arm: Expr, place: Expr, highest: int, side: int) -> list[digits.Number] | None:
    return digits.derivatives(arm, digits.number(place), highest, side)


def horner(terms: list[digits.Number | None], step: Expr) -> Expr:
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
    """Somewhat less: in sixty-fourths, and below these a power of 2, which is never 0."""
    return Rational(int(number * 64), 64) or Rational(2) ** math.floor(math.log2(number))


def clipped(expression: Expr, bound: float, sides: Collection[float] = (1, -1)) -> Expr:
    """The expression of z, but no further than `bound` from 0 on these sides."""
    limit = sympy.Integer(math.ceil(bound)) if bound < 2**53 else sympy.Float(bound)
    inside = Piecewise((limit * sympy.sign(Z), Abs(Z) > limit), (Z, True))
    if len(set(sides)) == 1:
        limit = limit * int(next(iter(sides)))
        inside = Piecewise((limit, limit < Z if limit > 0 else limit > Z), (Z, True))
    tests = {test: sympy.Dummy() for test in expression.atoms(Relational)}
    back = {dummy: test for test, dummy in tests.items()}
    return expression.xreplace(tests).xreplace({Z: held(inside)}).xreplace(back)


def moved(expression: Expr, x: Expr) -> Expr:
    """The expression of x in the place of z; conditions stay comparisons of SymPy's."""
    return expression.xreplace({Z: x})


def level(expression: Expr, bound: float, side: int, value: float) -> Expr:
    """The expression, but a number beyond `bound` on one side of 0."""
    number = sympy.nsimplify(value, rational=True) if value == int(value) else sympy.Float(value)
    return Piecewise((number, side * Z > sympy.Float(bound)), (expression, True))


def infinite(expression: Expr, bound: float, side: int, sign: int) -> Expr:
    """The expression, but beyond `bound` on one side of 0 what overflows in every type."""
    beyond = sign * exp(1000 * Abs(Z))
    return Piecewise((beyond, side * Z > sympy.Float(bound)), (expression, True))
