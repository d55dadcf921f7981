"""What derivatives of maxima and minima ask: whether a value is the largest.

max(x, y) = x where x ≥ y        x = max x at the first of the largest

Compared are the values themselves: the computed maximum may differ by its rounding.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from symnet.importers.folding import choices, functions
from symnet.importers.folding.forms import Form
from symnet.importers.folding.tensors import Tensors, Value
from symnet.importers.jax import softmaxes
from symnet.importers.jax.softmaxes import Soft


def extreme(t: Tensors, x: Value, y: Value, larger: bool) -> Value:
    """The larger or smaller, entry by entry."""
    t.fold.assume(functions.TIES)
    found = (t.maximum if larger else t.minimum)(x, y)
    if isinstance(found, Form):
        t.fold.extremes[found] = x, y, larger
    return found


def smallest(t: Tensors, x: Form, axes: Sequence[int]) -> Value:
    """Over axes."""
    found = t.extreme(x, axes, False, False)
    if isinstance(found, Form):
        t.fold.extremes[found] = x, softmaxes.peak(t.form(t.negative(x)), axes), False
    return found


def equal(t: Tensors, x: Value, y: Value) -> Any:
    """The condition that one is the extreme that the other is; None for other questions."""
    for own, whole in ((x, y), (y, x)):
        if isinstance(whole, Soft) and (found := softmaxes.place(own, whole)) is not None:
            return found
        base, places = _origin(whole)
        of, other, larger = t.fold.extremes.get(base, (None, None, True))
        if isinstance(other, Soft):
            peak = other.moved(lambda a, p=places: a.reshape(-1)[p])  # type: ignore[misc]
            if (found := softmaxes.place(own, peak, of)) is not None:
                return found
        elif base is whole and of is not None:
            for first, second in ((of, other), (other, of)):
                if _same(own, first):
                    return choices.compared(t, "ge" if larger else "le", own, second)
    return None


def _origin(value: Any) -> tuple[Any, Any]:
    """The form that it is of, and its places in it."""
    if not isinstance(value, Form):
        return None, None
    if value.origin is None:
        return value, np.arange(value.size).reshape(value.shape)
    return value.origin


def _same(x: Value, y: Value) -> bool:
    constant = not isinstance(x, Form | Soft) and not isinstance(y, Form | Soft)
    return x is y or (constant and np.array_equal(x, y))
