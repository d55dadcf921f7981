"""Entries at places that depend on the inputs, as those of a table or of a spline's pieces.

The place is a whole number, which is constant between jumps:

    x[k] = Σ_j [k = j] x_j          [k = j] is 1 where −½ < k − j ≤ ½, else 0

and a number before the first place, or behind the last, counts as that one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from operator import itemgetter

import numpy as np
from sympy import Piecewise, Rational

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


def taken(t: Tensors, x: Value, which: Value, axis: int, wraps: bool = False) -> Value:
    """np.take(x, which, axis); where it `wraps`, negative numbers count from the end."""
    axis %= len(x.shape)
    cases = t.places(x, lambda a: np.moveaxis(a, axis, 0))
    rest, inside = cases.shape[1:], which.shape
    spread = t.reshape(cases, (cases.shape[0], *[1] * len(inside), *rest))
    found = _wrapped(t, spread, t.reshape(which, (*inside, *[1] * len(rest))), wraps)
    order = [*range(len(inside), len(inside) + axis), *range(len(inside))]
    return t.places(found, lambda a: a.transpose(*order, *range(len(order), a.ndim)))


def taken_at(
    t: Tensors, x: Value, places: Sequence[Value], axes: Sequence[int], wraps: bool = False
) -> Value:
    """x[..., places[0], ..., places[1], ...], the axes of the places before all others."""
    rest = [k for k in range(len(x.shape)) if k not in axes]
    shape = np.broadcast_shapes(*(np.shape(which) for which in places))
    inner = [*[1] * len(shape), *(x.shape[k] for k in rest)]
    cases = t.places(
        x, lambda a: a.transpose(*axes, *rest).reshape(*(x.shape[k] for k in axes), *inner)
    )
    wide = [t.broadcast(which, shape) for which in places]
    return one_at(t, cases, [t.reshape(w, (*shape, *[1] * len(rest))) for w in wide], wraps)


def one_at(t: Tensors, cases: Value, places: Sequence[Value], wraps: bool = False) -> Value:
    """cases[places[0][e], places[1][e], ..., e] for the entries e, one axis after the other."""
    for left, which in zip(reversed(range(len(places))), places, strict=True):
        cases = _wrapped(t, cases, t.reshape(which, (*[1] * left, *which.shape)), wraps)
    return cases


def taken_along(t: Tensors, x: Value, which: Value, axis: int, wraps: bool = False) -> Value:
    """np.take_along_axis(x, which, axis), where `which` may be smaller along the other axes."""
    axis %= len(x.shape)
    cut = tuple(slice(None if k == axis else n) for k, n in enumerate(which.shape))
    cases = t.places(x, lambda a: np.moveaxis(a[cut], axis, 0)[:, None])
    found = _wrapped(t, cases, t.places(which, lambda a: np.moveaxis(a, axis, 0)), wraps)
    return t.places(found, lambda a: np.moveaxis(a, 0, axis))


def _wrapped(t: Tensors, cases: Value, which: Value, wraps: bool) -> Value:
    if not wraps:
        return one_of(t, cases, which)
    count = np.full((), float(cases.shape[0]))
    return one_of(t, t.concatenate([cases, cases], 0), t.add(which, count))


def windows(t: Tensors, x: Value, axis: int, size: int) -> Value:
    """All parts of this size along an axis, one after the other along a new first one."""
    starts: Sequence[int] = range(x.shape[axis] - size + 1)
    matrices.check_size(len(starts) * math.prod(x.shape), "a choice")
    return t.places(x, lambda a: np.stack([np.take(a, range(k, k + size), axis) for k in starts]))
