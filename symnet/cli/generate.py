"""`symnet generate`: the derivatives as standalone files of source text."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TextIO

from symnet import languages, names
from symnet.catalogue import LANGUAGES
from symnet.cli import agreement, exchange, forecasts, terminal, values
from symnet.cli.agreement import is_folder
from symnet.languages import running
from symnet.names import shortened
from symnet.network import Network
from symnet.progress import part


def run(given: argparse.Namespace) -> int:
    """Write the files once they have passed their own self-tests; CheckError where one fails."""
    given.language = agreement.language(given)
    networks = [exchange.loaded(path, given.quiet) for path in given.files] or [Network.example()]
    name, folder = _place(given)
    asked = {"precision": given.precision, "command": _command(given), "only": _only(given)}
    if given.plain:
        asked["plain_text"] = True
    what = ", ".join(network.describe() for network in networks)
    order = 0 if given.only else given.order
    loops = languages.WRITERS[given.language].files is not None
    seconds = sum(forecasts.generating(network, order, loops) for network in networks)
    with terminal.working(f"generating {what}", given.quiet, seconds):
        with part(0.0, 0.7):
            written = _written(given, networks, name, asked)
            placed = _placed(given, written, folder)
        with part(0.7, 1.0):
            _confirm(given.language, written)
    if folder is not None and (is_folder(given.output) or len(placed) > 1):
        folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as files:  # all of them or none
        for path, content in placed.items():
            _put(files.enter_context(exchange.opened(path)), content)
    return 0


def _written(
    given: argparse.Namespace,
    networks: Sequence[Network],
    name: str | None,
    asked: dict[str, Any],
) -> Mapping[str, str | bytes]:
    """The files of one network, or of several as one library."""
    if len(networks) == 1:
        return languages.generate(networks[0], given.language, given.order, name=name, **asked)
    name = name or names.called(Path(given.output).resolve().name, given.language)
    return languages.generate_library(
        _called(given, networks), given.language, given.order, name=name, **asked
    )


def _called(given: argparse.Namespace, networks: Sequence[Network]) -> dict[str, Network]:
    """The networks by their names, or those of their files."""
    found: dict[str, Network] = {}
    for path, network in zip(given.files, networks, strict=True):
        name = names.called(network.name or Path(path).stem, given.language)
        if name in found:
            raise ValueError(f"two networks are called {name}: their names must differ")
        found[name] = network
    return found


def _confirm(language: str, made: Mapping[str, str | bytes]) -> None:
    """Run the self-test of what will be written; CheckError where it fails."""
    if unconfirmed := running.confirm(language, made):
        sys.stderr.write(f"symnet: {unconfirmed}\n")


def _place(given: argparse.Namespace) -> tuple[str | None, Path | None]:
    """The name that the output gives where there is no --name, and the folder for the files."""
    if given.output == "-":
        return given.name, None
    path = Path(given.output)
    if given.name is not None or is_folder(given.output):
        return given.name, path if is_folder(given.output) else path.parent
    free = LANGUAGES[given.language].free
    return names.called(path.stem, given.language) if free else path.stem, path.parent


def _placed(
    given: argparse.Namespace, written: Mapping[str, str | bytes], folder: Path | None
) -> dict[str, str | bytes]:
    """What is written, by its path; ValueError where none of it would be the file that is asked."""
    into, asked = is_folder(given.output), Path(given.output)
    if len(written) == 1 and not into:
        return {given.output: next(iter(written.values()))}
    if folder is not None and not into and LANGUAGES[given.language].free:
        endings = {file: file.partition(".")[2] for file in written}
        written = {f"{asked.stem}.{endings[file]}": text for file, text in written.items()}
    known = written if asked.suffix else {file.partition(".")[0] for file in written}
    if folder is None or not (into or asked.name in known):
        raise ValueError(
            f"--language {given.language} gives {' and '.join(written)}: "
            "say where with -o FOLDER/ or -o NAME"
        )
    return {str(folder / file): text for file, text in written.items()}


def _put(out: TextIO, content: str | bytes) -> None:
    """Bytes go to a file's or standard output's buffer; a full disk is met before any is closed."""
    if isinstance(content, str):
        out.write(content)
    else:
        out.flush()
        out.buffer.write(content)
    out.flush()


def _only(given: argparse.Namespace) -> list[str]:
    return [] if given.only is None else values.names(given.only)


def _command(given: argparse.Namespace) -> str:
    words = ["symnet", "generate", *(Path(path).name for path in given.files)]
    words += ["--language", given.language]
    words += ["--only", given.only] if given.only else ["--order", str(given.order)]
    words += ["--plain"] if given.plain else []
    words += ["--precision", given.precision] if given.precision != "double" else []
    words += ["--name", given.name] if given.name else []
    return shortened(shlex.join(words), 80)
