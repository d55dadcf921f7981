"""What a network, its inputs and its outputs are called: labels, symbols for them, and units."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple, Self, TypeAlias

from sympy import Symbol

from symnet import physical
from symnet.names import (
    Variables,
    check_distinct,
    check_label,
    check_symbol,
    shortened,
    variables,
)

Called: TypeAlias = Iterable[str | Symbol] | None
"""The labels of one end, or symbols; None for x1, x2, … and y, or y1, y2, …"""


class Ends(NamedTuple):
    """The two ends of a network."""

    inputs: Variables
    outputs: Variables


@dataclass(frozen=True, init=False, eq=False, repr=False)
class Named:
    """What has a name, and two ends of which each entry has a label, a symbol and perhaps a unit.

    Immutable: `with_units` and `with_symbols` give another one.
    """

    inputs: tuple[Symbol, ...]
    """The inputs in formulas: symbols of their names, or `T_K` for "T [K]"; see `symnet.names`."""
    outputs: tuple[Symbol, ...]
    input_names: tuple[str, ...]
    """The inputs as they were called."""
    output_names: tuple[str, ...]
    name: str | None
    units: Mapping[str, str]
    """Units by name, `{"rho": "kg/m3"}`, of inputs and outputs that have one; see `with_units`."""

    def _weight_names(self) -> Sequence[str]:
        """The names that weights have, which no end may have."""
        raise NotImplementedError

    def _call(self, ends: Ends, name: str | None) -> None:
        """Set all names; there are no units yet."""
        self._set_ends(ends)
        object.__setattr__(self, "name", None if name is None else check_label(name))
        object.__setattr__(self, "units", MappingProxyType({}))

    def _set_ends(self, ends: Ends) -> None:
        for role, found in zip(("input", "output"), ends, strict=True):
            object.__setattr__(self, f"{role}s", found.symbols)
            object.__setattr__(self, f"{role}_names", found.labels)

    @property
    def _ends(self) -> Ends:
        pairs = (self.inputs, self.input_names), (self.outputs, self.output_names)
        return Ends(*(Variables(*pair) for pair in pairs))

    def with_units(self, units: Mapping[str, str]) -> Self:
        """The network with these units of its inputs and outputs, `{"rho": "kg/m3", "T": "K"}`.

        Files keep them; plots, pages and tables show them; they take no part in comparisons.
        ValueError for an unknown name, and for what is no short printable text.
        """
        changed = self._copied()
        found = physical.checked(units, (*self.input_names, *self.output_names))
        object.__setattr__(changed, "units", found)
        return changed

    @property
    def own_symbols(self) -> dict[str, str]:
        """By label, the symbols that a network of these names would not have by itself."""
        return own(self._ends, self._weight_names())

    def with_symbols(self, symbols: Mapping[str, str]) -> Self:
        """The network with these symbols for labels, `{"T [K]": "T_K_2"}`: its formulas have them.

        ValueError for an unknown label, a plain one, which is its own symbol, and for a symbol
        that is no plain name or stands for something else.
        """
        if not symbols:
            return self
        changed = self._copied()
        changed._set_ends(with_symbols(self._ends, symbols, self._weight_names()))
        return changed

    def _copied(self) -> Self:
        copy = object.__new__(type(self))
        copy.__dict__.update(self.__dict__)
        return copy

    def _labels(self) -> tuple[Any, ...]:
        return self.input_names, self.output_names, self.name, dict(self.units)


def made(
    inputs: Called, outputs: Called, sizes: tuple[int, int], weights: Sequence[str] = ()
) -> Ends:
    """The ends (n, m) with these labels; x1, x2, … and y, or y1, y2, …, where None is given.

    A symbol made for a label is none of the others and none of the weights'. ValueError for labels
    that are not told apart, and as `names.variables`.
    """
    n, m = sizes
    if outputs is None:
        # Said before symbols are made for the inputs' labels, which may read like them.
        outputs = ("y",) if m == 1 else [f"y{p}" for p in range(1, m + 1)]
    elif not isinstance(outputs, str):
        outputs = tuple(outputs)
    x = variables(inputs, "input", "x", n, [*weights, *map(str, outputs)])
    y = variables(outputs, "output", "y", m, [*weights, *(symbol.name for symbol in x.symbols)])
    check_distinct(x, y, weights)
    return Ends(x, y)


def own(ends: Ends, weights: Sequence[str]) -> dict[str, str]:
    """By label, the symbols that `made` would not make again: of what had been a weight's name."""
    sizes = len(ends.inputs.labels), len(ends.outputs.labels)
    again = made(ends.inputs.labels, ends.outputs.labels, sizes, weights)
    return {
        label: symbol.name
        for kept, new in zip(ends, again, strict=True)
        for label, symbol, other in zip(kept.labels, kept.symbols, new.symbols, strict=True)
        if symbol != other
    }


def with_symbols(ends: Ends, symbols: Mapping[str, str], weights: Sequence[str]) -> Ends:
    """The ends with these symbols for some labels.

    ValueError for an unknown label, for one that is its own symbol, for a symbol that is no plain
    name, and for one that stands for something else.
    """
    known = {label: symbol.name for part in ends for label, symbol in _pairs(part)}
    for label, name in symbols.items():
        if label not in known:
            raise ValueError(f"symbols: {shortened(repr(label))} is no input or output")
        check_symbol(Symbol(name), f"symbol of {shortened(repr(label))}")
        if label == known[label] != name:
            raise ValueError(
                f"symbols: {shortened(repr(label))} is a plain name and its own symbol; "
                f"found {shortened(repr(name))}"
            )
    named = known | dict(symbols)
    taken = [*named.values(), *weights]
    twice = next((name for name in taken if taken.count(name) > 1), None)
    if twice is not None:
        raise ValueError(f"symbols: {shortened(repr(twice))} stands for two things; choose another")
    return Ends(*(Variables(tuple(Symbol(named[l]) for l in p.labels), p.labels) for p in ends))


def _pairs(part: Variables) -> Iterable[tuple[str, Symbol]]:
    return zip(part.labels, part.symbols, strict=True)
