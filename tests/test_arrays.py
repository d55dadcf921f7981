"""Arrays in memory and in files (npz, safetensors, .mat, .nnet): layouts, orders, refusals."""

from __future__ import annotations

import io
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
import sympy

import symnet
from symnet.cli import main
from symnet.files import NetworkFileError
from symnet.importers import Options, read
from symnet.importers.formats import content as contents
from symnet.network import Network
from symnet.witness import analytic

NETS = Path(__file__).parents[1].parent / "shared" / "nets"
NET = Network.dense([2, 4, 3, 1], "tanh", seed=2)
LAYERS = [array for layer in NET.layers for array in layer.arrays]
ACTIVATIONS = Options(activations=["tanh"])


def npz(path, **named):
    """A file of these arrays."""
    np.savez(path, **named)
    return path


# --- in memory ----------------------------------------------------------------------------------


@pytest.mark.parametrize("widths", [[2, 4, 3, 1], [3, 1, 2], [2, 1, 1, 2]])
def test_biases_may_be_rows(widths):
    """As `x @ W + b` has them; a row of one number is a bias where another is wide, as here."""
    net = Network.dense(widths, "tanh", seed=2)
    arrays = [np.atleast_2d(a.T) for layer in net.layers for a in layer.arrays]
    assert symnet.from_arrays(arrays, "tanh", layout="in,out") == net
    with pytest.raises(ValueError, match=r"layer"):
        symnet.from_arrays([arrays[0], *arrays[2:]], "tanh", layout="in,out")


ONE_WIDE = [np.full((3, 1), 0.5), np.full((1, 1), 2.0), np.full((1, 1), 3.0), np.full((1, 1), 4.0)]


def test_rows_of_one_that_may_be_biases_are_asked_for():
    """The number of activations tells; one name alone is for any number of layers."""
    for count, activations in ((4, "tanh"), (2, "tanh"), (2, ["tanh"])):
        with pytest.raises(ValueError, match=rf"the shape \(1, 1\), .* or {count} activations"):
            symnet.from_arrays(ONE_WIDE[:count], activations, layout="in,out")
    tanhs = ["tanh", "tanh", "tanh"]
    biased, plain = (
        symnet.from_arrays(ONE_WIDE, told, layout="in,out")
        for told in (["tanh", "linear"], [*tanhs, "linear"])
    )
    x = np.ones(3)
    assert analytic.value(biased, x) == pytest.approx(3 * np.tanh(3.5) + 4)
    assert analytic.value(plain, x) == pytest.approx(4 * np.tanh(3 * np.tanh(2 * np.tanh(1.5))))


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ([np.ones((4, 3)), np.ones(4)], r"as activations=\['linear'\]"),
        ({"W1": np.ones((4, 3)), "b1": np.ones(4)}, r"as activations=\['linear'\]"),
        (
            {"a.weight": np.ones((2, 3)), "b.weight": np.ones((5, 5))},
            r"as activations=\['a=tanh', 'b=linear'\]",
        ),
    ],
)
def test_what_is_not_said_is_asked_for_as_python_says_it(arrays, message):
    with pytest.raises(ValueError, match=message):
        symnet.from_arrays(arrays, [])


def test_arrays_are_layers():
    """In either layout, with or without biases, to the last bit."""
    assert symnet.from_arrays(LAYERS, "tanh") == NET
    turned = [a.T for a in LAYERS]
    assert symnet.from_arrays(turned, ["tanh", "tanh", "linear"], layout="in,out") == NET
    bare = symnet.from_arrays([LAYERS[0], LAYERS[2]], ["logsig", "purelin"])
    assert [layer.label for layer in bare.layers] == [
        "sigmoid without bias",
        "linear without bias",
    ]


@pytest.mark.parametrize("end", ["softmax", "LogSoftmax"])
def test_a_classifier_is_a_graph(end):
    """exp(z)/sum after the last layer, and a slope in brackets; the names are the network's."""
    W, c = np.array([[1.0, -2.0], [0.5, 0.25], [0.0, 1.0]]), np.array([0.5, 0.0, -0.25])
    functions = ["leaky_relu(0.2)", end]
    net = symnet.from_arrays([np.eye(2), W, c], functions, inputs=["u", "v"], outputs=list("abc"))
    X = np.array([[0.5, -1.5], [-2.0, 0.25]])
    e = np.exp(np.where(X > 0, X, 0.2 * X) @ W.T + c)
    share = e / e.sum(axis=1, keepdims=True)
    expected = share if end == "softmax" else np.log(share)
    np.testing.assert_allclose(analytic.value(net, X), expected, rtol=1e-14)
    assert (net.input_names, net.output_names) == (("u", "v"), ("a", "b", "c"))


