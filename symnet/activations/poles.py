"""Poles without end, by formula: of tan(z) at π/2 + kπ, of digamma(z) at 0, −1, −2, …"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import sympy
from sympy import Expr, Symbol

K = Symbol("k")
_WHOLE, _NATURAL = "k a whole number", "k = 0, 1, 2, ..."
_ZEROS = {sympy.sin: K * sympy.pi, sympy.cos: sympy.pi / 2 + K * sympy.pi}
_ZEROS[sympy.tan] = _ZEROS[sympy.sin]


class Poles(NamedTuple):
    """At each `place`, a formula of `K`, or where that is None, wherever `zero` is 0."""

    zero: Expr
    place: Expr | None = None
    numbers: str = _WHOLE


def endless(formula: Expr) -> tuple[Poles, ...]:
    """The poles of a formula of one symbol that have no end; those that can be listed are not."""
    found = {str(poles): poles for node in _parts(formula) for poles in _of(node)}
    return tuple(found.values())


def _parts(node: Expr) -> Iterator[Expr]:
    """All parts, but for the tangent in 1/tan(z), whose poles are zeros."""
    yield node
    inverse = isinstance(node, sympy.Pow) and node.exp.is_negative
    inner = node.base if inverse and isinstance(node.base, sympy.tan) else node
    for argument in inner.args:
        yield from _parts(argument)


def _of(node: Expr) -> Iterator[Poles]:
    if isinstance(node, sympy.tan):
        yield _where(node.args[0], _ZEROS[sympy.cos], sympy.cos(node.args[0]))
    elif isinstance(node, sympy.polygamma) and node.args[0] == 0:
        argument = node.args[1]
        yield _where(argument, -K, 1 / sympy.gamma(argument))._replace(numbers=_NATURAL)
    elif isinstance(node, sympy.log):
        yield from _zeros(node.args[0])
    elif isinstance(node, sympy.Pow) and node.exp.is_negative:
        yield from _zeros(node.base)


def _zeros(base: Expr) -> Iterator[Poles]:
    """Where a denominator is 0, or the argument of a logarithm: factor by factor."""
    factor: Expr
    for factor in sympy.Mul.make_args(base):
        while isinstance(factor, sympy.Pow) and factor.exp.is_positive:
            factor = factor.base
        if type(factor) in _ZEROS:
            yield _where(factor.args[0], _ZEROS[type(factor)], factor)
        elif factor.has(sympy.sin, sympy.cos) and _changes_sides(factor):
            yield Poles(factor)


def _where(argument: Expr, place: Expr, zero: Expr) -> Poles:
    """The z at which a linear argument is at the place."""
    symbols = argument.free_symbols
    if len(symbols) != 1:
        return Poles(zero)
    (z,) = symbols
    a, b = argument.coeff(z, 1), argument.coeff(z, 0)
    if sympy.expand(argument - a * z - b) != 0 or a.has(z) or b.has(z):
        return Poles(zero)
    return Poles(zero, sympy.expand((place - b) / a))


def _changes_sides(factor: Expr) -> bool:
    """Whether a periodic factor comes to 0 in many periods: told by its values."""
    (z,) = factor.free_symbols
    value = sympy.lambdify(z, factor, "mpmath")
    for k in (-4, -1, 1, 4):
        values = [value(40 * k + 0.01 * step) for step in range(1300)]
        size = max(map(abs, values))
        if min(map(abs, values)) > 1e-4 * size:
            return False
    return True
