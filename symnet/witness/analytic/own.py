"""A user's own activation, from its tree: second-order rules, and one-sided limits in doubt."""

from __future__ import annotations

import math
from itertools import combinations
from typing import Any

import numpy as np

from symnet.witness.analytic import limits
from symnet.witness.analytic.losses import AGREED, WATCHED
from symnet.witness.analytic.rules import JETS, evaluated, value_of
from symnet.witness.analytic.table import Array, Jet


def own_jet(tree: Any, z: Array) -> Jet:
    """The jet of a user's own formula, with one-sided limits where double precision is in doubt.

    That is where extended precision has another result, or neither has one, where a part has lost
    most of its digits even there, and at corners. Beyond `_LIMITS` such places the rest of them
    have no reference, and are NaN.
    """
    tree = _tuples(tree)
    if not _depends(tree):
        (value, _, _) = limits.jet(tree, 0.0, False, 0.0) or (math.nan,) * 3
        return np.full(z.shape, value), np.zeros(z.shape), np.zeros(z.shape)
    jet = evaluated(tree, z, JETS)
    longer, _, lost = evaluated(tree, z.astype(np.longdouble), WATCHED)
    sure = np.broadcast_to(~lost, z.shape).copy()
    for a, b in zip(jet, longer, strict=True):
        sure &= np.isfinite(a) & (np.abs(a - b) <= AGREED * np.abs(b))
    if _saturates(tree):  # exp(-z^2) is 0 in extended precision, too
        sure &= (jet[0] != 0) & (jet[1] != 0)
    corner = _corners(tree, z)
    found = tuple(np.array(np.broadcast_to(part, z.shape), dtype=np.float64) for part in jet)
    for count, at in enumerate(map(tuple, np.argwhere(~(sure & ~corner) & np.isfinite(z)))):
        limit: Any = (math.nan,) * 3
        if count < _LIMITS:
            plain = 0.0 if np.isnan(found[1][at]) else float(found[1][at])
            twice = bool(corner[at]) or any(np.isinf(part[at]) for part in found)
            limit = limits.jet(tree, float(z[at]), twice, plain)
        for part, value in zip(found, limit or (), strict=False):
            part[at] = value
    return found[0], found[1], found[2]


def own_value(tree: Any, z: Array) -> Array:
    """The value of a user's own formula in double precision: NaN where that has none."""
    return np.broadcast_to(value_of(_tuples(tree), z).astype(np.float64), z.shape)


_LIMITS = 20_000  # a second or two


def _saturates(tree: Any) -> bool:
    """Whether it has a function that far out is a number, to the last digit."""
    if not isinstance(tree, tuple):
        return False
    return tree[0] in _SATURATING or any(map(_saturates, tree[1:]))


_SATURATING = ("exp", "tanh", "erf", "erfc", "atan", "sqrt")


def turns(tree: Any) -> bool:
    """Whether it has a sine, or tangent, which far out turns from one number to the next."""
    if not isinstance(tree, (list, tuple)):
        return False
    return tree[0] in limits.SINES or any(map(turns, tree[1:]))


def _depends(tree: Any) -> bool:
    """Whether there is a z in the tree."""
    return tree == "z" or (isinstance(tree, tuple) and any(map(_depends, tree)))


def _tuples(tree: Any) -> Any:
    """The tree in tuples, whatever it was read as."""
    return tuple(map(_tuples, tree)) if isinstance(tree, (list, tuple)) else tree


def _corners(tree: Any, z: Array) -> Any:
    """Where z is at a corner: a condition's sides are equal, or what |.| or max(.) compare."""
    if not isinstance(tree, tuple):
        return np.zeros(z.shape, bool)
    operation, *arguments = tree
    if operation == "piecewise":
        *pieces, otherwise = arguments
        found = _corners(otherwise, z)
        for value, (_, left, right) in pieces:
            found |= _corners(value, z) | (value_of(left, z) == value_of(right, z))
        return found
    found = np.zeros(z.shape, bool)
    for argument in arguments:
        found |= _corners(argument, z)
    if operation in ("abs", "sign", "min", "max"):
        values = [value_of(argument, z) for argument in arguments]
        pairs = [(0, values[0])] if len(values) == 1 else combinations(values, 2)
        for a, b in pairs:
            found |= a == b
    return found
