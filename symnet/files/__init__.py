"""Network files: JSON that round-trips exactly, read without executing or guessing anything.

    {"symnet": 1, "name": "surrogate", "inputs": ["x1", "x2"], "outputs": ["y"],
     "layers": [{"weights": [[0.5, "1/3"], [2, "w21"]], "bias": [0.0, 1.5] or null,
                 "activation": "sigmoid" or {"name": "mine", "expression": ["mul", "z", ...]}}]}

A network that is no chain of layers is version 2: instead of "layers" it has

    "nodes": [{"kind": "activation", "terms": [{"from": 0, "weights": [[0.5, 1.0]]}, {"from": 1}],
               "bias": null, "activation": "tanh"},
              {"kind": "product", "terms": [{"from": 1}], "bias": null, "factor": 2}, ...]

where "from" counts vectors, 0 being the inputs, and a term without weights is the vector itself;
see `symnet.network.graph`. Kinds are those of `graph.KINDS`; "name" may be given to a node.

A weight is a JSON number with a point or an exponent (a double, to the last bit), a JSON integer
(exact), a fraction `"1/3"` or an integer `"3"` in quotes (exact), or a symbol's name `"w11"`. The
expression of a user's own activation is a tree, see `symnet.activations.trees`. "name" may be left
out: the network is then named after the file. "units" may be given, before "layers" or "nodes":
{"x1": "kg/m3", "y": "MPa"}; and "symbols", those of labels whose symbols would be made otherwise:
{"T [K]": "T_K_2"}.

Files are written beside their target and renamed over it, so a failed save leaves what was there.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import BinaryIO

from symnet import catalogue
from symnet.files import reading
from symnet.files.reading import LARGEST_FILE
from symnet.files.replacing import FilePath, replacing, replacing_bytes
from symnet.files.writing import document
from symnet.network import Network

__all__ = [
    "LARGEST_FILE",
    "NetworkFileError",
    "load",
    "read",
    "replacing",
    "replacing_bytes",
    "save",
    "text",
]


class NetworkFileError(ValueError):
    """A file that is no network file of this version; the message begins with the file's name."""


def save(network: Network, path: FilePath) -> None:
    """Write the network to a file that `load` gives back equal, to the last bit.

    Raises ValueError for a suffix of another format, OSError where the file cannot be written; an
    existing file is then left as it was.
    """
    catalogue.check_network_file(path)
    with replacing(path) as file:
        file.writelines(document(network))


def text(network: Network) -> Iterator[str]:
    """What `save` writes, in parts."""
    return document(network)


def load(path: FilePath) -> Network:
    """The network in a file. Raises NetworkFileError, one line that begins with the file's name."""
    return _loaded(path, lambda: open(path, "rb"), Path(path).stem)


def read(file: BinaryIO, name: str) -> Network:
    """The network in an open file, which messages call `name`. Raises as `load`."""
    return _loaded(name, lambda: nullcontext(file), "")


def _loaded(
    path: FilePath, opened: Callable[[], AbstractContextManager[BinaryIO]], stem: str
) -> Network:
    try:
        return reading.network(opened, stem)
    except RecursionError:
        reason = "brackets are nested too deeply for a network file"
    except ValueError as error:
        reason = str(error)
    raise NetworkFileError(f"{os.fspath(path)}: {reason}") from None
