"""A Keras model in double precision beside the network that was read of it, by Keras itself.

Of a file's configuration Keras sees the layers that symnet has read, without what is code or is
not needed to compute: regularisers, constraints, how the model was compiled.
"""

from __future__ import annotations

import importlib
import os
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np

from symnet.extras import needed
from symnet.importers import comparing
from symnet.importers.imported import Imported
from symnet.importers.keras.attention import OF_HEADS
from symnet.network.weights import Array
from symnet.witness.checking import CheckError

_NARROWED = "BIT64_TO_BIT32_DTYPE"
_FLOATS = ("float16", "bfloat16", "float32", "mixed_float16", "mixed_bfloat16")
_KINDS = ("__keras_tensor__", "__slice__", "__tensor__", "__numpy__", "__ellipsis__")
_NEEDLESS = ("_regularizer", "_constraint", "compile_config", "optimizer", "_rank")
_SEQUENTIAL = "Sequential"

_OPTIONAL = ("sklearn", "pandas", "matplotlib")


def compared(
    config: Mapping[str, Any], content: bytes, suffix: str, found: Imported, alone: bool = False
) -> str:
    """What is to be said of a comparison with Keras, which reads the weights of the file itself.

    `alone`: nothing else in this process uses Keras.
    """
    try:
        with warnings.catch_warnings(), _without(_OPTIONAL if alone else ()):
            warnings.simplefilter("ignore")
            keras = needed("keras", "keras")
    except Exception as error:  # its backend may be missing, and fails as it likes
        return f"not compared: Keras cannot be imported here ({type(error).__name__})"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"model{suffix}")
        path.write_bytes(content)
        return beside(keras, found, config, lambda twin: twin.load_weights(os.fspath(path)))


@contextmanager
def _without(packages: Iterable[str]) -> Iterator[None]:
    """Packages that cannot be imported meanwhile: Keras takes half of its time for them.

    It does without where they are not installed.
    """
    hidden = [name for name in packages if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


def beside(
    keras: Any, found: Imported, config: Mapping[str, Any], fill: Callable[[Any], None]
) -> str:
    """The network beside a copy of the model that `fill` gives its weights."""
    if "'DotProductAttention'" in repr(config):
        return "not compared: Keras's dot_product_attention computes in single precision"
    plain = _widened(_harmless(config))
    with _double(keras), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if not _is_double(keras):
            return "not compared: this version of Keras computes in single precision"
        try:
            twin = _made(keras, plain)
            fill(twin)
            _finish(keras, twin)
            other = _values(keras, twin)
            # As many as below: JAX compiles for each number.
            other(comparing.points(found.network.n))
        except CheckError:
            raise
        except Exception as error:  # a configuration that this version of Keras does not take
            return f"not compared: Keras does not load it ({type(error).__name__})"
        return comparing.compared(
            found.network, other, "Keras in double precision", notes=found.notes
        )


def _made(keras: Any, config: Mapping[str, Any]) -> Any:
    with keras.saving.custom_object_scope({_SEQUENTIAL: _sequential(keras)}):
        return _read(keras, config)


def _sequential(keras: Any) -> Any:
    """Keras's own, but built once: its `from_config` builds a model anew at each layer."""
    base: Any = keras.Sequential

    class Sequential(base):  # of that name: files have weights of models in others under it
        @classmethod
        def from_config(cls, config: Mapping[str, Any], custom_objects: Any = None) -> Any:
            model = cls([_read(keras, layer) for layer in config["layers"]], name=config["name"])
            if not model.built and config.get("build_input_shape"):
                model.build(config["build_input_shape"])
            return model

    return Sequential


def _read(keras: Any, config: Mapping[str, Any]) -> Any:
    if "module" in config:
        return keras.saving.deserialize_keras_object(config, safe_mode=True)
    legacy = importlib.import_module("keras.src.legacy.saving.saving_utils")
    return legacy.model_from_config(config)


def _harmless(config: Any) -> Any:
    """Without what names classes or functions that symnet has not read."""
    if isinstance(config, Mapping):
        kind = config.get("class_name")
        if kind is not None and "config" in config:
            module = str(config.get("module", "keras")).split(".")[0]
            if kind not in _KINDS and (
                module != "keras" or ">" in str(config.get("registered_name"))
            ):
                return None
        return {
            # Weights are given later, and JAX takes a second to draw the first random ones.
            key: "zeros" if key.endswith("_initializer") and value else _harmless(value)
            for key, value in config.items()
            if not key.endswith(_NEEDLESS)
        }
    return [_harmless(value) for value in config] if isinstance(config, list | tuple) else config


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
        if config.get("class_name") in OF_HEADS and "config" in config:
            # With dropout, which evaluation leaves out, it computes itself: the function of its
            # backend that it calls else has a softmax in single precision.
            config = {**config, "config": {**config["config"], "dropout": 0.5}}
        if config.get("class_name") == _SEQUENTIAL:
            config = {**config, "registered_name": _SEQUENTIAL}
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
    """Whether functions and products give what is not in single precision.

    JAX is asked for the type alone: it would compile both.
    """
    if keras.backend.backend() == "jax":
        asked = keras.KerasTensor((1, 1), "float64")
        return bool(keras.ops.matmul(keras.ops.tanh(asked), asked).dtype == "float64")
    third = keras.ops.convert_to_tensor(np.full((1, 1), 1 / 3), "float64")
    found = keras.ops.convert_to_numpy(keras.ops.matmul(keras.ops.tanh(third), third)).item()
    return abs(found - np.tanh(1 / 3) / 3) < 1e-15


def _values(keras: Any, model: Any) -> Callable[[Array], Array]:
    """The model's values of flat points (k, n)."""
    shapes = [tuple(int(s) for s in x.shape[1:]) for x in model.inputs]
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes])[:-1]

    def values(X: Array) -> Array:
        parts = [
            keras.ops.convert_to_tensor(part.reshape(len(X), *shape), "float64")
            for part, shape in zip(np.split(X, ends, axis=1), shapes, strict=True)
        ]
        struct = getattr(model, "_inputs_struct", None)
        given = parts if struct is None else keras.tree.pack_sequence_as(struct, parts)
        whole = given[0] if struct is None and len(parts) == 1 else given
        result = model(whole, training=False)
        rows = [
            keras.ops.convert_to_numpy(y).reshape(len(X), -1) for y in keras.tree.flatten(result)
        ]
        return np.concatenate(rows, axis=1)

    if any(x.shape[0] == 1 for x in model.inputs):  # made for a batch of one
        return lambda X: np.concatenate([values(row[None]) for row in X])
    return values
