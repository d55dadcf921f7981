"""Printed formulas: what stands there is executed, compared with stored pages, and typeset."""

from __future__ import annotations

import math
import re
import shutil
import subprocess
from fractions import Fraction
from itertools import combinations_with_replacement, product
from pathlib import Path

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import Rational, Symbol, symbols

import symnet
from strategies import EVERYWHERE, SMOOTH, networks, points
from symnet import catalogue, derive, formulas
from symnet.activations import TABLE, Z
from symnet.backends.numpy import special
from symnet.formulas import expanded, labels, lines, tex
from symnet.formulas.lines import BREAK, CASE, IF, SOFT
from symnet.formulas.plain import TextPrinter, UnicodePrinter
from symnet.names import text_partial
from symnet.network import Layer, Network
from symnet.network.building import variables
from symnet.witness import analytic

MODULES = [{"erfcx": special.erfcx}, "math"]
TEXTBOOK = Network(
    [Layer([symbols("w11 w12"), symbols("w21 w22")], symbols("b_1 b_2"), "tanh"),
     Layer([symbols("v1 v2")])],
    inputs=("rho", "bmi"), outputs=("T",), name="textbook",
)  # fmt: skip
PAIR = Network(
    [Layer([[1e-05, 0.1], [3.0, -2.5]], [0.1, 1e-07], "sigmoid"),
     Layer([[1, Fraction(-2, 3)], [0, Fraction(1, 3)]], None, "arctan")],
    inputs=("p", "q"), outputs=("lift", "drag"),
)  # fmt: skip
NETWORKS = {
    "example": Network.example(),
    "surrogate": Network.dense([2, 8, 8, 1], seed=0, name="surrogate"),
    "three": Network.dense([2, 3, 3], seed=1, output="softplus"),
    "relu": Network.dense([2, 3, 2, 1], hidden="relu", seed=0),
    "textbook": TEXTBOOK,
    "pair": PAIR,
    "deep": Network.dense([2] + [4] * 30 + [1], seed=0),
    "gelu": Network.dense([1, 2, 1], hidden="gelu", seed=0),
    "linear": Network.dense([3, 2], seed=0),
}
PAGES = [
    ("example", 2, "expanded", "text", None),
    ("example", 2, "neuron", "text", None),
    ("example", 2, "layer", "text", None),
    ("example", 2, "layer", "unicode", None),
    ("surrogate", 2, "layer", "unicode", None),
    ("surrogate", 3, "layer", "text", None),
    ("three", 2, "layer", "unicode", None),
    ("three", 2, "neuron", "unicode", 4),
    ("relu", 2, "expanded", "text", 3),
    ("relu", 2, "neuron", "text", 3),
    ("relu", 2, "layer", "unicode", None),
    ("textbook", 2, "expanded", "unicode", None),
    ("textbook", 2, "neuron", "unicode", None),
    ("textbook", 2, "layer", "text", None),
    ("pair", 1, "expanded", "text", None),
    ("pair", 2, "expanded", "unicode", 4),
    ("pair", 2, "neuron", "text", None),
    ("deep", 2, "layer", "unicode", None),
    ("gelu", 2, "layer", "text", None),
    ("linear", 2, "layer", "unicode", None),
]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: "-".join(map(str, page)))
def test_text_is_as_stored(page, golden):
    """Representative pages, character by character; no line wider than 100 columns."""
    name, order, notation, form, digits = page
    text = formulas.text(NETWORKS[name], order, notation, form, digits)
    golden(f"{name}-{order}-{notation}-{form}.txt", text)
    assert max(map(len, text.splitlines())) <= 100


@pytest.mark.parametrize(
    ("name", "notation"),
    [("example", "expanded"), ("textbook", "neuron"), ("surrogate", "layer"), ("pair", "expanded")],
)
def test_latex_is_as_stored(name, notation, golden):
    """LaTeX of each notation, character by character."""
    golden(f"{name}-2-{notation}.tex", formulas.latex(NETWORKS[name], 2, notation, 4))


@pytest.mark.parametrize(
    ("name", "notation"), [("example", "expanded"), ("textbook", "neuron"), ("relu", "layer")]
)
def test_mathml_is_as_stored(name, notation, golden):
    """HTML of each notation, character by character."""
    golden(f"{name}-2-{notation}.html", formulas.text(NETWORKS[name], 2, notation, "mathml", 4))


def test_the_example_reads_as_promised():
    """The formulas which the design shows for the built-in network."""
    printed = formulas.text(Network.example()).splitlines()
    assert printed[0] == "2-2-1, sigmoid, linear without bias"
    assert printed[1] == "y          = 2/(1 + exp(-x1 - x2 - 1))"
    assert printed[2] == "∂y/∂x1     = 2*exp(-x1 - x2 - 1)/(1 + exp(-x1 - x2 - 1))**2"