def test_arrays_by_their_names_are_layers_in_the_names_order():
    """As files' arrays are: an archive, a state dict; a kernel's columns are neurons."""
    first, *others = (
        {f"{k}.weight": W, f"{k}.bias": b}
        for k, W, b in zip((2, 3, 10), LAYERS[::2], LAYERS[1::2], strict=True)
    )
    given = {**others[1], **others[0], **first}
    assert symnet.from_arrays(given, "tanh") == NET
    assert symnet.from_arrays(given, ["2=tanh", "3=tanh", "10=linear"]) == NET
    turned = {name.replace("weight", "kernel"): array.T for name, array in given.items()}
    assert symnet.from_arrays(turned, "tanh") == NET
    single = {"W1": LAYERS[0]}
    assert symnet.from_arrays(single, "tanh").layers[0].label == "linear without bias"
    assert symnet.from_arrays(single, ["tanh"]).layers[0].label == "tanh without bias"


@pytest.mark.parametrize(
    ("given", "functions", "what"),
    [
        ({}, "tanh", "no matrix"),
        ({"scores": np.ones((2, 2))}, "tanh", "'scores' of the shape .* layer.weight"),
        ({"W1": np.ones((2, 2)), "W2": np.ones((1, 3))}, "tanh", "no single chain"),
        ([np.ones(3)], "tanh", r"array 0 has the shape \(3,\)"),
        ([np.ones((2, 2)), np.ones((2, 2, 2))], "tanh", r"array 1 has the shape \(2, 2, 2\)"),
        ([np.ones((2, 2))] * 2, ["tanh"] * 3, "3 activations for 2 layers"),
        ([np.ones((2, 2))] * 2, ["tanhh", "linear"], "did you mean 'tanh'"),
        ([np.ones((2, 3))] * 2, "tanh", "layer 2: weights have 3 columns"),
        ([np.full((2, 2), np.nan)], "tanh", "must be finite"),
        ([], "tanh", "no matrix"),
    ],
)
def test_what_does_not_fit_is_told(given, functions, what):
    """Shapes, activations and numbers."""
    with pytest.raises(ValueError, match=what):
        symnet.from_arrays(given, functions)


# --- names, orders, layouts ---------------------------------------------------------------------

NAMINGS = {
    "W1 b1": ("W{k}", "b{k}", False),
    "torch": ("{k}.weight", "{k}.bias", False),
    "flax": ("params/Dense_{k}/kernel", "params/Dense_{k}/bias", True),
    "keras": ("dense_{k}/kernel:0", "dense_{k}/bias:0", True),
    "scikit-learn": ("coefs_{k}", "intercepts_{k}", True),
}


@pytest.mark.parametrize("naming", NAMINGS)
@pytest.mark.parametrize("suffix", [".npz", ".safetensors"])
def test_names_tell_layers_and_layout(naming, suffix, tmp_path):
    """dense_10 comes after dense_2, a kernel's columns are neurons."""
    weight, bias, turned = NAMINGS[naming]
    named = {}
    for k, layer in zip((2, 3, 10), NET.layers, strict=True):
        W = np.ascontiguousarray(layer.weights.T) if turned else layer.weights
        named |= {weight.format(k=k): W, bias.format(k=k): layer.bias}
    path = tmp_path / f"net{suffix}"
    if suffix == ".npz":
        npz(path, **dict(reversed(named.items())))
    else:
        pytest.importorskip("safetensors.numpy").save_file(named, path)
    found = read(path, ACTIVATIONS)
    assert found.network == NET
    assert f"axes of the matrices are {'in,out' if turned else 'out,in'}" in str(found)


