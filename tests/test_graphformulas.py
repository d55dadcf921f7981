"""Formulas of graphs: the three notations are equal, and are printed as stored."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
import sympy
from sympy import Add, Function, Rational

import symnet
import zoo
from scalarvalues import evaluated, exact, multi_indices
from symnet import formulas, reporting, softmax, variables
from symnet.activations import Activation, Z
from symnet.calculus import neurons as neuronwriting
from symnet.calculus import program
from symnet.calculus.algebra import Quantity
from symnet.calculus.neurons import neurons
from symnet.formulas import expanded, folding, layers, tex
from symnet.formulas.plain import TextPrinter
from symnet.formulas.signs import TEXT
from symnet.network import Layer, Network, Node, Term
from symnet.network.building import concat, log_softmax
from symnet.witness import analytic
from test_printing import (
    MODULES,
    equations,
    needs_pdflatex,
    permuted,
    renamed,
    typeset,
    usable,
)

SMALL = tuple(name for name in zoo.GRAPHS if expanded.size(zoo.network(name), 1) < 300)


def twice_softmax() -> Network:
    """The softmax of one vector as two nodes, and its logarithm as a third."""
    x = variables("x1", "x2")
    h = Layer([[1, Fraction(1, 2)], [-1, 2], [0, 1]], [0, 1, -1])(x)
    return Network.of(concat(softmax(h) * h, log_softmax(h) + softmax(h)))


def experts() -> Network:
    """Two outputs of experts, each weighed by a share that is one wide."""
    draw, x = zoo.Draw(41), variables("x1", "x2")
    shares = softmax(draw(2, 2)(x))
    return Network.of(sum(shares[k] * draw(2, 3)(draw(3, 2, "tanh")(x)) for k in range(2)))


def rational() -> Network:
    """Skips, a product and two activations of exact weights: polynomials and their quotients."""
    square = Activation("squared", Z**2 - Z / 3)
    bump = Activation("bump", Z / (1 + Z**2))
    x = variables("x1", "x2")
    h = Layer([[Fraction(1, 3), -2], [1, 0]], [1, Fraction(-1, 2)], square)(x)
    g = Layer([[2, -1], [Fraction(1, 9), 3]], None, bump)(h) + x
    return Network.of(concat(g * h, g[0] - 3 * x[1]))


def assert_diff(network, order, point):
    """Every statement's result against sympy.diff of the expression, in 30 digits at the point."""
    scalars = neurons(network, order)
    values = evaluated(scalars, network, point)
    for p, whole in enumerate(network.expression()):
        for inputs in multi_indices(network, order):
            formula = whole
            for i in inputs:
                formula = sympy.diff(formula, network.inputs[i])
            wanted = sympy.N(exact(formula).xreplace(point), 30)
            result = scalars.results[p, inputs]
            # SymPy rounds floats to 53 bits when it differentiates.
            assert abs(values.get(result, result) - wanted) <= 1e-11 * max(1, abs(wanted)), result


def rational_point(network):
    numbers = zoo.points(network, 1)[0]
    return {
        x: Rational(round(64 * float(v)), 64) for x, v in zip(network.inputs, numbers, strict=True)
    }


@pytest.mark.parametrize("name", [*SMALL, "twice_softmax"])
def test_statements_are_the_derivatives_of_the_expression(name):
    """Gradients of every graph of the zoo against sympy.diff."""
    network = twice_softmax() if name == "twice_softmax" else zoo.network(name)
    assert_diff(network, 1, rational_point(network))


@pytest.mark.parametrize(
    "name", ["spread_form", "bilinear", "quotient", "inputs_alone", "one_input"]
)
def test_statements_are_second_derivatives(name):
    """Second order against sympy.diff, where SymPy is quick."""
    network = zoo.network(name)
    assert_diff(network, 2, rational_point(network))


def test_statements_are_exact():
    """Rational activations, weights and points: the very fractions, to third order."""
    network = rational()
    scalars = neurons(network, 3)
    point = dict(zip(network.inputs, (Rational(2, 3), Rational(-1, 5)), strict=True))
    values = evaluated(scalars, network, point, digits=None)
    for (p, inputs), result in scalars.results.items():
        formula = network.expression()[p]
        for i in inputs:
            formula = sympy.diff(formula, network.inputs[i])
        assert sympy.nsimplify(formula.xreplace(point) - values.get(result, result)) == 0


