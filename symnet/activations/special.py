"""Functions in many digits, as formulas far out and derivatives by differences ask for them.

What mpmath takes long for, or has no exponents for:

    exp(x)           by a multiple of log 2, where |x| is large
    log(x), log1p    by Halley's step, in three times as many digits
    erf, erfc        of neighbours by one series, and far out by exp(-x^2) erfcx(x)
    erfcx            by its series in 1/x^2
    erfinv           by Halley's steps, in three times as many digits each
    loggamma         by Stirling's first terms, where the next is beyond all digits, and in very
                     many digits by Stirling's series farther out
    polygamma        on the left by reflection
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeAlias

import mpmath

from symnet import precision

Number: TypeAlias = Any
"""A real number of mpmath's."""

HUGE = 3_000
"""Bits of an exponent beyond which exp(x) is 0 or infinite: it would take seconds."""

_MANY, _SHORT = 400, 60  # bits: from which on neighbours are used, and that those have
_LEAST = 0.05  # size of what has such neighbours
_REDUCED = 60  # bits of an exponent
_ASYMPTOTIC = 40  # bits of an exponent from which a divergent series has all digits
_GUARD = 20  # bits
_SERIES = 2400  # bits up to which mpmath has the logarithm by a series
_TAYLOR = 2200  # bits up to which mpmath has the series of 1/gamma in half a second
_SATURATED = 200  # beyond which erf is 1 or -1, to 17,000 digits


class Outside(ArithmeticError):
    """A formula is not a real number at this point."""


def exp(x: Number) -> Number:
    """The exponential, 0 or infinite beyond `HUGE`."""
    if not mpmath.isfinite(x) or mpmath.mag(x) < _REDUCED:
        return mpmath.exp(x)
    if mpmath.mag(x) > HUGE:
        return mpmath.inf if x > 0 else mpmath.mpf(0)
    return _exp_far(x)