def test_arrays_without_names_are_in_their_order(tmp_path):
    """As np.savez(path, W1, b1, W2, ...) writes them; Keras's names are told without their :0."""
    path = tmp_path / "net.npz"
    np.savez(path, *LAYERS)
    assert read(path, ACTIVATIONS).network == NET
    np.savez(path, *LAYERS[:2], LAYERS[1])
    with pytest.raises(NetworkFileError, match=r"arr_2 has the shape \(4,\); expected a matrix"):
        read(path, ACTIVATIONS)
    named = {f"dense/{what}:0": a for what, a in zip(("kernel", "bias"), LAYERS, strict=False)}
    given = Options(activations=["dense=tanh"], layout="out,in")
    assert read(npz(path, **named), given).network.describe() == "2-4, tanh"


def test_safetensors_of_half_precision(tmp_path):
    """bfloat16, which NumPy has not, is the upper half of a float32; eight bits are refused."""
    torch = pytest.importorskip("torch")
    library = pytest.importorskip("safetensors.torch")
    path = tmp_path / "net.safetensors"
    arrays = {f"{'Wb'[k % 2]}{k // 2 + 1}": torch.tensor(a) for k, a in enumerate(LAYERS)}
    library.save_file({name: a.bfloat16() for name, a in arrays.items()}, path)
    found = read(path, ACTIVATIONS)
    half = [a.bfloat16().double().numpy() for a in arrays.values()]
    assert found.network == symnet.from_arrays(half, "tanh")
    arrays["b1"] = arrays["b1"].to(torch.float8_e4m3fn)
    library.save_file(arrays, path)
    with pytest.raises(NetworkFileError, match="b1 holds F8_E4M3; symnet reads BF16, F16, F32"):
        read(path, ACTIVATIONS)


def test_an_order_that_only_shapes_tell(tmp_path):
    """Flax numbers layers as they are made: Dense_0 may be the last."""
    named = {}
    for k, layer in zip((1, 2, 0), NET.layers, strict=True):
        named |= {f"Dense_{k}/kernel": layer.weights.T, f"Dense_{k}/bias": layer.bias}
    found = read(npz(tmp_path / "net.npz", **named), ACTIVATIONS)
    assert found.network == NET
    assert "Dense_1, Dense_2, Dense_0, the only one that fits" in str(found)


def test_numbers_decide_between_orders_that_fit(tmp_path):
    """The first and the last by shapes, those between by their numbers."""
    made = Network.dense([3, 4, 4, 4, 1], "tanh", seed=1)
    names = ("hidden_0", "hidden_1", "hidden_2", "energy")
    named = {f"{n}/kernel": a.weights.T for n, a in zip(names, made.layers, strict=True)}
    found = read(npz(tmp_path / "net.npz", **named), ACTIVATIONS)
    assert "hidden_0, hidden_1, hidden_2, energy, the only one that fits and keeps" in str(found)
    for layer, other in zip(found.network.layers, made.layers, strict=True):
        np.testing.assert_array_equal(layer.weights, other.weights)


def test_an_order_that_nothing_tells_is_refused(tmp_path):
    """Several orders fit, and not that of the names: nothing is guessed."""
    named = {f"W{k}": np.ones(s) for k, s in enumerate([(3, 3), (2, 3), (3, 3), (3, 4)])}
    with pytest.raises(NetworkFileError, match="make no single chain of layers"):
        read(npz(tmp_path / "net.npz", **named), ACTIVATIONS)


def test_an_order_that_is_told_with_the_activations(tmp_path):
    """`name=activation` for each layer; the names must be those of the file, the matrices fit."""
    made = Network.dense([3, 3, 3, 1], ["tanh", "sigmoid"], seed=2)
    named = {}
    for name, layer in zip(("mid", "inner", "last"), made.layers, strict=True):
        named |= {f"{name}/kernel": layer.weights.T, f"{name}/bias": layer.bias}
    path = npz(tmp_path / "net.npz", **named)
    told = ["mid=tanh", "inner=sigmoid", "last=linear"]
    found = read(path, Options(activations=told)).network
    assert found.describe() == "3-3-3-1, tanh, sigmoid, linear"
    X = np.ones((2, 3)) / [[1], [3]]
    np.testing.assert_array_equal(analytic.value(found, X), analytic.value(made, X))
    with pytest.raises(NetworkFileError, match="the layers are inner, last, mid"):
        read(path, Options(activations=["a=tanh", "b=tanh", "c=linear"]))
    with pytest.raises(NetworkFileError, match="do not fit in this order"):
        read(path, Options(activations=["last=tanh", "inner=tanh", "mid=linear"]))


