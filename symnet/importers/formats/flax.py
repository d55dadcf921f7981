"""Flax's parameters in msgpack files, as `flax.serialization.to_bytes` writes them: arrays only.

    {"params": {"Dense_0": {"kernel": array, "bias": array}, ...}, ...}

An array is an extension of the code 1 that holds (shape, type, bytes). The names do not give the
order of the layers: Flax numbers them as they are made, and the last may be Dense_0.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from symnet.extras import needed
from symnet.files import LARGEST_FILE
from symnet.importers.formats.arrays import from_named
from symnet.importers.formats.content import bfloat16
from symnet.importers.imported import FilePath, Imported, Options, content_of
from symnet.network.weights import Array

_ARRAY = 1
_LONGEST = 2**16  # entries of one list or map: what is larger is no tree of parameters
_MOST = 100_000  # lists and maps in a file
_TYPES = ("float16", "float32", "float64", "bfloat16", "int8", "int16", "int32", "int64", "uint8")
_PLACES = ("batch_stats", "spectral_stats", "intermediates")


def read(path: FilePath, options: Options) -> Imported:
    """The network in a file. ValueError where it holds more than layers' kernels and biases."""
    tree = _unpacked(content_of(path, LARGEST_FILE))
    if not isinstance(tree, dict):
        raise ValueError(f"holds {type(tree).__name__}, expected a tree of parameters by Flax")
    for name in _PLACES:
        if tree.get(name):
            raise ValueError(
                f"holds {name}, so its layers are more than matrices; "
                "use symnet.from_jax(lambda x: model.apply(parameters, x), n)"
            )
    arrays = dict(_arrays(tree.get("params", tree), ""))
    return from_named(arrays, "Flax msgpack", path, options)


def _arrays(tree: Any, prefix: str) -> Iterator[tuple[str, Array]]:
    """All arrays below, by their paths without `params/`; numbers beside them are settings."""
    for name, value in tree.items():
        if isinstance(value, dict):
            inner = "" if name == "params" and not prefix else f"{prefix}{name}/"
            yield from _arrays(value, inner)
        elif isinstance(value, np.ndarray):
            yield f"{prefix}{name}", value


def _unpacked(content: bytes) -> Any:
    """The tree, its size bounded while it is made."""
    msgpack = needed("msgpack", "importers")
    made = 0

    def counted(value: Any) -> Any:
        nonlocal made
        made += 1
        if made > _MOST:
            raise ValueError(f"holds more than {_MOST:,} lists and maps")
        return value

    return msgpack.unpackb(
        content,
        ext_hook=_extension,
        object_hook=counted,
        list_hook=counted,
        raw=False,
        strict_map_key=True,
        max_array_len=_LONGEST,
        max_map_len=_LONGEST,
    )


def _extension(code: int, data: bytes) -> Any:
    """An array, its declared shape checked against the bytes."""
    if code != _ARRAY:
        raise ValueError(f"holds an extension {code} of msgpack, expected arrays (1)")
    shape, kind, numbers = needed("msgpack", "importers").unpackb(data, max_array_len=100)
    kind = kind.decode("ascii") if isinstance(kind, bytes) else kind
    if kind not in _TYPES:
        raise ValueError(f"holds an array of {kind!r}, expected one of {', '.join(_TYPES)}")
    if not all(isinstance(size, int) and size >= 0 for size in shape):
        raise ValueError(f"an array of the declared shape {shape}")
    half = kind == "bfloat16"
    stored = np.dtype("uint16" if half else kind).newbyteorder("<")
    if math.prod(shape) * stored.itemsize != len(numbers):
        raise ValueError(f"an array of the declared shape {shape} in {len(numbers)} bytes")
    array = bfloat16(numbers) if half else np.frombuffer(numbers, dtype=stored)
    return array.reshape(shape)
