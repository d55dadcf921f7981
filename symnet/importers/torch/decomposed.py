"""Rules of what `run_decompositions` makes of layers: PyTorch's core operations."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from symnet.importers.folding.tensors import Tensors, Value
from symnet.importers.torch import layers
from symnet.network.weights import Array

Rule = Callable[..., Any]


def _batch_norm(
    t: Tensors,
    x: Value,
    weight: Value | None,
    bias: Value | None,
    mean: Array,
    variance: Array,
    momentum: float,
    epsilon: float,
) -> list[Any]:
    found = layers.batch_norm(t, x, weight, bias, mean, variance, epsilon=epsilon)
    return [found, None, None]


def _layer_norm(
    t: Tensors,
    x: Value,
    shape: Sequence[int],
    weight: Value | None,
    bias: Value | None,
    epsilon: float,
) -> list[Any]:
    """With mean and 1/deviation, of which the layer's derivative is made."""
    axes = list(range(-len(shape), 0))
    inside, mean = t.centred(x, axes)
    factor = t.inverse_spread(inside, axes, epsilon)
    return [layers.affine(t, t.multiply(inside, factor), weight, bias, ()), mean, factor]


def _group_norm(
    t: Tensors,
    x: Value,
    weight: Value | None,
    bias: Value | None,
    points: int,
    channels: int,
    places: int,
    groups: int,
    epsilon: float,
) -> list[Any]:
    """With mean and 1/deviation of each group."""
    inside, mean = t.centred(t.reshape(x, (points, groups, -1)), [2])
    factor = t.inverse_spread(inside, [2], epsilon)
    normal = t.reshape(t.multiply(inside, factor), x.shape)
    found = layers.affine(t, normal, weight, bias, (1, -1, *[1] * (len(x.shape) - 2)))
    return [found, *(t.reshape(v, (points, groups)) for v in (mean, factor))]


def _convolution(
    t: Tensors,
    x: Value,
    weight: Array,
    bias: Array | None,
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    transposed: bool,
    output_padding: Sequence[int],
    groups: int,
) -> Value:
    if transposed:
        more = stride, padding, output_padding, groups, dilation
        return layers.conv_transpose(t, x, weight, bias, *more)
    return layers.conv(t, x, weight, bias, stride, padding, dilation, groups)


RULES: Mapping[str, Rule] = {
    "_native_batch_norm_legit_no_training": _batch_norm,
    "native_layer_norm": _layer_norm,
    "native_group_norm": _group_norm,
    "_softmax": lambda t, x, dim, half: t.softmax(x, [dim], False),
    "_log_softmax": lambda t, x, dim, half: t.softmax(x, [dim], True),
    "convolution": _convolution,
}
