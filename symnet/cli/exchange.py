"""What commands read and write: networks, points, files and what is said beside them."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TextIO

import numpy as np

from symnet import files, tables
from symnet.cli import encoding, forecasts, terminal
from symnet.compiling import Compiled
from symnet.derivation import Derivation
from symnet.network import Network
from symnet.tables import Array
from symnet.witness import checking
from symnet.witness.checking import Report


def with_units(network: Network, given: argparse.Namespace) -> Network:
    """The network with its units, and those of --units instead."""
    return network.with_units({**network.units, **(given.units or {})})


def points(network: Network, path: str, quiet: bool = False) -> Array:
    """The points (N, n) of a table, - for standard input. ValueError as `tables.blocks`."""
    standard = path == "-"
    source = sys.stdin.fileno() if standard else path
    seconds = forecasts.reading(forecasts.rows(path), network.n)
    name = "standard input" if standard else path
    with (
        open(source, encoding="utf-8-sig", newline="", closefd=not standard) as lines,
        terminal.working(f"reading {name}", quiet, seconds) as progress,
    ):
        blocks = list(tables.blocks(network, watched(lines, progress), name, 2**13))
    if not blocks:
        raise ValueError(f"{name}: has no rows")
    found: Array = np.concatenate(blocks)
    if not np.isfinite(found).all():
        row, column = np.argwhere(~np.isfinite(found))[0].tolist()
        raise ValueError(
            f"{name}: row {row + 1} below the header: {network.input_names[column]} is "
            f"{found[row, column]}; expected a finite number"
        )
    return found


def watched(lines: TextIO, progress: terminal.Progress) -> Iterator[str]:
    """The lines; how many of the file's bytes have been read is its progress."""
    size, read = os.fstat(lines.fileno()).st_size, 0
    for number, line in enumerate(lines):
        read += len(line)
        if number % 1024 == 0:
            progress.show(read / size if size else 0.0, f"{number} lines")
        yield line


def network(given: argparse.Namespace) -> Network:
    """The network in FILE, or the built-in one."""
    return Network.example() if given.file is None else loaded(given.file, given.quiet)


def loaded(path: str, quiet: bool = False) -> Network:
    """The network in a file of any program; in JSON from standard input where the path is -."""
    if path == "-":
        return files.read(sys.stdin.buffer, "standard input")
    with reading(path, quiet):
        from symnet import importers  # not needed by those who derive the example, or --help

        return importers.read(path, importers.Options(alone=True)).network


def reading(path: str, quiet: bool) -> AbstractContextManager[terminal.Progress]:
    """What a network file is read in: by its size it is said how long, before it is opened."""
    return terminal.working(f"reading {path}", quiet, forecasts.loading(path), first=True)


@contextmanager
def opened(path: str) -> Iterator[TextIO]:
    """Standard output, or a file that is replaced only when all has been written."""
    if path == "-":
        yield encoding.as_file()
    else:
        with files.replacing(path) as file:
            yield file


def save(network: Network, path: str) -> None:
    """Write a network file, to standard output where the path is -."""
    if path == "-":
        encoding.as_file().writelines(files.text(network))
    else:
        files.save(network, path)


def checked(
    derivation: Derivation, backend: str = "numpy", seed: int = 0, digits: bool = True
) -> tuple[Compiled, Report]:
    """The functions with a full check; the quick one that compiling makes would repeat it."""
    function = derivation.compile(backend, check=False)
    return function, checking.check(derivation.network, function, seed=seed, digits=digits)
