"""Multiple zeros of a formula's derivatives, or nearly so: 1 of exp(z) - E z, log 2 of (e^z - 2)^2.

There a derivative and the next are small together, so that rounding z excuses nothing of what
cancels. Such places are where the next one changes sign, or the derivative itself does, while the
other is far less than further on. They are sought in doubles and confirmed in many digits.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import NamedTuple

import mpmath
import numpy as np
from sympy import Expr

from symnet import precision
from symnet.activations.arithmetic import ROUNDED, Array, doubles
from symnet.activations.digits import Number, value
from symnet.activations.systems import Z, differentiated
from symnet.activations.zeros import bisected, named

_SIZES = np.sort(np.concatenate([np.geomspace(1.0137e-3, 1.0137e4, 700), np.arange(1, 900) / 14.3]))
_POINTS = np.concatenate([-_SIZES[::-1], _SIZES])
_HALVINGS = 25
_SMALL = 0.05
_MOST = 8  # places of a derivative


class _Search(NamedTuple):
    """Where to look, in which shares of a place's size beside it, and with how many digits.

    A zero of order n is known to an n-th of the digits.
    """

    points: Array
    shares: tuple[float, ...]
    digits: int


_SEARCH = _Search(_POINTS, (0.003, 0.01, 0.03, 0.1, 0.3), 200)
_SHORT = _Search(np.arange(-10.07, 10, 0.411), (0.003, 0.01), 60)
"""Where each value takes mpmath's time, and gamma's poles are beside each place."""


@lru_cache(maxsize=1024)
def multiple(formula: Expr, order: int) -> tuple[Expr, ...]:
    """Those of the derivatives up to `order`, some nearest to 0; 0 itself is looked at anyway.

    None of what takes mpmath too long: such functions of another function.
    """
    if any(not slow.args[-1].is_polynomial(Z) for slow in formula.atoms(*ROUNDED)):
        return ()
    places = (place for r in range(order + 1) for place in _of_derivative(formula, r))
    return tuple(dict.fromkeys(place for place in places if place != 0))


@lru_cache(maxsize=1024)
def _of_derivative(formula: Expr, order: int) -> tuple[Expr, ...]:
    here, beyond = (differentiated(formula, r) for r in (order, order + 1))
    with suppress(ValueError):  # a function that has no value in doubles
        return (*_common(beyond, here), *_common(here, beyond))
    return ()


def _common(changing: Expr, other: Expr) -> Iterator[Expr]:
    """Zeros of the one beside which the other is small."""
    search = _SHORT if changing.has(*ROUNDED) else _SEARCH
    signs = np.sign(doubles(changing, search.points))
    cells = np.flatnonzero(signs[:-1] * signs[1:] < 0)
    lows, highs = search.points[cells], search.points[cells + 1]
    middles = _closed_in(changing, lows, highs)
    kept = np.flatnonzero(_is_small(other, middles, search.shares))
    for k in sorted(kept, key=lambda k: abs(middles[k]))[:_MOST]:
        if (place := _confirmed(changing, lows[k], highs[k], search.digits)) is not None:
            yield place


def _closed_in(changing: Expr, low: Array, high: Array) -> Array:
    sign = np.sign(doubles(changing, low))
    for _ in range(_HALVINGS if len(low) else 0):
        middle = low + (high - low) / 2
        before = np.sign(doubles(changing, middle)) == sign
        low, high = np.where(before, middle, low), np.where(before, high, middle)
    return low


def _is_small(other: Expr, places: Array, shares: Sequence[float]) -> Array:
    size = np.abs(doubles(other, places))
    small = np.zeros(places.shape, bool)
    for share in shares:
        step = share * np.maximum(1.0, np.abs(places))
        sides = [np.abs(doubles(other, places + side * step)) for side in (1, -1)]
        small |= size < _SMALL * np.minimum(*sides)
    return small


def _confirmed(changing: Expr, low: float, high: float, digits: int) -> Expr | None:
    """The zero between two numbers, if that is none of rounding."""
    with precision.digits(digits):
        ends = mpmath.mpf(low), mpmath.mpf(high)
        sides: list[Number] = [value(changing, end) for end in ends]
        if None in sides or sides[0] * sides[1] >= 0:
            return None
        return named(bisected(changing, *ends))
