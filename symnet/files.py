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
{"x1": "kg/m3", "y": "MPa"}.

Files are written beside their target and renamed over it, so a failed save leaves what was there.
"""

from __future__ import annotations

import errno
import io
import json
import os
import re
import secrets
import shutil
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO, NoReturn, TextIO, TypeVar

import sympy
from sympy import Symbol

from symnet import leftovers
from symnet.activations import ELEMENTWISE, TABLE, Activation, activation, has_its_name
from symnet.activations.stored import from_stored, stored_kinks
from symnet.names import check_label, check_name, shortened
from symnet.network import Layer, Network, Node, Term
from symnet.network.weights import LONGEST_NUMBER, Array, matrix, vector

FilePath = str | os.PathLike[str]
_Part = TypeVar("_Part")

LAYERS, NODES = 1, 2
"""Versions of the file format, the value of the key "symnet": for chains, and for graphs."""

LARGEST_FILE = 1 << 30
"""Bytes of a network file that are read at most; 4096-4096-4096 takes about 700 MB."""

_FULL = (errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC))
_LARGEST_JSON_INTEGER = 2**53  # beyond it other readers of JSON round integers to doubles
_EXACT = re.compile(r"([+-]?[0-9]+)(?:/([0-9]+))?", re.ASCII)


class NetworkFileError(ValueError):
    """A file that is no network file of this version; the message begins with the file's name."""


def save(network: Network, path: FilePath) -> None:
    """Write the network to a file that `load` gives back equal, to the last bit.

    Raises ValueError for a suffix of another format, OSError where the file cannot be written; an
    existing file is then left as it was.
    """
    check_suffix(path)
    with replacing(path) as file:
        file.writelines(_document(network))


def check_suffix(path: FilePath) -> None:
    """ValueError for a name by which other programs would take a network file for their own."""
    suffix = Path(path).suffix
    if suffix.lower() not in ("", ".json"):
        raise ValueError(
            f"{os.fspath(path)}: network files are JSON; a name that ends in {suffix!r} would say "
            f"otherwise, so write {Path(path).with_suffix('.json').name}"
        )


def text(network: Network) -> Iterator[str]:
    """What `save` writes, in parts."""
    return _document(network)


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
        return _network(_parsed(_text(opened)), stem)
    except RecursionError:
        reason = "brackets are nested too deeply for a network file"
    except ValueError as error:
        reason = str(error)
    raise NetworkFileError(f"{os.fspath(path)}: {reason}") from None


# --- writing ------------------------------------------------------------------------------------


@contextmanager
def replacing(path: FilePath) -> Iterator[TextIO]:
    """A text file in UTF-8 whose content replaces `path`; see `replacing_bytes`.

    Line ends are written as given.
    """
    with replacing_bytes(path) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        try:
            yield text
        finally:
            text.detach()


@contextmanager
def replacing_bytes(path: FilePath) -> Iterator[BinaryIO]:
    """A file whose content replaces `path` when the block ends without an exception.

    The content goes to a new file in the same folder, which is renamed at the end and removed
    after an exception, Ctrl-C included. A symbolic link keeps pointing to its target, and the
    target's permissions are kept. What is no regular file (`/dev/stdout`, a pipe) is written
    directly. Raises OSError, with the name of `path`.
    """
    target = Path(os.path.realpath(path))
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        mode = None
    if mode is not None and not stat.S_ISREG(mode):
        with open(path, "wb") as file:
            yield file
        return
    if mode is not None and not os.access(target, os.W_OK):
        raise PermissionError(13, "file is write-protected", os.fspath(path))
    leftovers.remove(target.parent, ".symnet-*.tmp")
    beside = target.with_name(f".symnet-{secrets.token_hex(8)}.tmp")
    try:
        file = open(beside, "xb")  # noqa: SIM115 closed below
    except OSError as error:
        raise OSError(error.errno, error.strerror, os.fspath(path)) from None
    try:
        with file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if mode is not None:
            shutil.copymode(target, beside)
        os.replace(beside, target)
    except BaseException as error:
        beside.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename is None and error.errno in _FULL:
            raise OSError(error.errno, error.strerror, os.fspath(path)) from None
        raise
    _sync_folder(target.parent)


def _sync_folder(folder: Path) -> None:
    # The rename itself reaches the disk only with the folder; not every system can open one.
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _document(network: Network) -> Iterator[str]:
    """The text of the file, one row of weights a line."""
    yield f'{{\n  "symnet": {LAYERS if network.is_chain else NODES},\n'
    if network.name is not None:
        yield f'  "name": {_json(network.name)},\n'
    yield f'  "inputs": {_json(network.input_names)},\n'
    yield f'  "outputs": {_json(network.output_names)},\n'
    if network.units:
        yield f'  "units": {_json(dict(network.units))},\n'
    if network.is_chain:
        yield '  "layers": [\n'
        yield from _separated(map(_layer_text, network.layers))
    else:
        yield '  "nodes": [\n'
        yield from _separated(map(_node_text, network.nodes))
    yield "\n  ]\n}\n"


