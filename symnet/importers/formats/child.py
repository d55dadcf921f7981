"""Reads files of arrays for `apart`, which runs this as a script of its own.

The C code of HDF5, and SciPy's of MATLAB's files, can hang or crash on damaged files: here it takes
nothing else down. Nothing of symnet is imported. Requests come by standard input, each a line of
JSON {"kind", "size", "largest"} and that many bytes; answers go by standard output: a line of JSON
with an error, or with arrays and attributes, and the arrays' bytes.
"""

from __future__ import annotations

import io
import json
import math
import os
import sys
from collections.abc import Iterator
from typing import Any

_DEPTH = 20
_MEMORY = 4 << 30


class Contents:
    """What is found in a file, up to a number of entries."""

    def __init__(self, largest: int) -> None:
        self.largest, self.entries = largest, 0
        self.arrays: dict[str, Any] = {}
        self.texts: dict[str, dict[str, Any]] = {}

    def room(self, entries: int, name: str) -> None:
        """ValueError where so many do not fit any more."""
        self.entries += entries
        if self.entries > self.largest:
            raise ValueError(
                f"{name} has {entries:,} entries, more than the {self.largest:,} that fit"
            )


def _attributes(node: Any) -> dict[str, Any]:
    """Texts and lists of texts; anything else is left out."""
    found: dict[str, Any] = {}
    for name in node.attrs:
        value = node.attrs[name]
        if isinstance(value, str | bytes):
            found[name] = _text(value)
        elif getattr(value, "dtype", None) is not None and value.dtype.kind in "OSU":
            found[name] = [_text(v) for v in value.reshape(-1).tolist()]
    return found


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _datasets(h5py: Any, group: Any, prefix: str, depth: int) -> Iterator[tuple[str, Any]]:
    """Groups and datasets by their paths; links that lead elsewhere are refused, not followed."""
    if depth > _DEPTH:
        raise ValueError(f"groups are nested deeper than {_DEPTH}")
    for name in group:
        link = group.get(name, getlink=True)
        if not isinstance(link, h5py.HardLink):
            raise ValueError(f"{prefix}{name} is a link to somewhere else; it is not followed")
        node = group[name]
        yield f"{prefix}{name}", node
        if isinstance(node, h5py.Group):
            yield from _datasets(h5py, node, f"{prefix}{name}/", depth + 1)


def _words(node: Any, shape: Any) -> int:
    """Entries of eight bytes, or of fewer: what a dataset takes."""
    return int(math.prod(shape)) * max(1, -(-node.dtype.itemsize // 8))


def hdf5(content: bytes, found: Contents) -> None:
    """All datasets of numbers and characters, and the texts among attributes."""
    import h5py

    with h5py.File(io.BytesIO(content), "r") as file:
        found.texts[""] = _attributes(file)
        for name, node in _datasets(h5py, file, "", 0):
            found.room(1, name)  # a link back to a group above would never end
            if attributes := _attributes(node):
                found.texts[name] = attributes
            if not isinstance(node, h5py.Dataset):
                continue
            if node.external or node.is_virtual:
                raise ValueError(f"{name}: its data are in another file; they are not read")
            found.room(_words(node, node.shape or (0,)), name)
            if node.chunks and _words(node, node.chunks) > found.largest:
                raise ValueError(f"{name}: its chunks of {node.chunks} are larger than what fits")
            if node.dtype.kind in "fiubS":
                found.arrays[name] = node[()]
            elif node.dtype.str == "|V2":  # bfloat16: the upper half of a float32
                upper = node[()].view("<u2").astype("<u4") << 16
                found.arrays[name] = upper.view("<f4")


def matlab(content: bytes, found: Contents) -> None:
    """All arrays of numbers, and texts: those of cells as name/1, of structs as name/field."""
    from scipy.io import loadmat

    for name, value in loadmat(io.BytesIO(content), chars_as_strings=True).items():
        if not name.startswith("__"):
            _add(found, name, value)


def _add(found: Contents, name: str, value: Any) -> None:
    if value is None:  # a struct without fields
        return
    found.room(math.prod(value.shape) * max(1, value.dtype.itemsize // 8), name)
    value = value.toarray() if hasattr(value, "toarray") else value
    if type(value).__name__ != "ndarray":
        raise ValueError(f"{name} is {_thing(value)}; save arrays and cells of its numbers")
    if value.dtype.kind in "US":
        found.texts[name] = {"text": [str(v) for v in value.reshape(-1).tolist()]}
    elif value.dtype.kind in "fiub":
        found.arrays[name] = value
    elif value.dtype.names:
        several = value.size > 1
        for k, record in enumerate(value.reshape(-1), start=1):
            for field in value.dtype.names:
                _add(found, f"{name}/{k}/{field}" if several else f"{name}/{field}", record[field])
    elif value.dtype == object:
        for k, cell in enumerate(value.reshape(-1), start=1):
            _add(found, f"{name}/{k}", cell)
    else:
        raise ValueError(f"{name} holds {value.dtype}, expected numbers")


def _thing(value: Any) -> str:
    """What MATLAB has beside numbers, texts, cells and structs."""
    kind = type(value).__name__
    if kind == "MatlabFunction":
        return "a function"
    told = getattr(value, "classname", None)
    if kind == "MatlabOpaque":
        told = _text(value.reshape(-1)[0]["s2"])
    return f"an object of MATLAB's class {told}"


KINDS = {"hdf5": hdf5, "matlab": matlab}


def answer(request: dict[str, Any], content: bytes) -> tuple[dict[str, Any], list[Any]]:
    """The line and the arrays' bytes."""
    import numpy as np

    found = Contents(request["largest"])
    try:
        KINDS[request["kind"]](content, found)
    except ImportError as error:
        return {"missing": error.name}, []
    except MemoryError:
        return {"error": "takes more memory than there is"}, []
    except Exception as error:  # parsers of damaged files raise whatever they like
        plain = type(error) is ValueError
        return {"error": str(error) if plain else f"{type(error).__name__}: {error}"}, []
    arrays = {name: np.ascontiguousarray(array) for name, array in found.arrays.items()}
    told = [[name, a.dtype.str, list(a.shape), a.nbytes] for name, a in arrays.items()]
    return {"arrays": told, "texts": found.texts}, [
        a.reshape(-1).view("u1") for a in arrays.values() if a.size
    ]


def _bounded() -> None:
    """Memory, where the system can limit it."""
    try:
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, hard))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except (ImportError, ValueError, OSError):
        pass


def main() -> None:
    """Answers until there are no more requests."""
    _bounded()
    come, go = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library may print is no answer
    while line := come.readline():
        request = json.loads(line)
        told, parts = answer(request, come.read(request["size"]))
        go.write(json.dumps(told).encode() + b"\n")
        for part in parts:
            go.write(part.data)
        go.flush()


if __name__ == "__main__":
    main()
