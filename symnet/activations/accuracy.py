"""How accurate an expression is in double precision, against many digits on a grid of z.

An error is measured against the derivative itself and what z's own last digit changes it by:

    |error| <= 1000 eps (|f^(r)| + |z| |f^(r+1)|)

Beside it counts what is not there: a NaN where the formula has a value, be that beyond all doubles,
and a value where it has none.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias

import mpmath
import numpy as np
import sympy
from numpy.typing import NDArray
from sympy import Expr, Piecewise, S
from sympy.codegen.cfunctions import expm1, log1p

from symnet.activations import digits
from symnet.activations.digits import Number
from symnet.activations.functions import POLYGAMMAS, STEPS, erfcx, held, rint, undefined
from symnet.activations.identities import renamed
from symnet.activations.systems import Z

Array: TypeAlias = NDArray[Any]

TOLERANCE = 1000 * float(np.finfo(np.float64).eps)
_TINY = 1e-290  # beside which nothing is lost that a double could hold
_MOST = float(np.finfo(np.float64).max)
LARGEST = 1e290  # from here on a result may be infinite: something before it was
_MORE = (360, 1200)
"""Digits that are added until a result is seen to be right, or still is not."""

SIZES = (
    *(1e-20, 1e-8, 1e-3, 0.1, 0.5, 1.0, 1.2784645, 2.0, 3.0, 3.7, 6.0, 10.0, 20.0, 25.0, 30.0),
    *(33.3, 37.0, 40.0, 60.0, 100.0, 200.0, 350.0, 390.0, 550.0, 710.0, 800.0, 1e4),
    *(0.3141593, 0.9339484, 2.6457513, 17.320508),
)
"""Sizes of z to look at, some of them no short numbers: those round too well."""

_FAR = (1e8, 1e16, 1e100, 1e200, 1e300)
_SLOW = (sympy.erf, sympy.erfc, erfcx, sympy.erfinv, sympy.loggamma, sympy.polygamma)
"""Functions that take long in the most of these digits."""

_OSCILLATING = (sympy.sin, sympy.cos, sympy.tan, *STEPS, sympy.polygamma)


class Fault(NamedTuple):
    """An error beyond the tolerance: the derivative's order, where, what was found, the truth."""

    order: int
    z: float
    found: float
    truth: Number | None


def grid(formula: Expr, low: Expr, high: Expr, marks: Sequence[Expr] = ()) -> Array:
    """Points of the open interval to look at: both tails, and beside its ends and the marks."""
    sizes = [*SIZES, *(() if formula.has(*_OSCILLATING) else _FAR)]
    points = [0.0, *sizes, *(-size for size in sizes)]
    ends = [float(end) for end in (low, high, *marks) if end.is_finite]
    for end in ends:
        steps = [max(1.0, abs(end)) * s for s in (1e-8, 1e-4, 1e-2, 0.1, 0.3)]
        points += [end, *(end + s for s in steps), *(end - s for s in steps)]
    a, b = (float(end) for end in (low, high))
    return np.array(sorted({p for p in points if a < p < b}))


def faults(
    found: Array, formula: Expr, order: int, points: Array, corners: bool = False
) -> list[Fault]:
    """Where `found` is not the derivative of that order of `formula` at the points.

    With `corners` anything between the two sides' derivatives is right.
    """
    wrong = []
    for z, value in zip(points.tolist(), found.tolist(), strict=True):
        doubt = _doubt(formula, order, z, value, 0, corners)
        wrong += [_settled(formula, doubt, corners)] if doubt else []
    return [fault for fault in wrong if fault is not None]


def _settled(formula: Expr, doubt: Fault, corners: bool) -> Fault | None:
    """The fault with its truth in as many digits as it takes, if it is one indeed."""
    order, z, found, truth = doubt
    if not math.isfinite(found):
        return doubt
    for more in _MORE:
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
    return still


def _same(a: Number, b: Number) -> bool:
    return bool(abs(a - b) <= 1e-10 * abs(b))


