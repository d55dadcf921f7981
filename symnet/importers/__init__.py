"""Networks from other programs: files by their suffix, and live objects of frameworks.

Each reader is a module of its own and imports its framework only when it is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from symnet.importers.imported import Imported, Options
from symnet.importers.loading import load, read

if TYPE_CHECKING:
    from symnet.importers.formats.chains import from_arrays
    from symnet.importers.jax import from_jax
    from symnet.importers.keras.live import from_keras
    from symnet.importers.sklearn import from_sklearn
    from symnet.importers.torch import from_torch

_HOMES = {
    "from_arrays": "formats.chains",
    "from_jax": "jax",
    "from_keras": "keras.live",
    "from_sklearn": "sklearn",
    "from_torch": "torch",
}
"""Readers, which are many modules: those who load a file of symnet's own need none of them."""

__all__ = [
    "Imported",
    "Options",
    "from_arrays",
    "from_jax",
    "from_keras",
    "from_sklearn",
    "from_torch",
    "load",
    "read",
]


if not TYPE_CHECKING:  # who would take any name for one of the package's

    def __getattr__(name: str) -> Any:
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        found = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
        globals()[name] = found
        return found
