"""Graphs as they are written: vectors, their arithmetic, and the nodes that come of them."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import sympy

import symnet
from symnet import Layer, Network, apply, concat, variables
from symnet.activations import ELEMENTWISE, TABLE, Activation, Z
from symnet.importers.imported import Options, renamed
from symnet.network import Node, Term

RANDOM = np.random.default_rng(0)
W, V, B = RANDOM.normal(size=(3, 2)), RANDOM.normal(size=(3, 3)), RANDOM.normal(size=3)
POINTS = RANDOM.uniform(0.5, 2.0, (5, 2))

WRITTEN = {
    "a skip connection": (
        lambda x: Layer(V, B, "sin")(Layer(W, B)(x)) + Layer(W, B)(x),
        lambda x: np.sin(x @ W.T @ V.T + B @ V.T + B) + x @ W.T + B,
    ),
    "concatenation": (lambda x: concat(x, Layer(W)(x)), lambda x: np.hstack([x, x @ W.T])),
    "slices": (lambda x: Layer(W, B)(x)[1:], lambda x: (x @ W.T + B)[:, 1:]),
    "one entry": (lambda x: x[-1], lambda x: x[:, [1]]),
    "a permutation": (lambda x: x[[1, 0]], lambda x: x[:, ::-1]),
    "scale and shift": (lambda x: 2 * x - [1.0, 3.0], lambda x: 2 * x - [1.0, 3.0]),
    "from the other side": (lambda x: 1 - x, lambda x: 1 - x),
    "numbers on the left": (lambda x: np.array([1.0, 2.0]) + x, lambda x: x + np.array([1.0, 2.0])),
    "a matrix": (lambda x: W @ x, lambda x: x @ W.T),
    "a product": (lambda x: x * x[[1, 0]], lambda x: x * x[:, ::-1]),
    "a spread product": (lambda x: x[0] * Layer(W)(x), lambda x: x[:, :1] * (x @ W.T)),
    "a spread sum": (lambda x: x - x[0], lambda x: x - x[:, :1]),
    "a quotient": (lambda x: x[0] / x[1], lambda x: x[:, :1] / x[:, 1:]),
    "over a vector": (lambda x: 3 / x, lambda x: 3 / x),
    "a power": (lambda x: x**2 + x**1.5, lambda x: x**2 + x**1.5),
    "a vector's power": (lambda x: x ** x[0], lambda x: x ** x[:, :1]),
    "NumPy's functions": (lambda x: np.exp(-x) + np.log(x), lambda x: np.exp(-x) + np.log(x)),
    "maximum": (lambda x: symnet.maximum(x[0], x[1]), lambda x: x.max(axis=1, keepdims=True)),
    "minimum": (lambda x: np.minimum(x[0], 1.0), lambda x: np.minimum(x[:, :1], 1)),
    "mean": (lambda x: symnet.mean(Layer(W)(x)), lambda x: (x @ W.T).mean(1, keepdims=True)),
    "prelu": (
        lambda x: symnet.prelu(x - 1, [0.1, 0.2]),
        lambda x: np.where(x > 1, x - 1, (x - 1) * [0.1, 0.2]),
    ),
    "NumPy's sum": (lambda x: np.sum(W @ x, axis=-1), lambda x: (x @ W.T).sum(1, keepdims=True)),
    "NumPy's mean": (lambda x: np.mean(x), lambda x: x.mean(1, keepdims=True)),
    "NumPy's product": (
        lambda x: np.prod(W @ x + B),
        lambda x: (x @ W.T + B).prod(1, keepdims=True),
    ),
    "the largest": (lambda x: np.max(W @ x), lambda x: (x @ W.T).max(1, keepdims=True)),
    "the smallest": (lambda x: np.amin(W @ x), lambda x: (x @ W.T).min(1, keepdims=True)),
    "a ufunc's reduction": (
        lambda x: np.maximum.reduce(W @ x),
        lambda x: (x @ W.T).max(1, keepdims=True),
    ),
    "NumPy's joints": (
        lambda x: np.hstack([np.concatenate([x, x**2]), np.flip(x)]),
        lambda x: np.hstack([x, x**2, x[:, ::-1]]),
    ),
    "sums up to each": (lambda x: np.cumsum(W @ x), lambda x: np.cumsum(x @ W.T, axis=1)),
    "clipped": (lambda x: np.clip(W @ x, -0.5, 0.5), lambda x: np.clip(x @ W.T, -0.5, 0.5)),
    "clipped by a vector": (
        lambda x: np.clip(W @ x, None, x[0]),
        lambda x: np.minimum(x @ W.T, x[:, :1]),
    ),
    "log of a sum": (
        lambda x: np.logaddexp(x[0], 700 * x[1]),
        lambda x: np.logaddexp(x[:, :1], 700 * x[:, 1:]),
    ),
    "a hypotenuse": (lambda x: np.hypot(x[0], x[1]), lambda x: np.hypot(x[:, :1], x[:, 1:])),
    "a scalar product": (lambda x: x @ x[::-1], lambda x: 2 * x[:, :1] * x[:, 1:]),
    "numbers before": (lambda x: B @ (W @ x), lambda x: (x @ W.T @ B)[:, None]),
    "numbers after": (lambda x: x @ [2, -1], lambda x: (x @ [2, -1])[:, None]),
    "NumPy's dot of numbers": (lambda x: np.dot(B, W @ x), lambda x: (x @ W.T @ B)[:, None]),
    "a matrix after": (lambda x: x @ W.T, lambda x: x @ W.T),
    "NumPy's dot": (lambda x: np.dot(V, np.dot(W, x)) * 2.0, lambda x: 2 * x @ W.T @ V.T),
    "a size": (lambda x: abs(W @ x), lambda x: abs(x @ W.T)),
    "several outputs": (lambda x: [x[0] * x[1], +x], lambda x: np.c_[x[:, 0] * x[:, 1], x]),
    "parts by name": (lambda x: (lambda a, b: concat(1 / b, np.sin(2 * a)))(*x), None),
}
WRITTEN["parts by name"] = (
    WRITTEN["parts by name"][0],
    lambda x: np.stack([1 / x[:, 1], np.sin(2 * x[:, 0])], axis=1),
)


@pytest.mark.parametrize("name", WRITTEN)
def test_what_is_written_is_computed(name):
    """The witness's value of the graph is NumPy's of the same formula."""
    written, expected = WRITTEN[name]
    network = Network.of(written(variables("x1", "x2")))
    value = symnet.analytic.value(network, POINTS)
    np.testing.assert_allclose(value, expected(POINTS), rtol=1e-14, atol=1e-14)


@pytest.mark.parametrize("given", [("x1", "x2"), (["x1", "x2"],), (2,), (sympy.symbols("x1:3"),)])
def test_variables_are_names_a_list_of_names_or_their_number(given):
    """All of them are the inputs x1 and x2, in this order."""
    network = Network.of(Layer(W)(variables(*given)))
    assert network.input_names == ("x1", "x2")


@pytest.mark.parametrize(
    "given", [(), (0,), (-1,), ([],), (1.5,), (True,), (2, "x"), ({"a", "b"},)]
)
def test_what_is_no_name_is_no_variable(given):
    """A count that is none, a number beside a name, a set that has no order."""
    with pytest.raises(ValueError, match=r"give the names of the inputs, as variables\("):
        variables(*given)


def test_softmax_and_layer_norm_have_their_definitions():
    """exp(z)/sum, its logarithm, and (z - mean)/sqrt(variance + epsilon)."""
    x = variables("x1", "x2")
    z = POINTS @ W.T
    value = lambda y: symnet.analytic.value(Network.of(y), POINTS)  # noqa: E731
    soft = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(value(symnet.softmax(Layer(W)(x))), soft, rtol=1e-14)
    np.testing.assert_allclose(value(symnet.log_softmax(Layer(W)(x))), np.log(soft), rtol=1e-13)
    centred = z - z.mean(axis=1, keepdims=True)
    normed = centred / np.sqrt((centred**2).mean(axis=1, keepdims=True) + 1e-5) * 2 + B
    found = value(symnet.layer_norm(Layer(W)(x), scale=2, shift=B))
    np.testing.assert_allclose(found, normed, rtol=1e-13)


@pytest.mark.parametrize(("soft", "alone"), [(symnet.softmax, 1.0), (symnet.log_softmax, 0.0)])
def test_a_softmax_of_a_single_entry_is_a_constant(soft, alone):
    """exp(v)/exp(v) is 1 whatever v is, and its logarithm 0: nothing is computed for them."""
    x = variables("x1", "x2")
    network = Network.of(soft(Layer([[1.0, 2.0]], [0.5], "tanh")(x)))
    assert network.describe() == "2-1, linear"
    assert symnet.analytic.value(network, POINTS).tolist() == [[alone]] * len(POINTS)
    assert "exp" not in symnet.derive(network, order=2).text("neuron")


@pytest.mark.parametrize(("kind", "alone"), [("softmax", 1), ("log_softmax", 0)])
@pytest.mark.parametrize("exact", [False, True])
def test_nodes_of_a_softmax_of_a_single_entry_are_constant(kind, alone, exact, tmp_path):
    """From nodes as from vectors, and of a file: no exponential is left, and weights stay exact."""
    row = [[1, 2]] if exact else [[1.0, 2.0]]
    nodes = [
        Node((Term(row, 0),), None, "activation", TABLE["tanh"]),
        Node((Term(None, 1), Term(row, 0)), None, kind, name="share"),
        Node((Term(None, 2), Term(row, 0)), None),
    ]
    net = Network.from_nodes(nodes)
    assert [node.kind for node in net.nodes] == ["activation", "form", "form"]
    assert net.nodes[1].name == "share"
    assert net.exact == exact
    assert net.expression()[0].equals(net.inputs[0] + 2 * net.inputs[1] + alone)
    symnet.save(net, tmp_path / "net.json")
    assert symnet.load(tmp_path / "net.json") == net


def test_a_graph_that_is_a_chain_becomes_one():
    """Written as a graph or as a list of layers, it is the same network."""
    first, second = Layer(W, B, "tanh"), Layer([[1.0, 2.0, 3.0]])
    network = Network.of(second(first(variables("x1", "x2"))))
    assert network == Network([first, second])
    assert network.is_chain
    assert network.layers == (first, second)


def test_slices_and_concatenation_need_no_nodes():
    """They are blocks of the next layer's matrix, zeros where nothing is taken."""
    x = variables("x1", "x2")
    h = Layer(W, B, "tanh")(x)
    network = Network.of(Layer([[1.0, 2.0, 3.0]])(concat(h[1:], x[0])))
    assert [node.label for node in network.nodes] == ["tanh", "linear"]
    np.testing.assert_array_equal(network.parameters["W2_1"], [[0, 1, 2]])
    np.testing.assert_array_equal(network.parameters["W2_0"], [[3, 0]])


