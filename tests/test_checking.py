"""The check must catch what it is there to catch: planted errors in any single entry."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import sympy

import symnet
from symnet.activations import Activation, Z
from symnet.backends.numpy.runtime import cut
from symnet.compiling import compiled
from symnet.names import text_partial
from symnet.network import Layer, Network
from symnet.witness import analytic, calls, comparing, digits, sampling
from symnet.witness.checking import CheckError, check, verify
from symnet.witness.exact import against_digits

NETWORKS = {
    "2-8-8-1": Network.dense([2, 8, 8, 1], seed=0),
    "3-4-2": Network.dense([3, 4, 2], hidden="tanh", output="softplus", seed=1),
    "relu": Network.dense([2, 6, 6, 1], hidden="relu", seed=2),
    "exp": Network.dense([2, 3, 1], hidden="exp", seed=3),
    "deep": Network.dense([2, *[8] * 60, 1], hidden="tanh", seed=4),
}


class Planted:
    """A function with one entry of one order off by a factor, at all points or at some."""

    def __init__(self, function, entry, factor, where=lambda X: np.ones(X.shape[:-1], bool)):
        self.function, self.entry, self.factor, self.where = function, entry, factor, where
        self.order, self.network = function.order, function.network
        self.types = self.texts = (np.float64,)
        self.teams, self.crowd, self.lone = (1,), 100, False

    def crowded(self, threads, points):
        return self

    def narrowed(self, width):
        return self

    def derivative(self, order, X):
        X = np.asarray(X)
        result = self.function.derivative(order, X)
        if order == len(self.entry) - 1:
            place = (self.where(X), *self.entry)
            with np.errstate(invalid="ignore"):
                result[place] *= self.factor
        return result

    def __call__(self, X):
        return tuple(self.derivative(order, X) for order in range(self.order + 1))


class Shifted(Planted):
    """A function with all entries of one order off by an amount."""

    def derivative(self, order, X):
        result = self.function.derivative(order, X)
        return result + self.factor if order == len(self.entry) - 1 else result


@pytest.mark.parametrize("name", NETWORKS)
def test_right_functions_pass(name):
    """With errors of a few roundings, far from what is allowed."""
    report = check(NETWORKS[name], compiled(NETWORKS[name], 2))
    assert report.ok, str(report)
    assert report.worst.weight < 0.06, str(report)


@pytest.mark.parametrize("name", ["2-8-8-1", "3-4-2"])
def test_a_planted_error_in_any_single_entry_is_caught(name):
    """A relative 1e-6, entry by entry, by `check` and by `verify`; the report names the entry."""
    network = NETWORKS[name]
    f = compiled(network, 2)
    for order in range(3):
        for entry in np.ndindex(network.m, *(network.n,) * order):
            planted = Planted(f, entry, 1 + 1e-6)
            report = check(network, planted)
            assert not report.ok
            bad = [c for c in report.comparisons if not c.ok]
            assert {c.against for c in bad} == {
                comparing.ANALYTIC,
                f"{digits.DIGITS}-digit arithmetic",
            }
            assert bad[0].quantity == ("value", "jacobian", "hessian")[order]
            along = [network.inputs[i].name for i in entry[1:]]
            assert bad[0].entry == text_partial(network.outputs[entry[0]].name, along)
            with pytest.raises(CheckError, match="please report it"):
                verify(planted)


@pytest.mark.parametrize("factor", [-1, 0, 2, np.nan, np.inf])
def test_gross_errors_are_caught(factor):
    """A wrong sign, a missing term, NaN where there is a number."""
    network = NETWORKS["2-8-8-1"]
    planted = Planted(compiled(network, 2), (0, 0, 1), factor)
    assert not check(network, planted).ok
    with pytest.raises(CheckError):
        verify(planted)


def test_transposed_results_are_caught():
    """Outputs and inputs exchanged in a square Jacobian."""
    network = Network.dense([3, 5, 3], seed=0)

    class Transposed(Planted):
        def derivative(self, order, X):
            result = self.function.derivative(order, X)
            return np.swapaxes(result, -1, -2) if order == 1 else result

    report = check(network, Transposed(compiled(network, 2), (), 1))
    assert [c.quantity for c in report.comparisons if not c.ok] == ["jacobian", "order 1"]


def test_a_wrong_branch_beside_a_kink_is_caught():
    """Points on both sides of kinks are among the sample."""
    network = Network([Layer([[1.0, 0.0]], [0.0], "relu")])
    f = compiled(network, 1)
    near = Planted(f, (0, 0), 1.001, lambda X: np.abs(X[..., 0]) < 1e-6)
    assert check(network, f).ok
    assert not check(network, near).ok


def test_an_error_at_extreme_points_only_is_caught():
    """The sample reaches far out."""
    network = Network.dense([2, 4, 1], hidden="softplus", seed=0)
    f = compiled(network, 2)
    far = Planted(f, (0,), 1 + 1e-6, lambda X: np.abs(X).max(axis=-1) > 1e3)
    assert not check(network, far).ok


@pytest.mark.parametrize("order", [3, 4])
def test_higher_orders_are_checked_against_digits(order):
    """The analytic engine stops at 2; a planted error beyond it is caught all the same."""
    network = Network.dense([2, 3, 2], hidden="tanh", seed=0)
    f = compiled(network, order)
    assert check(network, f).ok
    verify(f)
    for entry in ((0, *[0] * order), (1, *[1] * order)):
        planted = Planted(f, entry, 1 + 1e-6)
        assert not check(network, planted).ok
        with pytest.raises(CheckError):
            verify(planted)


def test_terms_that_cancel_in_a_third_order_are_no_fault():
    """A normalised pair is ±1 but for epsilon: in single precision 1e-3 of what is left is right.

    A sign is caught all the same.
    """
    random = np.random.default_rng(5)
    first, second = (random.normal(size=(2, 2)) for _ in range(2))
    h = symnet.layer_norm(first @ symnet.variables(2))
    network = Network.of(symnet.layer_norm(second @ h))
    f = compiled(network, 3)
    verify(f)
    assert check(network, f).ok
    assert not check(network, Planted(f, (1, 0, 0, 1), -1)).ok


@pytest.mark.parametrize("spec", ["square", "tanh", "cube", "softmax", "product"])
def test_slopes_that_cancel_are_no_fault(spec):
    """x·(1/x) is 1, its slope 0 or a rounding error as one multiplies; so are products of two."""
    x = symnet.variables("a", "b")
    ones = x * (1 / x)
    away = 2 * ones - ones[::-1] - 1
    h = {
        "cube": lambda: away**3,
        "softmax": lambda: symnet.softmax(ones),
        "product": lambda: away[0] * away[1],
    }.get(spec, lambda: symnet.apply(spec, away + 0.25))()
    network = Network.of(h)
    f = compiled(network, 2)
    verify(f)
    assert check(network, f).ok
    assert not check(network, Shifted(f, (0, 0, 1), 1e-15)).ok


@pytest.mark.parametrize("order", [2, 3])
@pytest.mark.parametrize("spec", ["share", "product"])
def test_factors_beyond_single_precision_are_no_fault(spec, order):
    """1/s of a small share s is a number of single precision, its second derivative 2/s³ none.

    Nor is the product of two large numbers, of which nothing is left where it is clipped.
    """
    x = symnet.variables(4)
    y = 1 / symnet.softmax(x) if spec == "share" else np.clip(2**x * 2**x, -0.7, 0.9)
    network = Network.of(y)
    f = compiled(network, order)
    verify(f)
    assert check(network, f).ok


@pytest.mark.parametrize("slope", [1e20, 1e30])
def test_inputs_of_tiny_units_are_no_fault(slope):
    """Of charges of 1e-19 C a slope is 1e20, and its square no number of single precision."""
    random = np.random.default_rng(0)
    hidden = Layer(random.normal(size=(4, 2)) * slope, random.normal(size=4), "tanh")
    network = Network([hidden, Layer(random.normal(size=(1, 4)) / slope)])
    f = compiled(network, 2)
    verify(f)
    assert check(network, f).ok
    assert not check(network, Shifted(f, (0, 0, 1), 1e-6 * slope)).ok


def test_a_quadratic_form_beside_a_layer_does_not_say_where_inputs_are():
    """A distance by a nearly singular covariance, a mean cosine in it: it changes by 1 in steps of
    1e-6, as far from the layer's neurons as the cosine takes it."""
    random = np.random.default_rng(1)
    x = symnet.variables("u", "v", "w", "alpha")
    s = symnet.concat(x[:3], np.cos(x[3]))
    turned = np.linalg.qr(random.normal(size=(4, 4)))[0]
    distance = s - [0.2, -0.1, 0.3, 0.95]
    squared = Layer(turned @ np.diag([1, 1e2, 1e4, 1e6]) @ turned.T)(distance) @ distance
    hidden = Layer(random.normal(size=(5, 4)), random.normal(size=5), "silu")(s)
    y = Layer(random.normal(size=(1, 5)))(hidden)
    network = Network.of(symnet.apply("sigmoid", y - 1e-2 * squared))
    centre, step = sampling.scaling(network)
    assert step[:3].min() > 0.1
    assert np.abs(centre[:3] / step[:3]).max() < 10
    f = compiled(network, 2)
    verify(f)
    assert check(network, f).ok