@pytest.mark.parametrize("name", [*zoo.GRAPHS, "twice_softmax"])
def test_statements_equal_the_analytic_engine(name):
    """Value, Jacobian and Hessian; and each statement uses only what stands before it."""
    network = twice_softmax() if name == "twice_softmax" else zoo.network(name)
    scalars, known = neurons(network, 2), set(network.inputs)
    for statement in scalars.statements:
        assert statement.expression.free_symbols <= known
        assert statement.target not in known
        known.add(statement.target)
    x = zoo.points(network, 1)[0]
    values = evaluated(scalars, network, dict(zip(network.inputs, map(float, x), strict=True)), 20)
    y, J, H = (f(network, x) for f in analytic.BY_ORDER)
    wanted = {0: lambda p: y[p], 1: lambda p, i: J[p, i], 2: lambda p, i, j: H[p, i, j]}
    for (p, inputs), result in scalars.results.items():
        found = float(values.get(result, result))
        assert found == pytest.approx(wanted[len(inputs)](p, *inputs), rel=1e-10, abs=1e-11)


@pytest.mark.parametrize("name", ["classifier", "bilinear", "two_in_two_out"])
def test_a_wrong_sign_in_a_statement_is_found(name):
    """A term negated in each of ten statements: the comparison notices."""
    network = zoo.network(name)
    x = zoo.points(network, 1)[0]
    point = dict(zip(network.inputs, map(float, x), strict=True))
    scalars, H = neurons(network, 2), analytic.hessian(network, x)

    def wrong(found):
        results = {k: r for k, r in scalars.results.items() if len(k[1]) == 2}
        return max(abs(float(found.get(r, r)) - H[p, i, j]) for (p, (i, j)), r in results.items())

    assert wrong(evaluated(scalars, network, point)) < 1e-12
    # A constant's own sign would not show in second derivatives of sums.
    moved = [s for s in scalars.statements if s.target.order == 2]
    for statement in moved[:: max(1, len(moved) // 10)]:
        first, *others = Add.make_args(statement.expression)
        statements = tuple(
            type(s)(s.target, Add(-first, *others)) if s is statement else s
            for s in scalars.statements
        )
        planted = type(scalars)(**{**vars(scalars), "statements": statements})
        assert wrong(evaluated(planted, network, point)) > 1e-9, statement


def test_a_partial_is_set_apart_from_the_factor_after_it():
    """∂y1/∂x1/3 and ∂y1/∂x1·y1 are read as derivatives with respect to something else."""
    x = variables("x1", "x2")
    network = Network.of(softmax(Layer([[Fraction(1, 3), -2], [1, 0]])(x)))
    lines = equations(formulas.text(network, 2, "neuron"))
    assert ("∂²lse2/∂x1²", "(1/3)*∂y1/∂x1 + ∂y2/∂x1") in lines
    assert ("∂²y1/∂x1²", "(∂y1/∂x1)*(1/3 - ∂lse2/∂x1) - y1*∂²lse2/∂x1²") in lines
    latex = formulas.latex(network, 2, "neuron")
    assert r"\frac{1}{3}\,\frac{\partial y_{1}}{\partial x_{1}} + " in latex
    assert r"\left(\frac{\partial" not in latex


def test_what_is_of_the_output_alone_has_no_p():
    """Of one output a term's matrix is a row as well; of several, e_p is said to be a unit."""
    x = variables("x1", "x2")
    h = Layer([[1.0, 2.0], [0.5, -1.0]], None, "tanh")(x)
    network = Network.of(Layer([[1.0, 3.0]])(h * h) + x[0] * h[0])
    text = formulas.text(network, 2, "layer")
    assert "p" not in text.split("where")[1].split("is ∂")[0].replace("tanh", "")
    assert "e_p is the unit vector of y_p" not in text
    several = formulas.text(Network.of(x * h), 2, "layer")
    assert "e_p is the unit vector of y_p" in several


def test_functions_are_set_apart_from_sums():
    """tanh (1 - tanh²) is no tanh of a sum."""
    text = formulas.latex(Network([Layer([[1.0]], None, "tanh")]), 2, "layer")
    assert r"\tanh\cdot \left(1 - \tanh^{2}\right)" in text


# --- the layer notation, run by NumPy -------------------------------------------------------------


def run(text, network, x, chosen, output):
    """The printed lines as NumPy takes them, with i, j chosen and y_p selected."""
    scope = {"x": x, "p": output, "e_p": np.eye(network.m)[output], "sum": np.sum}
    scope |= dict(zip("ij", chosen, strict=False))
    scope |= {f"u_{d}": np.eye(network.n)[i] for d, i in zip("ij", chosen, strict=True)}
    for name, array in network.numeric().parameters.items():
        single = network.m == 1 and re.match(rf"[Wb]{network.depth}(_|$)", name)
        scope[name] = array[0] if single else array
        if network.m == len(array) == 1:
            scope[name.replace("W", "w")] = array[0]
    for name, activation in network.activations.items():
        for r in range(3):
            function = sympy.lambdify(Z, activation.derivative(r), MODULES)
            scope[f"{name}_{r}"] = np.vectorize(function, otypes=[float])
    scope["softmax_0"] = lambda z: np.exp(z - z.max()) / np.exp(z - z.max()).sum()
    scope["log_softmax_0"] = lambda z: np.log(scope["softmax_0"](z))
    results, made = [], []
    for label, right in equations(text):
        code = re.sub(r"\b([a-z]\w*)('*)\(", called, right)
        (results if label == "y" or "y/" in label or "y_p/" in label else made).append(
            (label, code)
        )
    definition = re.compile(r"[a-zA-Z]+\d+(_\w+)?")
    pending = [(label, code) for label, code in made if definition.fullmatch(label)]
    pending += [("y", code) for label, code in results if label == "y"]
    pending += [("y_i", code) for label, code in results if label.endswith("y/∂x_i")]
    # Lines of results and of adjoints stand before or after what they are made of.
    for _ in range(len(pending)):
        for label, code in pending:
            define(scope, label, code, len(chosen))
    return {label: eval(code, {}, scope) for label, code in results if usable(label, len(chosen))}


def called(found):
    name, primes = found[1], found[2]
    return found[0] if name == "sum" else f"{name}_{len(primes)}("


def define(scope, label, code, count):
    """The line along every choice of its directions, where all that it needs is known."""
    free = re.search(r"_([ij]+)$", label)
    for letters in product("ij"[:count], repeat=len(free[1]) if free else 0):
        swap = dict(zip(free[1], letters, strict=True)) if free else {}
        try:
            value = eval(renamed(code, swap), {}, scope)
        except NameError:  # it needs another line first
            continue
        for name in {renamed(label, swap), *permuted(renamed(label, swap))}:
            scope[name] = np.atleast_1d(value)


@pytest.mark.complete(every=2)
@pytest.mark.parametrize("name", [*zoo.GRAPHS, "experts"])
def test_layer_text_gives_the_numbers(name, monkeypatch):
    """The printed layer notation of every graph: value, gradient and Hessian of every output."""
    monkeypatch.setattr(folding, "ALIKE", 99)
    network = experts() if name == "experts" else zoo.network(name)
    x = zoo.points(network, 1)[0]
    y, J, H = (f(network, x) for f in analytic.BY_ORDER)
    network = Network.from_nodes(network.nodes, inputs=network.n)
    text = formulas.text(network, 2, "layer")
    for p, i, j in product(range(network.m), range(network.n), range(network.n)):
        value, first, second = map(np.atleast_1d, run(text, network, x, (i, j), p).values())
        assert value[p] == pytest.approx(y[p], rel=1e-11)
        assert np.broadcast_to(first, network.m)[p] == pytest.approx(J[p, i], rel=1e-10, abs=1e-12)
        assert second[0] == pytest.approx(H[p, i, j], rel=1e-9, abs=1e-11)


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("classifier", ("y @ t2_i", "-y @ t2_i")),
        ("residual", ("* t2_i + a1_i", "* t2_i - a1_i")),
        ("dense_net", ("W2_1.T @", "-W2_1.T @")),
    ],
)
def test_a_wrong_layer_formula_is_found(name, wrong):
    """A planted sign: the execution above notices."""
    network = zoo.network(name)
    text = formulas.text(network, 2, "layer")
    x = zoo.points(network, 1)[0]
    right, planted = (
        list(run(t, network, x, (0, 1), 0).values())[2] for t in (text, text.replace(*wrong))
    )
    assert right == pytest.approx(analytic.hessian(network, x)[0, 0, 1], rel=1e-10)
    assert abs(right - planted) > 1e-6


