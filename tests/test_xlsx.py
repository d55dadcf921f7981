"""The workbook: LibreOffice recalculates it, and its cells are held against the analytic engine."""

from __future__ import annotations

import functools
import io
import re
import shutil
import subprocess

import numpy as np
import pytest

import symnet
import zoo
from symnet import languages
from symnet.cli import main
from symnet.languages import cells, xlsx
from symnet.languages.job import Job
from symnet.witness import sampling
from test_languages import COMPLETE, NETWORKS

openpyxl = pytest.importorskip("openpyxl")

SEEN = tuple(NETWORKS) if COMPLETE else ("activations", "many", "attention", "one", "linear")
FIRST = 8  # the row of the first input
FACTORS = (0.0, 5.0, 30.0)
"""Of the extreme points; 0 for the point that the workbook is shipped with."""


def office() -> str:
    """The program, or a visible skip."""
    found = shutil.which("soffice")
    if found is None:
        pytest.skip("soffice is not installed")
    return found


def recalculated(folder, workbooks):
    """The workbooks' shown values, by their names, after one run of LibreOffice."""
    for name, book in workbooks.items():
        book.save(folder / f"{name}.xlsx")
    command = [office(), f"-env:UserInstallation=file://{folder}/profile", "--headless"]
    command += ["--convert-to", "xlsx", "--outdir", str(folder / "out")]
    files = [str(folder / f"{name}.xlsx") for name in workbooks]
    subprocess.run([*command, *files], check=True, capture_output=True, timeout=300)
    return {
        name: openpyxl.load_workbook(folder / "out" / f"{name}.xlsx", data_only=True)
        for name in workbooks
    }


@functools.cache
def generated(name):
    """The bytes of one of the networks' workbooks."""
    (content,) = languages.generate(NETWORKS[name](), "xlsx", name="net").values()
    return content


def workbook(net, order=2):
    """As it is generated, to be changed; one of NETWORKS by its name."""
    if isinstance(net, str):
        return openpyxl.load_workbook(io.BytesIO(generated(net)))
    (content,) = languages.generate(net, "xlsx", order, name="net").values()
    return openpyxl.load_workbook(io.BytesIO(content))


def far_points(net):
    """Points far out where the network's value is finite and not huge."""
    random = np.random.default_rng(1)
    points = np.concatenate([sampling.far(net, random, 2, f) for f in FACTORS[1:]])
    values = symnet.analytic.value(net, points)
    return points[np.isfinite(values).all(axis=1) & (np.abs(values) < 1e12).all(axis=1)]


def shares():
    """Softmaxes at the end, two and one of a number alone."""
    draw, x = zoo.Draw(8), symnet.variables("x1", "x2")
    return symnet.Network.of([symnet.softmax(draw(n, 2)(x)) for n in (3, 2, 1)])


OUTER = {"classifier": zoo.network("classifier"), "shares": shares()}
"""Networks whose outputs are entries that are divided by their sum where they stand."""


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """All workbooks of this file, recalculated at once since starting LibreOffice takes seconds."""
    office()
    books = {}
    for name in SEEN:
        books[name] = workbook(name)
    for k in (2, 3):
        books[f"point{k}"] = workbook("many")
        books[f"point{k}"]["Network"]["B5"] = k
    books["third"] = workbook(symnet.Network.dense([3, 4, 2], "tanh", seed=3), 3)
    for name in OUTER:
        books[name] = workbook(OUTER[name])
    books["formulas"] = workbook("own formulas")
    books["value"] = workbook(symnet.Network.dense([3, 4, 2], "tanh", seed=3), 0)
    books["fault"] = workbook("many")
    weight = books["fault"]["Weights"]["C4"]
    weight.value *= 1 + 1e-4
    books["own"] = workbook("many")
    books["own"]["Network"]["B10"] = 0.125
    every = NETWORKS["activations"]()
    for k, point in enumerate(far_points(every)):
        book = books[f"far{k}"] = workbook("activations")
        for i, x in enumerate(point.tolist()):
            book["Network"].cell(FIRST + i, 2, x)
    return recalculated(tmp_path_factory.mktemp("xlsx"), books)


def result(sheet, title, shape):
    """The numbers below a title, as an array."""
    (row,) = (cell.row for cell in sheet["A"] if cell.value == title)
    width = shape[-1] if len(shape) > 1 else 1
    count = int(np.prod(shape)) // width
    numbers = [[sheet.cell(row + 1 + r, 2 + c).value for c in range(width)] for r in range(count)]
    return np.array(numbers, float).reshape(shape)


def compare(net, sheet, rounding=3e-12):
    """Value, Jacobian and Hessian at the point in use against the other engine's."""
    x = np.array([sheet.cell(FIRST + i, 3).value for i in range(net.n)], float)
    engine = symnet.analytic
    functions = {"Value": engine.value, "Jacobian": engine.jacobian, "Hessian": engine.hessian}
    for order, (title, function) in enumerate(functions.items()):
        known = function(net, x)
        size = float(np.max(engine.scale(net, x[None], order)))
        found = result(sheet, title, known.shape)
        np.testing.assert_allclose(found, known, rtol=0, atol=rounding * max(size, 1e-3))


