"""ONNX models: every operator beside onnx's own evaluator, opsets, batches, refusals, bad files."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

import effort
from symnet.importers.imported import Options
from symnet.witness import analytic
from twins import agrees_with_jax

onnx = pytest.importorskip("onnx")
pytest.importorskip("scipy.special")
from onnx import TensorProto, helper, numpy_helper  # noqa: E402

from onnxmodels import RNG, agrees, imported, model, node, weights  # noqa: E402
from symnet.importers.onnx import read  # noqa: E402
from symnet.importers.onnx.graph import Graph  # noqa: E402

NETS = Path(__file__).parents[1].parent / "shared" / "nets"


AFFINE = {
    "MatMul right": (["MatMul", "x w"], (1, 4), {"w": weights(4, 3)}, {}),
    "MatMul left": (["MatMul", "w x"], (4, 2), {"w": weights(3, 4)}, {}),
    "MatMul vector": (["MatMul", "x w"], (4,), {"w": weights(4, 3)}, {}),
    "MatMul of stacks": (["MatMul", "x w"], (2, 3, 4), {"w": weights(2, 4, 5)}, {}),
    "Gemm": (
        ["Gemm", "x w b"],
        (4, 2),
        {"w": weights(3, 4), "b": weights(3)},
        {"transA": 1, "transB": 1, "alpha": 0.5, "beta": 2.0},
    ),
    "Gemm, constant first": (["Gemm", "w x"], (4, 2), {"w": weights(4, 3)}, {"transA": 1}),
    "Conv 1-D": (
        ["Conv", "x w b"],
        (1, 4, 9),
        {"w": weights(6, 2, 3), "b": weights(6)},
        {"group": 2, "strides": [2], "pads": [1, 2], "dilations": [2]},
    ),
    "Conv 2-D": (
        ["Conv", "x w"],
        (1, 2, 5, 6),
        {"w": weights(3, 2, 3, 2)},
        {"strides": [1, 2], "pads": [1, 0, 1, 1]},
    ),
    "Conv SAME_UPPER": (
        ["Conv", "x w"],
        (1, 1, 5, 6),
        {"w": weights(2, 1, 2, 3)},
        {"auto_pad": "SAME_UPPER", "strides": [2, 1]},
    ),
    "Conv VALID": (
        ["Conv", "x w"],
        (1, 1, 4, 3),
        {"w": weights(2, 1, 2, 2)},
        {"auto_pad": "VALID"},
    ),
    "Conv SAME_UPPER, dilated": (
        ["Conv", "x w"],
        (1, 2, 7),
        {"w": weights(3, 2, 3)},
        {"auto_pad": "SAME_UPPER", "dilations": [2]},
    ),
    "Conv SAME_LOWER": (
        ["Conv", "x w"],
        (1, 1, 5, 6),
        {"w": weights(2, 1, 2, 3)},
        {"auto_pad": "SAME_LOWER"},
    ),
    "Add of a matrix": (["Add", "x c"], (3,), {"c": weights(2, 1)}, {}),
    "Sub from a constant": (["Sub", "c x"], (1, 3), {"c": weights(3)}, {}),
    "Mul": (["Mul", "c x"], (1, 3), {"c": weights(2, 1)}, {}),
    "Div": (["Div", "x c"], (1, 3), {"c": weights(3)}, {}),
    "Neg": (["Neg", "x"], (1, 3), {}, {}),
    "Sum": (["Sum", "x c x"], (1, 3), {"c": weights(3)}, {}),
    "Mean": (["Mean", "x c x"], (1, 3), {"c": weights(3)}, {}),
    "Reshape": (["Reshape", "x s"], (2, 3), {"s": np.array([0, -1, 1])}, {}),
    "Flatten": (["Flatten", "x"], (2, 3, 2), {}, {"axis": 2}),
    "Transpose": (["Transpose", "x"], (2, 3, 4), {}, {"perm": [2, 0, 1]}),
    "Transpose, all": (["Transpose", "x"], (2, 3), {}, {}),
    "Slice back": (
        ["Slice", "x s e a t"],
        (5, 4),
        {
            "s": np.array([-1, 3]),
            "e": np.array([-(2**31), 0]),
            "a": np.array([0, 1]),
            "t": np.array([-2, -1]),
        },
        {},
    ),
    "Slice": (["Slice", "x s e"], (5, 4), {"s": np.array([1]), "e": np.array([2**31])}, {}),
    "Gather": (["Gather", "x i"], (3, 4), {"i": np.array([[2, -1]])}, {"axis": 1}),
    "GatherElements": (
        ["GatherElements", "x i"],
        (2, 3),
        {"i": np.array([[1, 0, 1]])},
        {"axis": 0},
    ),
    "GatherND": (["GatherND", "x i"], (3, 4), {"i": np.array([[0, 1], [2, 3]])}, {}),
    "ScatterND": (
        ["ScatterND", "x i u"],
        (4, 2),
        {"i": np.array([[1], [3]]), "u": weights(2, 2)},
        {},
    ),
    "ScatterND into a constant": (
        ["ScatterND", "c i x"],
        (2, 2),
        {"c": weights(4, 2), "i": np.array([[1], [3]])},
        {},
    ),
    "ScatterElements": (
        ["ScatterElements", "x i u"],
        (3, 2),
        {"i": np.array([[1, 0]]), "u": weights(1, 2)},
        {},
    ),
    "Concat": (["Concat", "x c x"], (2, 3), {"c": weights(2, 1)}, {"axis": -1}),
    "Squeeze": (["Squeeze", "x a"], (1, 3, 1), {"a": np.array([2])}, {}),
    "Unsqueeze": (["Unsqueeze", "x a"], (3,), {"a": np.array([0, -1])}, {}),
    "Expand": (["Expand", "x s"], (3, 1), {"s": np.array([2, 1, 2])}, {}),
    "Tile": (["Tile", "x r"], (2, 2), {"r": np.array([1, 3])}, {}),
    "Pad": (["Pad", "x p c"], (2, 3), {"p": np.array([0, 1, 2, 1]), "c": np.array(0.5)}, {}),
    "Pad reflect": (["Pad", "x p"], (3, 3), {"p": np.array([0, 1, 2, 0])}, {"mode": "reflect"}),
    "Where": (
        ["Where", "c x w"],
        (2, 2),
        {"c": np.array([[True, False], [False, True]]), "w": weights(2, 2)},
        {},
    ),
    "ReduceSum": (["ReduceSum", "x a"], (2, 3), {"a": np.array([0])}, {"keepdims": 0}),
    "ReduceMean": (["ReduceMean", "x"], (2, 3), {}, {"axes": [-1]}),
    "ReduceMean of all": (["ReduceMean", "x"], (2, 3), {}, {"keepdims": 0}),
    "CumSum": (["CumSum", "x a"], (2, 3), {"a": np.array(1)}, {"exclusive": 1, "reverse": 1}),
    "AveragePool": (
        ["AveragePool", "x"],
        (1, 2, 5, 4),
        {},
        {"kernel_shape": [2, 3], "pads": [1, 0, 0, 1], "strides": [2, 1]},
    ),
    "AveragePool, padding counted": (
        ["AveragePool", "x"],
        (1, 2, 5),
        {},
        {"kernel_shape": [3], "pads": [1, 1], "count_include_pad": 1},
    ),
    "GlobalAveragePool": (["GlobalAveragePool", "x"], (1, 2, 3, 2), {}, {}),
    "DepthToSpace": (["DepthToSpace", "x"], (1, 8, 2, 1), {}, {"blocksize": 2, "mode": "CRD"}),
    "SpaceToDepth": (["SpaceToDepth", "x"], (1, 2, 4, 2), {}, {"blocksize": 2}),
    "Trilu": (["Trilu", "x"], (3, 3), {}, {"upper": 0}),
    "Dropout": (["Dropout", "x"], (1, 3), {}, {}),
    "Cast": (["Cast", "x"], (1, 3), {}, {"to": TensorProto.DOUBLE}),
    "BatchNormalization": (
        ["BatchNormalization", "x s b m v"],
        (1, 3, 2),
        {"s": weights(3), "b": weights(3) + 1, "m": weights(3) - 1, "v": weights(3, positive=True)},
        {"epsilon": 0.01},
    ),
}

NONLINEAR = {
    **{
        op: ([op, "x"], (1, 4), {}, {})
        for op in (
            *("Relu", "Sigmoid", "Tanh", "Sin", "Cos", "Atan", "Sinh", "Cosh", "Asinh", "Exp"),
            *("Log", "Sqrt", "Reciprocal", "Erf", "Abs", "Softplus", "Softsign", "HardSwish"),
            *("LeakyRelu", "Elu", "Celu", "Selu", "HardSigmoid", "ThresholdedRelu", "Shrink"),
        )
    },
    "Softmax": (["Softmax", "x"], (1, 4), {}, {}),
    "Softmax of columns": (["Softmax", "x"], (3, 2), {}, {"axis": 0}),
    "LogSoftmax": (["LogSoftmax", "x"], (2, 3), {}, {}),
    "LayerNormalization": (
        ["LayerNormalization", "x s b"],
        (2, 4),
        {"s": weights(4), "b": weights(4)},
        {"epsilon": 0.01},
    ),
    "InstanceNormalization": (
        ["InstanceNormalization", "x s b"],
        (1, 2, 4),
        {"s": weights(2), "b": weights(2)},
        {},
    ),
    "LpNormalization": (["LpNormalization", "x"], (2, 3), {}, {"p": 2, "axis": -1}),
    "Max of a number": (["Max", "x c"], (1, 3), {"c": np.array([0.2])}, {}),
    "Min of numbers": (["Min", "c x"], (1, 3), {"c": weights(3)}, {}),
    "Clip": (["Clip", "x l h"], (1, 3), {"l": np.array(-0.5), "h": np.array(0.7)}, {}),
    "PRelu": (["PRelu", "x s"], (1, 2, 3), {"s": np.array([[0.1], [0.3]])}, {}),
    "Pow": (["Pow", "x p"], (1, 3), {"p": np.array(3.0)}, {}),
    "Pow of many": (["Pow", "x p"], (1, 3), {"p": np.array([2.0, 0.5, -1.0])}, {}),
    "constant over x": (["Div", "c x"], (1, 3), {"c": np.array(2.0)}, {}),
    "constants over x": (["Div", "c x"], (1, 3), {"c": weights(3)}, {}),
    "MatMul of both": (["MatMul", "x x"], (2, 2), {}, {}),
    "x times itself": (["Mul", "x x"], (1, 3), {}, {}),
    "x over itself spread": (["Mul", "x x"], (3, 1), {}, {}),
    "MaxPool": (
        ["MaxPool", "x"],
        (1, 2, 4, 5),
        {},
        {"kernel_shape": [2, 3], "strides": [2, 1], "pads": [1, 1, 0, 0]},
    ),
    "MaxPool, ceil": (
        ["MaxPool", "x"],
        (1, 1, 6),
        {},
        {"kernel_shape": [3], "strides": [2], "ceil_mode": 1},
    ),
    # Of other ranks onnx's evaluator takes the largest of all channels.
    "GlobalMaxPool": (["GlobalMaxPool", "x"], (1, 2, 3, 2), {}, {}),
    "ReduceMax": (["ReduceMax", "x"], (2, 5), {}, {"axes": [1]}),
    "ReduceMin": (["ReduceMin", "x"], (2, 3), {}, {"keepdims": 0}),
    "ReduceL2": (["ReduceL2", "x"], (2, 3), {}, {"axes": [1]}),
    "ReduceL1": (["ReduceL1", "x"], (2, 3), {}, {"axes": [0]}),
    "ReduceSumSquare": (["ReduceSumSquare", "x"], (2, 3), {}, {"axes": [1]}),
    "ReduceLogSumExp": (["ReduceLogSumExp", "x"], (2, 3), {}, {"axes": [1]}),
}


@pytest.mark.parametrize("name", [*AFFINE, *NONLINEAR])
def test_operators_agree_with_onnx(name, tmp_path):
    """Each operator, alone, in double precision; what is affine needs no node but the output's."""
    (op, inputs), shape, constants, attributes = (AFFINE | NONLINEAR)[name]
    proto = model([node(op, inputs, **attributes)], shape, constants)
    found = imported(proto, tmp_path)
    net = found.network
    agrees(proto, net, shape)
    assert "compared with onnx in double precision" in found.compared
    if name in AFFINE:
        assert [n.kind for n in net.nodes] == ["form"]


