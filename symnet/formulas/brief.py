"""Short symbols for names that are too long to be set: x₁ for mean_annual_precipitation.

A name cannot be broken across lines, and a partial of order r has r of them beside each other.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence

from sympy import Symbol

from symnet.formulas.labels import latex_name
from symnet.formulas.tex import width
from symnet.network import Network

WIDEST = 150.0
"""Points of the names in a partial derivative: what the screen of a telephone has beside signs."""
_FACTOR = 90.0  # of one that stands behind a number of 17 digits


def names(network: Network, order: int) -> dict[str, str]:
    """By name, the symbols of those that are too wide in formulas up to this order."""
    input_room = min(WIDEST / max(order, 1), _FACTOR)
    weights = sorted(network.symbols, key=str)
    roles = (
        ("x", network.inputs, input_room),
        ("y", network.outputs, WIDEST),
        ("c", weights, _FACTOR),
    )
    long = {s.name for _, symbols, room in roles for s in symbols if _is_wide(s, room)}
    kept = {s.name for _, symbols, _ in roles for s in symbols} - long
    return {
        symbol.name: short
        for letter, symbols, _ in roles
        for symbol, short in zip(symbols, _numbered(letter, symbols, kept), strict=True)
        if symbol.name in long
    }


def written(short: Mapping[str, str], formulas: str) -> dict[str, str]:
    """Those of the symbols that stand in the formulas, which are LaTeX."""
    return {name: symbol for name, symbol in short.items() if latex_name(symbol) in formulas}


def _is_wide(symbol: Symbol, room: float) -> bool:
    return width(latex_name(symbol.name)) > room


def _numbered(letter: str, symbols: Sequence[Symbol], kept: Container[str]) -> Iterator[str]:
    """x1, x2, … by their places; xx2 beside an input that is called x2 and is another."""
    for number, symbol in enumerate(symbols, start=1):
        short = letter if letter == "y" and len(symbols) == 1 else f"{letter}{number}"
        while short in kept and short != symbol.name:
            short = letter + short
        yield short
