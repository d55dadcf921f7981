"""Which Program to run: forward or backward for the highest order, decided by counting.

The count is of multiply–adds and activation evaluations per point, with the symmetric entries of
a derivative counted once and products with the unit directions (columns of W1, rows of WL) not at
all.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import comb
from typing import NamedTuple

from sympy import Expr, Mul

from symnet.calculus.algebra import Quantity, dot, matvec, sigma, transposed
from symnet.calculus.program import (
    Program,
    adjoint,
    family,
    from_network,
    is_direction,
    selects_output,
    tangent,
)
from symnet.network import Network


@dataclass(frozen=True)
class Cost:
    """What one point costs.

    multiply_adds: in matrix–vector products, products and sums over neurons.
    activations: evaluations of an activation together with its derivatives.
    scheme: "tangent" (every order forward) or "adjoint" (the highest order backward).
    """

    multiply_adds: int
    activations: int
    scheme: str


class Choice(NamedTuple):
    """The Program that computes the derivatives of some orders cheapest, and what it costs."""

    program: Program
    orders: tuple[int, ...]
    cost: Cost


def candidates(network: Network, order: int) -> dict[str, Program]:
    """The Programs of every order up to `order`, by the scheme of the highest one."""
    return schemes(forward(network, order)[-1])


def forward(network: Network, order: int) -> list[Program]:
    """The network's value, and its tangents of order 1, 2, … up to `order`."""
    programs = [from_network(network)]
    for _ in range(order):
        programs.append(tangent(programs[-1]))
    return programs


def schemes(program: Program) -> dict[str, Program]:
    """`program`, whose highest order is a tangent, and its adjoint where there is one."""
    if program.order == 0 or program.outputs[-1] == 0:
        return {"tangent": program}
    return {"tangent": program, "adjoint": adjoint(program)}


def best(programs: dict[str, Program], network: Network, orders: Iterable[int]) -> Choice:
    """The cheapest of `programs` that computes the outputs of these `orders`, and nothing else."""
    orders = tuple(orders)
    priced = []
    for scheme, program in programs.items():
        reduced = needed(program, orders)
        priced.append(Choice(reduced, orders, cost(reduced, network, scheme)))
    return min(priced, key=lambda choice: choice.cost.multiply_adds)


def needed(program: Program, orders: Iterable[int]) -> Program:
    """`program` reduced to the outputs of these `orders` and the statements they need."""
    outputs = tuple(program.outputs[order] for order in orders)
    wanted = set().union(*(output.free_symbols for output in outputs))
    families = set(map(family, wanted))
    kept = []
    for statement in reversed(program.statements):
        if family(statement.target) in families:
            kept.append(statement)
            families |= set(map(family, statement.expression.free_symbols))
    return replace(program, statements=tuple(reversed(kept)), outputs=outputs)


def cost(program: Program, network: Network, scheme: str) -> Cost:
    """Counted from the statements of `program` with the widths of `network`."""
    sizes = Sizes(network)
    total = sum(sizes.multiply_adds(s.expression) for s in program.statements)
    arguments = {node.argument for s in program.statements for node in s.expression.atoms(sigma)}
    return Cost(total, sum(sizes.width(z) for z in arguments), scheme)


def entries(program: Program, network: Network) -> int:
    """Numbers per point in the arrays of all statements: what a block of points has to hold."""
    sizes = Sizes(network)
    nodes = set().union(*(s.expression.atoms(sigma) for s in program.statements))
    targets = [s.target for s in program.statements] + [node.argument for node in nodes]
    return network.n + sum(sizes.copies(q) * sizes.width(q) for q in targets)


class Sizes:
    """Widths and numbers of copies of a Program's quantities in one network."""

    def __init__(self, network: Network) -> None:
        self.n, self.m, self.widths = network.n, network.m, network.widths

    def width(self, expression: Expr) -> int:
        """Neurons of a layer's vector."""
        if isinstance(expression, matvec):
            return self.shape(expression.args[0])[0]
        if isinstance(expression, dot):
            return 1
        if isinstance(expression, sigma):
            return self.width(expression.argument)
        if isinstance(expression, Quantity):
            return self._width_of(expression)
        return max((self.width(argument) for argument in expression.args), default=1)

    def _width_of(self, quantity: Quantity) -> int:
        if quantity.letter in ("y", "e"):
            return self.m
        return self.widths[quantity.layer or 0]

    def shape(self, matrix: Expr) -> tuple[int, int]:
        """(rows, columns) of W_k or its transpose."""
        if isinstance(matrix, transposed):
            rows, columns = self.shape(matrix.args[0])
            return columns, rows
        return self.widths[matrix.layer], self.widths[matrix.layer - 1]

    def copies(self, *expressions: Expr) -> int:
        """Combinations of directions, times outputs where an adjoint runs over them."""
        along = {d for expression in expressions for d in directions(expression)}
        order = len(along - {"p"})
        outputs = self.m if "p" in along else 1
        return outputs * comb(self.n + order - 1, order)

    def multiply_adds(self, expression: Expr) -> int:
        """Everything that computing `expression` for all its combinations takes."""
        if isinstance(expression, sigma):
            return 0
        if isinstance(expression, matvec):
            return self.multiply_adds(expression.args[1]) + self._matvec(*expression.args)
        if isinstance(expression, (Mul, dot)):
            operands = _operands(expression)
            return sum(map(self.multiply_adds, operands)) + self._product(operands)
        return sum(map(self.multiply_adds, expression.args))

    def _matvec(self, matrix: Expr, vector: Expr) -> int:
        if is_direction(vector):
            return 0
        rows, columns = self.shape(matrix)
        return self.copies(vector) * (rows if selects_output(vector) else rows * columns)

    def _product(self, operands: Sequence[Expr]) -> int:
        """An elementwise product, factors with the fewest copies first; a dot's sum comes free."""
        if any(map(is_direction, operands)):
            return 0
        operands = sorted(operands, key=self.copies)
        width = max(map(self.width, operands))
        products = (self.copies(*operands[:k]) for k in range(2, len(operands) + 1))
        return width * sum(products)


def directions(expression: Expr) -> frozenset[str]:
    """The directions that `expression` has been differentiated in, "p" for an adjoint's output."""
    if isinstance(expression, Quantity):
        return frozenset(expression.along)
    return frozenset().union(*map(directions, expression.args))


def _operands(expression: Expr) -> list[Expr]:
    """What is multiplied entry by entry in a product or a dot."""
    factors = expression.args if isinstance(expression, dot) else [expression]
    return [operand for factor in factors for operand in Mul.make_args(factor)]
