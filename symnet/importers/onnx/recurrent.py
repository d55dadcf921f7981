"""ONNX's recurrent layers, unrolled over a fixed number of steps.

RNN     h' = f(W x + R h + b + b')
GRU     h' = (1 − z) g + z h,    g = f(W x + r (R h + b') + b)   or   f(W x + R (r h) + b + b')
LSTM    c' = f c + i g,  h' = o h(c')       gates with peepholes p c where they are given

Weights of the gates come in the order z r h, or i o f c.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from symnet.importers.folding import functions
from symnet.importers.folding.tensors import Tensors, Value
from symnet.importers.onnx.call import Call, Reader, Result
from symnet.network.weights import Array

_LONGEST = 1000
_GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}
_DEFAULTS = {"RNN": ["Tanh"], "GRU": ["Sigmoid", "Tanh"], "LSTM": ["Sigmoid", "Tanh", "Tanh"]}
_PLAIN = {"relu", "tanh", "sigmoid", "softsign", "softplus"}


@dataclass(frozen=True, eq=False)
class _Way:
    """One direction: its weights, functions, and the states before the first step."""

    W: Array
    R: Array
    b: Array
    own: Array
    peepholes: Array | None
    acts: Sequence[str]
    h: Value
    c: Value | None


def _act(call: Call, name: str, x: Value) -> Value:
    lower = name.lower()
    if lower in _PLAIN:
        return call.tensors.apply(lower, x)
    if lower == "affine":
        call.refuse("its activation Affine is read by no rule; export it as plain nodes")
    if lower == "hardsigmoid":
        return call.tensors.apply(
            functions.hard_sigmoid(float(np.float32(0.2)), 0.5), x, "hard_sigmoid"
        )
    call.refuse(f"its activation is {name}; symnet reads {', '.join(sorted(_PLAIN))}, hardsigmoid")


def _split(t: Tensors, x: Value, count: int) -> list[Value]:
    width = x.shape[-1] // count
    return [
        t.places(x, partial(_columns, cut=slice(k * width, (k + 1) * width))) for k in range(count)
    ]


def _columns(a: Any, cut: slice) -> Any:
    return a[..., cut]


def _rnn(call: Call, way: _Way, x: Value, h: Value, c: Value | None) -> tuple[Value, None]:
    t = call.tensors
    total = t.add(t.matmul(x, way.W.T.copy()), t.matmul(h, way.R.T.copy()))
    return _act(call, way.acts[0], t.add(total, way.b + way.own)), None


def _gru(call: Call, way: _Way, x: Value, h: Value, c: Value | None) -> tuple[Value, None]:
    t = call.tensors
    inner = _split(t, t.add(t.matmul(x, way.W.T.copy()), way.b), 3)
    U, shifts = np.split(way.R, 3), np.split(way.own, 3)

    def recurrent(value: Value, k: int) -> Value:
        return t.add(t.matmul(value, U[k].T.copy()), shifts[k])

    z, r = (_act(call, way.acts[0], t.add(inner[k], recurrent(h, k))) for k in (0, 1))
    after = bool(call.get("linear_before_reset", 0))
    last = t.multiply(r, recurrent(h, 2)) if after else recurrent(t.multiply(r, h), 2)
    g = _act(call, way.acts[1], t.add(inner[2], last))
    return t.add(t.multiply(t.subtract(np.ones(()), z), g), t.multiply(z, h)), None


def _lstm(call: Call, way: _Way, x: Value, h: Value, c: Value | None) -> tuple[Value, Value]:
    t = call.tensors
    total = t.add(t.matmul(x, way.W.T.copy()), t.matmul(h, way.R.T.copy()))
    i, o, f, g = _split(t, t.add(total, way.b + way.own), 4)
    sigma, tanh, outer = way.acts

    def gate(z: Value, state: Value, k: int) -> Value:
        if way.peepholes is not None:
            z = t.add(z, t.multiply(state, np.split(way.peepholes, 3)[k]))
        return _act(call, sigma, z)

    forget = gate(f, c, 2)
    carried = t.add(t.multiply(forget, c), t.multiply(gate(i, c, 0), _act(call, tanh, g)))
    return t.multiply(gate(o, carried, 1), _act(call, outer, carried)), carried


_STEPS = {"RNN": _rnn, "GRU": _gru, "LSTM": _lstm}


def _read(call: Call) -> Result:
    t, x = call.tensors, call.value(0)
    x = t.places(x, lambda a: a.swapaxes(0, 1)) if call.get("layout", 0) else x
    steps, batch, _ = x.shape
    if not 0 < steps <= _LONGEST:
        call.refuse(f"it takes {steps} steps; symnet unrolls 1 to {_LONGEST}")
    if call.has(4) and (call.constant(4, "lengths") != steps).any():
        call.refuse(f"its sequences are shorter than the {steps} steps")
    if call.get("clip") is not None or call.get("input_forget", 0):
        call.refuse("it clips, or couples gates; symnet reads it without clip and input_forget")
    found = [_run(call, way, x, back) for way, back in _ways(call, batch)]
    whole = t.mixed([y for y, *_ in found], lambda a: np.stack(a, 1))
    states = [
        t.mixed([state[k] for state in found], np.stack) for k in (1, 2) if found[0][k] is not None
    ]
    if call.get("layout", 0):
        whole = t.places(whole, lambda a: a.transpose(2, 0, 1, 3))
        states = [t.places(state, lambda a: a.swapaxes(0, 1)) for state in states]
    return [whole, *states][: call.results]


def _run(call: Call, way: _Way, x: Value, back: bool) -> tuple[Value, Value, Value | None]:
    """All outputs (steps, batch, hidden), and the last states."""
    h, c, outputs = way.h, way.c, {}
    order = range(x.shape[0])
    for k in reversed(order) if back else order:
        h, c = _STEPS[call.op](
            call, way, call.tensors.places(x, partial(np.take, indices=k, axis=0)), h, c
        )
        outputs[k] = h
    return call.tensors.mixed([outputs[k] for k in order], np.stack), h, c


def _ways(call: Call, batch: int) -> list[tuple[_Way, bool]]:
    W, R = (np.asarray(call.constant(i, "weights"), dtype=np.float64) for i in (1, 2))
    word = call.get("direction", b"forward")
    direction = word.decode() if isinstance(word, bytes) else str(word)
    back = {"forward": [False], "reverse": [True], "bidirectional": [False, True]}.get(direction)
    hidden = R.shape[-1]
    gates = _GATES[call.op]
    if back is None or len(back) != len(W) or R.shape != (len(W), gates * hidden, hidden):
        call.refuse(f"weights of the shapes {W.shape} and {R.shape} for the direction {direction}")
    bias = (
        np.asarray(call.constant(3, "biases"))
        if call.has(3)
        else np.zeros((len(W), 2 * gates * hidden))
    )
    names = [a.decode() if isinstance(a, bytes) else a for a in call.get("activations") or ()]
    names = names or _DEFAULTS[call.op] * len(W)
    if len(names) != len(_DEFAULTS[call.op]) * len(W):
        call.refuse(f"it has {len(names)} activations")
    if call.get("activation_alpha") or call.get("activation_beta"):
        call.refuse("its activations have parameters; symnet reads those without")
    each = len(names) // len(W)
    t = call.tensors
    found = []
    for k, turned in enumerate(back):
        states = [_state(t, call, i, k, batch, hidden) for i in (5, 6)]
        peepholes = np.asarray(call.constant(7, "peepholes"))[k] if call.has(7) else None
        b, own = np.split(np.asarray(bias[k], dtype=np.float64), 2)
        acts = names[k * each : (k + 1) * each]
        c = states[1] if call.op == "LSTM" else None
        found.append((_Way(W[k], R[k], b, own, peepholes, acts, states[0], c), turned))
    return found


def _state(t: Tensors, call: Call, i: int, k: int, batch: int, hidden: int) -> Value:
    if not call.has(i):
        return np.zeros((batch, hidden))
    axis = 1 if call.get("layout", 0) else 0
    state = t.places(call.value(i), lambda a: np.take(a, k, axis=axis))
    alike = isinstance(state, np.ndarray) and bool((state == state[:1]).all())
    if call.batch and alike and len(state) == call.batch.size:  # of all points, each the same
        return t.broadcast(state[:1], (batch, hidden))
    return state


READERS: dict[str, Reader] = dict.fromkeys(_GATES, _read)
