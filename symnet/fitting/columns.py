"""Named columns of mixed data, from a CSV file or from arrays.

    rho,T,p,dp/drho,dp/dT
    235.9,894.7,70.48,,
    41.5,812.9,,0.3068,

A column is an input, an output, or a partial of an output (`dy/dx1`, `d2y/dx1dx2`, `d2y/dx1^2`;
`∂` for `d` will do). The partials' numerators say which columns are outputs; where there are no
partials the caller has to. A blank cell was not measured.
"""

from __future__ import annotations

import math
import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from symnet.dialect import Table
from symnet.fitting.data import HIGHEST_ORDER, Array, Kind, MixedData, listed
from symnet.foreign import real
from symnet.names import partial_name, shortened, variables

_NUMERATOR = re.compile(r"d\^?(\d*)(.*[^\W\d_].*)")
_SPELLINGS = {"∂": "d", "²": "^2", "**": "^", "*": "", " ": "", "(": "", ")": ""}


def read(
    path: str | os.PathLike[str] | int,
    outputs: Sequence[str] | None = None,
    weight: str | None = None,
) -> MixedData:
    """The mixed data of a CSV file, whose first line names the columns (see `symnet.dialect`).

    `path` may be the descriptor of an open file, which stays open.
    `outputs` names the outputs where no partial does, `weight` the column that holds the rows'
    weights.

    Raises ValueError, one line with the file's name and the line's number, for anything else.
    """
    name = "standard input" if isinstance(path, int) else os.fspath(path)
    try:
        lines, columns = _columns(path)
        return _table(columns, outputs, weight, lines)
    except OSError as error:
        raise ValueError(f"{name}: cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def table(
    columns: Mapping[str, ArrayLike],
    outputs: Sequence[str] | None = None,
    weight: str | None = None,
) -> MixedData:
    """The mixed data of named columns of equal length: `{"x1": …, "y": …, "dy/dx1": …}`.

    NaN was not measured. The rest is as `read` has it, without a file's name; TypeError for columns
    that do not hold real numbers.
    """
    arrays = {str(name): real(f"column {name!r}", given) for name, given in columns.items()}
    lengths = {name: array.shape for name, array in arrays.items()}
    if len(set(lengths.values())) != 1 or len(next(iter(lengths.values()))) != 1:
        raise ValueError(f"columns need one length each, all the same; found shapes {lengths}")
    return _table(arrays, outputs, weight, None)


# --- the header ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Header:
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    kinds: Mapping[str, Kind]  # of each column that measures something


def _header(names: Sequence[str], outputs: Sequence[str] | None) -> _Header:
    partials = set(_partials(names))
    plain = [name for name in names if name not in partials]
    called = {_spelled(name): name for name in [*plain, *(outputs or ())]}
    numerators = {name: _numerator(name, called) for name in names if name in partials}
    found = dict.fromkeys([*(outputs or ()), *(output for output, _ in numerators.values())])
    if not found:
        last = shortened(plain[-1])
        raise ValueError(
            f"the header {listed(names)} does not tell inputs from outputs; "
            f"name the outputs: --outputs {last}, or outputs=[{last!r}] in Python"
        )
    if outputs is not None:
        _check_outputs(outputs, names, numerators)
    inputs = tuple(name for name in plain if name not in found)
    if not inputs:
        raise ValueError(f"the header {listed(names)} has no input besides {listed(found)}")
    variables(inputs, "input", "x", len(inputs))
    variables(found, "output", "y", len(found))
    kinds = {name: Kind(name) for name in plain if name in found}
    for name, (output, order) in numerators.items():
        kinds[name] = Kind(output, _along(name, output, order, inputs))
    return _Header(inputs, tuple(found), kinds)


