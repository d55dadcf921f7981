"""`symnet import`: a network of another program as a network file, and what was made of it."""

from __future__ import annotations

import argparse
from typing import Any

from symnet import files
from symnet.cli import options
from symnet.importers import Options, read


def add(commands: Any) -> None:
    """Add the command to the parser's `commands`."""
    parser = options.command(
        commands,
        "import",
        run,
        "read a trained network of another program, and say what was folded and compared",
        "symnet import model.onnx -o net.json --inputs rho,T --outputs p",
    )
    parser.add_argument("file", metavar="FILE", help=options.FORMATS)
    parser.add_argument(*("-o", "--output"), metavar="OUT", help="network file (none is written)")
    parser.add_argument("--inputs", type=_names, help="names of the inputs: rho,T")
    parser.add_argument("--outputs", type=_names, help="names of the outputs: p")
    parser.add_argument(
        "--select-outputs",
        type=_names,
        metavar="NAMES",
        help="outputs to keep, by the model's names",
    )
    parser.add_argument(
        "--activations", type=_names, help="of the layers, for files of arrays: tanh,tanh,linear"
    )
    parser.add_argument(
        "--layout",
        choices=("out,in", "in,out"),
        metavar="AXES",
        help="of such files' matrices: out,in or in,out (as names say)",
    )


def run(given: argparse.Namespace) -> int:
    """Print what was read; CheckError where its values are not those of the other program."""
    found = read(
        given.file,
        Options(
            inputs=given.inputs,
            outputs=given.outputs,
            select=given.select_outputs,
            activations=given.activations,
            layout=given.layout,
        ),
    )
    print(found)
    if given.output is not None:
        files.save(found.network, given.output)
        print(f"wrote {given.output}")
    return 0


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",")]
