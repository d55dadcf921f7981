"""Mixed data: rows that give a value, a partial derivative, or several of them.

    rho   T     p      ∂p/∂rho   ∂p/∂T
    236   895   70.5
    41    813          0.307
    493   831                    0.386

Numbers keep the units they came in. `symnet.fitting.columns` reads such a table from a file.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from symnet.names import partial_name, shortened

Array: TypeAlias = NDArray[np.float64]

HIGHEST_ORDER = 2
"""Of the partials which a column may hold."""

LARGEST_NUMBER = 1e100
"""Beyond it, or below its inverse as a spread, squares and products of scales leave the doubles."""


@dataclass(frozen=True)
class Kind:
    """What a column measures: `output`, or its partial derivative along the inputs `along`.

    The inputs stand in the order of the table's, so that d2y/dx2dx1 is d2y/dx1dx2.
    """

    output: str
    along: tuple[str, ...] = ()

    @property
    def order(self) -> int:
        """Of the derivative: 0 for the value itself."""
        return len(self.along)

    def __str__(self) -> str:
        return partial_name(self.output, self.along)


@dataclass(frozen=True, eq=False)
class MixedData:
    """Points, and what was measured there; arrays are read-only.

    Args:
        inputs, outputs: names, n and m of them.
        points: (rows, n), finite.
        kinds: one for each column of `values`: each once, lower orders first, `along` in the
            order of `inputs`.
        values: (rows, kinds); NaN where nothing was measured.
        weights: (rows,), positive: how much a row counts in the loss.

    Raises ValueError for shapes that don't fit, unknown names, numbers that are not finite or
    beyond LARGEST_NUMBER, weights that are not positive, and data without any measurement.
    `columns.table` and `columns.read` make one of named columns.
    """

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    points: Array
    kinds: tuple[Kind, ...]
    values: Array
    weights: Array = field(default_factory=lambda: np.ones(0))

    def __post_init__(self) -> None:
        rows = len(self.points)
        weights = self.weights if np.size(self.weights) or not rows else np.ones(rows)
        arrays = {"points": self.points, "values": self.values, "weights": weights}
        shapes = {
            "points": (rows, len(self.inputs)),
            "values": (rows, len(self.kinds)),
            "weights": (rows,),
        }
        for name, entries in arrays.items():
            array = np.array(entries, dtype=np.float64)
            if array.shape != shapes[name]:
                raise ValueError(f"{name} have shape {array.shape}, expected {shapes[name]}")
            array.flags.writeable = False
            object.__setattr__(self, name, array)
        _check_kinds(self)
        _check_numbers(self)

    @property
    def counts(self) -> dict[Kind, int]:
        """How many measurements there are of each kind."""
        measured = np.isfinite(self.values).sum(axis=0).tolist()
        return dict(zip(self.kinds, measured, strict=True))

    @property
    def measurements(self) -> int:
        """Cells that hold a number, of all kinds together."""
        return sum(self.counts.values())

    def __len__(self) -> int:
        return len(self.points)

    def of(self, kind: Kind) -> tuple[NDArray[np.intp], Array]:
        """The rows that measure `kind`, and the values they give."""
        column = self.values[:, self.kinds.index(kind)]
        rows = np.flatnonzero(np.isfinite(column))
        return rows, column[rows]

    def rows(self, chosen: NDArray[Any]) -> MixedData:
        """The table of the chosen rows; kinds that none of them measures are left out."""
        values = self.values[chosen]
        kept = np.asarray(np.isfinite(values).any(axis=0))
        kinds = tuple(kind for kind, keep in zip(self.kinds, kept.tolist(), strict=True) if keep)
        points, weights = self.points[chosen], self.weights[chosen]
        return MixedData(self.inputs, self.outputs, points, kinds, values[:, kept], weights)

    def split(self, fraction: float, seed: int) -> tuple[MixedData, MixedData | None]:
        """(kept, held out): about `fraction` of the rows that measure the same kinds, at random.

        The second is None where no rows would be held out. ValueError for a fraction outside
        [0, 1).
        """
        if not 0 <= fraction < 1:
            raise ValueError(f"holdout is {fraction}, expected a fraction from 0 to below 1")
        rng = np.random.default_rng(seed)
        _, pattern = np.unique(np.isfinite(self.values), axis=0, return_inverse=True)
        held = np.zeros(len(self), dtype=bool)
        for group in range(pattern.max() + 1):
            rows = rng.permutation(np.flatnonzero(pattern == group))
            held[rows[: min(round(fraction * len(rows)), len(rows) - 1)]] = True
        return self.rows(~held), self.rows(held) if held.any() else None

    def describe(self) -> str:
        """What was found, in a line: `600 rows: 200 p, 200 dp/drho; inputs rho, T; output p`."""
        found = ", ".join(f"{count} {kind}" for kind, count in self.counts.items())
        plural = "s" * (len(self.outputs) > 1)
        return (
            f"{len(self)} rows: {found}; inputs {', '.join(self.inputs)}; "
            f"output{plural} {', '.join(self.outputs)}"
        )


def listed(names: Iterable[str]) -> str:
    """The names one after the other, cut short: for messages."""
    return shortened(", ".join(names), 200)


def counted(number: int, noun: str) -> str:
    """`1 restart`, `2 restarts`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _check_kinds(data: MixedData) -> None:
    for kind in data.kinds:
        if kind.output not in data.outputs or not set(kind.along) <= set(data.inputs):
            raise ValueError(f"kind {kind}: known are {listed([*data.inputs, *data.outputs])}")
        if kind.order > HIGHEST_ORDER:
            raise ValueError(f"kind {kind}: partials up to order {HIGHEST_ORDER} can be learned")
        if [*kind.along] != sorted(kind.along, key=data.inputs.index):
            raise ValueError(f"kind {kind}: the inputs stand in another order than {data.inputs}")
    orders = [kind.order for kind in data.kinds]
    if len(set(data.kinds)) != len(orders) or orders != sorted(orders):
        raise ValueError(f"kinds {listed(map(str, data.kinds))}: each once, lower orders first")


def _check_numbers(data: MixedData) -> None:
    if not len(data) or not np.isfinite(data.values).any():
        raise ValueError("there is no row with a measurement")
    named = [*zip(data.inputs, data.points.T, strict=True)]
    named += [*zip(map(str, data.kinds), data.values.T, strict=True), ("weight", data.weights)]
    for name, column in named:
        largest = np.max(np.abs(column), initial=0, where=~np.isnan(column))
        if not largest <= LARGEST_NUMBER:
            raise ValueError(f"{name} holds {largest:g}; numbers up to {LARGEST_NUMBER:g} are read")
    if not np.isfinite(data.points).all():
        raise ValueError("points hold NaN; every row needs all inputs")
    if not (data.weights > 0).all():
        raise ValueError(f"a weight is {data.weights.min():g}, expected above 0")


def checked(data: object) -> MixedData:
    """The data itself. TypeError for anything else."""
    if not isinstance(data, MixedData):
        raise TypeError(
            f"mixed data is needed, not {type(data).__name__}; symnet.fitting.read makes it of a "
            "table's file, symnet.fitting.table of arrays"
        )
    return data
