"""ONNX operators that move entries and compute shapes: no number is changed by them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from symnet.importers.folding import choices, matrices
from symnet.importers.folding.choices import Condition
from symnet.importers.folding.forms import Form
from symnet.importers.folding.rounding import rounded
from symnet.importers.onnx.call import Call, Reader, Result

_FLOATS = {1, 10, 11, 16}  # float, float16, double, bfloat16: all are doubles here
_INTEGERS = {2: "u1", 3: "i1", 4: "u2", 5: "i2", 6: "i4", 7: "i8", 9: "?", 12: "u4", 13: "u8"}
_SHAPES = {"Shape", "Size"}


def kind_of(number: int | None, like: Any) -> Any:
    """The type of an array that a node makes: of this number of ONNX's, or as `like` has it."""
    if number in _FLOATS or (number is None and isinstance(like, Form)):
        return np.float64
    if number is None:
        return np.asarray(like).dtype
    if number not in _INTEGERS:
        raise ValueError(f"it makes numbers of the type {number}; symnet reads numbers")
    return np.dtype(_INTEGERS[number])


def _identity(c: Call) -> Result:
    return c.value(0)


def _dropout(c: Call) -> Result:
    x = c.value(0)
    if c.has(2) and np.any(c.constant(2, "training_mode")):
        c.refuse("it is in training mode; export the model in evaluation mode")
    if c.opset < 7 and not c.get("is_test", 0):
        c.refuse("it is in training mode (is_test is 0); export the model in evaluation mode")
    return [x, np.ones(x.shape, dtype=bool)][: c.results]


def _cast(c: Call) -> Result:
    x, to = c.value(0), c.get("to")
    if to not in _FLOATS and to not in _INTEGERS:
        c.refuse(f"it casts to the type {to}; symnet reads numbers")
    if isinstance(x, Condition):
        return x if _INTEGERS.get(to) == "?" else x.forced(c.tensors)
    if to in _FLOATS:
        return x if isinstance(x, Form) else np.asarray(x, dtype=np.float64)
    if isinstance(x, Form) and _INTEGERS[to] == "?":
        return choices.compared(c.tensors, "ne", x, np.zeros(()))
    if isinstance(x, Form):
        return rounded(c.tensors, x, "trunc")
    return np.asarray(x).astype(_INTEGERS[to])


def _cast_like(c: Call) -> Result:
    like = c.value(1)
    floating = isinstance(like, Form) or np.asarray(like).dtype.kind == "f"
    if isinstance(c.value(0), Form) and not floating:
        c.refuse("it rounds what depends on the inputs to integers: that has no derivative")
    if isinstance(c.value(0), Form):
        return c.value(0)
    return np.asarray(c.value(0)).astype(np.float64 if floating else np.asarray(like).dtype)


def _shape(c: Call) -> Result:
    shape = np.array(c.value(0).shape, dtype=np.int64)
    return shape[c.get("start", 0) : c.get("end", None)]


def _size(c: Call) -> Result:
    return np.array(math.prod(c.value(0).shape), dtype=np.int64)


def _constant_of_shape(c: Call) -> Result:
    shape = [int(s) for s in c.constant(0, "shape").reshape(-1)]
    matrices.check_size(math.prod(shape), f"a constant of the shape {shape}")
    value = c.get("value")
    return np.full(shape, 0.0 if value is None else np.asarray(value).reshape(-1)[0])


def _range(c: Call) -> Result:
    start, limit, step = (c.constant(i, "bounds").reshape(-1)[0] for i in range(3))
    if step == 0:
        c.refuse("its step is 0")
    matrices.check_size(int(abs((limit - start) / step)) + 1, "a range")
    return np.arange(start, limit, step)


def _reshape(c: Call) -> Result:
    x, shape = c.value(0), [int(s) for s in c.constant(1, "shape").reshape(-1)]
    if not c.get("allowzero", 0):
        shape = [x.shape[i] if s == 0 and i < len(x.shape) else s for i, s in enumerate(shape)]
    if c.batch and isinstance(x, Form) and shape and shape[c.batch.axis] == c.batch.size:
        shape[c.batch.axis] = 1
    return c.tensors.reshape(x, shape)


def _flatten(c: Call) -> Result:
    x, axis = c.value(0), c.get("axis", 1)
    axis = axis + len(x.shape) if axis < 0 else axis
    return c.tensors.reshape(x, (math.prod(x.shape[:axis]), math.prod(x.shape[axis:])))


def _transpose(c: Call) -> Result:
    return c.tensors.places(c.value(0), lambda a: a.transpose(c.get("perm")))


def _squeeze(c: Call) -> Result:
    axes = c.integers("axes", 1, 13)
    return c.tensors.places(
        c.value(0), lambda a: np.squeeze(a, None if axes is None else tuple(axes))
    )


def _unsqueeze(c: Call) -> Result:
    axes = c.integers("axes", 1, 13)
    if axes is None:
        c.refuse("its axes are missing")
    return c.tensors.places(c.value(0), lambda a: np.expand_dims(a, tuple(axes)))


def _expand(c: Call) -> Result:
    return c.tensors.broadcast(c.value(0), [int(s) for s in c.constant(1, "shape").reshape(-1)])


def _tile(c: Call) -> Result:
    repeats = [int(s) for s in c.constant(1, "repeats").reshape(-1)]
    x = c.value(0)
    matrices.check_size(math.prod(x.shape) * math.prod(repeats), "a tiled tensor")
    return c.tensors.places(x, lambda a: np.tile(a, repeats))


