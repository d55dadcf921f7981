"""Labels of any characters, in every format that a report is written in."""

from __future__ import annotations

import csv
import io
import pickle
import re
import shutil
import subprocess

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import Symbol

import symnet
from symnet import catalogue, dialect, languages, reporting, tables
from symnet.formulas import brief, labels, tex
from symnet.languages import running

HOSTILE = "<img src=x onerror=alert(1)> [c](javascript:1) | *a* _b_ x_1 & $z$ ~ {\\}"


def page(name, format):
    """A report on the built-in network under another name."""
    example = symnet.Network.example()
    derivation = symnet.derive(symnet.Network(example.layers, name=name), order=1)
    return reporting.page(derivation, None, None, format)


def test_markdown_has_no_markup_of_a_name():
    """Neither HTML, nor links, nor emphasis, nor table cells."""
    heading = page(HOSTILE.replace("\\", ""), "md").splitlines()[0]
    assert heading == (
        r"# \<img src=x onerror=alert(1)\> \[c\](javascript:1) \| \*a\* \_b\_ x_1 \& \$z\$ \~ {}"
    )


def test_text_with_sympys_own_names_pastes_into_sympify():
    """I, E, N, S, Q, beta and gamma are inputs there, not what SymPy calls so."""
    names = ["I", "E", "N", "S", "Q", "beta", "gamma", "x1"]
    net = symnet.Network.dense([8, 1], inputs=names, output="sigmoid", seed=0)
    text = symnet.derive(net, order=0).text()
    found = re.search(r"^in SymPy: sympify\(\.\.\., locals=(.*)\)$", text, re.M)
    given = eval(found[1], {"Symbol": sympy.Symbol})
    assert set(given) == set(names) - {"x1"}
    right = text[text.index("= ") + 2 : text.index("in SymPy")]
    read = sympy.sympify(right.strip(), locals=given)
    assert read.free_symbols == set(net.inputs)
    assert "in SymPy" not in symnet.derive(symnet.Network.example()).text()


@pytest.mark.parametrize(
    "name", ["Symbol", "Integer", "Float", "Rational", "Function", "factorial", "diff", "Δ", "x y"]
)
def test_any_name_of_sympys_pastes_into_sympify(name):
    """Also one that its parser itself writes around what it reads; 0.5 is a Float there."""
    layers = [symnet.Layer([[0.5, 2]], [1], "tanh")]
    d = symnet.derive(symnet.Network(layers, inputs=[name, "q"]), order=0)
    right, *remarks = d.text().split(" = ")[1].split("\n")
    found = re.search(r"^in SymPy: sympify\(\.\.\., locals=(.*)\)$", "\n".join(remarks), re.M)
    given = eval(found[1], {"Symbol": sympy.Symbol}) if found else {}
    read = sympy.sympify(right, locals=given)
    plain = {symbol: sympy.Symbol(symbol.name) for symbol in read.free_symbols}
    own = {symbol: sympy.Symbol(symbol.name) for symbol in d.network.inputs}
    assert read.subs(plain) == d.partial().subs(own)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a_b & 50 %", r"a\_b \& 50 \%"),
        ("Ünï – čé", r"\"{U}n\"{i} -- \v{c}\'{e}"),
        ("kg/m³ m⁻²", r"kg/m\ensuremath{^{3}} m\ensuremath{^{-}}\ensuremath{^{2}}"),
        ("Ω, 20 °C", r"\ensuremath{\Omega}, 20 \ensuremath{^\circ}C"),
        ("ρ(T)", r"\ensuremath{\rho}(T)"),
        ("漢😀", r"\texttt{U+6F22}\texttt{U+1F600}"),
    ],
)
def test_plain_text_in_latex(text, expected):
    """In ASCII, so that every engine sets it."""
    assert tex.escaped(text) == expected
    assert tex.escaped(text).isascii()