def test_a_sum_stays_a_sum():
    """A skip connection is never multiplied out: no matrix in its node."""
    x = variables("x1", "x2")
    h = Layer(W, B, "tanh")(x)
    network = Network.of(Layer(V)(h + Layer(V, B, "tanh")(h)))
    assert network.nodes[2] == Node((Term(None, 2), Term(None, 1)))
    assert list(network.parameters) == ["W1", "b1", "W2", "b2", "W4"]


def test_exact_weights_stay_exact():
    """Slices and scales of exact weights are exact, and doubles beside doubles."""
    x = variables("x1", "x2")
    exact = Network.of(Layer([[Fraction(1, 3), 2]])(x) * Fraction(1, 2) + x[0])
    assert exact.exact
    x1, x2 = exact.inputs
    assert exact.expression()[0].expand() == x1 * sympy.Rational(7, 6) + x2
    floats = Network.of(Layer([[0.5, 2.0]], None, "tanh")(2 * x) + x[0])
    assert {array.dtype for array in floats.parameters.values()} == {np.dtype(float)}


def test_symbols_may_be_weights():
    """A graph of letters keeps them."""
    a = sympy.Symbol("a")
    x = variables("x1", "x2")
    network = Network.of(a * x[0] + Layer([[1, a]], None, "tanh")(x))
    assert network.symbols == {a}
    assert network.subs({"a": 2}).expression()[0].has(sympy.tanh)


