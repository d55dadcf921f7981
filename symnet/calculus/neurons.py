"""The neuron notation: a Program written out into one scalar statement for each neuron's quantity.

    z1_3 = 0.5*x1 - 2*x2 + 1                    W₁,₃ x + b₁,₃
    a1_3 = σ(z1_3)
    ds1_3 = σ′(z1_3)                            each derivative of σ once a neuron
    ∂a1_3/∂x1 = 0.5*ds1_3                       ∂z1_3/∂x1 is the weight itself: put in its place
    ∂z2_1/∂x1 = 0.3*∂a1_1/∂x1 + …
    ∂²a2_1/∂x1∂x2 = dds2_1*∂z2_1/∂x1*∂z2_1/∂x2 + ds2_1*∂²z2_1/∂x1∂x2

A softmax is written with the logarithm of its sum, whose derivatives are the means that its own
derivatives need; `s` is the softmax beside a log_softmax:

    lse3 = log(exp(z3_1) + exp(z3_2))           a `logsumexp`: code must not add the exponentials
    a3_1 = exp(z3_1 - lse3)                     and of a log_softmax  a3_1 = z3_1 - lse3
    ∂lse3/∂x1 = a3_1*∂z3_1/∂x1 + a3_2*∂z3_2/∂x1
    ∂a3_1/∂x1 = a3_1*(∂z3_1/∂x1 - ∂lse3/∂x1)

The number of terms is linear in the number of weights. Second derivatives are there for i ≤ j
only, vanishing ones and products with weight 0 not at all, and numbers are folded. The statements
come in an order of evaluation: node by node and, within one, neuron by neuron; those of a softmax,
which joins its neurons, order by order.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations_with_replacement
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias

from sympy import Add, Expr, Mul, S, Symbol, exp

from symnet.calculus.algebra import (
    DIRECTIONS,
    Quantity,
    column,
    dot,
    entry,
    is_direction,
    log_softmax,
    matvec,
    sigma,
    softmax,
)
from symnet.calculus.program import Program, Statement
from symnet.calculus.scalars import Product, collected, leading, logsumexp
from symnet.calculus.schemes import candidates, needed
from symnet.network import Network
from symnet.network.weights import Array, as_expression
from symnet.progress import steps

Positions: TypeAlias = tuple[int, ...]
"""Positions of inputs from 0, ascending: a multi-index of derivatives."""

SOFTENED = ("softmax", "log_softmax")
"""The kinds of node that join their neurons."""

_LETTERS = {"m": "lse", "p": "s"}
"""What a neuron's quantity is called where the Program's letter may be an input's or output's."""


@dataclass(frozen=True)
class Neurons:
    """Scalar statements and what they compute.

    `results[p, (i, j)]` is ∂²y_p/∂x_i∂x_j, for i ≤ j and positions from 0: a quantity with a
    statement of its own, or zero when its order is among the `vanishing`, those whose partials
    are zero for every network of this kind. `depth` is the number of nodes, `softened` are those
    that are a softmax or its logarithm.
    """

    statements: tuple[Statement, ...]
    results: Mapping[tuple[int, Positions], Expr]
    vanishing: tuple[int, ...]
    inputs: tuple[Symbol, ...]
    outputs: tuple[Symbol, ...]
    depth: int
    softened: frozenset[int]

    def place(self, target: Quantity) -> Place:
        """Where the statement of `target` stands: by this, statements are in order."""
        last = target.layer is None
        node = self.depth if target.layer is None else target.layer
        if node in self.softened and target.letter != "z":
            return Place(last or node == self.depth, node, target.order + 1, 0)
        if last:
            names = [symbol.name for symbol in self.outputs]
            return Place(True, node, 0, names.index(target.letter) + 1)
        return Place(False, node, 0, target.index or 0)


class Place(NamedTuple):
    """Where a statement stands: outputs last, by node, then by neuron or as a softmax's.

    `order` is 0, or one more than the order of a derivative for what a softmax joins; the neuron
    is 0 where all of them stand together.
    """

    output: bool
    node: int
    order: int
    neuron: int


def neurons(network: Network, order: int) -> Neurons:
    """The value and all derivatives up to `order` as scalar statements.

    TypeError, naming the expression, for a statement of a form that has no neuron's entry.
    """
    program = candidates(network, order)["tangent"]
    return _Writer(network, needed(program, range(order + 1))).write()


class _Writer:
    """Writes a tangent Program out, for every neuron and every multi-index of inputs."""

    def __init__(self, network: Network, program: Program) -> None:
        self.network, self.program, self.symbols = network, program, network.symbols
        self.arrays = {name: _expressions(array) for name, array in network.parameters.items()}
        # (letter, layer, inputs) -> one entry a neuron: its quantity, or its value when constant.
        self.entries: dict[tuple[str, int | None, Positions], list[Expr]] = {
            ("x", None, ()): list(network.inputs)
        }
        self.written: list[Statement] = []
        self.known: set[Quantity] = set()

    def write(self) -> Neurons:
        for statement in steps(self.program.statements):
            for inputs in combinations_with_replacement(
                range(self.network.n), statement.target.order
            ):
                self._write(statement, inputs)
        found = Neurons(
            tuple(self.written),
            MappingProxyType(self._results()),
            tuple(r for r, output in enumerate(self.program.outputs) if output == 0),
            self.network.inputs,
            self.network.outputs,
            self.network.depth,
            frozenset(k for k, node in enumerate(self.network.nodes, 1) if node.kind in SOFTENED),
        )
        ordered = sorted(found.statements, key=lambda s: (found.place(s.target), *_rank_of(s)))
        return replace(found, statements=tuple(ordered))

    def _results(self) -> dict[tuple[int, Positions], Expr]:
        zeros = [S.Zero] * self.network.m
        results = {}
        for r in range(self.program.order + 1):
            for inputs in combinations_with_replacement(range(self.network.n), r):
                for p, found in enumerate(self.entries.get(("y", None, inputs), zeros)):
                    results[p, inputs] = found
        return results

    def _write(self, statement: Statement, inputs: Positions) -> None:
        target, chosen = statement.target, dict(zip(DIRECTIONS, inputs, strict=False))
        entries = []
        width = self.program.shapes.width(target)
        for row, expression in enumerate(self._rows(statement, width, chosen)):
            quantity = self._quantity(target, row, inputs)
            constant = self._is_constant(expression) and target.letter != "y"
            entries.append(expression if constant else quantity)
            if not constant:
                self._state(quantity, expression)
        self.entries[target.letter, target.layer, inputs] = entries

    def _state(self, quantity: Quantity, expression: Expr) -> None:
        if quantity not in self.known:
            self.known.add(quantity)
            self.written.append(Statement(quantity, expression))

    def _is_constant(self, expression: Expr) -> bool:
        """Whether it is a number or a single weight symbol."""
        return expression.is_number or expression in self.symbols

    def _quantity(self, target: Quantity, row: int, inputs: Positions) -> Quantity:
        along = tuple(self.network.inputs[i].name for i in inputs)
        if target.letter == "y":
            return Quantity(self.network.outputs[row].name, None, along)
        index = None if target.letter == "m" else row + 1
        return Quantity(_LETTERS.get(target.letter, target.letter), target.layer, along, index)

    def _rows(self, statement: Statement, width: int, chosen: dict[str, int]) -> Iterator[Expr]:
        """The entry for each neuron."""
        expression = statement.expression
        if isinstance(expression, softmax | log_softmax):
            whole = self._whole(self.program.shapes.number(statement.target), expression.args[0])
            for z in self._vector(expression.args[0], chosen):
                below = Add(z, -whole, evaluate=False)
                yield exp(below) if isinstance(expression, softmax) else below
            return
        terms = sorted(Add.make_args(expression), key=_term_rank)
        for row in range(width):
            yield self._sum(terms, row, chosen)

    def _whole(self, number: int, argument: Expr) -> Quantity:
        """log Σ exp of a softmax's argument, stated when first asked for."""
        quantity = Quantity("lse", number)
        self._state(quantity, logsumexp(*self._vector(argument, {})))
        return quantity

    def _sum(self, terms: Sequence[Expr], row: int, chosen: dict[str, int]) -> Expr:
        return collected(part for term in terms for part in self._products(term, row, chosen))

    def _products(self, term: Expr, row: int, chosen: dict[str, int]) -> Iterator[Product]:
        """A term's entry as products: a constant, and its other factors."""
        if isinstance(term, matvec):
            weights = self.arrays[term.args[0].name][row]
            for weight, value in zip(weights, self._vector(term.args[1], chosen), strict=True):
                if weight != 0:
                    yield self._product([weight, value])
        elif isinstance(term, dot):
            factors = [f for side in term.args for f in _factors(side)]
            for r in range(max(map(self.program.shapes.width, factors))):
                yield self._product([self._factor(f, r, chosen) for f in factors])
        else:
            yield self._product([self._factor(f, row, chosen) for f in _factors(term)])

    def _product(self, entries: Sequence[Expr]) -> Product:
        constant, others = S.One, []
        for factor in entries:
            if factor.is_number or factor.free_symbols <= self.symbols:
                constant = constant * factor
            else:
                others.append(factor)
        return constant, others

    def _factor(self, factor: Expr, row: int, chosen: dict[str, int]) -> Expr:
        """The entry of a factor that is no product itself; a vector one wide is spread."""
        if factor.is_number:
            return factor
        if isinstance(factor, Add):
            return leading(self._sum(sorted(factor.args, key=_term_rank), row, chosen))
        if isinstance(factor, sigma):
            return self._slope(factor, row)
        if isinstance(factor, column):
            return self.arrays[factor.args[0].name][row][chosen[factor.args[1].along[0]]]
        if isinstance(factor, entry):
            vector, unit = factor.args
            return self._sum([vector], chosen[unit.along[0]], chosen)
        if isinstance(factor, matvec | dot):
            return self._sum([factor], row, chosen)
        if isinstance(factor, Quantity):
            found = self._vector(factor, chosen)
            return found[row if len(found) > 1 else 0]
        raise TypeError(f"{factor}: no neuron's entry is known of a {type(factor).__name__}")

    def _vector(self, vector: Expr, chosen: dict[str, int]) -> list[Expr]:
        """All entries of a quantity, and of a sum of them."""
        if not isinstance(vector, Quantity):
            width = self.program.shapes.width(vector)
            return [self._factor(vector, row, chosen) for row in range(width)]
        inputs = tuple(sorted(chosen[d] for d in vector.along))
        if is_direction(vector):
            return [S.One if i == inputs[0] else S.Zero for i in range(self.network.n)]
        if vector.letter == "b":
            return self.arrays[vector.name]
        return self.entries[vector.letter, vector.layer, inputs]

    def _slope(self, node: sigma, row: int) -> Expr:
        """σ⁽ʳ⁾ of a neuron: a quantity with its own statement, written when first asked for."""
        argument = self._vector(node.argument, {})
        named = sigma(node.name, node.order, argument[row if len(argument) > 1 else 0])
        if node.order == 0:
            return named
        number = self.program.applied[node.name, node.argument]
        index = row + 1 if len(argument) > 1 else 1
        quantity = Quantity("d" * node.order + "s", number, (), index)
        self._state(quantity, named)
        return quantity