def test_square_matrices_get_a_value_to_compare(tmp_path):
    """What cannot be seen is said, with the layout that was assumed; --layout decides."""
    W, V = np.arange(4.0).reshape(2, 2), np.ones((2, 2))
    path = npz(tmp_path / "net.npz", W1=W, W2=V)
    found = read(path, ACTIVATIONS)
    assert "either layout of the matrices fits; out,in is assumed" in str(found)
    y = analytic.value(found.network, np.ones(2))
    assert f"all inputs 1 give {y[0]:.9g}, {y[1]:.9g}" in str(found)
    other = read(path, Options(activations=["tanh"], layout="in,out")).network
    np.testing.assert_array_equal(other.layers[0].weights, W.T)


def test_activations_are_asked_for(tmp_path, capsys):
    """They are not in such a file; the command says how to give them."""
    path = npz(tmp_path / "net.npz", W1=LAYERS[0], b1=LAYERS[1])
    assert main(["import", str(path)]) == 2
    assert "or symnet import --activations linear -o net.json" in capsys.readouterr().err
    out = tmp_path / "net.json"
    assert main(["import", str(path), "--activations", "tanh", "-o", str(out)]) == 0
    assert symnet.load(out).layers[0].activation.name == "tanh"


def test_a_comma_in_brackets_ends_no_name(tmp_path, capsys):
    """--activations takes those with two numbers as well."""
    file = npz(tmp_path / "net.npz", W1=np.eye(2), W2=np.ones((1, 2)))
    assert main(["import", str(file), "--activations", "clip(-1, 6),linear"]) == 0
    assert "clip_m1_6" in capsys.readouterr().out


def test_import_renames_and_every_command_takes_such_files(tmp_path, capsys):
    """--inputs, --outputs; derive of a file that is no JSON."""
    pytest.importorskip("scipy")
    path = nnet_file(tmp_path / "net.nnet")
    out = tmp_path / "net.json"
    given = ["import", str(path), "-o", str(out), "--inputs", "rho,T", "--outputs", "p"]
    assert main(given) == 0
    assert capsys.readouterr().out.startswith("net.nnet (NNet): 2-3-1, relu, linear")
    net = symnet.load(out)
    assert [s.name for s in (*net.inputs, *net.outputs)] == ["rho", "T", "p"]
    assert main(["derive", str(path), "--order", "1"]) == 0


@pytest.mark.parametrize(
    ("given", "what"),
    [
        (["net.nnet", "--activations", "tanh"], "says its activations itself"),
        (["net.nnet", "--layout", "in,out"], "says its activations itself"),
        (["net.json", "--activations", "tanh"], "says its activations itself"),
        (["net.json", "--select-outputs", "y"], "has one vector of outputs"),
        (["net.npz", "--activations", "tanh", "--select-outputs", "y"], "has one vector"),
        (["net.nnet", "--inputs", "T"], "inputs: 1 names, but the network has 2 inputs"),
    ],
)
def test_what_a_file_does_not_take_is_refused(given, what, tmp_path, capsys, monkeypatch):
    """Activations of a file that has its own were passed over without a word."""
    pytest.importorskip("scipy")
    monkeypatch.chdir(tmp_path)
    nnet_file(tmp_path / "net.nnet")
    npz(tmp_path / "net.npz", W1=LAYERS[0], b1=LAYERS[1])
    symnet.save(NET, "net.json")
    assert main(["import", *given]) == 2
    said = capsys.readouterr().err
    assert f"{given[0]}: {what}" in said
    assert said.count("\n") == 1


# --- other files --------------------------------------------------------------------------------


def nnet_file(path, change=lambda lines: lines):
    """2-3-1 with means and ranges; two columns of them belong to no input, as in ACAS Xu."""
    lines = [
        "// made for a test",
        "2,2,1,3,",
        "2,3,1,",
        "0,",
        "-1.0,-2.0,0.0,",
        "1.0,2.0,9.0,",
        "0.5,1.0,7.0,10.0,",
        "2.0,4.0,9.0,3.0,",
        *("1.0,-1.0,", "0.5,2.0,", "-1.5,0.25,", "0.1,", "0.2,", "0.3,"),
        *("1.0,2.0,3.0,", "-0.5,"),
    ]
    path.write_text("\n".join(change(lines)) + "\n", encoding="utf-8")
    return path


