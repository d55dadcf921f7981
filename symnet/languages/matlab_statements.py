"""A Program as statements of MATLAB: every array has the axes (r, p, i, j, …, points)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from sympy import Expr

from symnet.calculus.algebra import DIRECTIONS, Quantity, X, sigma
from symnet.calculus.schemes import Choice
from symnet.languages.expressions import bare
from symnet.languages.job import Job
from symnet.languages.matrixform import Functions, MatrixText, name_of


class Statements(MatrixText):
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
                text = bare(self.vector(statement.expression))
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

    def identity(self, size: int, direction: str) -> str:
        return self.swapped_matrix(f"eye({size})", self.axis(direction))

    def product(self, factors: Sequence[Expr]) -> str:
        return ".*".join(map(self.vector, factors))

    def matrix_product(self, matrix: str, turned: bool, v: Expr) -> str:
        weights = f"w.{matrix}'" if turned else f"w.{matrix}"
        return f"matvec({weights}, {self.vector(v)})"

    def columns(self, matrix: str, direction: str) -> str:
        return self.swapped_matrix(f"w.{matrix}", self.axis(direction))

    def rows(self, matrix: str) -> str:
        return self.swapped_matrix(f"w.{matrix}'", 2)

    def scalar_product(self, u: Expr, v: Expr) -> str:
        return f"sum({self.product([u, v])}, 1)"

    def entries(self, v: Expr, direction: str) -> str:
        return self.swapped(self.vector(v), (self.axis(direction), 1))

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
