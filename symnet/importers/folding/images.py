"""Convolution and pooling of tensors (batch, channels, *image), by the windows they see."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from symnet.importers.folding import matrices
from symnet.importers.folding.forms import Form
from symnet.importers.folding.tensors import Tensors, Value
from symnet.importers.folding.windows import Windows
from symnet.network.weights import Array


def conv(
    t: Tensors, x: Form, weights: Array, bias: Array | None, windows: Windows, groups: int
) -> Value:
    """Cross-correlation of x (N, C, *image) with weights (M, C/groups, *kernel)."""
    kernels = np.asarray(weights, dtype=np.float64)
    batch, channels, *image = x.shape
    out, inside = kernels.shape[:2]
    if groups < 1 or channels != inside * groups or out % groups:
        raise ValueError(
            f"weights of the shape {kernels.shape} in {groups} groups for {channels} channels"
        )
    seen = windows.places(image)
    counts = seen.shape[: len(image)]
    flat = seen.reshape(math.prod(counts), -1)
    whole = (batch, out, len(flat), inside, flat.shape[1])
    matrices.check_size(math.prod(whole), f"a convolution from {x.shape} to {out} channels")
    first = np.arange(out) // (out // groups) * inside
    channel = first[:, None] + np.arange(inside)
    image_of = np.arange(batch)[:, None, None] * channels + channel
    columns = image_of[:, :, None, :, None] * math.prod(image) + flat[None, None, :, None, :]
    values = kernels.reshape(1, out, 1, inside, -1)
    row = np.arange(batch * out * len(flat)).reshape(batch, out, len(flat), 1, 1)
    kept = np.broadcast_to(flat[None, None, :, None, :] >= 0, whole).reshape(-1)
    row, columns, values = (
        np.broadcast_to(v, whole).reshape(-1)[kept] for v in (row, columns, values)
    )
    M = matrices.from_entries(row, columns, values, (math.prod(whole[:3]), x.size))
    result = t.fold.times(x, M, (batch, out, *counts), True)
    if bias is None:
        return result
    return t.add(result, np.asarray(bias, dtype=np.float64).reshape(1, -1, *[1] * len(image)))


def conv_transpose(
    t: Tensors,
    x: Form,
    weights: Array,
    bias: Array | None,
    windows: Windows,
    size: Sequence[int],
    groups: int,
) -> Value:
    """What a convolution does to gradients: x (N, C, *image), weights (C, M/groups, *kernel).

    The windows are of the result, an image of this size, in which each entry of x writes one.
    """
    batch, channels, *image = x.shape
    inside, per = weights.shape[:2]
    if groups < 1 or channels != inside or channels % groups:
        raise ValueError(f"weights of the shape {weights.shape} for {channels} channels")
    seen, out = _written(windows, image, size), per * groups
    flat = seen.reshape(math.prod(image), -1)
    whole = (batch, channels, per, *flat.shape)
    matrices.check_size(math.prod(whole), f"a transposed convolution from {x.shape}")
    target = np.arange(channels)[:, None] // (channels // groups) * per + np.arange(per)
    target = np.arange(batch)[:, None, None] * out + target
    row = target[..., None, None] * math.prod(size) + flat
    column = np.arange(x.size).reshape(batch, channels, 1, -1, 1)
    values = weights.reshape(1, channels, per, 1, -1)
    kept = np.broadcast_to(flat >= 0, whole).reshape(-1)
    row, column, values = (
        np.broadcast_to(v, whole).reshape(-1)[kept] for v in (row, column, values)
    )
    M = matrices.from_entries(row, column, values, (batch * out * math.prod(size), x.size))
    result = t.fold.times(x, M, (batch, out, *size), True)
    if bias is None:
        return result
    return t.add(result, np.asarray(bias, dtype=np.float64).reshape(1, -1, *[1] * len(image)))


def _written(windows: Windows, image: Sequence[int], size: Sequence[int]) -> Array:
    """Flat places of the result, shape (*image, *kernel), that entries write; −1 outside of it."""
    rank = len(image)
    places, inside = np.zeros((), dtype=np.int64), np.ones((), dtype=bool)
    for axis in range(rank):
        start = np.arange(image[axis]) * windows.strides[axis] - windows.pads[axis]
        along = start[:, None] + np.arange(windows.kernel[axis]) * windows.dilations[axis]
        shape = [1] * 2 * rank
        shape[axis], shape[rank + axis] = along.shape
        along = along.reshape(shape)
        places = places * size[axis] + along
        inside = inside & (along >= 0) & (along < size[axis])
    return np.where(inside, places, -1)


def average_pool(t: Tensors, x: Form, windows: Windows, count_padding: bool) -> Value:
    """The mean over each window of x (N, C, *image); what is beyond the padding never counts."""

    def shares(flat: Array) -> Array:
        sizes = windows.sizes(x.shape[2:]) if count_padding else (flat >= 0).sum(axis=1)
        if not sizes.all():
            raise ValueError("a window of AveragePool sees padding only")
        return 1 / sizes

    return _weighted(t, x, windows, shares)


def sum_pool(t: Tensors, x: Form, windows: Windows) -> Value:
    """The sum over each window of x (N, C, *image)."""
    return _weighted(t, x, windows, lambda flat: np.ones(len(flat)))


def _weighted(t: Tensors, x: Form, windows: Windows, factors: Callable[[Array], Array]) -> Value:
    """The sum over each window times a factor, which is one of its flat places, −1 for padding."""
    batch, channels, *image = x.shape
    seen = windows.places(image)
    counts = seen.shape[: len(image)]
    flat = seen.reshape(math.prod(counts), -1)
    start = np.arange(batch * channels)[:, None, None] * math.prod(image)
    whole = (batch * channels, *flat.shape)
    matrices.check_size(math.prod(whole), f"pooling of the shape {x.shape}")
    kept = np.broadcast_to(flat >= 0, whole).reshape(-1)
    row = np.arange(whole[0] * whole[1]).reshape(*whole[:2], 1)
    row, columns, values = (
        np.broadcast_to(v, whole).reshape(-1)[kept]
        for v in (row, start + flat, factors(flat)[None, :, None])
    )
    M = matrices.from_entries(row, columns, values, (whole[0] * whole[1], x.size))
    return t.fold.times(x, M, (batch, channels, *counts))


def max_pool(t: Tensors, x: Form, windows: Windows) -> Value:
    """The largest of each window of x (N, C, *image)."""
    batch, channels, *image = x.shape
    seen = windows.places(image)
    counts = seen.shape[: len(image)]
    flat = seen.reshape(math.prod(counts), -1)
    first = flat[np.arange(len(flat)), (flat >= 0).argmax(axis=1)]
    if (first < 0).any():
        raise ValueError("a window of MaxPool sees padding only")
    inside = np.where(flat >= 0, flat, first[:, None])  # twice the same changes no maximum
    start = np.arange(batch * channels)[:, None, None] * math.prod(image)
    matrices.check_size(batch * channels * inside.size, f"max pooling of the shape {x.shape}")
    best = t.extreme(
        t.fold.selected(x, (start + inside).reshape(-1, inside.shape[1])), [1], False, True
    )
    return t.fold.reshaped(best, (batch, channels, *counts))


def adaptive_pool(
    t: Tensors, x: Value, axes: Sequence[int], sizes: Sequence[int], average: bool
) -> Value:
    """Means or maxima of m parts of each axis: from ⌊kn/m⌋ up to ⌈(k+1)n/m⌉ of n, k < m."""

    def reduced(part: Value, axis: int) -> Value:
        if average:
            return t.sum(part, [axis], True, mean=True)
        return t.extreme(part, [axis], True, True)

    for axis, m in zip(axes, sizes, strict=True):
        n = x.shape[axis]
        parts = [range(k * n // m, -(-(k + 1) * n // m)) for k in range(m)]
        cut = [t.places(x, partial(np.take, indices=p, axis=axis)) for p in parts]
        x = t.concatenate([reduced(part, axis) for part in cut], axis)
    return x
