"""The neuron notation: a Program written out into one scalar statement for each neuron's quantity.

    z1_3 = 0.5*x1 - 2*x2 + 1                    W₁,₃ x + b₁,₃
    a1_3 = σ(z1_3)
    ds1_3 = σ′(z1_3)                            each derivative of σ once a neuron
    ∂a1_3/∂x1 = 0.5*ds1_3                       ∂z1_3/∂x1 is the weight itself: put in its place
    ∂z2_1/∂x1 = 0.3*∂a1_1/∂x1 + …
    ∂²a2_1/∂x1∂x2 = dds2_1*∂z2_1/∂x1*∂z2_1/∂x2 + ds2_1*∂²z2_1/∂x1∂x2

The number of terms is linear in the number of weights. Second derivatives are there for i ≤ j
only, vanishing ones and products with weight 0 not at all, and numbers are folded. The statements
come in an order of evaluation, layer by layer and neuron by neuron.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement
from types import MappingProxyType
from typing import TypeAlias

import sympy
from sympy import Add, Expr, Mul, S, Symbol

from symnet.activations import Activation, Z
from symnet.calculus.algebra import DIRECTIONS, Quantity, matvec, sigma
from symnet.calculus.program import Program, Statement
from symnet.calculus.scalars import collected, scaled, total
from symnet.calculus.schemes import candidates
from symnet.network import Network
from symnet.network.weights import Array, as_expression

Positions: TypeAlias = tuple[int, ...]
"""Positions of inputs from 0, ascending: a multi-index of derivatives."""


@dataclass(frozen=True)
class Neurons:
    """Scalar statements and what they compute.

    `results[p, (i, j)]` is ∂²y_p/∂x_i∂x_j, for i ≤ j and positions from 0: a quantity with a
    statement of its own, or zero when its order is among the `vanishing`, those whose partials
    are zero for every network of this kind. `depth` is the number of layers.
    """

    statements: tuple[Statement, ...]
    results: Mapping[tuple[int, Positions], Expr]
    vanishing: tuple[int, ...]
    inputs: tuple[Symbol, ...]
    outputs: tuple[Symbol, ...]
    depth: int
    activations: Mapping[str, Activation]

    def code_names(self) -> dict[Quantity, str]:
        """A unique identifier for each target: z1_3, ds1_3, da1_3_1, dda1_3_1_2.

        Directions are positions from 1; outputs are called by the last layer's a. These are the
        names which `names` keeps free of users' symbols.
        """
        place = {symbol.name: str(i) for i, symbol in enumerate(self.inputs, 1)}
        output = {symbol.name: p for p, symbol in enumerate(self.outputs, 1)}
        names = {}
        for target in (statement.target for statement in self.statements):
            letter, layer, index = target.letter, target.layer, target.index
            if layer is None:
                letter, layer, index = "a", self.depth, output[target.letter]
            parts = [f"{'d' * target.order}{letter}{layer}", str(index)]
            names[target] = "_".join(parts + [place[name] for name in target.along])
        return names

    def evaluate(
        self, point: Mapping[Symbol, object], digits: int | None = 30
    ) -> dict[Quantity, Expr]:
        """Every quantity at `point`, statement by statement.

        In arithmetic of so many digits, floats taken for the exact binary fractions they are. With
        None the weights and numbers stay as they are and nothing is rounded: exact results for
        exact weights, and formulas of the inputs for a point {x1: x1, …}.
        """
        known: dict[Expr, Expr] = {s: _exact(value, digits) for s, value in point.items()}
        found: dict[Quantity, Expr] = {}
        for statement in self.statements:
            expression = _exact(statement.expression, digits).xreplace(known)
            nodes = {node: self._activated(node) for node in expression.atoms(sigma)}
            value = expression.xreplace(nodes).doit()
            known[statement.target] = value if digits is None else sympy.N(value, digits)
            found[statement.target] = known[statement.target]
        return found

    def _activated(self, node: sigma) -> Expr:
        activation = self.activations[node.name]
        value = activation.value.xreplace({Z: node.argument})
        formula = activation.formula(node.order)
        return formula.xreplace({activation.own: value, Z: node.argument})


def _exact(value: object, digits: int | None) -> Expr:
    expression = sympy.sympify(value)
    if digits is None:
        return expression
    return expression.xreplace({f: sympy.Rational(float(f)) for f in expression.atoms(sympy.Float)})


def neurons(network: Network, order: int) -> Neurons:
    """The value and all derivatives up to `order` as scalar statements."""
    program = candidates(network, order)["tangent"]
    return _Writer(network, program).write()


class _Writer:
    """Writes a tangent Program out, for every neuron and every multi-index of inputs."""

    def __init__(self, network: Network, program: Program) -> None:
        self.network, self.program, self.symbols = network, program, network.symbols
        self.weights = [_expressions(layer.weights) for layer in network.layers]
        self.biases = [
            None if layer.bias is None else _expressions(layer.bias) for layer in network.layers
        ]
        # (letter, layer, inputs) -> one entry a neuron: its quantity, or its value when constant.
        self.entries: dict[tuple[str, int | None, Positions], list[Expr]] = {
            ("x", None, ()): list(network.inputs)
        }
        # (is it an output, layer, neuron) -> its statements
        self.written: dict[tuple[bool, int, int], list[Statement]] = {}
        self.slopes: set[Quantity] = set()

    def write(self) -> Neurons:
        for statement in self.program.statements:
            for inputs in self._multi_indices(statement.target.order):
                self._write(statement, inputs)
        places = (self.written[place] for place in sorted(self.written))
        ordered = [s for statements in places for s in sorted(statements, key=_by_order)]
        return Neurons(
            tuple(ordered),
            MappingProxyType(self._results()),
            tuple(r for r, output in enumerate(self.program.outputs) if output == 0),
            self.network.inputs,
            self.network.outputs,
            self.network.depth,
            self.program.activations,
        )

    def _multi_indices(self, order: int) -> Iterator[Positions]:
        return combinations_with_replacement(range(self.network.n), order)

    def _results(self) -> dict[tuple[int, Positions], Expr]:
        zeros = [S.Zero] * self.network.m
        results = {}
        for r in range(self.program.order + 1):
            for inputs in self._multi_indices(r):
                for p, entry in enumerate(self.entries.get(("y", None, inputs), zeros)):
                    results[p, inputs] = entry
        return results

    def _write(self, statement: Statement, inputs: Positions) -> None:
        target, chosen = statement.target, dict(zip(DIRECTIONS, inputs, strict=False))
        layer = target.layer or self.network.depth
        rows = self._rows(statement.expression, layer, chosen)
        entries = []
        for row, expression in enumerate(rows):
            quantity = self._quantity(target, row, inputs)
            if target.letter != "y" and self._is_constant(expression):
                entries.append(expression)
                continue
            place = (target.letter == "y", layer, row)
            entries.append(quantity)
            self.written.setdefault(place, []).append(Statement(quantity, expression))
        self.entries[target.letter, target.layer, inputs] = entries

    def _is_constant(self, expression: Expr) -> bool:
        """Whether it is a number or a single weight symbol."""
        return expression.is_number or expression in self.symbols

    def _quantity(self, target: Quantity, row: int, inputs: Positions) -> Quantity:
        along = tuple(self.network.inputs[i].name for i in inputs)
        if target.letter == "y":
            return Quantity(self.network.outputs[row].name, None, along)
        return Quantity(target.letter, target.layer, along, row + 1)

    def _rows(self, expression: Expr, layer: int, chosen: dict[str, int]) -> list[Expr]:
        """The expression's entry for each neuron of the layer."""
        product = next((t for t in Add.make_args(expression) if isinstance(t, matvec)), None)
        if product is not None:
            return self._affine(product, expression != product, layer, chosen)
        terms = sorted(map(_factors, Add.make_args(expression)), key=_highest_slope)
        return [
            collected(self._scalar(term, row, chosen) for term in terms)
            for row in range(self.network.widths[layer])
        ]

    def _affine(
        self, product: matvec, biased: bool, layer: int, chosen: dict[str, int]
    ) -> list[Expr]:
        weights, vector = self.weights[layer - 1], product.args[1]
        if vector.letter == "x" and vector.along:
            column = chosen[vector.along[0]]
            return [row[column] for row in weights]
        entries = self._vector(vector, chosen)
        biases = self.biases[layer - 1] if biased else None
        return [
            total(
                [scaled(w, v) for w, v in zip(row, entries, strict=True)],
                biases[i] if biases else S.Zero,
            )
            for i, row in enumerate(weights)
        ]

    def _vector(self, quantity: Quantity, chosen: dict[str, int]) -> list[Expr]:
        inputs = tuple(sorted(chosen[d] for d in quantity.along))
        return self.entries[quantity.letter, quantity.layer, inputs]

    def _scalar(
        self, factors: Sequence[Expr], row: int, chosen: dict[str, int]
    ) -> tuple[Expr, list[Expr]]:
        """A product's entry: its constant, and its other factors."""
        constant, others = S.One, []
        for factor in factors:
            entry = factor
            if isinstance(factor, sigma):
                entry = self._slope(factor, row)
            elif isinstance(factor, Quantity):
                entry = self._vector(factor, chosen)[row]
            if isinstance(entry, Quantity | sigma):
                others.append(entry)
            else:
                constant = constant * entry
        return constant, others

    def _slope(self, node: sigma, row: int) -> Expr:
        """σ⁽ʳ⁾ of a neuron: a quantity with its own statement, written when first asked for."""
        z = node.argument
        argument = self.entries[z.letter, z.layer, ()][row]
        named = sigma(node.name, node.order, argument)
        if node.order == 0:
            return named
        quantity = Quantity("d" * node.order + "s", z.layer, (), row + 1)
        if quantity not in self.slopes:
            self.slopes.add(quantity)
            place = self.written.setdefault((False, z.layer or 0, row), [])
            place.append(Statement(quantity, named))
        return quantity


def _by_order(statement: Statement) -> int:
    """z, a, the derivatives of σ, and then everything as it was written."""
    target = statement.target
    if target.along or target.layer is None:
        return 3
    return {"z": 0, "a": 1}.get(target.letter, 2)


def _expressions(array: Array) -> list[list[Expr]] | list[Expr]:
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


def _highest_slope(factors: Sequence[Expr]) -> tuple[int, list[str]]:
    orders = [factor.order for factor in factors if isinstance(factor, sigma)]
    return -max(orders, default=0), list(map(str, factors))


def _rank(factor: Expr) -> tuple[int, int, str]:
    """Numbers, then σ″ before σ′, then quantities of lower before those of higher order."""
    if isinstance(factor, sigma):
        return 1, -factor.order, ""
    return (2, factor.order, factor.name) if isinstance(factor, Quantity) else (0, 0, "")
