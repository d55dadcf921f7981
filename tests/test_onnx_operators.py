"""ONNX operators that few models have: resizing, scattering, recurrent layers, sequences, branches.

Beside onnx's own evaluator in doubles, or a twin in JAX or PyTorch where it has none.
"""

from __future__ import annotations

import numpy as np
import pytest

from symnet.witness import analytic
from twins import agrees_with_jax

onnx = pytest.importorskip("onnx")
pytest.importorskip("scipy.special")
from onnx import TensorProto, helper, numpy_helper  # noqa: E402

from onnxmodels import (  # noqa: E402
    RNG,
    agrees,
    agrees_with_runtime,
    curves_alike,
    imported,
    in_single,
    model,
    node,
    weights,
)


def resized(sizes, opset=19, **attributes):
    """A Resize by sizes."""
    return (
        ["Resize", "x r s n"],
        {"r": np.zeros(0), "s": np.zeros(0, np.float32), "n": np.array(sizes)},
        attributes,
        opset,
    )


def scaled(scales, opset=19, **attributes):
    """A Resize by scales."""
    return (
        ["Resize", "x r s"],
        {"r": np.zeros(0), "s": np.array(scales, np.float32)},
        attributes,
        opset,
    )


IMAGE = (1, 2, 4, 5)
AFFINE = {
    "Resize nearest": (IMAGE, *resized([1, 2, 7, 3])),
    "Resize nearest, asymmetric floor": (
        IMAGE,
        *scaled([1, 1, 2, 2], coordinate_transformation_mode="asymmetric", nearest_mode="floor"),
    ),
    "Resize linear": (IMAGE, *resized([1, 2, 7, 9], mode="linear")),
    "Resize linear, by scales": (IMAGE, *scaled([1, 1, 1.3, 0.7], mode="linear")),
    "Resize linear, aligned": (
        IMAGE,
        *resized([1, 2, 7, 3], mode="linear", coordinate_transformation_mode="align_corners"),
    ),
    "Resize linear, PyTorch's": (
        IMAGE,
        *resized([1, 2, 1, 9], mode="linear", coordinate_transformation_mode="pytorch_half_pixel"),
    ),
    "Resize cubic": (IMAGE, *resized([1, 2, 7, 9], mode="cubic", cubic_coeff_a=-0.5)),
    "Resize cubic, exclude": (IMAGE, *resized([1, 2, 7, 9], mode="cubic", exclude_outside=1)),
    "Resize axes": (IMAGE, *resized([7, 3], mode="linear", axes=[2, 3])),
    "CenterCropPad": (
        IMAGE,
        ["CenterCropPad", "x n"],
        {"n": np.array([3, 8])},
        {"axes": [2, 3]},
        18,
    ),
    "GatherND batch": (
        (2, 3, 4),
        ["GatherND", "x i"],
        {"i": np.array([[1], [0]])},
        {"batch_dims": 1},
        17,
    ),
    "ScatterND add": (
        (4, 3),
        ["ScatterND", "x i w"],
        {"i": np.array([[1], [1], [0]]), "w": weights(3, 3)},
        {"reduction": "add"},
        18,
    ),
    "ScatterElements add": (
        (3, 3),
        ["ScatterElements", "x i w"],
        {"i": np.array([[1, 0, 2], [1, 2, 2]]), "w": weights(2, 3)},
        {"axis": 1, "reduction": "add"},
        18,
    ),
    "ScatterElements mul": (
        (3, 3),
        ["ScatterElements", "x i w"],
        {"i": np.array([[1, 0, 2], [1, 2, 2]]), "w": weights(2, 3)},
        {"axis": 0, "reduction": "mul"},
        18,
    ),
    "Compress": (
        (3, 4),
        ["Compress", "x c"],
        {"c": np.array([False, True, True])},
        {"axis": 1},
        17,
    ),
    "ReverseSequence": (
        (4, 2),
        ["ReverseSequence", "x l"],
        {"l": np.array([3, 4])},
        {"time_axis": 0, "batch_axis": 1},
        17,
    ),
}

