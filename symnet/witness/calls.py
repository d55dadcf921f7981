"""The ways in which a function is called to be compared: every method, of every order, by itself
and with others; in each type; at one point, at a few, and at so many that blocks, the last and
partial one, and a second thread all take part.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symnet.network import Network
from symnet.witness import directions, sampling
from symnet.witness.comparing import Checkable, Comparison, Truth, missing

Array = NDArray[Any]

_CROWD = 1031  # points of a call with many: more than two blocks of any kernel, the last partial
_AFFORDED = 2**19  # entries of the highest order in one call
_CROWDED, _FEWEST = 2**30, 5  # products that a call with many points may take, or so many points
_LARGE, _QUICKLY = 259, 2**22  # points and products where it is to be quick
_SINGLE = 4  # points that are asked for one by one
_FEW = 2, 3, 24  # and together: kernels have branches for few points
_FEWER = _FEW[:2]  # where it is to be quick


def true(
    network: Network,
    points: Array,
    function: Checkable,
    quick: bool = False,
    along: Array | None = None,
) -> Truth:
    """What the analytic engine says, and of orders above the second what `function` says."""
    if along is None:
        along = directions.chosen(network, function.order, np.random.default_rng(0))
    truth = Truth.of(network, points, function.order, quick, along)
    return truth if function.order <= 2 else truth.extended(function(points)[3:])


def room(network: Network, order: int) -> int:
    """How many points the results of the highest order have room for in one call."""
    return int(max(_FEWEST, _AFFORDED // (network.m * network.n**order)))


def _most(network: Network, order: int, affordable: int = _CROWDED) -> int:
    """How many points a call with many has at most, by the products they take."""
    entries = network.m * network.n**order
    products = network.weights_count * network.n ** max(order - 1, 0)
    products += entries * sum(network.widths[1:]) if order > 1 else 0
    return min(room(network, order), max(_FEWEST, affordable // max(1, products)))


def _uneven(count: int) -> int:
    """At most `count` points, of which four blocks, or three, have a last one that is partial."""
    return max(_FEWEST, count - (count + 1) % 4)


def together(function: Checkable, truth: Truth, dtype: Any = np.float64) -> Iterator[Comparison]:
    """At all the points in one call, over and over where there are few, and at fewer."""
    crowd, affordable = (_LARGE, _QUICKLY) if truth.quick else (_CROWD, _CROWDED)
    most = max(len(truth.points), min(crowd, _most(truth.network, function.order, affordable)))
    few = _FEWER if truth.quick else _FEW
    for count in (*(count for count in few if count < len(truth.points)), most):
        yield from at_once(function, truth, count, dtype)


def at_once(
    function: Checkable, truth: Truth, count: int, dtype: Any = np.float64
) -> Iterator[Comparison]:
    """At so many of the points in one call, or at all of them over and over."""
    X = truth.points[np.arange(count) % len(truth.points)].astype(dtype)
    yield from _compared(function, truth, X, f"{_of(dtype)} at {count} points")


def singly(function: Checkable, truth: Truth, dtype: Any = np.float64) -> Iterator[Comparison]:
    """At points one by one, the first and the last among them."""
    last, count = len(truth.points) - 1, 2 if _told(function, truth, dtype) else _SINGLE
    part = truth.part(sorted({last * k // (count - 1) for k in range(count)}))
    X = part.points.astype(dtype)
    yield from _compared(_OneByOne(function), part, X, f"{_of(dtype)} at one point")


def _told(function: Checkable, truth: Truth, dtype: Any) -> bool:
    """Whether a quick check has run this text before, in another type that it serves too."""
    return truth.quick and dtype not in getattr(function, "texts", (dtype,))


@dataclass(frozen=True)
class _OneByOne:
    """A function called once for each point."""

    function: Checkable

    @property
    def order(self) -> int:
        return self.function.order

    def __call__(self, X: Array) -> tuple[Array, ...]:
        found = [self.function(point[None]) for point in X]
        return tuple(np.concatenate(parts) for parts in zip(*found, strict=True))

    def derivative(self, order: int, X: Array) -> Array:
        return np.concatenate([self.function.derivative(order, point[None]) for point in X])


def crowd(function: Checkable, truth: Truth, dtype: Any = np.float64) -> Iterator[Comparison]:
    """At the points over and over, in several blocks, by one thread and by two."""
    count = min(getattr(function, "crowd", _CROWD), _most(truth.network, function.order))
    X = truth.points[np.arange(_uneven(count)) % len(truth.points)].astype(dtype)
    crowded, teams = getattr(function, "crowded", None), getattr(function, "teams", ())
    where = f"{_of(dtype)} at {len(X)} points"
    if crowded is None:
        yield from _compared(function, truth, X, where)
        return
    own = dtype in getattr(function, "texts", ())
    for threads in (1, 2) if own else (1,):
        subject, by = crowded(threads, len(X)), f"{where}, {threads} thread{'s' * (threads > 1)}"
        # Shifted, so that results left in the memory of the call before are none of this one's.
        if not truth.quick or (threads in teams and not _told(function, truth, dtype)):
            yield from _methods(subject, truth, X, by, threads)
        yield from _at_once(subject, truth, X, by, threads)


def in_type(
    function: Checkable,
    network: Network,
    points: Array,
    beyond: Array,
    dtype: Any,
    quick: bool = False,
) -> Iterator[Comparison]:
    """All of these in a precision, at points that are numbers of it; `quick` as in `Truth`.

    Of those `beyond` where results are finite: exponentials leave single precision at 88.
    Nothing where a weight is beyond all its numbers, as infinite weights give what they give, nor
    where rounding leaves nothing of the neurons at any point.
    """
    largest = float(np.finfo(dtype).max)
    if any((np.abs(w) > largest).any() for w in network.numeric().parameters.values()):
        return
    with np.errstate(over="ignore"):
        points = np.concatenate([points, _finite(function, beyond, dtype)])
        rounded = points.astype(dtype).astype(np.float64)
    if dtype != np.float64:
        rounded = rounded[sampling.clear(network, rounded, float(np.finfo(dtype).eps))]
    if not len(rounded):
        return
    truth = true(network, rounded, function, quick)
    yield from together(function, truth, dtype)
    yield from singly(function, truth, dtype)
    yield from crowd(function, truth, dtype)


def _finite(function: Checkable, points: Array, dtype: Any) -> Array:
    """The points at which all results are finite; of doubles, all points."""
    if dtype == np.float64:
        return points
    found = [np.isfinite(part) for part in function(points.astype(dtype))]
    if any(len(part) != len(points) for part in found):
        return points
    return points[np.all([part.reshape(len(points), -1).all(axis=1) for part in found], axis=0)]


def _of(dtype: Any) -> str:
    return "" if dtype == np.float64 else f" of {np.dtype(dtype)}"


def _compared(function: Checkable, truth: Truth, X: Array, where: str) -> Iterator[Comparison]:
    yield from _methods(function, truth, X, where)
    yield from _at_once(function, truth, X, where)


def _methods(
    function: Checkable, truth: Truth, X: Array, where: str, shift: int = 0
) -> Iterator[Comparison]:
    # The highest order first: the sizes of its terms, where they are asked for, have all others'.
    for order in reversed(range(function.order + 1)):
        result = function.derivative(order, _shifted(X, shift))
        yield truth.comparison(order, result, f"derivative({order}, X){where}", shift)
        _spoilt(result, shift)


def _at_once(
    function: Checkable, truth: Truth, X: Array, where: str, shift: int = 0
) -> Iterator[Comparison]:
    for order, result in enumerate(function(_shifted(X, shift))):
        yield truth.comparison(order, result, f"f(X){where}", shift)
        _spoilt(result, shift)


def _shifted(X: Array, shift: int) -> Array:
    """The points rolled, those at `missing` with a NaN in their last input or in the first."""
    if not shift:
        return X
    X = np.roll(X, shift, axis=0)
    X[missing(len(X)), [-1, 0]] = np.nan
    return X


def _spoilt(result: Array, shift: int) -> None:
    """Leave the memory of shifted points' results full of NaN: the next call may be given it, and
    leave entries as they are."""
    if shift:
        result.fill(np.nan)
