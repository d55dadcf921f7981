"""`symnet fit`: learn a network from rows that give values, derivatives, or both."""

from __future__ import annotations

import argparse
import sys
import warnings
from functools import partial
from typing import Any

from symnet import files, fitting, physical
from symnet.cli import exchange, options, terminal
from symnet.fitting import METHODS, FitWarning, MixedData, Progress
from symnet.fitting.determined import described
from symnet.network import Network

_SETTLED = 1.0  # seconds after which a training's rate tells what it will take


def add(commands: Any) -> None:
    """Add the command to the parser's `commands`."""
    parser = options.command(
        commands,
        "fit",
        run,
        "symnet fit water.csv --hidden 16,16 --activation tanh -o water.json",
    )
    parser.add_argument(
        "data",
        metavar="DATA",
        help="CSV whose header names inputs, outputs and partials: dy/dx1 (- for stdin)",
    )
    parser.add_argument(
        *("-o", "--output"),
        required=True,
        metavar="OUT",
        help="network file, in the data's units (- for stdout)",
    )
    parser.add_argument("--hidden", type=_widths, help="neurons of the hidden layers (16,16)")
    parser.add_argument("--activation", help="of the hidden layers (tanh)")
    parser.add_argument(
        "--network",
        metavar="FILE",
        help="network to train on from its weights instead, a graph too",
    )
    parser.add_argument(
        "--outputs",
        type=options.names,
        help="names of the outputs, where neither partials nor a network tell: y1,y2",
    )
    options.units_of(parser, "(kept in the file)")
    parser.add_argument("--weight", metavar="COLUMN", help="column that holds the rows' weights")
    parser.add_argument("--method", choices=tuple(METHODS), help="(chosen by size)")
    parser.add_argument("--seed", type=options.whole, default=0, help="of all that is random (0)")
    parser.add_argument("--restarts", type=options.whole, default=2, help="trainings (2)")
    parser.add_argument(
        "--holdout", type=float, default=0.1, help="fraction of rows kept from training (0.1)"
    )
    parser.add_argument("--time-limit", type=float, metavar="SECONDS", help="(none)")


def run(given: argparse.Namespace) -> int:
    """Train, print the errors of each kind, and write the best network found, even after Ctrl-C."""
    if given.output != "-":
        files.check_suffix(given.output)  # before hours of training, not after
    source = sys.stdin.fileno() if given.data == "-" else given.data
    network = _network(given)
    outputs = given.outputs or (network.output_names if network else None)
    data = fitting.read(source, outputs, given.weight)
    physical.checked(given.units or {}, (*data.inputs, *data.outputs))
    options.say(given, "\n".join([_found(data), *described(data)]))
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
    options.say(given, f"{result}\nwrote {given.output}")
    return 130 if result.interrupted else 0


def _network(given: argparse.Namespace) -> Network | None:
    if given.network is None:
        return None
    if given.hidden or given.activation:
        raise ValueError("--network has its layers; leave out --hidden and --activation")
    if given.network == given.data == "-":
        raise ValueError("standard input is read once; give the network or the data as a file")
    return exchange.loaded(given.network, given.quiet)


def _widths(text: str) -> tuple[int, ...]:
    return tuple(options.whole(part) for part in text.split(","))


def _found(data: MixedData) -> str:
    kinds = ", ".join(f"{count} of {kind}" for kind, count in data.counts.items())
    return f"{len(data.points)} rows in {', '.join(data.inputs)}: {kinds}"


def _shown(shown: terminal.Progress, progress: Progress) -> None:
    """The state of a training; what share of it is done tells the seconds that are left."""
    errors = "  ".join(f"{kind} {error:.2g}" for kind, error in progress.errors.items())
    left = progress.remaining
    # The first steps take longer than others, and what ends of itself does so soon.
    if left is not None and progress.elapsed > _SETTLED and not sys.stderr.isatty():
        shown.foretell(progress.elapsed + left)
    share = progress.elapsed / (progress.elapsed + left) if left is not None else 0.0
    shown.show(
        share,
        f"{progress.stage} {progress.step}/{progress.steps}, "
        f"restart {progress.restart}/{progress.restarts}  {errors}",
        left,
    )