@pytest.mark.skipif(not shutil.which("pdflatex"), reason="no pdflatex")
@pytest.mark.parametrize(
    "name", ["漢字", "ρ of T, Ünïcode é ñ č å ß ð Ω 😀", "50 % & {a} #1 ~ ^ $ _"]
)
def test_pdflatex_sets_every_label(tmp_path, name):
    """Without an error."""
    (tmp_path / "report.tex").write_text(page(name, "tex"), encoding="utf-8")
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "report.tex"],
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:].decode(errors="replace")


# --- labels and symbols -------------------------------------------------------------------------

CALLED = {
    "T [K]": "T_K",
    "ρ": "rho",
    "Δp": "Deltap",
    "漢字": "x4",
    "in": "in_",
    "exp": "exp_",
    "2nd": "x_2nd",
    "café": "cafe",
    "a, b": "a_b",
    'p "gauge"': "p_gauge",
    "rho [kg/m3]": "rho_kg_m3",
    "__import__('os')": "import_os",
    "*/ x": "x",
    "T_K_": "T_K_",
}


def called(names, **others):
    return symnet.Network.dense([len(names), 3, 1], hidden="tanh", inputs=names, seed=1, **others)


def test_a_label_has_a_symbol_that_reads_like_it():
    net = called(list(CALLED))
    assert net.input_names == tuple(CALLED)
    assert [symbol.name for symbol in net.inputs] == list(CALLED.values())


def test_made_names_are_told_apart():
    """From plain ones before and after, of inputs, outputs and weights, and from each other."""
    net = called(["T (K)", "T [K]", "T_K"], outputs=["T K"])
    assert [s.name for s in (*net.inputs, *net.outputs)] == ["T_K_2", "T_K_3", "T_K", "T_K_4"]
    weights = symnet.Layer([[sympy.Symbol("T_K")]])
    assert symnet.Network([weights], inputs=["T K"]).inputs == (sympy.Symbol("T_K_2"),)
    assert called(["T K", "u"], outputs=["T_K"]).inputs[0].name == "T_K_2"


NAMES = st.lists(
    st.one_of(
        st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=20),
        st.sampled_from([*CALLED, "z1", "s1", "s5", "t1", "W1", "b1", "lam1", "tanh", "linear"]),
    ),
    min_size=2,
    max_size=4,
    unique=True,
)


@settings(max_examples=20)
@given(NAMES)
def test_any_label_goes_everywhere(tmp_path_factory, names):
    """Through files, pickles, tables, formulas and functions; what is computed is the same."""
    *inputs, output = names
    net, plain = called(inputs, outputs=[output]), called([f"x{i}" for i in range(len(inputs))])
    file = tmp_path_factory.mktemp("labels") / "net.json"
    symnet.save(net, file)
    for same in (symnet.load(file), pickle.loads(pickle.dumps(net)), net.subs({})):
        assert same == net
        assert same.inputs == net.inputs
    f, g = symnet.derive(net).compile(), symnet.derive(plain).compile()
    assert f.source == g.source
    X = np.random.default_rng(0).standard_normal((2, len(inputs)))
    formula = sympy.lambdify(net.inputs, list(net.expression()))
    np.testing.assert_allclose(f.value(X), [formula(*x) for x in X], rtol=1e-13)
    for notation in ("expanded", "neuron", "layer"):
        text = symnet.derive(net, order=1).text(notation)
        assert all(label in re.sub(r"\s+", " ", text) for label in inputs)
        symnet.derive(net, order=1).latex(notation).encode("ascii")
    out, table = io.StringIO(), io.StringIO()
    table.write(dialect.header(inputs))
    csv.writer(table).writerows(X.tolist())
    tables.evaluate(f, table.getvalue().splitlines(True), "t.csv", out, inputs=True)
    header, *rows = csv.reader(out.getvalue().splitlines())
    assert header[: len(names)] == names
    np.testing.assert_array_equal(np.array(rows, float)[:, : len(inputs)], X)


