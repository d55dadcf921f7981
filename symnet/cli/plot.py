"""`symnet plot`: a picture of a network."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from symnet import fitting, plotting
from symnet.cli import exchange, forecasts, terminal
from symnet.network import Network
from symnet.plotting import Picture
from symnet.progress import part


def run(given: argparse.Namespace) -> int:
    """Write the picture, and say what was chosen."""
    network = exchange.network(given)
    data = _data(network, given)
    order = min(2 if given.order is None else given.order, 2)
    outputs = None if given.outputs is None else len(given.outputs)
    seconds = 0.0 if given.kind == "network" else forecasts.pictures(network, order, outputs)
    with terminal.working(f"drawing {network.describe()}", given.quiet, seconds):
        with part(0.0, 0.8):
            picture = plotting.plot(
                network,
                kind=given.kind,
                order=given.order,
                inputs=given.inputs,
                outputs=None if given.kind == "measured" else given.outputs,
                over=given.over,
                at=given.at,
                data=data,
                units=given.units,
            )
        with part(0.8, 1.0):
            _write(picture, given.output)
    terminal.say(given, f"wrote {given.output}: {picture.title}" if given.output != "-" else "")
    terminal.say(given, "\n".join(f"note: {note}" for note in picture.notes))
    return 0


def _write(picture: Picture, output: str) -> None:
    """To a file, or as PNG to standard output, which a terminal would not show."""
    if output != "-":
        picture.save(output)
    elif sys.stdout.isatty():
        raise ValueError("-o -: a terminal shows no picture; give a file, or a pipe")
    else:
        sys.stdout.flush()
        sys.stdout.buffer.write(picture.png())


def _data(network: Network, given: argparse.Namespace) -> Any:
    if given.data is None:
        return None
    if given.kind != "measured":
        return exchange.points(network, given.data, given.quiet)
    source = sys.stdin.fileno() if given.data == "-" else given.data
    return fitting.read(source, given.outputs or network.output_names)
