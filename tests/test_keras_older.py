"""HDF5 files as Keras 2 wrote them: made here as it made them, since Keras 3 does not."""

from __future__ import annotations

import json

import numpy as np
import pytest

import symnet
from symnet.witness import analytic

h5py = pytest.importorskip("h5py")
scipy_special = pytest.importorskip("scipy.special")

RNG = np.random.default_rng(5)
X = RNG.normal(size=(7, 4))


def weights(*shape):
    """As the file holds them."""
    return RNG.normal(size=shape).astype(np.float32)


W1, W2, B = weights(4, 4), weights(4, 4), weights(4)


def written(path, config, arrays):
    """The file: `arrays` by layer and name."""
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps(config)
        file.attrs["keras_version"] = "2.15.0"
        for layer, own in arrays.items():
            group = file.create_group(f"model_weights/{layer}")
            group.attrs["weight_names"] = list(own)
            for name, value in own.items():
                group[name] = value
    return path


def layer(kind, name, sources=None, **config):
    """A layer's configuration; `sources` are the layers and their uses that it takes."""
    nodes = {} if sources is None else {"name": name, "inbound_nodes": sources}
    return {"class_name": kind, "config": {"name": name, **config}, **nodes}


def called(name, use=0, **named):
    """A call with the output of this use of a layer."""
    return [[name, use, 0, named]]


def model(name, layers, ends, nodes=None):
    """A functional one with the input x."""
    start = layer("InputLayer", "x", [], batch_input_shape=[None, 4])
    config = {"name": name, "layers": [start, *layers]}
    config |= {"input_layers": [["x", 0, 0]], "output_layers": ends}
    return {"class_name": "Functional", "config": config} | (nodes or {})


def test_uses_of_a_model_inside_count_from_1(tmp_path):
    """It has one of its own; the first of another layer is 0."""
    dense = layer("Dense", "d", [called("x")], activation="tanh")
    inner = model("inner", [dense], [["d", 0, 0]])
    inner |= {"name": "inner", "inbound_nodes": [called("first"), called("inner", 1)]}
    first = layer("Dense", "first", [called("x")], use_bias=False)
    whole = model("m", [first, inner], [["inner", 2, 0]])
    arrays = {"first": {"first/kernel:0": W1}, "inner": {"d/kernel:0": W2, "d/bias:0": B}}
    net = symnet.load(written(tmp_path / "m.h5", whole, arrays))
    expected = np.tanh(np.tanh(X @ W1 @ W2 + B) @ W2 + B)
    np.testing.assert_allclose(analytic.value(net, X), expected, rtol=1e-13)


def test_arrays_in_a_wrapper_have_its_name(tmp_path):
    """Not that of the layer inside."""
    start = layer("InputLayer", "x", batch_input_shape=[None, 1, 4])
    wrapped = layer("TimeDistributed", "td", layer=layer("Dense", "d", activation="tanh"))
    whole = {"class_name": "Sequential", "config": {"name": "m", "layers": [start, wrapped]}}
    arrays = {"td": {"td/kernel:0": W1, "td/bias:0": B}}
    net = symnet.load(written(tmp_path / "m.h5", whole, arrays))
    np.testing.assert_allclose(analytic.value(net, X), np.tanh(X @ W1 + B), rtol=1e-13)


def test_tensors_among_keywords(tmp_path):
    """Attention takes its values, here those of another layer, by a keyword."""
    rows = layer("Reshape", "rows", [called("x")], target_shape=[2, 2])
    other = layer("Activation", "other", [called("rows")], activation="tanh")
    value = {"value": ["other", 0, 0]}
    found = layer("MultiHeadAttention", "mha", [called("rows", **value)], num_heads=1, key_dim=2)
    whole = model("m", [rows, other, found], [["mha", 0, 0]])
    parts = {name: weights(2, 1, 2) for name in ("query", "key", "value", "attention_output")}
    own = {}
    for name, kernel in parts.items():
        own[f"mha/{name}/kernel:0"] = kernel
        own[f"mha/{name}/bias:0"] = np.zeros(2 if "output" in name else (1, 2), np.float32)
    parts["attention_output"] = own["mha/attention_output/kernel:0"] = weights(1, 2, 2)
    net = symnet.load(written(tmp_path / "m.h5", whole, {"mha": own}))
    x = X.reshape(-1, 2, 2)
    taken = {"query": x, "key": np.tanh(x), "value": np.tanh(x)}
    Q, K, V = (v @ parts[name][:, 0] for name, v in taken.items())
    scores = np.exp(Q @ K.transpose(0, 2, 1) / np.sqrt(2))
    attended = scores / scores.sum(-1, keepdims=True) @ V
    expected = (attended @ parts["attention_output"][0]).reshape(-1, 4)
    np.testing.assert_allclose(analytic.value(net, X), expected, rtol=1e-12)


