"""Rules of PyTorch's layers: normalisation, convolution, pooling, attention."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from symnet.importers.folding import images
from symnet.importers.folding.choices import Condition
from symnet.importers.folding.forms import Form
from symnet.importers.folding.tensors import Tensors, Value
from symnet.importers.folding.windows import Windows
from symnet.importers.torch import refusals
from symnet.network.weights import Array

Rule = Callable[..., Any]


def batch_norm(
    t: Tensors,
    x: Value,
    weight: Value | None,
    bias: Value | None,
    mean: Array | None,
    variance: Array | None,
    training: bool = False,
    momentum: float = 0.1,
    epsilon: float = 1e-5,
    *_: Any,
) -> Value:
    """By the statistics that it has kept."""
    if training or mean is None or variance is None:
        raise ValueError(refusals.BY_BATCH)
    factor = 1 / np.sqrt(variance + epsilon)
    shape = [1, -1, *[1] * (len(x.shape) - 2)]
    if isinstance(weight, Form) or isinstance(bias, Form):
        raise ValueError("its weights depend on the inputs")
    factor = factor if weight is None else weight * factor
    shift = -mean * factor if bias is None else bias - mean * factor
    return t.add(t.multiply(x, factor.reshape(shape)), shift.reshape(shape))


def layer_norm(
    t: Tensors,
    x: Value,
    normalized_shape: Sequence[int],
    weight: Value | None = None,
    bias: Value | None = None,
    epsilon: float = 1e-5,
    *_: Any,
) -> Value:
    """Over the last axes."""
    value = t.normalised(x, list(range(-len(normalized_shape), 0)), epsilon)
    return affine(t, value, weight, bias, ())


def group_norm(
    t: Tensors,
    x: Value,
    groups: int,
    weight: Value | None = None,
    bias: Value | None = None,
    epsilon: float = 1e-5,
    *_: Any,
) -> Value:
    """Over groups of channels and all places."""
    grouped = t.reshape(x, (x.shape[0], groups, -1))
    value = t.reshape(t.normalised(grouped, [2], epsilon), x.shape)
    return affine(t, value, weight, bias, (1, -1, *[1] * (len(x.shape) - 2)))


def instance_norm(
    t: Tensors,
    x: Value,
    weight: Value | None,
    bias: Value | None,
    mean: Array | None,
    variance: Array | None,
    of_input: bool,
    momentum: float,
    epsilon: float,
    *_: Any,
) -> Value:
    """Over all places of each channel, or by kept statistics."""
    if not of_input:
        return batch_norm(t, x, weight, bias, mean, variance, False, momentum, epsilon)
    value = t.normalised(x, list(range(2, len(x.shape))), epsilon)
    return affine(t, value, weight, bias, (1, -1, *[1] * (len(x.shape) - 2)))


def affine(
    t: Tensors, x: Value, weight: Value | None, bias: Value | None, shape: Sequence[int]
) -> Value:
    """x · weight + bias, where there are any, brought to the shape, if that is not empty."""
    for constant, operation in ((weight, t.multiply), (bias, t.add)):
        if constant is not None:
            x = operation(x, t.reshape(constant, shape) if shape else constant)
    return x


def conv(
    t: Tensors,
    x: Value,
    weight: Array,
    bias: Array | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Value:
    """A convolution of an image of any number of axes."""
    rank = _rank(weight, bias)
    dilations = _each(dilation, rank)
    if padding == "same":
        total = [d * (k - 1) for d, k in zip(dilations, weight.shape[2:], strict=True)]
        pads = [p // 2 for p in total] + [p - p // 2 for p in total]
    else:
        pads = _each(0 if padding == "valid" else padding, rank) * 2
    windows = Windows.of(weight.shape[2:], _each(stride, rank), dilations, pads)
    return images.conv(t, t.form(x), weight, bias, windows, groups)


def conv_transpose(
    t: Tensors,
    x: Value,
    weight: Array,
    bias: Array | None = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Value:
    """What a convolution does to gradients."""
    rank, image, kernel = _rank(weight, bias), x.shape[2:], weight.shape[2:]
    strides, dilations = _each(stride, rank), _each(dilation, rank)
    pads, more = _each(padding, rank), _each(output_padding, rank)
    size = [
        (image[k] - 1) * strides[k] - 2 * pads[k] + dilations[k] * (kernel[k] - 1) + 1 + more[k]
        for k in range(rank)
    ]
    windows = Windows.of(kernel, strides, dilations, pads * 2)
    return images.conv_transpose(t, t.form(x), weight, bias, windows, size, groups)


def _rank(weight: Array, bias: Array | None) -> int:
    """Axes of an image. ValueError where the kernels are no constants."""
    if isinstance(weight, Form) or isinstance(bias, Form):
        raise ValueError("its weights depend on the inputs")
    return weight.ndim - 2


def _each(given: Any, rank: int) -> list[int]:
    values = [given] if isinstance(given, int) else list(given)
    return values * rank if len(values) == 1 else values


def max_pool(rank: int, places: bool = False) -> Rule:
    """The largest of windows; beside it, where they are asked for, places: which are not read."""

    def rule(
        t: Tensors,
        x: Value,
        kernel: Any,
        stride: Any = (),
        padding: Any = 0,
        dilation: Any = 1,
        ceil_mode: bool = False,
    ) -> Any:
        sizes = _each(kernel, rank)
        steps = sizes if not stride else _each(stride, rank)
        pads = _each(padding, rank) * 2
        windows = Windows.of(sizes, steps, _each(dilation, rank), pads, ceil_mode)
        value = images.max_pool(t, t.form(x), windows)
        return [value, None] if places else value

    return rule


def adaptive_max_pool(rank: int) -> Rule:
    """The largest of each of a given number of windows, and None for its place."""

    def rule(t: Tensors, x: Value, sizes: Any) -> Any:
        found = images.adaptive_pool(t, x, range(-rank, 0), _each(sizes, rank), False)
        return [found, None]

    return rule


def bilinear(t: Tensors, x: Value, y: Value, weight: Array, bias: Array | None = None) -> Value:
    """Σ_ij W_oij x_i y_j + b_o."""
    out, before, after = weight.shape
    flat = np.asarray(weight).transpose(1, 0, 2).reshape(before, out * after)
    rows = t.reshape(t.matmul(x, flat), (*x.shape[:-1], out, after))
    beside = t.places(y, lambda a: np.expand_dims(a, -2))
    value = t.sum(t.multiply(rows, beside), [-1], False)
    return value if bias is None else t.add(value, bias)


def attention(
    t: Tensors,
    query: Value,
    key: Value,
    value: Value,
    attn_mask: Any = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Value:
    """softmax(q kᵀ scale + mask) v."""
    if dropout_p:
        raise ValueError("it drops out in evaluation")
    if isinstance(attn_mask, Condition):
        raise ValueError(
            "its mask, of truth values, depends on the inputs: outside of it is minus infinity; "
            "add a large negative number there instead"
        )
    if enable_gqa:  # several queries for each key and value
        times = query.shape[-3] // key.shape[-3]
        key, value = (t.places(v, lambda a: np.repeat(a, times, -3)) for v in (key, value))
    factor = 1 / math.sqrt(query.shape[-1]) if scale is None else scale
    turned = t.places(key, lambda a: np.swapaxes(a, -1, -2))
    scores = t.multiply(t.matmul(query, turned), factor)
    if is_causal:
        scores = t.add(scores, np.where(np.tri(*scores.shape[-2:]) > 0, 0.0, -np.inf))
    elif attn_mask is not None:
        known = attn_mask.dtype == bool if isinstance(attn_mask, np.ndarray) else False
        mask = np.where(attn_mask, 0.0, -np.inf) if known else attn_mask
        scores = t.add(scores, mask)
    return t.matmul(t.softmax(scores, [-1]), value)


def distances(t: Tensors, x: Value, y: Value, p: float = 2.0, *_: Any) -> Value:
    """|x_i − y_j| of all pairs of rows."""
    return norm(t, _between(t, x, y), p, [-1])


def _between(t: Tensors, x: Value, y: Value) -> Value:
    """x_i − y_j."""
    left = t.places(x, lambda a: a[..., :, None, :])
    return t.subtract(left, t.places(y, lambda a: a[..., None, :, :]))


def distance_slopes(t: Tensors, over: Value, x: Value, y: Value, p: float, d: Value) -> Value:
    """Σ_j over_ij (x_i − y_j)/d_ij, of the distances d_ij."""
    if p != 2:
        raise ValueError(f"the derivative of distances of the order {p}; symnet reads that of 2")
    factor = t.reshape(t.divide(over, d), (*d.shape, 1))
    return t.sum(t.multiply(factor, _between(t, x, y)), [-2], False)


def norm(
    t: Tensors, x: Value, order: float = 2, dim: Any = None, keepdim: bool = False, **_: Any
) -> Value:
    """The norms of orders 1, 2 and ∞ over axes."""
    axes = None if dim in (None, []) else [dim] if isinstance(dim, int) else list(dim)
    if order == 2:
        return t.apply("sqrt", t.sum(t.apply("square", x), axes, keepdim))
    if order == 1:
        return t.sum(t.apply("abs", x), axes, keepdim)
    if order == math.inf:
        return t.extreme(t.apply("abs", x), axes, keepdim, True)
    raise ValueError(f"a norm of the order {order}; symnet reads 1, 2 and infinity")
