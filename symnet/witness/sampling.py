"""Points at which a network is checked, in its own units: ordinary, far out, and beside kinks."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from symnet.network import Network
from symnet.witness import analytic

Array = NDArray[Any]

_NEURONS = 64  # of the first layer that are looked at; the rest is much like them
_LARGEST = 1e100  # a unit beyond which weights are as good as zero
_NEAR = 1e-7  # how close to a kink, in steps of `ordinary`


def ordinary(network: Network, random: np.random.Generator, count: int) -> Array:
    """Points (count, n) where the first layer is neither flat nor saturated.

    Around the least-squares solution of W1 x + b1 = 0, with standard normal steps along each
    input, in units that change z1 by about 1. ValueError when a weight is symbolic.
    """
    return _centre(network) + _steps(network) * random.standard_normal((count, network.n))


def scaling(network: Network) -> tuple[Array, Array]:
    """The centre and the steps (n,) of `ordinary` points. ValueError when a weight is symbolic."""
    return _centre(network), _steps(network)


def far(network: Network, random: np.random.Generator, count: int, factor: float) -> Array:
    """Points (count, n) like `ordinary` ones, `factor` times as far out."""
    return _centre(network) + factor * _steps(network) * random.standard_normal((count, network.n))


def beside_kinks(network: Network, random: np.random.Generator, pairs: int = 8) -> Array:
    """Up to so many pairs of points on the two sides of kinks, found by bisection: (2 pairs, n)."""
    found: list[Array] = []
    for _ in range(pairs):
        found += _beside_a_kink(network, random, far(network, random, 2, 3.0))
    return np.array(found).reshape(-1, network.n)


def _centre(network: Network) -> Array:
    weights, bias = network.numbers()[0]
    shift = np.zeros(len(weights)) if bias is None else bias
    centre = np.linalg.lstsq(weights[:_NEURONS], -shift[:_NEURONS], rcond=1e-6)[0]
    return np.where(np.abs(centre) < _LARGEST, centre, 0.0)


def _steps(network: Network) -> Array:
    lengths = np.linalg.norm(network.numbers()[0][0][:_NEURONS], axis=0)
    return 1.0 / np.where(lengths > 1 / _LARGEST, lengths, 1.0)


def _beside_a_kink(network: Network, random: np.random.Generator, ends: Array) -> list[Array]:
    """The two ends moved together around a kink that lies between them, or nothing."""
    pre = analytic.preactivations(network, ends)
    crossed = [
        (k, neuron, kink)
        for k, (layer, z) in enumerate(zip(network.layers, pre, strict=True))
        for kink in map(float, layer.activation.kinks)
        for neuron in np.flatnonzero((z[0] - kink) * (z[1] - kink) < 0)
    ]
    if not crossed:
        return []
    k, neuron, kink = crossed[random.integers(len(crossed))]
    left, right = ends
    while np.max(np.abs(right - left) / _steps(network)) > _NEAR:
        middle = (left + right) / 2
        z = analytic.preactivations(network, np.stack([left, middle]))[k][:, neuron] - kink
        left, right = (left, middle) if z[0] * z[1] <= 0 else (middle, right)
    return [left, right]