ALL = {"start": None, "stop": None, "step": None}
FIRST = {"start": 0, "stop": 1, "step": None}

OF_TENSORFLOW = {
    "__operators__.add": (["x", 0, 0, {"y": ["d", 0, 0]}], lambda x, d: x + d),
    "math.subtract": (["_CONSTANT_VALUE", -1, 2.0, {"y": ["d", 0, 0]}], lambda x, d: 2 - d),
    "math.multiply": (["d", 0, 0, {"y": [[1.0, 2.0, 3.0, 4.0]]}], lambda x, d: d * [1, 2, 3, 4]),
    "math.truediv": (["x", 0, 0, {"y": 4.0}], lambda x, d: x / 4),
    "math.pow": (["d", 0, 0, {"y": 2.0}], lambda x, d: d**2),
    "math.maximum": (["x", 0, 0, {"y": ["d", 0, 0]}], np.maximum),
    "math.exp": (["d", 0, 0, {}], lambda x, d: np.exp(d)),
    "math.negative": ([["x", 0, 0, {}]], lambda x, d: -x),
    "nn.relu": (["x", 0, 0, {}], lambda x, d: np.maximum(x, 0)),
    "math.reduce_sum": (
        ["x", 0, 0, {"axis": [1], "keepdims": True}],
        lambda x, d: x.sum(1, keepdims=True),
    ),
    "__operators__.getitem": (
        ["x", 0, 0, {"slice_spec": [ALL, {"start": 1, "stop": -1, "step": 2}]}],
        lambda x, d: x[:, 1:-1:2],
    ),
    "concat": ([["d", 0, 0, {"axis": -1}], ["x", 0, 0, {"axis": -1}]], lambda x, d: np.c_[d, x]),
    "stack": (
        [["d", 0, 0, {"axis": 2}], ["x", 0, 0, {"axis": 2}]],
        lambda x, d: np.stack([d, x], 2).reshape(-1, 8),
    ),
    "linalg.matmul": (["d", 0, 0, {"b": W2.tolist(), "transpose_b": True}], lambda x, d: d @ W2.T),
    "cast": (["d", 0, 0, {"dtype": "float32"}], lambda x, d: d),
    "clip_by_value": (
        ["x", 0, 0, {"clip_value_min": -0.5, "clip_value_max": 0.7}],
        lambda x, d: np.clip(x, -0.5, 0.7),
    ),
    "compat.v1.transpose": (["d", 0, 0, {"perm": [0, 1], "conjugate": False}], lambda x, d: d),
    "compat.v1.gather": (
        ["x", 0, 0, {"indices": [0, 2, 2], "axis": 1, "batch_dims": 0}],
        lambda x, d: x[:, [0, 2, 2]],
    ),
    "nn.leaky_relu": (["x", 0, 0, {"alpha": 0.25}], lambda x, d: np.where(x > 0, x, x / 4)),
    "nn.silu": (["x", 0, 0, {"beta": 2.0}], lambda x, d: x / (1 + np.exp(-2 * x))),
    "nn.gelu": (["x", 0, 0, {}], lambda x, d: x * scipy_special.ndtr(x)),
    "nn.softmax": (["x", 0, 0, {}], lambda x, d: scipy_special.softmax(x, axis=1)),
    "math.atan2": (["d", 0, 0, {"x": 2.0}], lambda x, d: np.arctan2(d, 2)),
    "math.l2_normalize": (
        ["x", 0, 0, {"axis": 1}],
        lambda x, d: x / np.linalg.norm(x, axis=1, keepdims=True),
    ),
}


def of_tensorflow(path, function, node):
    """A file in which the function takes x, or the layer d of it."""
    for source in [node] if isinstance(node[0], str) else node:
        source[3].setdefault("name", None)
    dense = layer("Dense", "d", [called("x")], activation="tanh")
    kind = "SlicingOpLambda" if function.endswith("getitem") else "TFOpLambda"
    made = layer(kind, "f", [node], dtype="float32", trainable=True, function=function)
    whole = model("m", [dense, made], [["f", 0, 0]])
    return written(path, whole, {"d": {"d/kernel:0": W1, "d/bias:0": B}})


