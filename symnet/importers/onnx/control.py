"""ONNX operators that hold graphs or sequences, where constants decide what they do.

If takes the branch that its condition says; Loop and Scan are unrolled. A sequence is a tuple of
tensors while it is read.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from symnet.importers.folding.choices import Condition
from symnet.importers.folding.forms import Form
from symnet.importers.folding.tensors import Value
from symnet.importers.onnx.call import Call, Reader, Result
from symnet.importers.onnx.refusals import CONTROL
from symnet.names import shortened
from symnet.network.weights import Array

_LONGEST = 1000


def _known(c: Call, value: Value) -> Array:
    if isinstance(value, Form | Condition | tuple):
        c.refuse(CONTROL)
    return np.asarray(value).reshape(-1)


def _names(c: Call, count: int) -> list[str]:
    """The names of the inputs of the body, which are so many."""
    names = [declared.name for declared in c.get("body").input]
    if len(names) != count:
        c.refuse(f"its body takes {len(names)} inputs and is given {count}")
    return names


def _if(c: Call) -> Result:
    holds = bool(_known(c, c.value(0))[0])
    return c.body(c.get("then_branch" if holds else "else_branch"), {})


def _loop(c: Call) -> Result:
    body, state = c.get("body"), [c.value(i) for i in range(2, len(c.inputs))]
    names = _names(c, 2 + len(state))
    most = int(_known(c, c.value(0))[0]) if c.has(0) else None
    holds: Value = c.value(1) if c.has(1) else np.array(True)
    collected: list[list[Value]] = [[] for _ in body.output[1 + len(state) :]]
    step = 0
    while _known(c, holds)[0] and (most is None or step < most):
        _check_steps(c, step + 1 if most is None else most)
        given = [np.array(step), holds, *state]
        holds, *rest = c.body(body, dict(zip(names, given, strict=True)))
        state = rest[: len(state)]
        for found, value in zip(collected, rest[len(state) :], strict=True):
            found.append(value)
        step += 1
    return [*state, *(_stacked(c, found) for found in collected)]


def _check_steps(c: Call, steps: int) -> None:
    if steps > _LONGEST:
        c.refuse(f"it takes {steps} steps; symnet unrolls up to {_LONGEST}")


def _stacked(c: Call, values: Sequence[Value], axis: int = 0) -> Value:
    if not values:
        c.refuse("it takes no step, and gives the values of each")
    return c.tensors.mixed([_tensor(c, v) for v in values], lambda a: np.stack(a, axis))


def _scan(c: Call) -> Result:
    if c.opset < 9:
        c.refuse("it has batches of sequences (opset 8); export the model at opset 9 or above")
    body, count = c.get("body"), int(c.get("num_scan_inputs"))
    values = [c.value(i) for i in range(len(c.inputs))]
    state, sequences = values[:-count], values[-count:]
    names = _names(c, len(values))
    axes = c.get("scan_input_axes") or [0] * count
    back = c.get("scan_input_directions") or [0] * count
    steps = sequences[0].shape[axes[0]]
    _check_steps(c, steps)
    collected: list[list[Value]] = [[] for _ in body.output[len(state) :]]
    for k in range(steps):
        parts = [
            c.tensors.places(x, partial(np.take, indices=steps - 1 - k if turned else k, axis=axis))
            for x, axis, turned in zip(sequences, axes, back, strict=True)
        ]
        found = c.body(body, dict(zip(names, [*state, *parts], strict=True)))
        state = found[: len(state)]
        for kept, value in zip(collected, found[len(state) :], strict=True):
            kept.append(value)
    places = c.get("scan_output_axes") or [0] * len(collected)
    turned = c.get("scan_output_directions") or [0] * len(collected)
    results = [
        _stacked(c, kept[::-1] if backwards else kept, axis)
        for kept, axis, backwards in zip(collected, places, turned, strict=True)
    ]
    return [*state, *results]


# --- sequences ----------------------------------------------------------------------------------


def _sequence(c: Call, i: int = 0) -> tuple[Value, ...]:
    found = c.value(i)
    if not isinstance(found, tuple):
        c.refuse("its input is no sequence")
    return found


def _tensor(c: Call, value: Value) -> Value:
    """A condition as 0 and 1."""
    return value.forced(c.tensors) if isinstance(value, Condition) else value


def _place(c: Call, i: int, size: int) -> int:
    k = int(c.constant(i, "position").reshape(-1)[0])
    if not -size <= k < size:
        c.refuse(f"the place {k} of a sequence of {size}")
    return k % size


def _construct(c: Call) -> Result:
    return tuple(_tensor(c, c.value(i)) for i in range(len(c.inputs)))


def _insert(c: Call) -> Result:
    found = list(_sequence(c))
    found.insert(
        int(c.constant(2, "position").reshape(-1)[0]) if c.has(2) else len(found), c.value(1)
    )
    return tuple(found)


def _erase(c: Call) -> Result:
    found = list(_sequence(c))
    del found[_place(c, 1, len(found)) if c.has(1) else -1]
    return tuple(found)


def _at(c: Call) -> Result:
    found = _sequence(c)
    return found[_place(c, 1, len(found))]


def _concatenated(c: Call) -> Result:
    parts, axis = list(_sequence(c)), int(c.get("axis", 0))
    return _stacked(c, parts, axis) if c.get("new_axis", 0) else c.tensors.concatenate(parts, axis)


def _split(c: Call) -> Result:
    """Parts of a size, of sizes, or of one entry each, whose axis may go."""
    x, axis = _tensor(c, c.value(0)), int(c.get("axis", 0))
    size = x.shape[axis]
    if not c.has(1):
        sizes = [1] * size
    else:
        given = c.constant(1, "sizes")
        step = int(given.reshape(-1)[0])
        if given.ndim == 0 and step < 1:
            c.refuse(f"parts of {step} entries")
        sizes = (
            given.tolist() if given.ndim else [min(step, size - k) for k in range(0, size, step)]
        )
    ends = np.cumsum([0, *sizes])
    if ends[-1] != size or min(sizes, default=0) < 0:
        c.refuse(f"{size} entries in parts of {sizes}")
    parts = [
        c.tensors.places(x, partial(np.take, indices=range(int(a), int(b)), axis=axis))
        for a, b in itertools.pairwise(ends)
    ]
    if c.has(1) or c.get("keepdims", 1):
        return tuple(parts)
    return tuple(c.tensors.places(p, partial(np.squeeze, axis=axis)) for p in parts)


def _map(c: Call) -> Result:
    """The body for each entry of the first sequence, and of others beside it."""
    first, body = _sequence(c), c.get("body")
    names = _names(c, len(c.inputs))
    _check_steps(c, len(first))
    rows = []
    for k in range(len(first)):
        given: list[Any] = [c.value(i) for i in range(len(c.inputs))]
        given = [v[k] if isinstance(v, tuple) else v for v in given]
        rows.append(c.body(body, dict(zip(names, given, strict=True))))
    return [tuple(row[i] for row in rows) for i in range(len(body.output))]


def _element(c: Call) -> Result:
    if not c.has(0):
        c.refuse(f"the optional value {shortened(c.label)!r} is empty")
    return c.value(0)


READERS: dict[str, Reader] = {
    "If": _if,
    "Loop": _loop,
    "Scan": _scan,
    "SequenceEmpty": lambda c: [()],
    "SequenceConstruct": lambda c: [_construct(c)],
    "SequenceInsert": lambda c: [_insert(c)],
    "SequenceErase": lambda c: [_erase(c)],
    "SequenceAt": _at,
    "SequenceLength": lambda c: np.array(len(_sequence(c))),
    "ConcatFromSequence": _concatenated,
    "SplitToSequence": lambda c: [_split(c)],
    "SequenceMap": _map,
    "Optional": _element,
    "OptionalGetElement": _element,
    "OptionalHasElement": lambda c: np.array(c.has(0)),
}
