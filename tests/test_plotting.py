"""Pictures: what is drawn is what the functions give, whatever the network, without a warning."""

from __future__ import annotations

import io
import warnings
import xml.etree.ElementTree as ET
from functools import partial
from itertools import combinations, pairwise

import numpy as np
import pytest
import sympy

import symnet
from symnet import catalogue, physical, plotting
from symnet.compiling import Compiled
from symnet.plotting import distributions, kinks, maps, writing
from symnet.plotting.cutting import cut
from symnet.plotting.framing import framed
from symnet.plotting.picture import _drawn_on, style
from symnet.plotting.restricting import restricted
from symnet.plotting.structure import structure

matplotlib = pytest.importorskip("matplotlib")


def network(n=2, m=1, hidden="tanh", **options):
    return symnet.Network.dense([n, 5, m], hidden, seed=n + m, **options)


def panels(picture, with_bars=False):
    """The panels by title; colour bars have none."""
    return {a.get_title("left"): a for a in picture.figure.axes if a.get_title("left")}


def lines(axes):
    """Curves drawn, as arrays (points, 2); not those of a single point or across the panel."""
    found = [np.column_stack(line.get_data()) for line in axes.get_lines()]
    return [curve for curve in found if len(curve) > 100]


def coloured(axes):
    (found,) = axes.get_images()
    return found


# --- every kind of network ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("n", "m", "hidden", "order"),
    [
        *[(1, 1, "relu", 2), (1, 3, "tanh", 2), (2, 1, "tanh", 2), (2, 1, "relu", 2)],
        *[(2, 3, "relu", 0), (3, 2, "relu", 1), (6, 1, "tanh", 2)],
    ],
)
def test_a_picture_of_every_network(n, m, hidden, order):
    """As many panels as there are quantities, and it renders."""
    picture = symnet.plot(network(n, m, hidden), order=order)
    expected = m * (1, 3, 6)[order] if n == 2 else (order + 1) * n * m
    assert len([a for a in picture.figure.axes if a.get_title("left")]) == expected
    assert picture.png().startswith(b"\x89PNG")


@pytest.mark.parametrize("kind", ["curves", "pairs", "network"])
def test_kinds_of_two_inputs(kind):
    """Each renders, a Derivation's too, to the order it was derived to."""
    picture = symnet.derive(network(), order=1).plot(kind=kind)
    assert len(picture.figure.axes) == {"curves": 4, "pairs": 5, "network": 1}[kind]
    assert picture.svg().startswith("<?xml")


def test_a_graph_that_is_no_chain_is_drawn():
    """Skip connections, products and a factor, with their lines."""
    x = symnet.variables("rho", "T")
    h = symnet.Layer(np.ones((3, 2)), None, "tanh")(x)
    net = symnet.Network.of(symnet.Layer([[1, -1, 0.5]])(h * h + h), outputs=["p"])
    vertices, edges = structure(net)
    assert [v.width for v in vertices] == list(net.widths)
    assert len(edges) == sum(len(node.sources) for node in net.nodes)
    legend = net.draw().figure.axes[0].get_legend()
    shown = {text.get_text() for text in legend.get_texts()}
    assert {"weight above 0", "weight below 0", "identity", "factor"} <= shown


def test_a_graph_is_drawn_by_its_values_and_kinks():
    """Maps and curves of a network with a skip, a product and a kink, as the witness has it."""
    x = symnet.variables("rho", "T")
    h = symnet.Layer([[1.0, 0.0], [0.0, 1.0]], [0.25, 0.0], "relu")(x)
    net = symnet.Network.of(symnet.Layer([[1.0, 2.0]])(h * x + x), outputs=["p"])
    over = {"rho": (-1, 1), "T": (-1, 1)}
    drawn = panels(symnet.plot(net, over=over))
    grid = np.linspace(-1, 1, 161)
    points = np.stack(np.meshgrid(grid, grid), axis=-1)
    H = symnet.analytic.hessian(net, points)[..., 0, 1, 1]
    found = coloured(drawn[writing.partial("p", ["T", "T"])]).get_array().reshape(H.shape)
    np.testing.assert_allclose(found, H, atol=1e-13)
    frame = framed(net, over=over, inputs=["rho"])
    np.testing.assert_allclose(kinks.on_line(frame, 0, frame.line(0, 101)), [-0.25], atol=1e-12)


# --- the numbers drawn --------------------------------------------------------------------------


def test_curves_are_the_functions_values():
    """Of every order, input and output, at every sample drawn."""
    net = network(3, 2)
    at = [0.3, -0.2, 0.1]
    frame_options = {"over": dict.fromkeys(("x1", "x2", "x3"), (-1, 2)), "at": at}
    drawn = panels(symnet.plot(net, **frame_options))
    # The titles of a row of values are the same: take the last column's.
    for p, output in enumerate(("y1", "y2")):
        for i, name in enumerate(("x1", "x2", "x3")):
            for order in (1, 2):
                (curve,) = lines(drawn[writing.partial(output, [name] * order)])
                points = np.tile(at, (len(curve), 1))
                points[:, i] = curve[:, 0]
                J, H = symnet.analytic.jacobian(net, points), symnet.analytic.hessian(net, points)
                expected = J[:, p, i] if order == 1 else H[:, p, i, i]
                np.testing.assert_allclose(curve[:, 1], expected, rtol=1e-11, atol=1e-13)
                assert (curve[0, 0], curve[-1, 0]) == (-1, 2)
        (curve,) = lines(drawn[writing.name(output)])
        points = np.tile(at, (len(curve), 1))
        points[:, 2] = curve[:, 0]
        np.testing.assert_allclose(curve[:, 1], symnet.analytic.value(net, points)[:, p])


def test_maps_are_the_functions_values():
    """Every quantity at every point of the grid; the first input across."""
    net = network(inputs=["rho", "T"], outputs=["p"])
    over = {"rho": (-1, 1), "T": (0, 3)}
    drawn = panels(symnet.plot(net, over=over))
    across, up = np.linspace(-1, 1, 161), np.linspace(0, 3, 161)
    points = np.stack(np.meshgrid(across, up), axis=-1)
    y, J, H = symnet.derive(net).compile()(points)
    expected = {
        (): y[..., 0],
        ("rho",): J[..., 0, 0],
        ("T",): J[..., 0, 1],
        ("rho", "rho"): H[..., 0, 0, 0],
        ("rho", "T"): H[..., 0, 0, 1],
        ("T", "T"): H[..., 0, 1, 1],
    }
    assert set(drawn) == {writing.partial("p", along) for along in expected}
    for along, values in expected.items():
        found = coloured(drawn[writing.partial("p", along)])
        np.testing.assert_allclose(
            found.get_array().reshape(values.shape), values, rtol=1e-12, atol=1e-14
        )
        if along:  # centred on 0
            low, high = found.get_clim()
            assert low == -high
            assert found.get_cmap().name == "RdBu_r"
        else:
            assert found.get_cmap().name == "cividis"


def test_colours_are_not_spent_on_a_few_peaks():
    """Those of most points, where a few are many times as large; else the largest."""
    ramp = np.linspace(0.0, 2.0, 101)
    assert maps.reach(ramp) == 2.0
    ramp[-1] = 1e6
    assert maps.reach(ramp) == pytest.approx(1.94)
    few = np.array([0.0] * 100 + [5.0])
    assert maps.reach(few) == 5.0