NONLINEAR = {
    "LRN": (IMAGE, ["LRN", "x"], {}, {"size": 2, "alpha": 0.5, "beta": 0.75}, 17),
    "LpPool": (IMAGE, ["LpPool", "x"], {}, {"kernel_shape": [2, 2], "p": 3, "strides": [2, 1]}, 18),
    "GlobalLpPool": (IMAGE, ["GlobalLpPool", "x"], {}, {}, 17),
    "MeanVarianceNormalization": ((1, 2, 3, 2), ["MeanVarianceNormalization", "x"], {}, {}, 18),
    "CumProd": ((2, 3), ["CumProd", "x a"], {"a": np.array(1)}, {"reverse": 1}, 26),
    "ScatterND max": (
        (4, 3),
        ["ScatterND", "x i w"],
        {"i": np.array([[1], [1], [0]]), "w": weights(3, 3)},
        {"reduction": "max"},
        18,
    ),
    "RMSNormalization": ((2, 3), ["RMSNormalization", "x w"], {"w": weights(3)}, {}, 23),
    "Attention": ((1, 2, 3, 4), ["Attention", "x x x"], {}, {}, 24),
    "RotaryEmbedding": (
        (1, 2, 3, 4),
        ["RotaryEmbedding", "x c s"],
        {"c": weights(1, 3, 2), "s": weights(1, 3, 2)},
        {},
        23,
    ),
    "Mod": ((2, 3), ["Mod", "x c"], {"c": np.array(1.5)}, {"fmod": 1}, 17),
    "TopK": ((2, 3), ["TopK", "x k"], {"k": np.array([2])}, {}, 17),
    "SwiGLU": ((2, 4), ["SwiGLU", "x x"], {}, {}, 28),
}

STEPS = {
    "Floor": ((2, 3), ["Floor", "x"], {}, {}, 17),
    "Ceil": ((2, 3), ["Ceil", "x"], {}, {}, 17),
    "Round": ((2, 3), ["Round", "x"], {}, {}, 17),
}


@pytest.mark.parametrize("name", [*AFFINE, *NONLINEAR, *STEPS])
def test_operators_agree_with_onnx(name, tmp_path):
    """In double precision; what is affine needs no node but the output's."""
    shape, (op, inputs), constants, attributes, opset = (AFFINE | NONLINEAR | STEPS)[name]
    if opset > onnx.defs.onnx_opset_version():
        pytest.skip(f"the installed onnx has no opset {opset}")
    proto = model([node(op, inputs, **attributes)], shape, constants, opset)
    found = imported(proto, tmp_path)
    net = found.network
    agrees(proto, net, shape)
    assert "compared with onnx in double precision" in found.compared
    if name in AFFINE:
        assert [n.kind for n in net.nodes] == ["form"]


PLACED = [
    # entries, a scale or a size, coordinate_transformation_mode, nearest_mode, by hand
    (3, 5 / 3, "asymmetric", "floor", [0, 0, 1, 1, 2]),
    (10, 0.6, "asymmetric", "floor", [0, 1, 3, 5, 6, 8]),
    (7, 0.3, "half_pixel", "round_prefer_ceil", [1, 5]),
    (4, 1.5, "align_corners", "round_prefer_floor", [0, 1, 1, 2, 2, 3]),
    (10, 14, "half_pixel", "round_prefer_floor", [0, 1, 1, 2, 3, 3, 4, 5, 6, 6, 7, 8, 8, 9]),
    (7, 9, "half_pixel", "floor", [0, 0, 1, 2, 3, 3, 4, 5, 6]),
]


@pytest.mark.parametrize(("count", "factor", "places", "nearest", "expected"), PLACED)
def test_entries_exactly_between_are_the_ones_of_a_scale_that_was_meant(
    count, factor, places, nearest, expected, tmp_path
):
    """5/3 is below itself in single precision: four entries of three, in doubles."""
    how = {"coordinate_transformation_mode": places, "nearest_mode": nearest}
    made = scaled if isinstance(factor, float) else resized
    op, constants, attributes, opset = made([1, 1, factor], **how)
    proto = in_single([node(*op, **attributes)], (1, 1, count), constants, opset)
    result = imported(proto, tmp_path)
    assert analytic.value(result.network, np.arange(count)[None]).round(9).tolist() == [expected]
    agrees_with_runtime(proto, result.network, (1, 1, count))


@pytest.mark.parametrize("name", NONLINEAR)
def test_operators_curve_as_onnx_says(name, tmp_path):
    """Along a line, beside differences of onnx's own values."""
    shape, (op, inputs), constants, attributes, opset = NONLINEAR[name]
    if opset > onnx.defs.onnx_opset_version():
        pytest.skip(f"the installed onnx has no opset {opset}")
    proto = model([node(op, inputs, **attributes)], shape, constants, opset)
    curves_alike(proto, imported(proto, tmp_path).network, shape)


