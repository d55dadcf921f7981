"""Keras models, read without Keras and compared with it where it is installed."""

from __future__ import annotations

import importlib
import io
import json
import os
import subprocess
import sys
import zipfile
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

import symnet
from symnet.files import NetworkFileError
from symnet.importers import Options, read
from symnet.importers.formats import apart
from symnet.importers.keras import twin
from symnet.network import Network
from symnet.witness import analytic

h5py = pytest.importorskip("h5py")
pytest.importorskip("scipy")

NETS = Path(__file__).parents[1].parent / "shared" / "nets"
BACKENDS = [name for name in ("torch", "jax") if find_spec("keras") and find_spec(name)]
COMPLETE = "SYMNET_COMPLETE" in os.environ  # on every backend that is installed

# Keras runs in a process of its own: it takes its backend at import, and warns as it likes.
TRAINED = """
import os, sys, numpy as np
os.environ["KERAS_BACKEND"] = sys.argv[2]
import keras
import keras.src.backend.common.dtypes as dtypes
from keras import layers as L, ops
import symnet
from symnet.importers import Options
from symnet.importers.keras import live
dtypes.BIT64_TO_BIT32_DTYPE["float64"] = "float64"  # else tanh of float64 is float32
keras.config.set_floatx("float64")
keras.config.set_dtype_policy("float64")
keras.utils.set_random_seed(1)
rng = np.random.default_rng(0)

if sys.argv[2] == "jax":
    import jax

    hard = "hard_sigmoid"
    point, jacobian = jax.numpy.asarray, lambda f: jax.jit(jax.jacrev(f))
else:
    from torch import from_numpy as point
    from torch.autograd.functional import jacobian as own

    hard = "hard_tanh"  # PyTorch has no second derivative of the other

    def jacobian(f):
        return lambda x: own(f, x, create_graph=True)


def Input(shape, **more):
    return keras.Input(shape, dtype="float64", **more)


def functional():
    x = Input((3,), name="x")
    h = L.Dense(5, activation="tanh")(x)
    g = L.Dense(5, activation="silu")(h)
    s = L.Add()([g, h])
    s = L.LayerNormalization()(s)
    c = L.Concatenate()([s, x])
    m = L.Multiply()([L.Dense(4)(c), L.Dense(4, activation="sigmoid")(c)])
    return keras.Model(x, [L.Dense(2)(L.Average()([m, m]))])

def shared():
    x = Input((3,))
    layer = L.Dense(3, activation="softplus")
    return keras.Model(x, L.Subtract()([layer(layer(x)), x]))

def nested():
    chain = keras.Sequential([Input((4,)), L.Dense(3, activation="elu"), L.Dense(4)])
    x, h = Input((3,)), Input((4,))
    inner = keras.Model(h, L.Dense(4, activation="silu")(chain(h)))
    first = inner(L.Dense(4, activation="gelu")(x))
    return keras.Model(x, inner(L.Add()([first, inner(first)])))

def operations():
    x = Input((3,))
    h = x + 2 * L.Dense(3)(x) - 1.0
    a, b = ops.split(L.Dense(4)(h), 2, axis=-1)
    m = ops.mean(h, axis=-1, keepdims=True) + ops.logsumexp(h, axis=-1, keepdims=True)
    e = ops.einsum("bi,bi->b", a, ops.sin(b))
    return keras.Model(x, ops.concatenate(
        [a * ops.sigmoid(b), m, h[:, 0:1] ** 2, 1 / (1 + ops.square(a)), e[:, None]], axis=-1))

def layers():
    x = Input((5, 2))
    h = L.Conv1D(4, 3, padding="causal", dilation_rate=2, activation="squareplus")(x)
    h = L.SeparableConv1D(4, 3, padding="same", depth_multiplier=2)(h)
    h = L.GroupNormalization(2)(L.ZeroPadding1D((1, 0))(L.Cropping1D((0, 2))(h)))
    h = L.RMSNormalization()(L.UpSampling1D(2)(L.UnitNormalization()(h)))
    h = L.EinsumDense("abc,cd->abd", output_shape=(8, 3), bias_axes="d", activation="tanh")(h)
    h = L.LayerNormalization(axis=[1, 2])(L.TimeDistributed(L.Dense(3))(h))
    g = L.GlobalMaxPooling1D()(L.ReLU(1.5, 0.1, 0.2)(h))
    return keras.Model(x, L.Dot(axes=-1)([L.RepeatVector(2)(g), g]))

def attention():
    x = Input((4, 3))
    h = L.Dense(4, activation="tanh")(x)
    h, scores = L.MultiHeadAttention(2, 3, value_dim=2)(
        h, x, use_causal_mask=True, return_attention_scores=True)
    h = L.LayerNormalization()(h)
    h = L.Attention(use_scale=True)([h, L.Dense(4)(x)])
    return keras.Model(x, L.Flatten()(L.AdditiveAttention()([h, h], use_causal_mask=True)))

def sequences():
    x = Input((3, 2))
    h, state, memory = L.LSTM(3, return_sequences=True, return_state=True)(x)
    h = L.LSTM(3, return_sequences=True, go_backwards=True)(h, initial_state=[state, memory])
    h = L.Bidirectional(L.GRU(2, return_sequences=True, reset_after=False), merge_mode="ave")(h)
    h = L.TimeDistributed(keras.Sequential([Input((2,)), L.Dense(3, "tanh"), L.Dense(2)]))(h)
    return keras.Model(x, L.Concatenate()([L.Flatten()(h), L.SimpleRNN(2, activation="silu")(h)]))

def cells():
    x = Input((3, 2))
    h = L.RNN([L.GRUCell(3), L.LSTMCell(2, use_bias=False)], return_sequences=True)(x)
    h = L.TimeDistributed(L.Dense(2, activation="softplus"))(h)
    return keras.Model(x, L.SpectralNormalization(L.Dense(2))(L.Bidirectional(L.LSTM(2))(h)))

def transposed():
    x = Input((3, 2, 2))
    h = L.Conv2DTranspose(3, (3, 2), strides=(2, 1), padding="same", activation="tanh")(x)
    h = L.Conv2DTranspose(2, 2, dilation_rate=2, use_bias=False)(h)
    h = L.Reshape((8, 8))(L.Cropping2D(((0, 0), (0, 0)))(h))
    return keras.Model(x, L.Flatten()(L.Conv1DTranspose(1, 2, strides=3, padding="valid")(h)))

def angles():
    x = Input((4,))
    h = ops.cumprod(ops.tanh(x), axis=-1) + ops.cumsum(x, axis=-1)
    a = ops.arctan2(h[:, :2], x[:, 2:]) * ops.normalize(h)[:, 1:3]
    b = ops.cross(ops.pad(ops.logaddexp(a, ops.glu(h)), ((0, 0), (1, 0))), ops.erfinv(h[:, 1:] / 9))
    return keras.Model(x, ops.concatenate(
        [b, ops.celu(ops.roll(x, 1, axis=-1)), ops.take(h, [2, 0], axis=-1)], axis=-1))

normalization = L.Normalization()
normalization.adapt(rng.normal(size=(50, 3)) * 3 + 1)
MODELS = {
    "dense": keras.Sequential([Input((3,)), L.Dense(6, "tanh"), L.Dropout(0.5), L.Dense(2)]),
    "normalised": keras.Sequential([
        Input((3,)), normalization, L.Dense(6, use_bias=False), L.BatchNormalization(),
        L.Activation("relu"), L.Dense(2), L.Rescaling(3.0, offset=-1.0)]),
    "functional": functional(),
    "shared": shared(),
    "nested": nested(),
    "operations": operations(),
    "layers": layers(),
    "attention": attention(),
    "sequences": sequences(),
    "cells": cells(),
    "transposed": transposed(),
    "angles": angles(),
    "images": keras.Sequential([
        Input((6, 5, 2)), L.Conv2D(3, (3, 2), padding="same", strides=2, activation="relu"),
        L.GlobalAveragePooling2D(), L.Dense(2, "softmax")]),
    "rows": keras.Sequential([
        Input((8, 2)), L.Conv1D(4, 3, dilation_rate=2, activation="tanh"),
        L.MaxPooling1D(2), L.Flatten(), L.Dense(2), L.LeakyReLU()]),
    "functions": keras.Sequential([
        Input((3,)), L.Dense(4, hard), L.Dense(4, "mish"), L.Dense(4, "selu"),
        L.Dense(4, "softsign"), L.Dense(4, "exponential"), L.Dense(3, "log_softmax")]),
}
for name, model in MODELS.items():
    for layer in model.layers:
        if isinstance(layer, L.BatchNormalization):
            moved = [w + rng.normal(size=w.shape) / 4 for w in layer.get_weights()]
            layer.set_weights([np.abs(w) for w in moved])
    model.compile("sgd", "mse")
    X = rng.normal(size=(16, *model.input_shape[1:]))
    model.fit(X, rng.normal(size=(16, *model.output_shape[1:])), epochs=1, verbose=0)
    for suffix in ("keras", "h5"):
        model.save(f"{sys.argv[1]}/{name}.{suffix}")
    X = X[:3].reshape(3, -1)

    def call(x):
        return keras.ops.ravel(model(keras.ops.reshape(x, (1, *model.input_shape[1:]))))

    slopes = jacobian(call)
    Y, J, H = (
        np.array([keras.ops.convert_to_numpy(f(point(x))) for x in X])
        for f in (call, slopes, jacobian(slopes))
    )
    np.savez(f"{sys.argv[1]}/{name}.npz", X=X, Y=Y, J=J, H=H)
    found = live.imported(model, Options())
    assert "compared with Keras in double precision" in found.compared, found.compared
    symnet.save(found.network, f"{sys.argv[1]}/{name}.json")

class Mine(L.Dense):
    pass

class Written(keras.Model):
    def call(self, x):
        return x

refused = (
    keras.Sequential([Input((3,)), L.Lambda(lambda x: x)]),
    keras.Sequential([Input((3,)), Mine(2)]),
    Written(),
    keras.Sequential([L.Dense(2)]),
    {},
)
for model in refused:
    try:
        symnet.from_keras(model)
    except ValueError as error:
        print(error)
"""
NAMES = (
    *("dense", "normalised", "functional", "shared", "nested", "images", "rows", "functions"),
    *("operations", "layers", "attention", "sequences", "cells", "transposed", "angles"),
)


