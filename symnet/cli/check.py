"""`symnet check`: the Report of a full check."""

from __future__ import annotations

import argparse

from symnet.breaking import SENTENCES, broken
from symnet.cli import exchange, forecasts, terminal
from symnet.derivation import derive
from symnet.formulas import limits


def run(given: argparse.Namespace) -> int:
    """Print the Report; 1 when it says that a comparison failed."""
    derivation = derive(exchange.network(given), given.order)
    seconds = forecasts.check(derivation.network, given.order)
    what = f"checking {derivation.network.describe()}"
    with terminal.working(what, given.quiet, seconds):
        _, report = exchange.checked(derivation, given.backend, given.seed)
    print(report)
    for note in limits(derivation.network, given.order):
        print("\n".join(broken(note, SENTENCES, indent="  ")))
    return 0 if report.ok else 1
