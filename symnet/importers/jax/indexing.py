"""JAX's entries at places that depend on the inputs: dynamic_slice and gather."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import itemgetter
from typing import Any

import numpy as np

from symnet.importers.folding import taking
from symnet.importers.folding.forms import Form
from symnet.importers.folding.tensors import Tensors, Value

_OUTSIDE = (
    "it gives NaN for places outside of a tensor, which depend on the inputs; keep them inside, "
    "or say mode='clip'"
)


def _sliced(t: Tensors, equation: Any, given: list[Value]) -> Value:
    """Along each axis the part that begins at a number, cut to where it fits."""
    x, *starts = given
    sizes = equation.params["slice_sizes"]
    for axis, (start, size) in enumerate(zip(starts, sizes, strict=True)):
        if isinstance(start, Form):
            x = taking.one_of(t, taking.windows(t, x, axis, size), t.reshape(start, ()))
        else:
            first = int(np.clip(start, 0, x.shape[axis] - size))
            x = t.places(x, lambda a, k=axis, n=first, m=size: np.take(a, range(n, n + m), k))  # type: ignore[misc]
    return x


def _gathered(t: Tensors, equation: Any, given: list[Value]) -> Value:
    """Slices that begin at numbers along some axes."""
    x, indices = given
    parameters = equation.params
    numbers, sizes = parameters["dimension_numbers"], parameters["slice_sizes"]
    if numbers.operand_batching_dims:
        raise ValueError("its indices, which differ from batch to batch, depend on the inputs")
    numbering = taking.NEAREST
    if "FILL" in str(parameters["mode"]):
        t.fold.replaced = _OUTSIDE
        numbering = taking.Numbering(outside="JAX gives NaN")
    axes = numbers.start_index_map
    cases, count = x, len(axes)
    for made, axis in enumerate(axes):
        cases = taking.windows(t, cases, made + axis, sizes[axis])
    kept = (*[slice(None)] * count, *(slice(size) for size in sizes))
    dropped = tuple(count + k for k in numbers.collapsed_slice_dims)
    cases = t.places(cases, lambda a: np.squeeze(a[kept], dropped))
    (shape,) = (v.aval.shape for v in equation.outvars)
    offsets = set(numbers.offset_dims)
    inside = [n if k in offsets else 1 for k, n in enumerate(shape)]
    outside = [1 if k in offsets else n for k, n in enumerate(shape)]
    cases = t.reshape(cases, (*cases.shape[:count], *inside))
    parts = [t.places(indices, itemgetter((..., k))) for k in range(count)]
    return taking.one_at(
        t, cases, [t.reshape(part, outside) for part in reversed(parts)], numbering
    )


CHOOSING: Mapping[str, Callable[[Tensors, Any, list[Value]], Value]] = {
    "dynamic_slice": _sliced,
    "gather": _gathered,
}