@pytest.mark.parametrize(
    ("op", "constants", "attributes", "opset"),
    [
        ("Softmax", {}, {}, 11),  # the default axis is 1, and all after it are one
        ("Softmax", {}, {"axis": 0}, 9),
        ("LogSoftmax", {}, {}, 12),
        ("Softmax", {}, {}, 13),
        ("Squeeze", {}, {"axes": [0]}, 11),
        ("Unsqueeze", {}, {"axes": [1]}, 11),
        ("ReduceSum", {}, {"axes": [1]}, 11),
        ("ReduceMean", {"a": np.array([1])}, {}, 18),
        ("ReduceMax", {"a": np.array([1])}, {}, 18),
        ("Slice", {}, {"starts": [1], "ends": [9], "axes": [2]}, 9),
        ("Clip", {}, {"min": -0.5, "max": 0.25}, 9),
        ("Gelu", {}, {}, 20),
        ("Gelu", {}, {"approximate": "tanh"}, 20),
        ("Mish", {}, {}, 18),
    ],
)
def test_opsets_have_their_own_semantics(op, constants, attributes, opset, tmp_path):
    """Attributes that became inputs, and defaults that changed."""
    inputs = " ".join(["x", *constants])
    proto = model([node(op, inputs, **attributes)], (1, 2, 3), constants, opset)
    net = imported(proto, tmp_path).network
    if op in ("Softmax", "LogSoftmax") and opset < 13:  # onnx's evaluator has the newer one only
        axis = attributes.get("axis", 1)
        nodes = [
            node("Flatten", "x", "f", axis=axis),
            node(op, "f", "s", axis=-1),
            node("Reshape", "s t", "y"),
        ]
        proto = model(nodes, (1, 2, 3), {"t": np.array([1, 2, 3])}, 13)
    agrees(proto, net, (1, 2, 3))


