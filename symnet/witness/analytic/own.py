"""A user's own activation, from its tree: second-order rules, and one-sided limits in doubt."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache, reduce
from itertools import combinations
from statistics import NormalDist
from typing import Any

import mpmath
import numpy as np

from symnet.witness.analytic import limits
from symnet.witness.analytic.table import (
    Array,
    Jet,
    arctan,
    asinh,
    cos,
    erfc,
    exp,
    linear,
    rounded,
    sin,
    tanh,
)


def own_jet(tree: Any, z: Array) -> Jet:
    """The jet of a user's own formula, with one-sided limits where double precision is in doubt.

    That is where extended precision has another result, or neither has one, and at corners. Beyond
    `_LIMITS` such places the rest of them have no reference, and are NaN.
    """
    tree = _tuples(tree)
    if not _depends(tree):
        (value, _, _) = limits.jet(tree, 0.0, False, 0.0) or (math.nan,) * 3
        return np.full(z.shape, value), np.zeros(z.shape), np.zeros(z.shape)
    jet = _tree_jet(tree, z)
    longer = _tree_jet(tree, z.astype(np.longdouble))
    sure = np.ones(z.shape, bool)
    for a, b in zip(jet, longer, strict=True):
        sure &= np.isfinite(a) & (np.abs(a - b) <= _AGREED * np.abs(b))
    if _saturates(tree):  # 1 - tanh(z) is 0 in extended precision, too
        sure &= (jet[0] != 0) & (jet[1] != 0)
    corner = _corners(tree, z)
    found = tuple(np.array(np.broadcast_to(part, z.shape), dtype=np.float64) for part in jet)
    for count, at in enumerate(map(tuple, np.argwhere(~(sure & ~corner) & np.isfinite(z)))):
        limit: Any = (math.nan,) * 3
        if count < _LIMITS:
            plain = 0.0 if np.isnan(found[1][at]) else float(found[1][at])
            twice = bool(corner[at]) or any(np.isinf(part[at]) for part in found)
            limit = limits.jet(tree, float(z[at]), twice, plain)
        for part, value in zip(found, limit or (), strict=False):
            part[at] = value
    return found[0], found[1], found[2]


def own_value(tree: Any, z: Array) -> Array:
    """The value of a user's own formula in double precision: NaN where that has none."""
    return np.broadcast_to(np.asarray(_tree_value(_tuples(tree), z), np.float64), z.shape)


_AGREED = 2.0**-38  # of double and extended precision
_LIMITS = 20_000  # a second or two


def _saturates(tree: Any) -> bool:
    """Whether it has a function that far out is a number, to the last digit."""
    if not isinstance(tree, tuple):
        return False
    return tree[0] in _SATURATING or any(map(_saturates, tree[1:]))


_SATURATING = ("exp", "tanh", "erf", "erfc", "atan", "sqrt")


def _depends(tree: Any) -> bool:
    """Whether there is a z in the tree."""
    return tree == "z" or (isinstance(tree, tuple) and any(map(_depends, tree)))


def _tuples(tree: Any) -> Any:
    """The tree in tuples, whatever it was read as."""
    return tuple(map(_tuples, tree)) if isinstance(tree, (list, tuple)) else tree


def _corners(tree: Any, z: Array) -> Any:
    """Where z is at a corner: a condition's sides are equal, or what |.| or max(.) compare."""
    if not isinstance(tree, tuple):
        return np.zeros(z.shape, bool)
    operation, *arguments = tree
    if operation == "piecewise":
        *pieces, otherwise = arguments
        found = _corners(otherwise, z)
        for value, (_, left, right) in pieces:
            found |= _corners(value, z) | (_tree_jet(left, z)[0] == _tree_jet(right, z)[0])
        return found
    found = np.zeros(z.shape, bool)
    for argument in arguments:
        found |= _corners(argument, z)
    if operation in ("abs", "sign", "min", "max"):
        values = [_tree_jet(argument, z)[0] for argument in arguments]
        pairs = [(0, values[0])] if len(values) == 1 else combinations(values, 2)
        for a, b in pairs:
            found |= a == b
    return found


def _tree_jet(tree: Any, z: Array) -> Jet:
    """The jet of a formula stored as nested tuples, such as `("mul", "z", ("exp", "z"))`."""
    if isinstance(tree, str):
        return linear(z) if tree == "z" else _constant(_WORDS.get(tree) or _fraction(tree), z)
    if isinstance(tree, (int, float)):
        return _constant(tree, z)
    operation, *arguments = tree
    if operation == "piecewise":
        return _piecewise(arguments, z)
    if operation == "pow" and not isinstance(arguments[1], (list, tuple)) and arguments[1] != "z":
        return _power(_tree_jet(arguments[0], z), float(_tree_jet(arguments[1], np.zeros(()))[0]))
    jets = [_tree_jet(argument, z) for argument in arguments]
    if operation in _FUNCTIONS:
        return _composed(_FUNCTIONS[operation](jets[0][0]), jets[0])
    result = jets[0]
    for jet in jets[1:]:
        result = _PAIRS[operation](result, jet)
    return result


