"""A user's own activation, from its tree: second-order rules, and one-sided limits in doubt."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from decimal import Context, Decimal, localcontext
from functools import lru_cache, reduce
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np

from symnet.witness.analytic import limits
from symnet.witness.analytic.special import FUNCTIONS, VALUES
from symnet.witness.analytic.table import Array, Jet, exp, linear


def own_jet(tree: Any, z: Array) -> Jet:
    """The jet of a user's own formula, with one-sided limits where double precision is in doubt.

    That is where extended precision has another result, or neither has one, and at corners. Beyond
    `_LIMITS` such places the rest of them have no reference, and are NaN.
    """
    tree = _tuples(tree)
    if not _depends(tree):
        (value, _, _) = limits.jet(tree, 0.0, False, 0.0) or (math.nan,) * 3
        return np.full(z.shape, value), np.zeros(z.shape), np.zeros(z.shape)
    jet = _evaluated(tree, z, _JETS)
    longer = _evaluated(tree, z.astype(np.longdouble), _JETS)
    sure = np.ones(z.shape, bool)
    for a, b in zip(jet, longer, strict=True):
        sure &= np.isfinite(a) & (np.abs(a - b) <= _AGREED * np.abs(b))
    if _saturates(tree):  # 1 - tanh(z) is 0 in extended precision, too
        sure &= (jet[0] != 0) & (jet[1] != 0) & ~_cancelled(tree, z.astype(np.longdouble))
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
    return np.broadcast_to(_value(_tuples(tree), z).astype(np.float64), z.shape)


_AGREED = 2.0**-38  # of double and extended precision
_NOTHING = 2.0**-58
_LIMITS = 20_000  # a second or two


def _saturates(tree: Any) -> bool:
    """Whether it has a function that far out is a number, to the last digit."""
    if not isinstance(tree, tuple):
        return False
    return tree[0] in _SATURATING or any(map(_saturates, tree[1:]))


_SATURATING = ("exp", "tanh", "erf", "erfc", "atan", "sqrt")


def turns(tree: Any) -> bool:
    """Whether it has a sine, or tangent, which far out turns from one number to the next."""
    if not isinstance(tree, (list, tuple)):
        return False
    return tree[0] in limits.SINES or any(map(turns, tree[1:]))


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
            found |= _corners(value, z) | (_value(left, z) == _value(right, z))
        return found
    found = np.zeros(z.shape, bool)
    for argument in arguments:
        found |= _corners(argument, z)
    if operation in ("abs", "sign", "min", "max"):
        values = [_value(argument, z) for argument in arguments]
        pairs = [(0, values[0])] if len(values) == 1 else combinations(values, 2)
        for a, b in pairs:
            found |= a == b
    return found


def _cancelled(tree: Any, z: Array) -> Any:
    """Where nothing is left of a sum, as of 1 - tanh(z): what it is a factor of may still agree."""
    found = np.zeros(z.shape, bool)
    if not isinstance(tree, tuple):
        return found
    operation, *arguments = tree
    if operation == "piecewise":
        *pieces, otherwise = arguments
        arguments = [*(value for value, _ in pieces), otherwise]
    for argument in arguments:
        found |= _cancelled(argument, z)
    if operation == "add":
        terms = [_value(argument, z) for argument in arguments]
        found |= np.abs(reduce(np.add, terms)) <= _NOTHING * reduce(np.maximum, map(np.abs, terms))
    return found


class _Rules(NamedTuple):
    """How formulas are evaluated: as values, or as jets of a value and two derivatives.

    power: with an exponent that is a number; function: by name, of one argument; value: of what
    conditions compare.
    """

    variable: Callable[[Array], Any]
    constant: Callable[[float, Array], Any]
    power: Callable[[Any, float], Any]
    function: Callable[[str, Any], Any]
    pairs: dict[str, Callable[[Any, Any], Any]]
    chosen: Callable[[Any, Any, Any], Any]
    value: Callable[[Any], Array]


def _evaluated(tree: Any, z: Array, rules: _Rules) -> Any:
    """A formula stored as nested tuples, such as `("mul", "z", ("exp", "z"))`, at z."""
    if tree == "z":
        return rules.variable(z)
    if not isinstance(tree, tuple):
        return rules.constant(_number(tree, z), z)
    operation, *arguments = tree
    if operation == "piecewise":
        return _piecewise(arguments, z, rules)
    first, *others = arguments
    if operation == "pow" and others[0] != "z" and not isinstance(others[0], tuple):
        return rules.power(_evaluated(first, z, rules), _number(others[0], z))
    values = [_evaluated(argument, z, rules) for argument in arguments]
    if operation in FUNCTIONS:
        return rules.function(operation, values[0])
    return reduce(rules.pairs[operation], values)


def _piecewise(arguments: Sequence[Any], z: Array, rules: _Rules) -> Any:
    *pieces, otherwise = arguments
    result = _evaluated(otherwise, z, rules)
    for value, (relation, left, right) in reversed(pieces):
        sides = (rules.value(_evaluated(side, z, rules)) for side in (left, right))
        result = rules.chosen(_RELATIONS[relation](*sides), _evaluated(value, z, rules), result)
    return result


def _value(tree: Any, z: Array) -> Array:
    found: Array = _evaluated(tree, z, _VALUES)
    return found


def _number(leaf: str | float, z: Array) -> Any:
    """In z's precision: of a third that is rounded to a double two precisions agree in vain."""
    if not isinstance(leaf, str):
        return float(leaf)
    if z.dtype == np.longdouble:
        return np.longdouble(_decimals(leaf))
    return float(_decimals(leaf))


@lru_cache(maxsize=1024)
def _decimals(leaf: str) -> str:
    """A constant's or fraction's first digits, enough for each precision."""
    with localcontext(Context(prec=40)):
        if leaf in _WORDS:
            return _WORDS[leaf]
        top, _, bottom = leaf.partition("/")
        return str(Decimal(top) / Decimal(bottom))


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
    product = _product(exponent, _composed(FUNCTIONS["log"](base[0]), base))
    return _composed(exp(product[0]), product)


def _smaller(left: Jet, right: Jet) -> Jet:
    return _chosen(left[0] <= right[0], left, right)


def _larger(left: Jet, right: Jet) -> Jet:
    return _chosen(left[0] >= right[0], left, right)


def _chosen(condition: Any, then: Jet, otherwise: Jet) -> Jet:
    first, second, third = (np.where(condition, a, b) for a, b in zip(then, otherwise, strict=True))
    return first, second, third


def _outer(operation: str, inner: Jet) -> Jet:
    return _composed(FUNCTIONS[operation](inner[0]), inner)


def _plain(operation: str, u: Array) -> Array:
    found: Array = VALUES[operation](u) if operation in VALUES else FUNCTIONS[operation](u)[0]
    return found


_WORDS = {
    "pi": "3.14159265358979323846264338327950288",
    "e": "2.71828182845904523536028747135266250",
}
_RELATIONS = {"<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal}
_JETS = _Rules(
    variable=linear,
    constant=_constant,
    power=_power,
    function=_outer,
    pairs={
        "add": _sum,
        "mul": _product,
        "pow": _general_power,
        "min": _smaller,
        "max": _larger,
    },
    chosen=_chosen,
    value=lambda jet: jet[0],
)
_VALUES = _Rules(
    variable=lambda z: z,
    constant=lambda number, z: np.full_like(z, number),
    power=np.power,
    function=_plain,
    pairs={
        "add": np.add,
        "mul": np.multiply,
        "pow": np.power,
        "min": np.minimum,
        "max": np.maximum,
    },
    chosen=np.where,
    value=lambda found: found,
)
