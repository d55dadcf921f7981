"""Keras's recurrent layers, unrolled over a fixed number of steps.

LSTM        c' = f c + i φ(z_c),  h' = o φ(c')              i, f, o = σ(x W + h U + b)
GRU         h' = z h + (1 − z) φ(x W + r (h U + b'))        z, r the same
SimpleRNN   h' = φ(x W + h U + b)

A state that is None is zero, as it is before the first step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from symnet.importers.folding.tensors import Value
from symnet.importers.keras.layer import Layer, Rule, array, function

State = list[Value | None]
Cell = Callable[[Layer, Value, State], State]
"""A step: the layer with the cell's configuration, an input (1, n), states before and after."""

_LONGEST = 1000


def _parts(layer: Layer, value: Value, count: int) -> list[Value]:
    """Equal parts along the last axis."""
    width = value.shape[-1] // count
    cuts = [slice(k * width, (k + 1) * width) for k in range(count)]
    return [layer.tensors.places(value, partial(_columns, cut=cut)) for cut in cuts]


def _columns(a: Any, cut: slice) -> Any:
    return a[..., cut]


def _affine(layer: Layer, x: Value, k: int, bias: Any) -> Value:
    value = layer.tensors.matmul(x, array(layer, k, "kernel"))
    return value if bias is None else layer.tensors.add(value, bias)


def _bias(layer: Layer) -> Any:
    return array(layer, 2, "bias") if layer.config.get("use_bias", True) else None


def _gate(layer: Layer, x: Value) -> Value:
    return function(layer, layer.config.get("recurrent_activation"), x)


def _act(layer: Layer, x: Value) -> Value:
    return function(layer, layer.config.get("activation"), x)


def _simple(layer: Layer, x: Value, state: State) -> State:
    before, (h,) = _affine(layer, x, 0, _bias(layer)), state
    total = before if h is None else layer.tensors.add(before, _affine(layer, h, 1, None))
    return [_act(layer, total)]


def _lstm(layer: Layer, x: Value, state: State) -> State:
    t, (h, c) = layer.tensors, state
    total = _affine(layer, x, 0, _bias(layer))
    if h is not None:
        total = t.add(total, _affine(layer, h, 1, None))
    i, f, g, o = _parts(layer, total, 4)
    carried = t.multiply(_gate(layer, i), _act(layer, g))
    if c is not None:
        carried = t.add(t.multiply(_gate(layer, f), c), carried)
    return [t.multiply(_gate(layer, o), _act(layer, carried)), carried]


def _gru(layer: Layer, x: Value, state: State) -> State:
    t, (h,) = layer.tensors, state
    after = bool(layer.config.get("reset_after", True))
    bias, own = _bias(layer), None
    if bias is not None and after:
        bias, own = np.atleast_2d(bias)
    z, r, g = _parts(layer, _affine(layer, x, 0, bias), 3)
    U = np.split(array(layer, 1, "recurrent kernel"), 3, axis=1)
    shifts = [None] * 3 if own is None else np.split(own, 3)

    def recurrent(value: Value, state: Value | None, k: int) -> Value:
        if state is not None:
            value = t.add(value, t.matmul(state, U[k]))
        return value if shifts[k] is None else t.add(value, shifts[k])

    z, r = (_gate(layer, recurrent(v, h, k)) for k, v in enumerate((z, r)))
    if after:
        inner = None if h is None else t.matmul(h, U[2])
        if shifts[2] is not None:
            inner = shifts[2] if inner is None else t.add(inner, shifts[2])
        g = g if inner is None else t.add(g, t.multiply(r, inner))
    elif h is not None:
        g = t.add(g, t.matmul(t.multiply(r, h), U[2]))
    new = t.multiply(t.subtract(np.ones(()), z), _act(layer, g))
    return [new if h is None else t.add(t.multiply(z, h), new)]


_CELLS: Mapping[str, tuple[Cell, int]] = {
    "SimpleRNN": (_simple, 1),
    "LSTM": (_lstm, 2),
    "GRU": (_gru, 1),
}
"""Each cell, and the number of its states."""


def _stacked(layer: Layer, cells: Sequence[Mapping[str, Any]]) -> list[tuple[Layer, Cell, int]]:
    """The cells of a step, each with its arrays."""
    arrays, found = list(layer.arrays), []
    for cell in cells:
        kind = str(cell["class_name"]).removesuffix("Cell")
        if kind not in _CELLS:
            raise ValueError(f"its cell is {cell['class_name']}; symnet reads {', '.join(_CELLS)}")
        count = _count(cell)
        own = replace(layer, config=cell["config"], arrays=arrays[:count])
        arrays = arrays[count:]
        found.append((own, *_CELLS[kind]))
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
    steps = x.shape[1]
    if not 0 < steps <= _LONGEST:
        raise ValueError(f"it takes {steps} steps; symnet unrolls 1 to {_LONGEST}")
    cells = _stacked(layer, _cells(kind, config))
    total = sum(count for _, _, count in cells)
    if initial and len(initial) != total:
        raise ValueError(f"it is given {len(initial)} initial states, expected {total}")
    state: State = list(initial) or [None] * total
    outputs: list[Value] = []
    for k in range(steps)[:: -1 if config.get("go_backwards") else 1]:
        state = _step(cells, t.places(x, partial(_row, k=k)), state)
        outputs.append(state[-cells[-1][2]])
    whole = t.mixed(outputs, lambda a: np.stack(a, 1)) if config.get("return_sequences") else None
    value = outputs[-1] if whole is None else whole
    return [value, *state] if config.get("return_state") else value


def _row(a: Any, k: int) -> Any:
    return a[:, k]


def _step(cells: Sequence[tuple[Layer, Cell, int]], value: Value, state: State) -> State:
    found: State = []
    waiting: Iterator[Value | None] = iter(state)
    for own, cell, count in cells:
        after = cell(own, value, [next(waiting) for _ in range(count)])
        value = after[0]
        found += after
    return found


def _bidirectional(layer: Layer) -> Any:
    """A layer forwards and one backwards, whose outputs are put in order again."""
    config, t = layer.config, layer.tensors
    if len(layer.inputs) != 1 or layer.named.get("initial_state") is not None:
        raise ValueError("it is given initial states")
    ways = [config["layer"], config.get("backward_layer") or _turned(config["layer"])]
    arrays, found, states = list(layer.arrays), [], []
    for way in ways:
        kind, own = str(way["class_name"]), way["config"]
        if kind not in (*_CELLS, "RNN"):
            raise ValueError(f"it is of {kind}; symnet reads {', '.join(_CELLS)} in it")
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
    **{kind: _recurrent(kind) for kind in (*_CELLS, "RNN")},
    "Bidirectional": _bidirectional,
}
