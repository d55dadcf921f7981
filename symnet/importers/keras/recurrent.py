"""Keras's recurrent layers: cells of `folding.recurrent` with Keras's arrays and settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from symnet.importers.folding.recurrent import GATES, STATES, Cell, unrolled
from symnet.importers.folding.tensors import Value
from symnet.importers.keras.layer import Layer, Rule, array, function
from symnet.network.weights import Array

_KINDS = {"SimpleRNN": "RNN", "LSTM": "LSTM", "GRU": "GRU"}
_FUNCTIONS = {
    "RNN": ["activation"],
    "GRU": ["recurrent_activation", "activation"],
    "LSTM": ["recurrent_activation", "activation", "activation"],
}


def _cell(kind: str, layer: Layer) -> Cell:
    config = layer.config
    W, U = (array(layer, k, what) for k, what in enumerate(("kernel", "recurrent kernel")))
    b, own = _biases(layer, GATES[kind] * len(U))
    functions = [partial(function, layer, config.get(key)) for key in _FUNCTIONS[kind]]
    return Cell(kind, W, U, b, own, functions, bool(config.get("reset_after", True)))


def _biases(layer: Layer, size: int) -> tuple[Array, Array]:
    """b and b'; only a GRU that resets after its product has both."""
    if not layer.config.get("use_bias", True):
        return np.zeros(size), np.zeros(size)
    bias = array(layer, 2, "bias")
    return (bias[0], bias[1]) if bias.ndim == 2 else (bias, np.zeros(size))


def _stacked(layer: Layer, cells: Sequence[Mapping[str, Any]]) -> list[Cell]:
    """The cells of a step, each with its arrays."""
    arrays, found = list(layer.arrays), []
    for cell in cells:
        kind = str(cell["class_name"]).removesuffix("Cell")
        if kind not in _KINDS:
            raise ValueError(f"its cell is {cell['class_name']}; symnet reads {', '.join(_KINDS)}")
        count = _count(cell)
        own = replace(layer, config=cell["config"], arrays=arrays[:count])
        arrays = arrays[count:]
        found.append(_cell(_KINDS[kind], own))
    return found


def _count(cell: Mapping[str, Any]) -> int:
    return 3 if cell["config"].get("use_bias", True) else 2


def _cells(kind: str, config: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    if kind != "RNN":
        return [{"class_name": kind, "config": config}]
    cell = config["cell"]
    if cell["class_name"] == "StackedRNNCells":
        return list(cell["config"]["cells"])
    return [cell]


def _recurrent(kind: str) -> Rule:
    def rule(layer: Layer) -> Any:
        sequence, *given = layer.inputs
        return _unrolled(kind, replace(layer, inputs=[sequence]), [*given, *_initial(layer)])

    return rule


def _initial(layer: Layer) -> list[Value]:
    told = layer.named.get("initial_state")
    return [] if told is None else list(told) if isinstance(told, list) else [told]


def _unrolled(kind: str, layer: Layer, initial: Sequence[Value]) -> Any:
    config, t, x = layer.config, layer.tensors, layer.x
    if config.get("stateful"):
        raise ValueError("it keeps its state from call to call (stateful): no function of inputs")
    cells = _stacked(layer, _cells(kind, config))
    total = sum(STATES[cell.kind] for cell in cells)
    if initial and len(initial) != total:
        raise ValueError(f"it is given {len(initial)} initial states, expected {total}")
    start = list(initial) or [state for cell in cells for state in cell.start(x.shape[0])]
    sequence = t.places(x, lambda a: a.swapaxes(0, 1))
    outputs, states = unrolled(t, cells, sequence, start, bool(config.get("go_backwards")))
    whole = t.mixed(outputs, lambda a: np.stack(a, 1)) if config.get("return_sequences") else None
    value = outputs[-1] if whole is None else whole
    return [value, *states] if config.get("return_state") else value


def _bidirectional(layer: Layer) -> Any:
    """A layer forwards and one backwards, whose outputs are put in order again."""
    config, t = layer.config, layer.tensors
    if len(layer.inputs) != 1 or layer.named.get("initial_state") is not None:
        raise ValueError("it is given initial states")
    ways = [config["layer"], config.get("backward_layer") or _turned(config["layer"])]
    arrays, found, states = list(layer.arrays), [], []
    for way in ways:
        kind, own = str(way["class_name"]), way["config"]
        if kind not in (*_KINDS, "RNN"):
            raise ValueError(f"it is of {kind}; symnet reads {', '.join(_KINDS)} in it")
        count = sum(map(_count, _cells(kind, own)))
        value = _unrolled(kind, replace(layer, config=own, arrays=arrays[:count]), [])
        arrays = arrays[count:]
        if own.get("return_state"):
            value, *more = value
            states += more
        found.append(value)
    first, second = found
    if config["layer"]["config"].get("return_sequences"):
        second = t.places(second, lambda a: a[:, ::-1])
    value = _merged(layer, config.get("merge_mode", "concat"), first, second)
    return [value, *states] if states else value


def _turned(layer: Mapping[str, Any]) -> Mapping[str, Any]:
    config = layer["config"]
    return {**layer, "config": {**config, "go_backwards": not config.get("go_backwards")}}


def _merged(layer: Layer, mode: Any, x: Value, y: Value) -> Any:
    t = layer.tensors
    if mode == "concat":
        return t.concatenate([x, y], -1)
    if mode in ("sum", "ave"):
        total = t.add(x, y)
        return total if mode == "sum" else t.multiply(total, 0.5)
    if mode == "mul":
        return t.multiply(x, y)
    if mode is None:
        return [x, y]
    raise ValueError(f"its merge_mode is {mode!r}")


RECURRENT: Mapping[str, Rule] = {
    **{kind: _recurrent(kind) for kind in (*_KINDS, "RNN")},
    "Bidirectional": _bidirectional,
}
