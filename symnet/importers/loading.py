"""Files of networks by their kind; JSON is symnet's own."""

from __future__ import annotations

import importlib
import os
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import replace

from symnet import files
from symnet.catalogue import READERS, file_name
from symnet.files import NetworkFileError
from symnet.importers import unread
from symnet.importers.imported import FilePath, Imported, Options, refusal, renamed
from symnet.network import Network
from symnet.network.mistaken import unlike
from symnet.witness.checking import CheckError


def load(
    path: FilePath,
    *,
    inputs: Iterable[str] | None = None,
    outputs: Iterable[str] | None = None,
    select: Sequence[str] | None = None,
    activations: str | Sequence[str] | None = None,
    layout: str | None = None,
) -> Network:
    """The network in a file: JSON, or another program's by its suffix (see READERS),
    or by what is in it where the suffix says nothing.

    Args:
        inputs, outputs: names in place of the file's, one for each entry.
        select: outputs to keep, by the file's names.
        activations, layout: of files that hold arrays only (`.npz`, a `state_dict`), as
            `from_arrays` has them.

    Raises NetworkFileError, one line that begins with the file's name; CheckError where the
    network's values are not those of the program it comes from; ImportError, which names the extra,
    where a reader's package is not installed.
    """
    functions = [activations] if isinstance(activations, str) else activations
    return read(path, Options(inputs, outputs, select, functions, layout)).network


def read(path: FilePath, options: Options | None = None) -> Imported:
    """The network in a file, and what was folded, assumed and compared. Raises as `load`."""
    options = options or Options()
    if not isinstance(path, str | bytes | os.PathLike):
        raise TypeError(f"a file's name is needed, got {unlike(path)}")
    path = file_name(path)
    kind = unread.kind_of(path)
    if kind not in READERS:
        network = files.load(path)
        try:
            options.check_complete()
            options.check_single()
            return Imported(renamed(network, options), "symnet", compared="")
        except ValueError as error:
            raise refusal(path, error) from None
    reader = importlib.import_module(f"symnet.importers.{READERS[kind]}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what a damaged file makes NumPy say is said below
            found: Imported = reader.read(path, options)
        return replace(found, source=f"{os.path.basename(os.fspath(path))} ({found.source})")
    except (ImportError, CheckError, NetworkFileError):
        raise
    except MemoryError:
        raise NetworkFileError(f"{os.fspath(path)}: takes more memory than there is") from None
    except Exception as error:  # parsers of damaged files raise whatever they like
        raise refusal(path, error) from None
