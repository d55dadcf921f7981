"""How a smooth arm of a user's own activation is computed, each order seen to be right.

A derivative is written as it comes first, then in the ways of `rewriting`; the first that is as
accurate as double precision allows, everywhere on its piece, is taken. Where none is, the formula
is refused, with the place and the size of the error.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import lru_cache
from typing import NamedTuple

import mpmath
import sympy
from sympy import Expr, Piecewise, S
from sympy.logic.boolalg import Boolean

from symnet.activations import accuracy, algebraic, patches, rewriting
from symnet.activations.accuracy import Fault
from symnet.activations.alike import spelled
from symnet.activations.centres import centres
from symnet.activations.cuts import between
from symnet.activations.digits import Number
from symnet.activations.exponentials import expansions
from symnet.activations.functions import STEPS, held
from symnet.activations.identities import complemented, renamed
from symnet.activations.limits import shown
from symnet.activations.mending import beside, mended
from symnet.activations.multiple import multiple
from symnet.activations.near import Near
from symnet.activations.systems import (
    System,
    Z,
    chain,
    differentiated,
)
from symnet.activations.tails import BOUNDS, Tail, dominated, scaled, settled, vanishing
from symnet.activations.understood import understood

_ROOTS = 64  # of which a decimal exponent is one
_NO_NUMBERS = (S.NaN, S.ComplexInfinity, S.Infinity, S.NegativeInfinity)
_PATCHES = 6  # that one expression gets


class Inaccurate(ValueError):
    """No way of computing a derivative is right in double precision."""

    def __init__(self, fault: Fault, turning: str = "") -> None:
        super().__init__(fault, turning)
        self.fault = fault
        self.turning = turning

    def __str__(self) -> str:
        order, z, found, truth = self.fault
        what = ("its value", "its derivative", "its second derivative")
        shown = what[order] if order < len(what) else f"its derivative of order {order}"
        said, right = _apart(found, truth)
        return (
            f"{shown} at z = {_place(z)} would be computed as {said} in double precision, but is "
            f"{right}; {self.advice}"
        )

    @property
    def advice(self) -> str:
        """What to do, where a condition `turning` has corners without end, and else."""
        if self.turning:
            return (
                f"there is no end of corners where {self.turning} changes, and each corner is "
                "computed by itself: write the formula without another one that meets one of them"
            )
        return "write the formula so that nothing overflows or cancels there"


def _place(z: float) -> str:
    """In six digits, in all where these would be those of a shorter number: 0.9999999999."""
    short = f"{z:.6g}"
    is_another = float(short) != z and f"{float(short):.5g}" == short
    return repr(z) if is_another else short


def _apart(found: float, truth: Number | None) -> tuple[str, str]:
    """Both in the fewest digits, from 6 on, that tell them apart."""
    if truth is None:
        # NaN is a fault without a truth where sines turn faster than doubles tell.
        return f"{found:.6g}", "not defined" if math.isfinite(found) else "of any phase there"
    for count in range(6, 18):
        said, right = _said(mpmath.mpf(found), count), _said(truth, count)
        if said != right:
            break
    return said, right


def _said(number: Number, count: int) -> str:
    """In so many digits; what no double holds has exponents of any length."""
    if not mpmath.isfinite(number):
        return f"{float(number)}"
    if abs(number) < mpmath.mpf(10) ** -320:
        return "0"
    if abs(number) > mpmath.mpf(10) ** 400:
        return "beyond all doubles"
    return mpmath.nstr(number, count)


@lru_cache(maxsize=4096)
def stable(
    arm: Expr,
    order: int,
    ends: tuple[Expr, Expr],
    marks: tuple[Expr, ...] = (S.Zero,),
    endless: bool = False,
    far: bool = True,
) -> Expr:
    """The derivative of a smooth arm, written so that it is right between the ends.

    Of those ways one that is no NaN in single precision either, if there is one. Of sines whose
    arguments are beyond all doubles, and of z that nobody has, NaN is right where nothing else is.
    Where it is not `far`, not in parts by what functions come to: an arm that is one of them.
    Raises Inaccurate.
    """
    places = (*centres(arm), *multiple(arm, order))
    marks = (*marks, *(c for c in places if c not in marks and ends[0] <= c <= ends[1]))
    about = _about(arm, order, ends, marks, endless)
    points = accuracy.grid(arm, *ends, order, marks)
    arm = complemented(_exact_powers(arm))
    marks = (*marks, *(end for end in ends if end.is_finite and end not in marks))

    def faults(expression: Expr) -> list[Fault]:
        looked_at = [points]
        looked_at += [accuracy.seams(expression, *ends)] if expression.has(Piecewise) else []
        for some in looked_at:
            if found := list(accuracy.faults((), {order: expression}, arm, some, endless)):
                return found
        return []

    def unpardoned(expression: Expr) -> list[Fault]:
        return [fault for fault in faults(expression) if not accuracy.pardoned(arm, fault)]

    if about is not None and not unpardoned(about):
        return about
    tried: list[_Tried] = []
    wide: Expr | None = None
    for written in _ways(arm, order, ends, far):
        if wide is not None and not accuracy.is_narrow((), [written], points):
            continue
        found = _until_right(written, arm, order, marks, faults)
        if not found.wrong and accuracy.is_narrow((), [found.expression], points):
            return found.expression
        if not found.wrong:
            wide = wide or found.expression
        tried.append(found)
    if wide is not None:
        return wide
    if not tried:
        raise ValueError(
            f"SymPy writes a derivative of {shown(str(arm))} with complex numbers only"
        )
    tried.sort(key=lambda one: len(one.wrong))
    for expression, wrong in tried:
        left = [fault for fault in wrong if not accuracy.pardoned(arm, fault)]
        limited = accuracy.limited(expression, left)
        if len(left) < len(wrong) or limited != expression:
            found = _until_right(limited, arm, order, marks, unpardoned)
            if not found.wrong:
                return found.expression
    raise Inaccurate(min(tried[0].wrong, key=lambda f: (accuracy.is_out(f.z), abs(f.z))))


def _about(
    arm: Expr, order: int, ends: tuple[Expr, Expr], marks: tuple[Expr, ...], endless: bool
) -> Expr | None:
    """The derivative in z - c, if the formula is shorter in that: z + 55 is exact near -55."""
    for place in marks:
        if place == 0 or not place.is_Rational:
            continue
        there = _moved(arm, place)
        if there.count_ops() >= arm.count_ops():
            continue
        moved = (*(mark - place for mark in marks), S.Zero)
        with suppress(Inaccurate):
            found = stable(there, order, (ends[0] - place, ends[1] - place), moved, endless)
            return patches.moved(found, held(Z - place))
    return None


def _moved(arm: Expr, place: Expr) -> Expr:
    """The formula of z + place, sums multiplied out."""
    return arm.xreplace({Z: Z + place}).replace(
        lambda node: isinstance(node, sympy.Add), sympy.expand
    )


class _Tried(NamedTuple):
    """A way of writing a derivative, and where it is wrong."""

    expression: Expr
    wrong: list[Fault]


def _until_right(
    expression: Expr,
    arm: Expr,
    order: int,
    marks: tuple[Expr, ...],
    faults: Callable[[Expr], list[Fault]],
) -> _Tried:
    """The expression with patches where it is wrong, as far as that helps."""
    best: _Tried | None = None
    before: list[float] = []
    for _ in range(_PATCHES):
        wrong = faults(expression)
        best = _Tried(expression, wrong) if best is None or len(wrong) < len(best.wrong) else best
        if not wrong:
            break
        places = [fault.z for fault in wrong]
        patch = beside if places == before else mended
        patched = patch(expression, arm, order, wrong, marks)
        if patched is None:
            break
        before = places
        expression = patched
    assert best is not None
    return best


def _exact_powers(arm: Expr) -> Expr:
    """With z**1.5 as z**(3/2), which has a root and a series."""
    powers = [p for p in arm.atoms(sympy.Pow) if p.exp.is_Float]
    exact = {p: sympy.Rational(float(p.exp)) for p in powers}
    return arm.xreplace({p: p.base**q for p, q in exact.items() if q.q <= _ROOTS})


def _ways(arm: Expr, order: int, ends: tuple[Expr, Expr], far: bool) -> Iterator[Expr]:
    ways: list[Expr] = []
    for way in filter(algebraic.is_real, map(spelled, _ways_of_all(arm, order, ends))):
        ways.append(way)
        yield way
        if len(ways) == 1 and (beyond := _beyond(scaled(arm, order), order, ends)):
            yield Piecewise(*beyond, (way, True))
    if (tail := vanishing(arm)) is not None:
        there = differentiated(tail.formula, order)
        yield from (Piecewise((there, tail.test), (way, True)) for way in ways)
    ends_of_functions = (dominated(arm), *(settled(arm, size) for size in BOUNDS))
    for tails in ends_of_functions if far else ():
        if beyond := _beyond(tails, order, ends):
            yield from (Piecewise(*beyond, (way, True)) for way in ways)
    if expanded := [(tail.formula, tail.test) for tail in expansions(arm, order)]:
        yield from (Piecewise(*expanded, (way, True)) for way in ways)


def _beyond(
    tails: Iterator[Tail], order: int, ends: tuple[Expr, Expr]
) -> list[tuple[Expr, Boolean]]:
    """The derivative on the sides where it is right by the formula that there is."""
    found = []
    for tail in tails:
        low, high = max(ends[0], tail.ends[0]), min(ends[1], tail.ends[1])
        if low < high and not tail.formula.has(*_NO_NUMBERS):
            with suppress(Inaccurate):
                found.append((stable(tail.formula, order, (low, high), far=False), tail.test))
    return found


def _ways_of_all(arm: Expr, order: int, ends: tuple[Expr, Expr]) -> Iterator[Expr]:
    if not arm.has(*STEPS):
        yield _in_full(understood(arm), order)
    plain = differentiated(arm, order)
    yield plain
    if (shorter := renamed(plain)) != plain:
        yield shorter
    turned = algebraic.conjugate(arm)
    if turned != arm and not turned.has(Piecewise):
        yield differentiated(turned, order)
    named = Near(between(*ends)).visit(renamed(arm))  # sqrt(z^2) in it is |z|
    if named != arm and not named.has(*STEPS):
        yield _in_full(understood(named), order)
        yield from rewriting.rewritings(differentiated(named, order))
    yield from rewriting.rewritings(plain)
    if arm.has(sympy.Float):
        exact = differentiated(rewriting.in_fractions(arm), order)
        yield from map(rewriting.in_decimals, rewriting.rewritings(exact))


def _in_full(system: System, order: int) -> Expr:
    """The derivative in z alone, what is held still held."""
    found = chain(system, order)
    for symbol, definition, _ in reversed(system.quantities):
        found = found.xreplace({symbol: definition})
    return found
