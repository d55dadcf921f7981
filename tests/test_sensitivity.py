"""Sensitivity measures against their definitions, NeuralSens's figures, and scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest
import sympy

import symnet
from symnet import sensitivities
from symnet.plotting.framing import framed
from symnet.sensitivities import measures, points

W1 = [[0.5, -1.0, 0.25], [0.75, 0.5, -0.5], [-0.25, 1.0, 0.125], [1.0, 0.25, -0.75]]
W2 = [[1.5, -0.5, 0.75, -1.0], [0.25, 1.0, -1.25, 0.5]]
X = [
    [-1, 0.5, 2],
    [0.25, -0.75, 1],
    [1.5, 1, -0.5],
    [0, 2, 0.25],
    [-0.5, -1.5, -1],
    [0.75, 0.25, -2],
]


@pytest.fixture(scope="module")
def net():
    """3-4-2, sigmoid, with weights that decimal fractions hold exactly."""
    hidden = symnet.Layer(W1, [0.125, -0.25, 0.5, 0.0], "sigmoid")
    return symnet.Network([hidden, symnet.Layer(W2, [0.5, -1.0])], name="small")


@pytest.fixture(scope="module")
def found(net):
    return symnet.sensitivity(net, X)


# --- NeuralSens ---------------------------------------------------------------------------------

# What neuralsens 0.0.26 (PyPI) gives for this network at these points: jacobian_mlp, hessian_mlp
# and alpha_curve of its module partial_derivatives; its "mean_squared" is the root of the mean.
MEAN = [
    [-0.11049355612759819, -0.2504585363511658, 0.2582487925572167],
    [0.2952337309407715, -0.17080372051306206, -0.16457499230349049],
]
STD = [
    [0.12087597212658088, 0.038202658660787564, 0.051143996789631024],
    [0.0598919107563464, 0.09729806012396508, 0.048647429656686295],
]
MEAN_SQUARED = [
    [0.16376759930849766, 0.2533553266855088, 0.26326440561701114],
    [0.30124740141494, 0.1965726925210899, 0.1716143948038631],
]
SECOND_MEAN = [
    [0.002903440220271008, 0.005897570819155529, -0.002344689798528287],
    [0.005897570819155529, -0.020447590675458125, -0.0034904541399440187],
    [-0.002344689798528287, -0.0034904541399440187, 0.002034043656855968],
]
SECOND_MEAN_SQUARED = [
    [0.09897340698351162, 0.033834994294142905, 0.053697068182119105],
    [0.033834994294142905, 0.0801327350495635, 0.04800389352711717],
    [0.053697068182119105, 0.04800389352711717, 0.04769175068668096],
]
ALPHA = [
    *(0.12046017748835935, 0.16376759930849769, 0.18382067385286718, 0.19515735203614903),
    *(0.2024958537434585, 0.20770028585170813, 0.21163542981277078, 0.21475370098760285),
    *(0.21731387690936566, 0.2194743094812003, 0.221337125271131, 0.22297102843559433),
    *(0.224423882536661, 0.22573004091563706, 0.22691481258458582),
]


def test_first_partials_as_neuralsens_has_them(found):
    """Mean, standard deviation and root mean square of every output and input."""
    np.testing.assert_allclose(found.mean, MEAN, rtol=1e-13)
    np.testing.assert_allclose(found.sd, STD, rtol=1e-13)
    np.testing.assert_allclose(found.rms, MEAN_SQUARED, rtol=1e-13)


def test_second_partials_as_neuralsens_has_them(found):
    """Of the first output, the interaction matrix among them."""
    np.testing.assert_allclose(found.second.mean[0], SECOND_MEAN, rtol=1e-12)
    np.testing.assert_allclose(found.interactions[0], SECOND_MEAN_SQUARED, rtol=1e-12)


def test_alpha_curve_as_neuralsens_has_it(found):
    """For α from 1 to 15, of the first output and input."""
    np.testing.assert_allclose(found.alpha_curves()[:, 0, 0], ALPHA, rtol=1e-13)


# --- definitions --------------------------------------------------------------------------------


def test_measures_are_their_definitions(net, found):
    """Against the analytic engine's partials, point after point."""
    x, y = np.array(X), symnet.analytic.value(net, X)
    J, H = symnet.analytic.jacobian(net, X), symnet.analytic.hessian(net, X)
    np.testing.assert_allclose(found.value, y, rtol=1e-13)
    np.testing.assert_allclose(found.slopes, J, rtol=1e-12)
    np.testing.assert_allclose(found.second.sd, H.std(axis=0), rtol=1e-12)
    diagonal = np.einsum("kpii->kpi", H)
    for share, expected in (
        (found.rising, J > 0),
        (found.falling, J < 0),
        (found.convex, diagonal > 0),
        (found.concave, diagonal < 0),
    ):
        np.testing.assert_array_equal(share, expected.mean(axis=0))
    for p in range(2):
        for i in range(3):
            elastic = [x[k, i] / y[k, p] * J[k, p, i] for k in range(len(x))]
            assert found.elasticity[p, i] == pytest.approx(np.mean(elastic), rel=1e-12)
            unit = x[:, i].std() / y[:, p].std()
            assert found.standardized[p, i] == pytest.approx(found.rms[p, i] * unit, rel=1e-12)
            both = found.interactions[p, i, 2] * unit * x[:, 2].std()
            assert found.standardized_interactions[p, i, 2] == pytest.approx(both, rel=1e-12)


