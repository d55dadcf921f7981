"""A network of the text of a file: nothing is executed, nothing guessed, every entry checked."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from fractions import Fraction
from functools import partial
from typing import Any, BinaryIO, NoReturn, TypeVar

from sympy import Symbol

from symnet.activations import ELEMENTWISE, Activation, activation, has_its_name
from symnet.activations.stored import from_stored
from symnet.files.writing import LAYERS, NODES
from symnet.names import check_label, check_name, shortened
from symnet.network import Layer, Network, Node, Term
from symnet.network.weights import LONGEST_NUMBER, matrix, vector

LARGEST_FILE = 1 << 30
"""Bytes of a network file that are read at most; 4096-4096-4096 takes about 700 MB."""

_INFINITE = float("inf")
_OPTIONAL = "name", "units", "symbols"

_Part = TypeVar("_Part")
_EXACT = re.compile(r"([+-]?[0-9]+)(?:/([0-9]+))?", re.ASCII)


def network(opened: Callable[[], AbstractContextManager[BinaryIO]], stem: str) -> Network:
    """The network in a file, called `stem` where the file does not say its name.

    ValueError, saying where, for anything that is no network; RecursionError for brackets that are
    nested too deeply.
    """
    return _network(_parsed(_text(opened)), stem)


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
        document = _loads(text)
        return _loads(text, parse_float=_double) if _infinite(document) else document
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise ValueError(f"is no JSON, or not all of it: {where}: {error.msg}") from None


def _infinite(part: Any) -> bool:
    """Whether a number is beyond double precision, which its digits, read again, will tell."""
    if isinstance(part, dict):
        return any(map(_infinite, part.values()))
    if isinstance(part, list):
        inner = (entry for entry in part if type(entry) is not float)
        return _INFINITE in part or -_INFINITE in part or any(map(_infinite, inner))
    return part in (_INFINITE, -_INFINITE)


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
    if _infinite(value):
        raise ValueError(f"the number {shortened(digits, 20)} is beyond double precision")
    return value


def _constant(word: str) -> NoReturn:
    raise ValueError(f"the number {word} is not allowed; weights must be finite")


_loads = partial(
    json.loads, object_pairs_hook=_object, parse_int=_integer, parse_constant=_constant
)


def _network(document: Any, stem: str) -> Network:
    if not isinstance(document, dict) or "symnet" not in document:
        keras = isinstance(document, dict) and "class_name" in document
        weights = "; Keras describes a model there, and model.save('net.keras') has its weights too"
        raise ValueError(
            f'is no network file: it is not an object with the key "symnet"{weights * keras}'
        )
    version = document["symnet"]
    if type(version) is not int or version not in (LAYERS, NODES):
        raise ValueError(
            f"has format version {_shown(version)}; this symnet reads {LAYERS} and {NODES}"
        )
    parts = "layers" if version == LAYERS else "nodes"
    _check_keys(document, "the file", ("symnet", "inputs", "outputs", parts), _OPTIONAL)
    inputs, outputs = (_names(document[key], key) for key in ("inputs", "outputs"))
    name = check_label(document["name"]) if "name" in document else _label(stem)
    read: Callable[[Any], Any] = _layer if version == LAYERS else _node
    found = [
        _at(f"{parts[:-1]} {k}", read, entry)
        for k, entry in enumerate(_list(document[parts], parts), start=1)
    ]
    kind = Network if version == LAYERS else Network.from_nodes
    network = kind(found, inputs, outputs, name)
    units, symbols = (_named(document.get(key, {}), key) for key in ("units", "symbols"))
    if any(type(symbol) is not str for symbol in symbols.values()):
        raise ValueError(f"symbols: found {_shown(symbols)}, expected names by label")
    return network.with_units(units).with_symbols(symbols)


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
    rows = [_list(row, f"weights: row {i}") for i, row in enumerate(_list(entry, "weights"))]
    return [
        row
        if all(type(w) is float for w in row)
        else [_weight(w, f"weight [{i}, {j}]") for j, w in enumerate(row)]
        for i, row in enumerate(rows)
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


def _named(entry: Any, what: str) -> dict[str, Any]:
    if not isinstance(entry, dict):
        raise ValueError(f"{what}: found {_shown(entry)}, expected an object")
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
