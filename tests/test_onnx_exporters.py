"""ONNX models as their exporters write them, beside onnx's own evaluator in doubles."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from symnet.witness import analytic

onnx = pytest.importorskip("onnx")
from onnx import TensorProto, helper  # noqa: E402

from onnxmodels import RNG, agrees, imported, model, node, weights  # noqa: E402

TENSORDOT = [
    node("Shape", "x", "s"),
    node("Cast", "s", "i", to=TensorProto.INT32),
    node("Gather", "i free", "rows"),
    node("ReduceProd", "rows", "count", axes=[0], keepdims=0),
    node("Unsqueeze", "count zero", "c"),
    node("Concat", "c two", "flat", axis=0),
    node("Cast", "flat", "flat64", to=TensorProto.INT64),
    node("Reshape", "x flat64", "xs"),
    node("MatMul", "xs w", "z"),
    node("Concat", "rows four", "whole", axis=0),
    node("Cast", "whole", "whole64", to=TensorProto.INT64),
    node("Reshape", "z whole64", "h"),
    node("Tanh", "h", "y"),
]
MODELS = {
    "tf2onnx's dense layer on rows": (
        ("unk__1", 3, 2),
        TENSORDOT,
        {
            **{"free": np.array([0, 1]), "zero": np.array([0]), "w": weights(2, 4)},
            **{name: np.array([k], np.int32) for name, k in (("two", 2), ("four", 4))},
        },
        13,
    ),
    "tf2onnx's images": (
        ("unk__1", 4, 5, 1),
        [
            node("Transpose", "x", "t", perm=[0, 3, 1, 2]),
            node("Conv", "t w", "c", auto_pad="SAME_UPPER"),
            node("Relu", "c", "r"),
            node("MaxPool", "r", "m", kernel_shape=[2, 2], strides=[2, 2]),
            node("Transpose", "m", "u", perm=[0, 2, 3, 1]),
            node("Shape", "u", "s"),
            node("Slice", "s zero one", "b"),
            node("Concat", "b rest", "f", axis=0),
            node("Reshape", "u f", "v"),
            node("MatMul", "v g", "z"),
            node("Softmax", "z", "y", axis=1),
        ],
        {
            **{"w": weights(2, 1, 3, 3), "g": weights(8, 3), "rest": np.array([-1])},
            **{"zero": np.array([0]), "one": np.array([1])},
        },
        12,
    ),
    "CNTK's product with a tensor": (
        (1, 1, 4, 4),
        [
            node("Reshape", "p rows", "w"),
            node("Div", "x scale", "n"),
            node("MaxPool", "n", "m", kernel_shape=[2, 2], strides=[2, 2], auto_pad="NOTSET"),
            node("Reshape", "m row", "r"),
            node("MatMul", "r w", "z"),
            node("Sigmoid", "z", "y"),
        ],
        {
            **{"p": weights(1, 2, 2, 3), "rows": np.array([4, 3]), "row": np.array([1, 4])},
            "scale": np.array(255.0),
        },
        8,
    ),
    "MATLAB's dense layer on images": (
        ("BatchSize", 1, 3, 3),
        [
            node("Sub", "x mean", "c"),
            node("Conv", "c w b", "f", kernel_shape=[3, 3], pads=[0, 0, 0, 0]),
            node("Softmax", "f", "s", axis=1),
            node("Flatten", "s", "y"),
        ],
        {"mean": weights(1, 1, 3, 3), "w": weights(4, 1, 3, 3), "b": weights(4)},
        8,
    ),
    "MXNet's normalisation": (
        (1, 3),
        [
            node("Flatten", "x", "f"),
            node("Gemm", "f w b", "z", transB=1),
            node("BatchNormalization", "z s b m v", "n", momentum=1.0, epsilon=0.25),
            node("Softplus", "n", "y"),
        ],
        {
            **{"w": weights(4, 3), "b": weights(4), "s": weights(4) + 1, "m": weights(4) - 1},
            "v": weights(4, positive=True),
        },
        8,
    ),
    "Paddle's hard swish": (
        (-1, 4),
        [
            node("MatMul", "x w", "z"),
            node("Add", "z three", "a"),
            node("Clip", "a low high", "c"),
            node("Mul", "z c", "p"),
            node("Div", "p six", "h"),
            node("Mul", "h one", "i"),
            node("Add", "i zero", "y"),
        ],
        {
            **{"w": weights(4, 3), "three": np.array([3.0]), "six": np.array([6.0])},
            **{"one": np.ones(1), "zero": np.zeros(1)},
            **{"low": np.array(0.0), "high": np.array(6.0)},
        },
        11,
    ),
}


@pytest.mark.parametrize("name", MODELS)
def test_models_of_exporters(name, tmp_path):
    """Initializers are listed as inputs too, as files of the first versions have them."""
    shape, nodes, constants, opset = MODELS[name]
    proto = model(nodes, shape, constants, opset)
    proto.graph.input.extend(
        helper.make_tensor_value_info(i.name, i.data_type, list(i.dims))
        for i in proto.graph.initializer
    )
    found = imported(proto, tmp_path)
    assert "compared with onnx in double precision" in found.compared
    later = model(nodes, shape, constants, 13)  # the same, which onnx's evaluator runs as it is
    fixed = [s if isinstance(s, int) and s > 0 else 1 for s in shape]
    agrees(later, found.network, fixed)


def test_places_that_are_normalised_on_their_own(tmp_path):
    """BatchNormalization with spatial 0, before opset 9."""
    constants = {n: weights(2, 3) for n in "sbm"} | {"v": weights(2, 3, positive=True)}
    one = node("BatchNormalization", "x s b m v", spatial=0, epsilon=0.25)
    net = imported(model([one], (1, 2, 3), constants, 8), tmp_path).network
    x, (s, b, m, v) = RNG.normal(size=(2, 3)), constants.values()
    expected = (x - m) / np.sqrt(v + np.float32(0.25)) * s + b
    np.testing.assert_allclose(analytic.value(net, x.ravel()), expected.ravel(), atol=1e-14)


def test_columns_of_ml_net(tmp_path):
    """An input for each column; one of words is a label, which is passed on and left out."""
    nodes = [
        node("FeatureVectorizer", "x b", "f", inputdimensions=[1, 1], domain="ai.onnx.ml"),
        node("MatMul", "f w", "s"),
        node("Identity", "label", "label.output"),
        node("Identity", "b", "b.output"),
        node("Identity", "s", "score"),
    ]
    outputs = ("label.output", "b.output", "score")
    proto = model(nodes, (-1, 1), {"w": weights(2, 1)}, outputs=outputs, b=(-1, 1))
    proto.graph.input.append(helper.make_tensor_value_info("label", TensorProto.STRING, (-1, 1)))
    proto.graph.output[0].type.tensor_type.elem_type = TensorProto.STRING
    proto.opset_import.append(helper.make_opsetid("ai.onnx.ml", 1))
    found = imported(proto, tmp_path)
    assert found.notes[0] == "label.output is left out: it is no number"
    assert "compared with onnx in double precision" in found.compared
    assert [str(s) for s in found.network.inputs] == ["x", "b"]
    expected = [3.0, np.dot([2.0, 3.0], weights(2, 1)[:, 0])]
    np.testing.assert_allclose(analytic.value(found.network, [2.0, 3.0]), expected, rtol=1e-15)


@pytest.mark.parametrize("shape", [[8, -1], [8, 8]])
def test_a_fixed_batch_is_one_that_shapes_repeat(shape, tmp_path):
    """The size of the batch in a Reshape."""
    nodes = [node("Conv", "x w", "c"), node("Reshape", "c s", "f"), node("Tanh", "f", "y")]
    proto = model(nodes, (8, 1, 4, 4), {"w": weights(2, 1, 3, 3), "s": np.array(shape)})
    proto.graph.output[0].CopyFrom(helper.make_tensor_value_info("y", TensorProto.DOUBLE, (8, 8)))
    found = imported(proto, tmp_path)
    assert "an axis of 8 is a batch: one point is read" in found.notes
    assert (found.network.n, found.network.m) == (16, 8)


def test_a_fixed_batch_that_is_none_by_its_shapes_is_told(tmp_path):
    """A number in a shape keeps the three rows, as PyTorch's exporter writes `expand_as`."""
    nodes = [node("ReduceSum", "x one", "s"), node("Expand", "s n", "e"), node("Div", "x e", "y")]
    constants = {"one": np.array([1]), "n": np.array([3, 4])}
    proto = model(nodes, (3, 4), constants)
    proto.graph.output[0].CopyFrom(helper.make_tensor_value_info("y", TensorProto.DOUBLE, (3, 4)))
    found = imported(proto, tmp_path)
    assert (found.network.n, found.network.m) == (12, 12)
    assert "an axis of 3, which is no batch by its shapes" in str(found)


