"""The order of terms and factors: inputs as the network has them, constants last.

x1 + x2 + 1        1 + exp(z)        2*w*x1*exp(x2)*(1 - x1)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from sympy import Expr, Symbol

from symnet.formulas import labels

Written: TypeAlias = Callable[[Expr], str]
"""An expression's text: what is alike otherwise is ordered by its length, then alphabetically."""


def terms(expr: Expr, inputs: Mapping[Symbol, int], written: Written) -> Sequence[Expr]:
    """The terms of a sum. A positive integer leads where no term is a polynomial: 1 + exp(z)."""
    keys = {term: _term_key(term, inputs, written) for term in expr.args}
    found = sorted(keys, key=keys.__getitem__)
    leading = found[-1].is_Integer and found[-1].is_positive
    if leading and all(keys[term][0] > 0 for term in found):
        found.insert(0, found.pop())
    return found


def factors(
    factors: Sequence[Expr], inputs: Mapping[Symbol, int], written: Written
) -> Sequence[Expr]:
    """Numbers, weights, inputs, functions, sums; the shorter first."""
    return sorted(factors, key=lambda factor: _factor_key(factor, inputs, written))


def _term_key(term: Expr, inputs: Mapping[Symbol, int], written: Written) -> tuple[Any, ...]:
    """Inputs in their order (higher powers first), then functions of them, weights, numbers."""
    if term.is_number:
        return (3,)
    powers = [f.as_base_exp() for f in (term.args if term.is_Mul else (term,))]
    if not all(b.is_number or (b.is_Symbol and _is_count(e)) for b, e in powers):
        text = written(term.as_coeff_Mul()[1])  # neurons in one order, whatever their weights
        return (1, len(text), text, written(term))
    symbols = [(b, int(e)) for b, e in powers if b.is_Symbol]
    names = tuple(sorted(labels.natural(s.name) for s, _ in symbols))
    among = [(s, e) for s, e in symbols if s in inputs] if inputs else symbols
    degree = sum(e for _, e in among)
    positions = tuple(sorted(inputs.get(s, 0) for s, _ in among))
    return (0, -degree, positions, names) if among else (2, names)


def _is_count(exponent: Any) -> bool:
    return bool(getattr(exponent, "is_Integer", False) and exponent > 0)


def _factor_key(factor: Expr, inputs: Mapping[Symbol, int], written: Written) -> tuple[Any, ...]:
    base = factor.base if factor.is_Pow else factor
    text = written(factor)
    if factor.is_number:
        return (0, 0, text)
    if base.is_Symbol:
        return (2, inputs[base], text) if base in inputs else (1, 0, text)
    return (4 if base.is_Add else 3, len(text), text)