@pytest.mark.parametrize("depth", [3, 2000])
def test_any_depth(depth):
    """No recursion over the graph."""
    h = variables("x1", "x2")
    layer = Layer([[0.1, 0.2], [0.3, 0.1]], None, "tanh")
    for _ in range(depth):
        h = layer(h) + h
    network = Network.of(h)
    assert network.depth == 2 * depth
    assert len(network.describe()) < 100


def test_a_description_tells_the_first_nodes_and_the_last():
    """A graph of many nodes that do not repeat themselves is still described in a line."""
    h = variables("x1", "x2")
    for name in ("tanh", "sin", "exp", "cos", "mish") * 6:
        h = Layer(np.eye(2), None, name)(h) * h[:1]
    told = Network.of(Layer([[1.0, 2.0]])(h)).describe()
    assert told.startswith("2-1, graph of 61 nodes: tanh 2, product 2, sin 2, product 2")
    assert told.endswith(", …, linear 1")
    assert len(told) < 200


X = variables("x1", "x2")
WRONG = {
    "width of a layer": (lambda: Layer(V)(X), "weights have 3 columns, but the vector has 2"),
    "width of a sum": (lambda: X + Layer(W)(X), "2 entries and one of 3 have no sum"),
    "width of a product": (lambda: X * Layer(W)(X), "vectors of 2 and 3 entries have no product"),
    "width of numbers": (lambda: np.ones(3) + X, "3 numbers for a vector of 2 entries"),
    "a matrix of numbers": (lambda: V * Layer(W)(X), r"shape \(.*\) for a vector of 3 .* is W @ v"),
    "a column of numbers": (lambda: X + np.ones((2, 1)), r"shape \(2, 1\) for a vector of 2"),
    "numbers in a product": (lambda: np.ones(3) @ X, "the matrix has 3 columns, but the vector"),
    "nan in a product": (lambda: [np.nan, 1] @ X, r"weight \[0, 0\] is nan"),
    "ragged rows": (lambda: [[1, 2], [3]] @ X, "weights are ragged"),
    "index": (lambda: X[5], "out of bounds"),
    "an axis more": (lambda: X[:, None], "of 2 entries has one axis, not 2"),
    "an axis before": (lambda: X[None], "of 2 entries has one axis, not 2"),
    "SymPy's function": (lambda: sympy.sin(X[0]), "no SymPy expression; write functions of it"),
    "no entry": (lambda: X[2:], "no entry of a vector of 2"),
    "matrix": (lambda: V @ X, "the matrix has 3 columns, but the vector has 2 entries"),
    "function": (lambda: apply("tahn", X), "did you mean 'tanh'"),
    "NumPy's function": (lambda: np.arctan2(X, X), "arctan2 is not for vectors of a network"),
    "NumPy's other function": (lambda: np.outer(X, X), "outer is not for vectors of a network"),
    "NumPy's options": (lambda: np.exp(X, out=np.ones(2)), "exp takes vectors .* without options"),
    "NumPy's axis": (lambda: np.sum(X, axis=1), "sum is over all entries of a vector"),
    "NumPy's types": (lambda: np.mean(X, dtype=np.float32), "mean is over all entries"),
    "an axis to join": (lambda: np.concatenate([X, X], axis=1), "have one axis; found axis 1"),
    "an array of vectors": (lambda: np.array([X, X]), "no array of numbers; join vectors by"),
    "a scalar product": (lambda: X @ Layer(W)(X), "of 2 and 3 entries have no scalar product"),
    "zero": (lambda: X / 0, "divided by 0"),
    "nan": (lambda: X * np.nan, "must be finite"),
    "no variables": (lambda: variables(), "give the names"),
    "two sets": (lambda: Network.of(X[0] + variables("u")), "one set of variables"),
    "no vector": (lambda: Network.of(3), "y is of type int"),
    "a layer of numbers": (lambda: Layer(W)(np.ones(2)), "applied to a vector"),
    "names": (lambda: Network.of(variables("x1", "x1")), "already the name"),
    "concat of numbers": (
        lambda: concat(X, 1),
        "concat is of a vector of symnet.variables, not int",
    ),
    "concat of nothing": (lambda: concat(), "give vectors of a network, at least one"),
}


