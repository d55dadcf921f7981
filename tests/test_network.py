"""Layer and Network: what they keep, what they compare, what they refuse and with which words."""

from __future__ import annotations

import copy
import dataclasses
import math
import pickle
from fractions import Fraction

import mpmath
import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import Float, Integer, Rational, Symbol, exp, tanh

import strategies
import symnet
from symnet.activations import TABLE, Activation, Z
from symnet.names import check_label, check_name
from symnet.network import Layer, Network, nesting
from symnet.witness import analytic

x1, x2, w11 = sympy.symbols("x1 x2 w11")


def one_layer(weights, **names):
    """A network of one linear layer without bias."""
    return Network([Layer(weights)], **names)


# --- numbers ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "weights",
    [
        [[0.5, -1.0], [2.0, 1e300], [0.1, 3.0]],
        np.array([[0.5, -1.0], [2.0, 1e300], [0.1, 3.0]]),
        np.asfortranarray([[0.5, -1.0], [2.0, 1e300], [0.1, 3.0]]),
        sympy.Matrix([[0.5, -1.0], [2.0, 1e300], [0.1, 3.0]]),
        ((0.5, np.float64(-1.0)), np.array([2.0, 1e300]), [Float(0.1), 3.0]),
    ],
)
def test_floats_become_a_double_array_row_by_row(weights):
    """Every container of floats gives the same float64 matrix, neurons along the rows."""
    layer = Layer(weights, [1.0, 2.0, 3.0])
    assert layer.weights.dtype == np.float64
    assert layer.weights.tolist() == [[0.5, -1.0], [2.0, 1e300], [0.1, 3.0]]
    assert (layer.outputs, layer.inputs) == (3, 2)
    assert not layer.exact


def test_single_precision_is_widened_without_rounding():
    """A float32 weight keeps its value."""
    assert Layer(np.array([[0.1]], dtype=np.float32)).weights[0, 0] == float(np.float32(0.1))


@pytest.mark.parametrize(
    ("entry", "kept"),
    [
        (3, Integer(3)),
        (np.int64(-3), Integer(-3)),
        (Fraction(1, 3), Rational(1, 3)),
        (Rational(-2, 7), Rational(-2, 7)),
        (w11, w11),
    ],
)
def test_exact_entries_stay_exact(entry, kept):
    """Integers, fractions and symbols are kept as SymPy objects, not as floats."""
    layer = Layer([[entry, 1]], [entry])
    assert layer.weights.dtype == object
    assert layer.weights.tolist() == [[kept, Integer(1)]]
    assert layer.bias.tolist() == [kept]
    assert layer.exact


def test_an_integer_array_is_exact():
    """NumPy's integers are as exact as Python's."""
    assert Layer(np.eye(2, dtype=int)).weights.tolist() == [[1, 0], [0, 1]]
    assert Layer(np.eye(2, dtype=int)).exact


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=1e-320))
def test_a_float_among_exact_numbers_keeps_all_its_bits(value):
    """In a mixed layer a float becomes the Float of the same 53 bits."""
    layer = Layer([[value, 1]])
    assert isinstance(layer.weights[0, 0], Float)
    assert float(layer.weights[0, 0]) == value
    assert layer.numbers()[0].tolist() == [[value, 1.0]]
    assert not layer.exact


def test_exact_numbers_are_rounded_once():
    """numbers() gives the double nearest to a fraction, also with huge numerators."""
    big = Fraction(10**400 + 1, 3 * 10**400)
    (weights, bias), *_ = Network([Layer([[Fraction(1, 3), big]], [2])]).numbers()
    assert weights.tolist() == [[1 / 3, 1 / 3]]
    assert bias.tolist() == [2.0]
    assert weights.dtype == bias.dtype == np.float64


def test_arrays_are_copies_and_read_only():
    """Neither the caller's array nor the layer's can change a network afterwards."""
    weights, bias = np.ones((2, 2)), np.ones(2)
    layer = Layer(weights, bias)
    weights[0, 0] = bias[0] = 5
    assert layer.weights[0, 0] == layer.bias[0] == 1
    for array in (layer.weights, layer.bias, Layer([[w11]]).weights, Layer([[1]]).numbers()[0]):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 2


