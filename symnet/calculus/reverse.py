"""Reverse mode over a Program: the adjoints of all its statements, down to the weights.

Each statement t = f(s, …) is linearised in everything that moves with the weights,

    δt = Σ_s ∂f/∂s · δs        δ matvec(W, v) = matvec(δW, v) + matvec(W, δv)

and transposed, last statement first. With s̄ for the adjoint of s:

    dot(t̄, matvec(W, δv)) = dot(Wᵀ t̄, δv)        dot(t̄, matvec(δW, v)) = Σ (t̄ vᵀ) ⊙ δW

The statements may themselves be derivatives (a Program from `tangent`), which makes this reverse
over forward mode: ∂/∂W of y, of ∂y/∂x_i and of ∂²y/∂x_i∂x_j alike.

Source of the mathematics: A. Griewank, A. Walther, *Evaluating Derivatives*, 2nd ed., SIAM 2008,
chapters 3.2 (reverse mode) and 5.1 (second-order adjoints).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations

from sympy import Add, Expr, S

from symnet.calculus import schemes
from symnet.calculus.algebra import DIRECTIONS, OUTPUT, Quantity
from symnet.calculus.program import Program, Statement
from symnet.calculus.shapes import Shapes
from symnet.calculus.transformations import along, replaced, softmaxes, transpose
from symnet.network import Network

BAR = "\N{COMBINING MACRON}"
"""What an adjoint's letter ends with: z̄ is the adjoint of z."""

_MOTION = "δ"


@dataclass(frozen=True)
class Sweep:
    """One derivative of y along fixed directions, and its adjoints.

    forward: statements up to `output`, every direction spelled out (`z1_i` and `z1_j`).
    output: y, y_i, y_ij; zero when it vanishes for every input (∂²y of a relu network).
    backward: statements s̄ = …, from the output's adjoint e (any covector) to the first layer.
    applied: the node of each activation and its argument, as the Program has it.
    gradients: for each parameter ∂(e·output)/∂parameter; a matrix's is a sum of `outer`, a
        bias's a vector, and zero where the output does not depend on the parameter.
    """

    forward: tuple[Statement, ...]
    output: Expr
    backward: tuple[Statement, ...]
    gradients: Mapping[Quantity, Expr]
    applied: Mapping[tuple[str, Expr], int]


def sweep(network: Network, order: int, parameters: Iterable[Quantity]) -> Sweep:
    """The derivative of the network's value of this order, with its adjoints for `parameters`."""
    program = schemes.needed(schemes.forward(network, order)[-1], [order])
    return reverse(unrolled(program, order), program, tuple(parameters))


def unrolled(program: Program, order: int) -> tuple[Statement, ...]:
    """The statements of `program` with each family written out along every set of directions.

    `z1_i = …` stands for `z1_j = …` too, which a second derivative along i and j needs as well.
    """
    return tuple(
        _renamed(statement, chosen)
        for statement in program.statements
        for chosen in combinations(DIRECTIONS[:order], statement.target.order)
    )


def reverse(
    forward: tuple[Statement, ...], program: Program, parameters: tuple[Quantity, ...]
) -> Sweep:
    """The adjoints of the statements `forward` that compute the last output of `program`."""
    output = program.outputs[-1]
    # A family is known to `along` by what it becomes: one order more along one more direction.
    named = softmaxes(program)
    moving = {s.toward(_MOTION).family for s in (*parameters, *(t.target for t in forward))}
    cotangents: dict[Quantity, Expr] = {output: OUTPUT} if output != 0 else {}
    backward: list[Statement] = []
    for statement in reversed(forward):
        cotangent = cotangents.pop(statement.target, S.Zero)
        if cotangent == 0:
            continue
        adjoint = bar(statement.target)
        backward.append(Statement(adjoint, cotangent))
        motion = along(_MOTION, statement.expression, moving, program.activations)
        for s, share in _transposed(replaced(motion, named), adjoint, program.shapes):
            cotangents[s] = cotangents.get(s, S.Zero) + share
    gradients = {parameter: cotangents.get(parameter, S.Zero) for parameter in parameters}
    return Sweep(forward, output, tuple(backward), gradients, program.applied)


def bar(quantity: Quantity) -> Quantity:
    """s̄, the adjoint of the quantity s."""
    return Quantity(quantity.letter + BAR, quantity.layer, quantity.along)


def _transposed(
    motion: Expr, cotangent: Quantity, shapes: Shapes
) -> Iterable[tuple[Quantity, Expr]]:
    for term in Add.make_args(motion.expand()):
        for moved in term.free_symbols:
            if isinstance(moved, Quantity) and moved.along[-1:] == (_MOTION,):
                s = Quantity(moved.letter, moved.layer, moved.along[:-1], moved.index)
                yield s, transpose(term, moved, cotangent, shapes)


def _renamed(statement: Statement, chosen: tuple[str, ...]) -> Statement:
    names = dict(zip(DIRECTIONS, chosen, strict=False))
    names_of = {
        s: Quantity(s.letter, s.layer, tuple(names[d] for d in s.along))
        for s in statement.expression.free_symbols | {statement.target}
        if isinstance(s, Quantity) and s.along
    }
    target = names_of.get(statement.target, statement.target)
    return Statement(target, statement.expression.xreplace(names_of))
