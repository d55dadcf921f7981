"""Program: a network and its derivatives as an ordered list of small layer-level statements.

    z1 = matvec(W1, x) + b1        a1 = σ(z1)        y = matvec(W2, a1)

Nothing in a Program knows a number or a width: it depends on the network's depth and activations
only. Derivatives are made of it by `symnet.calculus.transformations`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import NamedTuple

from sympy import Add, Expr, S

from symnet.activations import Activation
from symnet.calculus.algebra import (
    DIRECTIONS,
    Quantity,
    X,
    Y,
    log_softmax,
    matvec,
    sigma,
    sigmas,
    softmax,
    symbols,
)
from symnet.calculus.shapes import Shapes
from symnet.network import Network, Node


@dataclass(frozen=True)
class Statement:
    """`target = expression`."""

    target: Quantity
    expression: Expr

    def __str__(self) -> str:
        return f"{self.target} = {self.expression}"


class Application(NamedTuple):
    """An activation of an argument, the node it is of, and the derivatives that are used of it.

    `value` is what the activation itself is called, where it has a statement.
    """

    name: str
    argument: Expr
    number: int
    orders: tuple[int, ...]
    value: Quantity | None


@dataclass(frozen=True)
class Program:
    """Statements in the order of evaluation, and what they compute.

    `outputs[r]` is the r-th order's result (`y`, `y_i`, `y_ij`, …), zero where it vanishes for
    every input. `applied` says which node an activation of an argument is. A quantity along (`i`,
    `j`) stands for its whole family: it is symmetric in its directions, and `z1_j` is `z1_i` under
    another name.
    """

    statements: tuple[Statement, ...]
    outputs: tuple[Expr, ...]
    activations: Mapping[str, Activation]
    shapes: Shapes
    applied: Mapping[tuple[str, Expr], int]

    @property
    def order(self) -> int:
        """The highest order of derivative among the outputs."""
        return len(self.outputs) - 1

    @cached_property
    def families(self) -> frozenset[tuple[str, int | None, int]]:
        """(letter, layer, order) of every quantity that is not identically zero."""
        targets = (statement.target for statement in self.statements)
        return frozenset(q.family for q in [X, X.toward(DIRECTIONS[0]), *targets])

    @cached_property
    def applications(self) -> Mapping[tuple[str, Expr], Application]:
        """The activations that the statements apply, by name and argument."""
        found: dict[tuple[str, Expr], set[int]] = {}
        values: dict[tuple[str, Expr], Quantity] = {}
        for statement in self.statements:
            nodes = sigmas(statement.expression)
            for node in nodes if len(nodes) < 2 else sorted(nodes, key=_ordinal):
                found.setdefault((node.name, node.argument), set()).add(node.order)
                if node.order == 0 and node == statement.expression:
                    values[node.name, node.argument] = statement.target
        return {
            key: Application(*key, self.applied[key], tuple(sorted(orders)), values.get(key))
            for key, orders in found.items()
        }

    @cached_property
    def applied_to(self) -> Mapping[Expr, Sequence[Application]]:
        """The activations of each argument that has some."""
        found: dict[Expr, list[Application]] = {}
        for application in self.applications.values():
            found.setdefault(application.argument, []).append(application)
        return found

    def is_constant(self, order: int) -> bool:
        """Whether the result of this order is the same at every point."""
        made = {statement.target.family: statement.expression for statement in self.statements}
        reached: set[Quantity] = set()
        left = symbols(self.outputs[order])
        while left:
            reached |= left
            left = frozenset().union(*(symbols(made.get(q.family, S.Zero)) for q in left)) - reached
        return X not in reached

    def __str__(self) -> str:
        return "\n".join(map(str, self.statements))


def _ordinal(node: sigma) -> tuple[str, str, int]:
    """What sorts activations by their text, of which there are thousands in a deep network."""
    return node.name, str(node.argument), node.order


def parameters(network: Network) -> dict[str, Quantity]:
    """The symbols of the network's weights and biases, by their names: W1, b1, W2, …"""
    return {name: _parameter(name) for name in network.parameters}


def _parameter(name: str) -> Quantity:
    k, _, source = name[1:].partition("_")
    return Quantity(name[0], int(k), (), int(source) if source else None)


def from_network(network: Network) -> Program:
    """The Program of the network's value: z_k = W_k a_{k-1} + b_k, a_k = σ_k(z_k), y = a_L.

    A form that is one earlier vector and nothing else is that vector, and has no z; the softmax
    that derivatives of a log_softmax need is p_k. Nodes of one value are one: an activation of an
    argument has one name.
    """
    values = [X]
    computed: dict[Expr, Quantity] = {}
    statements: list[Statement] = []
    for k, node in enumerate(network.nodes, 1):
        last = k == network.depth
        form = _form(k, node, values)
        if node.kind == "form":
            values.append(Y if last else Quantity("z", k))
            statements.append(Statement(values[-1], form))
            continue
        z = form
        if node.plain is None:
            z = Quantity("z", k)
            statements.append(Statement(z, form))
        value = _value(node, z, None if node.factor is None else values[node.factor])
        if value in computed:  # of an earlier node; it is not the last, which needs all others
            values.append(computed[value])
            continue
        values.append(Y if last else Quantity("a", k))
        computed[value] = values[-1]
        if node.kind == "log_softmax":
            statements.append(Statement(Quantity("p", k), softmax(z)))
        statements.append(Statement(values[-1], value))
    shapes = Shapes.of(network)
    applied = {
        (s.expression.name, s.expression.argument): shapes.number(s.target)
        for s in reversed(statements)
        if isinstance(s.expression, sigma)
    }
    return Program(tuple(statements), (Y,), network.activations, shapes, MappingProxyType(applied))


def _form(k: int, node: Node, values: list[Quantity]) -> Expr:
    """Σ W a + b."""
    weighted = sum(term.weights is not None for term in node.terms)
    terms = [] if node.bias is None else [Quantity("b", k)]
    for term in node.terms:
        value = values[term.source]
        if term.weights is not None:
            symbol = Quantity("W", k, (), None if weighted == 1 else term.source)
            terms.append(matvec(symbol, value))
        else:
            terms.append(value)
    return Add(*terms)


def _value(node: Node, z: Expr, factor: Quantity | None) -> Expr:
    match node.kind, node.activation, factor:
        case "activation", Activation(name=name), None:
            return sigma(name, 0, z)
        case "product", None, Quantity():
            return z * factor
        case "softmax", None, None:
            return softmax(z)
        case "log_softmax", None, None:
            return log_softmax(z)
    raise ValueError(f"a node of kind {node.kind!r} has no statement")