def test_layers_and_networks_are_frozen():
    """Attributes can't be assigned."""
    net = Network.example()
    with pytest.raises(dataclasses.FrozenInstanceError):
        net.layers = ()
    with pytest.raises(dataclasses.FrozenInstanceError):
        net.layers[0].bias = None


# --- refusals of layers -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([[1.0, math.nan]], r"weight \[0, 1\] is nan; weights must be finite"),
        (np.array([[1.0], [-np.inf]]), r"weight \[1, 0\] is -inf; weights must be finite"),
        ([[1, math.inf]], r"weight \[0, 1\] is inf"),
        ([[sympy.oo]], r"weight \[0, 0\] is oo; weights must be finite"),
        ([[sympy.nan]], r"weight \[0, 0\] is nan; weights must be finite"),
        ([[1, 2], [3]], r"ragged: row 1 has 1 entries, but row 0 has 2"),
        ([[1.0, 2.0], [3.0]], r"ragged: row 1 has 1 entries, but row 0 has 2"),
        ([], "weights are empty"),
        ([[]], "weights are empty"),
        (np.ones((0, 3)), "weights are empty"),
        (np.ones((3, 0)), "weights are empty"),
        ([1.0, 2.0], "weights: row 0 must be a list of numbers, not 1.0"),
        (1.0, "weights must be a list of numbers, not 1.0"),
        (None, "weights must be a list of numbers, not None"),
        ("12", "weights must be a list of numbers, not '12'"),
        (np.ones((2, 2, 2)), r"weight \[0, 0\] is array"),
        ([[True]], r"weight \[0, 0\] is True, a truth value"),
        (np.array([[True]]), r"weight \[0, 0\] is True, a truth value"),
        ([[1j]], r"weight \[0, 0\] is 1j, a complex number"),
        (np.array([[1j]]), r"weight \[0, 0\] is .*a complex number"),
        ([["1/3"]], r"weight \[0, 0\] is '1/3'; use float, int, Fraction"),
        ([[None]], r"weight \[0, 0\] is None"),
        ([[2 * w11]], r"weight \[0, 0\] is the expression 2\*w11; use a number or one symbol"),
        ([[sympy.pi]], r"weight \[0, 0\] is the expression pi"),
        ([[sympy.I]], r"weight \[0, 0\] is the expression I"),
        ([[Float("0.1", 50)]], r"weight \[0, 0\] is a Float finer than double precision"),
        (np.ones((1, 1), dtype=np.longdouble), r"is of type longdouble; convert it to float"),
        ([[10**4001]], r"weight \[0, 0\] has more than 4000 digits"),
        ([[Fraction(1, 10**4001)]], r"weight \[0, 0\] has more than 4000 digits"),
        ([[Symbol("w", real=True)]], r"symbol w carries assumptions; use Symbol\('w'\)"),
        ([[sympy.Dummy("w")]], "symbol w carries assumptions"),
        ([[Symbol("import os")]], r"weight \[0, 0\]: 'import os' is no plain name"),
        ([[Symbol("exp")]], r"weight \[0, 0\]: the name 'exp' is used"),
        (np.ma.masked_array([[1.0]], [[True]]), "masked arrays are not accepted"),
    ],
)
def test_bad_weights_are_refused(weights, message):
    """Each kind of bad weight is named by place and value, in one line."""
    with pytest.raises(ValueError, match=message) as caught:
        Layer(weights)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("bias", "message"),
    [
        ([1.0], "bias has 1 entries, but weights have 2 rows"),
        (np.ones(3), "bias has 3 entries, but weights have 2 rows"),
        ([1.0, math.nan], r"bias \[1\] is nan"),
        (np.array([math.inf, 1.0]), r"bias \[0\] is inf"),
        ([1.0, False], r"bias \[1\] is False"),
        (np.ones((2, 2)), r"bias \[0\] is array"),
        (1.0, "bias must be a list of numbers"),
    ],
)
def test_a_bad_bias_is_refused(bias, message):
    """A bias has one entry a neuron, each a finite real number or symbol."""
    with pytest.raises(ValueError, match=message):
        Layer(np.ones((2, 3)), bias)


