"""Sensitivity measures: statistics over data of the partial derivatives of y.

For a partial s (∂y/∂x_i, or ∂²y/∂x_i∂x_j) at N points of data

    mean    Σ s/N
    sd      sqrt(Σ (s − mean)²/N)
    rms     sqrt(Σ s²/N)                 rms² = mean² + sd²
    M_α     (Σ |s|^α/N)^(1/α)            the alpha-curve; M_2 is rms, M_∞ the maximum of |s|

These are NeuralSens's: J. Pizarroso, J. Portela, A. Muñoz, NeuralSens: Sensitivity Analysis of
Neural Networks, J. Stat. Softw. 102 (2022), 7, which calls the rms "mean squared sensitivity"; its
Python version has this sd, the one in R divides by N − 1. A mean far from 0 says that y depends
on the input, an sd far from 0 that it does not do so along a straight line.

Partials have units. What may be compared from input to input is

    standardized    rms · sd(x_i)/sd(y),      rms · sd(x_i)·sd(x_j)/sd(y)
    elasticity      mean of x_i/y · ∂y/∂x_i: per cent of y for one per cent of x_i

and what needs no comparison are the shares of the points at which a partial is above and below 0.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations_with_replacement
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from symnet import physical, showing
from symnet.compiling import Compiled
from symnet.derivation import Derivation, derive
from symnet.formulas import heading, limits
from symnet.names import partial_name, text_partial
from symnet.network import Network
from symnet.progress import part, steps
from symnet.sensitivities.points import Array, blocks, checked, counted, derivative, network_of

if TYPE_CHECKING:
    from symnet.plotting import Picture

COLUMNS = ("mean", "sd", "rms", "standardized", "above 0", "below 0", "elasticity")
"""The measures of a row of `rows`; the last is of first partials only."""


@dataclass(frozen=True, eq=False)
class Moments:
    """Statistics over points of partials of one order, each an array (m, n) or (m, n, n).

    positive, negative: shares of the points at which a partial is above and below 0.
    """

    mean: Array
    sd: Array
    positive: Array
    negative: Array

    @property
    def rms(self) -> Array:
        """The root of the mean square."""
        return np.hypot(self.mean, self.sd)


@dataclass(frozen=True, eq=False)
class Sensitivity:
    """How the outputs of a network depend on its inputs over data; `str()` is a table.

    points (N, n), value (N, m) and slopes (N, m, n), ∂y_p/∂x_i, are kept for pictures. first and
    second are statistics of the first and second partials, (m, n) and (m, n, n); second is None
    where only the first were asked for.
    """

    network: Network
    points: Array
    value: Array
    slopes: Array
    first: Moments
    second: Moments | None

    @property
    def mean(self) -> Array:
        """Mean of ∂y_p/∂x_i: (m, n)."""
        return self.first.mean

    @property
    def sd(self) -> Array:
        """Standard deviation of ∂y_p/∂x_i: (m, n)."""
        return self.first.sd

    @property
    def rms(self) -> Array:
        """Root mean square of ∂y_p/∂x_i: (m, n)."""
        return self.first.rms

    @property
    def rising(self) -> Array:
        """Share of the points at which y_p rises with x_i: (m, n)."""
        return self.first.positive

    @property
    def falling(self) -> Array:
        """Share of the points at which y_p falls with x_i: (m, n)."""
        return self.first.negative

    @property
    def interactions(self) -> Array:
        """Root mean square of ∂²y_p/∂x_i∂x_j: (m, n, n). ValueError without second partials."""
        return self._second.rms

    @property
    def convex(self) -> Array:
        """Share of the points with ∂²y_p/∂x_i² > 0: (m, n). ValueError as `interactions`."""
        return np.diagonal(self._second.positive, axis1=1, axis2=2)

    @property
    def concave(self) -> Array:
        """Share of the points with ∂²y_p/∂x_i² < 0: (m, n). ValueError as `interactions`."""
        return np.diagonal(self._second.negative, axis1=1, axis2=2)

    @property
    def _second(self) -> Moments:
        if self.second is None:
            raise ValueError("second partials were not asked for: sensitivity(…, order=2)")
        return self.second

    def alpha(self, alpha: float) -> Array:
        """The generalised mean M_α of |∂y_p/∂x_i|: (m, n). ValueError for α not above 0."""
        if not alpha > 0:
            raise ValueError(f"alpha is {alpha}, expected above 0")
        sizes = np.abs(self.slopes)
        largest = sizes.max(axis=0)
        if alpha == np.inf:
            return largest
        scaled = sizes / np.where(largest > 0, largest, 1)  # powers of it cannot overflow
        return largest * np.mean(scaled**alpha, axis=0) ** (1 / alpha)

    def alpha_curves(self, alphas: Sequence[float] = tuple(range(1, 16))) -> Array:
        """M_α for each of `alphas`: (len(alphas), m, n). Raises as `alpha`."""
        return np.stack([self.alpha(a) for a in alphas])

    @property
    def standardized(self) -> Array:
        """rms · sd(x_i)/sd(y_p): (m, n); NaN for an output that does not vary."""
        return self._in_spreads(self.rms, self._spread)

    @property
    def standardized_interactions(self) -> Array:
        """rms · sd(x_i)·sd(x_j)/sd(y_p): (m, n, n). ValueError as `interactions`."""
        return self._in_spreads(self.interactions, np.outer(self._spread, self._spread))

    def _in_spreads(self, measure: Array, unit: Array) -> Array:
        spread = np.where(self.varies, self.value.std(axis=0), 0.0)
        spread = spread.reshape(-1, *(1,) * unit.ndim)
        return np.divide(
            measure * unit, spread, out=np.full_like(measure, np.nan), where=spread > 0
        )

    @property
    def varies(self) -> NDArray[np.bool_]:
        """Which outputs vary over the points: (m,)."""
        return np.ptp(self.value, axis=0) > 0

    @property
    def _spread(self) -> Array:
        return self.points.std(axis=0)

    @cached_property
    def elasticities(self) -> Array:
        """x_i/y_p · ∂y_p/∂x_i at each point: (N, m, n); NaN where y_p is 0."""
        value = np.where(self.value == 0, np.nan, self.value)[..., np.newaxis]
        return self.slopes * self.points[:, np.newaxis] / value

    @property
    def elasticity(self) -> Array:
        """Mean elasticity over the points where it is defined: (m, n); NaN where it is nowhere."""
        defined = np.isfinite(self.elasticities)
        total = np.sum(self.elasticities, axis=0, where=defined)
        count = defined.sum(axis=0)
        return np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of the measures should know."""
        found = limits(self.network)
        for p in np.flatnonzero(~self.varies):
            name = self.network.output_names[p]
            found.append(f"{name} does not vary over the points: it has no standardized measures")
        changing = (self.value.min(axis=0) <= 0) & (self.value.max(axis=0) >= 0)
        for p in np.flatnonzero(changing):
            name = self.network.output_names[p]
            found.append(f"{name} is 0 somewhere among the points: its elasticities have no bound")
        return tuple(found)

    def plot(self, kind: str = "bars", path: str | os.PathLike[str] | None = None) -> Picture:
        """A picture: bars, violins, boxes, alpha or interactions; see `symnet.plot`."""
        from symnet.plotting import plot

        return plot(self, path, kind=kind)

    _repr_pretty_ = showing.pretty

    def _repr_html_(self) -> str:
        head, *rows = cells(self)
        notes = (showing.paragraph(note, "note:") for note in self.notes)
        said = showing.paragraph(counted(self.points), f"{heading(self.network)};")
        return "".join([said, showing.table(head, rows), *notes])

    def __str__(self) -> str:
        said = f"{heading(self.network)}; {counted(self.points)}"
        notes = (f"note: {note}" for note in self.notes)
        return "\n".join([said, *showing.aligned(cells(self)), *notes])