def test_pairs_are_the_functions_values():
    """y below the diagonal, mixed partials times both ranges above it."""
    net = network(3)
    over = {"x1": (0, 1), "x2": (0, 2), "x3": (-1, 0)}
    picture = symnet.plot(net, kind="pairs", over=over)
    grid = np.array(picture.figure.axes[:9]).reshape(3, 3)
    at = np.array([0.5, 1.0, -0.5])
    for row, column in ((2, 0), (0, 2), (1, 0)):
        across, up = (np.linspace(*over[f"x{k + 1}"], 101) for k in (column, row))
        points = np.broadcast_to(at, (101, 101, 3)).copy()
        points[..., column], points[..., row] = across, up[:, None]
        if row > column:
            expected = symnet.analytic.value(net, points)[..., 0]
        else:
            widths = np.ptp(across) * np.ptp(up)
            expected = symnet.analytic.hessian(net, points)[..., 0, row, column] * widths
        found = coloured(grid[row, column]).get_array().reshape(101, 101)
        np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-13)


def test_data_give_ranges_and_the_point():
    """From the least to the largest, and the median."""
    data = np.array([[0.0, 10.0], [1.0, 20.0], [5.0, 90.0]])
    frame = framed(network(), data=data)
    np.testing.assert_array_equal([frame.low, frame.high, frame.at], [[0, 10], [5, 90], [1, 20]])
    assert frame.notes == ()
    assert framed(network()).notes  # guessed ranges are said


def test_many_inputs():
    """The most important are shown, the others stay; derivatives are along those shown only."""
    net = symnet.Network.dense([40, 8, 1], seed=1)
    picture = symnet.plot(net)
    assert any("of 40 inputs the 6 are shown" in note for note in picture.notes)
    assert not any("as the network is large" in note for note in picture.notes)
    assert "40-8-1" in picture.figure.get_suptitle()
    frame = framed(net, inputs=["x7", "x3"])
    assert frame.network.n == 2
    assert [s.name for s in frame.network.inputs] == ["x7", "x3"]
    whole = framed(symnet.Network.dense([40, 8, 1], seed=1), inputs=[f"x{k}" for k in range(1, 41)])
    points = np.tile(whole.at, (5, 1))
    points[:, [6, 2]] = np.random.default_rng(0).normal(size=(5, 2))
    H = symnet.analytic.hessian(net, points)[:, 0][:, [6, 2]][:, :, [6, 2]]
    np.testing.assert_allclose(frame.function.hessian(points[:, [6, 2]])[:, 0], H, atol=1e-13)


@pytest.mark.parametrize("last", ["tanh", "skip", "softmax"])
def test_outputs_that_are_not_shown_are_not_computed(last):
    """Values and slopes are those of the whole network, whose name and widths stand above."""
    x = symnet.variables("x1", "x2")
    h = symnet.Layer([[0.5, -1], [1, 2], [0.25, 1]], None, "tanh")(x)
    y = {"tanh": h, "skip": symnet.Layer(np.eye(3)[::-1], [1, 2, 3])(h) + h}
    net = symnet.Network.of(y.get(last, symnet.softmax(h)))
    frame = framed(net, outputs=["y3", "y1"])
    assert (frame.network.output_names, frame.outputs) == (("y3", "y1"), (0, 1))
    points = np.random.default_rng(0).normal(size=(5, 2))
    for order, whole in enumerate((symnet.analytic.value, symnet.analytic.jacobian)):
        found = frame.function.derivative(order, points)
        np.testing.assert_allclose(found, whole(net, points)[:, [2, 0]], atol=1e-14)
    picture = symnet.plot(net, outputs=["y3"])
    assert net.describe() in picture.title
    assert net.describe() in picture.figure.get_suptitle()


@pytest.mark.parametrize("bare", [True, False])
def test_restricted_graph(bare):
    """A network of some inputs is the network with the others held: in the biases, or before it."""
    x = symnet.variables("x1", "x2", "x3")
    h = symnet.Layer(np.eye(3) * 0.5, None, "tanh")(x)
    skipped = x if bare else symnet.Layer([[1, 2, 0.5]] * 3, [1, 2, 3])(x)
    net = symnet.Network.of(h * x + x if bare else h * h + skipped)
    found = restricted(net, [2, 0], np.array([9.0, 0.25, 9.0]))
    assert [s.name for s in found.inputs] == ["x3", "x1"]
    assert len(found.nodes) == len(net.nodes) + bare
    at = dict(zip(found.inputs, (0.5, -1.0), strict=True))
    same = dict(zip(net.inputs, (-1.0, 0.25, 0.5), strict=True))
    for ours, theirs in zip(found.expression(), net.expression(), strict=True):
        assert float(ours.subs(at)) == pytest.approx(float(theirs.subs(same)), rel=1e-14)


# --- kinks --------------------------------------------------------------------------------------


def test_kinks_on_a_line():
    """Where they lie, to rounding; a kink that is passed on to no output is none."""
    layers = [
        symnet.Layer([[1.0], [1.0], [2.0]], [-0.5, 0.25, 1.5], "relu"),
        symnet.Layer([[1.0, -2.0, 0.0]], [0.0]),
    ]
    net = symnet.Network(layers)
    frame = framed(net, over={"x1": (-1, 1)})
    found = kinks.on_line(frame, 0, frame.line(0, 401))
    np.testing.assert_allclose(found, [-0.25, 0.5], atol=1e-12)
    (curve,) = lines(panels(symnet.plot(net, over={"x1": (-1, 1)}))[writing.partial("y", ["x1"])])
    broken = np.isnan(curve).any(axis=1)
    assert broken.sum() == 2
    assert set(curve[~broken][:, 1]) == {0.0, -2.0, -1.0}


def test_kinks_in_a_plane():
    """Lines on which z is 0, and only where the gradient jumps."""
    layers = [
        symnet.Layer([[1.0, 1.0], [1.0, -1.0], [1.0, 0.0]], [0.0, 0.5, 0.0], "relu"),
        symnet.Layer([[1.0, 1.0, 0.0]], [0.0]),
    ]
    frame = framed(symnet.Network(layers), over={"x1": (-1, 1), "x2": (-1, 1)})
    grid = np.linspace(-1, 1, 41)
    first, second = kinks.in_plane(frame, 0, 1, grid, grid)
    np.testing.assert_allclose(first.sum(axis=1), 0, atol=1e-12)
    np.testing.assert_allclose(second[:, 0] - second[:, 1], -0.5, atol=1e-12)
    assert not np.isnan(first).any()


def test_too_many_kinks_are_said(monkeypatch):
    """Not drawn, and the note says so."""
    monkeypatch.setattr(kinks, "MANY", 2)
    for n in (1, 2):
        assert any("kinks" in note for note in symnet.plot(network(n, hidden="relu")).notes)


def test_smooth_networks_have_no_kinks():
    assert kinks.on_line(framed(network(1)), 0, np.linspace(-1, 1, 9)).size == 0


# --- what the network gives beside finite, varying values ---------------------------------------


