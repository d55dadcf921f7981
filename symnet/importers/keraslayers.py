"""A rule for each of Keras's layers, on tensors with a batch axis: configuration and arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from symnet.activations import activation
from symnet.importers import functions, images
from symnet.importers.tensors import Tensors, Value
from symnet.importers.windows import Windows, same_pads
from symnet.network.weights import Array


@dataclass(frozen=True)
class Layer:
    """A layer that is applied: its configuration, the tensors it takes, its arrays in order."""

    tensors: Tensors
    config: Mapping[str, Any]
    inputs: Sequence[Value]
    arrays: Sequence[Array]

    @property
    def x(self) -> Value:
        """The only input."""
        if len(self.inputs) != 1:
            raise ValueError(f"it takes {len(self.inputs)} tensors, expected one")
        return self.inputs[0]


Rule = Callable[[Layer], Value]

_FORMULAS = {
    "relu6": functions.PLAIN["relu6"],
    "leaky_relu": functions.leaky(0.2),
    "celu": functions.celu(),
}
"""Keras's activations whose formula is not that of the table's row of the same name."""


def _function(layer: Layer, given: Any, x: Value) -> Value:
    """An activation that a configuration names."""
    t = layer.tensors
    name = given.get("class_name", "") if isinstance(given, dict) else given
    if name in (None, "linear"):
        return x
    if not isinstance(name, str):
        raise ValueError(f"its activation is {given!r}")
    if name in ("softmax", "log_softmax"):
        return t.softmax(x, [-1], name == "log_softmax")
    value = _FORMULAS.get(name)
    return t.apply(activation(name).value if value is None else value, x, name)


def _dense(layer: Layer) -> Value:
    t = layer.tensors
    value = t.matmul(layer.x, _array(layer, 0, "kernel"))
    if layer.config.get("use_bias", True):
        value = t.add(value, _array(layer, 1, "bias"))
    return _function(layer, layer.config.get("activation"), value)


def _array(layer: Layer, k: int, what: str) -> Array:
    if k >= len(layer.arrays):
        raise ValueError(f"the file has no {what} for it ({len(layer.arrays)} arrays)")
    return layer.arrays[k]


def _channels(layer: Layer, array: Array) -> Array:
    """A vector of channels along the axis that the configuration names."""
    rank, axis = len(layer.x.shape), layer.config.get("axis", -1)
    axis = axis[0] if isinstance(axis, list) else axis
    shape = [1] * rank
    shape[axis] = -1
    return array.reshape(shape)


def _batch_normalization(layer: Layer) -> Value:
    config = layer.config
    arrays = list(layer.arrays)
    gamma = arrays.pop(0) if config.get("scale", True) else 1.0
    beta = arrays.pop(0) if config.get("center", True) else 0.0
    mean, variance = arrays[:2]
    factor = gamma / np.sqrt(variance + config["epsilon"])
    scaled = layer.tensors.multiply(layer.x, _channels(layer, factor))
    return layer.tensors.add(scaled, _channels(layer, beta - mean * factor))


def _layer_normalization(layer: Layer) -> Value:
    config, t = layer.config, layer.tensors
    axis = config.get("axis", -1)
    value = t.normalised(layer.x, axis if isinstance(axis, list) else [axis], config["epsilon"])
    arrays = list(layer.arrays)
    if config.get("scale", True):
        value = t.multiply(value, arrays.pop(0))
    return t.add(value, arrays.pop(0)) if config.get("center", True) else value


def _normalization(layer: Layer) -> Value:
    config, t = layer.config, layer.tensors
    if config.get("mean") is not None:
        mean, variance = np.asarray(config["mean"]), np.asarray(config["variance"])
    else:
        mean, variance = _array(layer, 0, "mean"), _array(layer, 1, "variance")
    # Keras's smallest deviation is its epsilon, 1e-7.
    deviation = np.maximum(np.sqrt(variance.astype(np.float64)), 1e-7)
    if config.get("invert"):
        return t.add(t.multiply(layer.x, deviation), mean)
    return t.divide(t.subtract(layer.x, mean), deviation)


def _rescaling(layer: Layer) -> Value:
    t = layer.tensors
    scaled = t.multiply(layer.x, np.asarray(layer.config["scale"], dtype=np.float64))
    return t.add(scaled, np.asarray(layer.config.get("offset", 0.0), dtype=np.float64))


def _conv(layer: Layer) -> Value:
    config, t = layer.config, layer.tensors
    first = config.get("data_format") == "channels_first"
    x = layer.x if first else t.places(layer.x, lambda a: np.moveaxis(a, -1, 1))
    kernel = np.moveaxis(_array(layer, 0, "kernel"), [-1, -2], [0, 1])
    bias = _array(layer, 1, "bias") if config.get("use_bias", True) else None
    windows = _windows(config, x.shape[2:], kernel.shape[2:], config.get("dilation_rate"))
    form = t.form(x)
    value = images.conv(t, form, kernel, bias, windows, int(config.get("groups", 1)))
    value = value if first else t.places(value, lambda a: np.moveaxis(a, 1, -1))
    return _function(layer, config.get("activation"), value)


def _windows(
    config: Mapping[str, Any], image: Sequence[int], kernel: Sequence[int], dilation: Any
) -> Windows:
    rank = len(kernel)
    strides = _each(config.get("strides") or kernel, rank)
    dilations = _each(dilation or 1, rank)
    padding = config.get("padding", "valid")
    if padding not in ("valid", "same"):
        raise ValueError(f"its padding is {padding!r}; symnet reads valid and same")
    pads = same_pads(image, kernel, strides, dilations) if padding == "same" else None
    return Windows.of(kernel, strides, dilations, pads)


def _each(given: Any, rank: int) -> list[int]:
    return [int(given)] * rank if isinstance(given, int) else [int(v) for v in given]


def _pool(average: bool, rank: int) -> Rule:
    def rule(layer: Layer) -> Value:
        t, config = layer.tensors, layer.config
        first = config.get("data_format") == "channels_first"
        x = layer.x if first else t.places(layer.x, lambda a: np.moveaxis(a, -1, 1))
        windows = _windows(config, x.shape[2:], _each(config["pool_size"], rank), None)
        form = t.form(x)
        value = (
            images.average_pool(t, form, windows, False)
            if average
            else images.max_pool(t, form, windows)
        )
        return value if first else t.places(value, lambda a: np.moveaxis(a, 1, -1))

    return rule


def _global(average: bool) -> Rule:
    def rule(layer: Layer) -> Value:
        x, config = layer.x, layer.config
        first = config.get("data_format") == "channels_first"
        axes = list(range(2, len(x.shape))) if first else list(range(1, len(x.shape) - 1))
        keep = bool(config.get("keepdims"))
        t = layer.tensors
        return t.sum(x, axes, keep, mean=True) if average else t.extreme(x, axes, keep, True)

    return rule


def _fold(operation: Callable[[Tensors, Value, Value], Value], mean: bool = False) -> Rule:
    def rule(layer: Layer) -> Value:
        value = layer.inputs[0]
        for other in layer.inputs[1:]:
            value = operation(layer.tensors, value, other)
        return layer.tensors.multiply(value, 1 / len(layer.inputs)) if mean else value

    return rule


def _reshape(layer: Layer) -> Value:
    return layer.tensors.reshape(layer.x, (1, *layer.config["target_shape"]))


def _permute(layer: Layer) -> Value:
    return layer.tensors.places(layer.x, lambda a: a.transpose(0, *layer.config["dims"]))


def _flatten(layer: Layer) -> Value:
    if layer.config.get("data_format") == "channels_first" and len(layer.x.shape) > 2:
        moved = layer.tensors.places(layer.x, lambda a: np.moveaxis(a, 1, -1))
        return layer.tensors.reshape(moved, (1, -1))
    return layer.tensors.reshape(layer.x, (1, -1))


def _relu(layer: Layer) -> Value:
    config, t = layer.config, layer.tensors
    if config.get("threshold"):
        raise ValueError("it has a threshold; symnet reads ReLU with 0")
    slope = float(config.get("negative_slope") or 0)
    value = t.apply(functions.leaky(slope), layer.x, "leaky_relu") if slope else None
    high = config.get("max_value")
    if value is None:
        return t.clip(layer.x, 0.0, high)
    return value if high is None else t.clip(value, None, high)


def _leaky(layer: Layer) -> Value:
    slope = layer.config.get("negative_slope", layer.config.get("alpha", 0.3))
    return layer.tensors.apply(functions.leaky(slope), layer.x, "leaky_relu")


def _elu(layer: Layer) -> Value:
    value = functions.elu(layer.config.get("alpha", 1.0))
    return layer.tensors.apply(value, layer.x, "elu")


def _softmax(layer: Layer) -> Value:
    axis = layer.config.get("axis", -1)
    return layer.tensors.softmax(layer.x, axis if isinstance(axis, list) else [axis])


LAYERS: Mapping[str, Rule] = {
    "InputLayer": lambda layer: layer.x,
    "Dense": _dense,
    "Activation": lambda layer: _function(layer, layer.config["activation"], layer.x),
    "ReLU": _relu,
    "LeakyReLU": _leaky,
    "ELU": _elu,
    "Softmax": _softmax,
    "PReLU": lambda layer: layer.tensors.prelu(layer.x, _array(layer, 0, "slopes")),
    **dict.fromkeys(
        ("Dropout", "AlphaDropout", "GaussianDropout", "GaussianNoise", "SpatialDropout1D"),
        lambda layer: layer.x,
    ),
    **dict.fromkeys(("ActivityRegularization", "SpatialDropout2D"), lambda layer: layer.x),
    "BatchNormalization": _batch_normalization,
    "LayerNormalization": _layer_normalization,
    "Normalization": _normalization,
    "Rescaling": _rescaling,
    "Conv1D": _conv,
    "Conv2D": _conv,
    "AveragePooling1D": _pool(True, 1),
    "AveragePooling2D": _pool(True, 2),
    "MaxPooling1D": _pool(False, 1),
    "MaxPooling2D": _pool(False, 2),
    "GlobalAveragePooling1D": _global(True),
    "GlobalAveragePooling2D": _global(True),
    "GlobalMaxPooling1D": _global(False),
    "GlobalMaxPooling2D": _global(False),
    "Concatenate": lambda layer: layer.tensors.concatenate(
        list(layer.inputs), layer.config.get("axis", -1)
    ),
    "Add": _fold(Tensors.add),
    "Subtract": _fold(Tensors.subtract),
    "Multiply": _fold(Tensors.multiply),
    "Maximum": _fold(Tensors.maximum),
    "Minimum": _fold(Tensors.minimum),
    "Average": _fold(Tensors.add, mean=True),
    "Flatten": _flatten,
    "Reshape": _reshape,
    "Permute": _permute,
}
