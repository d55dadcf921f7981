"""Recurrent layers, unrolled over a fixed number of steps.

RNN     h' = φ(x W + b + h U + b')
GRU     h' = z h + (1 − z) φ(x W + b + r (h U + b'))    or    φ(x W + b + (r h) U + b')
LSTM    c' = f c + i φ(x W + b + h U + b'),  h' = o χ(c')
gates   z, r, i, f, o = σ(x W + b + h U + b' + p c)     where they have peepholes p
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from symnet.importers.folding.tensors import Tensors, Value
from symnet.network.weights import Array

GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}
STATES = {"RNN": 1, "GRU": 1, "LSTM": 2}
_LONGEST = 1000


@dataclass(frozen=True, eq=False)
class Cell:
    """What a step computes: W (n, gates m), U (m, gates m), b and b' (gates m,).

    The gates come in the order z r φ, or i f φ o; `functions` are φ, or σ φ, or σ φ χ; `peepholes`
    (3, m) are those of i, f, o.
    """

    kind: str
    W: Array
    U: Array
    b: Array
    own: Array
    functions: Sequence[Callable[[Value], Value]]
    after: bool = True
    """Whether a GRU's r is applied after the product with U."""
    peepholes: Array | None = None

    def start(self, batch: int) -> list[Value]:
        """The states before the first step where none are given: 0."""
        return [np.zeros((batch, len(self.U)))] * STATES[self.kind]

    def step(self, t: Tensors, x: Value, states: Sequence[Value]) -> list[Value]:
        """The states after x (batch, n), of which the first is what the cell gives."""
        return _STEPS[self.kind](self, t, x, *states)

    def affine(self, t: Tensors, x: Value, h: Value) -> Value:
        """x W + b + h U + b'."""
        return t.add(t.add(t.matmul(x, self.W), t.matmul(h, self.U)), self.b + self.own)


def _parts(t: Tensors, x: Value, count: int) -> list[Value]:
    """Equal parts along the last axis."""
    width = x.shape[-1] // count
    cuts = [slice(k * width, (k + 1) * width) for k in range(count)]
    return [t.places(x, partial(_columns, cut=cut)) for cut in cuts]


def _columns(a: Any, cut: slice) -> Any:
    return a[..., cut]


def _rnn(cell: Cell, t: Tensors, x: Value, h: Value) -> list[Value]:
    return [cell.functions[0](cell.affine(t, x, h))]


def _gru(cell: Cell, t: Tensors, x: Value, h: Value) -> list[Value]:
    gate, act = cell.functions
    inner = _parts(t, t.add(t.matmul(x, cell.W), cell.b), 3)
    U, shifts = np.split(cell.U, 3, axis=1), np.split(cell.own, 3)

    def recurrent(state: Value, k: int) -> Value:
        return t.add(t.matmul(state, U[k]), shifts[k])

    z, r = (gate(t.add(inner[k], recurrent(h, k))) for k in (0, 1))
    last = t.multiply(r, recurrent(h, 2)) if cell.after else recurrent(t.multiply(r, h), 2)
    new = act(t.add(inner[2], last))
    return [t.add(t.multiply(t.subtract(np.ones(()), z), new), t.multiply(z, h))]


def _lstm(cell: Cell, t: Tensors, x: Value, h: Value, c: Value) -> list[Value]:
    i, f, g, o = _parts(t, cell.affine(t, x, h), 4)
    sigma, act, outer = cell.functions

    def gate(z: Value, state: Value, k: int) -> Value:
        if cell.peepholes is not None:
            z = t.add(z, t.multiply(state, cell.peepholes[k]))
        return sigma(z)

    forgotten = t.multiply(gate(f, c, 1), c)
    carried = t.add(forgotten, t.multiply(gate(i, c, 0), act(g)))
    return [t.multiply(gate(o, carried, 2), outer(carried)), carried]


_STEPS: dict[str, Callable[..., list[Value]]] = {"RNN": _rnn, "GRU": _gru, "LSTM": _lstm}


def unrolled(
    t: Tensors, cells: Sequence[Cell], x: Value, states: Sequence[Value], back: bool
) -> tuple[list[Value], list[Value]]:
    """What the last cell gives after each step over x (steps, batch, n), and the last states.

    The cells of a step take what the one before gives; `states` are those of one after the other.
    With `back` the steps are taken from the last to the first. ValueError where they are too many.
    """
    steps = x.shape[0]
    if not 0 < steps <= _LONGEST:
        raise ValueError(f"it takes {steps} steps; symnet unrolls 1 to {_LONGEST}")
    outputs = []
    for k in range(steps)[:: -1 if back else 1]:
        value, waiting, found = t.places(x, partial(np.take, indices=k, axis=0)), iter(states), []
        for cell in cells:
            before = [next(waiting) for _ in range(STATES[cell.kind])]
            value, *_ = after = cell.step(t, value, before)
            found += after
        states = found
        outputs.append(value)
    return outputs, list(states)
