"""Loops over outputs and directions: neighbours joined, the axes that this makes needless gone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import NamedTuple

from sympy import Expr, Symbol

from symnet.lowering.loops import (
    At,
    Loop,
    Shape,
    Step,
    at,
    changed,
    elements,
    read,
    walk,
    written,
)


class Item(NamedTuple):
    """Steps inside of loops over `along`: "p" first, then directions."""

    along: tuple[str, ...]
    body: tuple[Step, ...]


def joined(
    items: Sequence[Item],
    sizes: tuple[int, int],
    arrays: dict[str, Shape],
    results: Collection[str],
) -> tuple[Step, ...]:
    """The items in their loops, those of neighbours one loop where that is right.

    sizes: (n, m). An array that only one loop uses, and always at this pass, loses the axis:
    `arrays` is changed to what is left, `results` keep their shapes.
    """
    return tuple(_Joining(items, sizes, arrays, results).nested(items, None))


class _Joining:
    def __init__(
        self,
        items: Sequence[Item],
        sizes: tuple[int, int],
        arrays: dict[str, Shape],
        results: Collection[str],
    ) -> None:
        self.n, self.m = sizes
        self.arrays, self.results = arrays, results
        self.uses = Counter(e.array for item in items for e in _elements(item.body))

    def nested(self, items: Sequence[Item], outer: str | None) -> Iterator[Step]:
        rest = list(items)
        while rest:
            if not rest[0].along:
                yield from rest.pop(0).body
                continue
            group = _neighbours(rest)
            del rest[: len(group)]
            variable = group[0].along[0]
            group = self._without_axes(group, variable)
            inner = [Item(item.along[1:], item.body) for item in group]
            yield Loop(variable, self._last(variable, outer), tuple(self.nested(inner, variable)))

    def _last(self, variable: str, outer: str | None) -> int | str:
        if variable == "p":
            return self.m
        return self.n if outer in (None, "p") else str(outer)

    def _without_axes(self, group: list[Item], variable: str) -> list[Item]:
        inner = [e for item in group for e in _elements(item.body)]
        inside = Counter(e.array for e in inner)
        axes: dict[str, set[tuple[int, ...]]] = {}
        for element in inner:
            axes.setdefault(element.array, set()).add(_axes(element, variable))
        lost: dict[str, int] = {}
        for name, found in axes.items():
            local = name in self.arrays and name not in self.results
            if local and inside[name] == self.uses[name] and len(found) == 1:
                ((*places,),) = found
                if len(places) == 1:
                    lost[name] = places[0]
        for name, axis in lost.items():
            shape = self.arrays[name]
            self.arrays[name] = shape[:axis] + shape[axis + 1 :]
        return [Item(item.along, _shortened(item.body, lost)) for item in group]


def _neighbours(items: Sequence[Item]) -> list[Item]:
    """The first items that can share the loop of the first one.

    What one of them writes the others touch in the same pass only.
    """
    variable = items[0].along[0]
    group: list[Item] = []
    seen: dict[str, set[tuple[int, ...]]] = {}
    stored: set[str] = set()
    for item in items:
        if item.along[:1] != (variable,):
            break
        inner = list(_elements(item.body))
        stores = {e.array for step in walk(item.body) for e in written(step)}
        for element in inner:
            axes = seen.get(element.array, set()) | {_axes(element, variable)}
            apart = len(axes) > 1 or () in axes
            if element.array in stored | stores and element.array in seen and apart:
                return group
        for element in inner:
            seen.setdefault(element.array, set()).add(_axes(element, variable))
        stored |= stores
        group.append(item)
    return group


def _elements(steps: Iterable[Step]) -> Iterator[At]:
    for step in walk(steps):
        yield from written(step)
        yield from elements(read(step))


def _axes(element: At, variable: str) -> tuple[int, ...]:
    """The axes of an array along which a loop's variable moves."""
    return tuple(k for k, index in enumerate(element.indices) if index == Symbol(variable))


def _shortened(steps: tuple[Step, ...], lost: dict[str, int]) -> tuple[Step, ...]:
    if not lost:
        return steps

    def shorter(expression: Expr) -> Expr:
        own = (element for element in elements(expression) if element.array in lost)
        return expression.xreplace({element: without(element) for element in own})

    def without(element: At) -> At:
        axis, indices = lost[element.array], element.indices
        return at(element.array, *indices[:axis], *indices[axis + 1 :])

    return tuple(changed(step, shorter) for step in steps)