@pytest.mark.parametrize("bias", [np.array([[1.0, 2.0]]), np.array([[1.0], [2.0]])])
def test_a_bias_may_be_a_row_or_a_column(bias):
    """As it is added to x @ W, or to W @ x."""
    assert Layer(np.ones((2, 3)), bias).bias.tolist() == [1.0, 2.0]


def test_an_unknown_activation_is_refused():
    """The table's own message reaches the user."""
    with pytest.raises(ValueError, match="sigmoid"):
        Layer([[1]], None, "sigmiod")


# --- refusals of networks -----------------------------------------------------------------------


def test_shapes_between_layers_are_checked():
    """The message names both layers and both numbers."""
    first, second = Layer(np.ones((4, 2))), Layer(np.ones((1, 3)))
    with pytest.raises(
        ValueError, match=r"^layer 2: weights have 3 columns, but layer 1 has 4 neurons$"
    ):
        Network([first, second])


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ({"inputs": ["x"]}, "inputs: 1 names, but the network has 2 inputs"),
        ({"outputs": ["p", "q"]}, "outputs: 2 names, but the network has 1 outputs"),
        ({"inputs": "ab"}, r"inputs: give a sequence of names such as \('ab',\)"),
        ({"inputs": ["p", "p"]}, "input: 'p' is already the name of an input"),
        ({"inputs": ["p", "y"]}, "output: 'y' is already the name of an input"),
        ({"inputs": ["p", ""]}, "input: '' is no name"),
        ({"inputs": ["p", " q"]}, "input: ' q' is no name"),
        ({"inputs": ["p", "x\n"]}, r"input: 'x\\n' is no name; use one printable line"),
        ({"inputs": ["p", "x\u2028"]}, "is no name"),
        ({"inputs": ["p", "x" * 101]}, "is no name"),
        ({"inputs": ["p", 3]}, "input: 3 is no name"),
        ({"inputs": ["p", Symbol("lambda")]}, "input: the name 'lambda' is used"),
        ({"inputs": ["p", Symbol("T [K]")]}, r"input: 'T \[K\]' is no plain name"),
        ({"inputs": ["p", "T [K]"], "outputs": ["T [K]"]}, "output: 'T \\[K\\]' is already"),
        ({"inputs": ["p", Symbol("q", positive=True)]}, "symbol q carries assumptions"),
        ({"name": "a\nb"}, "network name 'a.nb': use one printable line"),
        ({"name": '"""'}, "network name"),
        ({"name": "*/"}, "network name"),
        ({"name": "x" * 101}, "network name"),
        ({"name": ""}, "network name ''"),
        ({"name": "\u202etxt"}, "network name"),
    ],
)
def test_bad_names_are_refused(names, message):
    """Names must be safe in generated text, distinct, and as many as the shapes say."""
    with pytest.raises(ValueError, match=message) as caught:
        one_layer([[1.0, 2.0]], **names)
    assert "\n" not in str(caught.value)


def test_weight_symbols_may_not_be_inputs_or_outputs():
    """A weight symbol x1 would be differentiated as the input."""
    with pytest.raises(ValueError, match="weight symbol: 'x1' is already the name of an input"):
        one_layer([[x1]])
    with pytest.raises(ValueError, match="weight symbol: 'y' is already the name of an output"):
        one_layer([[Symbol("y")]])


@pytest.mark.parametrize("name", ["w11", "W1_1", "b1", "W1", "beta", "theta_2", "c"])
def test_usual_names_of_weights_are_allowed(name):
    """What users call weight symbols works."""
    assert one_layer([[Symbol(name)]]).symbols == {Symbol(name)}


@pytest.mark.parametrize("name", ["x", "rho", "T", "E", "bmi", "dx", "t_wall", "alpha", "Z", "u"])
def test_usual_names_of_inputs_are_allowed(name):
    """Physical quantities keep their names."""
    assert one_layer([[1]], inputs=[name]).inputs == (Symbol(name),)
    assert check_name(name, "input") == name


@pytest.mark.parametrize("label", ["surrogate", "Net 2 (trained), v1.0", "Wasser-Dichte", "ρ–T"])
def test_usual_labels_are_allowed(label):
    """A heading may be any ordinary line of text."""
    assert check_label(label) == one_layer([[1]], name=label).name == label


