"""The witnesses on graphs: against JAX, against 50 digits, against each other."""

from __future__ import annotations

import tracemalloc
import warnings
from typing import Any

import mpmath
import numpy as np
import pytest
import sympy

import symnet
import zoo
from symnet import precision
from symnet.activations import TABLE
from symnet.network import Layer, Network, Node, Term
from symnet.network.building import apply, concat
from symnet.witness import analytic, digits, sampling, units

ALL = (*zoo.GRAPHS, *zoo.LARGE, *zoo.CHAINS)


def worst(net: Network, X: np.ndarray, order: int, found: Any) -> float:
    """The largest error of an entry relative to the size of its terms."""
    error = np.abs(np.asarray(found) - analytic.BY_ORDER[order](net, X))
    return float(np.max(error / (analytic.scale(net, X, order) + 1e-300)))


# --- against other engines ----------------------------------------------------------------------


@pytest.mark.parametrize("name", ALL)
def test_directional_derivatives_are_those_of_50_digits(name: str) -> None:
    """Orders 0 to 2 along a random direction, in which each entry takes part."""
    net = zoo.network(name)
    random = np.random.default_rng(1)
    u = random.uniform(0.5, 1.5, net.n) * units.units(net).step
    e = random.uniform(0.5, 1.5, net.m)
    (x,) = zoo.points(net, 1)
    truth = digits.along(digits.value(net), x, u, 2)
    for order, exact in enumerate(truth @ e):
        found, size = analytic.BY_ORDER[order](net, x), analytic.scale(net, x, order)
        for _ in range(order):
            found, size = found @ u, size @ u
        assert abs(e @ found - exact) <= 1e-13 * (e @ size)


@pytest.mark.parametrize("name", [name for name in ALL if name not in zoo.KINKED])
def test_the_size_of_the_terms_is_nowhere_below_the_entry(name: str) -> None:
    """Nor is it much larger: an error of 1e-8 of the largest entry cannot hide."""
    net = zoo.network(name)
    X = zoo.points(net, 20)
    for order, witness in enumerate(analytic.BY_ORDER):
        entries, size = np.abs(witness(net, X)), analytic.scale(net, X, order)
        assert (size >= entries * (1 - 1e-12)).all()
        assert size.max() <= 1e4 * entries.max() + 1e-300


# --- rules, one by one --------------------------------------------------------------------------


def softmax_of(weights: Any, kind: str = "softmax") -> Network:
    """softmax(W x), or log_softmax."""
    return Network.from_nodes([Node((Term(np.array(weights), 0),), kind=kind)])


@pytest.mark.parametrize("kind", ["softmax", "log_softmax"])
def test_softmax_by_hand(kind: str) -> None:
    """Two classes: softmax is the sigmoid of the difference."""
    net = softmax_of([[1.0, 0.0], [0.0, 1.0]], kind)
    s = 1 / (1 + np.exp(-0.7))
    value = np.array([s, 1 - s])
    slope = s * (1 - s) * np.array([[1, -1], [-1, 1]])
    bend = s * (1 - s) * (1 - 2 * s) * np.array([[1, -1], [-1, 1]])
    if kind == "log_softmax":
        value, slope = np.log(value), slope / value[:, None]
        bend = np.broadcast_to(-s * (1 - s) * np.array([[1, -1], [-1, 1]]), (2, 2, 2))
    else:
        bend = np.stack([bend, -bend])
    x = [1.2, 0.5]
    np.testing.assert_allclose(analytic.value(net, x), value, rtol=1e-15)
    np.testing.assert_allclose(analytic.jacobian(net, x), slope, rtol=1e-14)
    np.testing.assert_allclose(analytic.hessian(net, x), bend, rtol=1e-14)


@pytest.mark.parametrize("kind", ["softmax", "log_softmax"])
def test_softmax_far_out(kind: str) -> None:
    """|z| up to 1e4: no warning, everything finite."""
    net = softmax_of([[1.0, 0.5], [-0.25, 1.0], [0.5, -2.0]], kind)
    X = np.array([[1e4, 0.0], [0.0, -1e4], [-1e4, 1e4], [36.0, 2.0], [-300.0, -2.0], [40.0, 40.0]])
    with warnings.catch_warnings(), np.errstate(all="raise"):
        warnings.simplefilter("error")
        found = [witness(net, X) for witness in analytic.BY_ORDER]
        found += [analytic.scale(net, X, order) for order in range(3)]
    assert all(np.isfinite(part).all() for part in found)


