"""Expressions evaluated by NumPy as generated code does, in double precision or a longer one."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Any, TypeAlias

import mpmath
import numpy as np
import sympy
from numpy.typing import NDArray
from sympy import Expr, Piecewise, S
from sympy.codegen.cfunctions import expm1, log1p

from symnet import precision
from symnet.activations import special
from symnet.activations.digits import Number
from symnet.activations.functions import POLYGAMMAS, erfcx, held, rint, undefined
from symnet.activations.systems import Z

Array: TypeAlias = NDArray[Any]


def doubles(expression: Expr, points: Array) -> Array:
    """The expression in z at these points."""
    (found,) = in_steps((), [expression], points)
    return found


def in_steps(shared: Sequence[tuple[Any, Expr]], results: Sequence[Expr], z: Array) -> list[Array]:
    """The results in z and shared temporaries, at these points and in their precision."""
    known: dict[Any, Array] = {Z: z}
    with np.errstate(all="ignore"):
        for symbol, definition in shared:
            known[symbol] = _steps(definition)(known)
        return [np.broadcast_to(_steps(e)(known), z.shape).astype(z.dtype) for e in results]


@lru_cache(maxsize=8192)
def _steps(node: Expr) -> Callable[[dict[Any, Array]], Any]:
    """What computes a node from those that are known, and lets the others know."""
    if node.is_Symbol:
        return lambda known: known[node]
    compute = _computed(node)

    def value(known: dict[Any, Array]) -> Any:
        if node not in known:
            known[node] = compute(known)
        return known[node]

    return value


def _computed(node: Expr) -> Callable[[dict[Any, Array]], Any]:
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


def _product(node: Expr) -> Callable[[dict[Any, Array]], Any]:
    """In its order, and as a quotient where a backend may write one: right only if both are."""
    factors = [_steps(factor) for factor in node.args]
    below = [f for f in node.args if isinstance(f, sympy.Pow) and f.exp.could_extract_minus_sign()]
    if not below:
        return lambda known: _folded(np.multiply, [factor(known) for factor in factors])
    above = [_steps(factor) for factor in node.args if factor not in below] or [_steps(S.One)]
    under = [_steps(1 / factor) for factor in below]

    def value(known: dict[Any, Array]) -> Any:
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


def _chosen(node: Piecewise) -> Callable[[dict[Any, Array]], Any]:
    arms = [(_steps(value), _condition(test)) for value, test in node.args]

    def value(known: dict[Any, Array]) -> Any:
        result: Any = np.nan
        for arm, test in reversed(arms):
            result = np.where(test(known), arm(known), result)
        return result

    return value


def _condition(test: Any) -> Callable[[dict[Any, Array]], Any]:
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
        with precision.digits(30):
            try:
                found = function(mpmath.mpf(float(x)))
            except (ArithmeticError, ValueError):
                return math.nan
        return math.nan if isinstance(found, mpmath.mpc) else float(found)

    return np.vectorize(value, otypes=[np.float64])


def _polygamma(n: int) -> Any:
    return _rounded(lambda x: special.polygamma(n, x))


_erfc = np.vectorize(math.erfc, otypes=[np.float64])


def _scaled_erfc(x: Array) -> Array:
    """exp(x^2) erfc(x); beyond 2 by 1/(x + 1/2/(x + 2/2/(x + 3/2/(x + ...)))) / sqrt(pi).

    NaN where generated code has no approximation of it.
    """
    near = np.minimum(x, 2)
    far = np.maximum(x, 2)
    below = far
    for k in range(_FRACTIONS, 0, -1):
        below = far + k / 2 / below
    below = np.where(x < _APPROXIMATED, below, np.nan)
    return np.where(x < 2, np.exp(near * near) * _erfc(x), 1 / (below * math.sqrt(math.pi)))


_APPROXIMATED = 26.0
_FRACTIONS = 60  # within each other: 16 digits of erfcx(2)
_RELATIONS = {"<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal}


ROUNDED = (sympy.erfinv, sympy.loggamma, sympy.polygamma)
"""Functions that are computed one by one here."""

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
        sympy.erfc: _erfc,
        erfcx: _scaled_erfc,
    }
)