# --- recurrent layers ---------------------------------------------------------------------------


def cell(kind, ways=1, **attributes):
    """A layer of 3 neurons on sequences of 2 numbers, with what its weights take."""
    gates = {"RNN": 1, "GRU": 3, "LSTM": 4}[kind]
    constants = {"w": (3 * gates, 2), "r": (3 * gates, 3), "b": (6 * gates,)}
    made = {name: weights(ways, *shape) for name, shape in constants.items()}
    return helper.make_node(kind, ["x", "w", "r", "b"], ["y"], hidden_size=3, **attributes), made


@pytest.mark.parametrize(
    ("kind", "attributes"),
    [("RNN", {}), ("GRU", {}), ("GRU", {"linear_before_reset": 1}), ("LSTM", {})],
)
def test_recurrent_layers_are_unrolled(kind, attributes, tmp_path):
    """Beside onnx's evaluator."""
    one, constants = cell(kind, **attributes)
    proto = model([one], (3, 1, 2), constants)
    net = imported(proto, tmp_path).network
    agrees(proto, net, (3, 1, 2))
    curves_alike(proto, net, (3, 1, 2))


def test_angles_as_exporters_write_them(tmp_path):
    """where(x < 0, where(y > 0, atan(y/x) + π, atan(y/x) − π), atan(y/x)), in all quadrants."""
    nodes = [
        node("Split", "p", "y x", axis=0, num_outputs=2),
        node("Div", "y x", "s"),
        node("Atan", "s", "a"),
        node("Greater", "y zero", "above"),
        node("Add", "a pi", "plus"),
        node("Sub", "a pi", "minus"),
        node("Where", "above plus minus", "turned"),
        node("Less", "x zero", "left"),
        node("Where", "left turned a", "z"),
    ]
    nodes[0].input[:] = ["x0"]
    proto = model(nodes, (2,), {"zero": np.zeros(()), "pi": np.array(np.pi)}, 18, ("z",))
    proto.graph.input[0].name = "x0"
    net = imported(proto, tmp_path).network
    X = np.array([[1.0, 2.0], [1.0, -2.0], [-1.0, -0.5], [-3.0, 0.25]])
    np.testing.assert_allclose(analytic.value(net, X)[:, 0], np.arctan2(*X.T), rtol=1e-15)
    slopes = np.stack([X[:, 1], -X[:, 0]], axis=1) / (X**2).sum(axis=1)[:, None]
    np.testing.assert_allclose(analytic.jacobian(net, X)[:, 0], slopes, rtol=1e-14)


def test_a_fixed_batch_of_sequences_is_one(tmp_path):
    """Exporters write a first state for each of them, all alike."""
    one, constants = cell("GRU")
    one.input[:] = ["s", "w", "r", "b", "", "h"]
    one.output[:] = ["", "last"]
    nodes = [node("Transpose", "x", "s", perm=[1, 0, 2]), one, node("Squeeze", "last axes")]
    constants |= {"h": np.zeros((1, 4, 3)), "axes": np.array([0])}
    proto = model(nodes, (4, 5, 2), constants)
    result = helper.make_tensor_value_info("y", TensorProto.DOUBLE, (4, 3))
    proto.graph.output[0].CopyFrom(result)
    found = imported(proto, tmp_path)
    assert (found.network.n, found.network.m) == (10, 3)
    assert "an axis of 4 is a batch" in str(found)


