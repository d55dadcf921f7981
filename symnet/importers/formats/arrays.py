"""Networks from files that hold arrays and no architecture.

Such a file says nothing of activations, and may not say which axis of a matrix is the neurons' or
which layer is first. What cannot be seen is asked for (activations), or assumed as names suggest
and told: a square matrix fits either way.
"""

from __future__ import annotations

import io
import math
import re
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Any

import numpy as np

from symnet.files import LARGEST_FILE
from symnet.importers.extras import needed
from symnet.importers.folding import matrices
from symnet.importers.formats import apart
from symnet.importers.formats.chains import LAYOUTS, from_arrays
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

_NAME = re.compile(
    r"(?P<layer>.*?)[._/]?(?P<what>weights?|kernel|coefs?|[wW]|bias(?:es)?|intercepts?|[bB])"
    r"[._/]?(?P<k>\d*)(?::0)?"
)
_COLUMNS = ("kernel", "coefs")  # names under which a column is a neuron
_UNNAMED = re.compile(r"arr_(\d+)")  # as NumPy calls arrays that have no names
_MOST_REORDERED = 7  # layers, of whose orders all are tried


# --- arrays with names --------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Found:
    """A layer's arrays as a file names them."""

    name: str
    weights: Array
    bias: Array | None
    kernel: bool
    """Whether the name is one of those under which columns are neurons."""


def from_named(
    arrays: Mapping[str, Array], source: str, path: FilePath, options: Options
) -> Imported:
    """The chain of arrays that have names: `W1`, `dense_1/kernel`, `0.weight`."""
    options.check_single()
    layers = sorted(_layers(_named(arrays)), key=lambda layer: _natural(layer.name))
    functions = list(options.activations or [])
    if any("=" in own for own in functions):
        layers, functions = _as_told(layers, functions)
        layers, layout, notes = _in_this_order(layers, options.layout)
    else:
        layers, layout, notes = _fitting(layers, options.layout)
    flat = [a for layer in layers for a in (layer.weights, layer.bias) if a is not None]
    net = from_arrays(flat, functions, layout, name=label_of(path))
    x = np.ones(net.n)
    y = ", ".join(f"{v:.9g}" for v in analytic.value(net, x)[:4])
    notes.append(f"axes of the matrices are {layout}; all inputs 1 give {y}: compare one value")
    dtypes = {str(a.dtype) for a in flat if a.dtype.kind == "f"}
    compared = "nothing to compare with in the file"
    return Imported(renamed(net, options), source, exactness(dtypes), (), tuple(notes), compared)


def _named(arrays: Mapping[str, Array]) -> Mapping[str, Array]:
    """The arrays; those without names are matrices in their order, each with its bias or none."""
    if not all(map(_UNNAMED.fullmatch, arrays)):
        return arrays
    found: dict[str, Array] = {}
    for name in sorted(arrays, key=_natural):
        matrix = arrays[name].ndim == 2
        layers = sum(key.startswith("W") for key in found) + matrix
        key = f"{'W' if matrix else 'b'}{layers}"
        if not layers or key in found:
            shape = arrays[name].shape
            raise ValueError(
                f"{name} has the shape {shape}; expected a matrix, or after one its bias"
            )
        found[key] = arrays[name]
    return found


def _layers(arrays: Mapping[str, Array]) -> list[Found]:
    weights: dict[str, tuple[Array, bool]] = {}
    biases: dict[str, Array] = {}
    for name, array in arrays.items():
        if name.startswith(("optimizer", "opt_state")):
            continue
        match = _NAME.fullmatch(name)
        if match is None or array.dtype.kind not in "fiu" or array.ndim not in (1, 2):
            raise ValueError(
                f"the array {name!r} of the shape {array.shape} is neither a layer's weights "
                "nor its bias; expected names as W1, b1 or layer.weight, layer.bias"
            )
        key = f"{match['layer']}{match['k']}"
        if match["what"][0] in "bBi":
            biases[key] = array.reshape(-1)
        else:
            weights[key] = (np.atleast_2d(array), match["what"] in _COLUMNS)
    if lost := sorted(biases.keys() - weights.keys()):
        raise ValueError(f"the bias {lost[0]!r} has no matrix")
    return [Found(key, W, biases.get(key), kernel) for key, (W, kernel) in weights.items()]


