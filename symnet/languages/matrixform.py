"""What languages of matrices share: what an expression is made of, names, calls of activations."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import ClassVar, NamedTuple

from sympy import Add, Expr, Mul, Piecewise, Pow, Symbol

from symnet.calculus.algebra import (
    OUTPUT,
    SPELLED,
    Quantity,
    column,
    dot,
    entry,
    is_direction,
    log_softmax,
    matvec,
    row,
    sigma,
    softmax,
    transposed,
)
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


class MatrixForm(ABC):
    """One Program in matrices, each array with an axis a direction.

    What a vector becomes is a string: its text, or the name of a tensor.
    """

    def __init__(self, job: Job, choice: Choice) -> None:
        self.job, self.choice, self.program = job, choice, choice.program
        self.n, self.m = job.lowered.n, job.lowered.m
        self.order = max(choice.orders)

    def vector(self, expression: Expr) -> str:
        """An expression. TypeError for a form that this does not know."""
        match expression:
            case _ if expression.is_number:
                return self.number(expression)
            case _ if expression == OUTPUT:
                return self.identity(self.m, "p")
            case _ if is_direction(expression):
                return self.identity(self.n, expression.along[0])
            case Quantity():
                return self.quantity(expression)
            case sigma(name=name, argument=argument, order=order):
                return self.derivative(name, argument, order)
            case Add():
                return self.sum(expression)
            case Mul(args=factors):
                return self.product(factors)
            case Pow(args=(base, power)) if power.is_Integer and power > 0:
                return self.product([base] * int(power))
            case matvec(args=(transposed(args=(matrix,)), v)):
                return self.matrix_product(str(matrix), True, v)
            case matvec(args=(matrix, v)):
                return self.matrix_product(str(matrix), False, v)
            case column(args=(matrix, unit)):
                return self.columns(str(matrix), unit.along[0])
            case row(args=(matrix, _)):
                return self.rows(str(matrix))
            case dot(args=(u, v)):
                return self.scalar_product(u, v)
            case entry(args=(v, unit)):
                return self.entries(v, unit.along[0])
            case softmax(args=(v,)) | log_softmax(args=(v,)):
                return self.normalized(type(expression).__name__, v)
        raise TypeError(f"{type(expression).__name__} has no matrix form: {expression}")

    @abstractmethod
    def number(self, value: Expr) -> str: ...

    @abstractmethod
    def identity(self, size: int, direction: str) -> str:
        """The unit vectors along a direction."""

    @abstractmethod
    def quantity(self, quantity: Quantity) -> str: ...

    @abstractmethod
    def derivative(self, name: str, argument: Expr, order: int) -> str:
        """σ⁽ʳ⁾ of an argument."""

    @abstractmethod
    def sum(self, expression: Add) -> str: ...

    @abstractmethod
    def product(self, factors: Sequence[Expr]) -> str:
        """Factors multiplied entry by entry."""

    @abstractmethod
    def matrix_product(self, matrix: str, turned: bool, v: Expr) -> str:
        """W v, or Wᵀ v where it is turned."""

    @abstractmethod
    def columns(self, matrix: str, direction: str) -> str:
        """The columns of a matrix as vectors along a direction."""

    @abstractmethod
    def rows(self, matrix: str) -> str:
        """The rows of a matrix as vectors along the outputs."""

    @abstractmethod
    def scalar_product(self, u: Expr, v: Expr) -> str: ...

    @abstractmethod
    def entries(self, v: Expr, direction: str) -> str:
        """A vector with its entries along a direction."""

    @abstractmethod
    def normalized(self, function: str, v: Expr) -> str:
        """softmax or log_softmax of a vector."""


class MatrixText(MatrixForm):
    """One Program of a file; `functions` collects the activations that it calls.

    minus: what a term begins with that is subtracted.
    """

    minus: ClassVar[str]

    def __init__(self, job: Job, choice: Choice, functions: Functions) -> None:
        super().__init__(job, choice)
        self.functions = functions

    def number(self, value: Expr) -> str:
        return f"({float(value)!r})" if value < 0 else repr(float(value))

    def sum(self, expression: Add) -> str:
        return f"({' '.join(self.signed(expression))})"

    def signed(self, expression: Add) -> list[str]:
        """The terms of a sum, signs before all but the first."""
        texts = map(self.vector, expression.args)
        first, *rest = sorted(texts, key=lambda text: text.startswith(self.minus))
        return [first, *(f"+ {text}".replace(f"+ {self.minus}", "- ") for text in rest)]

    def normalized(self, function: str, v: Expr) -> str:
        return f"{function}_of({self.vector(v)})"

    def activated(self, argument: Quantity) -> Iterator[Activated]:
        """What is applied to a quantity, once it is known."""
        for used in self.program.applied_to.get(argument, ()):
            results = [self.derivative(used.name, argument, order) for order in used.orders]
            yield Activated(results, self._function(used.name, used.orders), name_of(argument))

    def _function(self, activation: str, orders: tuple[int, ...]) -> str:
        key = activation, orders
        name = f"{activation[:_LONGEST]}_{''.join(map(str, orders))}"
        while key not in self.functions and name in self.functions.values():
            name += "_"
        return self.functions.setdefault(key, name)

    def derivative(self, name: str, argument: Expr, order: int) -> str:
        """The variable of σ⁽ʳ⁾ at an argument: that of the value, where a statement has it."""
        used = self.program.applications[name, argument]
        if order == 0 and used.value is not None:
            return name_of(used.value)
        return f"{'d' * order}s{used.number}"


def name_of(quantity: Quantity) -> str:
    """A quantity's variable, whatever its directions are called."""
    letter, layer, order = quantity.family
    directions = order - ("p" in quantity.along)
    return "d" * directions + _SPELLED.get(letter, letter) + ("" if layer is None else str(layer))
