"""A rule for each operation of PyTorch's exported programs (`aten`), with PyTorch's arguments.

What no rule is for, PyTorch takes apart into operations for which there is one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import sympy

from symnet.importers.folding import choices, functions
from symnet.importers.folding.angles import angle, distance
from symnet.importers.folding.choices import Condition
from symnet.importers.folding.forms import Form
from symnet.importers.folding.rounding import remainder, rounded, whole_quotient
from symnet.importers.folding.tensors import Tensors, Value
from symnet.importers.torch import (
    decomposed,
    elementwise,
    embedding,
    layers,
    matrices,
    moves,
    reductions,
    refusals,
)
from symnet.importers.torch.reductions import axes_of, larger_of, smaller_of
from symnet.network.weights import Array

Rule = Callable[..., Any]


def _same(t: Tensors, x: Value, *_: Any, **__: Any) -> Value:
    return x


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
    if rounding_mode is None:
        return t.divide(x, _real(y))
    return whole_quotient(t, x, _real(y), rounding_mode)


def _round(t: Tensors, x: Value, *, decimals: int = 0) -> Value:
    return t.divide(rounded(t, t.multiply(x, 10.0**decimals), "round"), 10.0**decimals)


def _real(y: Value) -> Value:
    """Quotients of whole numbers are not whole here."""
    return y if isinstance(y, Form) else np.asarray(y, dtype=np.float64)


def _pow(t: Tensors, x: Value, y: Value) -> Value:
    return t.power(x if isinstance(x, Form) else np.asarray(x, dtype=np.float64), y)


def _lerp(t: Tensors, x: Value, y: Value, weight: Value) -> Value:
    return t.add(x, t.multiply(weight, t.subtract(y, x)))


# --- choices ------------------------------------------------------------------------------------


def _compare(name: str) -> Rule:
    return lambda t, x, y: choices.compared(t, name, x, y)


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
        return choices.all_or_any(t, both, choices.condition(t, x), axes_of(dim), keepdim)

    return rule


def _masked_fill(t: Tensors, x: Value, mask: Any, value: Value) -> Value:
    return _where(t, mask, value, x)


def _to(t: Tensors, x: Value, *more: Any, **named: Any) -> Value:
    """Other types: floating ones are all doubles here, whole ones have no part behind the point."""
    kinds = [_kind(a) for a in (*more, *named.values())]
    if "bool" in kinds:
        return x if isinstance(x, Condition) else choices.compared(t, "ne", x, np.zeros(()))
    number = x.forced(t) if isinstance(x, Condition) else x
    if any(kind.startswith(("int", "uint")) for kind in kinds):
        return number if isinstance(x, Condition) else rounded(t, number, "trunc")
    for kind in kinds:
        check_type(kind)
    return number


def _kind(argument: Any) -> str:
    """The type that is meant: `float64` of torch.float64, or of a tensor of such numbers."""
    if isinstance(argument, Form | Condition):
        return "float64" if isinstance(argument, Form) else "bool"
    if isinstance(argument, np.ndarray):
        return str(argument.dtype)
    return str(argument).removeprefix("torch.")


def check_type(dtype: Any) -> None:
    """ValueError for a type that is not of real numbers, which what depends on inputs is made."""
    kind = _kind(dtype)
    if kind.startswith("complex"):
        raise ValueError("it computes with complex numbers; symnet reads real ones")
    if kind.startswith(("int", "uint", "bool")):
        raise ValueError(refusals.ROUNDED)


def _type_as(t: Tensors, x: Value, other: Value) -> Value:
    check_type(other)
    return x


def _copied(t: Tensors, x: Value, y: Value, *_: Any) -> Value:
    moves.check_written(x, y)
    return t.broadcast(t.form(y), x.shape)


def _filled(value: float | None, sized: bool = False) -> Rule:
    """Constants in the shape of a tensor, or of a size: doubles, where no whole ones are asked."""

    def rule(t: Tensors, x: Value, *more: Any, dtype: Any = None, **_: Any) -> Array:
        shape = tuple(more[0]) if sized else x.shape
        kind = str(dtype).removeprefix("torch.")
        number = np.float64 if dtype is None or "float" in kind else np.dtype(kind)
        return np.full(shape, more[-1] if value is None else value).astype(number)

    return rule


def _tangent(t: Tensors, x: Value, y: Value, *, self_num_batch_dims: int = 0) -> Array:
    """Zeros as y, for each of a batch of x: a derivative that forward mode begins with."""
    return np.zeros((*x.shape[:self_num_batch_dims], *y.shape))


RULES: Mapping[str, Rule] = {
    **elementwise.RULES,
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
    "round": _round,
    "frac": lambda t, x: t.subtract(x, rounded(t, x, "trunc")),
    "remainder": lambda t, x, y: remainder(t, x, _real(y)),
    "fmod": lambda t, x, y: remainder(t, x, _real(y), "trunc"),
    "floor_divide": lambda t, x, y: _div(t, x, y, "floor"),
    "neg": Tensors.negative,
    "pow": _pow,
    "lerp": _lerp,
    "hypot": distance,
    "atan2": angle,
    "maximum": larger_of,
    "minimum": smaller_of,
    **reductions.RULES,
    "logaddexp": Tensors.log_add,
    "linalg_vector_norm": layers.norm,
    **dict.fromkeys(("cdist", "_cdist_forward"), layers.distances),
    "_cdist_backward": layers.distance_slopes,
    "batch_norm": layers.batch_norm,
    "layer_norm": layers.layer_norm,
    "group_norm": layers.group_norm,
    "instance_norm": layers.instance_norm,
    "scaled_dot_product_attention": layers.attention,
    "bilinear": layers.bilinear,
    "embedding": embedding.embedding,
    **dict.fromkeys(("embedding_bag", "_embedding_bag"), embedding.embedding_bag),
    "bucketize": embedding.bucketize,
    "searchsorted": embedding.searchsorted,
    **dict.fromkeys(("scatter_add", "scatter_reduce"), moves.scattered),
    **dict.fromkeys(("conv1d", "conv2d", "conv3d"), layers.conv),
    **{f"conv_transpose{rank}d": layers.conv_transpose for rank in (1, 2, 3)},
    "max_pool1d": layers.max_pool(1),
    "max_pool2d": layers.max_pool(2),
    "max_pool3d": layers.max_pool(3),
    "max_pool3d_with_indices": layers.max_pool(3, places=True),
    "max_pool1d_with_indices": layers.max_pool(1, places=True),
    "max_pool2d_with_indices": layers.max_pool(2, places=True),
    "adaptive_max_pool1d": layers.adaptive_max_pool(1),
    "adaptive_max_pool2d": layers.adaptive_max_pool(2),
    "adaptive_max_pool3d": layers.adaptive_max_pool(3),
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
    "copy": _copied,
    **dict.fromkeys(("zeros_like", "empty_like"), _filled(0.0)),
    "ones_like": _filled(1.0),
    "full_like": _filled(None),
    **dict.fromkeys(("new_zeros", "new_empty"), _filled(0.0, sized=True)),
    "_new_zeros_with_same_feature_meta": _tangent,
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
        *("all", "any", "scaled_dot_product_attention"),
    )
)
"""Operations that take conditions as they are, not as the numbers 0 and 1."""

TYPED = frozenset(
    ("to", "_to_copy", *(n for n in RULES if n.endswith("_like") or n.startswith("new_")))
)
"""Operations whose rules look at the type of numbers that they are told to give."""