@pytest.mark.parametrize("function", OF_TENSORFLOW)
def test_functions_of_tensorflow_are_operations(tmp_path, function):
    node, expected = OF_TENSORFLOW[function]
    net = symnet.load(of_tensorflow(tmp_path / "m.h5", function, node))
    wanted = expected(X, np.tanh(X @ W1 + B))
    np.testing.assert_allclose(analytic.value(net, X), wanted, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize(
    ("function", "named", "message"),
    [
        ("math.exp", {"beta": 2.0}, r"'f' \(tf.math.exp\): it is called with 'beta'"),
        ("compat.v1.squeeze", {}, r"it is called with nothing; symnet reads 'axis'"),
        ("stop_gradient", {}, "its derivative in Keras is not that of its value"),
        ("__operators__.getitem", {"slice_spec": FIRST}, "mixes the points of a batch"),
        ("nn.silu", {"gamma": 1.0}, r"'f' \(tf.nn.silu\): .*'gamma'"),
        ("math.reduce_sum", {"axis": 0}, "mixes the points of a batch"),
        ("math.reduce_sum", {}, "mixes the points of a batch"),
        ("io.exp", {}, r"'f' \(tf.io.exp\): it is no function that symnet reads"),
        ("math.betainc", {}, r"'f' \(tf.math.betainc\): it is no function that symnet reads"),
    ],
)
def test_other_functions_of_tensorflow_are_refused(tmp_path, function, named, message):
    path = of_tensorflow(tmp_path / "m.h5", function, ["x", 0, 0, named])
    with pytest.raises(ValueError, match=message):
        symnet.load(path)


def of_a_node(path, operation, inputs, constants, attributes, config=None):
    """A file of TensorFlow 2.3 with a node of x and of the layer d of it."""
    told = {"T": {"type": "DT_FLOAT"}, **attributes}
    definition = {"name": "f", "op": operation, "input": ["x"], "attr": told}
    dense = layer("Dense", "d", [called("x")], activation="tanh")
    node = [[name, 0, 0, {}] for name in inputs]
    made = layer("TensorFlowOpLayer", "f", [node], node_def=definition, constants=constants)
    made["name"] = "tf_op_layer_f"
    made["config"] |= config or {}
    whole = model("m", [dense, made], [["tf_op_layer_f", 0, 0]])
    return written(path, whole, {"d": {"d/kernel:0": W1, "d/bias:0": B}})


MASKS = {"begin_mask": {"i": "1"}, "end_mask": {"i": "3"}, "shrink_axis_mask": {"i": "0"}}
NODES = {
    "Exp": (["d"], {}, {}, lambda x, d: np.exp(d)),
    "Mul": (["d"], {"1": 2.5}, {}, lambda x, d: 2.5 * d),
    "Sub": (["d"], {"0": 1.0}, {}, lambda x, d: 1 - d),
    "AddV2": (["d", "d"], {}, {}, lambda x, d: 2 * d),
    "ClipByValue": (["x"], {"1": -0.5, "2": 0.75}, {}, lambda x, d: np.clip(x, -0.5, 0.75)),
    "LeakyRelu": (["x"], {}, {"alpha": {"f": 0.25}}, lambda x, d: np.where(x > 0, x, x / 4)),
    "Sum": (
        ["x"],
        {"1": [1]},
        {"keep_dims": {"b": True}, "Tidx": {"type": "DT_INT32"}},
        lambda x, d: x.sum(1, keepdims=True),
    ),
    "StridedSlice": (
        ["x"],
        {"1": [0, 1], "2": [0, 3], "3": [1, 1]},
        MASKS,
        lambda x, d: x[:, 1:],
    ),
    "ConcatV2": (["x", "d"], {"2": 1}, {"N": {"i": "2"}}, lambda x, d: np.hstack([x, d])),
    "MatMul": (
        ["x"],
        {"1": W1.T.tolist()},
        {"transpose_a": {"b": False}, "transpose_b": {"b": True}},
        lambda x, d: x @ W1,
    ),
    "Cast": (["x"], {}, {"DstT": {"type": "DT_INT32"}}, lambda x, d: np.trunc(x)),
    "Transpose": (["x"], {"1": [0, 1]}, {}, lambda x, d: x),
}


@pytest.mark.parametrize("operation", NODES)
def test_nodes_of_tensorflow_are_functions(tmp_path, operation):
    *given, expected = NODES[operation]
    net = symnet.load(of_a_node(tmp_path / "m.h5", operation, *given))
    wanted = expected(X, np.tanh(X @ W1 + B))
    np.testing.assert_allclose(analytic.value(net, X), wanted, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize(
    ("operation", "config", "message"),
    [
        ("FFT", {}, r"'tf_op_layer_f' \(tf.raw_ops.FFT\): symnet does not read it; write it with"),
        ("Exp", {"node_def": "\n\x03Exp"}, "its node is kept in bytes; save the model again with"),
        ("Sum", {"constants": {"1": [0]}}, "mixes the points of a batch"),
    ],
)
def test_other_nodes_of_tensorflow_are_refused(tmp_path, operation, config, message):
    path = of_a_node(tmp_path / "m.h5", operation, ["x"], {}, {}, config)
    with pytest.raises(ValueError, match=message):
        symnet.load(path)
