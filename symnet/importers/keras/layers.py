"""A rule for each of Keras's layers, on tensors with a batch axis: configuration and arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import sympy
from sympy import Piecewise, sqrt

from symnet.activations import Z, activation
from symnet.importers.folding import functions, images
from symnet.importers.folding.einsum import einsum
from symnet.importers.folding.tensors import Tensors, Value
from symnet.importers.folding.windows import Windows, same_pads
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
    "soft_shrink": functions.shrink(0.5, 0.5),
    "hard_shrink": functions.shrink(0.5, 0),
    "squareplus": (Z + sqrt(Z**2 + 4)) / 2,
    "sparse_plus": Piecewise((0, Z <= -1), (Z, Z >= 1), ((Z + 1) ** 2 / 4, True)),
    "sparse_sigmoid": Piecewise((0, Z <= -1), (1, Z >= 1), ((Z + 1) / 2, True)),
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
    if name == "glu":
        half = x.shape[-1] // 2
        gate = t.apply("sigmoid", t.places(x, lambda a: a[..., half:]))
        return t.multiply(t.places(x, lambda a: a[..., :half]), gate)
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
    axes = axis if isinstance(axis, list) else [axis]
    arrays = list(layer.arrays)
    if config.get("rms_scaling"):  # by the deviation, of what is not centred; it has no shift
        return _rms_scaled(layer, axes, _array(layer, 0, "scale"))
    value = t.normalised(layer.x, axes, config["epsilon"])
    if config.get("scale", True):
        value = t.multiply(value, _along(layer.x, arrays.pop(0), axes))
    return (
        t.add(value, _along(layer.x, arrays.pop(0), axes)) if config.get("center", True) else value
    )


def _along(x: Value, array: Array, axes: Sequence[int]) -> Array:
    """Constants whose axes are these of x."""
    shape = [1] * len(x.shape)
    for axis in axes:
        shape[axis] = x.shape[axis]
    order = np.argsort([axis % len(x.shape) for axis in axes])
    return (
        array.transpose(order).reshape(shape) if array.ndim == len(axes) else array.reshape(shape)
    )


def _rms_scaled(layer: Layer, axes: Sequence[int], scale: Array) -> Value:
    """x/sqrt(variance + ε) scale; Keras takes the variance about the mean, and does not centre."""
    x, t = layer.x, layer.tensors
    centred = t.subtract(x, t.sum(x, axes, True, mean=True))
    variance = t.sum(t.apply("square", centred), axes, True, mean=True)
    value = t.multiply(x, t.apply("rsqrt", t.add(variance, layer.config["epsilon"])))
    return t.multiply(value, _along(x, scale, axes))


def _rms_normalization(layer: Layer) -> Value:
    axis = layer.config.get("axis", -1)
    axes = axis if isinstance(axis, list) else [axis]
    value = layer.tensors.normalised(layer.x, axes, layer.config["epsilon"], centre=False)
    return layer.tensors.multiply(value, _along(layer.x, _array(layer, 0, "scale"), axes))


def _group_normalization(layer: Layer) -> Value:
    config, t, x = layer.config, layer.tensors, layer.x
    axis, groups = config.get("axis", -1) % len(x.shape), int(config["groups"])
    channels = x.shape[axis]
    groups = channels if groups == -1 else groups
    moved = t.places(x, lambda a: np.moveaxis(a, axis, 1))
    parts = t.normalised(t.reshape(moved, (x.shape[0], groups, -1)), [2], config["epsilon"])
    value = t.places(t.reshape(parts, moved.shape), lambda a: np.moveaxis(a, 1, axis))
    arrays = list(layer.arrays)
    if config.get("scale", True):
        value = t.multiply(value, _along(x, arrays.pop(0), [axis]))
    return t.add(value, _along(x, arrays.pop(0), [axis])) if config.get("center", True) else value


def _unit_normalization(layer: Layer) -> Value:
    axis, t = layer.config.get("axis", -1), layer.tensors
    axes = axis if isinstance(axis, list) else [axis]
    squares = t.sum(t.apply("square", layer.x), axes, True)
    return t.divide(layer.x, t.apply("sqrt", t.maximum(squares, np.array(1e-12))))


def _normalization(layer: Layer) -> Value:
    config, t = layer.config, layer.tensors
    if config.get("mean") is not None:
        mean, variance = np.asarray(config["mean"]), np.asarray(config["variance"])
    else:
        mean, variance = _array(layer, 0, "mean"), _array(layer, 1, "variance")
    axis = config.get("axis", -1)
    if axis is not None and np.ndim(mean):
        axes = axis if isinstance(axis, list) else [axis]
        mean, variance = (
            np.squeeze(a).reshape([layer.x.shape[k] for k in axes]) for a in (mean, variance)
        )
        mean, variance = (_along(layer.x, a, axes) for a in (mean, variance))
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
    kernel = np.moveaxis(_array(layer, 0, "kernel"), [-1, -2], [0, 1])
    value = _convolved(layer, _first(layer), kernel, 1, int(layer.config.get("groups", 1)))
    return _finished(layer, value)


def _depthwise(layer: Layer) -> Value:
    """Each channel by kernels of its own: (*kernel, channels, multiplier)."""
    x = _first(layer)
    return _finished(layer, _convolved(layer, x, _own_kernels(layer), 1, x.shape[1]))


def _separable(layer: Layer) -> Value:
    x, t = _first(layer), layer.tensors
    kernel = _own_kernels(layer)
    windows = _windows(
        layer.config, x.shape[2:], kernel.shape[2:], layer.config.get("dilation_rate")
    )
    value = images.conv(t, t.form(x), kernel, None, windows, x.shape[1])
    point = np.moveaxis(_array(layer, 1, "pointwise kernel"), [-1, -2], [0, 1])
    bias = _array(layer, 2, "bias") if layer.config.get("use_bias", True) else None
    plain = Windows.of(point.shape[2:])
    return _finished(layer, images.conv(t, t.form(value), point, bias, plain, 1))


def _own_kernels(layer: Layer) -> Array:
    kernel = np.moveaxis(_array(layer, 0, "kernel"), [-2, -1], [0, 1])
    return kernel.reshape(-1, 1, *kernel.shape[2:])


def _first(layer: Layer) -> Value:
    """The input with its channels before the image."""
    if layer.config.get("data_format") == "channels_first":
        return layer.x
    return layer.tensors.places(layer.x, lambda a: np.moveaxis(a, -1, 1))


def _convolved(layer: Layer, x: Value, kernel: Array, k: int, groups: int) -> Value:
    config, t = layer.config, layer.tensors
    bias = _array(layer, k, "bias") if config.get("use_bias", True) else None
    windows = _windows(config, x.shape[2:], kernel.shape[2:], config.get("dilation_rate"))
    return images.conv(t, t.form(x), kernel, bias, windows, groups)


def _finished(layer: Layer, value: Value) -> Value:
    """The activation, with the channels where they were."""
    if layer.config.get("data_format") != "channels_first":
        value = layer.tensors.places(value, lambda a: np.moveaxis(a, 1, -1))
    return _function(layer, layer.config.get("activation"), value)


def _windows(
    config: Mapping[str, Any], image: Sequence[int], kernel: Sequence[int], dilation: Any
) -> Windows:
    rank = len(kernel)
    strides = _each(config.get("strides") or kernel, rank)
    dilations = _each(dilation or 1, rank)
    padding = config.get("padding", "valid")
    if padding not in ("valid", "same", "causal"):
        raise ValueError(f"its padding is {padding!r}; symnet reads valid, same and causal")
    pads = same_pads(image, kernel, strides, dilations) if padding == "same" else None
    if padding == "causal":
        pads = [(k - 1) * d for k, d in zip(kernel, dilations, strict=True)] + [0] * rank
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
    slope = float(config.get("negative_slope") or 0)
    if start := float(config.get("threshold") or 0):
        low, high = functions.number(start), config.get("max_value")
        below = functions.number(slope) * (Z - low)
        above = (
            Z
            if high is None
            else Piecewise((functions.number(high), functions.number(high) <= Z), (Z, True))
        )
        return t.apply(
            sympy.piecewise_fold(Piecewise((below, low > Z), (above, True))), layer.x, "threshold"
        )
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


def _padded(rank: int, cut: bool) -> Rule:
    """Zeros around an image, or its border taken off."""

    def rule(layer: Layer) -> Value:
        given = layer.config["cropping" if cut else "padding"]
        sizes = [given, given] if isinstance(given, int) else list(given)
        around = [(s, s) if isinstance(s, int) else tuple(s) for s in sizes]
        around = [(sizes[0], sizes[1])] if rank == 1 else around
        around = [(-a, -b) for a, b in around] if cut else around
        first = layer.config.get("data_format") == "channels_first"
        widths = [(0, 0), *([(0, 0)] if first else []), *around, *([] if first else [(0, 0)])]
        return layer.tensors.pad(layer.x, widths)

    return rule


def _enlarged(rank: int) -> Rule:
    def rule(layer: Layer) -> Value:
        if layer.config.get("interpolation", "nearest") != "nearest":
            raise ValueError("it interpolates; symnet reads nearest")
        start = 2 if layer.config.get("data_format") == "channels_first" else 1
        value = layer.x
        for k, times in enumerate(_each(layer.config["size"], rank)):
            value = layer.tensors.places(value, partial(np.repeat, repeats=times, axis=start + k))
        return value

    return rule


def _repeat_vector(layer: Layer) -> Value:
    count = int(layer.config["n"])
    return layer.tensors.places(layer.x, lambda a: np.repeat(a[:, None], count, axis=1))


def _dot(layer: Layer) -> Value:
    """Sums of products along one axis of each, the batch aside."""
    t, (x, y) = layer.tensors, layer.inputs
    axes = layer.config["axes"]
    mine, its = (axes, axes) if isinstance(axes, int) else axes
    if layer.config.get("normalize"):
        x, y = (_unit(t, v, axis) for v, axis in ((x, mine), (y, its)))
    left = "Z" + "abcdefgh"[: len(x.shape) - 1]
    right = "Z" + "ijklmnop"[: len(y.shape) - 1]
    mine, its = mine % len(x.shape), its % len(y.shape)
    right = right[:its] + left[mine] + right[its + 1 :]
    result = "Z" + "".join(c for c in left[1:] + right[1:] if c != left[mine])
    value = einsum(t, f"{left},{right}->{result}", [x, y])
    return t.reshape(value, (1, 1)) if len(result) == 1 else value


def _unit(t: Tensors, x: Value, axis: int) -> Value:
    squares = t.sum(t.apply("square", x), [axis], True)
    return t.divide(x, t.apply("sqrt", t.maximum(squares, np.array(1e-12))))


def _einsum_dense(layer: Layer) -> Value:
    config, t = layer.config, layer.tensors
    value = einsum(t, config["equation"], [layer.x, _array(layer, 0, "kernel")])
    if config.get("bias_axes"):
        value = t.add(value, _array(layer, 1, "bias"))
    return _function(layer, config.get("activation"), value)


def _time_distributed(layer: Layer) -> Value:
    """A layer for each entry of the first axis; Dense works on the last axis anyway."""
    inner = layer.config["layer"]
    if inner["class_name"] not in ("Dense", "Activation", "Dropout"):
        raise ValueError(f"it repeats {inner['class_name']}; symnet reads Dense in it")
    return LAYERS[inner["class_name"]](replace(layer, config=inner["config"]))


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
    "RMSNormalization": _rms_normalization,
    "GroupNormalization": _group_normalization,
    "UnitNormalization": _unit_normalization,
    **dict.fromkeys(("Conv1D", "Conv2D", "Conv3D"), _conv),
    **dict.fromkeys(("DepthwiseConv1D", "DepthwiseConv2D"), _depthwise),
    **dict.fromkeys(("SeparableConv1D", "SeparableConv2D"), _separable),
    "ZeroPadding1D": _padded(1, False),
    "ZeroPadding2D": _padded(2, False),
    "Cropping1D": _padded(1, True),
    "Cropping2D": _padded(2, True),
    "UpSampling1D": _enlarged(1),
    "UpSampling2D": _enlarged(2),
    "RepeatVector": _repeat_vector,
    "Dot": _dot,
    "EinsumDense": _einsum_dense,
    "TimeDistributed": _time_distributed,
    "Identity": lambda layer: layer.x,
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
