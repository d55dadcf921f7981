"""One network in every format: the same numbers to the last bit; and how long imports take."""

from __future__ import annotations

import io
import json
import struct
import time
import warnings
import zipfile
from itertools import pairwise

import numpy as np
import pytest

import effort
import symnet
from symnet.importers import Options, read
from symnet.network import Network

pytest.importorskip("scipy")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # torch's own, of its own

WIDTHS = (2, 5, 4, 3)
RNG = np.random.default_rng(8)
WEIGHTS = [RNG.normal(size=(b, a)).astype(np.float32) for a, b in pairwise(WIDTHS)]
BIASES = [RNG.normal(size=b).astype(np.float32) for b in WIDTHS[1:]]
ARRAYS = [array for pair in zip(WEIGHTS, BIASES, strict=True) for array in pair]
ACTIVATIONS = ["relu", "relu", "linear"]
X = RNG.normal(size=(50, 2))


def from_json(folder):
    """symnet's own file."""
    symnet.save(symnet.from_arrays(ARRAYS, ACTIVATIONS), folder / "net.json")
    return symnet.load(folder / "net.json")


def from_npz(folder):
    """A row a neuron."""
    named = {f"{'Wb'[k % 2]}{k // 2}": array for k, array in enumerate(ARRAYS)}
    np.savez(folder / "net.npz", **named)
    return read(folder / "net.npz", Options(activations=["relu"])).network


def from_safetensors(folder):
    """As PyTorch names them."""
    library = pytest.importorskip("safetensors.numpy")
    named = {f"{k // 2}.{('weight', 'bias')[k % 2]}": array for k, array in enumerate(ARRAYS)}
    library.save_file(named, folder / "net.safetensors")
    return read(folder / "net.safetensors", Options(activations=["relu"])).network


def from_msgpack(folder):
    """As Flax names them: a column a neuron."""
    msgpack = pytest.importorskip("msgpack")

    def stored(array):
        array = np.ascontiguousarray(array)
        return msgpack.ExtType(1, msgpack.packb((array.shape, str(array.dtype), array.tobytes())))

    layers = {
        f"Dense_{k}": {"kernel": stored(W.T), "bias": stored(b)}
        for k, (W, b) in enumerate(zip(WEIGHTS, BIASES, strict=True))
    }
    (folder / "net.msgpack").write_bytes(msgpack.packb({"params": layers}))
    return read(folder / "net.msgpack", Options(activations=["relu"])).network


def from_mat(folder):
    """MATLAB's names and rows."""
    library = pytest.importorskip("scipy.io")
    named = {f"{'Wb'[k % 2]}{k // 2 + 1}": array for k, array in enumerate(ARRAYS)}
    names = np.array(["poslin ", "poslin ", "purelin"])
    library.savemat(folder / "net.mat", named | {"activations": names})
    return symnet.load(folder / "net.mat")


def from_nnet(folder):
    """Decimals that are the doubles again."""
    lines = [f"3,2,3,{max(WIDTHS)},", f"{','.join(map(str, WIDTHS))},", "0,"]
    lines += ["-1e38,-1e38,", "1e38,1e38,", "0,0,0,", "1,1,1,"]
    for W, b in zip(WEIGHTS, BIASES, strict=True):
        lines += [",".join(repr(float(v)) for v in row) + "," for row in W]
        lines += [f"{float(v)!r}," for v in b]
    (folder / "net.nnet").write_text("\n".join(lines), encoding="ascii")
    return symnet.load(folder / "net.nnet")


def onnx_bytes(weights, biases, widths):
    """Gemm and Relu, in single precision."""
    pytest.importorskip("onnx")
    from onnx import TensorProto, helper, numpy_helper

    nodes, arrays, last = [], {}, "x"
    for k, (W, b) in enumerate(zip(weights, biases, strict=True)):
        arrays |= {f"w{k}": W, f"b{k}": b}
        out = "y" if k == len(weights) - 1 else f"z{k}"
        nodes.append(helper.make_node("Gemm", [last, f"w{k}", f"b{k}"], [out], transB=1))
        last = out
        if out != "y":
            last = f"a{k}"
            nodes.append(helper.make_node("Relu", [out], [last]))
    x, y = (
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ("batch", size))
        for name, size in (("x", widths[0]), ("y", widths[-1]))
    )
    made = [numpy_helper.from_array(a, name) for name, a in arrays.items()]
    graph = helper.make_graph(nodes, "g", [x], [y], made)
    opset = helper.make_opsetid("", 17)
    return helper.make_model(graph, opset_imports=[opset], ir_version=8).SerializeToString()


