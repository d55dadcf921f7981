"""Tables in CSV: points in, results out, a block of rows at a time.

A table of points has a header that names its columns. Those named as the network's inputs are
read, in any order; other columns are passed over. Commas separate (or semicolons or tabs, where
the header has no comma); lines that are blank or begin with # are skipped. A table of results has
one column for each output and each partial derivative, those that are equal by symmetry once:

    y, dy/dx1, dy/dx2, d2y/dx1dx1, d2y/dx1dx2, d2y/dx2dx2

Numbers are written with the fewest digits that give them back.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, combinations_with_replacement, islice, product
from typing import Any, TextIO

import numpy as np
from numpy.typing import NDArray

from symnet.compiling import Compiled
from symnet.names import partial_name, shortened
from symnet.network import Network

Array = NDArray[Any]

_ROWS = 2**13  # of a block at most: enough to keep NumPy busy
_ENTRIES = 2**21  # of a block's results at most: 16 MB


def columns(network: Network, order: int) -> list[str]:
    """The names of the columns of results, by order, then output, then inputs i ≤ j ≤ …"""
    inputs = [symbol.name for symbol in network.inputs]
    return [
        partial_name(output.name, [inputs[i] for i in indices])
        for r in range(order + 1)
        for output, indices in product(network.outputs, _multi_indices(network.n, r))
    ]


def evaluate(
    function: Compiled, lines: Iterable[str], name: str, out: TextIO, inputs: bool = False
) -> int:
    """Write the results at a table of points to `out`; returns the number of points.

    lines: the text of the table; name: what messages call it; inputs: begin each row of results
    with the point. What is held in memory does not depend on the number of rows.

    ValueError with the name and the line where a cell is missing or no number, or where a column
    is missing or there twice.
    """
    network, count = function.network, 0
    chosen = [_chosen(network, r) for r in range(function.order + 1)]
    entries = sum(result.size for result in function(np.zeros(network.n)))
    names = [symbol.name for symbol in network.inputs] if inputs else []
    out.write(",".join(names + columns(network, function.order)) + "\n")
    for points in blocks(network, lines, name, min(_ROWS, 1 + _ENTRIES // entries)):
        results = [
            r.reshape(len(points), -1)[:, c] for r, c in zip(function(points), chosen, strict=True)
        ]
        rows = np.concatenate([points, *results] if inputs else results, axis=1).tolist()
        out.writelines(",".join(map(repr, row)) + "\n" for row in rows)
        count += len(points)
    return count


def blocks(network: Network, lines: Iterable[str], name: str, rows: int) -> Iterator[Array]:
    """The points of a table as arrays (at most `rows`, n). Raises ValueError as `evaluate`."""
    points = _points(network, lines, name)
    while block := list(islice(points, rows)):
        yield np.array(block)


def _multi_indices(n: int, order: int) -> list[tuple[int, ...]]:
    return list(combinations_with_replacement(range(n), order))


def _chosen(network: Network, order: int) -> Array:
    """Where the partials with i ≤ j ≤ … stand in a flattened result (m, n, …, n)."""
    shape = (network.m,) + (network.n,) * order
    chosen = [
        np.ravel_multi_index((p, *indices), shape)
        for p, indices in product(range(network.m), _multi_indices(network.n, order))
    ]
    return np.array(chosen, dtype=np.intp)


def _points(network: Network, lines: Iterable[str], name: str) -> Iterator[list[float]]:
    text = _Lines(lines)
    try:
        first = next(text, "")
        separator = next((s for s in ",;\t" if s in first), ",")
        rows = csv.reader(
            chain([first], text), delimiter=separator, strict=True, skipinitialspace=True
        )
        header = [cell.strip() for cell in next(rows, [])]
        places = _places(network, header, text.number)
        for row in rows:
            yield _point(row, header, places, text.number)
    except UnicodeDecodeError:
        raise ValueError(f"{name}: no UTF-8 text after line {text.number}") from None
    except csv.Error as error:
        raise ValueError(f"{name}: line {text.number}: {error}") from None
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


class _Lines:
    """The lines that are neither blank nor comments, and the number of the last one given."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._numbered = enumerate(lines, start=1)
        self.number = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        for self.number, line in self._numbered:  # noqa: B020 - told to whoever reports an error
            if line.strip() and not line.lstrip().startswith("#"):
                return line
        raise StopIteration


def _places(network: Network, header: Sequence[str], line: int) -> list[int]:
    """The positions of the columns that hold the inputs."""
    names = [symbol.name for symbol in network.inputs]
    needed = f"expected a header with {shortened(', '.join(names))}"
    if not any(header):
        raise ValueError(f"is empty; {needed}")
    for name in names:
        if header.count(name) > 1:
            raise ValueError(f"line {line} has {header.count(name)} columns {name}; {needed}")
        if name not in header:
            found = shortened(", ".join(header))
            raise ValueError(f"line {line} has no column {name}, but {found}; {needed}")
    return [header.index(name) for name in names]


def _point(row: list[str], header: list[str], places: list[int], line: int) -> list[float]:
    if len(row) != len(header):
        raise ValueError(f"line {line} has {len(row)} cell(s), but the header has {len(header)}")
    try:
        return [_number(row[place]) for place in places]
    except ValueError:
        place = next(place for place in places if not _is_number(row[place]))
        cell = row[place].strip()
        found = f"is {shortened(repr(cell), 40)}; expected a number" if cell else "is missing"
        raise ValueError(f"line {line}: {header[place]} {found}") from None


def _number(cell: str) -> float:
    # float() alone would take 1_000 and the digits of other scripts.
    if "_" in cell or not cell.isascii():
        raise ValueError(cell)
    return float(cell)


def _is_number(cell: str) -> bool:
    try:
        _number(cell)
    except ValueError:
        return False
    return True
