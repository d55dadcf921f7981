"""The command line: `symnet derive | check | evaluate | generate | fit | import | report | …`.

A command's module is imported once its arguments are right, and with it most of the package: inside
`main`, where Ctrl-C is one line from the first tenth of a second on. For the exit statuses see
`parsing.EXITS`.
"""

from __future__ import annotations

import gc
import os
import re
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from types import ModuleType

from symnet import progress
from symnet.cli import encoding, terminal
from symnet.cli.commands import COMMANDS, parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    given = sys.argv[1:] if arguments is None else arguments
    _open_what_is_closed()
    try:
        return _run(given, _for_good if arguments is None else import_module)
    except KeyboardInterrupt:
        exec("")  # or Python ends itself by the signal, where it came while a text was executed
        terminal.complain("interrupted", "symnet:")
        return 130
    except MemoryError as error:
        terminal.complain(str(error) or "out of memory")
        return 2


def _run(given: Sequence[str], load: Callable[[str], ModuleType]) -> int:
    try:
        status = _done(given, load)
        sys.stdout.flush()
        return status
    except BrokenPipeError:  # the reader has gone
        _flush_or_drop()
        return 0
    except MemoryError:
        raise
    except Exception as error:
        status = _status(error)
        if not status:
            raise
        _flush_or_drop()
        return _complain(error, status)


def _done(given: Sequence[str], load: Callable[[str], ModuleType]) -> int:
    try:
        options = parser().parse_args(_with_point(given))
    except SystemExit as shown:  # help or versions are
        return int(shown.code or 0)
    encoding.show_what_can_be_shown()
    command = load(f"symnet.cli.{COMMANDS[options.command].module}")
    with progress.silent(options.quiet):
        status: int = command.run(options)
    return status


def _for_good(name: str) -> ModuleType:
    """A command's module, in a process of its own. What comes with it stays to the end: Python's
    search of it for what could go would be a sixth of the time that `symnet derive` takes."""
    gc.disable()
    try:
        return import_module(name)
    finally:
        gc.freeze()
        gc.enable()


def _flush_or_drop() -> None:
    """What cannot be written is dropped: Python's own flush at exit would complain again."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _status(error: Exception) -> int:
    """1 for a check that failed, 2 for what a user can mend, 0 for a fault of the program's."""
    if isinstance(error, ValueError | OSError | ImportError):
        return 2  # as most are, of which those of mistyped commands wait for no import
    from symnet.backends.c.run.compiler import CompilerError
    from symnet.witness.checking import CheckError

    return 1 if isinstance(error, CheckError) else 2 if isinstance(error, CompilerError) else 0


def _open_what_is_closed() -> None:
    """Standard streams that there are not, which are None, become such as nothing can be read from
    or written to; else the first file that is opened would be one of them. Complaints are lost."""
    ways = {"stdin": ("r", os.O_WRONLY), "stdout": ("w", os.O_RDONLY), "stderr": ("w", os.O_RDWR)}
    for name, (mode, flags) in ways.items():
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, flags), mode, encoding="utf-8"))


def _with_point(arguments: Sequence[str]) -> list[str]:
    """`--at -1,2` as `--at=-1,2`, since argparse takes -1,2 for an option."""
    joined: list[str] = []
    for argument in arguments:
        if joined and joined[-1] == "--at" and re.match(r"-[\d.]", argument):
            joined[-1] = f"--at={argument}"
        else:
            joined.append(argument)
    return joined


def _complain(error: Exception, status: int) -> int:
    from symnet.names import visible

    message = str(error)
    if isinstance(error, OSError) and error.strerror:
        message = f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    terminal.complain(visible(" ".join(message.split())))
    return status
