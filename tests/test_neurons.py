"""The neuron notation: scalar statements, equal to the expanded formulas and to the numbers."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import Add, Float, Mul, Rational, preorder_traversal, symbols
from sympy.printing.pycode import PythonCodePrinter

from scalarvalues import code_names, evaluated, multi_indices
from strategies import SMOOTH, networks, points
from symnet.activations import TABLE, Activation, Z
from symnet.calculus.algebra import Quantity, sigma
from symnet.calculus.neurons import Neurons, neurons
from symnet.calculus.program import Statement
from symnet.formulas import expanded
from symnet.names import check_name
from symnet.network import Layer, Network
from symnet.witness import analytic

EXACT = Network(
    [Layer([[Fraction(1, 3), -2], [1, Fraction(5, 7)]], [1, Fraction(-1, 2)], "tanh"),
     Layer([[2, -1], [Fraction(1, 9), 3]], [0, 4], "sigmoid")]
)  # fmt: skip
SMALL = {
    "example": Network.example(),
    "exact": EXACT,
    "three layers": Network.dense([2, 2, 2, 1], fill=Rational(1, 2), output="sin"),
    "relu": Network.dense([2, 3, 1], hidden="relu", seed=2),
    "floats": Network.dense([2, 3, 2], hidden="gelu", output="softplus", seed=4),
    "linear first": Network.dense([3, 2, 2, 1], hidden=["linear", "tanh"], seed=5),
    "gaussian": Network.dense([1, 2, 1], hidden="gaussian", output="exp", seed=6),
}


def differences(scalars: Neurons, network: Network, order: int) -> list[str]:
    """The results that differ from the expanded notation's at a point, in 30 digits."""
    point = {x: Rational(2 * i + 1, 7) for i, x in enumerate(network.inputs)}
    values = evaluated(scalars, network, point)
    wrong = []
    for p in range(network.m):
        for inputs in multi_indices(network, order):
            formula = expanded.partial(network, p, inputs)
            exact = {f: Rational(float(f)) for f in formula.atoms(Float)}
            wanted = sympy.N(formula.xreplace(exact).xreplace(point), 30)
            result = scalars.results[p, inputs]
            found = values.get(result, result)
            # SymPy rounds floats to 53 bits when it differentiates.
            if abs(found - wanted) > 1e-12 * max(1, abs(wanted)):
                wrong.append(f"{result}: {found}, not {wanted}")
    return wrong


@pytest.mark.complete(every=3)
@pytest.mark.parametrize("order", [0, 1, 2, 3])
@pytest.mark.parametrize("name", SMALL)
def test_it_equals_the_expanded_notation(name, order):
    """Value and all partials of every output, at an exact point in 30 digits."""
    assert differences(neurons(SMALL[name], order), SMALL[name], order) == []


def test_it_equals_the_expanded_notation_symbolically():
    """Substituted into each other, the statements are the expanded formulas: difference zero."""
    network = Network.example()
    formulas = evaluated(neurons(network, 2), network, {x: x for x in network.inputs}, digits=None)
    for (p, inputs), result in neurons(network, 2).results.items():
        difference = formulas[result] - expanded.partial(network, p, inputs)
        assert sympy.simplify(difference) == 0


@pytest.mark.complete(every=3)
@pytest.mark.parametrize("order", [1, 2, 3])
def test_it_equals_the_expanded_notation_exactly(order):
    """Rational activations, weights and points: the same fractions, and the same polynomials."""
    z = symbols("z")
    square = Activation("squared", z**2 - z / 3)
    network = Network([
        Layer([[Fraction(1, 3), -2], [1, symbols("w")]], [1, Fraction(-1, 2)], square),
        Layer([[2, -1], [Fraction(1, 9), 3]], [0, 4], Activation("bump", z / (1 + z**2))),
    ])  # fmt: skip
    scalars = neurons(network, order)
    point = dict(zip(network.inputs, (Rational(2, 3), Rational(-1, 5)), strict=True))
    values = evaluated(scalars, network, point, digits=None)
    for p in range(2):
        for inputs in multi_indices(network, order):
            wanted = expanded.partial(network, p, inputs).xreplace(point)
            assert sympy.cancel(values[scalars.results[p, inputs]] - wanted) == 0


def test_symbolic_weights_stay_symbols():
    """A textbook network: each weight is found in the statements, the formulas are equal."""
    w, b, v, x = symbols("w b v x")
    network = Network([Layer([[w]], [b], "tanh"), Layer([[v]])], inputs=("x",))
    scalars = neurons(network, 2)
    ds = Quantity("dds", 1, (), 1)
    assert Statement(Quantity("a", 1, ("x", "x"), 1), Mul(w**2, ds, evaluate=False)) in (
        scalars.statements
    )
    found = evaluated(scalars, network, {x: x}, digits=None)[Quantity("y", None, ("x", "x"))]
    assert sympy.expand(found - expanded.partial(network, 0, (0, 0))) == 0


