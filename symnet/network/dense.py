"""Fully connected layers of given widths, of one number or random: see `Network.dense`."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from symnet.names import shortened, whole
from symnet.network.layer import Layer, Spec
from symnet.network.weights import Array, weight


def layers(
    widths: Sequence[int],
    hidden: Spec | Sequence[Spec],
    output: Spec,
    fill: object,
    seed: int | None,
    bias: bool,
    output_bias: bool,
) -> list[Layer]:
    """The layers that `Network.dense` is made of. ValueError for widths that are none."""
    sizes = _checked_widths(widths)
    activations = [*_per_layer(hidden, len(sizes) - 2), output]
    draw = _drawing(fill, seed)
    found = []
    for k, (before, here) in enumerate(pairwise(sizes), start=1):
        weights = draw((here, before), math.sqrt(6 / (before + here)))
        biased = bias and (output_bias or k < len(sizes) - 1)
        vector = draw((here,), 1 / math.sqrt(before)) if biased else None
        found.append(Layer(weights, vector, activations[k - 1]))
    return found


def _checked_widths(widths: Sequence[int]) -> list[int]:
    sizes = list(widths) if isinstance(widths, Iterable) else [widths]
    if len(sizes) < 2:
        raise ValueError(
            f"widths {shortened(str(widths))}: give a list from the inputs to the outputs, "
            "as [2, 8, 1]"
        )
    return [whole(size, f"widths {shortened(str(sizes))}: a width", 1) for size in sizes]


def _per_layer(spec: Any, count: int) -> list[Spec]:
    if not isinstance(spec, list | tuple):
        return [spec] * count
    if len(spec) != count:
        raise ValueError(f"hidden: {len(spec)} activations, but {count} hidden layers")
    return list(spec)


def _drawing(fill: object, seed: int | None) -> Callable[[tuple[int, ...], float], Array]:
    """A function of a shape and a bound that gives an array of weights."""
    if fill is None:
        rng = np.random.default_rng(0 if seed is None else seed)
        return lambda shape, bound: rng.uniform(-bound, bound, shape)
    if seed is not None:
        raise ValueError("give either fill or seed, not both")
    entry = weight(fill, "fill")
    return lambda shape, _: np.full(
        shape, entry, dtype=float if isinstance(entry, float) else object
    )
