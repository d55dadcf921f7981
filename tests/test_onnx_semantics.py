"""What ONNX's attributes, optional inputs and unnamed outputs say of an operator, one by one.

Beside onnx's own evaluator, and beside onnxruntime where the evaluator has another value.
"""

from __future__ import annotations

import re

import numpy as np
import pytest

from symnet.importers.folding.tensors import Tensors
from symnet.witness import analytic

onnx = pytest.importorskip("onnx")
pytest.importorskip("scipy.special")
from onnx import TensorProto, helper, numpy_helper  # noqa: E402

from onnxmodels import RNG, agrees, agrees_with_runtime, imported, in_single, model, node, weights  # noqa: E402
from symnet.importers import comparing  # noqa: E402
from symnet.importers.onnx import arithmetic, contributed, double  # noqa: E402
from symnet.witness.checking import CheckError  # noqa: E402

STATISTICS = {"s": weights(3), "b": weights(3), "m": weights(3), "v": weights(3, positive=True)}


# --- normalisation in training mode -------------------------------------------------------------


@pytest.mark.parametrize("opset", [7, 9, 13])
def test_statistics_of_a_batch_are_training_mode(opset, tmp_path):
    """Opsets 7 to 13 have no other word for it than more outputs; those without names are none."""
    nodes = [node("BatchNormalization", "x s b m v", "y mean var saved kept")]
    with pytest.raises(ValueError, match="training mode; export it in evaluation mode"):
        imported(model(nodes, (2, 3), STATISTICS, opset), tmp_path)
    nodes = [helper.make_node("BatchNormalization", list("xsbmv"), ["y", "", ""])]
    net = imported(model(nodes, (1, 3), STATISTICS, opset), tmp_path).network
    agrees(model([node("BatchNormalization", "x s b m v")], (1, 3), STATISTICS), net, (1, 3))


# --- places and sizes ---------------------------------------------------------------------------


@pytest.mark.parametrize("auto", ["NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"])
@pytest.mark.parametrize("size", [8, 9, 10])
def test_a_given_size_cuts_the_larger_part_first_but_for_same_upper(auto, size, tmp_path):
    """What is odd of the padding of a ConvTranspose with output_shape."""
    one = node("ConvTranspose", "x w", strides=[2], output_shape=[size], auto_pad=auto)
    proto = in_single([one], (1, 2, 4), {"w": weights(2, 1, 4)})
    agrees_with_runtime(proto, imported(proto, tmp_path).network, (1, 2, 4))


def test_an_image_larger_than_what_kernels_write_is_refused(tmp_path):
    """Programs fill it differently."""
    one = node("ConvTranspose", "x w", strides=[2], output_shape=[11])
    with pytest.raises(ValueError, match=r"its image is \[11\], larger than the \[10\]"):
        imported(model([one], (1, 1, 4), {"w": weights(1, 1, 4)}), tmp_path)


def test_gathered_elements_are_as_many_as_indices(tmp_path):
    """PyTorch's gather is written with indices that are shorter than the data on other axes."""
    index = np.array([[[2, -1, 0]], [[1, 1, 2]]])
    proto = in_single([node("GatherElements", "x i", axis=2)], (2, 3, 4), {"i": index})
    net = imported(proto, tmp_path).network
    assert net.m == 6
    agrees_with_runtime(proto, net, (2, 3, 4))
    with pytest.raises(ValueError, match=r"indices of the shape \(2, 1, 3\) in a tensor of .*1, 4"):
        imported(model([node("GatherElements", "x i", axis=2)], (1, 1, 4), {"i": index}), tmp_path)


@pytest.mark.parametrize("opset", [11, 19])
@pytest.mark.parametrize(("pads", "kernel", "stride"), [(0, 3, 2), (1, 3, 2), (1, 4, 3)])
def test_a_mean_counts_padding_but_nothing_beyond_it(pads, kernel, stride, opset, tmp_path):
    """PyTorch's default with ceil_mode: the last window may reach beyond the padding."""
    one = node(
        "AveragePool",
        kernel_shape=[kernel, 2],
        strides=[stride, 2],
        pads=[pads, 0, pads, 0],
        **{"ceil_mode": 1, "count_include_pad": 1},
    )
    proto = in_single([one], (1, 2, 6, 5), opset=opset)
    agrees_with_runtime(proto, imported(proto, tmp_path).network, (1, 2, 6, 5))


