"""MATLAB's `.mat` files with weights, biases and names of activations.

Arrays are called W1, b1, W2, b2, ... or are cells W and b; activations are `activations`, a cell or
a padded character array, where they are there at all. MATLAB keeps whole numbers as small integers.
"""

from __future__ import annotations

import io
import zlib
from typing import Any

import numpy as np

from symnet.files import LARGEST_FILE
from symnet.importers.arrays import from_named
from symnet.importers.extras import needed
from symnet.importers.imported import FilePath, Imported, Options, content_of
from symnet.network.weights import Array

_COMPRESSED = 15
_HDF5 = b"\x89HDF"


def read(path: FilePath, options: Options) -> Imported:
    """The network in a file of MATLAB 5 to 7. ValueError for version 7.3, which is HDF5."""
    content = content_of(path, LARGEST_FILE)
    if _HDF5 in content[:1024]:
        raise ValueError("is of MATLAB 7.3 (HDF5); save it with -v7")
    _check_expansion(content)
    library = needed("scipy.io", "importers")
    found = library.loadmat(io.BytesIO(content), chars_as_strings=True)
    arrays: dict[str, Array] = {}
    functions: list[str] = []
    for name, value in found.items():
        if name.startswith("__"):
            continue
        if name.lower().startswith("activation"):
            functions = _texts(value)
        else:
            arrays.update(_numbers(name, value))
    given = Options(**(options.__dict__ | {"activations": options.activations or functions}))
    return from_named(arrays, "MATLAB", path, given)


def _numbers(name: str, value: Any) -> dict[str, Array]:
    """One array, or those of a cell, numbered from 1; a bias is a row or a column."""
    if value.dtype == object:
        cells = [cell for k, cell in enumerate(value.reshape(-1), start=1)]
        return {
            key: array
            for k, cell in enumerate(cells, start=1)
            for key, array in _numbers(f"{name}{k}", np.asarray(cell)).items()
        }
    if value.dtype.kind not in "fiu":
        raise ValueError(f"{name} holds {value.dtype}, expected numbers")
    array = np.asarray(value, dtype=np.float64)
    return {name: array.reshape(-1) if name.lower().startswith("b") else array}


def _texts(value: Any) -> list[str]:
    flat = np.asarray(value).reshape(-1)
    return [str(np.asarray(entry).reshape(-1)[0]).strip() for entry in flat]


def _check_expansion(content: bytes) -> None:
    """ValueError where compressed parts expand to more than a network file may have."""
    order, place, total = "little" if content[126:128] == b"IM" else "big", 128, 0
    while place + 8 <= len(content):
        kind = int.from_bytes(content[place : place + 4], order)  # type: ignore[arg-type]
        size = int.from_bytes(content[place + 4 : place + 8], order)  # type: ignore[arg-type]
        if kind == _COMPRESSED:
            total += _expanded(content[place + 8 : place + 8 + size], LARGEST_FILE - total)
        place += 8 + size


def _expanded(part: bytes, limit: int) -> int:
    unpacker, total, rest = zlib.decompressobj(), 0, part
    while rest and not unpacker.eof:
        total += len(unpacker.decompress(rest, 1 << 20))
        rest = unpacker.unconsumed_tail
        if total > limit:
            raise ValueError(f"expands to more than {LARGEST_FILE >> 20} MiB")
    return total
