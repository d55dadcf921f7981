"""Programs: statements as a textbook has them, and their size, which no width changes."""

from __future__ import annotations

import numpy as np
import pytest
from sympy import Symbol

import symnet
from symnet.activations import activation
from symnet.calculus.algebra import (
    OUTPUT,
    Quantity,
    X,
    Y,
    dot,
    entry,
    matvec,
    outer,
    row,
    sigma,
    transposed,
)
from symnet.calculus.program import from_network
from symnet.calculus.shapes import Shapes
from symnet.calculus.transformations import adjoint, tangent, transpose
from symnet.network import Layer, Network
from symnet.network.building import apply

SHAPES = Shapes.of(Network.dense([3, 3, 3, 3, 3, 3], seed=0))


def weights(k):
    """The matrix of layer k."""
    return Quantity("W", k)


def quantities(*names):
    """Quantities z1, z1_i, …, for expected formulas."""
    return [Quantity(name[0], int(name[1]), tuple(name[3:])) for name in names]


def expressions(program):
    """Each target's name with its expression."""
    return {str(s.target): s.expression for s in program.statements}


def test_nodes_of_one_value_are_one():
    """An activation of a vector is computed once, however many nodes say it."""
    shared = symnet.Layer([[1.0, -0.5], [0.3, 2.0]])(symnet.variables("u", "v"))
    for made in (lambda z: apply("tanh", z), symnet.softmax, symnet.log_softmax):
        network = Network.of(Layer([[1.0, 1.0]])(made(shared) * shared) + made(shared))
        program = from_network(network)
        assert [str(s.target) for s in program.statements if s.target.letter == "a"] == ["a2", "a3"]
        assert symnet.derive(network).compile()(np.ones(2))[2].shape == (2, 2, 2)


@pytest.fixture
def value():
    """2-8-8-1 with two sigmoids."""
    return from_network(Network.dense([2, 8, 8, 1], seed=0))


def test_the_value_follows_the_layers(value):
    """z = W a + b with the *activation* of the layer before, a = σ(z), and a linear output."""
    assert list(expressions(value)) == ["z1", "a1", "z2", "a2", "y"]
    b2, a1, z2 = quantities("b2", "a1", "z2")
    assert expressions(value)["z2"] == matvec(weights(2), a1) + b2
    assert expressions(value)["a2"] == sigma("sigmoid", 0, z2)


def test_a_layer_without_bias_has_none():
    """The statement names no bias that does not exist."""
    program = from_network(Network([Layer([[1, 2]], None, "tanh")]))
    assert expressions(program)["z1"] == matvec(weights(1), X)


def test_the_second_tangent_is_the_chain_rule(value):
    """∂²a2 = σ″ ∂z2 ∂z2 + σ′ ∂²z2, ∂²z2 = W2 ∂²a1, and the first layer's ∂²z1 is nothing."""
    z1, z1i, z1j, z2, z2i, z2j, z2ij, a1ij = quantities(
        "z1", "z1_i", "z1_j", "z2", "z2_i", "z2_j", "z2_ij", "a1_ij"
    )
    found = expressions(tangent(tangent(value)))
    assert "z1_ij" not in found
    assert found["a1_ij"] == sigma("sigmoid", 2, z1) * z1i * z1j
    assert found["z2_ij"] == matvec(weights(2), a1ij)
    expected = sigma("sigmoid", 2, z2) * z2i * z2j + sigma("sigmoid", 1, z2) * z2ij
    assert found["a2_ij"] == expected


def test_the_adjoint_of_order_one_is_backpropagation(value):
    """λ2 = W3ᵀ e, λ1 = W2ᵀ (λ2 σ′(z2)), ∂y = W1ᵀ (λ1 σ′(z1)) along u."""
    z1, z2 = quantities("z1", "z2")
    lam1, lam2 = Quantity("λ", 1, ("p",)), Quantity("λ", 2, ("p",))
    found = expressions(adjoint(tangent(value)))
    assert found["λ2_p"] == row(weights(3), OUTPUT)
    assert found["λ1_p"] == matvec(transposed(weights(2)), lam2 * sigma("sigmoid", 1, z2))
    gradient = matvec(transposed(weights(1)), lam1 * sigma("sigmoid", 1, z1))
    assert found["y_i"] == entry(gradient, X.toward("i"))