@pytest.mark.parametrize(
    "ask",
    [
        *(lambda: X == 0, lambda: X != X, lambda: X[0] > 0, lambda: X <= [1, 2]),
        *(lambda: max(X[0], X[1]), lambda: bool(X), lambda: X if X else 0, lambda: X in (V, X[0])),
        *(lambda: np.where(X > 0, X, 0), lambda: np.ones(2) == X, lambda: np.float64(1) < X),
    ],
)
def test_a_vector_is_not_compared(ask):
    """`x == 0` was False, and `if x:` True, whatever x is: such a network was another one."""
    with pytest.raises(TypeError, match=r"compared|is not for vectors of a network"):
        ask()
    assert X in [X]
    assert len({X, X[0]}) == 2


def test_sympys_numbers_are_factors_and_terms():
    """On both sides of a vector, which prints on a line."""
    z = sympy.Rational(1, 3) * X - sympy.Rational(1, 2)
    (value, _) = Network.of(z).expression()
    assert value == sympy.Symbol("x1") / 3 - sympy.Rational(1, 2)
    assert repr(z) == "Vector(2 wide)"


@pytest.mark.parametrize("name", WRONG)
def test_what_does_not_fit_is_refused(name):
    """By name, with what was found and what was expected."""
    call, message = WRONG[name]
    with pytest.raises((ValueError, TypeError, IndexError), match=message):
        call()


