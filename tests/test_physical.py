"""Units: kept wherever the network goes, and shown wherever its numbers are."""

from __future__ import annotations

import json
import pickle
import re
from html import unescape

import numpy as np
import pytest

import symnet
from symnet import files, languages, physical, reporting
from symnet.cli import main
from symnet.importers import Options, read
from symnet.plotting.framing import framed

UNITS = {"rho [0]": "kg/m3", "T": "K", "p": "MPa"}
POINTS = np.random.default_rng(0).normal(size=(30, 2))


def bare(graph=False):
    """A network without units, a chain or not."""
    names = {"inputs": ("rho [0]", "T"), "outputs": ("p",)}
    if not graph:
        return symnet.Network.dense([2, 3, 1], hidden="tanh", seed=0, **names)
    x = symnet.variables(*names["inputs"])
    h = symnet.Layer(np.ones((2, 2)), None, "tanh")(x) + x
    return symnet.Network.of(symnet.Layer([[1.0, 2.0]])(h), outputs=names["outputs"])


@pytest.fixture
def net():
    """One with units."""
    return bare().with_units(UNITS)


@pytest.mark.parametrize("graph", [False, True])
def test_they_are_kept(graph, tmp_path):
    """By files, pickles, weights that change and narrowing; comparisons leave them out."""
    network = bare(graph).with_units(UNITS)
    assert network == bare(graph)
    assert bare(graph).units == {}
    path = tmp_path / "net.json"
    symnet.save(network, path)
    changed = network.with_parameters({k: 2 * a for k, a in network.parameters.items()})
    for other in (
        *(symnet.load(path), pickle.loads(pickle.dumps(network)), changed),
        *(network.narrowed(1), network.numeric(), symnet.derive(network).network),
    ):
        assert dict(other.units) == UNITS
    assert symnet.load(path) == network
    with pytest.raises(TypeError):
        network.units["T"] = "°C"


def test_files_without_them_are_as_they_were(tmp_path):
    """Nothing is added to them, and they are read as without units."""
    text = "".join(files.text(bare()))
    assert "units" not in text
    (tmp_path / "old.json").write_text(text)
    assert symnet.load(tmp_path / "old.json").units == {}


@pytest.mark.parametrize(
    ("units", "message"),
    [
        ({"q": "K"}, r"unit of 'q': the network has no such name; it has rho \[0\], T, p"),
        ({"p": "K\n"}, "unit of p: 'K.n' is none"),
        ({"p": 3}, "unit of p: 3 is none"),
        ({"p": ""}, "unit of p: '' is none"),
        ({"p": "k" * 31}, "unit of p: .* write at most 30 characters"),
        ({"p": "漢"}, "unit of p: '漢' is none"),
    ],
)
def test_others_are_refused(tmp_path, units, message):
    """By the network and, in a line with its name, for a file."""
    with pytest.raises(ValueError, match=message):
        bare().with_units(units)
    path = tmp_path / "net.json"
    document = json.loads("".join(files.text(bare())))
    for found, said in ((units, message), (["K"], "units: found .* expected an object")):
        path.write_text(json.dumps(document | {"units": found}))
        with pytest.raises(ValueError, match=rf"net.json: {said}"):
            symnet.load(path)


@pytest.mark.parametrize(
    ("unit", "shown"),
    [("kg/m3", "kg/m³"), ("kg/m^3", "kg/m³"), ("W*m-2", "W·m⁻²"), ("mmHg", "mmHg"), ("1/K", "1/K")],
)
def test_they_are_shown_with_powers_raised(unit, shown):
    assert physical.shown(unit) == shown
    assert physical.bracketed("p", unit) == f"p [{shown}]"
    assert physical.bracketed("p", "1") == physical.bracketed("p", None) == "p"


def test_the_page_shows_them(net):
    """In its head, at the point, in both tables and in that of slopes; in pictures by mathtext."""
    page = reporting.page(symnet.derive(net), None, None, "html", POINTS)
    # A long head may take several lines.
    text = unescape(re.sub(r'<span class="(?:long|part)">|</span>|<wbr/>', "", page))
    assert "from rho [0] [kg/m³], T [K] to p [MPa]" in text
    for cell in (
        *("p [MPa]", "∂/∂rho [0] [1/(kg/m³)]", "∂/∂T [1/K]"),
        *("∂p/∂rho [0] [MPa/(kg/m³)]", "∂p/∂T [MPa/K]"),
    ):
        assert f">{cell}</th>" in text, cell
    settings = re.search('<script type="application/json" id="settings">(.*?)</script>', text)[1]
    assert json.loads(settings)["units"] == {"rho [0]": "kg/m³", "T": "K", "p": "MPa"}


