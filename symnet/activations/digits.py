"""Formulas of z in many digits: values, and one-sided derivatives without any rule for them.

    f^(r)(z + 0) = lim  D^r f / h^r,   D f = f(z + 2 h) - f(z + h),   h = 1e-25 |z|,

and less where sines or steps of z turn faster.

All nodes lie on one side of z and none at z, so a corner has two derivatives and a removable point
such as that of sin(z)/z is none.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from itertools import pairwise
from types import MappingProxyType
from typing import Any, TypeAlias

import mpmath
import sympy
from sympy import Expr, Piecewise
from sympy.codegen.cfunctions import expm1, log1p

from symnet import precision
from symnet.activations import special
from symnet.activations.functions import STEPS, erfcx, held, rint, undefined
from symnet.activations.identities import complement
from symnet.activations.special import Outside
from symnet.activations.systems import Z

Number: TypeAlias = Any
"""A real number of mpmath's."""

_STEP = 25  # digits of 1/h, for z = 1
STEP = 10.0**-_STEP
"""The step of differences, for z = 1."""
SINES = (sympy.sin, sympy.cos, sympy.tan)
TURNING = (*STEPS, *SINES)
"""What is another number one further on, however large its argument is."""
_ENDLESS = 10**9
_UNTOLD = 640  # digits, of what doubles have over 600
_UNEVEN = (sympy.Abs, sympy.sign, sympy.Max, sympy.Min, Piecewise)
_DIGITS = 40  # digits that a result has where nothing cancels


def value(formula: Expr, z: Number) -> Number | None:
    """The formula at z in mpmath's current precision, None where it is no finite real number."""
    try:
        found = evaluator(formula)(z)
    except (Outside, ZeroDivisionError, ValueError, OverflowError):
        return None
    return found if mpmath.isfinite(found) else None


def derivatives(
    formula: Expr, z: Number, highest: int, side: int = 1, extra: int = 0
) -> list[Number] | None:
    """The derivatives of orders 0 to `highest` at z, from the right (side 1) or the left (-1).

    `extra` digits more than where nothing cancels. None where the formula is not defined there.
    """
    step = scale(formula, z)
    lost = max(0.0, _decades(z) - _decades(step), -_decades(step))
    if lost > _UNTOLD:
        return None
    with precision.digits(_DIGITS + extra + int((_STEP + lost) * (highest + 1))):
        z = mpmath.mpf(z)
        h = side * mpmath.mpf(10) ** -_STEP * step
        row: list[Number] = [value(formula, z + k * h) for k in range(1, highest + 2)]
        if any(v is None for v in row):
            return None
        found = []
        for _ in range(highest + 1):
            found.append(row[0])
            row = [(b - a) / h for a, b in pairwise(row)]
        return found


def untold(formula: Expr, z: Number) -> bool:
    """Whether sines turn so fast at z that no double has a place in them: sin(z^3) at 1e200."""
    return bool(_decades(z) - _decades(scale(formula, z)) > _UNTOLD)


def _decades(x: Number) -> float:
    return float(max(-_ENDLESS, min(mpmath.mag(x), _ENDLESS))) * 0.30103 if x else 0.0


def scale(formula: Expr, z: Number) -> Number:
    """How far from z a formula is another: |z|, and what its sines turn by 1 in."""
    scale = abs(mpmath.mpf(z)) or mpmath.mpf(1)
    speeds = (value(speed, mpmath.mpf(z)) for speed in _speeds(formula))
    return min([scale, *(1 / abs(speed) for speed in speeds if speed)])


@lru_cache(maxsize=1024)
def _speeds(formula: Expr) -> tuple[Expr, ...]:
    """The slopes of what sines and steps are of, near enough."""
    inner = {node.args[0] for node in formula.atoms(*TURNING) if node.has(Z)}
    return tuple(sympy.diff(_smooth(u), Z) for u in inner)


def _smooth(node: Expr) -> Expr:
    """Without steps and corners: a sum of what there is a choice of, unlike one another."""
    if not node.has(*STEPS, *_UNEVEN):
        return node
    if isinstance(node, (*STEPS, sympy.Abs)):
        return _smooth(node.args[0])
    if isinstance(node, sympy.sign):
        return sympy.S.One
    parts = [arm for arm, _ in node.args] if isinstance(node, Piecewise) else node.args
    if isinstance(node, _UNEVEN):
        return sympy.Add(*(k * _smooth(part) for k, part in enumerate(parts, 1)))
    return node.func(*map(_smooth, parts))