@pytest.mark.parametrize("spec", ["tanh", "gaussian"])
def test_small_factors_of_large_slopes_are_no_fault(spec):
    """1e-40 of a second derivative is no number of single precision, 1e-6 by two slopes is."""
    first = np.array([[1.0, 0.3], [0.14, -1.0]]) * 1e17
    network = Network([Layer(first, None, spec), Layer([[1, 2]])])
    f = compiled(network, 2)
    verify(f)
    assert check(network, f).ok
    assert not check(network, Planted(f, (0, 0, 1), 1 + 1e-3)).ok


def test_a_factor_that_single_precision_takes_for_zero_is_no_fault():
    """2/z³ of z = 1e16, whose slopes of 1e14 make a number of it in doubles."""
    x = symnet.variables(2)
    square = x * x
    product = square * symnet.log_softmax(square)
    network = Network.of(1 / (product * product + 1))
    f = compiled(network, 2)
    verify(f)
    assert check(network, f).ok
    assert not check(network, Planted(f, (0, 0, 1), 1 + 1e-3)).ok


@pytest.mark.parametrize("spec", ["gelu", "gelu_tanh", "sqrt", "gaussian"])
def test_where_rounding_leaves_nothing_is_no_fault(spec):
    """A step of a double at 1e17 is 16: what 50 digits have of such a sum is no witness."""
    first = Layer([[1, 1 / 3], [1 / 7, -1]], [1e17, -5e16], spec)
    network = Network([first, Layer([[1, 2]])])
    f = compiled(network, 3)
    verify(f)
    report = check(network, f)
    assert report.ok
    assert "rounding leaves nothing" in str(report)


