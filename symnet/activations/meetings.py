"""What belongs to the point where two smooth arms of a formula meet.

Where all derivatives of the two agree, either; else the derivative is one between the two sides'.
It is the one of least magnitude at a corner of Max, Min, Abs and sign, so relu'(0) = 0 and
|z|'(0) = 0 as PyTorch has them, and of one formula on both sides, as acosh(1 + z^2); at a condition
of the user's own Piecewise it is that of the arm which holds the point, if that lies between.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import sympy
from sympy import Expr

from symnet import precision
from symnet.activations import digits
from symnet.activations.cuts import number
from symnet.activations.digits import Number
from symnet.activations.near import DIGITS, Near
from symnet.activations.systems import Z

_INFINITE = 1e9  # a derivative beside a cut that counts as infinite there
_HIGHEST = 4
"""Orders up to which the derivatives of two arms are compared where they meet."""


class Piece(NamedTuple):
    """A formula between two neighbouring cuts. Where it is not `defined`, value is the culprit."""

    low: Expr
    high: Expr
    value: Expr
    defined: bool


class Meeting(NamedTuple):
    """Two pieces' common end.

    value: what the formula is there and how it goes on, as an arm of its own or one of the two;
    kink: whether its first derivative, or the formula itself, jumps; jump: whether the latter does;
    end: whether it is an end of the domain with a value of its own, as 0 of z log z with 0 at 0.
    """

    place: Expr
    value: Expr
    kink: bool
    jump: bool = False
    end: bool = False


def alike(a: Expr, b: Expr) -> bool:
    """Whether two arms are one formula, written in two ways perhaps."""
    return a == b or sympy.expand(a - b) == 0


def meeting_of(formula: Expr, left: Piece, right: Piece) -> Meeting | None:
    """What the formula is between two pieces; None where it is undefined there."""
    place = left.high
    if not (left.defined or right.defined):
        return None
    at = Near(number(place))
    own = at.visit(formula)
    here = _here(own, place) if at.defined else None
    if not (left.defined and right.defined):
        return None if here is None else _end(left if left.defined else right, place, here)
    if here is None:
        return _removable(place, left, right)
    sides = _sides(left, right, at.point)
    tied = at.tied or alike(left.value, right.value)
    plain = [0] * (_HIGHEST + 1) if tied else digits.derivatives(own, at.point, _HIGHEST)
    if sides is None or plain is None:
        return Meeting(place, left.value, True)
    orders = _finite(*sides)
    jump = not (_equal(sides[0][0], sides[1][0]) and _equal(here, sides[0][0]))
    if orders < 2:
        return _steep(place, here, *sides) or Meeting(place, right.value, False)
    chosen = [here, *(_clamped(plain[r], sides[0][r], sides[1][r]) for r in range(1, orders))]
    kink = any(not _equal(sides[0][r], sides[1][r]) for r in range(2))
    for piece, side in zip((left, right), sides, strict=True):
        # exp(-1/(1 - z^2)) comes to 0 at 1 with all its derivatives, and has no value there.
        if all(map(_equal, chosen, side)) and digits.value(piece.value, at.point) is not None:
            return Meeting(place, piece.value, kink, jump)
    own = _polynomial(place, chosen) if place.is_Rational else left.value
    return Meeting(place, own, kink or jump, jump)


def _here(own: Expr, place: Expr) -> Number | None:
    """The value at a place, which may be no number of so many digits: 0/0 is another in more."""
    below = [power.base for power in own.atoms(sympy.Pow) if power.exp.is_negative]
    known: list[list[Number]] = []
    for count in (DIGITS, 2 * DIGITS):
        with precision.digits(count):
            known.append([digits.value(part, number(place, count)) for part in (own, *below)])
    if any(value is None for values in known for value in values):
        return None
    (few, *bases), (many, *others) = known
    sure = all(abs(a - b) <= abs(b) / 2 for a, b in zip(bases, others, strict=True))
    return few if sure and _equal(few, many) else None


def _end(inside: Piece, place: Expr, here: Number) -> Meeting | None:
    """Where the arm inside the domain has no value, and the formula has."""
    with precision.digits(DIGITS):
        reached = digits.value(inside.value, number(place))
    if reached is not None or not place.is_Rational:
        return None
    return Meeting(place, _polynomial(place, [here]), False, end=True)


def _steep(place: Expr, here: Number, left: list[Number], right: list[Number]) -> Meeting | None:
    """Where a slope is infinite; None where both are, of one sign, and the formula goes on."""
    going_on = all(abs(side[0] - here) <= 1e-6 * (1 + abs(here)) for side in (left, right))
    if going_on and left[1] * right[1] > 0 and min(abs(left[1]), abs(right[1])) > _INFINITE:
        return None
    value = _polynomial(place, [here]) if place.is_Rational else _short(here)
    return Meeting(place, value, True, not going_on)


def _finite(left: list[Number], right: list[Number]) -> int:
    """How many derivatives both sides have, the value included."""
    sizes = [max(abs(a), abs(b)) for a, b in zip(left, right, strict=True)]
    return next((r for r, size in enumerate(sizes) if size > _INFINITE), len(sizes))


def _removable(place: Expr, left: Piece, right: Piece) -> Meeting | None:
    """sin(z)/z at 0: one arm whose limits from both sides agree."""
    if left.value != right.value:
        return None
    sides = _sides(left, right, number(place))
    if sides and _finite(*sides) > _HIGHEST and all(map(_equal, *sides)):
        return Meeting(place, left.value, False)
    return None


def _sides(left: Piece, right: Piece, place: Number) -> Any:
    """The derivatives of the two arms at their common end, each from its side."""
    found = [
        digits.derivatives(piece.value, place, _HIGHEST, side)
        for piece, side in ((left, -1), (right, 1))
    ]
    return None if None in found else found


def _equal(a: Number, b: Number) -> bool:
    return bool(abs(a - b) <= 1e-15 * (1 + abs(a)))


def _clamped(wanted: Number, a: Number, b: Number) -> Number:
    return min(max(wanted, min(a, b)), max(a, b))


def _polynomial(place: Expr, chosen: list[Number]) -> Expr:
    """The arm of a single point: the value and the derivatives that it has there."""
    terms = [
        _short(c) * (Z - place) ** r / sympy.factorial(r)
        for r, c in enumerate(chosen)
        if abs(c) > 1e-15
    ]
    return sympy.Add(*terms)


def _short(value: Number) -> Expr:
    number = sympy.Float(value, 20)
    near = sympy.nsimplify(number, tolerance=sympy.Float("1e-15"), rational=True)
    return near if near.q < 10**6 else sympy.Float(float(value))
