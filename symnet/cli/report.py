"""`symnet report`: a page to send to a colleague."""

from __future__ import annotations

import argparse
import shlex
from pathlib import PurePath

from symnet import reporting
from symnet.backends.numpy.threads import blas_on_one_thread
from symnet.cli import encoding, exchange, forecasts, terminal
from symnet.derivation import derive
from symnet.progress import part
from symnet.reporting import Page
from symnet.witness.places import few_weights


def run(given: argparse.Namespace) -> int:
    """Write the page; 1 when the check on it failed."""
    if given.output != "-":
        reporting.format_of(given.output)
    network = exchange.with_units(exchange.network(given), given)
    data = None if given.data is None else exchange.points(network, given.data, given.quiet)
    counted = 0 if data is None else len(data)
    few = few_weights(network)
    seconds = forecasts.report(network, given.order, counted, few)
    # A page is made of many small products: a second thread waits for more than it computes.
    with (
        terminal.working(f"the page of {network.describe()}", given.quiet, seconds),
        blas_on_one_thread(),
    ):
        with part(0.0, 0.3):
            derivation = derive(network, given.order)
            cost, checked = reporting.checked(derivation)
        with part(0.3, 0.6):
            page = reporting.described(derivation, checked, cost, data, _command(given))
        with part(0.6, 1.0):
            _write(page, given.output)
    return 0 if checked is None or checked.ok else 1


def _write(page: Page, output: str) -> None:
    """To a file, or as HTML to standard output."""
    if output == "-":
        encoding.as_file().write(reporting.text(page, "html"))
    else:
        reporting.write(page, output)


def _command(given: argparse.Namespace) -> str:
    """How the page is asked for again, by the names of files alone."""
    words = ["symnet", "report"]
    words += [] if given.file is None else [PurePath(given.file).name]
    words += ["-o", "report.html" if given.output == "-" else PurePath(given.output).name]
    words += [] if given.order == 2 else ["--order", str(given.order)]
    units = ",".join(f"{name}={unit}" for name, unit in (given.units or {}).items())
    words += ["--units", units] if units else []
    words += [] if given.data is None else ["--data", PurePath(given.data).name]
    return shlex.join(words)
