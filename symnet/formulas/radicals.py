"""Roots of numbers where papers have them: in denominators, and under one sign.

√2·z/2 is z/√2        √2·exp(−z²/2)/(2·√π) is exp(−z²/2)/√(2·π)
"""

from __future__ import annotations

from collections.abc import Sequence

from sympy import Expr, Mul, Pow, S


def rationalised(factors: Sequence[Expr]) -> Sequence[Expr]:
    """The factors; a root of a whole number that SymPy keeps out of the denominator is in it."""
    found = [*factors]
    numbers = [f for f in found if f.is_Rational]
    for root in [f for f in found if _is_root(f) and f.base.is_Integer]:
        for number in numbers:
            if not number.q % root.base:
                found[found.index(number)] = number * root.base
                found[found.index(root)] = Pow(root.base, -S.Half, evaluate=False)
                return found
    return found


def under_one_root(factors: Sequence[Expr]) -> Sequence[Expr]:
    """The factors; roots of numbers are the root of a product, which nothing evaluates."""
    roots = [f for f in factors if _is_root(f) and f.is_number]
    if len(roots) < 2:
        return factors
    product = Mul(*(root.base for root in roots), evaluate=False)
    return [*(f for f in factors if f not in roots), Pow(product, S.Half, evaluate=False)]


def inverted(power: Expr) -> Expr:
    """What a factor with a negative exponent divides by."""
    return Pow(power.base, -power.exp, evaluate=power.exp != -S.Half)


def _is_root(factor: Expr) -> bool:
    return bool(factor.is_Pow and factor.exp == S.Half)