def test_alpha_between_mean_and_maximum(found):
    """M_1 is the mean of sizes, M_2 the rms, M_∞ the largest, and none overflows."""
    sizes = np.abs(found.slopes)
    np.testing.assert_allclose(found.alpha(1), sizes.mean(axis=0), rtol=1e-14)
    np.testing.assert_allclose(found.alpha(2), found.rms, rtol=1e-13)
    np.testing.assert_array_equal(found.alpha(np.inf), sizes.max(axis=0))
    np.testing.assert_allclose(found.alpha(1e5), sizes.max(axis=0), rtol=1e-4)
    with pytest.raises(ValueError, match="alpha is 0, expected above 0"):
        found.alpha(0)


def test_standardized_does_not_depend_on_units():
    """y in other units of x, y shifted and stretched: the same numbers; the rms is another."""
    net = symnet.Network([symnet.Layer([[0.7, -0.4]], [0.1], "tanh")])
    points = np.random.default_rng(0).normal(size=(50, 2))
    scaled = symnet.Network(
        [symnet.Layer([[0.7e3, -0.4]], [0.1], "tanh"), symnet.Layer([[5.0]], [100.0])]
    )
    one, other = symnet.sensitivity(net, points), symnet.sensitivity(scaled, points * [1e-3, 1])
    np.testing.assert_allclose(other.standardized, one.standardized, rtol=1e-12)
    np.testing.assert_allclose(
        other.standardized_interactions, one.standardized_interactions, rtol=1e-12
    )
    assert not np.allclose(other.rms, one.rms)


def test_many_points_in_blocks(net, monkeypatch):
    """Merged moments are those of all points at once, however the blocks fall."""
    many = np.random.default_rng(1).normal(size=(257, 3))
    whole = symnet.sensitivity(net, many)
    monkeypatch.setattr(points, "_ENTRIES", 500)
    parted = symnet.sensitivity(net, many)
    for measure in ("mean", "sd", "rms", "interactions", "convex", "rising"):
        np.testing.assert_allclose(getattr(parted, measure), getattr(whole, measure), rtol=1e-12)


def test_moments_of_numbers_with_a_large_offset():
    """No digits lost where the mean is large beside the deviations."""
    values = 1e8 + np.random.default_rng(2).normal(size=(1000, 1))
    moments = measures._moments(np.array_split(values, 7))
    assert moments.sd[0] == pytest.approx(np.std(values - 1e8), rel=1e-7)


def test_constant_output_has_no_standardized_measure():
    """0/0 is no number; what is defined is there, and no warning escapes."""
    found = symnet.sensitivity(symnet.Network([symnet.Layer([[0.0, 0.0]], [1.0], "tanh")]), X2)
    assert np.isnan(found.standardized).all()
    np.testing.assert_array_equal(found.rms, 0)
    np.testing.assert_array_equal(found.elasticity, 0)
    assert "∂y/∂x1" in str(found)


X2 = [[0.0, 1.0], [1.0, 0.5], [-1.0, 2.0]]


def test_elasticity_where_the_output_is_zero():
    """Left out of the mean, and said."""
    found = symnet.sensitivity(symnet.Network([symnet.Layer([[1.0, 0.0]])]), X2)
    assert np.isnan(found.elasticities[0]).all()
    np.testing.assert_array_equal(found.elasticity, [[1.0, 0.0]])
    assert any("y is 0 somewhere" in note for note in found.notes)


def test_kinks_are_said():
    """Second partials of relu mean nothing."""
    found = symnet.sensitivity(symnet.Network.dense([2, 3, 1], "relu", seed=0), X2)
    assert any("relu has a kink" in note for note in found.notes)
    np.testing.assert_array_equal(found.interactions, 0)


# --- arguments and tables -----------------------------------------------------------------------


def test_a_derivation_will_do(net, found):
    """As its network does."""
    np.testing.assert_array_equal(symnet.sensitivity(symnet.derive(net), X).rms, found.rms)