def _separated(parts: Iterable[str]) -> Iterator[str]:
    for i, part in enumerate(parts):
        yield part if i == 0 else ",\n" + part


def _layer_text(layer: Layer) -> str:
    return (
        f'    {{\n      "weights": {_rows(layer.weights)},\n      "bias": {_bias(layer.bias)},\n'
        f'      "activation": {_json(_activation_entry(layer.activation))}\n    }}'
    )


def _node_text(node: Node) -> str:
    terms = ", ".join(
        f'{{"from": {term.source}'
        + ("" if term.weights is None else f', "weights": {_rows(term.weights)}')
        + "}"
        for term in node.terms
    )
    entries = [f'"kind": {_json(node.kind)}', f'"terms": [{terms}]', f'"bias": {_bias(node.bias)}']
    if node.activation is not None:
        entries.append(f'"activation": {_json(_activation_entry(node.activation))}')
    if node.factor is not None:
        entries.append(f'"factor": {node.factor}')
    if node.name is not None:
        entries.append(f'"name": {_json(node.name)}')
    inner = ",\n      ".join(entries)
    return f"    {{\n      {inner}\n    }}"


def _rows(weights: Array) -> str:
    rows = ",\n".join(f"        {_json(_entries(row))}" for row in weights)
    return f"[\n{rows}\n      ]"


def _bias(bias: Array | None) -> str:
    return _json(None if bias is None else _entries(bias))


def _json(value: object) -> str:
    return json.dumps(value, allow_nan=False)


def _entries(array: Array) -> list[float | int | str]:
    return [_entry(e) for e in array.tolist()]


def _entry(value: Any) -> float | int | str:
    if isinstance(value, float | sympy.Float):
        return float(value)
    if isinstance(value, Symbol):
        return value.name
    if value.q == 1 and abs(value.p) <= _LARGEST_JSON_INTEGER:
        return int(value.p)
    return f"{value.p}" if value.q == 1 else f"{value.p}/{value.q}"


def _activation_entry(own: Activation) -> object:
    if TABLE.get(own.name) == own:
        return own.name
    kinks = stored_kinks(own)
    return {"name": own.name, "expression": own.tree} | ({"kinks": kinks} if kinks else {})


# --- reading ------------------------------------------------------------------------------------


def _text(opened: Callable[[], AbstractContextManager[BinaryIO]]) -> str:
    try:
        with opened() as file:
            content = file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror}") from None
    if len(content) > LARGEST_FILE:
        raise ValueError(f"is larger than {LARGEST_FILE >> 20} MiB, the limit for a network file")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"is no UTF-8 text (byte {error.start}): no network file") from None


def _parsed(text: str) -> Any:
    if not text.strip():
        raise ValueError("is empty")
    try:
        return json.loads(
            text,
            object_pairs_hook=_object,
            parse_int=_integer,
            parse_float=_double,
            parse_constant=_constant,
        )
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise ValueError(f"is no JSON, or not all of it: {where}: {error.msg}") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {_shown(twice)} stands twice in one object")
    return found


def _integer(digits: str) -> int:
    if len(digits) > LONGEST_NUMBER:
        raise ValueError(f"the integer {shortened(digits, 20)} has over {LONGEST_NUMBER} digits")
    return int(digits)


def _double(digits: str) -> float:
    value = float(digits)
    if value in (float("inf"), float("-inf")):
        raise ValueError(f"the number {shortened(digits, 20)} is beyond double precision")
    return value


def _constant(word: str) -> NoReturn:
    raise ValueError(f"the number {word} is not allowed; weights must be finite")


def _network(document: Any, stem: str) -> Network:
    if not isinstance(document, dict) or "symnet" not in document:
        raise ValueError('is no network file: it is not an object with the key "symnet"')
    version = document["symnet"]
    if type(version) is not int or version not in (LAYERS, NODES):
        raise ValueError(
            f"has format version {_shown(version)}; this symnet reads {LAYERS} and {NODES}"
        )
    parts = "layers" if version == LAYERS else "nodes"
    _check_keys(document, "the file", ("symnet", "inputs", "outputs", parts), ("name", "units"))
    inputs, outputs = (_names(document[key], key) for key in ("inputs", "outputs"))
    name = check_label(document["name"]) if "name" in document else _label(stem)
    read: Callable[[Any], Any] = _layer if version == LAYERS else _node
    found = [
        _at(f"{parts[:-1]} {k}", read, entry)
        for k, entry in enumerate(_list(document[parts], parts), start=1)
    ]
    kind = Network if version == LAYERS else Network.from_nodes
    return kind(found, inputs, outputs, name).with_units(_units(document.get("units", {})))


def _label(stem: str) -> str | None:
    try:
        return check_label(stem)
    except ValueError:  # any file name will do, even where it makes no heading
        return None


