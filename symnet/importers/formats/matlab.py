"""MATLAB's `.mat` files with weights, biases and names of activations.

Arrays are called W1, b1, W2, b2, ..., are fields of structs, or cells W and b (IW, LW and b as the
Deep Learning Toolbox has them); activations are `activations`, a cell or a padded character array,
where they are there at all. MATLAB keeps whole numbers as small integers.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from symnet.files import LARGEST_FILE
from symnet.importers.formats import apart
from symnet.importers.formats.arrays import from_named
from symnet.importers.imported import FilePath, Imported, Options, content_of
from symnet.network.weights import Array

_COMPRESSED = 15
_HDF5 = b"\x89HDF"
_OCTAVE = b"# Created by Octave", b"Octave-1-"


def read(path: FilePath, options: Options) -> Imported:
    """The network in a file of MATLAB 5 to 7. ValueError for version 7.3, which is HDF5."""
    content = content_of(path, LARGEST_FILE)
    if _HDF5 in content[:1024]:
        raise ValueError("is of MATLAB 7.3 (HDF5); save it with -v7")
    if content.startswith(_OCTAVE):
        raise ValueError("is of Octave's own format; save it with -v7")
    _check_expansion(content)
    found = apart.contents("matlab", content, "importers")
    functions = []
    for name, texts in found.texts.items():
        if not any(part.lower().startswith("activation") for part in name.split("/")):
            raise ValueError(f"{name} holds text, expected numbers, or activations of that name")
        functions += [text.strip() for text in texts["text"]]
    arrays, notes = _of_toolbox(found.arrays)
    wide = {name.replace("/", ""): np.asarray(a, np.float64) for name, a in arrays.items()}
    given = replace(options, activations=options.activations or functions)
    made = from_named(wide, "MATLAB", path, given)
    return replace(made, notes=(*made.notes, *notes))


def _of_toolbox(arrays: Mapping[str, Array]) -> tuple[Mapping[str, Array], tuple[str, ...]]:
    """The arrays, where IW{1}, LW{2,1}, LW{3,2}, ... of a shallow network are W/1, W/2, W/3, ...

    ValueError for other connections of layers.
    """
    if "IW/1" not in arrays:
        return arrays, ()
    count = math.isqrt(sum(name.startswith("LW/") for name in arrays))
    names = {"IW/1": "W/1"} | {f"LW/{k * count + k}": f"W/{k + 1}" for k in range(1, count)}
    found = {names.get(name, name): a for name, a in arrays.items() if a.size}
    others = [name for name in found if name.startswith(("IW/", "LW/"))]
    if others:
        raise ValueError(f"{others[0]} is no connection of a chain of layers; export it as ONNX")
    return found, ("IW and LW are weights alone: mapminmax of the network is not among them",)


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
