"""ONNX files as the `onnx` package has them, and the data that lie beside them."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from symnet.extras import needed
from symnet.files import LARGEST_FILE
from symnet.importers.folding import matrices
from symnet.importers.imported import FilePath, content_of
from symnet.names import shortened
from symnet.network.weights import Array


def loaded(path: FilePath) -> Any:
    """The ModelProto with all its data. ValueError where the file is none, or names data outside.

    Functions that the model defines itself are put in the place of their calls.
    """
    onnx = needed("onnx", "onnx")
    model = onnx.load_model_from_string(content_of(path, LARGEST_FILE))
    if not model.graph.node and not model.graph.output:
        raise ValueError("is no ONNX model: it has no graph")
    _load_external(onnx, model, Path(path).parent)
    if model.functions:
        model = needed("onnx.inliner", "onnx").inline_local_functions(model)
        _check_inlined(model)
    _as_tensors(onnx, model)
    return model


def _check_inlined(model: Any) -> None:
    """ValueError for a function that stays: operators are others in its opset than around it."""
    around = {o.domain: o.version for o in model.opset_import}
    for function in model.functions:
        for own in function.opset_import:
            if around.get(own.domain, own.version) != own.version:
                raise ValueError(
                    f"its function {shortened(function.name)!r} is of opset {own.version}, and the "
                    f"model of {around[own.domain]}; convert the one to the other's"
                )


def _as_tensors(onnx: Any, model: Any) -> None:
    """Probabilities in maps by their classes (ZipMap) as the tensors that they are made of."""
    maps = {}
    for node in model.graph.node:
        if node.op_type == "ZipMap" and node.domain == "ai.onnx.ml":
            maps[node.output[0]] = sum(max(1, len(a.ints) + len(a.strings)) for a in node.attribute)
            made = onnx.helper.make_node("Identity", list(node.input), list(node.output))
            node.CopyFrom(made)
    for output in model.graph.output:
        if output.name in maps:
            kind, shape = onnx.TensorProto.FLOAT, (None, maps[output.name])
            output.CopyFrom(onnx.helper.make_tensor_value_info(output.name, kind, shape))


def array_of(tensor: Any) -> Array:
    """The entries of a TensorProto, floats as doubles. ValueError for what is no tensor of numbers.

    The declared shape is checked against the data before anything of its size is made.
    """
    onnx = needed("onnx", "onnx")
    name = tensor.name or "a constant"
    if any(d < 0 for d in tensor.dims):
        raise ValueError(f"{name}: its shape is {list(tensor.dims)}")
    matrices.check_size(math.prod(tensor.dims), name)
    if tensor.data_type in (0, onnx.TensorProto.STRING) or tensor.data_type > 16:
        kinds = {number: word for word, number in onnx.TensorProto.DataType.items()}
        kind = kinds.get(tensor.data_type, tensor.data_type)
        raise ValueError(f"{name} holds {kind}; symnet reads real numbers and integers")
    if tensor.data_location == onnx.TensorProto.EXTERNAL:
        raise ValueError(f"the data of {name} are outside of the file, and were not read")
    found = np.asarray(onnx.numpy_helper.to_array(tensor))
    if found.shape != tuple(tensor.dims) or found.dtype.kind == "c":
        raise ValueError(f"{name}: its data do not have the shape {list(tensor.dims)}")
    return found if found.dtype.kind in "iub" else found.astype(np.float64)


def _load_external(onnx: Any, model: Any, folder: Path) -> None:
    total = 0
    for tensor in _tensors(model):
        if tensor.data_location != onnx.TensorProto.EXTERNAL:
            continue
        told = {entry.key: entry.value for entry in tensor.external_data}
        total += _checked_length(folder, told, tensor)
        if total > LARGEST_FILE:
            raise ValueError(f"its data are larger than {LARGEST_FILE >> 20} MiB")
        onnx.external_data_helper.load_external_data_for_tensor(tensor, os.fspath(folder) or ".")
        tensor.data_location = onnx.TensorProto.DEFAULT
        del tensor.external_data[:]


def _checked_length(folder: Path, told: dict[str, str], tensor: Any) -> int:
    """Bytes that the tensor takes of a file in the model's own folder."""
    location = told.get("location", "")
    file = folder / location
    root = os.path.realpath(folder)
    inside = os.path.realpath(file).startswith(os.path.join(root, ""))
    if not location or os.path.isabs(location) or ".." in Path(location).parts or not inside:
        raise ValueError(
            f"the data of {tensor.name!r} are in {location!r}, outside the model's folder"
        )
    if not file.is_file():
        raise ValueError(f"the data of {tensor.name!r} are missing: no file {location!r}")
    size, offset = file.stat().st_size, int(told.get("offset", 0))
    length = int(told.get("length", size - offset))
    if offset < 0 or length < 0 or offset + length > size:
        raise ValueError(
            f"the data of {tensor.name!r} are {length} bytes from {offset} on, "
            f"but {location!r} has {size}"
        )
    return length


def _tensors(model: Any) -> Iterator[Any]:
    """All of a model, those inside branches and bodies as well."""
    yield from _of_graph(model.graph)
    for function in model.functions:
        yield from _of_nodes(function.node)


def _of_graph(graph: Any) -> Iterator[Any]:
    yield from graph.initializer
    for sparse in graph.sparse_initializer:
        yield from (sparse.values, sparse.indices)
    yield from _of_nodes(graph.node)


def _of_nodes(nodes: Any) -> Iterator[Any]:
    for attribute in (a for node in nodes for a in node.attribute):
        yield from (*([attribute.t] if attribute.HasField("t") else []), *attribute.tensors)
        one = [attribute.sparse_tensor] if attribute.HasField("sparse_tensor") else []
        for sparse in (*one, *attribute.sparse_tensors):
            yield from (sparse.values, sparse.indices)
        for graph in (*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs):
            yield from _of_graph(graph)