def _rank_of(statement: Statement) -> tuple[int, int]:
    """lse and s; then z, a, the derivatives of σ, and then everything as it was written."""
    target = statement.target
    if target.letter in ("lse", "s"):
        return -1, target.index or 0
    if target.along or target.layer is None:
        return 3, 0
    return {"z": 0, "a": 1}.get(target.letter, 2), 0


def _expressions(array: Array) -> Any:
    if array.ndim == 2:
        return [_expressions(row) for row in array]
    return [as_expression(entry) for entry in array.tolist()]


def _factors(term: Expr) -> list[Expr]:
    """The factors of a product, powers written out."""
    found: list[Expr] = []
    for factor in Mul.make_args(term):
        base, exponent = factor.as_base_exp()
        found += [base] * int(exponent) if exponent.is_Integer and exponent > 0 else [factor]
    return sorted(found, key=_rank)


def _term_rank(term: Expr) -> tuple[Any, ...]:
    """Products with matrices, vectors, biases: of later nodes first; σ″ before σ′; minus last."""
    factors = _factors(term)
    if isinstance(term, Quantity) and term.letter == "b":
        return 1, 0, 0, False, []
    affine = term.args[1] if isinstance(term, matvec) else term
    number = (affine.layer or 0) if isinstance(affine, Quantity) else 0
    orders = [factor.order for factor in factors if isinstance(factor, sigma)]
    negative = bool(factors[0].is_number and factors[0].is_negative)
    return 0, -number, -max(orders, default=0), negative, list(map(str, factors))


def _rank(factor: Expr) -> tuple[int, int, str]:
    """Numbers, then σ″ before σ′, then quantities of lower before those of higher order, sums."""
    if isinstance(factor, sigma):
        return 1, -factor.order, ""
    if isinstance(factor, Quantity):
        return 2, factor.order, factor.name
    return (0, 0, "") if factor.is_number else (3, 0, str(factor))
