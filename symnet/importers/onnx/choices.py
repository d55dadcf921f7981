"""ONNX operators that compare and choose: pieces of one function, or constants."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import sympy

from symnet.importers.folding import choices
from symnet.importers.folding.choices import Condition
from symnet.importers.folding.forms import Form
from symnet.importers.folding.tensors import Tensors
from symnet.importers.onnx.call import Call, Reader, Result
from symnet.network.weights import Array


def number(t: Tensors, value: Any) -> Any:
    """A condition as 0 and 1, any other value as it is."""
    return value.forced(t) if isinstance(value, Condition) else value


def varies(x: Any) -> bool:
    """Whether it depends on the inputs."""
    return isinstance(x, Form | Condition)


def _comparison(name: str, compare: Callable[[Array, Array], Array]) -> Reader:
    def read(c: Call) -> Result:
        x, y = c.value(0), c.second()
        if varies(x) or varies(y):
            return choices.compared(c.tensors, name, x, y)
        return compare(x, y)

    return read


def _joined(both: Any, known: Callable[[Array, Array], Array]) -> Reader:
    def read(c: Call) -> Result:
        x, y = c.value(0), c.second()
        if varies(x) or varies(y):
            return choices.joined(both, x, y)
        return known(x, y)

    return read


def _negated(x: Any) -> Any:
    return choices.negated(x) if isinstance(x, Condition) else np.logical_not(x)


def _not(c: Call) -> Result:
    return _negated(c.value(0))


def _one_of_two(c: Call) -> Result:
    """One of both, and not both."""
    x, y = (choices.condition(c.tensors, v) for v in (c.value(0), c.second()))
    one, both = choices.joined(sympy.Or, x, y), choices.joined(sympy.And, x, y)
    return choices.joined(sympy.And, one, _negated(both))


def _where(c: Call) -> Result:
    t, condition = c.tensors, c.value(0)
    then, otherwise = (number(t, c.value(i)) for i in (1, 2))
    if isinstance(condition, Condition):
        return choices.chosen(t, condition, otherwise, then)
    known = c.constant(0, "conditions").astype(bool)
    shape = np.broadcast_shapes(known.shape, then.shape, otherwise.shape)
    wide = [t.broadcast(part, shape) for part in (then, otherwise)]
    return t.mixed(wide, lambda arrays: np.where(known, *arrays))


def _is_infinite(c: Call) -> Result:
    """Of constants; what depends on the inputs is finite."""
    x = c.value(0)
    if isinstance(x, Form):
        return np.full(x.shape, False)
    above, below = c.get("detect_positive", 1), c.get("detect_negative", 1)
    return (np.isposinf(x) & bool(above)) | (np.isneginf(x) & bool(below))


READERS: dict[str, Reader] = {
    "Equal": _comparison("eq", np.equal),
    "Less": _comparison("lt", np.less),
    "LessOrEqual": _comparison("le", np.less_equal),
    "Greater": _comparison("gt", np.greater),
    "GreaterOrEqual": _comparison("ge", np.greater_equal),
    "And": _joined(sympy.And, np.logical_and),
    "Or": _joined(sympy.Or, np.logical_or),
    "Not": _not,
    "Xor": _one_of_two,
    "Where": _where,
    "IsNaN": lambda c: np.full(c.value(0).shape, False),  # a value is never NaN here
    "IsInf": _is_infinite,
}

TAKING = frozenset(("And", "Or", "Xor", "Not", "Where", "Identity", "Cast"))
"""Operators that take conditions as they are, not as the numbers 0 and 1."""
