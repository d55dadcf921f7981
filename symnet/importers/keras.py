"""Keras models without Keras: `.keras` archives and `.h5` files, their configuration and weights.

The configuration is data: layers that hold code (`Lambda`, custom objects) are refused, never
loaded. Sequential and functional models; weights of an archive are found as Keras stores them, by
the class of a layer and its number among those of its class, not by its name.
"""

from __future__ import annotations

import json
import re
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any, TypeAlias

import numpy as np

from symnet.files import LARGEST_FILE
from symnet.importers import apart
from symnet.importers.apart import Contents
from symnet.importers.arrays import check_archive
from symnet.importers.arrays import read as read_arrays
from symnet.importers.imported import (
    FilePath,
    Imported,
    Model,
    Options,
    content_of,
    exactness,
    label_of,
)
from symnet.importers.keraslayers import LAYERS, Layer
from symnet.importers.tensors import Tensors, Value
from symnet.names import shortened
from symnet.network.weights import Array

Use: TypeAlias = tuple[str, int]
"""A layer's name, and the how manieth use of it."""

Call: TypeAlias = tuple[Mapping[str, Any], int, list[Use]]

Weights: TypeAlias = Mapping[str, Sequence[Array]]
"""A layer's arrays in Keras's order, by the path of the layer: its name, or outer/inner."""


@dataclass
class _Reading:
    tensors: Tensors
    weights: Weights
    met: Counter[str] = field(default_factory=Counter)


def read(path: FilePath, options: Options) -> Imported:
    """The network in a `.keras` or `.h5` file. ValueError names the layer that is refused."""
    content = content_of(path, LARGEST_FILE)
    if content.startswith(b"PK"):
        with zipfile.ZipFile(BytesIO(content)) as archive:
            check_archive(archive)
            config = json.loads(archive.read("config.json"))
            stored = archive.read("model.weights.h5")
        weights = dict(_archived(config, apart.contents("hdf5", stored, "keras").arrays))
    else:
        found = apart.contents("hdf5", content, "keras")
        told = found.texts.get("", {}).get("model_config")
        if told is None:
            return read_arrays(path, options)
        config = json.loads(told)
        weights = dict(_named(found.below("model_weights")))
    return built(
        config, weights, label_of(path), options, "read without Keras: nothing to compare with"
    )


def built(
    config: Mapping[str, Any],
    weights: Weights,
    name: str | None,
    options: Options,
    compared: str,
) -> Imported:
    """The network of a configuration and its weights."""
    reading = _Reading(Tensors(), weights)
    inputs = input_shapes(config)
    forms = reading.tensors.fold.inputs_of([shape for _, shape in inputs])
    batched = [
        reading.tensors.reshape(form, (1, *shape))
        for form, (_, shape) in zip(forms, inputs, strict=True)
    ]
    outputs = _model(reading, config, batched, "")
    sizes = tuple((key, form.size) for (key, _), form in zip(inputs, forms, strict=True))
    net = Model(reading.tensors, sizes, tuple(outputs), name).network(options)
    dtypes = {str(a.dtype) for arrays in weights.values() for a in arrays if a.dtype.kind == "f"}
    folded = tuple(
        f"{count} {kind}"
        for kind, count in sorted(reading.met.items())
        if kind not in ("Dense", "Activation", "InputLayer")
    )
    return Imported(net, "Keras", exactness(dtypes), folded, (), compared)


# --- configuration ------------------------------------------------------------------------------


