"""`symnet report`: a page to send to a colleague."""

from __future__ import annotations

import argparse
import shlex
from pathlib import PurePath
from typing import Any

from symnet import reporting
from symnet.cli import options, terminal
from symnet.derivation import derive


def add(commands: Any) -> None:
    """Add the command to the parser's `commands`."""
    parser = options.command(
        commands,
        "report",
        run,
        "symnet report net.json -o report.html --data table.csv",
    )
    options.file(parser)
    parser.add_argument(
        *("-o", "--output"), required=True, metavar="OUT", help="ends in .html, .md, .tex or .pdf"
    )
    options.order(parser)
    parser.add_argument(
        "--data",
        metavar="CSV",
        help="points, by columns named as the inputs: ranges, and slopes over them (- for stdin)",
    )
    options.units_of(parser, "(those in the network's file)")


def run(given: argparse.Namespace) -> int:
    """Write the page; 1 when the check on it failed."""
    reporting.format_of(given.output)
    derivation = derive(options.with_units(options.network(given), given), given.order)
    cost = checked = None
    if not derivation.network.symbols:
        # 50-digit arithmetic is left to `symnet check` where it would take many seconds.
        few = derivation.network.weights_count <= 100_000
        with terminal.working(f"checking {derivation.network.describe()}", given.quiet):
            function, checked = options.checked(derivation, digits=few)
        cost = function.cost
    data = None if given.data is None else options.points(derivation.network, given.data)
    reporting.write(
        reporting.described(derivation, checked, cost, data, _command(given)), given.output
    )
    return 0 if checked is None or checked.ok else 1


def _command(given: argparse.Namespace) -> str:
    """How the page is asked for again, by the names of files alone."""
    words = ["symnet", "report"]
    words += [] if given.file is None else [PurePath(given.file).name]
    words += ["-o", PurePath(given.output).name]
    words += [] if given.order == 2 else ["--order", str(given.order)]
    units = ",".join(f"{name}={unit}" for name, unit in (given.units or {}).items())
    words += ["--units", units] if units else []
    words += [] if given.data is None else ["--data", PurePath(given.data).name]
    return shlex.join(words)