def number(constant: Expr, count: int = 60) -> Number:
    """A real constant, to so many digits."""
    with precision.digits(count):
        return +evaluator(constant)(mpmath.mpf(0))


@lru_cache(maxsize=4096)
def evaluator(node: Expr) -> Callable[[Number], Number]:
    """`node` as a function of z in mpmath's current precision. The function raises Outside."""
    if node == Z:
        return lambda z: z
    if isinstance(node, sympy.Rational):
        p, q = int(node.p), int(node.q)
        return lambda _: mpmath.mpf(p) / q
    if isinstance(node, sympy.Float):
        exact = mpmath.make_mpf(node._mpf_)
        return lambda _: exact
    if isinstance(node, Piecewise):
        return _piecewise(node)
    if node in _CONSTANTS:
        constant = _CONSTANTS[node]
        return lambda _: +constant
    if not node.has(Z) and (node.is_Pow or type(node) in FUNCTIONS):
        return _known(node)
    if isinstance(node, sympy.Pow):
        return _composed(_power, node)
    if isinstance(node, sympy.log) and (inside := _error_function(node.args[0])) is not None:
        factor, error = inside
        return lambda z: _log(factor) + _log_erfc(error(z))
    if isinstance(node, sympy.log) and node.args[0].is_Add and node.args[0].args[0] == 1:
        return _composed(FUNCTIONS[log1p], log1p(node.args[0] - 1))
    if isinstance(node, sympy.Add) and (turned := complement(node)) is not None:
        return evaluator(turned)
    if type(node) not in FUNCTIONS:
        raise ValueError(f"{node} has no value in many digits")
    return _composed(FUNCTIONS[type(node)], node)


def _known(constant: Expr) -> Callable[[Number], Number]:
    """What has no z in it, once in each precision: roots of hundreds of digits take their time."""
    compute = _composed(_power if constant.is_Pow else FUNCTIONS[type(constant)], constant)

    @lru_cache(maxsize=8)
    def known(precision: int) -> Number:
        return compute(mpmath.mpf(0))

    return lambda _: known(mpmath.mp.prec)


def _error_function(node: Expr) -> tuple[Number, Callable[[Number], Number]] | None:
    """c and x of `c erfc(x)`, which is less than any number far out, and its logarithm is not."""
    whole = complement(node) if isinstance(node, sympy.Add) else node
    factor, error = (whole or node).as_independent(Z, as_Add=False)
    if not isinstance(error, sympy.erfc) or not factor.is_Rational:
        return None
    return mpmath.mpf(int(factor.p)) / int(factor.q), evaluator(error.args[0])


def _log_erfc(x: Number) -> Number:
    if x < 0 or x * x < 3 * mpmath.mp.dps:  # the series has as many digits as exp(-x^2)
        return _log(special.erfc(x))
    total = term = mpmath.mpf(1)
    n = 0
    while abs(term) > mpmath.eps:
        n += 1
        term *= -(2 * n - 1) / (2 * x * x)
        total += term
    return -x * x - mpmath.log(x * mpmath.sqrt(mpmath.pi)) + mpmath.log(total)


def _composed(function: Callable[..., Number], node: Expr) -> Callable[[Number], Number]:
    parts = [evaluator(argument) for argument in node.args]
    if len(parts) == 1:
        (part,) = parts
        return lambda z: function(part(z))
    return lambda z: function(*(part(z) for part in parts))


def _piecewise(node: Piecewise) -> Callable[[Number], Number]:
    arms = [(evaluator(arm), _condition(test)) for arm, test in node.args]

    def chosen(z: Number) -> Number:
        for arm, test in arms:
            if test(z):
                return arm(z)
        raise Outside

    return chosen


def _condition(test: Any) -> Callable[[Number], bool]:
    if test in (sympy.true, sympy.false):
        return lambda _: bool(test)
    if isinstance(test, (sympy.And, sympy.Or)):
        parts = [_condition(part) for part in test.args]
        together = all if isinstance(test, sympy.And) else any
        return lambda z: together(part(z) for part in parts)
    difference = evaluator(test.lhs - test.rhs)
    compare = _RELATIONS[test.rel_op]
    return lambda z: bool(compare(difference(z)))