def log(x: Number) -> Number:
    """For x > 0. mpmath takes means of roots in very many digits, four exponentials long."""
    if mpmath.mp.prec < _SERIES or not mpmath.isfinite(x) or x == 1:
        return mpmath.log(x)
    wanted = mpmath.mp.prec + _GUARD
    with mpmath.workprec(wanted // 3 + _GUARD):
        y = log(x)
    with mpmath.workprec(wanted + max(0, int(mpmath.mag(y)), -int(mpmath.mag(x - 1)))):
        power = exp(y)
        y += 2 * (x - power) / (x + power)
    return +y


def log1p(x: Number) -> Number:
    """log(1 + x), for x > -1."""
    size = int(mpmath.mag(x)) if x else 0
    if not x or size < -mpmath.mp.prec:
        return x * (1 - x / 2)
    with mpmath.extraprec(max(0, -size) + _GUARD):
        found = log(1 + x)
    return +found


def _exp_far(x: Number) -> Number:
    """By a multiple of log 2: mpmath takes e to the power of an integer, 2,000 products."""
    with mpmath.extraprec(int(mpmath.mag(x)) + 10):
        n = int(mpmath.floor(x / mpmath.ln2))
        found = mpmath.ldexp(mpmath.exp(x - n * mpmath.ln2), n)
    return +found


@lru_cache(maxsize=256)
def _around(name: str, base: Number, precision: int) -> tuple[Number, ...]:
    """erf or erfc at a short number, and the other coefficients of its series around it.

    exp(-(b + d)^2) = exp(-b^2) sum g_n d^n,   n g_n = -2 b g_(n-1) - 2 g_(n-2)
    """
    found = getattr(mpmath, name)(base)
    terms = [mpmath.mpf(1), -2 * base]
    for n in range(2, precision // _SHORT + 3):
        terms.append(-2 * (base * terms[-1] + terms[-2]) / n)
    slope = 2 / mpmath.sqrt(mpmath.pi) * mpmath.exp(-base * base) * (-1 if name == "erfc" else 1)
    return (found, *(slope * g / (n + 1) for n, g in enumerate(terms)))


def _by_neighbour(name: str) -> Callable[[Number], Number]:
    """Around a number of few digits: in 800 mpmath takes milliseconds for each of 30 neighbours."""

    def near(x: Number) -> Number:
        if mpmath.mp.prec < _MANY or not _LEAST < abs(x) < _SATURATED:
            return getattr(mpmath, name)(x)
        with precision.bits(_SHORT):
            base = +x
        terms = _around(name, base, mpmath.mp.prec)
        return mpmath.polyval(terms[::-1], x - base)

    return near


_near_erf, _near_erfc = _by_neighbour("erf"), _by_neighbour("erfc")


def erf(x: Number) -> Number:
    """The error function."""
    return _near_erf(x) if abs(x) < _SATURATED else mpmath.sign(x)


def erfc(x: Number) -> Number:
    """Its complement, of any size that is a number of mpmath's."""
    return _near_erfc(x) if abs(x) < _SATURATED else _erfc_far(x)


def scaled_erfc(x: Number) -> Number:
    """`exp(x^2) erfc(x)`; by its series in 1/x^2 where mpmath takes no exponents so large."""
    if mpmath.mag(x) < _ASYMPTOTIC:
        return mpmath.exp(x * x) * _near_erfc(x)
    total = term = mpmath.mpf(1)
    k = 0
    while abs(term) > mpmath.eps:
        term *= -(2 * k + 1) / (2 * x * x)
        total += term
        k += 1
    return total / (x * mpmath.sqrt(mpmath.pi))


def _erfc_far(x: Number) -> Number:
    if not mpmath.isfinite(x):
        return 1 - mpmath.sign(x)
    rest = exp(-x * x) * scaled_erfc(abs(x))
    return rest if x > 0 else 2 - rest


def erfinv(y: Number) -> Number:
    """By Halley's steps from a value of few digits, three times as many each.

    mpmath takes secants, in all digits from the first one on: seven values of erf.
    """
    if not abs(y) < 1 or not y:
        return mpmath.erfinv(y)
    wanted, lost = mpmath.mp.prec, max(0, -int(mpmath.mag(1 - abs(y))))
    with mpmath.workprec(_SHORT + lost):
        x = mpmath.erfinv(+y)
    bits = _SHORT - 10
    while bits < wanted + _GUARD:
        bits = min(3 * bits - 10, wanted + _GUARD)
        with mpmath.workprec(bits + lost):
            step = (erf(x) - y) * mpmath.exp(x * x) * mpmath.sqrt(mpmath.pi) / 2
            x -= step / (1 + x * step)
    return +x


def loggamma(x: Number) -> Number:
    """By Stirling's first terms where the next, 1/(12 x), is beyond all digits."""
    if not mpmath.isfinite(x) or mpmath.mag(x) < mpmath.mp.prec:
        return mpmath.loggamma(x) if mpmath.mp.prec < _TAYLOR or not x > 0 else _shifted(x)
    return (x - mpmath.mpf("0.5")) * mpmath.log(x) - x + mpmath.log(2 * mpmath.pi) / 2


def _shifted(x: Number) -> Number:
    """log Γ(x + N) - log x (x + 1) ... (x + N - 1): the coefficients of mpmath's series take 10 s.

    As many digits more as cancel near 1 and 2.
    """
    if x in (1, 2):
        return mpmath.mpf(0)
    cancelled = max(0, *(-int(mpmath.mag(x - zero)) for zero in (1, 2)))
    with mpmath.extraprec(64 + cancelled):
        steps = max(0, int(0.3 * mpmath.mp.prec - x))
        product = mpmath.mpf(1)
        for k in range(steps):
            product *= x + k
        found = mpmath.loggamma(x + steps) - mpmath.log(product)
    return +found


def polygamma(n: int, x: Number) -> Number:
    """psi_n(x), on the left by reflection: mpmath takes -x steps. Raises Outside."""
    if x > 0 or mpmath.isnan(x):
        return mpmath.psi(n, x)
    if not mpmath.isfinite(x) or mpmath.mag(x) > 10 * HUGE or x == mpmath.floor(x):
        raise Outside
    terms = [mpmath.mpf(0), mpmath.pi]  # of pi cot(pi x), and then of its derivatives, in the cot
    for _ in range(n):
        slope = [-mpmath.pi * k * c for k, c in enumerate(terms)][1:]
        terms = [a + b for a, b in zip([*slope, 0, 0], [0, 0, *slope], strict=True)]
    cot = mpmath.cospi(x) / mpmath.sinpi(x)
    return (-1) ** n * mpmath.psi(n, 1 - x) - mpmath.polyval(terms[::-1], cot)