def _partials(names: Sequence[str]) -> Iterator[str]:
    """The columns that are meant as derivatives, dy/dx1; `rho [kg/m3]` is a name."""
    along = tuple(f"d{_spelled(name)}" for name in names if "/" not in name)
    for name in names:
        above, _, below = map(_spelled, name.partition("/"))
        if (below and below.startswith(along)) or (above[:1] == below[:1] == "d"):
            yield name


def _spelled(name: str) -> str:
    for found, plain in _SPELLINGS.items():
        name = name.replace(found, plain)
    return name


def _numerator(name: str, called: Mapping[str, str]) -> tuple[str, int]:
    """The output and the order of a partial's column."""
    match = _NUMERATOR.fullmatch(_spelled(name.partition("/")[0]))
    if match is None:
        raise ValueError(
            f"column {shortened(repr(name))} is neither a name nor a partial such as 'dy/dx1'"
        )
    order = int(match[1] or 1)
    if not 1 <= order <= HIGHEST_ORDER:
        raise ValueError(
            f"column {shortened(repr(name))}: partials of order 1 to {HIGHEST_ORDER} can be learned"
        )
    return called.get(match[2], match[2]), order


def _along(name: str, output: str, order: int, inputs: tuple[str, ...]) -> tuple[str, ...]:
    below = _spelled(name.partition("/")[2])
    readings = {
        tuple(sorted(reading, key=inputs.index)) for reading in _readings(below, inputs, order)
    }
    if len(readings) == 1:
        return readings.pop()
    if readings:
        meant = " or ".join(str(Kind(output, reading)) for reading in sorted(readings))
        raise ValueError(
            f"column {shortened(repr(name))} may be read as {meant} here; rename an input"
        )
    first = inputs[0]
    fitting = [
        *inputs,
        output,
        *(partial_name(output, [x]) for x in inputs),
        partial_name(output, [first, first]),
    ]
    raise ValueError(
        f"column {shortened(repr(name))} fits nothing; names that fit are {listed(fitting)}, …"
    )


def _readings(text: str, inputs: tuple[str, ...], order: int) -> Iterator[tuple[str, ...]]:
    """Every way to read `dx1dx2` or `dx1^2` as so many factors."""
    if not text and order == 0:
        yield ()
    for name in inputs:
        spelled = _spelled(name)
        for factor, power in ((f"d{spelled}^2", 2), (f"d{spelled}", 1)):
            if power <= order and text.startswith(factor):
                rest = _readings(text.removeprefix(factor), inputs, order - power)
                yield from ((*(name,) * power, *more) for more in rest)


def _check_outputs(
    outputs: Sequence[str], names: Sequence[str], numerators: Mapping[str, tuple[str, int]]
) -> None:
    for name, (output, _) in numerators.items():
        if output not in outputs:
            raise ValueError(
                f"column {shortened(repr(name))}: {shortened(repr(output))} is not among "
                f"the outputs {listed(outputs)}"
            )
    known = {*names, *(numerator for numerator, _ in numerators.values())}
    there = [output for output in outputs if output in known]
    for output in outputs:
        if output not in known:
            those = shortened(",".join(there))
            remedy = f"; name those that are: --outputs {those}, or outputs in Python"
            raise ValueError(
                f"output {shortened(repr(output))} is no column; the header is {listed(names)}"
                f"{remedy if there else ''}"
            )


# --- the rows -----------------------------------------------------------------------------------


def _columns(path: str | os.PathLike[str] | int) -> tuple[NDArray[np.intp], dict[str, Array]]:
    """The line numbers of a file's rows, and its columns by name."""
    own = not isinstance(path, int)
    with open(path, encoding="utf-8-sig", newline="", closefd=own) as file:
        table = Table(file)
        names = _names(table)
        lines, rows = [], []
        for line, row in table:
            lines.append(line)
            rows.append(_entries(table, row, list(names), line))
    entries = np.array(rows, dtype=np.float64).reshape(len(rows), len(names))
    return np.array(lines, dtype=np.intp), dict(zip(names.values(), entries.T, strict=True))