def test_the_layer_notation_reads_as_promised():
    """The sum over layers, and each quantity in it."""
    printed = formulas.text(NETWORKS["surrogate"], 2, "layer", "unicode")
    assert printed.startswith("surrogate: 2-8-8-1, sigmoid, sigmoid, linear\n")
    for line in (
        "y          = w₃·a₂ + b₃",
        "∂y/∂xᵢ     = w₃·(σ′(z₂) ⊙ t₂ᵢ)",
        "∂²y/∂xᵢ∂xⱼ = w₃·(σ″(z₂) ⊙ t₂ᵢ ⊙ t₂ⱼ) + λ₁·(σ″(z₁) ⊙ t₁ᵢ ⊙ t₁ⱼ)",
        "  z₂ = W₂ a₁ + b₂     a₂ = σ(z₂)     t₂ᵢ = W₂ (σ′(z₁) ⊙ t₁ᵢ)",
        "  λ₁ = W₂ᵀ (w₃ ⊙ σ′(z₂))",
        "  σ(z) = 1/(1 + exp(−z))     σ′ = σ·(1 − σ)     σ″ = σ·(1 − σ)·(1 − 2·σ)",
    ):
        assert line in printed.splitlines()


# --- what is printed is executed ------------------------------------------------------------------


def equations(text):
    """`(label, right side)` of every printed line, broken formulas joined again."""
    joined = re.sub(r"\n +(?=[-+*/@]|and |or |if |else )", " ", text)
    found = []
    for line in joined.splitlines():
        cells = re.split(r" {5}(?=\S+ +=|\()", line.strip())
        found += [cell.split(" = ", 1) for cell in cells if " = " in cell]
    return [(label.strip(), right.strip()) for label, right in found]


FUNCTIONS = {
    **{name: getattr(math, name) for name in ("exp", "log", "sin", "cos", "tanh", "sqrt", "pi")},
    "erf": math.erf,
    "arctan": math.atan,
    "asinh": math.asinh,
}


def label_of(output, names):
    """∂²y/∂x1∂x2, as printed."""
    return text_partial(output.name, names)


@pytest.mark.complete(every=4)
@pytest.mark.parametrize("activation", EVERYWHERE)
def test_expanded_text_is_python(activation):
    """Every printed right side, evaluated by Python, has the derivative's value."""
    network = Network.dense([2, 2, 1], hidden=activation, output="tanh", seed=3)
    point = {"x1": 0.3, "x2": -0.7}
    printed = dict(equations(formulas.text(network)))
    assert len(printed) == 6
    for names in [(), ("x1",), ("x2",), ("x1", "x1"), ("x1", "x2"), ("x2", "x2")]:
        found = eval(printed[label_of(network.outputs[0], names)], dict(FUNCTIONS), dict(point))
        formula = expanded.partial(network, 0, tuple(int(name[1]) - 1 for name in names))
        wanted = float(sympy.N(formula.subs(point), 30))
        assert found == pytest.approx(wanted, rel=1e-12, abs=1e-13)


@settings(max_examples=15)
@given(data=st.data())
def test_expanded_text_of_random_networks_is_python(data):
    """Exact and float weights of every sign: printed signs, orders and parentheses are right."""
    smooth = [name for name in SMOOTH if name != "exp"]
    network = data.draw(networks(activations=smooth, inputs=(1, 2), width=2, depth=2, outputs=1))
    x = data.draw(points(network, count=1))[0]
    point = {s.name: v for s, v in zip(network.inputs, x.tolist(), strict=True)}
    printed = dict(equations(formulas.text(network, 1)))
    found = [
        eval(printed[label_of(network.outputs[0], names)], dict(FUNCTIONS), dict(point))
        for names in [(), *((s.name,) for s in network.inputs)]
    ]
    assert found[0] == pytest.approx(analytic.value(network, x)[0], rel=1e-9, abs=1e-9)
    assert found[1:] == pytest.approx(analytic.jacobian(network, x)[0], rel=1e-9, abs=1e-9)


def run_neurons(text, point):
    """The printed statements executed in order, labels and primed functions made identifiers."""
    statements = [(label, right) for label, right in equations(text) if "_i" not in label]
    definition = re.compile(r"[a-z]+'*(\(z\))?")
    results = ("lift", "drag", "y")
    statements = [s for s in statements if s[0] in results or not definition.fullmatch(s[0])]
    names = {label: f"v{i}" for i, (label, _) in enumerate(statements)}
    longest_first = sorted(names, key=len, reverse=True)
    pattern = re.compile("|".join(rf"(?<!\w){re.escape(n)}(?![\w²³])" for n in longest_first))
    scope = dict(point)
    for name, row in TABLE.items():
        for r in range(3):
            scope[f"{name}_{r}"] = sympy.lambdify(Z, row.derivative(r), MODULES)
    for label, right in statements:
        code = re.sub(r"([a-z_]+)('*)\(", lambda m: f"{m[1]}_{len(m[2])}(", right)
        scope[names[label]] = eval(pattern.sub(lambda m: names[m[0]], code), {}, scope)
    return {label: scope[name] for label, name in names.items()}


