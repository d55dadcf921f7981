"""The logarithm of the gamma function and the polygamma functions, which NumPy lacks.

    loggamma(x) = u (u - 1) P(u)/Q(u),  u = x - 1, for 1 <= x <= 4
                = (x - 1/2) log x - x + log(2 pi)/2 + sum_k B_2k/(2k (2k - 1) x^(2k - 1)) for x >= 8
                = loggamma(x + m) - log(x (x + 1) ... (x + m - 1)), m = 4 between, and 1 below
    psi_n(x) = (-1)^(n + 1) (sum_(k < N) n!/(x + k)^(n + 1)
               + ((n - 1)! + n!/(2 y) + sum_k B_2k (2k + n - 1)!/((2k)! y^2k))/y^n),  y = x + N
    psi_0(x) = log y - 1/(2 y) - sum_k B_2k/(2k y^2k) - sum_(k < N) 1/(x + k)
    psi_n(x) = (-1)^n psi_n(1 - x) - pi d^n/dx^n cot(pi x)  for x <= 0

with N = 8 + n. Errors are within 8 units in the last place of loggamma, and of |psi_n| + |x psi_n'|
for the others, which have zeros: 5. P and Q interpolate at Chebyshev's nodes. The text of this
module is complete in itself: generated standalone source repeats it.

Source: NIST Digital Library of Mathematical Functions, 5.11 (the series) and 5.15 (recurrence and
reflection).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import factorial, log, pi
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

# B_2, B_4, ..., B_24
BERNOULLI = (
    *(1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510),
    *(43867 / 798, -174611 / 330, 854513 / 138, -236364091 / 2730),
)
SHIFT = 8
SERIES = tuple(b / (2 * k * (2 * k - 1)) for k, b in enumerate(BERNOULLI, start=1))
# P and Q from the constant term up: all are positive, so nothing cancels.
LOGGAMMA_P = (
    *(0.5772156649015329, 1.9184491240724417, 2.5482869266894705, 1.7353784145854594),
    *(0.6475379331820537, 0.1315475077115862, 0.013646965686628166, 0.0006254321099418796),
    *(9.052065947579509e-06, 8.282713446174468e-09),
)
LOGGAMMA_Q = (
    *(1.0, 3.748513119379957, 5.738202953731988, 4.6346276830093025, 2.1337997969050173),
    *(0.5661283333714182, 0.08367193812940361, 0.006335723831552411, 0.00020761819740754223),
    1.979616037398412e-06,
)


def loggamma(x: ArrayLike) -> NDArray[Any]:
    """log Gamma(x) for x > 0, elementwise, and NaN for x < 0; float32 stays float32."""
    given = np.asarray(x)
    u = np.where(given < 0, np.nan, given).astype(np.float64)
    below, near, far = u < 1, u <= 4, u >= 8
    v = np.where(below, u, np.where(near, u - 1, 0))
    inside = v * (v - 1) * (_horner(LOGGAMMA_P, v) / _horner(LOGGAMMA_Q, v))
    y = np.where(near, 8, np.where(far, u, u + 4))
    inverse = 1 / y
    tail = _horner(SERIES, inverse * inverse) * inverse
    whole = (y - 0.5) * np.log(y) - y + log(2 * pi) / 2 + tail
    t = np.where(near, 1, np.where(far, 1, u))
    product = np.where(below, u, t * (t + 1) * (t + 2) * (t + 3) / np.where(t == 1, 24, 1))
    result = np.where(near, inside, whole) - np.log(product)
    return _as(np.where(given == np.inf, given, result), given)


def polygamma(n: int, x: ArrayLike) -> NDArray[Any]:
    """The n-th derivative of digamma(x), elementwise, infinite at 0, -1, ...; float32 stays so."""
    given = np.asarray(x)
    real = given.astype(np.float64)
    right = real > 0
    found = _at_right(n, np.where(right, real, 1 - real))
    if not right.all():
        rest = np.where(right, 0.5, real)
        cot = 1 / np.tan(np.pi * (rest - np.rint(rest)))
        left = (-1) ** n * found - np.pi ** (n + 1) * _horner(cotangent(n), cot)
        found = np.where(right, found, left)
    return _as(found, given)


def cotangent(n: int) -> list[int]:
    """d^n/dt^n cot t as a polynomial in cot t, from the constant term up."""
    found = [0, 1]
    for _ in range(n):
        slope = [k * c for k, c in enumerate(found)][1:]
        found = [-a - b for a, b in zip([*slope, 0, 0], [0, 0, *slope], strict=True)]
    return found


def stirling(n: int) -> list[float]:
    """B_2k (2k + n - 1)!/(2k)! for k = 1, 2, ..."""
    ratio = (factorial(2 * k + n - 1) / factorial(2 * k) for k in range(1, 13))
    return [b * r for b, r in zip(BERNOULLI, ratio, strict=True)]


def _at_right(n: int, x: NDArray[Any]) -> NDArray[Any]:
    inverse = 1 / (x + (SHIFT + n))
    tail = _horner([0.0, *stirling(n)], inverse * inverse)
    tail += factorial(n) / 2 * inverse
    near = sum((1 / (x + k) ** (n + 1) for k in range(SHIFT + n)), np.zeros_like(x))
    if n == 0:
        return np.log(x + SHIFT) - tail - near
    whole = (factorial(n - 1) + tail) * inverse**n + factorial(n) * near
    return whole if n % 2 else -whole


def _horner(coefficients: Sequence[float], x: NDArray[Any]) -> NDArray[Any]:
    result = np.full_like(x, coefficients[-1])
    for coefficient in coefficients[-2::-1]:
        result = result * x + coefficient
    return result


def _as(result: NDArray[Any], given: NDArray[Any]) -> NDArray[Any]:
    kind = given.dtype if given.dtype.kind == "f" else np.float64
    return result.astype(kind, copy=False)[()]


FUNCTIONS = {function.__name__: function for function in (loggamma, polygamma)}
"""What generated text calls, by name."""