def _names(table: Table) -> dict[int, str]:
    """The names of the columns by their place. ValueError for one that stands twice, or none."""
    names = {place: name for place, name in enumerate(table.header) if name}
    if not names:
        raise ValueError("is empty; the first line names the columns")
    counts = Counter(names.values())
    for name in names.values():
        if counts[name] > 1:
            raise ValueError(
                f"line {table.line}: the column {shortened(repr(name))} stands twice in the header"
            )
    return names


def _entries(table: Table, row: Sequence[str], places: Sequence[int], line: int) -> list[float]:
    """The row's numbers; NaN for a blank cell."""
    measured = [place for place in places if row[place].strip()]
    found = dict(zip(measured, table.numbers(row, measured, line), strict=True))
    for place, number in found.items():
        if not math.isfinite(number):
            raise ValueError(
                f"line {line}: {shortened(table.header[place])} is {number}, not finite; "
                "leave the cell blank where nothing was measured"
            )
    return [found.get(place, math.nan) for place in places]


def _table(
    columns: Mapping[str, Array],
    outputs: Sequence[str] | None,
    weight: str | None,
    lines: NDArray[np.intp] | None,
) -> MixedData:
    if weight is not None and weight not in columns:
        raise ValueError(
            f"weight column {shortened(repr(weight))} is missing; the header is {listed(columns)}"
        )
    header = _header([name for name in columns if name != weight], outputs)
    rows = len(next(iter(columns.values())))
    where = [f"row {i}" if lines is None else f"line {lines[i]}" for i in range(rows)]
    points = np.column_stack([columns[name] for name in header.inputs])
    _check_inputs(points, header.inputs, where)
    weights = np.ones(rows) if weight is None else columns[weight]
    if (bad := np.flatnonzero(~(weights > 0))).size:
        found = "blank" if np.isnan(weights[bad[0]]) else f"{weights[bad[0]]:g}"
        raise ValueError(
            f"{where[bad[0]]}: weight {shortened(weight or '')} is {found}, expected above 0"
        )
    return _merged(header, points, columns, weights)


def _check_inputs(points: Array, inputs: Sequence[str], where: Sequence[str]) -> None:
    for i, j in np.argwhere(~np.isfinite(points))[:1].tolist():
        if np.isnan(points[i, j]):
            raise ValueError(
                f"{where[i]}: input {shortened(inputs[j])} is blank; every row needs all inputs "
                f"({listed(inputs)}). If {shortened(inputs[j])} is an output, name the outputs"
            )
        raise ValueError(f"{where[i]}: input {shortened(inputs[j])} is {points[i, j]}")


def _merged(
    header: _Header, points: Array, columns: Mapping[str, Array], weights: Array
) -> MixedData:
    """One column a kind; a second column of the same kind becomes rows of its own."""
    kinds = sorted(dict.fromkeys(header.kinds.values()), key=lambda kind: kind.order)
    blocks: list[Array] = [np.full((len(points), len(kinds)), np.nan)]
    seen: set[Kind] = set()
    for name, kind in header.kinds.items():
        if kind in seen:
            blocks.append(np.full_like(blocks[0], np.nan))
        blocks[-1 if kind in seen else 0][:, kinds.index(kind)] = columns[name]
        seen.add(kind)
    values = np.concatenate(blocks)
    used = np.isfinite(values) | np.isinf(values)
    usable = used.any(axis=1)
    if not usable.any():
        raise ValueError(f"no row measures any of {listed(map(str, kinds))}")
    measured = np.asarray(used.any(axis=0))
    copies = len(blocks)
    return MixedData(
        header.inputs,
        header.outputs,
        np.tile(points, (copies, 1))[usable],
        tuple(kind for kind, keep in zip(kinds, measured.tolist(), strict=True) if keep),
        values[usable][:, measured],
        np.tile(weights, copies)[usable],
    )
