"""Axes of tensors: what a reduction puts together, and the shape of a matrix product."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from symnet.importers.folding import matrices
from symnet.importers.folding.forms import Shape
from symnet.network.weights import Array


def product_shape(x: Shape, y: Shape) -> Shape:
    """The shape of x @ y. ValueError where they do not fit."""
    if not x or not y or x[-1] != (y[-2] if len(y) > 1 else y[0]):
        raise ValueError(f"a matrix product of the shapes {x} and {y}")
    batch = np.broadcast_shapes(x[:-2], y[:-2])
    return (*batch, *x[-2:-1], *(y[-1:] if len(y) > 1 else ()))


def grouped(shape: Shape, axes: Sequence[int] | None, keep: bool) -> tuple[Array, Shape]:
    """Flat places (groups, members) that a reduction over axes puts together, and its shape."""
    rank = len(shape)
    over = sorted({_axis(a, rank) for a in (range(rank) if axes is None else axes)})
    others = [a for a in range(rank) if a not in over]
    size = math.prod(shape[a] for a in others)
    places = np.arange(math.prod(shape)).reshape(shape).transpose(*others, *over)
    kept = tuple(1 if a in over else s for a, s in enumerate(shape))
    result = kept if keep else tuple(shape[a] for a in others)
    return places.reshape(size, -1), result


def _axis(axis: int, rank: int) -> int:
    if not -rank <= axis < rank:
        raise ValueError(f"axis {axis} of a tensor of {rank} axes")
    return int(axis) % rank


def sums(groups: Array, size: int, weight: float) -> Any:
    """The matrix of the sums of these groups of as many places, each times a weight."""
    row = np.repeat(np.arange(len(groups)), groups.shape[1])
    values = np.full(groups.size, weight)
    return matrices.from_entries(row, groups.reshape(-1), values, (len(groups), size))
