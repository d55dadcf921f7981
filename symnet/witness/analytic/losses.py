"""What rounding costs a formula, part by part: an error bound beside its jet.

    e(f(u)) = |f'(u)| e(u) + eps |f(u)|

Of log(1 + exp(z)) at -168 nothing is left in double or extended precision, and both agree on that.
"""

from __future__ import annotations

from functools import partial, reduce
from typing import Any, NamedTuple

import numpy as np

from symnet.witness.analytic.rules import (
    JETS,
    Rules,
    chosen_of,
    composed,
    constant_of,
    power_of,
)
from symnet.witness.analytic.special import FUNCTIONS, VALUES
from symnet.witness.analytic.table import Array, Jet, linear

AGREED = 2.0**-38
"""Of a value, what may be lost of it: double and extended precision agree to this."""

_DOUBLE = 2.0**-52


def _rounding(number: Any, z: Array) -> Array:
    """Of a constant that is no whole number."""
    return np.full_like(z, abs(number) * np.finfo(z.dtype).eps if number % 1 else 0)


class Watched(NamedTuple):
    """A jet, what its value may be wrong by, and where in one of its parts that is too much."""

    jet: Jet
    error: Array
    lost: Array


def _watched(jet: Jet, passed_on: Any, *parts: Watched) -> Watched:
    """With the parts' errors as they are passed on, and one rounding more."""
    value = np.abs(jet[0])
    error = passed_on + np.finfo(value.dtype).eps * value
    lost: Array = reduce(np.logical_or, (part.lost for part in parts), error > AGREED * value)
    return Watched(jet, error, lost)


def _watched_function(operation: str, inner: Watched) -> Watched:
    u = inner.jet[0]
    outer = FUNCTIONS[operation](u)
    error = inner.error
    if operation in VALUES:  # computed in doubles
        error = error + _DOUBLE * np.abs(u)
    passed_on = np.abs(outer[1]) * error * (error > 0)
    passed_on += _DOUBLE * np.abs(outer[0]) * (operation in VALUES)
    return _watched(composed(outer, inner.jet), passed_on, inner)


def _watched_power(base: Watched, n: float) -> Watched:
    jet = power_of(base.jet, n)
    u = base.jet[0]
    return _watched(jet, np.abs(n * u ** (n - 1)) * base.error if n else 0 * u, base)


def _watched_pair(operation: str, left: Watched, right: Watched) -> Watched:
    jet = JETS.pairs[operation](left.jet, right.jet)
    (u, v), (a, b) = (left.jet[0], right.jet[0]), (left.error, right.error)
    if operation == "mul":
        passed_on = np.abs(u) * b + np.abs(v) * a
    elif operation == "pow":
        exponent = _watched_pair("mul", right, _watched_function("log", left))
        passed_on = np.abs(jet[0]) * exponent.error
        right = exponent
    elif operation == "add":
        passed_on = a + b
    else:
        passed_on = np.where(jet[0] == u, a, b)
    return _watched(jet, passed_on, left, right)


WATCHED = Rules(
    variable=lambda z: Watched(linear(z), np.zeros_like(z), np.zeros(z.shape, bool)),
    constant=lambda number, z: Watched(
        constant_of(number, z), _rounding(number, z), np.zeros(z.shape, bool)
    ),
    power=_watched_power,
    function=_watched_function,
    pairs={name: partial(_watched_pair, name) for name in JETS.pairs},
    chosen=lambda test, then, otherwise: Watched(
        chosen_of(test, then.jet, otherwise.jet),
        *(np.where(test, a, b) for a, b in zip(then[1:], otherwise[1:], strict=True)),
    ),
    value=lambda found: found.jet[0],
)
