"""A formula of one symbol as nested tuples, and back: what files store and `analytic` evaluates.

    z/(1 + exp(-2 z))   is   ("mul", "z", ("pow", ("add", 1, ("exp", ("mul", -2, "z"))), -1))

A leaf is `"z"`, an integer, a float, an exact fraction `"1/3"`, `"pi"` or `"e"`. A branch is
`(operation, argument, ...)` with an operation of `FUNCTIONS`, `add`, `mul`, `pow` or
`("piecewise", (value, (relation, left, right)), ..., otherwise)`. The tuples may as well be lists,
as JSON has them. Reading a tree builds SymPy objects one by one: no text is parsed or executed.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any, TypeAlias

import sympy
from sympy import Expr, Symbol

Tree: TypeAlias = Any

FUNCTIONS = {
    function.__name__.lower(): function
    for function in (
        *(sympy.exp, sympy.log, sympy.sin, sympy.cos, sympy.tan, sympy.asin, sympy.acos),
        *(sympy.atan, sympy.sinh, sympy.cosh, sympy.tanh, sympy.erf, sympy.erfc),
        *(sympy.Abs, sympy.Min, sympy.Max, sympy.sign),
    )
} | {"sqrt": sympy.sqrt}
"""The functions of one argument (`min` and `max`: of one or more) that a formula may use."""

_RELATIONS = {"<": sympy.Lt, "<=": sympy.Le, ">": sympy.Gt, ">=": sympy.Ge}
_CONSTANTS = {"pi": sympy.pi, "e": sympy.E}
_FRACTION = re.compile(r"-?\d{1,400}/\d{1,400}", re.ASCII)
_DEPTH = 100
_NODES = 5_000
_POWER = 64
_DIGITS = 400
_LARGEST = 10**_DIGITS


def tree_of(expression: Expr, symbol: Symbol) -> Tree:
    """The tree of an expression of `symbol`. Raises ValueError for an unsupported function."""
    return _tree(expression, symbol)


def expression_of(tree: Tree, symbol: Symbol) -> Expr:
    """The expression a tree stands for. Raises ValueError for anything that is not a tree."""
    return _Reader(symbol).read(tree, 0)


def _tree(expression: Expr, symbol: Symbol) -> Tree:
    if expression == symbol:
        return "z"
    if expression.is_Number or expression in _CONSTANTS.values():
        return _leaf(expression)
    if isinstance(expression, sympy.Piecewise):
        return _pieces(expression, symbol)
    if isinstance(expression, sympy.Pow) and expression.exp == sympy.S.Half:
        return ("sqrt", _tree(expression.base, symbol))
    operation = _operation(expression)
    return (operation, *(_tree(argument, symbol) for argument in expression.args))


def _operation(expression: Expr) -> str:
    for name, kind in (("add", sympy.Add), ("mul", sympy.Mul), ("pow", sympy.Pow)):
        if isinstance(expression, kind):
            return name
    name = type(expression).__name__.lower()
    if FUNCTIONS.get(name) is not type(expression):
        raise ValueError(
            f"function {type(expression).__name__!r} is not supported; supported are + - * / **, "
            f"Piecewise, {', '.join(FUNCTIONS)}"
        )
    return name


def _leaf(number: Expr) -> Tree:
    for name, constant in _CONSTANTS.items():
        if number == constant:
            return name
    if isinstance(number, sympy.Integer):
        return int(number)
    if isinstance(number, sympy.Rational):
        return f"{number.p}/{number.q}"
    if isinstance(number, sympy.Float) and math.isfinite(float(number)):
        return float(number)
    raise ValueError(f"number {number} is not supported; numbers must be finite and real")


def _pieces(expression: sympy.Piecewise, symbol: Symbol) -> Tree:
    *pieces, (otherwise, last) = expression.args
    if last != sympy.true:
        raise ValueError("Piecewise does not cover every case; end it with (..., True)")
    found = []
    for value, condition in pieces:
        name = next((n for n, kind in _RELATIONS.items() if isinstance(condition, kind)), None)
        if name is None:
            raise ValueError(f"condition {condition} is not supported; expected <, <=, > or >=")
        left, right = (_tree(side, symbol) for side in condition.args)
        found.append((_tree(value, symbol), (name, left, right)))
    return ("piecewise", *found, _tree(otherwise, symbol))


class _Reader:
    """Builds an expression bottom-up within limits on depth and size."""

    def __init__(self, symbol: Symbol) -> None:
        self.symbol = symbol
        self.nodes = 0

    def read(self, tree: Tree, depth: int) -> Expr:
        self.nodes += 1
        if depth > _DEPTH or self.nodes > _NODES:
            raise ValueError(f"formula is nested deeper than {_DEPTH} or has over {_NODES} parts")
        if isinstance(tree, str):
            return self._word(tree)
        if isinstance(tree, (int, float)) and not isinstance(tree, bool):
            return self._number(tree)
        if isinstance(tree, (list, tuple)) and len(tree) > 1 and isinstance(tree[0], str):
            return self._branch(tree[0], tree[1:], depth + 1)
        raise ValueError(f"formula part {_shown(tree)} is no number, name or [operation, ...]")

    def _word(self, word: str) -> Expr:
        if word == "z":
            return self.symbol
        if word in _CONSTANTS:
            return _CONSTANTS[word]
        if _FRACTION.fullmatch(word) and int(word.partition("/")[2]) != 0:
            top, _, bottom = word.partition("/")
            return sympy.Rational(int(top), int(bottom))
        raise ValueError(f'formula part {_shown(word)} is not "z", "pi", "e" or a fraction "1/3"')

    def _number(self, number: int | float) -> Expr:
        if isinstance(number, float):
            if not math.isfinite(number):
                raise ValueError(f"formula has the number {number}, expected a finite one")
            return sympy.Float(number)
        if abs(number) > _LARGEST:
            raise ValueError("formula has an integer of more than 400 digits")
        return sympy.Integer(number)

    def _branch(self, operation: str, arguments: Sequence[Tree], depth: int) -> Expr:
        if operation == "piecewise":
            return self._piecewise(arguments, depth)
        if operation not in ("add", "mul", "pow", *FUNCTIONS):
            known = ", ".join(("add", "mul", "pow", "piecewise", *FUNCTIONS))
            raise ValueError(f"formula operation {_shown(operation)} is unknown (known: {known})")
        values = [self.read(argument, depth) for argument in arguments]
        if operation == "pow":
            return self._power(values)
        if operation in ("add", "mul"):
            if _digits(values) > 10 * _DIGITS:
                raise ValueError(f"formula adds or multiplies more than {10 * _DIGITS} digits")
            return {"add": sympy.Add, "mul": sympy.Mul}[operation](*values)
        if len(values) != 1 and operation not in ("min", "max"):
            raise ValueError(f"formula operation {operation!r} has {len(values)} arguments, not 1")
        return FUNCTIONS[operation](*values)

    def _power(self, values: Sequence[Expr]) -> Expr:
        if len(values) != 2:
            raise ValueError(f"formula operation 'pow' has {len(values)} arguments, expected 2")
        base, exponent = values
        if exponent.is_number:
            self._check_power(base, exponent)
        return sympy.Pow(base, exponent)

    def _check_power(self, base: Expr, exponent: Expr) -> None:
        """SymPy would compute 9**9**9, or the 3**n in (3 z)**n, exactly: refused beforehand."""
        inner = [abs(p.exp) for p in base.atoms(sympy.Pow) if p.exp.is_number]
        power = abs(exponent) * max([sympy.S.One, *inner])
        if not power.is_comparable or power > _POWER or getattr(exponent, "q", 1) > _POWER:
            raise ValueError(f"formula has the power {_shown(exponent)}, limited to {_POWER}")
        if _digits([base]) * power > _DIGITS:
            raise ValueError(f"formula has a power of more than {_DIGITS} digits")

    def _piecewise(self, arguments: Sequence[Tree], depth: int) -> Expr:
        *pieces, otherwise = arguments
        found: list[tuple[Expr, Any]] = []
        for piece in pieces:
            if not (isinstance(piece, (list, tuple)) and len(piece) == 2):
                raise ValueError(f"formula piece {_shown(piece)} is not [value, condition]")
            found.append((self.read(piece[0], depth), self._condition(piece[1], depth)))
        return sympy.Piecewise(*found, (self.read(otherwise, depth), True))

    def _condition(self, tree: Tree, depth: int) -> Any:
        if not (isinstance(tree, (list, tuple)) and len(tree) == 3 and isinstance(tree[0], str)):
            raise ValueError(f"formula condition {_shown(tree)} is not [relation, left, right]")
        if tree[0] not in _RELATIONS:
            known = " ".join(_RELATIONS)
            raise ValueError(f"formula relation {_shown(tree[0])} is none of {known}")
        return _RELATIONS[tree[0]](self.read(tree[1], depth), self.read(tree[2], depth))


def _digits(values: Sequence[Expr]) -> int:
    """Digits of all exact numbers in these expressions."""
    numbers = (number for value in values for number in value.atoms(sympy.Rational))
    return sum(len(str(abs(number.p))) + len(str(number.q)) - 1 for number in numbers)


def _shown(value: object) -> str:
    """A short form for error messages, however large or deep the value is."""
    try:
        text = repr(value)
    except RecursionError:
        return type(value).__name__
    return text if len(text) <= 60 else f"{text[:57]}..."
