"""Entries put at places of a tensor: in the place of what is there, or joined with it."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import numpy as np

from symnet.importers.folding import matrices
from symnet.importers.folding.forms import Form
from symnet.importers.folding.tensors import Tensors, Value
from symnet.network.weights import Array

_JOINED: dict[str, Callable[[Tensors, Value, Value], Value]] = {
    "mul": Tensors.multiply,
    "max": Tensors.maximum,
    "min": Tensors.minimum,
}
_MOST = 256  # entries that are put together at one place


def along(a: Array, index: Array, axis: int) -> Array:
    """The entries of a at these indices of an axis; on the others the index may be shorter.

    ValueError where it is longer, or has other axes.
    """
    own = axis % max(index.ndim, 1)
    if index.ndim != a.ndim or any(
        s > n for k, (s, n) in enumerate(zip(index.shape, a.shape, strict=True)) if k != own
    ):
        raise ValueError(f"indices of the shape {index.shape} in a tensor of the shape {a.shape}")
    cut = tuple(slice(None) if k == own else slice(s) for k, s in enumerate(index.shape))
    return np.take_along_axis(a[cut], index, axis)


def put(t: Tensors, x: Value, y: Value, places: Array, how: str = "none") -> Value:
    """The entries of y at flat places of x, shaped as y is; `how` is none, add, mul, max or min.

    ValueError for another word, or shapes that do not fit.
    """
    flat = places.reshape(-1)
    if places.shape != tuple(y.shape):
        raise ValueError(f"{math.prod(y.shape)} entries for {flat.size} places")
    whole, new = (t.places(v, np.ravel) for v in (x, y))
    if how == "none":
        whole = t.mixed([whole, new], partial(_written, places=flat))
    elif how == "add":
        whole = t.add(whole, _sums(t, new, flat, math.prod(x.shape)))
    elif how in _JOINED:
        whole = _joined(t, whole, new, flat, _JOINED[how])
    else:
        raise ValueError(f"its reduction is {how!r}; symnet reads none, add, {', '.join(_JOINED)}")
    return t.reshape(whole, x.shape)


def _sums(t: Tensors, new: Value, flat: Array, size: int) -> Value:
    """A vector of this size with the entries added at their places."""
    if not isinstance(new, Form):
        return np.bincount(flat, np.asarray(new, dtype=np.float64), size)
    M = matrices.from_entries(flat, np.arange(flat.size), np.ones(flat.size), (size, flat.size))
    return t.fold.times(new, M, (size,))


def _joined(
    t: Tensors,
    whole: Value,
    new: Value,
    flat: Array,
    join: Callable[[Tensors, Value, Value], Value],
) -> Value:
    """Round by round, in each of which a place is met once."""
    for _ in range(_MOST):
        if not flat.size:
            return whole
        to, first = np.unique(flat, return_index=True)
        rest = np.setdiff1d(np.arange(flat.size), first)
        both = join(t, _at(t, whole, to), _at(t, new, first))
        whole = t.mixed([whole, both], partial(_written, places=to))
        flat, new = flat[rest], _at(t, new, rest)
    raise ValueError(f"it puts more than {_MOST} entries at one place")


def _at(t: Tensors, x: Value, places: Array) -> Value:
    return t.places(x, lambda a: a[places])


def _written(arrays: list[Array], places: Array) -> Array:
    result = np.array(arrays[0])
    result[places] = arrays[1]
    return result
