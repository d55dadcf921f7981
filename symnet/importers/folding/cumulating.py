"""What is gathered along an axis, or added up at places: cumulative products, scattered sums."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from symnet.importers.folding import matrices
from symnet.importers.folding.tensors import Tensors, Value
from symnet.network.weights import Array

_LONGEST = 256


def cumulative(
    t: Tensors,
    x: Value,
    axis: int,
    operation: Callable[[Tensors, Value, Value], Value],
    reverse: bool = False,
) -> Value:
    """operation of all entries up to each along an axis, from its end backwards if `reverse`."""
    size = x.shape[axis]
    if not 0 < size <= _LONGEST:
        raise ValueError(f"it runs over {size} entries; symnet reads 1 to {_LONGEST}")
    order = range(size)[:: -1 if reverse else 1]
    found: dict[int, Value] = {}
    before = None
    for k in order:
        here = t.places(x, partial(np.take, indices=k, axis=axis))
        before = here if before is None else operation(t, before, here)
        found[k] = before
    return t.mixed([found[k] for k in range(size)], lambda a: np.stack(a, axis))


def scattered(t: Tensors, x: Value, source: Value, places: Array) -> Value:
    """x with each entry of the source added at a flat place of it; those at −1 are dropped."""
    target = places.reshape(-1)
    kept = np.flatnonzero(target >= 0)
    added = t.form(source)
    M = matrices.from_entries(
        target[kept], kept, np.ones(len(kept)), (int(np.prod(x.shape)), added.size)
    )
    return t.add(x, t.fold.times(added, M, x.shape))
