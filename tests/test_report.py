"""The page: its structure without a browser, and what it does in one."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from html import escape, unescape
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import sympy

import browsers
import symnet
import zoo
from symnet import catalogue, formulas, reporting
from symnet.formulas import mathml, tex
from symnet.plotting.picture import ENDS_OF_VALUES, VALUES
from symnet.reporting import copies, inline, latex, markdown, pdf, pictures
from symnet.reporting.contents import Table
from symnet.witness import analytic

HOSTILE = "</script><script>alert(1)</script> <!-- & 漢字"
POINTS = np.random.default_rng(0).uniform([18, 62], [42, 133], size=(40, 2))
DIABETES = Path(__file__).parents[1] / "examples" / "diabetes.json"

NETWORKS = {
    "example": symnet.Network.example,
    "data": lambda: symnet.Network(
        symnet.load(DIABETES).layers, inputs=("bmi", "blood_pressure"), name=HOSTILE
    ).with_units({"bmi": "kg/m2", "blood_pressure": "mmHg"}),
    "2-8-8-1": lambda: symnet.Network.dense([2, 8, 8, 1], hidden="tanh", seed=1),
    "6-16-16-2": lambda: symnet.Network.dense([6, 16, 16, 2], hidden="gelu", seed=1),
    "residual": lambda: zoo.network("residual"),
    "long names": lambda: symnet.Network.dense(
        [5, 4, 2],
        hidden="tanh",
        seed=1,
        inputs=[
            *("mean annual precipitation in the catchment [mm/a]", "T", "soil_organic_carbon_30"),
            *("Condenser temperature [degC]", "Column pressure drop [mbar]"),
        ],
        outputs=["net_ecosystem_carbon_exchange_rate", "Brutto-Primärproduktivität, geschätzt"],
    ),
    "kinks": lambda: symnet.Network.dense([1, 6, 1], hidden="relu", seed=2, inputs=["dose"]),
    "200 inputs": lambda: symnet.Network.dense([200, 16, 1], hidden="softplus", seed=1),
}
DRAWN = tuple(NETWORKS) if "SYMNET_AXE" in os.environ else ("example", "data")
"""Those with pictures, which take most of the time: all of them where accessibility is judged."""


@dataclass(frozen=True)
class Made:
    """A network, what is shown of it, and its page."""

    network: symnet.Network
    scene: pictures.Scene
    text: str


@pytest.fixture(scope="module")
def made():
    """Every page, made once."""
    pages = {}
    for name, network in ((name, make()) for name, make in NETWORKS.items()):
        derivation, data = symnet.derive(network), POINTS if name == "data" else None
        function = derivation.compile(check=False)
        report = symnet.check(network, function, digits=False)
        with pytest.MonkeyPatch.context() as patch:
            if name not in DRAWN:
                patch.setattr(pictures, "drawn", not_drawn)
            text = reporting.page(derivation, report, function.cost, "html", data)
        pages[name] = Made(network, pictures.scene(derivation, data), text)
    return pages


def not_drawn(name, make, alt, caption):
    """Instead of a picture."""
    yield reporting.contents.Paragraph(f"Not drawn ({name}).")


@pytest.mark.parametrize(
    ("weights", "caption"),
    [
        ([[1.0, 2.0]], "All weights are positive, and red; the thicker, the larger."),
        ([[-1.0, -2.0]], "All weights are negative, blue and dashed; the thicker, the larger."),
        (
            [[1.0, -2.0]],
            "Blue, dashed weights are negative, red ones positive; the thicker, the larger.",
        ),
        ([[0.0, 0.0]], "A circle is a neuron, or an input."),
        ([sympy.symbols("u v")], "A circle is a neuron, or an input."),
    ],
)
def test_the_drawings_caption_says_what_there_is(weights, caption):
    """Of colours those that are seen."""
    pytest.importorskip("matplotlib")
    (block,) = pictures.drawing(symnet.Network([symnet.Layer(weights, None, "tanh")]))
    assert block.caption == caption


class Outline(HTMLParser):
    """Headings, images and whatever a page would load."""

    def __init__(self, text):
        super().__init__()
        self.headings, self.images, self.loaded, self.open, self.names = [], [], [], [], set()
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if given.get("role") == "img":
            self.images.append(given)
        if "id" in given:
            assert given["id"] not in self.names
            self.names.add(given["id"])
        self.loaded += [given[k] for k in ("src", "href", "srcset", "data") if k in given]
        if tag not in ("meta", "link", "img", "input", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in ("meta", "link", "img", "input", "br"):
            self.open.pop()


def test_a_heading_is_printed_beside_what_it_begins():
    """In one division that no page ends in: Firefox keeps nothing else together."""
    pytest.importorskip("matplotlib")
    text = reporting.page(symnet.derive(symnet.Network.example()), None, None, "html")
    assert text.count("<h2") == text.count('<div class="opening">\n<h2') > 8
    opened = text.partition(">What it computes</h2>")[2].partition("\n</div>\n")[0]
    assert opened.count("<figure>") == 1
    assert "</p>" in opened


def test_names_from_the_right_leave_numbers_in_place():
    """`حرارة = 0` was shown as `0 = حرارة`."""
    net = symnet.Network.dense([2, 2, 1], seed=0, inputs=["حرارة", "درجة الغليان"])
    text = reporting.page(symnet.derive(net, order=1), None, None, "html")
    assert "<bdi>حرارة</bdi> = " in text
    assert "∂/∂<bdi>درجة الغليان</bdi></th>" in text.replace("</span>", "")


@pytest.mark.parametrize("order", [0, 1, 2])
def test_slices_are_explained_by_their_lines(order):
    """Of those that there are, on paper too."""
    net = symnet.Network.dense([2, 2, 1], "tanh", seed=0)
    text = reporting.page(symnet.derive(net, order=order), None, None, "html")
    said = re.search('<p id="key" hidden="hidden">(.*?)</p>', text)[1]
    assert ["tangent" in said, "parabola" in said] == [order > 0, order > 1]


def test_no_table_of_zeros_is_shown():
    """A network linear in pieces has no second partials, in pictures as at the point."""
    net = symnet.Network.dense([2, 3, 1], "relu", seed=0)
    text = reporting.page(symnet.derive(net), None, None, "html")
    assert "Second partials</caption>" not in text
    assert "parabola" not in text
    assert "function valueJacobian(" in text


def test_options_and_long_headings_are_broken_where_they_are_read():
    """Not `--` from its word, nor a name within one of its words."""
    net = symnet.Network.dense([2, 3, 1], "tanh", seed=0, name="water_at_high_pressure")
    text = reporting.page(symnet.derive(net), None, None, "html")
    assert "<h1>water_<wbr/>at_<wbr/>high_<wbr/>pressure</h1>" in text
    assert '<span class="whole">--data</span>' in text


@pytest.mark.parametrize("name", NETWORKS)
def test_a_page_is_whole(made, name):
    """Well formed, headings in order, nothing loaded, small, every picture described."""
    text = made[name].text
    outline = Outline(text)
    assert outline.open == []
    assert outline.headings[0] == 1
    assert outline.headings.count(1) == 1
    steps = zip(outline.headings, outline.headings[1:], strict=False)
    assert all(after <= before + 1 for before, after in steps)
    assert all(place[:1] == "#" or place.startswith("data:") for place in outline.loaded)
    assert {p[1:] for p in outline.loaded if p[:1] == "#"} <= outline.names
    assert "@import" not in text
    assert not re.search(r"url\((?!#)", text)
    assert "<math>" in text
    assert len(text) < 3_000_000
    assert all(len(image["aria-label"]) > 20 for image in outline.images)
    if name in DRAWN and pictures_available():
        assert len(outline.images) >= 1 + min(2, made[name].network.n)


def pictures_available():
    """Whether matplotlib is there."""
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        return False
    return True


def test_names_are_text(made):
    """Markup in a network's name is shown, and neither ends a script nor begins one."""
    text = made["data"].text
    assert f"<h1>{escape(HOSTILE)}</h1>" in text
    assert "<script>alert" not in text
    scripts = re.findall(r"<script[^>]*>(.*?)</script>", text, re.DOTALL)
    assert len(scripts) == text.count("<script") == 3
    assert any("alert(1)" in script and "<!--" not in script for script in scripts)


