"""The analytic engine: against reference values, 50-digit differences and SymPy's derivatives."""

from __future__ import annotations

import tracemalloc
import warnings
from typing import Any

import mpmath
import numpy as np
import pytest
import sympy
from mpmath import mpf

from strategies import EVERYWHERE
from symnet.activations import TABLE, Activation, Z
from symnet.network import Layer, Network
from symnet.witness import analytic

t = sympy.Symbol("t")
OWN = {
    "swish2": t / (1 + sympy.exp(-2 * t)),
    "powers": (t**2 + 1) ** sympy.Rational(3, 2) - 2.5 / (t**2 + 2),
    "general": (t**2 + 1) ** sympy.sin(t),
    "roots": sympy.sqrt(t**2 + 3) * sympy.log(t**2 + 2),
    "circle": sympy.tan(t / 9) + sympy.asin(t / 7) * sympy.acos(t / 8) + sympy.atan(t),
    "hyperbola": sympy.sinh(t / 3) * sympy.cosh(t / 4) - sympy.tanh(t) * sympy.pi,
    "errors": sympy.erf(t) * sympy.exp(t / 5) + sympy.erfc(t / 2) * sympy.E,
    "corners": sympy.Max(t, t**2 - 2) + sympy.Min(3, t) * sympy.Abs(t) + sympy.sign(t),
}


def reference(name: str, layers: list[tuple[int, int, str, bool]]) -> Network:
    """A network of ones: each layer (outputs, inputs, activation, bias)."""
    return Network(
        [Layer(np.ones((m, n)), np.ones(m) if bias else None, act) for m, n, act, bias in layers]
    )


REFERENCE = {
    "2-2-1": (
        [(2, 2, "sigmoid", True), (1, 2, "linear", False)],
        (1.905148253644866, 0.09035331946182427, -0.08178314932188696),
    ),
    "2-2-2-1": (
        [(2, 2, "sigmoid", True), (2, 2, "sigmoid", True), (1, 2, "linear", False)],
        (1.896200694978303, 0.008891865074823118, -0.008768472319421628),
    ),
    "2-2-2-1 all sigmoid": (
        [(2, 2, "sigmoid", True), (2, 2, "sigmoid", True), (1, 2, "sigmoid", True)],
        (0.9476583038317510, 0.0004410546738847584, -0.0004384453925881286),
    ),
}


@pytest.mark.parametrize("name", REFERENCE)
def test_reference_values(name: str) -> None:
    """The worked examples, all weights and inputs 1, to 14 digits."""
    layers, (y, slope, bend) = REFERENCE[name]
    net = reference(name, layers)
    np.testing.assert_allclose(analytic.value(net, [1, 1]), [y], rtol=1e-14)
    np.testing.assert_allclose(analytic.jacobian(net, [1, 1]), [[slope, slope]], rtol=1e-14)
    np.testing.assert_allclose(analytic.hessian(net, [1, 1]), np.full((1, 2, 2), bend), rtol=1e-13)


def mixed(n: int, m: int, seed: int, acts: tuple[str, ...] = ("tanh", "gelu", "sin")) -> Network:
    """Random weights of no symmetry: a wrong index or transposition shows."""
    random = np.random.default_rng(seed)
    widths = [n, *range(5, 5 - len(acts) + 1, -1), m]
    layers = []
    for k, act in enumerate(acts):
        weights = random.normal(size=(widths[k + 1], widths[k]))
        bias = random.normal(size=widths[k + 1]) if k != 1 else None
        layers.append(Layer(weights, bias, act))
    return Network(layers)


EXACT: dict[str, Any] = {
    "linear": lambda z: z,
    "tanh": mpmath.tanh,
    "gelu": lambda z: z * mpmath.erfc(-z / mpmath.sqrt(2)) / 2,
    "sin": mpmath.sin,
    "softplus": lambda z: mpmath.log(1 + mpmath.exp(z)),
    "arctan": mpmath.atan,
}


def exact_value(net: Network, k: int, x: tuple[mpf, ...]) -> mpf:
    """Output k by loops in multiprecision, written once more."""
    a = list(x)
    for (weights, bias), layer in zip(net.numbers(), net.layers, strict=True):
        shift = [0.0] * len(weights) if bias is None else bias
        z = [
            mpmath.fsum([mpf(float(w)) * v for w, v in zip(row, a, strict=True)]) + mpf(float(b))
            for row, b in zip(weights, shift, strict=True)
        ]
        a = [EXACT[layer.activation.name](v) for v in z]
    return a[k]


