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


def _layer_norm(t: Tensors, x: Value, *given: Any) -> list[Any]:
    return [layers.layer_norm(t, x, *given), None, None]


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
    return [layers.group_norm(t, x, groups, weight, bias, epsilon), None, None]


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
        raise ValueError("it is a transposed convolution, which is read where it is not decomposed")
    return layers.conv(t, x, weight, bias, stride, padding, dilation, groups)


RULES: Mapping[str, Rule] = {
    "_native_batch_norm_legit_no_training": _batch_norm,
    "native_layer_norm": _layer_norm,
    "native_group_norm": _group_norm,
    "_softmax": lambda t, x, dim, half: t.softmax(x, [dim], False),
    "_log_softmax": lambda t, x, dim, half: t.softmax(x, [dim], True),
    "convolution": _convolution,
}