# --- whole numbers ------------------------------------------------------------------------------


def whole(nodes, constants=None, kind=TensorProto.INT64):
    """A model of three whole numbers x."""
    proto = model(nodes, (1, 3), constants, kind=kind)
    proto.graph.output[0].type.tensor_type.elem_type = TensorProto.DOUBLE
    return proto


HALVES = [helper.make_tensor_value_info("h", TensorProto.INT64, None)]
HALF = helper.make_graph([node("Div", "x two", "h")], "g", [], HALVES)


@pytest.mark.parametrize(
    "nodes",
    [
        [node("Div", "x two", "h"), node("Cast", "h", to=TensorProto.DOUBLE)],
        [node("Add", "x two", "a"), node("ReduceMean", "a", "h"), node("Identity", "h")],
        [node("Pow", "x w")],
        [node("CastLike", "w x", "v"), node("Cast", "v", to=TensorProto.DOUBLE)],
        [helper.make_node("If", ["t"], ["y"], then_branch=HALF, else_branch=HALF)],
    ],
)
def test_whole_numbers_have_no_values_of_real_ones(nodes, tmp_path):
    """7/2 is 3 of them; the model says so by the type of its input."""
    constants = {"two": np.array(2), "w": weights(3), "t": np.array(True)}
    with pytest.raises(ValueError, match=r"whole numbers \([xa]\).*cast that input to floats"):
        imported(whole(nodes, constants), tmp_path)


@pytest.mark.parametrize("kind", [TensorProto.INT64, TensorProto.UINT8, TensorProto.BOOL])
def test_whole_numbers_that_are_cast_are_read_as_real_ones(kind, tmp_path):
    """And it is said that they are."""
    nodes = [
        node("Reshape", "x s", "r"),
        node("Cast", "r", "f", to=TensorProto.DOUBLE),
        node("Div", "f two"),
    ]
    found = imported(whole(nodes, {"s": np.array([3]), "two": np.array(2.0)}, kind), tmp_path)
    word = "truth values" if kind == TensorProto.BOOL else "whole numbers"
    assert f"x is of {word}: read as real ones" in found.notes
    assert analytic.value(found.network, np.array([[3.0, 5.0, 1.0]])).tolist() == [[1.5, 2.5, 0.5]]


# --- witnesses ----------------------------------------------------------------------------------


def fused(activation="Tanh"):
    """A FusedGemm, which onnx's evaluator does not know, in single precision."""
    one = node("FusedGemm", "x w", activation=activation)
    one.domain = "com.microsoft"
    proto = in_single([one], (1, 3), {"w": weights(3, 2)})
    proto.opset_import.append(helper.make_opsetid("com.microsoft", 1))
    return proto


def test_onnxruntime_is_the_witness_where_the_evaluator_is_none(tmp_path, monkeypatch):
    """And a wrong rule is found by it."""
    pytest.importorskip("onnxruntime")
    found = imported(fused(), tmp_path)
    assert "compared with onnxruntime in single precision" in found.compared
    monkeypatch.setitem(contributed.READERS, "FusedGemm", arithmetic.READERS["Gemm"])
    with pytest.raises(CheckError, match="differs from onnxruntime by"):
        imported(fused(), tmp_path)


def test_a_runtime_that_differs_from_the_evaluator_is_named(tmp_path, monkeypatch):
    """As onnxruntime does where a nearest neighbour is at a multiple of 7: the network is right."""
    monkeypatch.setattr(double, "single", lambda *_: lambda X, names: 1 - X)
    found = imported(in_single([node("Neg", "x")], (1, 3)), tmp_path)
    assert "differs from onnxruntime by" in found.compared
    assert found.compared.endswith("it disagrees with onnx's own evaluator")


def test_rounding_of_single_precision_is_no_difference(tmp_path):
    """Of what it makes large: cos(1e7 x) in single precision is another number."""
    pytest.importorskip("onnxruntime")
    nodes = [node("Mul", "x c", "z"), node("Cos", "z")]
    proto = in_single(nodes, (1, 3), {"c": np.array(1e7)})
    assert "onnxruntime in single precision" in imported(proto, tmp_path).compared