PAIRS = {
    "Einsum": (["Einsum", "x w"], (1, 4), {"w": weights(5, 4, 2)}, {"equation": "bi,eio->ebo"}),
    "Einsum of two": (["Einsum", "x x"], (2, 3), {}, {"equation": "...i,ji->...j"}),
    "ConvTranspose": (
        ["ConvTranspose", "x w b"],
        (1, 4, 5),
        {"w": weights(4, 3, 3), "b": weights(3)},
        {"strides": [2], "pads": [1, 0], "output_padding": [1]},
    ),
    "ConvTranspose 2-D": (
        ["ConvTranspose", "x w"],
        (1, 2, 3, 4),
        {"w": weights(2, 3, 2, 3)},
        {"strides": [2, 1]},
    ),
    "ReduceProd": (["ReduceProd", "x"], (2, 3), {}, {"axes": [1], "keepdims": 0}),
    "ReduceLogSumExp": (["ReduceLogSumExp", "x"], (2, 3), {}, {"axes": [1]}),
    "Sign": (["Sign", "x"], (1, 3), {}, {}),
}


@pytest.mark.parametrize("name", PAIRS)
def test_operators_that_came_later(name, tmp_path):
    """Sums of products, transposed convolutions, products."""
    (op, inputs), shape, constants, attributes = PAIRS[name]
    proto = model([node(op, inputs, **attributes)], shape, constants)
    agrees(proto, imported(proto, tmp_path).network, shape)