def _as_told(layers: Sequence[Found], given: Sequence[str]) -> tuple[list[Found], list[str]]:
    """Layers and activations in the order of `name=activation`."""
    by_name = {layer.name: layer for layer in layers}
    pairs = [own.partition("=")[::2] for own in given]
    names = [name for name, _ in pairs]
    if sorted(names) != sorted(by_name):
        raise ValueError(
            f"activations of {', '.join(names)}, but the layers are {', '.join(by_name)}"
        )
    return [by_name[name] for name in names], [own for _, own in pairs]


def _in_this_order(layers: list[Found], layout: str | None) -> tuple[list[Found], str, list[str]]:
    if not any(_fits(layers, known) for known in ([layout] if layout else LAYOUTS)):
        shapes = ", ".join(f"{layer.name} {layer.weights.shape}" for layer in layers)
        raise ValueError(f"the matrices do not fit in this order: {shapes}")
    return _fitting(layers, layout)


def _natural(name: str) -> list[Any]:
    """Numbers in names by their value: dense_2 is before dense_10."""
    return [(int(p), "") if p.isdigit() else (-1, p) for p in re.split(r"(\d+)", name) if p]


def _fits(layers: Sequence[Found], layout: str) -> bool:
    before = None
    for layer in layers:
        shape = layer.weights.shape if layout == "out,in" else layer.weights.shape[::-1]
        if layer.bias is not None and len(layer.bias) != shape[0]:
            return False
        if before not in (None, shape[1]):
            return False
        before = shape[0]
    return True


def _fitting(layers: list[Found], layout: str | None) -> tuple[list[Found], str, list[str]]:
    """The layers in an order in which they fit, the layout, and what was assumed."""
    if not layers:
        raise ValueError("there is no matrix among the arrays")
    usual = "in,out" if layers[0].kernel else "out,in"
    other = LAYOUTS[usual == "out,in"]
    layouts = [layout] if layout else [usual, other]
    if layout and layout not in LAYOUTS:
        raise ValueError(f"layout {layout!r} is none of {', '.join(LAYOUTS)}")
    fitting = [found for found in layouts if _fits(layers, found)]
    names = ", ".join(layer.name or "(no name)" for layer in layers)
    if fitting:
        notes = [f"layers in the order {names}"]
        if len(fitting) > 1:
            notes.append(f"either layout of the matrices fits; {fitting[0]} is assumed")
        return layers, fitting[0], notes
    orders = _orders(layers, layouts) if len(layers) <= _MOST_REORDERED else []
    numbered = [order for order in orders if _ascending(order[0])]
    for known, why in ((orders, "that fits"), (numbered, "that fits and keeps their numbers")):
        if len(known) == 1:
            order, found = known[0]
            told = ", ".join(layer.name for layer in order)
            return order, found, [f"layers in the order {told}, the only one {why}"]
    shapes = ", ".join(f"{layer.name} {layer.weights.shape}" for layer in layers)
    told = ",".join(
        f"{layer.name}={'linear' if layer is layers[-1] else 'tanh'}" for layer in layers
    )
    raise ValueError(
        f"the matrices make no single chain of layers: {shapes}; "
        f"say their order with their activations, as symnet import --activations {told} -o net.json"
    )


def _orders(layers: Sequence[Found], layouts: Sequence[str]) -> list[tuple[list[Found], str]]:
    """All orders of the layers in which their matrices fit, with the layout."""
    return [
        (list(order), found)
        for found in layouts
        for order in permutations(layers)
        if _fits(order, found)
    ]


def _ascending(layers: Sequence[Found]) -> bool:
    """Whether layers that differ in numbers only stand in the order of these."""
    last: dict[str, list[Any]] = {}
    for layer in layers:
        stem, key = re.sub(r"\d+", "#", layer.name), _natural(layer.name)
        if stem in last and key < last[stem]:
            return False
        last[stem] = key
    return True


# --- files --------------------------------------------------------------------------------------


def read(path: FilePath, options: Options) -> Imported:
    """The network of a file of arrays, by its suffix."""
    suffix = "." + str(path).lower().rpartition(".")[2]
    return from_named(_FILES[suffix](path), suffix[1:], path, options)


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


def check_archive(archive: zipfile.ZipFile) -> None:
    """ValueError for an archive that expands to more than a network file may have."""
    total = sum(member.file_size for member in archive.infolist())
    if total > LARGEST_FILE:
        raise ValueError(f"expands to {total >> 20} MiB, more than {LARGEST_FILE >> 20}")


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
    if kind == "BF16":  # the upper half of a float32
        return (np.frombuffer(data, "<u2").astype("<u4") << 16).view("<f4").reshape(shape)
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
    ".h5": _weights_h5,
}
