"""What texts in matrices share: statements, names of quantities, calls of activations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from sympy import Expr

from symnet.calculus.algebra import SPELLED, Quantity, sigma
from symnet.calculus.program import activations_used, family
from symnet.calculus.schemes import Choice
from symnet.languages.job import Job

Functions = dict[tuple[str, tuple[int, ...]], str]
"""The functions of a file, by the activation and the orders of its derivatives."""

_LONGEST = 30  # letters of an activation in a function's name
_SPELLED = SPELLED | {"π": "ppi"}  # pi is a number


class Activated(NamedTuple):
    """A call: results = function(argument)."""

    results: list[str]
    function: str
    argument: str


class MatrixForm:
    """One Program of a file; `functions` collects the activations that it calls."""

    def __init__(self, job: Job, choice: Choice, functions: Functions) -> None:
        self.choice, self.program, self.functions = choice, choice.program, functions
        self.n, self.m = job.lowered.n, job.lowered.m
        self.order = max(choice.orders)
        self.used = activations_used(self.program)
        self.values = {
            (s.expression.name, s.expression.argument): s.target
            for s in self.program.statements
            if isinstance(s.expression, sigma)
        }

    def activated(self, argument: Quantity) -> Iterator[Activated]:
        """What is applied to a quantity, once it is known."""
        for used, orders in self.used.items():
            if used.argument == argument:
                results = [self.derivative(used.name, used.argument, order) for order in orders]
                yield Activated(results, self._function(used.name, orders), name_of(argument))

    def _function(self, activation: str, orders: tuple[int, ...]) -> str:
        key = activation, orders
        name = f"{activation[:_LONGEST]}_{''.join(map(str, orders))}"
        taken = [known for other, known in self.functions.items() if other != key]
        while name in taken:
            name += "_"
        return self.functions.setdefault(key, name)

    def derivative(self, name: str, argument: Expr, order: int) -> str:
        """The variable of σ⁽ʳ⁾ at an argument: that of the value, where a statement has it."""
        value = self.values.get((name, argument))
        if order == 0 and value is not None:
            return name_of(value)
        return f"{'d' * order}s{self.program.applied[name, argument]}"


def name_of(quantity: Quantity) -> str:
    """A quantity's variable, whatever its directions are called."""
    letter, layer, order = family(quantity)
    directions = order - ("p" in quantity.along)
    return "d" * directions + _SPELLED.get(letter, letter) + ("" if layer is None else str(layer))