@pytest.mark.parametrize("kind", ["softmax", "log_softmax"])
@pytest.mark.parametrize("x", [[36.0, 2.0], [-90.0, -2.0]])
def test_small_shares_are_exact_to_their_last_digits(
    kind: str, x: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside a share of 1 - 1e-40, each entry is right relative to itself, however small."""
    monkeypatch.setattr(digits, "DIGITS", 400)
    net = softmax_of([[1.0, 0.5], [-0.25, 1.0], [0.5, -2.0]], kind)
    y, J, H = (witness(net, x) for witness in analytic.BY_ORDER)
    u = np.array([1.0, 0.75])
    truth = digits.along(digits.value(net), np.array(x), u, 2)
    np.testing.assert_allclose([y, J @ u, H @ u @ u], truth, rtol=1e-12)


@pytest.mark.parametrize("name", [*TABLE, "log_softmax"])
def test_50_digits_are_enough_in_the_tails(name: str) -> None:
    """gelu(-20) is -6e-88, and 0 where 1 + erf(-14) is taken in 50 digits: the check of a third
    derivative then found a right function wrong.
    """
    x = symnet.variables("x1", "x2")
    net = Network.of(symnet.log_softmax(x) if name == "log_softmax" else apply(name, x))
    for z in (0.01, 3.0, 9.0, 14.0, 20.0, 120.0, 200.0):
        point = [mpmath.mpf(z), mpmath.mpf(-z)]
        with precision.digits(600):
            truth = [mpmath.mpf(v) for v in digits.value(net)(point)]
        with precision.digits(digits.DIGITS):
            found = digits.value(net)(point)
        for a, b in zip(found, truth, strict=True):
            assert mpmath.isnan(a) if mpmath.isnan(b) else abs(a - b) <= 1e-20 * abs(b)


def test_factors_of_one_entry_are_spread() -> None:
    """Either factor may be one wide, both may, and the order of the two does not matter."""
    x = symnet.variables("a", "b", "c")
    wide, narrow = x * 2.0, apply("sin", x[0])
    X = np.random.default_rng(0).normal(size=(4, 3))
    one = Network.of(wide * narrow)
    other = Network.of(concat(*(entry * narrow for entry in wide)))
    for order, witness in enumerate(analytic.BY_ORDER):
        np.testing.assert_allclose(witness(one, X), witness(other, X), rtol=1e-14, atol=1e-16)
        assert analytic.scale(one, X, order).shape == witness(one, X).shape


@pytest.mark.parametrize("name", ["residual", "highway", "dense_net", "shared"])
def test_a_graph_written_out_as_a_chain(name: str) -> None:
    """The identity terms and the dense matrices of zeros and ones mean the same."""
    net = zoo.network(name)
    widths = net.widths
    nodes = [
        Node(
            tuple(Term(np.eye(widths[t.source]) if t.weights is None else t.weights, t.source)
                  for t in node.terms),
            node.bias, node.kind, node.activation, node.factor,
        )
        for node in net.nodes
    ]  # fmt: skip
    dense = Network.from_nodes(nodes, net.inputs, net.outputs)
    X = zoo.points(net, 9)
    for order, witness in enumerate(analytic.BY_ORDER):
        np.testing.assert_allclose(witness(dense, X), witness(net, X), rtol=1e-13, atol=1e-15)
        sizes = analytic.scale(dense, X, order), analytic.scale(net, X, order)
        np.testing.assert_allclose(*sizes, rtol=1e-12)


def test_preactivations_are_the_forms_of_all_nodes() -> None:
    """One array a node, by hand for a residual block."""
    net = zoo.network("residual_of_inputs")
    X = zoo.points(net, 3)
    first, second, third = analytic.preactivations(net, X)
    W1, b1, W2 = net.parameters["W1"], net.parameters["b1"], net.parameters["W2"]
    np.testing.assert_allclose(first, X @ W1.T + b1, rtol=1e-14)
    np.testing.assert_allclose(second, np.tanh(first) @ W2.T, rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(third, X + second, rtol=1e-14)


def test_a_nan_stays_with_its_point_in_a_graph() -> None:
    """A row with a NaN is NaN everywhere, also where y does not need that input."""
    net = zoo.network("unused_input")
    X = zoo.points(net, 3)
    X[1, 1] = np.nan
    for witness in analytic.BY_ORDER:
        found = witness(net, X)
        assert np.isnan(found[1]).all()
        assert np.isfinite(found[[0, 2]]).all()


def test_symbolic_weights_are_refused_by_name() -> None:
    """The symbols, and what to do."""
    x = symnet.variables("x1", "x2")
    net = Network.of(Layer([[sympy.Symbol("w"), 1]], None, "tanh")(x) + x[0])
    for witness in analytic.BY_ORDER:
        with pytest.raises(ValueError, match=r"weights are symbolic \(w\); give them numbers"):
            witness(net, [1.0, 2.0])
    with pytest.raises(ValueError, match="symbolic"):
        digits.value(net)


def test_memory_is_bounded_in_a_graph_that_keeps_many_vectors() -> None:
    """A dense net keeps all its vectors: blocks are smaller, the memory is not larger."""
    draw, x = zoo.Draw(0), symnet.variables("x1", "x2")
    kept = [draw(16, 2, "tanh")(x)]
    for _ in range(7):
        kept.append(draw(16, 16, "tanh")(sum(kept[1:], kept[0])))
    net = Network.of(draw(1, 128)(concat(*kept)))
    X = np.zeros((30_000, 2))
    tracemalloc.start()
    result = analytic.hessian(net, X)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak - result.nbytes - X.nbytes < 60e6


@pytest.mark.parametrize("kind", ["activation", "product", "softmax", "log_softmax"])
@pytest.mark.parametrize("order", [1, 2])
def test_a_planted_wrong_rule_is_noticed(
    kind: str, order: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A derivative of one kind of node that is off by 1e-6 stands out by many magnitudes."""
    net = zoo.network("attention")
    X = zoo.points(net)
    right = analytic.BY_ORDER[order](net, X)
    rule = analytic.chainrule.RULES[kind]

    def wrong(*given: Any) -> Any:
        step = rule(*given)
        parts = list(step.value)
        parts[order] = parts[order] * (1 + 1e-6)
        return step._replace(value=type(step.value)(*parts))

    monkeypatch.setitem(analytic.chainrule.RULES, kind, wrong)
    assert worst(net, X, order, right) > 1e-10


# --- points -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ALL)
def test_points_are_where_the_network_is_alive(name: str) -> None:
    """Ordinary points have finite derivatives that differ; far ones have values."""
    net = zoo.network(name)
    X = zoo.points(net, 30)
    for witness in analytic.BY_ORDER:
        assert np.isfinite(witness(net, X)).all()
    assert np.ptp(analytic.value(net, X), axis=0).min() > 0
    far = sampling.far(net, np.random.default_rng(0), 30, 10.0)
    assert not np.isnan(analytic.value(net, far)).any()


def test_inputs_that_enter_bare_have_their_units_from_what_follows() -> None:
    """1000/T - 1.4 and log(rho) - 5.3, scaled, are small at some 700 K and some 200 kg/m3."""
    found = units.units(zoo.network("transformed_inputs"))
    assert 50 < found.centre[0] < 1000
    assert 500 < found.centre[1] < 900
    assert (found.step < found.centre).all()
    assert (found.step > 0.01 * found.centre).all()


def test_a_domain_that_many_forms_bound() -> None:
    """log of eight forms of two inputs: points are looked for where all are positive."""
    draw, x = zoo.Draw(3), symnet.variables("x1", "x2")
    weights = np.abs(draw(8, 2).weights)
    net = Network.of(draw(1, 8)(np.log(weights @ x - 40.0)))
    X = zoo.points(net, 20)
    assert np.isfinite(analytic.hessian(net, X)).all()
    assert len(np.unique(X, axis=0)) == 20


def test_a_network_without_units_keeps_its_steps() -> None:
    """y = x1 x2 tells nothing: around 0, by 1."""
    found = units.units(zoo.network("inputs_alone"))
    assert (found.centre == 0).all()
    assert (found.step == 1).all()


@pytest.mark.parametrize("name", [name for name in zoo.KINKED if name not in zoo.CHAINS])
def test_kink_points_lie_on_both_sides_in_graphs(name: str) -> None:
    """Each pair of points has a form of an activation with a kink of either sign."""
    net = zoo.network(name)
    points = sampling.beside_seams(net, np.random.default_rng(0))
    assert len(points) >= 4
    pre = analytic.preactivations(net, points)
    kinked = [z for z, node in zip(pre, net.nodes, strict=True) if node.label == "relu"]
    flat = np.concatenate(kinked, axis=1)
    for left, right in zip(flat[::2], flat[1::2], strict=True):
        crossed = left * right < 0
        assert crossed.any()
        assert np.abs(left[crossed]).max() < 1e-4


# --- 50 digits ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ALL)
def test_the_value_in_50_digits_is_that_in_doubles(name: str) -> None:
    """Each output at a point."""
    net = zoo.network(name)
    (x,) = zoo.points(net, 1)
    with mpmath.workdps(30):
        exact = digits.value(net)([mpmath.mpf(v) for v in x.tolist()])
    error = np.abs(np.array([float(v) for v in exact]) - analytic.value(net, x))
    assert (error <= 1e-14 * analytic.scale(net, x, 0)).all()