def sensitivity(what: Network | Derivation, X: Any, order: int = 2) -> Sensitivity:
    """Sensitivity measures of a network (or a Derivation) over the points X (N, n).

    order: 1 for first partials only. Second partials are taken block by block, so that memory
    does not grow with N.

    Raises ValueError for another order, for X of another shape or not finite, for points at which
    the network or a partial is not finite, and when a weight is symbolic.
    """
    if order not in (1, 2):
        raise ValueError(f"order is {order!r}, expected 1 or 2")
    network = network_of(what)
    points = checked(network, X)
    function = derive(network, order).compile()
    slices = list(blocks(points, network.m * network.n))
    first = 1.0 if order == 1 else 4 / (4 + 3 * network.n)
    with part(0.0, first):
        value = np.concatenate([derivative(function, 0, points[rows]) for rows in slices])
        slopes = np.concatenate([derivative(function, 1, points[rows]) for rows in steps(slices)])
    with part(first, 1.0):
        second = _second_moments(function, points) if order == 2 else None
    return Sensitivity(network, points, value, slopes, _moments([slopes]), second)


def _second_moments(function: Compiled, points: Array) -> Moments:
    network = function.network
    slices = list(blocks(points, network.m * network.n**2))
    parts = (derivative(function, 2, points[rows]) for rows in steps(slices))
    return _moments(parts)


