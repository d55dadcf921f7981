"""Functions of TensorFlow in models of Keras 2, as `x[:, 0:1]`, `x + y` and `tf.exp(x)`.

Keras 2 has a layer for each, which is called with the first argument, or all of a list, and by name
with the others; up to TensorFlow 2.3 one of a node of its graph (`nodes`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

from symnet.importers.folding.tensors import Tensors, Value
from symnet.importers.keras import nodes, refusals
from symnet.importers.keras.arguments import Arguments
from symnet.importers.keras.moves import constant
from symnet.importers.keras.operations import OPERATIONS

_LAYERS = ("TFOpLambda", "SlicingOpLambda")
_ROOMS = ("__operators__", "math", "nn", "linalg", "compat.v1")


def function_of(layer: Mapping[str, Any]) -> str | None:
    """The function of a layer that is one, as `math.exp`; None for other layers."""
    if layer.get("class_name") == nodes.LAYER:
        return f"raw_ops.{nodes.operation(layer)}"
    if layer.get("class_name") not in _LAYERS:
        return None
    return str(layer["config"].get("function"))


def applied(layer: Mapping[str, Any], t: Tensors, given: Arguments) -> Any:
    """The function's value. ValueError for functions and keywords that symnet does not read."""
    if layer.get("class_name") == nodes.LAYER:
        name, positional, named = nodes.call(layer, given.tensors)
        return _FUNCTIONS[name](t, *positional, **named)
    function = str(function_of(layer))
    room, _, name = function.rpartition(".")
    if name not in _FUNCTIONS or room not in ("", *_ROOMS):
        raise ValueError(f"it is no function that symnet reads; {_ADVICE.get(name, _WHAT)}")
    told = {key: v for key, v in given.named.items() if v is not None and key != "name"}
    return _FUNCTIONS[name](t, *given.positional, **told)


_WHAT = refusals.advice("", True, True)
_ADVICE = {
    "einsum": "Keras 2 does not write down what it is of: use matmul or tensordot",
    "stop_gradient": refusals.advice("StopGradient", True, True),
}


def _as(kind: str, *others: str, usual: Mapping[str, Any] | None = None, **settings: str) -> Any:
    """The operation of keras.ops: keywords of the arguments after the first, and of settings."""

    def rule(t: Tensors, *given: Any, **named: Any) -> Any:
        arguments = [*given, *(named.pop(key) for key in others if key in named)]
        known = {key: named.pop(own) for key, own in settings.items() if own in named}
        config = {**(usual or {}), **known}
        if named:
            told = ", ".join(map(repr, named))
            raise ValueError(f"it is called with {told}, which symnet does not read")
        refusals.check_axis(kind, config, arguments)
        return OPERATIONS[kind](t, config, *arguments)

    return rule


def _of_list(kind: str) -> Any:
    """The tensors of a list, along an axis that is the first unless said."""
    return lambda t, *given, axis=0: OPERATIONS[kind](t, {"axis": axis}, given)


def _item(t: Tensors, x: Value, slice_spec: Any) -> Value:
    cut = tuple(map(_cut, slice_spec if isinstance(slice_spec, list) else [slice_spec]))
    return t.places(x, lambda a: a[cut])


def _cut(spec: Any) -> Any:
    if not isinstance(spec, dict):
        return None if spec is None else int(spec)
    if spec.get("class_name") == "__ellipsis__":
        return ...
    ends = (spec[key] for key in ("start", "stop", "step"))
    return slice(*(None if end is None else int(end) for end in ends))


def _numbers(given: Any) -> tuple[int, ...]:
    """Whole numbers, of which some may be those of a shape; one alone is a tuple of it."""
    return tuple(int(k) for k in (given if isinstance(given, list) else np.ravel(given)))