@pytest.mark.complete(every=4)
@pytest.mark.parametrize("index", range(32))
def test_a_planted_wrong_sign_is_found(index):
    """One term of any single statement negated: the comparison above notices each."""
    network = Network.dense([2, 2, 1], hidden="sigmoid", output="tanh", seed=8)
    scalars = neurons(network, 2)
    assert len(scalars.statements) == 32
    target, expression = scalars.statements[index].target, scalars.statements[index].expression
    first, *others = Add.make_args(expression)
    planted = Statement(target, Add(-first, *others))
    statements = (*scalars.statements[:index], planted, *scalars.statements[index + 1 :])
    assert differences(scalars, network, 2) == []
    assert differences(replace(scalars, statements=statements), network, 2)


@pytest.mark.parametrize(
    "network",
    [
        Network.dense([2, 8, 8, 1], seed=0),
        Network.dense([3, 5, 4, 2], hidden=["silu", "arctan"], output="softplus", seed=1),
    ],
    ids=["2-8-8-1", "3-5-4-2"],
)
def test_it_equals_the_analytic_engine(network):
    """Larger networks: value, Jacobian and Hessian as the independent NumPy chain rule has them."""
    x = np.linspace(-0.8, 0.9, network.n)
    assert_analytic(network, x)


_DOUBLES = 360  # digits in which 1 + erf(z) of gelu cancels to any double


def assert_analytic(network, x):
    """Compares every result of order 2 with `analytic` at the point x."""
    scalars = neurons(network, 2)
    point = dict(zip(network.inputs, map(float, x), strict=True))
    values = evaluated(scalars, network, point, _DOUBLES)
    y, J, H = (f(network, x) for f in analytic.BY_ORDER)
    wanted = {0: lambda p: y[p], 1: lambda p, i: J[p, i], 2: lambda p, i, j: H[p, i, j]}
    found = {
        (p, inputs): float(values.get(result, result))
        for (p, inputs), result in scalars.results.items()
    }
    assert len(found) == network.m * sum(1 for _ in multi_indices(network, 2))
    scale = max(map(abs, found.values()), default=0.0)
    for (p, inputs), value in found.items():
        assert value == pytest.approx(wanted[len(inputs)](p, *inputs), rel=1e-9, abs=1e-10 * scale)


@settings(max_examples=20)
@given(data=st.data())
def test_random_networks_equal_the_analytic_engine(data):
    """Smooth activations, any widths and biases, exact and float weights, zeros among them."""
    smooth = [name for name in SMOOTH if name != "exp"]
    network = data.draw(networks(activations=smooth))
    assert_analytic(network, data.draw(points(network, count=1))[0])


def test_a_second_partial_is_the_difference_of_firsts():
    """Against the definition, not another derivation: central differences in 50 digits."""
    network = Network.dense([2, 4, 3, 1], hidden="tanh", seed=3)
    scalars, step = neurons(network, 3), Rational(1, 10**12)

    def partial_at(inputs, shift):
        point = (Rational(3, 10), Rational(-7, 10) + shift)
        values = evaluated(scalars, network, dict(zip(network.inputs, point, strict=True)), 50)
        return values[scalars.results[0, inputs]]

    third = partial_at((0, 0, 1), 0)
    after, before = partial_at((0, 0), step), partial_at((0, 0), -step)
    # The product of two weights was rounded to a double; the step's own error is 1e-24.
    assert abs((after - before) / (2 * step) - third) < 1e-15


def test_the_statements_of_the_example():
    """The built-in network in full, as it is printed."""
    found = [
        str(s).replace("sigma(sigmoid, ", "σ(") for s in neurons(Network.example(), 2).statements
    ]
    neuron = ["z1_{0} = x1 + x2 + 1", "a1_{0} = σ(0, z1_{0})",
              "ds1_{0} = σ(1, z1_{0})", "dds1_{0} = σ(2, z1_{0})",
              "a1_{0}_x1 = ds1_{0}", "a1_{0}_x2 = ds1_{0}",
              "a1_{0}_x1x1 = dds1_{0}", "a1_{0}_x1x2 = dds1_{0}",
              "a1_{0}_x2x2 = dds1_{0}"]  # fmt: skip
    output = [f"y{d} = a1_1{d} + a1_2{d}" for d in ("", "_x1", "_x2", "_x1x1", "_x1x2", "_x2x2")]
    assert found == [line.format(k) for k in (1, 2) for line in neuron] + output