def test_constants_are_said():
    """Second partials of relu: one number, in words, and no contour of rounding errors.

    They are drawn where they are asked for only.
    """
    plain = symnet.plot(network(hidden="relu"))
    assert len(panels(plain)) == 3
    assert any("second partials are 0 almost everywhere" in note for note in plain.notes)
    drawn = panels(symnet.plot(network(hidden="relu"), order=2))
    texts = [t.get_text() for t in drawn[writing.partial("y", ["x1", "x1"])].texts]
    assert texts == ["0 everywhere"]


def test_values_that_are_not_finite_are_left_out():
    """A logarithm below 0 is grey; nowhere a value is refused."""
    logarithm = symnet.Activation("ln", sympy.log(sympy.Symbol("z")))
    net = symnet.Network([symnet.Layer([[1.0, 1.0]], None, logarithm)])
    picture = symnet.plot(net, over={"x1": (-1, 2), "x2": (-1, 2)})
    values = coloured(panels(picture)[writing.name("y")]).get_array()
    assert np.ma.getmaskarray(values).any()
    assert np.isfinite(values.compressed()).all()
    assert picture.png()
    with pytest.raises(ValueError, match="no finite value in these ranges"):
        symnet.plot(net, over={"x1": (-3, -2), "x2": (-3, -2)})


# --- measured -----------------------------------------------------------------------------------


def test_predicted_against_measured():
    """A panel for each kind of row; the points are predictions over measurements."""
    net = network(inputs=["rho", "T"], outputs=["p"])
    columns = {
        "T": [0.1, 0.2, 0.3, 0.4],
        "rho": [1.0, 2.0, 3.0, 4.0],
        "p": [0.5, np.nan, 0.25, np.nan],
        "d2p/dTdrho": [np.nan, 0.1, 0.2, np.nan],
    }
    data = symnet.fitting.table({**columns, "dp/dT": [np.nan, np.nan, np.nan, 7.0]})
    drawn = panels(symnet.plot(net, kind="measured", data=data))
    X = np.column_stack([columns["rho"], columns["T"]])
    y, H = symnet.analytic.value(net, X)[:, 0], symnet.analytic.hessian(net, X)[:, 0, 0, 1]
    found = drawn[writing.name("p")].get_lines()[0].get_data()
    np.testing.assert_allclose(found, [[0.5, 0.25], y[[0, 2]]], rtol=1e-12)
    (mixed,) = [a for title, a in drawn.items() if title.count("∂") == 3]
    np.testing.assert_allclose(mixed.get_lines()[0].get_data(), [[0.1, 0.2], H[[1, 2]]], rtol=1e-12)
    error = np.sqrt(np.mean((y[[0, 2]] - [0.5, 0.25]) ** 2))
    assert f"2 rows\nrms error {error:.3g}" in [
        t.get_text() for t in drawn[writing.name("p")].texts
    ]


@pytest.mark.parametrize(("rows", "off"), [(1, 1.0), (1, -1.0), (5000, 1.0)])
def test_how_many_rows_were_measured_is_said_where_none_is(rows, off):
    """In the corner that the points leave free; many points are one image, and the line is seen."""
    net = network(inputs=["x1", "x2"], outputs=["y"])
    X = np.random.default_rng(0).normal(size=(rows, 2))
    y = symnet.analytic.value(net, X)[:, 0]
    data = symnet.fitting.table({"x1": X[:, 0], "x2": X[:, 1], "y": y - off}, outputs=["y"])
    (axes,) = panels(symnet.plot(net, kind="measured", data=data)).values()
    (text,) = axes.texts
    assert text.get_text() == f"{rows:,} row{'s' * (rows > 1)}\nrms error 1"
    assert (text.get_va() == "top") == (off < 0)
    points, line = axes.get_lines()
    assert points.get_rasterized() == (rows > 2000)
    assert line.get_zorder() > points.get_zorder()


def test_rows_where_the_network_has_no_value_are_counted_in_measured():
    (x,) = symnet.variables("x")
    net = symnet.Network.of(np.log(x), outputs=["y"])
    data = symnet.fitting.table({"x": [1.0, -1.0], "y": [0.5, 0.5]}, outputs=["y"])
    (axes,) = panels(symnet.plot(net, kind="measured", data=data)).values()
    assert axes.texts[0].get_text() == "2 rows\n1 without a finite value\nrms error 0.5"
    data = symnet.fitting.table({"x": [-1.0], "y": [0.5]}, outputs=["y"])
    (axes,) = panels(symnet.plot(net, kind="measured", data=data)).values()
    assert axes.texts[0].get_text() == "1 row\n1 without a finite value"


def test_measured_needs_the_networks_names():
    data = symnet.fitting.table({"a": [1.0], "p": [2.0]}, outputs=["p"])
    with pytest.raises(ValueError, match="the data have inputs a and outputs p; the network's are"):
        symnet.plot(network(), kind="measured", data=data)
    with pytest.raises(ValueError, match="predicted against measured needs data"):
        symnet.plot(network(), kind="measured", data=np.ones((2, 2)))


# --- sensitivities ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def measured():
    """Sensitivities of two networks of 4 inputs and 2 outputs."""
    points = np.random.default_rng(0).normal(size=(80, 4)) * [1, 2, 3, 4]
    nets = [symnet.Network.dense([4, 5, 2], "tanh", seed=s, name=f"net {s}") for s in (1, 2)]
    return [symnet.sensitivity(net, points) for net in nets]


@pytest.mark.parametrize("kind", catalogue.SENSITIVITY_PICTURES)
def test_every_picture_of_sensitivities(measured, kind):
    """Of one network, and of two side by side but for interactions."""
    assert measured[0].plot(kind).png()
    if kind == "interactions":
        with pytest.raises(ValueError, match="one network at a time"):
            symnet.plot(measured, kind=kind)
    else:
        assert symnet.plot(measured, kind=kind).png()


def test_bars_are_the_standardized_measures(measured):
    """Both networks', of each input under its name."""
    axes = symnet.plot(measured).figure.axes
    names = [text.get_text() for text in axes[0].get_yticklabels()]
    for p in range(2):
        for bars, sensitivity in zip(axes[p].containers, measured, strict=True):
            found = dict(zip(names, (bar.get_width() for bar in bars), strict=True))
            for i in range(4):
                name = writing.name(f"x{i + 1}")
                assert found[name] == pytest.approx(sensitivity.standardized[p, i], rel=1e-12)


def test_interactions_are_the_measures(measured):
    """The matrix with its numbers, most important input first."""
    axes = measured[0].plot("interactions").figure.axes[0]
    order = [int(text.get_text().strip("$")[-1]) - 1 for text in axes.get_xticklabels()]
    found = np.array(axes.get_images()[0].get_array())[::-1]
    expected = measured[0].standardized_interactions[0][np.ix_(order, order)]
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("kind", catalogue.SENSITIVITY_PICTURES)
def test_nothing_is_cut_off_at_the_edge(kind):
    """Names below the squares of interactions stood beyond it: paper is all around."""
    images = pytest.importorskip("PIL.Image")
    points = np.random.default_rng(0).normal(size=(40, 6))
    found = symnet.sensitivity(symnet.Network.dense([6, 8, 2], "tanh", seed=0), points)
    page = np.asarray(images.open(io.BytesIO(found.plot(kind).png())).convert("L"))
    assert min(page[0].min(), page[-1].min(), page[:, 0].min(), page[:, -1].min()) == 255