@pytest.mark.parametrize("kind", ["GRU", "LSTM"])
def test_recurrent_layers_have_two_directions(kind, tmp_path):
    """Values, Jacobians and Hessians beside PyTorch's layer, whose gates are in another order."""
    torch = pytest.importorskip("torch")
    take = {"GRU": [1, 0, 2], "LSTM": [0, 3, 1, 2]}[kind]  # of r z n and i f g o
    module = getattr(torch.nn, kind)(2, 3, bidirectional=True).double()

    def found(name):
        parts = [getattr(module, f"{name}_l0{end}").detach().numpy() for end in ("", "_reverse")]
        return np.stack([np.concatenate([np.split(p, len(take))[k] for k in take]) for p in parts])

    constants = {
        "w": found("weight_ih"),
        "r": found("weight_hh"),
        "b": np.concatenate([found("bias_ih"), found("bias_hh")], axis=1),
    }
    one, _ = cell(
        kind, 2, direction="bidirectional", **({"linear_before_reset": 1} if kind == "GRU" else {})
    )
    proto = model([one], (2, 1, 2), constants)
    net = imported(proto, tmp_path).network
    X = RNG.normal(size=(3, 4))

    def flat(x):
        y, _ = module(x.reshape(2, 1, 2))
        return y.reshape(2, 1, 2, 3).permute(0, 2, 1, 3).reshape(-1)

    jacobian = torch.autograd.functional.jacobian
    for x in X:
        point = torch.from_numpy(x)
        np.testing.assert_allclose(analytic.value(net, x), flat(point).detach(), atol=1e-13)
        np.testing.assert_allclose(analytic.jacobian(net, x), jacobian(flat, point), atol=1e-12)
        hessian = jacobian(lambda p: jacobian(flat, p, create_graph=True), point)
        np.testing.assert_allclose(analytic.hessian(net, x), hessian, atol=1e-12)


# --- graphs in nodes ----------------------------------------------------------------------------


def graph(nodes, inputs, outputs):
    """A body; its tensors are of any shape."""
    infos = [
        [helper.make_tensor_value_info(n, TensorProto.DOUBLE, None) for n in names]
        for names in (inputs, outputs)
    ]
    return helper.make_graph(nodes, "body", *infos)


def test_a_branch_of_a_constant_is_taken(tmp_path):
    """As PyTorch's exporter writes squeeze."""
    then = graph([node("Tanh", "x", "t")], [], ["t"])
    other = graph([node("NonZero", "x", "t")], [], ["t"])
    nodes = [
        node("Shape", "x", "s"),
        node("Gather", "s one", "d"),
        node("Equal", "d three", "c"),
        helper.make_node("If", ["c"], ["y"], then_branch=then, else_branch=other),
    ]
    proto = model(nodes, (1, 3), {"one": np.array(1), "three": np.array(3)})
    agrees(proto, imported(proto, tmp_path).network, (1, 3))
    proto = model([node("Less", "x zero", "c"), *nodes[3:]], (1, 3), {"zero": np.array(0.0)})
    with pytest.raises(ValueError, match="control flow"):
        imported(proto, tmp_path)


def test_loops_of_fixed_length_are_unrolled(tmp_path):
    """The state, and the values of all steps side by side."""
    body = graph(
        [
            node("Identity", "c", "c2"),
            node("MatMul", "h w", "z"),
            node("Tanh", "z", "h2"),
            node("Sin", "h2", "o"),
        ],
        ["i", "c", "h"],
        ["c2", "h2", "o"],
    )
    body.input[0].type.tensor_type.elem_type = TensorProto.INT64
    for info in (body.input[1], body.output[0]):
        info.type.tensor_type.elem_type = TensorProto.BOOL
    one = helper.make_node("Loop", ["n", "yes", "x"], ["h", "y"], body=body)
    proto = model([one], (1, 3), {"yes": np.array(True), "n": np.array(3), "w": weights(3, 3)})
    net = imported(proto, tmp_path).network
    agrees(proto, net, (1, 3))
    assert net.m == 9
    proto = model([one], (1, 3), {"yes": np.array(True), "n": np.array(10**6), "w": weights(3, 3)})
    with pytest.raises(ValueError, match="1000000 steps"):
        imported(proto, tmp_path)


def test_scans_are_unrolled(tmp_path):
    """Rows one after the other, backwards."""
    body = graph(
        [node("Add", "s r", "t"), node("Sigmoid", "t", "s2"), node("Mul", "s2 r", "o")],
        ["s", "r"],
        ["s2", "o"],
    )
    one = helper.make_node(
        "Scan", ["w", "x"], ["s", "y"], body=body, num_scan_inputs=1, scan_input_directions=[0]
    )
    proto = model([one], (3, 2), {"w": weights(2)}, outputs=("s", "y"))
    agrees(proto, imported(proto, tmp_path).network, (3, 2))