def test_nnet_means_and_ranges_are_folded(tmp_path):
    """x' = (x − mean)/range, y = range N(x') + mean, in two layers."""
    pytest.importorskip("scipy")
    net = symnet.load(nnet_file(tmp_path / "net.nnet"))
    assert net.is_chain
    x = np.array([0.3, -0.7])
    u = (x - [0.5, 1.0]) / [2.0, 4.0]
    h = np.maximum(np.array([[1, -1], [0.5, 2], [-1.5, 0.25]]) @ u + [0.1, 0.2, 0.3], 0)
    np.testing.assert_allclose(analytic.value(net, x), 3 * (h @ [1, 2, 3] - 0.5) + 10, rtol=1e-14)


@pytest.mark.parametrize(
    "change",
    [
        lambda lines: [line.rstrip(",") + "\r" for line in lines],
        lambda lines: [
            *lines[:4],
            "",
            "  // the limits",
            *(f"{line} // here" for line in lines[4:]),
        ],
        lambda lines: ["\ufeff// José's", *(line.replace(",", ", ") for line in lines[1:])],
    ],
)
def test_nnet_files_as_others_write_them(change, tmp_path):
    """Line ends, no comma at the end, comments at any place and in any language."""
    pytest.importorskip("scipy")
    net = symnet.load(nnet_file(tmp_path / "other.nnet", change))
    usual = symnet.load(nnet_file(tmp_path / "net.nnet"))
    np.testing.assert_array_equal(
        analytic.value(net, [0.3, -0.7]), analytic.value(usual, [0.3, -0.7])
    )
    assert "of 4 means and ranges the last" in str(read(tmp_path / "other.nnet", Options()))


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda lines: [w.replace("0.5,1.0,7.0,", "0.5,1.0,") for w in lines], "3 means, but 4 ra"),
        (
            lambda lines: [w.replace("2,2,1,3", "1,2,2,2").replace("2,3,1", "2,2") for w in lines],
            "4 means and ranges are one for each of 2 inputs and 2 outputs",
        ),
        (lambda lines: [w.replace("-1.5", "1_0") for w in lines], "line 11: '1_0,0.25,' are no"),
        (lambda lines: lines[:-1], "1: bias|layer 2"),
        (lambda lines: [*lines, "1.0,"], "more numbers than the widths say"),
        (lambda lines: [w.replace("2.0,4.0,9.0", "0.0,4.0,9.0") for w in lines], "a range is 0"),
        (lambda lines: [w.replace("-1.5", "nan") for w in lines], "not finite"),
        (lambda lines: [w.replace("-1.5", "x") for w in lines], "line 11: 'x,0.25,' are no"),
        (lambda lines: [w.replace("2,3,1,", "2,300000000,1,") for w in lines], "entries|expected"),
    ],
)
def test_bad_nnet_files(change, what, tmp_path):
    """What is wrong, and where."""
    pytest.importorskip("scipy")
    with pytest.raises(NetworkFileError, match=what):
        symnet.load(nnet_file(tmp_path / "net.nnet", change))


@pytest.mark.parametrize("padded", [False, True])
def test_matlab_files(padded, tmp_path):
    """Whole numbers are stored as bytes, names padded with blanks, biases are columns."""
    io_ = pytest.importorskip("scipy.io")
    whole = np.array([[1, 2], [3, 4], [5, 6]], dtype=np.uint8)
    last = np.array([[0.5, -1.0, 2.0]])
    names = np.array(["tansig ", "purelin"]) if padded else np.array(["tansig", "purelin"], object)
    content = {"W1": whole, "b1": np.ones((3, 1)), "W2": last, "b2": 0.5, "activations": names}
    path = tmp_path / "net.mat"
    io_.savemat(path, content)
    net = symnet.load(path)
    assert net.describe() == "2-3-1, tanh, linear"
    np.testing.assert_array_equal(net.layers[0].weights, whole)
    assert net.layers[0].weights.dtype == np.float64


def test_matlab_cells(tmp_path):
    """W and b as cells."""
    io_ = pytest.importorskip("scipy.io")
    weights, biases = np.empty(3, object), np.empty(3, object)
    weights[:], biases[:] = LAYERS[::2], LAYERS[1::2]
    io_.savemat(tmp_path / "net.mat", {"W": weights, "b": biases})
    assert read(tmp_path / "net.mat", ACTIVATIONS).network == NET