def test_networks_side_by_side_need_the_same_names(measured):
    other = symnet.sensitivity(network(4, 2, inputs=list("abcd")), measured[0].points)
    with pytest.raises(ValueError, match="side by side need the same names"):
        symnet.plot([measured[0], other])
    with pytest.raises(ValueError, match="no picture 'pie' of sensitivities"):
        symnet.plot(measured[0], kind="pie")


def test_constant_slopes_make_no_violin():
    """A density of one value is none; no warning escapes."""
    linear = symnet.sensitivity(symnet.Network([symnet.Layer([[1.0, -2.0]])]), [[0.0, 1.0], [2, 3]])
    for kind in catalogue.SENSITIVITY_PICTURES:
        assert linear.plot(kind).png()


@pytest.mark.parametrize("kind", ["bars", "violins", "boxes", "alpha", "interactions"])
def test_outputs_that_do_not_vary_are_said_so(kind):
    """A slope in spreads of a constant is not 0; where all are constant nothing is drawn."""
    net = symnet.Network([symnet.Layer([[0, 0], [1, 2]], [2.1, 0])], outputs=["c", "d"])
    points = np.random.default_rng(0).normal(size=(30, 2))
    picture = symnet.sensitivity(net, points).plot(kind)
    first, second = picture.figure.axes[:2]
    assert first.get_title("left") == "$c$ does not vary"
    assert not first.axison
    if kind not in ("alpha", "interactions"):
        assert [label.get_text() for label in second.get_yticklabels()] == ["$x_1$", "$x_2$"]
    with pytest.raises(ValueError, match="c, d: constant over 1 point, so that slopes have no"):
        symnet.sensitivity(net, points[:1]).plot(kind)


def test_dependence_on_one_value_is_no_curve():
    net = symnet.Network.example()
    with pytest.raises(ValueError, match="x1 has one value, 2, which makes no curve"):
        symnet.dependence(net, [[2.0, 1.0]], "x1").plot()


def test_dependence_is_drawn():
    """Row by row, and the mean."""
    net = network(2, 2)
    found = symnet.dependence(net, np.random.default_rng(1).normal(size=(30, 2)), "x2")
    picture = found.plot()
    axes = picture.figure.axes[0]
    curves = [line.get_ydata() for line in axes.get_lines()]
    assert len(curves) == 31
    np.testing.assert_allclose(curves[-1], found.average[0])
    assert picture.png()


def test_dependence_has_units():
    """Those of the network: on the axis, of the value and of its slope."""
    net = network(2, 1).with_units({"x2": "K", "y": "MPa"})
    found = symnet.dependence(net, np.random.default_rng(1).normal(size=(30, 2)), "x2")
    above, below = found.plot().figure.axes
    assert above.get_title("left") == "$y$ [MPa]"
    assert below.get_title("left").endswith("[MPa/K]")
    assert below.get_xlabel() == "$x_2$ [K]"


def test_the_least_important_inputs_are_left_out():
    points = np.random.default_rng(2).normal(size=(20, 30))
    found = symnet.sensitivity(symnet.Network.dense([30, 4, 1], seed=3), points, order=1)
    picture = found.plot()
    assert len(picture.figure.axes[0].get_yticklabels()) == distributions._MOST_INPUTS
    assert any("14 least important of 30 inputs" in note for note in picture.notes)


# --- drawing ------------------------------------------------------------------------------------


def test_a_drawing_has_every_neuron_and_weight():
    """A circle for each neuron, a line for each weight that is not 0, coloured by its sign."""
    net = symnet.Network(
        [
            symnet.Layer([[1.0, -2.0], [0.0, 0.5], [3.0, 4.0]], None, "tanh"),
            symnet.Layer([[1, -1, 2]]),
        ]
    )
    axes = net.draw().figure.axes[0]
    circles = [p for p in axes.patches if isinstance(p, matplotlib.patches.Circle)]
    assert len(circles) == 2 + 3 + 1
    colours = [tuple(c) for group in axes.collections for c in group.get_colors()]
    blue = matplotlib.colors.to_rgba(plotting.picture.NEGATIVE, 0.75)
    assert len(colours) == 5 + 3
    assert sum(np.allclose(c, blue) for c in colours) == 2
    dashes = [pattern for group in axes.collections for _, pattern in group.get_linestyles()]
    assert [d is not None for d in dashes] == [bool(np.allclose(c, blue)) for c in colours]


def test_weights_go_around_the_vectors_between():
    """A straight line would end in a neuron, and go on behind it."""
    x = symnet.variables("a", "b", "c")
    h = symnet.Layer(np.eye(3), None, "tanh")(x)
    g = symnet.Layer(np.ones((3, 3)), None, "tanh")(h)
    net = symnet.Network.of(symnet.Layer(np.eye(3, 6))(symnet.concat(h, g)))
    axes = net.draw().figure.axes[0]
    spans = (path.vertices for group in axes.collections for path in group.get_paths())
    far = [line for line in spans if np.ptp(line[:, 0]) > 2]
    assert len(far) == 3
    for line in far:
        between = np.interp((line[0, 0] + line[-1, 0]) / 2, line[:, 0], line[:, 1])
        assert 0.2 < between - line[0, 1] < 0.8  # circles are 1 apart, 0.17 their radius


def around_wide_vectors():
    x = symnet.variables("a", "b")
    wide = symnet.Layer(np.ones((8, 2)), None, "tanh")(x)
    deep = wide
    for _ in range(4):
        deep = symnet.Layer(np.ones((8, 8)), None, "tanh")(deep)
    other = symnet.Layer(np.ones((2, 2)), None, "softplus")(x)
    return symnet.Network.of(symnet.Layer(np.ones((1, 10)))(symnet.concat(deep + wide, other)))


@pytest.mark.parametrize(
    "net",
    [
        symnet.Network.dense([1, 10, 10, 1]),
        symnet.Network.dense([2, 8, 2, 8, 1]),
        around_wide_vectors(),
    ],
)
def test_no_line_goes_through_a_word(net):
    """Beside a wide vector, over a narrow one, and where a skip connection goes around."""
    drawn = net.draw().figure
    drawn.draw_without_rendering()
    axes = drawn.axes[0]
    lines = [path for group in axes.collections for path in group.get_paths()]
    lines += [p.get_path() for p in axes.patches if not isinstance(p, matplotlib.patches.Circle)]
    kinds = {"inputs", *(node.label for node in net.nodes)}
    words = [text for text in axes.texts if text.get_text() in kinds]
    assert len(words) == 1 + len(net.nodes)
    for word in words:
        if word.get_bbox_patch():  # paper behind it, over the lines
            continue
        room = word.get_window_extent().transformed(axes.transData.inverted())
        assert not any(path.intersects_bbox(room, filled=False) for path in lines), word


def test_large_and_symbolic_networks_are_drawn():
    """Boxes, of a deep one the ends; symbols have no sign."""
    w = sympy.Symbol("w")
    for net in (
        symnet.Network.dense([3, 100, 100, 1]),
        symnet.Network.dense([2, *[4] * 500, 1]),
        symnet.Network([symnet.Layer([[w, 1]])]),
    ):
        assert net.draw().png()
    (note,) = symnet.Network.dense([2, *[4] * 500, 1]).draw().notes
    assert note == "490 nodes in the middle are left out"


