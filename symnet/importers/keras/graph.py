"""The graph of a Keras configuration: layers and operations applied in their order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np

from symnet.importers.folding.choices import Condition
from symnet.importers.folding.forms import Form
from symnet.importers.folding.tensors import Tensors, Value
from symnet.importers.keras import refusals, stored, tensorflow
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

_FUNCTIONAL = ("Functional", "Model")

Call: TypeAlias = tuple[Mapping[str, Any], int, Arguments]

Weights: TypeAlias = Mapping[str, Sequence[Array]]
"""A layer's arrays in Keras's order, by the path of the layer: its name, or outer/inner."""


@dataclass
class Reading:
    """A model while it is read, and how many layers of each class it has."""

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


def _layers(config: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    kind = config.get("class_name")
    if kind not in stored.MODELS:
        raise ValueError(
            f"the model is of the class {shortened(repr(kind))}; symnet reads Sequential and "
            "functional models (a subclass is code: export it to ONNX, or where it only trains in "
            "a way of its own save keras.Model(model.inputs, model.outputs))"
        )
    return stored.layers_of(config)


def all_layers(outer: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Layers and operations in it, those of models and wrappers inside too."""
    for layer in stored.inside(outer):
        if layer.get("class_name") not in stored.MODELS:
            yield layer
        yield from all_layers(layer)


def input_shapes(config: Mapping[str, Any]) -> list[tuple[str, tuple[int, ...]]]:
    """Names and shapes of the inputs, without the batch. ValueError where one is not fixed."""
    return [(name, tuple(int(s) for s in shape[1:])) for name, shape in _batched(config)]


def is_of_one_point(config: Mapping[str, Any]) -> bool:
    """Whether the model is made for a batch of one, and takes no other."""
    return all(shape[0] == 1 for _, shape in _batched(config))


def _batched(config: Mapping[str, Any]) -> list[tuple[str, Sequence[Any]]]:
    layers = _layers(config)
    by_name = {name_of(layer): layer for layer in layers}
    if config["class_name"] == "Sequential":
        return [(name_of(layers[0]), _input_shape(layers[0], config))]
    return [
        (name, _input_shape(by_name[name], config))
        for name, *_ in _endpoints(config["config"]["input_layers"])
    ]


def _input_shape(layer: Mapping[str, Any], config: Mapping[str, Any]) -> Sequence[Any]:
    inner = layer["config"]
    shape = inner.get("batch_shape") or inner.get("batch_input_shape")
    shape = shape or config["config"].get("build_input_shape")
    shape = shape or layer.get("build_config", {}).get("input_shape")
    if shape is None or any(not isinstance(s, int) or s < 1 for s in shape[1:]):
        raise ValueError(f"the input's shape is {shape}; symnet reads fixed ones")
    found: Sequence[Any] = shape
    return found


def _endpoints(given: Any) -> list[list[Any]]:
    """[name, node, tensor] of each end: one alone is no list of lists; a dictionary by its keys.

    Keras calls a model with a dictionary of inputs in the order of the keys.
    """
    if isinstance(given, dict):
        return [end for key in sorted(given) for end in _endpoints(given[key])]
    if given and isinstance(given[0], str):
        return [given]
    return [end for part in given for end in _endpoints(part)]


def model_of(
    reading: Reading, config: Mapping[str, Any], inputs: Sequence[Value], prefix: str
) -> list[tuple[str, Value]]:
    layers = _layers(config)
    if config["class_name"] == "Sequential":
        value = inputs[0]
        for layer in layers:
            value = _apply(reading, layer, Arguments([value], {}), prefix)
        return [(name_of(layers[-1]), value)]
    ends = _endpoints(config["config"]["input_layers"])
    values = {(end[0], 0): value for end, value in zip(ends, inputs, strict=True)}
    outputs = [Tensor(end[0], *map(int, end[1:3])) for end in _given_by(config, layers)]
    for layer, k, call in _ordered(layers, outputs, set(values)):
        given = Arguments(with_values(call.positional, values), with_values(call.named, values))
        values[(name_of(layer), k)] = _apply(reading, layer, given, prefix)
    return [(end.name, with_values(end, values)) for end in outputs]


def _given_by(config: Mapping[str, Any], layers: Sequence[Mapping[str, Any]]) -> list[list[Any]]:
    """The ends of its outputs. Keras 3 counts the uses of a model inside from 1 only here."""
    nodes = {name_of(layer): layer for layer in layers if layer.get("class_name") in _FUNCTIONAL}
    ends = _endpoints(config["config"]["output_layers"])
    return [
        [name, int(k) - (name in nodes and _is_of_keras_3(nodes[name])), output]
        for name, k, output, *_ in ends
    ]


def _ordered(
    layers: Sequence[Mapping[str, Any]], outputs: Sequence[Tensor], ready: set[Use]
) -> Iterator[Call]:
    """Uses of layers after those whose values they need; a layer may be used several times.

    Keras 2 counts those of a model inside from 1, as the model has one of its own.
    """
    made = {name_of(layer): calls(layer) for layer in layers}
    used = [use for each in made.values() for call in each for use in needs(call)]
    first: dict[str, int] = {}
    for name, k in [*used, *((end.name, end.use) for end in outputs)]:
        first[name] = min(k, first.get(name, k))
    waiting = [
        (layer, k, call)
        for layer in layers
        for k, call in enumerate(made[name_of(layer)], first.get(name_of(layer), 0))
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


def _apply(reading: Reading, layer: Mapping[str, Any], given: Arguments, prefix: str) -> Any:
    function, name = tensorflow.function_of(layer), name_of(layer)
    kind = str(layer.get("class_name")) if function is None else f"tf.{function}"
    label = f"layer {name!r} ({shortened(kind, 40)})"
    reading.met[kind] += 1
    if kind in stored.MODELS:
        found = [value for _, value in model_of(reading, layer, given.tensors, f"{prefix}{name}/")]
        return found[0] if len(found) == 1 else found
    module = str(layer.get("module", "keras.layers"))
    own = ">" not in str(layer.get("registered_name") or "") and module.split(".")[0] == "keras"
    operation = is_operation(layer)
    known: Mapping[str, Any] = OPERATIONS if operation else LAYERS
    if function is None and (not own or kind not in known):
        what = "operation" if operation else "layer"
        advice = refusals.advice(kind, own, operation)
        raise ValueError(f"{label}: it is no {what} that symnet reads; {advice}")
    if refusals.is_quantised(layer["config"]):
        raise ValueError(f"{label}: {refusals.QUANTISED}")
    try:
        if function is not None:
            return tensorflow.applied(layer, reading.tensors, given)
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


def is_operation(layer: Mapping[str, Any]) -> bool:
    """Whether it is of keras.ops, whose Add is no layer Add; HDF5 files do not tell the module.

    Those of TensorFlow are, too.
    """
    if tensorflow.function_of(layer) is not None:
        return True
    if "module" in layer:
        return ".ops." in f"{layer['module']}."
    return _is_of_keras_3(layer) and not {"trainable", "batch_shape"} & set(layer["config"])


def _is_of_keras_3(layer: Mapping[str, Any]) -> bool:
    """By how its calls are written down."""
    return any(isinstance(node, dict) for node in layer.get("inbound_nodes", []))


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
