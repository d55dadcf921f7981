"""Entries at places that depend on the inputs: tables, and splines whose pieces are looked up."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import symnet
from symnet.importers.folding import taking
from symnet.importers.folding.tensors import Tensors
from symnet.importers.imported import Model, Options
from symnet.witness import analytic

pytest.importorskip("scipy")

RNG = np.random.default_rng(4)
TABLE = RNG.normal(size=(2, 5, 3))
X = np.array([[-0.7, 2.2, 4.9, 1.0], [1.5, 0.2, -3.0, 2.0], [9.0, 3.5, 4.0, -0.5]])


def network(function):
    """The network of a function of tensors and four inputs."""
    t = Tensors()
    (x,) = t.fold.inputs_of([(4,)])
    return Model(t, (("x", 4),), (("y", function(t, x)),)).network(Options())


def places(x, count):
    """Whole numbers from 0 to count − 1."""
    return np.clip(np.floor(x), 0, count - 1).astype(int)


@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize("shape", [(4,), (2, 2), (4, 1)])
def test_entries_of_a_table(axis, shape):
    """As np.take has them; numbers from outside count as the ends."""
    count = TABLE.shape[axis]
    net = network(lambda t, x: taking.taken(t, TABLE, t.reshape(t.apply("floor", x), shape), axis))
    expected = [np.take(TABLE, places(x, count).reshape(shape), axis).ravel() for x in X]
    np.testing.assert_array_equal(analytic.value(net, X), expected)
    assert not analytic.jacobian(net, X).any()


@pytest.mark.parametrize("axis", [0, 1])
def test_entries_along_an_axis(axis):
    """As np.take_along_axis has them, of what depends on the inputs, with their slopes."""

    def function(t, x):
        rows = t.multiply(t.reshape(x, (2, 2)), np.ones((2, 2)))
        return taking.taken_along(t, rows, t.reshape(t.apply("floor", x), (2, 2)), axis)

    net = network(function)
    along = [places(x, 2).reshape(2, 2) for x in X]
    expected = [np.take_along_axis(x.reshape(2, 2), k, axis) for x, k in zip(X, along, strict=True)]
    np.testing.assert_array_equal(analytic.value(net, X), np.reshape(expected, (3, 4)))
    numbers = np.arange(4).reshape(2, 2)
    chosen = [np.take_along_axis(numbers, k, axis).ravel() for k in along]
    np.testing.assert_array_equal(analytic.jacobian(net, X), np.eye(4)[np.array(chosen)])


def test_negative_places_count_from_the_end():
    net = network(lambda t, x: taking.taken(t, TABLE[0, :, 0], t.apply("floor", x), 0, wraps=True))
    inside = np.array([[-1.0, -4.5, 0.5, 4.0]])
    found = analytic.value(net, inside)[0]
    np.testing.assert_array_equal(found, TABLE[0, :, 0][[-1, -5, 0, 4]])


def test_large_tables_are_refused():
    wide = np.zeros((2**14, 2**12))
    with pytest.raises(ValueError, match=r"a choice takes 268,435,456 entries, more than"):
        network(lambda t, x: taking.taken(t, wide, t.apply("floor", x), 1))


# --- splines of rational quadratics, as flows have them -------------------------------------------

KNOTS = np.linspace(-2, 2, 5)
HEIGHTS = np.array([-2.0, -1.5, 0.25, 0.5, 2.0])
SLOPES = np.array([1.0, 0.5, 2.0, 0.25, 1.0])
POINTS = np.array([[-1.7, 0.4], [0.3, -0.6], [1.9, 1.2]])


def spline(x, k, library):
    """The value at x in the piece k."""
    left, width = KNOTS[k], KNOTS[k + 1] - KNOTS[k]
    low, high = library[k], library[k + 1] - library[k]
    s, t = high / width, (x - left) / width
    inner = SLOPES[k + 1] + SLOPES[k] - 2 * s
    return low + high * (s * t**2 + SLOPES[k] * t * (1 - t)) / (s + inner * t * (1 - t))


def expected(x):
    """Both inputs bent by splines, one after the other's shift of the heights."""
    k = int(np.clip(np.searchsorted(KNOTS, x[0], side="right") - 1, 0, 3))
    return spline(x[0], k, HEIGHTS + np.tanh(x[1]))


