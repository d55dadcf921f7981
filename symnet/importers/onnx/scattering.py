"""ONNX operators that take entries from places, or put them to such as are constants."""

from __future__ import annotations

import math
from operator import itemgetter

import numpy as np
import sympy

from symnet.importers.folding import choices, matrices, taking
from symnet.importers.folding.forms import Form
from symnet.importers.folding.scattering import along, put
from symnet.importers.folding.tensors import Value
from symnet.importers.onnx.call import Call, Reader, Result
from symnet.importers.onnx.places import kind_of
from symnet.network.weights import Array

_NUMBERING = taking.Numbering(wraps=True, outside="ONNX raises")


def _gather(c: Call) -> Result:
    x, axis = c.value(0), c.get("axis", 0)
    if isinstance(c.value(1), Form):
        return taking.taken(c.tensors, x, c.form(1), axis, _NUMBERING)
    index = c.constant(1, "indices").astype(np.int64)
    _check_places(c, x, index)
    return c.tensors.places(x, lambda a: np.take(a, index, axis=axis))


def _gather_elements(c: Call) -> Result:
    axis = c.get("axis", 0)
    if isinstance(c.value(1), Form):
        return taking.taken_along(c.tensors, c.value(0), c.form(1), axis, _NUMBERING)
    index = c.constant(1, "indices").astype(np.int64)
    return c.tensors.places(c.value(0), lambda a: along(a, index, axis))


def _gather_nd(c: Call) -> Result:
    if isinstance(c.value(1), Form):
        return _gather_computed(c)
    x, index, batch = c.value(0), c.constant(1, "indices").astype(np.int64), c.get("batch_dims", 0)
    if not 0 <= batch < min(index.ndim, len(x.shape)):
        c.refuse(f"its batch_dims is {batch}")
    outer = index.shape[:batch]
    before = np.indices(outer).reshape(batch, *outer, *[1] * (index.ndim - 1 - batch))
    return c.tensors.places(x, lambda a: a[(*before, *np.moveaxis(index, -1, 0))])


def _gather_computed(c: Call) -> Result:
    """GatherND at places that depend on the inputs."""
    index = c.form(1)
    if c.get("batch_dims", 0):
        c.refuse("its places, which differ from batch to batch, depend on the inputs")
    axes = range(index.shape[-1])
    parts = [c.tensors.places(index, itemgetter((..., k))) for k in axes]
    return taking.taken_at(c.tensors, c.value(0), parts, axes, _NUMBERING)


def _check_places(c: Call, x: Value, index: Array) -> None:
    size = x.shape[c.get("axis", 0)] if x.shape else 0
    if not size:
        c.refuse("it gathers from a tensor without entries")
    matrices.check_size(math.prod(x.shape) // size * index.size, "a gathered tensor")


def _put(c: Call, places: Array) -> Value:
    how = c.get("reduction", b"none")
    name = how.decode() if isinstance(how, bytes) else str(how)
    return put(c.tensors, c.value(0), c.value(2), places, name)


def _scatter_nd(c: Call) -> Result:
    x, index = c.value(0), c.constant(1, "indices").astype(np.int64)
    places = np.arange(math.prod(x.shape)).reshape(x.shape)
    return _put(c, places[tuple(np.moveaxis(index, -1, 0))])


def _scatter_elements(c: Call) -> Result:
    x, index, axis = c.value(0), c.constant(1, "indices").astype(np.int64), c.get("axis", 0)
    places = np.arange(math.prod(x.shape)).reshape(x.shape)
    return _put(c, along(places, index, axis))


def _tensor_scatter(c: Call) -> Result:
    """Rows of a cache from places on along an axis (a linear cache)."""
    if c.has(2) or c.get("mode", b"linear") not in (b"linear", "linear"):
        c.refuse("it writes to places that differ; symnet reads a linear cache from its beginning")
    x, y, axis = c.value(0), c.value(1), c.get("axis", -2)
    places = np.arange(math.prod(x.shape)).reshape(x.shape)
    row = np.take(places, range(y.shape[axis]), axis=axis).reshape(-1)
    return put(c.tensors, x, y, row.reshape(y.shape))


def _one_hot(c: Call) -> Result:
    depth, axis = int(c.constant(1, "depth").reshape(-1)[0]), c.get("axis", -1)
    off, on = c.constant(2, "values").reshape(-1)[:2]
    if isinstance(c.value(0), Form):
        return _one_hot_computed(c, depth, off, on, axis)
    index = c.constant(0, "categories").astype(np.int64)
    matrices.check_size(max(depth, 0) * index.size, "a one-hot tensor")
    wrapped = np.where((index < 0) & (c.opset >= 11), index + depth, index)
    whole = np.where(wrapped[..., None] == np.arange(depth), on, off)
    return np.moveaxis(whole, -1, axis)


def _one_hot_computed(c: Call, depth: int, off: float, on: float, axis: int) -> Result:
    """Of categories that depend on the inputs, which may count from the end."""
    t, index = c.tensors, c.form(0)
    matrices.check_size(max(depth, 0) * index.size, "a one-hot tensor")
    apart = t.places(index, lambda a: a[..., None])
    here = choices.compared(t, "eq", apart, np.arange(depth))
    if c.opset >= 11:
        behind = choices.compared(t, "eq", apart, np.arange(depth) - depth)
        here = choices.joined(sympy.Or, here, behind)
    return t.places(choices.chosen(t, here, off, on), lambda a: np.moveaxis(a, -1, axis))


def _eye(c: Call) -> Result:
    rows, columns = c.value(0).shape
    matrices.check_size(rows * columns, "an identity matrix")
    kind = kind_of(c.get("dtype"), c.value(0))
    return np.eye(rows, columns, c.get("k", 0), dtype=kind)


def _compress(c: Call) -> Result:
    kept, axis = np.flatnonzero(c.constant(1, "condition")), c.get("axis")
    return c.tensors.places(c.value(0), lambda a: np.take(a, kept, axis=axis))


def _reverse_sequence(c: Call) -> Result:
    x, lengths = c.value(0), c.constant(1, "lengths").reshape(-1)
    time, batch = c.get("time_axis", 0), c.get("batch_axis", 1)

    def turned(a: Array) -> Array:
        rows = np.moveaxis(a, (batch, time), (0, 1)).copy()
        for row, length in zip(rows, lengths, strict=True):
            row[:length] = row[:length][::-1].copy()
        return np.moveaxis(rows, (0, 1), (batch, time))

    return c.tensors.places(x, turned)


def _trilu(c: Call) -> Result:
    k = int(c.constant(1, "diagonal").reshape(-1)[0]) if c.has(1) else 0
    x = c.value(0)
    keep = np.tri(x.shape[-2], x.shape[-1], k - 1 if c.get("upper", 1) else k)
    return c.tensors.multiply(x, 1 - keep if c.get("upper", 1) else keep)


READERS: dict[str, Reader] = {
    "Gather": _gather,
    "GatherElements": _gather_elements,
    "GatherND": _gather_nd,
    "ScatterND": _scatter_nd,
    "ScatterElements": _scatter_elements,
    "Scatter": _scatter_elements,
    "TensorScatter": _tensor_scatter,
    "OneHot": _one_hot,
    "EyeLike": _eye,
    "Compress": _compress,
    "ReverseSequence": _reverse_sequence,
    "Trilu": _trilu,
}
