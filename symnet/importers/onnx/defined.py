"""Operators that ONNX defines by others: Attention, MeanVarianceNormalization, RotaryEmbedding, ...

The definition is onnx's own, of the opset of the model, for the types of the node's arguments.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from symnet.extras import needed
from symnet.importers.folding.forms import Form
from symnet.importers.folding.tensors import Value

_DOUBLE = 11


def is_defined(op: str) -> bool:
    """Whether ONNX defines an operator by others, in some opset."""
    defs = needed("onnx.defs", "onnx")
    if not defs.has(op):
        return False
    schema = defs.get_schema(op)
    return bool(schema.has_function or schema.has_context_dependent_function)


def definition(node: Any, arguments: Sequence[Value | None], opset: int) -> Any | None:
    """The FunctionProto of a node with its attributes put in, None where there is none."""
    onnx = needed("onnx", "onnx")
    try:
        schema = onnx.defs.get_schema(node.op_type, opset, "")
    except onnx.defs.SchemaError:
        return None
    body = onnx.FunctionProto()
    if schema.has_context_dependent_function:
        versions = [v for v in schema.context_dependent_function_opset_versions if v <= opset]
        if not versions:
            return None
        types = [_type(onnx, argument) for argument in arguments]
        made = schema.get_context_dependent_function_with_opset_version(
            max(versions), node.SerializeToString(), types
        )
        body.ParseFromString(made)
    elif schema.has_function:
        body.CopyFrom(schema.function_body)
    if not body.node:
        return None
    return _with_attributes(body, schema, node)


def opset_of(body: Any, outside: int) -> int:
    """The opset of a definition."""
    return next((o.version for o in body.opset_import if o.domain in ("", "ai.onnx")), outside)


def _type(onnx: Any, argument: Value | None) -> bytes:
    if argument is None:
        return bytes(onnx.TypeProto().SerializeToString())
    varies = isinstance(argument, Form)
    kind = _DOUBLE if varies else onnx.helper.np_dtype_to_tensor_dtype(np.asarray(argument).dtype)
    made = onnx.helper.make_tensor_type_proto(kind, argument.shape)
    return bytes(made.SerializeToString())


def _with_attributes(body: Any, schema: Any, node: Any) -> Any:
    """References to attributes of the operator replaced by what they are, or left out."""
    given = {name: a.default_value for name, a in schema.attributes.items() if a.default_value.name}
    given |= {a.name: a for a in node.attribute}
    for inner in body.node:
        kept = []
        for attribute in inner.attribute:
            if not attribute.ref_attr_name:
                kept.append(attribute)
            elif attribute.ref_attr_name in given:
                copy = type(attribute)()
                copy.CopyFrom(given[attribute.ref_attr_name])
                copy.name = attribute.name
                kept.append(copy)
        kept = [type(a).FromString(a.SerializeToString()) for a in kept]
        del inner.attribute[:]
        inner.attribute.extend(kept)
    return body
