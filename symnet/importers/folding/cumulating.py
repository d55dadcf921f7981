"""What an operation makes of all entries up to each: cumulative products."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from symnet.importers.folding.tensors import Tensors, Value

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