def test_transposed_convolution_in_groups(tmp_path):
    """Each entry of x writes a kernel, by a loop; onnx's evaluator has no groups with dilations."""
    w = weights(4, 3, 3)
    attributes = {"group": 2, "strides": [2], "pads": [1, 2], "dilations": [2]}
    proto = model([node("ConvTranspose", "x w", **attributes)], (1, 4, 5), {"w": w})
    net = imported(proto, tmp_path).network
    x = RNG.normal(size=(4, 5))
    full = np.zeros((6, 13))
    for c in range(4):
        for i in range(5):
            for k in range(3):
                full[c // 2 * 3 : c // 2 * 3 + 3, 2 * i + 2 * k] += x[c, i] * w[c, :, k]
    found = analytic.value(net, x.reshape(-1))
    np.testing.assert_allclose(found, full[:, 1:11].reshape(-1), rtol=0, atol=1e-14)


def test_choices_are_pieces_of_one_function(tmp_path):
    """Where of a comparison, and a mask that is multiplied with; or each arm times a step."""
    nodes = [
        node("MatMul", "x w", "h"),
        node("Greater", "h zero", "c"),
        node("Mul", "h a", "s"),
        node("Where", "c h s", "l"),
        node("Cast", "c", "m", to=TensorProto.DOUBLE),
        node("Mul", "m h", "r"),
        node("Add", "l r", "y"),
    ]
    constants = {"w": weights(3, 4), "zero": np.zeros(()), "a": np.array(0.25)}
    proto = model(nodes, (1, 3), constants)
    agrees(proto, imported(proto, tmp_path).network, (1, 3))
    other = model([*nodes[:2], node("Where", "c h k", "y")], (1, 3), {**constants, "k": weights(4)})
    agrees(other, imported(other, tmp_path).network, (1, 3))


def test_log_sum_exp_of_large_numbers(tmp_path):
    """1e4 does not overflow."""
    proto = model([node("ReduceLogSumExp", "x", keepdims=0, axes=[1])], (1, 3))
    net = imported(proto, tmp_path).network
    x = np.array([1e4, -1e4, 9999.0])
    assert analytic.value(net, x)[0] == pytest.approx(1e4 + np.log1p(np.exp(-1)), rel=1e-15)


def test_labels_among_the_outputs_are_left_out(tmp_path):
    """A classifier's label is no number: it says so, and refuses it where it is asked for."""
    nodes = [
        node("MatMul", "x w", "z"),
        node("Softmax", "z", "p", axis=1),
        node("ArgMax", "p", "label", axis=1),
    ]
    proto = model(nodes, (1, 3), {"w": weights(3, 4)}, outputs=("label", "p"))
    proto.graph.output[0].type.tensor_type.elem_type = TensorProto.INT64
    found = imported(proto, tmp_path)
    assert found.notes[0] == "label is left out: it is no number"
    assert "compared with onnx in double precision" in found.compared
    assert found.network.m == 4
    with pytest.raises(ValueError, match="ArgMax"):
        imported(proto, tmp_path, select=["label"])


def test_scalers_and_linear_models_of_scikit_learns_exporter(tmp_path):
    """ai.onnx.ml: their numbers are in single precision."""
    learned = [
        helper.make_node(
            "Scaler",
            ["x"],
            ["s"],
            domain="ai.onnx.ml",
            offset=[1.0, 2.0, 0.1],
            scale=[0.5, 2.0, 0.3],
        ),
        helper.make_node(
            "LinearRegressor",
            ["s"],
            ["y"],
            domain="ai.onnx.ml",
            coefficients=[1.0, 0.2, 3.0, 4.0, 5.0, 0.6],
            intercepts=[0.1, 0.2],
            targets=2,
        ),
    ]
    proto = model(learned, (None, 3), kind=TensorProto.FLOAT)
    proto.opset_import.append(helper.make_opsetid("ai.onnx.ml", 3))
    net = imported(proto, tmp_path).network
    assert net.describe().startswith("3-2, linear")
    W = np.float32([[1.0, 0.2, 3.0], [4.0, 5.0, 0.6]]).astype(np.float64)
    X = RNG.normal(size=(4, 3))
    low, scale = (np.float32(v).astype(np.float64) for v in ([1.0, 2.0, 0.1], [0.5, 2.0, 0.3]))
    expected = (X - low) * scale @ W.T + np.float32([0.1, 0.2])
    np.testing.assert_allclose(analytic.value(net, X), expected, rtol=0, atol=1e-13)


def test_one_row_is_a_batch_of_one(tmp_path):
    """An elementwise model of (1, 4) is of four inputs, not four points of one."""
    proto = model([node("Tanh", "x")], (1, 4))
    assert imported(proto, tmp_path).network.n == 4


def test_split_in_each_opset(tmp_path):
    """Sizes are an attribute, then an input, then may be told by the number of outputs."""
    for opset, attributes, constants in (
        (11, {"split": [1, 3]}, {}),
        (13, {}, {"s": np.array([1, 3])}),
        (18, {"num_outputs": 2}, {}),
    ):
        inputs = " ".join(["x", *constants])
        nodes = [
            node("Split", inputs, "a b", axis=1, **attributes),
            node("Tanh", "a", "t"),
            node("Concat", "b t", "y", axis=1),
        ]
        proto = model(nodes, (1, 4), constants, opset)
        agrees(proto, imported(proto, tmp_path).network, (1, 4))


def test_old_broadcasting_goes_by_axis(tmp_path):
    """Before opset 7 `axis` places the smaller tensor."""
    c = weights(2)
    proto = model([node("Add", "x c", broadcast=1, axis=1)], (1, 2, 3), {"c": c}, 6)
    net = imported(proto, tmp_path).network
    x = RNG.normal(size=6)
    np.testing.assert_array_equal(analytic.value(net, x), x + np.repeat(c, 3))


def test_arithmetic_of_shapes_is_done_while_reading(tmp_path):
    """Shape, Gather, Constant, Concat, ConstantOfShape, Range: how exporters write a flatten."""
    nodes = [
        node("Shape", "x", "s"),
        node("Gather", "s zero", "first", axis=0),
        helper.make_node("Constant", [], ["minus"], value=numpy_helper.from_array(np.array([-1]))),
        node("Unsqueeze", "first axes", "f"),
        node("Concat", "f minus", "to", axis=0),
        node("Reshape", "x to", "r"),
        node("Tanh", "r", "t"),
        node("Size", "t", "size"),
        node("Range", "nought size one", "places"),
        node("Gather", "t places", "g", axis=1),
        helper.make_node(
            "ConstantOfShape", ["s"], ["c"], value=numpy_helper.from_array(np.array([2.0]))
        ),
        node("Reshape", "c to", "cr"),
        node("Identity", "g", "i"),
        node("Mul", "i cr", "y"),
    ]
    constants = {"zero": np.array(0), "axes": np.array([0]), "nought": np.array(0)}
    proto = model(nodes, (1, 2, 3), constants | {"one": np.array(1)})
    net = imported(proto, tmp_path).network
    agrees(proto, net, (1, 2, 3))
    assert net.describe() == "6-6, graph of 2 nodes: tanh 6, linear 6"


# --- what becomes what --------------------------------------------------------------------------


def chain(tmp_path, nodes, constants, shape=(1, 3)):
    """The network of nodes from x to y."""
    proto = model(nodes, shape, constants)
    net = imported(proto, tmp_path).network
    agrees(proto, net, shape)
    return net


W1, W2, B1 = weights(4, 3), weights(2, 4), weights(4)
DENSE = {"w1": W1.T.copy(), "b1": B1, "w2": W2.T.copy()}


def test_weights_are_held_exactly(tmp_path):
    """MatMul, Add, function, MatMul are two layers with the file's own numbers."""
    nodes = [
        node("MatMul", "x w1", "a"),
        node("Add", "a b1", "z"),
        node("Tanh", "z", "h"),
        node("MatMul", "h w2", "y"),
    ]
    net = chain(tmp_path, nodes, DENSE)
    assert [layer.activation.name for layer in net.layers] == ["tanh", "linear"]
    np.testing.assert_array_equal(net.layers[0].weights, W1)
    np.testing.assert_array_equal(net.layers[0].bias, B1)
    np.testing.assert_array_equal(net.layers[1].weights, W2)


def test_two_layers_without_a_function_stay_two(tmp_path):
    """They are the model's; multiplying them out would lose its numbers."""
    nodes = [node("MatMul", "x w1", "a"), node("MatMul", "a w2", "y")]
    net = chain(tmp_path, nodes, DENSE)
    assert net.widths == (3, 4, 2)
    np.testing.assert_array_equal(net.layers[1].weights, W2)


def test_scaling_goes_into_its_neighbours(tmp_path):
    """Inputs' and outputs' scaling, and what lies between two layers, leave no node."""
    nodes = [
        node("Sub", "x c", "s"),
        node("Div", "s d", "u"),
        node("MatMul", "u w1", "z"),
        node("Sigmoid", "z", "h"),
        node("Mul", "h b1", "g"),
        node("MatMul", "g w2", "v"),
        node("Mul", "v e", "y"),
    ]
    constants = DENSE | {"c": weights(3), "d": weights(3) + 3, "e": np.array(2.5)}
    net = chain(tmp_path, nodes, constants)
    assert net.is_chain
    assert net.depth == 2


def test_skip_connections_stay_sums(tmp_path):
    """The identity is no matrix, however deep, and the import stays linear in the depth."""
    nodes, constants, last = [], {}, "x"
    for k in range(40):
        constants[f"w{k}"] = weights(3, 3) / 3
        nodes += [
            node("Tanh", last, f"t{k}"),
            node("MatMul", f"t{k} w{k}", f"m{k}"),
            node("Add", f"{last} m{k}", f"x{k}"),
        ]
        last = f"x{k}"
    nodes.append(node("Identity", last, "y"))
    net = chain(tmp_path, nodes, constants)
    assert max(len(n.terms) for n in net.nodes) <= 4
    assert net.depth <= 2 * 40 + 1
    assert sum(t.weights is None for n in net.nodes for t in n.terms) >= 40


def test_two_functions_of_one_layer_share_it(tmp_path):
    """Its matrix is multiplied once."""
    nodes = [
        node("MatMul", "x w1", "z"),
        node("Sin", "z", "s"),
        node("Exp", "z", "e"),
        node("Add", "s e", "y"),
    ]
    net = chain(tmp_path, nodes, DENSE)
    assert sum(t.weights is not None for n in net.nodes for t in n.terms) == 1


@pytest.mark.parametrize(
    ("name", "nodes", "constants"),
    [
        ("silu", [node("Sigmoid", "x", "s"), node("Mul", "x s")], {}),
        (
            "gelu",
            [
                node("Div", "x r", "d"),
                node("Erf", "d", "e"),
                node("Add", "e one", "p"),
                node("Mul", "x p", "m"),
                node("Mul", "m half"),
            ],
            {"r": np.sqrt(2.0), "one": 1.0, "half": 0.5},
        ),
        (
            "softplus",
            [node("Exp", "x", "e"), node("Add", "e one", "p"), node("Log", "p")],
            {"one": 1.0},
        ),
        (
            "sigmoid",
            [
                node("Neg", "x", "n"),
                node("Exp", "n", "e"),
                node("Add", "e one", "p"),
                node("Reciprocal", "p"),
            ],
            {"one": 1.0},
        ),
        ("gaussian", [node("Mul", "x x", "q"), node("Neg", "q", "n"), node("Exp", "n")], {}),
        (
            "softsign",
            [node("Abs", "x", "a"), node("Add", "a one", "p"), node("Div", "x p")],
            {"one": 1.0},
        ),
    ],
)
def test_composites_are_recognised(name, nodes, constants, tmp_path):
    """Several nodes that are one function of the table."""
    net = chain(tmp_path, nodes, constants)
    assert [n.label for n in net.nodes] == [name]


def test_a_constant_of_another_precision_makes_another_function(tmp_path):
    """A GELU with √2 in single precision is 1e-8 away from the table's, so it is not that."""
    nodes = [
        node("Div", "x r", "d"),
        node("Erf", "d", "e"),
        node("Add", "e one", "p"),
        node("Mul", "x p", "m"),
        node("Mul", "m half"),
    ]
    constants = {"r": np.float64(np.float32(np.sqrt(2))), "one": 1.0, "half": 0.5}
    net = chain(tmp_path, nodes, constants)
    assert net.depth <= 2
    assert "gelu" not in {n.label for n in net.nodes}


@pytest.mark.parametrize("bound", [100.0, 1e4, 0.001])
def test_clip_is_not_taken_for_what_it_is_near(bound, tmp_path):
    """clip(0, 100) is relu at most points, and still it is not relu."""
    proto = model([node("Clip", "x l h")], (1, 2), {"l": np.array(0.0), "h": np.array(bound)})
    net = imported(proto, tmp_path).network
    x = np.array([bound * 3, -1.0])
    np.testing.assert_array_equal(analytic.value(net, x), [bound, 0.0])


def test_max_and_min_of_numbers_are_one_clip(tmp_path):
    """Min(Max(x, 0), 6) is one node."""
    nodes = [node("Max", "x l", "m"), node("Min", "m h")]
    net = chain(tmp_path, nodes, {"l": 0.0, "h": 6.0})
    assert net.depth == 1


def test_exp_over_sum_is_softmax(tmp_path):
    """Over the whole vector, and over rows of it."""
    for shape, kinds in (((1, 3), ["softmax"]), ((2, 3), ["softmax", "softmax", "form"])):
        nodes = [
            node("Exp", "x", "e"),
            node("ReduceSum", "e a", "s", keepdims=1),
            node("Div", "e s"),
        ]
        net = chain(tmp_path, nodes, {"a": np.array([1])}, shape)
        assert [n.kind for n in net.nodes] == kinds


# --- shapes, batches, names ---------------------------------------------------------------------


def dense(shape, constants=None):
    """One layer on an input of this shape, whose batch may be anything."""
    nodes = [node("MatMul", "x w", "z"), node("Tanh", "z", "y")]
    return model(nodes, shape, constants or {"w": weights(3, 2)})


@pytest.mark.parametrize("shape", [("N", 3), (1, 3), (None, 3), (3,)])
def test_batches_that_are_not_fixed_are_one_point(shape, tmp_path):
    """Symbolic, 1, unknown, absent."""
    assert imported(dense(shape), tmp_path).network.widths == (3, 2)


def test_a_training_sets_size_is_a_batch(tmp_path):
    """4096 rows that do not meet are one point, and the message says so."""
    proto = dense((4096, 3))
    proto.graph.output[0].CopyFrom(
        helper.make_tensor_value_info("y", TensorProto.DOUBLE, (4096, 2))
    )
    found = imported(proto, tmp_path)
    assert found.network.widths == (3, 2)
    assert "an axis of 4096 is a batch" in str(found)


def test_a_batch_may_be_on_the_right(tmp_path):
    """W X with a point in each column."""
    proto = model([node("MatMul", "w x")], (3, 7), {"w": weights(2, 3)})
    proto.graph.output[0].CopyFrom(helper.make_tensor_value_info("y", TensorProto.DOUBLE, (2, 7)))
    assert imported(proto, tmp_path).network.widths == (3, 2)


def test_rows_that_meet_are_no_batch(tmp_path):
    """A softmax over all entries, which are the inputs."""
    proto = model(
        [node("Reshape", "x o", "r"), node("Softmax", "r", "s"), node("Reshape", "s t")],
        (4, 3),
        {"o": np.array([1, -1]), "t": np.array([4, -1])},
    )
    proto.graph.output[0].CopyFrom(helper.make_tensor_value_info("y", TensorProto.DOUBLE, (4, 3)))
    assert imported(proto, tmp_path).network.widths[0] == 12


def two_inputs(names=("rho", "T")):
    """y = tanh(rho) T."""
    first, second = names
    nodes = [node("Tanh", first, "t"), node("Mul", f"t {second}", "p")]
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ("N", 1)) for name in names],
        [helper.make_tensor_value_info("p", TensorProto.FLOAT, ("N", 1))],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def test_inputs_and_outputs_have_the_models_names(tmp_path):
    """And others where they are given; those that formulas cannot have are labels."""
    net = imported(two_inputs(), tmp_path).network
    assert [s.name for s in (*net.inputs, *net.outputs)] == ["rho", "T", "p"]
    net = imported(two_inputs(), tmp_path, inputs=["r", "q"], outputs=["f"]).network
    assert [s.name for s in (*net.inputs, *net.outputs)] == ["r", "q", "f"]
    net = imported(two_inputs(("lambda", "T")), tmp_path).network
    assert net.input_names == ("lambda", "T")
    assert [s.name for s in net.inputs] == ["lambda_", "T"]


