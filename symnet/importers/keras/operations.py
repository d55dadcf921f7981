"""A rule for each operation of `keras.ops` in a functional model: `x + 1`, `ops.concatenate`.

An operation has its settings in its configuration, and what it is called with in its node.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from sympy import Piecewise

from symnet.activations import Z
from symnet.importers.folding import choices, functions
from symnet.importers.folding.angles import angle, distance
from symnet.importers.folding.choices import Condition
from symnet.importers.folding.cumulating import cumulative
from symnet.importers.folding.einsum import einsum
from symnet.importers.folding.forms import Form
from symnet.importers.folding.tensors import Tensors, Value

Config = Mapping[str, Any]
Rule = Callable[..., Any]


def _with(operation: Callable[..., Value]) -> Rule:
    return lambda t, config, *given: operation(t, *map(_array, given))


def _array(x: Any) -> Value:
    return x if isinstance(x, Form | Condition) else np.asarray(x, dtype=np.float64)


def _named(name: str) -> Rule:
    return lambda t, config, x: t.apply(name, x)


def _axes(config: Config) -> list[int] | None:
    axis = config.get("axis")
    return None if axis is None else list(axis) if isinstance(axis, list | tuple) else [int(axis)]


def _reduced(reduce: Callable[[Tensors, Value, Any, bool], Value]) -> Rule:
    return lambda t, config, x: reduce(t, x, _axes(config), bool(config.get("keepdims")))


def _mean(t: Tensors, x: Value, axes: Any, keep: bool) -> Value:
    return t.sum(x, axes, keep, mean=True)


def _variance(t: Tensors, x: Value, axes: Any, keep: bool) -> Value:
    centred = t.subtract(x, t.sum(x, axes, True, mean=True))
    return t.sum(t.apply("square", centred), axes, keep, mean=True)


def _softmax(log: bool) -> Rule:
    def rule(t: Tensors, config: Config, x: Value) -> Value:
        axes = _axes(config)
        return t.softmax(x, list(range(len(x.shape))) if axes is None else axes, log)

    return rule


def _moved(change: Callable[[Any, Config], Any]) -> Rule:
    return lambda t, config, x: t.places(x, lambda a: change(a, config))


def _split(t: Tensors, config: Config, x: Value) -> list[Value]:
    axis, where = int(config.get("axis", 0)), config["indices_or_sections"]
    size = x.shape[axis]
    parts = np.split(np.arange(size), where, axis=0)
    return [t.places(x, partial(np.take, indices=k, axis=axis)) for k in parts]


def _item(t: Tensors, config: Config, x: Value, key: Any) -> Value:
    cut = tuple(key) if isinstance(key, list | tuple) else key
    return t.places(x, lambda a: a[cut])


def _joined(arrange: Callable[[Sequence[Any], int], Any]) -> Rule:
    def rule(t: Tensors, config: Config, parts: Sequence[Value]) -> Value:
        axis = int(config.get("axis", 0))
        return t.mixed([_array(part) for part in parts], lambda arrays: arrange(arrays, axis))

    return rule


def _clip(t: Tensors, config: Config, x: Value) -> Value:
    return t.clip(x, config["x_min"], config["x_max"])


def _gelu(t: Tensors, config: Config, x: Value) -> Value:
    return t.apply(functions.gelu(bool(config.get("approximate", True))), x, "gelu")


def _einsum(t: Tensors, config: Config, *operands: Value) -> Value:
    return einsum(t, config["subscripts"], [_array(x) for x in operands])


def _where(t: Tensors, config: Config, condition: Any, x: Value, y: Value) -> Value:
    if not isinstance(condition, Condition):
        raise ValueError("its condition is no comparison")
    return choices.chosen(t, condition, _array(y), _array(x))


def _compared(name: str) -> Rule:
    return lambda t, config, x, y: choices.compared(t, name, _array(x), _array(y))


def _glu(t: Tensors, config: Config, x: Value) -> Value:
    axis = int(config.get("axis", -1))
    a, b = (t.places(x, partial(_half, axis=axis, second=k)) for k in (False, True))
    return t.multiply(a, t.apply("sigmoid", b))


def _half(a: Any, axis: int, second: bool) -> Any:
    return np.split(a, 2, axis)[second]


def _pad(t: Tensors, config: Config, x: Value, constant_values: Any = None) -> Value:
    mode, widths = config.get("mode", "constant"), config["pad_width"]
    rank = len(x.shape)
    around = [tuple(w) for w in np.broadcast_to(np.asarray(widths, dtype=np.int64), (rank, 2))]
    if mode == "constant":
        return t.pad(x, around, np.asarray(constant_values or 0.0))
    return t.places(x, lambda a: np.pad(a, around, mode=mode))


def _norm(t: Tensors, config: Config, x: Value) -> Value:
    order = config.get("ord")
    if order not in (None, 2, "fro", 1) or (order in (1, 2) and len(_axes(config) or x.shape) != 1):
        raise ValueError(f"it is the norm {order!r}; symnet reads that of vectors of order 1 and 2")
    keep = bool(config.get("keepdims"))
    if order == 1:
        return t.sum(t.apply("abs", x), _axes(config), keep)
    return t.apply("sqrt", t.sum(t.apply("square", x), _axes(config), keep))


def _normalize(t: Tensors, config: Config, x: Value) -> Value:
    """x/|x|, with Keras's least |x|²: epsilon of it."""
    if config.get("order", 2) != 2:
        raise ValueError(f"it is of the order {config['order']}; symnet reads 2")
    epsilon = float(config.get("epsilon") or 1e-7)
    axes = _axes(config) or [-1]
    squares = t.sum(t.apply("square", x), axes, True)
    return t.multiply(x, t.apply("rsqrt", t.maximum(squares, np.array(epsilon**2))))


