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
from symnet.witness.checking import CheckError

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
    net = network(
        lambda t, x: taking.taken(
            t, TABLE[0, :, 0], t.apply("floor", x), 0, taking.Numbering(wraps=True)
        )
    )
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


INSIDE = np.array([[0.3, 0.9, 0.5, -1.0], [0.75, 0.1, 0.2, 2.0], [0.99, 0.5, 0.7, 0.4]])


def agrees_with_pytorch(module, n=4):
    """Values and Jacobians at numbers from 0 to 1, which the module casts to its categories."""
    torch = pytest.importorskip("torch")
    net = symnet.from_torch(module, shape=n)
    own = module.double()
    points = torch.from_numpy(INSIDE[:, :n])
    value = torch.stack([own(x[None])[0] for x in points]).detach().numpy()
    slopes = [torch.autograd.functional.jacobian(lambda x: own(x[None])[0], x) for x in points]
    np.testing.assert_allclose(analytic.value(net, points.numpy()), value, rtol=1e-13, atol=1e-15)
    found = analytic.jacobian(net, points.numpy())
    np.testing.assert_allclose(found, torch.stack(slopes).numpy(), rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("kind", ["embedding", "one_hot", "sum", "mean", "max", "tables"])
def test_categories_of_pytorch(kind):
    """PyTorch raises for those that it has not, at points where networks are compared."""
    torch = pytest.importorskip("torch")
    functional = torch.nn.functional

    class Looking(torch.nn.Module):
        def __init__(self):
            super().__init__()
            torch.manual_seed(0)
            self.table = torch.nn.Parameter(torch.rand(3, 4, 5, 2))
            self.row = torch.nn.Embedding(4, 2)
            if kind in ("sum", "mean", "max"):
                self.row = torch.nn.EmbeddingBag(4, 2, mode=kind)

        def forward(self, x):
            k = (x[:, :3] * 4).long()
            if kind == "one_hot":
                return functional.one_hot(k[:, 0], 4) * x[:, 3:]
            if kind == "embedding":
                return self.row(k[:, 0]) * x[:, 3:]
            if kind != "tables":
                return self.row(k) * x[:, 3:]
            i, j, table = k[:, 0], k[:, 1] - 4, self.table * x[0, 3]
            parts = [table[0, i, j], table[:, i, j].permute(1, 0, 2), table[i.clamp(max=2), :, j]]
            return torch.cat([part.flatten(1) for part in parts], 1)

    agrees_with_pytorch(Looking())


@pytest.mark.parametrize("right", [False, True])
def test_lines_between_knots_of_pytorch(right):
    """Of the piece that bucketize or searchsorted finds."""
    torch = pytest.importorskip("torch")

    class Lines(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("x", torch.tensor(KNOTS))
            self.y = torch.nn.Parameter(torch.tensor(HEIGHTS))

        def forward(self, x):
            found = []
            for k in (
                torch.bucketize(x[:, 0], self.x, right=right),
                torch.searchsorted(self.x, x[:, 1], side="right" if right else "left"),
            ):
                k = k.clamp(1, len(self.x) - 1)
                slope = (self.y[k] - self.y[k - 1]) / (self.x[k] - self.x[k - 1])
                found += [self.y[k - 1] + slope * (x[:, 2] - self.x[k - 1]), k * x[:, 3]]
            return torch.stack(found, 1)

    module, at_knots = Lines(), torch.tensor([[0.0, 1.0, 0.5, 2.0]], dtype=torch.float64)
    agrees_with_pytorch(module)
    found = analytic.value(symnet.from_torch(module, shape=4), at_knots.numpy())
    np.testing.assert_allclose(found, module(at_knots).detach(), rtol=1e-13)


@pytest.mark.parametrize("how", [("bilinear", "border", True), ("nearest", "zeros", False)])
def test_images_of_pytorch(how):
    """A table between whose entries a line is drawn, as grid_sample has it."""
    torch = pytest.importorskip("torch")
    mode, padding, corners = how

    class Sampling(torch.nn.Module):
        def __init__(self):
            super().__init__()
            torch.manual_seed(0)
            self.image = torch.nn.Parameter(torch.rand(1, 2, 4, 5))

        def forward(self, x):
            image = self.image.expand(len(x), 2, 4, 5)
            found = torch.nn.functional.grid_sample(
                image, 2.2 * x[:, None, None, :2] - 1, mode, padding, corners
            )
            return found.flatten(1) * x[:, 3:]

    agrees_with_pytorch(Sampling())


RAISES = (
    "PyTorch raises for places outside of {} to 3 in a table of 4; the network takes the nearest"
)
HOT = "where PyTorch raises (one_hot: Class values must be {}), the network has values"
LOOKED_UP = {
    "embedding": ([RAISES.format(0)], lambda m, k: m.row(k)),
    "sum": ([RAISES.format(0)], lambda m, k: m.bag(k[:, None])),
    "index_select": ([RAISES.format(0)], lambda m, k: m.table.index_select(0, k)),
    "gather": ([RAISES.format(0)], lambda m, k: m.table.T.gather(1, k[None].expand(2, 1)).T),
    "index": ([RAISES.format(-4)], lambda m, k: m.table[k]),
    "clamped": ([], lambda m, k: m.row(k.clamp(0, 3)) + m.table[k.clamp(-4, 3)]),
    "almost": ([RAISES.format(0)], lambda m, k: m.row(k.clamp(0, 4))),
    "one_hot": (
        [HOT.format("non-negative"), HOT.format("smaller than num_classes")],
        lambda m, k: m.functional.one_hot(k, 4),
    ),
}


@pytest.mark.parametrize("kind", LOOKED_UP)
def test_what_pytorch_does_outside_of_a_table_is_told(kind):
    """At whole numbers values are PyTorch's where it has any; where it raises a note says so."""
    torch = pytest.importorskip("torch")
    reader = pytest.importorskip("symnet.importers.torch")
    lines, lookup = LOOKED_UP[kind]

    class Looking(torch.nn.Module):
        functional = torch.nn.functional

        def __init__(self):
            super().__init__()
            torch.manual_seed(0)
            self.row, self.bag = torch.nn.Embedding(4, 2), torch.nn.EmbeddingBag(4, 2, mode="sum")
            self.table = torch.nn.Parameter(torch.rand(4, 2))

        def forward(self, x):
            return lookup(self, x[:, 0].long()) * x[:, 1:]

    module = Looking()
    found = reader.imported(module, Options(), (2,))
    told = [note for note in found.notes if "raises" in note]
    assert len(told) == len(lines)
    assert all(line in note for line, note in zip(lines, told, strict=True))
    own, raised = module.double(), False
    for k in range(-6, 7):
        point = np.array([[k, 1.5]])
        try:
            expected = own(torch.from_numpy(point)).detach()
        except (RuntimeError, IndexError):
            raised = True
            continue
        np.testing.assert_allclose(analytic.value(found.network, point), expected, rtol=1e-13)
    assert raised == bool(lines)


def test_what_other_programs_do_outside_of_a_table_is_told(tmp_path):
    """JAX's NaN, which no point that is compared need meet, and what ONNX raises."""
    jax = pytest.importorskip("jax")
    from symnet.importers import jax as reader

    jnp, wide = jax.numpy, "the network takes the nearest entry"

    def notes(mode):
        table = jnp.arange(4.0)
        return reader.imported(
            lambda x: jnp.take(table, jnp.floor(x[0] / 20).astype(int), mode=mode) * x[1],
            2,
            Options(),
        ).notes

    line = f"JAX gives NaN for places outside of 0 to 3 in a table of 4; {wide}"
    assert line in notes("fill")
    assert not any(wide in note for note in notes("clip"))
    onnxmodels = pytest.importorskip("onnxmodels")
    node = onnxmodels.node
    nodes = [
        node("Cast", "x", "whole", to=onnxmodels.TensorProto.INT64),
        node("Gather", "table whole", "y"),
    ]
    proto = onnxmodels.model(nodes, (3,), {"table": np.arange(5.0)})
    found = onnxmodels.imported(proto, tmp_path)
    assert f"ONNX raises for places outside of -5 to 4 in a table of 5; {wide}" in found.notes
    points = np.array([[-5.0, -1.0, 4.0]])
    np.testing.assert_array_equal(analytic.value(found.network, points), [[0.0, 4.0, 4.0]])


def test_what_keras_does_outside_of_a_table_is_told():
    """With the reason where its backend gives NaN at points that are compared."""
    keras = pytest.importorskip("keras")
    from symnet.importers.keras import live

    x, line = keras.Input((3,)), "Keras raises or gives NaN for places outside of -5 to 4"

    def model(scale):
        places_of = keras.ops.cast(keras.ops.floor(x * scale), "int32")
        return keras.Model(x, keras.ops.take(np.arange(5.0), places_of))

    assert any(line in note for note in live.imported(model(0.05), Options()).notes)
    if keras.backend.backend() == "jax":
        with pytest.raises(CheckError, match=f"it is known that {line}"):
            live.imported(model(1.0), Options())


def test_a_bag_without_rows_and_one_of_a_category_that_only_fills():
    """Zero, as PyTorch has it."""
    torch = pytest.importorskip("torch")

    class Fixed(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.row = torch.nn.EmbeddingBag(4, 2, padding_idx=2)
            self.bags = torch.nn.EmbeddingBag(4, 2, mode="mean", include_last_offset=True)

        def forward(self, x):
            fixed = self.row(torch.tensor([[0, 1, 2], [2, 2, 2]])).flatten()
            numbers, ends = torch.tensor([0, 1, 3]), torch.tensor([0, 2, 2, 3])
            bags = self.bags((4 * x[0, :3]).long(), ends) + self.bags(numbers, ends)
            return x[:, 3:] * torch.cat([fixed, bags.flatten()])[None]

    agrees_with_pytorch(Fixed())


def test_categories_and_images_of_jax():
    """One-hot vectors of a computed number, and a table between whose entries a line is drawn."""
    jax = pytest.importorskip("jax")
    jnp, image = jax.numpy, TABLE[0]

    def function(x):
        chosen = jax.nn.one_hot(jnp.floor(4 * x[0]).astype(int), 4) * x[3]
        drawn = jax.scipy.ndimage.map_coordinates(
            jnp.asarray(image) * x[3], [4 * x[:1], 2 * x[1:2]], order=1
        )
        return jnp.concatenate([chosen, drawn])

    net = symnet.from_jax(function, 4)
    with jax.enable_x64(True):
        value, slopes = jax.vmap(function)(INSIDE), jax.vmap(jax.jacfwd(function))(INSIDE)
    np.testing.assert_allclose(analytic.value(net, INSIDE), value, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(analytic.jacobian(net, INSIDE), slopes, rtol=1e-12, atol=1e-14)


def test_gather_nd_of_computed_places(tmp_path):
    """Along two axes, from the end where they are negative."""
    onnxmodels = pytest.importorskip("onnxmodels")
    node, places_of = onnxmodels.node, [[3.0, -5.0], [2.0, 4.0]]
    nodes = [
        node("Slice", "x from to", "two"),
        node("Mul", "two sizes", "wide"),
        node("Cast", "wide", "whole", to=onnxmodels.TensorProto.INT64),
        node("GatherND", "table whole", "y"),
    ]
    constants = {
        "from": np.array([0]),
        "to": np.array([2]),
        "sizes": np.array(places_of),
        "table": RNG.normal(size=(4, 5, 2)),
    }
    proto = onnxmodels.model(nodes, (4,), constants)
    net = onnxmodels.imported(proto, tmp_path).network
    table, sizes = constants["table"], constants["sizes"]
    whole = np.trunc(INSIDE[:, None, :2] * sizes).astype(int)
    expected = table[whole[..., 0], whole[..., 1]].reshape(3, 4)
    np.testing.assert_array_equal(analytic.value(net, INSIDE), expected)


def test_sums_of_rounded_numbers_are_equal_or_not():
    """Which rounding does not decide; of others it does, and the question is refused."""
    jnp = pytest.importorskip("jax").numpy

    def function(x):
        i, j = jnp.floor(4 * x[0]), jnp.clip(jnp.round(3 * x[1]), 0, 2)
        return jnp.where(2 * i == j * j + 1 - jnp.sign(x[3]), x[2], x[3])

    net = symnet.from_jax(function, 4)
    expected = [[float(function(jnp.asarray(x)))] for x in INSIDE]
    np.testing.assert_allclose(analytic.value(net, INSIDE), expected, rtol=1e-6)
    with pytest.raises(ValueError, match="which rounding decides"):
        symnet.from_jax(lambda x: jnp.where(jnp.floor(x[0]) / 3 == x[1] ** 2, x[2], x[3]), 4)
