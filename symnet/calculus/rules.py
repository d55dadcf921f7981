"""The differentiation of the layer algebra: one table of rules."""

from __future__ import annotations

from collections.abc import Mapping

from sympy import Add, Expr, Mul, Pow, S

from symnet.calculus.algebra import (
    column,
    dot,
    entry,
    log_softmax,
    matvec,
    sigma,
    softmax,
    transposed,
)


def derivative(expression: Expr, tangents: Mapping[Expr, Expr]) -> Expr:
    """d/dε of `expression` with every symbol s moved to s + ε·tangents[s], at ε = 0.

    Symbols that are not among `tangents` stay. TypeError for a function without a rule.
    """
    if expression in tangents:
        return tangents[expression]
    if not expression.args:
        return S.Zero
    rule = _RULES.get(type(expression))
    if rule is not None:
        return rule(expression, tangents)
    raise TypeError(f"{type(expression).__name__} has no rule of differentiation")


def _sum_rule(expression: Expr, tangents: Mapping[Expr, Expr]) -> Expr:
    return Add(*(derivative(term, tangents) for term in expression.args))


def _product_rule(expression: Expr, tangents: Mapping[Expr, Expr]) -> Expr:
    """Of products, and of matvec and dot, which are linear in each argument."""
    terms = []
    for k, factor in enumerate(expression.args):
        moved = derivative(factor, tangents)
        if moved is not S.Zero:
            terms.append(expression.func(*expression.args[:k], moved, *expression.args[k + 1 :]))
    return Add(*terms)


def _power_rule(expression: Pow, tangents: Mapping[Expr, Expr]) -> Expr:
    """Of the product of a vector with itself."""
    base, exponent = expression.args
    if not exponent.is_Integer:
        raise TypeError(f"{expression} has no rule of differentiation")
    return exponent * base ** (exponent - 1) * derivative(base, tangents)


def _chain_rule(expression: sigma, tangents: Mapping[Expr, Expr]) -> Expr:
    moved = derivative(expression.argument, tangents)
    return sigma(expression.name, expression.order + 1, expression.argument) * moved


def _softmax_rule(expression: softmax, tangents: Mapping[Expr, Expr]) -> Expr:
    moved = derivative(expression.args[0], tangents)
    return expression * (moved - dot(expression, moved))


def _log_softmax_rule(expression: log_softmax, tangents: Mapping[Expr, Expr]) -> Expr:
    moved = derivative(expression.args[0], tangents)
    return moved - dot(softmax(expression.args[0]), moved)


def _entry_rule(expression: entry, tangents: Mapping[Expr, Expr]) -> Expr:
    vector, unit = expression.args
    return dot(derivative(vector, tangents), unit)


_RULES = {
    Add: _sum_rule,
    Mul: _product_rule,
    Pow: _power_rule,
    matvec: _product_rule,
    column: _product_rule,
    dot: _product_rule,
    entry: _entry_rule,
    transposed: _product_rule,
    sigma: _chain_rule,
    softmax: _softmax_rule,
    log_softmax: _log_softmax_rule,
}
