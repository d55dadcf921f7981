"""`symnet import`: a network of another program as a network file, and what was made of it."""

from __future__ import annotations

import argparse
from typing import Any

from symnet.cli import exchange, options
from symnet.importers import Imported, Options, read
from symnet.importers.imported import renamed


def add(commands: Any) -> None:
    """Add the command to the parser's `commands`."""
    parser = options.command(
        commands,
        "import",
        run,
        "symnet import model.onnx -o net.json --inputs rho,T --outputs p",
    )
    parser.add_argument("file", metavar="FILE", help=f"{options.FORMATS} (- for JSON from stdin)")
    parser.add_argument(*("-o", "--output"), metavar="OUT", help="network file (- for stdout)")
    parser.add_argument(
        "--inputs",
        type=options.names,
        help="names of the inputs: rho,T (quoted where they have commas)",
    )
    parser.add_argument("--outputs", type=options.names, help="names of the outputs: p")
    options.units_of(parser, "(kept in the file)")
    parser.add_argument(
        "--select-outputs",
        type=options.names,
        metavar="NAMES",
        help="outputs to keep, by the model's names",
    )
    parser.add_argument(
        "--activations",
        type=options.functions,
        help="for files of arrays: tanh,linear, or with their order Dense_1=tanh,Dense_0=linear",
    )
    parser.add_argument(
        "--layout",
        choices=("out,in", "in,out"),
        metavar="AXES",
        help="of such files' matrices: out,in or in,out (as names say)",
    )


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
    options.say(given, str(found))
    if given.output is not None:
        exchange.save(exchange.with_units(found.network, given), given.output)
        options.say(given, f"wrote {given.output}" if given.output != "-" else "")
    return 0