def test_first_order_only(net):
    """Second partials are refused by name."""
    first = symnet.sensitivity(net, X, order=1)
    assert first.second is None
    assert "d2y" not in str(first)
    with pytest.raises(ValueError, match="second partials were not asked for"):
        _ = first.convex


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([[1, 2]], r"shape \(1, 2\); expected \(N, 3\)"),
        ([1, 2, 3], r"shape \(3,\)"),
        (np.ones((0, 3)), r"at least one row"),
        ([[1, 2, 3], [1, np.nan, 3]], "row 1 of the data: x2 is nan"),
    ],
)
def test_unusable_data(net, given, message):
    with pytest.raises(ValueError, match=message):
        symnet.sensitivity(net, given)


@pytest.mark.parametrize(
    ("made", "found"),
    [
        (lambda X: X + 1j, "complex128"),
        (lambda X: X.astype("datetime64[s]"), r"datetime64\[s\]"),
        (lambda X: X.astype(str), "<U"),
        (lambda X: [dict(enumerate(row)) for row in X], "object"),
        (lambda X: np.array([["a", 1.0]], dtype=object), "object"),
    ],
)
def test_data_are_real_numbers(made, found):
    """Imaginary parts were left out, and times and text were made numbers of."""
    net = symnet.Network.dense([2, 3, 1], "tanh", seed=0)
    with pytest.raises(TypeError, match=f"the data holds {found}.*; real numbers are needed"):
        symnet.sensitivity(net, made(np.array([[1.0, 2.0], [3.0, 4.0]])))


def test_points_without_a_value():
    """The logarithm of a negative number is no sensitivity."""
    logarithm = symnet.Activation("ln", sympy.log(sympy.Symbol("z")))
    net = symnet.Network([symnet.Layer([[1.0, 1.0]], None, logarithm)])
    with pytest.raises(ValueError, match="value is not finite at x1 = -1, x2 = -2; leave"):
        symnet.sensitivity(net, [[1.0, 1.0], [-1.0, -2.0]])


def test_messages_have_the_labels_of_inputs():
    """T [K], as the table calls it, and not T_K, as formulas do."""
    net = symnet.Network([symnet.Layer([[1.0, 1.0]], None, "tanh")], inputs=["T [K]", "x 2"])
    with pytest.raises(ValueError, match=r"there are T \[K\], x 2"):
        symnet.dependence(net, [[1.0, 2.0], [2.0, 3.0]], "z")
    for options in ({"over": {"z": (0, 1)}}, {"at": [1.0]}, {"at": {"z": 1.0}}):
        with pytest.raises(ValueError, match=r"(inputs|there) are T \[K\], x 2"):
            framed(net, **options)
    assert points.located(net, [1.0, 2.0]) == "T [K] = 1, x 2 = 2"


def test_graph_of_several_outputs_beside_jax():
    """ln ρ and 1/T through tanh, a skip connection and a softmax, differentiated by JAX."""
    jax = pytest.importorskip("jax")
    jnp = pytest.importorskip("jax.numpy")
    random = np.random.default_rng(5)
    V1, V2, V3 = (random.normal(size=shape) for shape in ((4, 2), (4, 4), (3, 4)))
    c = random.normal(size=4)
    rho, T = symnet.variables("rho", "T")
    h = symnet.Layer(V1, c, "tanh")(symnet.concat(np.log(rho), 1 / T))
    logits = symnet.Layer(V3)(symnet.Layer(V2, None, "sigmoid")(h) + h)
    net = symnet.Network.of(symnet.softmax(logits), outputs=("a", "b", "c"))

    def own(x):
        h = jnp.tanh(V1 @ jnp.stack([jnp.log(x[0]), 1 / x[1]]) + c)
        return jax.nn.softmax(V3 @ (jax.nn.sigmoid(V2 @ h) + h))

    points = random.uniform(0.5, 2.0, (40, 2))
    found = symnet.sensitivity(net, points)
    with jax.enable_x64(True):
        y, J, H = (
            np.asarray(jax.vmap(f)(points)) for f in (own, jax.jacfwd(own), jax.hessian(own))
        )
    spread = points.std(axis=0) / y.std(axis=0)[:, np.newaxis]
    expected = {
        "mean": J.mean(axis=0),
        "sd": J.std(axis=0),
        "rms": np.sqrt(np.mean(J**2, axis=0)),
        "standardized": np.sqrt(np.mean(J**2, axis=0)) * spread,
        "rising": np.mean(J > 0, axis=0),
        "elasticity": np.mean(J * points[:, np.newaxis] / y[..., np.newaxis], axis=0),
        "interactions": np.sqrt(np.mean(H**2, axis=0)),
    }
    for name, measure in expected.items():
        np.testing.assert_allclose(getattr(found, name), measure, rtol=1e-10, err_msg=name)
    np.testing.assert_allclose(found.alpha(3), np.mean(np.abs(J) ** 3, axis=0) ** (1 / 3))