def test_outputs_can_be_selected(tmp_path):
    """Whole tensors or entries of them; an unknown name is told."""
    nodes = [node("MatMul", "x w", "y"), node("Sigmoid", "x", "s")]
    proto = model(nodes, (1, 3), {"w": weights(3, 2)}, outputs=("y", "s"))
    assert imported(proto, tmp_path).network.m == 5
    net = imported(proto, tmp_path, select=["s_2", "y"]).network
    assert [str(s) for s in net.outputs] == ["s_2", "y_1", "y_2"]
    assert imported(proto, tmp_path, select=["y"]).network.is_chain
    with pytest.raises(ValueError, match="no output 'z' to select; the model has y, s"):
        imported(proto, tmp_path, select=["z"])


# --- refusals -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("op", "what"),
    [
        ("TreeEnsemble", "no derivative"),
        ("NonMaxSuppression", "chooses by values"),
        ("QuantizeLinear", "before quantisation"),
        ("RandomNormalLike", "random"),
        ("ArgMax", "chooses by values"),
        ("Col2Im", "ConvTranspose"),
        ("Erfc", "ONNX has no such operator"),  # as tf2onnx leaves TensorFlow's
    ],
)
def test_operators_are_refused_by_name(op, what, tmp_path):
    """Which node, which operator, why."""
    nodes = [helper.make_node(op, ["x"], ["y"], name="bad_one")]
    with pytest.raises(ValueError, match=rf"node 'bad_one' \({op}\): .*{what}"):
        imported(model(nodes, (1, 3)), tmp_path)


