"""Every name of Keras: activations, layers and operations are read, or refused by a reason."""

from __future__ import annotations

import inspect
import os
import sys

import numpy as np
import pytest

os.environ.setdefault("KERAS_BACKEND", "jax")
keras = pytest.importorskip("keras")
jax = pytest.importorskip("jax")

import effort  # noqa: E402
import symnet  # noqa: E402
from symnet.importers.imported import Options  # noqa: E402
from symnet.importers.keras import layer, refusals  # noqa: E402
from symnet.importers.keras.layers import LAYERS  # noqa: E402
from symnet.importers.keras.live import imported  # noqa: E402
from symnet.importers.keras.operations import OPERATIONS  # noqa: E402
from symnet.witness import analytic  # noqa: E402

L, ops = keras.layers, keras.ops

# Keras's variables are older than NumPy 2.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.fixture(autouse=True, scope="module")
def doubles():
    """JAX has them where another module has set Keras to double precision."""
    with jax.enable_x64(True):
        yield


X = np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32)


def _agree(nets, calls):
    """Values at X to single precision; the functions are compiled all at once."""
    expected = jax.jit(lambda x: [ops.convert_to_tensor(call(x)) for call in calls])(X[:1])
    for net, values in zip(nets, expected, strict=True):
        found = analytic.value(net, X[:1])
        np.testing.assert_allclose(found.reshape(values.shape), values, rtol=2e-5, atol=2e-6)


def test_activations():
    """Each is a function that symnet has; sparsemax and threshold are refused by their names."""
    own = {name: f for name, f in vars(keras.activations).items() if inspect.isfunction(f)}
    nets, refused = {}, []
    for name in sorted(set(own) - {"get", "serialize", "deserialize"}):
        try:
            model = keras.Sequential([keras.Input((4,)), L.Activation(name)])
            nets[name] = imported(model, Options(check=False)).network
        except ValueError as error:
            refused += [name] if repr(name) in str(error) else []
    assert refused == ["sparsemax", "threshold"]
    assert set(layer.FORMULAS) - set(nets) == {"hard_sigmoid_of_keras_2"}
    _agree(nets.values(), [own[name] for name in nets])


def _operations(module):
    """The classes of operations below a module of Keras."""
    base = keras.Operation
    return {
        name
        for key, part in list(sys.modules.items())
        if key.startswith(module)
        for name, kind in vars(part).items()
        if inspect.isclass(kind) and issubclass(kind, base) and kind.__module__ == key
    }


def test_tables_are_of_names_that_keras_has():
    """A name that Keras has not would never be read; those of Keras 2 aside."""
    layers = {name for name, kind in vars(L).items() if inspect.isclass(kind)}
    assert set(LAYERS) - layers == {"ThresholdedReLU", "InputLayer"} - layers
    there = _operations("keras.src.ops") | {"ReLU"}
    assert set(OPERATIONS) - there <= {"TrueDivide", "Abs", "LogSumExp", "Conj"}
    known = layers | there
    assert refusals._ADVICE.keys() <= known


CALLS = {
    "squareplus": lambda h: ops.squareplus(h, 3),
    "cbrt": ops.cbrt,
    "unstack": lambda h: ops.stack(ops.unstack(h, axis=-1)[::-1], axis=-1),
    "array_split": lambda h: ops.concatenate(ops.array_split(h, 3, axis=1)[::-1], axis=1),
    "take_along_axis": lambda h: ops.take_along_axis(h, np.array([[3, 0]]), axis=1),
    "tensordot": lambda h: ops.tensordot(h, np.arange(8.0).reshape(4, 2), axes=1),
    "inner": lambda h: ops.inner(h, np.arange(8.0).reshape(2, 4)),
    "tril": lambda h: ops.tril(h[:, :, None] * h[:, None], k=-1),
    "logaddexp2": lambda h: ops.logaddexp2(h, h * h),
    "broadcast_to": lambda h: ops.broadcast_to(h[:, :, None], (1, 4, 3)),
    "moments": lambda h: ops.concatenate(ops.moments(h, axes=[1], keepdims=True), -1),
    "layer_normalization": ops.layer_normalization,
    "rms_normalization": ops.rms_normalization,
    "divide_no_nan": lambda h: ops.divide_no_nan(h, np.array([0.0, 1, 2, 3])),
    "diff": lambda h: ops.diff(h, n=2),
    "average": lambda h: ops.average(h, axis=-1, weights=np.array([1.0, 2, 3, 4]))[:, None],
    "ptp": lambda h: ops.ptp(h, axis=-1, keepdims=True) + ops.amin(h, axis=-1, keepdims=True),
    "logical": lambda h: ops.where(ops.logical_and(h > -1, h < 1), h * h, 0.5 * h),
    "select": lambda h: ops.select([h > 1, ops.logical_not(h < 0)], [h * h, h], h * 0.1),
    "cast": lambda h: ops.cast(h > 0, "float32") * h,
    "steps": lambda h: ops.floor(h) + ops.ceil(2 * h) * ops.trunc(3 * h) + ops.round(h, 1),
    "remainders": lambda h: ops.mod(h, 0.75) + ops.floor_divide(h, 0.5),
    "in order": lambda h: ops.sort(h) * ops.median(h, axis=-1, keepdims=True),
    "largest": lambda h: ops.top_k(h, 2)[0],
    "rad2deg": lambda h: ops.rad2deg(ops.fmax(h, 0.25)),
    "convolution": lambda h: ops.conv(h[:, :, None], np.arange(6.0).reshape(2, 1, 3)),
    "attention": lambda h: ops.dot_product_attention(
        *[ops.reshape(h, (-1, 2, 1, 2))] * 3, mask=np.array([[True, False], [True, True]])
    ),
    "adaptive": lambda h: L.AdaptiveAveragePooling1D(3)(h[:, :, None]),
    "adaptive max": lambda h: L.AdaptiveMaxPooling1D(3)(h[:, :, None]),
}


