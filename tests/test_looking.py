"""symnet plot and symnet sensitivity as a user meets them, and objects in notebooks."""

from __future__ import annotations

import csv
import re
import shlex
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from sympy import Symbol

import symnet
from symnet import catalogue, fitting, formulas, showing
from symnet.cli import terminal

POINTS = np.random.default_rng(0).normal(size=(25, 2))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The current folder, with net.json and data.csv in it."""
    monkeypatch.chdir(tmp_path)
    symnet.save(symnet.Network.dense([2, 3, 1], hidden="tanh", seed=0), "net.json")
    rows = "\n".join(f"{a},note,{b}" for a, b in POINTS.tolist())
    (tmp_path / "data.csv").write_text(f"x2,other,x1\n{rows}\n")
    return tmp_path


# --- symnet sensitivity -------------------------------------------------------------------------


def test_sensitivity_to_read(folder, run):
    """The library's table, for the columns by name."""
    status, page, complaints = run("sensitivity", "net.json", "data.csv")
    found = symnet.sensitivity(symnet.load("net.json"), POINTS[:, ::-1])
    assert (status, page, complaints) == (0, f"{found}\n", "")


def test_sensitivity_as_a_table(folder, run):
    """A row for each partial, blank where a measure is none; of several networks, each named."""
    assert run("sensitivity", "net.json", "data.csv", "-o", "out.csv") == (0, "", "")
    rows = list(csv.DictReader((folder / "out.csv").read_text().splitlines()))
    found = symnet.sensitivity(symnet.load("net.json"), POINTS[:, ::-1])
    assert [row["partial"] for row in rows] == [
        *("dy/dx1", "dy/dx2", "d2y/dx1dx1", "d2y/dx1dx2", "d2y/dx2dx2")
    ]
    assert float(rows[1]["rms"]) == found.rms[0, 1]
    assert float(rows[3]["standardized"]) == found.standardized_interactions[0, 0, 1]
    assert float(rows[0]["elasticity"]) == found.elasticity[0, 0]
    assert rows[2]["elasticity"] == ""
    symnet.save(symnet.Network.dense([2, 2, 1], seed=5), "other.json")
    run("sensitivity", "net.json", "other.json", "data.csv", "-o", "out.csv", "--order", 1)
    rows = list(csv.DictReader((folder / "out.csv").read_text().splitlines()))
    assert [row["network"] for row in rows] == ["net", "net", "other", "other"]


def test_sensitivity_of_the_example(folder, run):
    """Without a network file."""
    status, page, _ = run("sensitivity", "data.csv")
    assert status == 0
    assert page.startswith("2-2-1, sigmoid, linear without bias; 25 points\n")


def test_dependence_as_a_table(folder, run):
    """The grid, y and its slope."""
    status, page, _ = run("sensitivity", "net.json", "data.csv", "--dependence", "x2")
    table = list(csv.DictReader(page.splitlines()))
    found = symnet.dependence(symnet.load("net.json"), POINTS[:, ::-1], "x2")
    assert status == 0
    assert [float(row["x2"]) for row in table] == found.grid_values.tolist()
    assert [float(row["dy/dx2"]) for row in table] == found.slope[0].tolist()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["net.json", "data.csv", "-o", "out.txt"], "ends in one of .png, .svg, .pdf, .csv"),
        (["net.json", "net.json", "data.csv", "--dependence", "x1"], "one network at a time"),
        (["net.json", "net.json", "-"], "standard input can be read once"),
        (["net.json", "data.csv", "--dependence", "z"], "no input is called 'z'"),
        (
            ["net.json", "data.csv", "--dependence", "x1", "--order", 1],
            "takes neither --kind nor --order",
        ),
        (["net.json", "empty.csv"], "empty.csv: has no rows"),
        (
            ["net.json", "lost.csv"],
            "lost.csv: row 2 below the header: x2 is nan; expected a finite",
        ),
        (
            ["net.json", "data.csv", "--kind", "bars"],
            "bars is a picture: give its file, -o bars.png",
        ),
    ],
)
def test_sensitivity_mistakes(folder, run, arguments, message):
    """One line, status 2."""
    (folder / "empty.csv").write_text("x1,x2\n")
    (folder / "lost.csv").write_text("x1,x2\n1,2\n3,nan\n")
    status, page, complaint = run("sensitivity", *arguments)
    assert (status, page) == (2, "")
    assert message in complaint
    assert complaint.count("\n") == 1


