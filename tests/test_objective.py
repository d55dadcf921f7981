"""The loss on mixed data: residuals, gradients and Jacobians against independent mathematics."""

from __future__ import annotations

import pickle
from functools import lru_cache
from typing import Any

import mpmath
import numpy as np
import pytest
import sympy

from strategies import EVERYWHERE, SMOOTH
from symnet.activations import Activation, Z
from symnet.backends.numpy.layers import parameters
from symnet.calculus.program import from_network
from symnet.calculus.reverse import sweep, unrolled
from symnet.calculus.transformations import tangent
from symnet.fitting.columns import read, table
from symnet.fitting.data import Kind, MixedData
from symnet.fitting.loss import Objective, objective
from symnet.fitting.packing import Scaling
from symnet.network import Layer, Network
from symnet.witness import analytic

KINDS = (
    "p",
    "q",
    "dp/du",
    "dp/dv",
    "dq/dv",
    "d2p/dudu",
    "d2p/dudv",
    "d2q/dudv",
    "d2q/dvdv",
)
"""Every kind of row, of two outputs; some kinds of one output only."""


def mixed(rows: int = 14, seed: int = 5, kinds: tuple[str, ...] = KINDS) -> MixedData:
    """Random data of two inputs and two outputs: about half of the cells measured."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(rows, len(kinds))) * 3 + 1
    values[rng.uniform(size=values.shape) < 0.5] = np.nan
    values[:3] = rng.normal(size=(3, len(kinds)))
    columns = {
        "u": rng.normal(5, 2, rows),
        "v": rng.normal(-1, 0.5, rows),
        "w": rng.uniform(1, 3, rows),
    }
    columns |= dict(zip(kinds, values.T, strict=True))
    return table(columns, outputs=["p", "q"], weight="w")


def network(activation: object = "tanh", output: str = "linear", **options: object) -> Network:
    """2-3-3-2 with the names of `mixed`."""
    return Network.dense(
        [2, 3, 3, 2], activation, output, inputs=("u", "v"), outputs=("p", "q"), seed=1, **options
    )


def expected_residuals(target: Objective, p: np.ndarray, weights: dict[str, float]) -> np.ndarray:
    """The definition in the data's units, with the derivatives of the analytic engine."""
    data, net = target.data, target.network(p)
    total = sum(
        float(data.weights[data.of(kind)[0]].sum()) * weights.get(str(kind), 1)
        for kind in data.kinds
    )
    found = []
    for kind in data.kinds:
        rows, values = data.of(kind)
        output = data.outputs.index(kind.output)
        along = [data.inputs.index(name) for name in kind.along]
        derivative = analytic.BY_ORDER[kind.order]
        predicted = derivative(net, data.points[rows])[(slice(None), output, *along)]
        weight = data.weights[rows] * weights.get(str(kind), 1) / total
        found.append(np.sqrt(weight) * (predicted - values) / values.std())
    return np.concatenate(found)


@pytest.mark.complete(every=3)
@pytest.mark.parametrize("activation", EVERYWHERE)
def test_residuals_are_those_of_the_network_in_the_datas_units(activation):
    """The definition of the loss, every kind of row, weights of rows and kinds included.

    It holds only when standardisation is folded into the saved network exactly.
    """
    weights = {"dp/du": 3.0, "d2q/dudv": 0.25}
    target = objective(network(activation), mixed(), weights)
    p = target.start(2) / 3
    np.testing.assert_allclose(
        target.residuals(p), expected_residuals(target, p, weights), rtol=1e-9, atol=1e-11
    )


def test_a_swarm_is_evaluated_in_one_call():
    """P (particles, P) gives what each particle gives by itself, whatever the blocks are."""
    target = objective(network(), mixed())
    P = target.start(3, 7)
    expected = np.array([np.sum(target.residuals(p) ** 2) for p in P])
    for block in (1, 3, 7, 50):
        vars(target)["_block"] = block
        np.testing.assert_allclose(target.loss(P), expected, rtol=1e-13)
    np.testing.assert_allclose([target.loss(p) for p in P], expected, rtol=1e-13)
    np.testing.assert_allclose(target.residuals(P), [target.residuals(p) for p in P], rtol=1e-12)
    assert target.loss(P.reshape(7, 1, -1)).shape == (7, 1)
    assert target.loss(P[:0]).shape == (0,)