def test_no_network():
    with pytest.raises(TypeError, match="a Network or a Derivation is needed, got list"):
        symnet.sensitivity([1], X)


def test_rows_are_named_as_results_are(found):
    """First and second partials, each once, with the measures' numbers."""
    table = dict(sensitivities.rows(found))
    assert len(table) == 2 * (3 + 6)
    assert table["dy1/dx2"][:3] == [found.mean[0, 1], found.sd[0, 1], found.rms[0, 1]]
    assert table["d2y2/dx1dx3"][2] == found.interactions[1, 0, 2]


def test_text_reads_well(found):
    """A heading, a header, a row for each partial, columns aligned."""
    head, columns, *rest = str(found).splitlines()
    assert head == "small: 3-4-2, sigmoid, linear; 6 points"
    assert columns.split()[:4] == ["mean", "sd", "rms", "standardized"]
    assert len(rest) >= 18
    assert rest[0].split()[:4] == ["∂y1/∂x1", "-0.1105", "0.1209", "0.1638"]


# --- partial dependence -------------------------------------------------------------------------


def test_dependence_is_its_definition(net):
    """A row's curve is the network along the grid; the average is the mean; slopes are exact."""
    d = symnet.dependence(net, X, "x2", grid=[-1.0, 0.0, 2.0])
    for r, row in enumerate(X):
        for g, value in enumerate(d.grid_values):
            point = [row[0], value, row[2]]
            expected = symnet.analytic.value(net, point), symnet.analytic.jacobian(net, point)[:, 1]
            np.testing.assert_allclose(d.individual[:, r, g], expected[0], rtol=1e-12)
            np.testing.assert_allclose(d.slopes[:, r, g], expected[1], rtol=1e-11)
    np.testing.assert_allclose(d.average, d.individual.mean(axis=1))


def test_dependence_in_blocks(net, monkeypatch):
    """Rows are moved some at a time, however many inputs there are: the same curves."""
    many = np.random.default_rng(1).normal(size=(23, 3))
    whole = symnet.dependence(net, many, "x2", grid=5)
    monkeypatch.setattr("symnet.sensitivities.points._ENTRIES", 4 * 5 * net.m * net.n)
    found = symnet.dependence(net, many, "x2", grid=5)
    np.testing.assert_allclose(found.individual, whole.individual, rtol=1e-14)
    np.testing.assert_allclose(found.slopes, whole.slopes, rtol=1e-13)


def test_slope_is_the_derivative_of_the_average(net):
    """By central differences."""
    h = 1e-5
    ends = symnet.dependence(net, X, "x1", grid=[0.3 - h, 0.3 + h]).average
    slope = symnet.dependence(net, X, "x1", grid=[0.3]).slope
    np.testing.assert_allclose((ends[:, 1] - ends[:, 0]) / (2 * h), slope[:, 0], rtol=1e-8)


def test_dependence_as_scikit_learn_has_it(net):
    """`partial_dependence(kind="both")`: grid, average and individual curves."""
    inspection = pytest.importorskip("sklearn.inspection")
    base = pytest.importorskip("sklearn.base")

    class Estimator(base.RegressorMixin, base.BaseEstimator):
        def fit(self, X, y=None):
            self.fitted_ = True
            return self

        def predict(self, X):
            return symnet.analytic.value(net, X)[:, 0]

    many = np.random.default_rng(3).normal(size=(150, 3))
    for grid in (20, 200):
        ours = symnet.dependence(net, many, "x3", grid=grid)
        theirs = inspection.partial_dependence(
            Estimator().fit(many), many, [2], kind="both", grid_resolution=grid
        )
        np.testing.assert_allclose(ours.grid_values, theirs["grid_values"][0], rtol=1e-13)
        np.testing.assert_allclose(ours.average[0], theirs["average"][0], rtol=1e-12)
        np.testing.assert_allclose(ours.individual[0], theirs["individual"][0], rtol=1e-11)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"input": "z"}, "no input is called 'z'; there are x1, x2, x3"),
        ({"input": "x1", "grid": 1}, "at least 2 points"),
        ({"input": "x1", "grid": [np.nan]}, "grid for x1"),
        ({"input": "x1", "percentiles": (0.9, 0.1)}, "two rising shares"),
    ],
)
def test_unusable_grids(net, options, message):
    with pytest.raises(ValueError, match=message):
        symnet.dependence(net, X, **options)


def test_too_many_results(net, monkeypatch):
    monkeypatch.setattr("symnet.sensitivities.curves.LARGEST", 100)
    with pytest.raises(ValueError, match="take fewer rows"):
        symnet.dependence(net, X, "x1", grid=np.linspace(0, 1, 50))