# --- files --------------------------------------------------------------------------------------


def test_files_of_each_format(tmp_path):
    """By the name's ending; the same picture is the same file."""
    net = network(1)
    begin = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}
    for ending, first in begin.items():
        files = [tmp_path / f"{k}.{ending}" for k in (1, 2)]
        for file in files:
            symnet.plot(net, file)
        assert files[0].read_bytes().startswith(first)
        assert files[0].read_bytes() == files[1].read_bytes()
    ET.parse(tmp_path / "1.svg")
    assert len(list(tmp_path.iterdir())) == 6


@pytest.mark.parametrize("name", ["net.jpg", "net", "net.txt"])
def test_other_endings_are_refused(tmp_path, name):
    """Before anything is drawn, by name."""
    with pytest.raises(ValueError, match=rf"{name}: a picture ends in one of \.png, \.svg, \.pdf"):
        symnet.plot(network(1), tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_a_failing_picture_leaves_the_file(tmp_path, monkeypatch):
    """What was there before stays as it was, and nothing is left beside it."""
    path = tmp_path / "net.png"
    path.write_bytes(b"precious")
    monkeypatch.setattr(plotting.Picture, "_rendered", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        symnet.plot(network(1), path)
    assert path.read_bytes() == b"precious"
    assert list(tmp_path.iterdir()) == [path]


def test_nothing_global_is_changed():
    """Neither matplotlib's settings, nor pyplot's list of figures."""
    before = dict(matplotlib.rcParams)
    symnet.plot(network(2)).png()
    assert dict(matplotlib.rcParams) == before


def test_missing_matplotlib_names_the_extra(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r"pip install 'symnet\[plot\]'"):
        symnet.plot(network(1))


# --- names and units ----------------------------------------------------------------------------


UNITS = {"rho": "kg/m3", "T": "K", "p": "MPa", "s": "m", "q": "1"}


@pytest.mark.parametrize(
    ("output", "inputs", "unit"),
    [
        ("p", [], "MPa"),
        ("p", ["T"], "MPa/K"),
        ("p", ["rho"], "MPa/(kg/m3)"),
        ("p", ["rho", "rho"], "MPa/(kg/m3)²"),
        ("p", ["T", "T"], "MPa/K²"),
        ("p", ["rho", "T"], "MPa/((kg/m3) K)"),
        ("p", ["q"], "MPa"),
        ("q", ["T"], "1/K"),
        ("p", ["unknown"], None),
        ("rho", ["T"], "(kg/m3)/K"),
    ],
)
def test_units_of_partials(output, inputs, unit):
    assert physical.of_partial(UNITS, output, inputs) == unit


def test_outputs_share_their_curves(monkeypatch):
    """Each order along each input is computed once, whatever the number of outputs."""
    computed = []
    derivative = Compiled.derivative

    def counted(self, order, X):
        computed.append((order, len(X)))
        return derivative(self, order, X)

    net = network(2, 3, outputs=["p", "q", "r"])
    monkeypatch.setattr(Compiled, "derivative", counted)
    assert len(symnet.plot(net, kind="curves", order=1).figure.axes) == 12
    assert sorted(order for order, count in computed if count == 401) == [0, 0, 1, 1]


def test_units_are_shown():
    """On axes and in titles, powers raised, a dollar sign as itself."""
    net = network(inputs=["rho", "T"], outputs=["p"])
    picture = symnet.plot(net, units={"rho": "kg/m3", "T": "K", "p": "$"})
    axes, *_, below = picture.figure.axes[:4]
    assert below.get_xlabel().endswith("[kg/m³]")
    assert axes.get_xlabel() == ""  # the panel below has it
    assert axes.get_title("left").endswith(r"[\$]")
    assert picture.png()


_LONG = {
    "inputs": ["specific_internal_energy_at_the_inlet", "mass fraction of CO2 in the feed [kg/kg]"],
    "outputs": ["isentropic expansion coefficient of the outlet stream"],
}


def test_long_names_leave_room_for_a_drawing():
    """The circles are as large as those of a network with short names."""

    def size(picture):
        picture.png()
        (axes,) = picture.figure.axes
        return np.ptp(axes.transData.transform([[0, 0], [1, 0]])[:, 0]) / picture.figure.dpi

    short, long = (symnet.plot(network(**names), kind="network") for names in ({}, _LONG))
    assert size(long) > 0.9 * size(short)


def test_long_titles_end_before_the_next_panel():
    figure = symnet.plot(network(**_LONG), kind="maps").figure
    with style(), _drawn_on(figure, "png") as canvas:
        canvas.draw()
        titled = [a for a in figure.axes if a.get_title("left")]
        for first, second in pairwise(titled):
            if second.get_position().x0 > first.get_position().x0:
                end = first._left_title.get_window_extent().x1
                assert end < second.get_window_extent().x0, first.get_title("left")


def test_contours_are_where_the_colours_are():
    """Beside a pole every level would be within its peak."""
    pole = symnet.Layer([[1.0, 0.5]], [0.2], sympy.log(sympy.Symbol("z")))
    picture = symnet.plot(symnet.Network([pole, symnet.Layer([[1.0]])]), kind="maps")
    for axes in panels(picture).values():
        (image,) = axes.get_images()
        (drawn,) = [c for c in axes.collections if isinstance(c, matplotlib.contour.ContourSet)]
        assert len(drawn.levels) > 2
        assert image.norm.vmin <= min(drawn.levels) < max(drawn.levels) <= image.norm.vmax


def test_characters_that_mathematics_lacks_are_plain_text(caplog):
    picture = symnet.plot(network(inputs=["温度", "x_gas"], outputs=["压力"]), kind="maps")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # where no font here has them
        picture.png()
    titles = [axes.get_title("left") for axes in picture.figure.axes]
    assert {"∂压力/∂温度", "∂²压力/∂温度²", "∂²压力/∂温度∂x_gas"} <= set(titles)
    assert not caplog.records


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        (r"$∂^2p\,/\,∂\rho\,∂x_1$ [MPa]", "∂²p/∂ρ∂x₁ [MPa]"),
        (r"$x_{12}$ = 1, $\rho_{\mathrm{gas}}$ = 2 \$", "x₁₂ = 1, ρ_gas = 2 $"),
        (r"$∂x_i\,∂x_j$", "∂xᵢ∂xⱼ"),
        (r"$\mathrm{T\ [K]}$", "T [K]"),
    ],
)
def test_mathematics_in_plain_text(text, plain):
    assert writing.in_plain(text) == plain


LONG = {
    "inputs": [
        *("sepal length (cm)", "sepal width (cm)", "Exhaust_Gas_Recirculation_rate"),
        "start of injection (°CA, BTDC)",
    ],
    "outputs": ["brake specific fuel consumption", "NOx emissions at tailpipe"],
    "units": {
        "brake specific fuel consumption": "g/(kW h)",
        **{"sepal length (cm)": "cm", "sepal width (cm)": "cm"},
    },
}