def differences(net: Network, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Jacobian and Hessian at one point by differences in 50-digit arithmetic."""
    n, m = len(x), net.m
    point = tuple(mpf(float(v)) for v in x)
    J, H = np.empty((m, n)), np.empty((m, n, n))
    with mpmath.workdps(50):
        for k in range(m):
            f = lambda *v, k=k: exact_value(net, k, v)  # noqa: E731
            for i in range(n):
                J[k, i] = mpmath.diff(f, point, tuple(int(p == i) for p in range(n)))
                for j in range(n):
                    orders = tuple(int(p == i) + int(p == j) for p in range(n))
                    H[k, i, j] = mpmath.diff(f, point, orders)
    return J, H


@pytest.mark.parametrize(
    ("n", "m", "acts"),
    [
        (2, 1, ("tanh", "gelu", "sin")),
        (3, 2, ("softplus", "arctan", "linear")),
        (1, 3, ("gelu", "tanh")),
        (2, 2, ("sin",)),
    ],
)
def test_against_multiprecision_differences(n: int, m: int, acts: tuple[str, ...]) -> None:
    """Several outputs, mixed activations, one input, a single layer; errors per size of terms."""
    net = mixed(n, m, seed=n + m, acts=acts)
    for x in np.random.default_rng(1).normal(size=(2, n)):
        J, H = differences(net, x)
        y = [float(exact_value(net, k, tuple(map(mpf, x.tolist())))) for k in range(m)]
        pairs = ((analytic.value(net, x), y), (analytic.jacobian(net, x), J))
        for order, (got, want) in enumerate((*pairs, (analytic.hessian(net, x), H))):
            assert (np.abs(got - want) <= 1e-14 * analytic.scale(net, x, order)).all()


@pytest.mark.parametrize(
    "act", [*TABLE.values(), *(Activation(n, e) for n, e in OWN.items())], ids=lambda act: act.name
)
def test_every_activation(act: Activation) -> None:
    """sigma, sigma', sigma'' of the table and of users' trees, by a single neuron of weight 1."""
    net = Network([Layer([[1.0]], None, act)])
    points = np.array([-6.75, -2.25, -1.0, -0.125, 0.0, 0.375, 1.0, 2.5, 6.875])
    if act.name in ("sqrt", "log"):
        points = points[points > 0]
    if act.kinks or act.name in ("softsign", "corners", "reciprocal", "sinc"):
        points = points[points != 0]
    results = analytic.BY_ORDER
    for order, result in enumerate(results):
        exact = sympy.diff(act.value, Z, order)
        want = [float(sympy.N(exact.subs(Z, sympy.Rational(z)), 40)) for z in points]
        got = result(net, points[:, None]).reshape(-1)
        np.testing.assert_allclose(got, want, rtol=2e-13, atol=1e-14)


def test_values_at_kinks() -> None:
    """At 0: relu'(0) = 0, leaky_relu'(0) = 0.01, elu'(0) = 1, as PyTorch has them."""
    for name, slope in (("relu", 0), ("leaky_relu", 0.01), ("elu", 1)):
        assert analytic.jacobian(Network([Layer([[1.0]], None, name)]), [0.0]) == slope


@pytest.mark.parametrize("name", EVERYWHERE)
def test_extreme_inputs(name: str) -> None:
    """Finite, warning-free results for |z| up to 1e4, and no warning for any finite input."""
    net = Network([Layer([[1.0]], None, name)])
    x = np.array([-1e4, -800, -745.2, -710, -40, 40, 700, 1e4])[:, None]
    if name == "exp":
        x = x[x < 705][:, None]
    with warnings.catch_warnings(), np.errstate(all="raise"):
        warnings.simplefilter("error")
        for result in analytic.BY_ORDER:
            assert np.isfinite(result(net, x)).all()
            result(net, [[1e300], [-1e300], [5e-324]])


@pytest.mark.parametrize("lead", [(), (1,), (7,), (2, 3), (2, 0), (0,)])
def test_shapes(lead: tuple[int, ...]) -> None:
    """Any leading shape, none and zero points included, with every entry at its place."""
    net = mixed(3, 2, seed=5)
    X = np.random.default_rng(2).normal(size=(*lead, 3))
    results = analytic.value(net, X), analytic.jacobian(net, X), analytic.hessian(net, X)
    for order, result in enumerate(results):
        assert result.shape == lead + (2,) + (3,) * order
        assert result.dtype == np.float64
        assert analytic.scale(net, X, order).shape == result.shape
    for index in np.ndindex(*lead):
        np.testing.assert_allclose(results[2][index], analytic.hessian(net, X[index]), rtol=1e-13)


@pytest.mark.parametrize("points", [0, 3, 400])
def test_all_in_one_pass(points: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """`derivatives` and `measured` give what each order's own function does, in blocks too."""
    monkeypatch.setattr(analytic, "_BLOCK", 10_000)
    net, X = mixed(3, 2, seed=5), np.random.default_rng(2).normal(size=(points, 3))
    results, sizes = analytic.measured(net, X, 2)
    alone = analytic.derivatives(net, X, 2)
    for order in range(3):
        expected = analytic.BY_ORDER[order](net, X)
        for found in (results[order], alone[order]):
            np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-15)
        np.testing.assert_allclose(sizes[order], analytic.scale(net, X, order), rtol=1e-13)


def test_constant_entries_fill_their_shape() -> None:
    """A linear network: the Jacobian is a full array of weights, the Hessian one of zeros."""
    net = Network([Layer([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])])
    X = np.zeros((4, 2))
    assert (analytic.jacobian(net, X) == [[1, 2], [3, 4], [5, 6]]).all()
    assert (analytic.hessian(net, X) == np.zeros((4, 3, 2, 2))).all()


def test_input_types() -> None:
    """Integers, lists, float32 and transposed arrays are the same points."""
    net = mixed(2, 1, seed=3)
    X = np.array([[1, 2], [3, -4], [0, 5]])
    wanted = analytic.hessian(net, X.astype(float))
    for same in (X, X.tolist(), X.astype(np.float32), np.asfortranarray(X), X[::-1][::-1]):
        assert (analytic.hessian(net, same) == wanted).all()


def test_nan_stays_with_its_point() -> None:
    """A row with a NaN is NaN in every entry, even a constant one; the others are untouched."""
    for net in (mixed(2, 2, seed=4), Network([Layer(np.ones((2, 2)), None, "relu")])):
        X = np.array([[0.5, -1.0], [np.nan, 1.0], [2.0, 0.25]])
        for result in analytic.BY_ORDER:
            found = result(net, X)
            assert np.isnan(found[1]).all()
            np.testing.assert_array_equal(found[[0, 2]], result(net, X[[0, 2]]))


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.zeros((4, 3)), r"X has shape \(4, 3\), expected \(\.\.\., 2\): one column per input"),
        (1.0, r"X has shape \(\), expected"),
        (np.zeros((2, 2), complex), "X holds complex128; real numbers are needed"),
        ([["a", "b"]], "real numbers are needed"),
    ],
)
def test_wrong_points(X: Any, message: str) -> None:
    """One line that says what was found and what was expected."""
    kind = TypeError if "real numbers" in message else ValueError
    with pytest.raises(kind, match=message):
        analytic.value(mixed(2, 1, seed=1), X)