def test_what_is_left_out_is_said(made):
    """Of many inputs those that matter most are shown, by name."""
    text = unescape(made["200 inputs"].text)
    assert "Of 200 inputs the 6 are shown along which the outputs change most" in text
    assert "194 other inputs are kept" in text
    big = symnet.Network.dense([2, 200, 200, 1], seed=0)
    page = reporting.described(symnet.derive(big), None, None)
    live = next(s for s in page.sections if s.title == "At a point")
    assert live.blocks[-1].text.startswith("41,001 weights are too many for a page")


def test_data_that_cannot_be_are_refused_as_elsewhere(tmp_path):
    """Of no points NumPy's words were given; without weights any data were taken."""
    weight = sympy.Symbol("w")
    for net in (symnet.Network.example(), symnet.Network([symnet.Layer([[weight, 1]])])):
        for points in (np.empty((0, net.n)), np.ones((4, net.n + 1))):
            with pytest.raises(ValueError, match=r"data has shape .*; expected \(N, 2\)"):
                symnet.derive(net).report(tmp_path / "page.md", data=points)
    assert not list(tmp_path.iterdir())


def test_inputs_that_do_not_vary_in_the_data():
    """They have no range to be shown over, which is said; where all are such, it is guessed."""
    network = symnet.Network.dense([3, 4, 1], hidden="tanh", seed=0)
    points = np.random.default_rng(0).normal(size=(20, 3))
    points[:, 1] = 2
    scene = pictures.scene(symnet.derive(network), points)
    assert scene.frame.inputs == (0, 2)
    assert scene.notes == ["inputs that are the same in all of the data are not shown"]
    alone = pictures.scene(symnet.derive(network), np.ones((1, 3)))
    assert alone.frame.inputs == (0, 1, 2)
    assert (alone.frame.low < 1).all()
    assert (alone.frame.high > 1).all()
    assert alone.notes == ["x1 = 1, x2 = 1, x3 = 1 in all of the data: ranges are guessed"]