def _layers(config: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    kind = config.get("class_name")
    if kind not in ("Sequential", "Functional", "Model"):
        raise ValueError(
            f"the model is of the class {shortened(repr(kind))}; symnet reads Sequential and "
            "functional models (a subclass is code: export it to ONNX)"
        )
    inner = config["config"]
    return list(inner["layers"] if isinstance(inner, dict) else inner)


def input_shapes(config: Mapping[str, Any]) -> list[tuple[str, tuple[int, ...]]]:
    """Names and shapes of the inputs, without the batch. ValueError where one is not fixed."""
    layers = _layers(config)
    by_name = {_name(layer): layer for layer in layers}
    if config["class_name"] == "Sequential":
        return [(_name(layers[0]), _input_shape(layers[0], config))]
    return [
        (name, _input_shape(by_name[name], config))
        for name, *_ in _endpoints(config["config"]["input_layers"])
    ]


def _input_shape(layer: Mapping[str, Any], config: Mapping[str, Any]) -> tuple[int, ...]:
    inner = layer["config"]
    shape = inner.get("batch_shape") or inner.get("batch_input_shape")
    shape = shape or config["config"].get("build_input_shape")
    shape = shape or layer.get("build_config", {}).get("input_shape")
    if shape is None or any(not isinstance(s, int) or s < 1 for s in shape[1:]):
        raise ValueError(f"the input's shape is {shape}; symnet reads fixed ones")
    return tuple(int(s) for s in shape[1:])


def _endpoints(given: Any) -> list[list[Any]]:
    """[name, node, tensor] of each end: one alone is no list of lists."""
    if isinstance(given, dict):
        raise ValueError("its inputs or outputs are a dictionary; symnet reads lists of tensors")
    if given and isinstance(given[0], str):
        return [given]
    return list(given)


def _name(layer: Mapping[str, Any]) -> str:
    return str(layer["config"].get("name") or layer.get("name"))


# --- the graph ----------------------------------------------------------------------------------


def _model(
    reading: _Reading, config: Mapping[str, Any], inputs: Sequence[Value], prefix: str
) -> list[tuple[str, Value]]:
    layers = _layers(config)
    if config["class_name"] == "Sequential":
        value = inputs[0]
        for layer in layers:
            value = _apply(reading, layer, [value], prefix)
        return [(_name(layers[-1]), value)]
    ends = _endpoints(config["config"]["input_layers"])
    values = {(end[0], 0): value for end, value in zip(ends, inputs, strict=True)}
    for layer, k, sources in _ordered(layers, set(values)):
        given = [values[source] for source in sources]
        values[(_name(layer), k)] = _apply(reading, layer, given, prefix)
    outputs = _endpoints(config["config"]["output_layers"])
    return [(end[0], values[(end[0], int(end[1]))]) for end in outputs]


def _ordered(layers: Sequence[Mapping[str, Any]], ready: set[Use]) -> Iterator[Call]:
    """Uses of layers after those whose values they need; a layer may be used several times."""
    waiting = [
        (layer, k, sources)
        for layer in layers
        for k, sources in enumerate(_calls(layer))
        if (_name(layer), k) not in ready
    ]
    while waiting:
        left = []
        for layer, k, sources in waiting:
            if set(sources) <= ready:
                ready.add((_name(layer), k))
                yield layer, k, sources
            else:
                left.append((layer, k, sources))
        if len(left) == len(waiting):
            raise ValueError(f"the layer {_name(left[0][0])!r} needs one that does not precede it")
        waiting = left


def _calls(layer: Mapping[str, Any]) -> list[list[Use]]:
    """For each use of a layer the layers whose values it takes, and which use of those."""
    return [list(_history(node)) for node in layer.get("inbound_nodes", [])]


def _history(node: Any) -> Iterator[Use]:
    if isinstance(node, dict) and "keras_history" in node.get("config", {}):
        name, k, tensor = node["config"]["keras_history"]
        if tensor:
            raise ValueError(f"the second output of the layer {name!r} is used")
        yield str(name), int(k)
    elif isinstance(node, dict):
        yield from _history(node.get("args", []))
        if any(True for _ in _history(list(node.get("kwargs", {}).values()))):
            raise ValueError("a layer takes tensors as keyword arguments; symnet reads positional")
    elif isinstance(node, list) and len(node) >= 3 and isinstance(node[0], str):
        yield node[0], int(node[1])
    elif isinstance(node, list):
        for part in node:
            yield from _history(part)


def _apply(
    reading: _Reading, layer: Mapping[str, Any], inputs: Sequence[Value], prefix: str
) -> Value:
    kind, name = str(layer.get("class_name")), _name(layer)
    label = f"layer {name!r} ({shortened(kind, 40)})"
    reading.met[kind] += 1
    if kind in ("Sequential", "Functional", "Model"):
        return _model(reading, layer, inputs, f"{prefix}{name}/")[0][1]
    package = layer.get("registered_name") or ""
    rule = LAYERS.get(kind)
    if (
        rule is None
        or ">" in str(package)
        or str(layer.get("module", "keras")).split(".")[0] != "keras"
    ):
        raise ValueError(
            f"{label}: it is no layer that symnet reads; code in a file is never run. Export the "
            "model to ONNX, or rebuild it of Keras's own layers"
        )
    arrays = [
        np.asarray(array, dtype=np.float64) for array in reading.weights.get(prefix + name, ())
    ]
    try:
        return rule(Layer(reading.tensors, layer["config"], inputs, arrays))
    except (TypeError, KeyError, IndexError, ValueError) as error:
        what = f"{type(error).__name__} {error}" if isinstance(error, LookupError) else error
        raise ValueError(f"{label}: {what}") from None


# --- weights ------------------------------------------------------------------------------------


def _archived(
    config: Mapping[str, Any], arrays: Mapping[str, Array], prefix: str = "", group: str = ""
) -> Iterator[tuple[str, list[Array]]]:
    """Arrays of each layer of an archive, under layers/<class>_<number>/vars/<k>."""
    seen: Counter[str] = Counter()
    for layer in _layers(config):
        kind = str(layer.get("class_name"))
        base = re.sub(r"(?<=[a-z])([A-Z])", r"_\1", re.sub(r"(.)([A-Z][a-z0-9]+)", r"\1_\2", kind))
        base = base.lower()
        stored = base if not seen[base] else f"{base}_{seen[base]}"
        seen[base] += 1
        here = f"{group}layers/{stored}/"
        if kind in ("Sequential", "Functional", "Model"):
            yield from _archived(layer, arrays, f"{prefix}{_name(layer)}/", here)
            continue
        start = f"{here}vars/"
        own = sorted((key for key in arrays if key.startswith(start)), key=_number)
        if own:
            yield prefix + _name(layer), [arrays[key] for key in own]


def _number(path: str) -> int:
    return int(path.rpartition("/")[2])


def _named(found: Contents) -> Iterator[tuple[str, list[Array]]]:
    """Arrays of each layer of a legacy file, in the order of its attribute weight_names."""
    for name in sorted({path.partition("/")[0] for path in (*found.texts, *found.arrays)}):
        own: dict[str, list[Array]] = {}
        for key in found.texts.get(name, {}).get("weight_names", []):
            layer = key.split("/")[-2] if "/" in key else name  # a model in a model has several
            path = name if layer == name else f"{name}/{layer}"
            own.setdefault(path, []).append(found.arrays[f"{name}/{key}"])
        yield from own.items()