def test_the_help_of_sensitivity_runs(folder, run):
    """Its example, to the letter."""
    pytest.importorskip("matplotlib")
    example = re.search(r"example:\n  symnet (.*)", run("sensitivity", "--help")[1])[1]
    status, page, complaints = run(*shlex.split(example))
    assert (status, complaints) == (0, "")
    assert page.startswith("wrote bars.png: bars of the sensitivities of 2-3-1, tanh, linear\n")
    assert (folder / "bars.png").stat().st_size > 1000


# --- symnet plot --------------------------------------------------------------------------------


def test_the_help_of_plot_runs(folder, run):
    """Its example, to the letter."""
    pytest.importorskip("matplotlib")
    example = re.search(r"example:\n  symnet (.*)", run("plot", "--help")[1])[1]
    assert run(*shlex.split(example)) == (0, "wrote net.png: maps of 2-3-1, tanh, linear\n", "")
    assert (folder / "net.png").stat().st_size > 1000


def test_plot_with_everything(folder, run):
    """Ranges, a point by name, units and data; guessed ranges are said where they are guessed."""
    pytest.importorskip("matplotlib")
    status, page, _ = run(
        *("plot", "net.json", "-o", "a.svg", "--kind", "curves", "--data", "data.csv"),
        *("--over", "x1=-1:2", "--at", "x2=-0.5", "--units", "x1=kg/m3,y=MPa", "--order", 1),
    )
    assert status == 0
    assert "note" not in page
    ET.parse("a.svg")
    said = run("plot", "-o", "b.svg", "--order", 0, "--at", "-1,2")[1]
    assert "note: ranges are guessed from the first layer's weights; give --over or --data" in said


def test_arguments_are_called_as_they_are_given(folder, run):
    """A message of the library's names options here; all that it may name are options of plot's."""
    pytest.importorskip("matplotlib")
    said = run("plot", "-o", "a.png", "--kind", "maps", "--inputs", "x1")[2]
    assert "a map is over two inputs, not x1; name two by --inputs" in said
    names = re.findall(r"\w+", terminal._ARGUMENT.pattern.partition("(")[2].partition(")")[0])
    page = run("plot", "--help")[1]
    assert names
    assert all(f"--{name} " in page for name in names)


def test_plot_measured(folder, run):
    """Rows of mixed data, read by the names in the header."""
    pytest.importorskip("matplotlib")
    (folder / "mixed.csv").write_text("x2,x1,y,dy/dx1\n1,2,0.5,\n2,1,,0.3\n0,0,0.1,\n")
    arguments = ("plot", "net.json", "-o", "a.png", "--kind", "measured", "--data", "mixed.csv")
    status, page, _ = run(*arguments)
    assert (status, page) == (0, "wrote a.png: predicted against measured of 2-3-1, tanh, linear\n")


def test_plot_measured_needs_a_table(folder, run):
    status, page, said = run("plot", "net.json", "-o", "a.png", "--kind", "measured")
    assert (status, page) == (2, "")
    assert "needs a table with columns for outputs or partials" in said
    assert "give it by --data" in said


def test_plot_measured_from_standard_input(folder, run, monkeypatch):
    """As the help of --data says."""
    pytest.importorskip("matplotlib")
    (folder / "mixed.csv").write_text("x1,x2,y\n1,2,0.5\n2,1,0.3\n")
    arguments = ("plot", "net.json", "-o", "a.png", "--kind", "measured", "--data", "-")
    with open("mixed.csv") as given:
        monkeypatch.setattr("sys.stdin", given)
        status, page, complaint = run(*arguments, "--outputs", "y")
    assert (status, complaint) == (0, "")
    assert page.startswith("wrote a.png: predicted against measured")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-o", "a.png", "--kind", "network", "--inputs", "x1"], "itself takes kind; leave out in"),
        (["-o", "a.png", "--kind", "network", "--at", "1,2"], "leave out at"),
        (["-o", "a.jpg"], "a.jpg: a picture ends in one of .png, .svg, .pdf"),
        (["-o", "a.png", "--over", "x1=3"], "x1='3' is no range; write it as x1=20:600"),
        (["-o", "a.png", "--over", "x1"], "'x1' is no range"),
        (["-o", "a.png", "--over", "x1=2:1"], "expected two rising numbers"),
        (["-o", "a.png", "--units", "x1"], "'x1' is no unit; write rho=kg/m3,T=K"),
        (["-o", "a.png", "--units", "x1=K,x1=K"], "unit of x1 is given twice"),
        (["-o", "a.png", "--at", "x1=two"], "x1='two': expected a number"),
        (["-o", "a.png", "--data", "none.csv"], "none.csv: cannot be read: No such file"),
        ([], "-o/--output"),
    ],
)
def test_plot_mistakes(folder, run, arguments, message):
    """One line, status 2, and no file."""
    pytest.importorskip("matplotlib")
    status, page, complaint = run("plot", "net.json", *arguments)
    assert (status, page) == (2, "")
    assert message in complaint
    assert complaint.count("\n") == 1
    assert not list(folder.glob("a.*"))


