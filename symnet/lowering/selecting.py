"""Chosen partials alone: the loop form of these entries and of what they need.

Each loop over outputs and directions is written out for the entries that somebody reads, backward
from the chosen ones: an entry of a vector that nobody reads, an output or a direction that is not
asked for has no statement.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import chain, product
from typing import NamedTuple, TypeAlias

from sympy import Expr, Integer, S

from symnet.calculus import schemes
from symnet.calculus.program import Program
from symnet.lowering.counting import operations
from symnet.lowering.joining import Item
from symnet.lowering.loops import (
    At,
    Loop,
    Lowered,
    Mirror,
    Routine,
    Shape,
    Step,
    Store,
    at,
    changed,
    elements,
    placed,
    read,
    walk,
    written,
)
from symnet.lowering.partials import Entry, Partials
from symnet.lowering.programs import gathered
from symnet.lowering.statements import Lowering
from symnet.lowering.tidying import tidied
from symnet.names import array_name
from symnet.network import Network

_Key: TypeAlias = tuple[int | None, ...]  # an array's indices, None for all
_Binding: TypeAlias = Mapping[str, int | None]


def lowered(network: Network, chosen: Partials) -> Lowered:
    """A single routine, `partials`, with a flat result for each order: y, dy, d2y, …

    Of the forward and the backward Program the one that is cheaper for these entries.
    ValueError when a weight is symbolic.
    """
    programs = schemes.schemes(schemes.forward(network, max(chosen))[-1])
    candidates = []
    for program in programs.values():
        functions: dict[tuple[str, tuple[int, ...]], str] = {}
        reduced = schemes.needed(program, chosen)
        candidates.append((_routine(reduced, chosen, functions), functions))
    routine, functions = min(
        candidates, key=lambda pair: operations(pair[0], network.n).multiply_adds
    )
    return gathered(network, [routine], functions)


def chosen_name(order: int) -> str:
    """What the flat result of chosen entries is called: y, dy, d2y, …"""
    return "d" * (order > 0) + (str(order) if order > 1 else "") + "y"


def _routine(
    program: Program, chosen: Partials, functions: dict[tuple[str, tuple[int, ...]], str]
) -> Routine:
    lowering = Lowering(program, functions)
    shapes = program.shapes
    wanted = {
        (array_name(order), entry)
        for order, entries in chosen.items()
        for entry in entries.values()
    }
    steps = _instances(list(map(_part, lowering.items)), wanted, (shapes.n, shapes.m))
    arrays = dict(lowering.arrays)
    steps = _with_results(steps, chosen, arrays)
    steps = _compact(steps, arrays)
    results = {chosen_name(order): (len(entries),) for order, entries in chosen.items()}
    steps = tidied(steps, results)
    used = {element.array for element in _elements(steps)}
    return Routine(
        "partials",
        tuple(chosen),
        results,
        {name: shape for name, shape in arrays.items() if name in used},
        steps,
        {chosen_name(order): tuple(entries) for order, entries in chosen.items()},
    )


# --- the entries that somebody reads ------------------------------------------------------------


class _Part(NamedTuple):
    """Steps inside of loops over `along`, and inside of one more where all are in that."""

    along: tuple[str, ...]
    running: Loop | None
    body: tuple[Step, ...]


def _part(item: Item) -> _Part:
    body = _without_mirrors(item.body)
    if len(body) == 1 and isinstance(body[0], Loop) and isinstance(body[0].last, int):
        return _Part(item.along, body[0], body[0].body)
    return _Part(item.along, None, body)


def _without_mirrors(steps: Iterable[Step]) -> tuple[Step, ...]:
    return tuple(
        replace(step, body=_without_mirrors(step.body)) if isinstance(step, Loop) else step
        for step in steps
        if not isinstance(step, Mirror)
    )


def _instances(
    parts: Sequence[_Part], wanted: Iterable[tuple[str, _Key]], sizes: tuple[int, int]
) -> tuple[Step, ...]:
    """The passes of the parts' loops in which something wanted is written, in order."""
    demanded: dict[str, set[_Key]] = {}
    for array, key in wanted:
        demanded.setdefault(array, set()).add(key)
    found: list[tuple[Step, ...]] = []
    for part in reversed(parts):
        passes: list[Step] = []
        for binding in _bindings(part, demanded, sizes):
            passes += _pass(part, binding)
        for element in _read(passes):
            demanded.setdefault(element.array, set()).add(_key(element))
        found.append(tuple(passes))
    return tuple(chain.from_iterable(reversed(found)))


