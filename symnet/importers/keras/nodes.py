"""Nodes of TensorFlow's graphs, as Keras keeps them up to TensorFlow 2.3: `TensorFlowOpLayer`.

The layer holds the node as JSON: its operation, its attributes, and those of its inputs that are
constants by their number. Each is the call of a function with names; see `tensorflow`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from symnet.importers.keras import refusals

LAYER = "TensorFlowOpLayer"

Call = tuple[str, Sequence[Any], Mapping[str, Any]]
"""A function's name, its arguments by position and by name."""


def operation(layer: Mapping[str, Any]) -> str:
    """As `AddV2`; blank where the node is kept in bytes."""
    node = layer["config"].get("node_def")
    return str(node.get("op", "")) if isinstance(node, Mapping) else ""


def call(layer: Mapping[str, Any], tensors: Sequence[Any]) -> Call:
    """The function that the node is. ValueError for operations that symnet does not read."""
    config, name = layer["config"], operation(layer)
    if not name:
        raise ValueError(
            "its node is kept in bytes; save the model again with TensorFlow 2.2 or newer"
        )
    if name not in _CALLS:
        raise ValueError(f"symnet does not read it; {refusals.advice('', True, True)}")
    constants = {int(place): np.asarray(value) for place, value in config["constants"].items()}
    rest = iter(tensors)
    count = len(constants) + len(tensors)
    given = [constants[k] if k in constants else next(rest) for k in range(count)]
    attributes = config["node_def"].get("attr", {})
    return _CALLS[name](given, {key: _value(told) for key, told in attributes.items()})


def _value(told: Mapping[str, Any]) -> Any:
    """An attribute, of which JSON has integers as texts."""
    if "list" in told:
        return [int(k) for k in told["list"].get("i", [])]
    if "i" in told:
        return int(told["i"])
    if "type" in told:
        kind = str(told["type"]).removeprefix("DT_").lower()
        return _FLOATS.get(kind, kind)
    return told.get("b", told.get("f"))


_FLOATS = {"double": "float64", "half": "float16"}


Maker = Callable[[Sequence[Any], Mapping[str, Any]], Call]


def _plain(function: str, **attributes: str) -> Maker:
    """The same arguments, and attributes under other names."""

    def make(given: Sequence[Any], known: Mapping[str, Any]) -> Call:
        named = {own: known[key] for own, key in attributes.items() if known.get(key) is not None}
        return function, given, named

    return make


def _with(function: str, *names: str, **attributes: str) -> Maker:
    """The last arguments by names, as whole numbers."""

    def make(given: Sequence[Any], known: Mapping[str, Any]) -> Call:
        _, _, named = _plain(function, **attributes)(given, known)
        first = len(given) - len(names)
        numbers = {name: _whole(v) for name, v in zip(names, given[first:], strict=True)}
        return function, given[:first], {**numbers, **named}

    return make


def _whole(number: Any) -> Any:
    found = np.asarray(number).astype(np.int64)
    return found.tolist()


def _sliced(given: Sequence[Any], known: Mapping[str, Any]) -> Call:
    x, *ends = given
    return "getitem", [x], {"slice_spec": [_spec(k, ends, known) for k in range(ends[0].size)]}


def _spec(k: int, ends: Sequence[Any], known: Mapping[str, Any]) -> Any:
    """The k-th part of an index, as Keras writes those of getitem."""

    def told(mask: str) -> bool:
        return bool(int(known.get(mask) or 0) >> k & 1)

    if told("ellipsis_mask"):
        return {"class_name": "__ellipsis__"}
    if told("new_axis_mask"):
        return None
    begin, end, step = (int(np.ravel(part)[k]) for part in ends)
    if told("shrink_axis_mask"):
        return begin
    start = None if told("begin_mask") else begin
    return {"start": start, "stop": None if told("end_mask") else end, "step": step}


def _clipped(given: Sequence[Any], known: Mapping[str, Any]) -> Call:
    x, low, high = given
    return "clip_by_value", [x], {"clip_value_min": float(low), "clip_value_max": float(high)}


def _joined(given: Sequence[Any], known: Mapping[str, Any]) -> Call:
    return "concat", given[:-1], {"axis": int(given[-1])}


_SAME = """
    Exp Expm1 Log Log1p Sqrt Rsqrt Square Abs Reciprocal Erf Erfc Sign Floor Ceil Round Sin Cos
    Tan Sinh Cosh Tanh Asin Acos Atan Asinh Acosh Atanh Sigmoid Softplus Softsign Elu Selu Relu
    Relu6 Identity Softmax Lgamma Digamma Pow Maximum Minimum Atan2 Greater Less Equal Add
"""
"""Operations that are functions of these names but for capitals."""

_CALLED = {
    "Neg": "negative",
    "Inv": "reciprocal",
    "AddV2": "add",
    "Sub": "subtract",
    "Mul": "multiply",
    "Div": "truediv",
    "RealDiv": "truediv",
    "DivNoNan": "divide_no_nan",
    "FloorDiv": "floordiv",
    "FloorMod": "floormod",
    "GreaterEqual": "greater_equal",
    "LessEqual": "less_equal",
    "NotEqual": "not_equal",
    "LogicalAnd": "logical_and",
    "LogicalOr": "logical_or",
    "LogicalNot": "logical_not",
    "Select": "where",
    "SelectV2": "where",
    "LogSoftmax": "log_softmax",
    "SquaredDifference": "squared_difference",
    "BiasAdd": "bias_add",
    "AddN": "add_n",
}
"""Those that have the same arguments and another name."""

_CALLS: Mapping[str, Maker] = {
    **{name: _plain(name.lower()) for name in _SAME.split()},
    **{name: _plain(function) for name, function in _CALLED.items()},
    "LeakyRelu": _plain("leaky_relu", alpha="alpha"),
    "ClipByValue": _clipped,
    "Cast": _plain("cast", dtype="DstT"),
    "MatMul": _plain("matmul", transpose_a="transpose_a", transpose_b="transpose_b"),
    **dict.fromkeys(
        ("BatchMatMul", "BatchMatMulV2"),
        _plain("matmul", transpose_a="adj_x", transpose_b="adj_y"),
    ),
    **{
        name: _with(f"reduce_{name.lower()}", "axis", keepdims="keep_dims")
        for name in ("Sum", "Mean", "Max", "Min", "Prod")
    },
    "Cumsum": _with("cumsum", "axis"),
    "Reshape": _with("reshape", "shape"),
    "Transpose": _with("transpose", "perm"),
    "ExpandDims": _with("expand_dims", "axis"),
    "Tile": _with("tile", "multiples"),
    "BroadcastTo": _with("broadcast_to", "shape"),
    "GatherV2": _with("gather", "indices", "axis"),
    "Squeeze": _plain("squeeze", axis="squeeze_dims"),
    "Pack": _plain("stack", axis="axis"),
    "Unpack": _plain("unstack", axis="axis"),
    "ConcatV2": _joined,
    "StridedSlice": _sliced,
}
"""The function of TensorFlow's that each operation is."""
