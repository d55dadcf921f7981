"""Rules of functions of one number, entry by entry, with PyTorch's arguments."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from sympy import Piecewise, exp, log

from symnet.activations import Z
from symnet.importers.folding import functions, tables
from symnet.importers.folding.rounding import ROUNDED
from symnet.importers.folding.tensors import Tensors, Value

Rule = Callable[..., Any]


def _plain(name: str) -> Rule:
    return lambda t, x, *_, **__: t.apply(name, x)


def _formula(name: str, value: Any) -> Rule:
    return lambda t, x: t.apply(value, x, name)


def _softplus(t: Tensors, x: Value, beta: Any = 1, threshold: Any = 20) -> Value:
    value = functions.softplus(beta)
    if threshold < 20:  # beyond it PyTorch takes z itself, 1e-10 of it away
        above = functions.number(beta) * Z > functions.number(threshold)
        value = Piecewise((Z, above), (value, True))
    return t.apply(value, x, "softplus")


def _softplus_slope(t: Tensors, over: Value, x: Value, beta: Any, threshold: Any) -> Value:
    inside = t.multiply(x, beta)
    if threshold >= 20:
        return t.multiply(over, t.apply("sigmoid", inside))
    slope = Piecewise((1, functions.number(threshold) < Z), (functions.PLAIN["sigmoid"], True))
    return t.multiply(over, t.apply(slope, inside, "softplus_slope"))


def _threshold_slope(t: Tensors, over: Value, x: Value, threshold: Any) -> Value:
    above = functions.number(threshold) < Z
    return t.multiply(over, t.apply(Piecewise((1, above), (0, True)), x, "step"))


def _shrink_slope(t: Tensors, over: Value, x: Value, threshold: Any) -> Value:
    inside = abs(Z) <= functions.number(threshold)
    return t.multiply(over, t.apply(Piecewise((0, inside), (1, True)), x, "shrink_slope"))


def _gelu(t: Tensors, x: Value, approximate: str = "none") -> Value:
    return t.apply(functions.gelu(approximate == "tanh"), x, "gelu")


def _elu(t: Tensors, x: Value, alpha: Any = 1, scale: Any = 1, input_scale: Any = 1) -> Value:
    if input_scale != 1:
        raise ValueError("elu with input_scale")
    return t.apply(functions.elu(alpha, scale), x, "elu")


def _leaky(t: Tensors, x: Value, slope: Any = 0.01) -> Value:
    return t.apply(functions.leaky(slope), x, "leaky_relu")


def _rrelu(
    t: Tensors, x: Value, low: float = 1 / 8, high: float = 1 / 3, training: bool = False, *_: Any
) -> Value:
    if training:
        raise ValueError("it draws its slopes; call it with training=False")
    return _leaky(t, x, (low + high) / 2)


def _prelu(t: Tensors, x: Value, slopes: Value) -> Value:
    shape = [1, -1, *[1] * (len(x.shape) - 2)] if len(x.shape) > 1 else [-1]
    return t.prelu(x, t.reshape(slopes, shape if np.prod(slopes.shape) > 1 else ()))


def _hard_sigmoid(t: Tensors, x: Value) -> Value:
    return t.apply(functions.hard_sigmoid(functions.number(1) / 6, 0.5), x, "hard_sigmoid")


def _shrink(t: Tensors, x: Value, threshold: Any = 0.5) -> Value:
    return t.apply(functions.shrink(threshold, threshold), x, "softshrink")


def _threshold(t: Tensors, x: Value, threshold: Any, value: Any) -> Value:
    low = functions.number(threshold)
    return t.apply(Piecewise((functions.number(value), low >= Z), (Z, True)), x, "threshold")


def _logit(t: Tensors, x: Value, eps: float | None = None) -> Value:
    inside = x if eps is None else t.clip(x, eps, 1 - eps)
    return t.apply(log(Z / (1 - Z)), inside, "logit")


RULES: Mapping[str, Rule] = {
    **{
        name: _plain(name)
        for name in (
            *("relu", "sigmoid", "tanh", "sin", "cos", "tan", "asin", "acos", "atan", "sinh"),
            *("cosh", "asinh", "acosh", "atanh", "exp", "expm1", "log", "log1p", "log2", "log10"),
            *("sqrt", "rsqrt", "square", "reciprocal", "erf", "erfc", "abs", "silu", "mish"),
            *("relu6", "log_sigmoid", "erfinv", "digamma"),
        )
    },
    "lgamma": tables.log_gamma,
    "hardswish": _plain("hard_swish"),
    "hardsigmoid": _hard_sigmoid,
    "hardtanh": lambda t, x, low=-1.0, high=1.0: t.clip(x, low, high),
    "softplus": _softplus,
    "softplus_backward": _softplus_slope,
    "threshold_backward": _threshold_slope,
    **dict.fromkeys(("softshrink_backward", "hardshrink_backward"), _shrink_slope),
    "gelu": _gelu,
    "elu": _elu,
    "selu": _plain("selu"),
    "celu": lambda t, x, alpha=1.0: t.apply(functions.celu(alpha), x, "celu"),
    "leaky_relu": _leaky,
    "rrelu": _rrelu,
    "prelu": _prelu,
    "softshrink": _shrink,
    "hardshrink": lambda t, x, c=0.5: t.apply(functions.shrink(c, 0), x, "hardshrink"),
    "threshold": _threshold,
    **{name: _formula(name, ROUNDED[name]) for name in ("floor", "ceil", "trunc")},
    "exp2": _formula("exp2", exp(log(2) * Z)),
    "sign": _formula("sign", functions.SIGN),
    "sgn": _formula("sign", functions.SIGN),
    "logit": _logit,
    "special_entr": _plain("entr"),
    "special_log_ndtr": _plain("log_ndtr"),
    "xlogy": tables.x_log,
    "special_xlog1py": lambda t, x, y: tables.x_log(t, x, y, 1),
}