@pytest.mark.parametrize("name", ["example", "surrogate", "relu", "pair"])
def test_neuron_text_gives_the_numbers(name):
    """All printed lines run one after another: value, Jacobian and Hessian of every output."""
    network = NETWORKS[name]
    x = np.array([0.3, -0.7])
    values = run_neurons(
        formulas.text(network, 2, "neuron"),
        {s.name: v for s, v in zip(network.inputs, x.tolist(), strict=True)},
    )
    y, J, H = (f(network, x) for f in analytic.BY_ORDER)
    names = [s.name for s in network.inputs]
    for p, output in enumerate(network.outputs):
        assert values[output.name] == pytest.approx(y[p], rel=1e-12)
        for i, j in combinations_with_replacement(range(network.n), 2):
            first = values[label_of(output, [names[i]])]
            assert first == pytest.approx(J[p, i], rel=1e-11, abs=1e-14)
            second = values.get(label_of(output, [names[i], names[j]]), 0.0)
            assert second == pytest.approx(H[p, i, j], rel=1e-11, abs=1e-14)


def run_layers(text, network, x, chosen, output):
    """The printed layer formulas as NumPy takes them, with i, j, k chosen and y_p selected."""
    letters = dict(zip("ijk", chosen, strict=False))
    scope = {"x": x, "p": output, "e_p": np.eye(network.m)[output], **letters}
    for k, (layer, (W, b)) in enumerate(zip(network.layers, network.numbers(), strict=True), 1):
        single = network.m == 1 and k == network.depth
        scope[f"w{k}" if single else f"W{k}"] = W[0] if single else W
        if b is not None:
            scope[f"b{k}"] = b[0] if single else b
        name = layer.activation.name
        for r in range(4):
            function = sympy.lambdify(Z, layer.activation.derivative(r), MODULES)
            scope[f"{name}_{r}"] = np.vectorize(function, otypes=[float])
    results, made = [], []
    for label, right in equations(text):
        code = re.sub(r"([a-z_]+)('*)\(", lambda m: f"{m[1]}_{len(m[2])}(", right)
        (results if label == "y" or "y/" in label or "y_p/" in label else made).append(
            (label, code)
        )
    for label, code in sorted(made, key=lambda line: line[0].startswith("lam")):
        free = re.search(r"_([ijk]+)$", label)
        for letters in product("ijk"[: len(chosen)], repeat=len(free[1]) if free else 0):
            swap = dict(zip(free[1], letters, strict=True)) if free else {}
            one, line = renamed(label, swap), renamed(code, swap)
            if re.fullmatch(r"[a-z]+\d+(_\w+)?", label):
                scope[one] = eval(line, {}, scope)
                for other in set(permuted(one)):
                    scope[other] = scope[one]
    return {label: eval(code, {}, scope) for label, code in results if usable(label, len(chosen))}


def renamed(text, swap):
    """The text with its directions exchanged, in t1_ij and in W1[:, i]."""
    turn = lambda m: "".join(swap.get(c, c) for c in m[0])  # noqa: E731
    return re.sub(r"(?<=_)[ijk]+\b|(?<=, )[ijk](?=\])|(?<=\[)[ijk](?=\])", turn, text)


def permuted(name):
    """t1_ij and t1_ji are one quantity."""
    head, _, tail = name.partition("_")
    if not tail or "p" in tail:
        return []
    orders = product(tail, repeat=len(tail))
    return [f"{head}_{''.join(order)}" for order in orders if sorted(order) == sorted(tail)]


def usable(label, order):
    """Whether a result needs no more directions than were chosen."""
    return label.count("_i") + label.count("_j") + label.count("_k") <= order


@pytest.mark.parametrize(
    "network",
    [
        *(NETWORKS[name] for name in ("example", "surrogate", "three", "relu", "linear")),
        Network.dense([2, 3, 4, 2, 1], hidden=["sin", "silu", "gelu"], output="sigmoid", seed=4),
        Network.dense([3, 3, 2, 3], hidden=["linear", "tanh"], output="exp", seed=5),
    ],
    ids=lambda network: network.describe(),
)
def test_layer_text_gives_the_numbers(network):
    """The printed layer notation, run by NumPy: value, gradient and Hessian of every output."""
    x = np.linspace(0.4, -0.6, network.n)
    y, J, H = (f(network, x) for f in analytic.BY_ORDER)
    text = formulas.text(network, 2, "layer")
    for p, i, j in product(range(network.m), range(network.n), range(network.n)):
        found = run_layers(text, network, x, (i, j), p)
        value, first, second = (np.atleast_1d(entry) for entry in found.values())
        assert value[p] == pytest.approx(y[p], rel=1e-12)
        assert np.broadcast_to(first, network.m)[p] == pytest.approx(J[p, i], rel=1e-11, abs=1e-15)
        assert second[0] == pytest.approx(H[p, i, j], rel=1e-11, abs=1e-15)