def test_values_too_small_for_single_precision_are_no_other_values(tmp_path):
    """Deep contracting networks end there: onnxruntime gives 0."""
    pytest.importorskip("onnxruntime")
    nodes = [node("Mul", "x a", "z"), node("Tanh", "z", "t"), node("Mul", "t a")]
    found = imported(in_single(nodes, (1, 2), {"a": np.float32(1e-25)}), tmp_path)
    assert "onnxruntime in single precision 0.0e+00" in found.compared


@pytest.mark.parametrize("held", ["cast", "initializer"])
def test_branches_are_in_double_precision_beside_the_evaluator(held, tmp_path):
    """A single precision left in a branch is no error of the network's, nor hides one."""
    out = [helper.make_tensor_value_info("h", TensorProto.FLOAT, None)]
    third = [numpy_helper.from_array(np.array([1 / 3], np.float32), "w")]
    nodes = [node("Cast", "x", "c", to=TensorProto.FLOAT), node("Mul", "c c", "h")]
    if held == "cast":
        graph = helper.make_graph(nodes, "g", [], out)
    else:
        graph = helper.make_graph([node("Mul", "x w", "h")], "g", [], out, third)
    choice = helper.make_node("If", ["t"], ["y"], then_branch=graph, else_branch=graph)
    found = imported(in_single([choice], (1, 3), {"t": np.array(True)}), tmp_path)
    assert "compared with onnx in double precision" in found.compared


# --- words of single operators ------------------------------------------------------------------

REDUCTIONS = ("L1", "L2", "LogSum", "LogSumExp", "Max", "Mean", "Min", "Prod", "Sum", "SumSquare")


@pytest.mark.parametrize("kind", REDUCTIONS)
def test_a_reduction_of_no_axis_is_of_each_entry(kind, tmp_path):
    """noop_with_empty_axes: |x| of ReduceL1, not x."""
    one = node(f"Reduce{kind}", noop_with_empty_axes=1)
    net = imported(model([one], (2, 3), opset=18), tmp_path, check=False).network
    expected = {
        **dict.fromkeys(("L1", "L2"), np.abs),
        **{"SumSquare": np.square, "LogSum": np.log},
    }.get(kind, np.array)
    X = RNG.uniform(0.1, 2, size=(4, 6)) * (1 if kind == "LogSum" else -1)
    np.testing.assert_allclose(analytic.value(net, X), expected(X), rtol=1e-12)


def test_a_clip_whose_bounds_cross_is_the_upper_one(tmp_path):
    """min(max(x, 2), 1)."""
    bounds = {"l": np.array(2.0), "h": np.array(1.0), "o": np.array(1.0)}
    proto = model([node("Clip", "x l h", "c"), node("Mul", "x c")], (1, 3), bounds)
    agrees(proto, imported(proto, tmp_path).network, (1, 3))
    proto = model([node("Clip", "x l h", "c"), node("Add", "x c")], (1, 3), bounds)
    agrees(proto, imported(proto, tmp_path).network, (1, 3))


@pytest.mark.parametrize("low", [np.inf, 7.0])
def test_a_bound_of_a_clip_that_no_number_reaches(low, tmp_path):
    """It was dropped, and the comparison then said that the values differ."""
    bounds = {"l": np.array(low), "h": np.array(1.0)}
    proto = model([node("Clip", "x l h", "c"), node("Add", "x c")], (1, 3), bounds)
    net = imported(proto, tmp_path).network
    np.testing.assert_array_equal(analytic.value(net, [1.0, 8.0, -2.0]), [2.0, 9.0, -1.0])
    t = Tensors()
    with pytest.raises(ValueError, match="a bound of it is NaN"):
        t.clip(t.fold.inputs_of([(3,)])[0], np.nan, None)


@pytest.mark.parametrize("p", [1, 2])
def test_the_norm_is_of_magnitudes(p, tmp_path):
    """onnx's own evaluator sums x where p is 1."""
    proto = in_single([node("LpNormalization", p=p, axis=1)], (2, 3))
    agrees_with_runtime(proto, imported(proto, tmp_path).network, (2, 3))


@pytest.mark.parametrize(
    ("op", "attributes", "why"),
    [
        ("Normalizer", {"norm": "MAX"}, "its norm is MAX"),
        ("Normalizer", {}, "its norm is MAX"),
        ("Imputer", {"imputed_value_floats": [7.0]}, "it replaces the value 0"),
    ],
)
def test_defaults_of_scikit_learns_operators_are_refused(op, attributes, why, tmp_path):
    """An Imputer replaces 0 by default; programs differ in what the largest is."""
    one = helper.make_node(op, ["x"], ["y"], domain="ai.onnx.ml", **attributes)
    proto = model([one], (1, 3))
    proto.opset_import.append(helper.make_opsetid("ai.onnx.ml", 1))
    with pytest.raises(ValueError, match=why):
        imported(proto, tmp_path)


