"""A network that was read beside the program it comes from: values in double precision."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress

import numpy as np

from symnet.network import Network
from symnet.network.weights import Array
from symnet.witness import analytic
from symnet.witness.checking import CheckError

TOLERANCE = 1e-9
"""Of the largest value of each output at the points compared; rounding gives 1e-15 to 1e-12."""

_BATCHES = [0, 1, 2], [0, 3, 4], [3, 4, 2]
"""Points of three batches; the first and the last have the same of them as the first batch."""

_MIXED = 1e-3  # single precision leaves less

POINTS = 24


def points(n: int, count: int = POINTS) -> Array:
    """Points (count, n) of several sizes and both signs, the same at every call."""
    rng = np.random.default_rng(13)
    sizes = np.resize([0.1, 1.0, 1.0, 4.0], count)[:, None]
    drawn = rng.normal(size=(count, n)) * sizes
    drawn[2::4] = np.abs(drawn[2::4]) + 0.05  # what takes a logarithm needs positive ones
    return drawn


def distance(found: Array, expected: Array) -> float | None:
    """The largest difference relative to each output's largest value; None where all is NaN.

    Points at which neither has a finite value are left out; where only one of both has, the
    distance is infinite.
    """
    if found.shape != expected.shape:
        raise CheckError(f"values of the shape {found.shape}, expected {expected.shape}")
    kept = np.isfinite(found).all(axis=1)
    if not np.isfinite(expected[kept]).all() or np.isfinite(expected[~kept]).all(axis=1).any():
        return float("inf")
    if not kept.any():
        return None
    size = np.abs(expected[kept]).max(axis=0)
    error = np.abs(found[kept] - expected[kept]) / np.where(size > 0, size, 1)
    return float(error.max(initial=0.0))


def defined(call: Callable[[Array], Array], X: Array) -> tuple[Array, Array]:
    """The points at which `call` does not raise, and its values there.

    A table that is looked up raises for places that it has not. Where it raises at all points, so
    does this.
    """
    try:
        return X, call(X)
    except Exception as error:
        rows = {}
        for k in range(len(X)):
            with suppress(Exception):
                rows[k] = call(X[k : k + 1])
        if not rows:
            raise error
    return X[list(rows)], np.concatenate(list(rows.values()))


def check_apart(what: str, call: Callable[[Array], Sequence[Array]], n: int) -> tuple[str, ...]:
    """ValueError where what is given for a point depends on the others of its batch.

    Args:
        what: `module` or the like.
        call: arrays, whose axis of points may be any, for points (k, n). What it does not take is
            left.

    Returns a note for what is no row, or the like, for each point: of a sum over all there is one.
    """
    drawn = points(n, 5)
    try:
        with np.errstate(all="ignore"):
            (first, *others), alone = (call(drawn[p]) for p in _BATCHES), call(drawn[:1])
    except Exception:  # it is made for one point
        return ()
    wholes = []
    for whole, one, *rest in zip(first, alone, *others, strict=True):
        far = _mixed(whole, rest, np.size(one))
        if far > _MIXED:
            raise ValueError(
                f"the {what} mixes the points of a batch: what it gives for one changes by "
                f"{far:.1e} with the others (softmax or mean over the first axis, statistics of "
                "the batch, a sequence whose first axis is time); symnet reads functions of one "
                "point: give one whose first axis is only that of the points"
            )
        alike = np.size(whole) == np.size(one) and all(_distance(whole, r) <= _MIXED for r in rest)
        if np.size(whole) != len(_BATCHES[0]) * np.size(one) and not alike:
            wholes.append(
                f"of {len(_BATCHES[0])} points the {what} gives an array of the shape "
                f"{np.shape(whole)}, of one {np.shape(one)}: it is read for one"
            )
    return tuple(wholes)


def _mixed(whole: Array, others: Sequence[Array], size: int) -> float:
    """By how much the first and last point change; by the axis for which that is least."""
    count = len(_BATCHES[0])
    if whole.size != count * size:
        return 0.0
    return min(
        (
            _change(*(np.moveaxis(v, axis, 0) for v in (whole, *others)))
            for axis in (a for a, length in enumerate(whole.shape) if length == count)
        ),
        default=0.0,
    )


def _change(whole: Array, first: Array, last: Array) -> float:
    """Of the first and last rows, relative to the largest value of both."""
    return _distance(np.array([whole[0], whole[-1]]), np.array([first[0], last[-1]]))


def _distance(expected: Array, found: Array) -> float:
    """Relative to the largest value, where both are finite."""
    kept = np.isfinite(expected) & np.isfinite(found)
    size = np.abs(expected[kept]).max(initial=0.0) or 1.0
    return float(
        np.abs(np.subtract(found, expected, dtype=np.float64))[kept].max(initial=0.0) / size
    )


def compared(
    net: Network,
    other: Callable[[Array], Array],
    against: str,
    X: Array | None = None,
    notes: Sequence[str] = (),
) -> str:
    """What is to be said of a comparison with the function `other` of points (k, n).

    CheckError where the values differ by more than TOLERANCE, with what else is to be said of the
    network (`notes`): it must not be used.
    """
    X = points(net.n) if X is None else X
    with np.errstate(all="ignore"):
        expected = np.asarray(other(X), dtype=np.float64)
    found = analytic.value(net, X)
    error = distance(found, expected.reshape(len(X), -1))
    if error is None:
        return f"not compared: no finite value at {len(X)} points"
    if error > TOLERANCE:
        told = f"; of what was read it is known that {'; '.join(notes)}" if notes else ""
        far = f"differs from {against} by {error:.1e} of its values"
        if error == float("inf"):
            far = f"has no finite value where {against} has one, or the other way round"
        raise CheckError(f"the network {far}: it was read wrongly; please report the model{told}")
    count = int(np.isfinite(found).all(axis=1).sum())
    return f"compared with {against} ({count} points): worst difference {error:.1e}"