def _slice(c: Call) -> Result:
    x = c.value(0)
    if c.opset < 10:
        starts, ends, axes = c.get("starts"), c.get("ends"), c.get("axes")
        steps: Sequence[int] | None = None
    else:
        starts, ends = c.integers("starts", 1, 10), c.integers("ends", 2, 10)
        axes, steps = c.integers("axes", 3, 10), c.integers("steps", 4, 10)
    if starts is None or ends is None:
        c.refuse("its starts or ends are missing")
    cut = [slice(None)] * len(x.shape)
    chosen = list(range(len(starts))) if axes is None else axes
    for axis, start, end, step in zip(
        chosen, starts, ends, steps or [1] * len(starts), strict=True
    ):
        cut[axis] = _slice_of(x.shape[axis], start, end, step)
    return c.tensors.places(x, lambda a: a[tuple(cut)])


def _slice_of(size: int, start: int, end: int, step: int) -> slice:
    """ONNX's clamping; backwards the end −1 is before the first entry, as in NumPy None is."""
    start = start + size if start < 0 else start
    end = end + size if end < 0 else end
    if step > 0:
        return slice(min(max(start, 0), size), min(max(end, 0), size), step)
    if step == 0:
        raise ValueError("its step is 0")
    start, end = min(max(start, 0), size - 1), min(max(end, -1), size - 1)
    return slice(start, None if end == -1 else end, step)


def _concat(c: Call) -> Result:
    parts = [c.value(i) for i in range(len(c.inputs))]
    axis = c.get("axis")
    if axis is None:
        c.refuse("its axis is missing")
    return c.tensors.concatenate(parts, axis)


def _split(c: Call) -> Result:
    x, axis = c.value(0), c.get("axis", 0)
    sizes = c.integers("split", 1, 13)
    whole = x.shape[axis]
    if sizes is None:
        part = -(-whole // c.results)
        if c.opset < 18 and whole % c.results:
            c.refuse(f"{whole} entries in {c.results} equal parts")
        sizes = [min(part, whole - k * part) for k in range(c.results)]
    if sum(sizes) != whole or len(sizes) != c.results or min(sizes) < 0:
        c.refuse(f"{whole} entries in parts of {sizes}")
    ends = np.cumsum(sizes)[:-1]
    whole_places = np.arange(math.prod(x.shape)).reshape(x.shape)
    parts = np.split(whole_places, ends, axis=axis)
    if isinstance(x, Form):
        return [c.tensors.fold.selected(x, part) for part in parts]
    return [np.asarray(x).reshape(-1)[part] for part in parts]


def _pad(c: Call) -> Result:
    x = c.value(0)
    mode = c.get("mode", b"constant")
    mode = mode.decode() if isinstance(mode, bytes) else mode
    pads = c.integers("pads", 1, 11)
    if pads is None:
        c.refuse("its pads are missing")
    axes = c.integers("axes", 3, 18) if c.opset >= 18 else None
    axes = list(range(len(x.shape))) if axes is None else axes
    if len(pads) != 2 * len(axes):
        c.refuse(f"{len(pads)} pads for {len(axes)} axes")
    widths = [(0, 0)] * len(x.shape)
    for k, axis in enumerate(axes):
        widths[axis] = pads[k], pads[len(axes) + k]
    if mode == "constant":
        constant: Any = c.get("value", 0.0) if c.opset < 11 else 0.0
        if c.opset >= 11 and c.has(2):
            constant = c.constant(2, "constant").reshape(-1)[:1]
        return c.tensors.pad(x, widths, constant)
    modes = {"reflect": "reflect", "edge": "edge", "wrap": "wrap"}
    if mode not in modes or min(min(pair) for pair in widths) < 0:
        c.refuse(f"its mode is {mode!r}; symnet reads constant, reflect, edge and wrap")
    size = math.prod(s + a + b for s, (a, b) in zip(x.shape, widths, strict=True))
    matrices.check_size(size, "a padded tensor")
    return c.tensors.places(x, lambda a: np.pad(a, widths, mode=modes[mode]))  # type: ignore[call-overload]


def _depth_to_space(c: Call) -> Result:
    size, mode = c.get("blocksize"), c.get("mode", b"DCR")
    batch, channels, height, width = c.value(0).shape
    depth = channels // size**2
    if mode in (b"DCR", "DCR"):
        before, order = (batch, size, size, depth, height, width), (0, 3, 4, 1, 5, 2)
    else:
        before, order = (batch, depth, size, size, height, width), (0, 1, 4, 2, 5, 3)
    after = (batch, depth, height * size, width * size)
    return c.tensors.places(c.value(0), lambda a: a.reshape(before).transpose(order).reshape(after))


def _space_to_depth(c: Call) -> Result:
    size = c.get("blocksize")
    batch, channels, height, width = c.value(0).shape
    before = (batch, channels, height // size, size, width // size, size)
    after = (batch, channels * size**2, height // size, width // size)
    depth_first = c.get("mode", b"DCR") in (b"DCR", "DCR")
    order = (0, 3, 5, 1, 2, 4) if depth_first else (0, 1, 3, 5, 2, 4)
    return c.tensors.places(c.value(0), lambda a: a.reshape(before).transpose(order).reshape(after))


READERS: dict[str, Reader] = {
    "Identity": _identity,
    "Dropout": _dropout,
    "Cast": _cast,
    "CastLike": _cast_like,
    "Shape": _shape,
    "Size": _size,
    "ConstantOfShape": _constant_of_shape,
    "Range": _range,
    "Reshape": _reshape,
    "Flatten": _flatten,
    "Transpose": _transpose,
    "Squeeze": _squeeze,
    "Unsqueeze": _unsqueeze,
    "Expand": _expand,
    "Tile": _tile,
    "Slice": _slice,
    "Concat": _concat,
    "Split": _split,
    "Pad": _pad,
    "DepthToSpace": _depth_to_space,
    "SpaceToDepth": _space_to_depth,
}