# --- exact derivatives --------------------------------------------------------------------------


@lru_cache
def textbook(activation: Activation, order: int) -> Any:
    """The derivative of the textbook's formula, for mpmath."""
    return sympy.lambdify(Z, sympy.diff(activation.value, Z, order), "mpmath")


def exact_residual(target: Objective, index: int, p: list[mpmath.mpf]) -> mpmath.mpf:
    """Residual `index` at p by the chain rule for first and second derivatives, entry by entry."""
    (rows,) = (g for g in target.rows if g.part.start <= index < g.part.stop)
    at = index - rows.part.start
    x = [mpmath.mpf(v) for v in rows.points[:, at].tolist()]
    along = [d[:, at].tolist() for d in rows.directions] + [[0, 0], [0, 0]]
    jets = [(v, along[0][k], along[1][k], 0) for k, v in enumerate(x)]
    weights = iter(p)
    for layer in target.packing.network.layers:
        matrix = [[next(weights) for _ in range(layer.inputs)] for _ in range(layer.outputs)]
        bias = [next(weights) for _ in range(layer.outputs)]
        rules = [textbook(layer.activation, order) for order in range(3)]
        before, jets = jets, []
        for row, offset in zip(matrix, bias, strict=True):
            z, z_i, z_j, z_ij = (mpmath.fdot(row, parts) for parts in zip(*before, strict=True))
            a, slope, bend = (rule(z + offset) for rule in rules)
            jets.append((a, slope * z_i, slope * z_j, slope * z_ij + bend * z_i * z_j))
    part = {0: 0, 1: 1, 2: 3}[rows.order]
    selector = rows.selector[:, at].tolist()
    return mpmath.fdot(selector, [jet[part] for jet in jets]) - mpmath.mpf(float(rows.target[at]))


def exact_jacobian(target: Objective, p: np.ndarray, rows: list[int]) -> np.ndarray:
    """Central differences with a step of 1e-15 in 50 digits: errors of about 1e-30."""
    with mpmath.workdps(50):
        exact, h = [mpmath.mpf(entry) for entry in p.tolist()], mpmath.mpf(10) ** -15
        found = np.empty((len(rows), len(exact)))
        for a, row in enumerate(rows):
            for b in range(len(exact)):
                up, down = (
                    exact_residual(target, row, [q + s * h * (c == b) for c, q in enumerate(exact)])
                    for s in (1, -1)
                )
                found[a, b] = float((up - down) / (2 * h))
    return found


@pytest.mark.complete(every=3)
@pytest.mark.parametrize("activation", SMOOTH)
def test_the_jacobian_agrees_with_differences_in_50_digits(activation):
    """One row of every kind, two outputs, every activation without a kink: to 1e-8."""
    template = Network.dense(
        [2, 2, 2], activation, inputs=("u", "v"), outputs=("p", "q"), output=activation
    )
    target = objective(template, mixed(5))
    p = target.start(4) + 0.1
    rows = [part.start for part in target.kinds.values()]
    expected = exact_jacobian(target, p, rows)
    found = target.residual_jacobian(p)[rows]
    np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-12 * np.abs(expected).max())


@pytest.mark.parametrize("activation", SMOOTH)
def test_the_gradient_is_that_of_the_loss(activation):
    """∇ Σ r² = 2 Jᵀ r, summed in the kernel instead of afterwards."""
    target = objective(network(activation), mixed())
    p = target.start(6) / 2
    r, J = target.linearised(p)
    loss, gradient = target.loss_and_gradient(p)
    assert loss == pytest.approx(target.loss(p), rel=1e-13)
    np.testing.assert_allclose(gradient, 2 * J.T @ r, rtol=1e-10, atol=1e-12 * np.abs(J).max())
    np.testing.assert_array_equal(gradient, target.gradient(p))
    np.testing.assert_allclose(r, target.residuals(p), rtol=1e-13, atol=1e-14)


