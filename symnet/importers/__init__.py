"""Networks from other programs: files by their suffix, and live objects of frameworks.

Each reader is a module of its own and imports its framework only when it is used.
"""

from __future__ import annotations

from symnet.importers.imported import Imported, Options
from symnet.importers.loading import load, read

__all__ = ["Imported", "Options", "load", "read"]
