"""Keras models without Keras: `.keras` archives and `.h5` files, their configuration and weights.

The configuration is data: layers that hold code (`Lambda`, custom objects) are refused, never
loaded. Sequential and functional models; weights of an archive are found as Keras stores them, by
the class of a layer and its number among those of its class, not by its name.
"""

from __future__ import annotations

import json
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from io import BytesIO
from typing import Any, TypeAlias

import numpy as np

from symnet.files import LARGEST_FILE
from symnet.importers.folding.choices import Condition
from symnet.importers.folding.forms import Form
from symnet.importers.folding.tensors import Tensors, Value
from symnet.importers.formats import apart
from symnet.importers.formats.arrays import check_archive
from symnet.importers.formats.arrays import read as read_arrays
from symnet.importers.imported import (
    FilePath,
    Imported,
    Model,
    Options,
    content_of,
    exactness,
    label_of,
)
from symnet.importers.keras import refusals, stored, twin
from symnet.importers.keras.arguments import (
    Arguments,
    Tensor,
    Use,
    by_position,
    calls,
    leaves,
    needs,
    with_values,
)
from symnet.importers.keras.attention import KEYWORDS
from symnet.importers.keras.layer import Layer
from symnet.importers.keras.layers import LAYERS
from symnet.importers.keras.operations import OPERATIONS, applied
from symnet.importers.keras.stored import name_of
from symnet.names import shortened
from symnet.network.weights import Array

Call: TypeAlias = tuple[Mapping[str, Any], int, Arguments]

Weights: TypeAlias = Mapping[str, Sequence[Array]]
"""A layer's arrays in Keras's order, by the path of the layer: its name, or outer/inner."""


_LARGEST_CONFIG = 2**24


@dataclass
class _Reading:
    tensors: Tensors
    weights: Weights
    met: Counter[str] = field(default_factory=Counter)

    def arrays(self, path: str) -> list[Array]:
        """Those of a layer, which archives have once where two models share it."""
        found = self.weights.get(path)
        if found is None:
            name = path.rpartition("/")[2]
            shared = [own for key, own in self.weights.items() if key.rpartition("/")[2] == name]
            found = shared[0] if len(shared) == 1 else ()
        return [np.asarray(array, dtype=np.float64) for array in found]


def read(path: FilePath, options: Options) -> Imported:
    """The network in a `.keras` or `.h5` file. ValueError names the layer that is refused."""
    content = content_of(path, LARGEST_FILE)
    if content.startswith(b"PK"):
        with zipfile.ZipFile(BytesIO(content)) as archive:
            check_archive(archive)
            _check_configuration(archive, "config.json")
            config = json.loads(archive.read("config.json"))
            arrays = archive.read("model.weights.h5")
            version = _version(archive)
        weights = dict(stored.archived(config, apart.contents("hdf5", arrays, "keras").arrays))
        compare = partial(twin.compared, config, arrays, ".weights.h5")
    else:
        found = apart.contents("hdf5", content, "keras")
        told = found.texts.get("", {}).get("model_config")
        if told is None:
            return read_arrays(path, options)
        config, version = json.loads(told), found.texts[""].get("keras_version")
        weights = dict(stored.named(config, found.below("model_weights")))
        compare = partial(twin.compared, config, content, ".h5")
    options.check_complete()
    if str(version).startswith(("1.", "2.")) and config != (now := stored.of_keras_3(config)):
        found_net = built(now, weights, label_of(path), options, "not compared")
        why = f"Keras 3 computes another hard_sigmoid than Keras {version}, which wrote the file"
        return replace(found_net, compared=f"not compared: {why}")
    found_net = built(config, weights, label_of(path), options, "not compared")
    if not options.check or options.select is not None:
        return found_net
    if "module" not in config and any(map(_is_operation, _layers(config))):
        why = "Keras does not load operations of keras.ops from HDF5 files"
        return replace(found_net, compared=f"not compared: {why}")
    return replace(found_net, compared=compare(found_net.network, options.alone))


def _check_configuration(archive: zipfile.ZipFile, name: str) -> None:
    size = archive.getinfo(name).file_size
    if size > _LARGEST_CONFIG:
        raise ValueError(f"its {name} takes {size >> 20} MiB, more than {_LARGEST_CONFIG >> 20}")


def _version(archive: zipfile.ZipFile) -> str | None:
    """That of Keras which wrote it."""
    if "metadata.json" not in archive.namelist():
        return None
    _check_configuration(archive, "metadata.json")
    found = json.loads(archive.read("metadata.json"))
    return str(found.get("keras_version")) if isinstance(found, dict) else None


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
    return Imported(net, "Keras", exactness(dtypes), folded, reading.tensors.fold.assumed, compared)


# --- configuration ------------------------------------------------------------------------------


