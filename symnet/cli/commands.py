"""The commands: what each does and takes, an example of it, and the module that does it.

The work of a command is the function `run` of its module, which is imported when it is called.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from symnet import catalogue
from symnet.cli import arguments
from symnet.cli.parsing import EXITS, Parser, Version

_DESCRIPTION = """\
The derivatives of a neural network with respect to its inputs: as formulas to read,
as functions to ship, each checked against an independent engine.
"""


@dataclass(frozen=True)
class Command:
    """What a command does, what it takes, an example of it, and the module of `symnet.cli`."""

    module: str
    summary: str
    take: Callable[[Parser], None]
    example: str


def parser() -> Parser:
    """The parser of all commands."""
    parser = Parser(
        prog="symnet",
        description=_DESCRIPTION,
        epilog=f"symnet COMMAND --help shows an example of each\n\n{EXITS}",
    )
    parser.add_argument("--version", action=Version, nargs=0, help="show the versions, and exit")
    commands = parser.add_subparsers(
        title="commands", metavar="COMMAND", dest="command", required=True
    )
    for name, command in COMMANDS.items():
        _add(commands, name, command)
    return parser


def _add(commands: Any, name: str, command: Command) -> None:
    summary = command.summary
    parser: Parser = commands.add_parser(
        name,
        help=summary,
        description=summary[0].upper() + summary[1:] + ".",
        epilog=f"example:\n  {command.example}\n\n{EXITS}",
    )
    parser.set_defaults(parser=parser)
    parser.add_argument(
        "-q", "--quiet", action="store_true", help="say nothing but results and errors"
    )
    command.take(parser)


_LISTED = "\n".join(f"  {name:12}{row.summary}" for name, row in catalogue.LANGUAGES.items())
_NOTES = "".join(
    f"\n\n{name} {row.notes}" for name, row in catalogue.LANGUAGES.items() if row.notes
)

COMMANDS: Mapping[str, Command] = MappingProxyType(
    {
        "derive": Command(
            "derive",
            "print the derivatives as formulas",
            arguments.derive,
            "symnet derive net.json --notation layer --at 1,1",
        ),
        "check": Command(
            "check",
            "compare the generated functions with an independent engine and 50-digit arithmetic",
            arguments.check,
            "symnet check net.json --backend numpy --seed 1",
        ),
        "evaluate": Command(
            "evaluate",
            "compute the value and every partial at a table of points",
            arguments.evaluate,
            "symnet evaluate net.json points.csv -o derivatives.csv",
        ),
        "generate": Command(
            "generate",
            "write the derivatives as standalone files: NumPy, C, C++, Fortran, Rust, JavaScript "
            "and others",
            arguments.generate,
            "symnet generate net.json -o derivatives.py && python derivatives.py\n"
            "  symnet generate net.json --language c --precision float -o firmware/\n"
            f"\nlanguages:\n{_LISTED}{_NOTES}",
        ),
        "fit": Command(
            "fit",
            "learn a network from rows that give values, partial derivatives, or both",
            arguments.fit,
            "symnet fit water.csv --hidden 16,16 --activation tanh -o water.json",
        ),
        "import": Command(
            "importing",
            "read a trained network of another program, and say what was folded and compared",
            arguments.import_,
            "symnet import model.onnx -o net.json --inputs rho,T --outputs p",
        ),
        "report": Command(
            "report",
            "write a page: pictures, formulas, slopes over data, check and cost",
            arguments.report,
            "symnet report net.json -o report.html --data table.csv",
        ),
        "plot": Command(
            "plot",
            "draw the value and the partials over ranges, or the network itself",
            arguments.plot,
            "symnet plot net.json -o net.png --over x1=-2:2,x2=0:5",
        ),
        "sensitivity": Command(
            "sensitivity",
            "measure over data how the outputs depend on the inputs",
            arguments.sensitivity,
            "symnet sensitivity net.json data.csv -o bars.png",
        ),
        "completion": Command(
            "completion",
            "print a script by which a shell completes commands and options",
            arguments.completion,
            "symnet completion bash > symnet.bash && grep -c complete symnet.bash  # and: "
            '". symnet.bash" in ~/.bashrc',
        ),
    }
)
