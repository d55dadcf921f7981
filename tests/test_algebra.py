"""The layer algebra: its functions are linear where they say so and know their derivatives."""

from __future__ import annotations

import pickle

import pytest
from sympy import Symbol

from symnet.calculus.algebra import Quantity, dot, matvec, outer, sigma, transposed
from symnet.calculus.rules import derivative

W, u, w = Quantity("W", 2), Quantity("a", 1), Quantity("z", 2)
du, dw = u.toward("i"), w.toward("i")
TANGENTS = {u: du, w: dw}


def slope(expression):
    """The derivative with u moving along du and w along dw."""
    return derivative(expression, TANGENTS)


def test_matvec_is_linear_in_the_vector():
    """∂(W v) = W ∂v."""
    assert slope(matvec(W, u)) == matvec(W, du)


def test_matvec_is_linear_in_the_matrix():
    """∂(W v) = (∂W) v, which gives gradients with respect to the weights."""
    direction = Quantity("W", 2, ("w",))
    assert derivative(matvec(W, u), {W: direction}) == matvec(direction, u)
    assert derivative(matvec(transposed(W), u), {W: direction}) == matvec(transposed(direction), u)


def test_dot_is_bilinear():
    """∂(u·w) = ∂u·w + u·∂w."""
    assert slope(dot(u, w)) == dot(du, w) + dot(u, dw)


def test_an_activation_stays_named():
    """∂σ⁽ʳ⁾(z) = σ⁽ʳ⁺¹⁾(z) ∂z."""
    assert slope(sigma("sigmoid", 1, w)) == dw * sigma("sigmoid", 2, w)


def test_the_product_rule_reaches_every_factor():
    """∂(3 u w σ(w)) has a term for each moving factor."""
    s0, s1 = sigma("tanh", 0, w), sigma("tanh", 1, w)
    assert slope(3 * u * w * s0) == 3 * du * w * s0 + 3 * u * dw * s0 + 3 * u * w * s1 * dw


def test_what_does_not_move_has_no_derivative():
    """Numbers, and symbols that are not among the tangents."""
    assert slope(Quantity("b", 2) + 5) == 0
    assert slope(matvec(W, Quantity("a", 7))) == 0


def test_a_function_without_a_rule_is_refused():
    """Rather than differentiated wrongly."""
    with pytest.raises(TypeError, match="outer has no rule"):
        slope(outer(u, w))


@pytest.mark.parametrize("zero", [matvec(W, 0), matvec(0, u), dot(0, u), dot(u, 0)])
def test_products_with_zero_vanish(zero):
    """A term that is identically zero leaves no trace in a formula."""
    assert zero == 0


def test_transposing_twice_is_nothing():
    """Wᵀᵀ = W."""
    assert transposed(transposed(W)) == W


def test_quantities_are_equal_by_what_they_stand_for():
    """Names alone would confuse ∂z1/∂(x1, x2_x3) with ∂z1/∂(x1_x2, x3)."""
    left = Quantity("z", 1, ("x1", "x2_x3"), 1)
    right = Quantity("z", 1, ("x1_x2", "x3"), 1)
    assert left != right
    assert Quantity("z", 1, ("i",)) == Quantity("z", 1).toward("i")
    assert Quantity("z", 1) != Symbol("z1")


def test_expressions_pickle():
    """So that a Program crosses a process boundary."""
    expression = matvec(transposed(W), du * sigma("tanh", 1, w)) + dot(u, w)
    assert pickle.loads(pickle.dumps(expression)) == expression
