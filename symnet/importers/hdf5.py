"""HDF5 files without their traps: external links and files, references, and huge datasets."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from typing import Any

from symnet.files import LARGEST_FILE
from symnet.importers import matrices
from symnet.importers.extras import needed
from symnet.importers.imported import FilePath, content_of
from symnet.network.weights import Array

_DEPTH = 20


def opened(content: bytes) -> Any:
    """The file in memory: nothing beside it can be read through it."""
    h5py = needed("h5py", "keras")
    return h5py.File(io.BytesIO(content), "r")


def datasets(group: Any, prefix: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Paths and datasets; links that lead elsewhere are refused, not followed."""
    h5py = needed("h5py", "keras")
    if depth > _DEPTH:
        raise ValueError(f"groups are nested deeper than {_DEPTH}")
    for name in group:
        link = group.get(name, getlink=True)
        if not isinstance(link, h5py.HardLink):
            raise ValueError(f"{prefix}{name} is a link to somewhere else; it is not followed")
        entry = group[name]
        if isinstance(entry, h5py.Group):
            yield from datasets(entry, f"{prefix}{name}/", depth + 1)
        elif isinstance(entry, h5py.Dataset):
            yield f"{prefix}{name}", entry


def array(dataset: Any, name: str) -> Array:
    """A dataset's numbers. ValueError where they lie in another file or are too many."""
    if dataset.external or dataset.is_virtual:
        raise ValueError(f"{name}: its data are in another file; they are not read")
    matrices.check_size(math.prod(dataset.shape or (0,)), name)
    if dataset.dtype.kind not in "fiu":
        raise ValueError(f"{name} holds {dataset.dtype}, expected numbers")
    found: Array = dataset[()]
    return found


def arrays(path: FilePath) -> dict[str, Array]:
    """All datasets of numbers in a file, by their paths."""
    with opened(content_of(path, LARGEST_FILE)) as file:
        return {name: array(entry, name) for name, entry in datasets(file)}
