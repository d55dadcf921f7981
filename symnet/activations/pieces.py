"""A formula with corners and a domain as smooth arms on intervals of z.

    Max(0, z) + Min(0, exp(z) - 1)   is   exp(z) - 1  up to 0,  and  z  from there on

What belongs to the point where two arms meet: where all their derivatives agree, either; else the
derivative is one between the two sides'. It is the one of least magnitude at a corner of Max, Min,
Abs and sign, so relu'(0) = 0 and |z|'(0) = 0 as PyTorch has them, and at a condition of the user's
own Piecewise that of the arm which holds the point, if it lies between.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import combinations, pairwise
from typing import Any, NamedTuple

import mpmath
import sympy
from sympy import Abs, Expr, Max, Min, Piecewise, S, sign
from sympy.logic.boolalg import Boolean

from symnet.activations import digits
from symnet.activations.digits import Number
from symnet.activations.systems import STEPS, Z
from symnet.activations.zeros import MOST, TooMany, zeros

_DIGITS = 50
_CORNERS = (Abs, sign, Max, Min)
_LIMITED = (
    *(sympy.log, sympy.asin, sympy.acos, sympy.acosh, sympy.atanh, sympy.erfinv),
    *(sympy.loggamma, sympy.polygamma),
)
_INFINITE = 1e9  # a derivative beside a cut that counts as infinite there
_HOLDS: dict[str, Callable[[Number], bool]] = {
    "<": lambda d: d < 0,
    "<=": lambda d: d <= 0,
    ">": lambda d: d > 0,
    ">=": lambda d: d >= 0,
    "==": lambda d: d == 0,
    "!=": lambda d: d != 0,
}
"""When a relation holds between numbers with the difference d."""
_ENDLESS = 2
"""Corners within a formula that has no end of them: SymPy takes the product of their cases."""

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
    kink: whether its first derivative, or the formula itself, jumps; jump: whether the latter does.
    """

    place: Expr
    value: Expr
    kink: bool
    jump: bool = False


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
        cuts = (-S.Infinity, *_cuts(formula), S.Infinity)
    except TooMany:
        if len(formula.atoms(*_CORNERS, Piecewise)) > _ENDLESS:
            raise ValueError(
                f"formula has more than {MOST} corners, and over {_ENDLESS} functions that have "
                "some; write it in pieces of z"
            ) from None
        whole = Piece(-S.Infinity, S.Infinity, _by_cases(formula), True)
        return Pieces((whole,), endless=True)
    found: list[Piece] = []
    for low, high in pairwise(cuts):
        at = _At(_between(low, high))
        found.append(Piece(low, high, at.visit(formula), at.defined))
    return _joined(formula, found)._replace(endless=formula.has(*STEPS))


def _by_cases(formula: Expr) -> Expr:
    """Without Abs, sign, Min and Max, each corner's derivative taken as it stands."""
    found = formula
    for node in sorted(formula.atoms(*_CORNERS), key=sympy.count_ops):
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


def _is_limited(node: Expr) -> bool:
    if isinstance(node, sympy.Pow):
        return node.base.has(Z) and not (node.exp.is_Integer and node.exp.is_positive)
    return isinstance(node, _LIMITED)


def number(t: Expr) -> Number:
    """A cut as a number of mpmath's."""
    try:
        return digits.number(t)
    except ValueError:
        return mpmath.make_mpf(sympy.N(t, _DIGITS + 10)._mpf_)


# --- where to cut -------------------------------------------------------------------------------


@lru_cache(maxsize=2048)
def _cuts(node: Expr) -> tuple[Expr, ...]:
    """The ends of the pieces, in order."""
    if not node.has(Z) or node == Z:
        return ()
    tests = list(_tests(node))
    inner = [*node.args, *tests] if not isinstance(node, Piecewise) else [*_arms(node), *tests]
    found = _ordered(cut for part in inner for cut in _cuts(part))
    more: list[Expr] = []
    for test in tests:
        for low, high in pairwise((-S.Infinity, *found, S.Infinity)):
            at = _At(_between(low, high))
            smooth = at.visit(test)
            if at.defined:
                more += (z for z in zeros(smooth) if low < z < high)
    found = _ordered([*found, *more])
    if len(found) > MOST:
        raise TooMany
    return found


