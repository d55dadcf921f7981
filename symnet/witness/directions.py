"""Along which directions of the inputs a network's derivatives are compared.

The analytic engine carries n² second derivatives of every neuron, in time and in memory. Of a
network for which that is too much some inputs are compared, and one direction that all take part
in, with the derivatives along it: contracted with the columns of S (n, k),

    J S,      Sᵀ H S,      …
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from symnet.network import Network
from symnet.witness.units import units

Array = NDArray[Any]

_PRODUCTS = 2**26  # of the analytic engine for a point
_HELD = 2**21  # derivatives of a layer's neurons for a point: 16 MB, of which a few are alive
_FEWEST = 12


def chosen(network: Network, order: int, random: np.random.Generator) -> Array | None:
    """S (n, k): columns of some inputs, the first and the last among them, and a dense direction.

    None where all inputs are affordable.
    """
    count = affordable(network, order)
    if count >= network.n:
        return None
    others = random.choice(np.arange(1, network.n - 1), count - 3, replace=False)
    inputs = np.sort([0, network.n - 1, *others])
    dense = random.uniform(0.5, 1.5, network.n) * units(network).step
    return np.column_stack([np.eye(network.n)[:, inputs], dense])


def work(network: Network, order: int) -> int:
    """Products that the analytic engine takes for a point along the directions compared."""
    return _deep(network) * affordable(network, order) ** min(order, 2) + network.weights_count


def affordable(network: Network, order: int) -> int:
    """How many directions are compared at most: n where none need be left out."""
    power = min(order, 2)
    if not power:
        return network.n
    most = min(_PRODUCTS / _deep(network), _HELD / max(network.widths[1:]))
    return min(network.n, max(_FEWEST, int(most ** (1 / power))))


def _deep(network: Network) -> int:
    """Neurons, and weights of what is no input: these meet second derivatives."""
    widths = network.widths
    return sum(
        widths[k] * (1 + sum(widths[source] for source in node.sources if source > 0))
        for k, node in enumerate(network.nodes, start=1)
    )


def contracted(result: Array, order: int, directions: Array | None) -> Array:
    """Derivatives (..., m, n, …, n) along the directions that are `chosen`: (..., m, k, …, k)."""
    if directions is None or not order:
        return result
    inputs, dense = directions[:, :-1].argmax(axis=0), directions[:, -1]
    with np.errstate(all="ignore"):
        # One after the other: each is copied, in double precision.
        return np.array([_contracted(point, order, inputs, dense) for point in result])


def _contracted(found: Array, order: int, inputs: Array, dense: Array) -> Array:
    """The same of one point."""
    found = found.astype(np.float64, copy=False)
    for axis in range(-1, -order - 1, -1):
        picked = found.take(inputs, axis)
        along = np.expand_dims(np.tensordot(found, dense, axes=(axis, 0)), axis)
        found = np.concatenate([picked, along], axis)
    return found
