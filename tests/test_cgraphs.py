"""C text of graphs: every network of the zoo, both schemes, against the engines that know them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import sympy

import symnet
import zoo
from symnet import compiling
from symnet.activations import Activation
from symnet.backends.c.plan.lowering import lowered
from symnet.backends.c.plan.steps import Contraction, Linear, Pass, Softmax, Total
from symnet.backends.c.text import file
from symnet.backends.numpy.kernel import NumpyKernels
from symnet.calculus.algebra import Quantity, dot, matvec, outer
from symnet.calculus.program import Program, Statement, from_network
from symnet.calculus.schemes import Choice, candidates, cost
from symnet.network import Layer, Network, Node, Term
from symnet.network.building import apply
from symnet.witness import analytic
from test_ccode import (
    SANITIZERS,
    check,
    evaluated,
    every_scheme,
    examples,
    kernels,
    self_test,
)

SECOND = (
    "attention",
    "bilinear",
    "classifier",
    "highway",
    "log_classifier",
    "log_shares",
    "mixture",
)
"""Those with the most kinds of statements."""


@pytest.mark.complete(every=5)
@pytest.mark.parametrize("name", zoo.GRAPHS)
def test_every_graph(name):
    """Orders 0 to 2, each alone and with all below, forward and backward, by the analytic engine.

    At one point and at several blocks; two threads give the same to the last bit.
    """
    network = zoo.network(name)
    functions = every_scheme(network, 2)
    X = zoo.points(network, 150)
    check(network, X[:1], functions)
    check(network, X, functions)
    one, two = (evaluated(network, functions, X, threads=t) for t in (1, 2))
    for function, results in one.items():
        for single, shared in zip(results, two[function], strict=True):
            np.testing.assert_array_equal(single, shared)


@pytest.mark.parametrize("name", zoo.LARGE)
def test_large_graphs(name):
    """Widths whose tiles do not come out even, many inputs."""
    network = zoo.network(name)
    check(network, zoo.points(network, 20), kernels(network))


@pytest.mark.complete(every=3)
@pytest.mark.parametrize("name", SECOND)
def test_third_order(name):
    """Against the NumPy text of the same Programs."""
    network = zoo.network(name)
    functions = {}
    for scheme, program in candidates(network, 3).items():
        functions[f"all_{scheme}"] = (program, (0, 1, 2, 3))
    choices = {n: Choice(p, orders, cost(p, "")) for n, (p, orders) in functions.items()}
    numpy = NumpyKernels.of(network, choices)
    X = zoo.points(network, 20)
    for function, results in evaluated(network, functions, X).items():
        expected = numpy.function(function, (0, 1, 2, 3), 1)(X)
        for found, known in zip(results, expected, strict=True):
            size = np.abs(known).max()
            np.testing.assert_allclose(found, known, rtol=1e-12, atol=1e-13 * size)


@pytest.mark.complete(every=3)
@pytest.mark.parametrize("name", SECOND)
def test_float(name):
    """`float` in, `float` out: softmax and what it is made of too."""
    network = zoo.network(name)
    X = zoo.points(network, 20).astype(np.float32)
    check(network, X, kernels(network), tolerance=5e-6, dtype="float")
    text = file.source(kernels(network), network, "float").split("*/", 1)[1]
    assert "fabs(" not in text


@pytest.mark.parametrize("name", ["attention", "spread_form", "input_convex"])
def test_constant_weights(name):
    """The same results to the last bit as with the weights handed over."""
    network = zoo.network(name)
    X = zoo.points(network, 7)
    found = [evaluated(network, kernels(network), X, weights=w) for w in ("constant", "argument")]
    for function, results in found[0].items():
        for constant, argument in zip(results, found[1][function], strict=True):
            np.testing.assert_array_equal(constant, argument)


@pytest.mark.complete(every=4)
@pytest.mark.parametrize(
    ("name", "weights", "flags"),
    [
        ("bilinear", "constant", SANITIZERS),
        ("attention", "argument", (*SANITIZERS, "-march=native", "-fopenmp")),
        ("log_classifier", "constant", ("-O2", "-DSYMNET_PLAIN")),
        ("two_in_two_out", "argument", ("-O3",)),
    ],
)
def test_self_test_passes(tmp_path, name, weights, flags):
    """No warning, nothing outside of arrays, and what another engine gives."""
    network = zoo.network(name)
    functions = every_scheme(network, 2)
    text = file.source(functions, network, weights=weights, examples=examples(network))
    done = self_test(tmp_path, text, *flags)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("self-test ok: ")


# --- forms that are rare ------------------------------------------------------------------------


def square_of_inputs() -> Network:
    """x * x: no weights at all."""
    x = symnet.variables("x1", "x2")
    return Network.of(x * x)


def functions_of_inputs() -> Network:
    """Activations, softmax and log-softmax of x itself, and x among the outputs."""
    x = symnet.variables("x1", "x2", "x3")
    h = symnet.softmax(x) * apply("sin", x) + symnet.log_softmax(x)
    return Network.of(h * x + x)


def twice_the_same() -> Network:
    """One activation of one vector as two nodes, which are multiplied."""
    W = np.array([[1.0, -0.5], [0.3, 2.0]])
    nodes = (
        Node((Term(W, 0),)),
        Node((Term(None, 1),), None, "activation", Activation("tanh", sympy.tanh(_Z))),
        Node((Term(None, 1),), None, "activation", Activation("tanh", sympy.tanh(_Z))),
        Node((Term(None, 2),), None, "product", factor=3),
    )
    return Network.from_nodes(nodes)


def spread_softmax() -> Network:
    """A softmax of one neuron, a bias on a plain sum, one input."""
    x = symnet.variables("t")
    one = symnet.softmax(symnet.Layer([[2.0]], [1.0])(x))
    h = symnet.Layer([[1.0], [-2.0]], [0.1, 0.2], "tanh")(x)
    return Network.of(one * h * x + h + np.array([1.0, 2.0]))


_Z = sympy.Symbol("z")


@pytest.mark.parametrize(
    "made", [square_of_inputs, functions_of_inputs, twice_the_same, spread_softmax]
)
def test_rare_forms(made):
    """Against the expression itself, differentiated by SymPy."""
    network = made()
    X = np.random.default_rng(1).uniform(-1, 1, (9, network.n))
    y, inputs = network.expression(), network.inputs
    shape = (network.m, network.n, network.n)
    second = [e.diff(a, b) for e in y for a in inputs for b in inputs]
    first = [e.diff(a) for e in y for a in inputs]
    known = [np.empty((9, *shape[: 1 + r])) for r in range(3)]
    for k, point in enumerate(X.tolist()):
        at = dict(zip(inputs, point, strict=True))
        for r, formulas in enumerate((list(y), first, second)):
            known[r][k] = np.array([float(f.subs(at)) for f in formulas]).reshape(shape[: 1 + r])
    functions = every_scheme(network, 2)
    for name, results in evaluated(network, functions, X).items():
        for r, found in zip(functions[name][1], results, strict=True):
            np.testing.assert_allclose(found, known[r], rtol=1e-12, atol=1e-13, err_msg=name)


@pytest.mark.parametrize("name", ["residual_of_inputs", "pass_through", "inputs_alone"])
def test_nan_is_in_all_results(name):
    """Also in those that do not need the input in which it is."""
    network = zoo.network(name)
    functions = every_scheme(network, 2)
    X = zoo.points(network, 30)
    clean = evaluated(network, functions, X)
    X[7, -1] = np.nan
    for function, results in evaluated(network, functions, X).items():
        for found, before in zip(results, clean[function], strict=True):
            assert np.isnan(found[7]).all(), function
            np.testing.assert_array_equal(np.delete(found, 7, 0), np.delete(before, 7, 0))


@pytest.mark.parametrize("made", [symnet.softmax, symnet.log_softmax])
def test_softmax_of_large_numbers(made):
    """Stable at |z| = 1e4, where exp overflows: value, Jacobian and Hessian."""
    x = symnet.variables("x1", "x2")
    network = Network.of(made(Layer([[1.0, 0], [0, 1.0], [-1.0, 1.0]], [0, 0.5, 0])(x)))
    X = np.array([[1e4, 9999.0], [-1e4, 1e4], [1e4, -1e4], [0.0, 0.0], [300.0, 301.0]])
    check(network, X, every_scheme(network, 2))


# --- the plan -----------------------------------------------------------------------------------


def steps(name: str, order: int, scheme: str) -> list:
    return lowered(candidates(zoo.network(name), order)[scheme]).steps


def test_steps_of_forms():
    """Each form has its step: sums of products add, softmax and its means are steps too."""
    products = [s for s in steps("dense_net", 2, "tangent") if isinstance(s, Linear)]
    assert {s.accumulate for s in products} == {False, True}
    found = steps("mixture", 2, "adjoint")
    assert sum(isinstance(s, Softmax) for s in found) == 1
    assert [s.along for s in found if isinstance(s, Total)] == [("i",), ("p",)]
    mixed = [s for s in steps("highway", 2, "adjoint") if isinstance(s, Contraction) and not s.pair]
    assert mixed


def test_skip_connections_are_no_products():
    """h + f(h) has one product a layer, and its sum is taken by a pass that is there anyway."""
    found = steps("residual", 1, "tangent")
    assert sum(isinstance(s, Linear) for s in found) <= 4
    assert sum(isinstance(s, Pass) for s in found) == 3


def test_deep_graphs_become_loops():
    """300 layers with skip connections, or with the inputs passed through, have short texts."""
    random = np.random.default_rng(0)

    def residual(h, x):
        return h + Layer(random.normal(size=(3, 3)) / 3, random.normal(size=3), "tanh")(h)

    def convex(h, x):
        return apply(
            "softsign", random.normal(size=(3, 3)) / 3 @ h + random.normal(size=(3, 2)) @ x
        )

    for block in (residual, convex):
        lengths = []
        for depth in (20, 120):
            x = symnet.variables("x1", "x2")
            h = Layer(random.normal(size=(3, 2)), None, "tanh")(x)
            for _ in range(depth):
                h = block(h, x)
            network = Network.of(Layer(random.normal(size=(1, 3)))(h))
            lengths.append(len(file.source(kernels(network), network)))
        assert lengths[1] < 1.15 * lengths[0], block.__name__
    check(network, random.normal(size=(3, 2)), kernels(network))


UNKNOWN = [
    outer(Quantity("z", 1), Quantity("z", 1)),
    2 * matvec(Quantity("W", 1), Quantity("x")),
    Quantity("z", 1) * dot(Quantity("z", 1), Quantity("z", 1)),
    1 / Quantity("z", 1),
    sympy.exp(Quantity("z", 1)),
    matvec(Quantity("W", 1), sympy.exp(Quantity("x"))),
]


@pytest.mark.parametrize("expression", UNKNOWN, ids=str)
def test_unknown_expressions_are_refused(expression):
    """By name, never ignored."""
    program = from_network(Network.dense([2, 2, 2], seed=0))
    first, *others = program.statements
    wrong = Statement(Quantity("a", 1), expression + sympy.Integer(1))
    changed: Program = replace(program, statements=(first, wrong, *others[1:]))
    assert others[0].target == wrong.target
    with pytest.raises(TypeError, match=r"a1 = .*: the C backend has no step for"):
        lowered(changed)


def test_compiled_graph_runs():
    """Through the public function, checked."""
    network = zoo.network("attention")
    compiled = compiling.compiled(network, 2, backend="c")
    X = zoo.points(network, 6)
    for found, witness in zip(compiled(X), analytic.BY_ORDER, strict=True):
        np.testing.assert_allclose(found, witness(network, X), rtol=1e-11, atol=1e-12)
