"""Learn a network from mixed data: rows that give values, partial derivatives, or both.

    result = fit(read("water.csv"), hidden=(16, 16), activation="tanh")
    print(result)                    the errors of each kind on rows held out
    result.network                   a Network in the data's units, as any other

`symnet.fitting.loss` says what is minimised, `symnet.fitting.methods` how, and
`symnet.fitting.result` what is told of it.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence

from symnet.fitting.cautions import cautions
from symnet.fitting.columns import read, table
from symnet.fitting.data import Kind, MixedData, checked
from symnet.fitting.loss import Objective, objective
from symnet.fitting.methods import staged, train
from symnet.fitting.result import Fit, KindError, errors_of, predictions
from symnet.fitting.search import Milestone, Progress, Search, TimeUp
from symnet.network import Network, Spec

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
    untrained = network or _untrained(data, hidden, activation)
    method = method or default_method(kept, untrained)
    stages = staged(method, generations, iterations)
    target = objective(untrained, kept, weights)
    notes = cautions(kept, untrained)
    for note in notes:
        warnings.warn(note, FitWarning, stacklevel=2)
    known = None if network is None or network.symbols else target.pack(network)
    search = Search(target, stages, restarts, particles, seed, time_limit, progress, known)
    interrupted, late = _searched(search)
    if search.best is None:
        raise KeyboardInterrupt
    trained = target.network(search.best)
    return Fit(
        trained,
        errors_of(trained, data, kept, held),
        search.best_loss,
        method,
        seed,
        search.restart,
        search.elapsed,
        tuple(search.history),
        (*notes, *late),
        interrupted,
    )


def _untrained(
    data: MixedData, hidden: Sequence[int], activation: Spec | Sequence[Spec]
) -> Network:
    widths = [len(data.inputs), *hidden, len(data.outputs)]
    return Network.dense(widths, activation, inputs=data.inputs, outputs=data.outputs)


def default_method(data: MixedData, network: Network) -> str:
    """swarm+least-squares where it is affordable, else lbfgs."""
    entries = data.measurements * network.weights_count
    return "swarm+least-squares" if entries <= AFFORDABLE else "lbfgs"


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


def _check_counts(**counts: int | None) -> None:
    for name, count in counts.items():
        if count is not None and count < 1:
            raise ValueError(f"{name} is {count}, expected at least 1")