def test_layer_text_of_third_order_gives_the_numbers():
    """∂³y/∂xᵢ∂xⱼ∂xₖ with its mixed tangents, against the expanded formula."""
    network = Network.dense([2, 3, 2, 1], hidden="tanh", seed=7)
    x = np.array([0.2, -0.5])
    text = formulas.text(network, 3, "layer")
    for chosen in [(0, 0, 0), (0, 0, 1), (0, 1, 1), (1, 1, 1)]:
        *_, third = run_layers(text, network, x, chosen, 0).values()
        formula = expanded.partial(network, 0, chosen)
        wanted = formula.subs(dict(zip(network.inputs, x, strict=True)))
        assert third == pytest.approx(float(wanted), rel=1e-10)


@pytest.mark.parametrize("wrong", [("+ lam1", "- lam1"), ("''(z2)", "'(z2)"), ("W2.T", "W2")])
def test_a_wrong_layer_formula_is_found(wrong):
    """A planted sign, order of derivative and transposition: the execution above notices."""
    network = NETWORKS["surrogate"]
    text = formulas.text(network, 2, "layer")
    planted = text.replace(*wrong)
    assert planted != text
    x = np.array([0.4, -0.6])
    right, changed = (run_layers(t, network, x, (0, 1), 0) for t in (text, planted))
    label = "∂²y/∂x_i∂x_j"
    assert right[label] == pytest.approx(analytic.hessian(network, x)[0, 0, 1], rel=1e-11)
    assert abs(changed[label] - right[label]) > 1e-6


# --- size -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["text", "unicode"])
def test_layer_notation_does_not_depend_on_widths(form):
    """The same characters for 2-8-8-1 and for 300-500-400-1."""
    pages = [
        formulas.text(Network.dense(widths, seed=0), 2, "layer", form).partition("\n")
        for widths in ([2, 8, 8, 1], [300, 500, 400, 1])
    ]
    assert pages[0][2] == pages[1][2]
    assert pages[0][0] != pages[1][0]


@pytest.mark.complete(every=3)
@pytest.mark.parametrize("notation", ["text", "unicode", "latex"])
def test_500_layers_alike_are_one_line(notation):
    """No recursion, and a page as short as 30 layers' but for the longer numbers."""
    deep = Network.dense([2] + [8] * 500 + [1], seed=0)
    if notation == "latex":
        text = formulas.latex(deep, 2, "layer")
        assert r"\sum_{k=1}^{499}" in text
    else:
        text = formulas.text(deep, 2, "layer", notation)
        assert "(k = 2" in text
    assert len(text) < 1200


def test_layers_that_differ_are_not_drawn_together():
    """A run ends where the activation changes or a bias is missing."""
    layers = [Layer(np.eye(2), [0.0, 0.0], "tanh") for _ in range(12)]
    layers[6] = Layer(np.eye(2), None, "tanh")
    text = formulas.text(Network([*layers, Layer([[1.0, 1.0]])]), 1, "layer", "unicode")
    assert "(k = 2, …, 6)" in text
    assert "z₇ = W₇ a₆  " in text
    assert "(k = 8, …, 12)" in text


def test_neuron_text_grows_linearly():
    """Characters per weight stay the same from width 12 to width 48."""
    lengths = []
    for width in (12, 24, 48):
        network = Network.dense([2, width, width, 1], seed=0)
        lengths.append(len(formulas.text(network, 2, "neuron")) / network.weights_count)
    assert max(lengths) < 1.1 * min(lengths)


# --- numbers, names, order of terms ---------------------------------------------------------------

x1, x2, x10, w = symbols("x1 x2 x10 w")