def statements(text):
    """The lines `left = right` of a neuron text, as Python: ∂a/∂b is one name."""
    joined = re.sub(r"\n {3,}(?=[^ ]* *[-+*])", " ", text)
    for line in joined.splitlines():
        left, equals, right = line.partition(" = ")
        if equals and line.startswith("  "):
            yield left.strip(), right.strip()


@pytest.mark.parametrize("names", [["z1", "a1"], ["z1_1", "a1_2"], ["ds1_1", "s1"], ["lam1", "t1"]])
def test_generated_names_give_way(names):
    """No left side is an input, and the text computes what the functions do."""
    net = called(names, outputs=["z2"])
    text = symnet.derive(net, order=0).text("neuron")
    known = {"tanh": np.tanh, **dict(zip(names, [0.3, -0.7], strict=True))}
    for left, right in statements(text):
        if "'" in left or left == "tanh":
            continue
        assert left not in known
        known[left] = eval(right, {"__builtins__": {}}, known)
    expected = symnet.derive(net).compile().value([0.3, -0.7])[0]
    assert known["z2"] == pytest.approx(expected, rel=1e-14)


def test_the_formats_tell_generated_names_from_the_users():
    net = called(["z1", "T [K]"], outputs=["s5"])
    derivation = symnet.derive(net)
    text = derivation.text("layer")
    assert "_z1 = W1 @ x + b1" in text
    assert "x = (z1, T_K)" in text
    assert "_z belongs to the network" in text
    assert "_s" not in text
    assert "T_K stands for T [K]" in text
    assert r"\bar{z}_{1} &= W_{1}\,x + b_{1}" in derivation.latex("layer")
    assert "_z₁ = W₁ x + b₁" in derivation.text("layer", format="unicode")
    assert derivation.partial("T [K]", "z1") == derivation.partial("T_K", "z1")


def test_columns_are_called_as_inputs_are(tmp_path):
    """`dy/dT [K]`, with units and blanks in names; a slash in a unit makes no derivative."""
    text = "T [K],rho [kg/m3],p [bar],dp [bar]/dT [K],d2p [bar]/dT [K]drho [kg/m3]\n1,2,3,4,5\n"
    (tmp_path / "t.csv").write_text(text)
    data = symnet.fitting.read(tmp_path / "t.csv")
    assert data.inputs == ("T [K]", "rho [kg/m3]")
    assert data.outputs == ("p [bar]",)
    assert [str(kind) for kind in data.kinds] == text.split("\n")[0].split(",")[2:]


ENDING = ['"""', "*/ int x; /*", "a\\", "```", "--]]", "%}", "'''", "é ]]> -->", "T [K]"]


@pytest.mark.parametrize("language", catalogue.LANGUAGES)
def test_a_label_ends_no_comment(language):
    """Whatever stands in it: the heads of all languages have it on one line, without such signs."""
    if language == "onnx":
        pytest.importorskip("onnx", reason="onnx is not installed")
    if language == "xlsx":
        pytest.importorskip("openpyxl", reason="openpyxl is not installed")
    net = called(ENDING, outputs=["*/ y"])
    plain = called([f"x{i}" for i in range(len(ENDING))], outputs=["y"])
    for (name, text), (_, known) in zip(
        languages.generate(net, language, 1, name="net").items(),
        languages.generate(plain, language, 1, name="net").items(),
        strict=True,
    ):
        if language in ("onnx", "xlsx", "json"):
            continue
        for sign in ('"""', "*/", "/*", "```"):
            assert text.count(sign) == known.count(sign), (name, sign)
    if language == "python":
        assert running.confirm("python", {"net.py": text}) is None


@pytest.mark.parametrize("notation", ["layer", "neuron"])
def test_names_that_give_way_have_mathml(notation):
    """Beside an input z1 the network's is z with a bar."""
    shown = symnet.derive(called(["z1", "w1"]), order=1).text(notation, "mathml")
    bar = '<mover accent="true"><mi>z</mi><mo stretchy="false">\u00af</mo></mover>'
    assert f"<msub>{bar}" in shown