def cells(*rows):
    """A cell of MATLAB."""
    found = np.empty((len(rows), len(rows[0])), object)
    for k, row in enumerate(rows):
        for j, content in enumerate(row):
            found[k, j] = content
    return found


W1, B1, W2, B2, W3, B3 = LAYERS
NONE = np.zeros((0, 0))
STRUCTS = np.array(
    [(W1, B1, "tanh"), (W2, B2, "tanh"), (W3, B3, "linear")],
    [("W", object), ("b", object), ("activation", object)],
)
NAMED = {"W1": W1, "b1": B1, "W2": W2, "b2": B2, "W3": W3, "b3": B3}


@pytest.mark.parametrize(
    "content",
    [
        {"net": NAMED},
        {"layers": STRUCTS},
        {
            "IW": cells([W1], [NONE], [NONE]),
            "LW": cells([NONE] * 3, [W2, NONE, NONE], [NONE, W3, NONE]),
            "b": cells([B1], [B2], [B3]),
        },
    ],
    ids=["a struct", "an array of structs", "cells of the toolbox"],
)
def test_matlab_structs_and_cells_of_layers(content, tmp_path):
    """As MATLAB's users keep their layers together."""
    io_ = pytest.importorskip("scipy.io")
    io_.savemat(tmp_path / "net.mat", content)
    found = read(tmp_path / "net.mat", ACTIVATIONS)
    assert found.network == NET
    assert ("mapminmax" in str(found)) == ("IW" in content)


def test_matlab_sparse_matrices(tmp_path):
    """Which become full ones."""
    io_ = pytest.importorskip("scipy.io")
    sparse = pytest.importorskip("scipy.sparse")
    io_.savemat(tmp_path / "net.mat", NAMED | {"W1": sparse.csc_matrix(W1)})
    assert read(tmp_path / "net.mat", ACTIVATIONS).network == NET


def test_matlab_files_that_are_refused(tmp_path):
    """Objects of the toolbox, layers beside the chain, other texts, other programs' files."""
    io_ = pytest.importorskip("scipy.io")
    of_class = np.array([(W1, B1)], [("IW", object), ("b", object)])
    network = io_.matlab.MatlabObject(of_class, "network")
    skip = {"IW": cells([W1], [W2]), "LW": cells([NONE, NONE], [W2, NONE]), "b": cells([B1], [B2])}
    path = tmp_path / "net.mat"
    for content, what in (
        ({"net": network}, "net is an object of MATLAB's class network; save arrays"),
        (skip, "IW/2 is no connection of a chain of layers; export it as ONNX"),
        (NAMED | {"unit": "kPa"}, "unit holds text, expected numbers, or activations of that name"),
    ):
        io_.savemat(path, content)
        with pytest.raises(NetworkFileError, match=what):
            read(path, ACTIVATIONS)
    path.write_bytes(b"# Created by Octave 9.2.0, Fri Nov 27 12:00:00 2026 <me@here>\n# name: W1\n")
    with pytest.raises(NetworkFileError, match="is of Octave's own format; save it with -v7"):
        read(path, ACTIVATIONS)


def flax_bytes(tree):
    """As flax.serialization.to_bytes: an array is an extension of (shape, type, bytes)."""
    msgpack = pytest.importorskip("msgpack")

    def extension(array):
        array = np.asarray(array)
        stored = (array.shape, array.dtype.name, array.tobytes())
        return msgpack.ExtType(1, msgpack.packb(stored))

    return msgpack.packb(tree, default=extension)


def test_flax_parameters(tmp_path):
    """The last layer is Dense_0; numbers beside the arrays and an optimiser's state are left."""
    parameters = {
        f"Dense_{k}": {"kernel": layer.weights.T, "bias": layer.bias}
        for k, layer in zip((1, 2, 0), NET.layers, strict=True)
    }
    state = {"step": 7, "params": {"params": parameters}, "opt_state": {"0": {"mu": np.ones(3)}}}
    path = tmp_path / "net.msgpack"
    path.write_bytes(flax_bytes(state))
    found = read(path, ACTIVATIONS)
    assert found.network == NET
    assert "Dense_1, Dense_2, Dense_0, the only one that fits" in str(found)
    path = path.rename(tmp_path / "net.checkpoint")
    assert read(path, ACTIVATIONS).network == NET