def _tree_value(tree: Any, z: Array) -> Any:
    """Without derivatives, some of whose functions take a hundred times as long."""
    if not isinstance(tree, tuple):
        return _tree_jet(tree, z)[0]
    operation, *arguments = tree
    if operation == "piecewise":
        *pieces, otherwise = arguments
        result = _tree_value(otherwise, z)
        for value, (relation, left, right) in reversed(pieces):
            test = _RELATIONS[relation](_tree_value(left, z), _tree_value(right, z))
            result = np.where(test, _tree_value(value, z), result)
        return result
    values = [_tree_value(argument, z) for argument in arguments]
    if operation == "pow":
        return np.power(values[0], values[1])
    if operation in _VALUES:
        return _VALUES[operation](values[0])
    if operation in _FUNCTIONS:
        return _FUNCTIONS[operation](values[0])[0]
    return reduce(_FOLDS[operation], values)


_WORDS = {"pi": math.pi, "e": math.e}


def _fraction(word: str) -> float:
    top, _, bottom = word.partition("/")
    return int(top) / int(bottom)  # correctly rounded, however long


def _constant(number: float, z: Array) -> Jet:
    return np.full_like(z, number), np.zeros_like(z), np.zeros_like(z)


def _composed(outer: Jet, inner: Jet) -> Jet:
    """`f(u)`: `f' u'` and `f'' u'^2 + f' u''`."""
    value, first, second = outer
    _, slope, bend = inner
    return value, first * slope, second * slope * slope + first * bend


def _sum(left: Jet, right: Jet) -> Jet:
    return left[0] + right[0], left[1] + right[1], left[2] + right[2]


def _product(left: Jet, right: Jet) -> Jet:
    (u, du, ddu), (v, dv, ddv) = left, right
    return u * v, du * v + u * dv, ddu * v + 2 * du * dv + u * ddv


def _power(base: Jet, n: float) -> Jet:
    u = base[0]
    first = n * u ** (n - 1) if n else np.zeros_like(u)
    second = n * (n - 1) * u ** (n - 2) if n not in (0, 1) else np.zeros_like(u)
    return _composed((u**n, first, second), base)


def _general_power(base: Jet, exponent: Jet) -> Jet:
    """`u^v = exp(v log u)`."""
    product = _product(exponent, _composed(_FUNCTIONS["log"](base[0]), base))
    return _composed(exp(product[0]), product)


def _smaller(left: Jet, right: Jet) -> Jet:
    return _chosen(left[0] <= right[0], left, right)


def _larger(left: Jet, right: Jet) -> Jet:
    return _chosen(left[0] >= right[0], left, right)


def _chosen(condition: Any, then: Jet, otherwise: Jet) -> Jet:
    first, second, third = (np.where(condition, a, b) for a, b in zip(then, otherwise, strict=True))
    return first, second, third


def _piecewise(arguments: Sequence[Any], z: Array) -> Jet:
    *pieces, otherwise = arguments
    result = _tree_jet(otherwise, z)
    for value, (relation, left, right) in reversed(pieces):
        sides = _tree_jet(left, z)[0], _tree_jet(right, z)[0]
        result = _chosen(_RELATIONS[relation](*sides), _tree_jet(value, z), result)
    return result


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
    return math.log(x) - 1 / (2 * x) - 1 / (12 * x * x) + 1 / (120 * x**4) - steps


def _positive(function: Callable[[float], float]) -> Callable[[Array], Array]:
    return rounded(lambda x: function(x) if x > 0 else math.nan)


def _arc(u: Array) -> Array:
    """1 - u^2, to its last digit beside the ends."""
    return (1 - u) * (1 + u)


_error = rounded(math.erf)
_inverse = rounded(_inverse_error)
_loggamma = _positive(math.lgamma)
_psi = [_polygamma(n) for n in range(3)]
_RELATIONS = {"<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal}
_PAIRS: dict[str, Callable[[Jet, Jet], Jet]] = {
    "add": _sum,
    "mul": _product,
    "pow": _general_power,
    "min": _smaller,
    "max": _larger,
}
_FOLDS: dict[str, Callable[[Any, Any], Any]] = {
    "add": np.add,
    "mul": np.multiply,
    "min": np.minimum,
    "max": np.maximum,
}
_VALUES: dict[str, Callable[[Array], Array]] = {
    "erf": _error,
    "erfc": erfc,
    "erfinv": _inverse,
    "loggamma": _loggamma,
    "digamma": rounded(_digamma),
}
_FUNCTIONS: dict[str, Callable[[Array], Jet]] = {
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
