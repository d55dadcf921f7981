"""PyTorch's operations that only move entries, or are linear in one tensor, as PyTorch has them.

The first are run on the places of a form's entries, with 0 for what is filled in; the second on
each unit vector, which gives their matrix.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from symnet.importers.folding import choices, matrices, taking
from symnet.importers.folding.choices import Condition
from symnet.importers.folding.forms import Form
from symnet.importers.folding.scattering import along, put
from symnet.importers.folding.tensors import Tensors, Value
from symnet.network.weights import Array

PLACES = frozenset(
    (
        *("view", "reshape", "_unsafe_view", "flatten", "unflatten", "ravel", "expand"),
        *("permute", "transpose", "swapaxes", "swapdims", "movedim", "moveaxis", "t", "numpy_T"),
        *("mT", "matrix_H", "squeeze", "unsqueeze", "slice", "select", "narrow", "as_strided"),
        *("index", "index_select", "gather", "take", "take_along_dim", "unbind", "split"),
        *("split_with_sizes", "chunk", "tensor_split", "hsplit", "vsplit", "dsplit", "cat"),
        *("stack", "hstack", "vstack", "dstack", "column_stack", "concat", "concatenate"),
        *("flip", "fliplr", "flipud", "roll", "rot90", "repeat", "tile", "repeat_interleave"),
        *("diagonal", "diag", "diag_embed", "tril", "triu", "im2col", "unfold", "pixel_shuffle"),
        *("pixel_unshuffle", "channel_shuffle", "slice_scatter", "select_scatter", "scatter"),
        *("diagonal_scatter", "index_put", "index_copy", "constant_pad_nd", "pad", "expand_as"),
        *("reflection_pad1d", "reflection_pad2d", "replication_pad1d", "replication_pad2d"),
        *("upsample_nearest1d", "upsample_nearest2d", "unsafe_chunk", "unsafe_split", "view_as"),
        *("reshape_as", "atleast_1d", "atleast_2d", "broadcast_to", "broadcast_tensors"),
        *("expand_copy", "permute_copy", "view_copy", "slice_copy", "select_copy"),
    )
)
"""Operations whose results are entries of their arguments, or a constant that is filled in."""

LINEAR: Mapping[str, int] = {
    **{f"{kind}avg_pool{rank}d": rank for kind in ("", "adaptive_") for rank in (1, 2, 3)},
    **{"_adaptive_avg_pool2d": 2, "_adaptive_avg_pool3d": 3, "col2im": 2},
    **{"upsample_linear1d": 1, "upsample_bilinear2d": 2, "upsample_bicubic2d": 2},
    **{"_upsample_bilinear2d_aa": 2, "_upsample_bicubic2d_aa": 2, "upsample_trilinear3d": 3},
}
"""Operations that are linear in their first argument, alike for all but so many last axes."""

COUNTED = taking.Numbering(outside="PyTorch raises")
_FROM_THE_END = replace(COUNTED, wraps=True)


def moved(torch: Any, t: Tensors, target: Any, args: list[Any], kwargs: Mapping[str, Any]) -> Any:
    """The operation on places. ValueError where it adds to what is there."""
    if "index_put" in str(target) and (args[3:4] == [True] or kwargs.get("accumulate")):
        return _accumulated(t, *args[:3])
    if "index_put" in str(target) and any(isinstance(i, Condition) for i in args[1]):
        return _masked(t, *args[:3])
    if "reduce" in str(target):
        raise ValueError("it adds to what is there (reduce); use scatter_add or scatter_reduce")
    named = by_name(target, args, kwargs)
    trees = torch.utils._pytree
    data, spec = trees.tree_flatten(
        {name: named.pop(name) for name in _moving(target) if name in named}, is_leaf=_is_value
    )
    if (found := _chosen(t, target, data, named)) is not None:
        return found
    if any(map(_is_value, trees.tree_leaves(named, is_leaf=_is_value))):
        raise ValueError(
            "its places depend on the inputs; symnet reads those of gather, of index_select and of "
            "an index"
        )
    if "scatter" in str(target):
        check_written(*data)
    fill = float(named.get("value") or 0.0)
    if named.get("value") is not None:
        named["value"] = 0.0  # the place of what is filled in
    known = trees.tree_map_only(np.ndarray, torch.from_numpy, named)

    def run(arrays: list[Array]) -> Any:
        given = [torch.from_numpy(np.array(a, dtype=np.float64, order="C")) for a in arrays]
        return target(**trees.tree_unflatten(given, spec), **known)

    if len(data) == 1 and isinstance(data[0], Condition):
        return _condition(torch, t, data[0], run)
    parts = [t.form(v.forced(t) if isinstance(v, Condition) else v) for v in data]
    starts = np.cumsum([1, *(part.size for part in parts)])
    places = [
        np.arange(start, start + part.size, dtype=np.float64).reshape(part.shape)
        for start, part in zip(starts, parts, strict=False)
    ]
    found = run(places)
    if isinstance(found, torch.Tensor):
        return _taken(t, parts, found, fill)
    return [_taken(t, parts, part, fill) for part in found]


def _chosen(
    t: Tensors, target: Any, data: Sequence[Value], named: Mapping[str, Any]
) -> Value | None:
    """Entries at places that depend on the inputs; None for any other operation or place."""
    name = str(target).split(".")[1]
    places = named.get("indices") if name == "index" else named.get("index")
    axis = named.get("dim", 0)
    x = data[0].forced(t) if isinstance(data[0], Condition) else data[0]
    if name == "index" and isinstance(places, list):
        return _indexed(t, x, places)
    if not isinstance(places, Form) or name not in ("index_select", "gather"):
        return None
    if name == "gather":
        return taking.taken_along(t, x, places, axis, COUNTED)
    return taking.taken(t, x, places, axis, COUNTED)


def _indexed(t: Tensors, x: Value, places: Sequence[Value | None]) -> Value | None:
    """x[:, i, j], of which i or j depends on the inputs; else None."""
    axes = [k for k, which in enumerate(places) if which is not None]
    given = [places[k] for k in axes]
    whole = [isinstance(v, Form) or getattr(v, "dtype", np.dtype(bool)).kind in "iu" for v in given]
    if not all(whole) or not any(isinstance(v, Form) for v in given):
        return None
    found = taking.taken_at(t, x, given, axes, _FROM_THE_END)
    if axes != [*range(axes[0], axes[-1] + 1)]:
        return found  # what is apart comes first
    rank = len(found.shape) - len(x.shape) + len(axes)
    order = [*range(rank, rank + axes[0]), *range(rank), *range(rank + axes[0], len(found.shape))]
    return t.places(found, lambda a: a.transpose(order))


_MOVING = frozenset(("self", "input", "tensors", "other", "src", "source", "values"))
"""The names of tensors whose entries move, whatever their types; all others say where to."""


def _moving(target: Any) -> list[str]:
    """Those of the operation; the source of movedim is an axis."""
    known = target._schema.arguments
    return [a.name for a in known if a.name in _MOVING and "Tensor" in str(a.type)]


def by_name(target: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """An operation's arguments by their names in its schema."""
    names = [argument.name for argument in target._schema.arguments]
    return {**dict(zip(names, args, strict=False)), **kwargs}