@pytest.mark.parametrize("mode", ["DCR", "CRD"])
def test_space_to_depth_undoes_depth_to_space(mode, tmp_path):
    """In either order of channels, of which newer opsets tell."""
    nodes = [node("DepthToSpace", "x", "s", blocksize=2, mode=mode)]
    nodes += [node("SpaceToDepth", "s", blocksize=2, mode=mode)]
    if onnx.defs.onnx_opset_version() < 28:
        pytest.skip("the installed onnx has no opset 28")
    proto = model(nodes, (1, 8, 2, 1), opset=28)
    net = imported(proto, tmp_path, check=False).network
    X = RNG.normal(size=(2, 16))
    np.testing.assert_array_equal(analytic.value(net, X), X)


@pytest.mark.parametrize(("signs", "kept"), [({}, [0, 1, 0]), ({"detect_negative": 0}, [1, 1, 0])])
def test_infinite_constants_are_found(signs, kept, tmp_path):
    """IsInf of a mask."""
    nodes = [
        node("IsInf", "m", "i", **signs),
        node("Not", "i", "n"),
        node("Cast", "n", "f", to=TensorProto.DOUBLE),
        node("Mul", "x f"),
    ]
    proto = model(nodes, (1, 3), {"m": np.array([-np.inf, 0.0, np.inf])})
    net = imported(proto, tmp_path).network
    np.testing.assert_array_equal(analytic.value(net, np.ones((1, 3)))[0], kept)


def test_norms_of_other_orders_and_cut_columns_are_refused(tmp_path):
    """Both were read as something else."""
    with pytest.raises(ValueError, match="its p is 3"):
        imported(model([node("LpNormalization", p=3)], (1, 3)), tmp_path, check=False)
    one = helper.make_node(
        "FeatureVectorizer", ["x", "x"], ["y"], domain="ai.onnx.ml", inputdimensions=[2, 3]
    )
    proto = model([one], (1, 3))
    proto.opset_import.append(helper.make_opsetid("ai.onnx.ml", 1))
    with pytest.raises(ValueError, match=r"its inputdimensions are \[2, 3\], but .* \[3, 3\]"):
        imported(proto, tmp_path, check=False)


# --- older opsets, and what few models ask for ---------------------------------------------------


@pytest.mark.parametrize("op", ["Less", "Greater", "And", "Or", "Xor"])
def test_old_comparisons_are_placed_by_axis(op, tmp_path):
    """As sums are, in opset 6: the second argument is of rows here, not of columns."""
    truth = op in ("And", "Or", "Xor")
    second = np.array([True, False, True]) if truth else weights(3)
    first = [node("Greater", "x zero", "b", broadcast=1)] if truth else []
    last = [node(op, "b w" if truth else "x w", "c", broadcast=1, axis=0), node("Cast", "c", to=11)]
    proto = model([*first, *last], (3, 3), {"w": second, "zero": np.zeros(1)}, 6)
    x = RNG.normal(size=(3, 3))
    call = {"Less": np.less, "Greater": np.greater, "And": np.logical_and, "Or": np.logical_or}
    expected = call.get(op, np.logical_xor)(x > 0 if truth else x, second[:, None])
    found = analytic.value(imported(proto, tmp_path).network, x.reshape(1, -1))
    assert found.reshape(3, 3).tolist() == expected.astype(float).tolist()


def test_old_slopes_are_of_channels(tmp_path):
    """In opset 6 a PRelu's slopes are not spread as NumPy spreads, but one for each channel."""
    proto = model([node("PRelu", "x w")], (1, 3, 3), {"w": np.array([1.0, 2.0, 3.0])}, 6)
    found = imported(proto, tmp_path)
    assert "not compared" in found.compared
    assert (
        analytic.value(found.network, -np.ones((1, 9)))[0].tolist()
        == [-1] * 3 + [-2] * 3 + [-3] * 3
    )