# --- how it reads ---------------------------------------------------------------------------------

PAGES = [
    "residual",
    "classifier",
    "log_classifier",
    "mixture",
    "highway",
    "dense_net",
    "transformed_inputs",
    "layer_normalisation",
    "residual_of_inputs",
]


@pytest.mark.parametrize("name", PAGES)
def test_pages_are_as_stored(name, golden):
    """The layer notation in the three formats, character by character."""
    network = zoo.network(name)
    for form in ("text", "unicode"):
        page = formulas.text(network, 2, "layer", form, 4)
        golden(f"graph-{name}-2-layer-{form}.txt", page)
        # The heading has a line of its own, however many nodes it names.
        assert max(map(len, page.splitlines()[1:])) <= 100
    golden(f"graph-{name}-2-layer.tex", formulas.latex(network, 2, "layer", 4))


@pytest.mark.parametrize("form", ["text", "unicode"])
def test_neurons_of_a_softmax_are_as_stored(form, golden):
    """The logarithm of the sum, the shares, and their derivatives."""
    golden(f"graph-classifier-2-neuron-{form}.txt", formulas.text(
        zoo.network("classifier"), 2, "neuron", form, 3))  # fmt: skip


def blocks(count, width=3):
    """h + W σ(V h) with nodes of their own for σ and for the sum, `count` times."""
    draw = zoo.Draw(0)
    nodes = [Node.of(draw(width, 2, "tanh"), 0)]
    for k in range(count):
        nodes.append(Node.of(draw(width, width, "sigmoid"), 2 * k + 1))
        last = draw(width, width)
        nodes.append(Node((Term(last.weights, 2 * k + 2), Term(None, 2 * k + 1)), last.bias))
    nodes.append(Node.of(draw(1, width), len(nodes)))
    return Network.from_nodes(nodes)