def _layers(config: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    kind = config.get("class_name")
    if kind not in stored.MODELS:
        raise ValueError(
            f"the model is of the class {shortened(repr(kind))}; symnet reads Sequential and "
            "functional models (a subclass is code: export it to ONNX, or where it only trains in "
            "a way of its own save keras.Model(model.inputs, model.outputs))"
        )
    return stored.layers_of(config)


def input_shapes(config: Mapping[str, Any]) -> list[tuple[str, tuple[int, ...]]]:
    """Names and shapes of the inputs, without the batch. ValueError where one is not fixed."""
    layers = _layers(config)
    by_name = {name_of(layer): layer for layer in layers}
    if config["class_name"] == "Sequential":
        return [(name_of(layers[0]), _input_shape(layers[0], config))]
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
    """[name, node, tensor] of each end: one alone is no list of lists; a dictionary by its keys.

    Keras calls a model with a dictionary of inputs in the order of the keys.
    """
    if isinstance(given, dict):
        return [end for key in sorted(given) for end in _endpoints(given[key])]
    if given and isinstance(given[0], str):
        return [given]
    return [end for part in given for end in _endpoints(part)]


# --- the graph ----------------------------------------------------------------------------------


def _model(
    reading: _Reading, config: Mapping[str, Any], inputs: Sequence[Value], prefix: str
) -> list[tuple[str, Value]]:
    layers = _layers(config)
    if config["class_name"] == "Sequential":
        value = inputs[0]
        for layer in layers:
            value = _apply(reading, layer, Arguments([value], {}), prefix)
        return [(name_of(layers[-1]), value)]
    ends = _endpoints(config["config"]["input_layers"])
    values = {(end[0], 0): value for end, value in zip(ends, inputs, strict=True)}
    for layer, k, call in _ordered(layers, set(values)):
        given = Arguments(with_values(call.positional, values), with_values(call.named, values))
        values[(name_of(layer), k)] = _apply(reading, layer, given, prefix)
    outputs = _endpoints(config["config"]["output_layers"])
    return [
        (end[0], with_values(Tensor(end[0], int(end[1]), int(end[2])), values)) for end in outputs
    ]


def _ordered(layers: Sequence[Mapping[str, Any]], ready: set[Use]) -> Iterator[Call]:
    """Uses of layers after those whose values they need; a layer may be used several times."""
    waiting = [
        (layer, k, sources)
        for layer in layers
        for k, sources in enumerate(calls(layer))
        if (name_of(layer), k) not in ready
    ]
    while waiting:
        left = []
        for layer, k, call in waiting:
            if needs(call) <= ready:
                ready.add((name_of(layer), k))
                yield layer, k, call
            else:
                left.append((layer, k, call))
        if len(left) == len(waiting):
            raise ValueError(
                f"the layer {name_of(left[0][0])!r} needs one that does not precede it"
            )
        waiting = left


def _apply(reading: _Reading, layer: Mapping[str, Any], given: Arguments, prefix: str) -> Any:
    kind, name = str(layer.get("class_name")), name_of(layer)
    label = f"layer {name!r} ({shortened(kind, 40)})"
    reading.met[kind] += 1
    if kind in stored.MODELS:
        found = [value for _, value in _model(reading, layer, given.tensors, f"{prefix}{name}/")]
        return found[0] if len(found) == 1 else found
    module = str(layer.get("module", "keras.layers"))
    own = ">" not in str(layer.get("registered_name") or "") and module.split(".")[0] == "keras"
    operation = _is_operation(layer)
    known: Mapping[str, Any] = OPERATIONS if operation else LAYERS
    if not own or kind not in known:
        what = "operation" if operation else "layer"
        advice = refusals.advice(kind, own, operation)
        raise ValueError(f"{label}: it is no {what} that symnet reads; {advice}")
    if refusals.is_quantised(layer["config"]):
        raise ValueError(f"{label}: {refusals.QUANTISED}")
    try:
        refusals.check_axis(kind, layer["config"], leaves(given.positional))
        if operation:
            settings = layer["config"]
            return applied(kind, reading.tensors, settings, given.positional, given.named)
        given = by_position(given)
        named = _check_call(kind, given)
        arrays = reading.arrays(prefix + name)

        def inner(part: Mapping[str, Any], value: Value) -> Value:
            return _apply(reading, part, Arguments([value], {}), f"{prefix}{name}/")

        one = Layer(reading.tensors, layer["config"], given.tensors, arrays, named, inner)
        return LAYERS[kind](one)
    except (TypeError, KeyError, IndexError, ValueError) as error:
        what = f"{type(error).__name__} {error}" if isinstance(error, LookupError) else str(error)
        raise ValueError(f"{label}: {what}") from None


def _is_operation(layer: Mapping[str, Any]) -> bool:
    """Whether it is of keras.ops, whose Add is no layer Add; HDF5 files do not tell the module."""
    if "module" in layer:
        return ".ops." in f"{layer['module']}."
    called = any(isinstance(node, dict) for node in layer.get("inbound_nodes", []))
    return called and not {"trainable", "batch_shape"} & set(layer["config"])


_CHANGING = ("mask", "attention_mask", "use_causal_mask", "return_attention_scores")


def _check_call(kind: str, given: Arguments) -> dict[str, Any]:
    """The keywords that the layer reads; ValueError for others that change what it gives."""
    known = KEYWORDS.get(kind, ())
    if given.named.get("training"):
        raise ValueError("it is called with training=True; symnet reads evaluation")
    for leaf in leaves(given.positional):
        if leaf is not None and not isinstance(leaf, Form | Condition | np.ndarray):
            raise ValueError(f"it is called with {leaf!r} beside tensors")
    for key, value in given.named.items():
        tensors = any(isinstance(leaf, Form | Tensor | np.ndarray) for leaf in leaves(value))
        if key not in known and (tensors or (value and key in _CHANGING)):
            raise ValueError(f"it is called with the keyword {key!r}, which symnet does not read")
    return {key: given.named[key] for key in known if key in given.named}
