"""`symnet sensitivity`: what the outputs depend on, over a table of points."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from math import isnan
from pathlib import PurePath

from symnet import physical, plotting
from symnet.cli import agreement, exchange, forecasts, terminal
from symnet.dialect import header, quoted
from symnet.names import partial_name
from symnet.network import Network
from symnet.progress import steps
from symnet.sensitivities import Dependence, Sensitivity, dependence, rows, sensitivity

_COLUMNS = "partial,mean,sd,rms,standardized,positive,negative,elasticity"


def run(given: argparse.Namespace) -> int:
    """Write the table or the picture."""
    *paths, data = given.files
    networks = [exchange.loaded(path, given.quiet) for path in paths] or [Network.example()]
    networks = _with_units(networks, given)
    if given.dependence is not None:
        points = exchange.points(networks[0], data, given.quiet)
        with terminal.working(f"moving {given.dependence}", given.quiet):
            found = dependence(networks[0], points, given.dependence)
        _written(given, found, _dependence_table(found))
        return 0
    order = 2 if given.order is None else given.order
    for network in networks:
        forecasts.compiling(network, order)  # refuses before a table is read
    tables = [exchange.points(network, data, given.quiet) for network in networks]
    seconds = sum(
        forecasts.compiling(network, order) + forecasts.measures(network, order, len(points))
        for network, points in zip(networks, tables, strict=True)
    )
    with terminal.working(f"measuring over {len(tables[0]):,} points", given.quiet, seconds):
        measured = [
            sensitivity(network, points, order)
            for network, points in steps(list(zip(networks, tables, strict=True)))
        ]
    to_read = ("\n\n".join(map(str, measured)), "\n")
    _written(given, measured, to_read if given.output == "-" else _table(measured, paths))
    return 0


def _with_units(networks: Sequence[Network], given: argparse.Namespace) -> list[Network]:
    """Each network with the units that are of its names; ValueError for a name that none has."""
    units = given.units or {}
    known = {name for net in networks for name in (*net.input_names, *net.output_names)}
    strange = {name: unit for name, unit in units.items() if name not in known}
    own = [
        {n: units[n] for n in (*net.input_names, *net.output_names) if n in units}
        for net in networks
    ]
    own[0] |= strange  # refused by its name
    return [net.with_units({**net.units, **u}) for net, u in zip(networks, own, strict=True)]


def _written(
    given: argparse.Namespace, what: Dependence | Sequence[Sensitivity], text: Iterable[str]
) -> None:
    if agreement.is_picture(given.output):
        picture = plotting.plot(what, given.output, kind=given.kind)
        terminal.say(given, f"wrote {given.output}: {picture.title}")
        terminal.say(given, "\n".join(f"note: {note}" for note in picture.notes))
        return
    if given.output == "-" and isinstance(what, Sequence):  # a table to be read
        sys.stdout.writelines(text)
        return
    with exchange.opened(given.output) as out:
        out.writelines(text)


def _table(measured: Sequence[Sensitivity], paths: Sequence[str]) -> Iterator[str]:
    """CSV, a row for each partial; of several networks the first column is the file's name.

    The last one is the partial's unit, where the networks' files have any.
    """
    several = len(measured) > 1
    units = any(found.network.units for found in measured)
    yield ("network," if several else "") + _COLUMNS + (",unit" if units else "") + "\n"
    for k, found in enumerate(measured):
        first = [quoted(PurePath(paths[k]).stem)] if several else []
        known = (unit for unit, _ in rows(found, partial(_unit, found.network)))
        for (name, numbers), unit in zip(rows(found), known, strict=True):
            last = [quoted(unit)] if units else []
            yield ",".join([*first, quoted(name), *map(_cell, numbers), *last]) + "\n"


def _unit(network: Network, output: str, inputs: Sequence[str]) -> str:
    return physical.of_partial(network.units, output, inputs) or ""


def _cell(number: float) -> str:
    return "" if isnan(number) else repr(number)


def _dependence_table(found: Dependence) -> Iterator[str]:
    """CSV with the grid, and each output's partial dependence and slope."""
    name = found.network.input_names[found.input]
    outputs = found.network.output_names
    yield header([name, *outputs, *(partial_name(y, [name]) for y in outputs)])
    for g, value in enumerate(found.grid_values.tolist()):
        numbers = [value, *found.average[:, g].tolist(), *found.slope[:, g].tolist()]
        yield ",".join(map(repr, numbers)) + "\n"