def test_blocks_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same results in blocks of a few points as in one."""
    net, X = mixed(2, 2, seed=6), np.random.default_rng(3).normal(size=(50, 2))
    whole = analytic.hessian(net, X)
    monkeypatch.setattr(analytic, "_BLOCK", 3 * 5 * 4)
    np.testing.assert_allclose(analytic.hessian(net, X), whole, rtol=1e-13, atol=1e-15)


def test_memory_is_bounded() -> None:
    """Beyond the result and a copy of X, a few blocks' worth: here under 60 MB at any number."""
    net = Network.dense([2, 32, 32, 1], seed=0)
    X = np.zeros((100_000, 2))  # all at once, one layer's Hessians alone would be 102 MB
    tracemalloc.start()
    result = analytic.hessian(net, X)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak - result.nbytes - X.nbytes < 60e6


def worst(net: Network, X: np.ndarray, order: int, found: np.ndarray) -> float:
    """The comparison that checks are made with: largest error relative to the terms' size."""
    result = analytic.BY_ORDER[order](net, X)
    return float(np.max(np.abs(found - result) / analytic.scale(net, X, order)))


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("name", ["tanh", "gelu", "sin"])
def test_planted_wrong_derivative_is_noticed(
    name: str, order: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rule for sigma' or sigma'' that is off by 1e-6 stands out by seven orders of magnitude."""
    net, X = mixed(2, 2, seed=8), np.random.default_rng(5).normal(size=(20, 2))
    right = analytic.BY_ORDER[order](net, X)
    assert worst(net, X, order, right) == 0
    rule = analytic.table.TABLE[name]

    def wrong(z: np.ndarray) -> tuple[np.ndarray, ...]:
        return tuple(part * (1 + 1e-6 * (r == order)) for r, part in enumerate(rule(z)))

    monkeypatch.setitem(analytic.table.TABLE, name, wrong)
    assert worst(net, X, order, right) > 1e-8


def test_planted_wrong_entry_is_noticed_in_a_deep_network() -> None:
    """The size of the terms must not grow with the depth: 100 layers, one entry off by 1e-6."""
    net = Network.dense([2, *[8] * 100, 1], hidden="softsign", seed=1)
    X = np.random.default_rng(5).normal(size=(5, 2))
    J = analytic.jacobian(net, X)
    wrong = J.copy()
    wrong[3, 0, 1] *= 1 + 1e-6
    assert worst(net, X, 1, wrong) > 1e-10


def test_scale_bounds_entries() -> None:
    """The size of the terms is nowhere below the entry they sum to; by hand for one sum."""
    net, X = mixed(3, 2, seed=9), np.random.default_rng(6).normal(size=(30, 3))
    results = analytic.value(net, X), analytic.jacobian(net, X), analytic.hessian(net, X)
    for order, result in enumerate(results):
        assert (analytic.scale(net, X, order) >= np.abs(result) * (1 - 1e-12)).all()
    cancelling = Network([Layer([[1.0, -1.0]])])
    assert analytic.value(cancelling, [3.0, 3.0]) == 0
    # |3| + |-3| from the sum, sqrt(3^2 + 3^2) from what entered it, and sigma(z) = 0.
    assert analytic.scale(cancelling, [3.0, 3.0], 0) == pytest.approx(np.hypot(6, np.sqrt(18)))
    with pytest.raises(ValueError, match="order is 3, expected 0, 1 or 2"):
        analytic.scale(net, X, 3)
