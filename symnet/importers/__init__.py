"""Networks from other programs: files by their suffix, and live objects of frameworks.

Each reader is a module of its own and imports its framework only when it is used.
"""

from __future__ import annotations

from symnet.importers.formats.chains import from_arrays
from symnet.importers.imported import Imported, Options
from symnet.importers.jax import from_jax
from symnet.importers.keras.live import from_keras
from symnet.importers.loading import load, read
from symnet.importers.sklearn import from_sklearn
from symnet.importers.torch import from_torch

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
