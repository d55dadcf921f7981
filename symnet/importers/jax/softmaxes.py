"""The softmax of JAX's libraries: the largest is taken off before the exponential, and it cancels.

    exp(x − max x)/Σ exp(x − max x)      x − max x − log Σ exp(x − max x)      log Σ exp x

These three are read as softmax, log_softmax and a difference of x and log_softmax. Elsewhere a
maximum is a maximum; but one under stop_gradient cancels, and any number will do in its place:

    m = log Σ exp x        exp(x − m) = softmax        Σ exp(x − m) = 1

whether it does cancel is seen when the network is compared with the function.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from symnet.importers.folding.axes import grouped
from symnet.importers.folding.forms import Form, Shape
from symnet.importers.folding.largest import places_of_largest
from symnet.importers.folding.tensors import Tensors, Value
from symnet.network.weights import Array

_HELD_BACK = (
    "stop_gradient of a maximum that does not cancel: its derivative in JAX is not that of its "
    "value, which symnet cannot take over"
)


@dataclass(frozen=True, eq=False)
class Soft:
    """A step on the way: peak, shifted, exp, sum or log; or the place, 1 where the peak is.

    Args:
        x: what the softmax is of.
        groups: flat places of x, one row for each maximum.
        places: in the shape of the value, for peak, sum and log the group of each entry, for
            shifted and exp its place in x.
        stopped: whether the maximum stands under stop_gradient.
    """

    kind: str
    x: Form
    groups: Array
    places: Array
    stopped: bool = False

    @property
    def shape(self) -> Shape:
        """The value's."""
        return self.places.shape

    def moved(self, change: Callable[[Array], Array]) -> Soft:
        """With its entries in other places."""
        return replace(self, places=np.asarray(change(self.places)))

    def forced(self, t: Tensors) -> Value:
        """The value by itself, with another number in the place of a maximum that cancels."""
        if self.stopped:
            t.fold.replaced = _HELD_BACK
            return self._replaced(t)
        rows = t.fold.selected(self.x, self.groups)
        if self.kind == "place":
            hot = places_of_largest(t, rows)
            return t.places(hot, lambda a: a.reshape(-1)[self._back()])
        peak = t.extreme(rows, [1], False, True)
        if self.kind == "peak":
            return t.places(peak, lambda a: a[self.places])
        shifted = t.subtract(rows, t.reshape(peak, (len(self.groups), 1)))
        if self.kind == "shifted":
            return t.places(shifted, lambda a: a.reshape(-1)[self._back()])
        powers = t.apply("exp", shifted)
        if self.kind == "exp":
            return t.places(powers, lambda a: a.reshape(-1)[self._back()])
        total = t.sum(powers, [1], False)
        value = t.apply("log", total) if self.kind == "log" else total
        return t.places(value, lambda a: a[self.places])

    def _replaced(self, t: Tensors) -> Value:
        if self.kind in ("sum", "log"):
            return np.full(self.shape, float(self.kind == "sum"))
        if self.kind == "exp":
            return _normalised(t, self, "softmax")
        if self.kind == "shifted":
            return _normalised(t, self, "log_softmax")
        return _log_sum(t, self.x, self.groups, self.places)

    def _back(self) -> Array:
        order = np.argsort(self.groups.reshape(-1))
        found: Array = order[self.places]
        return found

    def owners(self) -> Array:
        """The group of each entry."""
        if self.kind in ("peak", "sum", "log"):
            return self.places
        owner = np.empty(self.x.size, dtype=np.int64)
        owner[self.groups] = np.arange(len(self.groups))[:, None]
        found: Array = owner[self.places]
        return found

    def beside(self, other: Soft) -> bool:
        """Whether both are of one softmax, entry by entry."""
        if self.x is not other.x or not np.array_equal(self.groups, other.groups):
            return False
        try:
            mine, its = np.broadcast_arrays(self.owners(), other.owners())
        except ValueError:
            return False
        return np.array_equal(mine, its)


def peak(x: Form, axes: Sequence[int]) -> Soft:
    """The largest over axes."""
    groups, shape = grouped(x.shape, axes, False)
    return Soft("peak", x, groups, np.arange(len(groups)).reshape(shape))


