"""A rule for each operation of `keras.ops` in a functional model: `x + 1`, `ops.concatenate`.

An operation has its settings in its configuration, and what it is called with in its node.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
import sympy
from sympy import Piecewise

from symnet.activations import Z
from symnet.importers.folding import choices, functions
from symnet.importers.folding.angles import angle, distance
from symnet.importers.folding.choices import Condition
from symnet.importers.folding.cumulating import cumulative
from symnet.importers.folding.forms import Form
from symnet.importers.folding.rounding import rounded
from symnet.importers.folding.tensors import Tensors, Value
from symnet.importers.keras.layer import FORMULAS
from symnet.importers.keras.moves import MOVES, Config, Rule, axes_of, constant
from symnet.importers.keras.steps import STEPS
from symnet.importers.keras.vectors import VECTORS


def _with(operation: Callable[..., Value]) -> Rule:
    return lambda t, config, *given: operation(t, *map(constant, given))


def _named(name: str) -> Rule:
    return lambda t, config, x: t.apply(name, x)


def _reduced(reduce: Callable[[Tensors, Value, Any, bool], Value]) -> Rule:
    def rule(t: Tensors, config: Config, x: Any) -> Value:
        values = x.forced(t) if isinstance(x, Condition) else x
        return reduce(t, values, axes_of(config), bool(config.get("keepdims")))

    return rule


def _mean(t: Tensors, x: Value, axes: Any, keep: bool) -> Value:
    return t.sum(x, axes, keep, mean=True)


def _variance(t: Tensors, x: Value, axes: Any, keep: bool) -> Value:
    centred = t.subtract(x, t.sum(x, axes, True, mean=True))
    return t.sum(t.apply("square", centred), axes, keep, mean=True)


_MOMENTS = (_mean, _variance)


def _extreme(t: Tensors, config: Config, x: Value, larger: bool) -> Value:
    found = t.extreme(x, axes_of(config), bool(config.get("keepdims")), larger)
    if (initial := config.get("initial")) is None:
        return found
    return (t.maximum if larger else t.minimum)(found, constant(initial))


def _range(t: Tensors, x: Value, axes: Any, keep: bool) -> Value:
    return t.subtract(*(t.extreme(x, axes, keep, larger) for larger in (True, False)))


def _log_add_2(t: Tensors, config: Config, x1: Any, x2: Any) -> Value:
    """log₂(2ˣ + 2ʸ)."""
    x, y = (t.multiply(constant(v), np.log(2)) for v in (x1, x2))
    return t.multiply(t.log_add(x, y), 1 / np.log(2))


def _softmax(log: bool) -> Rule:
    def rule(t: Tensors, config: Config, x: Value) -> Value:
        axes = axes_of(config)
        return t.softmax(x, list(range(len(x.shape))) if axes is None else axes, log)

    return rule


def _clip(t: Tensors, config: Config, x: Value) -> Value:
    return t.clip(x, config["x_min"], config["x_max"])


def _gelu(t: Tensors, config: Config, x: Value) -> Value:
    return t.apply(functions.gelu(bool(config.get("approximate", True))), x, "gelu")


def _where(t: Tensors, config: Config, condition: Any, x1: Any, x2: Any) -> Value:
    x, y = constant(x1), constant(x2)
    if isinstance(condition, Condition):
        return choices.chosen(t, condition, y, x)
    if isinstance(condition, Form):
        raise ValueError("its condition is no comparison")
    mask = np.asarray(condition, dtype=bool)
    shape = np.broadcast_shapes(mask.shape, x.shape, y.shape)
    spread = [t.broadcast(v, shape) for v in (x, y)]
    return t.mixed(spread, lambda parts: np.where(mask, *parts))


def _selected(t: Tensors, config: Config, condlist: Any, choicelist: Any, default: Any = 0) -> Any:
    """The first choice whose condition holds."""
    value = default
    for condition, choice in reversed(list(zip(condlist, choicelist, strict=True))):
        value = _where(t, config, condition, choice, value)
    return value


def _both(both: Any) -> Rule:
    return lambda t, config, x1, x2: choices.joined(both, x1, x2)


def _not(t: Tensors, config: Config, x: Any) -> Any:
    return choices.negated(x) if isinstance(x, Condition) else np.logical_not(x)


def _cast(t: Tensors, config: Config, x: Any) -> Value:
    kind = str(config.get("dtype") or "float32")
    if isinstance(x, Condition):
        x = x.forced(t)
    elif isinstance(x, Form) and kind == "bool":
        return choices.condition(t, x)
    elif isinstance(x, Form) and "int" in kind:
        return rounded(t, x, "trunc")
    elif isinstance(x, Form) and "float" not in kind:
        raise ValueError(
            f"it makes {kind} of what depends on the inputs; symnet reads real numbers"
        )
    return constant(x)


def _without_nan(t: Tensors, config: Config, x: Value) -> Value:
    t.fold.assume("nan_to_num is left out: where its argument is NaN or infinite, so is its value")
    return x


def _divided(t: Tensors, config: Config, x1: Any, x2: Any) -> Value:
    """x/y, and 0 where y is."""
    x, y = constant(x1), constant(x2)
    if isinstance(y, Form):
        t.fold.assume("divide_no_nan is a quotient: it is no number where its divisor is 0")
        return t.divide(x, y)
    return t.multiply(x, np.divide(1.0, y, out=np.zeros(y.shape), where=y != 0))


def _compared(name: str) -> Rule:
    return lambda t, config, x, y: choices.compared(t, name, constant(x), constant(y))


def _glu(t: Tensors, config: Config, x: Value) -> Value:
    axis = int(config.get("axis", -1))
    a, b = (t.places(x, partial(_half, axis=axis, second=k)) for k in (False, True))
    return t.multiply(a, t.apply("sigmoid", b))


def _half(a: Any, axis: int, second: bool) -> Any:
    return np.split(a, 2, axis)[second]


def _shrunk(soft: bool) -> Rule:
    def rule(t: Tensors, config: Config, x: Value) -> Value:
        bound = config.get("threshold", 0.5)
        return t.apply(functions.shrink(bound, bound if soft else 0), x, "shrink")

    return rule


def _threshold(t: Tensors, config: Config, x: Value) -> Value:
    low, value = functions.number(config["threshold"]), functions.number(config["default_value"])
    return t.apply(Piecewise((value, low >= Z), (Z, True)), x, "threshold")


def _scan(t: Tensors, config: Config, x: Value, operation: Any = None) -> Value:
    if config.get("axis") is None:
        raise ValueError("it goes over the whole batch (axis=None); give an axis")
    axis = int(config["axis"])
    return t.cumulated(x, axis) if operation is None else cumulative(t, x, axis, operation)


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
        "Cbrt": "cbrt",
        "Fabs": "abs",
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
    **dict.fromkeys(("Logsumexp", "LogSumExp"), _reduced(Tensors.log_sum_exp)),
    "Softmax": _softmax(False),
    "LogSoftmax": _softmax(True),
    "Clip": _clip,
    "Trace": lambda t, c, x: t.sum(
        t.places(x, lambda a: np.diagonal(a, c["offset"], c["axis1"], c["axis2"])), [-1], False
    ),
    **MOVES,
    **VECTORS,
    **STEPS,
    **dict.fromkeys(("Copy", "Conj", "Conjugate", "Real"), lambda t, c, x: x),
    **dict.fromkeys(("Cast", "ConvertToTensor"), _cast),
    **dict.fromkeys(("Max", "Amax"), partial(_extreme, larger=True)),
    **dict.fromkeys(("Min", "Amin"), partial(_extreme, larger=False)),
    "Ptp": _reduced(_range),
    "Fmax": _with(Tensors.maximum),
    "Fmin": _with(Tensors.minimum),
    "Deg2rad": lambda t, c, x: t.multiply(x, np.pi / 180),
    "Rad2deg": lambda t, c, x: t.multiply(x, 180 / np.pi),
    "OnesLike": lambda t, c, x: np.ones(x.shape),
    "ZerosLike": lambda t, c, x: np.zeros(x.shape),
    "FullLike": lambda t, c, x, fill_value: np.broadcast_to(constant(fill_value), x.shape),
    "NanToNum": _without_nan,
    "Isnan": lambda t, c, x: np.zeros(x.shape, dtype=bool),
    "Isfinite": lambda t, c, x: np.ones(x.shape, dtype=bool),
    "DivideNoNan": _divided,
    "Moments": lambda t, c, x: [f(t, x, c["axes"], bool(c.get("keepdims"))) for f in _MOMENTS],
    "Select": _selected,
    "LogicalAnd": _both(sympy.And),
    "LogicalOr": _both(sympy.Or),
    "LogicalNot": _not,
    "Squareplus": lambda t, c, x: t.apply(functions.squareplus(c.get("b", 4)), x, "squareplus"),
    "SparsePlus": lambda t, c, x: t.apply(FORMULAS["sparse_plus"], x, "sparse_plus"),
    "SparseSigmoid": lambda t, c, x: t.apply(FORMULAS["sparse_sigmoid"], x, "sparse_sigmoid"),
    "Logaddexp2": _log_add_2,
    "Glu": _glu,
    "Arctan2": _with(angle),
    "Logaddexp": _with(Tensors.log_add),
    "Hypot": _with(distance),
    "Cumsum": _scan,
    "Cumprod": partial(_scan, operation=Tensors.multiply),
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

_OF_ANY_TYPE = ("Cast", "ConvertToTensor", "OnesLike", "ZerosLike")


def applied(kind: str, t: Tensors, config: Config, positional: Any, named: Any) -> Any:
    """The operation of this name. ValueError where it rounds to whole numbers, as it is told."""
    number = str(config.get("dtype") or "float32")
    if kind not in _OF_ANY_TYPE and "float" not in number:
        raise ValueError(f"it makes {number} of its values; leave out dtype={number!r}")
    return OPERATIONS[kind](t, config, *positional, **named)