def test_without_matplotlib_the_page_says_so(monkeypatch):
    """And has all the rest."""

    said = "matplotlib is not installed; pip install 'symnet[plot]' brings it"

    def missing():
        raise ImportError(said)

    monkeypatch.setattr(pictures, "style", missing)
    monkeypatch.setattr(pictures.plotting, "plot", lambda *_, **__: missing())
    network = symnet.Network.example()
    text = unescape(reporting.page(symnet.derive(network), None, None, "html"))
    assert f"Not drawn (maps): {said}" in text
    assert "selfTest" in text


@pytest.mark.parametrize("hidden", ["sigmoid", "relu", "gelu"])
def test_python_that_is_copied_runs(hidden):
    """Statements of the formulas in the inputs, and the module of the layers, give the values."""
    net = symnet.Network.dense([2, 2, 2], hidden=hidden, seed=1, inputs=["T [K]", "rho"])
    derivation, point = symnet.derive(net), [0.25, -0.5]
    statements, module = (
        dict(copies.copies(derivation, notation))["Python"] for notation in ("expanded", "layer")
    )
    space = dict(zip(("T_K", "rho"), point, strict=True))
    exec(statements, space)
    y, J, H = derivation.compile(check=False)(point)
    found = [space[f"d2y2_d{i}d{j}"] for i, j in (("T_K", "T_K"), ("T_K", "rho"), ("rho", "rho"))]
    np.testing.assert_allclose(found, H[1][np.triu_indices(2)], rtol=1e-12)
    np.testing.assert_allclose([space["y1"], space["dy1_drho"]], [y[0], J[0, 1]], rtol=1e-12)
    made = {"__name__": "derivatives"}
    exec(module, made)
    np.testing.assert_allclose(made["value_jacobian_hessian"](np.array([point]))[2][0], H)


def test_python_that_would_not_run_is_not_offered():
    """Of statements for each neuron, of functions that `math` lacks, of many weights."""
    z = sympy.Symbol("z")
    own = symnet.Activation("own", sympy.erfinv(sympy.tanh(z) / 2))
    for net, notation in (
        (symnet.Network.example(), "neuron"),
        (symnet.Network([symnet.Layer([[0.5, 0.25]], [0.1], own)]), "expanded"),
        (symnet.Network.dense([40, 30, 1], seed=0), "layer"),
    ):
        names = dict(copies.copies(symnet.derive(net, 1), notation))
        assert list(names) == ["LaTeX", "plain text"]


# --- pictures -----------------------------------------------------------------------------------


def colours(text):
    """Those of a text's styles."""
    return set(re.findall("#[0-9a-f]{6}", text))


def test_pictures_are_of_the_page(made):
    """Their colours are variables of its style, or lie on a map's; each id is theirs alone."""
    matplotlib = pytest.importorskip("matplotlib")
    known = matplotlib.colormaps[VALUES]
    assert tuple(matplotlib.colors.to_hex(known(end)) for end in (0.0, 1.0)) == ENDS_OF_VALUES
    style = reporting.html._resource("page.css")
    light, dark = re.findall(r":root \{(.*?)\}", style, re.DOTALL)[:2]
    for variable in inline.VARIABLES.values():
        assert f"--{variable}:" in light
        assert f"--{variable}:" in dark
    for name in DRAWN:
        for found in re.findall(r"<svg.*?</svg>", made[name].text, re.DOTALL):
            tree = ET.fromstring(found)
            signed = [g for g in tree.iter("g") if g.get("class") == "signed"]
            apart = "".join(ET.tostring(g, "unicode") for g in signed)
            for g in signed:
                g.clear()
            rest = ET.tostring(tree, "unicode")
            assert colours(rest) <= set(inline.FIXED)
            assert bool(signed) is ("<image" in apart)
            assert ("-maps" in found or "maps-" in found) <= bool(signed)