@pytest.mark.parametrize(("opset", "row"), [(9, [0, 0, 0]), (11, [0, 0, 1])])
def test_categories_below_zero_count_from_the_end_since_opset_11(opset, row, tmp_path):
    """Before they were no category."""
    nodes = [node("OneHot", "i d v", "h"), node("Mul", "x h")]
    constants = {"i": np.array([1, -1]), "d": np.array(3), "v": np.array([0.0, 1.0])}
    net = imported(model(nodes, (2, 3), constants, opset), tmp_path, check=False).network
    assert analytic.value(net, np.ones((1, 6)))[0].tolist() == [0, 1, 0, *row]
    del constants["i"]
    nodes = [
        *(node("Floor", "x", "f"), node("Cast", "f", "i", to=TensorProto.INT64)),
        *(node("OneHot", "i d v", "h"), node("Cast", "h", to=TensorProto.DOUBLE)),
    ]
    net = imported(model(nodes, (2,), constants, opset), tmp_path, check=False).network
    assert analytic.value(net, [1.2, -0.5]).tolist() == [0, 1, 0, *row]


WHOLE = {
    "Abs": "k",
    "Sign": "k",
    "Relu": "k",
    "ReduceMean": "k",
    "ReduceL2": "k",
    "CumSum": "k zero",
    "Pow": "k power",
    "Clip": "k least",
    "EyeLike": "k",
}


@pytest.mark.parametrize("op", WHOLE)
def test_constants_of_whole_numbers_stay_whole_numbers(op, tmp_path):
    """Halves of them are whole numbers too: 5/2 is 2."""
    shape = (1, 3) if op == "EyeLike" else (3,)
    constants = {
        "k": np.array([3, -5, 4], np.int32).reshape(shape),
        **{"zero": np.array(0), "power": np.array(1.5)},
        **{"least": np.array(1, np.int32), "two": np.array(2, np.int32)},
    }
    if op == "Pow":
        constants["k"] = np.abs(constants["k"])
    nodes = [
        node(op, WHOLE[op], "e"),
        node("Div", "e two", "h"),
        node("Cast", "h", "f", to=TensorProto.FLOAT),
        node("Add", "x f"),
    ]
    proto = in_single(nodes, (3,), constants, 15)
    agrees_with_runtime(proto, imported(proto, tmp_path, check=False).network, (3,))


def test_an_identity_matrix_has_the_type_that_is_asked_for(tmp_path):
    """Whole numbers of a matrix of real ones."""
    nodes = [node("EyeLike", "w", "e", dtype=TensorProto.INT32), node("Div", "e two", "h")]
    nodes += [node("Cast", "h", "f", to=TensorProto.DOUBLE), node("Add", "x f")]
    proto = model(nodes, (2, 2), {"w": weights(2, 2), "two": np.array(2, np.int32)})
    net = imported(proto, tmp_path).network
    assert analytic.value(net, np.zeros((1, 4))).tolist() == [[0, 0, 0, 0]]


@pytest.mark.parametrize(
    ("outputs", "shape"), [("y m d", (2, 3)), ("q m y", (2, 3)), ("q y d", (1, 3))]
)
def test_a_normalised_layer_gives_its_mean_and_deviation(outputs, shape, tmp_path):
    """PyTorch names all three, of which models use the first."""
    one = node("LayerNormalization", "x s b", outputs, epsilon=0.01)
    proto = model([one], shape, {"s": weights(3), "b": weights(3)})
    net = imported(proto, tmp_path).network
    assert net.m == (6 if outputs[0] == "y" else shape[0])
    agrees(proto, net, shape)


def test_places_of_the_largest_matter_where_they_are_used(tmp_path):
    """PyTorch names them, and models throw them away."""
    one = node("MaxPool", "x", "y i", kernel_shape=[2])
    net = imported(model([one], (1, 1, 4)), tmp_path).network
    agrees(model([one], (1, 1, 4)), net, (1, 1, 4))
    nodes = [one, node("Cast", "i", "z", to=TensorProto.DOUBLE)]
    with pytest.raises(ValueError, match=r"'y' \(MaxPool\): i is no number"):
        imported(model(nodes, (1, 1, 4), outputs=("z",)), tmp_path)