@pytest.mark.complete(every=9)
@pytest.mark.parametrize("name", ELEMENTWISE)
def test_functions_go_by_their_names(name, tmp_path):
    """As activations of layers, in every notation, in files and in NumPy's spelling of them."""
    shift = 1.5 if name in ("acosh", "loggamma", "digamma") else 0.0
    network = Network.of(apply(name, 0.4 * variables("x1", "x2") + shift))
    assert [node.activation.name for node in network.nodes if node.activation][-1] == name
    derivation = symnet.derive(network, order=1)  # of a second order the digits take seconds
    for backend in ("numpy", "c"):
        f = derivation.compile(backend)  # checked; more points where the witness has them at once
        assert name in ("loggamma", "digamma") or symnet.check(network, f).ok
    if hasattr(np, name):
        expected = getattr(np, name)(0.4 * POINTS + shift)
        np.testing.assert_allclose(symnet.analytic.value(network, POINTS), expected, rtol=1e-13)
    for notation in ("layer", "neuron", "expanded"):
        assert name in derivation.text(notation) or notation == "expanded"
    symnet.save(network, tmp_path / "net.json")
    assert symnet.load(tmp_path / "net.json") == network
    other = Layer([[1, 0], [0, 1]], None, Activation(name, Z**7))
    with pytest.raises(ValueError, match=r"is used by generated|differs from another"):
        Network.of(apply(name, X) + other(X))


ONE = ((1.0, 2.0),)
NODES = {
    "later source": ([Node((Term(None, 1),))], 2, "needs vector 1, which does not precede it"),
    "columns": ([Node((Term(ONE, 0),))], 3, "weights have 2 columns, but x has 3 entries"),
    "sum": (
        [Node((Term(ONE, 0),)), Node((Term(None, 0), Term(None, 1)))],
        2,
        "adds vectors of different widths: 2 from x, 1 from node 1",
    ),
    "product": (
        [Node((Term(((1.0,) * 3,) * 2, 0),)), Node((Term(None, 1),), None, "product", None, 0)],
        3,
        "multiplies a vector of 2 entries by one of 3",
    ),
    "unused": ([Node((Term(ONE, 0),)), Node((Term(ONE, 0),))], 2, "node 1: nothing uses it"),
    "no nodes": ([], 2, "at least one node"),
}


