"""Points and expected results with which a generated file tests itself, wherever it is run.

The expected results come from the analytic engine, which shares nothing with what is generated.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symnet.compiling import Compiled
from symnet.network import Network
from symnet.witness import analytic, sampling
from symnet.witness.units import units

Array = NDArray[Any]

_POINTS = 3
_ULPS = 2**13  # allowed error in roundings of the terms' size: other machines round otherwise
_TINY = 1e-300  # allowed where all terms are zero, so that errors can be divided by it


@dataclass(frozen=True)
class Examples:
    """Points (N, n); by order, expected results (N, m, n, …, n) and the sizes of their terms."""

    points: Array
    expected: tuple[Array, ...]
    sizes: tuple[Array, ...]
    precision: str = "double"

    @property
    def allowed(self) -> tuple[Array, ...]:
        """The largest absolute error of each entry that is put down to rounding, by order.

        Arrays (m, n, …, n): an entry's terms are as large as at the worst of the points, and no
        entry has the allowance of another, whose inputs or output may be in other units.
        """
        rounding = _rounding(self.precision)
        return tuple(np.maximum(rounding * size.max(axis=0), _TINY) for size in self.sizes)

    def along(self, direction: Array) -> Examples:
        """The derivatives along a direction (n,) without zeros: y, J u, u H u, … (N, m).

        In the inputs' own units, each takes part; see `direction_of`.
        """
        expected, sizes = _along(self.expected, direction), _along(self.sizes, np.abs(direction))
        return replace(self, expected=expected, sizes=sizes)


def direction_of(network: Network) -> Array:
    """A direction (n,) in the inputs' own units, in which all differ and each takes part."""
    step = units(network).step / (1 + np.arange(network.n) % 7)
    return np.array([float(f"{x:.4g}") for x in step.tolist()])


def examples(network: Network, function: Compiled, precision: str = "double") -> Examples:
    """Examples of `network`'s derivatives up to the order of `function`.

    Orders above the second, which the analytic engine does not know, are taken from `function`
    itself: it should have been verified. ValueError when a weight is symbolic, or the network
    has no finite value and partials at ordinary points.
    """
    points = ordinary_points(network)
    if precision == "float":
        points = _exact(points)
    return replace(_examples_at(network, function, points), precision=precision)


def _examples_at(network: Network, function: Compiled, points: Array) -> Examples:
    low = min(function.order, 2)
    higher = [function.derivative(r, points) for r in range(low + 1, function.order + 1)]
    expected, sizes = analytic.measured(network, points, low)
    return Examples(points, (*expected, *higher), (*sizes, *map(np.abs, higher)))


def ordinary_points(network: Network, count: int = _POINTS) -> Array:
    """Points (count, n) of `sampling.ordinary`, rounded to 4 digits.

    Closer together where the network overflows or is not defined; ValueError when nothing helps.
    """
    points = sampling.ordinary(network, np.random.default_rng(0), count)
    centre = np.mean(points, axis=0)
    for factor in (1, 0.1, 0.01, 0):
        nearer = _rounded(centre + factor * (points - centre))
        if all(np.isfinite(known).all() for known in analytic.derivatives(network, nearer, 2)):
            return nearer
    centre = tuple(nearer[0].tolist())
    raise ValueError(f"{network.describe()}: its value or partials are not finite even at {centre}")


def _rounded(points: Array) -> Array:
    return np.array([[float(f"{x:.4g}") for x in row] for row in points.tolist()])


def _along(results: Iterable[Array], direction: Array) -> tuple[Array, ...]:
    found = []
    for result in results:
        while result.ndim > 2:
            result = result @ direction
        found.append(result)
    return tuple(found)


_TABULATED = 300  # expected entries of a point that a self-test compares, for each order
_TINY_IN_SINGLE = 1e-30  # the same in single precision
_SINGLE_ULPS = 2**10  # the same for single precision, whose own sums are longer for its digits


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
    points = _exact(ordinary_points(network))
    return points, expected_at(network, function, points, precision)


def selected(
    network: Network,
    function: Compiled,
    precision: str,
    partials: Mapping[int, Mapping[str, tuple[int, ...]]],
) -> tuple[Array, tuple[Expectation, ...]]:
    """The same for chosen entries of each order; see `lowering.selecting.partials`."""
    points = _exact(ordinary_points(network))
    known = _examples_at(network, function, points)
    found = []
    for order, entries in partials.items():
        places = tuple(np.array(list(entries.values())).T)
        expected = known.expected[order][:, *places]
        sizes = known.sizes[order][:, *places]
        found.append(Expectation(order, 1, expected, _allowed(sizes, precision)))
    return points, tuple(found)


def expected_at(
    network: Network, function: Compiled, points: Array, precision: str = "double"
) -> tuple[Expectation, ...]:
    """What to expect at these points (N, n), for each order up to that of `function`."""
    known = _examples_at(network, function, points)
    found = []
    for order, (result, size) in enumerate(zip(known.expected, known.sizes, strict=True)):
        flat = result.reshape(len(points), -1)
        stride = -(-flat.shape[1] // _TABULATED)
        stride += stride % 2 == 0  # odd: not the same column of each row
        sizes = size.reshape(flat.shape)[:, ::stride]
        allowed = _allowed(sizes, precision)
        found.append(Expectation(order, stride, flat[:, ::stride], allowed))
    return tuple(found)


def _exact(points: Array) -> Array:
    """Points that are exact in either precision."""
    return points.astype(np.float32).astype(np.float64)


def _rounding(precision: str) -> float:
    """An allowed error in multiples of the terms' size."""
    if precision == "float":
        return _SINGLE_ULPS * float(np.finfo(np.float32).eps)
    return _ULPS * float(np.finfo(np.float64).eps)


def _allowed(sizes: Array, precision: str) -> Array:
    """For each entry, of the sizes of its terms (points, count), in two digits."""
    least = _TINY_IN_SINGLE if precision == "float" else _TINY
    allowed = np.maximum(_rounding(precision) * sizes.max(axis=0), least)
    return np.array([float(f"{error:.1e}") for error in allowed.tolist()])
