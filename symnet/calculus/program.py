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

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType
from typing import NamedTuple

from sympy import Add, Expr, Mul, S

from symnet.activations import Activation
from symnet.calculus.algebra import (
    DIRECTIONS,
    OUTPUT,
    Quantity,
    X,
    Y,
    column,
    dot,
    entry,
    heads,
    log_softmax,
    matvec,
    outer,
    row,
    sigma,
    sigmas,
    softmax,
    symbols,
    transposed,
)
from symnet.calculus.rules import derivative
from symnet.calculus.shapes import Shapes
from symnet.network import Network, Node

_ADJOINTS = {"a": "λ", "y": "λ", "z": "ζ", "m": "μ", "p": "π"}
"""The letter of each quantity's adjoint; λ too for the z of a node that has no a."""


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
            for node in nodes if len(nodes) < 2 else sorted(nodes, key=str):
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

    def __str__(self) -> str:
        return "\n".join(map(str, self.statements))


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


def tangent(program: Program) -> Program:
    """`program` with its derivatives of one order more, along the next generic direction.

    Forward differentiation, statement by statement, by the rules of `rules.derivative`.
    """
    direction = DIRECTIONS[program.order]
    known = set(program.families)
    named = softmaxes(program)
    added: list[Statement] = []
    new: set[tuple] = set()
    for statement in _highest(program):
        target = statement.target.toward(direction)
        expression = along(direction, statement.expression, known, program.activations)
        number = program.shapes.number(target)
        for part in _parts(target, number, replaced(expression, named)):
            if part.expression is not S.Zero and part.target.family not in new:
                new.add(part.target.family)
                known.add(part.target.family)
                added.append(part)
    output = _top(Y, program.order + 1)
    return replace(
        program,
        statements=program.statements + tuple(added),
        outputs=(*program.outputs, output if output.family in known else S.Zero),
    )


def replaced(expression: Expr, values: Mapping[Expr, Expr]) -> Expr:
    """`expression` with these values: SymPy looks through all of it even where there are none."""
    return expression.xreplace(values) if values else expression


def softmaxes(program: Program) -> dict[Expr, Quantity]:
    """softmax(z) ↦ what the Program calls it first."""
    normalized = [s for s in program.statements if isinstance(s.expression, softmax)]
    return {s.expression: s.target for s in reversed(normalized)}


def _parts(target: Quantity, number: int, expression: Expr) -> Iterator[Statement]:
    """The target's statement, after one for a softmax's mean m = dot(s, ∂z) in it."""
    if target.order == 1 and target.letter != "m":
        for mean in expression.atoms(dot, entry):
            scalar = Quantity("m", number, target.along)
            yield Statement(scalar, mean)
            expression = expression.xreplace({mean: scalar})
    yield Statement(target, expression)


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
    highest, shapes = _highest(program), program.shapes
    chain = {statement.target for statement in highest} | {_top(X, program.order)}
    activated = {shapes.number(s.target) for s in program.statements if s.target.letter in "ay"}
    cotangents: dict[Quantity, Expr] = {program.outputs[-1]: OUTPUT}
    backward: list[Statement] = []
    result: list[Expr] = []
    for statement in reversed(highest):
        cotangent = cotangents.pop(statement.target, S.Zero)
        if cotangent == 0:
            continue
        if _is_work(cotangent):
            named = _adjoint_of(statement.target, activated)
            backward.append(Statement(named, cotangent))
            cotangent = named
        for term in _terms(statement.expression):
            moving = [s for s in symbols(term) if s in chain]
            if not moving:
                result.append(dot(cotangent, term))
            for s in moving:
                share = transpose(term, s, cotangent, shapes)
                cotangents[s] = cotangents.get(s, S.Zero) + share
    result += [dot(cotangent, s) for s, cotangent in cotangents.items()]
    output = program.outputs[-1]
    backward.append(Statement(output, Add(*result)))
    kept = program.statements[: -len(highest)]
    return replace(program, statements=kept + tuple(backward))


def _terms(expression: Expr) -> tuple[Expr, ...]:
    """The summands once products are multiplied out, which most are: SymPy takes long to see it."""
    terms = Add.make_args(expression)
    if any(Add in heads(term) for term in terms):
        return tuple(Add.make_args(expression.expand()))
    return tuple(terms)


_WORK = frozenset((matvec, row, dot, entry))


def _is_work(cotangent: Expr) -> bool:
    """Whether a cotangent gets a name: sums and products with matrices are computed once.

    One that is only scaled by σ′ or another factor stays where it is used.
    """
    return cotangent.is_Add or not _WORK.isdisjoint(heads(cotangent))


def _adjoint_of(target: Quantity, activated: set[int]) -> Quantity:
    letter = _ADJOINTS[target.letter]
    if target.letter == "z" and target.layer not in activated:
        letter = "λ"
    return Quantity(letter, target.layer, ("p",))


def transpose(expression: Expr, operand: Quantity, cotangent: Expr, shapes: Shapes) -> Expr:
    """The adjoint of the linear map operand ↦ expression, applied to `cotangent`.

    dot(cotangent, expression(t)) = dot(transpose(expression, t, cotangent), t) for every t.
    `operand` may be a vector or, in matvec(W, v), the matrix. What was spread is summed up.
    TypeError where the expression is not linear in the operand.
    """
    if expression == operand:
        spread = shapes.width(expression) < shapes.width(cotangent)
        return dot(cotangent, S.One) if spread else cotangent
    if operand not in symbols(expression):
        return S.Zero
    if isinstance(expression, Add):
        return Add(*(transpose(term, operand, cotangent, shapes) for term in expression.args))
    if isinstance(expression, Mul):
        rest, factor = expression.as_independent(operand, as_Add=False)
        if factor == expression:
            raise TypeError(f"{expression} is not linear in {operand}")
        share = cotangent * rest
        if shapes.width(factor) < shapes.width(share):
            share = dot(cotangent, rest)
        return transpose(factor, operand, share, shapes)
    if isinstance(expression, (matvec, column)):
        matrix, vector = expression.args
        if matrix == operand:
            return outer(cotangent, vector)
        return transpose(vector, operand, matvec(transposed(matrix), cotangent), shapes)
    if isinstance(expression, (dot, entry)):
        left, right = expression.args
        moved, other = (left, right) if operand in symbols(left) else (right, left)
        if operand not in symbols(other):
            return transpose(moved, operand, cotangent * other, shapes)
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
    tangents = {s: s.toward(direction) for s in symbols(expression)}
    moved = derivative(expression, {s: t for s, t in tangents.items() if t.family in known})
    return replaced(moved, _constants(moved, activations))


def _constants(expression: Expr, activations: Mapping[str, Activation]) -> dict[Expr, Expr]:
    """Derivatives of activations that depend on nothing: 0 for relu″, 1 for the identity's."""
    nodes = sigmas(expression)
    values = {node: activations[node.name].constant(node.order) for node in nodes}
    return {node: value for node, value in values.items() if value is not None}