def test_every_kind_of_picture_has_known_colours():
    """What another kind is drawn with would stay as it is on dark paper."""
    pytest.importorskip("matplotlib")
    network = symnet.Network.dense([3, 4, 2], hidden="relu", seed=0)
    points = np.random.default_rng(0).normal(size=(30, 3))
    measured = symnet.sensitivity(network, points)
    kinds = [(network, kind) for kind in ("curves", "network")]
    kinds += [(measured, kind) for kind in catalogue.SENSITIVITY_PICTURES]
    known = inline.FIXED | set(inline.VARIABLES)
    for what, kind in kinds:
        assert colours(symnet.plot(what, kind=kind).svg()) <= known, kind


def test_numbers_of_pictures_are_short_and_scales_whole():
    """A glyph's scale is no coordinate: rounded, letters would be too wide."""
    text = (
        '<svg xmlns="http://www.w3.org/2000/svg" width="1pt" viewBox="0 0 9 9">'
        '<g id="a"><path id="b" d="M 1.23456 2&#10;z" style="fill: #ffffff"/>'
        '<use href="#b" transform="scale(0.015625)" style="stroke: #010101"/></g></svg>'
    )
    found = inline.svg(text, "maps", 'a "map"', "width: 3rem")
    assert found == (
        '<svg viewBox="0 0 9 9" role="img" aria-label="a &quot;map&quot;" style="width: 3rem">'
        '<g><path d="M 1.23 2 z" style="fill: var(--paper)" id="maps-b"></path>'
        '<use href="#maps-b" transform="scale(0.015625)" style="stroke: #010101"></use></g></svg>'
    )


# --- formulas -----------------------------------------------------------------------------------

NAMES = ("ex", *zoo.GRAPHS)


def network_named(name):
    """The built-in one, or one of the zoo's."""
    return symnet.Network.example() if name == "ex" else zoo.network(name)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("notation", ["neuron", "layer"])
def test_mathml_has_the_numbers_of_the_formulas(name, notation):
    """Well formed; each line's numbers are those of the same line as text, in their order."""
    derivation = symnet.derive(network_named(name), 1)
    lines = derivation.text(notation, "mathml", 4)
    tree = ET.fromstring(f"<x>{lines}</x>")
    shown = sorted(
        n.text
        for m in tree.iterfind(".//div[@class='line']")
        for n in m.iter("mn")
        if "." in n.text
    )
    text = re.sub(r"e[-+]?\d+", "", derivation.text(notation, "text", 4).replace("\n", " "))
    head = formulas.heading(derivation.network)
    plain = sorted(re.findall(r"(?<![\w.])\d+\.\d+", text.removeprefix(head)))
    assert shown == plain
    assert not [e for e in tree.iter() if e.tag == "mo" and not e.text]


def test_mathml_of_the_example():
    """As a textbook has it."""
    network = symnet.Network.example()
    text = symnet.derive(network, 0).text("expanded", "mathml")
    (fraction,) = ET.fromstring(f"<x>{text}</x>").iter("mfrac")
    assert fraction[0].text == "2"
    assert "".join(fraction[1].itertext()) == "1+e−x1−x2−1"
    assert next(s.text for s in fraction[1].iter("mo")) == "+"
    assert fraction[1].find(".//msup/mrow/mo").get("form") == "prefix"


@pytest.mark.parametrize(
    ("latex", "expected"),
    [
        (r"\sigma'_{1}(z)", "<msubsup><mi>σ</mi><mn>1</mn>"),
        (r"\sqrt{2}", "<msqrt><mn>2</mn></msqrt>"),
        (r"\text{a<\{b}", "<mtext>a&lt;{b</mtext>"),
        (r"\Bigl(z\Bigr)^{2}", '<msup><mrow><mo form="postfix"'),  # not stretched but in a row
        (r"\sum_{k=1}^{3}", "<munderover><mo>∑</mo>"),
        (r"\begin{cases} z & \text{if } z > 0 \\ 0 & \text{otherwise} \end{cases}", "<mtable"),
    ],
)
def test_latex_is_read(latex, expected):
    """One case for each construction."""
    found = mathml.math(latex)
    assert expected in found
    ET.fromstring(found)


@pytest.mark.parametrize("latex", [r"\unknown{x}", r"\begin{matrix}x\end{matrix}", r"\frac{1"])
def test_what_is_not_known_is_refused(latex):
    """No formula is shown in part."""
    with pytest.raises(ValueError, match=r"MathML|ends before"):
        mathml.math(latex)