def _layer(entry: Any) -> Layer:
    if not isinstance(entry, dict):
        raise ValueError(f"is {_shown(entry)}, expected an object")
    _check_keys(entry, "the layer", ("weights", "bias", "activation"))
    weights, bias = _weights(entry["weights"]), _biases(entry["bias"])
    return Layer(weights, bias, _activation(entry["activation"]))


def _node(entry: Any) -> Node:
    if not isinstance(entry, dict):
        raise ValueError(f"is {_shown(entry)}, expected an object")
    optional = ("activation", "factor", "name")
    _check_keys(entry, "the node", ("kind", "terms", "bias"), optional)
    own = _activation(entry["activation"]) if "activation" in entry else None
    factor = _vector(entry["factor"], "factor") if "factor" in entry else None
    name = check_label(entry["name"]) if "name" in entry else None
    terms = tuple(map(_term, _list(entry["terms"], "terms")))
    if not isinstance(entry["kind"], str):
        raise ValueError(f"kind is {_shown(entry['kind'])}, expected a name")
    return Node(terms, _biases(entry["bias"]), entry["kind"], own, factor, name)


def _term(entry: Any) -> Term:
    if not isinstance(entry, dict):
        raise ValueError(f"term {_shown(entry)} is no object")
    _check_keys(entry, "the term", ("from",), ("weights",))
    weights = matrix(_weights(entry["weights"])) if "weights" in entry else None
    return Term(weights, _vector(entry["from"], "from"))


def _vector(entry: Any, what: str) -> int:
    if type(entry) is not int or entry < 0:
        raise ValueError(f"{what} is {_shown(entry)}, expected the number of a vector")
    return entry


def _weights(entry: Any) -> list[list[float | int | Fraction | Symbol]]:
    return [
        [_weight(w, f"weight [{i}, {j}]") for j, w in enumerate(_list(row, f"weights: row {i}"))]
        for i, row in enumerate(_list(entry, "weights"))
    ]


def _biases(entry: Any) -> Any:
    """The entries of a bias, as vectors of any width are made of them; None for null."""
    if entry is None:
        return None
    found = [_weight(b, f"bias [{i}]") for i, b in enumerate(_list(entry, "bias"))]
    return vector(found, len(found)) if found else found


def _weight(entry: Any, where: str) -> float | int | Fraction | Symbol:
    if type(entry) in (float, int):  # but no bool, which is an int to Python
        return entry
    if isinstance(entry, str) and (exact := _EXACT.fullmatch(entry)):
        return Fraction(_integer(exact[1]), _denominator(exact[2] or "1", where))
    if not isinstance(entry, str) or not entry.isidentifier():
        raise ValueError(f'{where} is {_shown(entry)}; use a number, "1/3" or a symbol\'s name')
    return Symbol(check_name(entry, where))


def _denominator(digits: str, where: str) -> int:
    if value := _integer(digits):
        return value
    raise ValueError(f"{where} has the denominator 0")


def _activation(entry: Any) -> Activation:
    if isinstance(entry, str):
        return activation(entry)
    if not isinstance(entry, dict):
        raise ValueError(
            f'activation is {_shown(entry)}; use a name, or {{"name": ..., "expression": ...}}'
        )
    _check_keys(entry, "the activation", ("name", "expression"), ("kinks",))
    name = entry["name"]
    if not isinstance(name, str) or name not in ELEMENTWISE:
        check_name(name, "activation")
    found = from_stored(name, entry["expression"], _list(entry.get("kinks", []), "kinks"))
    if not has_its_name(found):
        check_name(name, "activation")
    return found


def _names(entry: Any, key: str) -> list[str]:
    names = _list(entry, key)
    for i, name in enumerate(names):
        if not isinstance(name, str):
            raise ValueError(f"{key} [{i}]: {_shown(name)} is no name")
    return names


def _units(entry: Any) -> dict[str, str]:
    if not isinstance(entry, dict):
        raise ValueError(f"units: found {_shown(entry)}, expected an object")
    return entry


def _list(entry: Any, what: str) -> list[Any]:
    if not isinstance(entry, list):
        raise ValueError(f"{what}: found {_shown(entry)}, expected a list")
    return entry


def _check_keys(
    entry: Mapping[str, Any], what: str, needed: Sequence[str], optional: Sequence[str] = ()
) -> None:
    if missing := [key for key in needed if key not in entry]:
        raise ValueError(f"{what} has no key {missing[0]!r}")
    if unknown := [key for key in entry if key not in (*needed, *optional)]:
        raise ValueError(f"{what} has the unknown key {_shown(unknown[0])}")


def _at(where: str, call: Callable[[Any], _Part], entry: Any) -> _Part:
    try:
        return call(entry)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None


def _shown(value: object) -> str:
    """The value as JSON has it, cut short."""
    return shortened(json.dumps(value))
