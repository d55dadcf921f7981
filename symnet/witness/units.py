"""Where a network is at home: a centre and a step for each input, told from the network alone.

Rows of matrices that multiply the inputs tell both: z = w x + b is about 0 at the centre, and a
step changes it by about 1. An input that enters bare, as in 1/T or log(rho), is told by what comes
after: a place is looked for where every value exists and the forms of all nodes are small.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symnet.network import Network
from symnet.network.graph import Node
from symnet.witness import analytic

Array = NDArray[Any]

_NEURONS = 64  # of each matrix that are looked at; the rest is much like them
_LARGEST = 1e100  # a unit beyond which weights are as good as zero
_MAGNITUDES = [sign * 10.0**k for k in sorted(np.arange(-6, 6.5, 0.5), key=abs) for sign in (1, -1)]
_ROUNDS, _TRIED = 24, 64  # of the search for a place where the network is defined
_BESIDE = 0.1  # of an input, or a step: where the network should be defined, too
_PROBED = 16  # places beside a centre
_AT_AN_END = 1e3  # what counts against a place for each value that is missing beside it
_TOLERATED = 0.5  # by how much a step may raise `_strain`
_UNUSUAL = 1e-3  # what a bare input's distance from 1 counts beside a form's from 0


@dataclass(frozen=True, eq=False)
class Units:
    """The centre (n,) and the steps (n,) of the inputs, all finite, steps above 0."""

    centre: Array
    step: Array


@lru_cache(maxsize=32)
def units(network: Network) -> Units:
    """The network's own units. ValueError when a weight is symbolic."""
    centre, step, bare = _told(network)
    if bare.any():
        centre, step = _with_bare(network, centre, step, np.flatnonzero(bare))
    elif not _well_defined(network, centre, step):
        centre = _defined_place(network, centre, step)
    for array in (centre, step):
        array.setflags(write=False)
    return Units(centre, step)


def _told(network: Network) -> tuple[Array, Array, NDArray[np.bool_]]:
    """Centre and steps by the matrices of the inputs, and which inputs enter only bare.

    What enters an activation tells first, then what enters products and sums: a quadratic form's
    matrix is as large as it likes, and flat nowhere. Each input is told by the first that has it.
    """
    centre, step = np.zeros(network.n), np.ones(network.n)
    untold = np.full(network.n, True)
    for weights, bias in _forms(network):
        own = untold & (weights != 0).any(axis=0)
        found = np.linalg.lstsq(weights[:, own], -bias - weights @ centre, rcond=1e-6)[0]
        centre[own] = np.where(np.abs(found) < _LARGEST, found, 0.0)
        lengths = np.linalg.norm(np.clip(weights[:, own], -_LARGEST, _LARGEST), axis=0)
        step[own] = 1.0 / np.where(lengths > 1 / _LARGEST, lengths, 1.0)
        untold &= ~own
    return centre, step, own  # those that the last forms tell, which are bare


def defined(network: Network, points: Array) -> NDArray[np.bool_]:
    """At which of the points (N, n) the network has a value: outside a domain that is NaN."""
    return np.logical_not(np.isnan(analytic.value(network, points)).any(axis=1))


def _forms(network: Network) -> list[tuple[Array, Array]]:
    """Rows and biases of the forms of x: of activations, of other nodes, and of bare inputs."""
    n = network.n
    groups: tuple[list[tuple[Array, Array]], ...] = [], [], []
    activated, others, alone = groups
    for node in network.numeric().nodes:
        found = _of_inputs(node, n)
        if found is not None:
            weights, bias = (part[:_NEURONS] for part in found)
            bare = _bare(weights, bias)
            group = others if node.kind in ("form", "product") else activated
            group.append((weights[~bare], bias[~bare]))
            alone.append((weights[bare], bias[bare]))
    nothing = np.empty((0, n)), np.empty(0)
    return [
        (np.concatenate(weights), np.concatenate(bias))
        for weights, bias in (zip(nothing, *group, strict=True) for group in groups)
    ]


def _of_inputs(node: Node, n: int) -> tuple[Array, Array] | None:
    """The node's matrix of the inputs and its bias, where it has one."""
    for term in node.terms:
        if term.source == 0:
            weights = np.eye(n) if term.weights is None else term.weights
            bias = np.zeros(len(weights)) if node.bias is None else node.bias
            rows = max(len(weights), len(bias))  # a form one wide is spread
            return np.broadcast_to(weights, (rows, n)), np.broadcast_to(bias, rows)
    return None