def test_terms_stay_together():
    """Each term of a long sum is a box, and a factor is not left behind in a line."""
    network = symnet.Network.dense([2, 8, 8, 1], hidden="tanh", seed=1)
    tree = ET.fromstring(f"<x>{symnet.derive(network, 0).text('expanded', 'mathml', 4)}</x>")
    terms = tree.findall(".//span[@class='right']/span[@class='term']")
    assert len(terms) == 9
    assert all(re.search("[0-9]·tanh", "".join(t.itertext())) for t in terms[:-1])
    first = terms[0].find(".//math")
    assert "tanh" in "".join(first.itertext())


# --- in files -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("ending", "picture"), [("md", "svg"), ("tex", "pdf")])
def test_pictures_lie_beside(tmp_path, ending, picture):
    """Each that the text names is there."""
    pytest.importorskip("matplotlib")
    page = reporting.described(symnet.derive(symnet.Network.example()), None, None)
    path = tmp_path / f"a report.{ending}"
    reporting.write(page, str(path))
    text = path.read_text("utf-8")
    assert "U+" not in text
    named = re.findall(r"a report-\w+", text)
    files = {p.stem for p in tmp_path.iterdir() if p.suffix == f".{picture}"}
    assert set(named) == files == {"a report-network", "a report-maps", "a report-curves"}


def test_numbers_stand_to_the_right_in_markdown():
    lines = markdown._table(Table((("", "mean"), ("∂y/∂x1", "−0.5"), ("∂y/∂x2", "12"))))
    assert lines.splitlines()[1] == "|---|---:|"


def test_where_errors_were_is_written_as_elsewhere():
    """With ∂ and −, as the other tables; a - and a d of ASCII stood beside them."""
    derivation = symnet.derive(symnet.load(DIABETES))
    report = symnet.check(derivation.network, derivation.compile(check=False))
    page = reporting.described(derivation, report, None)
    (check,) = (section for section in page.sections if section.title == "Check")
    (table,) = (block for block in check.blocks if isinstance(block, Table))
    places = [row[-1] for row in table.rows[1:]]
    assert any(place.startswith("∂²progression/∂") for place in places)
    assert not any(re.search(r"d2?progression|-[0-9]", place) for place in places)


def test_formulas_on_paper_use_the_papers_width():
    """Terms of the diabetes network were broken inside tanh, for which a line had room."""
    page = reporting.described(symnet.derive(symnet.load(DIABETES)), None, None)
    body = latex.write(page).partition("in the inputs alone")[2].partition("neuron by neuron")[0]
    lines = [line for line in body.splitlines() if r"\tanh" in line]
    assert len(lines) == 3 + 2 * 3 + 3 * 3 * 2
    assert all(re.search(r"\\tanh\([^()]*\)", line) for line in lines)
    widths = [tex.width(line.replace("&", "")) for line in lines]
    assert max(widths) <= latex.POINTS


def test_long_cells_are_broken_where_the_page_is_narrow():
    """The table of checks was made as small as its sentences were long, too small to be read."""
    short = Table((("what", "points"), ("value", "6")))
    assert latex._columns(short) == ["l", "r"]
    said = (
        "hessian derivative(2, X) of float32 at 299 points, 1 thread",
        "6",
        "y at " + "9.5, " * 14,
    )
    columns = latex._columns(Table((("what", "points", "where"), said)))
    shares = [float(re.search(r"p\{(.*)\\textwidth", columns[k])[1]) for k in (0, 2)]
    assert columns[1] == "r"
    assert all(share > 0.3 for share in shares)
    assert sum(shares) < 0.95
    head = ("", *(f"∂/∂{name}_temperature_of_the_air" for name in "abcd"))
    columns = latex._columns(Table((head, ("∂a_very_long_output/∂a", *["−0.048779"] * 4))))
    assert [re.search("raggedleft|raggedright", column)[0] for column in columns] == [
        "raggedright",
        *["raggedleft"] * 4,
    ]
    assert sum(float(re.search(r"p\{(.*)\\textwidth", c)[1]) for c in columns) < 0.95


