"""`symnet evaluate`: a table of points in, a table of derivatives out."""

from __future__ import annotations

import argparse
import sys

from symnet import tables
from symnet.cli import exchange, forecasts, terminal
from symnet.derivation import derive


def run(given: argparse.Namespace) -> int:
    """Write the table block by block, so that it may be larger than memory."""
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