def test_a_spline_of_pytorch(tmp_path):
    """By gather and by an index, and through ONNX, where places are cast to whole numbers."""
    torch = pytest.importorskip("torch")
    knots, slopes = (torch.tensor(a, dtype=torch.float32) for a in (KNOTS, SLOPES))

    class Spline(torch.nn.Module):
        def forward(self, x):
            heights = torch.tensor(HEIGHTS, dtype=x.dtype) + torch.tanh(x[:, 1:])
            k = ((x[:, :1] >= knots).sum(-1, keepdim=True) - 1).clamp(0, 3)
            left, low, high = knots[k], heights.gather(1, k), heights.gather(1, k + 1)
            s, t = (high - low) / (knots[k + 1] - left), (x[:, :1] - left) / (knots[k + 1] - left)
            inner = slopes[k + 1] + slopes[k] - 2 * s
            above = s * t**2 + slopes[k] * t * (1 - t)
            return low + (high - low) * above / (s + inner * t * (1 - t))

    net = symnet.from_torch(Spline(), shape=(2,))
    values = [[expected(x)] for x in POINTS]
    np.testing.assert_allclose(analytic.value(net, POINTS), values, rtol=1e-13)
    pytest.importorskip("onnx")
    path = str(tmp_path / "spline.onnx")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter's own
        torch.onnx.export(Spline(), (torch.ones(1, 2),), path, dynamo=False, opset_version=17)
    found = symnet.load(path)
    np.testing.assert_allclose(analytic.value(found, POINTS), values, rtol=1e-13)
    slopes_here = analytic.jacobian(net, POINTS)
    np.testing.assert_allclose(analytic.jacobian(found, POINTS), slopes_here, rtol=1e-13)


def test_an_embedding_of_pytorch():
    """Of a number that the module casts, beside others, by which alone there are slopes."""
    torch = pytest.importorskip("torch")

    class Embedded(torch.nn.Module):
        def __init__(self):
            super().__init__()
            torch.manual_seed(0)
            self.kinds, self.last = torch.nn.Embedding(4, 3), torch.nn.Linear(5, 2)

        def forward(self, x):
            kinds = self.kinds(x[:, 0].long().clamp(0, 3))
            return torch.tanh(self.last(torch.cat([kinds, x[:, 1:]], 1)))

    module = Embedded()
    net = symnet.from_torch(module, shape=(3,))
    points = np.array([[0.0, 0.5, -1.0], [2.0, 1.5, 0.25], [3.0, -0.5, 2.0]])
    values = module.double()(torch.tensor(points)).detach().numpy()
    np.testing.assert_allclose(analytic.value(net, points), values, rtol=1e-13)
    slopes = analytic.jacobian(net, points)
    assert not slopes[..., 0].any()
    assert slopes[..., 1:].all()


def test_a_spline_of_jax():
    """By searchsorted and indices."""
    jax = pytest.importorskip("jax")
    jnp = jax.numpy

    def function(x):
        k = jnp.clip(jnp.searchsorted(KNOTS, x[0], side="right") - 1, 0, 3)
        heights = HEIGHTS + jnp.tanh(x[1])
        left, s = jnp.asarray(KNOTS)[k], jnp.asarray(SLOPES)
        width, low, high = jnp.asarray(KNOTS)[k + 1] - left, heights[k], heights[k + 1] - heights[k]
        t, mean = (x[0] - left) / width, high / width
        inner = s[k + 1] + s[k] - 2 * mean
        return low + high * (mean * t**2 + s[k] * t * (1 - t)) / (mean + inner * t * (1 - t))

    net = symnet.from_jax(function, 2)
    np.testing.assert_allclose(
        analytic.value(net, POINTS), [[expected(x)] for x in POINTS], rtol=1e-13
    )
    rows = symnet.from_jax(lambda x: jnp.asarray(TABLE[0])[jnp.floor(x).astype(int)], 4)
    inside = np.abs(X) % 5
    np.testing.assert_array_equal(
        analytic.value(rows, inside), [TABLE[0][places(x, 5)].ravel() for x in inside]
    )