def _moved(change: Callable[[Any, Any], Any], keyword: str) -> Any:
    """Entries that move, by the numbers that a keyword has."""

    def rule(t: Tensors, x: Value, **named: Any) -> Value:
        if keyword not in named or any(named[key] for key in named if key != keyword):
            told = ", ".join(map(repr, named)) or "nothing"
            raise ValueError(f"it is called with {told}; symnet reads {keyword!r}")
        numbers = _numbers(named[keyword])
        return t.places(constant(x), lambda a: change(a, numbers))

    return rule


def _matmul(
    t: Tensors, a: Any, b: Any, transpose_a: bool = False, transpose_b: bool = False
) -> Value:
    both = ((a, transpose_a), (b, transpose_b))
    turned = [t.places(constant(x), partial(_turned, turn=turn)) for x, turn in both]
    return t.matmul(*turned)


def _turned(a: Any, turn: bool) -> Any:
    return np.swapaxes(a, -1, -2) if turn else a


def _gathered(t: Tensors, params: Value, indices: Any, axis: int = 0, batch_dims: int = 0) -> Value:
    if batch_dims:
        raise ValueError(f"it is called with batch_dims={batch_dims}")
    return OPERATIONS["Take"](t, {"axis": axis}, params, indices)


def _split(t: Tensors, value: Value, num_or_size_splits: Any, axis: int = 0) -> list[Value]:
    """Into so many parts, or parts of these sizes, one of which may be -1 for the rest."""
    ends: Any = num_or_size_splits
    if isinstance(ends, list):
        rest = value.shape[axis] - sum(n for n in ends if n >= 0)
        ends = np.cumsum([n if n >= 0 else rest for n in ends])[:-1]
    parts = np.split(np.arange(value.shape[axis]), ends)
    return [t.places(value, partial(np.take, indices=k, axis=axis)) for k in parts]


def _padded(
    t: Tensors, tensor: Value, paddings: Any, mode: str = "CONSTANT", constant_values: float = 0
) -> Value:
    config = {"mode": mode.lower(), "pad_width": paddings}
    return OPERATIONS["Pad"](t, config, tensor, constant_values)


def _norm(t: Tensors, x: Value, ord: Any = 2, axis: Any = None, keepdims: bool = False) -> Value:
    order = 2 if ord == "euclidean" else ord
    if not isinstance(axis, int):
        raise ValueError(f"its axis is {axis}; symnet reads one")
    return OPERATIONS["Norm"](t, {"ord": order, "axis": axis, "keepdims": keepdims}, x)


def _normalised(t: Tensors, x: Value, axis: Any, epsilon: float = 1e-12) -> Value:
    """x/|x|, where |x|² is at least epsilon."""
    squares = t.sum(t.apply("square", x), _numbers(axis), True)
    return t.multiply(x, t.apply("rsqrt", t.maximum(squares, constant(epsilon))))


def _swish(t: Tensors, x: Value, beta: float = 1.0) -> Value:
    """x·σ(βx)."""
    return t.multiply(x, t.apply("sigmoid", t.multiply(x, beta)))


def _squared_difference(t: Tensors, x: Any, y: Any) -> Value:
    return t.apply("square", t.subtract(constant(x), constant(y)))


def _summed(t: Tensors, *terms: Any) -> Value:
    total = constant(terms[0])
    for term in terms[1:]:
        total = t.add(total, constant(term))
    return total


def _shape(t: Tensors, x: Value, out_type: Any = None) -> Any:
    return np.array(x.shape)


