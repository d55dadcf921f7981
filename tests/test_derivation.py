"""The Derivation: what the user holds, and what it says when asked for the impossible."""

from __future__ import annotations

from pathlib import PurePath

import numpy as np
import pytest
import sympy
from sympy import Matrix, Rational, Symbol, exp

import symnet
from symnet.derivation import Derivation
from symnet.network import Layer, Network

x1, x2 = sympy.symbols("x1 x2")


@pytest.fixture
def example():
    """The built-in 2-2-1."""
    return symnet.derive(symnet.Network.example())


def test_a_partial_is_sympys_derivative_of_the_expression():
    """Exactly, for every output and every order, with exact, float and symbolic weights."""
    w = Symbol("w11")
    for weights in ([[w, 1], [2, Rational(1, 3)]], [[0.5, -0.25], [1.5, 2.0]]):
        network = symnet.Network([symnet.Layer(weights, [1, 2], "tanh")], outputs=("p", "q"))
        d = symnet.derive(network, order=3)
        values = network.expression()
        for k, output in enumerate(("p", "q")):
            assert d.partial(of=output) == values[k]
            assert d.partial("x1", of=output) == values[k].diff(x1)
            assert d.partial("x2", "x1", of=output) == values[k].diff(x1).diff(x2)
            third = values[k].diff(x1).diff(x2).diff(x2)
            assert d.partial("x2", "x1", "x2", of=output) == third


def test_the_example_in_closed_form(example):
    """2/(1 + exp(-x1 - x2 - 1)) and its derivative."""
    e = exp(-x1 - x2 - 1)
    assert example.partial() == 2 / (1 + e)
    assert sympy.simplify(example.partial("x1") - 2 * e / (1 + e) ** 2) == 0
    assert example.partial("x1", "x2") == example.partial(x2, x1)


def test_matrices_have_outputs_in_rows():
    """Jacobian (m, n), Hessian (n, n) of one output."""
    layer = symnet.Layer([[1, 2], [3, 4], [5, 6]], None, "linear")
    network = symnet.Network([layer], inputs=("u", "v"))
    d = symnet.derive(network)
    assert d.jacobian() == Matrix([[1, 2], [3, 4], [5, 6]])
    assert d.hessian(of="y3") == Matrix([[0, 0], [0, 0]])


def test_a_hessian_has_each_partial_in_its_place():
    """Row and column are the inputs in their order."""
    network = symnet.Network([symnet.Layer([[1, 2]], None, "exp")])
    d = symnet.derive(network)
    value = exp(x1 + 2 * x2)
    assert d.hessian() == Matrix([[value, 2 * value], [2 * value, 4 * value]])


def test_formulas_and_functions_agree(example):
    """The closed form evaluated at a point is what the function returns there."""
    y, J, H = example.compile()([0.3, -0.2])
    point = {x1: 0.3, x2: -0.2}
    assert float(example.partial().subs(point)) == pytest.approx(y[0], rel=1e-14)
    np.testing.assert_allclose(np.array(example.jacobian().subs(point), float), J, rtol=1e-14)
    np.testing.assert_allclose(np.array(example.hessian().subs(point), float), H[0], rtol=1e-13)


def test_small_formulas_are_shown_expanded_and_large_ones_by_layer(example):
    """What is read best by default."""
    assert str(example) == example.text("expanded", "unicode")
    large = symnet.derive(symnet.Network.dense([2, 64, 64, 1], seed=0))
    assert str(large) == large.text("layer", "unicode")
    assert large._repr_latex_() == symnet.formulas.notebook(large.network, 2, "layer")


def test_too_large_an_expansion_is_refused_with_advice():
    """At once, naming the notations that work."""
    d = symnet.derive(symnet.Network.dense([2, 64, 64, 64, 1], seed=0))
    for ask in (d.partial, d.jacobian, d.hessian, lambda: d.text("expanded")):
        with pytest.raises(ValueError, match="layer"):
            ask()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda d: d.partial("x3"), "no input is called 'x3'; there are x1, x2"),
        (lambda d: d.partial("x1", of="z"), "no output is called 'z'; there are y"),
        (lambda d: d.partial("x1", "x1", "x1"), "derived to order 2 only"),
        (lambda d: d.text("words"), "words"),
        (lambda d: d.text("layer", "html"), "html"),
        (lambda d: d.compile("fortran"), "no backend 'fortran'"),
        (lambda d: d.compile(threads=0), "at least 1"),
    ],
)
def test_errors_name_what_is_wrong(example, call, message):
    """And what there is instead."""
    with pytest.raises(ValueError, match=message):
        call(example)


def test_of_is_needed_with_several_outputs():
    """Rather than a guess."""
    d = symnet.derive(symnet.Network.dense([2, 3, 2], seed=0))
    with pytest.raises(ValueError, match="outputs y1, y2: say of which"):
        d.partial("x1")


@pytest.mark.parametrize("order", [-1, 1.5, True, "2", 9])
def test_orders_are_whole_numbers(order):
    """From 0 up."""
    with pytest.raises(ValueError, match="order"):
        symnet.derive(symnet.Network.example(), order)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("net.json", "got str; symnet.load reads a file"),
        (PurePath("net.onnx"), "got Pure.*Path; symnet.load reads a file"),
        (np.ones(3), r"got ndarray; symnet.from_arrays\(arrays, activations\)"),
        (Layer([[1.0]]), r"got Layer; symnet.Network\(\[...\]\) is of layers"),
        (lambda x: x, r"got function; symnet.from_jax\(f, n\)"),
        (type("Net", (), {"__module__": "torch.nn"})(), "got Net; symnet.from_torch"),
        (type("Own", (type("M", (), {"__module__": "keras.src"}),), {})(), "symnet.from_keras"),
        (symnet.derive(symnet.Network.example()), "got Derivation; its .network is one"),
        ({"W1": np.ones((3, 2))}, r"got dict; symnet.from_arrays\(arrays, activations\)"),
        (3, "a Network is needed, got int$"),
    ],
)
def test_a_network_is_needed(given, message):
    """It is said how one is had of what was given."""
    with pytest.raises(TypeError, match=message):
        Derivation(given)


