"""The expanded notation: sympy.diff of the network's expression, refused where too large."""

from __future__ import annotations

from fractions import Fraction

import pytest
import sympy
from sympy import Float, Matrix, preorder_traversal, symbols

from symnet import analytic
from symnet.activations import Z
from symnet.formulas import expanded
from symnet.network import Layer, Network

EXACT = Network(
    [Layer([[Fraction(1, 3), -2], [1, Fraction(5, 7)]], [1, Fraction(-1, 2)], "tanh"),
     Layer([[2, -1], [Fraction(1, 9), 3]], [0, 4], "sigmoid")]
)  # fmt: skip
NETWORKS = {
    "example": Network.example(),
    "exact": EXACT,
    "floats": Network.dense([3, 2, 2], hidden="softplus", seed=1),
    "relu": Network.dense([2, 3, 1], hidden="relu", seed=2),
    "linear": Network.dense([2, 1], fill=3),
    "powers": Network(
        [Layer([[0.5, -2.25], [1.5, 0.7]], [0.3, -0.4], "tanh"), Layer([[2.5, -1.1]], [0.1], 10**Z)]
    ),
}
INDICES = [(), (0,), (1,), (0, 0), (0, 1), (1, 1), (0, 1, 1)]

# All weights 1, at (1, 1), in 40-digit arithmetic: (network, y, first partials, second partials).
REFERENCE = [
    (Network.example(), "1.905148253644866", "0.09035331946182427", "-0.08178314932188696"),
    (
        Network.dense([2, 2, 2, 1], fill=1, output_bias=False),
        "1.896200694978303",
        "0.008891865074823118",
        "-0.008768472319421628",
    ),
    (
        Network.dense([2, 2, 2, 1], fill=1, output="sigmoid"),
        "0.9476583038317510",
        "0.0004410546738847584",
        "-0.0004384453925881286",
    ),
]


@pytest.mark.parametrize("inputs", INDICES, ids=str)
@pytest.mark.parametrize("name", NETWORKS)
def test_it_is_exactly_what_sympy_makes_of_the_expression(name, inputs):
    """Not merely equal: the very expression that nested sympy.diff gives, for every output."""
    network = NETWORKS[name]
    for p in range(network.m):
        wanted = network.expression()[p]
        for i in inputs:
            wanted = sympy.diff(wanted, network.inputs[i])
        assert expanded.partial(network, p, inputs) == wanted


HELD = Network(
    [Layer([[0.5, -2.25], [1.5, 0.7]], [0.3, -0.4], "tanh"),
     Layer([[2.5, -1.1], [0.2, 3.5]], [0.1, 0.4], sympy.tan(symbols("z") / 7))]
)  # fmt: skip


@pytest.mark.parametrize("inputs", INDICES, ids=str)
@pytest.mark.parametrize("network", [*NETWORKS.values(), HELD], ids=[*NETWORKS, "held"])
def test_what_is_shown_is_the_same_function(network, inputs):
    """To the rounding of the numbers that pass a slope by."""
    point = dict(zip(network.inputs, map(Float, ("0.3", "-0.7", "1.1")), strict=False))
    for p in range(network.m):
        found, right = (
            sympy.N(of(network, p, inputs).subs(point), 40)
            for of in (expanded.shown, expanded.partial)
        )
        assert abs(found - right) <= 1e-14 * (1 + abs(right))


def test_a_slope_is_shown_together():
    """Neither is its factor multiplied into it, nor are the ones of all neurons added up."""
    network = Network([Layer([[0.5, -2.25]], [0.25], "tanh"), Layer([[2.5]], [0.1])])
    x1, x2 = network.inputs
    t = sympy.tanh(0.5 * x1 - 2.25 * x2 + 0.25)
    assert expanded.partial(network, 0, (0,)) == 1.25 - 1.25 * t**2
    assert set(expanded.shown(network, 0, (0,)).args) == {Float(1.25), 1 - t**2}
    assert set(expanded.shown(network, 0, (0, 1)).args) == {Float(5.625), t, 1 - t**2}


@pytest.mark.parametrize(("network", "value", "first", "second"), REFERENCE)
def test_reference_values(network, value, first, second):
    """Published networks of all ones at (1, 1), to 16 digits."""
    point = dict.fromkeys(network.inputs, 1)
    wanted = {(): value, (0,): first, (1,): first, (0, 0): second, (0, 1): second, (1, 1): second}
    for inputs, number in wanted.items():
        found = expanded.partial(network, 0, inputs).subs(point)
        assert abs(sympy.N(found, 40) - Float(number, 40)) < 6e-16 * abs(Float(number, 40))


def test_mixed_partials_are_one_expression():
    """∂²y/∂x2∂x1 is looked up as ∂²y/∂x1∂x2."""
    network = NETWORKS["floats"]
    assert expanded.partial(network, 1, (2, 0)) is expanded.partial(network, 1, (0, 2))


def test_lower_orders_are_not_derived_again():
    """A second partial takes one more differentiation, of the first partial it builds on."""
    network = Network.dense([2, 2, 1], seed=777)
    expanded.partial(network, 0, (0,))
    derived = expanded._partial.cache_info().misses
    expanded.partial(network, 0, (0, 1))
    assert expanded._partial.cache_info().misses == derived + 1