_UNARY = {
    **{name: name.capitalize() for name in ("exp", "expm1", "log", "log1p", "sqrt", "rsqrt")},
    **{name: name.capitalize() for name in ("square", "negative", "abs", "reciprocal", "erf")},
    **{name: name.capitalize() for name in ("erfc", "erfinv", "sign", "floor", "ceil", "round")},
    **{name: name.capitalize() for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh")},
    **{f"a{name}": f"Arc{name}" for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh")},
    **{name: name.capitalize() for name in ("sigmoid", "softplus", "softsign", "elu", "selu")},
    **{"relu": "Relu", "relu6": "Relu6", "swish": "Silu", "log_sigmoid": "LogSigmoid"},
    **{"ones_like": "OnesLike", "zeros_like": "ZerosLike", "identity": "Copy"},
    "logical_not": "LogicalNot",
}
_BINARY = {
    **{"add": "Add", "subtract": "Subtract", "multiply": "Multiply", "pow": "Power"},
    **{"truediv": "TrueDivide", "divide": "Divide", "divide_no_nan": "DivideNoNan"},
    **{"maximum": "Maximum", "minimum": "Minimum", "floordiv": "FloorDivide", "floormod": "Mod"},
    **{"greater": "Greater", "greater_equal": "GreaterEqual", "less": "Less"},
    **{"less_equal": "LessEqual", "equal": "Equal", "not_equal": "NotEqual"},
    **{"logical_and": "LogicalAnd", "logical_or": "LogicalOr"},
}
_OVER_AXES = {
    **{
        f"reduce_{name}": name.capitalize() for name in ("sum", "mean", "max", "min", "prod", "std")
    },
    **{"reduce_variance": "Var", "reduce_logsumexp": "Logsumexp"},
}

_FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    **{name: _as(kind) for name, kind in _UNARY.items()},
    **{name: _as(kind, "y") for name, kind in _BINARY.items()},
    **{
        name: _as(kind, usual={"axis": None}, axis="axis", keepdims="keepdims")
        for name, kind in _OVER_AXES.items()
    },
    "reduce_euclidean_norm": _norm,
    "norm": _norm,
    "l2_normalize": _normalised,
    "atan2": _as("Arctan2", "x"),
    "where": _as("Where", "x", "y"),
    "cast": _as("Cast", dtype="dtype"),
    "clip_by_value": _as("Clip", x_min="clip_value_min", x_max="clip_value_max"),
    "softmax": _as("Softmax", usual={"axis": -1}, axis="axis"),
    "log_softmax": _as("LogSoftmax", usual={"axis": -1}, axis="axis"),
    "gelu": _as("Gelu", usual={"approximate": False}, approximate="approximate"),
    "leaky_relu": _as("LeakyRelu", negative_slope="alpha"),
    "silu": _swish,
    "lgamma": lambda t, x: t.apply("loggamma", x),
    "digamma": lambda t, x: t.apply("digamma", x),
    "squared_difference": _squared_difference,
    **dict.fromkeys(("add_n", "accumulate_n"), _summed),
    "bias_add": _as("Add", "bias"),
    "matmul": _matmul,
    "tensordot": _as("Tensordot", "b", axes="axes"),
    "cross": _as("Cross", "b"),
    "cumsum": _as("Cumsum", usual={"axis": 0}, axis="axis"),
    "cumprod": _as("Cumprod", usual={"axis": 0}, axis="axis"),
    "sort": _as("Sort", usual={"axis": -1}, axis="axis"),
    "getitem": _item,
    "concat": _of_list("Concatenate"),
    "stack": _of_list("Stack"),
    "unstack": _as("Unstack", usual={"axis": 0}, axis="axis"),
    "split": _split,
    "gather": _gathered,
    "pad": _padded,
    "expand_dims": _as("ExpandDims", axis="axis"),
    "repeat": _as("Repeat", repeats="repeats", axis="axis"),
    "roll": _as("Roll", shift="shift", axis="axis"),
    "squeeze": _moved(np.squeeze, "axis"),
    "reverse": _moved(np.flip, "axis"),
    "transpose": _moved(np.transpose, "perm"),
    "reshape": _moved(np.reshape, "shape"),
    "broadcast_to": _moved(np.broadcast_to, "shape"),
    "tile": _moved(np.tile, "multiples"),
    "shape": _shape,
}
"""A rule for each, with TensorFlow's own keywords, called with the tensors first."""
