"""Live Keras models: what they would save, without a file, and their values in double precision."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import Any

import numpy as np

from symnet.importers import comparing
from symnet.importers.extras import needed
from symnet.importers.imported import Imported, Options
from symnet.importers.keras import built, input_shapes
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
    stored = json.dumps(keras.saving.serialize_keras_object(model), default=repr)
    config = json.loads(stored)
    weights = dict(_weights(keras, model, ""))
    found = built(config, weights, None, options, "not compared")
    if not options.check:
        return found
    shapes = [shape for _, shape in input_shapes(config)]
    with _double(keras):
        twin = keras.saving.deserialize_keras_object(_widened(config))
        twin.set_weights(model.get_weights())
        _finish(keras, twin)
        other = _values(keras, twin, shapes)
        text = "not compared: this version of Keras computes in single precision"
        if _is_double(keras):
            text = comparing.compared(found.network, other, "Keras in double precision")
    return Imported(found.network, "Keras", found.exactness, found.folded, found.notes, text)


def _weights(keras: Any, model: Any, prefix: str) -> Iterator[tuple[str, list[Array]]]:
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from _weights(keras, layer, f"{prefix}{layer.name}/")
        else:
            arrays = [np.asarray(keras.ops.convert_to_numpy(v)) for v in layer.weights]
            yield prefix + layer.name, arrays


def _finish(keras: Any, model: Any) -> None:
    """Normalization computes with what it made of its weights when they were set."""
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            _finish(keras, layer)
        elif hasattr(layer, "finalize_state"):
            layer.finalize_state()


def _widened(config: Any) -> Any:
    """The configuration with double precision wherever a type is named."""
    if isinstance(config, Mapping):
        policy = config.get("class_name") == "DTypePolicy"
        return {
            key: "float64"
            if key == "dtype" and value in _FLOATS
            else {"name": "float64"}
            if policy and key == "config"
            else _widened(value)
            for key, value in config.items()
        }
    return [_widened(value) for value in config] if isinstance(config, list) else config


@contextmanager
def _double(keras: Any) -> Iterator[None]:
    """Keras in double precision, which it leaves on all backends but TensorFlow: its own table
    says that float64 with float64 is float32, and JAX has float64 only when it is asked for."""
    table = getattr(sys.modules.get("keras.src.backend.common.dtypes"), _NARROWED, {})
    before, kind = dict(table), keras.config.floatx()
    with _jax_double() if keras.backend.backend() == "jax" else nullcontext():
        try:
            if "float64" in table:
                table["float64"] = "float64"
            keras.config.set_floatx("float64")
            yield
        finally:
            table.update(before)
            keras.config.set_floatx(kind)


def _jax_double() -> Any:
    jax = needed("jax", "jax")
    switch = jax.enable_x64 if hasattr(jax, "enable_x64") else jax.experimental.enable_x64
    return switch(True)


def _is_double(keras: Any) -> bool:
    """Whether functions and products give what is not in single precision."""
    third = keras.ops.convert_to_tensor(np.full((1, 1), 1 / 3), "float64")
    found = keras.ops.convert_to_numpy(keras.ops.matmul(keras.ops.tanh(third), third)).item()
    return abs(found - np.tanh(1 / 3) / 3) < 1e-15


def _values(keras: Any, model: Any, shapes: list[tuple[int, ...]]) -> Any:
    """The model's values of flat points (k, n)."""
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes])[:-1]

    def values(X: Array) -> Array:
        parts = [
            keras.ops.convert_to_tensor(part.reshape(len(X), *shape), "float64")
            for part, shape in zip(np.split(X, ends, axis=1), shapes, strict=True)
        ]
        result = model(parts if len(parts) > 1 else parts[0], training=False)
        tensors = result if isinstance(result, list | tuple) else [result]
        rows = [keras.ops.convert_to_numpy(y).reshape(len(X), -1) for y in tensors]
        return np.concatenate(rows, axis=1)

    return values