def test_networks_need_layers():
    """No layer, and things that are none."""
    with pytest.raises(ValueError, match="at least one layer"):
        Network([])
    with pytest.raises(ValueError, match=r"layer 2 is of type ndarray; use symnet\.Layer"):
        Network([Layer([[1.0]]), np.ones((1, 1))])


def test_one_name_means_one_activation():
    """Two different functions of one name, or a table's name for another function, are refused."""
    u = Symbol("u")
    swish = Activation("swish2", u / (1 + exp(-2 * u)))
    other = Activation("swish2", u / (1 + exp(-3 * u)))
    assert Network([Layer([[1]], None, swish), Layer([[1]], None, swish)]).depth == 2
    with pytest.raises(ValueError, match="layer 2: its activation 'swish2' differs"):
        Network([Layer([[1]], None, swish), Layer([[1]], None, other)])
    with pytest.raises(ValueError, match="'tanh' is taken by the table"):
        Network([Layer([[1]], None, Activation("tanh", u**2))])
    with pytest.raises(ValueError, match="layer 1: activation: the name 'np' is used"):
        Network([Layer([[1]], None, Activation("np", u**2))])


# --- names and description ----------------------------------------------------------------------


def test_default_names():
    """x1..xn, and y or y1..ym."""
    assert one_layer([[1, 2, 3]]).inputs == sympy.symbols("x1 x2 x3")
    assert one_layer([[1]]).outputs == (Symbol("y"),)
    assert one_layer([[1], [2]]).outputs == sympy.symbols("y1 y2")


def test_names_may_be_strings_or_symbols():
    """Both give plain symbols."""
    net = one_layer([[1, 2]], inputs=["rho", Symbol("T")], outputs=[Symbol("p")])
    assert net.inputs == sympy.symbols("rho T")
    assert net.outputs == (Symbol("p"),)


def test_shape_and_description():
    """Counts and the one-line forms."""
    net = Network.dense([2, 8, 5, 3], hidden=["sigmoid", "tanh"], output_bias=False)
    assert (net.n, net.m, net.depth, net.widths) == (2, 3, 3, (2, 8, 5, 3))
    assert net.weights_count == 2 * 8 + 8 + 8 * 5 + 5 + 5 * 3
    assert net.describe() == "2-8-5-3, sigmoid, tanh, linear without bias"
    assert repr(net) == "Network(2-8-5-3: sigmoid, tanh, linear without bias)"
    assert repr(net.layers[1]) == "Layer(8-5: tanh)"


def test_deep_networks_are_described_briefly():
    """Runs of equal layers are counted."""
    net = Network.dense([2, *[8] * 500, 1])
    assert net.describe() == "2-8 (x500)-1, sigmoid (x500), linear"


def test_kinks_name_each_activation_once():
    """Empty for smooth networks."""
    net = Network.dense([1, 2, 2, 1], hidden="relu")
    assert net.kinks == (TABLE["relu"],)
    assert Network.example().kinks == ()


# --- equality, hash, pickling -------------------------------------------------------------------


@settings(max_examples=40)
@given(strategies.networks(kinds=["float", "exact", "symbolic", "mixed"]))
def test_pickles_and_copies_are_equal_and_read_only(net):
    """A network survives pickle and deepcopy by value."""
    for twin in (pickle.loads(pickle.dumps(net)), copy.deepcopy(net)):
        assert twin == net
        assert hash(twin) == hash(net)
        assert not any(a.flags.writeable for layer in twin.layers for a in layer.arrays)


def test_equality_is_by_content():
    """Every part counts but the label; floats by their bits, exact 1 is not 1.0."""
    base = Network.dense([2, 2, 1], fill=0.5)
    assert base == Network.dense([2, 2, 1], fill=0.5, name="other")
    different = [
        Network.dense([2, 2, 1], fill=np.nextafter(0.5, 1)),
        Network.dense([2, 2, 1], fill=Fraction(1, 2)),
        Network.dense([2, 2, 1], fill=0.5, hidden="tanh"),
        Network.dense([2, 2, 1], fill=0.5, output_bias=False),
        Network.dense([2, 2, 1], fill=0.5, inputs=["p", "q"]),
        Network.dense([2, 2, 1], fill=0.5, outputs=["p"]),
        "no network",
    ]
    assert base not in different
    assert Layer([[0.0]]) != Layer([[-0.0]])
    assert Layer([[1.0, 2.0]]) != Layer([[1.0], [2.0]])
    assert len({base, Network.dense([2, 2, 1], fill=0.5)}) == 1