@pytest.mark.parametrize(("spec", "z"), [("gelu_tanh", -16), ("softplus", -200), ("mish", -130)])
def test_tails_of_the_table_in_many_digits(spec, z):
    """log(1 + exp(-200)) is 0 in 50 digits: as many are taken as it takes."""
    network = Network([Layer([[1]], None, spec)])
    f = compiled(network, 3)
    truth = calls.true(network, np.array([[float(z)]]), f)
    assert all(found.ok for found in against_digits(truth, f, np.random.default_rng(0)))


def test_a_neuron_without_weights_at_a_minimum_is_no_fault():
    """z tanh(z) at 0, the least of all values: its limits from the sides are 1e-50."""
    own = Activation("lisht", Z * sympy.tanh(Z))
    network = Network([Layer([[1.0, 0.5], [0.0, 0.0]], None, own)])
    assert analytic.value(network, [1.0, 2.0])[1] == 0
    verify(compiled(network, 2))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("offset", "slope", "spec"),
    [(1e7, 30.0, "relu"), (1.7e9, 30.0, "tanh"), (2.0**53, 2.0**53, "tanh"), (1.0, 1e300, "tanh")],
)
def test_inputs_far_from_zero_are_no_fault(offset, slope, spec):
    """Where a time stamp is taken from a time stamp, rounding decides the side of a kink."""
    hidden = symnet.Layer([[slope, 1.0], [1.0, 0.5]], [-offset, 0.3], spec)
    network = Network([hidden, symnet.Layer([[1.0, 0.5]])])
    verify(compiled(network, 2))


def priced() -> Network:
    """What an option costs, of Black and Scholes: of bare inputs, by a formula of one's own."""
    S, K, T, r, sigma = symnet.variables("S", "K", "T", "r", "sigma")
    v = sigma * np.sqrt(T)
    d = np.log(S / K) / v + r * T / v + v / 2

    def normal(u):
        return symnet.apply(sympy.erfc(-Z / sympy.sqrt(2)) / 2, u)

    return Network.of(S * normal(d) - K * np.exp(-r * T) * normal(d - v), outputs=["C"])


def test_points_are_where_products_say_something():
    """The price of an option is smallest for the smallest prices: there all would be 0."""
    centre, step = sampling.scaling(priced())
    assert (np.abs(centre[[0, 1, 2, 4]]) > 0.02).all()
    assert (step > 0.005).all()


@pytest.mark.complete
def test_an_option_is_priced_to_the_third_order():
    """Its derivatives cancel: they are what traders call vanna, volga, speed, …"""
    network = priced()
    f = compiled(network, 3)
    verify(f)
    assert check(network, f).ok


