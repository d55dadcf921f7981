"""`symnet fit`: learn a network from rows that give values, derivatives, or both."""

from __future__ import annotations

import argparse
import sys
import warnings
from functools import partial

from symnet import fitting, physical
from symnet.cli import exchange, terminal
from symnet.fitting import FitWarning, MixedData, Progress
from symnet.fitting.data import counted
from symnet.fitting.determined import described
from symnet.network import Network

_SETTLED = 1.0  # seconds after which a training's rate tells what it will take


def run(given: argparse.Namespace) -> int:
    """Train, print the errors of each kind, and write the best network found, even after Ctrl-C."""
    source = sys.stdin.fileno() if given.data == "-" else given.data
    network = _network(given)
    outputs = given.outputs or (network.output_names if network else None)
    data = fitting.read(source, outputs, given.weight)
    physical.checked(given.units or {}, (*data.inputs, *data.outputs))
    terminal.say(given, "\n".join([_found(data), *described(data)]))
    with warnings.catch_warnings(), terminal.working("training", given.quiet) as shown:
        warnings.simplefilter("ignore", FitWarning)  # the result repeats what they say
        result = fitting.fit(
            data,
            given.hidden or (16, 16),
            given.activation or "tanh",
            network=network,
            method=given.method,
            seed=given.seed,
            restarts=given.restarts,
            holdout=given.holdout,
            time_limit=given.time_limit,
            progress=partial(_shown, shown),
        )
    exchange.save(exchange.with_units(result.network, given), given.output)
    terminal.say(given, f"{result}\nwrote {given.output}")
    return 130 if result.interrupted else 0


def _network(given: argparse.Namespace) -> Network | None:
    if given.network is None:
        return None
    return exchange.loaded(given.network, given.quiet)


def _found(data: MixedData) -> str:
    kinds = ", ".join(f"{count} of {kind}" for kind, count in data.counts.items())
    return f"{counted(len(data.points), 'row')} in {', '.join(data.inputs)}: {kinds}"


def _shown(shown: terminal.Progress, progress: Progress) -> None:
    """The state of a training; what share of it is done tells the seconds that are left."""
    errors = "  ".join(f"{kind} {error:.2g}" for kind, error in progress.errors.items())
    left = progress.remaining
    # The first steps take longer than others, and what ends of itself does so soon.
    if left is not None and progress.elapsed > _SETTLED and not sys.stderr.isatty():
        shown.foretell(progress.elapsed + left, "at most about")  # with every step allowed
    share = progress.elapsed / (progress.elapsed + left) if left is not None else 0.0
    shown.show(
        share,
        f"{progress.stage} {progress.step}/{progress.steps}, "
        f"restart {progress.restart}/{progress.restarts}  {errors}",
        left,
    )