VARYING = {
    "LayerNormalization": (17, {}, "x a a", (2, 3)),
    "RMSNormalization": (23, {}, "x a", (2, 3)),
    "InstanceNormalization": (17, {}, "t a a", (2, 3)),
    "Clip": (17, {}, "x l h", (2, 3)),
    "CumProd": (26, {"exclusive": 1}, "x last", (2, 3)),
    "CumProd back": (26, {"exclusive": 1, "reverse": 1}, "x first", (2, 3)),
    "Det": (17, {}, "x", (3, 3)),
    "Det of several": (17, {}, "x", (3, 2, 2)),
}


@pytest.mark.parametrize("name", VARYING)
def test_parameters_may_depend_on_the_inputs(name, tmp_path):
    """Scales and bounds that the model computes; determinants are written out."""
    opset, attributes, inputs, shape = VARYING[name]
    if opset > onnx.defs.onnx_opset_version():
        pytest.skip(f"the installed onnx has no opset {opset}")
    nodes = [
        node("ReduceMean", "x", "a", axes=[0], keepdims=0) if opset < 18 else None,
        node("Reshape", "x tall", "t") if shape == (2, 3) else None,
        node("Mul", "x half", "l"),
        node("Abs", "x", "h"),
        node(name.split()[0], inputs, **attributes),
    ]
    if opset >= 18:
        nodes[0] = node("ReduceMean", "x zero", "a", keepdims=0)
    constants = {"half": np.array(0.5), "zero": np.array([0]), "tall": np.array([1, 3, 2])}
    constants |= {"first": np.array(0), "last": np.array(1)}
    proto = model([one for one in nodes if one is not None], shape, constants, opset)
    agrees(proto, imported(proto, tmp_path).network, shape)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("side", [-1, 1])
def test_the_limits_of_a_type_are_no_bounds(kind, side, tmp_path):
    """PyTorch clamps logarithms of probabilities by them."""
    limit = np.array(side * np.finfo(kind).max, dtype=np.float64)
    proto = model([node("Clip", "x l" if side < 0 else "x none l", "y")], (1, 3), {"l": limit})
    if side > 0:
        proto.graph.node[0].input[1] = ""
    net = imported(proto, tmp_path).network
    agrees(proto, net, (1, 3))
    np.testing.assert_array_equal(analytic.jacobian(net, np.ones((1, 3)))[0], np.eye(3))


def test_onnxruntime_outvotes_the_evaluator(tmp_path):
    """Of which some operators have other values; a network beside none of both is refused."""
    pytest.importorskip("onnxruntime")
    one = node("MaxPool", "x", kernel_shape=[3], strides=[2], auto_pad="SAME_LOWER")
    proto = in_single([one], (1, 1, 7))
    found = imported(proto, tmp_path)
    assert "onnxruntime in single precision" in found.compared
    assert "onnx's own evaluator has other values" in found.compared
    agrees_with_runtime(proto, found.network, (1, 1, 7))


def test_without_onnxruntime_it_is_said_that_onnx_may_err(tmp_path, monkeypatch):
    """With its version, as some have other values, and what settles it."""
    monkeypatch.setattr(double, "single", lambda *_: None)
    one = node("MaxPool", "x", kernel_shape=[3], strides=[2], auto_pad="SAME_LOWER")
    said = f"or onnx {re.escape(onnx.__version__)} errs, .*: pip install onnxruntime, which is then"
    with pytest.raises(CheckError, match=said):
        imported(in_single([one], (1, 1, 7)), tmp_path)


def test_a_group_is_normalised_in_double_precision_beside_the_evaluator(tmp_path):
    """Whose definition has single precision (stash_type)."""
    one = node("GroupNormalization", "x s b", num_groups=2)
    proto = model([one], (1, 4, 3), {"s": weights(4), "b": weights(4)}, 21)
    assert "compared with onnx in double" in imported(proto, tmp_path).compared


def test_what_is_nan_is_not_replaced(tmp_path):
    """As scikit-learn's exporter writes Yeo and Johnson's powers; of inputs nothing is NaN."""
    imputer = node("Imputer", "r", replaced_value_float=np.nan, imputed_value_floats=[0.0])
    imputer.domain = "ai.onnx.ml"

    def proto(first):
        made = in_single([first, imputer], (1, 2), {"p": np.array(0.5)})
        made.opset_import.append(helper.make_opsetid("ai.onnx.ml", 1))
        return made

    with pytest.raises(ValueError, match="replaces the value nan of what the model computes"):
        imported(proto(node("Pow", "x p", "r")), tmp_path)
    net = imported(proto(node("Mul", "x p", "r")), tmp_path).network
    assert analytic.value(net, np.array([[2.0, 4.0]])).tolist() == [[1, 2]]