def test_custom_domains_are_refused(tmp_path):
    """Even when the operator's name is one of ONNX's."""
    nodes = [helper.make_node("Relu", ["x"], ["y"], domain="com.example")]
    with pytest.raises(ValueError, match=r"of the domain 'com\.example'"):
        imported(model(nodes, (1, 3)), tmp_path)


def test_onnxruntimes_own_layout_is_refused_with_its_level(tmp_path):
    """As it saves models that it optimised for the processor at hand."""
    nodes = [helper.make_node("ReorderInput", ["x"], ["y"], domain="com.microsoft.nchwc")]
    with pytest.raises(ValueError, match=r"for one processor; .* ORT_ENABLE_EXTENDED"):
        imported(model(nodes, (1, 8, 2, 2)), tmp_path)


def test_nan_weights_and_future_opsets_are_refused(tmp_path):
    """With the tensor's name and the place, and with what is read."""
    bad = weights(3, 2)
    bad[1, 0] = np.nan
    with pytest.raises(ValueError, match=r"w has the entry nan at \[1, 0\]"):
        imported(dense((1, 3), {"w": bad}), tmp_path)
    with pytest.raises(ValueError, match="its opset is 999; symnet reads 6 to"):
        imported(model([node("Relu")], (1, 3), opset=999), tmp_path)


