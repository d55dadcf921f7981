"""Images in another size: along each axis a matrix from its entries to those of the result.

place of the k-th entry      half_pixel       (k + ½)/s − ½
                             asymmetric       k/s
                             align_corners    k (n − 1)/(m − 1)

where s = m/n is the scale. Nearest entries, straight lines between neighbours, or cubics of four
with the coefficient a (Keys 1981); beyond the ends the last entry is repeated.

How many entries there are, and which one is nearest, jumps where a place is a whole number or in
the middle of two: both are taken in fractions, of the scale that its number stands for (`meant`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from symnet.importers.folding import matrices
from symnet.importers.folding.forms import Form
from symnet.importers.folding.tensors import Tensors, Value
from symnet.network.weights import Array

_LARGEST = matrices.LARGEST // 32  # entries with their places, of which several arrays are made

_HALF = Fraction(1, 2)
_SIMPLE = 1000  # the largest denominator of a scale that somebody chose
_ROUNDING: dict[str, Callable[[Fraction], int]] = {
    "floor": math.floor,
    "ceil": math.ceil,
    "round_prefer_floor": lambda x: math.ceil(x - _HALF),
    "round_prefer_ceil": lambda x: math.floor(x + _HALF),
}


def meant(scale: float) -> Fraction:
    """The simplest fraction that is this number in single precision: 5/3 for 1.6666666."""
    for denominator in (1, 10, 100, _SIMPLE):
        found = Fraction(scale).limit_denominator(denominator)
        if np.float32(float(found)) == np.float32(scale):
            return found
    return Fraction(scale)


@dataclass(frozen=True)
class Sampling:
    """How entries of a resized axis are made: see the module.

    Args:
        mode: nearest, linear or cubic.
        places: half_pixel, half_pixel_symmetric, pytorch_half_pixel, tf_half_pixel_for_nn,
            asymmetric or align_corners.
        nearest: which whole number is nearest: floor, ceil, round_prefer_floor, round_prefer_ceil.
        exclude: whether neighbours beyond the ends get no weight, instead of the last entry's.
    """

    mode: str = "nearest"
    places: str = "half_pixel"
    nearest: str = "round_prefer_floor"
    cubic: float = -0.75
    exclude: bool = False

    def matrix(self, before: int, after: int, scale: float | None = None) -> Array:
        """(after, before): the weights of the entries before. ValueError for an unknown word."""
        _check(before * after, "the matrix of a resized axis")
        if self.mode == "nearest":
            if self.nearest not in _ROUNDING:
                raise ValueError(f"its nearest_mode is {self.nearest!r}")
            s = Fraction(after, before) if scale is None else meant(scale)
            places = self._at(np.array([*map(Fraction, range(after))]), before, s)
            nearest = np.array([*map(_ROUNDING[self.nearest], places)])
            return _weights([(nearest, np.ones(after))], before, False)
        x = self._at(np.arange(after) * 1.0, before, after / before if scale is None else scale)
        kernel = {"linear": _linear, "cubic": self._cubic}.get(self.mode)
        if kernel is None:
            raise ValueError(f"its mode is {self.mode!r}; symnet reads nearest, linear and cubic")
        first, reach = np.floor(x), 2 if self.mode == "cubic" else 1
        taps = [(first + k, kernel(first + k - x)) for k in range(1 - reach, reach + 1)]
        return _weights(taps, before, self.exclude)

    def _at(self, k: Array, before: int, s: Any) -> Array:
        """Places of the entries k, in numbers of their kind: floats, or fractions."""
        after = len(k)
        centre = ((2 * k + 1) / s - 1) / 2
        if self.places == "asymmetric":
            return k / s
        if self.places == "align_corners":
            return k * (before - 1) / max(after - 1, 1)
        if self.places == "pytorch_half_pixel" and after == 1:
            return 0 * k
        if self.places == "tf_half_pixel_for_nn":
            return (2 * k + 1) / s / 2
        if self.places in ("half_pixel", "pytorch_half_pixel"):
            return centre
        if self.places == "half_pixel_symmetric":
            return before * (1 - after / (s * before)) / 2 + centre
        raise ValueError(f"its places are {self.places!r}; symnet reads half_pixel and the like")

    def _cubic(self, d: Array) -> Array:
        a, x = self.cubic, np.abs(d)
        inner = ((a + 2) * x - (a + 3)) * x * x + 1
        outer = ((a * x - 5 * a) * x + 8 * a) * x - 4 * a
        return np.where(x <= 1, inner, np.where(x < 2, outer, 0.0))


def _linear(d: Array) -> Array:
    return np.maximum(1 - np.abs(d), 0.0)


def _weights(taps: list[tuple[Array, Array]], before: int, exclude: bool) -> Array:
    """The matrix of places and weights; those beyond the ends are the ends', or none."""
    found = np.zeros((len(taps[0][0]), before))
    for place, weight in taps:
        inside = (place >= 0) & (place < before)
        column = np.clip(place, 0, before - 1).astype(np.int64)
        given = np.where(inside, weight, 0.0) if exclude else weight
        np.add.at(found, (np.arange(len(found)), column), given)
    return found / found.sum(axis=1, keepdims=True) if exclude else found


def _check(entries: int, what: str) -> None:
    if entries > _LARGEST:
        raise ValueError(f"{what} takes {entries:,} entries, more than the {_LARGEST:,} that fit")


def along(t: Tensors, x: Value, axis: int, A: Array) -> Value:
    """The tensor with A applied to each vector along an axis."""
    if not isinstance(x, Form):
        return np.moveaxis(np.tensordot(A, np.asarray(x, dtype=np.float64), (1, axis)), 0, axis)
    outer, inner = math.prod(x.shape[:axis]), math.prod(x.shape[axis + 1 :])
    shape = (*x.shape[:axis], len(A), *x.shape[axis + 1 :])
    row, column = np.nonzero(A)
    _check(outer * inner * len(row), f"a tensor of the shape {x.shape} resized")
    o, i = np.arange(outer)[:, None, None], np.arange(inner)[None, None, :]
    rows = (o * len(A) + row[None, :, None]) * inner + i
    columns = (o * A.shape[1] + column[None, :, None]) * inner + i
    values = np.broadcast_to(A[row, column][None, :, None], rows.shape)
    M = matrices.from_entries(
        rows.reshape(-1), columns.reshape(-1), values.reshape(-1), (math.prod(shape), x.size)
    )
    return t.fold.times(x, M, shape)
