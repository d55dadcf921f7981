"""Where the largest of several is, as numbers that are 1 there and 0 elsewhere.

of the left half and the right one    [max l ≥ max r] places(l),  [max l < max r] places(r)

Of equal ones the first is the largest, so that each row has a single 1.
"""

from __future__ import annotations

import numpy as np
from sympy import Piecewise

from symnet.activations import Z
from symnet.importers.folding.tensors import Tensors, Value
from symnet.network.weights import Array

_NOT_LESS = Piecewise((1, Z >= 0), (0, True))


def places_of_largest(t: Tensors, x: Value, larger: bool = True) -> Value:
    """Of each row of x (rows, members), of the smallest where not `larger`."""
    rows, members = x.shape
    if members == 1:
        return np.ones((rows, 1))
    halves = [t.places(x, lambda a, k=k: np.array_split(a, 2, axis=1)[k]) for k in (0, 1)]  # type: ignore[misc]
    best = [t.extreme(half, [1], True, larger) for half in halves]
    ahead = t.subtract(*(best if larger else best[::-1]))
    first = t.apply(_NOT_LESS, ahead, "step")
    inside = [places_of_largest(t, half, larger) for half in halves]
    parts = t.multiply(inside[0], first), t.multiply(inside[1], t.subtract(np.ones(()), first))
    return t.concatenate(parts, 1)


def passed_back(
    t: Tensors, x: Value, windows: Array, values: Value, larger: bool = True
) -> list[tuple[Value, Array]]:
    """values (windows,) at the largest entry of x in each window (windows, members): with places.

    A window's place −1 is none.
    """
    found = []
    counts = (windows >= 0).sum(axis=1)
    for count in np.unique(counts[counts > 0]):
        rows = np.flatnonzero(counts == count)
        inside = windows[rows][windows[rows] >= 0].reshape(len(rows), count)
        hot = places_of_largest(t, t.places(x, lambda a: a.reshape(-1)[inside]), larger)  # noqa: B023
        own = t.places(values, lambda a: a.reshape(-1)[rows][:, None])  # noqa: B023
        found.append((t.multiply(hot, own), inside))
    return found
