"""A trained network, and how well it does: the errors of each kind of measurement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from symnet import showing
from symnet.fitting.data import Kind, MixedData, counted
from symnet.fitting.packing import spread
from symnet.fitting.search import Milestone
from symnet.network import Network
from symnet.witness import analytic


@dataclass(frozen=True)
class KindError:
    """Root-mean-square errors of one kind of measurement, in the data's units.

    rows, rms: of the rows trained with; held_rows, held_rms: of those held out (None without
    any). spread is the standard deviation of all measurements of the kind.
    """

    kind: Kind
    rows: int
    rms: float
    held_rows: int
    held_rms: float | None
    spread: float

    @property
    def relative(self) -> float:
        """The error on held-out rows, or else on the others, over the spread."""
        return (self.rms if self.held_rms is None else self.held_rms) / self.spread


@dataclass(frozen=True)
class Fit:
    """A trained network, and how well it does. `str()` is a report.

    network: takes and gives the data's own units. errors: one for each kind. loss: of the rows
    trained with, see `symnet.fitting.loss`. history: every improvement of every restart. notes:
    what `fit` warned of. interrupted: Ctrl-C ended the training, the network is the best until
    then.
    """

    network: Network
    errors: tuple[KindError, ...]
    loss: float
    method: str
    seed: int
    restarts: int
    elapsed: float
    history: tuple[Milestone, ...] = field(repr=False)
    notes: tuple[str, ...] = ()
    interrupted: bool = False

    def __str__(self) -> str:
        lines = [
            f"{self.network.describe()}: {self.network.weights_count} weights",
            self._training,
            *showing.aligned(_cells(self.errors)),
        ]
        return "\n".join([*lines, *(f"note: {note}" for note in self.notes)])

    _repr_pretty_ = showing.pretty

    def _repr_html_(self) -> str:
        head, *rows = _cells(self.errors)
        said = f"{self.network.weights_count} weights; {self._training}"
        notes = (showing.paragraph(note, "note:") for note in self.notes)
        shown = showing.paragraph(said, f"{self.network.describe()}:")
        return "".join([shown, showing.table(head, rows), *notes])

    @property
    def _training(self) -> str:
        ended = ", interrupted" if self.interrupted else ""
        trained = f"{self.method}, {counted(self.restarts, 'restart')}, seed {self.seed}"
        return f"{trained}, {self.elapsed:.1f} s{ended}"


def predictions(network: Network, points: NDArray[np.float64], kind: Kind) -> NDArray[np.float64]:
    """What the network gives for a kind of measurement at points (rows, n): (rows,)."""
    names = list(network.input_names)
    output = network.output_names.index(kind.output)
    derivative = analytic.BY_ORDER[kind.order]
    entries = derivative(network, points)[:, output]
    for name in reversed(kind.along):
        entries = entries[..., names.index(name)]
    return entries


def errors_of(
    network: Network, data: MixedData, kept: MixedData, held: MixedData | None
) -> tuple[KindError, ...]:
    """The network's errors of each kind, on the rows `kept` for training and those `held` out."""
    found = []
    for kind in data.kinds:
        rows, rms = _rms(network, kept, kind)
        held_rows, held_rms = (0, None) if held is None else _rms(network, held, kind)
        size = spread(data.of(kind)[1])
        found.append(KindError(kind, rows, rms or 0.0, held_rows, held_rms, size))
    return tuple(found)


def _rms(network: Network, data: MixedData, kind: Kind) -> tuple[int, float | None]:
    if kind not in data.kinds:
        return 0, None
    rows, values = data.of(kind)
    errors = predictions(network, data.points[rows], kind) - values
    largest = np.abs(errors).max() or 1.0  # squares of 1e-200 would vanish
    return len(rows), float(largest * np.sqrt(np.mean((errors / largest) ** 2)))


def _cells(errors: Sequence[KindError]) -> list[list[str]]:
    """A header and a row for each kind."""
    rows = [["", "rows", "rms error", "held out", "rms error", "of spread"]]
    for error in errors:
        held = "-" if error.held_rms is None else f"{error.held_rms:.3g}"
        rows.append(
            [
                str(error.kind),
                str(error.rows),
                f"{error.rms:.3g}",
                str(error.held_rows),
                held,
                f"{100 * error.relative:.2g} %",
            ]
        )
    return rows
