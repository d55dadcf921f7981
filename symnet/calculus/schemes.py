"""Which Program to run: forward or backward for the highest order, decided by counting.

The count is of multiply–adds and activation evaluations per point, with the symmetric entries of
a derivative counted once and products with the unit directions (columns of W1, rows of WL) not at
all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple

from sympy import Expr, Mul

from symnet.calculus.algebra import (
    column,
    dot,
    entry,
    heads,
    is_direction,
    log_softmax,
    matvec,
    row,
    sigma,
    sigmas,
    softmax,
    symbols,
)
from symnet.calculus.program import Program, from_network
from symnet.calculus.shapes import Shapes
from symnet.calculus.transformations import adjoint, tangent
from symnet.network import Network

_NORMALIZING = frozenset((softmax, log_softmax))


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


def cheapest(network: Network, methods: Mapping[str, Sequence[int]]) -> dict[str, Choice]:
    """For each method, a name and the orders that it computes, the cheapest Program."""
    highest = max(max(orders) for orders in methods.values())
    programs = [schemes(program) for program in forward(network, highest)]
    count = _Count(programs[0]["tangent"].shapes)
    return {name: best(programs[max(orders)], orders, count) for name, orders in methods.items()}


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


def best(
    programs: dict[str, Program], orders: Iterable[int], count: _Count | None = None
) -> Choice:
    """The cheapest of `programs` that computes the outputs of these `orders`, and nothing else.

    Programs of one network may share a `count`, as they share statements.
    """
    orders = tuple(orders)
    priced = []
    for scheme, program in programs.items():
        reduced = needed(program, orders)
        priced.append(Choice(reduced, orders, cost(reduced, scheme, count)))
    return min(priced, key=lambda choice: choice.cost.multiply_adds)


def needed(program: Program, orders: Iterable[int]) -> Program:
    """`program` reduced to the outputs of these `orders` and the statements they need."""
    outputs = tuple(program.outputs[order] for order in orders)
    families = set().union(*(_families(output) for output in outputs))
    kept = []
    for statement in reversed(program.statements):
        if statement.target.family in families:
            kept.append(statement)
            families |= _families(statement.expression)
    return replace(program, statements=tuple(reversed(kept)), outputs=outputs)


@lru_cache(maxsize=2**16)
def _families(expression: Expr) -> frozenset[tuple[str, int | None, int]]:
    return frozenset(q.family for q in symbols(expression))


def cost(program: Program, scheme: str, count: _Count | None = None) -> Cost:
    """Counted from the statements of `program` and their shapes."""
    count, shapes = count or _Count(program.shapes), program.shapes
    work = [count.statement(statement.expression) for statement in program.statements]
    applied = frozenset().union(*(one.applied for one in work))
    activations = sum(shapes.width(argument) for _, argument in applied)
    total = sum(one.multiply_adds for one in work)
    return Cost(total, activations + sum(one.normalized for one in work), scheme)


def entries(program: Program) -> int:
    """Numbers per point in the arrays of all statements: what a block of points has to hold."""
    shapes = program.shapes
    nodes = set().union(*(sigmas(s.expression) for s in program.statements))
    vectors = [s.target for s in program.statements] + [node.argument for node in nodes]
    return shapes.n + sum(shapes.copies(q) * shapes.width(q) for q in vectors)


class _Work(NamedTuple):
    """What an expression takes: the activations that it applies to vectors, and the width of its
    softmax."""

    multiply_adds: int
    applied: frozenset[tuple[str, Expr]]
    normalized: int


class _Count:
    """The work of expressions, each counted once."""

    def __init__(self, shapes: Shapes) -> None:
        self.shapes = shapes
        self.known: dict[Expr, _Work] = {}

    def statement(self, expression: Expr) -> _Work:
        """The work of a statement's expression."""
        known = self.known.get(expression)
        if known is None:
            applied = frozenset((node.name, node.argument) for node in sigmas(expression))
            soft = bool(heads(expression) & _NORMALIZING)
            normalized = self.shapes.width(expression) if soft else 0
            known = _Work(self.multiply_adds(expression), applied, normalized)
            self.known[expression] = known
        return known

    def multiply_adds(self, expression: Expr) -> int:
        """Everything that computing `expression` for all its combinations takes."""
        if isinstance(expression, (sigma, column, softmax, log_softmax)):
            return 0
        if isinstance(expression, row):
            return self.shapes.copies(expression) * self.shapes.width(expression)
        if isinstance(expression, entry) and is_direction(expression.args[1]):
            return self.multiply_adds(expression.args[0])
        if isinstance(expression, matvec):
            matrix, vector = expression.args
            rows, columns = self.shapes.shape(matrix)
            return self.multiply_adds(vector) + self.shapes.copies(vector) * rows * columns
        if isinstance(expression, (Mul, dot, entry)):
            operands = _operands(expression)
            inner = sum(map(self.multiply_adds, operands))
            # Scaling a row is what a row costs.
            scaled = any(isinstance(operand, row) for operand in operands)
            return inner + (0 if scaled else self._product(operands))
        return sum(map(self.multiply_adds, expression.args))

    def _product(self, operands: Sequence[Expr]) -> int:
        """An elementwise product, factors with the fewest copies first; a dot's sum comes free."""
        operands = sorted(operands, key=self.shapes.copies)
        width = max(map(self.shapes.width, operands))
        products = (self.shapes.copies(*operands[:k]) for k in range(2, len(operands) + 1))
        return width * sum(products)


def _operands(expression: Expr) -> list[Expr]:
    """What is multiplied entry by entry in a product, a dot or an entry."""
    factors = [expression] if isinstance(expression, Mul) else expression.args
    return [operand for factor in factors for operand in Mul.make_args(factor)]