def subtracted(t: Tensors, x: Value, y: Value) -> Value | None:
    """x − max x, or log_softmax; None where it is neither."""
    if isinstance(x, Form) and isinstance(y, Soft) and y.kind == "peak":
        places = _within(x, y.x)
        if places is None or y.places.ndim > places.ndim:
            return None
        shifted = Soft("shifted", y.x, y.groups, places, y.stopped)
        return shifted if shifted.beside(y) else None
    if not (isinstance(x, Soft) and isinstance(y, Soft) and x.beside(y)):
        return None
    if (x.kind, y.kind) == ("shifted", "log"):
        return _normalised(t, x, "log_softmax")
    return None


def place(x: Value, peak: Value, of: Form | None = None) -> Soft | None:
    """Whether x is its group's maximum, or its minimum, of the negative of `of`; None if unknown.

    It is told of entries of what the peak is of.
    """
    if not isinstance(x, Form) or peak.kind != "peak":
        return None
    places = _within(x, of or peak.x)
    if places is None or peak.places.ndim > places.ndim:
        return None
    found = Soft("place", peak.x, peak.groups, places)
    return found if found.beside(peak) else None


def _within(x: Form, whole: Form) -> Array | None:
    """The flat places of `whole` that x is made of, None where it is of something else."""
    places = np.arange(x.size).reshape(x.shape)
    if x is whole:
        return places
    origin, mine = x.origin or (x, places)
    base, its = whole.origin or (whole, np.arange(whole.size))
    its = its.reshape(-1)
    if origin is not base or len(np.unique(its)) != len(its) or not np.isin(mine, its).all():
        return None
    order = np.argsort(its)
    found: Array = order[np.searchsorted(its, mine, sorter=order)]
    return found


def divided(t: Tensors, x: Value, y: Value) -> Value | None:
    """softmax, or None."""
    if isinstance(x, Soft) and isinstance(y, Soft) and (x.kind, y.kind) == ("exp", "sum"):
        return _normalised(t, x, "softmax") if x.beside(y) else None
    return None


def chosen(which: Array, cases: Sequence[Value]) -> Soft | None:
    """exp(x − max x) where it is put to 0 only where a mask of −∞ has done so; else None."""
    for k, case in enumerate(cases):
        if isinstance(case, Soft) and case.kind == "exp" and len(cases) == 2:
            other = cases[1 - k]
            zero = not isinstance(other, Form | Soft) and not np.any(other)
            left_out = np.isneginf(case.x.full_bias)[case.places]
            if zero and left_out[np.broadcast_to(which != k, case.shape)].all():
                return case
    return None


def added(t: Tensors, x: Value, y: Value) -> Value | None:
    """log Σ exp x where it is log Σ exp(x − max x) + max x, as x₀ − log_softmax(x)₀."""
    if not (isinstance(x, Soft) and isinstance(y, Soft) and x.beside(y)):
        return None
    if {x.kind, y.kind} != {"log", "peak"}:
        return None
    wide = np.broadcast_shapes(x.shape, y.shape)
    return _log_sum(t, x.x, x.groups, np.broadcast_to(x.places, wide))


def _log_sum(t: Tensors, x: Form, groups: Array, places: Array) -> Value:
    """log Σ exp x of the groups at these places."""
    return t.places(t.log_sums(x, groups), lambda a: a[places])


def summed(x: Soft, axes: Sequence[int]) -> Soft | Array | None:
    """Σ exp(x − max x), or 1 for a place, over the axes of the maximum, or None."""
    if x.kind not in ("exp", "place"):
        return None
    members, shape = grouped(x.shape, axes, False)
    places = x.places.reshape(-1)[members]
    owner = x.owners().reshape(-1)[members]
    whole = np.sort(places, axis=1)
    if not np.array_equal(whole, np.sort(x.groups, axis=1)[owner[:, 0]]):
        return None
    if x.kind == "place":
        return np.ones(shape)
    return replace(x, kind="sum", places=owner[:, 0].reshape(shape))


def _normalised(t: Tensors, x: Soft, kind: str) -> Value:
    whole = t.fold.softmax(x.x, list(x.groups), kind)
    return t.places(t.reshape(whole, (x.x.size,)), lambda a: a[x.places])
