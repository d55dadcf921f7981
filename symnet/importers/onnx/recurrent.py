"""ONNX's recurrent layers: cells of `folding.recurrent`, whose gates come in another order.

Each direction has weights W (gates m, n) and R (gates m, m) of z r h, or of i o f c.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np

from symnet.importers.folding import functions
from symnet.importers.folding.recurrent import GATES, Cell, unrolled
from symnet.importers.folding.tensors import Value
from symnet.importers.onnx.call import Call, Reader, Result
from symnet.network.weights import Array

_ORDER = {"RNN": [0], "GRU": [0, 1, 2], "LSTM": [0, 2, 3, 1]}
"""Where the gates of a cell are among ONNX's."""
_DEFAULTS = {"RNN": ["Tanh"], "GRU": ["Sigmoid", "Tanh"], "LSTM": ["Sigmoid", "Tanh", "Tanh"]}
_PLAIN = {"relu", "tanh", "sigmoid", "softsign", "softplus"}


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


def _read(call: Call) -> Result:
    t, x = call.tensors, call.value(0)
    x = t.places(x, lambda a: a.swapaxes(0, 1)) if call.get("layout", 0) else x
    steps, batch, _ = x.shape
    if call.has(4) and (call.constant(4, "lengths") != steps).any():
        call.refuse(f"its sequences are shorter than the {steps} steps")
    if call.get("clip") is not None or call.get("input_forget", 0):
        call.refuse("it clips, or couples gates; symnet reads it without clip and input_forget")
    sequences, ends = [], []
    for k, (cell, back) in enumerate(_ways(call)):
        start = [_state(call, i, k, zero) for i, zero in enumerate(cell.start(batch), 5)]
        outputs, states = unrolled(t, [cell], x, start, back)
        sequences.append(t.mixed(outputs[::-1] if back else outputs, np.stack))
        ends.append(states)
    whole = t.mixed(sequences, lambda a: np.stack(a, 1))
    last = [t.mixed(states, np.stack) for states in zip(*ends, strict=True)]
    if call.get("layout", 0):
        whole = t.places(whole, lambda a: a.transpose(2, 0, 1, 3))
        last = [t.places(state, lambda a: a.swapaxes(0, 1)) for state in last]
    return [whole, *last][: call.results]


def _ways(call: Call) -> Iterator[tuple[Cell, bool]]:
    """The cell of each direction, and whether it goes backwards."""
    W, R = (np.asarray(call.constant(i, "weights"), dtype=np.float64) for i in (1, 2))
    word = call.get("direction", b"forward")
    direction = word.decode() if isinstance(word, bytes) else str(word)
    back = {"forward": [False], "reverse": [True], "bidirectional": [False, True]}.get(direction)
    hidden, gates = R.shape[-1], GATES[call.op]
    if back is None or len(back) != len(W) or R.shape != (len(W), gates * hidden, hidden):
        call.refuse(f"weights of the shapes {W.shape} and {R.shape} for the direction {direction}")
    biases = call.constant(3, "biases") if call.has(3) else np.zeros((len(W), 2 * gates * hidden))
    peepholes = _ordered_peepholes(call, len(W))
    after = bool(call.get("linear_before_reset", 0))
    for way, turned, names in zip(range(len(W)), back, _activations(call, len(W)), strict=True):
        acts = [partial(_act, call, name) for name in names]
        w, r = (_ordered(call.op, M[way]).T.copy() for M in (W, R))
        b, own = (_ordered(call.op, half) for half in np.split(biases[way], 2))
        yield Cell(call.op, w, r, b, own, acts, after, peepholes[way]), turned


def _ordered_peepholes(call: Call, ways: int) -> Sequence[Array | None]:
    """Those of i, f, o, which ONNX has as i o f."""
    if not call.has(7):
        return [None] * ways
    given = np.asarray(call.constant(7, "peepholes"), dtype=np.float64)
    return list(given.reshape(ways, 3, -1)[:, [0, 2, 1]])


def _ordered(kind: str, array: Array) -> Array:
    """Rows of ONNX's gates in the order of a cell's."""
    gates = np.split(np.asarray(array, dtype=np.float64), GATES[kind])
    return np.concatenate([gates[k] for k in _ORDER[kind]])


def _activations(call: Call, ways: int) -> list[list[str]]:
    """Names of the functions, for each direction."""
    given = [a.decode() if isinstance(a, bytes) else a for a in call.get("activations") or ()]
    names = given or _DEFAULTS[call.op] * ways
    each = len(_DEFAULTS[call.op])
    if len(names) != each * ways:
        call.refuse(f"it has {len(names)} activations")
    if call.get("activation_alpha") or call.get("activation_beta"):
        call.refuse("its activations have parameters; symnet reads those without")
    return [names[k : k + each] for k in range(0, len(names), each)]


def _state(call: Call, i: int, way: int, zero: Array) -> Value:
    """The i-th input's part for a direction, `zero` where there is none."""
    if not call.has(i):
        return zero
    t, axis = call.tensors, 1 if call.get("layout", 0) else 0
    state = t.places(call.value(i), lambda a: np.take(a, way, axis=axis))
    alike = isinstance(state, np.ndarray) and bool((state == state[:1]).all())
    if call.batch and alike and len(state) == call.batch.size:  # of all points, each the same
        return t.broadcast(state[:1], zero.shape)
    return state


READERS: dict[str, Reader] = dict.fromkeys(GATES, _read)