def _bindings(
    part: _Part, demanded: Mapping[str, set[_Key]], sizes: tuple[int, int]
) -> list[_Binding]:
    n, m = sizes
    ranges = {variable: range(m if variable == "p" else n) for variable in part.along}
    found: set[tuple[int | None, ...]] = set()
    variables = (*part.along, *([part.running.variable] if part.running else []))
    for element in _written(part.body):
        for key in demanded.get(element.array, ()):
            bound = _unified(element, key)
            if bound is None:
                continue
            choices = [
                [bound[v]] if bound.get(v) is not None else ranges.get(v, [None]) for v in variables
            ]
            found |= set(product(*choices))
    if part.running:  # a loop that runs in full has all of its passes
        found = {b for b in found if b[-1] is None or (*b[:-1], None) not in found}
    ordered = sorted(found, key=lambda b: [-1 if index is None else index for index in b])
    return [dict(zip(variables, b, strict=True)) for b in ordered]


def _unified(element: At, key: _Key) -> dict[str, int] | None:
    """What loops' variables are where the element is this one; None where it never is."""
    bound: dict[str, int] = {}
    for index, wanted in zip(element.indices, key, strict=True):
        if wanted is None:
            continue
        known = int(index) if index.is_Integer else bound.setdefault(str(index), wanted)
        if known != wanted:
            return None
    return bound


def _pass(part: _Part, binding: _Binding) -> tuple[Step, ...]:
    steps = part.body
    if part.running and binding[part.running.variable] is None:
        steps = (part.running,)
    for variable, index in binding.items():
        if index is not None:
            steps = placed(steps, variable, index)
    return steps


def _key(element: At) -> _Key:
    return tuple(int(index) if index.is_Integer else None for index in element.indices)


def _written(steps: Iterable[Step]) -> list[At]:
    return [element for step in walk(steps) for element in written(step)]


def _read(steps: Iterable[Step]) -> set[At]:
    return set().union(*(elements(read(step)) for step in walk(steps)))


def _elements(steps: Sequence[Step]) -> set[At]:
    return _read(steps) | set(_written(steps))


# --- where they are kept ------------------------------------------------------------------------


def _with_results(
    steps: tuple[Step, ...], chosen: Partials, arrays: dict[str, Shape]
) -> tuple[Step, ...]:
    """The chosen entries in their flat results; what else is needed of y stays an array."""
    moved: dict[Expr, Expr] = {}
    more: list[Step] = []
    for order in range(max(chosen) + 1):
        name, entries = array_name(order), list(chosen.get(order, {}).values())
        found = {e for e in _elements(steps) if e.array == name}
        flat = [at(chosen_name(order), Integer(k)) for k in range(len(entries))]
        shape = arrays.pop(name, ())
        if all(_key(element) in entries for element in found):
            moved |= {element: flat[entries.index(_entry_of(element))] for element in found}
            kept = {_key(element) for element in found}
            more += [
                Store(place, S.Zero)
                for place, entry in zip(flat, entries, strict=True)
                if entry not in kept
            ]
            continue
        arrays[f"all_{name}"] = shape
        moved |= {element: at(f"all_{name}", *element.indices) for element in found}
        more += [
            Store(place, at(f"all_{name}", *map(Integer, entry)))
            for place, entry in zip(flat, entries, strict=True)
        ]
    return (*_moved(steps, moved), *more)


def _entry_of(element: At) -> Entry:
    return tuple(int(index) for index in element.indices)


def _compact(steps: tuple[Step, ...], arrays: dict[str, Shape]) -> tuple[Step, ...]:
    """Arrays of the outputs and directions that are left, and of one alone without that axis."""
    moved: dict[Expr, Expr] = {}
    found = _elements(steps)
    for name, shape in list(arrays.items()):
        own = [element for element in found if element.array == name]
        leading = sorted({_key(element)[:-1] for element in own})
        if len(shape) == 1 or not own or any(None in key for key in leading):
            continue
        alone = len(leading) == 1
        arrays[name] = (() if alone else (len(leading),)) + shape[-1:]
        for element in own:
            place = [] if alone else [Integer(leading.index(_key(element)[:-1]))]
            moved[element] = at(name, *place, element.indices[-1])
    return _moved(steps, moved)


def _moved(steps: Iterable[Step], moved: Mapping[Expr, Expr]) -> tuple[Step, ...]:
    return tuple(changed(step, lambda e: e.xreplace(moved)) for step in steps)