def from_onnx(folder):
    """With a symbolic batch."""
    (folder / "net.onnx").write_bytes(onnx_bytes(WEIGHTS, BIASES, WIDTHS))
    return symnet.load(folder / "net.onnx")


def keras_config():
    """A Sequential model of dense layers."""
    names = ("dense", "dense_1", "dense_2")
    entry = {"name": "x", "batch_shape": [None, WIDTHS[0]]}
    layers = [{"class_name": "InputLayer", "config": entry}] + [
        {"class_name": "Dense", "config": {"name": name, "activation": function, "units": 1}}
        for name, function in zip(names, ACTIVATIONS, strict=True)
    ]
    return names, {"class_name": "Sequential", "config": {"name": "net", "layers": layers}}


def from_keras_archive(folder):
    """Kernels under layers/dense/vars."""
    h5py = pytest.importorskip("h5py")
    names, config = keras_config()
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        for name, W, b in zip(names, WEIGHTS, BIASES, strict=True):
            file[f"layers/{name}/vars/0"], file[f"layers/{name}/vars/1"] = W.T, b
    with zipfile.ZipFile(folder / "net.keras", "w") as archive:
        archive.writestr("config.json", json.dumps(config))
        archive.writestr("model.weights.h5", buffer.getvalue())
    return symnet.load(folder / "net.keras")


def from_keras_h5(folder):
    """The older file."""
    h5py = pytest.importorskip("h5py")
    names, config = keras_config()
    with h5py.File(folder / "net.h5", "w") as file:
        file.attrs["model_config"] = json.dumps(config)
        for name, W, b in zip(names, WEIGHTS, BIASES, strict=True):
            group = file.create_group(f"model_weights/{name}")
            group.attrs["weight_names"] = [f"{name}/kernel:0", f"{name}/bias:0"]
            group[f"{name}/kernel:0"], group[f"{name}/bias:0"] = W.T, b
    return symnet.load(folder / "net.h5")