# --- dense --------------------------------------------------------------------------------------


def test_dense_is_reproducible():
    """The same seed gives the same bits; no seed is seed 0; another seed differs."""
    assert Network.dense([3, 4, 2]) == Network.dense([3, 4, 2], seed=0)
    assert Network.dense([3, 4, 2], seed=1) != Network.dense([3, 4, 2], seed=2)
    weights = np.random.default_rng(7).uniform(-1.0, 1.0, (4, 2))  # sqrt(6/(2 + 4)) = 1
    assert np.array_equal(Network.dense([2, 4, 1], seed=7).layers[0].weights, weights)


def test_dense_keeps_glorots_bound():
    """Weights fill ±sqrt(6/(in + out)), biases ±1/sqrt(in)."""
    layer = Network.dense([50, 100], seed=3).layers[0]
    assert 0.19 < np.abs(layer.weights).max() <= 0.2
    assert 0.12 < np.abs(layer.bias).max() <= 1 / math.sqrt(50)


def test_dense_fills_exactly():
    """fill=1 is the integer, fill=0.5 the float, a symbol itself."""
    assert Network.dense([2, 3, 1], fill=1).exact
    assert not Network.dense([2, 3, 1], fill=1.0).exact
    assert Network.dense([2, 3, 1], fill=w11).symbols == {w11}
    assert Network.dense([2, 1], fill=0.5).layers[0].weights.tolist() == [[0.5, 0.5]]


def test_dense_places_biases():
    """bias=False leaves out all, output_bias=False only the last."""
    assert [layer.bias is None for layer in Network.dense([1, 1, 1], bias=False).layers] == [1, 1]
    without = Network.dense([1, 1, 1], output_bias=False)
    assert [layer.bias is None for layer in without.layers] == [0, 1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"widths": 2}, "widths 2: give a list from"),
        ({"widths": [2]}, "give a list from the inputs to the outputs"),
        ({"widths": [2, 0]}, "a width is 0; a whole number of at least 1"),
        ({"widths": [2, 1.5]}, "a width is 1.5; a whole number"),
        ({"widths": [2, True]}, "a width is True; a whole number"),
        ({"widths": [2, 1], "fill": 1, "seed": 1}, "either fill or seed"),
        ({"widths": [2, 1], "fill": math.nan}, "fill is nan"),
        ({"widths": [2, 2, 1], "hidden": ["tanh", "tanh"]}, "2 activations, but 1 hidden layers"),
    ],
)
def test_dense_refuses(arguments, message):
    """Wrong widths, counts and fillings."""
    with pytest.raises(ValueError, match=message):
        Network.dense(**arguments)


# --- symbols ------------------------------------------------------------------------------------


def test_symbols_are_replaced_by_name_or_symbol_all_at_once():
    """Exact values stay exact; swapping two symbols does not chain."""
    a, b = sympy.symbols("alpha beta")
    net = one_layer([[a, b]])
    assert net.subs({a: b, "beta": a}).layers[0].weights.tolist() == [[b, a]]
    assert net.subs({"alpha": Fraction(1, 3), b: 2}).layers[0].weights.tolist() == [
        [Rational(1, 3), 2]
    ]
    assert net.subs({a: 0.5, b: 2.0}) == one_layer([[0.5, 2.0]])


def test_subs_keeps_everything_else():
    """Biases are replaced too; activations, names and the label stay."""
    net = Network([Layer([[w11]], [w11], "tanh")], ["p"], ["q"], "label")
    found = net.subs({w11: 3})
    assert found == Network([Layer([[3]], [3], "tanh")], ["p"], ["q"])
    assert found.name == "label"