TORCH = {
    "linear": lambda torch, z: z,
    "sigmoid": lambda torch, z: torch.sigmoid(z),
    "tanh": lambda torch, z: torch.tanh(z),
    "elu": lambda torch, z: torch.nn.functional.elu(z),
    "selu": lambda torch, z: torch.nn.functional.selu(z),
    "softplus": lambda torch, z: torch.nn.functional.softplus(z),
    "silu": lambda torch, z: torch.nn.functional.silu(z),
    "gelu": lambda torch, z: torch.nn.functional.gelu(z),
    "gelu_tanh": lambda torch, z: torch.nn.functional.gelu(z, approximate="tanh"),
    "softsign": lambda torch, z: torch.nn.functional.softsign(z),
    "sin": lambda torch, z: torch.sin(z),
    "cos": lambda torch, z: torch.cos(z),
    "exp": lambda torch, z: torch.exp(z),
    "gaussian": lambda torch, z: torch.exp(-z * z),
    "arctan": lambda torch, z: torch.arctan(z),
    "asinh": lambda torch, z: torch.asinh(z),
    "square": lambda torch, z: torch.square(z),
    "celu": lambda torch, z: torch.nn.functional.celu(z),
    "mish": lambda torch, z: torch.nn.functional.mish(z),
    "logsigmoid": lambda torch, z: torch.nn.functional.logsigmoid(z),
    "tanhshrink": lambda torch, z: torch.nn.functional.tanhshrink(z),
}


def test_every_smooth_activation_is_compared_with_pytorch():
    """A new one must be added above."""
    assert set(SMOOTH) <= set(TORCH)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("activation", TORCH)
def test_the_jacobian_agrees_with_pytorch(activation):
    """Every residual, two hidden layers, two outputs: to 1e-10, where PyTorch is installed."""
    torch = pytest.importorskip("torch")
    target = objective(network(activation), mixed())
    start = torch.tensor(target.start(7) / 2, dtype=torch.float64)

    def value(p: object, x: object) -> object:
        numbers = target.packing.unpack(p)
        for k in range(3):
            z = numbers[f"W{k + 1}"] @ x + numbers[f"b{k + 1}"]
            x = TORCH[activation](torch, z) if k < 2 else z
        return x

    def derivative(p: object, group: object, row: int) -> object:
        x = torch.tensor(group.points[:, row])
        along = [torch.tensor(np.ascontiguousarray(d[:, row])) for d in group.directions]

        def line(*steps: object) -> object:
            moved = x + sum((s * d for s, d in zip(steps, along, strict=True)), torch.zeros(2))
            return torch.tensor(group.selector[:, row]) @ value(p, moved)

        zeros = tuple(torch.tensor(0.0, dtype=torch.float64) for _ in along)
        jacobian = torch.func.jacrev
        if not along:
            return line()
        if len(along) == 1:
            return jacobian(line)(*zeros)
        return jacobian(jacobian(line, 0), 1)(*zeros)

    for group in target.rows:
        for row in range(0, len(group.target), 3):
            expected = torch.func.jacrev(lambda p: derivative(p, group, row))(start)  # noqa: B023
            found = target.residual_jacobian(start.numpy())[group.part.start + row]
            np.testing.assert_allclose(found, expected.numpy(), rtol=1e-10, atol=1e-12)


def test_a_planted_error_is_noticed():
    """The comparison with 50 digits fails when one entry of a Jacobian has the wrong sign."""
    template = Network.dense([2, 2, 2], "tanh", inputs=("u", "v"), outputs=("p", "q"))
    target = objective(template, mixed(5))
    p = target.start(4)
    rows = [part.start for part in target.kinds.values()]
    found = target.residual_jacobian(p)[rows]
    expected = exact_jacobian(target, p, rows)
    for planted in (found * np.where(np.arange(p.size) == 3, -1, 1), np.roll(found, 1, axis=1)):
        assert np.abs(planted - expected).max() > 1e-3


@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "linear"])
def test_second_partials_of_piecewise_linear_networks_are_zero(activation):
    """Their rows keep the residual of the prediction 0, and have no gradient."""
    target = objective(network(activation), mixed())
    p = target.start(1)
    parts = [part for kind, part in target.kinds.items() if kind.order == 2]
    expected = expected_residuals(target, p, {})
    for part in parts:
        np.testing.assert_allclose(target.residuals(p)[part], expected[part], rtol=1e-12)
        assert not target.residual_jacobian(p)[part].any()
    assert target.residual_jacobian(p).any()


# --- what is computed ---------------------------------------------------------------------------


def test_only_the_orders_that_rows_need_are_generated():
    """Slopes alone need no kernel for values or second partials."""
    target = objective(network(), mixed(kinds=("dp/du", "dq/dv")))
    assert [group.order for group in target.rows] == [1]
    assert "def value_1(" in target.code
    assert "value_0" not in target.code
    assert "value_2" not in target.code