def test_numbers_are_folded_and_nothing_superfluous_is_written():
    """Weight 0: no term. Weight ±1: no factor. Constant tangents: in place of their quantity."""
    network = Network(
        [Layer([[2, 0], [0, -1]], None, "linear"), Layer([[0, 1], [3, -1]], None, "sin"),
         Layer([[0, 1]])]
    )  # fmt: skip
    written = {s.target.name: str(s.expression) for s in neurons(network, 1).statements}
    assert written["z1_1"] == "2*x1"
    assert written["z1_2"] == "-x2"
    assert written["z2_1"] == "z1_2"
    assert written["z2_2"] == "3*z1_1 - z1_2"
    assert written["a2_2_x1"] == "6*ds2_2"
    assert written["a2_2_x2"] == "ds2_2"
    assert written["y_x1"] == "a2_2_x1"
    assert not [name for name in written if name.startswith(("z1_1_", "z2_2_x"))]


def test_vanishing_derivatives_are_not_written():
    """relu″ = 0: no second-order quantity, and second order is named as vanishing."""
    scalars = neurons(SMALL["relu"], 2)
    assert scalars.vanishing == (2,)
    assert max(s.target.order for s in scalars.statements) == 1
    assert not [s for s in scalars.statements if s.target.letter == "dds"]
    assert scalars.results[0, (0, 1)] == 0


@pytest.mark.parametrize("name", SMALL)
def test_statements_are_in_an_order_of_evaluation(name):
    """Each uses inputs, weights and what was computed before it; each target once."""
    network, known = SMALL[name], set()
    for statement in neurons(network, 3).statements:
        used = statement.expression.free_symbols - set(network.inputs)
        assert used <= known
        assert statement.target not in known
        known.add(statement.target)


def test_each_derivative_of_an_activation_is_evaluated_once():
    """Every σ⁽ʳ⁾(z) stands in one statement, however many partials use it."""
    scalars = neurons(Network.dense([3, 4, 4, 2], output="tanh", seed=0), 2)
    nodes = [n for s in scalars.statements for n in s.expression.atoms(sigma)]
    assert len(nodes) == len(set(nodes)) == 3 * (4 + 4 + 2)


def test_it_grows_linearly_with_the_weights():
    """Nodes per weight stay the same from width 6 to 24, and are few."""
    per_weight = []
    for width in (6, 12, 24):
        network = Network.dense([2, width, width, width, 1], seed=0)
        nodes = sum(
            sum(1 for _ in preorder_traversal(s.expression)) for s in neurons(network, 2).statements
        )
        per_weight.append(nodes / network.weights_count)
    assert per_weight == sorted(
        per_weight, reverse=True
    )  # what a neuron takes weighs less and less
    assert 6 * 3 < per_weight[-1] < 30  # weight, quantity, product: in z, two ∂z, three ∂²z


def test_code_names_are_unique_identifiers_which_users_cannot_take():
    """Also for inputs whose names joined are alike: a + ab and aa + b, a_b + c and a + b_c."""
    network = Network.dense([6, 2, 1], seed=0, inputs=("a", "ab", "aa", "b", "a_b", "b_c"))
    scalars = neurons(network, 2)
    names = code_names(scalars, network)
    assert set(names) == {s.target for s in scalars.statements}
    assert len(set(names.values())) == len(names)
    assert names[Quantity("a", 1, ("aa", "b"), 2)] == "dda1_2_3_4"
    for name in names.values():
        with pytest.raises(ValueError, match="generated formulas"):
            check_name(name, "input")


def test_source_code_can_be_made_of_it():
    """SymPy's Python printer and the code names: lines that run and give the analytic numbers."""
    network = Network.dense([2, 3, 3, 2], hidden="sigmoid", seed=1, inputs=("p", "q"))
    scalars = neurons(network, 2)
    names = code_names(scalars, network)
    printer = PythonCodePrinter({"fully_qualified_modules": False})
    code = []
    for statement in scalars.statements:
        nodes = statement.expression.atoms(sigma)
        forms = {n: sympy.diff(TABLE[n.name].value, Z, n.order).subs(Z, n.argument) for n in nodes}
        coded = {q: symbols(name) for q, name in names.items()}
        expression = statement.expression.xreplace(forms).xreplace(coded)
        code.append(f"{names[statement.target]} = {printer.doprint(expression)}")
    scope = {"exp": np.exp, "p": 0.4, "q": -1.1}
    exec("\n".join(code), scope)
    H = analytic.hessian(network, np.array([0.4, -1.1]))
    for (p, inputs), result in scalars.results.items():
        if len(inputs) == 2:
            assert scope[names[result]] == pytest.approx(H[(p, *inputs)], rel=1e-12)
