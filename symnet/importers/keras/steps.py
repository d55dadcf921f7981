"""Keras's operations that are constant in steps, and those that sort."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from symnet.importers.folding.rounding import remainder, rounded, whole_quotient
from symnet.importers.folding.sorting import sorted_along
from symnet.importers.folding.tensors import Tensors, Value
from symnet.importers.keras.moves import Config, Rule, constant


def _rounded(how: str) -> Rule:
    return lambda t, config, x: rounded(t, x, how)


def _to_decimals(t: Tensors, config: Config, x: Value) -> Value:
    ten = 10.0 ** int(config.get("decimals") or 0)
    return t.divide(rounded(t, t.multiply(x, ten), "round"), ten)


def _remainder(how: str) -> Rule:
    return lambda t, config, x1, x2: remainder(t, constant(x1), constant(x2), how)


def _whole_quotient(t: Tensors, config: Config, x1: Any, x2: Any) -> Value:
    return whole_quotient(t, constant(x1), constant(x2))


def _sorted(t: Tensors, config: Config, x: Value) -> Value:
    return sorted_along(t, x, axis_of(config))


def _top(t: Tensors, config: Config, x: Value) -> list[Any]:
    """The values; their places are no numbers."""
    whole = sorted_along(t, x, -1, True)
    return [t.places(whole, lambda a: a[..., : int(config["k"])]), None]


def _median(t: Tensors, config: Config, x: Value) -> Value:
    """The mean of the two in the middle, which may be one."""
    axis = axis_of(config)
    whole, n = sorted_along(t, x, axis), x.shape[axis]
    middle = [(n - 1) // 2, n // 2]
    both = t.places(whole, partial(np.take, indices=middle, axis=axis))
    return t.sum(both, [axis], bool(config.get("keepdims")), mean=True)


def axis_of(config: Config) -> int:
    """The one that is named."""
    axis = config.get("axis", -1)
    if isinstance(axis, list | tuple) and len(axis) == 1:
        axis = axis[0]
    if not isinstance(axis, int):
        raise ValueError(f"its axis is {axis}; symnet reads one")
    return axis


STEPS: Mapping[str, Rule] = {
    "Floor": _rounded("floor"),
    "Ceil": _rounded("ceil"),
    "Trunc": _rounded("trunc"),
    "Round": _to_decimals,
    "Mod": _remainder("floor"),
    "Fmod": _remainder("trunc"),
    "FloorDivide": _whole_quotient,
    "Sort": _sorted,
    "TopK": _top,
    "Median": _median,
}
