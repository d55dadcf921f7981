"""A network that was read beside the program it comes from: values in double precision."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from symnet.network import Network
from symnet.network.weights import Array
from symnet.witness import analytic
from symnet.witness.checking import CheckError

TOLERANCE = 1e-9
"""Of the largest value of each output at the points compared; rounding gives 1e-15 to 1e-12."""

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
