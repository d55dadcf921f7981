"""Live Keras models: what they would save, without a file, and their values in double precision."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from symnet.extras import needed
from symnet.importers.imported import Imported, Options
from symnet.importers.keras import built, stored, twin
from symnet.names import shortened
from symnet.network import Network
from symnet.network.mistaken import unlike
from symnet.network.weights import Array


def from_keras(
    model: Any,
    inputs: Iterable[str] | None = None,
    outputs: Iterable[str] | None = None,
    check: bool = True,
) -> Network:
    """The network of a Sequential or functional model of Keras 3, on any of its backends.

    Args:
        inputs, outputs: names, one for each entry; by default after the model's own, but x1, x2, …
            where it has a single vector of inputs.
        check: compare the values with those of a copy of the model in double precision.

    ValueError names the layer that is not read; CheckError where the values differ.
    """
    options = Options(inputs, outputs, check=check)
    return imported(model, options).network


def imported(model: Any, options: Options) -> Imported:
    """The same with what is to be said about it."""
    keras = needed("keras", "keras")
    if not isinstance(model, keras.Model):
        other = "keras" in type(model).__module__ or hasattr(model, "get_config")
        told = "another's; a file of it can be read: model.save" if other else unlike(model)
        raise ValueError(f"a model of Keras 3 is needed, got {told}")
    if not model.built:
        raise ValueError("the model is not built: its inputs' shape is not known yet")
    model = _without_own_training(keras, model)
    _check_functions(keras, model)
    config = _configuration(keras, model)
    weights = dict(_weights(keras, model, ""))
    found = built(config, weights, None, options)
    if not options.check:
        return found
    text = twin.beside(keras, found, config, lambda twin: _filled(keras, twin, model))
    return replace(found, compared=text)


def _without_own_training(keras: Any, model: Any) -> Any:
    """The functional model that an instance of a subclass without a call of its own is."""
    own: Any = type(model)
    base = next((c for c in own.__mro__ if c.__name__ in ("Functional", "Sequential")), own)
    if base is own or own.call is not base.call or own.__call__ is not base.__call__:
        return model
    return keras.Model(model.inputs, model.outputs, name=model.name)


def _configuration(keras: Any, model: Any) -> Any:
    """As a file would have it; what JSON cannot hold is code, in layers that are refused."""
    try:
        return json.loads(json.dumps(keras.saving.serialize_keras_object(model), default=repr))
    except Exception as error:  # layers and functions raise what they like
        why = f"{type(error).__name__}: {' '.join(str(error).split())}"
        raise ValueError(f"Keras cannot write the model down ({shortened(why, 200)})") from None


_PROBES = np.linspace(-4, 4, 16, dtype=np.float32)


def _check_functions(keras: Any, model: Any) -> None:
    """ValueError where Keras writes an activation down as another function of the same name.

    keras.ops.gelu is approximate, and is written as keras.activations.gelu, which is not.
    """
    for layer in model._flatten_layers():
        for key in ("activation", "recurrent_activation"):
            function = getattr(layer, key, None)
            if function is None or isinstance(function, keras.Layer):
                continue
            label = f"layer {layer.name!r} ({type(layer).__name__})"
            try:
                name = keras.activations.serialize(function)
            except Exception as error:  # a lambda without its source
                raise ValueError(f"{label}: its {key} is code ({error})") from None
            known = keras.activations.get(name) if isinstance(name, str) else function
            if known is function:
                continue
            here, there = (keras.ops.convert_to_numpy(f(_PROBES)) for f in (function, known))
            if not np.allclose(here, there, rtol=1e-5, atol=1e-6):
                raise ValueError(
                    f"{label}: its {key} is another function than keras.activations.{name}, as "
                    "which Keras writes it down; say that one, or write it as layers"
                )


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
        if isinstance(inner := getattr(layer, "activation", None), keras.Layer):
            yield from _own(keras, inner, f"{path}/")


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