def _arms(node: Piecewise) -> list[Expr]:
    return [value for value, _ in node.args]


def _tests(node: Expr) -> Any:
    """Functions of z at whose zeros the node has a corner, a pole or an end."""
    if isinstance(node, Piecewise):
        for _, condition in node.args:
            for relation in condition.atoms(sympy.core.relational.Relational):
                yield relation.lhs - relation.rhs
    elif isinstance(node, (Max, Min)):
        for a, b in combinations(node.args, 2):
            yield a - b
    elif isinstance(node, (sympy.asin, sympy.acos, sympy.atanh, sympy.erfinv)):
        yield from (node.args[0] - 1, node.args[0] + 1)
    elif isinstance(node, sympy.acosh):
        yield node.args[0] - 1
    elif isinstance(node, sympy.polygamma):
        yield node.args[1]
    elif isinstance(node, (Abs, sign)) or _is_limited(node):
        yield node.args[0]


def turns_at_poles(node: Expr) -> bool:
    """Whether a corner or a step is one of digamma's, whose poles have no end."""
    inner = (argument for argument in node.args if argument.has(Z))
    return isinstance(node, (*_CORNERS, *STEPS)) and any(a.has(sympy.polygamma) for a in inner)


def hangs_on_steps(node: Expr) -> bool:
    """Whether the node has a value here or there by floor(z) or the like, at places without end."""
    cornered = isinstance(node, (Piecewise, *_CORNERS))
    return not cornered and any(test.has(*STEPS) for test in _tests(node))


def _ordered(cuts: Any) -> tuple[Expr, ...]:
    """Each once, in order; equal ones may be written in two ways."""
    with mpmath.workdps(_DIGITS):
        values = sorted(((number(cut), cut) for cut in set(cuts)), key=lambda pair: pair[0])
        found: list[tuple[Number, Expr]] = []
        for value, cut in values:
            if not found or not _same(value, found[-1][0]):
                found.append((value, cut))
    return tuple(cut for _, cut in found)


def _same(a: Number, b: Number) -> bool:
    return bool(abs(a - b) <= mpmath.mpf(10) ** -30 * (1 + abs(a)))


def _between(low: Expr, high: Expr) -> Number:
    """A point of the interval, no special one."""
    a = None if low == -S.Infinity else number(low)
    b = None if high == S.Infinity else number(high)
    if a is None and b is None:
        return mpmath.mpf("0.7390851")
    if a is None or b is None:
        return b - mpmath.mpf("0.6180339") if a is None else a + mpmath.mpf("0.6180339")
    return a + (b - a) * mpmath.mpf("0.4142135")


class _At:
    """The formula as it is near a point: without corners, or what is not defined there."""

    def __init__(self, point: Number) -> None:
        self.point = point
        self.tied = False
        self.defined = True

    def visit(self, node: Expr) -> Expr:
        if not node.has(Z) or node == Z or not self.defined:
            return node
        if isinstance(node, Piecewise):
            return self.arm(node)
        args = []
        for argument in node.args:
            args.append(self.visit(argument))
            if not self.defined:
                return args[-1]
        if isinstance(node, _CORNERS):
            return self.corner(node, args)
        found = node.func(*args)
        if _is_limited(node) and digits.value(found, self.point) is None:
            self.defined = False
        return found

    def arm(self, node: Piecewise) -> Expr:
        for value, condition in node.args:
            if self.holds(condition):
                return self.visit(value)
        self.defined = False
        return sympy.log(-1 - Z**2)

    def holds(self, condition: Any) -> bool:
        if condition in (sympy.true, sympy.false):
            return bool(condition)
        if isinstance(condition, (sympy.And, sympy.Or)):
            together = all if isinstance(condition, sympy.And) else any
            return together(self.holds(part) for part in condition.args)
        if isinstance(condition, sympy.ITE):
            test, then, otherwise = condition.args
            return self.holds(then if self.holds(test) else otherwise)
        if isinstance(condition, sympy.Not):
            return not self.holds(condition.args[0])
        d = self.number(condition.lhs - condition.rhs)
        return d is not None and _HOLDS[condition.rel_op](d)

    def corner(self, node: Expr, args: list[Expr]) -> Expr:
        values: list[Number] = [self.number(argument) for argument in args]
        if any(v is None for v in values):
            self.defined = False
            return args[0]
        if isinstance(node, (Max, Min)):
            best = (max if isinstance(node, Max) else min)(values)
            self.tied |= sum(v == best for v in values) > 1
            return args[values.index(best)]
        self.tied |= values[0] == 0
        side = int(mpmath.sign(values[0]))
        return S(side) if isinstance(node, sign) else side * args[0]

    def number(self, u: Expr) -> Number | None:
        with mpmath.workdps(_DIGITS):
            found = digits.value(u, self.point)
            return (
                mpmath.mpf(0) if found is not None and abs(found) < mpmath.mpf(10) ** -35 else found
            )


