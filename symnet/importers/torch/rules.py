"""A rule for each operation of PyTorch's exported programs (`aten`), with PyTorch's arguments.

What no rule is for, PyTorch takes apart into operations for which there is one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import sympy
from sympy import Piecewise, exp, log

from symnet.activations import Z
from symnet.importers.folding import choices, functions, tables
from symnet.importers.folding.angles import angle, distance
from symnet.importers.folding.choices import Condition
from symnet.importers.folding.cumulating import cumulative
from symnet.importers.folding.forms import Form
from symnet.importers.folding.tensors import Tensors, Value
from symnet.importers.torch import decomposed, layers, matrices, moves
from symnet.network.weights import Array

Rule = Callable[..., Any]


def _plain(name: str) -> Rule:
    return lambda t, x, *_, **__: t.apply(name, x)


def _formula(name: str, value: Any) -> Rule:
    return lambda t, x: t.apply(value, x, name)


def _same(t: Tensors, x: Value, *_: Any, **__: Any) -> Value:
    return x


# --- functions ----------------------------------------------------------------------------------


def _softplus(t: Tensors, x: Value, beta: Any = 1, threshold: Any = 20) -> Value:
    value = functions.softplus(beta)
    if threshold < 20:  # beyond it PyTorch takes z itself, which differs by exp(-20) at most
        above = functions.number(beta) * Z > functions.number(threshold)
        value = Piecewise((Z, above), (value, True))
    return t.apply(value, x, "softplus")


def _softplus_slope(t: Tensors, over: Value, x: Value, beta: Any, threshold: Any) -> Value:
    return t.multiply(over, t.apply("sigmoid", t.multiply(x, beta)))


def _threshold_slope(t: Tensors, over: Value, x: Value, threshold: Any) -> Value:
    above = functions.number(threshold) < Z
    return t.multiply(over, t.apply(Piecewise((1, above), (0, True)), x, "step"))


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


def _dropout(t: Tensors, x: Value, p: float = 0.5, train: bool = False, **_: Any) -> Value:
    if train and p:
        raise ValueError("it drops at random, in evaluation too (training=True): call it without")
    return x


def _nan_to_num(t: Tensors, x: Value, *_: Any, **__: Any) -> Value:
    t.fold.assume(functions.FINITE)
    return x


# --- arithmetic ---------------------------------------------------------------------------------


def _linear(t: Tensors, x: Value, weight: Value, bias: Value | None = None) -> Value:
    value = t.matmul(x, t.places(weight, np.transpose))
    return value if bias is None else t.add(value, bias)


def _addmm(t: Tensors, bias: Value, x: Value, y: Value, beta: Any = 1, alpha: Any = 1) -> Value:
    return t.add(t.multiply(t.matmul(x, y), alpha), t.multiply(bias, beta))


def _add(t: Tensors, x: Value, y: Value, alpha: Any = 1) -> Value:
    return t.add(x, y if alpha == 1 else t.multiply(y, alpha))


def _sub(t: Tensors, x: Value, y: Value, alpha: Any = 1) -> Value:
    return t.subtract(x, y if alpha == 1 else t.multiply(y, alpha))


def _div(t: Tensors, x: Value, y: Value, rounding_mode: str | None = None) -> Value:
    if rounding_mode is not None:
        raise ValueError("it rounds: that has no derivative")
    return t.divide(x, _real(y))


def _real(y: Value) -> Value:
    """Quotients of whole numbers are not whole here."""
    return y if isinstance(y, Form) else np.asarray(y, dtype=np.float64)


def _pow(t: Tensors, x: Value, y: Value) -> Value:
    return t.power(x if isinstance(x, Form) else np.asarray(x, dtype=np.float64), y)


def _lerp(t: Tensors, x: Value, y: Value, weight: Value) -> Value:
    return t.add(x, t.multiply(weight, t.subtract(y, x)))


# --- sums ---------------------------------------------------------------------------------------


def _axes(dim: Any) -> list[int] | None:
    return None if dim is None or dim in ([], ()) else [dim] if isinstance(dim, int) else list(dim)


def _reduced(mean: bool) -> Rule:
    def rule(t: Tensors, x: Value, dim: Any = None, keepdim: bool = False, **_: Any) -> Value:
        return t.sum(x, _axes(dim), keepdim, mean=mean)

    return rule


def _extreme(larger: bool) -> Rule:
    def rule(t: Tensors, x: Value, dim: Any = None, keepdim: bool = False) -> Value:
        return t.extreme(x, _axes(dim), keepdim, larger)

    return rule


def _best(larger: bool) -> Rule:
    """max and min: of all, over an axis with places (which are not read), or of two tensors."""

    def rule(t: Tensors, x: Value, other: Any = None, keepdim: bool = False) -> Any:
        if isinstance(other, Form | np.ndarray):
            return (_larger if larger else _smaller)(t, x, other)
        value = t.extreme(x, _axes(other), keepdim, larger)
        return value if other is None else [value, None]

    return rule


def _variance(
    t: Tensors,
    x: Value,
    dim: Any = None,
    unbiased: Any = True,
    keepdim: bool = False,
    correction: Any = None,
) -> tuple[Value, Value]:
    """(variance, mean)."""
    if isinstance(dim, bool):
        dim, unbiased = None, dim
    axes = _axes(dim)
    mean = t.sum(x, axes, True, mean=True)
    squares = t.apply("square", t.subtract(x, mean))
    count = np.prod([x.shape[a] for a in (range(len(x.shape)) if axes is None else axes)])
    free = count - (float(unbiased) if correction is None else correction)
    if free <= 0:
        raise ValueError(f"the deviation of {count} values divides by {free}")
    result = t.multiply(t.sum(squares, axes, keepdim), 1 / free)
    return result, t.sum(x, axes, keepdim, mean=True)


def _deviation(t: Tensors, *args: Any, **kwargs: Any) -> list[Value]:
    variance, mean = _variance(t, *args, **kwargs)
    return [t.apply("sqrt", variance), mean]


def _product(t: Tensors, x: Value, dim: Any = None, keepdim: bool = False, **_: Any) -> Value:
    return t.product(x, _axes(dim), keepdim)


def _softmax(log: bool) -> Rule:
    return lambda t, x, dim, *_, **__: t.softmax(x, [dim], log)


def _log_sum_exp(t: Tensors, x: Value, dim: Any, keepdim: bool = False) -> Value:
    return t.log_sum_exp(x, _axes(dim), keepdim)


# --- choices ------------------------------------------------------------------------------------


def _compare(name: str) -> Rule:
    return lambda t, x, y: choices.compared(t, name, x, y)


def _larger(t: Tensors, x: Value, y: Value) -> Value:
    t.fold.assume(functions.TIES)
    return t.maximum(x, y)


def _smaller(t: Tensors, x: Value, y: Value) -> Value:
    t.fold.assume(functions.TIES)
    return t.minimum(x, y)


def _clamp(t: Tensors, x: Value, low: Any = None, high: Any = None) -> Value:
    t.fold.assume("at its bounds the derivative of clamp is 0; in PyTorch it is 1")
    if any(isinstance(c, Form | np.ndarray) for c in (low, high)):
        x = x if low is None else t.maximum(x, low)
        return x if high is None else t.minimum(x, high)
    return t.clip(x, low, high)


def _where(t: Tensors, condition: Any, then: Value, otherwise: Value) -> Value:
    x, y = (v.forced(t) if isinstance(v, Condition) else v for v in (then, otherwise))
    x, y = (v if isinstance(v, Form) else np.asarray(v, dtype=np.float64) for v in (x, y))
    condition = choices.condition(t, condition)
    if isinstance(condition, Condition):
        return choices.chosen(t, condition, y, x)
    known = np.asarray(condition, dtype=bool)
    shape = np.broadcast_shapes(known.shape, x.shape, y.shape)
    wide = np.broadcast_to(known, shape)
    return t.mixed([t.broadcast(v, shape) for v in (x, y)], lambda a: np.where(wide, *a))


def _joined(both: Any) -> Rule:
    return lambda t, x, y: choices.joined(both, *(choices.condition(t, v) for v in (x, y)))


def _all_or_any(both: Any) -> Rule:
    def rule(t: Tensors, x: Value, dim: Any = None, keepdim: bool = False) -> Value:
        return choices.all_or_any(t, both, choices.condition(t, x), _axes(dim), keepdim)

    return rule


def _masked_fill(t: Tensors, x: Value, mask: Any, value: Value) -> Value:
    return _where(t, mask, value, x)


def _to(t: Tensors, x: Value, *more: Any, **named: Any) -> Value:
    """Other types: floating ones are all doubles here."""
    kinds = [str(a).removeprefix("torch.") for a in (*more, *named.values())]
    if any(kind.startswith(("int", "uint", "long")) for kind in kinds):
        raise ValueError("it rounds what depends on the inputs to integers: no derivative")
    if "bool" in kinds:
        return x if isinstance(x, Condition) else choices.compared(t, "ne", x, np.zeros(()))
    return x.forced(t) if isinstance(x, Condition) else x


def _type_as(t: Tensors, x: Value, other: Value) -> Value:
    if isinstance(other, np.ndarray) and other.dtype.kind != "f":
        raise ValueError("it rounds what depends on the inputs to integers: no derivative")
    return x


def _filled(value: float | None, sized: bool = False) -> Rule:
    """Constants in the shape of a tensor, or of a size, in its precision: doubles."""

    def rule(t: Tensors, x: Value, *more: Any, **_: Any) -> Array:
        shape = tuple(more[0]) if sized else x.shape
        return np.full(shape, more[-1] if value is None else value, dtype=np.float64)

    return rule


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
    "exp2": _formula("exp2", exp(log(2) * Z)),
    "sign": _formula("sign", functions.SIGN),
    "sgn": _formula("sign", functions.SIGN),
    "logit": _logit,
    "special_entr": _plain("entr"),
    "special_log_ndtr": _plain("log_ndtr"),
    "xlogy": tables.x_log,
    "special_xlog1py": lambda t, x, y: tables.x_log(t, x, y, 1),
    **matrices.RULES,
    **decomposed.RULES,
    "linear": _linear,
    "addmm": _addmm,
    "baddbmm": _addmm,
    **dict.fromkeys(("mm", "matmul", "bmm", "mv", "dot"), Tensors.matmul),
    "add": _add,
    "sub": _sub,
    "rsub": lambda t, x, y, alpha=1: _sub(t, y, x, alpha),
    "mul": Tensors.multiply,
    "div": _div,
    "neg": Tensors.negative,
    "pow": _pow,
    "lerp": _lerp,
    "hypot": distance,
    "atan2": angle,
    "maximum": _larger,
    "minimum": _smaller,
    "max": _best(True),
    "min": _best(False),
    "amax": _extreme(True),
    "amin": _extreme(False),
    "sum": _reduced(False),
    "mean": _reduced(True),
    "var": lambda t, *args, **kwargs: _variance(t, *args, **kwargs)[0],
    "var_mean": lambda t, *args, **kwargs: list(_variance(t, *args, **kwargs)),
    "std": lambda t, *args, **kwargs: _deviation(t, *args, **kwargs)[0],
    "std_mean": _deviation,
    "prod": _product,
    "cumsum": lambda t, x, dim, **_: t.cumulated(x, dim),
    "cumprod": lambda t, x, dim, **_: cumulative(t, x, dim, Tensors.multiply),
    "cummax": lambda t, x, dim: [cumulative(t, x, dim, Tensors.maximum), None],
    "cummin": lambda t, x, dim: [cumulative(t, x, dim, Tensors.minimum), None],
    "logcumsumexp": lambda t, x, dim: cumulative(t, x, dim, Tensors.log_add),
    "logsumexp": _log_sum_exp,
    "logaddexp": Tensors.log_add,
    "linalg_vector_norm": layers.norm,
    **dict.fromkeys(("cdist", "_cdist_forward"), layers.distances),
    "batch_norm": layers.batch_norm,
    "layer_norm": layers.layer_norm,
    "group_norm": layers.group_norm,
    "instance_norm": layers.instance_norm,
    **dict.fromkeys(("softmax", "_safe_softmax"), _softmax(False)),
    "log_softmax": _softmax(True),
    "scaled_dot_product_attention": layers.attention,
    "bilinear": layers.bilinear,
    **dict.fromkeys(("scatter_add", "scatter_reduce"), moves.scattered),
    "conv1d": layers.conv,
    "conv2d": layers.conv,
    "max_pool1d": layers.max_pool(1),
    "max_pool2d": layers.max_pool(2),
    "max_pool3d": layers.max_pool(3),
    "max_pool3d_with_indices": layers.max_pool(3, places=True),
    "max_pool1d_with_indices": layers.max_pool(1, places=True),
    "max_pool2d_with_indices": layers.max_pool(2, places=True),
    "adaptive_max_pool1d": layers.adaptive_max_pool(1),
    "adaptive_max_pool2d": layers.adaptive_max_pool(2),
    **{name: _compare(name) for name in choices.RELATIONS},
    **dict.fromkeys(("logical_and", "bitwise_and", "__and__"), _joined(sympy.And)),
    **dict.fromkeys(("logical_or", "bitwise_or", "__or__"), _joined(sympy.Or)),
    **dict.fromkeys(
        ("logical_not", "bitwise_not"), lambda t, x: choices.negated(choices.condition(t, x))
    ),
    "all": _all_or_any(sympy.And),
    "any": _all_or_any(sympy.Or),
    **dict.fromkeys(("isnan", "isinf"), lambda t, x: np.full(x.shape, False)),
    "isfinite": lambda t, x: np.full(x.shape, True),
    "where": _where,
    "masked_fill": _masked_fill,
    "clamp": _clamp,
    "clip": _clamp,
    "clamp_min": lambda t, x, low: _clamp(t, x, low, None),
    "clamp_max": lambda t, x, high: _clamp(t, x, None, high),
    "to": _to,
    "_to_copy": _to,
    "type_as": _type_as,
    "copy": lambda t, x, y, *_: t.broadcast(t.form(y), x.shape),
    **dict.fromkeys(("zeros_like", "empty_like"), _filled(0.0)),
    "ones_like": _filled(1.0),
    "full_like": _filled(None),
    **dict.fromkeys(("new_zeros", "new_empty"), _filled(0.0, sized=True)),
    "new_ones": _filled(1.0, sized=True),
    "new_full": _filled(None, sized=True),
    **dict.fromkeys(
        ("dropout", "alpha_dropout", "feature_dropout", "feature_alpha_dropout"), _dropout
    ),
    **dict.fromkeys(
        ("clone", "contiguous", "detach", "lift_fresh_copy", "lift_fresh", "alias"), _same
    ),
    "nan_to_num": _nan_to_num,
}

CHOOSING = frozenset(
    (
        *("logical_and", "bitwise_and", "__and__", "logical_or", "bitwise_or", "__or__"),
        *("logical_not", "bitwise_not", "where", "masked_fill", "to", "_to_copy", "clone"),
        *("all", "any"),
    )
)
"""Operations that take conditions as they are, not as the numbers 0 and 1."""
