"""The command line: `symnet derive | check | evaluate | generate | fit | import | report | …`.

Exit status 0 when all is well, 1 when a check failed, 2 for input that cannot be used, which is
one line on standard error, and 130 after Ctrl-C.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Sequence

from symnet.backends.c.run.compiler import CompilerError
from symnet.cli import check, derive, evaluate, fit, generate, importing, plot, report, sensitivity
from symnet.cli.options import Formatter, Parser, Version
from symnet.names import visible
from symnet.witness.checking import CheckError

_DESCRIPTION = """\
The derivatives of a neural network with respect to its inputs: as formulas to read,
as functions to ship, each checked against an independent engine.
"""

_COMMANDS = (derive, check, evaluate, generate, fit, importing, report, plot, sensitivity)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    given = sys.argv[1:] if arguments is None else arguments
    try:
        options = _parser().parse_args(_with_point(given))
        _replace_what_cannot_be_shown()
        status: int = options.run(options)
        sys.stdout.flush()
        return status
    except CheckError as error:
        return _complain(error, 1)
    except BrokenPipeError:
        # The reader has gone; Python's own flush at exit must not complain either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 130
    except (ValueError, OSError, ImportError, CompilerError, MemoryError) as error:
        return _complain(error, 2)


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="symnet",
        description=_DESCRIPTION,
        epilog="symnet COMMAND --help shows an example of each",
        formatter_class=Formatter,
    )
    parser.add_argument("--version", action=Version, nargs=0, help="show the version and exit")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in _COMMANDS:
        command.add(commands)
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
    message = str(error)
    if isinstance(error, OSError) and error.strerror:
        message = f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    print(f"symnet: error: {visible(' '.join(message.split()))}", file=sys.stderr)
    return status