def long_names():
    net = symnet.Network.dense(
        [4, 6, 2], "tanh", seed=1, inputs=LONG["inputs"], outputs=LONG["outputs"]
    )
    return net.with_units(LONG["units"])


def measured_long():
    points = np.random.default_rng(0).normal(size=(60, 4))
    return symnet.sensitivity(long_names(), points)


@pytest.mark.parametrize(
    "draw",
    [
        lambda: symnet.plot(long_names(), kind="maps", inputs=LONG["inputs"][:2]),
        lambda: symnet.plot(long_names(), kind="curves"),
        lambda: symnet.plot(long_names(), kind="pairs", outputs=LONG["outputs"][:1]),
        *(
            partial(lambda kind: measured_long().plot(kind=kind), kind)
            for kind in catalogue.SENSITIVITY_PICTURES
        ),
    ],
    ids=["maps", "curves", "pairs", *catalogue.SENSITIVITY_PICTURES],
)
def test_long_names_are_told_apart_and_leave_each_other_room(draw):
    """No title is another's or lies over it or an edge; no mark of an axis lies over the next."""
    figure = draw().figure
    figure.draw_without_rendering()
    panels = [axes for axes in figure.axes if axes.get_title("left")]
    titles = [axes._left_title for axes in panels]
    partials = [text.get_text() for text in titles if "∂" in text.get_text()]
    along = {axes.get_xlabel() for axes in panels}
    assert len(set(partials)) == len(partials) or len(along) > 1
    for group in (titles, *(axes.get_yticklabels() for axes in panels)):
        apart([text.get_window_extent() for text in group if text.get_text()])
    for axes in panels:
        boxes = [text.get_window_extent() for text in axes.get_xticklabels() if text.get_text()]
        slanted = any(text.get_rotation() for text in axes.get_xticklabels())
        apart([] if slanted else boxes)
    assert all(text.get_window_extent().x1 <= figure.bbox.x1 + 1 for text in titles)


def apart(boxes):
    """That no two of them overlap by more than a stroke."""
    for first, second in combinations(boxes, 2):
        shared = min(first.x1, second.x1) - max(first.x0, second.x0)
        high = min(first.y1, second.y1) - max(first.y0, second.y0)
        assert min(shared, high) < 3, (first, second)


def test_names_are_cut_where_they_are_read():
    """By words, so that those that begin or end alike differ; a single word loses its middle."""
    names = ["sepal length (cm)", "sepal width (cm)", "petal length (cm)", "petal width (cm)"]
    for most in (7, 11, 15, 28):
        short = [cut(name, most) for name in names]
        assert len(set(short)) == 4
        assert max(map(len, short)) <= most
    assert cut(names[0], 7) == "se. le."
    assert cut("T") == "T"
    assert cut("a" * 20 + "b" * 20, 11) == "aaaaaa…bbbb"


ALIKE = {
    "a word": ["feedtemperatureinletofthecolumn", "feedtemperatureoutletofthecolumn"],
    "three": [f"feedtemperature{where}ofthecolumn" for where in ("inlet", "inlab", "outlet")],
    "words": ["temperature one of all", "temporary one of all"],
    "notes": ["temperature of the feed (inlet)", "temperature of the feed (outlet)"],
    "the end of one": ["a" * 40, "a" * 60],
    "hidden by others": [f"{'a' * 20}{k}{'b' * 30}{j}{'c' * 20}" for k in "xy" for j in "xy"],
}


@pytest.mark.parametrize("names", ALIKE.values(), ids=ALIKE)
@pytest.mark.parametrize("most", [7, 11, 16, 28])
def test_long_names_stay_apart_among_others(names, most):
    """Whatever room there is; nothing else is changed by what they are among."""
    short = [cut(name, most, names) for name in names]
    assert len(set(short)) == len(names)
    assert max(map(len, short)) <= most
    assert cut(names[0], most, names[:1]) == cut(names[0], most)


def test_where_names_differ_is_shown():
    """Rather than a number."""
    inlet, outlet = ALIKE["a word"]
    assert cut(inlet, 16, ALIKE["a word"]) == "feedt…inletofth…"
    assert cut(outlet, 16, ALIKE["a word"]) == "feedt…outletoft…"


def test_a_title_of_long_names_takes_two_lines():
    """Each can be read there; units are beside or below."""
    names, units = ["Reboiler duty", "Reflux ratio"], {"Distillate purity": "mol"}
    units |= {"Reboiler duty": "kW", "Reflux ratio": "1"}
    title = writing.quantity("Distillate purity", names, units)
    assert writing.in_plain(title) == (
        "∂²Distillate purity/\n∂Reboiler duty∂Reflux ratio\n[mol/kW]"
    )
    title = writing.quantity("Distillate purity", names[:1], units)
    assert writing.in_plain(title) == "∂Distillate purity/\n∂Reboiler duty [mol/kW]"
    assert "\n" not in writing.quantity("p", names[:1], {})


def told(text):
    return [t.get_text() for t in text if t.get_text()]


def test_pictures_keep_names_apart():
    """Axes, titles, the drawing, bars, matrices and what stands beside the page's slices."""
    inputs, outputs = ALIKE["a word"], [name.replace("feed", "vent") for name in ALIKE["a word"]]
    net = symnet.Network.dense([2, 3, 2], hidden="tanh", seed=0, inputs=inputs, outputs=outputs)
    X = np.random.default_rng(0).normal(size=(20, 2))
    shown = symnet.sensitivity(net, X)
    maps = panels(symnet.plot(net, kind="maps"))
    assert len(maps) == 2 * 6
    curves = symnet.plot(net, kind="curves").figure.axes
    assert len({axes.get_xlabel() for axes in curves} - {""}) == 2
    names = told(net.draw().figure.axes[0].texts)
    assert len({name for name in names if "feed" in name or "vent" in name}) == 4
    bars = shown.plot(kind="bars").figure.axes
    assert len({axes.get_title(loc="left") for axes in bars}) == 2
    assert len(set(told(bars[0].get_yticklabels()))) == 2
    matrix = shown.plot(kind="interactions").figure.axes[0]
    assert len(set(told(matrix.get_yticklabels()))) == 2


def test_a_unit_of_nothing_is_not_shown():
    """A point's λ = 0.9, not 0.9 1."""
    assert writing.point([("T", 3.0), ("x", 0.9)], {"T": "K", "x": "1"}).endswith("x$ = 0.9")


