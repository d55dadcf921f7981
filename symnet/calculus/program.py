"""Program: a network and its derivatives as an ordered list of small layer-level statements.

    z1 = matvec(W1, x) + b1        a1 = σ(z1)        y = matvec(W2, a1)

Nothing in a Program knows a number or a width: it depends on the network's depth and activations
only. Two transformations make derivatives of it:

    tangent    forward, one more order along one more generic direction
    adjoint    the highest order transposed: one backward sweep instead of a tangent per direction

Source of the mathematics: A. Griewank, A. Walther, *Evaluating Derivatives*, 2nd ed., SIAM 2008,
chapters 3 (tangents and adjoints) and 13 (higher orders). For a scalar output the adjoint of the
second order is the sum over layers that PINN and optimisation papers write by hand:

    ∂²y/∂x_i∂x_j = Σ_k Σ_neurons λ_k · σ″(z_k) · ∂z_k/∂x_i · ∂z_k/∂x_j
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType

from sympy import Add, Expr, Mul, S

from symnet.activations import Activation, Z
from symnet.calculus.algebra import (
    DIRECTIONS,
    Quantity,
    derivative,
    dot,
    matvec,
    outer,
    sigma,
    transposed,
)
from symnet.network import Network

X = Quantity("x")
Y = Quantity("y")
OUTPUT = Quantity("e", None, ("p",))
"""The covector that selects output p: adjoints are taken of e·y."""


@dataclass(frozen=True)
class Statement:
    """`target = expression`."""

    target: Quantity
    expression: Expr

    def __str__(self) -> str:
        return f"{self.target} = {self.expression}"


@dataclass(frozen=True)
class Program:
    """Statements in the order of evaluation, and what they compute.

    `outputs[r]` is the r-th order's result (`y`, `y_i`, `y_ij`, …), zero where it vanishes for
    every input. A quantity along (`i`, `j`) stands for its whole family: it is symmetric in its
    directions, and `z1_j` is `z1_i` under another name.
    """

    statements: tuple[Statement, ...]
    outputs: tuple[Expr, ...]
    activations: Mapping[str, Activation]

    @property
    def order(self) -> int:
        """The highest order of derivative among the outputs."""
        return len(self.outputs) - 1

    @cached_property
    def families(self) -> frozenset[tuple[str, int | None, int]]:
        """(letter, layer, order) of every quantity that is not identically zero."""
        targets = (statement.target for statement in self.statements)
        return frozenset(map(family, [X, X.toward(DIRECTIONS[0]), *targets]))

    def __str__(self) -> str:
        return "\n".join(map(str, self.statements))


def family(quantity: Quantity) -> tuple[str, int | None, int]:
    """What `quantity` has in common with its namesakes along other directions."""
    return quantity.letter, quantity.layer, quantity.order


def weights(layer: int) -> Quantity:
    """The symbol W_k of a layer's weight matrix, layers counted from 1."""
    return Quantity("W", layer)


def biases(layer: int) -> Quantity:
    """The symbol b_k of a layer's bias vector, layers counted from 1."""
    return Quantity("b", layer)


def from_network(network: Network) -> Program:
    """The Program of the network's value: z_k = W_k a_{k-1} + b_k, a_k = σ_k(z_k), y = a_L."""
    statements: list[Statement] = []
    value = X
    for k, layer in enumerate(network.layers, 1):
        last = k == network.depth
        linear = matvec(weights(k), value) + (0 if layer.bias is None else biases(k))
        if layer.activation.value == Z:
            value = Y if last else Quantity("z", k)
            statements.append(Statement(value, linear))
        else:
            z = Quantity("z", k)
            value = Y if last else Quantity("a", k)
            statements.append(Statement(z, linear))
            statements.append(Statement(value, sigma(layer.activation.name, 0, z)))
    activations = {layer.activation.name: layer.activation for layer in network.layers}
    return Program(tuple(statements), (Y,), MappingProxyType(activations))


def tangent(program: Program) -> Program:
    """`program` with its derivatives of one order more, along the next generic direction.

    Forward differentiation, statement by statement, by the rules of `algebra.derivative`.
    """
    direction = DIRECTIONS[program.order]
    known = set(program.families)
    added: list[Statement] = []
    for statement in _highest(program):
        target = statement.target.toward(direction)
        expression = along(direction, statement.expression, known, program.activations)
        if expression != 0:
            known.add(family(target))
            added.append(Statement(target, expression))
    output = _top(Y, program.order + 1)
    return replace(
        program,
        statements=program.statements + tuple(added),
        outputs=(*program.outputs, output if family(output) in known else S.Zero),
    )


