"""Where the gradient jumps: kinks of activations, on lines and in planes.

A neuron's kink lies where its z passes one of its activation's; y has one there if its gradient
is another on the other side. What a later layer does not pass on is no kink of y.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from symnet.plotting.frame import Array, Frame
from symnet.progress import steps
from symnet.witness import analytic

Flags: TypeAlias = NDArray[np.bool_]

MANY = 200
"""Kinks on a line, or neurons in a plane, beyond which they are not drawn."""

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
    crossings = [
        (k, step)
        for k, distances in enumerate(_distances(frame, points))
        for step in np.flatnonzero((distances[:-1] < 0) != (distances[1:] < 0))
    ]
    if len(crossings) > MANY:
        return None
    places = np.unique([_bisected(frame, i, k, *values[step : step + 2]) for k, step in crossings])
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

    points = frame.on_plane(i, j, across, up)
    scale = np.abs(_gradients(frame, points.reshape(-1, points.shape[-1]))).max(axis=0)
    cell = np.array([across[1] - across[0], up[1] - up[0]])
    lines: list[Array] = []
    every = steps(_distances(frame, points), count=sum(frame.network.widths[1:]))
    passing = (d for d in every if d.min() < 0 < d.max())
    for count, distances in enumerate(passing):
        if count == MANY:
            return None
        for line in contour_generator(across, up, distances).lines(0.0):
            seen = _jumps(frame, i, j, np.asarray(line), cell, scale)
            if seen.any():
                lines.append(np.where(seen[:, np.newaxis], line, np.nan))
    return lines


def _distances(frame: Frame, points: Array) -> Iterator[Array]:
    """z − kink of each neuron at points (…, n): arrays (…), in an order that never changes."""
    flat = points.reshape(-1, points.shape[-1])
    for node, z in zip(
        frame.network.nodes, analytic.preactivations(frame.network, flat), strict=True
    ):
        for kink in node.activation.kinks if node.activation else ():
            for neuron in range(z.shape[1]):
                yield (z[:, neuron] - float(kink)).reshape(points.shape[:-1])


def _bisected(frame: Frame, i: int, k: int, left: float, right: float) -> float:
    """Where the k-th distance changes sign between two values of input i."""

    def below(value: float) -> bool:
        distances = _distances(frame, frame.on_line(i, np.array([value])))
        return bool(next(d for place, d in enumerate(distances) if place == k)[0] < 0)

    start = below(left)
    for _ in range(_HALVINGS):
        middle = (left + right) / 2
        left, right = (middle, right) if below(middle) == start else (left, middle)
    return (left + right) / 2


def _gradients(frame: Frame, points: Array) -> Array:
    """Gradients along the inputs shown of the outputs shown, one after the other: (N, …)."""
    slopes = frame.function.derivative(1, points)
    chosen = slopes[:, list(frame.outputs)][:, :, list(frame.inputs)]
    return chosen.reshape(len(points), len(frame.outputs) * len(frame.inputs))


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