def test_large_convolutions_are_refused_with_their_size(tmp_path):
    """A full matrix of them would not fit; a small image folds in little time."""
    proto = model([node("Conv", "x w")], (1, 1, 20, 20), {"w": weights(16, 1, 3, 3)})
    with effort.within(5):
        assert imported(proto, tmp_path, check=False).network.widths == (400, 16 * 18 * 18)
    large = {"w": weights(16, 3, 3, 3)}
    proto = model([node("Conv", "x w")], (1, 3, 200, 200), large)
    with pytest.raises(ValueError, match="its outputs are 627,264 numbers"):
        imported(proto, tmp_path, check=False)
    pooled = [node("Conv", "x w", "c"), node("GlobalAveragePool", "c")]
    with pytest.raises(ValueError, match="entries, more than the"):
        imported(model(pooled, (1, 3, 200, 200), large), tmp_path, check=False)
    with pytest.raises(ValueError, match="its inputs are 1,228,800 numbers"):
        imported(model(pooled, (1, 3, 640, 640), large), tmp_path, check=False)


def test_what_will_be_refused_is_before_work_is_done(tmp_path, monkeypatch):
    """An operator without a rule, or a convolution too large, behind any other nodes."""
    monkeypatch.setattr(Graph, "read", lambda *_: pytest.fail("it was read"))
    wide = {"w": weights(64, 3, 3, 3)}
    proto = model([node("Tanh", "x", "t"), node("Conv", "t w")], (1, 3, 200, 200), wide)
    with pytest.raises(ValueError, match=r"a convolution from \(1, 3, 200, 200\) to \(1, 64, "):
        imported(proto, tmp_path, check=False)
    wide = {"w": weights(3, 512, 8, 8)}
    proto = model([node("Tanh", "x", "t"), node("ConvTranspose", "t w")], (1, 3, 40, 40), wide)
    with pytest.raises(ValueError, match=r"ConvTranspose\): a convolution from \(1, 3, 40, 40\)"):
        imported(proto, tmp_path, check=False)
    proto = model([node("Tanh", "x", "t"), node("Hardmax", "t")], (1, 3))
    with pytest.raises(ValueError, match=r"\(Hardmax\): it chooses by values"):
        imported(proto, tmp_path, check=False)


@pytest.mark.parametrize("shape", [[2**40], [2**20, 2**20], [-3]])
def test_huge_shapes_are_refused(shape, tmp_path):
    """Before anything of their size is made."""
    for op in ("ConstantOfShape", "Expand"):
        name = "s" if op == "ConstantOfShape" else "x s"
        with pytest.raises(ValueError, match=r"entries|shape|dimension"):
            imported(
                model([node(op, name, "c"), node("Add", "x c")], (1,), {"s": np.array(shape)}),
                tmp_path,
            )


# --- external data ------------------------------------------------------------------------------


def external(tmp_path, location, length=None):
    """A dense model whose weights lie in a file."""
    proto = dense((1, 3))
    tensor = proto.graph.initializer[0]
    raw = numpy_helper.to_array(tensor).tobytes()
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in (("location", location), ("length", str(length or len(raw)))):
        tensor.external_data.add(key=key, value=value)
    return proto, raw


def test_external_data_are_read(tmp_path):
    """From the model's own folder."""
    proto, raw = external(tmp_path, "model.onnx.data")
    (tmp_path / "model.onnx.data").write_bytes(raw)
    net = imported(proto, tmp_path).network
    np.testing.assert_array_equal(net.layers[0].weights, weights(3, 2).T)


@pytest.mark.parametrize("place", ["../secret", "/etc/passwd", "link", ""])
def test_external_data_stay_in_the_models_folder(place, tmp_path):
    """Neither dots nor absolute paths nor links lead out of it."""
    folder = tmp_path / "in"
    folder.mkdir()
    proto, raw = external(folder, place)
    (tmp_path / "secret").write_bytes(raw)
    os.symlink(tmp_path / "secret", folder / "link")
    with pytest.raises(ValueError, match="outside the model's folder"):
        imported(proto, folder)


def held_in(place, tensor):
    """A model of x plus the tensor, which lies in a branch, a body, an attribute, or sparse."""
    kind = TensorProto.DOUBLE
    out = helper.make_tensor_value_info("b", kind, None)
    if place == "sparse":
        where = numpy_helper.from_array(np.arange(3), "i")
        return model([node("Add", "x w")], (3,)), helper.make_sparse_tensor(tensor, where, [3])
    one = helper.make_node("Constant", [], ["w"], value=tensor)
    inner = [one] if place == "attribute" else []
    held = [] if place == "attribute" else [tensor]
    graph = helper.make_graph([*inner, node("Add", "x w", "b")], "g", [], [out], held)
    if place == "deep":
        choice = helper.make_node("If", ["t"], ["b"], then_branch=graph, else_branch=graph)
        graph = helper.make_graph([choice], "o", [], [out])
    choice = helper.make_node("If", ["t"], ["y"], then_branch=graph, else_branch=graph)
    return model([choice], (3,), {"t": np.array(True)}), None


