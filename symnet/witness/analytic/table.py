"""Value, first and second derivative of the named activations, each written down by hand."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.float64]
Jet: TypeAlias = tuple[Array, Array, Array]
"""A function's value, first and second derivative with respect to z, elementwise."""


def linear(z: Array) -> Jet:
    return z, np.ones_like(z), np.zeros_like(z)


def _logistic(z: Array) -> tuple[Array, Array]:
    """`1/(1 + exp(-z))` and `1/(1 + exp(z))`, from an exponential that cannot overflow."""
    small = np.exp(-np.abs(z))
    large_side, small_side = 1 / (1 + small), small / (1 + small)
    right = z >= 0
    return np.where(right, large_side, small_side), np.where(right, small_side, large_side)


def _sigmoid(z: Array) -> Jet:
    s, rest = _logistic(z)
    return s, s * rest, s * rest * (rest - s)


def tanh(z: Array) -> Jet:
    t = np.tanh(z)
    s, rest = _logistic(2 * z)
    slope = 4 * s * rest
    return t, slope, -2 * t * slope


def _relu(z: Array) -> Jet:
    return np.maximum(z, 0), np.where(z > 0, 1.0, 0.0), np.zeros_like(z)


def _leaky_relu(z: Array) -> Jet:
    return np.where(z > 0, z, 0.01 * z), np.where(z > 0, 1.0, 0.01), np.zeros_like(z)


def _elu(z: Array) -> Jet:
    left = np.minimum(z, 0)
    right = z > 0
    return (
        np.where(right, z, np.expm1(left)),
        np.where(right, 1.0, np.exp(left)),
        np.where(right, 0.0, np.exp(left)),
    )


def _selu(z: Array) -> Jet:
    lam, alpha = 1.0507009873554804934193349852946, 1.6732632423543772848170429916717
    right = z > 0
    below, slope, bend = _elu(np.minimum(z, 0))
    return (
        np.where(right, lam * z, lam * alpha * below),
        np.where(right, lam, lam * alpha * slope),
        np.where(right, 0.0, lam * alpha * bend),
    )


def _softplus(z: Array) -> Jet:
    s, rest = _logistic(z)
    return np.logaddexp(0, z), s, s * rest


def _silu(z: Array) -> Jet:
    s, rest = _logistic(z)
    return z * s, s * (1 + z * rest), s * rest * (2 + z * (rest - s))


def rounded(function: Callable[[float], float]) -> Callable[[Array], Array]:
    """Of doubles. In extended precision off by what a double leaves out, so that this is seen."""
    doubles = np.vectorize(function, otypes=[np.float64])

    def computed(u: Array) -> Array:
        found: Array = doubles(u)
        if u.dtype == np.longdouble:
            found = found * np.longdouble(1 + 2.0**-50)  # type: ignore[assignment]
        return found

    return computed


erfc = rounded(math.erfc)


def _gelu(z: Array) -> Jet:
    below = 0.5 * erfc(-z / math.sqrt(2))
    density = np.exp(-0.5 * z * z) / math.sqrt(2 * math.pi)
    # Beyond 40 the density is 0, and 0 times the square of a huge z would be NaN.
    c = np.clip(z, -40, 40)
    return z * below, below + c * density, density * (2 - c * c)


def _gelu_tanh(z: Array) -> Jet:
    k, cubic = math.sqrt(8 / math.pi), 0.044715
    c = np.clip(z, -30, 30)  # where the logistic function has long been 0 or 1
    u, du, ddu = k * (c + cubic * c**3), k * (1 + 3 * cubic * c * c), 6 * k * cubic * c
    s, rest = _logistic(u)
    slope = s * rest
    first = s + c * slope * du
    return z * s, first, slope * (2 * du + c * (ddu + du * du * (rest - s)))


def _softsign(z: Array) -> Jet:
    p = 1 / (1 + np.abs(z))
    return z * p, p * p, np.where(z < 0, 2.0, -2.0) * p * p * p


def sin(z: Array) -> Jet:
    return np.sin(z), np.cos(z), -np.sin(z)


def cos(z: Array) -> Jet:
    return np.cos(z), -np.sin(z), -np.cos(z)


def exp(z: Array) -> Jet:
    return np.exp(z), np.exp(z), np.exp(z)


def _gaussian(z: Array) -> Jet:
    c = np.clip(z, -30, 30)
    bell = np.exp(-c * c)
    return bell, -2 * c * bell, (4 * c * c - 2) * bell


def arctan(z: Array) -> Jet:
    p = 1 / (1 + z * z)
    return np.arctan(z), p, -2 * z * p * p