def test_many_inputs_keep_their_labels_and_units():
    """The network of those that are shown has the labels of the whole one."""
    names = [f"c{i} [%]" for i in range(20)]
    network = symnet.Network.dense([20, 3, 1], hidden="tanh", seed=0, inputs=names)
    frame = framed(symnet.derive(network.with_units({names[3]: "mol"})), inputs=names[2:4])
    assert frame.network.input_names == ("c2 [%]", "c3 [%]")
    assert frame.axis(1).endswith("[mol]")


def test_tables_show_them(net, tmp_path, capsys):
    """The one to read in brackets, CSV in a last column; without units it is as it was."""
    assert "∂p/∂rho [0] [MPa/(kg/m³)]" in str(symnet.sensitivity(net, POINTS))
    symnet.save(net, tmp_path / "net.json")
    symnet.save(bare(), tmp_path / "bare.json")
    rows = "".join(f"{a},{b}\n" for a, b in POINTS.tolist())
    (tmp_path / "data.csv").write_text("rho [0],T\n" + rows)
    for name, last in (("net.json", [",unit", ",MPa/(kg/m3)", ",MPa/K"]), ("bare.json", None)):
        arguments = [
            str(tmp_path / name),
            str(tmp_path / "data.csv"),
            "-o",
            str(tmp_path / "s.csv"),
        ]
        assert main(["sensitivity", *arguments, "--order", "1"]) == 0
        lines = (tmp_path / "s.csv").read_text().splitlines()
        for line, end in zip(lines, last or [",elasticity", "", ""], strict=True):
            assert line.endswith(end)
            assert line.count(",") == 7 + (last is not None)


@pytest.mark.parametrize("language", ["python", "c"])
def test_generated_heads_say_them(net, language):
    """Beside the inputs' names."""
    text = "".join(map(str, languages.generate(net, language).values()))
    assert "rho [0] [kg/m³], T [K]" in text


def test_units_of_a_measurement_alone(tmp_path, capsys):
    """`sensitivity --units`: each of several networks takes those of its names, else one line."""
    points = tmp_path / "points.csv"
    points.write_text("T,rho [0]\n1,2\n3,4\n0,1\n", encoding="utf-8")
    paths = [tmp_path / "one.json", tmp_path / "two.json"]
    for path, network in zip(paths, (bare(), bare(True)), strict=True):
        symnet.save(network, path)
    given = ["sensitivity", *map(str, paths), str(points), "--order", "1", "--units"]
    assert main([*given, "T=K,p=MPa"]) == 0
    assert capsys.readouterr().out.count("∂p/∂T [MPa/K]") == 2
    assert main([*given, "q=m"]) == 2
    assert "'q': the network has no such name" in capsys.readouterr().err


def test_the_command_line_keeps_them(tmp_path, capsys):
    """`import` writes them, renamed ones too, and `report` takes others instead."""
    first, second = tmp_path / "a.json", tmp_path / "b.json"
    symnet.save(bare(), first)
    given = "rho [0]=kg/m3,p=MPa"
    assert main(["import", str(first), "-o", str(second), "--units", given]) == 0
    assert dict(symnet.load(second).units) == {"rho [0]": "kg/m3", "p": "MPa"}
    renamed = read(str(second), Options(inputs=["rho", "T"])).network
    assert dict(renamed.units) == {"rho": "kg/m3", "p": "MPa"}
    page = tmp_path / "page.md"
    assert main(["report", str(second), "-o", str(page), "--units", "p=bar"]) == 0
    assert "p [bar]" in page.read_text("utf-8").replace("\\", "")
    assert "--units p=bar" in page.read_text("utf-8")
    capsys.readouterr()
    assert main(["import", str(first), "-o", str(second), "--units", "rho=K"]) == 2
    assert "unit of 'rho'" in capsys.readouterr().err


def test_fit_keeps_them(tmp_path, capsys):
    """And refuses a name that the data lack before it trains."""
    for needed in ("scipy", "pymoo"):
        pytest.importorskip(needed, reason=f"{needed} is not installed")
    x = np.linspace(-1, 1, 12)
    (tmp_path / "d.csv").write_text("x,y\n" + "".join(f"{a},{a * a}\n" for a in x.tolist()))
    arguments = ["fit", str(tmp_path / "d.csv"), "--outputs", "y", "--hidden", "2", "-q"]
    arguments += ["--restarts", "1", "-o", str(tmp_path / "n.json"), "--units"]
    assert main([*arguments, "x=m,y=m2"]) == 0
    assert dict(symnet.load(tmp_path / "n.json").units) == {"x": "m", "y": "m2"}
    assert main([*arguments, "z=m"]) == 2
    assert "unit of 'z': the network has no such name; it has x, y" in capsys.readouterr().err
