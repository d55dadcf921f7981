"""Functions that own formulas may have: value and two derivatives, written down by hand."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from statistics import NormalDist

import mpmath
import numpy as np

from symnet.witness.analytic.table import (
    Array,
    Jet,
    arctan,
    asinh,
    cos,
    erfc,
    exp,
    rounded,
    sin,
    tanh,
)


def _tan(u: Array) -> Jet:
    t = np.tan(u)
    return t, 1 + t * t, 2 * t * (1 + t * t)


def _erf(u: Array) -> Jet:
    slope = 2 / math.sqrt(math.pi) * np.exp(-u * u)
    return _error(u), slope, -2 * u * slope


def _erfc_jet(u: Array) -> Jet:
    _, slope, bend = _erf(u)
    return erfc(u), -slope, -bend


def _erfinv_jet(u: Array) -> Jet:
    value = _inverse(u)
    slope = math.sqrt(math.pi) / 2 * np.exp(value * value)
    return value, slope, 2 * value * slope * slope


def _inverse_error(x: float) -> float:
    """The normal distribution's quantile, and Newton's steps with erf or, beyond 1/2, erfc."""
    if not abs(x) < 1:
        return math.copysign(math.inf, x) if abs(x) == 1 else math.nan
    y = NormalDist().inv_cdf((1 + x) / 2) / math.sqrt(2) if abs(x) > 0.1 else 0.886 * x
    for _ in range(4):
        left = math.erf(y) - x if abs(x) < 0.5 else math.copysign(1 - abs(x), x) - _tail(y)
        y -= left * math.sqrt(math.pi) / 2 * math.exp(y * y)
    return y


def _tail(y: float) -> float:
    return math.copysign(math.erfc(abs(y)), y)


def _polygamma(n: int) -> Callable[[Array], Array]:
    """psi_n, n < 3; on the left by Euler's reflection. NaN at poles."""

    @lru_cache(maxsize=1 << 17)  # a millisecond each, of the same points again and again
    def value(point: float) -> float:
        x = float(point)  # it may be an extended one
        if x > 0:
            return float(mpmath.psi(n, x))
        if not math.isfinite(x) or x == math.floor(x):
            return math.nan
        sine, cosine = mpmath.sinpi(x), mpmath.cospi(x)
        beyond = mpmath.pi ** (n + 1) / sine ** (n + 1) * (cosine if n != 1 else 1)
        beyond *= (-1, 1, -2)[n]
        return float((-1) ** n * mpmath.psi(n, 1 - mpmath.mpf(x)) + beyond)

    return rounded(value)


def _digamma(x: float) -> float:
    """psi(x) to some digits: by its series from 8 on, by steps and reflection below."""
    if not math.isfinite(x) or (x <= 0 and x == math.floor(x)):
        return math.inf if x > 0 else math.nan
    if x < 0:
        return _digamma(1 - x) - math.pi / math.tan(math.pi * (x - math.floor(x)))
    steps = 0.0
    while x < 8:
        steps, x = steps + 1 / x, x + 1
    square = 1 / (x * x)  # of 1e80 the fourth power is an error of Python's
    return math.log(x) - 1 / (2 * x) - square / 12 + square * square / 120 - steps


def _positive(function: Callable[[float], float]) -> Callable[[Array], Array]:
    # An extended number may be none of a double's.
    return rounded(lambda x: function(float(x)) if float(x) > 0 else math.nan)


def _arc(u: Array) -> Array:
    """1 - u^2, to its last digit beside the ends."""
    return (1 - u) * (1 + u)


_error = rounded(math.erf)
_inverse = rounded(_inverse_error)
_loggamma = _positive(math.lgamma)
_psi = [_polygamma(n) for n in range(3)]
FUNCTIONS: dict[str, Callable[[Array], Jet]] = {
    "exp": exp,
    "log": lambda u: (np.log(u), 1 / u, -1 / (u * u)),
    "sqrt": lambda u: (np.sqrt(u), 0.5 / np.sqrt(u), -0.25 / (u * np.sqrt(u))),
    "sin": sin,
    "cos": cos,
    "tan": _tan,
    "asin": lambda u: (np.arcsin(u), _arc(u) ** -0.5, u * _arc(u) ** -1.5),
    "acos": lambda u: (np.arccos(u), -(_arc(u) ** -0.5), -u * _arc(u) ** -1.5),
    "atan": arctan,
    "sinh": lambda u: (np.sinh(u), np.cosh(u), np.sinh(u)),
    "cosh": lambda u: (np.cosh(u), np.sinh(u), np.cosh(u)),
    "tanh": tanh,
    "erf": _erf,
    "erfc": _erfc_jet,
    "asinh": asinh,
    "acosh": lambda u: (np.arccosh(u), (-_arc(u)) ** -0.5, -u * (-_arc(u)) ** -1.5),
    "atanh": lambda u: (np.arctanh(u), 1 / _arc(u), 2 * u / _arc(u) ** 2),
    "erfinv": _erfinv_jet,
    "loggamma": lambda u: (_loggamma(u), _psi[0](u), _psi[1](u)),
    "digamma": lambda u: (_psi[0](u), _psi[1](u), _psi[2](u)),
    "round": lambda u: (np.round(u), np.zeros_like(u), np.zeros_like(u)),
    "floor": lambda u: (np.floor(u), np.zeros_like(u), np.zeros_like(u)),
    "ceil": lambda u: (np.ceil(u), np.zeros_like(u), np.zeros_like(u)),
    "abs": lambda u: (np.abs(u), np.sign(u), np.zeros_like(u)),
    "sign": lambda u: (np.sign(u), np.zeros_like(u), np.zeros_like(u)),
}
VALUES: dict[str, Callable[[Array], Array]] = {
    "erf": _error,
    "erfc": erfc,
    "erfinv": _inverse,
    "loggamma": _loggamma,
    "digamma": rounded(_digamma),
}
"""Values alone, where the derivatives take a hundred times as long."""
