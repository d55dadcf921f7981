"""Expressions that are too long for a line, as several: what a person would give a name.

Sums and products are split where they are printed, so that the roundings stay what they are; what
is chosen by a condition is left inside of it, so that nothing else is computed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sympy import Add, Expr, Mul, Piecewise, Pow, Symbol
from sympy.core.function import AppliedUndef, Function

from symnet.lowering.loops import At, Same

Fits = Callable[[Expr], bool]


def split(
    expression: Expr, fits: Fits, name: Iterator[str]
) -> tuple[list[tuple[Symbol, Expr]], Expr]:
    """Names for parts of an expression, in their order, and what is left, which fits.

    What no name makes shorter, and a choice as a whole, is left as it is.
    """
    parts: list[tuple[Symbol, Expr]] = []
    while not fits(expression) and not isinstance(expression, Piecewise):
        found = _part(expression, fits)
        if found is None:
            break
        symbol = Symbol(next(name), real=True)
        changed = _replaced(expression, found, symbol)
        if changed == expression:
            break
        parts.append((symbol, found))
        expression = changed
    return parts, expression


def _part(expression: Expr, fits: Fits) -> Expr | None:
    """The longest argument that fits, or that is a choice; else the first terms that fit."""
    inner = [a for a in expression.args if _compound(a)]
    if isinstance(expression, (At, Same)) or not expression.args:
        return None
    longest = max(inner, key=lambda a: len(str(a)), default=None)
    if longest is not None and not _plain_sign(longest):
        if not fits(longest) and not isinstance(longest, Piecewise):
            deeper = _part(longest, fits)
            if deeper is not None:
                return deeper
        if len(expression.args) < 3 or isinstance(longest, Piecewise) or _long(longest):
            return longest
    if isinstance(expression, (Add, Mul)) and len(expression.args) > 2:
        return _first_half(expression)
    return longest


def _first_half(expression: Expr) -> Expr:
    """The terms that are printed first; positive ones are, and divisors are last."""
    if isinstance(expression, Add):
        terms = sorted(expression.args, key=_negative)
    else:
        terms = sorted(expression.args, key=lambda f: isinstance(f, Pow) and _negative(f.exp))
    count = max(2, len(terms) // 2)
    return expression.func(*terms[:count], evaluate=False)


def _replaced(expression: Expr, part: Expr, symbol: Symbol) -> Expr:
    if expression == part:
        return symbol
    if isinstance(expression, type(part)) and isinstance(part, (Add, Mul)):
        rest = list(expression.args)
        if len(rest) > len(part.args) and all(a in rest for a in part.args):
            for term in part.args:
                rest.remove(term)
            return expression.func(symbol, *rest, evaluate=False)
    if isinstance(expression, (At, Same, Piecewise)) or not expression.args:
        return expression
    arguments = [_replaced(argument, part, symbol) for argument in expression.args]
    if arguments == list(expression.args):
        return expression
    if isinstance(expression, AppliedUndef):
        return expression.func(*arguments)
    return expression.func(*arguments, evaluate=False)


def _compound(expression: Expr) -> bool:
    if expression.is_number or isinstance(expression, (At, Same)):
        return False
    return isinstance(expression, (Add, Mul, Pow, Piecewise, Function, AppliedUndef))


def _plain_sign(expression: Expr) -> bool:
    return isinstance(expression, Mul) and len(expression.args) == 2 and expression.args[0] == -1


def _long(expression: Expr) -> bool:
    return len(str(expression)) > 30


def _negative(term: Expr) -> bool:
    if term.is_number:
        return bool(term < 0)
    return isinstance(term, Mul) and term.args[0].is_number and bool(term.args[0] < 0)
