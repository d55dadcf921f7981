"""Libraries that are imported only when they are used, each from an extra of the package."""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any


def needed(module: str, extra: str) -> Any:
    """The module. ImportError that says what to install where it is missing, or what it lacks."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        package = module.partition(".")[0]
        if importlib.util.find_spec(package) is None:
            raise missing(module, extra) from None
        hint = _HINTS.get(package, "")
        raise ImportError(f"{package} is installed but does not import: {error}{hint}") from None


_HINTS = {"keras": "; KERAS_BACKEND=jax, or torch, is another backend than TensorFlow"}


def missing(module: str, extra: str) -> ImportError:
    """The error that says what to install."""
    package = module.partition(".")[0]
    return ImportError(f"{package} is not installed; pip install 'symnet[{extra}]' brings it")