def test_sequences_are_put_together_again(tmp_path):
    """As PyTorch's exporter writes split, unbind and stack."""
    nodes = [
        node("SplitToSequence", "x two", "q", axis=1),
        node("SequenceAt", "q last", "a"),
        node("SequenceInsert", "q a zero", "r"),
        node("SequenceErase", "r last", "e"),
        node("ConcatFromSequence", "e", "y", axis=1),
    ]
    constants = {"two": np.array([2, 3]), "last": np.array(-1), "zero": np.array(0)}
    proto = model(nodes, (1, 5), constants)
    net = imported(proto, tmp_path).network
    np.testing.assert_array_equal(analytic.value(net, np.arange(5.0)), [2, 3, 4, 0, 1])


# --- constants and definitions ------------------------------------------------------------------


def test_constants_are_computed_by_onnx(tmp_path):
    """Weights that are kept as integers, and places that are chosen among constants."""
    nodes = [
        node("DequantizeLinear", "q s z", "w"),
        node("MatMul", "x w", "h"),
        node("TopK", "v k", "best at"),
        node("Gather", "h at", "y", axis=1),
    ]
    constants = {
        "q": np.array([[1, -2, 5], [7, 0, -3]], np.int8),
        "s": np.array(0.5),
        "z": np.array(1, np.int8),
        "v": np.array([1.0, 3.0, 2.0]),
        "k": np.array([2]),
    }
    proto = model(nodes, (1, 2), constants)
    net = imported(proto, tmp_path).network
    w = (constants["q"].astype(float) - 1) * 0.5
    np.testing.assert_array_equal(analytic.value(net, np.array([1.0, 2.0])), ([1, 2] @ w)[[1, 2]])


def test_sparse_tensors_are_read(tmp_path):
    """As initializers and constants, with flat places or rows of them."""

    def sparse(name, places):
        values = numpy_helper.from_array(np.array([2.0, -3.0]), name)
        return helper.make_sparse_tensor(values, numpy_helper.from_array(np.array(places)), [2, 3])

    proto = model(
        [
            node("MatMul", "x w", "h"),
            node("Constant", outputs="c", sparse_value=sparse("", [[0, 0], [1, 2]]), inputs=""),
            node("Add", "h c", "y"),
        ],
        (1, 2),
    )
    proto.graph.node[1].input.pop()
    proto.graph.sparse_initializer.append(sparse("w", [1, 5]))
    net = imported(proto, tmp_path).network
    w = np.array([[0, 2.0, 0], [0, 0, -3.0]])
    x = np.array([1.0, 2.0])
    np.testing.assert_array_equal(analytic.value(net, x), (x @ w + [[2, 0, 0], [0, 0, -3]]).ravel())
    proto.graph.sparse_initializer[0].indices.CopyFrom(numpy_helper.from_array(np.array([1, 6])))
    with pytest.raises(ValueError, match="outside of the shape"):
        imported(proto, tmp_path)


def test_functions_of_the_model_are_read(tmp_path):
    """With attributes of their own, and one calls another."""
    opset = helper.make_opsetid("", 17)
    act = helper.make_function(
        "mine", "Act", ["z"], ["a"], [node("LeakyRelu", "z", "a")], [opset], ["alpha"]
    )
    attribute = act.node[0].attribute.add(name="alpha", ref_attr_name="alpha")
    attribute.type = onnx.AttributeProto.FLOAT
    own = helper.make_opsetid("mine", 1)
    inner = [
        node("MatMul", "z w", "h"),
        helper.make_node("Act", ["h"], ["a"], domain="mine", alpha=0.25),
    ]
    layer = helper.make_function("mine", "Layer", ["z", "w"], ["a"], inner, [opset, own])
    proto = model(
        [helper.make_node("Layer", ["x", "w"], ["y"], domain="mine")], (1, 3), {"w": weights(3, 2)}
    )
    proto.opset_import.append(own)
    proto.functions.extend([act, layer])
    net = imported(proto, tmp_path).network
    z = RNG.normal(size=(4, 3))
    h = z @ weights(3, 2)
    np.testing.assert_allclose(analytic.value(net, z), np.where(h > 0, h, h / 4), atol=1e-14)


def test_causal_attention_has_jaxs_derivatives(tmp_path):
    """Masks of −∞ are no weights."""
    proto = model([node("Attention", "x x x", is_causal=1)], (1, 1, 3, 2), opset=23)
    net = imported(proto, tmp_path).network

    def twin(x):
        import jax

        x = x.reshape(3, 2)
        scores = x @ x.T / np.sqrt(2) + np.where(np.tri(3) > 0, 0, -np.inf)
        return jax.nn.softmax(scores) @ x

    agrees_with_jax(net, twin, RNG.normal(size=(3, 6)))


