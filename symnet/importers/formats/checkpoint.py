"""The arrays of a file that `torch.save` wrote of a module's `state_dict()`, without PyTorch.

It is an archive of a pickle and a file of numbers for each storage; the pickle is read as data and
not run (`pickled`). Source: torch/serialization.py, and the comments on its zip format.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np

from symnet.files import LARGEST_FILE
from symnet.importers.folding import matrices
from symnet.importers.formats import pickled
from symnet.importers.formats.content import bfloat16, check_archive
from symnet.importers.formats.pickled import Call, Name
from symnet.importers.imported import FilePath, content_of
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


def arrays(path: FilePath) -> dict[str, Array]:
    """The arrays by the names that `state_dict` gives them; of a checkpoint those of its module.

    ValueError for a whole module, whose code a pickle only names, for TorchScript, and for files
    of another kind.
    """
    content = content_of(path, LARGEST_FILE)
    if not zipfile.is_zipfile(io.BytesIO(content)):
        raise ValueError(f"{PICKLE}; use {_ADVICE}")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        check_archive(archive)
        names = archive.namelist()
        root = next((name.removesuffix("data.pkl") for name in names if _is_index(name)), None)
        if root is None:
            raise ValueError("has no data.pkl, which what torch.save writes has")
        if any(name.startswith(f"{root}code/") for name in names):
            raise ValueError("is TorchScript; use symnet.from_torch(torch.jit.load(path))")
        found = _module(pickled.tree(archive.read(f"{root}data.pkl")))
        return _Storages(archive, root).read(found)


def _is_index(name: str) -> bool:
    return name.count("/") <= 1 and name.rpartition("/")[2] == "data.pkl"


def _module(tree: Any) -> dict[str, Call]:
    """The tensors of the state_dict in a tree, which is one or a dictionary with one in it."""
    entries = _entries(tree)
    if entries is None:
        kind = shortened(tree.name) if isinstance(tree, Call) and tree.name else "object"
        raise ValueError(f"holds a {kind}, of which only the name is in the file; use {_ADVICE}")
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
    """The numbers in an archive, each storage read once."""

    def __init__(self, archive: zipfile.ZipFile, root: str) -> None:
        self.archive, self.root = archive, root
        self.known: dict[tuple[str, str], Array] = {}
        named = f"{root}byteorder" in archive.namelist()
        big = named and archive.read(f"{root}byteorder") == b"big"
        self.order: Literal["<", ">"] = ">" if big else "<"

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
        stored = kind.text if isinstance(kind, Name) else ""
        if stored not in _STORAGES or not isinstance(key, str):
            known = ", ".join(kind.removeprefix("torch.") for kind in _STORAGES)
            raise ValueError(f"{name} holds {shortened(stored) or 'no numbers'}; read are {known}")
        if (stored, key) not in self.known:
            content = self.archive.read(f"{self.root}data/{key}")
            self.known[stored, key] = _as_numbers(content, _STORAGES[stored], self.order)
        return self.known[stored, key]


def _as_numbers(content: bytes, dtype: str, order: Literal["<", ">"]) -> Array:
    if dtype == "bfloat16":
        return bfloat16(content, order)
    return np.frombuffer(content, np.dtype(dtype).newbyteorder(order))
