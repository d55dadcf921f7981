"""A formula's value and derivatives from one side, in many digits, by no rule of differentiation.

What the rules of `analytic` cannot do in double precision: corners, removable points such as that
of sin(z)/z, and where terms overflow or cancel. With nodes on one side of z only,

    f'(z + 0) = lim (f(z + 2h) - f(z + h))/h,    f''(z + 0) = lim D^2 f/h^2

A formula is a tree of nested tuples, see `analytic`. Nothing of symnet's is imported here
but the lock of `precision`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from statistics import NormalDist
from typing import Any, TypeAlias

import mpmath

from symnet import precision

Number: TypeAlias = Any
Jet: TypeAlias = tuple[float, float, float]

_STEP = 25  # digits of 1/h for z = 1
_DIGITS = (140, 420, 1000, 1200)  # tried one after the other until two agree
_INFINITE = 1e9  # times f/z, or 1: a slope on both sides of a corner that counts as such
_NOTHING = 1e-200  # what is compared with nothing: rounding in the most of these digits
_HUGE = 3_000  # bits of an exponent beyond which exp is 0 or infinite
SINES = ("sin", "cos", "tan")
_SLOW = ("erf", "erfc", "erfinv", "loggamma", "digamma")
_STEPPED = 1e-18  # by how much a step to a side moves a value: 0 is the least of z tanh(z)
_BEYOND = 10**6  # decades: of no double
_NAN = (float("nan"),) * 3


@lru_cache(maxsize=50_000)
def jet(tree: Any, z: float, corner: bool, plain: float) -> Jet | None:
    """Value, first and second derivative of the formula at z; NaN where it has no value.

    At a corner, where the sides differ, the derivative is the one between them that is nearest to
    `plain`, which the formula itself has there. None at a pole and at an end of the domain: there
    is no limit from both sides; where a piece of its own has a value there, that and NaN. NaN where
    no double has a phase in a sine, and where as many digits as there are do not tell.
    """
    if _turns(tree, z) == _BEYOND:
        return _NAN
    here = _here(tree, z)
    if here is None and not any(_differences(tree, z, side, _DIGITS[0]) for side in (1, -1)):
        return _NAN
    right = _side(tree, z, 1)
    left = _side(tree, z, -1)
    if any(map(mpmath.isnan, (here or 0, *(right or ()), *(left or ())))):
        return _NAN
    if left is None and here is not None and not corner:
        left = right
    if corner and here is not None and (right is None) != (left is None):
        return float(here), math.nan, math.nan
    if right is None or left is None:
        return None
    if here is None and not all(
        abs(a - b) <= 1e-9 * (1 + abs(a)) for a, b in zip(left, right, strict=True)
    ):
        return None
    value = right[0] if here is None else here
    if not corner and min(abs(value - side[0]) for side in (left, right)) > _STEPPED:
        value = _between(value, left[0], right[0])
    usual = max(1, abs(value / z)) if z else 1
    steep = min(abs(left[1]), abs(right[1])) > _INFINITE * usual
    if corner and steep and left[1] * right[1] > 0:
        return float(value), math.copysign(math.inf, right[1]), math.nan
    slope, bend = (_between(wanted, left[r], right[r]) for r, wanted in ((1, plain), (2, 0.0)))
    return float(value), float(slope), float(bend)


def _here(tree: Any, z: float) -> Number | None:
    """The value at z itself, in as many digits as it takes; NaN where none do."""
    before: Number | None = None
    for digits in _digits(tree):
        with precision.digits(digits):
            found = _real(tree, mpmath.mpf(z))
        if None not in (found, before) and _same(before, found) and _is_sure(found, tree, digits):
            return found
        before = found
    return None if before is None else mpmath.nan


def _between(wanted: float, a: Number, b: Number) -> Number:
    low, high = min(a, b), max(a, b)
    return low if wanted < low else high if wanted > high else mpmath.mpf(wanted)


def _side(tree: Any, z: float, side: int) -> list[Number] | None:
    """Value and derivatives from one side, in as many digits as it takes; NaN where none do."""
    before: list[Number] | None = None
    for digits in _digits(tree):
        found = _differences(tree, z, side, digits)
        if found and before and all(map(_same, before, found)) and _is_sure(found[0], tree, digits):
            return found
        before = found
    return None if before is None else [mpmath.nan] * 3


def _is_sure(value: Number, tree: Any, digits: int) -> bool:
    """Of a 0 only in all digits: 1 + tanh(-500) is one in 400 of them."""
    return bool(value) or _is_slow(tree) or digits == _digits(tree)[-1]


@lru_cache(maxsize=4096)
def _digits(tree: Any) -> tuple[int, ...]:
    """The digits that are tried; of functions that take seconds in the most of them, fewer."""
    return _DIGITS[:3] if _is_slow(tree) else _DIGITS


def _is_slow(tree: Any) -> bool:
    return isinstance(tree, tuple) and (tree[0] in _SLOW or any(map(_is_slow, tree[1:])))


def _same(a: Number, b: Number) -> bool:
    return bool(abs(a - b) <= 1e-18 * abs(b) or max(abs(a), abs(b)) < _NOTHING)


def _turns(tree: Any, z: float) -> int:
    """Decades of the largest argument of a sine, or tangent: one step of z turns it so far."""
    if not isinstance(tree, tuple):
        return 0
    parts = [part for part in tree[1:] if isinstance(part, tuple)]
    found = max((_turns(part, z) for part in parts), default=0)
    if tree[0] in SINES:
        with precision.digits(_DIGITS[0]):
            angle = _angle(tree[1], mpmath.mpf(z))
        found = max(found, _BEYOND if angle is None else int(mpmath.mag(angle) * 0.30103))
    return found


def _angle(tree: Any, z: Number) -> Number | None:
    """A sine's argument; None where it is beyond all doubles, 0 where there is none."""
    try:
        found = _value(tree, z)
    except (ArithmeticError, ValueError):
        return mpmath.mpf(0)
    return None if mpmath.isinf(found) or mpmath.mag(found) > 1024 else found or mpmath.mpf(1)


