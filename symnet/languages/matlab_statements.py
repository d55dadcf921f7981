"""A Program as statements of MATLAB: every array has the axes (r, p, i, j, …, points)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from sympy import Add, Expr, Mul, Pow

from symnet.calculus.algebra import (
    DIRECTIONS,
    OUTPUT,
    Quantity,
    X,
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
from symnet.languages.expressions import bare
from symnet.languages.job import Job
from symnet.languages.matrixform import Functions, MatrixForm, name_of


class Statements(MatrixForm):
    """The statements of one Program."""

    minus: ClassVar[str] = "(-1.0).*"

    def __init__(self, job: Job, choice: Choice, functions: Functions) -> None:
        super().__init__(job, choice, functions)
        self.rank = 3 + self.order

    def lines(self, names: Sequence[str]) -> list[str]:
        found = assigned(names[: self.order + 1])
        lines = [f"function {found} = up_to_{self.order}(x)", "    w = weights(class(x));"]
        shape = ", ".join([str(self.n), *["1"] * (self.rank - 2), "points"])
        lines += ["    points = size(x, 2);", f"    x = reshape(x, {shape});", *self.activations(X)]
        for statement in self.program.statements:
            target = statement.target
            if not isinstance(statement.expression, sigma):
                text = bare(self.text(statement.expression))
                if width := self.program.shapes.spread(target, statement.expression):
                    text = f"repmat({text}, {width}, 1)"
                lines.append(f"    {name_of(target)} = {text};")
            lines += self.activations(target)
        for order, output in zip(self.choice.orders, self.program.outputs, strict=True):
            sizes = ", ".join(map(str, [self.m, *[self.n] * order]))
            if output == 0:
                lines.append(f"    {names[order]} = zeros([{sizes}, points], class(x));")
                continue
            value = f"filled({name_of(output)}, [{sizes}], {self.rank}, points)"
            lines.append(f"    {names[order]} = {value};")
        return [*lines, "end"]

    def activations(self, argument: Quantity) -> list[str]:
        return [
            f"    {assigned(results)} = {function}({known});"
            for results, function, known in self.activated(argument)
        ]

    def axis(self, direction: str) -> int:
        return 2 if direction == "p" else 3 + DIRECTIONS.index(direction)

    def swapped(self, text: str, *pairs: tuple[int, int]) -> str:
        """An array with pairs of axes swapped, one after the other."""
        axes = list(range(1, self.rank + 1))
        for a, b in pairs:
            axes[a - 1], axes[b - 1] = axes[b - 1], axes[a - 1]
        moved = axes != sorted(axes)
        return f"permute({text}, [{' '.join(map(str, axes))}])" if moved else text

    def text(self, expression: Expr) -> str:
        """An expression; all but names and calls in brackets."""
        match expression:
            case _ if expression.is_number:
                return f"({float(expression)!r})" if expression < 0 else repr(float(expression))
            case _ if expression == OUTPUT:
                return self.swapped_matrix(f"eye({self.m})", 2)
            case _ if is_direction(expression):
                return self.swapped_matrix(f"eye({self.n})", self.axis(expression.along[0]))
            case Quantity():
                return self.quantity(expression)
            case sigma():
                return self.derivative(expression.name, expression.argument, expression.order)
            case Add():
                return f"({' '.join(self.signed(expression))})"
            case Mul():
                return ".*".join(map(self.text, expression.args))
            case Pow(args=(base, power)) if power.is_Integer and power > 0:
                return ".*".join([self.text(base)] * int(power))
            case matvec(args=(matrix, v)):
                name = f"w.{matrix}"
                if isinstance(matrix, transposed):
                    name = f"w.{matrix.args[0]}'"
                return f"matvec({name}, {self.text(v)})"
            case column(args=(matrix, unit)):
                return self.swapped_matrix(f"w.{matrix}", self.axis(unit.along[0]))
            case row(args=(matrix, _)):
                return self.swapped_matrix(f"w.{matrix}'", 2)
            case dot(args=(u, v)):
                return f"sum({self.text(u)}.*{self.text(v)}, 1)"
            case entry(args=(v, unit)):
                return self.swapped(self.text(v), (self.axis(unit.along[0]), 1))
            case softmax(args=(v,)):
                return f"softmax_of({self.text(v)})"
            case log_softmax(args=(v,)):
                return f"log_softmax_of({self.text(v)})"
        raise TypeError(f"{type(expression).__name__} has no matrix form: {expression}")

    def swapped_matrix(self, matrix: str, axis: int) -> str:
        """A matrix whose columns are the vectors along an axis."""
        return matrix if axis == 2 else f"permute({matrix}, [1 {' '.join(map(str, _other(axis)))}])"

    def quantity(self, quantity: Quantity) -> str:
        if quantity.letter == "b":
            return f"w.{quantity}"
        text = name_of(quantity)
        directions = [d for d in quantity.along if d != "p"]
        pairs = [(3 + k, self.axis(d)) for k, d in enumerate(directions)]
        return self.swapped(text, *reversed(pairs))


def _other(axis: int) -> list[int]:
    """The axes 2, … of a permutation that moves the second one to `axis`."""
    return [*range(3, axis + 1), 2]


def assigned(names: Sequence[str]) -> str:
    """What is assigned to: [a, b], or a alone."""
    return names[0] if len(names) == 1 else f"[{', '.join(names)}]"