def check_written(whole: Any, *parts: Any) -> None:
    """A tensor into which others are written keeps its type. ValueError where that rounds them."""
    floats = isinstance(whole, Form) or (isinstance(whole, np.ndarray) and whole.dtype.kind == "f")
    if not floats and any(isinstance(part, Form) for part in parts):
        raise ValueError(
            "it writes what depends on the inputs into a tensor of whole numbers or truth values, "
            "which rounds it; make that one of floats"
        )


def _masked(t: Tensors, x: Value, index: Any, y: Value) -> Value:
    """x[mask] = number, the mask a condition of the inputs."""
    mask = index[0]
    if len(index) > 1 or mask.shape != x.shape or math.prod(y.shape) != 1:
        raise ValueError("it writes where a condition holds more than one number; use torch.where")
    return choices.chosen(t, mask, x, t.reshape(y, ()))


def _accumulated(t: Tensors, x: Value, index: Any, y: Value) -> Value:
    """index_put that adds."""
    chosen = tuple(slice(None) if i is None else np.asarray(i) for i in index)
    places = np.arange(math.prod(x.shape)).reshape(x.shape)[chosen]
    return put(t, x, t.broadcast(t.form(y), places.shape), places, "add")


_REDUCED = {"sum": "add", "prod": "mul", "amax": "max", "amin": "min"}