def test_symbolic_networks_have_no_numbers():
    """The message lists the symbols in order, and says what to do."""
    net = one_layer([[Symbol("w2"), Symbol("w1")]])
    message = r"weights are symbolic \(w1, w2\); give them numbers by subs"
    with pytest.raises(ValueError, match=message):
        net.numbers()
    with pytest.raises(ValueError, match="no weight symbol v; the network has w1, w2"):
        net.subs({"v": 1})
    with pytest.raises(ValueError, match=r"layer 1: weight \[0, 1\] is nan"):
        net.subs({"w1": math.nan})


def test_numbers_beyond_double_precision_are_named():
    """An exact weight may be larger than any double; only numbers() needs one."""
    net = Network([Layer([[1]]), Layer([[10**400]])])
    assert net.expression()[0] == 10**400 * x1
    with pytest.raises(ValueError, match=r"layer 2: weight \[0, 0\] is beyond the range"):
        net.numbers()


# --- expression ---------------------------------------------------------------------------------


def test_the_example_reads_as_in_the_documentation():
    """2-2-1, all weights 1: the sum of two equal sigmoids."""
    (formula,) = Network.example().expression()
    assert formula == 2 / (1 + exp(-x1 - x2 - 1))
    assert formula.subs({x1: 1, x2: 1}).evalf(16) == pytest.approx(1.905148253644866, rel=1e-15)


def test_expression_multiplies_rows_by_columns():
    """Every weight stands at its own place: no transposition, no lost bias."""
    w = [[Symbol(f"w{i}{j}") for j in (1, 2)] for i in (1, 2, 3)]
    c1, c2, c3, v1, v2, v3 = sympy.symbols("c1 c2 c3 v1 v2 v3")
    net = Network([Layer(w, [c1, c2, c3], "tanh"), Layer([[v1, v2, v3], [1, 0, Rational(1, 3)]])])
    a = [tanh(row[0] * x1 + row[1] * x2 + c) for row, c in zip(w, (c1, c2, c3), strict=True)]
    assert net.expression() == sympy.Matrix([v1 * a[0] + v2 * a[1] + v3 * a[2], a[0] + a[2] / 3])


def test_expression_keeps_the_bits_of_floats():
    """A float weight is the Float of 53 bits and nothing shorter."""
    value = 0.1 + 0.2
    assert one_layer([[value]]).expression()[0].coeff(x1) == Float(value, precision=53)


@settings(max_examples=40)
@given(st.data())
def test_expression_agrees_with_a_loop_over_layers(data):
    """y = σ(W a + b), neuron by neuron with mpmath at 30 digits, for every activation."""
    net = data.draw(strategies.networks(width=2))
    (point,) = data.draw(strategies.points(net, count=1, bound=1.0))
    with mpmath.workdps(30):
        vector = [mpmath.mpf(float(v)) for v in point]
        formula = sympy.lambdify(net.inputs, list(net.expression()), "mpmath")
        found = formula(*vector)
        for layer in net.layers:
            vector = forward(layer, vector)
        for f, v in zip(found, vector, strict=True):
            assert mpmath.almosteq(f, v, rel_eps=1e-13, abs_eps=1e-13)


def test_functions_of_much_are_left_as_they_are():
    """SymPy asked of each exponential whether its exponent is real: for minutes, here."""
    net = Network.dense([3, 2, 3, 1], hidden="gelu_tanh", output="exp", seed=0)
    (formula,) = net.expression()
    point = [0.3, -0.7, 1.1]
    function = sympy.lambdify(net.inputs, formula, "math")
    (expected,) = analytic.value(net, point)
    assert function(*point) == pytest.approx(expected, rel=1e-13)


def test_arms_that_nothing_reaches_are_numbers():
    """softsign's z/(1 − z) where z = 1 + hardsigmoid(x1) is 1, and the other arm is taken."""
    net = Network([Layer([[1]], None, "hardsigmoid"), Layer([[1]], [1], "softsign")])
    (formula,) = net.expression()
    for module in ("mpmath", "numpy", "math"):
        function = sympy.lambdify(x1, formula, module)
        assert [float(function(x)) for x in (-5, 5)] == pytest.approx([1 / 2, 2 / 3])