# --- notebooks: formulas ------------------------------------------------------------------------

RENDERED = {
    *("array", "aligned", "alignedat", "cases", "text", "mathrm", "operatorname", "frac", "sqrt"),
    *(
        "left",
        "right",
        "bigl",
        "bigr",
        "Bigl",
        "Bigr",
        "big",
        "mathopen",
        "hphantom",
        "begin",
        "end",
    ),
    *("partial", "cdot", "odot", "top", "quad", "ldots", "le", "ge", "land", "lor", "pi"),
    *("exp", "log", "sin", "cos", "tan", "tanh", "sinh", "cosh", "arctan", "max", "min"),
    *("sigma", "lambda", "rho", "varphi", "phi", "Phi", "zeta"),
}
"""Commands that MathJax 3.2 and 4.1 and KaTeX 0.16 were seen to render in such displays."""


def displays(text):
    parts = text.split("$$")
    assert len(parts) % 2 == 1
    assert not "".join(parts[::2]).strip()
    return parts[1::2]


@pytest.mark.parametrize("notation", catalogue.NOTATIONS)
@pytest.mark.parametrize("activation", ["sigmoid", "leaky_relu", "gelu", "softplus"])
def test_formulas_in_a_notebook(notation, activation):
    """Nothing but displays, with commands that are known, balanced, and short enough."""
    net = symnet.Network.dense([2, 3, 3, 1], activation, seed=1, inputs=["rho", "body_mass"])
    text = formulas.notebook(net, 2, notation, 4)
    for display in displays(text):
        assert set(re.findall(r"\\([A-Za-z]+)", display)) <= RENDERED
        assert len(display) < 4000
        assert display.count("{") == display.count("}")
        assert display.count(r"\begin{") == display.count(r"\end{")
        outside = re.sub(r"\\text\{[^{}]*(\{[^{}]*\}[^{}]*)*\}", "", display)
        assert "where" not in outside
    assert "noindent" not in text


def test_displays_in_a_notebook_keep_their_distance():
    """KaTeX set the next row close below, as TeX does: tall rows get no room that is asked for."""
    text = formulas.notebook(symnet.Network.example(), 2, "layer", None)
    after = re.findall(r"\\end\{(?:aligned|alignedat)\}(.*)\n", text)
    assert len(after) > 2
    assert set(after[:-1]) == {r" \\ \\[-0.6em]"}


def test_all_formulas_are_in_the_notebook():
    """Every line of the document's displays, in the same order."""
    net = symnet.Network.dense([2, 8, 8, 1], "gelu", seed=1)
    for notation in ("neuron", "layer"):
        lines = re.findall(r"^(.*?) *(?:\\\\)?$", formulas.latex(net, 2, notation), re.MULTILINE)
        shown = formulas.notebook(net, 2, notation)
        place = 0
        for line in (line for line in lines if "&=" in line):
            place = shown.index(line, place)


def test_sentences_of_a_notebook_are_broken():
    """A display goes on beyond the cell's edge else."""
    names = [f"number {k} of all the inputs that have names" for k in range(4)]
    net = symnet.Network.dense([4, 2, 1], inputs=names)
    rows = re.findall(r"\\text\{(.*)\}", formulas.notebook(net, 1, "layer"))
    said = [row for row in rows if "names" in row]
    assert len(said) > 1
    assert max(row.count("names") for row in said) < 3


def test_a_derivation_shows_itself():
    d = symnet.derive(symnet.Network.example())
    assert displays(d._repr_latex_())
    assert r"\frac{\partial y}{\partial x_{1}}" in d._repr_latex_()


# --- notebooks: HTML ----------------------------------------------------------------------------