def test_a_derivative_that_is_zero_is_no_noise_of_differences():
    """Normalised, a single entry is 0 everywhere, and all after it constant: so in 50 digits."""
    h = symnet.layer_norm(symnet.Layer([[0.7]], [0.1], "sigmoid")(symnet.variables("x")))
    h = symnet.Layer([[0.3], [-1.0]], [0.2, 0.5], "tanhshrink")(h)
    network = Network.of(symnet.Layer([[0.6, 0.35], [0.1, 0.7]])(h))
    f = compiled(network, 4)
    verify(f)
    assert check(network, f).ok
    assert not check(network, Shifted(f, (0, 0, 0, 0), 1e-9)).ok


@pytest.mark.filterwarnings("error")
def test_weights_that_single_precision_barely_holds():
    """The points of such a network are infinite in it: nothing to compare, and no warning."""
    network = Network([symnet.Layer([[1.4e-45]], activation="abs")])
    verify(compiled(network, 2))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("order", [2, 3])
def test_weights_that_single_precision_does_not_hold(order):
    """They are infinite in it, and terms of third derivatives in double precision: no warning."""
    layers = symnet.Layer([[1e60, 0.0], [0.0, 1.0]], None, "tanh"), symnet.Layer([[3.0, 1.0]])
    f = compiled(Network(list(layers)), order)
    verify(f)
    for number in (1, 9_999):
        assert f.value(np.zeros((number, 2), np.float32)).shape == (number, 1)


def test_kink_points_lie_on_both_sides():
    """Each pair of points has a pre-activation of either sign, both tiny."""
    network = NETWORKS["relu"]
    points = sampling.beside_seams(network, np.random.default_rng(0))
    assert len(points) >= 4
    pre = analytic.preactivations(network, points)
    flat = np.concatenate(pre[:-1], axis=1)
    for left, right in zip(flat[::2], flat[1::2], strict=True):
        crossed = left * right < 0
        assert crossed.any()
        assert np.abs(left[crossed]).max() < 1e-4


def test_the_report_reads_well():
    """Verdict, witnesses, numbers of points, worst errors and where they were."""
    network = NETWORKS["3-4-2"]
    report = check(network, compiled(network, 2))
    text = str(report)
    assert text.startswith(f"check of {network.describe()}: ok")
    assert "analytic chain rule" in text
    assert "50-digit arithmetic" in text
    assert all(line.strip() for line in text.splitlines())
    wrong = check(network, Planted(compiled(network, 2), (1, 2), 2.0))
    assert "FAILED" in str(wrong)
    assert "WRONG" in str(wrong)
    assert "∂y2/∂x3" in str(wrong)
    assert wrong.worst.entry == "∂y2/∂x3"


def test_a_check_is_reproducible():
    """The same seed gives the same report, another one other points."""
    network, f = NETWORKS["2-8-8-1"], compiled(NETWORKS["2-8-8-1"], 2)
    assert check(network, f) == check(network, f)
    assert check(network, f, seed=1).comparisons[0].point != check(network, f).comparisons[0].point


def test_wrong_shapes_are_caught():
    """A Jacobian that lost an axis is no Jacobian."""
    network = NETWORKS["2-8-8-1"]

    class Flat(Planted):
        def derivative(self, order, X):
            result = self.function.derivative(order, X)
            return result[..., 0] if order == 1 else result

    flat = Flat(compiled(network, 2), (), 1)
    with pytest.raises(CheckError, match="shape"):
        check(network, flat)
    with pytest.raises(CheckError, match="shape"):
        verify(flat)


def test_what_single_precision_is_off_by_is_said():
    """Not 0 for what is within its tolerance."""
    net = symnet.Network.dense([2, 8, 1], hidden="tanh", seed=0)
    report = symnet.check(net, symnet.derive(net).compile())
    found = [c for c in report.comparisons if "float32" in c.call]
    assert len(found) == 3
    assert all(1e-9 < c.error < 1e-5 for c in found)


def test_float32_functions_are_held_to_their_own_precision():
    """A function of float32 points passes with float32's tolerance, and fails beyond it."""
    network = NETWORKS["2-8-8-1"]
    f = compiled(network, 2)
    X = np.random.default_rng(0).standard_normal((20, 2)).astype(np.float32)
    truth = comparing.Truth.of(network, X, 1)
    comparison = truth.comparison(1, f.jacobian(X))
    assert comparison.ok
    assert comparison.error > 1e-12
    assert not truth.comparison(1, f.jacobian(X) * np.float32(1.01)).ok