@pytest.mark.parametrize(
    ("tree", "what"),
    [
        ({"params": {}, "batch_stats": {"m": np.ones(2)}}, "holds batch_stats.*from_jax"),
        ({"params": {"LayerNorm_0": {"scale": np.ones(2)}}}, "'LayerNorm_0/scale'"),
        ([1, 2], "holds list, expected a tree"),
        ({"params": {"a": {"kernel": np.ones((2, 2), complex)}}}, "an array of 'complex128'"),
        ({"a": [[] for _ in range(70_000)]}, "70000|exceeds"),
        ({"a": [[[]] * 300] * 400}, "more than 100,000 lists and maps"),
    ],
)
def test_flax_files_that_are_refused(tree, what, tmp_path):
    """What is more than matrices, and trees that are none of parameters."""
    path = tmp_path / "net.msgpack"
    path.write_bytes(flax_bytes(tree))
    with pytest.raises(NetworkFileError, match=what):
        read(path, ACTIVATIONS)


def test_flax_shapes_are_checked_against_the_bytes(tmp_path):
    """2⁶⁰ entries in eight bytes."""
    msgpack = pytest.importorskip("msgpack")
    array = msgpack.ExtType(1, msgpack.packb(((2**30, 2**30), "float64", b"0" * 8)))
    path = tmp_path / "net.msgpack"
    path.write_bytes(msgpack.packb({"params": {"a": {"kernel": array}}}))
    with pytest.raises(NetworkFileError, match="declared shape"):
        read(path, ACTIVATIONS)


# --- hostile files ------------------------------------------------------------------------------


def test_pickles_are_refused(tmp_path):
    """Objects in an archive, and files that are pickles altogether."""
    path = tmp_path / "net.npz"
    np.savez(path, W1=np.array([{"a": 1}], dtype=object))
    with pytest.raises(NetworkFileError, match="Python objects"):
        read(path, ACTIVATIONS)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("net.pt", "is a pickle, which can run any program when it is read; use symnet.from_torch"),
        ("net.pkl", "is a pickle, which can run any program when it is read; use symnet.from_skl"),
        ("NET.JOBLIB", "is a pickle"),
        ("net.bin", "is a pickle"),
        ("net.pt2", "evaluates expressions in it; use symnet.from_torch(torch.export.load(path)"),
        ("net.tflite", "is TensorFlow's; use model.save('net.keras') where Keras has it, or tf2"),
        ("net.onnx.data", "holds weights alone; use the .onnx file beside it"),
        ("net.json.gz", "is packed; use the file in it"),
        ("rows.csv", "is a table; use symnet fit, to learn a network from it"),
        ("net.dat", "is a pickle"),
        ("network", "is a pickle"),
        ("net.rds", "is R's; use its layers' weights as symnet's JSON, which the README shows"),
        ("train.py", "is a program; use symnet.from_torch(model) or the like in it"),
        ("net.slx", "is MATLAB's code; use exportONNXNetwork(net, 'net.onnx'), or .mat"),
    ],
)
def test_what_is_no_network_is_refused_with_what_to_use(tmp_path, name, said):
    """By its suffix, before it is read."""
    path = tmp_path / name
    path.write_bytes(b"\x80\x04junk")
    with pytest.raises(NetworkFileError) as caught:
        symnet.load(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("member", "said"),
    [
        ("policy.pth", r"is a model of Stable-Baselines3, .* p = PPO.load\(path\).policy"),
        ("net.onnx", "is packed; use the file in it"),
    ],
)
def test_archives_are_told_apart(tmp_path, member, said):
    path = tmp_path / "model.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("data", "{}")
        archive.writestr(member, b"")
    with pytest.raises(NetworkFileError, match=said):
        symnet.load(path)


def test_unknown_files_are_told_what_is_read(tmp_path):
    path = tmp_path / "net.nn"
    path.write_bytes(b"\x00\x01")
    with pytest.raises(NetworkFileError, match=r"is no JSON; files of networks end in .js"):
        symnet.load(path)


def test_json_may_have_any_other_suffix(tmp_path):
    symnet.save(symnet.Network.example(), tmp_path / "net.json")
    (tmp_path / "net.json").rename(tmp_path / "net.txt")
    assert symnet.load(tmp_path / "net.txt") == symnet.Network.example()


