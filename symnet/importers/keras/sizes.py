"""Keras's layers that change the size of images: UpSampling, Resizing, CenterCrop.

All are linear: along each axis a matrix, or places. Cubics differ between Keras's backends.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np

from symnet.importers.folding import images
from symnet.importers.folding.resizing import Sampling, along
from symnet.importers.folding.tensors import Value
from symnet.importers.keras.layer import Layer, Rule

_SAMPLINGS = {"bilinear": Sampling("linear"), "nearest": Sampling(nearest="round_prefer_ceil")}


def _start(layer: Layer) -> int:
    """The first axis of the image."""
    return 2 if layer.config.get("data_format") == "channels_first" else 1


def _resized(layer: Layer, sizes: Sequence[int], word: str) -> Value:
    if word not in _SAMPLINGS:
        raise ValueError(f"it interpolates {word}; symnet reads {', '.join(_SAMPLINGS)}")
    value, sampling = layer.x, _SAMPLINGS[word]
    for axis, size in enumerate(sizes, start=_start(layer)):
        before = value.shape[axis]
        if before != size:
            value = along(layer.tensors, value, axis, sampling.matrix(before, size))
    return value


def _enlarged(rank: int) -> Rule:
    def rule(layer: Layer) -> Value:
        given, value, start = layer.config["size"], layer.x, _start(layer)
        times = [given] * rank if isinstance(given, int) else list(given)
        word = layer.config.get("interpolation", "nearest")
        if word != "nearest":
            image = value.shape[start : start + rank]
            return _resized(layer, [n * k for n, k in zip(image, times, strict=True)], word)
        for k, factor in enumerate(times):
            value = layer.tensors.places(value, partial(np.repeat, repeats=factor, axis=start + k))
        return value

    return rule


def _resizing(layer: Layer) -> Value:
    config = layer.config
    for name in ("crop_to_aspect_ratio", "pad_to_aspect_ratio", "antialias"):
        if config.get(name):
            raise ValueError(f"it has {name}; symnet reads it without")
    sizes = [int(config["height"]), int(config["width"])]
    return _resized(layer, sizes, str(config.get("interpolation", "bilinear")))


def _center_crop(layer: Layer) -> Value:
    value, start = layer.x, _start(layer)
    for axis, name in enumerate(("height", "width"), start=start):
        size, wanted = value.shape[axis], int(layer.config[name])
        if wanted > size:
            raise ValueError(f"it crops {size} entries to {wanted}, which Keras resizes to")
        first = (size - wanted) // 2
        chosen = range(first, first + wanted)
        value = layer.tensors.places(value, partial(np.take, indices=chosen, axis=axis))
    return value


def _adaptive(average: bool) -> Rule:
    def rule(layer: Layer) -> Value:
        rank, given = len(layer.x.shape) - 2, layer.config["output_size"]
        sizes = [given] * rank if isinstance(given, int) else list(given)
        axes = range(_start(layer), _start(layer) + rank)
        return images.adaptive_pool(layer.tensors, layer.x, axes, sizes, average)

    return rule


SIZES: Mapping[str, Rule] = {
    **{f"UpSampling{rank}D": _enlarged(rank) for rank in (1, 2, 3)},
    **{f"AdaptiveAveragePooling{rank}D": _adaptive(True) for rank in (1, 2, 3)},
    **{f"AdaptiveMaxPooling{rank}D": _adaptive(False) for rank in (1, 2, 3)},
    "Resizing": _resizing,
    "CenterCrop": _center_crop,
}
