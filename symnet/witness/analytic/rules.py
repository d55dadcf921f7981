"""Formulas of a user's own, stored as nested tuples, by one set of rules or another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Context, Decimal, localcontext
from functools import lru_cache, reduce
from typing import Any, NamedTuple

import numpy as np

from symnet.witness.analytic.special import FUNCTIONS, VALUES
from symnet.witness.analytic.table import Array, Jet, exp, linear


class Rules(NamedTuple):
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


def evaluated(tree: Any, z: Array, rules: Rules) -> Any:
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
        return rules.power(evaluated(first, z, rules), _number(others[0], z))
    values = [evaluated(argument, z, rules) for argument in arguments]
    if operation in FUNCTIONS:
        return rules.function(operation, values[0])
    return reduce(rules.pairs[operation], values)


def _piecewise(arguments: Sequence[Any], z: Array, rules: Rules) -> Any:
    *pieces, otherwise = arguments
    result = evaluated(otherwise, z, rules)
    for value, (relation, left, right) in reversed(pieces):
        sides = (rules.value(evaluated(side, z, rules)) for side in (left, right))
        result = rules.chosen(_RELATIONS[relation](*sides), evaluated(value, z, rules), result)
    return result


def value_of(tree: Any, z: Array) -> Array:
    found: Array = evaluated(tree, z, VALUED)
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


def constant_of(number: float, z: Array) -> Jet:
    return np.full_like(z, number), np.zeros_like(z), np.zeros_like(z)


def composed(outer: Jet, inner: Jet) -> Jet:
    """`f(u)`: `f' u'` and `f'' u'^2 + f' u''`."""
    value, first, second = outer
    _, slope, bend = inner
    return value, first * slope, second * slope * slope + first * bend


def _sum(left: Jet, right: Jet) -> Jet:
    return left[0] + right[0], left[1] + right[1], left[2] + right[2]


def _product(left: Jet, right: Jet) -> Jet:
    (u, du, ddu), (v, dv, ddv) = left, right
    return u * v, du * v + u * dv, ddu * v + 2 * du * dv + u * ddv


def power_of(base: Jet, n: float) -> Jet:
    u = base[0]
    first = n * u ** (n - 1) if n else np.zeros_like(u)
    second = n * (n - 1) * u ** (n - 2) if n not in (0, 1) else np.zeros_like(u)
    return composed((u**n, first, second), base)


def _general_power(base: Jet, exponent: Jet) -> Jet:
    """`u^v = exp(v log u)`."""
    product = _product(exponent, composed(FUNCTIONS["log"](base[0]), base))
    return composed(exp(product[0]), product)


def _smaller(left: Jet, right: Jet) -> Jet:
    return chosen_of(left[0] <= right[0], left, right)


def _larger(left: Jet, right: Jet) -> Jet:
    return chosen_of(left[0] >= right[0], left, right)


def chosen_of(condition: Any, then: Jet, otherwise: Jet) -> Jet:
    first, second, third = (np.where(condition, a, b) for a, b in zip(then, otherwise, strict=True))
    return first, second, third


def _outer(operation: str, inner: Jet) -> Jet:
    return composed(FUNCTIONS[operation](inner[0]), inner)


def _plain(operation: str, u: Array) -> Array:
    found: Array = VALUES[operation](u) if operation in VALUES else FUNCTIONS[operation](u)[0]
    return found


_WORDS = {
    "pi": "3.14159265358979323846264338327950288",
    "e": "2.71828182845904523536028747135266250",
}
_RELATIONS = {"<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal}
JETS = Rules(
    variable=linear,
    constant=constant_of,
    power=power_of,
    function=_outer,
    pairs={
        "add": _sum,
        "mul": _product,
        "pow": _general_power,
        "min": _smaller,
        "max": _larger,
    },
    chosen=chosen_of,
    value=lambda jet: jet[0],
)
VALUED = Rules(
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