@pytest.mark.parametrize(
    ("inside", "said"),
    [
        ("saved_model.pb", "is TensorFlow's"),
        ("_METADATA", "is a folder of Orbax's; use symnet.from_jax"),
        ("config.json", "is a folder; use the model's file in it"),
    ],
)
def test_folders_are_told_apart(tmp_path, inside, said):
    (tmp_path / inside).touch()
    with pytest.raises(NetworkFileError, match=said):
        symnet.load(tmp_path)


def test_bombs_are_refused(tmp_path, monkeypatch):
    """What expands to more than a file may have, before it is expanded."""
    monkeypatch.setattr(contents, "LARGEST_FILE", 100_000)
    path = tmp_path / "net.npz"
    np.savez_compressed(path, W1=np.zeros((400, 400)))
    assert path.stat().st_size < 100_000
    with pytest.raises(NetworkFileError, match="expands to"):
        read(path, ACTIVATIONS)


def test_declared_shapes_are_checked_against_the_data(tmp_path):
    """A header that declares 2⁶⁰ entries."""
    header = str({"descr": "<f8", "fortran_order": False, "shape": (2**30, 2**30)}).encode()
    header += b" " * (117 - len(header)) + b"\n"
    content = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + b"0" * 80
    path = tmp_path / "net.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("W1.npy", content)
    with pytest.raises(NetworkFileError, match="declares the shape"):
        read(path, ACTIVATIONS)


@pytest.mark.parametrize("shape", [(2**15, 2**15), (4, 3)])
def test_arrays_are_measured_before_they_are_read(shape, tmp_path):
    """128 MB in a small archive, more or less than its header says, in memory for a few MB."""
    resource = pytest.importorskip("resource")
    header = io.BytesIO()
    told = {"descr": "<f8", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(header, told)
    path = tmp_path / "bomb.npz"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("W1.npy", "w") as file,
    ):
        file.write(header.getvalue())
        for _ in range(128):
            file.write(bytes(1 << 20))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(NetworkFileError, match="declares the shape"):
        read(path, ACTIVATIONS)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 32 << 10


# --- public networks ----------------------------------------------------------------------------


@pytest.mark.skipif(not NETS.is_dir(), reason="the folder of public networks is not there")
def test_public_acasxu():
    """5-50×6-5 relu, whose means and ranges are folded."""
    pytest.importorskip("scipy")
    net = symnet.load(NETS / "acasxu_1_1.nnet")
    assert net.describe().startswith("5-50-50-50-50-50-50-5, relu")
    assert net.is_chain


@pytest.mark.skipif(not NETS.is_dir(), reason="the folder of public networks is not there")
def test_public_equation_of_state():
    """3-30-30-30-1 tanh in double precision, whose last layer has no bias and the first name."""
    pytest.importorskip("msgpack")
    found = read(NETS / "feann_eos_mie_flax.checkpoint", ACTIVATIONS)
    assert found.network.describe() == "3-30-30-30-1, tanh, tanh, tanh, linear without bias"
    assert "weights float64, held exactly" in str(found)
    assert "layers in the order hidden_layers_0, hidden_layers_1, hidden_layers_2," in str(found)


@pytest.mark.skipif(not NETS.is_dir(), reason="the folder of public networks is not there")
def test_public_rrtmgp():
    """18-58-58-128 softsign with scaling, named inputs, and a note on what stays outside."""
    pytest.importorskip("h5py")
    found = read(NETS / "rrtmgp_lw_absorption.nc")
    assert found.network.describe() == "18-58-58-128, softsign, softsign, linear"
    assert [s.name for s in found.network.inputs[:3]] == ["tlay", "play", "h2o"]
    assert "x(i)**(1/4) for i=H2O" in str(found)


def test_formulas_stand_for_names():
    """Of arrays with names Python's words were given, and of a formula alone."""
    z = sympy.Symbol("z")
    swung, cubed = z + sympy.sin(z), symnet.Activation("cubed", z**3)
    first, second = np.eye(2), np.ones((1, 2))
    mixed = symnet.Network([symnet.Layer(first, None, swung), symnet.Layer(second, None, cubed)])
    alone = symnet.Network([symnet.Layer(first, None, swung), symnet.Layer(second)])
    for arrays in ([first, second], {"W1": first, "W2": second}):
        assert symnet.from_arrays(arrays, [swung, cubed]) == mixed
        assert symnet.from_arrays(arrays, swung) == alone