def test_dollars_in_a_label_are_dollars():
    """No formula begins with them, and none that cannot be read."""
    net = called(["$T$", r"$\frac$"], outputs=[r"a\b {c}"])
    shown = symnet.derive(net, order=1).text("expanded", "mathml")
    assert r"T stands for $T$, frac for $\frac$" in shown
    assert r"for a\b {c}." in shown


@pytest.mark.parametrize("kind", ["maps", "network"])
def test_pictures_show_any_label(kind, tmp_path):
    """Characters that mathematics has a use for stand for themselves."""
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    long = "pressure of the working fluid at the outlet of the second stage"
    for label in ("T [K]", "a$b", "50 %", "x^2 {y}", "a\\b", "#1 & ~2", "it's", '"q" `', long):
        net = called([label, "T"], outputs=["p [bar]"])
        symnet.plot(net, tmp_path / "picture.svg", kind=kind)


def test_chosen_partials_are_named_by_labels():
    """With units and slashes in them, and in comments that stay comments."""
    net = called(["T [K]", "*/ x"], outputs=["p [N/m2]"])
    only = ["p [N/m2]", "dp [N/m2]/dT [K]", "d2p [N/m2]/dT [K]d*/ x"]
    made = languages.generate(net, "c", name="net", only=only)
    plain = called(["x1", "x2"])
    known = languages.generate(plain, "c", name="net", only=["y", "dy/dx1", "d2y/dx1dx2"])
    for file, text in made.items():
        assert text.count("*/") == known[file].count("*/")
    assert "dp [N/m2]/dT [K]" in "".join(made.values())
    with pytest.raises(ValueError, match=r"'dp/dT_K' is no partial .*: write dp \[N/m2\]/dT"):
        languages.generate(net, "c", only=["dp/dT_K"])


def test_a_made_symbol_outlives_what_it_gave_way_to(tmp_path):
    """`T [K]` beside a weight T_K is T_K_2, and stays so when the weight has become a number."""
    weight = sympy.Symbol("T_K")
    net = symnet.Network([symnet.Layer([[weight, 2.0]], None, "tanh")], inputs=["T [K]", "x"])
    assert [symbol.name for symbol in net.inputs] == ["T_K_2", "x"]
    assert net.subs({weight: 3}).inputs == net.inputs
    number = net.subs({weight: 3})
    path = tmp_path / "net.json"
    symnet.save(number, path)
    for again in (symnet.load(path), pickle.loads(pickle.dumps(number)), number.subs({})):
        assert again.inputs == net.inputs
    assert net.subs({weight: sympy.Symbol("w")}).inputs == net.inputs
    clash = net.subs({weight: sympy.Symbol("T_K_2")})
    assert [symbol.name for symbol in clash.inputs] == ["T_K", "x"]


@pytest.mark.parametrize(
    ("symbols", "said"),
    [
        ({"no": "T_K"}, "no input or output"),
        ({"x": "z"}, "its own symbol"),
        ({"T [K]": "x"}, "two things"),
        ({"T [K]": "w"}, "two things"),
        ({"T [K]": "lambda"}, "used by generated formulas"),
        ({"T [K]": "a b"}, "no plain name"),
    ],
)
def test_symbols_are_told_apart(symbols, said, tmp_path):
    weight = sympy.Symbol("w")
    net = symnet.Network([symnet.Layer([[weight, 2.0]], None, "tanh")], inputs=["T [K]", "x"])
    with pytest.raises(ValueError, match=said):
        net.with_symbols(symbols)
    symnet.save(net.with_symbols({"T [K]": "T"}), tmp_path / "net.json")
    assert symnet.load(tmp_path / "net.json").inputs[0] == sympy.Symbol("T")


@pytest.mark.parametrize("name", ["[y1]", "y 1", "y-2"])
def test_names_made_for_inputs_are_none_of_the_outputs(name):
    """Outputs without names are y1, y2, …, in a file as before it was written."""
    net = symnet.Network.dense([1, 2, 2], seed=0, inputs=[name])
    assert {*net.inputs}.isdisjoint(net.outputs)
    assert pickle.loads(pickle.dumps(net)).inputs == net.inputs


