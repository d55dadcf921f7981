"""Keras's convolutions, pooling, padding and enlarging of images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from symnet.importers.folding import images
from symnet.importers.folding.tensors import Value
from symnet.importers.folding.windows import Windows, same_pads
from symnet.importers.keras.layer import Layer, Rule, array, function
from symnet.network.weights import Array


def _conv(layer: Layer) -> Value:
    kernel = np.moveaxis(array(layer, 0, "kernel"), [-1, -2], [0, 1])
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
    point = np.moveaxis(array(layer, 1, "pointwise kernel"), [-1, -2], [0, 1])
    bias = array(layer, 2, "bias") if layer.config.get("use_bias", True) else None
    plain = Windows.of(point.shape[2:])
    return _finished(layer, images.conv(t, t.form(value), point, bias, plain, 1))


def _own_kernels(layer: Layer) -> Array:
    kernel = np.moveaxis(array(layer, 0, "kernel"), [-2, -1], [0, 1])
    return kernel.reshape(-1, 1, *kernel.shape[2:])


def _first(layer: Layer) -> Value:
    """The input with its channels before the image."""
    if layer.config.get("data_format") == "channels_first":
        return layer.x
    return layer.tensors.places(layer.x, lambda a: np.moveaxis(a, -1, 1))


def _convolved(layer: Layer, x: Value, kernel: Array, k: int, groups: int) -> Value:
    config, t = layer.config, layer.tensors
    bias = array(layer, k, "bias") if config.get("use_bias", True) else None
    windows = _windows(config, x.shape[2:], kernel.shape[2:], config.get("dilation_rate"))
    return images.conv(t, t.form(x), kernel, bias, windows, groups)


def _finished(layer: Layer, value: Value) -> Value:
    """The activation, with the channels where they were."""
    if layer.config.get("data_format") != "channels_first":
        value = layer.tensors.places(value, lambda a: np.moveaxis(a, 1, -1))
    return function(layer, layer.config.get("activation"), value)


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


def _padded(rank: int, cut: bool) -> Rule:
    """Zeros around an image, or its border taken off."""

    def rule(layer: Layer) -> Value:
        given = layer.config["cropping" if cut else "padding"]
        sizes = [given] * max(rank, 2) if isinstance(given, int) else list(given)
        around = [(s, s) if isinstance(s, int) else tuple(s) for s in sizes]
        around = [(sizes[0], sizes[1])] if rank == 1 else around
        around = [(-a, -b) for a, b in around] if cut else around
        first = layer.config.get("data_format") == "channels_first"
        widths = [(0, 0), *([(0, 0)] if first else []), *around, *([] if first else [(0, 0)])]
        return layer.tensors.pad(layer.x, widths)

    return rule


def _transposed(layer: Layer) -> Value:
    """What a convolution does to gradients, of kernels (*kernel, filters, channels)."""
    config, t, x = layer.config, layer.tensors, _first(layer)
    kernel = np.moveaxis(array(layer, 0, "kernel"), [-1, -2], [0, 1])
    bias = array(layer, 1, "bias") if config.get("use_bias", True) else None
    rank = kernel.ndim - 2
    strides, dilations = (
        _each(config["strides"], rank),
        _each(config.get("dilation_rate") or 1, rank),
    )
    more = config.get("output_padding")
    extra = [None] * rank if more is None else _each(more, rank)
    padding = config.get("padding", "valid")
    if padding not in ("valid", "same"):
        raise ValueError(f"its padding is {padding!r}; symnet reads valid and same")
    before, size = [], []
    for n, k, s, d, o in zip(x.shape[2:], kernel.shape[2:], strides, dilations, extra, strict=True):
        extent = (k - 1) * d + 1
        left, right = _around(extent, s, padding == "same", o)
        before.append(extent - 1 - left)
        size.append((n - 1) * s + 1 + left + right - (extent - 1))
    windows = Windows.of(kernel.shape[2:], strides, dilations, [*before, *[0] * rank])
    return _finished(layer, images.conv_transpose(t, t.form(x), kernel, bias, windows, size, 1))


def _around(extent: int, stride: int, same: bool, more: int | None) -> tuple[int, int]:
    """Zeros before and after the entries, which stand `stride` apart, as Keras has them."""
    if not same:
        return extent - 1, extent - 1 + (max(stride - extent, 0) if more is None else more)
    total = stride + extent - 2 if more is None else extent + extent % 2 - 2 + more
    left = min(total // 2 + total % 2, extent - 1)
    return left, total - left


CONVOLUTIONS: Mapping[str, Rule] = {
    **dict.fromkeys(("Conv1D", "Conv2D", "Conv3D"), _conv),
    **dict.fromkeys(("Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose"), _transposed),
    **dict.fromkeys(("DepthwiseConv1D", "DepthwiseConv2D"), _depthwise),
    **dict.fromkeys(("SeparableConv1D", "SeparableConv2D"), _separable),
    **{f"ZeroPadding{rank}D": _padded(rank, False) for rank in (1, 2, 3)},
    **{f"Cropping{rank}D": _padded(rank, True) for rank in (1, 2, 3)},
    **{f"AveragePooling{rank}D": _pool(True, rank) for rank in (1, 2, 3)},
    **{f"MaxPooling{rank}D": _pool(False, rank) for rank in (1, 2, 3)},
    **{f"GlobalAveragePooling{rank}D": _global(True) for rank in (1, 2, 3)},
    **{f"GlobalMaxPooling{rank}D": _global(False) for rank in (1, 2, 3)},
}