@pytest.mark.parametrize(
    ("expression", "text", "pretty"),
    [
        (sympy.Float(0.1) * x1, "0.1*x1", "0.1·x₁"),
        (sympy.Float(1e-05) * x1, "1e-05*x1", "1·10⁻⁵·x₁"),
        (sympy.Float(-3.0) * x1, "-3.0*x1", "−3.0·x₁"),
        (Rational(1, 3), "1/3", "1/3"),
        (Rational(-2, 3) * x1, "-2*x1/3", "−2·x₁/3"),
        (1 + x2 + x1 - x10, "x1 + x2 - x10 + 1", "x₁ + x₂ − x₁₀ + 1"),
        (w * x2 + w + 3 * x1, "3*x1 + w*x2 + w", "3·x₁ + w·x₂ + w"),
        (1 + sympy.exp(-x1), "1 + exp(-x1)", "1 + exp(−x₁)"),
        (x1 * (x1 + 1) ** -2 / x2, "x1/(x2*(x1 + 1)**2)", "x₁/(x₂·(x₁ + 1)²)"),
        ((x1 + x2) ** 2 * -1, "-(x1 + x2)**2", "−(x₁ + x₂)²"),
        (sympy.sqrt(x1) ** 3, "x1**(3/2)", "x₁^(3/2)"),
        (1 / sympy.sqrt(sympy.pi), "1/sqrt(pi)", "1/√π"),
        (sympy.sqrt(2) * x1 / 2, "x1/sqrt(2)", "x₁/√2"),
        (sympy.sqrt(2) * x1 / 3, "sqrt(2)*x1/3", "√2·x₁/3"),
        (sympy.sqrt(2) * x1 / sympy.sqrt(sympy.pi), "2*x1/sqrt(2*pi)", "2·x₁/√(2·π)"),
        (-3 * sympy.sqrt(2 / sympy.pi) / 35, "-6/(35*sqrt(2*pi))", "−6/(35·√(2·π))"),
        ((-x1) ** w, "(-x1)**w", "(−x₁)^w"),
        (x1 - 2 * (x1 - x2), "-x1 + 2*x2", "−x₁ + 2·x₂"),
        (sympy.exp(1) * x1, "exp(1)*x1", "exp(1)·x₁"),
        (x1**2 * x2 + x1**2 + x1, "x1**2*x2 + x1**2 + x1", "x₁²·x₂ + x₁² + x₁"),
    ],
    ids=str,
)  # fmt: skip
def test_expressions(expression, text, pretty):
    """Floats, fractions, signs, powers, and the order: inputs, weights alone, numbers."""
    inputs = (x1, x2, x10)
    assert lines.unbroken(TextPrinter(inputs).doprint(expression)) == text
    assert lines.unbroken(UnicodePrinter(inputs).doprint(expression)) == pretty


@settings(max_examples=200)
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_floats_are_shown_with_the_digits_that_give_them_back(value):
    """Every double, to the last bit."""
    assert float(TextPrinter().doprint(sympy.Float(value, precision=53))) == value


def test_rounded_products_have_no_factor_one():
    """As a person writes it; with all digits 1.0 is a float, and stands."""
    net = Network([Layer([[1.0, -1.0]], [0.5], "tanh"), Layer([[0.999999]])])
    assert "y = tanh(x1 - x2 + 0.5)\n" in formulas.text(net, 0, digits=4)
    assert "y = 0.999999*tanh(1.0*x1 - 1.0*x2 + 0.5)\n" in formulas.text(net, 0)
    inverse = Network([Layer([[1.0]], None, "reciprocal")])
    assert "y = 1/x1\n" in formulas.text(inverse, 0, digits=4)


def test_digits_round_what_is_shown():
    """Three digits of a weight; exact numbers stay."""
    network = Network([Layer([[0.123456, Rational(1, 3)]], [2.0])])
    assert "y = 0.123*x1 + x2/3 + 2\n" in formulas.text(network, 0, digits=3)
    assert "y = 0.123456*x1 + x2/3 + 2.0\n" in formulas.text(network, 0)


@pytest.mark.parametrize(
    ("name", "pretty", "tex"),
    [
        ("x1", "x₁", "x_{1}"),
        ("x12", "x₁₂", "x_{12}"),
        ("rho", "ρ", r"\rho"),
        ("rho2", "ρ₂", r"\rho_{2}"),
        ("bmi", "bmi", r"\mathrm{bmi}"),
        ("body_mass", "body_mass", r"\mathrm{body\_mass}"),
        ("T_in", "T_in", r"T_{\mathrm{in}}"),
        ("w1_2", "w₁,₂", "w_{1,2}"),
        ("x", "x", "x"),
    ],
)
def test_names(name, pretty, tex):
    """Numbers go below, Greek letters become Greek, words stand upright."""
    assert labels.unicode_name(name) == pretty
    assert labels.latex_name(name) == tex


@pytest.mark.parametrize("format", ["unicode", "latex"])
def test_a_line_ends_where_parentheses_do_rather_than_behind_the_next(format):
    """…)·(1 and then − tanh(…)²): a factor was torn off where the line before had room to end."""
    path = Path(__file__).parents[1] / "examples" / "diabetes.json"
    text = derive(symnet.load(path)).text("expanded", format)
    assert len(re.findall(r"\(1 [-−+]", text)) == 2 * 3 + 3 * 3
    assert not re.search(r"\(1[ \\]*$", text, re.MULTILINE)