def _average(t: Tensors, config: Config, x: Value, weights: Any = None) -> Value:
    if weights is not None:
        raise ValueError("it has weights")
    return t.sum(x, _axes(config), False, mean=True)


def _taken(t: Tensors, config: Config, x: Value, indices: Any) -> Value:
    index, axis = np.asarray(indices).astype(np.int64), config.get("axis")
    return t.places(x, lambda a: np.take(a, index, axis))


def _dot(t: Tensors, config: Config, x: Value, y: Value) -> Value:
    if len(np.shape(y)) > 2:
        raise ValueError(f"it is of tensors of the shapes {np.shape(x)} and {np.shape(y)}")
    return t.matmul(_array(x), _array(y))


def _cross(t: Tensors, config: Config, x: Value, y: Value) -> Value:
    """x × y of vectors of three along the last axis: (x₂y₃ − x₃y₂, …)."""
    axes = {config.get(key) for key in ("axis", "axisa", "axisb", "axisc")}
    x, y = _array(x), _array(y)
    if not axes <= {None, -1} or {x.shape[-1], y.shape[-1]} != {3}:
        raise ValueError("it is not of vectors of three along the last axis")
    after, before = (partial(np.take, indices=k, axis=-1) for k in ([1, 2, 0], [2, 0, 1]))
    first = t.multiply(t.places(x, after), t.places(y, before))
    return t.subtract(first, t.multiply(t.places(x, before), t.places(y, after)))


def _shrunk(soft: bool) -> Rule:
    def rule(t: Tensors, config: Config, x: Value) -> Value:
        bound = config.get("threshold", 0.5)
        return t.apply(functions.shrink(bound, bound if soft else 0), x, "shrink")

    return rule


def _threshold(t: Tensors, config: Config, x: Value) -> Value:
    low, value = functions.number(config["threshold"]), functions.number(config["default_value"])
    return t.apply(Piecewise((value, low >= Z), (Z, True)), x, "threshold")


def _scan(operation: Any) -> Rule:
    return lambda t, config, x: cumulative(t, x, int(config["axis"]), operation)