@pytest.mark.parametrize("name", NODES)
def test_nodes_that_do_not_fit_are_refused(name):
    """The message names the node."""
    nodes, n, message = NODES[name]
    with pytest.raises(ValueError, match=message):
        Network.from_nodes(nodes, n)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (((Term(ONE, 0),), None, "relu"), "kind 'relu' of a node is none of"),
        (((Term(ONE, 0),), None, "activation"), "needs activation"),
        (((Term(ONE, 0),), None, "product"), "needs factor"),
        (((Term(ONE, 0),), None, "form", None, 0), "has no factor"),
        (((), None), "give at least one"),
        (((Term(ONE, 0), Term(ONE, 0)),), "each once"),
        (((Term(ONE, 0),), [1.0, 2.0]), "bias has 2 entries"),
        (((Term(ONE, 0),), [np.nan]), "must be finite"),
    ],
)
def test_nodes_that_cannot_be(arguments, message):
    """A node checks what it can by itself."""
    with pytest.raises(ValueError, match=message):
        Node(*arguments)


@pytest.mark.parametrize(
    ("call", "what"),
    [
        (symnet.softmax, "softmax"),
        (symnet.log_softmax, "log_softmax"),
        (symnet.mean, "mean"),
        (symnet.layer_norm, "layer_norm"),
        (lambda v: symnet.prelu(v, 0.1), "prelu"),
        (lambda v: symnet.apply("tanh", v), "apply"),
        (lambda v: symnet.maximum(v, 2), "maximum"),
        (lambda v: symnet.minimum(2, v), "minimum"),
    ],
)
def test_functions_of_vectors_refuse_numbers(call, what):
    """By their name, and that of what is needed."""
    with pytest.raises(TypeError, match=rf"^{what} is of a vector of symnet\.variables, not"):
        call(np.ones(3))


def test_vectors_are_joined_from_a_list_too():
    x = variables("a", "b")
    assert Network.of(concat([x, 2 * x])) == Network.of(concat(x, 2 * x))


def test_inputs_are_named_or_counted_by_anything_that_does():
    """An iterator of names, a number of NumPy's; no truth value, and no string for its letters."""
    nodes = (Node((Term(np.ones((1, 2)), 0),)),)
    names = Network.from_nodes(nodes, (name for name in "ab")).input_names
    assert names == ("a", "b")
    assert Network.from_nodes(nodes, np.int64(2)).n == 2
    with pytest.raises(ValueError, match="the number of inputs is True; a whole number"):
        Network.from_nodes(nodes, True)
    for text in ("ab", "abc"):
        with pytest.raises(ValueError, match="inputs: give a sequence of names"):
            Network.from_nodes(nodes, text)
        with pytest.raises(ValueError, match="inputs: give a sequence of names"):
            renamed(Network.from_nodes(nodes), Options(inputs=text))


@pytest.mark.parametrize("name", ["W2", "w2"])
def test_activations_are_not_called_as_weights_are(name):
    """Of two matrices W2_0 and W2_1, which functions of W2 would be called, too."""
    own, h = Activation(name, Z**2 + Z), Layer([[1.0, 0.5]], None, "tanh")(X)
    both = Layer([[2.0, 1.0, 1.0]])(concat(h, X))
    with pytest.raises(ValueError, match=rf"node 3: activation: '{name}' is what .* weights W2_"):
        Network.of(symnet.apply(own, both))
    alone = Network([Layer([[1.0]], None, own)])
    assert symnet.derive(alone).compile().checked


def test_a_chain_has_no_graphs_layers_and_the_other_way_round():
    """`layers` of a graph is refused with what to look at."""
    network = Network.of(X + Layer([[1.0, 0.0], [0.0, 1.0]], None, "tanh")(X))
    with pytest.raises(ValueError, match="look at its nodes"):
        _ = network.layers
