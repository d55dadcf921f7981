"""`symnet report`: a page to send to a colleague."""

from __future__ import annotations

import argparse
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
        "symnet report net.json -o report.html",
    )
    options.file(parser)
    parser.add_argument(
        *("-o", "--output"), required=True, metavar="OUT", help="ends in .html, .md or .tex"
    )
    options.order(parser)


def run(given: argparse.Namespace) -> int:
    """Write the page; 1 when the check on it failed."""
    format = reporting.format_of(given.output)
    derivation = derive(options.network(given), given.order)
    cost = checked = None
    if not derivation.network.symbols:
        with terminal.working(f"checking {derivation.network.describe()}", given.quiet):
            function, checked = options.checked(derivation)
        cost = function.cost
    text = reporting.page(derivation, checked, cost, format)
    with options.opened(given.output) as out:
        out.write(text)
    return 0 if checked is None or checked.ok else 1
