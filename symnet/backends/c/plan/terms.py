"""The terms of a statement's expression, by what computes them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from sympy import Add, Expr, Mul, Pow

from symnet.backends.c.plan.steps import moves
from symnet.calculus.algebra import Quantity, column, dot, entry, matvec, row, sigma, symbols
from symnet.calculus.program import Statement


class Parts(NamedTuple):
    """A sum's terms, by what computes them.

    products: matrix, transposed or not, and vector; totals: what is added up over neurons;
    bias: of the products; local: what a neuron needs of itself and of one-wide vectors only.
    """

    products: tuple[tuple[Expr, Expr], ...]
    totals: tuple[Expr, ...]
    bias: Quantity | None
    local: Expr


@lru_cache(maxsize=2**14)
def parts_of(statement: Statement) -> Parts:
    """A statement's terms, found once for all Programs that share it.

    TypeError for one that no step computes.
    """
    products, totals, biases, local = [], [], [], []
    for term in Add.make_args(statement.expression):
        number, rest = term.as_coeff_Mul()
        if isinstance(rest, matvec) and number == 1 and is_local(rest.args[1]):
            products.append((rest.args[0], rest.args[1]))
        elif isinstance(rest, dot) and all(map(is_local, rest.args)):
            totals.append(Mul(number, *rest.args))
        elif isinstance(rest, Quantity) and rest.letter == "b" and number == 1:
            biases.append(rest)
        elif is_local(term):
            local.append(term)
        else:
            raise unknown(statement, term)
    if not products:
        local, biases = [*biases, *local], []
    bias = biases[0] if biases else None
    return Parts(tuple(products), tuple(totals), bias, Add(*local))


@lru_cache(maxsize=2**14)
def multiplied(expression: Expr) -> frozenset[Quantity]:
    """The quantities in vectors that matrices are multiplied with."""
    own = symbols(expression.args[1]) if isinstance(expression, matvec) else frozenset()
    return own.union(*map(multiplied, expression.args))


def is_local(expression: Expr) -> bool:
    """Whether an expression is made of entries: sums, products and powers of quantities."""
    match expression:
        case Quantity() | sigma():
            return True
        case column() | row():
            return isinstance(expression.args[0], Quantity)
        case entry():
            return is_local(expression.args[0])
        case Pow():
            base, exponent = expression.args
            return is_local(base) and bool(exponent.is_Integer and exponent > 0)
        case Add() | Mul():
            return all(map(is_local, expression.args))
    return bool(expression.is_number)


def unknown(statement: Statement, term: Expr) -> TypeError:
    """What is raised for a term that no step computes."""
    return TypeError(f"{statement}: the C backend has no step for {term}")


def weighted(terms: Iterable[Expr]) -> list[tuple[Expr, Expr]]:
    """Sums over neurons as (factor without directions, sum of those with), like factors once."""
    collected: dict[Expr, list[Expr]] = {}
    for term in terms:
        number, rest = term.as_coeff_Mul()
        factors = Mul.make_args(rest)
        moving = Mul(number, *(f for f in factors if moves(f)))
        weight = Mul(*(f for f in factors if not moves(f)))
        collected.setdefault(weight, []).append(moving)
    return [(weight, Add(*moving)) for weight, moving in collected.items()]
