"""A network of a vector: networks as parts of larger ones."""

from __future__ import annotations

import numpy as np
import pytest
import sympy

import symnet
import zoo
from symnet import Layer, Network, concat, variables
from symnet.witness import analytic

NET = Network.dense([3, 5, 4, 2], hidden=["tanh", "gelu"], seed=1)


@pytest.mark.parametrize("name", [*zoo.GRAPHS, *zoo.CHAINS])
def test_a_network_of_its_own_inputs_is_itself(name):
    """To the last node, whatever the order in which nodes that need nothing of each other stand."""
    net = zoo.network(name)
    again = Network.of(net(variables(*net.input_names)), net.output_names)
    assert sorted(node.label for node in again.nodes) == sorted(node.label for node in net.nodes)
    X = zoo.points(net)
    for order, engine in enumerate(analytic.BY_ORDER[:3]):
        error = np.abs(engine(again, X) - engine(net, X))
        assert (error <= 1e-14 * (1 + analytic.scale(net, X, order))).all()


def test_a_chain_of_its_own_inputs_is_that_chain():
    for net in (NET, Network.example(), zoo.network("chain")):
        again = Network.of(net(variables(*net.input_names)), net.output_names)
        assert again == net
        assert again.is_chain


@pytest.mark.parametrize("name", ["chain", "graph"])
def test_a_difference_of_two_calls_with_transformed_inputs(name):
    """F(a, r, T) = N(a, r, 1/T) − N(a, 0, 1/T), as equations of state are: by the chain rule."""
    x = variables("a", "r", "T")
    hidden = NET.layers[0](x)
    inner = NET if name == "chain" else Network.of(NET.layers[1](hidden) + hidden[:4])
    whole = Network.of(
        inner(concat(x[0], x[1], 1 / x[2])) - inner(concat(x[0], 0 * x[1], 1 / x[2]))
    )
    X = np.random.default_rng(0).uniform(0.5, 2.0, (6, 3))
    a, r, T = X.T
    full, empty = (np.stack([a, f * r, 1 / T], axis=1) for f in (1, 0))
    value = analytic.value(inner, full) - analytic.value(inner, empty)
    slopes = [analytic.jacobian(inner, points) for points in (full, empty)]
    curves = [analytic.hessian(inner, points) for points in (full, empty)]
    dT = (slopes[0] - slopes[1])[..., 2] * (-1 / T**2)[:, None]
    drdT = curves[0][..., 1, 2] * (-1 / T**2)[:, None]
    y, J, H = symnet.derive(whole).compile()(X)
    np.testing.assert_allclose(y, value, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(J[..., 1], slopes[0][..., 1], rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(J[..., 2], dT, rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(H[..., 1, 2], drdT, rtol=1e-11, atol=1e-13)


def test_exact_and_symbolic_weights_stay_so():
    w = sympy.Symbol("w")
    inner = Network([Layer([[w, 2]], [sympy.Rational(1, 3)], "tanh"), Layer([[1]])])
    x = variables("x1", "x2")
    whole = Network.of(inner(2 * x) * inner(x[::-1]))
    x1, x2 = whole.inputs
    third = sympy.Rational(1, 3)
    expected = sympy.tanh(2 * w * x1 + 4 * x2 + third) * sympy.tanh(w * x2 + 2 * x1 + third)
    assert sympy.simplify(whole.expression()[0] - expected) == 0
    assert whole.symbols == {w}


def test_what_is_no_vector_of_its_width_is_refused():
    with pytest.raises(ValueError, match=r"has 3 inputs \(x1, x2, x3\), but the vector has 2"):
        NET(variables("a", "b"))
    with pytest.raises(TypeError, match=r"not ndarray; symnet\.derive\(network\)\.compile\(\)"):
        NET(np.zeros(3))


@pytest.mark.parametrize(
    ("vector", "expected"),
    [
        (
            lambda x, w, b: Layer([[w]], [b], "tanh")(2 * x),
            lambda x, w, b: sympy.tanh(2 * w * x + b),
        ),
        (
            lambda x, w, b: Layer([[w]], [b], "tanh")(x - 1),
            lambda x, w, b: sympy.tanh(w * (x - 1) + b),
        ),
        (
            lambda x, w, b: Layer([[2]], [b], "tanh")(x - 1),
            lambda x, w, b: sympy.tanh(2 * x - 2 + b),
        ),
        (lambda x, w, b: 3 * Layer([[w]], [b])(x) + 1, lambda x, w, b: 3 * w * x + 3 * b + 1),
        (lambda x, w, b: (w * x + b) * 2 + 1, lambda x, w, b: 2 * w * x + 2 * b + 1),
    ],
)
def test_letters_as_weights_are_scaled_and_shifted(vector, expected):
    """A weight is a number or a letter, and no letter's multiple: such forms are nodes."""
    w, b = sympy.symbols("w b")
    net = Network.of(vector(variables("x"), w, b))
    assert sympy.expand(net.expression()[0] - expected(net.inputs[0], w, b)) == 0
    numbers = net.subs(dict.fromkeys(net.symbols, 0.5))
    symnet.derive(numbers).compile()


# --- rows that nothing needs --------------------------------------------------------------------


@pytest.mark.parametrize("rows", [0, slice(2, 5), [5, 0], [1, 1, 3]])
def test_chosen_outputs_are_rows_of_the_last_layer(rows):
    """In the order in which they are chosen, with their biases; a chain stays one."""
    inner = Network.dense([3, 5, 7], hidden="tanh", seed=0)
    whole = inner.layers[1]
    net = Network.of(inner(symnet.variables("a", "b", "c"))[rows])
    chosen = np.atleast_1d(np.arange(7)[rows])
    assert net == Network(
        [inner.layers[0], Layer(whole.weights[chosen], whole.bias[chosen])],
        inputs=("a", "b", "c"),
        outputs=net.output_names,
    )


def test_chosen_outputs_keep_exact_weights():
    """A third beside doubles is a third still."""
    exact = Layer([[sympy.Rational(1, 3), 2], [1, 0.5]], [sympy.Rational(1, 7), 0])
    inner = Network([Layer([[0.5], [1.5]], None, "tanh"), exact])
    net = Network.of(inner(symnet.variables("a"))[0])
    last = net.layers[1]
    assert (last.weights.tolist(), last.bias.tolist()) == (
        [[sympy.Rational(1, 3), 2]],
        [sympy.Rational(1, 7)],
    )


def test_rows_that_nothing_needs_are_not_computed():
    """Of a sum of two networks' outputs, scaled and turned, two of seven and a function of one."""
    x = symnet.variables("a", "b", "c")
    inner = Network.dense([3, 5, 7], hidden="tanh", seed=0)
    y, turned = inner(x), inner(x[::-1])[::-1] * np.linspace(-1.0, 2.0, 7)
    both = np.exp((y + turned) / 2)
    net = Network.of(symnet.concat(both[4], both[2] * both[4]))
    assert 7 not in net.widths
    points = np.random.default_rng(1).normal(size=(5, 3))
    first, second = (analytic.value(inner, X) for X in (points, points[:, ::-1]))
    expected = np.exp((first + second[:, ::-1] * np.linspace(-1.0, 2.0, 7)) / 2)
    found = analytic.value(net, points)
    assert found == pytest.approx(np.stack([expected[:, 4], expected[:, 2] * expected[:, 4]], 1))
    assert symnet.check(net, symnet.derive(net, 2).compile()).ok


def test_weights_that_are_zero_may_be_learned():
    """A layer's own matrices do not say that a neuron is not needed."""
    x = symnet.variables("a", "b")
    hidden = Layer(np.ones((3, 2)), None, "tanh")(x)
    assert Network.of(Layer(np.diag([1.0, 0.0, 1.0]))(hidden)).widths == (2, 3, 3)