def test_a_wide_function_is_verified_at_full_size_too():
    """An error that only the full width has is caught."""
    network = Network.dense([2, 200, 1], seed=0)
    f = compiled(network, 2)
    verify(f)

    class OnlyWide(Planted):
        def narrowed(self, width):
            return self.function.narrowed(width)

    with pytest.raises(CheckError):
        verify(OnlyWide(f, (0, 1), 1 + 1e-6))


def test_compiled_is_replaceable_only_whole():
    """A Compiled is frozen: what was checked is what runs."""
    f = compiled(NETWORKS["2-8-8-1"], 2)
    with pytest.raises(AttributeError):
        f.source = ""
    assert replace(f, order=1).order == 1


ENDS = {
    "a root": ("sqrt", -0.7),
    "a logarithm": ("log", -0.7),
    "an area cosine": ("acosh", 1.5),
    "a root that ends at 1": (Activation("root", sympy.sqrt(Z - 1)), 1.5),
    "a pole at 1": (Activation("pole", 1 / (Z - 1)), 0.3),
}


@pytest.mark.complete(every=3)
@pytest.mark.parametrize("name", ENDS)
def test_what_is_right_passes_where_a_domain_ends(name):
    """Rounding of z moves a root's slope there by more than a sum's terms, or decides whether
    there is a value at all: z = 0.4 x - 0.7 is 0 at 1.75, where the network seems to be at home.
    """
    function, shift = ENDS[name]
    network = Network.of(symnet.apply(function, 0.4 * symnet.variables("x1", "x2") + shift))
    for backend in ("numpy", "c"):
        f = compiled(network, 2, backend).verified()
        report = check(network, f)
        assert report.ok, str(report)
    assert not check(network, Planted(f, (0, 0, 0), 1 + 1e-6)).ok


@pytest.mark.parametrize("first", ["abs", "relu"])
def test_what_is_right_passes_where_two_derivatives_vanish(first):
    """Beside the kink z is a difference of 1e-8, whose rounding moves 2 tanh(z)/cosh(z)^2."""
    network = Network([Layer([[1, 0.75]], None, first), Layer([[1]], None, "tanhshrink")])
    f = compiled(network, 2).verified()
    report = check(network, f)
    assert report.ok, str(report)
    assert not check(network, Planted(f, (0, 0, 0), 1 + 1e-6)).ok


@pytest.mark.parametrize("z", [-20.0, -40.0, -57.0])
def test_small_entries_in_single_precision(z):
    """A factor of 2 is found in values down to 1e-25; rounding alone is none."""
    network = symnet.Network([symnet.Layer([[1.0]], None, "sigmoid")])
    points = np.array([[z]])
    truth = comparing.Truth.of(network, points, 2)
    for order, right in enumerate(truth.results):
        assert truth.comparison(order, right.astype(np.float32)).ok
        assert not truth.comparison(order, (2 * right).astype(np.float32)).ok


@pytest.mark.parametrize("backend", ["numpy", "c"])
def test_an_output_that_overflows_takes_no_other_for_wrong(backend):
    """y = (exp(W a) + a)² of a = log softmax(x), by adjoints, in which the first output's infinite
    slope times the others' 0 is NaN. Another number is an error there too.
    """
    a = symnet.log_softmax(symnet.variables("x1", "x2", "x3", "x4"))
    network = Network.of((Layer(np.diag([-1.0, 1, 1, 1]), None, "exp")(a) + a) ** 2)
    f = symnet.derive(network, 1).compile(backend)
    report = check(network, f)
    assert report.ok, str(report)
    far = np.array([[0.0, 900, 0, 0]])
    truth, found = comparing.Truth.of(network, far, 1), f.derivative(1, far)
    assert truth.results[1][0, 2].tolist() == [0, 1800, -1800, 0]
    assert np.isnan(found[0, 2]).all()
    assert truth.comparison(1, found).ok
    found[0, 2] = 0.0, 1800.1, -1800.0, 0.0
    assert not truth.comparison(1, found).ok


def test_a_crowd_is_three_blocks_or_more_with_a_last_one_of_fewer_points():
    """Few points, where a network of many inputs has no room for more."""
    kernels = symnet.derive(Network.dense([2, 3, 1], seed=0), 1).compile().kernels
    for count in map(calls._uneven, range(1, 300)):
        sizes = [
            len(range(count)[part]) for part in cut(count, kernels.crowded(count).block("value"))
        ]
        assert len(sizes) >= 3, count
        assert sizes[-1] < sizes[0], count
