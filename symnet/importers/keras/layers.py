"""A rule for each of Keras's layers, on tensors with a batch axis: configuration and arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import sympy
from sympy import Piecewise

from symnet.activations import Z
from symnet.importers.folding import functions
from symnet.importers.folding.einsum import einsum
from symnet.importers.folding.tensors import Tensors, Value
from symnet.importers.keras.attention import ATTENTION, constant_mask, masked
from symnet.importers.keras.convolutions import CONVOLUTIONS
from symnet.importers.keras.layer import Layer, Rule, array, function
from symnet.importers.keras.normalizations import NORMALIZATIONS, unit
from symnet.importers.keras.recurrent import RECURRENT
from symnet.importers.keras.sizes import SIZES


def _dense(layer: Layer) -> Value:
    t = layer.tensors
    value = t.matmul(layer.x, array(layer, 0, "kernel"))
    if layer.config.get("use_bias", True):
        value = t.add(value, array(layer, 1, "bias"))
    return function(layer, layer.config.get("activation"), value)


def _rescaling(layer: Layer) -> Value:
    t = layer.tensors
    scaled = t.multiply(layer.x, np.asarray(layer.config["scale"], dtype=np.float64))
    return t.add(scaled, np.asarray(layer.config.get("offset", 0.0), dtype=np.float64))


def _fold(operation: Callable[[Tensors, Value, Value], Value], mean: bool = False) -> Rule:
    def rule(layer: Layer) -> Value:
        value = layer.inputs[0]
        for other in layer.inputs[1:]:
            value = operation(layer.tensors, value, other)
        return layer.tensors.multiply(value, 1 / len(layer.inputs)) if mean else value

    return rule


def _reshape(layer: Layer) -> Value:
    return layer.tensors.reshape(layer.x, (layer.x.shape[0], *layer.config["target_shape"]))


def _permute(layer: Layer) -> Value:
    return layer.tensors.places(layer.x, lambda a: a.transpose(0, *layer.config["dims"]))


def _flatten(layer: Layer) -> Value:
    if layer.config.get("data_format") == "channels_first" and len(layer.x.shape) > 2:
        moved = layer.tensors.places(layer.x, lambda a: np.moveaxis(a, 1, -1))
        return layer.tensors.reshape(moved, (layer.x.shape[0], -1))
    return layer.tensors.reshape(layer.x, (layer.x.shape[0], -1))


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


def _thresholded(layer: Layer) -> Value:
    """z where it is larger than theta, else 0; of Keras 2."""
    low = functions.number(layer.config.get("theta", 1.0))
    return layer.tensors.apply(Piecewise((0, low >= Z), (Z, True)), layer.x, "threshold")


def _softmax(layer: Layer) -> Value:
    axis, x = layer.config.get("axis", -1), layer.x
    if layer.named.get("mask") is not None:
        x = masked(layer.tensors, x, constant_mask(layer.named["mask"]) > 1 / 2)
    return layer.tensors.softmax(x, axis if isinstance(axis, list) else [axis])


def _repeat_vector(layer: Layer) -> Value:
    count = int(layer.config["n"])
    return layer.tensors.places(layer.x, lambda a: np.repeat(a[:, None], count, axis=1))


def _dot(layer: Layer) -> Value:
    """Sums of products along one axis of each, the batch aside."""
    t, (x, y) = layer.tensors, layer.inputs
    axes = layer.config["axes"]
    mine, its = (axes, axes) if isinstance(axes, int) else axes
    if layer.config.get("normalize"):
        x, y = (unit(t, v, [axis]) for v, axis in ((x, mine), (y, its)))
    left = "Z" + "abcdefgh"[: len(x.shape) - 1]
    right = "Z" + "ijklmnop"[: len(y.shape) - 1]
    mine, its = mine % len(x.shape), its % len(y.shape)
    right = right[:its] + left[mine] + right[its + 1 :]
    result = "Z" + "".join(c for c in left[1:] + right[1:] if c != left[mine])
    value = einsum(t, f"{left},{right}->{result}", [x, y])
    return t.reshape(value, (-1, 1)) if len(result) == 1 else value


def _einsum_dense(layer: Layer) -> Value:
    config, t = layer.config, layer.tensors
    value = einsum(t, config["equation"], [layer.x, array(layer, 0, "kernel")])
    if config.get("bias_axes"):
        value = t.add(value, array(layer, 1, "bias"))
    return function(layer, config.get("activation"), value)


def _time_distributed(layer: Layer) -> Value:
    """A layer for each entry of the first axis, which is a batch to it."""
    assert layer.inner is not None
    steps, *rest = layer.x.shape[1:]
    rows = layer.tensors.reshape(layer.x, (steps, *rest))
    value = layer.inner(layer.config["layer"], rows)
    return layer.tensors.reshape(value, (1, steps, *value.shape[1:]))


def _wrapped(layer: Layer) -> Value:
    """The layer inside, whose kernel is stored as it was last normalised."""
    assert layer.inner is not None
    return layer.inner(layer.config["layer"], layer.x)


LAYERS: Mapping[str, Rule] = {
    "InputLayer": lambda layer: layer.x,
    "Dense": _dense,
    "Activation": lambda layer: function(layer, layer.config["activation"], layer.x),
    "ReLU": _relu,
    "LeakyReLU": _leaky,
    "ELU": _elu,
    "Softmax": _softmax,
    "ThresholdedReLU": _thresholded,
    "PReLU": lambda layer: layer.tensors.prelu(layer.x, array(layer, 0, "slopes")),
    **dict.fromkeys(
        ("Dropout", "AlphaDropout", "GaussianDropout", "GaussianNoise", "SpatialDropout1D"),
        lambda layer: layer.x,
    ),
    **dict.fromkeys(
        ("ActivityRegularization", "SpatialDropout2D", "SpatialDropout3D"), lambda layer: layer.x
    ),
    **dict.fromkeys(
        ("RandomFlip", "RandomRotation", "RandomZoom", "RandomTranslation", "RandomContrast"),
        lambda layer: layer.x,
    ),
    "Rescaling": _rescaling,
    "RepeatVector": _repeat_vector,
    "Dot": _dot,
    "EinsumDense": _einsum_dense,
    "TimeDistributed": _time_distributed,
    "SpectralNormalization": _wrapped,
    **NORMALIZATIONS,
    **CONVOLUTIONS,
    **SIZES,
    **RECURRENT,
    **ATTENTION,
    "Identity": lambda layer: layer.x,
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
