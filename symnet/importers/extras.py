"""What readers import only when they are used, each from an extra of the package."""

from __future__ import annotations

import importlib
from typing import Any


def needed(module: str, extra: str) -> Any:
    """The module. ImportError that says what to install where it is missing."""
    try:
        return importlib.import_module(module)
    except ImportError:
        raise missing(module, extra) from None


def missing(module: str, extra: str) -> ImportError:
    """The error that says what to install."""
    package = module.partition(".")[0]
    return ImportError(f"{package} is not installed; pip install 'symnet[{extra}]' brings it")
