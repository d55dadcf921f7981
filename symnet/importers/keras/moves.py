"""Operations of `keras.ops` that only move entries, repeat them, or leave some out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from symnet.importers.folding import taking
from symnet.importers.folding.choices import Condition
from symnet.importers.folding.forms import Form
from symnet.importers.folding.tensors import Tensors, Value

Config = Mapping[str, Any]
Rule = Callable[..., Any]

_NUMBERING = taking.Numbering(wraps=True, outside="Keras raises or gives NaN")


def constant(x: Any) -> Value:
    """A tensor as it is; numbers and lists of them as an array of doubles."""
    return x if isinstance(x, Form | Condition) else np.asarray(x, dtype=np.float64)


def axes_of(config: Config) -> list[int] | None:
    """None for all."""
    axis = config.get("axis")
    return None if axis is None else list(axis) if isinstance(axis, list | tuple) else [int(axis)]


def _moved(change: Callable[[Any, Config], Any]) -> Rule:
    return lambda t, config, x: t.places(x, lambda a: change(a, config))


def _split(axis: int | None = None) -> Rule:
    """Along the axis of the configuration, or this one; array_split takes uneven parts."""

    def rule(t: Tensors, config: Config, x: Value) -> list[Value]:
        over = int(config.get("axis", 0)) if axis is None else axis
        parts = np.array_split(np.arange(x.shape[over]), config["indices_or_sections"])
        return [t.places(x, partial(np.take, indices=k, axis=over)) for k in parts]

    return rule


def _unstacked(t: Tensors, config: Config, x: Value) -> list[Value]:
    axis = int(config.get("axis", 0))
    return [t.places(x, partial(np.take, indices=k, axis=axis)) for k in range(x.shape[axis])]


def _slice(t: Tensors, config: Config, x: Value, start_indices: Any) -> Value:
    first = [int(k) for k in np.asarray(start_indices)]
    cut = tuple(slice(k, k + int(n)) for k, n in zip(first, config["shape"], strict=True))
    return t.places(x, lambda a: a[cut])


def _item(t: Tensors, config: Config, x: Value, key: Any) -> Value:
    cut = tuple(key) if isinstance(key, list | tuple) else key
    return t.places(x, lambda a: a[cut])


def _joined(arrange: Callable[[Sequence[Any], int], Any]) -> Rule:
    def rule(t: Tensors, config: Config, xs: Sequence[Value]) -> Value:
        parts, axis = xs, int(config.get("axis", 0))
        return t.mixed([constant(part) for part in parts], lambda arrays: arrange(arrays, axis))

    return rule


def _pad(t: Tensors, config: Config, x: Value, constant_values: Any = None) -> Value:
    mode, widths = config.get("mode", "constant"), config["pad_width"]
    rank = len(x.shape)
    around = [tuple(w) for w in np.broadcast_to(np.asarray(widths, dtype=np.int64), (rank, 2))]
    if mode == "constant":
        return t.pad(x, around, np.asarray(constant_values or 0.0))
    return t.places(x, lambda a: np.pad(a, around, mode=mode))


def _taken(t: Tensors, config: Config, x: Value, indices: Any) -> Value:
    axis = config.get("axis")
    if isinstance(indices, Form):
        flat = t.reshape(constant(x), (-1,)) if axis is None else constant(x)
        return taking.taken(t, flat, indices, axis or 0, _NUMBERING)
    index = np.asarray(indices).astype(np.int64)
    return t.places(x, lambda a: np.take(a, index, axis))


def _taken_along(t: Tensors, config: Config, x: Value, indices: Any) -> Value:
    axis = config.get("axis")
    if isinstance(indices, Form) and axis is not None:
        return taking.taken_along(t, constant(x), indices, axis, _NUMBERING)
    if isinstance(indices, Form):
        raise ValueError("its places depend on the inputs; name an axis")
    index = np.asarray(indices).astype(np.int64)
    return t.places(x, lambda a: np.take_along_axis(a, index, axis))


def _triangle(upper: bool) -> Rule:
    def rule(t: Tensors, config: Config, x: Value) -> Value:
        ones, k = np.ones(x.shape[-2:]), int(config.get("k", 0))
        return t.multiply(x, np.triu(ones, k) if upper else np.tril(ones, k))

    return rule


def _appended(t: Tensors, config: Config, x1: Any, x2: Any) -> Value:
    axis, parts = config.get("axis"), [constant(x1), constant(x2)]
    parts = [t.reshape(x, (-1,)) for x in parts] if axis is None else parts
    return t.concatenate(parts, axis or 0)


def _differences(t: Tensors, config: Config, a: Value) -> Value:
    """x₂ − x₁, x₃ − x₂, … along an axis, n times."""
    axis, value = int(config.get("axis", -1)), a
    for _ in range(int(config.get("n", 1))):
        places = range(value.shape[axis])
        after, before = (partial(np.take, indices=k, axis=axis) for k in (places[1:], places[:-1]))
        value = t.subtract(t.places(value, after), t.places(value, before))
    return value


MOVES: Mapping[str, Rule] = {
    "Concatenate": _joined(np.concatenate),
    "Stack": _joined(np.stack),
    **dict.fromkeys(("Split", "ArraySplit"), _split()),
    "Hsplit": _split(1),
    "Unstack": _unstacked,
    "Slice": _slice,
    "Hstack": _joined(lambda parts, axis: np.hstack(parts)),
    "Append": _appended,
    "GetItem": _item,
    "Reshape": _moved(lambda a, c: a.reshape([-1 if s is None else s for s in c["newshape"]])),
    "Transpose": _moved(lambda a, c: a.transpose(c.get("axes"))),
    "ExpandDims": _moved(lambda a, c: np.expand_dims(a, c["axis"])),
    "Squeeze": _moved(lambda a, c: np.squeeze(a, c.get("axis"))),
    "Flip": _moved(lambda a, c: np.flip(a, c.get("axis"))),
    "Swapaxes": _moved(lambda a, c: np.swapaxes(a, c["axis1"], c["axis2"])),
    "Moveaxis": _moved(lambda a, c: np.moveaxis(a, c["source"], c["destination"])),
    "Tile": _moved(lambda a, c: np.tile(a, c["repeats"])),
    "Repeat": _moved(lambda a, c: np.repeat(a, c["repeats"], c.get("axis"))),
    "Roll": _moved(lambda a, c: np.roll(a, c["shift"], c.get("axis"))),
    "Ravel": _moved(lambda a, c: a.reshape(-1)),
    "Diagonal": _moved(lambda a, c: np.diagonal(a, c["offset"], c["axis1"], c["axis2"])),
    "Fliplr": _moved(lambda a, c: np.fliplr(a)),
    "Rot90": _moved(lambda a, c: np.rot90(a, c["k"], c["axes"])),
    "BroadcastTo": _moved(lambda a, c: np.broadcast_to(a, c["shape"])),
    "Take": _taken,
    "TakeAlongAxis": _taken_along,
    "Pad": _pad,
    "Tril": _triangle(False),
    "Triu": _triangle(True),
    "Diff": _differences,
}
