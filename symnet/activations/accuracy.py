"""How accurate an expression is in double precision, against many digits on a grid of z.

An error is measured against the derivative itself and what z's own last digit changes it by:

    |error| <= 1000 eps (|f^(r)| + |z| |f^(r+1)|)

Beside it counts what is not there: a NaN where the formula has a value, be that beyond all doubles,
and a value where it has none.

At all sizes of z that doubles have, powers of z may be beyond them: there the same steps in a type
of more exponents tell where many digits are to be asked.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias

import mpmath
import numpy as np
import sympy
from numpy.typing import NDArray
from sympy import Abs, Expr, Piecewise
from sympy.core.relational import Relational

from symnet import precision
from symnet.activations import digits
from symnet.activations.arithmetic import ROUNDED, in_steps
from symnet.activations.centres import centres
from symnet.activations.digits import Number
from symnet.activations.functions import STEPS, erfcx, undefined
from symnet.activations.identities import complemented, renamed
from symnet.activations.multiple import multiple
from symnet.activations.systems import Z
from symnet.progress import still

Array: TypeAlias = NDArray[Any]

TOLERANCE = 1000 * float(np.finfo(np.float64).eps)
_TINY = 1e-290  # beside which nothing is lost that a double could hold
_LARGEST_FLOAT = 1e37
LARGEST = 1e290  # from here on a result may be infinite: something before it was
_MORE = (360, 1200)
"""Digits that are added until a result is seen to be right, or still is not."""

SIZES = (
    *(1e-20, 1e-8, 1e-3, 0.1, 0.5, 1.0, 1.2784645, 2.0, 3.0, 3.7, 6.0, 10.0, 20.0, 25.0, 30.0),
    *(33.3, 37.0, 40.0, 60.0, 100.0, 200.0, 350.0, 390.0, 550.0, 710.0, 800.0, 1e4),
    *(0.3141593, 0.9339484, 2.6457513, 17.320508),
)
"""Sizes of z to look at, some of them no short numbers: those round too well."""

FAR = (1e8, 1e16, 1e100, 1e200, 1e300)
"""Sizes beyond all of these."""

_NEIGHBOURS = 8  # on each side
_CORNER = 2  # units of z's last digit that a corner at cos(z/2 + pi/4) = 0 may be off
_SHARES = 1e-12, 1e-10, 7.123456e-9, 1e-4, 1e-2, 0.1, 0.3  # of an end's size, beside it
_BESIDE = (0.0, 1e-9, -1e-9, 0.03, -0.03, 0.3)  # shares of where a seam is
_FAST = 1e4  # that sines turn by from 0 to z: before, neighbours are in the same phase
_POLE = 1e20  # times what is beside it, in so many digits:
_DIGITS = 80
_BEFORE = 1e10  # times nearer: where it is right for sure
_LONGER = np.finfo(np.longdouble).maxexp > np.finfo(np.float64).maxexp
_FEW = 16  # places far out at which many digits are asked
_EVERY = 1 if _LONGER else 20  # decades from one size of z to the next, where all digits are asked
_ALL = tuple(
    float(f"{1 + 7 * k % 9}.{abs(k)}e{k}") for k in range(-307, 308, _EVERY) if not -21 < k < 5
)
_FARTHEST = 1e70
"""Beyond anyone's z, and its inverse below: NaN will do there, where nothing else is right."""
_SLOW = (sympy.erf, sympy.erfc, erfcx, sympy.erfinv, sympy.loggamma, sympy.polygamma)
"""Functions that take long in the most of these digits."""

_OSCILLATING = (sympy.sin, sympy.cos, sympy.tan, *STEPS, sympy.polygamma)


class Fault(NamedTuple):
    """An error beyond the tolerance: the derivative's order, where, what was found, the truth."""

    order: int
    z: float
    found: float
    truth: Number | None


class Grid(NamedTuple):
    """Points to look at, and more of them for what only under- or overflow spoils."""

    points: Array
    far: Array = np.array([])


def grid(formula: Expr, low: Expr, high: Expr, order: int, marks: Sequence[Expr] = ()) -> Grid:
    """Points of the open interval to look at: both tails, and beside ends, marks and centres.

    Among these the multiple zeros of the derivatives up to `order`.
    """
    sizes = [*SIZES, *(() if formula.has(sympy.polygamma) else FAR)]
    points = [0.0, *sizes, *(-size for size in sizes)]
    places = {low, high, *marks, *centres(formula), *multiple(formula, order)}
    for end in (float(place) for place in places if place.is_finite):
        steps = [max(1.0, abs(end)) * share for share in _SHARES]
        steps += [k * math.ulp(end) for k in (1, 3) if end]
        points += [end, *(end + s for s in steps), *(end - s for s in steps)]
    far = () if formula.has(*_OSCILLATING, *ROUNDED) else (*_ALL, *(-size for size in _ALL))
    a, b = (float(end) for end in (low, high))
    return Grid(*(np.array(sorted({p for p in some if a < p < b})) for some in (points, far)))