def test_the_sweep_reads_as_the_mathematics():
    """Forward and backward statements of a first derivative of 2-3-1."""
    net = Network.dense([2, 3, 1], "tanh")
    derived = sweep(net, 1, parameters(net).values())
    assert [str(s) for s in derived.forward] == [
        "z1 = b1 + matvec(W1, x)",
        "z1_i = column(W1, x_i)",
        "a1_i = z1_i*sigma(tanh, 1, z1)",
        "y_i = matvec(W2, a1_i)",
    ]
    assert [str(s) for s in derived.backward] == [
        "y\N{COMBINING MACRON}_i = e_p",
        "a\N{COMBINING MACRON}1_i = matvec(transposed(W2), y\N{COMBINING MACRON}_i)",
        "z\N{COMBINING MACRON}1_i = a\N{COMBINING MACRON}1_i*sigma(tanh, 1, z1)",
        "z\N{COMBINING MACRON}1 = a\N{COMBINING MACRON}1_i*z1_i*sigma(tanh, 2, z1)",
    ]
    assert {str(p): str(g) for p, g in derived.gradients.items()} == {
        "W1": "outer(z\N{COMBINING MACRON}1, x) + outer(z\N{COMBINING MACRON}1_i, x_i)",
        "b1": "z\N{COMBINING MACRON}1",
        "W2": "outer(y\N{COMBINING MACRON}_i, a1_i)",
        "b2": "0",
    }


def test_unrolling_writes_a_family_along_every_direction():
    """A second derivative along i and j needs the first along each."""
    program = tangent(tangent(from_network(Network.dense([2, 3, 1], "tanh"))))
    targets = [str(s.target) for s in unrolled(program, 2)]
    assert targets.count("z1_i") == targets.count("z1_j") == targets.count("a1_ij") == 1
    (a1_ij,) = (s for s in unrolled(program, 2) if str(s.target) == "a1_ij")
    assert {str(s) for s in a1_ij.expression.free_symbols} == {"z1", "z1_i", "z1_j"}