def test_operations_beside_keras():
    """Operations in functional models, and layers without weights."""
    x = keras.Input((4,))
    models = [keras.Model(x, call(x)) for call in CALLS.values()]
    _agree([imported(model, Options(check=False)).network for model in models], CALLS.values())


def test_sequential_models_are_linear_in_the_number_of_layers():
    """Four times the layers are at most five times the calls: the twin is built once, not at each.

    Of a model in a model, too.
    """
    counts = []
    for depth in (2, 10, 40):  # the first makes what is made once
        parts = [L.Dense(3, activation="tanh") for _ in range(2 * depth)]
        inner = keras.Sequential(parts[:depth])
        model = keras.Sequential([keras.Input((3,)), inner, *parts[depth:]])
        counts.append(effort.calls(lambda model=model: imported(model, Options())))
    assert counts[2] < 5 * counts[1], counts


def test_slices_that_say_how_many_points():
    """Of a batch of one they are read; of any batch they would keep its first point only."""
    inputs = keras.Input(batch_shape=(1, 4)), keras.Input((4,))
    cut = [keras.Model(x, ops.slice(x, (0, 1), (1, 2))) for x in inputs]
    found = imported(cut[0], Options())
    assert "compared with Keras in double precision" in found.compared
    np.testing.assert_array_equal(analytic.value(found.network, [1.0, 2, 3, 4]), [2, 3])
    with pytest.raises(ValueError, match="mixes the points of a batch"):
        imported(cut[1], Options())


def test_constant_masks_of_attention():
    """A mask for all heads, of which one row leaves a place out."""
    x = keras.Input((2, 2))
    mask = np.array([[[1, 0], [1, 1]]])
    for call in (
        lambda: L.MultiHeadAttention(1, 2)(x, x, attention_mask=mask),
        lambda: L.GroupQueryAttention(2, 4, 2)(x, x, attention_mask=mask),
        lambda: L.Softmax()(x * 2, mask=mask),
    ):
        found = imported(keras.Model(x, call()), Options())
        assert "compared with Keras in double precision" in found.compared
    x = keras.Input((4,))
    single = imported(keras.Model(x, CALLS["attention"](x)), Options())
    assert "dot_product_attention computes in single precision" in single.compared


def test_queries_in_groups(tmp_path):
    """Keras calls the layer's folder in its files by a name of its own."""
    x = keras.Input((3, 2))
    model = keras.Model(x, L.GroupQueryAttention(2, 4, 2)(x, x, use_causal_mask=True))
    model.save(tmp_path / "groups.keras")
    assert symnet.load(tmp_path / "groups.keras") == symnet.from_keras(model)


class Trained(keras.Model):
    """A functional model that is trained in a way of its own."""

    def train_step(self, data):
        return {}


def test_functional_models_with_a_training_of_their_own():
    """What they compute is what a functional model does."""
    x = keras.Input((2,))
    model = Trained(x, L.Dense(2, "tanh", name="d")(x))
    assert imported(model, Options(check=False)).network.describe().startswith("2-2, tanh")


def _quantised():
    model = keras.Sequential([keras.Input((4,)), L.Dense(2)])
    model.layers[0].quantize("int8")
    return model


@pytest.mark.parametrize(
    ("make", "what"),
    [
        (lambda x: L.Dense(2, activation=ops.gelu)(x), "another function than keras.activations"),
        (lambda x: L.Dense(2, activation=eval("lambda x: x"))(x), "its activation is"),
        (lambda x: x + keras.Variable(np.ones(4)), "cannot write the model down"),
        (lambda x: ops.digitize(x, np.zeros(1, "float32")), "constant in steps"),
        (lambda x: _quantised()(x), "quantised"),
    ],
)
def test_live_models_that_a_file_would_not_hold(make, what):
    """One line, whatever Keras raises."""
    x = keras.Input((4,))
    with pytest.raises(ValueError, match=what):
        imported(keras.Model(x, make(x)), Options(check=False))
