"""Rules of sums, extremes, variances and softmax over axes, with PyTorch's arguments."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from symnet.importers.folding import functions
from symnet.importers.folding.cumulating import cumulative
from symnet.importers.folding.forms import Form
from symnet.importers.folding.tensors import Tensors, Value

Rule = Callable[..., Any]


def axes_of(dim: Any) -> list[int] | None:
    """A list of axes, None for all."""
    return None if dim is None or dim in ([], ()) else [dim] if isinstance(dim, int) else list(dim)


def _reduced(mean: bool) -> Rule:
    def rule(t: Tensors, x: Value, dim: Any = None, keepdim: bool = False, **_: Any) -> Value:
        return t.sum(x, axes_of(dim), keepdim, mean=mean)

    return rule


def _extreme(larger: bool) -> Rule:
    def rule(t: Tensors, x: Value, dim: Any = None, keepdim: bool = False) -> Value:
        return t.extreme(x, axes_of(dim), keepdim, larger)

    return rule


def larger_of(t: Tensors, x: Value, y: Value) -> Value:
    """Entry by entry."""
    t.fold.assume(functions.TIES)
    return t.maximum(x, y)


def smaller_of(t: Tensors, x: Value, y: Value) -> Value:
    """Entry by entry."""
    t.fold.assume(functions.TIES)
    return t.minimum(x, y)


def _best(larger: bool) -> Rule:
    """max and min: of all, over an axis with places (which are not read), or of two tensors."""

    def rule(t: Tensors, x: Value, other: Any = None, keepdim: bool = False) -> Any:
        if isinstance(other, Form | np.ndarray):
            return (larger_of if larger else smaller_of)(t, x, other)
        value = t.extreme(x, axes_of(other), keepdim, larger)
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
    axes = axes_of(dim)
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
    return t.product(x, axes_of(dim), keepdim)


def _softmax(log: bool) -> Rule:
    return lambda t, x, dim, *_, **__: t.softmax(x, [dim], log)


def _log_sum_exp(t: Tensors, x: Value, dim: Any, keepdim: bool = False) -> Value:
    return t.log_sum_exp(x, axes_of(dim), keepdim)


RULES: Mapping[str, Rule] = {
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
    **dict.fromkeys(("softmax", "_safe_softmax"), _softmax(False)),
    "log_softmax": _softmax(True),
}
