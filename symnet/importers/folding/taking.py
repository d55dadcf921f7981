"""Entries at places that depend on the inputs, as those of a table or of a spline's pieces.

The place is a whole number, which is constant between jumps:

    x[k] = Σ_j [k = j] x_j          [k = j] is 1 where −½ < k − j ≤ ½, else 0

and a number before the first place, or behind the last, counts as that one, which is told where a
framework gives something else (`Numbering`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter

import numpy as np
from sympy import Le, Lt, Piecewise, Rational, oo

from symnet.activations import Z
from symnet.importers.folding import matrices
from symnet.importers.folding.forms import Form
from symnet.importers.folding.tensors import Tensors, Value

_HALF = Rational(1, 2)
_FIRST = Piecewise((1, Z <= _HALF), (0, True))
_INNER = Piecewise((0, Z <= -_HALF), (1, Z <= _HALF), (0, True))
_LAST = Piecewise((0, Z <= -_HALF), (1, True))
_FINITE = (
    "entries at places that depend on the inputs are sums of all, each times 0 or 1: where one of "
    "them is NaN or infinite, so is the sum"
)


@dataclass(frozen=True)
class Numbering:
    """How a framework numbers the entries of a table.

    Args:
        wraps: whether negative numbers count from the end.
        outside: what it does with numbers of no entry, as `PyTorch raises`; nothing where it
            takes the nearest entry, too.
    """

    wraps: bool = False
    outside: str = ""

    def chosen(self, t: Tensors, cases: Value, which: Value) -> Value:
        """`one_of`, with a line about numbers of no entry where there may be any."""
        count = cases.shape[0]
        first = -count if self.wraps else 0
        if self.outside and not _stays(which, first, count - 1):
            t.fold.assume(
                f"{self.outside} for places outside of {first} to {count - 1} in a table of "
                f"{count}; the network takes the nearest entry"
            )
        if self.wraps:
            cases = t.concatenate([cases, cases], 0)
            which = t.add(which, np.full((), float(count)))
        return one_of(t, cases, which)


NEAREST = Numbering()


def one_of(t: Tensors, cases: Value, which: Value) -> Value:
    """cases[which[e], e] for the entries e, to which both are spread; cases (K, ...), which (...).

    ValueError, with the size, for more than are held in memory.
    """
    count = cases.shape[0]
    rank = max(len(cases.shape) - 1, len(which.shape))
    cases = t.reshape(cases, (count, *[1] * (rank - len(cases.shape) + 1), *cases.shape[1:]))
    which = t.reshape(which, (1, *[1] * (rank - len(which.shape)), *which.shape))
    matrices.check_size(math.prod(np.broadcast_shapes(cases.shape, which.shape)), "a choice")
    if count == 1:
        both = np.broadcast_shapes(cases.shape[1:], which.shape[1:])
        return t.broadcast(t.reshape(cases, cases.shape[1:]), both)
    if isinstance(cases, Form):
        t.fold.assume(_FINITE)
    apart = t.subtract(which, np.arange(count).reshape(-1, *[1] * rank))
    parts = [(_FIRST, slice(0, 1)), (_INNER, slice(1, -1)), (_LAST, slice(-1, None))]
    if count == 2:
        del parts[1]
    here = t.concatenate(
        [t.apply(law, t.places(apart, itemgetter(cut)), "place") for law, cut in parts], 0
    )
    return t.sum(t.multiply(here, cases), [0], False)


def taken(t: Tensors, x: Value, which: Value, axis: int, numbering: Numbering = NEAREST) -> Value:
    """np.take(x, which, axis)."""
    axis %= len(x.shape)
    cases = t.places(x, lambda a: np.moveaxis(a, axis, 0))
    rest, inside = cases.shape[1:], which.shape
    spread = t.reshape(cases, (cases.shape[0], *[1] * len(inside), *rest))
    found = numbering.chosen(t, spread, t.reshape(which, (*inside, *[1] * len(rest))))
    order = [*range(len(inside), len(inside) + axis), *range(len(inside))]
    return t.places(found, lambda a: a.transpose(*order, *range(len(order), a.ndim)))


def taken_at(
    t: Tensors,
    x: Value,
    places: Sequence[Value],
    axes: Sequence[int],
    numbering: Numbering = NEAREST,
) -> Value:
    """x[..., places[0], ..., places[1], ...], the axes of the places before all others."""
    rest = [k for k in range(len(x.shape)) if k not in axes]
    shape = np.broadcast_shapes(*(np.shape(which) for which in places))
    inner = [*[1] * len(shape), *(x.shape[k] for k in rest)]
    cases = t.places(
        x, lambda a: a.transpose(*axes, *rest).reshape(*(x.shape[k] for k in axes), *inner)
    )
    wide = [t.broadcast(which, shape) for which in places]
    return one_at(t, cases, [t.reshape(w, (*shape, *[1] * len(rest))) for w in wide], numbering)


def one_at(
    t: Tensors, cases: Value, places: Sequence[Value], numbering: Numbering = NEAREST
) -> Value:
    """cases[places[0][e], places[1][e], ..., e] for the entries e, one axis after the other."""
    for left, which in zip(reversed(range(len(places))), places, strict=True):
        cases = numbering.chosen(t, cases, t.reshape(which, (*[1] * left, *which.shape)))
    return cases


def taken_along(
    t: Tensors, x: Value, which: Value, axis: int, numbering: Numbering = NEAREST
) -> Value:
    """np.take_along_axis(x, which, axis), where `which` may be smaller along the other axes."""
    axis %= len(x.shape)
    cut = tuple(slice(None if k == axis else n) for k, n in enumerate(which.shape))
    cases = t.places(x, lambda a: np.moveaxis(a[cut], axis, 0)[:, None])
    found = numbering.chosen(t, cases, t.places(which, lambda a: np.moveaxis(a, axis, 0)))
    return t.places(found, lambda a: np.moveaxis(a, 0, axis))


def _stays(x: Value, low: int, high: int) -> bool:
    """Whether the numbers are clipped to what lies between these."""
    laws = x.functions().values() if isinstance(x, Form) else ()
    return any(isinstance(law, Piecewise) and _is_clipped(law, low, high) for law in laws)


def _is_clipped(law: Piecewise, low: int, high: int) -> bool:
    """Whether each piece is a number between these, or z between bounds of which each is."""
    below = -oo
    for value, condition in law.args:
        above = condition.rhs if isinstance(condition, Lt | Le) and condition.lhs == Z else oo
        ends = (below, above) if value == Z else (value, value)
        if not all(end.is_number and low <= end <= high for end in ends):
            return False
        below = above
    return True


def windows(t: Tensors, x: Value, axis: int, size: int) -> Value:
    """All parts of this size along an axis, one after the other along a new first one."""
    starts: Sequence[int] = range(x.shape[axis] - size + 1)
    matrices.check_size(len(starts) * math.prod(x.shape), "a choice")
    return t.places(x, lambda a: np.stack([np.take(a, range(k, k + size), axis) for k in starts]))
