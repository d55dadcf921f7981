"""A network as the text of its file."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

import sympy
from sympy import Symbol

from symnet.activations import TABLE, Activation
from symnet.activations.stored import stored_kinks
from symnet.network import Layer, Network, Node
from symnet.network.weights import Array

LAYERS, NODES = 1, 2
"""Versions of the file format, the value of the key "symnet": for chains, and for graphs."""

_LARGEST_JSON_INTEGER = 2**53  # beyond it other readers of JSON round integers to doubles


def document(network: Network) -> Iterator[str]:
    """The text of the file, one row of weights a line."""
    yield f'{{\n  "symnet": {LAYERS if network.is_chain else NODES},\n'
    if network.name is not None:
        yield f'  "name": {_json(network.name)},\n'
    yield f'  "inputs": {_json(network.input_names)},\n'
    yield f'  "outputs": {_json(network.output_names)},\n'
    if network.units:
        yield f'  "units": {_json(dict(network.units))},\n'
    if own := network.own_symbols:
        yield f'  "symbols": {_json(own)},\n'
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
