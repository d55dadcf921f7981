"""Functions and constants of SymPy written in those that formulas may have.

sech(x) = 1/cosh(x),  cot(x) = 1/tan(x),  frac(x) = x - floor(x),  Mod(x, y) = x - y floor(x/y),
round(x), of an undefined Function("round"), is the nearest integer,  sqrt(1 - cos(x)) is a |sine|,
Heaviside(x) = 0, 1/2, 1 for x < 0, x = 0, x > 0,  golden ratio = (1 + sqrt(5))/2,
and decimals of any length the doubles next to them.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from types import MappingProxyType

import sympy
from sympy import Expr, Piecewise
from sympy.core.function import AppliedUndef

from symnet.activations.functions import rint
from symnet.activations.identities import rooted

_SHORT = 64  # denominators of decimals that are taken for fractions


def _heaviside(x: Expr, at_zero: Expr = sympy.S.Half) -> Expr:
    return Piecewise((0, x < 0), (at_zero, x <= 0), (1, True))


def _tan(x: Expr) -> Expr:
    """With a quarter turn taken out, as SymPy does when it multiplies out, and writes cot."""
    exact = {c: sympy.Rational(float(c)) for c in x.atoms(sympy.Float)}
    quarters = {c: q for c, q in exact.items() if q.q <= _SHORT}
    found = sympy.tan(sympy.expand(x.xreplace(quarters)))
    return found if isinstance(found, sympy.tan) else spelled(found)


_WRITTEN: MappingProxyType[type, Callable[..., Expr]] = MappingProxyType(
    {
        sympy.sech: lambda x: 1 / sympy.cosh(x),
        sympy.csch: lambda x: 1 / sympy.sinh(x),
        sympy.coth: lambda x: 1 / sympy.tanh(x),
        sympy.sec: lambda x: 1 / sympy.cos(x),
        sympy.csc: lambda x: 1 / sympy.sin(x),
        sympy.tan: _tan,
        sympy.cot: lambda x: 1 / sympy.tan(x),
        sympy.acot: lambda x: sympy.atan(1 / x),
        sympy.frac: lambda x: x - sympy.floor(x),
        sympy.Mod: lambda x, y: x - y * sympy.floor(x / y),
        sympy.Heaviside: _heaviside,
        sympy.erfcinv: lambda x: sympy.erfinv(1 - x),
    }
)
_DECIMALS = (sympy.EulerGamma, sympy.Catalan, sympy.TribonacciConstant)


def in_known(value: Expr) -> Expr:
    """The formula with these functions and constants written out, the inner ones first."""
    exact = {sympy.GoldenRatio: (1 + sympy.sqrt(5)) / 2}
    rounded = {c: sympy.Float(float(c)) for c in _DECIMALS if value.has(c)}
    found = {c: float(c) for c in value.atoms(sympy.Float)}
    rounded |= {c: sympy.Float(number) for c, number in found.items() if 0 < abs(number) < inf}
    return rooted(spelled(_rounding(value.xreplace(exact | rounded))))


def _rounding(value: Expr) -> Expr:
    """SymPy has no function that rounds: an undefined one of that name is taken for it."""
    return value.replace(
        lambda node: isinstance(node, AppliedUndef) and node.func.__name__ in ("round", "rint"),
        lambda node: rint(*node.args),
    )


def spelled(node: Expr) -> Expr:
    """The formula without SymPy's other functions, as cot, which it makes of tan(pi z - pi/2)."""
    if not node.has(*_WRITTEN):
        return node
    parts = [spelled(part) for part in node.args]
    write = _WRITTEN.get(type(node))
    return node.func(*parts) if write is None else write(*parts)