# --- parameters and units -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "template",
    [
        network(),
        network(bias=False),
        network(output_bias=False),
        network("sigmoid", "sigmoid"),
        Network([Layer([[1.0, 2], [3, 4]], [0.0, 1])], ("u", "v"), ("p", "q")),
    ],
    ids=["dense", "no bias", "no output bias", "bent output", "one layer"],
)
def test_packing_and_units_are_undone(template):
    """network(p) and pack(network) are inverse, for any combination of biases."""
    target = objective(template, mixed())
    p = target.start(8)
    net = target.network(p)
    assert net.widths == template.widths
    assert [layer.bias is None for layer in net.layers] == [
        layer.bias is None for layer in template.layers
    ]
    np.testing.assert_allclose(target.pack(net), p, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(
        target.residuals(p), expected_residuals(target, p, {}), rtol=1e-9, atol=1e-12
    )


def test_the_parameters_order_is_named():
    """Names say where a weight stands: W1 row by row, b1, W2, …."""
    target = objective(network(), mixed(), standardise=False)
    p = np.arange(target.packing.size) / 10
    net = target.network(p)
    for name, value in zip(target.parameters, p, strict=True):
        letter, layer, index = name[0], int(name[1]), name[3:-1].split(",")
        array = net.layers[layer - 1].weights if letter == "W" else net.layers[layer - 1].bias
        assert array[tuple(map(int, index))] == value
    assert (target.parameters[1], target.parameters[6]) == ("W1[0,1]", "b1[0]")


def test_without_standardisation_parameters_are_the_networks_own():
    """And the loss is the same as with it, for the same network."""
    raw, standard = (objective(network(), mixed(), standardise=s) for s in (False, True))
    net = network()
    numbers = np.concatenate([a.ravel() for pair in net.numbers() for a in pair])
    np.testing.assert_array_equal(raw.pack(net), numbers)
    assert raw.loss(raw.pack(net)) == pytest.approx(standard.loss(standard.pack(net)), rel=1e-12)


def test_standard_units():
    """Inputs have mean 0 and spread 1; the unit of an output with slopes only comes from them."""
    data = mixed()
    scaling = Scaling.of(data, network())
    standard = (data.points - scaling.x0) / scaling.s
    np.testing.assert_allclose(standard.mean(axis=0), 0, atol=1e-14)
    np.testing.assert_allclose(standard.std(axis=0), 1)
    values = data.of(Kind("q"))[1]
    assert (scaling.y0[1], scaling.t[1]) == pytest.approx((values.mean(), values.std()))
    slopes = mixed(kinds=("dp/du", "dp/dv", "q"))
    du, dv = (slopes.of(Kind("p", (name,)))[1].std() for name in "uv")
    scaling = Scaling.of(slopes, network())
    assert scaling.t[0] == pytest.approx(max(du * scaling.s[0], dv * scaling.s[1]))
    assert scaling.y0[0] == 0


@pytest.mark.parametrize("size", [1e-30, 1e30])
def test_huge_and_tiny_units_change_nothing(size):
    """Data in units of 1e±30 give the residuals of the same data in plain units."""
    plain = mixed()
    factors = [
        size / np.prod([size ** (-1 if name == "u" else 0.5) for name in kind.along])
        for kind in plain.kinds
    ]
    scaled = MixedData(
        plain.inputs,
        plain.outputs,
        plain.points * [size**-1, size**0.5],
        plain.kinds,
        plain.values * factors,
        plain.weights,
    )
    a, b = objective(network(), plain), objective(network(), scaled)
    p = a.start(1)
    np.testing.assert_allclose(a.residuals(p), b.residuals(p), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(a.pack(a.network(p)), b.pack(b.network(p)), rtol=1e-9, atol=1e-12)


def test_overflow_is_an_infinite_loss_without_a_warning():
    """An optimiser may try anything; what it tries is then infinitely bad."""
    target = objective(network("exp"), mixed())
    P = target.start(1, 3)
    P[1] = 1e4
    losses = target.loss(P)
    assert np.isfinite(losses).tolist() == [True, False, True]
    assert target.loss_and_gradient(P[1])[0] == np.inf


def test_it_pickles():
    """Into another process, before or after it was used."""
    target = objective(network(), mixed())
    p = target.start(1)
    loss = target.loss(p)
    assert pickle.loads(pickle.dumps(target)).loss(p) == loss


def test_relative_errors_are_per_kind():
    """The weighted root mean square over the spread of the measurements."""
    data = mixed()
    target = objective(network(), data, {"q": 5.0})
    p = target.start(1)
    kind = Kind("p", ("v",))
    rows, values = data.of(kind)
    errors = analytic.jacobian(target.network(p), data.points[rows])[:, 0, 1] - values
    expected = np.sqrt(np.average(errors**2, weights=data.weights[rows])) / values.std()
    assert target.relative_errors(target.residuals(p))[kind] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda o: o.loss(np.zeros(3)), r"parameters have shape \(3,\), expected \(29,\)"),
        (lambda o: o.gradient(np.zeros((2, 29))), r"shape \(2, 29\)"),
        (lambda o: o.pack(Network.dense([2, 4, 2])), "the network is 2-4-2, sigmoid, linear;"),
        (
            lambda o: o.pack(network(bias=False)),
            "2-3-3-2, tanh without bias, .*; the objective's is",
        ),
        (
            lambda o: objective(Network.dense([2, 2, 2]), o.data),
            "has the inputs x1, x2, the data u, v",
        ),
        (lambda o: objective(network(), o.data, {"dy/du": 1}), "'dy/du' is no kind of the data"),
        (lambda o: objective(network(), o.data, {"p": 0}), "p counts 0, expected a number above 0"),
        (
            lambda o: objective(network(), o.data.rows(np.zeros(4, int))),
            "input u is 4.29602 in all 4 rows",
        ),
    ],
)
def test_what_does_not_fit_is_refused(call, message):
    """One line that says what was found and what was expected."""
    with pytest.raises(ValueError, match=message):
        call(objective(network(), mixed()))


def test_water_has_600_residuals(request):
    """The example's data: three kinds, 200 of each."""
    data = read(request.config.rootpath / "examples" / "data" / "water_mixed.csv")
    assert list(data.counts.values()) == [200, 200, 200]
    net = Network.dense([2, 16, 16, 1], "tanh", inputs=data.inputs, outputs=data.outputs)
    target = objective(net, data)
    assert target.residual_jacobian(target.start()).shape == (600, 337)
