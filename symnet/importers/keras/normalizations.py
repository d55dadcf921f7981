"""Keras's normalisations: by statistics that are kept, or by the entries of a tensor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from symnet.importers.folding.tensors import Tensors, Value
from symnet.importers.keras.layer import Layer, Rule, array
from symnet.network.weights import Array


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
        return _rms_scaled(layer, axes, array(layer, 0, "scale"))
    value = t.normalised(layer.x, axes, config["epsilon"])
    if config.get("scale", True):
        value = t.multiply(value, along(layer.x, arrays.pop(0), axes))
    return (
        t.add(value, along(layer.x, arrays.pop(0), axes)) if config.get("center", True) else value
    )


def along(x: Value, array: Array, axes: Sequence[int]) -> Array:
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
    return t.multiply(value, along(x, scale, axes))


def _rms_normalization(layer: Layer) -> Value:
    axis = layer.config.get("axis", -1)
    axes = axis if isinstance(axis, list) else [axis]
    value = layer.tensors.normalised(layer.x, axes, layer.config["epsilon"], centre=False)
    return layer.tensors.multiply(value, along(layer.x, array(layer, 0, "scale"), axes))


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
        value = t.multiply(value, along(x, arrays.pop(0), [axis]))
    return t.add(value, along(x, arrays.pop(0), [axis])) if config.get("center", True) else value


def _unit_normalization(layer: Layer) -> Value:
    axis = layer.config.get("axis", -1)
    return unit(layer.tensors, layer.x, axis if isinstance(axis, list) else [axis])


def _normalization(layer: Layer) -> Value:
    config, t = layer.config, layer.tensors
    if config.get("mean") is not None:
        mean, variance = np.asarray(config["mean"]), np.asarray(config["variance"])
    else:
        mean, variance = array(layer, 0, "mean"), array(layer, 1, "variance")
    axis = config.get("axis", -1)
    if axis is not None and np.ndim(mean):
        axes = axis if isinstance(axis, list) else [axis]
        mean, variance = (
            np.squeeze(a).reshape([layer.x.shape[k] for k in axes]) for a in (mean, variance)
        )
        mean, variance = (along(layer.x, a, axes) for a in (mean, variance))
    # Keras's smallest deviation is its epsilon, 1e-7.
    deviation = np.maximum(np.sqrt(variance.astype(np.float64)), 1e-7)
    if config.get("invert"):
        return t.add(t.multiply(layer.x, deviation), mean)
    return t.divide(t.subtract(layer.x, mean), deviation)


def unit(t: Tensors, x: Value, axes: Sequence[int]) -> Value:
    """x/|x| over axes, as Keras bounds it: |x|² is 1e-12 at least."""
    squares = t.sum(t.apply("square", x), axes, True)
    return t.divide(x, t.apply("sqrt", t.maximum(squares, np.array(1e-12))))


NORMALIZATIONS: Mapping[str, Rule] = {
    "BatchNormalization": _batch_normalization,
    "LayerNormalization": _layer_normalization,
    "Normalization": _normalization,
    "RMSNormalization": _rms_normalization,
    "GroupNormalization": _group_normalization,
    "UnitNormalization": _unit_normalization,
}