MICROSOFT = {
    "Gelu": ("Gelu", "x", {}, lambda x, nn: nn.gelu(x, approximate=False)),
    "BiasGelu": ("BiasGelu", "x b", {}, lambda x, nn: nn.gelu(x + weights(3), approximate=False)),
    "FastGelu": ("FastGelu", "x b", {}, lambda x, nn: nn.gelu(x + weights(3), approximate=True)),
    "QuickGelu": ("QuickGelu", "x", {"alpha": 1.5}, lambda x, nn: x * nn.sigmoid(1.5 * x)),
    "FusedMatMul": (
        "FusedMatMul",
        "x w",
        {"alpha": 0.5, "transB": 1},
        lambda x, nn: x @ weights(3, 3).T / 2,
    ),
    "FusedGemm": (
        "FusedGemm",
        "x w b",
        {"activation": "Tanh"},
        lambda x, nn: nn.tanh(x @ weights(3, 3) + weights(3)),
    ),
    "FusedGemm, Selu": (
        "FusedGemm",
        "x w b",
        {"activation": "Selu", "activation_alpha": 1.5, "activation_gamma": 0.5},
        lambda x, nn: nn.elu(x @ weights(3, 3) + weights(3), 1.5) / 2,
    ),
    "FusedConv, HardSigmoid": (
        "FusedConv",
        "x k c",
        {"activation": "HardSigmoid", "activation_params": [0.25, 0.375]},
        lambda x, nn: nn.relu6((x * weights(1, 1, 1)[0, 0] + 1) * 1.5 + 2.25) / 6,
    ),
    "FusedConv, Clip": (
        "FusedConv",
        "x k c",
        {"activation": "Clip", "activation_params": [0.0, 6.0]},
        lambda x, nn: nn.relu6(x * weights(1, 1, 1)[0, 0] + 1),
    ),
    "FusedConv": (
        "FusedConv",
        "x k c z",
        {"activation": "Tanh"},
        lambda x, nn: nn.tanh(x * weights(1, 1, 1)[0, 0] + 1 + weights(1, 1, 3)[0]),
    ),
    "FusedConv of itself": (
        "FusedConv",
        "x k c x",
        {"activation": "Sigmoid"},
        lambda x, nn: nn.sigmoid(x * weights(1, 1, 1)[0, 0] + 1 + x),
    ),
    "SkipSimplifiedLayerNormalization": (  # its default epsilon is 1e-12
        "SkipSimplifiedLayerNormalization",
        "x p b",
        {},
        lambda x, nn: nn.standardize(x + weights(1, 3), mean=0, epsilon=1e-12) * weights(3),
    ),
    "SkipLayerNormalization": (
        "SkipLayerNormalization",
        "x p b b",
        {"epsilon": 0.5},
        lambda x, nn: nn.standardize(x + weights(1, 3)[0], epsilon=0.5) * weights(3) + weights(3),
    ),
}


@pytest.mark.parametrize("name", MICROSOFT)
def test_what_onnxruntime_fuses_has_jaxs_derivatives(name, tmp_path):
    """The domain com.microsoft, in which its optimiser writes."""
    jax = pytest.importorskip("jax")
    op, inputs, attributes, twin = MICROSOFT[name]
    one = node(op, inputs, **attributes)
    one.domain = "com.microsoft"
    constants = {"b": weights(3), "w": weights(3, 3), "p": weights(1, 3)}
    constants |= {"k": weights(1, 1, 1), "c": np.ones(1), "z": weights(1, 1, 3)}
    shape = (1, 1, 3) if op == "FusedConv" else (1, 3)
    proto = model([one], shape, {k: v for k, v in constants.items() if k in inputs.split()})
    proto.opset_import.append(helper.make_opsetid("com.microsoft", 1))
    net = imported(proto, tmp_path).network
    agrees_with_jax(net, lambda x: twin(x, jax.nn), RNG.normal(size=(3, 3)))


# --- what exporters write -----------------------------------------------------------------------


