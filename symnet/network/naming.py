"""What a network's inputs and outputs are called: labels, and the symbols that stand for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from sympy import Symbol

from symnet.names import Variables, check_distinct, check_symbol, shortened, variables

Called = Iterable[str | Symbol] | None


class Ends(NamedTuple):
    """The two ends of a network."""

    inputs: Variables
    outputs: Variables


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