def test_tables_on_paper_go_on_where_a_page_ends():
    """One of many rows ran off the page, and one of many columns was too small to be read."""
    names = [f"Temperature of sensor {k} [degC]" for k in range(12)]
    head = ("", *(f"∂/∂{name}" for name in names))
    rows = [(f"∂p/∂{name} {p}", *["−1.969e−06"] * 12) for name in names for p in range(4)]
    parts = [
        part
        for columns in latex._by_columns(Table((head, *rows), "Second partials"))
        for part in latex._by_rows(columns)
    ]
    for part in parts:
        widths = latex._widths(part)
        assert sum(widths) + 2 * len(widths) <= latex._CHARACTERS + 2
        assert sum(latex._lines(row, widths) for row in part.rows) <= latex._ROWS
    found = {}
    for part in parts:
        for row in part.rows[1:]:
            found.setdefault(row[0], []).extend(zip(part.rows[0][1:], row[1:], strict=True))
    assert found == {row[0]: list(zip(head[1:], row[1:], strict=True)) for row in rows}
    text = latex._tables(Table((head, *rows), "Second partials"))
    assert text.count("Second partials, continued") == text.count("tabular}{") - 1 > 1


def pdf_page():
    """Of a network whose label LaTeX's fonts lack, with what its name would mean to LaTeX."""
    network = symnet.Network.dense([2, 3, 1], hidden="tanh", seed=0, name="50 % & $x$ {#}")
    return reporting.described(symnet.derive(network.with_units({"x1": "kg/m3"})), None, None)


@pytest.mark.parametrize("maker", ["LATEX", "BROWSERS"])
def test_a_pdf_is_made_by_either(tmp_path, monkeypatch, maker):
    """By LaTeX, or by a browser where that is not installed; nothing else is left."""
    pytest.importorskip("matplotlib")
    if not any(map(shutil.which, getattr(pdf, maker))):
        pytest.skip(f"none of {', '.join(getattr(pdf, maker))} is installed")
    other = {"LATEX": "BROWSERS", "BROWSERS": "LATEX"}[maker]
    monkeypatch.setattr(pdf, other, ())
    path = tmp_path / "report.pdf"
    reporting.write(pdf_page(), str(path))
    content = path.read_bytes()
    assert content.startswith(b"%PDF-")
    assert content.rstrip().endswith(b"%%EOF")
    assert [p.name for p in tmp_path.iterdir()] == ["report.pdf"]
    if shutil.which("pdftotext"):
        done = subprocess.run(["pdftotext", path, "-"], capture_output=True, text=True, check=True)
        assert "50 % & $x$ {#}" in done.stdout.replace("\n", " ")
        assert "Derivatives, layer by layer" in done.stdout


def test_a_pdf_without_tools_is_refused(monkeypatch):
    """At once, by name, with what to do."""
    monkeypatch.setattr(pdf, "LATEX", ())
    monkeypatch.setattr(pdf, "BROWSERS", ())
    with pytest.raises(ValueError, match=r"LaTeX .* or by Chromium.*write report.html and print"):
        reporting.format_of("report.pdf")


def test_a_tool_that_fails_gives_way_to_the_next(tmp_path, monkeypatch):
    """And where all fail, what they said is named; no file is written."""
    failing = tmp_path / "pdflatex"
    failing.write_text("#!/bin/sh\necho '! LaTeX Error: File amsmath.sty not found.'\nexit 1\n")
    failing.chmod(0o755)
    monkeypatch.setattr(pdf, "LATEX", (str(failing),))
    monkeypatch.setattr(pdf, "BROWSERS", ())
    with pytest.raises(ValueError, match=r"pdflatex: ! LaTeX Error: File amsmath.sty not found"):
        reporting.write(pdf_page(), str(tmp_path / "report.pdf"))
    assert not (tmp_path / "report.pdf").exists()


# --- in a browser -------------------------------------------------------------------------------

WIDTHS = (1280, 390)

SAID = """
<script>
window.said = [];
for (const kind of ["log", "info", "warn", "error", "debug"]) {
  console[kind] = (...words) => said.push(`${kind}: ${words.join(" ")}`);
}
addEventListener("error", (event) => said.push(`error: ${event.message}`));
addEventListener("unhandledrejection", (event) => said.push(`rejected: ${event.reason}`));
</script>
"""