@pytest.mark.parametrize("form", ["text", "unicode", "latex"])
def test_500_nodes_with_skips_are_two_lines(form):
    """Two nodes in turn are two patterns, and the page does not grow with their number."""
    lengths = []
    for count in (20, 249 if form == "unicode" else 60):
        network = blocks(count)
        page = (
            formulas.latex(network, 2, "layer")
            if form == "latex"
            else formulas.text(network, 2, "layer", form)
        )
        lengths.append(len(page))
    assert lengths[1] < lengths[0] + 40
    if form == "unicode":
        assert "(k = 2, 4, …, 498)" in page
        assert "= Wₖ aₖ₋₁ + zₖ₋₂ + bₖ" in page
        assert "Σ(k = " in page


def test_names_of_nodes_are_shown():
    """In the layer notation beside the node, in the neuron notation in its title; LaTeX escaped."""
    nodes = [
        Node((Term([[1, 2], [3, 4]], 0),), None, "softmax", name="first_share"),
        Node((Term(None, 1), Term(None, 0)), name="sum & skip"),
    ]
    network = Network.from_nodes(nodes)
    assert "(first_share)" in formulas.text(network, 1, "layer", "unicode")
    assert "node 1 (first_share)\n" in formulas.text(network, 1, "neuron")
    assert r"first\_share" in formulas.latex(network, 1, "layer")


def test_a_vector_of_all_nodes_is_not_relative():
    """A skip from the first node stays a₁ in the pattern of nodes that all have it."""
    draw = zoo.Draw(3)
    nodes = [Node.of(draw(3, 2, "tanh"), 0)]
    for k in range(2, 12):
        terms = (Term(draw(3, 3).weights, k - 1), Term(draw(3, 3).weights, 1))
        terms = terms if k > 2 else terms[:1]
        nodes.append(Node(terms, None, "activation", nodes[0].activation))
    nodes.append(Node.of(draw(1, 3), len(nodes)))
    page = formulas.text(Network.from_nodes(nodes), 1, "layer", "unicode")
    assert "= Wₖ,ₖ₋₁ aₖ₋₁ + Wₖ,₁ a₁     (k = 3, …, 11)" in page


@needs_pdflatex
@pytest.mark.parametrize("notation", ["layer", "neuron"])
def test_latex_compiles_and_fits_the_page(notation, tmp_path):
    """Every graph in one document: no error, nothing sticks out by more than 3 pt."""
    bodies = [formulas.latex(zoo.network(name), 2, notation, 4) for name in PAGES]
    log = typeset(tex.document("\n\n".join(bodies)), tmp_path)
    wide = [float(excess) for excess in re.findall(r"Overfull \\hbox \(([\d.]+)pt", log)]
    assert [excess for excess in wide if excess > 3] == []


def test_an_unknown_form_is_refused():
    """By name, in both notations: nothing is left out without a word."""
    network = zoo.network("residual")
    made = program.from_network(network)
    strange = Function("strange")(Quantity("z", 1))
    bad = replace(
        made, statements=(*made.statements[:-1], replace(made.statements[-1], expression=strange))
    )
    with pytest.raises(TypeError, match=r"strange\(z1\)"):
        neuronwriting._Writer(network, bad).write()
    printer = TextPrinter(network.inputs, network.activations)
    with pytest.raises(TypeError, match=r"strange\(z1\)"):
        layers._Layers(network, bad, TEXT, printer).formulas()


def test_a_report_lists_the_nodes():
    """What each is, and of which vectors."""
    derivation = symnet.derive(zoo.network("residual"), 1)
    page = reporting.page(derivation, None, None, "md")
    assert "| node | width | kind | of | bias |" in page
    assert "| 3 | 4 | sum | 2, 1 | no |" in page