_NAMES = {
    **{name.capitalize(): name for name in ("exp", "expm1", "log", "log1p", "log10", "log2")},
    **{name.capitalize(): name for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh", "sqrt")},
    **{name.capitalize(): name for name in ("square", "reciprocal", "relu", "relu6", "sigmoid")},
    **{
        name.capitalize(): name for name in ("softplus", "softsign", "silu", "erf", "rsqrt", "selu")
    },
    **{"Arcsin": "asin", "Arccos": "acos", "Arctan": "atan", "Arcsinh": "asinh"},
    **{"Arccosh": "acosh", "Arctanh": "atanh", "Absolute": "abs", "Abs": "abs"},
    **{
        "Selu": "selu",
        "LogSigmoid": "log_sigmoid",
        "HardSilu": "hard_swish",
        "TanhShrink": "tanhshrink",
        "Exp2": "exp2",
        "Erfc": "erfc",
        "Erfinv": "erfinv",
    },
}

OPERATIONS: Mapping[str, Rule] = {
    **{name: _named(known) for name, known in _NAMES.items()},
    "Add": _with(Tensors.add),
    "Subtract": _with(Tensors.subtract),
    "Multiply": _with(Tensors.multiply),
    **dict.fromkeys(("TrueDivide", "Divide"), _with(Tensors.divide)),
    "Power": _with(Tensors.power),
    "Maximum": _with(Tensors.maximum),
    "Minimum": _with(Tensors.minimum),
    "Matmul": _with(Tensors.matmul),
    "Negative": _with(Tensors.negative),
    "Sign": lambda t, config, x: t.apply(functions.SIGN, x, "sign"),
    "Elu": lambda t, config, x: t.apply(functions.elu(config.get("alpha", 1.0)), x, "elu"),
    "Gelu": lambda t, config, x: t.apply(
        functions.gelu(bool(config.get("approximate", True))), x, "gelu"
    ),
    "LeakyRelu": lambda t, config, x: t.apply(
        functions.leaky(config.get("negative_slope", 0.2)), x, "leaky_relu"
    ),
    "HardSigmoid": lambda t, config, x: t.apply(
        functions.hard_sigmoid(functions.number(1) / 6, 0.5), x, "hard_sigmoid"
    ),
    "Sum": _reduced(Tensors.sum),
    "Mean": _reduced(_mean),
    "Var": _reduced(_variance),
    "Std": _reduced(lambda t, x, axes, keep: t.apply("sqrt", _variance(t, x, axes, keep))),
    "Prod": _reduced(Tensors.product),
    "Max": _reduced(lambda t, x, axes, keep: t.extreme(x, axes, keep, True)),
    "Min": _reduced(lambda t, x, axes, keep: t.extreme(x, axes, keep, False)),
    **dict.fromkeys(("Logsumexp", "LogSumExp"), _reduced(Tensors.log_sum_exp)),
    "Softmax": _softmax(False),
    "LogSoftmax": _softmax(True),
    "Clip": _clip,
    "Einsum": _einsum,
    "Concatenate": _joined(np.concatenate),
    "Stack": _joined(np.stack),
    "Split": _split,
    "GetItem": _item,
    "Reshape": _moved(lambda a, c: a.reshape([-1 if s is None else s for s in c["newshape"]])),
    "Transpose": _moved(lambda a, c: a.transpose(c.get("axes"))),
    "ExpandDims": _moved(lambda a, c: np.expand_dims(a, c["axis"])),
    "Squeeze": _moved(lambda a, c: np.squeeze(a, c.get("axis"))),
    "Flip": _moved(lambda a, c: np.flip(a, c.get("axis"))),
    "Swapaxes": _moved(lambda a, c: np.swapaxes(a, c["axis1"], c["axis2"])),
    "Moveaxis": _moved(lambda a, c: np.moveaxis(a, c["source"], c["destination"])),
    "Tile": _moved(lambda a, c: np.tile(a, c["repeats"])),
    "Repeat": _moved(lambda a, c: np.repeat(a, c["repeats"], c.get("axis"))),
    "Roll": _moved(lambda a, c: np.roll(a, c["shift"], c.get("axis"))),
    "Ravel": _moved(lambda a, c: a.reshape(-1)),
    "Diagonal": _moved(lambda a, c: np.diagonal(a, c["offset"], c["axis1"], c["axis2"])),
    "Trace": lambda t, c, x: t.sum(
        t.places(x, lambda a: np.diagonal(a, c["offset"], c["axis1"], c["axis2"])), [-1], False
    ),
    "Take": _taken,
    "Pad": _pad,
    "Glu": _glu,
    "Norm": _norm,
    "Normalize": _normalize,
    "Average": _average,
    "Dot": _dot,
    "Cross": _cross,
    "Arctan2": _with(angle),
    "Logaddexp": _with(Tensors.log_add),
    "Hypot": _with(distance),
    "Cumsum": lambda t, config, x: t.cumulated(x, int(config["axis"])),
    "Cumprod": _scan(Tensors.multiply),
    "Celu": lambda t, c, x: t.apply(functions.celu(c.get("alpha", 1.0)), x, "celu"),
    "HardTanh": lambda t, c, x: t.clip(x, -1.0, 1.0),
    "SoftShrink": _shrunk(True),
    "HardShrink": _shrunk(False),
    "Threshold": _threshold,
    "Where": _where,
    **{
        name: _compared(short)
        for name, short in {
            **{"Greater": "gt", "GreaterEqual": "ge", "Less": "lt", "LessEqual": "le"},
            **{"Equal": "eq", "NotEqual": "ne"},
        }.items()
    },
}
