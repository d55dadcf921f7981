"""What is taken for a network and is none, and how one is had of it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from traceback import walk_tb
from types import MappingProxyType

_READ: Mapping[str, str] = MappingProxyType(
    {
        "torch": "symnet.from_torch(module) reads a torch.nn.Module",
        "keras": "symnet.from_keras(model) reads a model",
        "sklearn": "symnet.from_sklearn(model) reads an estimator or a pipeline",
        "skorch": "symnet.from_torch(net.module_) reads the module in it",
        "onnx": "symnet.load reads the file",
        "jax": "symnet.from_jax(f, n) reads a function of n inputs",
        "flax": "symnet.from_jax(f, n) reads a function of n inputs",
        "haiku": "symnet.from_jax(f, n) reads a function of n inputs",
        "equinox": "symnet.from_jax(f, n) reads a function of n inputs",
        "symnet": "symnet.Network([...]) is of layers, symnet.Network.of(y) of a graph",
        "numpy": "symnet.from_arrays(arrays, activations) is of weights",
    }
)
"""By the package that a class or one of its bases is of."""

_OTHERS = "torch", "keras", "sklearn", "skorch"


def unlike(found: object) -> str:
    """`str; symnet.load reads a file`: the type, and what makes a network of it."""
    kind = type(found)
    if isinstance(found, str | os.PathLike):
        return f"{kind.__name__}; symnet.load reads a file"
    if "symnet" in kind.__module__ and hasattr(found, "network"):
        return f"{kind.__name__}; its .network is one"
    if (package := next((p for p in _packages(found) if p in _READ), None)) is not None:
        return f"{kind.__name__}; {_READ[package]}"
    if isinstance(found, list | tuple | Mapping):
        return f"{kind.__name__}; {_READ['numpy']}, symnet.Network([...]) of layers"
    return f"{kind.__name__}; {_READ['jax']}" if callable(found) else kind.__name__


def library_called(function: object, error: BaseException) -> str | None:
    """What reads the models of the library that a function for JAX calls, or is of, in an error."""
    inside = (frame.f_globals.get("__name__", "") for frame, _ in walk_tb(error.__traceback__))
    met = [*_packages(function), *(str(module).partition(".")[0] for module in inside)]
    return next((_READ[package] for package in met if package in _OTHERS), None)


def _packages(found: object) -> list[str]:
    return [base.__module__.partition(".")[0] for base in type(found).__mro__]
