"""A formula with corners and a domain as smooth arms on intervals of z.

    Max(0, z) + Min(0, exp(z) - 1)   is   exp(z) - 1  up to 0,  and  z  from there on

What belongs to the point where two arms meet: `symnet.activations.meetings`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import compress, pairwise
from typing import Any, NamedTuple

import mpmath
import sympy
from sympy import Abs, Expr, Max, Piecewise, S, sign
from sympy.logic.boolalg import Boolean

from symnet.activations import digits
from symnet.activations.cuts import between, cuts_of
from symnet.activations.functions import STEPS
from symnet.activations.meetings import Meeting, Piece, alike, meeting_of
from symnet.activations.near import CORNERS, Near
from symnet.activations.systems import Z
from symnet.activations.zeros import MOST, TooMany, zeros

_AT = 1e-12  # of a condition at the double next to where it changes
_ENDLESS = 2
"""Corners within a formula that has no end of them: SymPy takes the product of their cases."""


class Pieces(NamedTuple):
    """A formula as a whole.

    removable: points where it has a limit only, as sin(z)/z at 0; endless: whether there is no end
    of corners within its pieces, as of |sin z| and floor(z).
    """

    pieces: tuple[Piece, ...]
    meetings: tuple[Meeting, ...] = ()
    removable: tuple[Expr, ...] = ()
    endless: bool = False

    @property
    def kinks(self) -> tuple[Expr, ...]:
        """Where the derivative jumps, in order."""
        return tuple(meeting.place for meeting in self.meetings if meeting.kink)

    @property
    def jumps(self) -> tuple[Expr, ...]:
        """Those of the kinks where the formula itself jumps."""
        return tuple(meeting.place for meeting in self.meetings if meeting.jump)

    @property
    def domain(self) -> tuple[tuple[Expr, Expr], ...]:
        """The intervals where the formula is defined, touching ones joined unless at a pole."""
        found: list[tuple[Expr, Expr]] = []
        meets = {meeting.place for meeting in self.meetings}
        for low, high, _, defined in self.pieces:
            if defined and found and found[-1][1] == low and low in meets:
                found[-1] = (found[-1][0], high)
            elif defined:
                found.append((low, high))
        return tuple(found)


@lru_cache(maxsize=512)
def pieces_of(formula: Expr) -> Pieces:
    """The formula in pieces; in one, `endless`, where there are too many to be listed."""
    try:
        cuts = (-S.Infinity, *cuts_of(formula), S.Infinity)
    except TooMany:
        if len(formula.atoms(*CORNERS, Piecewise)) > _ENDLESS:
            raise ValueError(
                f"formula has more than {MOST} corners, and over {_ENDLESS} functions that have "
                "some; write it in pieces of z"
            ) from None
        whole = Piece(-S.Infinity, S.Infinity, _by_cases(formula), True)
        return Pieces((whole,), endless=True)
    found: list[Piece] = []
    for low, high in pairwise(cuts):
        at = Near(between(low, high))
        found.append(Piece(low, high, at.visit(formula), at.defined))
    return _joined(formula, found)._replace(endless=formula.has(*STEPS))


def turning(formula: Expr, z: float) -> str:
    """The conditions that change at z and, as sin(z) > 0, have no end of such places, in words."""
    conditions = formula.atoms(sympy.core.relational.Relational)
    return " or ".join(sorted(str(c) for c in conditions if _is_endless(c.lhs - c.rhs, z)))


def _is_endless(difference: Expr, z: float) -> bool:
    try:
        zeros(difference)
    except TooMany:
        found = digits.value(difference, mpmath.mpf(z))
        return found is not None and bool(abs(found) < _AT)
    return False


def _by_cases(formula: Expr) -> Expr:
    """Without Abs, sign, Min and Max, each corner's derivative taken as it stands."""
    found = formula
    for node in sorted(formula.atoms(*CORNERS), key=sympy.count_ops):
        first, *rest = (_by_cases(argument) for argument in node.args)
        if isinstance(node, Abs):
            found = found.xreplace({node: Piecewise((-first, first < 0), (first, True))})
        elif isinstance(node, sign):
            found = found.xreplace({node: Piecewise((-1, first < 0), (0, first <= 0), (1, True))})
        else:
            for other in rest:
                better = first >= other if isinstance(node, Max) else first <= other
                first = Piecewise((first, better), (other, True))
            found = found.xreplace({node: first})
    # What SymPy makes of a Piecewise within a condition.
    return found.replace(
        lambda node: isinstance(node, sympy.ITE),
        lambda node: _either(*node.args),
    )


def _either(test: Boolean, then: Boolean, otherwise: Boolean) -> Boolean:
    """Of comparisons, And and Or alone."""
    return sympy.to_nnf((test & then) | (~test & otherwise), simplify=False)


def _joined(formula: Expr, found: list[Piece]) -> Pieces:
    pieces, meetings, removable = [found[0]], list[Meeting](), list[Expr]()
    for piece in found[1:]:
        left = pieces[-1]
        meeting = meeting_of(formula, left, piece)
        if meeting and not meeting.kink and alike(left.value, piece.value):
            pieces[-1] = Piece(left.low, piece.high, left.value, True)
            removable += [meeting.place]
            continue
        pieces.append(piece)
        meetings += [meeting] if meeting else []
    return Pieces(tuple(pieces), tuple(meetings), tuple(removable))


def written(found: Pieces) -> Expr:
    """The formula as one Piecewise whose arms are smooth, in the order of z."""
    return assembled(found, [piece.value for piece in found.pieces], lambda value: value)


def assembled(
    found: Pieces, values: Sequence[Expr], of_point: Callable[[Expr], Expr], ends: bool = True
) -> Expr:
    """One Piecewise of these values on the pieces; `of_point` makes one of a meeting's own arm.

    Without `ends` what is an arm of its own at an end of the domain is the arm inside of it.

    Up to each meeting the left arm, with the point where that is the left arm's, and an arm of its
    own for the point where it is neither's.
    """
    meetings = {m.place: m.value for m in found.meetings if ends or not m.end}
    arms: list[tuple[Expr, Any]] = []
    for (left, right), value in zip(pairwise(found.pieces), values, strict=False):
        here = meetings.get(left.high, left.value)
        # An end of the domain is of the side that has a value: log(0) is -oo, asin(1) pi/2.
        of_left = here == left.value and (left.defined or not right.defined)
        arms.append((value, left.high >= Z if of_left else left.high > Z))
        if here not in (left.value, right.value):
            arms.append((of_point(here), left.high >= Z))
    arms.append((values[-1], True))
    # Of two arms that are the same SymPy would write one whose condition is an Or.
    changes = [value != following for (value, _), (following, _) in pairwise(arms)]
    return Piecewise(*compress(arms, [*changes, True]))
