"""Partial dependence and individual conditional expectations (ICE), with their slopes.

What a network gives when one input is moved along a grid and all else of a row stays:

    individual   y(x_i = g, the rest of row r)                  one curve for each row
    average      its mean over the rows: the partial dependence

    slopes       ∂y/∂x_i there, exact; `slope` their mean, which is the average's derivative

The grid is scikit-learn's: between two percentiles of the data, or the values there are when these
are fewer. J. H. Friedman, Greedy function approximation, Ann. Statist. 29 (2001), 5; A. Goldstein
et al., Peeking inside the black box, J. Comput. Graph. Statist. 24 (2015), 1.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from symnet import physical, showing
from symnet.derivation import Derivation, derive
from symnet.formulas import heading
from symnet.names import shortened, text_partial
from symnet.network import Network
from symnet.progress import steps
from symnet.sensitivities.points import Array, blocks, checked, counted, derivative, network_of

if TYPE_CHECKING:
    from symnet.plotting import Picture

_ROWS = 11  # of the grid that are shown

LARGEST = 2**26
"""Entries of `individual` at most: 0.5 GB, and as much again for the slopes."""


@dataclass(frozen=True, eq=False)
class Dependence:
    """How the outputs change with one input, row by row and on average.

    input: its position; rows: its values in the data (N,); grid_values (G,); individual and
    slopes (m, N, G).
    """

    network: Network
    input: int
    rows: Array
    grid_values: Array
    individual: Array
    slopes: Array

    def plot(self, path: str | os.PathLike[str] | None = None) -> Picture:
        """A picture of all rows' curves and their mean, of values and of slopes."""
        from symnet.plotting import plot

        return plot(self, path)

    @property
    def average(self) -> Array:
        """The partial dependence: (m, G)."""
        return self.individual.mean(axis=1)

    @property
    def slope(self) -> Array:
        """The derivative of the partial dependence: (m, G)."""
        return self.slopes.mean(axis=1)

    _repr_pretty_ = showing.pretty

    def _repr_html_(self) -> str:
        head, *rows = self._cells()
        return showing.paragraph(self._said()) + showing.table(head, rows)

    def __str__(self) -> str:
        return "\n".join([self._said(), *showing.aligned(self._cells())])

    def _said(self) -> str:
        name = self.network.input_names[self.input]
        return f"{heading(self.network)}; mean of {counted(self.rows)} as {name} is moved"

    def _cells(self) -> list[list[str]]:
        """A header, and values and slopes along the grid, of which some are taken."""
        units, network = self.network.units, self.network
        name = network.input_names[self.input]
        along: list[list[str]] = [[], [name]]
        head = [
            physical.bracketed(text_partial(y, by), physical.of_partial(units, y, by))
            for by in along
            for y in network.output_names
        ]
        count = len(self.grid_values)
        taken = np.unique(np.linspace(0, count - 1, min(count, _ROWS)).astype(int))
        numbers = np.vstack([self.grid_values, self.average, self.slope])[:, taken].T
        rows = [[f"{number:.4g}" for number in row] for row in numbers.tolist()]
        return [[physical.bracketed(name, units.get(name)), *head], *rows]


def dependence(
    what: Network | Derivation,
    X: Any,
    input: str,
    grid: int | ArrayLike = 100,
    percentiles: tuple[float, float] = (0.05, 0.95),
) -> Dependence:
    """Partial dependence and ICE of a network (or a Derivation) over the rows X (N, n).

    grid: the number of its points, or the points themselves.

    Raises ValueError for an unknown input, for X as `sensitivity` does, for a grid that is empty
    or not finite, and for more than LARGEST results.
    """
    network = network_of(what)
    names = list(network.input_names)
    if str(input) not in names:
        known = shortened(", ".join(network.input_names))
        raise ValueError(f"no input is called {str(input)!r}; there are {known}")
    i = names.index(str(input))
    points = checked(network, X)
    values = _grid(points[:, i], grid, percentiles, str(input))
    shape = (len(points), len(values))
    if network.m * len(points) * len(values) > LARGEST:
        raise ValueError(
            f"{len(points)} rows and {len(values)} points of the grid are {np.prod(shape)} "
            f"results, more than {LARGEST}; take fewer rows"
        )
    function = derive(network, 1).compile()
    individual, slopes = np.empty((2, network.m, *shape))
    for rows in steps(list(blocks(points, len(values) * network.m * network.n))):
        moved = np.repeat(points[rows, np.newaxis], len(values), axis=1)
        moved[..., i] = values
        flat = moved.reshape(-1, network.n)
        for kept, found in (
            (individual, derivative(function, 0, flat)),
            (slopes, derivative(function, 1, flat)[..., i]),
        ):
            kept[:, rows] = np.moveaxis(found.reshape(*moved.shape[:2], network.m), -1, 0)
    return Dependence(network, i, points[:, i], values, individual, slopes)


def _grid(
    column: Array, grid: int | ArrayLike, percentiles: tuple[float, float], name: str
) -> Array:
    if not isinstance(grid, int | np.integer):
        values = np.array(grid, dtype=np.float64)
        if values.ndim != 1 or not len(values) or not np.isfinite(values).all():
            raise ValueError(f"grid for {name}: give at least one number, each finite, in a row")
        return values
    low, high = percentiles
    if grid < 2 or not 0 <= low < high <= 1:
        raise ValueError(
            f"grid is {grid} and percentiles {percentiles}; at least 2 points are needed, between "
            "two rising shares from 0 to 1"
        )
    distinct = np.unique(column)
    if len(distinct) < grid:
        return distinct
    return np.linspace(_quantile(column, low), _quantile(column, high), int(grid))


def _quantile(column: Array, share: float) -> float:
    """SciPy's `mquantiles`: C. Cunnane's plotting positions (r − 0.4)/(N + 0.2)."""
    ordered, count = np.sort(column), len(column)
    place = np.clip(count * share + 0.4 + 0.2 * share, 1, count)
    k = int(min(place, count - 1))
    return float(ordered[k - 1] + (place - k) * (ordered[min(k, count - 1)] - ordered[k - 1]))