def _doubt(
    formula: Expr, order: int, z: float, found: float, more: int, corners: bool
) -> Fault | None:
    sides = [
        truths(formula, z, max(order, 2), side, more) for side in ((1, -1) if corners else (1,))
    ]
    known = [side for side in sides if side is not None]
    if not known:
        return None if math.isnan(found) else Fault(order, z, found, None)
    if any(_close(found, z, side[order], side[order + 1]) for side in known):
        return None
    if not math.isfinite(found) and abs(known[0][order]) < _MOST < abs(known[0][0]):
        return None  # as the value itself: z^3 at 1e200, of which the slope is a double
    if math.isinf(found) and digits.value(formula, mpmath.mpf(z)) is None:
        return None
    if math.isnan(found) and _is_pole(formula, z, known[0][0]):
        return None
    within = sorted(side[order] for side in known)
    if corners and within[0] <= found <= within[-1]:
        return None
    return Fault(order, z, found, known[0][order])


def _is_pole(formula: Expr, z: float, beside: Number) -> bool:
    step = digits.STEP * max(1.0, abs(z))
    return abs(beside) > step**-0.5 and digits.value(formula, mpmath.mpf(z)) is None


@lru_cache(maxsize=20_000)
def truths(formula: Expr, z: float, order: int, side: int, more: int) -> list[Number] | None:
    """The derivatives of the orders up to one more than `order`, from one side.

    A 0 may be what is lost beside 1 in so many digits, as exp(-800) in log(1 + exp(z)) is: it is
    one if it is in all digits.
    """
    found = digits.derivatives(formula, z, order + 1, side, more)
    most = _MORE[0 if formula.has(*_SLOW) else -1]
    if found is None or more >= most or all(found) or not formula.atoms(sympy.Function):
        return found
    return digits.derivatives(formula, z, order + 1, side, most)


def _close(found: float, z: float, truth: Number, slope: Number) -> bool:
    if abs(truth) > LARGEST:
        return abs(found) > LARGEST and (found > 0) == bool(truth > 0)
    if not math.isfinite(found):
        return False
    # The truth is that of a few steps beside z.
    beside = 10 * digits.STEP * (abs(z) or 1.0)
    allowed = (TOLERANCE * abs(z) + beside) * abs(slope) + TOLERANCE * abs(truth) + _TINY
    return bool(abs(mpmath.mpf(found) - truth) <= allowed)


# --- expressions in double precision --------------------------------------------------------------


def doubles(expression: Expr, points: Array) -> Array:
    """The expression in z at these points, computed in double precision."""
    with np.errstate(all="ignore"):
        return np.broadcast_to(_evaluator(expression)(points), points.shape).astype(np.float64)


def in_steps(shared: Sequence[tuple[Any, Expr]], results: Sequence[Expr], z: Array) -> list[Array]:
    """The results in z and shared temporaries, at these points."""
    known: dict[Any, Array] = {Z: z}
    with np.errstate(all="ignore"):
        for symbol, definition in shared:
            known[symbol] = _steps(definition)(known)
        return [np.broadcast_to(_steps(e)(known), z.shape).astype(np.float64) for e in results]


def _evaluator(expression: Expr) -> Callable[[Array], Any]:
    function = _steps(expression)
    return lambda z: function({Z: z})


@lru_cache(maxsize=8192)
def _steps(node: Expr) -> Callable[[Mapping[Any, Array]], Any]:
    if node.is_Symbol:
        return lambda known: known[node]
    if node.is_number:
        number = float(node) if node.is_extended_real else math.nan
        return lambda _: number
    if isinstance(node, Piecewise):
        return _chosen(node)
    parts = [_steps(argument) for argument in node.args]
    if isinstance(node, sympy.Pow) and node.exp.is_Integer:
        base, n = parts[0], int(node.exp)
        return lambda known: _power(np.asarray(base(known)), n)
    if isinstance(node, sympy.Mul):
        return _product(node)
    if isinstance(node, sympy.Pow) and node.exp == S.Half:
        return lambda known: np.sqrt(parts[0](known))
    function = _FUNCTIONS.get(type(node))
    if function is None:
        raise ValueError(f"{type(node).__name__} has no value in double precision")
    if len(parts) == 1:
        return lambda known: function(parts[0](known))
    return lambda known: _folded(function, [part(known) for part in parts])