def test_labels_of_partials():
    """Equal directions are a power, different ones are listed."""
    assert text_partial("y", []) == "y"
    assert text_partial("y", ["x1"]) == "∂y/∂x1"
    assert text_partial("y", ["x1", "x1", "x2"]) == "∂³y/∂x1²∂x2"
    assert labels.latex_partial("y", ["a", "b"]) == r"\frac{\partial^{2} y}{\partial a\,\partial b}"


def test_kinks_are_said_once_and_only_where_they_are():
    """relu, leaky_relu and selu say what is taken at 0; smooth networks say nothing."""
    for notation in catalogue.NOTATIONS:
        said = " ".join(formulas.text(NETWORKS["relu"], 2, notation, digits=2).split())
        note = (
            "relu has a kink at 0: its derivative there is taken as 0; "
            "second partials of relu are zero almost everywhere"
        )
        assert said.count(note) == 1
        assert note in " ".join(formulas.latex(NETWORKS["relu"], 2, notation).split())
        assert "kink" not in formulas.text(Network.example(), 2, notation)
    leaky = formulas.text(Network.dense([1, 1, 1], hidden="leaky_relu", seed=0), 1, "layer")
    assert "leaky_relu has a kink at 0: its derivative there is taken as 1/100;" in leaky
    assert "zero almost" not in formulas.text(Network.dense([1, 1], output="selu"), 1, "layer")


def test_kinks_are_written_as_formulas_have_numbers():
    """2.5, not 2.50000000000000."""
    network = Network([Layer([[1.0, 2.0]], [0.5], "clip(-1, 2.5)")])
    assert "has a kink at -1 and 2.5: its" in formulas.text(network, 1, "layer")
    leaky = formulas.text(Network.dense([1, 1], output="leaky_relu(0.3)", seed=0), 1, "layer")
    assert "is taken as 0.3;" in " ".join(leaky.split())


def test_inputs_and_outputs_with_names_are_listed():
    """x = (p, q) and y = (lift, drag) in the layer notation; a single output is called by name."""
    printed = formulas.text(PAIR, 2, "layer", "unicode")
    assert "  x = (p, q)\n  y = (lift, drag)\n" in printed
    assert "∂T/∂xᵢ" in formulas.text(TEXTBOOK, 2, "layer", "unicode")
    many = Network.dense([30, 1], seed=0, inputs=[f"in_{i}x" for i in range(30)])
    assert "x = (in_0x, in_1x, in_2x, ..., in_29x)" in formulas.text(many, 1, "layer")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"notation": "matrix"}, "unknown notation 'matrix'; choose expanded, neuron, layer"),
        ({"format": "html"}, "unknown format 'html'; choose text, unicode, latex"),
        ({"digits": 0}, "digits is 0; a whole number of at least 1"),
    ],
)
def test_wrong_arguments(arguments, message):
    """Named, with what is possible."""
    with pytest.raises(ValueError, match=re.escape(message)):
        formulas.text(Network.example(), **arguments)


def test_too_large_an_expansion_is_refused():
    """As `expanded.check_size` has it, before anything is printed."""
    with pytest.raises(ValueError, match='use notation "neuron" or "layer"'):
        formulas.latex(Network.dense([2, 32, 32, 1], seed=0), 2, "expanded")


@given(st.lists(st.text("ab(), ", min_size=1, max_size=12), min_size=1, max_size=30), st.data())
def test_broken_lines_lose_nothing(parts, data):
    """Joined again, lines are the text; none is empty."""
    marks = [data.draw(st.sampled_from([CASE, IF, BREAK, SOFT])) for _ in parts]
    text = "".join(m + p for m, p in zip(marks, parts, strict=True)).removeprefix(marks[0])
    found = lines.broken(text, data.draw(st.integers(1, 40)), lambda level: 2 * level)
    assert "".join(p.text for p in found).replace(" ", "") == lines.unbroken(text).replace(" ", "")


def test_lines_are_broken_at_the_outermost_operators():
    """Between terms rather than inside the parentheses of one."""
    formula = f"f(a {BREAK}+ b) {BREAK}+ g(c {BREAK}- d)"
    parts = lines.broken(formula, 14, lambda level: 0)
    assert [part.text for part in parts] == ["f(a + b)", "+ g(c - d)"]
    assert [part.level for part in lines.broken(formula, 7, lambda level: 0)] == [0, 2, 0, 2]


def test_conditions_are_not_broken_where_a_case_may_be():
    """However early the next case begins; a sum in the last one is broken between its terms."""
    value, long = "v" * 30, "w" * 25
    formula = (
        f"{{{value} {IF}if b {BREAK}- 3 < 0, {CASE}else c*d {BREAK}+ f{SOFT}*(g {BREAK}+ {long})}}"
    )
    parts = lines.broken(formula, 40, lambda level: 0)
    assert [part.text for part in parts] == [
        f"{{{value}",
        "if b - 3 < 0,",
        "else c*d",
        f"+ f*(g + {long})}}",
    ]


