"""What of an ONNX model will be refused, by its operators and shapes, before work is done on it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from symnet.extras import needed
from symnet.importers.folding import matrices
from symnet.importers.folding.forms import Shape
from symnet.importers.onnx import refusals
from symnet.importers.onnx.graph import is_read, label

_CONSTANT = ("Shape", "Size", "EyeLike", "IsNaN", "IsInf")
"""Operators whose results do not depend on the values that they take."""

_ENTRIES: Mapping[str, Callable[[Shape, Shape, Shape], int]] = {
    "Conv": lambda x, weights, y: math.prod(y) * math.prod(weights[1:]),
    "ConvTranspose": lambda x, weights, y: math.prod(x) * math.prod(weights[1:]),
}
"""Entries of a convolution's matrix, by the shapes of image, weights and result."""


def check(model: Any, shapes: Sequence[tuple[str, Shape]], wanted: Sequence[str]) -> None:
    """ValueError for too many inputs, and what an output needs: an operator without a rule, or a
    convolution too large.

    Args:
        shapes: of the inputs.
        wanted: names of the outputs that must be read.
    """
    matrices.check_inputs(sum(math.prod(shape) for _, shape in shapes))
    nodes = list(_varying(_ancestors(model, wanted), {name for name, _ in shapes}))
    for node in nodes:
        if not is_read(node):
            reason = refusals.reason(node.op_type, node.domain)
            raise ValueError(f"{label(node)}: {reason}")
    convolutions = [node for node in nodes if node.op_type in _ENTRIES]
    known = _shapes(model, shapes) if convolutions else {}
    for node in convolutions:
        x, weights, y = (known.get(name) for name in (*node.input[:2], node.output[0]))
        if x and weights and y:
            what = f"{label(node)}: a convolution from {x} to {y}"
            matrices.check_size(_ENTRIES[node.op_type](x, weights, y), what)


def _ancestors(model: Any, wanted: Sequence[str]) -> list[Any]:
    """The nodes that these outputs need, in their order."""
    names, found = set(wanted), []
    for node in reversed(model.graph.node):
        if names & set(node.output):
            names.update(node.input)
            found.append(node)
    return found[::-1]


def _varying(nodes: Sequence[Any], inputs: set[str]) -> Iterator[Any]:
    """Those that compute with what depends on the inputs."""
    names = set(inputs)
    for node in nodes:
        if names & set(node.input) and node.op_type not in _CONSTANT:
            names.update(filter(None, node.output))
            yield node


def _shapes(model: Any, inputs: Sequence[tuple[str, Shape]]) -> dict[str, Shape]:
    """Shapes of tensors, as far as onnx infers them from those of the inputs."""
    onnx, copy, given = needed("onnx.shape_inference", "onnx"), type(model)(), dict(inputs)
    copy.CopyFrom(model)
    for value in copy.graph.input:
        for place, size in enumerate(given.get(value.name, ())):
            value.type.tensor_type.shape.dim[place].dim_value = size
    for value in copy.graph.output:
        value.type.tensor_type.ClearField("shape")
    del copy.graph.value_info[:]
    try:
        found = onnx.infer_shapes(copy, data_prop=True).graph
    except Exception:  # what it cannot infer is found while the model is read
        return {}
    known = {tensor.name: tuple(tensor.dims) for tensor in model.graph.initializer}
    for value in (*found.input, *found.value_info, *found.output):
        known[value.name] = tuple(d.dim_value for d in value.type.tensor_type.shape.dim)
    return known
