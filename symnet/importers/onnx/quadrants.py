"""atan2 as exporters write it, which ONNX has no operator for.

where(x < 0, where(y > 0, a + π, a − π), a) with a = atan(y/x)
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from symnet.importers.folding.angles import angle
from symnet.importers.folding.forms import Form
from symnet.importers.folding.tensors import Tensors, Value


@dataclass(frozen=True)
class Angle:
    """Names of the tensors of such an expression."""

    y: str
    x: str
    zeros: tuple[str, str]
    turns: tuple[str, str]


def angles(nodes: Iterable[Any]) -> Mapping[str, Angle]:
    """The expressions by the tensors that they compute."""
    makers = {output: node for node in nodes for output in node.output if output}
    found = ((name, _named(name, makers)) for name in makers)
    return {name: names for name, names in found if names is not None}


def value(t: Tensors, names: Angle, values: Mapping[str, Any]) -> Value | None:
    """atan2(y, x); None where its constants are others, or nothing varies."""
    y, x = values.get(names.y), values.get(names.x)
    if not (isinstance(y, Form) and isinstance(x, Form | np.ndarray)):
        return None
    zeros, turns = (
        {_number(values.get(name)) for name in part} for part in (names.zeros, names.turns)
    )
    if zeros != {0.0} or len(turns) != 1:
        return None
    (turn,) = turns
    return angle(t, y, x, turn) if math.isclose(turn, math.pi, rel_tol=1e-6) else None


def _number(constant: Any) -> float:
    """The only entry; NaN where it is none."""
    single = isinstance(constant, np.ndarray) and constant.size == 1
    return float(constant.reshape(-1)[0]) if single else math.nan


def _inputs(name: str, op: str, count: int, makers: Mapping[str, Any]) -> list[str]:
    """Of the node that computes the tensor; blanks where it is another operator."""
    node = makers.get(name)
    if node is None or node.op_type != op or len(node.input) != count:
        return [""] * count
    return list(node.input)


def _named(outer: str, makers: Mapping[str, Any]) -> Angle | None:
    left, turned, half = _inputs(outer, "Where", 3, makers)
    x, first = _inputs(left, "Less", 2, makers)
    above, plus, minus = _inputs(turned, "Where", 3, makers)
    y, second = _inputs(above, "Greater", 2, makers)
    a, turn = _inputs(plus, "Add", 2, makers)
    b, back = _inputs(minus, "Sub", 2, makers)
    (slope,) = _inputs(half, "Atan", 1, makers)
    fits = half == a == b != "" and _inputs(slope, "Div", 2, makers) == [y, x] != ["", ""]
    return Angle(y, x, (first, second), (turn, back)) if fits else None