def test_exact_weights_stay_exact():
    """Fractions in, fractions out: no float appears in any partial."""
    for inputs in INDICES:
        assert not expanded.partial(EXACT, 1, inputs).atoms(Float)


def test_symbolic_weights_give_the_textbook_formula():
    """y = v tanh(w x + b): y′ = v w (1 - tanh²), y″ = -2 v w² tanh (1 - tanh²)."""
    v, w, b, x = symbols("v w b x")
    network = Network([Layer([[w]], [b], "tanh"), Layer([[v]])], inputs=("x",))
    t = sympy.tanh(w * x + b)
    assert expanded.partial(network, 0, (0,)) == v * w * (1 - t**2)
    second = expanded.partial(network, 0, (0, 0))
    assert sympy.expand(second + 2 * v * w**2 * t * (1 - t**2)) == 0


@pytest.mark.parametrize(
    ("widths", "order"), [([2, 32, 32, 1], 2), ([200, 64, 1], 2), ([2, 8, 8, 1], 4)]
)
def test_large_networks_are_refused_at_once(widths, order, monkeypatch):
    """Nothing is built, and the message says what is too much and what to do instead."""
    monkeypatch.setattr(Network, "expression", lambda self: pytest.fail("built the expression"))
    network = Network.dense(widths, seed=0)
    advice = 'use notation "neuron" or "layer"'
    with pytest.raises(ValueError, match=advice) as caught:
        expanded.check_size(network, order)
    assert "-".join(map(str, widths)) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_one_partial_is_refused_by_its_own_size(monkeypatch):
    """A single partial may be affordable where all of them together are not."""
    network = Network.dense([20, 20, 3], seed=0)
    expanded.partial(network, 0, (0, 5))
    with pytest.raises(ValueError, match="formulas up to order 2"):
        expanded.check_size(network, 2)
    monkeypatch.setattr(Network, "expression", lambda self: pytest.fail("built the expression"))
    with pytest.raises(ValueError, match="a formula of order 2"):
        expanded.partial(Network.dense([2, 64, 64, 1], seed=0), 0, (0, 0))


def test_what_takes_sympy_two_minutes_is_right():
    """A tanh of cubes of the same: first partials by the analytic engine's."""
    network = Network.dense([2, 2, 2, 1], "gelu_tanh", seed=3)
    at = dict(zip(network.inputs, (Float(0.3), Float(-0.7)), strict=True))
    found = [float(expanded.partial(network, 0, (i,)).xreplace(at)) for i in (0, 1)]
    assert found == pytest.approx(analytic.jacobian(network, [0.3, -0.7])[0], rel=1e-12)


def test_what_has_to_pass_passes():
    """2-8-8-1 at order 2 is well below the limit."""
    expanded.check_size(Network.dense([2, 8, 8, 1], seed=0), 2)
    expanded.check_size(Network.example(), 4)


@pytest.mark.complete(every=2)
@pytest.mark.parametrize("widths", [[2, 8, 1], [3, 6, 6, 1], [2, 3, 3, 3, 1], [2, 8, 8, 1]])
def test_the_size_told_beforehand_is_about_the_size(widths):
    """Within a factor of two of the operations that SymPy's expression has."""
    network = Network.dense(widths, seed=0)
    for inputs in [(), (0,), (0, 1)]:
        formula = expanded.partial(network, 0, inputs)
        operations = sum(1 for node in preorder_traversal(formula) if node.args)
        assert 0.5 < expanded.size(network, len(inputs)) / operations < 2


def test_too_deep_a_nesting_is_an_error_in_words():
    """400 nested functions are beyond SymPy's recursion: ValueError, not RecursionError."""
    with pytest.raises(ValueError, match="deep"):
        expanded.partial(Network.dense([1] * 400, seed=0), 0, ())


def test_zero_derivatives_are_zero():
    """A linear network's second partials, and relu's everywhere but at its kinks."""
    assert expanded.partial(NETWORKS["linear"], 0, (0, 1)) == 0
    assert expanded.partial(NETWORKS["relu"], 0, (0, 1)) == 0
    assert Matrix([expanded.partial(NETWORKS["linear"], 0, (i,)) for i in (0, 1)]) == Matrix([3, 3])


@pytest.mark.parametrize(("i", "slope"), [(0, "tanh(z)**2"), (1, "-2*tanh(z)**2")])
def test_slopes_are_without_constants_that_cancel(i, slope):
    """Printed as 1 - (1 - tanh²), in which a small slope is lost when numbers are put in."""
    network = Network([Layer([[Fraction(1, 2), -1]], [Fraction(1, 4)], "tanhshrink"), Layer([[2]])])
    z = network.inputs[0] / 2 - network.inputs[1] + sympy.Rational(1, 4)
    assert expanded.shown(network, 0, (i,)) == sympy.sympify(slope).subs("z", z)


@pytest.mark.parametrize("activation", ["softsign", "hardswish", "hardtanh"])
def test_conditions_are_those_of_the_value(activation):
    """Beside z + 1/4 < 0 of the value stood z < -1/4 in its derivatives."""
    network = Network([Layer([[Fraction(1, 2), -1]], [Fraction(1, 4)], activation), Layer([[2]])])
    value, slope = (expanded.shown(network, 0, along) for along in ((), (0,)))
    assert slope.atoms(sympy.core.relational.Relational) == value.atoms(
        sympy.core.relational.Relational
    )
