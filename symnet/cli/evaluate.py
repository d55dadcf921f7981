"""`symnet evaluate`: a table of points in, a table of derivatives out."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from typing import Any, TextIO

from symnet import tables
from symnet.cli import options, terminal
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
    function = derive(options.network(given), given.order).compile(given.backend)
    standard = given.points == "-"
    source = sys.stdin.fileno() if standard else given.points
    with (
        open(source, encoding="utf-8-sig", newline="", closefd=not standard) as lines,
        options.opened(given.output) as out,
    ):
        name = "standard input" if standard else given.points
        quiet = given.quiet or (given.output == "-" and sys.stdout.isatty())
        with terminal.working(f"evaluating {name}", quiet) as progress:
            tables.evaluate(function, _watched(lines, progress), name, out, given.inputs)
    return 0


def _watched(lines: TextIO, progress: terminal.Progress) -> Iterator[str]:
    """The lines; how many of the file's bytes have been read is its progress."""
    size, read = os.fstat(lines.fileno()).st_size, 0
    for number, line in enumerate(lines):
        read += len(line)
        if number % 1024 == 0:
            progress.show(read / size if size else 0.0, f"{number} lines")
        yield line