def forward(layer, vector):
    """One layer in mpmath."""
    sigma = sympy.lambdify(Z, layer.activation.value, "mpmath")
    bias = [0.0] * layer.outputs if layer.bias is None else layer.bias
    fraction = strategies.as_fraction
    terms = [
        [fraction(b), *(fraction(w) * exactly(v) for w, v in zip(row, vector, strict=True))]
        for row, b in zip(layer.weights, bias, strict=True)
    ]
    return [sigma(mpmath.mpf(sum(t).numerator) / sum(t).denominator) for t in terms]


def exactly(value):
    """The fraction that an mpmath number is."""
    sign, mantissa, exponent, _ = mpmath.mpf(value)._mpf_
    return (-1) ** sign * int(mantissa) * Fraction(2) ** exponent


@settings(max_examples=25)
@given(strategies.networks(kinds=["float"], width=3, depth=2))
def test_expression_size_bounds_the_operations(net):
    """The prediction is no smaller than what is built."""
    assert sum(map(operations, net.expression())) <= net.expression_size


def operations(expression):
    """Nodes of the tree that are no leaves, and no sign which SymPy took out of an odd function."""
    nodes = [node for node in sympy.preorder_traversal(expression) if node.args]
    return len(nodes) - sum(node.is_Mul and node.args[0] == -1 for node in nodes)


def test_expression_size_is_close_for_dense_networks():
    """Within a factor of 2 where nothing cancels."""
    net = Network.dense([2, 5, 4, 2], hidden="tanh")
    built = sum(map(operations, net.expression()))
    assert built <= net.expression_size <= 2 * built


def test_too_large_expressions_are_refused_at_once():
    """By size and by depth, with the advice which notation to use."""
    wide = Network.dense([2, 64, 64, 64, 1])
    assert wide.expression_size > nesting.LARGEST
    with pytest.raises(ValueError, match=r"2-64-64-64-1 .* use the neuron or layer notation"):
        wide.expression()
    jump = sympy.Piecewise((0, Z < 0), (1, True))
    cases = Network.dense([2, 8, 8, 1], hidden=jump)  # SymPy would write out 2^8 cases
    with pytest.raises(ValueError, match="2-8-8-1 has more than"):
        cases.expression()
    deep = Network.dense([1] * 400)  # few operations, but nested
    assert deep.expression_size < nesting.LARGEST
    with pytest.raises(ValueError, match="399 layers is nested too deeply"):
        deep.expression()


def test_formulas_without_names_are_told_apart():
    """They are custom, custom2, … in the order of the layers; equal ones have one name."""
    first, second = Z * sympy.tanh(Z), Z * sympy.atan(Z)
    net = Network([Layer([[1.0, 2.0]], None, first), Layer([[0.5]], None, second),
                   Layer([[2.0]], None, first)])  # fmt: skip
    assert [layer.activation.name for layer in net.layers] == ["custom", "custom2", "custom"]
    assert [layer.activation.value for layer in net.layers] == [first, second, first]
    assert "custom2(z) = z*arctan(z)" in symnet.derive(net, 1).text("layer")
    y = symnet.derive(net).compile().value([0.25, -0.5])
    wanted = first.subs(Z, 2 * second.subs(Z, 0.5 * first.subs(Z, -0.75)))
    np.testing.assert_allclose(y, [float(wanted)], rtol=1e-14)
    assert pickle.loads(pickle.dumps(net)) == net


def test_formulas_without_names_of_joined_networks_are_told_apart():
    """Each of them called its own formula custom."""
    x = symnet.variables("a", "b")
    one, other = (Network([Layer([[1.0, 2.0]], None, f)]) for f in (Z**2, Z * sympy.cos(Z)))
    net = Network.of(one(x) + 3.0 * other(x))
    assert {n.activation.name for n in net.nodes if n.activation} == {"custom", "custom2"}
    y = symnet.derive(net).compile().value([0.25, -0.5])
    np.testing.assert_allclose(y, [0.75**2 + 3 * -0.75 * math.cos(0.75)], rtol=1e-14)


@pytest.mark.parametrize("given", [Layer([[1.0]]), 3, "net.json"])
def test_layers_are_a_list(given):
    """One by itself is none."""
    with pytest.raises(ValueError, match=r"a network is of a list of layers, Network\(\[layer"):
        Network(given)
