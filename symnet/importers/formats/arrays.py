"""Networks from files that hold arrays and no architecture.

Such a file says nothing of activations, and may not say which axis of a matrix is the neurons' or
which layer is first. What cannot be seen is asked for (activations), or assumed as names suggest
and told: a square matrix fits either way.
"""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from symnet.extras import needed
from symnet.files import LARGEST_FILE
from symnet.importers.folding import matrices
from symnet.importers.formats import apart, named
from symnet.importers.formats.chains import of_layers
from symnet.importers.formats.content import bfloat16, check_archive
from symnet.importers.imported import (
    FilePath,
    Imported,
    Options,
    content_of,
    exactness,
    label_of,
    renamed,
)
from symnet.names import shortened
from symnet.network.weights import Array
from symnet.witness import analytic


def from_named(
    arrays: Mapping[str, Array], source: str, path: FilePath, options: Options
) -> Imported:
    """The chain of arrays that have names: see `named.chain`."""
    options.check_single()
    asked = options.activations, options.layout
    pairs, functions, layout, notes, others = named.chain(arrays, *asked, named.of_a_file)
    net = of_layers(pairs, functions, layout, name=label_of(path))
    x = np.ones(net.n)
    y = ", ".join(f"{v:.9g}" for v in analytic.value(net, x)[:4])
    if others:
        notes.append(f"left out: {shortened(', '.join(others), 200)}")
    notes.append(f"axes of the matrices are {layout}; all inputs 1 give {y}: compare one value")
    dtypes = {str(a.dtype) for pair in pairs for a in pair if a is not None and a.dtype.kind == "f"}
    compared = "nothing to compare with in the file"
    return Imported(renamed(net, options), source, exactness(dtypes), (), tuple(notes), compared)


def read(path: FilePath, options: Options) -> Imported:
    """The network of a file of arrays, by its suffix."""
    suffix = "." + str(path).lower().rpartition(".")[2]
    return from_named(_FILES[suffix](path), suffix[1:], path, options)


def read_hdf5(path: FilePath, options: Options) -> Imported:
    """The network of a file of Keras's weights, whatever it is called."""
    return from_named(_weights_h5(path), "h5", path, options)


def _npz(path: FilePath) -> dict[str, Array]:
    content = content_of(path, LARGEST_FILE)
    found = {}
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        check_archive(archive)
        members = archive.infolist()
        entries = sum(_declared(archive, member) for member in members)
        matrices.check_size(entries, "the archive")
        for member in members:
            with archive.open(member) as file:
                array = np.lib.format.read_array(file, allow_pickle=False)
            found[member.filename.removesuffix(".npy")] = array
    return found


def _declared(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> int:
    """Entries of one array by its header, beside whose size nothing else is read.

    ValueError where the member is larger or smaller than what it declares.
    """
    with archive.open(member) as file:
        version = np.lib.format.read_magic(file)
        read = _HEADERS[version == (1, 0)]
        shape, _, dtype = read(file)
        start = file.tell()
    if dtype.hasobject:
        raise ValueError("holds Python objects (a pickle); save arrays of numbers")
    entries = math.prod(int(s) for s in shape)
    if min(shape, default=0) < 0 or entries * dtype.itemsize != member.file_size - start:
        size = member.file_size - start
        name = shortened(member.filename)
        raise ValueError(f"{name} declares the shape {shape} of {dtype} in {size} bytes")
    return max(entries, entries * dtype.itemsize // 8)


_HEADERS = np.lib.format.read_array_header_2_0, np.lib.format.read_array_header_1_0


_KINDS = {
    **{f"F{bits}": f"<f{bits // 8}" for bits in (16, 32, 64)},
    **{f"{kind}{bits}": f"<{kind.lower()}{bits // 8}" for kind in "IU" for bits in (8, 16, 32, 64)},
}


def _safetensors(path: FilePath) -> dict[str, Array]:
    library = needed("safetensors", "importers")
    parts = library.deserialize(content_of(path, LARGEST_FILE))
    return {name: _tensor(name, part) for name, part in parts}


def _tensor(name: str, part: Mapping[str, Any]) -> Array:
    kind, data, shape = part["dtype"], part["data"], part["shape"]
    if kind == "BF16":
        return bfloat16(data).reshape(shape)
    if kind not in _KINDS:
        raise ValueError(f"{name} holds {kind}; symnet reads BF16, {', '.join(_KINDS)}")
    return np.frombuffer(data, _KINDS[kind]).reshape(shape)


def _weights_h5(path: FilePath) -> dict[str, Array]:
    found = apart.contents("hdf5", content_of(path, LARGEST_FILE), "keras")
    return {
        name.replace("/vars/0", "/kernel").replace("/vars/1", "/bias"): array
        for name, array in found.arrays.items()
        if not name.startswith(("optimizer", "seed"))
    }


_FILES: dict[str, Callable[[FilePath], dict[str, Array]]] = {
    ".npz": _npz,
    ".safetensors": _safetensors,
}