def _log(x: Number) -> Number:
    if x <= 0:
        raise Outside
    return special.log(x)


def _power(x: Number, p: Number) -> Number:
    if p == int(p) and abs(p) < 10_000:
        return x ** int(p)
    if x == 0 and p > 0:
        return mpmath.mpf(0)
    return special.exp(p * _log(x))


def _nothing(_: Number) -> Number:
    raise Outside


def _within(function: Callable[[Number], Number], low: float, high: float) -> Any:
    def guarded(x: Number) -> Number:
        if not low <= x <= high:
            raise Outside
        return function(x)

    return guarded


def _saturating(function: Callable[[Number], Number], right: float, left: float) -> Any:
    """What far out is a number by name: mpmath would write the exponent's powers of 2 out."""

    def guarded(x: Number) -> Number:
        if mpmath.isfinite(x) and mpmath.mag(x) > special.HUGE:
            return mpmath.mpf(right if x > 0 else left)
        return function(x)

    return guarded


def _periodic(function: Callable[[Number], Number]) -> Any:
    """Without a value where an argument has too many digits before the point to be reduced."""

    def guarded(x: Number) -> Number:
        if not mpmath.isfinite(x) or mpmath.mag(x) > 10 * special.HUGE:
            raise Outside
        return function(x)

    return guarded


def _once(function: Callable[[Number], Number]) -> Callable[[Number], Number]:
    """What takes milliseconds, of the same numbers again and again, as erfc(erfc(z)) far out."""

    @lru_cache(maxsize=2**12)
    def known(x: Number, precision: int) -> Number:
        return function(x)

    return lambda x: known(x, mpmath.mp.prec)


def _product(*factors: Number) -> Number:
    return mpmath.fprod(factors)


def _sum(*terms: Number) -> Number:
    return mpmath.fsum(terms)


_RELATIONS: dict[str, Callable[[Number], bool]] = {
    "<": lambda d: d < 0,
    "<=": lambda d: d <= 0,
    ">": lambda d: d > 0,
    ">=": lambda d: d >= 0,
}
_CONSTANTS = {sympy.pi: mpmath.pi, sympy.E: mpmath.e}
_INFINITE = float("inf")
FUNCTIONS: MappingProxyType[Any, Callable[..., Number]] = MappingProxyType(
    {
        sympy.Add: _sum,
        sympy.Mul: _product,
        sympy.exp: special.exp,
        sympy.log: _log,
        expm1: lambda x: special.exp(x) - 1 if abs(x) > 1 else mpmath.expm1(x),
        log1p: lambda x: _log(1 + x) if abs(x) > 0.5 else special.log1p(x),
        erfcx: special.scaled_erfc,
        sympy.erf: _once(special.erf),
        sympy.erfc: _once(special.erfc),
        sympy.acosh: _within(mpmath.acosh, 1, _INFINITE),
        sympy.asin: _within(mpmath.asin, -1, 1),
        sympy.acos: _within(mpmath.acos, -1, 1),
        sympy.atanh: _within(mpmath.atanh, -1, 1),
        sympy.erfinv: _within(special.erfinv, -1, 1),
        sympy.Max: max,
        sympy.Min: min,
        sympy.Abs: abs,
        undefined: _nothing,
        held: lambda x: x,
        sympy.ceiling: mpmath.ceil,
        rint: mpmath.nint,
        sympy.loggamma: _within(special.loggamma, 0, _INFINITE),
        sympy.polygamma: lambda n, x: special.polygamma(int(n), x),
        sympy.sinh: _saturating(mpmath.sinh, _INFINITE, -_INFINITE),
        sympy.cosh: _saturating(mpmath.cosh, _INFINITE, _INFINITE),
        sympy.tanh: _saturating(mpmath.tanh, 1, -1),
        sympy.sin: _periodic(mpmath.sin),
        sympy.cos: _periodic(mpmath.cos),
        sympy.tan: _periodic(mpmath.tan),
        **{
            function: getattr(mpmath, function.__name__)
            for function in (
                *(sympy.atan, sympy.asinh, sympy.sign, sympy.floor),
                *(sympy.cot, sympy.sec, sympy.csc, sympy.coth, sympy.sech, sympy.csch),
            )
        },
    }
)
