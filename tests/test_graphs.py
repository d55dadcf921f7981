"""Every kind of graph through every door: compiled by both schemes, kept, fitted, pickled."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import symnet
import zoo
from symnet.backends.c.kernel import NativeKernels
from symnet.backends.numpy.kernel import NumpyKernels
from symnet.calculus.schemes import best, forward, schemes
from symnet.compiling import Compiled, methods
from symnet.fitting import table
from symnet.network import Layer, Network
from symnet.witness import analytic, checking, comparing

BACKENDS = {"numpy": NumpyKernels, "c": NativeKernels}
ORDER = 2
TOLERANCE = 1e-12  # of the terms


def compiled(network: Network, backend: str, scheme: str, order: int = ORDER) -> Compiled:
    """The network's functions, all by one scheme where there is a choice."""
    choices = {}
    for name, orders in methods(order).items():
        programs = schemes(forward(network, max(orders))[-1])
        choices[name] = best({scheme: programs.get(scheme, programs["tangent"])}, orders)
    kernels = BACKENDS[backend].of(network, choices)
    return Compiled(network, order, backend, choices["value"].cost, None, kernels)


def worst(network: Network, order: int, X: np.ndarray, result: np.ndarray) -> float:
    """The largest error of an order's derivatives in units of the size of their terms."""
    reference = analytic.BY_ORDER[order](network, X)
    assert result.shape == reference.shape
    return float(np.max(np.abs(result - reference) / (analytic.scale(network, X, order) + 1e-300)))


@pytest.mark.parametrize("scheme", ["tangent", "adjoint"])
@pytest.mark.parametrize("name", [*zoo.GRAPHS, *zoo.CHAINS])
def test_numpy_agrees_with_the_witness(name, scheme):
    """Value, Jacobian and Hessian, alone and together, at one point and at several."""
    network = zoo.network(name)
    f, X = compiled(network, "numpy", scheme), zoo.points(network, 4)
    together, alone = f(X), f(X[0])
    for order in range(ORDER + 1):
        assert worst(network, order, X, f.derivative(order, X)) < TOLERANCE
        assert worst(network, order, X, together[order]) < TOLERANCE
        assert worst(network, order, X[0], alone[order]) < TOLERANCE


@pytest.mark.parametrize("scheme", ["tangent", "adjoint"])
@pytest.mark.parametrize("name", zoo.GRAPHS)
def test_higher_orders_agree_with_fifty_digits(name, scheme):
    """The third derivative along random directions, by differences in 50-digit arithmetic."""
    network = zoo.network(name)
    f, random = compiled(network, "numpy", scheme, 3), np.random.default_rng(0)
    points = zoo.points(network, 1)
    truth = comparing.Truth.of(network, points, 2).extended(f(points)[3:])
    report = checking.against_digits(truth, f, random)
    assert all(comparison.ok for comparison in report), report


@pytest.mark.parametrize("name", zoo.GRAPHS)
def test_blocks_and_threads_change_nothing(name):
    """The same bits for any number of threads, and for a batch as for its parts."""
    network = zoo.network(name)
    f, X = compiled(network, "numpy", "adjoint"), zoo.points(network, 3)
    many = np.tile(X, (3000, 1))
    y, J, H = f(many)
    one = symnet.derive(network).compile(check=False, threads=1)(many)
    for result, other in zip(symnet.derive(network).compile(check=False)(many), one, strict=True):
        np.testing.assert_array_equal(result, other)
    for result in (y, J, H):
        np.testing.assert_array_equal(result[:9].reshape(3, 3, -1), [result[:3].reshape(3, -1)] * 3)


@pytest.mark.parametrize("name", zoo.GRAPHS)
def test_float32_stays_float32(name):
    """No double of a kernel's own slips in."""
    network = zoo.network(name)
    X = zoo.points(network, 2)
    for order, result in enumerate(compiled(network, "numpy", "adjoint")(X.astype(np.float32))):
        assert result.dtype == np.float32
        scale = analytic.scale(network, X.astype(np.float32), order)
        reference = analytic.BY_ORDER[order](network, X.astype(np.float32))
        assert np.max(np.abs(result - reference) / (scale + 1e-30)) < 1e-3


@pytest.mark.parametrize("name", zoo.GRAPHS)
def test_files_and_pickles_give_the_network_back(name, tmp_path):
    """Equal, to the last bit."""
    network = zoo.network(name)
    symnet.save(network, tmp_path / "net.json")
    assert symnet.load(tmp_path / "net.json") == network
    copy = pickle.loads(pickle.dumps(network))
    assert copy == network
    assert hash(copy) == hash(network)


@pytest.mark.parametrize("name", zoo.GRAPHS)
def test_a_fit_has_exact_gradients_in_all_matrices(name):
    """∂loss/∂p against residuals' Jacobian, and that against differences."""
    network = zoo.network(name).numeric()
    X = zoo.points(network, 6)
    columns = dict(zip((s.name for s in network.inputs), X.T, strict=True))
    y, J, H = (witness(network, X) for witness in analytic.BY_ORDER)
    noise = np.random.default_rng(0)
    for p, output in enumerate(network.outputs):
        columns[output.name] = y[:, p] + 0.1 * noise.normal(size=len(X))
        for i, a in enumerate(network.inputs):
            columns[f"d{output}/d{a}"] = J[:, p, i] + 0.1 * noise.normal(size=len(X))
            columns[f"d2{output}/d{a}d{a}"] = H[:, p, i, i] + 0.1 * noise.normal(size=len(X))
    target = symnet.objective(network, table(columns))
    start = target.pack(network)
    np.testing.assert_allclose(target.pack(target.network(start)), start, rtol=1e-12, atol=1e-12)
    residuals, jacobian = target.linearised(start)
    loss, gradient = target.loss_and_gradient(start)
    assert loss == pytest.approx(np.sum(residuals**2))
    np.testing.assert_allclose(gradient, 2 * jacobian.T @ residuals, rtol=1e-8, atol=1e-9)
    direction = noise.normal(size=len(start))
    step = 1e-6 / np.linalg.norm(direction)
    moved = target.residuals(start + step * direction) - target.residuals(start - step * direction)
    expected = jacobian @ direction
    error = np.abs(moved / (2 * step) - expected).max()
    assert error < 1e-4 * np.abs(expected).max()


def test_a_derivation_knows_no_width():
    """The same statements at width 3 and 300."""

    def residual(width: int) -> Network:
        draw = np.random.default_rng(0).normal
        x = symnet.variables("x1", "x2")
        h = Layer(draw(size=(width, 2)), None, "tanh")(x)
        h = Layer(draw(size=(width, width)), None, "tanh")(h) + h
        return Network.of(symnet.softmax(Layer(draw(size=(2, width)))(h)))

    texts = [[str(p) for p in forward(residual(width), 3)] for width in (3, 300)]
    assert texts[0] == texts[1]


def test_five_hundred_layers_with_skips():
    """Statements grow as the depth, and nothing meets a recursion limit."""
    draw = np.random.default_rng(0).normal
    h = Layer(draw(size=(4, 2)), None, "tanh")(symnet.variables("x1", "x2"))
    for _ in range(500):
        h = Layer(draw(size=(4, 4)) / 8, None, "tanh")(h) + h
    network = Network.of(Layer(draw(size=(1, 4)))(h))
    f = symnet.derive(network).compile()
    assert f.source.count("\n") < 30_000
    assert worst(network, 2, np.ones((1, 2)), f.hessian(np.ones((1, 2)))) < TOLERANCE
