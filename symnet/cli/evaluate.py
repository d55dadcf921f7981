"""`symnet evaluate`: a table of points in, a table of derivatives out."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from symnet import tables
from symnet.cli import exchange, forecasts, options, terminal
from symnet.derivation import derive


def add(commands: Any) -> None:
    """Add the command to the parser's `commands`."""
    parser = options.command(
        commands,
        "evaluate",
        run,
        "symnet evaluate net.json points.csv -o derivatives.csv",
    )
    options.file(parser)
    parser.add_argument(
        "points", metavar="POINTS", help="CSV with a header that names the inputs (- for stdin)"
    )
    options.output(parser, "CSV with the columns y, dy/dx1, ..., d2y/dx1dx2, ...")
    options.order(parser)
    options.backend(parser)
    parser.add_argument("--inputs", action="store_true", help="begin each row with its point")


def run(given: argparse.Namespace) -> int:
    """Write the table block by block, so that it may be larger than memory."""
    options.check_stdin(given.file, given.points)
    network = exchange.network(given)
    compiling = forecasts.compiling(network, given.order)
    with terminal.working(f"compiling {network.describe()}", given.quiet, compiling):
        function = derive(network, given.order).compile(given.backend)
    seconds = forecasts.evaluation(network, given.order, forecasts.rows(given.points))
    standard = given.points == "-"
    source = sys.stdin.fileno() if standard else given.points
    with (
        open(source, encoding="utf-8-sig", newline="", closefd=not standard) as lines,
        exchange.opened(given.output) as out,
    ):
        name = "standard input" if standard else given.points
        quiet = given.quiet or (given.output == "-" and sys.stdout.isatty())
        with terminal.working(f"evaluating {name}", quiet, seconds) as progress:
            tables.evaluate(function, exchange.watched(lines, progress), name, out, given.inputs)
    return 0
