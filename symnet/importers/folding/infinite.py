"""Infinite constants beside what varies, as the −∞ of a mask: each such entry by itself.

x + (−∞) = −∞      max(x, −∞) = x      min(x, −∞) = −∞      x/∞ = 0      exp(−∞) = 0

Other operations have no value there that is the same for every x, and are refused.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any

import numpy as np

from symnet.importers.folding.forms import Form
from symnet.network.weights import Array

if TYPE_CHECKING:
    from symnet.importers.folding.tensors import Tensors, Value

Beside = Callable[["Tensors", "Value", Array, bool], "Value"]
"""(tensors, what varies, infinite numbers, whether these stand on the left) -> the result."""

Method = Callable[..., Any]


def apart(beside: Beside | None = None) -> Callable[[Method], Method]:
    """Makes a method of Tensors of one or two values, entry by entry, one of infinite ones too."""

    def decorator(method: Method) -> Method:
        @wraps(method)
        def call(t: Tensors, *given: Any) -> Value:
            values = given[: 2 if beside else 1]
            if not any(isinstance(v, Form) for v in values) or all(map(_finite, values)):
                return method(t, *given)
            more = given[len(values) :]
            return _parted(t, lambda *v: method(t, *v, *more), beside, values)

        return call

    return decorator


def _finite(value: Value) -> bool:
    numbers = value.bias if isinstance(value, Form) else np.asarray(value)
    return numbers is None or numbers.dtype.kind != "f" or bool(np.isfinite(numbers).all())


def _parted(
    t: Tensors, operation: Method, beside: Beside | None, values: tuple[Value, ...]
) -> Value:
    shape = np.broadcast_shapes(*(np.shape(v) for v in values))
    flat = [t.reshape(t.broadcast(v, shape), (-1,)) for v in values]
    infinite = [~np.isfinite(_numbers(v)) for v in flat]
    varies = [~v.constant if isinstance(v, Form) else np.zeros(len(v), bool) for v in flat]
    left, right = infinite[0], infinite[-1]
    known = (left | right) & ~varies[0] & ~varies[-1]
    parts: list[tuple[Array, Method]] = [
        (~(left | right), operation),
        (known, lambda *v: _of_numbers(operation, *v)),
        (left & varies[-1], lambda x, y: beside(t, y, _numbers(x), True)),  # type: ignore[misc]
        (right & varies[0], lambda x, y: beside(t, x, _numbers(y), False)),  # type: ignore[misc]
    ]
    found, order = [], []
    for where, how in parts:
        if (places := np.flatnonzero(where)).size:
            chosen = [t.places(v, lambda a: a[places]) for v in flat]
            found.append(t.broadcast(how(*chosen), places.shape))
            order.append(places)
    back = np.argsort(np.concatenate(order)).reshape(shape)
    return t.mixed(found, lambda arrays: np.concatenate(arrays)[back])


def _numbers(value: Value) -> Array:
    return value.full_bias if isinstance(value, Form) else np.asarray(value, dtype=np.float64)


def _of_numbers(operation: Method, *values: Value) -> Value:
    with np.errstate(all="ignore"):
        return operation(*map(_numbers, values))


# --- what varies beside an infinity -------------------------------------------------------------


def in_sum(t: Tensors, x: Value, infinite: Array, left: bool) -> Value:
    """x ± ∞."""
    return infinite


def in_maximum(t: Tensors, x: Value, infinite: Array, left: bool) -> Value:
    """max(x, ±∞)."""
    return t.mixed([x, infinite], lambda a: np.where(np.isneginf(infinite), *a))


def in_minimum(t: Tensors, x: Value, infinite: Array, left: bool) -> Value:
    """min(x, ±∞)."""
    return t.mixed([x, infinite], lambda a: np.where(np.isposinf(infinite), *a))


def in_quotient(t: Tensors, x: Value, infinite: Array, left: bool) -> Value:
    """x/∞."""
    if left or np.isnan(infinite).any():
        refused(t, x, infinite, left)
    return np.zeros(len(infinite))


def refused(t: Tensors, x: Value, infinite: Array, left: bool) -> Value:
    """ValueError."""
    raise ValueError(
        f"it combines what depends on the inputs with {infinite[0]}; symnet reads infinities where "
        "they are added, compared, divided by, or left out by a softmax"
    )