def from_sklearn(folder):
    """A regressor that has these numbers."""
    network = pytest.importorskip("sklearn.neural_network")
    model = network.MLPRegressor(hidden_layer_sizes=WIDTHS[1:-1], activation="relu", max_iter=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it is not done
        model.fit(np.zeros((4, 2)), np.zeros((4, 3)))
    model.coefs_ = [W.T.astype(np.float64) for W in WEIGHTS]
    model.intercepts_ = [b.astype(np.float64) for b in BIASES]
    return symnet.from_sklearn(model)


def torch_module(weights, biases, function):
    """A Sequential module that has these numbers."""
    torch = pytest.importorskip("torch")
    parts = []
    for W, b in zip(weights, biases, strict=True):
        layer = torch.nn.Linear(*W.shape[::-1])
        layer.weight.data, layer.bias.data = torch.from_numpy(W), torch.from_numpy(b)
        parts += [layer, getattr(torch.nn, function)()]
    return torch.nn.Sequential(*parts[:-1])


def from_torch(folder):
    """A live module."""
    return symnet.from_torch(torch_module(WEIGHTS, BIASES, "ReLU"))


def dense(weights, biases, function):
    """A function for JAX."""

    def call(x):
        for k, (W, b) in enumerate(zip(weights, biases, strict=True)):
            x = W @ x + b
            x = function(x) if k < len(weights) - 1 else x
        return x

    return call


def from_jax(folder):
    """A live function."""
    nn = pytest.importorskip("jax.nn")
    return symnet.from_jax(dense(WEIGHTS, BIASES, nn.relu), 2)


FORMATS = (
    *(from_json, from_npz, from_safetensors, from_msgpack, from_mat, from_nnet, from_onnx),
    *(from_keras_archive, from_keras_h5, from_sklearn, from_torch, from_jax),
)


@pytest.mark.parametrize("make", FORMATS, ids=lambda make: make.__name__)
def test_all_formats_give_one_network(make, tmp_path):
    """Weights, biases and results to the last bit."""
    net, expected = make(tmp_path), symnet.from_arrays(ARRAYS, ACTIVATIONS)
    assert net.describe() == expected.describe()
    for layer, other in zip(net.layers, expected.layers, strict=True):
        assert layer.weights.dtype == np.float64
        np.testing.assert_array_equal(layer.weights, other.weights)
        np.testing.assert_array_equal(layer.bias, other.bias)
    results = symnet.derive(net, order=2).compile(check=False)(X)
    for found, known in zip(
        results, symnet.derive(expected, order=2).compile(check=False)(X), strict=True
    ):
        np.testing.assert_array_equal(found, known)


# --- time ---------------------------------------------------------------------------------------

LARGE = (2, 256, 256, 2)


def large():
    """Weights and biases of 2-256-256-2."""
    rng = np.random.default_rng(1)
    pairs = pairwise(LARGE)
    weights = [(rng.normal(size=(b, a)) / np.sqrt(a)).astype(np.float32) for a, b in pairs]
    return weights, [rng.normal(size=b).astype(np.float32) for b in LARGE[1:]]


def importing(kind, folder):
    """A call that imports the network of 66,000 weights, the framework imported already."""
    weights, biases = large()
    if kind == "onnx":
        path = folder / "net.onnx"
        path.write_bytes(onnx_bytes(weights, biases, LARGE))
        return lambda: symnet.load(path)
    if kind == "torch":
        module = torch_module(weights, biases, "Tanh")
        return lambda: symnet.from_torch(module)
    numpy = pytest.importorskip("jax.numpy")
    return lambda: symnet.from_jax(dense(weights, biases, numpy.tanh), 2)


@pytest.mark.parametrize("kind", ["onnx", "torch", "jax"])
def test_large_networks_are_read_within_a_second(kind, tmp_path):
    """Of processor time, the comparison included, which a busy machine gets three attempts for."""
    call, seconds = importing(kind, tmp_path), []
    symnet_example = Network.example()
    assert symnet_example.n == 2  # what is imported at the first use of symnet is
    for _ in range(3):
        start = time.process_time()
        assert call().widths == LARGE
        seconds.append(time.process_time() - start)
    assert not effort.over(min(seconds), 1), seconds


def residual(depth):
    """An ONNX model of a skip connection, a product and a function for each of its blocks."""
    onnx = pytest.importorskip("onnx")
    helper, last, nodes = onnx.helper, "x", []
    for k in range(depth):
        nodes += [
            helper.make_node("MatMul", [last, "w"], [f"z{k}"]),
            helper.make_node("Tanh", [f"z{k}"], [f"t{k}"]),
            helper.make_node("Mul", [f"t{k}", f"z{k}"], [f"m{k}"]),
            helper.make_node("Add", [f"m{k}", last], [f"s{k}"]),
        ]
        last = f"s{k}"
    nodes.append(helper.make_node("Identity", [last], ["y"]))
    kind = onnx.TensorProto.DOUBLE
    w = onnx.numpy_helper.from_array(np.eye(3) / 4 + 0.01, "w")
    x, y = (helper.make_tensor_value_info(name, kind, (1, 3)) for name in "xy")
    graph = helper.make_graph(nodes, "g", [x], [y], [w])
    opset = helper.make_opsetid("", 17)
    return helper.make_model(graph, opset_imports=[opset], ir_version=8).SerializeToString()


def test_imports_are_linear_in_the_number_of_nodes(tmp_path):
    """Four times the blocks of a residual network are at most five times the calls."""
    counts = []
    for depth in (2, 20, 80):  # the first makes what is made once
        path = tmp_path / f"net{depth}.onnx"
        path.write_bytes(residual(depth))
        counts.append(effort.calls(lambda path=path: read(path, Options(check=False))))
    assert counts[2] < 5 * counts[1], counts


def test_headers_of_safetensors_are_as_long_as_they_say(tmp_path):
    """A header of 2⁶⁰ bytes in a file of twenty."""
    pytest.importorskip("safetensors")
    path = tmp_path / "net.safetensors"
    path.write_bytes(struct.pack("<Q", 2**60) + b"{}" * 6)
    with pytest.raises(symnet.files.NetworkFileError, match=r"net\.safetensors: "):
        read(path, Options(activations=["relu"]))
