"""`symnet generate`: the derivatives as standalone files of source text."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from symnet import catalogue, languages, names
from symnet.cli import encoding, exchange, forecasts, terminal, values
from symnet.languages import placing, running
from symnet.names import shortened
from symnet.network import Network
from symnet.progress import part


def run(given: argparse.Namespace) -> int:
    """Write the files once they have passed their own self-tests; CheckError where one fails."""
    given.language = catalogue.language_of(given.output, given.language)
    networks = [exchange.loaded(path, given.quiet) for path in given.files] or [Network.example()]
    asked = {"precision": given.precision, "command": _command(given), "only": _only(given)}
    if given.plain:
        asked["plain_text"] = True
    what = ", ".join(network.describe() for network in networks)
    order = 0 if given.only else given.order
    loops = languages.WRITERS[given.language].files is not None
    seconds = sum(forecasts.generating(network, order, loops) for network in networks)
    with terminal.working(f"generating {what}", given.quiet, seconds):
        with part(0.0, 0.7):
            written = _written(given, networks, _name(given), asked)
        with part(0.7, 1.0):
            _confirm(given.language, written)
    _write(written, given.output, given.language)
    return 0


def _name(given: argparse.Namespace) -> str | None:
    """The name that is asked for, or else the output's."""
    if given.name is not None or given.output == "-":
        return given.name
    return placing.named(given.output, given.language)


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


def _write(written: Mapping[str, str | bytes], output: str, language: str) -> None:
    """Into their places, or the only one to standard output."""
    if output != "-":
        placing.write(written, output, language)
        return
    if len(written) > 1:
        raise ValueError(
            f"{language} gives {' and '.join(written)}: say where with -o FOLDER/ or -o NAME"
        )
    (content,) = written.values()
    if isinstance(content, str):
        encoding.as_file().write(content)
    else:
        sys.stdout.buffer.write(content)


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
