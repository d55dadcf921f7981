"""A formula of one symbol as nested tuples, and back: what files store and `analytic` evaluates.

    z/(1 + exp(-2 z))   is   ("mul", "z", ("pow", ("add", 1, ("exp", ("mul", -2, "z"))), -1))

A leaf is `"z"`, an integer, a float, an exact fraction `"1/3"`, `"pi"` or `"e"`. A branch is
`(operation, argument, ...)` with an operation of `FUNCTIONS`, `add`, `mul`, `pow` or
`("piecewise", (value, (relation, left, right)), ..., otherwise)`. The tuples may as well be lists,
as JSON has them. Reading a tree builds SymPy objects one by one: no text is parsed or executed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import sympy
from sympy import Expr, Symbol

from symnet.activations.functions import rint
from symnet.activations.limits import CONSTANTS, RELATIONS, Tree, check, shown

__all__ = ["FUNCTIONS", "Tree", "expression_of", "tree_of"]

FUNCTIONS = {
    function.__name__.lower(): function
    for function in (
        *(sympy.exp, sympy.log, sympy.sin, sympy.cos, sympy.tan, sympy.asin, sympy.acos),
        *(sympy.atan, sympy.sinh, sympy.cosh, sympy.tanh, sympy.erf, sympy.erfc),
        *(sympy.asinh, sympy.acosh, sympy.atanh, sympy.floor),
        *(sympy.Abs, sympy.Min, sympy.Max, sympy.sign, sympy.erfinv, sympy.loggamma),
    )
} | {"sqrt": sympy.sqrt, "ceil": sympy.ceiling, "round": rint, "digamma": sympy.digamma}
"""The functions of one argument (`min` and `max`: of one or more) that a formula may use."""

_RENAMED = {sympy.ceiling: "ceil", rint: "round"}
_UNREAL = (sympy.I, sympy.nan, sympy.oo, -sympy.oo, sympy.zoo)
_OPERATIONS = {"add": sympy.Add, "mul": sympy.Mul, "pow": sympy.Pow, **FUNCTIONS}


def tree_of(expression: Expr, symbol: Symbol) -> Tree:
    """The tree of an expression of `symbol`, which `expression_of` gives back equal.

    Raises ValueError for an unsupported function, and for what is beyond `limits`.
    """
    if expression.has(sympy.I):
        raise ValueError(
            f"formula {shown(expression)} has an imaginary part, as sqrt(-1) and log(-1) are; "
            "keep arguments in the domain, as in sqrt(Max(0, z))"
        )
    if expression.has(sympy.zoo):
        raise ValueError(
            f"formula {shown(expression)} has an infinite part, as 1/0 and log(0) are; "
            "numbers must be finite and real"
        )
    tree = _tree(expression, symbol)
    if expression_of(tree, symbol) != expression:
        raise ValueError(f"formula {shown(expression)} would be another when it is read again")
    return tree


def expression_of(tree: Tree, symbol: Symbol) -> Expr:
    """The expression a tree stands for. Raises ValueError for anything that is not a tree."""
    check(tree, FUNCTIONS)
    found = _built(tree, symbol)
    if found.has(*_UNREAL):
        raise ValueError(f"formula {shown(tree)} has a part that is no real number")
    for corner in found.atoms(sympy.Abs, sympy.sign):
        if not corner.args[0].is_extended_real:  # SymPy would take it for complex
            raise ValueError(f"formula part {shown(str(corner))}: the argument may not be real")
    return found


def _tree(expression: Expr, symbol: Symbol) -> Tree:
    if expression == symbol:
        return "z"
    if expression.is_Number or expression in CONSTANTS.values():
        return _leaf(expression)
    if isinstance(expression, sympy.Piecewise):
        return _pieces(expression, symbol)
    if isinstance(expression, sympy.Pow) and expression.exp == sympy.S.Half:
        return ("sqrt", _tree(expression.base, symbol))
    if isinstance(expression, sympy.polygamma):
        return (operation(expression), _tree(expression.args[1], symbol))
    return (operation(expression), *(_tree(argument, symbol) for argument in expression.args))


def operation(expression: Expr) -> str:
    """The name of what an expression does to its arguments. Raises ValueError as `tree_of`."""
    for name, kind in (("add", sympy.Add), ("mul", sympy.Mul), ("pow", sympy.Pow)):
        if isinstance(expression, kind):
            return name
    name = _RENAMED.get(type(expression)) or type(expression).__name__.lower()
    if isinstance(expression, sympy.polygamma) and expression.args[0] == 0:
        return "digamma"
    if type(expression) not in _RENAMED and FUNCTIONS.get(name) is not type(expression):
        raise ValueError(
            f"function {type(expression).__name__!r} is not supported; supported are + - * / **, "
            f"Piecewise, {', '.join(FUNCTIONS)}"
        )
    return name


def _leaf(number: Expr) -> Tree:
    for name, constant in CONSTANTS.items():
        if number == constant:
            return name
    if isinstance(number, sympy.Integer):
        return int(number)
    if isinstance(number, sympy.Rational):
        return f"{number.p}/{number.q}"
    if isinstance(number, sympy.Float) and math.isfinite(float(number)):
        return float(number)
    raise ValueError(f"number {shown(number)} is not supported; numbers must be finite and real")


def _pieces(expression: sympy.Piecewise, symbol: Symbol) -> Tree:
    *pieces, (otherwise, last) = expression.args
    if last != sympy.true:
        raise ValueError("Piecewise does not cover every case; end it with (..., True)")
    found = []
    for value, condition in pieces:
        name = next((n for n, kind in RELATIONS.items() if isinstance(condition, kind)), None)
        if name is None:
            said = shown(str(condition))
            raise ValueError(f"condition {said} is not supported; expected <, <=, > or >=")
        left, right = (_tree(side, symbol) for side in condition.args)
        found.append((_tree(value, symbol), (name, left, right)))
    return ("piecewise", *found, _tree(otherwise, symbol))


def _built(tree: Tree, symbol: Symbol) -> Expr:
    """The expression of a tree that has been checked."""
    if isinstance(tree, str):
        return _word(tree, symbol)
    if isinstance(tree, float):
        return sympy.Float(tree)
    if isinstance(tree, int):
        return sympy.Integer(tree)
    operation, *arguments = tree
    if operation == "piecewise":
        return _from_pieces(arguments, symbol)
    return _OPERATIONS[operation](*(_built(argument, symbol) for argument in arguments))


def _word(word: str, symbol: Symbol) -> Expr:
    if word == "z":
        return symbol
    if word in CONSTANTS:
        return CONSTANTS[word]
    top, _, bottom = word.partition("/")
    return sympy.Rational(int(top), int(bottom))


def _from_pieces(arguments: Sequence[Tree], symbol: Symbol) -> Expr:
    *pieces, otherwise = arguments
    found: list[tuple[Expr, Any]] = [
        (_built(value, symbol), RELATIONS[name](_built(left, symbol), _built(right, symbol)))
        for value, (name, left, right) in pieces
    ]
    return sympy.Piecewise(*found, (_built(otherwise, symbol), True))