def test_names_are_set_as_mathematics():
    assert writing.name("rho") == r"$\rho$"
    assert writing.partial("p", ["rho", "T"]) == r"$∂^2p\,/\,∂\rho\,∂T$"
    assert symnet.plot(network(1, inputs=["body_mass_index"], outputs=["v_gas"])).png()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"units": {"z": "K"}}, "unit of 'z': the network has no such name; it has x1, x2, y"),
        ({"units": {"x1": "a\nb"}}, "unit of x1"),
        ({"units": {"x1": ""}}, "unit of x1"),
        ({"over": {"z": (0, 1)}}, "range of 'z': the inputs are x1, x2"),
        ({"over": {"x1": (1, 1)}}, "range of x1 is 1:1; expected two rising numbers"),
        ({"over": {"x1": (0, np.inf)}}, "range of x1"),
        ({"at": [1, 2, 3]}, "point: 3 numbers, but the inputs are x1, x2"),
        ({"at": [1]}, "point: 1 number, but the inputs are x1, x2"),
        ({"at": {"z": 1}}, "point: no input is called 'z'; there are x1, x2"),
        ({"at": [1, np.nan]}, "point: x2 = nan is not finite"),
        ({"inputs": ["z"]}, "no input is called 'z'; there are x1, x2"),
        ({"inputs": ["x1", "x1"]}, "input x1 is asked for twice"),
        ({"inputs": "x1"}, "give a sequence of names"),
        ({"inputs": []}, "no input is asked for"),
        ({"outputs": ["z"]}, "no output is called 'z'; there are y"),
        ({"order": 3}, "order is 3; pictures have orders 0, 1 and 2"),
        ({"kind": "pie"}, "no picture 'pie' of a network; there are curves, maps, pairs, network"),
        ({"kind": "maps", "inputs": ["x1"]}, "a map is over two inputs, not x1"),
        ({"kind": "pairs", "inputs": ["x1"]}, "of 2 to 8 inputs, not 1"),
        ({"data": [[1, 2, 3]]}, r"data has shape \(1, 3\)"),
    ],
)
def test_what_cannot_be_drawn_is_refused_by_name(options, message):
    with pytest.raises(ValueError, match=message):
        symnet.plot(network(), **options)


@pytest.mark.parametrize("kind", ["curves", "maps"])
def test_kinks_of_a_panel_are_one_line(kind):
    """Each drawn by itself, those of a hundred neurons take longer than all else in a picture."""
    net = symnet.Network.dense([2, 40, 1], "relu", seed=1)
    axes = symnet.plot(net, kind=kind).figure.axes[0]
    broken = [np.isnan(line.get_xydata()).any(axis=1).sum() for line in axes.get_lines()]
    assert len(broken) <= 3
    assert max(broken) > 10


def test_guessed_ranges_end_where_transforms_do():
    """1/T has a pole at 0 and log ρ no value below: there is nothing to be looked at beyond."""
    rho, T = symnet.variables("rho", "T")
    features = symnet.concat(np.log(rho), 1000 / T)
    h = symnet.Layer([[1.0, -0.5], [0.5, 1.0]], [0.25, -0.5], "tanh")(features)
    frame = framed(symnet.Network.of(symnet.Layer([[1.0, 2.0]])(h), outputs=("p",)))
    assert (frame.low > 0).all()
    assert (frame.low < frame.high).all()
    X = frame.on_plane(0, 1, frame.line(0, 50), frame.line(1, 50))
    (values,) = frame.values(X, [(0, ())])
    assert np.isfinite(values).all()
    whole = framed(network())  # and are as they were where everything is defined
    np.testing.assert_allclose(whole.low + whole.high, 2 * whole.at)
    asked = framed(frame.whole, over={"rho": (-1.0, 2.0)})
    assert asked.low.tolist() == [-1, frame.low[1]]


@pytest.mark.parametrize(
    ("options", "left"),
    [
        ({"kind": "network", "at": [1, 2], "order": 2}, "the network itself .*leave out order, at"),
        ({"kind": "network", "inputs": []}, "leave out inputs"),
        ({"kind": "network", "units": {"x1": "K"}}, "leave out units"),
        ({"kind": "measured", "over": {"x1": (0, 1)}}, "takes kind, data, units; leave out over"),
        ({"kind": "measured", "outputs": ["nonsense"]}, "leave out outputs"),
    ],
)
def test_what_a_picture_of_a_network_does_not_look_at_is_refused(options, left):
    with pytest.raises(ValueError, match=left):
        symnet.plot(network(), **options)


def test_what_a_picture_of_sensitivities_does_not_look_at_is_refused():
    points = np.random.default_rng(1).normal(size=(5, 2))
    measured = symnet.sensitivity(network(), points)
    with pytest.raises(ValueError, match="sensitivities takes kind; leave out order, inputs, over"):
        symnet.plot(measured, inputs=["nonsense"], order=7, over={"q": (0, 1)})
    with pytest.raises(ValueError, match=r"of a dependence .*leave out kind"):
        symnet.plot(symnet.dependence(network(), points, "x1"), kind="violins")


def test_more_panels_than_can_be_read_are_refused():
    with pytest.raises(ValueError, match="30 outputs make 180 panels"):
        symnet.plot(network(2, 30), outputs=network(2, 30).output_names)
    with pytest.raises(ValueError, match="3 inputs and 30 outputs make 270 panels"):
        symnet.plot(network(3, 30), outputs=network(3, 30).output_names)
    with pytest.raises(ValueError, match="name one of y1, y2 by outputs="):
        symnet.plot(network(2, 2), kind="pairs")


@pytest.mark.parametrize(("inputs", "shown"), [(1, 20), (2, 10), (3, 6)])
def test_of_outputs_that_nobody_named_as_many_are_shown_as_can_be_read(inputs, shown):
    picture = symnet.plot(network(inputs, 30))
    assert writing.name(f"y{shown}") in panels(picture)
    assert writing.name(f"y{shown + 1}") not in panels(picture)
    assert f"of 30 outputs the first {shown} are shown; name others by outputs=" in picture.notes


def test_symbolic_weights_have_no_values():
    net = symnet.Network([symnet.Layer([[sympy.Symbol("w"), 1]])])
    with pytest.raises(ValueError, match=r"weights are symbolic \(w\)"):
        symnet.plot(net)


def test_an_input_that_does_not_vary_in_the_data_has_a_guessed_range():
    """Around its value, which a note says; not where a range is asked for."""
    net = symnet.Network.dense([2, 3, 1], hidden="tanh", seed=0)
    data = np.array([[1.0, 2.0], [1.0, 3.0]])
    frame = framed(net, data=data)
    assert frame.low[0] < 1 < frame.high[0]
    assert (frame.low[1], frame.high[1]) == (2, 3)
    assert frame.notes == ("x1 = 1 in all of the data: ranges are guessed; give over=",)
    assert framed(net, data=data, over={"x1": (0, 2)}).notes == ()
    assert framed(net, data=data, inputs=["x2"]).notes == ()


def test_a_peak_leaves_no_panel_of_pairs_blank():
    """What would have no colour that is seen is told as a number."""
    pytest.importorskip("matplotlib")
    hidden = symnet.Layer([[9.0, 9.0, 0.0], [0.0, 0.01, 0.01]], None, "tanh")
    net = symnet.Network([hidden, symnet.Layer([[5.0, 0.1]])])
    picture = symnet.plot(net, kind="pairs", over={f"x{i}": (-1, 1) for i in (1, 2, 3)})
    panels = np.array(picture.figure.axes[:9]).reshape(3, 3)
    assert not panels[0, 1].texts
    (said,) = (text.get_text() for text in panels[0, 2].texts)
    assert said == "0 everywhere"
    assert "to" in panels[1, 2].texts[0].get_text()