# --- what belongs to a cut ----------------------------------------------------------------------


def _joined(formula: Expr, found: list[Piece]) -> Pieces:
    pieces, meetings, removable = [found[0]], list[Meeting](), list[Expr]()
    for piece in found[1:]:
        left = pieces[-1]
        meeting = _meeting(formula, left, piece)
        if meeting and _alike(left.value, piece.value):
            pieces[-1] = Piece(left.low, piece.high, left.value, True)
            removable += [meeting.place]
            continue
        pieces.append(piece)
        meetings += [meeting] if meeting else []
    return Pieces(tuple(pieces), tuple(meetings), tuple(removable))


def _alike(a: Expr, b: Expr) -> bool:
    return a == b or sympy.expand(a - b) == 0


def _meeting(formula: Expr, left: Piece, right: Piece) -> Meeting | None:
    """What the formula is between two defined pieces; None where it is undefined there."""
    place = left.high
    if not (left.defined and right.defined):
        return None
    at = _At(number(place))
    own = at.visit(formula)
    with mpmath.workdps(_DIGITS):
        here = digits.value(own, at.point) if at.defined else None
    if here is None:
        return _removable(place, left, right)
    sides = _sides(left, right, at.point)
    plain = digits.derivatives(own, at.point, _HIGHEST) if not at.tied else [0] * (_HIGHEST + 1)
    if sides is None or plain is None:
        return Meeting(place, left.value, True)
    orders = _finite(*sides)
    jump = not (_equal(sides[0][0], sides[1][0]) and _equal(here, sides[0][0]))
    if orders < 2:
        return _steep(place, here, *sides) or Meeting(place, right.value, False)
    chosen = [here, *(_clamped(plain[r], sides[0][r], sides[1][r]) for r in range(1, orders))]
    kink = any(not _equal(sides[0][r], sides[1][r]) for r in range(2))
    for piece, side in zip((left, right), sides, strict=True):
        if all(map(_equal, chosen, side)):
            return Meeting(place, piece.value, kink, jump)
    own = _polynomial(place, chosen) if place.is_Rational else left.value
    return Meeting(place, own, kink or jump, jump)


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
    return near if near.q < 10**6 else sympy.Float(value, 17)


def written(found: Pieces) -> Expr:
    """The formula as one Piecewise whose arms are smooth, in the order of z."""
    return assembled(found, [piece.value for piece in found.pieces], lambda value: value)


def assembled(found: Pieces, values: Sequence[Expr], of_point: Callable[[Expr], Expr]) -> Expr:
    """One Piecewise of these values on the pieces; `of_point` makes one of a meeting's own arm.

    Up to each meeting the left arm, with the point where that is the left arm's, and an arm of its
    own for the point where it is neither's.
    """
    meetings = {meeting.place: meeting.value for meeting in found.meetings}
    arms: list[tuple[Expr, Any]] = []
    for (left, right), value in zip(pairwise(found.pieces), values, strict=False):
        here = meetings.get(left.high, left.value)
        # An end of the domain is of the side that has a value: log(0) is -oo, asin(1) pi/2.
        of_left = here == left.value and (left.defined or not right.defined)
        arms.append((value, left.high >= Z if of_left else left.high > Z))
        if here not in (left.value, right.value):
            arms.append((of_point(here), left.high >= Z))
    return Piecewise(*arms, (values[-1], True)) if arms else values[-1]