def test_compile_verifies_what_it_returns(example, monkeypatch):
    """A backend that generates something wrong is found out, unless it is not asked for."""
    from symnet.backends.numpy import layers

    right = layers.kernels
    monkeypatch.setattr(
        layers, "kernels", lambda *a: right(*a).replace("dy = W2 @ da1", "dy = -W2 @ da1")
    )
    with pytest.raises(symnet.CheckError, match="jacobian"):
        example.compile()
    assert example.compile(check=False).order == 2


def test_symbolic_weights_are_for_formulas():
    """They print, and compiling says which numbers are missing."""
    w = sympy.symbols("w11 w12")
    network = symnet.Network([symnet.Layer([w], None, "sigmoid")])
    d = symnet.derive(network)
    assert "w11" in d.text()
    with pytest.raises(ValueError, match="w11"):
        d.compile()
    numbers = symnet.derive(network.subs({"w11": 1, "w12": 2}))
    assert numbers.compile().value([0.0, 0.0]) == 0.5


def test_networks_that_are_equal_keep_their_own_symbols():
    """Labels make networks equal, and formulas have symbols: T_K_2 where T_K was a weight's."""
    weight = Network([Layer([[sympy.Symbol("T_K")]], None, "sigmoid")], inputs=("T [K]",))
    first, second = weight.subs({"T_K": 2}), Network([Layer([[2]], None, "sigmoid")], ["T [K]"])
    assert first == second
    assert first.inputs != second.inputs
    for network in (second, first):
        derived, (x,) = symnet.derive(network), network.inputs
        assert derived.partial().free_symbols == {x}
        exact = sympy.diff(1 / (1 + sympy.exp(-2 * x)), x)
        assert sympy.simplify(derived.partial("T [K]") - exact) == 0


@pytest.mark.parametrize("order", [np.int64(2), np.uint8(2)])
def test_orders_may_be_numpys(order):
    derived = symnet.derive(Network.example(), order)
    assert type(derived.order) is int
    assert derived == symnet.derive(Network.example())


@pytest.mark.parametrize("threads", [1.5, "2", 0, True])
def test_threads_are_whole_numbers(threads):
    with pytest.raises(ValueError, match=r"threads is .*; a whole number of at least 1 is needed"):
        symnet.derive(Network.example()).compile(threads=threads)


def test_functions_are_keys():
    """As networks and derivations are."""
    derived = symnet.derive(Network.example())
    f, g = derived.compile(), derived.compile(threads=1)
    assert {f: 1, g: 2}[f] == 1


def test_a_check_says_what_it_was_given():
    derived = symnet.derive(Network.example())
    f = derived.compile()
    with pytest.raises(TypeError, match=r"check\(network, function\): a Network is needed"):
        symnet.check(f, derived.network)
    with pytest.raises(ValueError, match="is of 2 inputs and 1 outputs, the network of 3"):
        symnet.check(Network.dense([3, 1]), f)
    with pytest.raises(TypeError, match=r"compile\(\) gives is needed, got NoneType"):
        symnet.check(derived.network, None)


def test_source_text_is_written_where_it_is_asked_for(tmp_path):
    """By the file's name, or into a folder; what the name of the language's files does not end as
    is refused, and nothing is written."""
    d = symnet.derive(symnet.Network.dense([2, 3, 1], seed=0))
    d.generate(tmp_path / "slopes.py")
    scope: dict = {"__name__": "slopes"}
    exec((tmp_path / "slopes.py").read_text(encoding="utf-8"), scope)
    X = np.random.default_rng(0).normal(size=(5, 2))
    np.testing.assert_allclose(scope["hessian"](X), d.compile().hessian(X), rtol=1e-12)
    d.generate(f"{tmp_path}/new/eos.f90")
    assert {p.name for p in (tmp_path / "new").iterdir()} == {"eos.f90", "eos_test.f90"}
    d.generate(f"{tmp_path}/folder/", "json", only=["dy/dx1"])
    (written,) = (tmp_path / "folder").iterdir()
    assert '"dy/dx1"' in written.read_text(encoding="utf-8")
    for arguments, message in (
        (("a.c", "rust"), "rust writes .rs, but the output is a.c: ask for c"),
        (("a.foo",), r"no language's files end as a.foo: say which of python \(\.py\), c \(\.c\)"),
        (("a.py", "klingon"), "no language 'klingon'; there are python, c, "),
    ):
        with pytest.raises(ValueError, match=message):
            d.generate(*arguments)


def test_a_page_is_written_of_a_derivation(tmp_path):
    """In the format of its name; what was checked is given back, nothing of symbolic weights."""
    d = symnet.derive(symnet.Network.dense([2, 3, 1], seed=0))
    report = d.report(tmp_path / "page.md", data=np.zeros((3, 2)))
    assert report.ok
    assert "# " in (tmp_path / "page.md").read_text(encoding="utf-8")
    symbolic = symnet.Network([Layer([[Symbol("w"), 1]], None, "tanh")])
    assert symnet.derive(symbolic).report(tmp_path / "symbolic.html") is None
    assert "report(&quot;symbolic.html&quot;)" in (tmp_path / "symbolic.html").read_text("utf-8")
    with pytest.raises(ValueError, match=r"a report ends in one of \.html, \.md"):
        d.report(tmp_path / "page.doc")
