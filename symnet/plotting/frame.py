"""What a picture is taken of: a network, which inputs and outputs, over which ranges, where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np
from numpy.typing import NDArray

from symnet.compiling import Compiled
from symnet.network import Network
from symnet.plotting import writing
from symnet.progress import steps

Array = NDArray[np.float64]
Quantity = tuple[int, tuple[int, ...]]
"""An output's position, and those of the inputs along which it is derived."""

PANELS = 60
"""How many panels a picture can have and still be read."""

_ENTRIES = 2**21  # of a block's results at most: 16 MB


@dataclass(frozen=True, eq=False)
class Frame:
    """A network with all that a picture of it needs.

    whole: the network itself. network: what is computed of it, of the outputs shown alone and,
    where there are many inputs, of those shown; function: that one's. inputs, outputs: positions
    there of those shown. low, high, at: (n,), ranges, and the point through which lines and planes
    are drawn. data: points (N, n), or None. notes: what was chosen.
    """

    whole: Network
    network: Network
    function: Compiled
    order: int
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    low: Array
    high: Array
    at: Array
    units: Mapping[str, str]
    data: Array | None
    notes: tuple[str, ...]

    def name(self, i: int) -> str:
        """An input's plain name."""
        return self.network.input_names[i]

    @property
    def names(self) -> tuple[str, ...]:
        """The names that a picture's are told apart from: the whole network's."""
        return writing.names(self.whole)

    def axis(self, i: int) -> str:
        """An input as an axis has it: its name and unit."""
        return writing.axis(self.name(i), self.units, self.names)

    def stacked(self, i: int, room: int) -> str:
        """The same in lines of so many characters."""
        return writing.stacked(self.name(i), room, self.units, self.names)

    def title(self, quantity: Quantity) -> str:
        """A quantity as a panel's title has it: ∂p/∂ρ and its unit."""
        output = self.network.output_names[quantity[0]]
        return writing.quantity(output, self.along(quantity), self.units, self.names)

    def along(self, quantity: Quantity) -> list[str]:
        """The names of the inputs along which it is derived."""
        return [self.name(i) for i in quantity[1]]

    def line(self, i: int, count: int) -> Array:
        """Values of input i over its range: (count,)."""
        return np.linspace(self.low[i], self.high[i], count)

    def on_line(self, i: int, values: Array) -> Array:
        """The points (…, n) through `at` with these values of input i."""
        points = np.broadcast_to(self.at, (*values.shape, len(self.at))).copy()
        points[..., i] = values
        return points

    def on_plane(self, i: int, j: int, across: Array, up: Array) -> Array:
        """The points (len(up), len(across), n) through `at`: input i across, input j up."""
        points = np.broadcast_to(self.at, (len(up), len(across), len(self.at))).copy()
        points[..., i], points[..., j] = across, up[:, np.newaxis]
        return points

    def values(self, points: Array, wanted: Sequence[Quantity]) -> list[Array]:
        """Each quantity at points (…, n): arrays (…), as the compiled function gives them."""
        flat = points.reshape(-1, points.shape[-1])
        found = np.empty((len(wanted), len(flat)))
        orders = sorted({len(along) for _, along in wanted})
        # Values take the least time of all, second partials the most.
        for order in steps(orders, [1.0 + order * self.network.n for order in orders]):
            entries = self.network.m * self.network.n**order
            rows = max(1, _ENTRIES // entries)
            for start in steps(range(0, len(flat), rows)):
                block = slice(start, start + rows)
                result = self.function.derivative(order, flat[block])
                for q, (output, along) in enumerate(wanted):
                    if len(along) == order:
                        place = np.ravel_multi_index((output, *along), result.shape[1:])
                        found[q, block] = result.reshape(len(result), -1)[:, place]
        return list(found.reshape(len(wanted), *points.shape[:-1]))

    def said_point(self, inputs: Sequence[int]) -> str:
        """Where these inputs are: T = 800 K, ρ = 300 kg/m³."""
        values = ((self.name(i), float(self.at[i])) for i in inputs)
        return writing.point(values, self.units, self.names)

    def elsewhere(self, shown: Sequence[int]) -> str:
        """Where the inputs that are not shown are: `at T = 800 K`."""
        rest = [i for i in range(self.network.n) if i not in shown]
        if not rest:
            return ""
        more = f" and {len(rest) - 6} more" if rest[6:] else ""
        return f"at {self.said_point(rest[:6])}{more}"


def quantities(output: int, inputs: Sequence[int], order: int) -> list[Quantity]:
    """The value and every partial up to `order` along these inputs, lower orders first."""
    return [
        (output, along)
        for r in range(order + 1)
        for along in combinations_with_replacement(sorted(inputs), r)
    ]
