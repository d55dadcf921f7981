"""Points and expected results with which a generated file tests itself, wherever it is run.

The expected results come from the analytic engine, which shares nothing with what is generated.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symnet.compiling import Compiled
from symnet.languages.testpoints import ROUNDING, chosen, rounded
from symnet.network import Network
from symnet.witness import analytic
from symnet.witness.units import units

Array = NDArray[Any]

_TINY = 1e-300  # allowed where all terms are zero, so that errors can be divided by it


@dataclass(frozen=True)
class Examples:
    """Points (N, n); by order, expected results (N, m, n, …, n) and the sizes of their terms.

    Along a direction (n,) without zeros they are y, J u, u H u, … (N, m).
    """

    points: Array
    expected: tuple[Array, ...]
    sizes: tuple[Array, ...]
    precision: str = "double"
    direction: Array | None = None

    @property
    def allowed(self) -> tuple[Array, ...]:
        """The largest absolute error of each entry that is put down to rounding, by order.

        Arrays (m, n, …, n): an entry's terms are as large as at the worst of the points, and no
        entry has the allowance of another, whose inputs or output may be in other units.
        """
        rounding = ROUNDING[self.precision]
        return tuple(np.maximum(rounding * size.max(axis=0), _TINY) for size in self.sizes)


def examples(
    network: Network,
    function: Compiled,
    precision: str = "double",
    direction: Array | None = None,
) -> Examples:
    """Examples of `network`'s derivatives up to the order of `function`, or of those along one.

    Orders above the second, which the analytic engine does not know, are taken from `function`
    itself: it should have been verified. ValueError when a weight is symbolic, or the network
    has no finite value and partials at ordinary points.
    """
    points = chosen(function, function.order)
    points = points if precision == "float" else rounded(points)
    low = min(function.order, 2)
    higher = [function.derivative(r, points) for r in range(low + 1, function.order + 1)]
    larger = [_terms(network, result) for result in higher]
    columns = None if direction is None else direction[:, None]
    expected, sizes = analytic.measured(network, points, low, columns)
    if direction is not None:
        shape = (len(points), network.m)
        expected, sizes = (tuple(r.reshape(shape) for r in rs) for rs in (expected, sizes))
        higher, larger = _along(higher, direction), _along(larger, np.abs(direction))
    return Examples(points, (*expected, *higher), (*sizes, *larger), precision, direction)


def _terms(network: Network, result: Array) -> Array:
    """The sizes of terms where nobody has them: as the largest entry in the inputs' units."""
    step, order = units(network).step, result.ndim - 2
    scale = reduce(np.multiply.outer, [step] * order)
    largest = np.max(np.abs(result) * scale, axis=tuple(range(2, 2 + order)), keepdims=True)
    return largest / scale


def _along(results: Iterable[Array], direction: Array) -> list[Array]:
    found = []
    for result in results:
        while result.ndim > 2:
            result = result @ direction
        found.append(result)
    return found


_TABULATED = 300  # expected entries of a point that a self-test compares, for each order
_COLUMNS = 8  # that the engine carries for an entry alone
_HELD = 2**21  # numbers of directions at a time
_TINY_IN_SINGLE = 1e-30  # the same in single precision


@dataclass(frozen=True)
class Expectation:
    """What one order's results are compared with at `points`.

    expected: shape (points, count), the entries 0, stride, 2 stride, … of each flat result;
    allowed: shape (count,), for each of these the largest absolute error that is put down to
    rounding: no entry has the allowance of another, whose inputs or output may be in other units.
    """

    order: int
    stride: int
    expected: Array
    allowed: Array


def expectations(
    network: Network, function: Compiled, precision: str = "double"
) -> tuple[Array, tuple[Expectation, ...]]:
    """Points (N, n) that are exact in either precision, and what to expect there.

    Of results with many entries an evenly spread part is compared. Raises as `examples`.
    """
    points = chosen(function, function.order)
    return points, expected_at(network, function, points, precision)


def selected(
    network: Network,
    function: Compiled,
    precision: str,
    partials: Mapping[int, Mapping[str, tuple[int, ...]]],
) -> tuple[Array, tuple[Expectation, ...]]:
    """The same for chosen entries of each order; see `lowering.partials.named`."""
    points = chosen(function, max(partials))
    places = {order: np.array(list(entries.values())) for order, entries in partials.items()}
    found = _entries(network, function, points, places)
    return points, tuple(
        Expectation(order, 1, expected, _allowed(sizes, precision))
        for order, (expected, sizes) in found.items()
    )


def expected_at(
    network: Network, function: Compiled, points: Array, precision: str = "double"
) -> tuple[Expectation, ...]:
    """What to expect at these points (N, n), for each order up to that of `function`."""
    strides, places = {}, {}
    for order in range(function.order + 1):
        shape = (network.m, *[network.n] * order)
        stride = -(-prod(shape) // _TABULATED)
        stride += stride % 2 == 0  # odd: not the same column of each row
        strides[order] = stride
        places[order] = np.stack(np.unravel_index(range(0, prod(shape), stride), shape), axis=1)
    found = _entries(network, function, points, places)
    return tuple(
        Expectation(order, strides[order], expected, _allowed(sizes, precision))
        for order, (expected, sizes) in found.items()
    )


def _entries(
    network: Network, function: Compiled, points: Array, places: Mapping[int, Array]
) -> dict[int, tuple[Array, Array]]:
    """By order, entries (N, count) at points (N, n), and the sizes of their terms.

    places: (count, 1 + order), an output and the inputs of each.
    """
    few = 2 in places and _COLUMNS * len(places[2]) < network.n**2
    low = max((order for order in places if order <= 2 - few), default=0)
    known = analytic.measured(network, points, low)
    found = {}
    for order, own in places.items():
        if order > 2:
            result = function.derivative(order, points)
            found[order] = result[:, *own.T], _terms(network, result)[:, *own.T]
        elif order == 2 and few:
            found[order] = _seconds(network, points, own)
        else:
            expected, sizes = (results[order][:, *own.T] for results in known)
            found[order] = expected, sizes
    return found


def _seconds(network: Network, points: Array, places: Array) -> tuple[Array, Array]:
    """The same of second derivatives, each of them along its own two inputs.

    Of 200 inputs and 300 entries the engine carries a twentieth of all second derivatives.
    """
    parts = -(-2 * points.size * len(places) // _HELD)
    found = []
    for part in np.array_split(places, parts):
        count = len(part)
        directions = np.zeros((count, network.n, 2))
        for column, inputs in enumerate(part.T[1:]):
            directions[range(count), inputs, column] = 1
        X = np.repeat(points, count, axis=0)
        own = np.tile(directions, (len(points), 1, 1))
        outputs = np.tile(part[:, 0], len(points))
        found.append(
            [
                results[2][range(len(X)), outputs, 0, 1].reshape(len(points), count)
                for results in analytic.measured(network, X, 2, own)
            ]
        )
    expected, sizes = (np.concatenate(parts, axis=1) for parts in zip(*found, strict=True))
    return expected, sizes


def _allowed(sizes: Array, precision: str) -> Array:
    """For each entry, of the sizes of its terms (points, count), in two digits."""
    least = _TINY_IN_SINGLE if precision == "float" else _TINY
    allowed = np.maximum(ROUNDING[precision] * sizes.max(axis=0), least)
    return np.array([float(f"{error:.1e}") for error in allowed.tolist()])
