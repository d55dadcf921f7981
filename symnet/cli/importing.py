"""`symnet import`: a network of another program as a network file, and what was made of it."""

from __future__ import annotations

import argparse

from symnet.cli import exchange, terminal
from symnet.importers import Imported, Options, read
from symnet.importers.imported import renamed


def run(given: argparse.Namespace) -> int:
    """Print what was read; CheckError where its values are not those of the other program."""
    asked = Options(
        inputs=given.inputs,
        outputs=given.outputs,
        select=given.select_outputs,
        activations=given.activations,
        layout=given.layout,
        alone=True,
    )
    if given.file == "-":
        network = renamed(exchange.loaded("-"), asked)
        found = Imported(network, "standard input (symnet)", compared="")
    else:
        with exchange.reading(given.file, given.quiet):
            found = read(given.file, asked)
    terminal.say(given, str(found))
    if given.output is not None:
        exchange.save(exchange.with_units(found.network, given), given.output)
        terminal.say(given, f"wrote {given.output}" if given.output != "-" else "")
    return 0
