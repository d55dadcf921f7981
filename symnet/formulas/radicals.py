"""Roots of numbers where papers have them: in denominators, and under one sign.

√2·z/2 is z/√2        √2·exp(−z²/2)/√π is 2·exp(−z²/2)/√(2·π)
"""

from __future__ import annotations

from collections.abc import Sequence

from sympy import Expr, Mul, Pow, S


def rationalised(factors: Sequence[Expr]) -> Sequence[Expr]:
    """The factors; a root of a whole number that SymPy keeps out of the denominator is in it.

    So it is where the denominator is divisible by that number, or has a root of its own.
    """
    if any(f.is_Float for f in factors):
        return factors
    number = Mul(*(f for f in factors if f.is_Rational))
    among_roots = any(f.is_number and f.is_Pow and f.exp == -S.Half for f in factors)
    for root in (f for f in factors if _is_root(f) and f.base.is_Integer):
        if among_roots or not number.q % root.base:
            others = [f for f in factors if not f.is_Rational and f is not root]
            return [number * root.base, *others, Pow(root.base, -S.Half, evaluate=False)]
    return factors


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
