"""The witness of an ONNX model: onnx's own evaluator, on the model with all floats as doubles.

A runtime in single precision is no witness of derivatives, and hides errors of 1e-7: how far it is
away is told separately.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from symnet.extras import needed
from symnet.importers.onnx import doubles
from symnet.network.weights import Array

_FLOATS = {1, 10, 16}  # float, float16, bfloat16
_DOUBLE, _STRING = 11, 8
_STASHING = {"GroupNormalization": _DOUBLE, "LayerNormalization": 1, "RMSNormalization": 1}
"""Operators that compute in a type of their own, and the type by which doubles stay doubles.

The first is computed by its definition; of the others the evaluator knows 1 alone, which it passes
over.
"""


def pruned(model: Any, outputs: Sequence[str]) -> Any:
    """A copy of the model with these outputs, and the nodes that they need."""
    if len(outputs) == len(model.graph.output):
        return model
    copy = type(model)()
    copy.CopyFrom(model)
    needed_, kept = set(outputs), []
    for node in reversed(model.graph.node):
        if needed_ & set(node.output):
            needed_ |= set(node.input)
            kept.append(node)
    del copy.graph.node[:]
    copy.graph.node.extend(reversed(kept))
    del copy.graph.output[:]
    copy.graph.output.extend(v for v in model.graph.output if v.name in outputs)
    del copy.graph.input[:]
    copy.graph.input.extend(
        v for v in model.graph.input if v.type.tensor_type.elem_type != _STRING or v.name in needed_
    )
    return copy


def in_double(model: Any) -> Any:
    """A copy of the model whose floats are doubles; the numbers stay what they are."""
    onnx = needed("onnx", "onnx")
    copy = type(model)()
    copy.CopyFrom(model)
    _widen_graph(onnx, copy.graph)
    return copy


def _widen_graph(onnx: Any, graph: Any) -> None:
    """Of a model, a branch or a body."""
    del graph.value_info[:]
    for tensor in (*graph.initializer, *(sparse.values for sparse in graph.sparse_initializer)):
        _widen(onnx, tensor)
    for value in (*graph.input, *graph.output):
        if value.type.tensor_type.elem_type in _FLOATS:
            value.type.tensor_type.elem_type = _DOUBLE
    for node in graph.node:
        _widen_node(onnx, node)


def _widen(onnx: Any, tensor: Any) -> None:
    if tensor.data_type in _FLOATS:
        array = onnx.numpy_helper.to_array(tensor).astype(np.float64)
        tensor.CopyFrom(onnx.numpy_helper.from_array(array, tensor.name))


def _widen_node(onnx: Any, node: Any) -> None:
    for attribute in node.attribute:
        if attribute.HasField("t"):
            _widen(onnx, attribute.t)
        if attribute.HasField("sparse_tensor"):
            _widen(onnx, attribute.sparse_tensor.values)
        for graph in (*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs):
            _widen_graph(onnx, graph)
        if node.op_type == "Cast" and attribute.name == "to" and attribute.i in _FLOATS:
            attribute.i = _DOUBLE
        if node.op_type == "BatchNormalization" and attribute.name == "momentum":
            attribute.f = 1.0  # with another onnx's evaluator mixes in the batch before opset 14
        if attribute.name in ("value_float", "value_floats") and node.op_type == "Constant":
            numbers = attribute.f if attribute.name == "value_float" else list(attribute.floats)
            array = np.array(numbers, dtype=np.float64)
            value = onnx.helper.make_attribute("value", onnx.numpy_helper.from_array(array))
            attribute.CopyFrom(value)
    if node.op_type == "BatchNormalization" and not any(
        a.name in ("momentum", "training_mode") for a in node.attribute
    ):
        node.attribute.append(onnx.helper.make_attribute("momentum", 1.0))
    if node.op_type in _STASHING:
        kept = [a for a in node.attribute if a.name != "stash_type"]
        del node.attribute[:]
        node.attribute.extend(
            [*kept, onnx.helper.make_attribute("stash_type", _STASHING[node.op_type])]
        )
    if node.op_type == "ConstantOfShape" and not node.attribute:
        zero = onnx.numpy_helper.from_array(np.zeros(1))
        node.attribute.append(onnx.helper.make_attribute("value", zero))


def evaluator(model: Any, shapes: Sequence[tuple[str, tuple[int, ...]]]) -> Any:
    """A function of points (k, n) and names of outputs: their values (k, m), by onnx itself.

    Opsets before 9 are converted, as the evaluator has no older operators.
    """
    onnx = needed("onnx", "onnx")
    reference = needed("onnx.reference", "onnx")
    wide = in_double(model)
    opset = min(o.version for o in model.opset_import if o.domain in ("", "ai.onnx"))
    if opset < 7 and any(map(_spreads, model.graph.node)):
        raise NotImplementedError("broadcasting of opsets before 7")
    if opset < 9:
        wide = onnx.version_converter.convert_version(wide, 9)
    for node in wide.graph.node:
        # The evaluator would put in the default of the newest opset.
        old = opset < 13 and node.op_type in ("Softmax", "LogSoftmax")
        if old and not any(a.name == "axis" for a in node.attribute):
            node.attribute.append(onnx.helper.make_attribute("axis", 1))
    session = reference.ReferenceEvaluator(wide, new_ops=doubles.operators(max(opset, 9)))
    return lambda X, names: _run(lambda feed: session.run(list(names), feed), X, shapes, np.float64)


def _spreads(node: Any) -> bool:
    return node.op_type == "PRelu" or any(a.name == "broadcast" for a in node.attribute)


def single(
    content: bytes, shapes: Sequence[tuple[str, tuple[int, ...]]]
) -> Callable[[Array, Sequence[str]], Array] | None:
    """The same by onnxruntime in the model's own precision, None where it is not installed."""
    try:
        runtime = needed("onnxruntime", "onnx")
    except ImportError:
        return None
    options = runtime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    # Else it computes products with weights of 8 bits in 8 bits, which the model does not say.
    options.graph_optimization_level = runtime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = runtime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    return lambda X, names: _run(lambda feed: session.run(list(names), feed), X, shapes, np.float32)


def _run(
    call: Callable[[dict[str, Array]], Sequence[Array]],
    X: Array,
    shapes: Sequence[tuple[str, tuple[int, ...]]],
    dtype: Any,
) -> Array:
    rows = []
    for point in X:
        sizes = np.cumsum([math.prod(shape) for _, shape in shapes])[:-1]
        parts = np.split(point, sizes)
        feed = {
            name: part.reshape(shape).astype(dtype)
            for (name, shape), part in zip(shapes, parts, strict=True)
        }
        with np.errstate(all="ignore"):  # NaN is compared with NaN
            rows.append(np.concatenate([np.ravel(y).astype(np.float64) for y in call(feed)]))
    return np.array(rows)
