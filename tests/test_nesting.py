"""Layers put into each other: conditions without cases, and sizes told in advance."""

from __future__ import annotations

import mpmath
import pytest
import sympy
from sympy import Max, Min, Piecewise, exp

from symnet.activations import TABLE, Activation, Z
from symnet.network import Layer, Network, nesting

z = sympy.Symbol("z", real=True)
BY_CASES = [name for name, row in TABLE.items() if row.value.has(Piecewise)]


def without_cases(value):
    """What conditions in later layers are made of."""
    return nesting._formula(Activation("own", value).value).tested


def test_the_table_has_functions_by_cases():
    """So that the tests which follow test something."""
    assert {"relu", "leaky_relu", "elu", "selu", "softsign", "hardswish"} <= set(BY_CASES)


def test_textbook_forms():
    """f(min) + g(max) - f(t), in either order of the cases."""
    assert nesting._formula(TABLE["relu"].value).tested == Max(0, Z)
    assert nesting._formula(TABLE["leaky_relu"].value).tested == Min(0, Z) / 100 + Max(0, Z)
    assert nesting._formula(TABLE["elu"].value).tested == exp(Min(0, Z)) - 1 + Max(0, Z)
    at_two = Piecewise((3 * z, z >= 2), (z**2 + 2, True))
    assert without_cases(at_two) == Min(Z, 2) ** 2 + 3 * Max(Z, 2) - 4
    assert without_cases(exp(-sympy.Abs(z))) == exp(Min(0, Z)) + exp(-Max(0, Z)) - 1


@pytest.mark.parametrize("name", BY_CASES)
def test_without_cases_it_is_the_same_function(name):
    """On both sides, and where the sides meet."""
    value = TABLE[name].value
    tested = nesting._formula(value).tested
    assert not tested.has(Piecewise)
    with mpmath.workdps(30):
        expected, found = (sympy.lambdify(Z, e, "mpmath") for e in (value, tested))
        for at in (-30, -1, -1e-9, 0, 1e-9, 1, 30):
            assert mpmath.almosteq(found(at), expected(at), rel_eps=1e-25, abs_eps=1e-25)


@pytest.mark.parametrize(
    "value",
    [
        Piecewise((0, z < 0), (1, True)),
        Piecewise((z, z < 1), (z + 1e-9, True)),
        Piecewise((1 / z, z < 0), (z, True)),
    ],
    ids=["a jump", "a small jump", "a pole"],
)
def test_what_has_no_such_form_keeps_its_cases(value):
    """And nested it is the same function as ever."""
    assert without_cases(value).has(Piecewise)
    activation = Activation("own", value)
    one = Layer([[0.5]], [0.25], activation)
    network = Network([one, one])
    (formula,) = network.expression()
    for at in (-5.0, -2.5, -0.75, 0.25, 1.5, 4.0):
        expected = at
        for _ in range(2):
            expected = activation.value.subs(Z, 0.5 * expected + 0.25)
        assert abs(formula.subs(network.inputs[0], at) - expected) < 1e-14


def test_cases_within_a_formula_are_found():
    """Not only where all of it is a Piecewise."""
    found = without_cases(z * Max(0, z) + 1)
    assert found == Max(0, Z) ** 2 + 1


@pytest.mark.parametrize(
    "value",
    [
        Piecewise((-1, z < -1), (1, z > 1), (z, True)),
        Piecewise((z**2, z**2 < 1), (2 * z**2 - 1, True)),
    ],
    ids=["three cases", "between two places"],
)
def test_more_cases_than_two_are_written_without_them(value):
    """As far as the arms meet; it is the same function."""
    found = without_cases(value)
    assert not found.has(Piecewise)
    for at in (-5, -1, sympy.Rational(-1, 3), 0, 1, 4):
        assert found.subs(Z, at) == value.subs(z, at)


@pytest.mark.complete(every=3)
@pytest.mark.parametrize("name", BY_CASES)
def test_conditions_stay_conditions(name):
    """One relation for each neuron and case, however deep; none is written out case by case."""
    network = Network.dense([2, 2, 2, 2, 1], hidden=name, seed=0)
    (formula,) = network.expression()
    assert not formula.has(sympy.ITE, sympy.And, sympy.Or)
    assert len(formula.atoms(Piecewise)) <= 6
    x = dict(zip(network.inputs, (0.3, -0.7), strict=True))
    values = [sympy.Float(v) for v in x.values()]
    for layer in network.layers:
        combined = layer.weights @ values + (0 if layer.bias is None else layer.bias)
        values = [layer.activation.value.subs(Z, v) for v in combined]
    assert abs(formula.subs(x) - values[0]) < 1e-14


def test_extreme_weights():
    """Nothing is solved for x1, which with these numbers took minutes or failed."""
    first = Layer([[1e-246], [1.0], [-3e200]], [0.5, -1e-300, 2.0], "relu")
    second = Layer([[1e-246, -2.0, 1e-100], [1.0, 1e246, 3.0]], [1e-246, -1.0], "leaky_relu")
    network = Network([first, second, Layer([[1.0, 1e-246]])])
    (formula,) = network.expression()
    assert formula.subs(network.inputs[0], 0.25) == pytest.approx(0.25 - 0.5 / 100)


@pytest.mark.complete
def test_sizes_bound_what_is_built():
    """With cases and without, at every depth."""
    for name in ("tanh", *BY_CASES):
        for widths in ([2, 3, 1], [1, 3, 3, 2], [2, 2, 2, 2, 1]):
            network = Network.dense(widths, hidden=name, seed=1)
            nodes = [n for n in sympy.preorder_traversal(network.expression()[0]) if n.args]
            signs = sum(n.is_Mul and n.args[0] == -1 for n in nodes if isinstance(n, sympy.Expr))
            assert (
                len(nodes) - signs
                <= nesting.size(network.nodes, network.widths)
                <= 2.5 * len(nodes)
            )