LOOK = """
const POINTS = %s;
const wait = (ms) => new Promise((done) => setTimeout(done, ms));
async function look(frame, name) {
  const page = frame.contentDocument, found = { name, width: frame.clientWidth };
  found.test = page.getElementById("self-test").textContent;
  found.said = frame.contentWindow.said;
  found.across = page.documentElement.scrollWidth;
  found.dark = frame.contentWindow.matchMedia("(prefers-color-scheme: dark)").matches;
  found.paper = frame.contentWindow.getComputedStyle(page.documentElement).backgroundColor;
  found.heights = [...page.querySelectorAll("math")].map((m) => m.getBoundingClientRect().height);
  const fields = [...page.querySelectorAll('.slider input[type="number"]')];
  found.results = POINTS[name].map((point) => {
    point.forEach((x, i) => {
      fields[i].value = x;
      fields[i].dispatchEvent(new Event("input"));
    });
    return [...page.querySelectorAll("#results td.number")].map((td) => td.dataset.value);
  });
  const spilt = (cell) => {
    const room = cell.getBoundingClientRect(), text = page.createRange();
    text.selectNodeContents(cell);
    return [...text.getClientRects()].some((r) => r.bottom > room.bottom + 1);
  };
  found.spilt = [...page.querySelectorAll("tbody tr > *")].filter(spilt).length;
  const range = page.querySelector('.slider input[type="range"]');
  range.value = range.max;
  range.dispatchEvent(new Event("input"));
  await wait(100);
  found.followed = Math.abs(fields[0].value - range.max) <= 1e-9 * Math.abs(range.max);
  found.slices = page.querySelectorAll("#slices svg path.curve").length;
  const scrolled = [...page.querySelectorAll(".scroll, .formulas")];
  const wide = scrolled.filter((place) => place.scrollWidth > place.clientWidth + 1);
  const told = [...page.querySelectorAll(".more")].filter((m) => !m.hidden);
  found.wide = wide.length;
  found.wideResults = wide.filter((place) => place.closest("#results")).length;
  found.told = told.filter((m) => wide.includes(m.previousElementSibling)).length;
  found.toldInVain = told.length - found.told;
  found.axe = [];
  found.judged = "axe" in frame.contentWindow;
  if (frame.contentWindow.axe) {
    const said = await frame.contentWindow.axe.run(page);
    found.axe = said.violations.map((v) => `${v.id}: ${v.nodes[0].html}`);
  }
  page.querySelectorAll("details").forEach((folded) => (folded.open = true));
  const formulas = [...page.querySelectorAll(".formulas")];
  found.cut = formulas.filter((room) => room.scrollWidth > room.clientWidth + 1).length;
  // Where the lines of a term begin, the first one aside; a part's are deeper than the whole's.
  const begun = (term) => {
    const boxes = [...term.children].map((part) => part.getBoundingClientRect());
    return boxes.filter((box, k) => k && box.left < boxes[k - 1].left && box.top > boxes[k - 1].top)
      .map((box) => box.left);
  };
  const terms = [...page.querySelectorAll(".lines:not(.beside) .term:has(> .term)")];
  found.continued = terms.filter((term) => begun(term).length).length;
  found.shallow = terms.filter((term) => {
    const inner = [...term.children].flatMap(begun), own = begun(term);
    return Math.min(...own) < term.getBoundingClientRect().left + 8 ||
      Math.min(...inner) < Math.max(...own) + 8;
  }).length;
  return found;
}
addEventListener("load", async () => {
  await wait(500);
  const all = [];
  for (const frame of document.querySelectorAll("iframe")) {
    all.push(await look(frame, frame.title));
  }
  document.getElementById("found").textContent = JSON.stringify(all);
  if (location.protocol === "http:") fetch("found", { method: "POST", body: JSON.stringify(all) });
});
"""


def axe():
    """The text of axe-core where SYMNET_AXE says that it is, or else nothing."""
    place = os.environ.get("SYMNET_AXE")
    return Path(place).read_text("utf-8") if place else ""


def moved(made):
    """Two points for the sliders of a page, the second outside their ranges."""
    frame = made.scene.frame
    inside = frame.low + 0.3 * (frame.high - frame.low)
    return np.array([inside, frame.high + 0.1 * (frame.high - frame.low)])


def harness(made, judge):
    """A page that has every page at every width in a frame, and looks at them.

    `judge` is the text of axe-core, or nothing.
    """
    points = {name: moved(page).tolist() for name, page in made.items()}
    judge = "<script>{}</script>".format(judge.replace("</", r"<\/")) if judge else ""
    frames = []
    for name, page in made.items():
        text = page.text.replace("<head>", f"<head>{SAID}", 1)
        text = text.replace("</body>", f"{judge}</body>")
        for width in WIDTHS:
            style = f"width: {width}px; height: 900px; border: 0"
            frames.append(
                f'<iframe title="{escape(name)}" style="{style}" srcdoc="{escape(text)}"></iframe>'
            )
    return (
        f'<!DOCTYPE html><meta charset="utf-8"><link rel="icon" href="data:,">'
        f'<pre id="found"></pre><script>{LOOK % json.dumps(points)}</script>{"".join(frames)}'
    )