@pytest.mark.parametrize("place", ["branch", "attribute", "deep", "sparse"])
def test_external_data_of_inner_graphs_are_of_the_models_folder(place, tmp_path, monkeypatch):
    """Wherever the process is: the file of that name in its own folder is another one."""
    tensor = numpy_helper.from_array(weights(3), "w")
    raw = tensor.raw_data
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in (("location", "w.bin"), ("length", "24")):
        tensor.external_data.add(key=key, value=value)
    proto, sparse = held_in(place, tensor)
    if sparse is not None:
        proto.graph.sparse_initializer.append(sparse)
    folder = tmp_path / "sub"
    folder.mkdir()
    (tmp_path / "w.bin").write_bytes(bytes(24))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=r"missing: no file 'w\.bin'"):
        imported(proto, folder)
    (folder / "w.bin").write_bytes(raw)
    net = imported(proto, folder).network
    np.testing.assert_array_equal(analytic.value(net, np.zeros((1, 3)))[0], weights(3))


def test_missing_and_short_external_data(tmp_path):
    """What is said is the file, and the lengths."""
    proto, raw = external(tmp_path, "data")
    with pytest.raises(ValueError, match="missing: no file 'data'"):
        imported(proto, tmp_path)
    (tmp_path / "data").write_bytes(raw[:-8])
    with pytest.raises(ValueError, match="48 bytes from 0 on, but 'data' has 40"):
        imported(proto, tmp_path)


# --- derivatives ----------------------------------------------------------------------------

TWINS = {
    "dense": (
        [
            node("Gemm", "x w1 b1", "z"),
            node("Tanh", "z", "h"),
            node("MatMul", "h w2", "g"),
            node("Softplus", "g", "y"),
        ],
        lambda x, p, jnp, nn: nn.softplus(jnp.tanh(x @ p["w1"] + p["b1"]) @ p["w2"]),
    ),
    "functions": (
        [
            node("Gemm", "x w1 b1", "z"),
            node("Gelu", "z", "a"),
            node("Mish", "z", "b"),
            node("Sigmoid", "z", "s"),
            node("Mul", "z s", "c"),
            node("Concat", "a b c", "y", axis=1),
        ],
        lambda x, p, jnp, nn: jnp.concatenate(
            [
                f(x @ p["w1"] + p["b1"])
                for f in (lambda z: nn.gelu(z, approximate=False), nn.mish, nn.silu)
            ]
        ),
    ),
    "softmax of a skip": (
        [
            node("MatMul", "x w3", "z"),
            node("Exp", "z", "e"),
            node("Add", "e x", "s"),
            node("Softmax", "s", "y", axis=1),
        ],
        lambda x, p, jnp, nn: nn.softmax(jnp.exp(x @ p["w3"]) + x),
    ),
    "normalised": (
        [
            node("Gemm", "x w1 b1", "z"),
            node("LayerNormalization", "z b1", "n", epsilon=0.5),
            node("LogSoftmax", "n", "y", axis=1),
        ],
        lambda x, p, jnp, nn: nn.log_softmax(
            nn.standardize(x @ p["w1"] + p["b1"], epsilon=0.5) * p["b1"]
        ),
    ),
    "products and quotients": (
        [
            node("MatMul", "x w3", "z"),
            node("Sin", "z", "s"),
            node("Mul", "s x", "m"),
            node("Mul", "z z", "zz"),
            node("Add", "zz one", "q"),
            node("Sqrt", "q", "r"),
            node("Div", "m r", "y"),
        ],
        lambda x, p, jnp, nn: jnp.sin(x @ p["w3"]) * x / jnp.sqrt((x @ p["w3"]) ** 2 + 1),
    ),
    "images": (
        [
            node("Reshape", "x shape", "i"),
            node("Conv", "i k", "c", pads=[1, 1]),
            node("Tanh", "c", "t"),
            node("MaxPool", "t", "m", kernel_shape=[2]),
            node("Flatten", "m", "y"),
        ],
        lambda x, p, jnp, nn: jnp.stack(
            [
                jnp.tanh(jnp.convolve(jnp.pad(x, 1), k[0, ::-1], mode="valid"))[i : i + 2].max()
                for k in p["k"]
                for i in (0, 1)
            ]
        ),
    ),
}


@pytest.mark.parametrize("name", TWINS)
def test_derivatives_are_those_of_a_twin_in_jax(name, tmp_path):
    """Values, Jacobians and Hessians by JAX's autodiff, to 1e-12 of the terms."""
    nodes, function = TWINS[name]
    jax = pytest.importorskip("jax")
    p = DENSE | {"w3": weights(3, 3), "one": np.array(1.0), "k": weights(2, 1, 3)}
    proto = model(nodes, (1, 3), p | {"shape": np.array([1, 1, 3])}, opset=20)
    net = imported(proto, tmp_path).network
    X = np.random.default_rng(4).normal(size=(4, 3))
    agrees_with_jax(net, lambda x: function(x, p, jax.numpy, jax.nn), X)


# --- public networks ----------------------------------------------------------------------------

PUBLIC = {
    "idaes_calcite_12-5xtanh-1": "12-60-60-60-60-60-1, tanh, tanh, tanh, tanh, tanh, linear",
    "omlt_keras_linear_131_sigmoid": "1-3-1, sigmoid, linear",
    "marabou_bn_2-3-1": "2-3-1, linear, linear",
    "marabou_dropout": "784-5-5-10, relu, relu, linear",
    "marabou_softmax_last": "784-10, graph of 3 nodes: relu 32, relu 32, softmax 10",
    "marabou_fc_matmul_left": "125-25-50-50-5-5, linear, relu, ",
    "marabou_multi_input_add": "10-10, graph of 3 nodes: relu 5, relu 5, linear 10",
    "marabou_two_branches": "6-12, graph of 5 nodes",
    "playground_go1_swish": "48-512-256-128-12, silu, silu, silu, tanh",
}


@pytest.mark.skipif(not NETS.is_dir(), reason="the folder of public networks is not there")
@pytest.mark.parametrize("name", PUBLIC)
def test_public_networks(name):
    """What each becomes, its values beside onnx's in double precision."""
    found = read(NETS / f"{name}.onnx", Options())
    assert found.network.describe().startswith(PUBLIC[name])
    assert "compared with onnx in double precision" in found.compared
    assert "held exactly" in str(found)