def scattered(
    t: Tensors,
    x: Value,
    dim: int,
    index: Any,
    y: Value,
    reduce: str = "sum",
    include_self: bool = True,
) -> Value:
    """scatter_add and scatter_reduce: entries of y joined with those of x along an axis."""
    if not include_self or reduce not in _REDUCED:
        raise ValueError(f"it joins by {reduce}, or leaves out what is there (include_self)")
    if not isinstance(index, np.ndarray):
        raise ValueError("its places depend on the inputs: that has no derivative")
    places = np.arange(math.prod(x.shape)).reshape(x.shape)
    corner = tuple(slice(s) for s in index.shape)
    return put(
        t,
        x,
        t.places(y, lambda a: a[corner]),
        along(places, index, dim),
        _REDUCED[reduce],
    )


def _is_value(leaf: Any) -> bool:
    return isinstance(leaf, Form | Condition)


def _taken(t: Tensors, parts: list[Form], found: Any, fill: float) -> Value:
    places = np.rint(found.numpy()).astype(np.int64)
    if places.size and places.min() > 0:
        whole = parts[0] if len(parts) == 1 else t.fold.stacked(parts)
        return t.fold.selected(whole, places - 1)
    return t.fold.selected(t.fold.stacked([t.form(np.array([fill])), *parts]), places)


def _condition(torch: Any, t: Tensors, condition: Condition, run: Any) -> Any:
    def change(array: Array) -> Array:
        found: Array = run([array]).numpy()
        return found.astype(array.dtype)

    shape = change(np.zeros(condition.shape)).shape
    return condition.moved(shape, change, t)


def linear(
    torch: Any, t: Tensors, target: Any, rank: int, args: list[Any], kwargs: Mapping[str, Any]
) -> Value:
    """The operation as a matrix of one image, which is that of all."""
    x, *given = args
    if not isinstance(x, Form) or any(isinstance(a, Form) for a in (*given, *kwargs.values())):
        raise ValueError("its weights depend on the inputs")

    def run(batch: Any) -> Array:
        between = [] if "col2im" in str(target) else [1]
        with torch.no_grad():
            found = target(batch.reshape(len(batch), *between, *inner), *given, **kwargs)
        return np.asarray(found if "col2im" in str(target) else found[:, 0])

    first, inner = x.shape[:-rank], x.shape[-rank:]
    count, size = math.prod(first), math.prod(inner)
    _, *outer = run(torch.zeros(1, size, dtype=torch.float64)).shape
    height = math.prod(outer)
    matrices.check_size(size * max(size, height), f"the matrix from {inner} to {tuple(outer)}")
    units = run(torch.eye(size, dtype=torch.float64)).reshape(size, height)
    column, row = np.nonzero(units)
    matrices.check_size(count * len(row), f"the matrix from {x.shape}")
    ones = np.arange(count)[:, None]
    M = matrices.from_entries(
        (ones * height + row).reshape(-1),
        (ones * size + column).reshape(-1),
        np.tile(units[column, row], count),
        (count * height, count * size),
    )
    return t.fold.times(x, M, (*first, *outer), False)