def test_names_of_python_are_pasted_as_symbols():
    """`sympify` finds sum among Python's builtins, not only SymPy's names."""
    net = symnet.Network([symnet.Layer([[1.0, 2.0]], None, "tanh")], inputs=["sum", "x"])
    assert 'locals={"sum": Symbol("sum")}' in symnet.derive(net, 1).text()


def test_what_latex_sets_as_other_characters_is_a_formula():
    """Its first fonts have ¡, ¿ and a dash in the places of <, > and |."""
    assert labels.latex_escaped("z > 0, <b>|") == (
        r"z \ensuremath{>} 0, \ensuremath{<}b\ensuremath{>}\ensuremath{\vert}"
    )
    assert tex.in_notebooks(tex.escaped("z > 0")) == "z $>$ 0"


def test_every_character_becomes_ascii():
    """Raised and lowered letters too, of which ™ is two and ᵦ is Greek."""
    assert labels.latex_escaped("™ᵦ⁻ᵋ") == (
        r"\ensuremath{^{TM}}\ensuremath{_{\beta}}\ensuremath{^{-}}\texttt{U+1D4B}"
    )
    plane = (chr(code) for code in range(0x10000) if not 0xD800 <= code < 0xE000)
    assert [c for c in plane if not labels.latex_escaped(c).isascii()] == []


@pytest.mark.parametrize(("letter", "command"), [("λ", r"\lambda"), ("Λ", r"\Lambda")])
def test_the_letter_lambda_is_one(letter, command):
    """Unicode calls it lamda, LaTeX lambda, and Python keeps that word for itself."""
    network = symnet.Network.dense([2, 1], seed=0, inputs=[letter, f"{letter} [nm]"])
    first, second = (symbol.name for symbol in network.inputs)
    assert labels.unicode_name(first) == letter
    assert labels.latex_name(first) == command
    assert labels.latex_name(second) == rf"{command}_{{\mathrm{{nm}}}}"
    assert labels.latex_escaped(letter) == rf"\ensuremath{{{command}}}"
    assert letter in symnet.derive(network, 1).text("expanded", "unicode")


LONG = "mean annual precipitation [mm/a]"


def test_long_names_are_set_as_symbols():
    """What does not fit a line is x₁, and the text below says of what; plain text has the name."""
    net = symnet.Network.dense([2, 3, 1], "tanh", seed=0, inputs=[LONG, "T"], outputs=["y"])
    derivation = symnet.derive(net, order=1)
    for notation in catalogue.NOTATIONS:
        text = derivation.latex(notation)
        assert "x_{1}" in text
        assert "precipitation" not in text.partition("stands for")[0]
        assert rf"x\ensuremath{{_{{1}}}} stands for {LONG}." in text
        assert f"x₁ stands for {LONG}." in derivation.text(notation, "mathml")
        assert "x₁" not in derivation.text(notation, "unicode")


def test_symbols_of_long_names_are_none_of_the_users():
    """An input x1 stays what it is; a name that is long in second partials may be short in y."""
    long, longer = "_".join(["a"] + 2 * ["long"]), "_".join(["a"] + 9 * ["long"])
    net = symnet.Network.dense([3, 1], inputs=[long, "x1", longer], outputs=[f"of_{longer}"])
    assert brief.names(net, 1) == {longer: "x3", f"of_{longer}": "y"}
    assert brief.names(net, 3) == {long: "xx1", longer: "x3", f"of_{longer}": "y"}


def test_symbols_of_long_weights():
    net = symnet.Network([symnet.Layer([[Symbol(f"weight_of_{'every_' * 4}input"), 1]])])
    text = symnet.derive(net, order=1).latex("expanded")
    assert r"y &= c_{1}\,x_{1} + x_{2}" in text
    assert r"c\ensuremath{_{1}} stands for weight\_of\_every" in text
