"""`symnet plot`: a picture of a network."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from symnet import fitting, plotting
from symnet.cli import exchange, forecasts, options, terminal
from symnet.network import Network
from symnet.plotting import Picture
from symnet.progress import part


def add(commands: Any) -> None:
    """Add the command to the parser's `commands`."""
    parser = options.command(
        commands,
        "plot",
        run,
        "symnet plot net.json -o net.png --over x1=-2:2,x2=0:5",
    )
    options.file(parser)
    parser.add_argument(
        *("-o", "--output"),
        required=True,
        metavar="OUT",
        help="ends in .png, .svg or .pdf (- for PNG to stdout)",
    )
    parser.add_argument(
        "--kind",
        choices=plotting.KINDS,
        help="(maps of two inputs, curves otherwise); measured: predicted against --data",
    )
    parser.add_argument(
        "--order",
        type=options.whole,
        metavar="R",
        help="highest order of partial, 0 to 2 (2, of relu and its like 1)",
    )
    parser.add_argument("--inputs", type=options.names, help="those shown: rho,T")
    parser.add_argument("--outputs", type=options.names, help="those shown (those that fit)")
    parser.add_argument(
        "--over", type=options.ranges, metavar="RANGES", help="rho=20:600,T=660:1000"
    )
    parser.add_argument(
        "--at",
        type=options.place,
        metavar="X",
        help="where inputs that are not moved are: 300,800 or T=800 (middle)",
    )
    parser.add_argument(
        "--data", metavar="TABLE", help="CSV that gives the ranges and is shown (- for stdin)"
    )
    options.units_of(parser, "(those in the network's file)")


def run(given: argparse.Namespace) -> int:
    """Write the picture, and say what was chosen."""
    if given.output != "-":
        plotting.format_of(given.output)
    options.check_stdin(given.file, given.data)
    if given.kind == "measured" and given.data is None:
        raise ValueError(
            "--kind measured: predicted against measured needs a table with columns for outputs or "
            "partials, as y or dy/dx1; give it by --data"
        )
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
    options.say(given, f"wrote {given.output}: {picture.title}" if given.output != "-" else "")
    options.say(given, "\n".join(f"note: {note}" for note in picture.notes))
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
