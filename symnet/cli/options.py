"""Options that commands have in common, and what is said of mistakes in them.

Nothing here needs NumPy or SymPy: a mistyped command is told at once.
"""

from __future__ import annotations

import argparse
import csv
import difflib
import os
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NoReturn

from symnet.cli.commands import EXITS, SUMMARIES
from symnet.names import shortened

Run = Callable[[argparse.Namespace], int]

FORMATS = (
    "network file (JSON), or a trained network: .onnx .keras .h5 .nnet .npz .safetensors .pt "
    ".msgpack .mat .nc"
)


class Parser(argparse.ArgumentParser):
    """One line for a mistake, as for any other bad input, with what may have been meant."""

    _words: Sequence[str] = ()

    def error(self, message: str) -> NoReturn:
        if message.startswith("the following arguments are required"):
            # They may be there, by a mistyped option.
            for word in filter(self._is_strange, self._words):
                message = self._unrecognized(word)
        raise ValueError(f"{message} (see {self.prog} --help)")

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As argparse has it; ValueError names the first argument that no option takes."""
        given, left = self.parse_known_args(args, namespace)
        if left:
            command: Parser = getattr(given, "parser", self)
            command.error(command._unrecognized(left[0]))
        return given

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        self._words = args or ()
        return super().parse_known_args(args, namespace)

    def _is_strange(self, word: str) -> bool:
        """Whether it is a long option, or the beginning of one, that there is not."""
        option = word.partition("=")[0]
        known = self._option_string_actions
        return option.startswith("--") and not any(name.startswith(option) for name in known)

    def _unrecognized(self, word: str) -> str:
        return f"unrecognized argument {_shown(word)}{meant(word, self._option_string_actions)}"

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is not None and value not in action.choices:
            known = list(map(str, action.choices))
            if isinstance(action, argparse._SubParsersAction):
                self.error(f"unknown command {_shown(value)}{meant(str(value), known)}")
            said = f"invalid choice: {_shown(value)}{meant(str(value), known)}"
            raise argparse.ArgumentError(action, f"{said} (choose from {', '.join(known)})")


def meant(word: str, known: Iterable[str]) -> str:
    """`; did you mean --notation?`, or nothing where nothing known is near."""
    near = difflib.get_close_matches(word.partition("=")[0], list(known), 1, 0.6)
    return f"; did you mean {near[0]}?" if near else ""


def _shown(word: object) -> str:
    return shortened(repr(str(word)))


class Version(argparse.Action):
    """Looks the versions up only when they are asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        import platform
        from importlib.metadata import version

        from symnet.backends.c.run import compiler

        print(f"symnet {version('symnet')}")
        print(f"Python {platform.python_version()} on {platform.system()} {platform.machine()}")
        for package in ("NumPy", "SymPy"):
            print(f"{package} {version(package)}")
        print(f"C compiler: {compiler.identity()}")
        parser.exit()


