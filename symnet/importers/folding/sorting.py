"""Sorting along an axis by a network of comparisons: each a smaller and a larger of two."""

from __future__ import annotations

from functools import partial

import numpy as np

from symnet.importers.folding.tensors import Tensors, Value

_LONGEST = 16


def sorted_along(t: Tensors, x: Value, axis: int, descending: bool = False) -> Value:
    """The entries in order: n rounds of neighbours, by turns the even and the odd ones."""
    n = x.shape[axis]
    if n > _LONGEST:
        raise ValueError(f"it sorts {n} entries; symnet reads up to {_LONGEST}")
    row = [t.places(x, partial(np.take, indices=k, axis=axis)) for k in range(n)]
    for turn in range(n):
        for k in range(turn % 2, n - 1, 2):
            row[k : k + 2] = t.minimum(*row[k : k + 2]), t.maximum(*row[k : k + 2])
    return t.mixed(row[::-1] if descending else row, lambda a: np.stack(a, axis))