@pytest.mark.parametrize("name", SEEN)
def test_it_is_right(shown, name):
    """All activations, many inputs and outputs, graphs: by its own test and by ours."""
    assert shown[name]["Network"]["B4"].value == "ok"
    compare(NETWORKS[name](), shown[name]["Network"])


@pytest.mark.parametrize("name", OUTER)
def test_shares_are_right(shown, name):
    """A share was itself divided by the sum, in a circle: the whole sheet was #VALUE!."""
    assert shown[name]["Network"]["B4"].value == "ok"
    compare(OUTER[name], shown[name]["Network"])


@pytest.mark.parametrize("name", ["point2", "point3", "third", "value", "formulas"])
def test_its_own_test_says_ok(shown, name):
    """At the other points, in third order, of the value alone, of each function of formulas."""
    assert shown[name]["Network"]["B4"].value == "ok"


def test_its_own_test_finds_a_fault(shown):
    """A weight that is wrong by one part in ten thousand."""
    assert shown["fault"]["Network"]["B4"].value == "FAULT"


def test_a_point_typed_in(shown):
    """The cells follow it, and the test says that it has nothing to say."""
    sheet = shown["own"]["Network"]
    assert sheet["B4"].value == "choose a test point"
    assert sheet["C10"].value == 0.125
    compare(NETWORKS["many"](), sheet)


def test_extreme_points(shown):
    """Far out nothing overflows, and nothing is lost in the tails."""
    every = NETWORKS["activations"]()
    assert len(far_points(every)) > 1
    for k in range(len(far_points(every))):
        compare(every, shown[f"far{k}"]["Network"])


def test_formulas_are_plain():
    """No macros, arrays, volatile functions or names; short; the same bytes at each call."""
    content = generated("activations")
    net = NETWORKS["one"]()
    small = generated("one")
    assert small == next(iter(languages.generate(net, "xlsx", name="net").values()))
    book = openpyxl.load_workbook(io.BytesIO(content))
    assert not book.defined_names
    formulas = [c.value for s in book for row in s.iter_rows() for c in row if c.data_type == "f"]
    assert all(isinstance(formula, str) and len(formula) < 8192 for formula in formulas)
    used = set(re.findall(r"([A-Z0-9.]+)\(", "".join(formulas)))
    assert used <= KNOWN
    head = "\n".join(str(row[0].value) for row in book["About"].iter_rows())
    for part in ("x1, x2", "The generated code is yours"):
        assert part in head


KNOWN = {"ABS", "AND", "ATAN", "COS", "EXP", "IF", "INDEX", "INT", "ISNUMBER", "LN", "MAX", "OR"}
KNOWN |= {"POWER", "SIN", "SQRT", "SUMPRODUCT", "TANH"}
"""Functions of Excel 2007 and LibreOffice that a workbook may use."""


@pytest.mark.parametrize("formula", ["+".join(["EXP(A1)"] * 1100), "ABS(" * 65 + "1" + ")" * 65])
def test_formulas_that_no_cell_holds_are_refused(formula):
    """Excel would call the workbook damaged, and throw them away."""
    empty = cells.Cells("Sheet", {}, frozenset(), frozenset(), {}, lambda name: {})
    with pytest.raises(ValueError, match="a cell holds 8,192 in 64; use another language"):
        empty.put(("Sheet", 1, 1), formula)


def test_labels_are_no_formulas():
    """What a network file calls its inputs is text, whatever it begins with."""
    net = symnet.Network.dense([2, 3, 1], "tanh", seed=3, name="=1+1")
    book = workbook(net)
    assert book["Network"]["A1"].data_type == "s"
    assert book["Network"]["A1"].value.startswith("=1+1")


def test_refusals():
    """Single precision, chosen partials, and networks of more cells than one opens."""
    net = NETWORKS["one"]()
    with pytest.raises(ValueError, match="leave out precision float"):
        languages.generate(net, "xlsx", precision="float")
    with pytest.raises(ValueError, match="choose some in c, cpp"):
        languages.generate(net, "xlsx", only=["dy/dx1"])


def test_sizes_beyond_a_workbook(monkeypatch):
    """Too many vectors for a sheet: refused with the advice."""
    job = Job.of(symnet.Network.dense([2, 4, 1], "tanh", seed=0), 2, "net")
    monkeypatch.setattr(cells, "COLUMNS", 5)
    with pytest.raises(ValueError, match="use language c, or python"):
        xlsx.content(job)


def test_command(tmp_path):
    """The command writes it."""
    path = tmp_path / "press.xlsx"
    assert main(["generate", "--language", "xlsx", "-o", str(path)]) == 0
    assert openpyxl.load_workbook(path).sheetnames[0] == "Network"