def _bare(weights: Array, bias: Array) -> NDArray[np.bool_]:
    """Which rows are an input and nothing else."""
    alone = (np.count_nonzero(weights, axis=1) == 1) & (weights.max(axis=1) == 1) & (bias == 0)
    return np.asarray(alone)


# --- inputs that enter bare ---------------------------------------------------------------------


def _with_bare(network: Network, centre: Array, step: Array, bare: Array) -> tuple[Array, Array]:
    """Centre and steps with those of bare inputs found, one after the other, ever more finely."""
    for decades in (None, None, 0.5, 0.05):
        for i in bare:
            values = np.array(_MAGNITUDES)
            if decades is not None:
                values = centre[i] * 10.0 ** np.linspace(-decades, decades, 41)
            # Of equally good ones the first is taken, which is where it stands.
            points = _varied(centre, i, np.append(centre[i], values))
            centre = _inside(network, points, i, bare)
    step = step.copy()
    for i in bare:
        step[i] = _step(network, centre, i)
    return centre, step


def _varied(centre: Array, i: int, values: Array) -> Array:
    points = np.repeat(centre[None], len(values), axis=0)
    points[:, i] = values
    return points


def _step(network: Network, centre: Array, i: int) -> float:
    """The longest step of input i, halved from its centre, that strains the network no more."""
    steps = (abs(centre[i]) or 1.0) * 0.5 ** np.arange(40)
    sides = [_strain(network, _varied(centre, i, centre[i] + sign * steps)) for sign in (-1, 1)]
    good = np.max(sides, axis=0) <= _strain(network, centre[None]) + _TOLERATED
    return float(steps[np.argmax(good)]) if good.any() else float(steps[-1])


def _strain(network: Network, points: Array) -> Array:
    """How far the forms at points (N, n) are from 0 on the whole; more for each that is none.

    Bare inputs do not count, as it is their units that are looked for.
    """
    forms, missing = analytic.sketch(network, points)
    told = [np.empty((len(points), 0))]
    for node, form in zip(network.numeric().nodes, forms, strict=True):
        of_inputs = _of_inputs(node, network.n)
        if len(node.terms) > 1 or of_inputs is None or not _bare(*of_inputs).all():
            told.append(form)
    with np.errstate(all="ignore"):
        size = np.nan_to_num(np.log1p(np.concatenate(told, axis=1) ** 2), posinf=0.0)
    found: Array = 1e6 * missing + np.sum(size, axis=1) / max(1, size.shape[1])
    return found


def _inside(network: Network, points: Array, i: int, bare: Array) -> Array:
    """The best of points that differ in input i, preferably not at the end of a domain.

    Where nothing else tells, as of products, whose forms are the smaller the smaller the inputs,
    an input near 1, or 0.
    """
    beside = np.zeros_like(points)
    beside[:, i] = _BESIDE * np.where(points[:, i], np.abs(points[:, i]), 1.0)
    strain = _strain(network, points) + _at_an_end(network, points, beside)
    unusual = np.log(np.abs(points[:, bare]) + (points[:, bare] == 0)) ** 2
    found: Array = points[np.argmin(strain + _UNUSUAL * unusual.mean(axis=1))]
    return found


def _well_defined(network: Network, centre: Array, step: Array) -> bool:
    """Whether the network is defined at the centre, which is at no end of a domain.

    There rounding would decide whether there is a value.
    """
    if all(node.activation is None or node.activation.total for node in network.nodes):
        return True
    random = np.random.default_rng(0)
    beside = centre + _BESIDE * step * random.standard_normal((_PROBED, network.n))
    return bool(defined(network, np.vstack([centre, beside])).all())


def _defined_place(network: Network, centre: Array, step: Array) -> Array:
    """A point near the centre where the network is defined, or where fewest entries are not.

    Preferably not at the end of a domain.
    """
    random = np.random.default_rng(0)
    for _ in range(_ROUNDS):
        lengths = 10.0 ** random.uniform(-2, 2, (_TRIED, 1))
        around = centre + step * lengths * random.standard_normal((_TRIED, network.n))
        points = np.vstack([centre, around])
        beside = _BESIDE * step * random.standard_normal(points.shape)
        strain = _strain(network, points) + _at_an_end(network, points, beside)
        centre = points[np.argmin(strain)]
        if strain.min() < _AT_AN_END:
            break
    return centre


def _at_an_end(network: Network, points: Array, beside: Array) -> Array:
    """What counts against points (N, n) on one side of which the network has no value."""
    right, left = (analytic.sketch(network, points + side * beside)[1] for side in (1, -1))
    return _AT_AN_END * (right + left)