def _moments(parts: Iterator[Array] | Sequence[Array]) -> Moments:
    """Moments over all points of arrays (N, …), met one after the other.

    Means and sums of squared deviations are merged by T. F. Chan, G. H. Golub, R. J. LeVeque,
    Algorithms for computing the sample variance, Amer. Statist. 37 (1983), eq. 2.1.
    """
    count, mean, squares, above, below = 0, np.zeros(()), np.zeros(()), np.zeros(()), np.zeros(())
    for block in parts:
        here, before = len(block), count
        count += here
        own = block.mean(axis=0)
        step = own - mean
        squares = squares + np.sum((block - own) ** 2, axis=0) + step**2 * (before * here / count)
        mean = mean + step * (here / count)
        above = above + (block > 0).sum(axis=0)
        below = below + (block < 0).sum(axis=0)
    return Moments(mean, np.sqrt(squares / count), above / count, below / count)


# --- tables -------------------------------------------------------------------------------------


def rows(
    given: Sensitivity, written: Callable[[str, Sequence[str]], str] = partial_name
) -> Iterator[tuple[str, list[float]]]:
    """Each partial as it is `written`, by default `dy/dx1` or `d2y/dx1dx2`, and its `COLUMNS`."""
    names = list(given.network.input_names)
    tables = [(given.first, given.standardized, given.elasticity)]
    if given.second is not None:
        none = np.full_like(given.second.mean, np.nan)
        tables.append((given.second, given.standardized_interactions, none))
    for p, output in enumerate(given.network.output_names):
        for order, (moments, standardized, elasticity) in enumerate(tables, start=1):
            measures = (
                *(moments.mean, moments.sd, moments.rms, standardized),
                *(moments.positive, moments.negative, elasticity),
            )
            for chosen in combinations_with_replacement(range(len(names)), order):
                entries = [float(measure[(p, *chosen)]) for measure in measures]
                yield written(output, [names[i] for i in chosen]), entries


def cells(given: Sensitivity) -> list[list[str]]:
    """A header and a row for each partial, as text to read."""
    units, table = given.network.units, [["", *COLUMNS]]

    def label(output: str, inputs: Sequence[str]) -> str:
        unit = physical.of_partial(units, output, inputs)
        return physical.bracketed(text_partial(output, inputs), unit)

    for name, (mean, sd, rms, standardized, above, below, elasticity) in rows(given, label):
        numbers = [f"{x:.4g}" for x in (mean, sd, rms)]
        shares = [f"{100 * x:.4g} %" for x in (above, below)]
        table.append([name, *numbers, _shown(standardized), *shares, _shown(elasticity)])
    return table


def _shown(number: float) -> str:
    return "" if np.isnan(number) else f"{number:.3g}"
