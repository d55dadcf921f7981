"""The neuron notation's statements worked out one after another, as tests of it need."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations_with_replacement

import sympy
from sympy import Expr, Symbol

from symnet.activations import Z
from symnet.calculus.algebra import Quantity, sigma
from symnet.calculus.neurons import Neurons
from symnet.calculus.scalars import logsumexp
from symnet.network import Network


def multi_indices(network: Network, order: int) -> Iterator[tuple[int, ...]]:
    """Every multi-index up to `order`, positions ascending."""
    for r in range(order + 1):
        yield from combinations_with_replacement(range(network.n), r)


def evaluated(
    scalars: Neurons, network: Network, point: Mapping[Symbol, object], digits: int | None = 30
) -> dict[Quantity, Expr]:
    """Every quantity at `point`.

    In arithmetic of so many digits, floats taken for the exact binary fractions they are. With
    None the weights and numbers stay as they are and nothing is rounded: exact results for exact
    weights, and formulas of the inputs for a point {x1: x1, …}.
    """
    known: dict[Expr, Expr] = {s: exact(value, digits) for s, value in point.items()}
    found: dict[Quantity, Expr] = {}
    for statement in scalars.statements:
        expression = exact(statement.expression, digits).xreplace(known)
        nodes = {node: _activated(node, network) for node in expression.atoms(sigma)}
        nodes |= {node: node.written_out() for node in expression.atoms(logsumexp)}
        value = expression.xreplace(nodes).doit()
        known[statement.target] = value if digits is None else sympy.N(value, digits)
        found[statement.target] = known[statement.target]
    return found


def _activated(node: sigma, network: Network) -> Expr:
    activation = network.activations[node.name]
    value = activation.value.xreplace({Z: node.argument})
    formula = activation.formula(node.order)
    return formula.xreplace({activation.own: value, Z: node.argument})


def exact(value: object, digits: int | None = 30) -> Expr:
    """The value with each float as the fraction it is; as it stands for None."""
    expression = sympy.sympify(value)
    if digits is None:
        return expression
    return expression.xreplace({f: sympy.Rational(float(f)) for f in expression.atoms(sympy.Float)})


def code_names(scalars: Neurons, network: Network) -> dict[Quantity, str]:
    """A unique identifier for each target: z1_3, ds1_3, da1_3_1, dlse2_1, dda1_3_1_2."""
    place = {symbol.name: str(i) for i, symbol in enumerate(network.inputs, 1)}
    output = {symbol.name: p for p, symbol in enumerate(network.outputs, 1)}
    names = {}
    for target in (statement.target for statement in scalars.statements):
        letter, layer, index = target.letter, target.layer, target.index
        if layer is None:
            letter, layer, index = "a", network.depth, output[target.letter]
        parts = [f"{'d' * target.order}{letter}{layer}", *([] if index is None else [str(index)])]
        names[target] = "_".join(parts + [place[name] for name in target.along])
    return names