def test_a_case_stays_beside_its_condition():
    """However short the case before it is; its value was in a line, and its condition in the next.

    One that has no room beside it is in a line of its own.
    """
    formula = f"2*{{0 {IF}if z < 0, {CASE}{'v' * 20} {IF}if z < 3, {CASE}else z}}"
    found = [part.text for part in lines.broken(formula, 40, lambda level: 0)]
    assert found == ["2*{0 if z < 0,", f"{'v' * 20} if z < 3, else z}}"]
    found = [part.text for part in lines.broken(formula, 25, lambda level: 0)]
    assert found == ["2*{0 if z < 0,", "v" * 20, "if z < 3, else z}"]
    network = Network([Layer([[0.5, -1.0]], [0.25], "hardswish"), Layer([[2.0]])])
    text = formulas.text(network, 2, "expanded", "unicode", 4)
    assert not [line for line in text.splitlines() if line.lstrip().startswith("if ")]


def test_factors_stand_below_each_other():
    """The second is not broken where it has a line of its own, however short the first."""
    first, long = "v" * 30, "w" * 15
    formula = f"{first}{SOFT}*(b {BREAK}+ 3){SOFT}*(c {BREAK}+ {long} {BREAK}+ 0.2)"
    parts = lines.broken(formula, 30, lambda level: 0)
    assert [part.text for part in parts] == [first, "*(b + 3)", f"*(c + {long} + 0.2)"]


def test_short_sums_are_not_broken_where_their_product_may_be():
    """10**(...)*(x1 + 3), not (x1 in one line and + 3) in the next."""
    product = sympy.tanh(x1 + x2 + w) * sympy.exp(x1) * (x1 + 3)
    printed = TextPrinter((x1, x2)).doprint(product)
    parts = lines.broken(printed, 31, lambda level: 0)
    assert [part.text for part in parts] == ["exp(x1)*tanh(x1 + x2 + w)", "*(x1 + 3)"]


# --- LaTeX ----------------------------------------------------------------------------------------


def test_cases_stand_beside_their_factor():
    """A table is as wide as its widest row, not as all of them."""
    network = Network([Layer([[0.5, -1.0]], [0.25], "clip(-1, 2.5)"), Layer([[2.0]], [0.1])])
    assert r"&= 2.0\,\begin{cases} 0 &" in formulas.latex(network, 1)


needs_pdflatex = pytest.mark.skipif(not shutil.which("pdflatex"), reason="no pdflatex installed")


def typeset(source, folder):
    """The log of a real pdflatex; fails the test with its error messages."""
    (folder / "page.tex").write_text(source, encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "page.tex"]
    done = subprocess.run(command, cwd=folder, capture_output=True, check=False)
    log = (folder / "page.log").read_text(encoding="latin-1")
    assert done.returncode == 0, "\n".join(line for line in log.splitlines() if line[:1] == "!")
    return log


@needs_pdflatex
@pytest.mark.parametrize("notation", catalogue.NOTATIONS)
def test_latex_compiles_and_fits_the_page(notation, tmp_path):
    """Every network in one document: no error, nothing sticks out by more than 3 pt."""
    # The expanded formulas of some are many pages long, and say nothing that others don't.
    chosen = set(NETWORKS) - ({"surrogate", "three", "deep"} if notation == "expanded" else set())
    bodies = [formulas.latex(NETWORKS[name], 2, notation) for name in sorted(chosen)]
    log = typeset(tex.document("\n\n".join(bodies), 'A_title: 100% & "more"'), tmp_path)
    wide = [float(excess) for excess in re.findall(r"Overfull \\hbox \(([\d.]+)pt", log)]
    assert [excess for excess in wide if excess > 3] == []


@needs_pdflatex
def test_widths_are_estimated_well(tmp_path):
    """Within 12 % of what TeX measures, or a few points."""
    formulas = [
        r"0.7116807745607325\,x_{1} - 0.8972988942744877\,x_{2}",
        r"\frac{\partial^{2} a_{1,3}}{\partial x_{1}\,\partial x_{2}}",
        r"0.12345\,\frac{\partial^{2} a_{1,3}}{\partial x_{1}^{2}}",
        r"s''_{2,1}\,\left(\frac{\partial z_{2,1}}{\partial x_{1}}\right)",
        r"\bigl(1+e^{-0.123\,x_{1}-0.456\,x_{2}}\bigr)^{2}",
        r"w_{31}\cdot (\sigma''(z_{30})\odot t_{30,i}\odot t_{30,j})",
        r"\frac{2\,e^{-x_{1}-1}}{\left(1+e^{-x_{1}-1}\right)^{2}}",
        r"1.5\cdot 10^{-5}\,\exp\bigl(\mathrm{bmi}\bigr)",
    ]
    boxes = "".join(
        rf"\setbox0\hbox{{$\displaystyle {f}$}}\typeout{{W \the\wd0}}" + "\n" for f in formulas
    )
    log = typeset(tex.document(boxes), tmp_path)
    for formula, found in zip(formulas, re.findall(r"W ([\d.]+)pt", log), strict=True):
        assert tex.width(formula) == pytest.approx(float(found), rel=0.12, abs=4), formula


