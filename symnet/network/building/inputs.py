"""The inputs of a graph, where its formulas begin."""

from __future__ import annotations

from collections.abc import Iterable
from numbers import Integral
from typing import Any

from sympy import Symbol

from symnet.names import shortened
from symnet.network.building.vectors import Atom, Vector


def variables(*names: str | Symbol | int | Iterable[str | Symbol]) -> Vector:
    """The inputs of a network that is written as a graph: `x = variables("rho", "T")`.

    Names stand one by one or in one list; a number n alone is x1, …, xn. ValueError without names
    and for what is none; what a name may be is checked by the network.
    """
    found = _listed(names[0]) if len(names) == 1 else names
    if not found or not all(isinstance(name, (str, Symbol)) for name in found):
        raise ValueError(
            "variables: give the names of the inputs, as variables('rho', 'T'), or their number, "
            f"as variables(2); found {shortened(', '.join(map(repr, names))) or 'nothing'}"
        )
    atom = Atom(len(found), names=found)
    return Vector(atom.width, {atom: None})


def _listed(given: Any) -> tuple[Any, ...]:
    if isinstance(given, Integral) and not isinstance(given, bool):
        return tuple(f"x{i}" for i in range(1, int(given) + 1))
    # A set has no order, so that nothing says which name is x1's.
    if isinstance(given, Iterable) and not isinstance(given, (str, set, frozenset)):
        return tuple(given)
    return (given,)