def _differences(tree: Any, z: float, side: int, digits: int) -> list[Number] | None:
    small = 0 if z == 0 else max(0, -int(mpmath.log10(abs(z))))
    turns = _turns(tree, z)
    with precision.digits(digits + 3 * small + 3 * turns):
        point = mpmath.mpf(z)
        h = side * mpmath.mpf(10) ** -(_STEP + turns) * (abs(point) or 1)
        a = _real(tree, point + h)  # where there is none the rest would take its time
        b = None if a is None else _real(tree, point + 2 * h)
        c = None if b is None else _real(tree, point + 3 * h)
        if a is None or b is None or c is None:
            return None
        return [a, (b - a) / h, (c - 2 * b + a) / h**2]


def _real(tree: Any, z: Number) -> Number | None:
    """The formula at z, None where it has no finite real value."""
    try:
        found = _value(tree, z)
    except (ArithmeticError, ValueError):
        return None
    return found if mpmath.isfinite(found) else None


def _value(tree: Any, z: Number) -> Number:
    if isinstance(tree, str):
        return z if tree == "z" else _constant(tree)
    if isinstance(tree, (int, float)):
        return mpmath.mpf(tree)
    operation, *arguments = tree
    if operation == "piecewise":
        return _piecewise(arguments, z)
    return _FUNCTIONS[operation](*(_value(argument, z) for argument in arguments))


def _constant(word: str) -> Number:
    if word in ("pi", "e"):
        return +getattr(mpmath, word)
    top, _, bottom = word.partition("/")
    return mpmath.mpf(int(top)) / int(bottom)


def _piecewise(arguments: Sequence[Any], z: Number) -> Number:
    *pieces, otherwise = arguments
    for value, (relation, left, right) in pieces:
        if _RELATIONS[relation](_value(left, z), _value(right, z)):
            return _value(value, z)
    return _value(otherwise, z)


def _exp(x: Number) -> Number:
    if mpmath.isfinite(x) and mpmath.mag(x) > _HUGE:
        return mpmath.inf if x > 0 else mpmath.mpf(0)
    return mpmath.exp(x)


def _within(function: Callable[[Number], Number], low: float, high: float) -> Any:
    def guarded(x: Number) -> Number:
        if not low <= x <= high:
            raise ValueError(x)
        return function(x)

    return guarded


def _saturating(function: Callable[[Number], Number], right: float, left: float) -> Any:
    """What far out is a number by name: mpmath would write the exponent's powers of 2 out."""

    def guarded(x: Number) -> Number:
        if mpmath.isfinite(x) and mpmath.mag(x) > _HUGE:
            return mpmath.mpf(right if x > 0 else left)
        return function(x)

    return guarded


def _periodic(function: Callable[[Number], Number]) -> Any:
    """Without a value where an argument has too many digits before the point to be reduced."""

    def guarded(x: Number) -> Number:
        if not mpmath.isfinite(x) or mpmath.mag(x) > 10 * _HUGE:
            raise ValueError(x)
        return function(x)

    return guarded


def _positive(function: Callable[[Number], Number]) -> Any:
    def guarded(x: Number) -> Number:
        if x <= 0:
            raise ValueError(x)
        return function(x)

    return guarded


_log = _positive(mpmath.log)