@pytest.fixture(
    scope="module", params=[(b, s) for b in browsers.BROWSERS for s in browsers.SCHEMES]
)
def looked(request, tmp_path_factory):
    """What a browser says of every page at every width, in one scheme of colours."""
    if "SYMNET_COMPLETE" not in os.environ:
        pytest.skip("SYMNET_COMPLETE is not set: browsers take a minute")
    name, scheme = request.param
    look = browsers.BROWSERS[name]
    if look.program is None:
        pytest.skip(f"{name} is not installed")
    # What is accessible in one is in the other, and judging takes most of the time.
    made = request.getfixturevalue("made")
    text = harness(made, axe() if name == "chromium" else "")
    return scheme, *look(text, tmp_path_factory.mktemp(name), scheme)


def test_no_console_message_and_nothing_cut_off(looked, made):
    """At every width, in light and dark."""
    scheme, pages, messages = looked
    assert messages == []
    assert [page["said"] for page in pages if page["said"]] == []
    assert [page["name"] for page in pages if page["cut"] or page["spilt"]] == []
    assert [page["name"] for page in pages if page["shallow"]] == []
    assert any(page["continued"] for page in pages if page["width"] == min(WIDTHS))
    assert len(pages) == len(NETWORKS) * len(WIDTHS)
    for page in pages:
        assert page["across"] <= page["width"], page["name"]
        assert page["dark"] is (scheme == "dark")
        assert (page["paper"] == "rgb(253, 253, 251)") is (scheme == "light")
        assert len(page["heights"]) > 10
        assert page["slices"] >= min(2, made[page["name"]].network.n)
        assert page["followed"]
        assert (page["told"], page["toldInVain"]) == (page["wide"], 0), page["name"]
    (roomy,) = (p for p in pages if p["name"] == "long names" and p["width"] == max(WIDTHS))
    assert roomy["wideResults"] == 0
    assert any(page["wide"] for page in pages if page["width"] == min(WIDTHS))


def test_sliders_give_the_numbers_of_the_functions(looked, made):
    """y, the Jacobian and the Hessian that there is, beside the analytic engine."""
    _, pages, _ = looked
    for page in pages:
        assert "Self-test passed" in page["test"]
        whole = made[page["name"]]
        network, points = whole.scene.frame.network, moved(whole)
        exact = (analytic.value, analytic.jacobian, analytic.hessian)[: whole.scene.frame.order + 1]
        values = [f(network, points) for f in exact]
        sizes = [analytic.scale(network, points, r) for r in range(len(exact))]
        for k, found in enumerate(page["results"]):
            numbers = np.array(found, dtype=float)
            expected, allowed = (
                np.concatenate(
                    [np.hstack([a[k][:, None], b[k]]).ravel(), *(c[k].ravel() for c in more)]
                )
                for a, b, *more in (values, sizes)
            )
            assert numbers.shape == expected.shape
            assert np.all(np.abs(numbers - expected) <= 1e-12 * np.maximum(allowed, 1))


@pytest.mark.skipif("SYMNET_AXE" not in os.environ, reason="SYMNET_AXE names no axe.min.js")
@pytest.mark.parametrize(
    "looked", [("chromium", scheme) for scheme in browsers.SCHEMES], indirect=True
)
def test_axe_finds_nothing(looked):
    """Headings, names, contrast: WCAG 2 AA and good practice."""
    _, pages, _ = looked
    assert {page["name"] for page in pages if page["judged"]} == set(NETWORKS)
    assert {page["name"]: page["axe"] for page in pages if page["axe"]} == {}


def test_limits_are_no_names():
    """What names stand for is said below formulas, not among kinks, nor where labels are kept."""
    network = symnet.Network.dense([2, 2, 1], hidden="tanh", seed=0, inputs=["ρ", "T [K]"])
    page = reporting.described(symnet.derive(network), None, None)
    sections = {section.title: str(section.blocks) for section in page.sections}
    assert "the outputs are defined and smooth everywhere" in sections["Kinks, jumps and domain"]
    assert "T_K for T [K]" in sections["Derivatives, layer by layer"]
    points = np.random.default_rng(0).normal(size=(5, 2))
    notes = symnet.sensitivity(network, points).notes
    assert not any("stands for" in note for note in notes)


@pytest.mark.parametrize(
    ("widths", "hidden"),
    [([1, 4, 2], "tanh"), ([2, 4, 1], "tanh"), ([2, 4, 2], "relu"), ([5, 4, 4], "tanh")],
)
def test_panels_of_a_page_are_foretold(widths, hidden):
    """Within two colour bars of what is drawn: a page's pictures take most of its time."""
    pytest.importorskip("matplotlib")
    net = symnet.Network.dense(widths, hidden=hidden, seed=0)
    page = reporting.described(symnet.derive(net), None, None)
    drawn = [b for b in page.pictures() if b.name != "network"]
    assert abs(sum(len(b.picture.figure.axes) for b in drawn) - pictures.panels(net, 2)) <= 2