def seams(expression: Expr, low: Expr, high: Expr) -> Grid:
    """Points beside the places where an expression takes another arm."""
    places: set[float] = set()
    for test in expression.atoms(Relational):
        bounds = [side for side in test.args if side.is_number]
        for middle in (sympy.S.Zero, *(-u.args[0].subs(Z, 0) for u in test.atoms(sympy.Abs))):
            places |= {float(middle + sign * bound) for bound in bounds for sign in (1, -1)}
    a, b = float(low), float(high)
    points = {place * (1 + share) for place in places for share in _BESIDE}
    return Grid(np.array(sorted(p for p in points if a < p < b)))


def faults(
    shared: Sequence[tuple[Any, Expr]],
    results: Mapping[int, Expr],
    formula: Expr,
    at: Grid,
    corners: bool = False,
) -> Iterator[Fault]:
    """Where the results, by order, are not the derivatives of `formula`, one by one.

    With `corners` anything between the two sides' derivatives is right.
    """
    formula = complemented(formula)
    expressions = list(results.values())
    found = in_steps(shared, expressions, at.points)
    far = in_steps(shared, expressions, at.far)
    longer = in_steps(shared, expressions, at.far.astype(np.longdouble))
    for order, near, short, long in zip(results, found, far, longer, strict=True):
        spoiled = _some_of_each(at.far, short, np.flatnonzero(~_agree(short, long)))
        points = np.concatenate([at.points, at.far[spoiled]])
        values = np.concatenate([near, short[spoiled]])
        for z, value in zip(points.tolist(), values.tolist(), strict=True):
            still()
            doubt = _doubt(formula, order, z, value, 0, corners)
            fault = None if doubt is None else _settled(formula, doubt, corners)
            if fault is not None:
                yield fault


def is_narrow(
    shared: Sequence[tuple[Any, Expr]], results: Sequence[Expr], at: Grid, most: float = 1e4
) -> bool:
    """Whether in single precision, too, nothing overflows that is a number of that."""
    points = at.points[np.abs(at.points) <= most].astype(np.float32)
    found = in_steps(shared, results, points)
    right = in_steps(shared, results, points.astype(np.float64))
    return not any(
        (~np.isfinite(short) & (np.abs(long) < _LARGEST_FLOAT)).any()
        for short, long in zip(found, right, strict=True)
    )


def pardoned(formula: Expr, fault: Fault) -> bool:
    """Whether NaN is what is found, and will do: nobody's z, or a sine without a phase."""
    return math.isnan(fault.found) and (is_out(fault.z) or _without_phase(formula, fault.z))


def limited(expression: Expr, wrong: Iterable[Fault]) -> Expr:
    """The expression, NaN for all z that nobody has from where it is wrong."""
    sizes = [abs(fault.z) for fault in wrong if is_out(fault.z)]
    far, small = [s for s in sizes if s > 1], [s for s in sizes if s < 1]
    arms = []
    if far:
        arms.append(Abs(Z) > _decade(max(min(far) / _BEFORE, _FARTHEST)))
    if small:
        near = _decade(min(max(small) * _BEFORE, 1 / _FARTHEST))
        arms.append(sympy.And(Abs(Z) > 0, Abs(Z) < near))
    return Piecewise(*((undefined(Z), arm) for arm in arms), (expression, True))


def is_out(z: float) -> bool:
    """Whether it is larger or smaller than anyone's z."""
    return abs(z) > _FARTHEST or 0 < abs(z) < 1 / _FARTHEST


def _decade(size: float) -> Expr:
    return sympy.Float(f"1e{round(math.log10(size))}")


def _without_phase(formula: Expr, z: float) -> bool:
    """Whether the argument of a sine or tangent is beyond all doubles."""
    inner = {node.args[0] for node in formula.atoms(*digits.SINES)}
    values = (digits.value(u, mpmath.mpf(z)) for u in inner)
    return any(value is not None and abs(value) > LARGEST for value in values)


def _some_of_each(z: Array, found: Array, places: Array) -> Array:
    """Few of those where NaN will do, which may be nearly all, and of the others."""
    will_do = np.array([bool(np.isnan(found[k])) and is_out(z[k]) for k in places], dtype=bool)
    return np.concatenate([_some(places[will_do]), _some(places[~will_do])])


def _some(places: Array) -> Array:
    """Few of many, from one end to the other."""
    return (
        places[np.linspace(0, len(places) - 1, _FEW).astype(int)] if len(places) > _FEW else places
    )


def _agree(short: Array, long: Array) -> Array:
    """Where doubles have what a longer type has."""
    if not _LONGER:
        return np.zeros(short.shape, bool)
    with np.errstate(all="ignore"):
        near = np.abs(short - long) <= TOLERANCE * np.abs(long) + _TINY
        beyond = np.isinf(short) & (np.abs(long) > LARGEST) & (np.sign(short) == np.sign(long))
    return near & np.isfinite(short) | beyond & np.isfinite(long)


