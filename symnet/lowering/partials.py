"""What names of partials mean: `y`, `dy/dx1` and `d2y/dx1dx2` as entries of results."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from typing import TypeAlias

from symnet.calculus.algebra import DIRECTIONS
from symnet.names import partial_name, shortened
from symnet.network import Network

MOST = 200
"""Partials of one routine: each is written out."""

Entry: TypeAlias = tuple[int, ...]
"""An output and the inputs by which it is differentiated, i ≥ j ≥ …; all count from 0."""

Partials: TypeAlias = Mapping[int, Mapping[str, Entry]]
"""The chosen entries of each order by their names, orders ascending."""


def named(network: Network, names: Iterable[str]) -> Partials:
    """What names such as `y`, `dy/dx1` and `d2y/dx1dx2` mean; nothing for no names.

    ValueError for a name that is no partial of the network, for an entry that is given twice, and
    for more than MOST.
    """
    names = list(names)
    if len(names) > MOST:
        raise ValueError(
            f"{len(names)} partials: at most {MOST} are chosen one by one; choose none for all"
        )
    found: dict[int, dict[str, Entry]] = {}
    seen: dict[Entry, str] = {}
    for name in names:
        entry = _entry(network, name)
        if entry in seen:
            raise ValueError(f"{shortened(name)} and {shortened(seen[entry])} are the same entry")
        seen[entry] = name
        found.setdefault(len(entry) - 1, {})[name] = entry
    return {order: found[order] for order in sorted(found)}


def _entry(network: Network, name: str) -> Entry:
    inputs, outputs = network.input_names, network.output_names
    found: set[Entry] = {(p,) for p, output in enumerate(outputs) if name == output}
    for (p, output), order in product(enumerate(outputs), range(1, len(DIRECTIONS) + 1)):
        above = partial_name(output, [""] * order).removesuffix("d" * order)  # d2y/, of d2y/dx1dx2
        if name.startswith(above):
            ways = _directions(name.removeprefix(above), inputs)
            found |= {(p, *sorted(way, reverse=True)) for way in ways if len(way) == order}
    if len(found) != 1:
        example = partial_name(outputs[0], inputs[:1])
        problem = "has several meanings" if found else "is no partial derivative of this network"
        raise ValueError(
            f"{shortened(repr(name))} {problem}: write {example}, with outputs "
            f"{shortened(', '.join(outputs))} and inputs {shortened(', '.join(inputs))}"
        )
    return found.pop()


def _directions(text: str, inputs: Sequence[str]) -> list[tuple[int, ...]]:
    """Every way to read dx1dx2… as inputs."""
    ways: dict[int, list[tuple[int, ...]]] = {0: [()]}
    for end in range(1, len(text) + 1):
        for i, name in enumerate(inputs):
            start = end - len(name) - 1
            if start in ways and text[start:end] == f"d{name}":
                ways.setdefault(end, []).extend((*way, i) for way in ways[start])
    return ways.get(len(text), [])