def test_latex_of_numbers_and_functions():
    """Powers of ten, fractions, exponentials, primes."""
    printer = tex.LatexPrinter((x1, x2))
    found = {
        r"1\cdot 10^{-5}\,x_{1}": sympy.Float(1e-05) * x1,
        r"\frac{1}{3}": Rational(1, 3),
        r"\frac{2}{1 + e^{-x_{1}}}": 2 / (1 + sympy.exp(-x1)),
        r"2\cdot 10^{30}\,\tanh(x_{1})^{2}": sympy.Float(2e30) * sympy.tanh(x1) ** 2,
        r"\left(x_{1}^{2} + x_{2}\right)^{2}": (x1**2 + x2) ** 2,
    }
    for wanted, expression in found.items():
        assert lines.unbroken(printer.doprint(expression)) == wanted


def test_titles_are_escaped():
    """Characters with a meaning to LaTeX are shown, not obeyed."""
    assert tex.escaped(r"a_b & 50% \x {~^}") == (
        r"a\_b \& 50\% \textbackslash{}x \{\textasciitilde{}\textasciicircum{}\}"
    )


def test_quantities_of_the_neuron_notation():
    """s′ and s″ stand for σ′(z) and σ″(z); partials are fractions in LaTeX."""
    printed = formulas.latex(Network.example(), 2, "neuron")
    assert r"s''_{1,2} &= \sigma''(z_{1,2})" in printed
    assert r"\frac{\partial^{2} a_{1,1}}{\partial x_{1}\,\partial x_{2}} &= s''_{1,1}" in printed
    assert Symbol("x1").name in formulas.text(Network.example(), 2, "neuron")


def test_derivatives_beyond_the_third_are_numbered():
    """σ⁽⁴⁾ and its value at a neuron, s⁽⁴⁾, not s4."""
    network = Network.dense([1, 2, 1], hidden="tanh", fill=1)
    neurons = formulas.text(network, 4, "neuron", "unicode")
    assert "s⁽⁴⁾₁,₁ " in neurons
    assert "= tanh⁽⁴⁾(z₁,₁)" in neurons
    assert "tanh⁽⁴⁾(z₁)" in formulas.text(network, 4, "layer", "unicode")


@pytest.mark.parametrize("notation", catalogue.NOTATIONS)
def test_latex_is_a_format_as_the_others_are(notation):
    """Of Python's text() as of the command line's --format."""
    d = derive(Network.example())
    assert d.text(notation, format="latex", digits=3) == d.latex(notation, digits=3)


def test_a_power_of_an_exponential_has_one_superscript():
    """TeX refuses e^{x}^{3/2}."""
    network = Network.of(np.exp(variables("x")) ** 1.5)
    text = formulas.latex(network, 1, "expanded")
    assert r"\left(e^{x}\right)^{3/2}" in text
    assert "}^{" not in text


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        (sympy.sqrt(2) * Z / 2, "z/sqrt(2)"),
        (sympy.sqrt(2) * Z / 4, "z/(2*sqrt(2))"),
        (3 * sympy.sqrt(3) * Z / 2, "3*sqrt(3)*z/2"),
        (-sympy.sqrt(6) * Z / 3, "-sqrt(6)*z/3"),
        (Z * sympy.exp(-(Z**2) / 2) / sympy.sqrt(2 * sympy.pi), "z*exp(-z**2/2)/sqrt(2*pi)"),
        (sympy.sqrt(2), "sqrt(2)"),
        (1 / sympy.sqrt(Z), "1/sqrt(z)"),
    ],
)
def test_roots_of_whole_numbers_divide(expression, text):
    """As the normal density has them; the text is the expression."""
    printed = TextPrinter([Z]).doprint(expression)
    assert lines.unbroken(printed) == text
    assert sympy.sympify(text, {"z": Z}) == expression


def test_partials_of_one_quantity_stand_in_the_order_of_the_inputs():
    """(∂z/∂ρ)·(∂z/∂T), though SymPy has T first."""
    network = Network.dense([2, 2, 2, 1], seed=0, inputs=["rho", "T"])
    assert "·(∂z₂,₁/∂ρ)·(∂z₂,₁/∂T) +" in formulas.text(network, 2, "neuron", "unicode")
