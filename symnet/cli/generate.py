"""`symnet generate`: the derivatives as standalone files of source text."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from symnet import languages
from symnet.cli import options, terminal
from symnet.languages import running
from symnet.names import shortened
from symnet.network import Network


def add(commands: Any) -> None:
    """Add the command to the parser's `commands`."""
    parser = options.command(
        commands,
        "generate",
        run,
        "symnet generate net.json -o derivatives.py && python derivatives.py\n"
        "  symnet generate net.json --language c --precision float -o firmware/\n"
        "\nlanguages:\n"
        + "\n".join(f"  {name:12}{row.summary}" for name, row in languages.LANGUAGES.items()),
    )
    parser.add_argument(
        "files",
        nargs="*",
        metavar="FILE",
        help="network files (JSON); without any the built-in 2-2-1 example",
    )
    options.output(parser, "the file, or a folder (ends with /) for all files of all networks")
    options.order(parser)
    parser.add_argument(
        "--language", choices=tuple(languages.LANGUAGES), default="python", help="(python)"
    )
    parser.add_argument("--name", help="what functions or the module are called (the network's)")
    parser.add_argument(
        "--only",
        metavar="PARTIALS",
        help="compute these alone, whatever --order, in languages with loops: y,dy/dx1,d2y/dx1dx2",
    )
    parser.add_argument(
        "--precision", choices=languages.PRECISIONS, default="double", help="of numbers (double)"
    )


def run(given: argparse.Namespace) -> int:
    """Write the files once they have passed their own self-tests; CheckError where one fails."""
    networks = [options.loaded(path) for path in given.files] or [Network.example()]
    name, folder = _place(given)
    if len(networks) > 1 and (folder is None or name):
        raise ValueError("several networks: give -o FOLDER/ and no --name, each has its own")
    written: dict[str, str | bytes] = {}
    for network in networks:
        with terminal.working(f"generating {network.describe()}", given.quiet):
            made = languages.generate(
                network,
                given.language,
                given.order,
                name=name,
                precision=given.precision,
                command=_command(given),
                only=_only(given),
            )
            _confirm(given.language, made)
        _check_apart(written, made)
        written |= made
    if len(networks) > 1 and given.language in ("c", "c-batch"):
        written |= _library(str(folder), list(written))
    _write(given, written, folder)
    return 0


def _confirm(language: str, made: Mapping[str, str | bytes]) -> None:
    """Run the self-test of what will be written; CheckError where it fails."""
    if languages.LANGUAGES[language].whole is not None:
        (text,) = made.values()
        unconfirmed = running.confirm(language, str(text))
    else:
        unconfirmed = running.confirm_files(language, made)
    if unconfirmed:
        sys.stderr.write(f"symnet: {unconfirmed}\n")


def _place(given: argparse.Namespace) -> tuple[str | None, Path | None]:
    """The name that the output gives where there is no --name, and the folder for the files."""
    if given.output == "-":
        return given.name, None
    path = Path(given.output)
    if given.output.endswith("/") or path.is_dir():
        return given.name, path
    return given.name or path.stem, path.parent


def _write(given: argparse.Namespace, written: dict[str, str | bytes], folder: Path | None) -> None:
    if len(written) == 1 and not (given.output.endswith("/") or Path(given.output).is_dir()):
        _put(given.output, next(iter(written.values())))
        return
    if folder is None:
        raise ValueError(
            f"--language {given.language} gives {' and '.join(written)}: "
            "say where with -o FOLDER/ or -o NAME"
        )
    folder.mkdir(parents=True, exist_ok=True)
    for file, text in written.items():
        _put(str(folder / file), text)


def _put(path: str, content: str | bytes) -> None:
    """Bytes go to a file's or standard output's buffer."""
    with options.opened(path) as out:
        if isinstance(content, str):
            out.write(content)
        else:
            out.flush()
            out.buffer.write(content)


def _check_apart(written: dict[str, str | bytes], made: Any) -> None:
    same = sorted(written.keys() & made.keys())
    if same:
        raise ValueError(f"two networks give {same[0]}: their names must differ")


def _library(folder: str, names: Sequence[str]) -> dict[str, str]:
    """One header for all networks, called after the folder."""
    name = Path(folder).resolve().name
    includes = "".join(f'#include "{n}"\n' for n in names if n.endswith(".h"))
    header = f"{name}_all.h"
    return {header: f"/* All networks of this folder, generated by symnet. */\n{includes}"}


def _only(given: argparse.Namespace) -> list[str]:
    return [] if given.only is None else options.names(given.only)


def _command(given: argparse.Namespace) -> str:
    words = ["symnet", "generate", *(Path(path).name for path in given.files)]
    words += ["--language", given.language]
    words += ["--only", given.only] if given.only else ["--order", str(given.order)]
    words += ["--precision", given.precision] if given.precision != "double" else []
    words += ["--name", given.name] if given.name else []
    return shortened(shlex.join(words), 80)
