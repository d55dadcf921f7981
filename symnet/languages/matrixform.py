"""What texts in matrices share: statements, names of quantities, calls of activations."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import ClassVar, NamedTuple

from sympy import Add, Expr, Piecewise, Symbol

from symnet.calculus.algebra import SPELLED, Quantity, sigma
from symnet.calculus.program import activations_used
from symnet.calculus.schemes import Choice
from symnet.languages.job import Job
from symnet.languages.printing import Printer

Functions = dict[tuple[str, tuple[int, ...]], str]
"""The functions of a file, by the activation and the orders of its derivatives."""

_LONGEST = 30  # letters of an activation in a function's name
_SPELLED = SPELLED | {"π": "ppi"}  # pi is a number


class ArrayPrinter(Printer):
    """Elementwise expressions of arrays, of which both arms of a choice are computed."""

    def let(self, name: str, value: str) -> str:
        return f"{name} = {value}"

    def branches(self, kind: str, name: str, choice: Piecewise, depth: int) -> Iterator[str]:
        """A choice among arrays, from its last arm on."""
        *pieces, (otherwise, _) = choice.args
        found = name if kind == "let" else next(self.parts)
        yield from self.assigned("let", found, otherwise, depth)
        for value, condition in reversed(pieces):
            if not (value.is_Symbol or value.is_number):
                part = next(self.parts)
                yield from self.assigned("let", part, value, depth)
                value = Symbol(part, real=True)
            chosen = self.choose(self.condition(condition), self.text(value), found)
            yield f"{self.tab * depth}{found} = {chosen}{self.stop}"
        if found != name:
            yield from self.assigned(kind, name, Symbol(found, real=True), depth)


class Activated(NamedTuple):
    """A call: results = function(argument)."""

    results: list[str]
    function: str
    argument: str


class MatrixForm:
    """One Program of a file; `functions` collects the activations that it calls.

    minus: what a term begins with that is subtracted.
    """

    minus: ClassVar[str]

    @abstractmethod
    def text(self, expression: Expr) -> str:
        """An expression; sums in brackets."""

    def signed(self, expression: Add) -> list[str]:
        """The terms of a sum, signs before all but the first."""
        texts = map(self.text, expression.args)
        first, *rest = sorted(texts, key=lambda text: text.startswith(self.minus))
        return [first, *(f"+ {text}".replace(f"+ {self.minus}", "- ") for text in rest)]

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
    letter, layer, order = quantity.family
    directions = order - ("p" in quantity.along)
    return "d" * directions + _SPELLED.get(letter, letter) + ("" if layer is None else str(layer))
