"""`symnet evaluate`: a table of points in, a table of derivatives out."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from symnet import tables
from symnet.cli import options
from symnet.derivation import derive


def add(commands: Any) -> None:
    """Add the command to the parser's `commands`."""
    parser = options.command(
        commands,
        "evaluate",
        run,
        "compute the value and every partial at a table of points",
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
    function = derive(options.network(given), given.order).compile(given.backend)
    standard = given.points == "-"
    source = sys.stdin.fileno() if standard else given.points
    with (
        open(source, encoding="utf-8-sig", newline="", closefd=not standard) as lines,
        options.opened(given.output) as out,
    ):
        name = "standard input" if standard else given.points
        tables.evaluate(function, lines, name, out, given.inputs)
    return 0
