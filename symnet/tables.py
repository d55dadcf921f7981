"""Tables in CSV: points in, results out, a block of rows at a time.

A table of points has a header that names its columns (`symnet.dialect` says how tables are
written). Those named as the network's inputs are read, in any order; other columns are passed over.
A table of results has one column for each output and each partial derivative, those that are equal
by symmetry once:

    y, dy/dx1, dy/dx2, d2y/dx1dx1, d2y/dx1dx2, d2y/dx2dx2

Numbers are written with the fewest digits that give them back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import combinations_with_replacement, islice, product
from typing import Any, TextIO

import numpy as np
from numpy.typing import NDArray

from symnet.compiling import Compiled
from symnet.dialect import Table, header
from symnet.names import partial_name, shortened
from symnet.network import Network

Array = NDArray[Any]

_ROWS = 2**13  # of a block at most: enough to keep NumPy busy
_ENTRIES = 2**21  # of a block's results at most: 16 MB


def columns(network: Network, order: int) -> list[str]:
    """The names of the columns of results, by order, then output, then inputs i ≤ j ≤ …"""
    inputs = network.input_names
    return [
        partial_name(output, [inputs[i] for i in indices])
        for r in range(order + 1)
        for output, indices in product(network.output_names, _multi_indices(network.n, r))
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
    names = list(network.input_names) if inputs else []
    out.write(header(names + columns(network, function.order)))
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
    try:
        table = Table(lines)
        places = _places(network, table)
        for line, row in table:
            yield table.numbers(row, places, line)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def _places(network: Network, table: Table) -> list[int]:
    """The positions of the columns that hold the inputs."""
    names, found = network.input_names, table.header
    needed = f"expected a header with {shortened(', '.join(names))}"
    if not any(found):
        raise ValueError(f"is empty; {needed}")
    for name in names:
        shown = shortened(name)
        if found.count(name) > 1:
            raise ValueError(f"line {table.line} has {found.count(name)} columns {shown}; {needed}")
        if name not in found:
            listed = shortened(", ".join(found))
            raise ValueError(f"line {table.line} has no column {shown}, but {listed}; {needed}")
    return [found.index(name) for name in names]