@pytest.mark.parametrize("lost", [0, 1])
def test_a_finite_value_where_the_other_has_none_is_a_difference(lost):
    """Of the network as of the model; where both have none the point is left out."""
    values = [np.ones((3, 1)), np.ones((3, 1))]
    for one in values:
        one[2] = np.nan
    assert comparing.distance(*values) == 0
    values[lost][1] = np.nan
    assert comparing.distance(*values) == np.inf


def test_a_value_that_only_onnxruntime_has_is_seen(tmp_path, monkeypatch):
    """Where onnx's evaluator does not know the operator."""
    pytest.importorskip("onnxruntime")
    root = lambda c: c.tensors.apply("sqrt", arithmetic.READERS["Gemm"](c))  # noqa: E731
    monkeypatch.setitem(contributed.READERS, "FusedGemm", root)
    with pytest.raises(CheckError, match="no finite value where onnxruntime has one"):
        imported(fused(), tmp_path)


@pytest.mark.parametrize("made", ["node", "initializer"])
def test_a_tensor_is_made_once(made, tmp_path):
    """By two nodes, or by a node and as an initializer: programs take the one or the other."""
    nodes = [node("Relu"), node("Tanh")] if made == "node" else [node("Tanh")]
    constants = {"y": weights(3)} if made == "initializer" else {}
    with pytest.raises(ValueError, match="it makes 'y' 2 times, by nodes, inputs or initializers"):
        imported(model(nodes, (1, 3), constants), tmp_path)


def test_a_branch_makes_no_name_that_is_there_around_it(tmp_path):
    """Programs took the outer W, of which the branch has its own."""
    branches = {}
    for name in ("then_branch", "else_branch"):
        result = helper.make_tensor_value_info(name, TensorProto.DOUBLE, None)
        inner = [numpy_helper.from_array(weights(3, 2) * 2, "w")]
        product = [node("MatMul", "x w", name)]
        branches[name] = helper.make_graph(product, name, [], [result], inner)
    proto = model([node("If", "k", **branches)], (1, 3), {"w": weights(3, 2), "k": np.array(True)})
    with pytest.raises(ValueError, match="it makes 'w' again, which is there around it"):
        imported(proto, tmp_path)


def test_functions_of_another_opset_are_refused(tmp_path):
    """onnx does not put them in the place of their calls, as operators differ."""
    old = helper.make_opsetid("", 11)
    act = helper.make_function("mine", "Act", ["z"], ["a"], [node("Softmax", "z", "a")], [old])
    proto = model([helper.make_node("Act", ["x"], ["y"], domain="mine")], (1, 3))
    proto.opset_import.append(helper.make_opsetid("mine", 1))
    proto.functions.append(act)
    with pytest.raises(ValueError, match="its function 'Act' is of opset 11, and the model of 17"):
        imported(proto, tmp_path)


def test_onnxruntime_computes_what_the_model_says(tmp_path):
    """Not a product in 8 bits, of weights that are stored so."""
    pytest.importorskip("onnxruntime")
    constants = {"w": np.array([[1, 2], [3, 4]], np.int8), "s": np.array(0.1)}
    nodes = [node("DequantizeLinear", "w s z", "f"), node("MatMul", "x f")]
    proto = in_single(nodes, (1, 2), {**constants, "z": np.array(1, np.int8)}, 13)
    apart = imported(proto, tmp_path).compared.split()[-1]
    assert float(apart) < 1e-6


def test_attributes_that_an_opset_does_not_have_are_refused(tmp_path):
    """Squeeze takes its axes as an input since opset 13; the attribute was not looked at."""
    with pytest.raises(ValueError, match="Squeeze has no attribute 'axes' in opset 13"):
        imported(model([node("Squeeze", "x", axes=[0])], (1, 1, 3), opset=13), tmp_path)
    one = node("Mod", "k two", "h extra")
    constants = {"k": np.array([3]), "two": np.array([2])}
    nodes = [one, node("Cast", "h", "f", to=TensorProto.DOUBLE), node("Add", "x f")]
    with pytest.raises(ValueError, match="onnx does not compute it"):
        imported(model(nodes, (1,), constants), tmp_path)
