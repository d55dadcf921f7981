"""Constants of an ONNX model: its tensors, and what onnx's own evaluator computes of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from itertools import zip_longest
from typing import Any

import numpy as np

from symnet.extras import needed
from symnet.importers.folding import matrices
from symnet.importers.folding.choices import Condition
from symnet.importers.folding.forms import Form
from symnet.importers.folding.tensors import Value
from symnet.importers.onnx.files import array_of
from symnet.names import shortened
from symnet.network.weights import Array

_ROUNDING = ("Floor", "Ceil", "Round", "Mod", "BitShift", "BitwiseAnd", "BitwiseOr", "BitwiseXor")
_CHOOSING = ("ArgMax", "ArgMin", "TopK", "NonZero", "Unique", "Hardmax", "BitwiseNot", "Xor", "Det")
_QUANTISED = ("QuantizeLinear", "DequantizeLinear", "MatMulInteger", "DynamicQuantizeLinear")
_WINDOWS = ("HannWindow", "HammingWindow", "BlackmanWindow", "MelWeightMatrix")
_COMPUTED = frozenset((*_ROUNDING, *_CHOOSING, *_QUANTISED, *_WINDOWS))
"""Operators that have no rule, and whose results are not much larger than their arguments."""
_QUANTISED_SINCE = 19  # the oldest that the evaluator has of them; nothing changed before

Number = Callable[[Any], Any]


def number(tensor: Any) -> tuple[Array, str]:
    """The entries, and their type where they are floating ones. ValueError where one is NaN.

    Masks add infinities; weights that are infinite are refused when the network is made.
    """
    found = array_of(tensor)
    if found.dtype.kind != "f":
        return found, ""
    if np.isnan(found).any():
        place = np.argwhere(np.isnan(found))[0].tolist()
        entry = f"the entry {found[tuple(place)]} at {place}"
        raise ValueError(f"{tensor.name or 'a constant'} has {entry}; weights must be finite")
    onnx = needed("onnx", "onnx")
    return found, str(onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type))


def dense(sparse: Any, number: Number) -> Array:
    """A sparse tensor with its zeros. ValueError where its places do not fit its shape."""
    shape = tuple(int(d) for d in sparse.dims)
    if min(shape, default=1) < 1:
        raise ValueError(f"a sparse tensor of the shape {list(shape)}")
    matrices.check_size(math.prod(shape), "a sparse tensor")
    values, places = np.ravel(number(sparse.values)), np.asarray(number(sparse.indices))
    if places.ndim == 2:
        places = np.ravel_multi_index(tuple(places.T), shape)
    if places.shape != values.shape or places.dtype.kind not in "iu":
        raise ValueError(f"{values.size} sparse entries at {places.size} places")
    if places.size and (places.min() < 0 or places.max() >= math.prod(shape)):
        raise ValueError(f"sparse entries outside of the shape {list(shape)}")
    found = np.zeros(math.prod(shape), dtype=values.dtype)
    found[places] = values
    return found.reshape(shape)


def constant(node: Any, number: Number) -> Value:
    """What a Constant holds."""
    for attribute in node.attribute:
        if attribute.name == "value":
            return number(attribute.t)
        if attribute.name == "sparse_value":
            return dense(attribute.sparse_tensor, number)
        if attribute.name in ("value_float", "value_int"):
            whole = attribute.name == "value_int"
            return np.array(attribute.i if whole else attribute.f)
        if attribute.name in ("value_floats", "value_ints"):
            whole = attribute.name == "value_ints"
            numbers = attribute.ints if whole else attribute.floats
            return np.array(numbers, dtype=np.int64 if whole else np.float64)
    raise ValueError("it is no constant of numbers")


def attributes(node: Any, number: Number, opset: int) -> Mapping[str, Any]:
    """By name; tensors as arrays. ValueError for one that ONNX's operator does not have.

    In newer opsets some are inputs: of a Squeeze with `axes` in opset 13 programs make nothing.
    """
    onnx = needed("onnx", "onnx")
    if node.domain in ("", "ai.onnx"):
        with suppress(onnx.defs.SchemaError):  # not, or not yet, an operator of ONNX
            schema = onnx.defs.get_schema(node.op_type, opset, "")
            _check_attributes(node, schema, opset)
    return {
        a.name: number(a.t) if a.HasField("t") else onnx.helper.get_attribute_value(a)
        for a in node.attribute
    }


def _check_attributes(node: Any, schema: Any, opset: int) -> None:
    strange = [a.name for a in node.attribute if a.name not in schema.attributes]
    if strange and not schema.deprecated:
        raise ValueError(
            f"{node.op_type} has no attribute {shortened(strange[0])!r} in opset {opset}; "
            "export the model again, or give it the opset that it is of"
        )


def computed(node: Any, arguments: Sequence[Value | None]) -> bool:
    """Whether onnx computes it here: all that it takes is known."""
    varying = any(isinstance(a, Form | Condition | tuple) for a in arguments)
    return node.op_type in _COMPUTED and not varying


def in_their_type(
    node: Any, arguments: Sequence[Value | None], found: Sequence[Any], opset: int
) -> list[Any]:
    """Results of constants as whole numbers where ONNX has the type of such an argument for them.

    Of whole numbers 5^1.5 is 11, and the mean of 1 and 2 is 1.
    """
    given = [None if isinstance(a, Form | Condition | tuple) else a for a in arguments]
    if not any(a is not None and np.asarray(a).dtype.kind in "iu" for a in given):
        return list(found)
    onnx = needed("onnx", "onnx")
    schema = onnx.defs.get_schema(node.op_type, opset, "")
    types = {
        declared.type_str: np.asarray(a).dtype
        for declared, a in zip(schema.inputs, given, strict=False)
        if a is not None and np.asarray(a).dtype.kind in "iu"
    }
    whole = [types.get(declared.type_str) for declared in schema.outputs]
    return [
        np.trunc(y).astype(kind) if kind is not None and _is_float(y) else y
        for y, kind in zip_longest(found, whole[: len(found)])
    ]


def _is_float(value: Any) -> bool:
    return isinstance(value, np.ndarray | np.floating) and value.dtype.kind == "f"


def results(node: Any, arguments: Sequence[Value | None], opset: int) -> list[Any]:
    """By onnx's evaluator, which has floats as doubles here."""
    onnx = needed("onnx", "onnx")
    reference = needed("onnx.reference", "onnx")
    if node.op_type in _WINDOWS:
        sizes = [int(np.ravel(np.asarray(a))[0]) + 1 for a in arguments[:2]]
        matrices.check_size(math.prod(sizes), "a window")
    if node.op_type in _QUANTISED:
        opset = max(opset, _QUANTISED_SINCE)
    given = [(name, np.asarray(a)) for name, a in zip(node.input, arguments, strict=True) if name]
    make = onnx.helper.make_tensor_value_info
    inputs = [make(n, onnx.helper.np_dtype_to_tensor_dtype(a.dtype), a.shape) for n, a in given]
    outputs = [name for name in node.output if name]
    graph = onnx.helper.make_graph(
        [node], "one", inputs, [onnx.ValueInfoProto(name=n) for n in outputs]
    )
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", opset)])
    try:
        values = reference.ReferenceEvaluator(model).run(None, dict(given))
    except Exception as error:  # whatever the evaluator raises for arguments that do not fit
        what = shortened(str(error).splitlines()[0] if str(error) else type(error).__name__, 100)
        raise ValueError(f"onnx does not compute it: {what}") from None
    found = dict(zip(outputs, values, strict=True))
    return [found.get(name) for name in node.output]