def test_a_batch_of_any_size_is_the_first_axis(tmp_path):
    """A scaler of three numbers is of three numbers, not of three points."""
    proto = model([node("Mul", "x two", "y")], ("N", 3), {"two": np.array(2.0)})
    shape = helper.make_tensor_value_info("y", TensorProto.DOUBLE, ("N", 3))
    proto.graph.output[0].CopyFrom(shape)
    assert imported(proto, tmp_path).network.n == 3


def test_sums_that_are_zero_are_divided_by_one(tmp_path):
    """As skl2onnx normalises the probabilities of classes one against the rest."""
    nodes = [
        node("Sigmoid", "x", "p"),
        node("ReduceSum", "p a", "s"),
        node("Cast", "s", "t", to=TensorProto.BOOL),
        node("Not", "t", "n"),
        node("Cast", "n", "z", to=TensorProto.DOUBLE),
        node("Add", "s z", "d"),
        node("Div", "p d", "y"),
    ]
    proto = model(nodes, (1, 3), {"a": np.array([1])})
    agrees(proto, imported(proto, tmp_path).network, (1, 3))


def test_shapes_that_are_missing_are_asked_for(tmp_path):
    """By the name of the input, or of the sizes."""
    proto = model([node("MatMul", "x w", "y")], ("N", "M"), {"w": weights(3, 2)})
    with pytest.raises(ValueError, match="the sizes M of its inputs are not fixed"):
        imported(proto, tmp_path)
    proto.graph.input[0].type.tensor_type.ClearField("shape")
    with pytest.raises(ValueError, match="its input 'x' has no shape"):
        imported(proto, tmp_path)


def test_many_inputs_are_read_or_refused_at_once(tmp_path):
    """A value needs no column for each input; each input is a symbol."""
    many = model([node("ReduceSum", "x")], (1, 9_000))
    tracemalloc.start()
    try:
        assert imported(many, tmp_path).network.n == 9_000
        assert tracemalloc.get_traced_memory()[1] < 1e8  # a matrix of the inputs takes 648 MB
    finally:
        tracemalloc.stop()
    with pytest.raises(ValueError, match="its inputs are 2,000,000 numbers, more than the 131,072"):
        imported(model([node("ReduceSum", "x")], (1, 2_000_000)), tmp_path)
