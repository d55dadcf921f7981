"""The arrays of a file that `torch.save` wrote of a module's `state_dict()`, without PyTorch.

It is an archive of a pickle and a file of numbers for each storage; before PyTorch 1.6, and on
demand since, five pickles with the numbers after them. Pickles are read as data and not run
(`pickled`). Source: torch/serialization.py, and the comments on its zip format.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping, Sequence
from typing import Any, BinaryIO, Literal

import numpy as np

from symnet.files import LARGEST_FILE
from symnet.importers.folding import matrices
from symnet.importers.formats import pickled
from symnet.importers.formats.arrays import from_named
from symnet.importers.formats.content import (
    TORCH_BEFORE_1_6,
    bfloat16,
    check_archive,
    index_of_torch,
)
from symnet.importers.formats.pickled import Call, Name
from symnet.importers.imported import FilePath, Imported, Options, content_of
from symnet.importers.unread import PICKLE
from symnet.names import shortened
from symnet.network.weights import Array

_ADVICE = "symnet.from_torch(module) in the program that has it, torch.onnx.export, or .safetensors"

_STORAGES = {
    "torch.DoubleStorage": "f8",
    "torch.FloatStorage": "f4",
    "torch.HalfStorage": "f2",
    "torch.BFloat16Storage": "bfloat16",
    "torch.LongStorage": "i8",
    "torch.IntStorage": "i4",
    "torch.ShortStorage": "i2",
    "torch.CharStorage": "i1",
    "torch.ByteStorage": "u1",
    "torch.BoolStorage": "?",
}
_USUAL = ("state_dict", "model_state_dict", "model")
"""What trainers call the module's own part of a checkpoint, beside an optimizer's or an average."""


def read(path: FilePath, options: Options) -> Imported:
    """The network of a state_dict in a file, whose activations are told."""
    return from_named(arrays(path), "PyTorch's state_dict", path, options)


def arrays(path: FilePath) -> dict[str, Array]:
    """The arrays by the names that `state_dict` gives them; of a checkpoint those of its module.

    ValueError for a whole module, whose code a pickle only names, for TorchScript, and for files
    of another kind.
    """
    content = content_of(path, LARGEST_FILE)
    file = io.BytesIO(content)
    if content.startswith(TORCH_BEFORE_1_6):
        return _of_one_stream(file)
    if content.startswith(b"\x80"):
        raise ValueError(f"{PICKLE}; use {_ADVICE}")
    if not zipfile.is_zipfile(file):
        raise ValueError("is nothing that torch.save writes; use the .onnx file of the model")
    with zipfile.ZipFile(file) as archive:
        check_archive(archive)
        names = archive.namelist()
        index = index_of_torch(names)
        if index is None:
            raise ValueError("has no data.pkl, which what torch.save writes has")
        root = index.removesuffix("data.pkl")
        if any(name.startswith(f"{root}code/") for name in names):
            raise ValueError("is TorchScript; use symnet.from_torch(torch.jit.load(path))")
        found = _module(pickled.tree(io.BytesIO(archive.read(index))))
        named = f"{root}byteorder" in names
        big = named and archive.read(f"{root}byteorder") == b"big"
        storages = _Storages(lambda key: archive.read(f"{root}data/{key}"), ">" if big else "<")
        return storages.read(found)


def _of_one_stream(file: BinaryIO) -> dict[str, Array]:
    """A number that marks the format, its version, the machine, what was saved, keys; numbers."""
    persistent: list[Call] = []
    parts = [pickled.tree(file, persistent) for _ in range(5)]
    machine, keys = parts[2], parts[4]
    found = _module(parts[3])
    if not isinstance(keys, list) or not isinstance(machine, dict):
        raise ValueError("has no list of storages after its pickle")
    big = machine.get("little_endian") is False
    kept = _in_turn(file, keys, persistent, "big" if big else "little")
    return _Storages(kept.__getitem__, ">" if big else "<").read(found)


def _in_turn(
    file: BinaryIO, keys: Sequence[Any], persistent: Sequence[Call], order: Literal["big", "little"]
) -> dict[str, bytes]:
    """The bytes of each storage, before which stands the number of its entries."""
    kinds = {str(c.arguments[2]): c.arguments[1] for c in persistent if _is_storage(c.arguments)}
    found = {}
    for key in map(str, keys):
        dtype = _dtype(f"the storage {shortened(key)}", kinds.get(key))
        width = 2 if dtype == "bfloat16" else np.dtype(dtype).itemsize
        size = int.from_bytes(file.read(8), order) * width
        found[key] = file.read(size)
        if len(found[key]) != size:
            raise ValueError(f"ends in the storage {shortened(key)}")
    return found


def _is_storage(arguments: Any) -> bool:
    return isinstance(arguments, tuple) and len(arguments) > 2 and arguments[0] == "storage"


def _module(tree: Any) -> dict[str, Call]:
    """The tensors of the state_dict in a tree, which is one or a dictionary with one in it."""
    entries = _entries(tree)
    if entries is None:
        kind = f"a {shortened(tree.name)}" if isinstance(tree, Call) and tree.name else "an object"
        raise ValueError(f"holds {kind}, of which only the name is in the file; use {_ADVICE}")
    if _has_tensors(entries):
        return _tensors(entries)
    inner = {key: _entries(value) or {} for key, value in entries.items()}
    parts = {key: found for key, found in inner.items() if _has_tensors(found)}
    usual = [key for key in _USUAL if key in parts] or list(parts)
    if len(parts) == 1 or usual != list(parts):
        return _tensors(parts[usual[0]])
    among = shortened(", ".join(map(str, parts))) if parts else "no arrays"
    raise ValueError(f"holds {among}; expected module.state_dict(), as torch.save has written it")


def _entries(node: Any) -> Mapping[Any, Any] | None:
    """Of a dictionary, an OrderedDict among them."""
    if isinstance(node, Call) and node.name.startswith("collections."):
        return node.entries
    return node if isinstance(node, dict) else None


def _has_tensors(entries: Mapping[Any, Any]) -> bool:
    return any(_tensor(value) for value in entries.values())


def _tensors(entries: Mapping[Any, Any]) -> dict[str, Call]:
    """All of a state_dict. ValueError for an entry that is neither a tensor nor a plain value."""
    found = {}
    for name, value in entries.items():
        if tensor := _tensor(value):
            found[str(name)] = tensor
        elif not isinstance(value, int | float | str | None):
            kind = value.name if isinstance(value, Call) else type(value).__name__
            told = f"{shortened(str(name))} is a {shortened(kind) or 'storage'}"
            raise ValueError(f"{told}, expected a dense tensor of PyTorch's")
    return found


def _tensor(node: Any) -> Call | None:
    """The call that makes a tensor, a parameter's among them; None for anything else."""
    if not isinstance(node, Call) or not isinstance(node.arguments, tuple):
        return None
    if node.name == "torch._utils._rebuild_parameter" and node.arguments:
        return _tensor(node.arguments[0])
    return node if node.name == "torch._utils._rebuild_tensor_v2" else None


