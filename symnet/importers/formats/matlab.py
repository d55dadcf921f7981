"""MATLAB's `.mat` files with weights, biases and names of activations.

Arrays are called W1, b1, W2, b2, ... or are cells W and b; activations are `activations`, a cell or
a padded character array, where they are there at all. MATLAB keeps whole numbers as small integers.
"""

from __future__ import annotations

import zlib
from dataclasses import replace

import numpy as np

from symnet.files import LARGEST_FILE
from symnet.importers.formats import apart
from symnet.importers.formats.arrays import from_named
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
    found = apart.contents("matlab", content, "importers")
    functions = [
        text.strip()
        for name, texts in found.texts.items()
        if name.lower().startswith("activation")
        for text in texts["text"]
    ]
    strange = [name for name in found.texts if not name.lower().startswith("activation")]
    if strange:
        raise ValueError(f"{strange[0]} holds text, expected numbers")
    arrays = {name.replace("/", ""): _numbers(name, a) for name, a in found.arrays.items()}
    given = replace(options, activations=options.activations or functions)
    return from_named(arrays, "MATLAB", path, given)


def _numbers(name: str, array: Array) -> Array:
    """As doubles; a bias is a row or a column."""
    wide = np.asarray(array, dtype=np.float64)
    return wide.reshape(-1) if name.lower().startswith("b") else wide


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
