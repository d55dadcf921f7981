"""Learn a network from mixed data: rows that give values, partial derivatives, or both.

    result = fit(read("water.csv"), hidden=(16, 16), activation="tanh")
    print(result)                    the errors of each kind on rows held out
    result.network                   a Network in the data's units, as any other

`symnet.fitting.loss` says what is minimised, `symnet.fitting.methods` how.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from symnet import showing
from symnet.fitting.columns import read, table
from symnet.fitting.data import Kind, MixedData, checked
from symnet.fitting.determined import undetermined
from symnet.fitting.loss import Objective, objective
from symnet.fitting.methods import staged, train
from symnet.fitting.packing import spread
from symnet.fitting.search import Milestone, Progress, Search, TimeUp
from symnet.network import Network, Spec
from symnet.witness import analytic

__all__ = [
    "Fit",
    "FitWarning",
    "KindError",
    "Kind",
    "Milestone",
    "MixedData",
    "Objective",
    "Progress",
    "cautions",
    "default_method",
    "fit",
    "objective",
    "predictions",
    "read",
    "table",
]

AFFORDABLE = 2_000_000
"""Entries of the residual Jacobian up to which least squares is the default: 16 MB, and about
0.2 s an iteration."""


class FitWarning(UserWarning):
    """Something about the data or the network that makes a good fit unlikely."""


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
            f"{self.method}, {_count(self.restarts, 'restart')}, seed {self.seed}, "
            f"{self.elapsed:.1f} s{', interrupted' if self.interrupted else ''}",
            *showing.aligned(_cells(self.errors)),
        ]
        return "\n".join([*lines, *(f"note: {note}" for note in self.notes)])

    _repr_pretty_ = showing.pretty

    def _repr_html_(self) -> str:
        head, *rows = _cells(self.errors)
        said = (
            f"{self.network.weights_count} weights; {self.method}, "
            f"{_count(self.restarts, 'restart')}, seed {self.seed}, {self.elapsed:.1f} s"
            f"{', interrupted' if self.interrupted else ''}"
        )
        notes = (showing.paragraph(note, "note:") for note in self.notes)
        shown = showing.paragraph(said, f"{self.network.describe()}:")
        return "".join([shown, showing.table(head, rows), *notes])


def fit(
    data: MixedData,
    hidden: Sequence[int] = (16, 16),
    activation: Spec | Sequence[Spec] = "tanh",
    *,
    network: Network | None = None,
    method: str | None = None,
    seed: int = 0,
    restarts: int = 2,
    holdout: float = 0.1,
    weights: Mapping[str, float] | None = None,
    time_limit: float | None = None,
    particles: int = 50,
    generations: int | None = None,
    iterations: int | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Fit:
    """A network of `hidden` layers with a linear output, or any other, trained on `data`.

    Args:
        data: see `read` and `table`.
        hidden: widths of the hidden layers. activation: theirs, or one for each.
        network: what is trained instead, a graph too: all its matrices and biases. Inputs and
            outputs are called as the data's, in their order. The first training begins with its
            weights, unless these are symbols.
        method: of `catalogue.METHODS`; by default swarm+least-squares, or lbfgs where the residual
            Jacobian has more than AFFORDABLE entries.
        seed: of all that is random; the same seed gives the same network.
        restarts: trainings from different starts, of which the one with the least loss is kept.
        holdout: the fraction of rows of each make-up that is kept from training.
        weights: how much a kind counts beside the others, {"dy/dx1": 2}; 1 by default.
        time_limit: seconds, after which the best network so far is returned.
        particles, generations: of the swarm. iterations: of the other stages.
        progress: called about ten times a second.

    Ctrl-C ends the training and returns the best network so far, marked `interrupted`; so does
    the time limit, with a note.

    Raises TypeError for what is no mixed data, ValueError for arguments out of range and constant
    inputs, ImportError where a library of the extra `fit` is missing. Warns with FitWarning of what
    `cautions` finds.
    """
    _check_counts(
        restarts=restarts, particles=particles, generations=generations, iterations=iterations
    )
    if seed < 0:
        raise ValueError(f"seed is {seed}, expected 0 or more")
    kept, held = checked(data).split(holdout, seed)
    given, network = (
        network,
        network
        or Network.dense(
            [len(data.inputs), *hidden, len(data.outputs)],
            activation,
            inputs=data.inputs,
            outputs=data.outputs,
        ),
    )
    method = method or default_method(kept, network)
    stages = staged(method, generations, iterations)
    target = objective(network, kept, weights)
    notes = cautions(kept, network)
    for note in notes:
        warnings.warn(note, FitWarning, stacklevel=2)
    known = None if given is None or given.symbols else target.pack(given)
    search = Search(target, stages, restarts, particles, seed, time_limit, progress, known)
    interrupted, late = _searched(search)
    if search.best is None:
        raise KeyboardInterrupt
    trained = target.network(search.best)
    return Fit(
        trained,
        _errors(trained, data, kept, held),
        search.best_loss,
        method,
        seed,
        search.restart,
        search.elapsed,
        tuple(search.history),
        (*notes, *late),
        interrupted,
    )


def default_method(data: MixedData, network: Network) -> str:
    """swarm+least-squares where it is affordable, else lbfgs."""
    entries = data.measurements * network.weights_count
    return "swarm+least-squares" if entries <= AFFORDABLE else "lbfgs"


def cautions(data: MixedData, network: Network) -> tuple[str, ...]:
    """What makes a good fit unlikely, a line each."""
    return tuple(_few_rows(data, network) + _unreachable(data, network) + undetermined(data))


def predictions(network: Network, points: NDArray[np.float64], kind: Kind) -> NDArray[np.float64]:
    """What the network gives for a kind of measurement at points (rows, n): (rows,)."""
    names = list(network.input_names)
    output = network.output_names.index(kind.output)
    derivative = analytic.BY_ORDER[kind.order]
    entries = derivative(network, points)[:, output]
    for name in reversed(kind.along):
        entries = entries[..., names.index(name)]
    return entries


def _searched(search: Search) -> tuple[bool, list[str]]:
    """Whether Ctrl-C ended the search, and a note where the time limit did."""
    try:
        train(search)
    except KeyboardInterrupt:
        return True, []
    except TimeUp:
        done = f"restart {search.restart} of {search.restarts}"
        return False, [f"the time limit of {search.time_limit:g} s ended the training in {done}"]
    return False, []


def _errors(
    network: Network, data: MixedData, kept: MixedData, held: MixedData | None
) -> tuple[KindError, ...]:
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


def _few_rows(data: MixedData, network: Network) -> list[str]:
    notes = [
        f"{kind} is measured in a single row of those trained with"
        for kind, count in data.counts.items()
        if count == 1
    ]
    if data.measurements < network.weights_count:
        notes.append(
            f"{data.measurements} measurements for {network.weights_count} weights: the network "
            "may fit them and be wrong in between; take fewer neurons or more rows"
        )
    return notes


def _unreachable(data: MixedData, network: Network) -> list[str]:
    """Partials of a piecewise linear network: steps, and zeros wherever they exist."""
    if any(own.constant(2) != 0 for own in network.activations.values()):
        return []
    names = dict.fromkeys(node.label for node in network.nodes[:-1])
    subject = f"a network with {', '.join(names) or 'no hidden layer'}"
    counts = {1: 0, 2: 0}
    for kind, count in data.counts.items():
        counts[kind.order] = counts.get(kind.order, 0) + count
    notes = []
    if counts[2]:
        notes.append(
            f"second partials of {subject} are zero wherever they exist: "
            f"{_count(counts[2], 'measurement')} cannot be learned; take a smooth one such as tanh"
        )
    if counts[1]:
        notes.append(
            f"first partials of {subject} are constant between kinks, a poor fit to "
            f"{_count(counts[1], 'measurement')}; a smooth one such as tanh does better"
        )
    return notes


def _check_counts(**counts: int | None) -> None:
    for name, count in counts.items():
        if count is not None and count < 1:
            raise ValueError(f"{name} is {count}, expected at least 1")


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


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
