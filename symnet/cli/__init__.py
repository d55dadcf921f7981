"""The command line: `symnet derive | check | evaluate | generate | fit | import | report | …`.

A command's module is imported when it is called, and with it most of the package: inside `main`,
where Ctrl-C is one line from the first tenth of a second on. For the exit statuses see
`commands.EXITS`.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING

from symnet import progress
from symnet.cli import terminal
from symnet.cli.commands import EXITS, MODULES, SUMMARIES

if TYPE_CHECKING:
    from symnet.cli.options import Parser

_DESCRIPTION = """\
The derivatives of a neural network with respect to its inputs: as formulas to read,
as functions to ship, each checked against an independent engine.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    given = sys.argv[1:] if arguments is None else arguments
    try:
        return _run(given)
    except KeyboardInterrupt:
        exec("")  # or Python ends itself by the signal, where it came while a text was executed
        terminal.complain("interrupted", "symnet:")
        return 130
    except MemoryError as error:
        terminal.complain(str(error) or "out of memory")
        return 2


def _run(given: Sequence[str]) -> int:
    try:
        from symnet.cli.options import check_output

        options = parser(given).parse_args(_with_point(given))
        check_output(options)
        _replace_what_cannot_be_shown()
        with progress.silent(getattr(options, "quiet", False)):
            status: int = options.run(options)
        sys.stdout.flush()
        return status
    except BrokenPipeError:
        # The reader has gone; Python's own flush at exit must not complain either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except MemoryError:
        raise
    except Exception as error:
        status = _status(error)
        if not status:
            raise
        return _complain(error, status)


def _status(error: Exception) -> int:
    """1 for a check that failed, 2 for what a user can mend, 0 for a fault of the program's."""
    if isinstance(error, ValueError | OSError | ImportError):
        return 2  # as most are, of which those of mistyped commands wait for no import
    from symnet.backends.c.run.compiler import CompilerError
    from symnet.witness.checking import CheckError

    return 1 if isinstance(error, CheckError) else 2 if isinstance(error, CompilerError) else 0


def parser(given: Sequence[str] | None = None) -> Parser:
    """The parser of the command that is `given`, or of all: the others have their names only."""
    from symnet.cli.options import Formatter, Parser, Version

    called = next((word for word in given or () if not word.startswith("-")), None)
    parser = Parser(
        prog="symnet",
        description=_DESCRIPTION,
        epilog=f"symnet COMMAND --help shows an example of each\n\n{EXITS}",
        formatter_class=Formatter,
    )
    parser.add_argument("--version", action=Version, nargs=0, help="show the versions, and exit")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name, summary in SUMMARIES.items():
        if given is None or name == called:
            import_module(f"symnet.cli.{MODULES[name]}").add(commands)
        else:
            commands.add_parser(name, help=summary)
    return parser


def _with_point(arguments: Sequence[str]) -> list[str]:
    """`--at -1,2` as `--at=-1,2`, since argparse takes -1,2 for an option."""
    joined: list[str] = []
    for argument in arguments:
        if joined and joined[-1] == "--at" and re.match(r"-[\d.]", argument):
            joined[-1] = f"--at={argument}"
        else:
            joined.append(argument)
    return joined


def _replace_what_cannot_be_shown() -> None:
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure:
        reconfigure(errors="replace")


def _complain(error: Exception, status: int) -> int:
    from symnet.names import visible

    message = str(error)
    if isinstance(error, OSError) and error.strerror:
        message = f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    terminal.complain(visible(" ".join(message.split())))
    return status