def test_maps_say_where_colours_end_before_the_peaks():
    """Which partials, and from where to where they go; nothing where colours show all."""
    pytest.importorskip("matplotlib")
    sharp = symnet.Network([symnet.Layer([[60.0, 60.0]], None, "tanh"), symnet.Layer([[1.0]])])
    over = {"x1": (-1, 1), "x2": (-1, 1)}
    (said,) = symnet.plot(sharp, over=over).notes
    assert said.startswith("colours end before the peaks of ∂²y/∂x1² (−2728 to 2728), ∂²y/∂x1∂x2 (")
    assert "∂y/∂x1 (" not in said
    assert symnet.plot(sharp, over={"x1": (-0.01, 0.01), "x2": (-0.01, 0.01)}).notes == ()


def test_networks_of_one_name_are_told_apart():
    """By their places; others by their names."""
    pytest.importorskip("matplotlib")
    points = np.random.default_rng(0).normal(size=(9, 2))
    nets = [symnet.Network.dense([2, 3, 1], hidden="tanh", seed=s) for s in range(4)]
    named = [symnet.Network(net.layers, name=n) for net, n in zip(nets, "aab", strict=False)]
    picture = symnet.plot([symnet.sensitivity(net, points) for net in (*named, nets[3])])
    (legend,) = picture.figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["a 1", "a 2", "b", "network 4"]


def test_a_figure_is_its_users_after_it_was_saved(tmp_path):
    """A label that is given then stands below the axis, as on a figure that was not saved."""
    drawn = symnet.plot(symnet.Network.dense([2, 3, 1], "tanh", seed=0))
    drawn.save(tmp_path / "net.png")
    for axes in drawn.figure.axes:
        axes.set_xlabel("mine")
    drawn.figure.draw_without_rendering()
    for axes in drawn.figure.axes:
        assert axes.xaxis.label.get_window_extent().y1 < axes.get_window_extent().y0 + 1


def test_names_of_pairs_are_beside_their_panels():
    """Long ones ran into those of the next panel, to the right and above."""
    names = [f"the temperature of reactor {k} of the plant" for k in range(3)]
    net = symnet.Network.dense([3, 4, 1], "tanh", seed=0, inputs=names)
    figure = plotting.plot(net.with_units({names[1]: "kg/(m2 s)"}), kind="pairs").figure
    figure.draw_without_rendering()
    panels = figure.axes[:9]
    below = [axes.xaxis.label.get_window_extent() for axes in panels[6:]]
    beside = [axes.yaxis.label.get_window_extent() for axes in panels[::3]]
    assert all(a.x1 < b.x0 for a, b in pairwise(below))
    assert all(a.y0 > b.y1 for a, b in pairwise(beside))


@pytest.mark.parametrize(
    ("given", "said"),
    [("net.json", "got str; symnet.load reads a file"), ([], "got list"), (3, "got int"),
     ([symnet.Network.example()], "got list")],
)  # fmt: skip
def test_a_picture_is_of_a_network(given, said):
    """A file's name ended in an AttributeError: its letters were taken for sensitivities."""
    with pytest.raises(TypeError, match=f"Sensitivities or a Dependence; {said}"):
        symnet.plot(given)


@pytest.mark.parametrize(
    ("name", "unit", "shown"),
    [
        ("T", "K", ["T [K]"]),
        ("feed_temperature", "K", ["feed_temperature", "[K]"]),
        ("catalyst_mass_fraction", None, ["catalyst_mass_", "fraction"]),
        ("total sulfur dioxide", "mg/l", ["total sulfur", "dioxide [mg/l]"]),
        ("feedtemperatureinletofthecolumn", None, ["feedtempe…column"]),
    ],
)
def test_names_beside_small_panels_take_lines(name, unit, shown):
    """Of their words, and are not abbreviated as long as these have room."""
    text = writing.stacked(name, 16, {} if unit is None else {name: unit})
    assert [writing.in_plain(line) for line in text.split("\n")] == shown


def test_two_long_names_of_a_partial_are_below_each_other():
    lines = writing.quantity("conversion", ["feed_temperature", "catalyst_mass_fraction"], {})
    shown = ["∂²conversion/", "∂feed_temperature", "∂catalyst_mass_fraction"]
    assert [writing.in_plain(line) for line in lines.split("\n")] == shown


def test_signs_of_pairs_are_told_in_grey():
    """Dashed contours below 0; without any in panels that reach no level."""
    figure = symnet.plot(symnet.Network.dense([3, 4, 1], "tanh", seed=1), kind="pairs").figure
    sets = [c for a in figure.axes for c in a.collections if hasattr(c, "levels")]
    dashed = {
        bool(level < 0): style[1] is not None
        for found in sets
        for level, style in zip(found.levels, found.get_linestyles(), strict=True)
    }
    assert dashed == {True: True, False: False}


@pytest.mark.parametrize("kind", ["bars", "interactions"])
def test_names_beside_bars_are_in_any_letters(kind, tmp_path):
    r"""The marks of an axis write their names anew: `$\\mathrm{漢字}$` was shown. Saved twice."""
    net = symnet.Network.dense([3, 3, 1], "tanh", seed=0, inputs=["漢字", "T", "حرارة"])
    picture = symnet.sensitivity(net, np.random.default_rng(0).normal(size=(20, 3))).plot(kind)
    assert picture.svg() == picture.svg()
    labels = picture.figure.axes[0].get_yticklabels()
    shown = {label.get_text().strip("\N{LEFT-TO-RIGHT MARK}"): label for label in labels}
    assert set(shown) == {"漢字", "$T$", "حرارة"}
    assert [shown[name].get_parse_math() for name in ("漢字", "$T$", "حرارة")] == [0, 1, 0]


def test_words_from_the_right_are_words():
    """Mathematics sets their letters from the left, apart; what is beside them stays there."""
    net = symnet.Network.dense([2, 3, 1], "tanh", seed=0, inputs=["حرارة", "T"])
    picture = symnet.plot(net.with_units({"حرارة": "K"}), kind="curves")
    picture.png()
    below = picture.figure.axes[-2].xaxis.label
    assert not below.get_parse_math()
    assert below.get_text().replace("\N{LEFT-TO-RIGHT MARK}", "|") == "|حرارة| [K]"


def test_a_pole_leaves_the_map_of_values_its_colours():
    """One colour was all that a map of y had beside its pole; where colours end is said."""
    x, t = symnet.variables("x", "t")
    net = symnet.Network.of(1 / (x + 0.5 * t - 1.0) + symnet.Layer([[1.0]], None, "tanh")(t))
    picture = symnet.plot(net, over={"x": (-1, 0.9), "t": (-1, 0.1999)}, order=0)
    values = picture.figure.axes[0].images[0].get_array().compressed()
    low, high = picture.figure.axes[0].images[0].get_clim()
    assert values.min() < low < high
    assert high == values.max()
    seen = (values - low) / (high - low)
    assert np.ptp(np.quantile(seen, [0.1, 0.9])) > 0.15
    (said,) = picture.notes
    assert said.startswith("colours end before the peaks of y (")
    pairs = symnet.plot(net, over={"x": (-1, 0.9), "t": (-1, 0.1999)}, kind="pairs")
    assert pairs.figure.axes[2].images[0].get_clim()[0] == pytest.approx(low, rel=0.1)
    below, above = (axes for axes in pairs.figure.axes if hasattr(axes, "_colorbar"))
    assert (below._colorbar.extend, above._colorbar.extend) == ("min", "min")
