"""Two transformations that make derivatives of a Program.

    tangent    forward, one more order along one more generic direction
    adjoint    the highest order transposed: one backward sweep instead of a tangent per direction

Source of the mathematics: A. Griewank, A. Walther, *Evaluating Derivatives*, 2nd ed., SIAM 2008,
chapters 3 (tangents and adjoints) and 13 (higher orders). For a scalar output the adjoint of the
second order is the sum over layers that PINN and optimisation papers write by hand:

    ∂²y/∂x_i∂x_j = Σ_k Σ_neurons λ_k · σ″(z_k) · ∂z_k/∂x_i · ∂z_k/∂x_j
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

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
    matvec,
    outer,
    row,
    sigmas,
    softmax,
    symbols,
    transposed,
)
from symnet.calculus.program import Program, Statement
from symnet.calculus.rules import derivative
from symnet.calculus.shapes import Shapes

_ADJOINTS = {"a": "λ", "y": "λ", "z": "ζ", "m": "μ", "p": "π"}
"""The letter of each quantity's adjoint; λ too for the z of a node that has no a."""


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