class _Storages:
    """The numbers of a file, each storage read once from its bytes by its key."""

    def __init__(self, content: Callable[[str], bytes], order: Literal["<", ">"]) -> None:
        self.content, self.order = content, order
        self.known: dict[tuple[str, str], Array] = {}

    def read(self, tensors: Mapping[str, Call]) -> dict[str, Array]:
        entries = 0
        found = {}
        for name, call in tensors.items():
            view = self._view(shortened(name), *call.arguments[:4])
            entries += view.size
            matrices.check_size(entries, "the file")
            found[name] = np.ascontiguousarray(view)
        return found

    def _view(self, name: str, storage: Any, offset: Any, shape: Any, strides: Any) -> Array:
        """A tensor's entries of a storage, not copied."""
        numbers = self._numbers(name, storage)
        whole = all(isinstance(k, int) and k >= 0 for k in (offset, *shape, *strides))
        if not whole or len(shape) != len(strides):
            raise ValueError(f"{name} has a shape that is none")
        reached = sum((size - 1) * stride for size, stride in zip(shape, strides, strict=True))
        if 0 in shape or offset + reached >= len(numbers):
            raise ValueError(f"{name} of the shape {shortened(str(shape))} is not in its storage")
        steps = [stride * numbers.itemsize for stride in strides]
        return np.lib.stride_tricks.as_strided(numbers[offset:], shape, steps, writeable=False)

    def _numbers(self, name: str, storage: Any) -> Array:
        _, kind, key, *_ = storage.arguments
        dtype = _dtype(name, kind)
        if not isinstance(key, str):
            raise ValueError(f"{name} has no storage by name")
        if (dtype, key) not in self.known:
            self.known[dtype, key] = _as_numbers(self.content(key), dtype, self.order)
        return self.known[dtype, key]


def _dtype(name: str, kind: Any) -> str:
    """NumPy's word for the numbers of a storage; `bfloat16`, for which it has none."""
    stored = kind.text if isinstance(kind, Name) else ""
    if stored not in _STORAGES:
        known = ", ".join(kind.removeprefix("torch.") for kind in _STORAGES)
        raise ValueError(f"{name} holds {shortened(stored) or 'no numbers'}; read are {known}")
    return _STORAGES[stored]


def _as_numbers(content: bytes, dtype: str, order: Literal["<", ">"]) -> Array:
    if dtype == "bfloat16":
        return bfloat16(content, order)
    return np.frombuffer(content, np.dtype(dtype).newbyteorder(order))
