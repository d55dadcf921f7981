"""Points at which a network is checked, in its own units: ordinary, far out, and beside seams."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symnet.activations import Activation
from symnet.network import Network
from symnet.witness import analytic
from symnet.witness.units import Units, units

Array = NDArray[Any]

PAIRS = 8
"""Pairs of points beside seams at most."""

_NEAR = 1e-7  # how close to a seam, in steps
_PARTS = 32  # of a line at once: a matrix takes as long for two points as for many
_HALVINGS = 60
_ROUNDINGS = 32  # that a pre-activation may be off by
_UNKNOWN = 1.0  # rounding of a pre-activation, or relative to it, beyond which nothing is known


def ordinary(network: Network, random: np.random.Generator, count: int) -> Array:
    """Points (count, n) where what the inputs enter is neither flat nor saturated.

    Standard normal steps from a centre, in `units`: around the least-squares solution of
    W x + b = 0, by steps which change W x by about 1. Points where the network overflows or is
    not defined are moved toward the centre. ValueError when a weight is symbolic.
    """
    return _drawn(network, units(network), random, np.ones(count))


def scaling(network: Network) -> tuple[Array, Array]:
    """The centre and the steps (n,) of `ordinary` points. ValueError when a weight is symbolic."""
    own = units(network)
    return own.centre, own.step


def far(network: Network, random: np.random.Generator, count: int, factor: float) -> Array:
    """Points (count, n) like `ordinary` ones, `factor` times as far out; overflows stay."""
    return _drawn(network, units(network), random, np.full(count, factor))


def ever_farther(network: Network, random: np.random.Generator, counts: dict[float, int]) -> Array:
    """So many points at each factor, 1 for ordinary ones, one after the other."""
    own = units(network)
    factors = np.repeat(list(counts), list(counts.values()))
    return _drawn(network, own, random, factors)


def _drawn(network: Network, own: Units, random: np.random.Generator, factors: Array) -> Array:
    """A point for each factor; where the network has no value there, nearer to the centre."""
    steps = factors[:, None] * own.step
    points = own.centre + steps * random.standard_normal((len(factors), network.n))
    ordinary = factors == 1

    def lost(points: Array, ordinary: NDArray[np.bool_]) -> NDArray[np.bool_]:
        values = analytic.value(network, points)
        finite, defined = np.isfinite(values).all(axis=1), ~np.isnan(values).any(axis=1)
        return np.logical_not(np.where(ordinary, finite, defined))

    away = lost(points, ordinary)
    if not away.any() or lost(own.centre[None], np.array([True]))[0]:
        return points
    for _ in range(_HALVINGS):
        points[away] = (points[away] + own.centre) / 2
        away[away] = lost(points[away], ordinary[away])
        if not away.any():
            break
    return points


def clear(network: Network, points: Array, rounding: float) -> NDArray[np.bool_]:
    """Which of the points (N, n) rounding puts on no other side of a kink, nor far off."""
    found = np.full(len(points), True)
    for activation, z, width in _widths(network, points, rounding):
        found &= _told(z, width)
        for kink in map(float, activation.kinks):
            found &= (np.abs(z - kink) > width).all(axis=1)
    return found


def known(network: Network, points: Array, rounding: float) -> NDArray[np.bool_]:
    """At which of the points (N, n) each neuron's z has digits left.

    Where 10^8 is taken from 10^8, single precision has none.
    """
    found = np.full(len(points), True)
    for _, z, width in _widths(network, points, rounding):
        found &= _told(z, width)
    return found


def _told(z: Array, width: Array) -> NDArray[np.bool_]:
    return np.logical_not((width > _UNKNOWN * np.maximum(1.0, np.abs(z))).any(axis=1))


def _widths(
    network: Network, points: Array, rounding: float
) -> Iterator[tuple[Activation, Array, Array]]:
    """Each activation, its z, and what that is moved by where inputs are by some roundings."""
    if not len(points):
        return
    moved = [points * (1 + sign * _ROUNDINGS * rounding) for sign in (-1, 0, 1)]
    forms = analytic.preactivations(network, np.concatenate(moved))
    for node, form in zip(network.nodes, forms, strict=True):
        if node.activation is not None:
            low, z, high = np.split(form, 3)
            with np.errstate(invalid="ignore"):  # of two infinite ones nothing is clear
                width = np.maximum(np.abs(low - z), np.abs(high - z))
            yield node.activation, z, width + _ROUNDINGS * rounding * np.abs(z)


def beside_seams(network: Network, random: np.random.Generator, pairs: int = PAIRS) -> Array:
    """Up to so many pairs of points on the two sides of seams, found by sections: (2 pairs, n).

    Each seam of an activation has its turn before another has its second.
    """
    if not any(own.seams for own in network.activations.values()):
        return np.empty((0, network.n))
    own, turns = units(network), Counter[tuple[str, float]]()
    found: list[Array] = []
    for _ in range(pairs):
        pair = np.array(_beside_a_seam(network, own, random, turns)).reshape(-1, network.n)
        if clear(network, pair, float(np.finfo(float).eps)).all():
            found.append(pair)
    return np.concatenate([np.empty((0, network.n)), *found])


def _beside_a_seam(
    network: Network, own: Units, random: np.random.Generator, turns: Counter[tuple[str, float]]
) -> list[Array]:
    """Two points moved together around a seam that lies between them, or nothing."""
    ends = _drawn(network, own, random, np.full(2, 3.0))
    pre, _ = analytic.sketch(network, ends)
    crossed = [
        (k, neuron, (node.activation.name, seam))
        for k, (node, z) in enumerate(zip(network.nodes, pre, strict=True))
        if node.activation is not None
        for seam in map(float, node.activation.seams)
        for neuron in np.flatnonzero((z[0] - seam) * (z[1] - seam) < 0)
    ]
    if not crossed:
        return []
    fewest = min(turns[which] for _, _, which in crossed)
    crossed = [found for found in crossed if turns[found[2]] == fewest]
    k, neuron, which = crossed[random.integers(len(crossed))]
    turns[which] += 1
    while np.max(np.abs(ends[1] - ends[0]) / own.step) > _NEAR:
        between = np.linspace(ends[0], ends[1], _PARTS + 1)
        z = analytic.sketch(network, between)[0][k][:, neuron] - which[1]
        crossing = np.flatnonzero(z[:-1] * z[1:] <= 0)
        closer = between[crossing[:1, None] + [0, 1]].reshape(-1, network.n)
        if not len(closer) or (closer == ends).all():
            break
        ends = closer
    return list(ends)
