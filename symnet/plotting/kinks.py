"""Where the gradient jumps: kinks of activations, on lines and in planes.

A neuron's kink lies where its z passes one of its activation's; y has one there if its gradient
is another on the other side. What a later layer does not pass on is no kink of y.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from symnet.plotting.frame import Array, Frame, Quantity
from symnet.plotting.grids import HELD
from symnet.progress import steps
from symnet.witness import analytic

Flags: TypeAlias = NDArray[np.bool_]
Places: TypeAlias = NDArray[np.intp]

MANY = 200
"""Kinks on a line, or neurons in a plane, beyond which they are not drawn."""

NOT_DRAWN = f"kinks of more than {MANY} neurons are not drawn"

_HALVINGS = 50
_ASIDE = 1e-6  # of the range: how far beside a kink on a line the gradient is taken
_BESIDE = 0.02  # of a cell: how far beside a kink in a plane
# Jumps of the gradient that are seen, in units of its largest entry: above what curvature makes
# of such steps.
_JUMP_ON_LINE, _JUMP_IN_PLANE = 1e-4, 5e-3


def on_line(frame: Frame, i: int, values: Array) -> Array | None:
    """The values of input i at which the gradient of an output shown jumps, rising.

    None where there are too many to be drawn.
    """
    points = frame.on_line(i, values)
    if _are_too_many(frame, points):
        return None
    below = _distances(frame, points) < 0
    starts, which = np.nonzero(below[:-1] != below[1:])
    if len(which) > MANY:
        return None
    if not len(which):
        return np.empty(0)
    places = np.unique(_bisected(frame, i, which, values[starts], values[starts + 1]))
    aside = _ASIDE * (frame.high[i] - frame.low[i])
    before, after = (_gradients(frame, frame.on_line(i, places + s)) for s in (-aside, aside))
    scale = np.abs(_gradients(frame, points)).max(axis=0)
    jumps = np.any(np.abs(after - before) > _JUMP_ON_LINE * scale, axis=1)
    return places[jumps & (places > frame.low[i]) & (places < frame.high[i])]


def in_plane(frame: Frame, i: int, j: int, across: Array, up: Array) -> list[Array] | None:
    """Lines, arrays (V, 2) of values of inputs i and j, along which the gradient jumps.

    Found as contours on the grid of `across` and `up`; NaN interrupts a line. None where there
    are too many to be drawn.
    """
    from contourpy import contour_generator

    points = frame.on_plane(i, j, across, up).reshape(-1, len(frame.at))
    if _are_too_many(frame, points):
        return None
    distances = _distances(frame, points)
    passing = np.flatnonzero((distances.min(axis=0) < 0) & (distances.max(axis=0) > 0))
    if len(passing) > MANY:
        return None
    scale = np.abs(_gradients(frame, points)).max(axis=0)
    cell = np.array([across[1] - across[0], up[1] - up[0]])
    lines: list[Array] = []
    for k in steps(passing):
        heights = distances[:, k].reshape(len(up), len(across))
        for line in contour_generator(across, up, heights).lines(0.0):
            seen = _jumps(frame, i, j, np.asarray(line), cell, scale)
            if seen.any():
                lines.append(np.where(seen[:, np.newaxis], line, np.nan))
    return lines


def _are_too_many(frame: Frame, points: Array) -> bool:
    """Whether the neurons' pre-activations at these points take too much memory."""
    return len(points) * sum(frame.network.widths) > HELD


def _distances(frame: Frame, points: Array) -> Array:
    """z − kink of each neuron, for each of its kinks, at points (N, n): (N, K)."""
    found = [np.empty((len(points), 0))]
    network = frame.network
    for node, z in zip(network.nodes, analytic.preactivations(network, points), strict=True):
        found += [z - float(kink) for kink in (node.activation.kinks if node.activation else ())]
    return np.concatenate(found, axis=1)


def _bisected(frame: Frame, i: int, which: Places, left: Array, right: Array) -> Array:
    """Where the distances `which` (C,) change sign, each between two values of input i: (C,)."""
    each = np.arange(len(which))

    def below(values: Array) -> Flags:
        found: Flags = _distances(frame, frame.on_line(i, values))[each, which] < 0
        return found

    start = below(left)
    for _ in range(_HALVINGS):
        middle = (left + right) / 2
        further = below(middle) == start
        left, right = np.where(further, middle, left), np.where(further, right, middle)
    return (left + right) / 2


def _gradients(frame: Frame, points: Array) -> Array:
    """Gradients along the inputs shown of the outputs shown, one after the other: (N, …)."""
    wanted: list[Quantity] = [(p, (i,)) for p in frame.outputs for i in frame.inputs]
    return np.stack(frame.values(points, wanted), axis=-1)


def _jumps(frame: Frame, i: int, j: int, line: Array, cell: Array, scale: Array) -> Flags:
    """Whether the gradient jumps at each vertex of a line, or at one beside it: (V,)."""
    along = np.gradient(line / cell, axis=0) if len(line) > 1 else np.zeros_like(line)
    length = np.hypot(*along.T)[:, np.newaxis]
    normal = np.stack([-along[:, 1], along[:, 0]], axis=1) / np.where(length > 0, length, 1)
    sides = []
    for sign in (-1, 1):
        moved = line + sign * _BESIDE * normal * cell
        points = np.broadcast_to(frame.at, (len(line), len(frame.at))).copy()
        points[:, i], points[:, j] = moved.T
        sides.append(_gradients(frame, points))
    seen: Flags = np.any(np.abs(sides[1] - sides[0]) > _JUMP_IN_PLANE * scale, axis=1)
    # A vertex alone is where the line meets another's; beside a corner, which is not exactly where
    # the contour has it, a vertex may be missed.
    seen &= _beside(seen)
    return seen | _beside(seen)


def _beside(seen: Flags) -> Flags:
    """Whether a neighbour is: (V,)."""
    padded = np.pad(seen, 1)
    return padded[:-2] | padded[2:]
