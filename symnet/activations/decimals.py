"""Decimals as they are written, where doubles next to them are no longer what was meant.

0.01 (z + 55)/(1 - exp(-0.1 (z + 55))) has a limit at -55. SymPy writes 0.01 z + 0.55, and of these
doubles the sum is 0 next to -55, and (0.0040867... exp(-0.1 z)) is 1 at yet another place.
"""

from __future__ import annotations

import math
from fractions import Fraction
from functools import lru_cache

import sympy
from sympy import Expr, Piecewise, Rational

from symnet.activations.functions import STEPS
from symnet.activations.near import CORNERS, is_limited
from symnet.activations.pieces import pieces_of

_LONGEST = 15  # digits of a decimal that somebody wrote: others are what SymPy has rounded
_DENOMINATOR = 10_000  # of the quotient of two decimals, as 1/25.4
_ROUNDED = 1e-15


def whole_exponents(value: Expr) -> Expr:
    """With exp(-0.1 z - 11/2) for 0.0040867... exp(-0.1 z), SymPy's form of exp(-0.1 z - 5.5)."""
    return value.replace(_is_scaled, _joined_exponent)


@lru_cache(maxsize=512)
def meant(value: Expr) -> Expr:
    """The formula with decimals as fractions, if that is how one of its quotients has a limit."""
    if not value.has(sympy.Float) or not any(map(_is_quotient, value.atoms(sympy.Pow))):
        return value
    exact = _as_written(value)
    return exact if exact != value and pieces_of(exact).removable else value


def _is_quotient(power: Expr) -> bool:
    return is_limited(power) and power.exp.is_Integer


def _is_scaled(node: Expr) -> bool:
    if not (isinstance(node, sympy.Mul) and len(node.args) == 2):
        return False
    number, power = node.args
    return isinstance(number, sympy.Float) and isinstance(power, sympy.exp)


def _joined_exponent(node: Expr) -> Expr:
    number, power = node.args
    size = abs(float(number))
    shift = Fraction(math.log(size)).limit_denominator(_DENOMINATOR)
    if abs(math.exp(shift) / size - 1) > _ROUNDED:
        return node
    return sympy.sign(number) * sympy.exp(power.args[0] + Rational(shift))


def _as_written(node: Expr) -> Expr:
    """1/100 for 0.01, but not in exponents, nor where corners are: there doubles are compared."""
    if isinstance(node, sympy.Float):
        return _fraction(float(node)) or node
    if not node.has(sympy.Float) or isinstance(node, (*CORNERS, *STEPS)):
        return node
    if isinstance(node, Piecewise):
        return Piecewise(*((_as_written(arm), condition) for arm, condition in node.args))
    if isinstance(node, sympy.Pow) and node.exp.is_number:
        return _as_written(node.base) ** node.exp
    return node.func(*map(_as_written, node.args))


def _fraction(number: float) -> Expr | None:
    """The short decimal that it is, or the quotient of two."""
    mantissa, _, _ = repr(number).partition("e")
    if len(mantissa.replace(".", "").strip("-0")) <= _LONGEST:
        return Rational(repr(number))
    near = Fraction(number).limit_denominator(_DENOMINATOR)
    return Rational(near) if abs(near / Fraction(number) - 1) < _ROUNDED else None