class Formatter(argparse.RawDescriptionHelpFormatter):
    """Examples as they are written."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=30, width=90)


def command(commands: Any, name: str, run: Run, example: str) -> Parser:
    """Add a command whose help ends with an example; `run` gives the exit status."""
    summary = SUMMARIES[name]
    parser: Parser = commands.add_parser(
        name,
        help=summary,
        description=summary[0].upper() + summary[1:] + ".",
        epilog=f"example:\n  {example}\n\n{EXITS}",
        formatter_class=Formatter,
    )
    parser.set_defaults(run=run, parser=parser)
    parser.add_argument(
        *("-q", "--quiet"), action="store_true", help="say nothing but results and errors"
    )
    return parser


def file(parser: Parser) -> None:
    """FILE, which may be left out."""
    parser.add_argument(
        "file",
        nargs="?",
        metavar="FILE",
        help=f"{FORMATS} (- for stdin); without it the built-in 2-2-1 example",
    )


def order(parser: Parser) -> None:
    """--order R."""
    parser.add_argument(
        "--order", type=whole, default=2, metavar="R", help="highest order of derivative (2)"
    )


def backend(parser: Parser) -> None:
    """--backend NAME."""
    from symnet.compiling import BACKENDS

    parser.add_argument(
        "--backend", choices=tuple(BACKENDS), default="numpy", help="what is generated (numpy)"
    )


def output(parser: Parser, what: str) -> None:
    """-o OUT, standard output by default."""
    parser.add_argument("-o", "--output", default="-", metavar="OUT", help=f"{what} (- for stdout)")


def check_output(given: argparse.Namespace) -> None:
    """ValueError for a file that cannot be written: before the work, not after it.

    A command that says so by `makes_folders` makes those that there are not.
    """
    path = getattr(given, "output", "-")
    if path in (None, "-") or getattr(given, "makes_folders", False):
        return
    folder = os.path.dirname(os.path.realpath(path))
    if not os.path.isdir(folder):
        raise ValueError(f"{path}: there is no such folder")
    if not os.access(path if os.path.exists(path) else folder, os.W_OK):
        raise ValueError(f"{path}: is write-protected")


def whole(text: str) -> int:
    """A number of digits only."""
    if not re.fullmatch(r"[0-9]{1,4}", text, re.ASCII):
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number")
    return int(text)


def point(text: str) -> list[float]:
    """Numbers between commas."""
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no point; write it as 1,0.5") from None


def names(text: str) -> list[str]:
    """Names between commas; one with a comma in it stands in quotes, as in a table's header."""
    return [name.strip() for name in _parts(text)]


def functions(text: str) -> list[str]:
    """Activations between commas, but for those that are in brackets: `clip(-1,6),linear`."""
    return [part.strip() for part in re.split(r",(?![^(]*\))", text)]


def _parts(text: str) -> list[str]:
    (found,) = csv.reader([text], skipinitialspace=True) if text else [[""]]
    return found


def units(text: str) -> dict[str, str]:
    """`rho=kg/m3,T=K`."""
    return dict(_pairs(text, "unit", "rho=kg/m3,T=K"))


def units_of(parser: Parser, what: str) -> None:
    """--units."""
    parser.add_argument("--units", type=units, metavar="UNITS", help=f"rho=kg/m3,T=K,p=MPa {what}")


def ranges(text: str) -> dict[str, tuple[float, float]]:
    """`rho=20:600,T=660:1000`."""
    found = {}
    for name, value in _pairs(text, "range", "rho=20:600,T=660:1000"):
        try:
            low, high = map(float, value.split(":"))
        except ValueError:
            raise argparse.ArgumentTypeError(
                f"{name}={value!r} is no range; write it as {name}=20:600"
            ) from None
        found[name] = (low, high)
    return found


def place(text: str) -> list[float] | dict[str, float]:
    """A point with all its numbers, `300,800`, or some of them by name, `T=800`."""
    if "=" not in text:
        return point(text)
    pairs = _pairs(text, "point", "rho=300,T=800")
    return {name: _number(name, value) for name, value in pairs}


def _pairs(text: str, what: str, example: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for part in _parts(text):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not (name and equals and value):
            raise argparse.ArgumentTypeError(f"{part!r} is no {what}; write {example}")
        if name in dict(found):
            raise argparse.ArgumentTypeError(f"{what} of {name} is given twice")
        found.append((name, value))
    return found


def _number(name: str, value: str) -> float:
    try:
        return float(value)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{name}={value!r}: expected a number") from None


def check_stdin(*paths: str | None) -> None:
    """ValueError where more than one of these is read from standard input."""
    if paths.count("-") > 1:
        raise ValueError("standard input can be read once; give the data in a file")


def say(given: argparse.Namespace, text: str) -> None:
    """What is no result: to standard error where that is written to -, nowhere if quiet."""
    if not given.quiet and text:
        print(text, file=sys.stderr if given.output == "-" else sys.stdout)