def html(shown):
    """The markup, parsed; what is no XML fails."""
    return ET.fromstring(f"<div>{shown._repr_html_()}</div>")


def cells(shown):
    return [["".join(c.itertext()) for c in row] for row in html(shown).iter("tr")]


def test_a_network_shows_itself():
    """A row for each node; a deep one is cut in the middle."""
    net = symnet.Network.dense([2, 8, 1], "tanh", seed=0, name="water & <ice>")
    assert cells(net)[1:] == [["1", "tanh", "8", "inputs", "yes"], ["2", "linear", "1", "1", "yes"]]
    assert "water & <ice>: 2-8-1, tanh, linear, 33 weights; x1, x2 → y" in "".join(
        html(net).itertext()
    )
    deep = cells(symnet.Network.dense([2, *[2] * 200, 1]))
    assert len(deep) == 1 + showing.MOST_ROWS + 1
    assert ["… 141 more …"] in deep
    assert deep[-1][0] == "201"


def test_a_graph_shows_itself():
    x = symnet.variables("rho", "T")
    net = symnet.Network.of(symnet.Layer(np.eye(2), None, "tanh")(x) * x)
    assert cells(net)[-1] == ["2", "product", "2", "1, inputs", "no"]


def test_symbolic_weights_show_themselves():
    assert cells(symnet.Network([symnet.Layer([[Symbol("w"), 1]])]))


def test_compiled_and_report_show_themselves():
    """Source text is folded away; verdicts are in words."""
    f = symnet.derive(symnet.Network.example()).compile()
    assert html(f).find("details/pre").text == f.source
    report = symnet.check(f.network, f)
    table = cells(report)
    assert len(table) == 1 + len(report.comparisons)
    assert {row[-1] for row in table[1:]} == {"ok"}


def test_sensitivities_show_themselves():
    found = symnet.sensitivity(symnet.Network.dense([2, 3, 1], "relu", seed=0), POINTS)
    assert len(cells(found)) == 1 + 5
    assert "relu has a kink" in "".join(html(found).itertext())


def test_dependence_shows_itself():
    """Some values along the grid, the slopes beside them, with their units."""
    net = symnet.Network.dense([2, 3, 1], "tanh", seed=0).with_units({"x2": "K", "y": "MPa"})
    found = symnet.dependence(net, POINTS, "x2")
    head, *rows = cells(found)
    assert head == ["x2 [K]", "y [MPa]", "∂y/∂x2 [MPa/K]"]
    assert len(rows) == 11
    assert float(rows[-1][0]) == pytest.approx(found.grid_values[-1], rel=1e-3)
    assert float(rows[-1][2]) == pytest.approx(found.slope[0, -1], rel=1e-3)
    assert str(found).startswith("2-3-1, tanh, linear; mean of 25 points as x2 is moved\n  x2 [K]")


def test_text_where_there_is_no_html():
    """IPython in a terminal shows what `print` does, not arrays by their hundreds."""
    pretty = pytest.importorskip("IPython.lib.pretty").pretty
    net = symnet.Network.dense([2, 3, 1], "tanh", seed=0)
    fitted = fitting.Fit(net, (), 0.1, "lbfgs", 3, 2, 1.5, (), ())
    report = symnet.check(net, symnet.derive(net).compile())
    measured = symnet.sensitivity(net, POINTS)
    for shown in (measured, symnet.dependence(net, POINTS, "x1"), report, fitted):
        assert pretty(shown) == str(shown)


def test_a_notebook_says_that_numbers_are_rounded():
    """Where they are."""
    inexact = symnet.derive(symnet.Network.dense([2, 3, 1], "tanh", seed=0), 1)._repr_latex_()
    assert r"\text{numbers are rounded to 4 digits, of which latex() has all}" in inexact
    assert "1.0056766217290054" not in inexact
    assert "rounded" not in symnet.derive(symnet.Network.example())._repr_latex_()


def test_a_fit_shows_itself():
    """Its errors and notes."""
    kind = fitting.Kind("y", ("x1",))
    errors = (fitting.KindError(kind, 9, 0.25, 1, None, 1.0),)
    fit = fitting.Fit(symnet.Network.example(), errors, 0.1, "lbfgs", 3, 2, 1.5, (), ("a < b",))
    assert cells(fit)[1] == ["dy/dx1", "9", "0.25", "1", "-", "25 %"]
    assert "note: a < b" in "".join(html(fit).itertext())
    assert "25 %" in str(fit)