def test_the_adjoint_of_order_two_is_a_sum_over_layers(value):
    """∂²y = Σ_k λ_k · σ″(z_k) ∂z_k ∂z_k, as DESIGN's formula has it."""
    z1, z1i, z1j, z2, z2i, z2j = quantities("z1", "z1_i", "z1_j", "z2", "z2_i", "z2_j")
    lam1, lam2 = Quantity("λ", 1, ("p",)), Quantity("λ", 2, ("p",))
    found = expressions(adjoint(tangent(tangent(value))))
    assert "z2_ij" not in found
    first = dot(lam1, sigma("sigmoid", 2, z1) * z1i * z1j)
    second = dot(lam2, sigma("sigmoid", 2, z2) * z2i * z2j)
    assert found["y_ij"] == first + second


def test_constant_derivatives_disappear():
    """relu″ = 0: second derivatives vanish, and no statement is left that computes zeros."""
    program = tangent(tangent(from_network(Network.dense([2, 3, 1], hidden="relu", seed=0))))
    assert program.outputs == (Y, Y.toward("i"), 0)
    assert not any(s.target.order == 2 for s in program.statements)
    assert adjoint(program) == program


def test_a_constant_second_derivative_is_its_number():
    """z² has the second derivative 2."""
    z = Symbol("z")
    square = activation(z**2)
    program = tangent(tangent(from_network(Network([Layer([[1]], None, square)]))))
    z1i, z1j = Quantity("z", 1, ("i",)), Quantity("z", 1, ("j",))
    assert expressions(program)["y_ij"] == 2 * z1i * z1j


def test_only_the_identity_is_left_out():
    """z + 3 has the derivative 1 as well, and is not z."""
    z = Symbol("z")
    shifted = from_network(Network([Layer([[1]], None, activation(z + 3))]))
    assert [str(s.target) for s in shifted.statements] == ["z1", "y"]
    plain = from_network(Network([Layer([[1]], None, "linear")]))
    assert [str(s.target) for s in plain.statements] == ["y"]


@pytest.mark.parametrize("order", [0, 1, 2, 3, 4])
def test_statements_do_not_depend_on_widths(order):
    """The same text for 2-3-3-1 and 200-4096-7-1."""

    def derived(widths):
        program = from_network(Network.dense(widths, seed=0))
        for _ in range(order):
            program = tangent(program)
        return str(program), str(adjoint(program)) if order else ""

    assert derived([2, 3, 3, 1]) == derived([200, 1024, 7, 1])


def test_five_hundred_layers_meet_no_recursion_limit():
    """Statements are short however deep the network."""
    program = tangent(tangent(from_network(Network.dense([2, *[3] * 500, 1], seed=0))))
    assert len(adjoint(program).statements) == 2 * 500 + 1 + 2 * 500 + 1 + 500 + 1


def test_the_adjoint_needs_a_derivative(value):
    """A value has nothing to transpose."""
    with pytest.raises(ValueError, match="take its tangent first"):
        adjoint(value)


def test_transposing_moves_factors_and_matrices():
    """dot(λ, c·W(d·t)) = dot(Wᵀ(λ·c)·d, t)."""
    c, d, t, lam = quantities("a1", "a2", "a3", "a4")
    moved = transpose(c * matvec(weights(2), d * t), t, lam, SHAPES)
    assert moved == matvec(transposed(weights(2)), lam * c) * d


def test_transposing_in_the_matrix_gives_an_outer_product():
    """dot(λ, W v) has the gradient λ vᵀ in W."""
    v, lam = quantities("a1", "a2")
    assert transpose(matvec(weights(2), v), weights(2), lam, SHAPES) == outer(lam, v)


def test_what_is_not_linear_is_refused():
    """An adjoint of a nonlinear expression would be wrong silently."""
    (z,) = quantities("z1")
    with pytest.raises(TypeError, match="not linear"):
        transpose(sigma("tanh", 0, z), z, X, SHAPES)


def test_a_product_of_the_operand_with_itself_is_not_linear():
    """v ⊙ W v: TypeError, and no recursion without end."""
    network = Network.dense([2, 2, 1], seed=0)
    program = from_network(network)
    v, w = Quantity("a", 1), Quantity("W", 2)
    with pytest.raises(TypeError, match="is not linear in"):
        transpose(v * matvec(w, v), v, Quantity("λ", 1), program.shapes)