def adjoint(program: Program) -> Program:
    """`program` with its highest order computed backwards instead of forwards.

    The statements of the highest order are linear in each other; transposing them, by
    dot(u, c·matvec(W, t)) = dot(matvec(Wᵀ, u·c), t), gives one sweep of adjoints λ_k from the
    outputs to the inputs, whatever the number of directions:

        y_I = Σ dot(λ, what each statement adds of lower order)

    The output becomes e·y for the covector e that selects one output. ValueError for a Program
    that has no derivative to transpose.
    """
    if program.order == 0:
        raise ValueError("adjoint: the program computes values only; take its tangent first")
    if program.outputs[-1] == 0:
        return program
    chain = {statement.target for statement in _highest(program)} | {_top(X, program.order)}
    cotangents: dict[Quantity, Expr] = {program.outputs[-1]: OUTPUT}
    backward: list[Statement] = []
    result: list[Expr] = []
    for statement in reversed(_highest(program)):
        cotangent = cotangents.pop(statement.target, S.Zero)
        if cotangent == 0:
            continue
        # Products are computed once and get a name; scaled by σ′ they stay where they are used.
        if cotangent.has(matvec):
            adjoint_of = Quantity("λ", statement.target.layer, ("p",))
            backward.append(Statement(adjoint_of, cotangent))
            cotangent = adjoint_of
        for term in Add.make_args(statement.expression.expand()):
            moving = [s for s in term.free_symbols if s in chain]
            if not moving:
                result.append(dot(cotangent, term))
            for s in moving:
                cotangents[s] = cotangents.get(s, S.Zero) + transpose(term, s, cotangent)
    result += [dot(cotangent, s) for s, cotangent in cotangents.items()]
    output = program.outputs[-1]
    backward.append(Statement(output, Add(*result)))
    kept = program.statements[: -len(_highest(program))]
    return replace(program, statements=kept + tuple(backward))


def selects_output(vector: Expr) -> bool:
    """Whether `vector` is e or e ⊙ …, so that Wᵀ times it is a (scaled) row of W."""
    return OUTPUT in Mul.make_args(vector)


def is_direction(vector: Expr) -> bool:
    """Whether `vector` is the unit direction u_i of the inputs, so that W times it is a column."""
    return isinstance(vector, Quantity) and vector.letter == "x" and vector.order == 1


def activations_used(program: Program) -> dict[Quantity, tuple[str, tuple[int, ...]]]:
    """For each pre-activation: its activation's name and the derivatives that are used."""
    found: dict[Quantity, set[int]] = {}
    names: dict[Quantity, str] = {}
    for statement in program.statements:
        for node in statement.expression.atoms(sigma):
            found.setdefault(node.argument, set()).add(node.order)
            names[node.argument] = node.name
    return {z: (names[z], tuple(sorted(orders))) for z, orders in found.items()}


def transpose(expression: Expr, operand: Quantity, cotangent: Expr) -> Expr:
    """The adjoint of the linear map operand ↦ expression, applied to `cotangent`.

    dot(cotangent, expression(t)) = dot(transpose(expression, t, cotangent), t) for every t.
    `operand` may be a vector or, in matvec(W, v), the matrix.
    """
    if expression == operand:
        return cotangent
    if not expression.has(operand):
        return S.Zero
    if isinstance(expression, Add):
        return Add(*(transpose(term, operand, cotangent) for term in expression.args))
    if isinstance(expression, Mul):
        rest, factor = expression.as_independent(operand, as_Add=False)
        return transpose(factor, operand, cotangent * rest)
    if isinstance(expression, matvec):
        matrix, vector = expression.args
        if matrix == operand:
            return outer(cotangent, vector)
        return transpose(vector, operand, matvec(transposed(matrix), cotangent))
    raise TypeError(f"{expression} is not linear in {operand}")


def _top(quantity: Quantity, order: int) -> Quantity:
    return Quantity(quantity.letter, quantity.layer, tuple(DIRECTIONS[:order]), quantity.index)


def _highest(program: Program) -> tuple[Statement, ...]:
    """The statements of the highest order: those that `tangent` differentiates further."""
    return tuple(s for s in program.statements if s.target.order == program.order)


def along(
    direction: str, expression: Expr, known: set[tuple], activations: Mapping[str, Activation]
) -> Expr:
    """`expression` differentiated along a direction, in which the families `known` move.

    A family is known by what its members become: one order more. Derivatives of activations that
    depend on nothing are replaced by their number.
    """
    tangents = {s: s.toward(direction) for s in expression.free_symbols}
    moved = derivative(expression, {s: t for s, t in tangents.items() if family(t) in known})
    return moved.xreplace(_constants(moved, activations))


def _constants(expression: Expr, activations: Mapping[str, Activation]) -> dict[Expr, Expr]:
    """Derivatives of activations that depend on nothing: 0 for relu″, 1 for the identity's."""
    nodes = expression.atoms(sigma)
    values = {node: activations[node.name].constant(node.order) for node in nodes}
    return {node: value for node, value in values.items() if value is not None}
