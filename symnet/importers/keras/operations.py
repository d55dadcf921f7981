"""A rule for each operation of `keras.ops` in a functional model: `x + 1`, `ops.concatenate`.

An operation has its settings in its configuration, and what it is called with in its node.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from symnet.importers.folding import choices, functions
from symnet.importers.folding.choices import Condition
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


_NAMES = {
    **{name.capitalize(): name for name in ("exp", "expm1", "log", "log1p", "log10", "log2")},
    **{name.capitalize(): name for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh", "sqrt")},
    **{name.capitalize(): name for name in ("square", "reciprocal", "relu", "relu6", "sigmoid")},
    **{
        name.capitalize(): name for name in ("softplus", "softsign", "silu", "erf", "rsqrt", "selu")
    },
    **{"Arcsin": "asin", "Arccos": "acos", "Arctan": "atan", "Arcsinh": "asinh"},
    **{"Arccosh": "acosh", "Arctanh": "atanh", "Absolute": "abs", "Abs": "abs"},
    **{"Selu": "selu", "LogSigmoid": "log_sigmoid", "HardSilu": "hard_swish"},
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
    "Where": _where,
    **{
        name: _compared(short)
        for name, short in {
            **{"Greater": "gt", "GreaterEqual": "ge", "Less": "lt", "LessEqual": "le"},
            **{"Equal": "eq", "NotEqual": "ne"},
        }.items()
    },
}
