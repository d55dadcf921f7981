"""The parser of the command line: mistakes in one line, and files looked for before the work."""

from __future__ import annotations

import argparse
import difflib
import os
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NoReturn

from symnet.names import shortened

EXITS = """\
exit status:
  0    all is well
  1    a check failed: what was made is wrong, and is not written
  2    input that cannot be used: one line on standard error says what and where
  130  interrupted by Ctrl-C"""


class Parser(argparse.ArgumentParser):
    """One line for a mistake, as for any other bad input, with what may have been meant."""

    def __init__(self, **options: Any) -> None:
        super().__init__(formatter_class=_Formatter, **options)
        self._words: Sequence[str] = ()
        self._read: list[str] = []
        self._written: dict[str, Callable[[str], object]] = {}
        self.agree: Callable[[argparse.Namespace], object] = lambda given: None
        self.need: Callable[[argparse.Namespace], object] = lambda given: None

    def reads(self, *names: str, **options: Any) -> None:
        """Add an argument that names files to be read, - for standard input."""
        self._read.append(self.add_argument(*names, **options).dest)

    def writes(self, check: Callable[[str], object], **options: Any) -> None:
        """Add -o, - for standard output; `check` raises ValueError for a name that won't do."""
        action = self.add_argument("-o", "--output", metavar="OUT", **options)
        self._written[action.dest] = check

    def error(self, message: str) -> NoReturn:
        if message.startswith("the following arguments are required"):
            # They may be there, by a mistyped option.
            for word in filter(self._is_strange, self._words):
                message = self._unrecognized(word)
        raise ValueError(f"{message} (see {self.prog} --help)")

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As argparse has it; ValueError names the first argument that no option takes.

        ValueError, too, where they do not `agree`, for files that are not there, and for those that
        cannot be written: before the work, not after it. ImportError for a library that they
        `need`.
        """
        given, left = self.parse_known_args(args, namespace)
        command: Parser = getattr(given, "parser", self)
        if left:
            command.error(command._unrecognized(left[0]))
        command.agree(given)
        command._check_files(given)
        command.need(given)
        return given

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        self._words = args or ()
        return super().parse_known_args(args, namespace)

    def _check_files(self, given: argparse.Namespace) -> None:
        for dest, check in self._written.items():
            if (path := getattr(given, dest)) not in (None, "-"):
                check(path)
        read = [path for dest in self._read for path in _listed(getattr(given, dest))]
        if read.count("-") > 1:
            raise ValueError("standard input can be read once; give the data in a file")
        for path in read:
            _check_there(path)

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


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """Examples as they are written."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=30, width=90)


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


def meant(word: str, known: Iterable[str]) -> str:
    """`; did you mean --notation?`, or nothing where nothing known is near."""
    near = difflib.get_close_matches(word.partition("=")[0], list(known), 1, 0.6)
    return f"; did you mean {near[0]}?" if near and near[0] != word else ""


def writable(path: str) -> None:
    """ValueError for a file that cannot be written."""
    folder = os.path.dirname(os.path.realpath(path))
    if not os.path.isdir(folder):
        raise ValueError(f"{path}: there is no such folder")
    if not os.access(path if os.path.exists(path) else folder, os.W_OK):
        raise ValueError(f"{path}: is write-protected")


def _check_there(path: str) -> None:
    if path == "-":
        return
    try:
        os.stat(path)
    except OSError as error:
        raise ValueError(f"{path}: cannot be read: {error.strerror}") from None


def _listed(paths: str | Sequence[str] | None) -> Sequence[str]:
    return [] if paths is None else [paths] if isinstance(paths, str) else paths


def _shown(word: object) -> str:
    return shortened(repr(str(word)))
