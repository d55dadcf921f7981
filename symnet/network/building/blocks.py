"""Blocks of networks: softmax and normalisation, sums and means, the larger and the smaller."""

from __future__ import annotations

from typing import Any

import sympy

from symnet.network.building.matrices import entries, plus
from symnet.network.building.vectors import Vector, apply, checked, concat, linear, value


def softmax(v: Vector) -> Vector:
    """exp(v)/Σ exp(v_r), over all entries of the vector; 1 of a single one."""
    return _normalised(v, "softmax", 1.0)


def log_softmax(v: Vector) -> Vector:
    """v − log Σ exp(v_r), over all entries of the vector; 0 of a single one."""
    return _normalised(v, "log_softmax", 0.0)


def _normalised(v: Vector, kind: str, alone: float) -> Vector:
    if checked(v, kind).width > 1:
        return value(v, kind)
    atom = next(iter(v.terms))
    while atom.sources:  # to the inputs: of what is the same for all, nothing is computed
        atom = atom.sources[0]
    return linear([[0] * atom.width], Vector(atom.width, {atom: None})) + alone


def maximum(a: Vector, b: Any) -> Vector:
    """The larger, entry by entry: b + relu(a − b)."""
    return _rectified(a, b, "maximum") + b


def minimum(a: Vector, b: Any) -> Vector:
    """The smaller, entry by entry: a − relu(a − b)."""
    return a - _rectified(a, b, "minimum")


def _rectified(a: Any, b: Any, what: str) -> Vector:
    checked(a if isinstance(a, Vector) else b, what)
    return apply("relu", a - b)


def total(v: Vector) -> Vector:
    """The sum of all entries, one wide."""
    v = checked(v, "a sum")
    return linear([[1] * v.width], v)


def mean(v: Vector) -> Vector:
    """The mean of all entries, one wide."""
    v = checked(v, "mean")
    return linear([[sympy.Rational(1, v.width)] * v.width], v)


def product(v: Vector) -> Vector:
    """The product of all entries, one wide: of pairs, then of pairs of those."""
    while v.width > 1:
        half = v.width // 2
        paired = v[:half] * v[half : 2 * half]
        v = paired if v.width % 2 == 0 else concat(paired, v[-1])
    return v


def prelu(v: Vector, slopes: Any) -> Vector:
    """z where z > 0, else slope·z, a slope for each entry: α z + (1 − α) relu(z).

    Its derivative at 0 is the slope, as in PyTorch.
    """
    v = checked(v, "prelu")
    alpha = entries(slopes, v.width)
    return v * alpha + apply("relu", v) * plus(entries(1, v.width), -alpha)


def layer_norm(v: Vector, scale: Any = 1, shift: Any = 0, epsilon: Any = 1e-5) -> Vector:
    """(v − mean)/sqrt(variance + ε) · scale + shift over all entries, variance by their number.

    Source: J. L. Ba, J. R. Kiros, G. E. Hinton, Layer Normalization, 2016, arXiv:1607.06450.
    """
    v = checked(v, "layer_norm")
    centred = (v - mean(v))._node
    spread = mean(apply("square", centred)) + epsilon
    return centred * spread ** sympy.Rational(-1, 2) * scale + shift
