"""Live Keras models: what they would save, without a file, and their values in double precision."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from symnet.importers.extras import needed
from symnet.importers.imported import Imported, Options
from symnet.importers.keras import built, stored, twin
from symnet.network import Network
from symnet.network.weights import Array

_NARROWED = "BIT64_TO_BIT32_DTYPE"
_FLOATS = ("float16", "bfloat16", "float32", "mixed_float16", "mixed_bfloat16")


def from_keras(
    model: Any,
    inputs: Iterable[str] | None = None,
    outputs: Iterable[str] | None = None,
    check: bool = True,
) -> Network:
    """The network of a Sequential or functional model of Keras 3, on any of its backends.

    Args:
        check: compare the values with those of a copy of the model in double precision.

    ValueError names the layer that is not read; CheckError where the values differ.
    """
    options = Options(
        None if inputs is None else list(inputs),
        None if outputs is None else list(outputs),
        check=check,
    )
    return imported(model, options).network


def imported(model: Any, options: Options) -> Imported:
    """The same with what is to be said about it."""
    keras = needed("keras", "keras")
    if not isinstance(model, keras.Model):
        kind = f"{type(model).__module__}.{type(model).__name__}"
        raise ValueError(f"{kind} is no model of Keras 3; a file of it can be read: model.save")
    if not model.built:
        raise ValueError("the model is not built: its inputs' shape is not known yet")
    # As a file would have it; what JSON cannot hold is code, in layers that are refused.
    text = json.dumps(keras.saving.serialize_keras_object(model), default=repr)
    config = json.loads(text)
    weights = dict(_weights(keras, model, ""))
    found = built(config, weights, None, options, "not compared")
    if not options.check:
        return found
    text = twin.beside(keras, found.network, config, lambda twin: _filled(keras, twin, model))
    return Imported(found.network, "Keras", found.exactness, found.folded, found.notes, text)


def _weights(keras: Any, model: Any, prefix: str) -> Iterator[tuple[str, list[Array]]]:
    for layer in model.layers:
        yield from _own(keras, layer, prefix)


def _own(keras: Any, layer: Any, prefix: str) -> Iterator[tuple[str, list[Array]]]:
    path = f"{prefix}{layer.name}"
    if isinstance(layer, keras.Model):
        yield from _weights(keras, layer, f"{path}/")
    elif type(layer).__name__ in stored.WRAPPERS:
        yield from _own(keras, layer.layer, f"{path}/")
    else:
        saved: dict[str, Any] = {}  # what is saved of a layer: its kernel with what LoRA added
        layer.save_own_variables(saved)
        own = [saved[key] for key in sorted(saved, key=int)] or layer.weights
        yield path, [np.asarray(keras.ops.convert_to_numpy(v)) for v in own]


def _filled(keras: Any, twin: Any, model: Any) -> None:
    """As a file would: what LoRA has added is in its kernel there."""
    pairs = list(zip(twin.weights, model.weights, strict=False))
    alike = len(twin.weights) == len(model.weights) and all(a.shape == b.shape for a, b in pairs)
    if alike and not any(getattr(own, "lora_enabled", False) for own in model._flatten_layers()):
        for own, kept in pairs:  # as doubles: JAX compiles a conversion for each shape
            own.assign(np.asarray(keras.ops.convert_to_numpy(kept), dtype=np.float64))
        return
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model.weights.h5")
        model.save_weights(path)
        twin.load_weights(path)