def _product(node: Expr) -> Callable[[Mapping[Any, Array]], Any]:
    """In its order, and as a quotient where a backend may write one: right only if both are."""
    factors = [_steps(factor) for factor in node.args]
    below = [f for f in node.args if isinstance(f, sympy.Pow) and f.exp.could_extract_minus_sign()]
    if not below:
        return lambda known: _folded(np.multiply, [factor(known) for factor in factors])
    above = [_steps(factor) for factor in node.args if factor not in below] or [_steps(S.One)]
    under = [_steps(1 / factor) for factor in below]

    def value(known: Mapping[Any, Array]) -> Any:
        in_order = _folded(np.multiply, [factor(known) for factor in factors])
        top = _folded(np.multiply, [factor(known) for factor in above])
        quotient = top / _folded(np.multiply, [factor(known) for factor in under])
        return np.where(np.isfinite(in_order), quotient, in_order)

    return value


def _power(base: Array, n: int) -> Array:
    """As generated code multiplies."""
    return 1 / _power(base, -n) if n < 0 else base**n


def _folded(function: Any, values: Sequence[Any]) -> Any:
    result = values[0]
    for value in values[1:]:
        result = function(result, value)
    return result


def _chosen(node: Piecewise) -> Callable[[Mapping[Any, Array]], Any]:
    arms = [(_steps(value), _condition(test)) for value, test in node.args]

    def value(known: Mapping[Any, Array]) -> Any:
        result: Any = np.nan
        for arm, test in reversed(arms):
            result = np.where(test(known), arm(known), result)
        return result

    return value


def _condition(test: Any) -> Callable[[Mapping[Any, Array]], Any]:
    if test in (sympy.true, sympy.false):
        return lambda _: bool(test)
    if isinstance(test, (sympy.And, sympy.Or)):
        parts = [_condition(part) for part in test.args]
        join = np.logical_and if isinstance(test, sympy.And) else np.logical_or
        return lambda known: _folded(join, [part(known) for part in parts])
    left, right = _steps(test.lhs), _steps(test.rhs)
    compare = _RELATIONS[test.rel_op]
    return lambda known: compare(left(known), right(known))


def _rounded(function: Callable[[Number], Number]) -> Any:
    """In more digits than a double's, rounded once; NaN where there is no real number."""

    def value(x: float) -> float:
        with mpmath.workdps(30):
            try:
                found = function(mpmath.mpf(x))
            except (ArithmeticError, ValueError):
                return math.nan
        return math.nan if isinstance(found, mpmath.mpc) else float(found)

    return np.vectorize(value, otypes=[np.float64])


def _polygamma(n: int) -> Any:
    return _rounded(lambda x: digits.polygamma(n, x))


_RELATIONS = {"<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal}
_FUNCTIONS: Mapping[Any, Any] = MappingProxyType(
    {
        sympy.Add: np.add,
        sympy.Mul: np.multiply,
        sympy.Pow: np.power,
        sympy.exp: np.exp,
        sympy.log: np.log,
        expm1: np.expm1,
        log1p: np.log1p,
        sympy.sin: np.sin,
        sympy.cos: np.cos,
        sympy.tan: np.tan,
        sympy.asin: np.arcsin,
        sympy.acos: np.arccos,
        sympy.atan: np.arctan,
        sympy.sinh: np.sinh,
        sympy.cosh: np.cosh,
        sympy.tanh: np.tanh,
        sympy.asinh: np.arcsinh,
        sympy.acosh: np.arccosh,
        sympy.atanh: np.arctanh,
        sympy.Abs: np.abs,
        sympy.sign: np.sign,
        sympy.floor: np.floor,
        sympy.ceiling: np.ceil,
        rint: np.rint,
        sympy.erfinv: _rounded(mpmath.erfinv),
        sympy.loggamma: _rounded(mpmath.loggamma),
        sympy.polygamma: lambda n, x: _polygamma(int(n))(x),
        **{function: _polygamma(n) for n, function in enumerate(POLYGAMMAS)},
        held: lambda x: x,
        undefined: lambda z: np.full_like(z, np.nan),
        sympy.Max: np.maximum,
        sympy.Min: np.minimum,
        sympy.erf: np.vectorize(math.erf, otypes=[np.float64]),
        sympy.erfc: np.vectorize(math.erfc, otypes=[np.float64]),
        erfcx: np.vectorize(
            lambda x: float(mpmath.exp(mpmath.mpf(x) ** 2) * mpmath.erfc(x)), otypes=[np.float64]
        ),
    }
)
