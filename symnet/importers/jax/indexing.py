"""JAX's entries at places that depend on the inputs: dynamic_slice and gather."""

from __future__ import annotations

from collections.abc import Callable, Mapping
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
    """Slices that begin at numbers along one axis. ValueError where there are several."""
    x, indices = given
    parameters = equation.params
    numbers, sizes = parameters["dimension_numbers"], parameters["slice_sizes"]
    if len(numbers.start_index_map) != 1 or numbers.operand_batching_dims:
        raise ValueError("its indices, of several axes, depend on the inputs")
    if "FILL" in str(parameters["mode"]):
        t.fold.replaced = _OUTSIDE
    (axis,) = numbers.start_index_map
    cases = taking.windows(t, x, axis, sizes[axis])
    dropped = tuple(1 + k for k in numbers.collapsed_slice_dims)
    for k, size in enumerate(sizes):
        if k != axis:
            cases = t.places(cases, lambda a, k=k, size=size: np.take(a, range(size), 1 + k))  # type: ignore[misc]
    cases = t.places(cases, lambda a: np.squeeze(a, dropped))
    (shape,) = (v.aval.shape for v in equation.outvars)
    offsets = set(numbers.offset_dims)
    inside = [n if k in offsets else 1 for k, n in enumerate(shape)]
    outside = [1 if k in offsets else n for k, n in enumerate(shape)]
    return taking.one_of(
        t, t.reshape(cases, (cases.shape[0], *inside)), t.reshape(indices, outside)
    )


CHOOSING: Mapping[str, Callable[[Tensors, Any, list[Value]], Value]] = {
    "dynamic_slice": _sliced,
    "gather": _gathered,
}