def _pow(x: Number, p: Number) -> Number:
    if p == int(p) and abs(p) < 10_000:
        return x ** int(p)
    return mpmath.mpf(0) if x == 0 and p > 0 else _exp(p * _log(x))


def _erfinv(x: Number) -> Number:
    """By Newton's steps from a double's digits: mpmath's own takes ten times as long."""
    size = abs(x)
    if size == 1 or not x:
        return x / (1 - size) if not x else mpmath.sign(x) * mpmath.inf
    if 1 - size < 1e-15 or size < 1e-300:
        return mpmath.erfinv(x)
    y = mpmath.mpf(NormalDist().inv_cdf((1 + float(x)) / 2)) / mpmath.sqrt(2)
    if size < 1e-3:
        y = x * mpmath.sqrt(mpmath.pi) / 2
    digits = mpmath.mp.dps
    known = 3
    while known < 2 * digits:
        with precision.digits(min(2 * known, digits) + 10):
            left = (_erf(y) - x) * mpmath.sqrt(mpmath.pi) / 2 * mpmath.exp(y * y)
            y -= left / (1 + y * left)  # Halley's
        known *= 3
    return +y


_TAIL = 6  # from where on 1 - erf is small
_SHORT = 60  # bits of a number that neighbours have in common
_MANY = 400  # bits, from which on one series for neighbours is quicker than theirs


@lru_cache(maxsize=256)
def _around(base: Number, bits: int) -> tuple[Number, ...]:
    """Coefficients of erfc(base + d) in d, by w'' = -2 x w' of its slope w'."""
    slope = -2 / mpmath.sqrt(mpmath.pi) * mpmath.exp(-base * base)
    terms = [mpmath.erfc(base), slope, -base * slope]
    for n in range(2, bits // (_SHORT - 2 * int(mpmath.mag(base))) + 2):
        terms.append(-2 * (base * n * terms[n] + (n - 1) * terms[n - 1]) / (n * (n + 1)))
    return tuple(reversed(terms))


def _complement(x: Number) -> Number:
    """erfc(x): of the nodes of a difference by one series, as mpmath's takes milliseconds each."""
    if mpmath.mp.prec < _MANY or not 1 < abs(x) < 100:
        return mpmath.erfc(x)
    with precision.bits(_SHORT):
        base = +x
    return mpmath.polyval(_around(base, mpmath.mp.prec), x - base)


def _tail(x: Number) -> Number:
    """erfc(x), to as many digits after the point as numbers near 1 have."""
    left = mpmath.mp.dps - x * x / mpmath.log(10)
    if left < 1:
        return mpmath.mpf(0)
    with precision.digits(int(left) + 10):
        return _complement(x)


def _erf(x: Number) -> Number:
    if abs(x) < 1:
        return mpmath.erf(x)
    return mpmath.sign(x) * (1 - (_tail if abs(x) > _TAIL else _complement)(abs(x)))


def _erfc(x: Number) -> Number:
    if x < -_TAIL:
        return 2 - _tail(-x)
    return _complement(x) if x < 1e100 else mpmath.mpf(0)


_ANY = float("inf")
_RELATIONS: dict[str, Callable[[Number, Number], bool]] = {
    "<": lambda a, b: bool(a < b),
    "<=": lambda a, b: bool(a <= b),
    ">": lambda a, b: bool(a > b),
    ">=": lambda a, b: bool(a >= b),
}
_FUNCTIONS: dict[str, Callable[..., Number]] = {
    "add": lambda *terms: mpmath.fsum(terms),
    "mul": lambda *factors: mpmath.fprod(factors),
    "pow": _pow,
    "min": min,
    "max": max,
    "abs": abs,
    "exp": _exp,
    "sinh": _saturating(mpmath.sinh, _ANY, -_ANY),
    "cosh": _saturating(mpmath.cosh, _ANY, _ANY),
    "tanh": _saturating(mpmath.tanh, 1, -1),
    "sin": _periodic(mpmath.sin),
    "cos": _periodic(mpmath.cos),
    "tan": _periodic(mpmath.tan),
    "log": _log,
    "sqrt": _within(mpmath.sqrt, 0, _ANY),
    "asin": _within(mpmath.asin, -1, 1),
    "acos": _within(mpmath.acos, -1, 1),
    "acosh": _within(mpmath.acosh, 1, _ANY),
    "atanh": _within(mpmath.atanh, -1, 1),
    "erf": _erf,
    "erfc": _erfc,
    **{name: getattr(mpmath, name) for name in ("atan", "asinh", "sign")},
    "erfinv": _within(_erfinv, -1, 1),
    "loggamma": _positive(mpmath.loggamma),
    "digamma": _periodic(mpmath.digamma),
    "round": mpmath.nint,
    "floor": mpmath.floor,
    "ceil": mpmath.ceil,
}
