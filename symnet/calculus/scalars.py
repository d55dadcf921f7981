"""Sums and products of scalars, left as they were built.

SymPy's own Add and Mul multiply out, round and sort: for a network of ten thousand weights, most
of the time that its statements would take, and the order of the neurons would be lost.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from sympy import Add, Expr, Function, Mul, Pow, S, exp, log

from symnet.calculus.algebra import Quantity

Product: TypeAlias = tuple[Expr, list[Expr]]
"""A constant, and the factors besides."""


class logsumexp(Function):
    """logsumexp(z_1, …) = log Σ exp(z_r) = c + log Σ exp(z_r − c) for every c.

    Written as the first; code takes the second, with c the largest z_r, so that nothing overflows.
    """

    def written_out(self) -> Expr:
        """log Σ exp(z_r), term by term."""
        return log(Add(*map(exp, self.args), evaluate=False), evaluate=False)


def total(terms: Iterable[Expr], constant: Expr) -> Expr:
    """The terms in their order, numbers among them added up at the end."""
    kept = []
    for term in terms:
        if term.is_number:
            constant = constant + term
        else:
            kept.append(term)
    if constant != 0:
        kept.append(constant)
    return Add(*kept, evaluate=False) if len(kept) > 1 else (kept[0] if kept else S.Zero)


def collected(products: Iterable[Product]) -> Expr:
    """The sum of constant · product of factors, like products added up, equal factors as powers."""
    sums: dict[tuple[Expr, ...], Expr] = {}
    for constant, factors in products:
        if constant == 0:
            continue
        # Products differ in the order of their factors when directions coincide.
        key = tuple(sorted(factors, key=_order))
        sums[key] = sums.get(key, S.Zero) + constant
    return total([_product(constant, key) for key, constant in sums.items()], S.Zero)


def leading(total: Expr) -> Expr:
    """A sum that is a factor, its number before terms that begin with a minus: 1/3 - ∂lse1/∂x1."""
    if not total.is_Add:
        return total
    first, *rest, last = total.args
    if last.is_number and last.is_positive and first.as_coeff_Mul()[0].is_negative:
        return Add(last, first, *rest, evaluate=False)
    return total


def _order(factor: Expr) -> tuple[int, int, tuple[str, ...]]:
    if isinstance(factor, Quantity):
        return (factor.order, -len(factor.letter), factor.along)
    return (9 if factor.is_Add else -9, 0, ())


def _product(constant: Expr, factors: tuple[Expr, ...]) -> Expr:
    if constant == 0 or not factors:
        return constant
    powers = [
        f if factors.count(f) == 1 else Pow(f, factors.count(f), evaluate=False)
        for f in dict.fromkeys(factors)
    ]
    if constant == 1 and len(powers) == 1:
        return powers[0]
    return Mul(*(Mul.make_args(constant) if constant != 1 else ()), *powers, evaluate=False)