def _settled(formula: Expr, doubt: Fault, corners: bool) -> Fault | None:
    """The fault with its truth in as many digits as it takes, if it is one indeed."""
    order, z, found, truth = doubt
    for more in _MORE if math.isfinite(found) else ():
        still = _doubt(formula, order, z, found, more, corners)
        if still is None:
            return None
        if None not in (truth, still.truth) and _same(truth, still.truth):
            return still
        truth = still.truth
    named = renamed(formula)
    if truth is None and named != formula:
        # 1 - s(z) is 0 in any number of digits, far enough out; its logarithm has a name.
        return _doubt(named, order, z, found, 0, corners)
    return Fault(order, z, found, truth)


def _same(a: Number, b: Number) -> bool:
    return bool(abs(a - b) <= 1e-10 * abs(b))


def _doubt(
    formula: Expr, order: int, z: float, found: float, more: int, corners: bool
) -> Fault | None:
    sides = [
        truths(formula, place, max(order, 2), side, more) for place, side in _beside(z, corners)
    ]
    known = [side for side in sides if side is not None]
    if not known and digits.untold(formula, z):
        return Fault(order, z, found, None) if math.isnan(found) else None
    if not known and (named := renamed(formula)) != formula:
        return _doubt(named, order, z, found, more, corners)
    if not known:
        return None if math.isnan(found) else Fault(order, z, found, None)
    if any(_close(found, z, side[order], side[order + 1]) for side in known):
        return None
    if math.isinf(found) and _is_infinite(formula, z, known[0][0]):
        return None
    if math.isnan(found) and _is_pole(formula, z, known[0][0]):
        return None
    within = sorted(side[order] for side in known)
    if corners and within[0] <= found <= within[-1]:
        return None
    if math.isfinite(found) and _turns(formula, z) and _is_phase(formula, order, z, found):
        return None
    return Fault(order, z, found, known[0][order])


def _beside(z: float, corners: bool) -> Iterator[tuple[float, int]]:
    """z and the side it is come to from; with corners both, and as far off as these are rounded."""
    yield z, 1
    if corners:
        yield z, -1
        yield from ((z + side * _CORNER * math.ulp(z), side) for side in (1, -1))


def _turns(formula: Expr, z: float) -> bool:
    """Whether sines or steps turn so fast at z that its neighbours are in another phase."""
    return formula.has(*digits.TURNING) and bool(digits.scale(formula, z) * _FAST < abs(z))


def _is_phase(formula: Expr, order: int, z: float, found: float) -> bool:
    """Whether it is among what the formula is at the neighbours of z: cos(pi z) at 1e16."""
    with precision.digits(_DIGITS):  # no doubles, which far out are even numbers
        share = mpmath.sqrt(TOLERANCE**2 / 2) / _NEIGHBOURS
        beside = [z * (1 + k * share) for k in range(-_NEIGHBOURS, _NEIGHBOURS + 1)]
    sides = (truths(formula, x, max(order, 2), 1, 0) for x in beside)
    values = [side[order] for side in sides if side is not None]
    size = max(map(abs, values), default=mpmath.mpf(0))  # 2 z cos(z^2) is not 1e150 at 1e200
    return bool(values) and bool(min(values) <= found <= max(values)) and abs(found) >= size / 1e9


def _is_infinite(formula: Expr, z: float, beside: Number) -> bool:
    """Also where a pole has a value by its place's last digits, as tan(pi z - pi/2) at 0."""
    with precision.digits(_DIGITS):
        here = digits.value(formula, mpmath.mpf(z))
    return here is None or bool(abs(here) > _POLE * (1 + abs(beside)))


def _is_pole(formula: Expr, z: float, beside: Number) -> bool:
    step = digits.STEP * max(1.0, abs(z))
    return abs(beside) > step**-0.5 and digits.value(formula, mpmath.mpf(z)) is None


@lru_cache(maxsize=20_000)
def truths(formula: Expr, z: Number, order: int, side: int, more: int) -> list[Number] | None:
    """The derivatives of the orders up to one more than `order`, from one side.

    A 0 may be what is lost beside 1 in so many digits, as exp(-800) in log(1 + exp(z)) is: it is
    one if it is in all digits. So is the lack of a value, as of log(1 + tanh(z)) at -800.
    """
    found = digits.derivatives(formula, z, order + 1, side, more)
    most = _MORE[0 if formula.has(*_SLOW) else -1]
    if more >= most or (found and all(found)) or formula.is_polynomial(Z):
        return found
    return digits.derivatives(formula, z, order + 1, side, most)


def _close(found: float, z: float, truth: Number, slope: Number) -> bool:
    if math.isnan(found):
        return False
    # The truth is that of a few steps beside z.
    beside = 10 * digits.STEP * (abs(z) or 1.0)
    allowed = (TOLERANCE * abs(z) + beside) * abs(slope) + TOLERANCE * abs(truth) + _TINY
    if math.isinf(found) or abs(truth) > LARGEST:
        of_one_sign = found * truth > 0 or abs(truth) < allowed
        return bool(min(abs(truth), abs(found)) > LARGEST and of_one_sign)
    return bool(abs(mpmath.mpf(found) - truth) <= allowed)
