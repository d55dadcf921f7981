"""A user's own activation as a whole: its pieces joined, and its orders, and seen to be right."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache, partial

import sympy
from sympy import Expr, Piecewise, S
from sympy.logic.boolalg import Boolean

from symnet.activations import accuracy
from symnet.activations.accuracy import Fault
from symnet.activations.functions import STEPS, held, undefined
from symnet.activations.limits import shown
from symnet.activations.pieces import Pieces, assembled, pieces_of, turning
from symnet.activations.stable import Inaccurate, stable
from symnet.activations.systems import (
    Forms,
    Z,
    finished,
    forms,
    repeated,
)
from symnet.activations.understood import understood


@lru_cache(maxsize=1024)
def own_forms(value: Expr, order: int) -> Forms:
    """The derivatives up to `order` of a formula that is not from the table.

    Raises Inaccurate.
    """
    if not value.has(Z):
        return _constant(value, order)
    found = pieces_of(value)
    (first, *others) = found.pieces
    if not others and not first.value.has(*STEPS):
        plain = _shaped(forms(understood(first.value), order))
        if next(_wrong(plain, found), None) is None:
            if _is_narrow(plain, found):
                return plain
            with suppress(Inaccurate):
                other = _explicit(found, order)
                return other if _is_narrow(other, found) else plain
            return plain
    try:
        return _explicit(found, order)
    except Inaccurate as error:
        conditions = turning(value, error.fault.z)
        raise Inaccurate(error.fault, shown(conditions) if conditions else "") from None


def _is_narrow(given: Forms, found: Pieces) -> bool:
    """Whether float32 has what is no NaN in doubles."""
    (piece,) = found.pieces
    ends = piece.low, piece.high
    points = accuracy.grid(piece.value, *ends, len(given.derivatives) - 1, found.removable)
    return accuracy.is_narrow(given.shared, given.derivatives, points)


@lru_cache(maxsize=1024)
def whole(value: Expr, order: int = 0) -> Expr:
    """A derivative of a formula as one expression of z. Raises Inaccurate."""
    if not value.has(Z):
        return S.Zero if order else value
    return _whole(pieces_of(value), order)


def _constant(value: Expr, order: int) -> Forms:
    """A number of z's shape and type, NaN where z is."""
    right = held(Piecewise((value, Z >= 0), (Z, True)))
    shared, rest = repeated([Piecewise((value, Z < 0), (right, True))])
    return finished(Forms(tuple(shared), (*rest, *[S.Zero] * order)))


def _explicit(found: Pieces, order: int) -> Forms:
    """Each derivative as one expression in z, what they share as temporaries."""
    whole = [_passing_nan(_whole(found, r)) for r in range(order + 1)]
    together = _shaped(finished(_shared(whole, True)))
    if next(_wrong(together, found), None) is None:
        return together
    apart = _shaped(finished(_shared(whole, False)))
    for piece, fault in _wrong(apart, found):
        if not accuracy.pardoned(piece, fault):
            raise Inaccurate(fault)
    return apart


def _shared(derivatives: list[Expr], products: bool) -> Forms:
    shared, rest = repeated(derivatives, products)
    return Forms(tuple(shared), tuple(rest))


def _wrong(given: Forms, found: Pieces) -> Iterator[tuple[Expr, Fault]]:
    """Where the forms as a whole are not right, and the piece's formula."""
    results = dict(enumerate(given.derivatives))
    for piece in found.pieces:
        if piece.defined:
            ends = piece.low, piece.high
            points = accuracy.grid(piece.value, *ends, len(results) - 1, found.removable)
            for fault in accuracy.faults(given.shared, results, piece.value, points, found.endless):
                yield piece.value, fault


def _shaped(given: Forms) -> Forms:
    """Choices between numbers as choices between numbers and z, whose type and shape they take."""
    lines: list[tuple[sympy.Symbol, Expr]] = []
    known: dict[Expr, Expr] = {}

    def shaped(expression: Expr) -> Expr:
        for node in sorted(expression.atoms(Piecewise), key=sympy.default_sort_key):
            if node in known or any(arm.free_symbols for arm, _ in node.args):
                continue
            *arms, (last, _) = node.args
            inner, outer = (sympy.Symbol(f"arm{len(lines) + i}", real=True) for i in (0, 1))
            met = sympy.Or(*(condition for _, condition in arms))
            lines.append((inner, Piecewise((last, _not(met)), (Z, True))))
            lines.append((outer, Piecewise(*arms, (inner, True))))
            known[node] = outer
        return expression.xreplace(known)

    for symbol, definition in given.shared:
        found = shaped(definition)
        lines.append((symbol, found))
    results = tuple(map(shaped, given.derivatives))
    return Forms(tuple(lines), results)


def _whole(found: Pieces, order: int) -> Expr:
    """A derivative of all pieces."""
    marks = (S.Zero, *found.removable)
    values = [
        stable(piece.value, order, (piece.low, piece.high), marks, found.endless)
        if piece.defined
        else undefined(Z)
        for piece in found.pieces
    ]
    return assembled(found, values, partial(_derived, order=order), ends=not order)


def _derived(polynomial: Expr, order: int) -> Expr:
    return sympy.diff(polynomial, Z, order)


def _passing_nan(joined: Expr) -> Expr:
    """A last arm without z would make a number of NaN."""
    if not isinstance(joined, Piecewise) or joined.args[-1][0].has(Z):
        return joined
    *arms, (last, _) = joined.args
    step = Piecewise((last, _not(arms[-1][1])), (Z, True))
    return Piecewise(*arms, (held(step), True))


def _not(condition: Boolean) -> Boolean:
    """Of comparisons, And and Or alone, which is what code is written of."""
    return sympy.to_nnf(sympy.Not(condition), simplify=False)