def test_probabilities_in_maps_are_a_tensor(tmp_path):
    """skl2onnx's ZipMap; the label is left out, whatever makes it."""
    names = ["no", "perhaps", "yes"]
    nodes = [
        helper.make_node(
            "LinearClassifier",
            ["x"],
            ["l", "p"],
            domain="ai.onnx.ml",
            classlabels_ints=[0, 1, 2],
            coefficients=weights(9).tolist(),
            intercepts=[0.5, 1.0, 2.0],
            post_transform="SOFTMAX",
        ),
        helper.make_node("Cast", ["l"], ["label"], to=TensorProto.STRING),
        helper.make_node("ZipMap", ["p"], ["y"], domain="ai.onnx.ml", classlabels_strings=names),
    ]
    proto = model(nodes, (1, 3), outputs=("label", "y"))
    proto.graph.output[0].type.tensor_type.elem_type = TensorProto.STRING
    proto.graph.output[1].type.sequence_type.elem_type.map_type.key_type = TensorProto.STRING
    proto.opset_import.append(helper.make_opsetid("ai.onnx.ml", 1))
    net = imported(proto, tmp_path).network
    z = weights(9).astype(np.float32).astype(float).reshape(3, 3) @ np.ones(3) + [0.5, 1, 2]
    np.testing.assert_allclose(
        analytic.value(net, np.ones(3)), np.exp(z) / np.exp(z).sum(), atol=1e-15
    )


def test_labels_that_a_classifier_gives_are_left_out(tmp_path):
    """A LinearSVC as skl2onnx writes it: the label itself is an output."""
    nodes = [
        helper.make_node(
            "LinearClassifier",
            ["x"],
            ["label", "s"],
            domain="ai.onnx.ml",
            classlabels_ints=[0, 1],
            coefficients=[-1.0, -2.0, 1.0, 2.0],
            intercepts=[-0.5, 0.5],
        ),
        helper.make_node("ArrayFeatureExtractor", ["s", "k"], ["y"], domain="ai.onnx.ml"),
    ]
    proto = model(nodes, (1, 2), {"k": np.array([1])}, outputs=("label", "y"))
    proto.graph.output[0].type.tensor_type.elem_type = TensorProto.INT64
    proto.opset_import.append(helper.make_opsetid("ai.onnx.ml", 1))
    found = imported(proto, tmp_path)
    assert found.notes == ("label is left out: it is no number",)
    np.testing.assert_array_equal(analytic.value(found.network, np.array([1.0, 3.0])), [7.5])


@pytest.mark.parametrize("kernel", ["rbf", "poly", "sigmoid", "linear"])
def test_support_vectors_of_scikit_learns_exporter(kernel, tmp_path):
    """The arrays of an SVR as skl2onnx writes them, beside its own predictions."""
    svm = pytest.importorskip("sklearn.svm")
    X = RNG.normal(size=(30, 3))
    fitted = svm.SVR(kernel=kernel, gamma=0.25, coef0=0.5, degree=2).fit(X, np.sin(X).sum(axis=1))
    one = helper.make_node(
        "SVMRegressor",
        ["x"],
        ["y"],
        domain="ai.onnx.ml",
        kernel_type=kernel.upper(),
        kernel_params=[0.25, 0.5, 2.0],
        n_supports=len(fitted.support_),
        coefficients=fitted.dual_coef_.ravel().tolist(),
        support_vectors=fitted.support_vectors_.ravel().tolist(),
        rho=fitted.intercept_.tolist(),
    )
    proto = model([one], (1, 3))
    proto.opset_import.append(helper.make_opsetid("ai.onnx.ml", 1))
    net = imported(proto, tmp_path).network
    np.testing.assert_allclose(analytic.value(net, X)[:, 0], fitted.predict(X), atol=1e-5)


def test_every_operator_is_read_or_refused_by_a_reason():
    """Those of ONNX and of its models of machine learning, as the installed onnx has them."""
    from symnet.importers.onnx import operators, refusals

    schemas = {(s.domain, s.name): s for s in onnx.defs.get_all_schemas()}
    unread = [
        (name, domain)
        for (domain, name), s in schemas.items()
        if name not in operators.DOMAINS.get(domain, {})
        and not (s.has_function or s.has_context_dependent_function)
    ]
    plain = [name for name, domain in unread if "no rule" in refusals.reason(name, domain)]
    assert sorted(plain) == ["Constant", "MelWeightMatrix"]  # read before the tables are
    names = {name for _, name in schemas}
    assert {*operators.READERS, *refusals._REASONS} <= names