def _mish(z: Array) -> Jet:
    """tanh(softplus(z)) is tanh(v) with v' = s, and 1/cosh(v)^2 = 1/cosh^2 of what is above 0."""
    s, rest = _logistic(z)
    t, w, _ = tanh(np.logaddexp(0, z))
    dt = w * s
    ddt = w * s * (rest - 2 * t * s)
    return z * t, t + z * dt, 2 * dt + z * ddt


def _flat_beyond(low: float, high: float, inside: Callable[[Array], Jet]) -> Callable[[Array], Jet]:
    """`inside` from low to high, constant beyond, with derivative 0 at both ends."""

    def rule(z: Array) -> Jet:
        value = inside(np.clip(z, low, high))[0]
        between = (z > low) & (z < high)
        _, slope, bend = inside(z)
        return value, np.where(between, slope, 0.0), np.where(between, bend, 0.0)

    return rule


def _hardswish(z: Array) -> Jet:
    middle = (z > -3) & (z < 3)
    above = np.where(z >= 3, 1.0, 0.0)
    return (
        np.where(middle, z * (z + 3) / 6, np.where(z >= 3, z, 0 * np.minimum(z, 0))),
        np.where(middle, z / 3 + 0.5, above),
        np.where(middle, 1 / 3, 0.0),
    )


def _logsigmoid(z: Array) -> Jet:
    s, rest = _logistic(z)
    return -np.logaddexp(0, -z), rest, -s * rest


def _tanhshrink(z: Array) -> Jet:
    t, w, _ = tanh(z)
    square = np.minimum(z * z, 0.1)
    # tanh(z)/z as a continued fraction: 1/(1 + z^2/(3 + z^2/(5 + ...))).
    fraction = np.full_like(z, 23.0)
    for odd in range(21, 1, -2):
        fraction = odd + square / fraction
    near = z * square / (fraction + square)
    return np.where(z * z < 0.1, near, z - t), t * t, 2 * t * w


def _log(z: Array) -> Jet:
    inside = np.where(z >= 0, z, np.nan)
    return np.log(inside), 1 / inside, -1 / (inside * inside)


def asinh(z: Array) -> Jet:
    root = np.hypot(1, z)
    return np.arcsinh(z), 1 / root, -(z / root) / root / root


def _sinc(z: Array) -> Jet:
    """sin(z)/z by its series near 0, where the quotients cancel."""
    near = np.where(np.abs(z) < 2, z, 0.0)
    value, slope, bend = np.zeros_like(z), np.zeros_like(z), np.zeros_like(z)
    for k in range(16, -1, -1):
        c = (-1) ** k / math.factorial(2 * k + 1)
        value += c * near ** (2 * k)
        slope += 2 * k * c * near ** max(0, 2 * k - 1)
        bend += 2 * k * (2 * k - 1) * c * near ** max(0, 2 * k - 2)
    sine, cosine = np.sin(z), np.cos(z)
    inside = np.abs(z) < 2
    return (
        np.where(inside, value, sine / z),
        np.where(inside, slope, (cosine - sine / z) / z),
        np.where(inside, bend, -(sine + 2 * (cosine - sine / z) / z) / z),
    )


TABLE: dict[str, Callable[[Array], Jet]] = {
    "linear": linear,
    "sigmoid": _sigmoid,
    "tanh": tanh,
    "relu": _relu,
    "leaky_relu": _leaky_relu,
    "elu": _elu,
    "selu": _selu,
    "softplus": _softplus,
    "silu": _silu,
    "gelu": _gelu,
    "gelu_tanh": _gelu_tanh,
    "softsign": _softsign,
    "sin": sin,
    "cos": cos,
    "exp": exp,
    "gaussian": _gaussian,
    "arctan": arctan,
    "mish": _mish,
    "hardtanh": _flat_beyond(-1, 1, lambda z: (z, 1.0 + 0 * z, 0 * z)),
    "hardsigmoid": _flat_beyond(-3, 3, lambda z: ((z + 3) / 6, 1 / 6 + 0 * z, 0 * z)),
    "relu6": _flat_beyond(0, 6, lambda z: (z, 1.0 + 0 * z, 0 * z)),
    "satlin": _flat_beyond(0, 1, lambda z: (z, 1.0 + 0 * z, 0 * z)),
    "hardswish": _hardswish,
    "logsigmoid": _logsigmoid,
    "tanhshrink": _tanhshrink,
    "celu": _elu,
    "abs": lambda z: (np.abs(z), np.sign(z), 0 * z),
    "square": lambda z: (z * z, 2 * z, 2 + 0 * z),
    "sqrt": lambda z: (np.sqrt(z), 0.5 / np.sqrt(z), -0.25 / (z * np.sqrt(z))),
    "log": _log,
    "reciprocal": lambda z: (1 / z, -1 / z / z, 2 / z / z / z),
    "asinh": asinh,
    "sinc": _sinc,
}
