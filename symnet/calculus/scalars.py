"""Sums and products of scalars, left as they were built.

SymPy's own Add and Mul multiply out, round and sort: for a network of ten thousand weights, most
of the time that its statements would take, and the order of the neurons would be lost.
"""

from __future__ import annotations

from collections.abc import Iterable

from sympy import Add, Expr, Mul, Pow, S, Symbol

from symnet.calculus.algebra import Quantity


def scaled(weight: Expr, entry: Expr) -> Expr:
    """weight · entry: no factor 1, and no product at all for a zero or for two numbers."""
    if weight == 0 or entry == 0:
        return S.Zero
    if entry.is_number or isinstance(entry, Symbol) is False:
        return weight * entry
    if weight == 1:
        return entry
    return Mul(weight, entry, evaluate=False)


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


def collected(products: Iterable[tuple[Expr, list[Expr]]]) -> Expr:
    """The sum of constant · product of factors, like products added up, equal factors as powers."""
    sums: dict[tuple[Expr, ...], Expr] = {}
    for constant, factors in products:
        # Products differ in the order of their factors when directions coincide.
        key = tuple(sorted(factors, key=_order))
        sums[key] = sums.get(key, S.Zero) + constant
    return total([_product(constant, key) for key, constant in sums.items()], S.Zero)


def _order(factor: Expr) -> tuple[int, int, tuple[str, ...]]:
    if isinstance(factor, Quantity):
        return (-len(factor.letter), factor.order, factor.along)
    return (-9, 0, ())


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