@pytest.fixture(scope="module", params=(BACKENDS if COMPLETE else BACKENDS[:1]) or [None])
def trained(request, tmp_path_factory):
    """A folder of models that Keras trained, in double precision, with values of theirs."""
    backend = request.param
    if backend is None:
        pytest.skip("Keras or a backend of it is not installed")
    folder = tmp_path_factory.mktemp("keras")
    done = subprocess.run(
        [sys.executable, "-c", TRAINED, str(folder), backend],
        capture_output=True,
        text=True,
        # One thread: PyTorch's wait at full speed, on the processors of other tests, for minutes.
        env=os.environ
        | {"JAX_ENABLE_X64": "1", "CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    (folder / "refused").write_text(done.stdout, encoding="utf-8")
    return folder


@pytest.mark.parametrize("name", NAMES)
def test_models_agree_with_keras(name, trained):
    """To 1e-12 of the terms; the archive, the older file and the live model give one network."""
    data = np.load(trained / f"{name}.npz")
    net = symnet.load(trained / f"{name}.keras")
    X = data["X"]
    engines = (analytic.value, analytic.jacobian, analytic.hessian)
    for order, (engine, key) in enumerate(zip(engines, "YJH", strict=True)):
        error = np.abs(engine(net, X) - data[key])
        assert (error <= 1e-12 * (1 + analytic.scale(net, X, order))).all(), order
    assert symnet.load(trained / f"{name}.h5") == net
    assert symnet.load(trained / f"{name}.json") == net


def test_live_models_that_are_refused(trained):
    """Code in layers, subclasses, models that are not built, and what is no model."""
    said = (trained / "refused").read_text(encoding="utf-8").splitlines()
    assert "(Lambda): it is no layer that symnet reads" in said[0]
    assert "(Mine): it is no layer that symnet reads" in said[1]
    assert said[2].startswith("the model is")
    assert said[3] == "the model is not built: its inputs' shape is not known yet"
    assert said[4].startswith("a model of Keras 3 is needed, got dict; symnet.from_arrays")


def test_dense_models_are_chains(trained):
    """Dropout, normalisation and rescaling leave no node."""
    assert symnet.load(trained / "dense.keras").describe() == "3-6-2, tanh, linear"
    net = symnet.load(trained / "normalised.keras")
    assert net.describe() == "3-6-2, relu, linear"


# --- made by hand, without Keras ----------------------------------------------------------------


def archive(path, layers, arrays, kind="Sequential", expand=None, version="3.0.0"):
    """A `.keras` file of this configuration."""
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        for name, value in arrays.items():
            file[name] = value
        if expand:
            expand(file)
    config = {"class_name": kind, "config": {"name": "m", "layers": layers}}
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("config.json", json.dumps(config))
        made.writestr("model.weights.h5", buffer.getvalue())
        made.writestr("metadata.json", json.dumps({"keras_version": version}))
    return path


W, B = np.arange(6.0).reshape(2, 3) / 4, np.array([1.0, -1.0, 0.5])
ENTRY = {"class_name": "InputLayer", "config": {"name": "i", "batch_shape": [None, 2]}}
ARRAYS = {"layers/dense/vars/0": W, "layers/dense/vars/1": B}


def dense(**more):
    """The configuration of a Dense layer that the model calls dense_6."""
    return {"class_name": "Dense", "config": {"name": "dense_6", "activation": "tanh"} | more}


def test_archives_name_layers_by_class_and_number(tmp_path):
    """The archive says `dense` where the model says `dense_6`."""
    net = symnet.load(archive(tmp_path / "m.keras", [ENTRY, dense()], ARRAYS))
    np.testing.assert_array_equal(net.layers[0].weights, W.T)
    np.testing.assert_array_equal(net.layers[0].bias, B)


def test_layers_as_activations_keep_their_settings(tmp_path):
    """LeakyReLU(0.1) as an activation has its own slope, PReLU its arrays."""
    leaky = {"class_name": "LeakyReLU", "config": {"name": "l", "negative_slope": 0.125}}
    slopes = {"class_name": "PReLU", "config": {"name": "p"}}
    X = np.random.default_rng(0).normal(size=(9, 2))
    z = X @ W + B
    for given, s in ((leaky, 0.125), (slopes, np.array([0.5, -1.0, 0.25]))):
        arrays = ARRAYS | {"layers/dense/activation/vars/0": np.broadcast_to(s, 3)}
        path = archive(tmp_path / "m.keras", [ENTRY, dense(activation=given)], arrays)
        found = analytic.value(read(path, Options(check=False)).network, X)
        np.testing.assert_allclose(found, np.where(z > 0, z, s * z), rtol=1e-15)


def test_the_command_imports_keras_without_what_it_does_not_need():
    """Packages are hidden while it is imported, and there again afterwards."""
    with twin._without(("wave", "json")):
        assert json.dumps(1) == "1"  # what is imported already stays
        with pytest.raises(ImportError):
            importlib.import_module("wave")
    assert importlib.import_module("wave").__name__ == "wave"


@pytest.mark.parametrize("between", ["/", "\\"])
def test_archives_of_keras_2(between, tmp_path):
    """They number layers with arrays twice; their hard_sigmoid is clip(0.2 z + 0.5, 0, 1)."""
    start = f"_layer_checkpoint_dependencies{between}dense"
    arrays = {f"{start}/vars/0": W, f"{start}/vars/1": B, f"{start}_2/vars/0": W.T}
    layers = [ENTRY, dense(activation="hard_sigmoid"), dense(name="other", use_bias=False)]
    path = archive(tmp_path / "m.keras", layers, arrays, version="2.13.1")
    found, X = read(path, Options()), np.random.default_rng(0).normal(size=(9, 2)) * 3
    hard = np.clip(0.2 * (X @ W + B) + 0.5, 0, 1)
    np.testing.assert_allclose(analytic.value(found.network, X), np.tanh(hard @ W.T), rtol=1e-14)
    assert "not compared: Keras 3 does not compute as Keras 2" in found.compared


@pytest.mark.parametrize(
    ("layer", "what"),
    [
        ({"class_name": "Lambda", "config": {"name": "l"}}, r"'l' \(Lambda\).*never run"),
        (dense() | {"registered_name": "mine>Dense"}, "never run"),
        (dense() | {"module": "mine.layers"}, "never run"),
        ({"class_name": "ConvLSTM2D", "config": {"name": "r"}}, "'r' .ConvLSTM2D.: it is no layer"),
        ({"class_name": "Masking", "config": {"name": "r"}}, "depends on the inputs' values"),
        ({"class_name": "Discretization", "config": {"name": "r"}}, "whole numbers"),
        (dense(activation="tanhh"), "did you mean 'tanh'"),
        (dense(activation={"class_name": "function", "config": "f"}), "'f', which is code"),
        (dense(activation={"class_name": "function", "config": None}), "a function without a name"),
        (dense(activation={"class_name": "PReLU", "config": {"name": "p"}}), "no slopes for it"),
        (dense(dtype={"class_name": "Int4DTypePolicy", "config": {"mode": "int4"}}), "quantised"),
        ({"class_name": "MelSpectrogram", "config": {"name": "r"}}, "layers or operations that"),
        ({"class_name": "Dense", "config": {"name": "other"}}, None),
    ],
)
def test_code_and_strange_layers_are_refused(layer, what, tmp_path):
    """By the layer's name; nothing of it is run."""
    path = archive(tmp_path / "m.keras", [ENTRY, layer], ARRAYS)
    if what is None:
        assert isinstance(symnet.load(path), Network)
        return
    with pytest.raises(NetworkFileError, match=what):
        symnet.load(path)


def test_links_out_of_the_file_are_not_followed(tmp_path):
    """Soft and external links, and data that lie in other files."""
    secret = tmp_path / "secret"
    secret.write_bytes(W.tobytes())

    def external(file):
        file["layers/dense/vars/0"] = h5py.ExternalLink(str(secret), "/x")

    def raw(file):
        file.create_dataset(
            "layers/dense/vars/0", (2, 3), "f8", external=[(str(secret), 0, h5py.h5f.UNLIMITED)]
        )

    for make, what in ((external, "link to somewhere else"), (raw, "in another file")):
        path = archive(tmp_path / "m.keras", [ENTRY, dense()], {}, expand=make)
        with pytest.raises(NetworkFileError, match=what):
            symnet.load(path)


def test_huge_datasets_and_nan_are_refused(tmp_path):
    """A dataset of 2⁴⁰ entries that takes no room in the file."""

    def huge(file):
        file.create_dataset("layers/dense/vars/0", (2**20, 2**20), "f8", chunks=(1024, 1024))

    path = archive(tmp_path / "m.keras", [ENTRY, dense()], {}, expand=huge)
    with pytest.raises(NetworkFileError, match="entries, more than the"):
        symnet.load(path)
    bad = ARRAYS | {"layers/dense/vars/1": np.array([1.0, np.nan, 0.0])}
    with pytest.raises(NetworkFileError, match="must be finite"):
        symnet.load(archive(tmp_path / "m.keras", [ENTRY, dense()], bad))


@pytest.mark.parametrize("name", ["m.weights.h5", "m.hdf5", "weights"])
def test_weights_alone_are_arrays(name, tmp_path):
    """They have no architecture: activations have to be told."""
    path = tmp_path / name
    with h5py.File(path, "w") as file:
        for name, value in ARRAYS.items():
            file[name] = value
        file["optimizer/vars/0"] = 3
    with pytest.raises(NetworkFileError, match="say them"):
        symnet.load(path)
    net = read(path, Options(activations=["tanh"])).network
    np.testing.assert_array_equal(net.layers[0].weights, W.T)
    found = apart.contents("hdf5", path.read_bytes(), "keras")
    assert set(found.arrays) == {*ARRAYS, "optimizer/vars/0"}


# --- public networks ----------------------------------------------------------------------------


@pytest.mark.skipif(not NETS.is_dir(), reason="the folder of public networks is not there")
def test_public_networks_in_two_formats():
    """The archive and its weights alone are one network, to the last bit."""
    net = symnet.load(NETS / "idaes_PT_2_10_10_2_sigmoid.keras")
    assert net.describe() == "2-10-10-2, sigmoid, sigmoid, linear"
    weights = NETS / "idaes_PT_2_10_10_2_sigmoid.weights.h5"
    assert read(weights, Options(activations=["sigmoid"])).network == net
    other = symnet.load(NETS / "omlt_131_sigmoid_softplus_output.keras")
    assert other.describe() == "1-3-1, sigmoid, softplus"
