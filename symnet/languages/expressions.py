"""Expressions as text with few brackets, whose numbers are read back as they were.

Languages differ in a number's form, an element's, a choice's, and in the names of functions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from sympy import Add, Expr, Integer, Mul, NumberSymbol, Piecewise, Pow, S, Symbol, sign
from sympy.core.function import AppliedUndef, Function
from sympy.core.relational import Relational
from sympy.logic.boolalg import And, Or

from symnet.lowering.loops import At, Same

_SUM, _PRODUCT, _FACTOR, _ATOM = range(4)  # how tightly the place of an expression binds


class Expressions:
    """Expressions as one language writes them.

    functions: its names of elementary functions; bare_choice: whether a choice needs no brackets
    where nothing is around it; brackets: whether a product that is divided has them.
    """

    base: ClassVar[int] = 0
    times: ClassVar[str] = "*"
    over: ClassVar[str] = "/"
    bare_choice: ClassVar[bool] = False
    brackets: ClassVar[bool] = False
    both: ClassVar[str] = "&&"
    either: ClassVar[str] = "||"
    functions: ClassVar[Mapping[str, str]] = {"ceiling": "ceil"}

    def __init__(self, precision: str = "double") -> None:
        self.precision = precision

    # --- what a language says -------------------------------------------------------------------

    def literal(self, text: str) -> str:
        """A number of the language's type, from its digits."""
        return text

    def element(self, array: str, indices: Sequence[str]) -> str:
        """An array's element."""
        return array + "".join(f"[{index}]" for index in indices)

    def call(self, function: str, arguments: Sequence[str]) -> str:
        """A call of an elementary function."""
        return f"{self.functions.get(function, function)}({', '.join(arguments)})"

    def choose(self, condition: str, value: str, otherwise: str) -> str:
        """One of two values."""
        return f"({condition} ? {value} : {otherwise})"

    def undefined(self, argument: str, place: int = _SUM) -> str:
        """NaN, in languages without a name for it by 0/0."""
        nothing = f"({argument} - {argument})"
        text = f"{nothing}{self.over}{nothing}"
        return f"({text})" if place > _SUM else text

    # --- numbers --------------------------------------------------------------------------------

    def number(self, value: Any) -> str:
        """A number with the fewest digits that give it back in this precision."""
        (text,) = self.numbers([value])
        return text

    def numbers(self, values: Iterable[Any]) -> list[str]:
        """The text of each."""
        digits = _single if self.precision == "float" else repr
        return [self.literal(digits(value)) for value in map(float, values)]

    # --- expressions ----------------------------------------------------------------------------

    def text(self, expression: Expr, place: int = _SUM) -> str:
        """The expression, in brackets where its place binds tighter than it does."""
        if isinstance(expression, At):
            return self.element(expression.array, [self.index(i) for i in expression.indices])
        if isinstance(expression, Same):
            left, right = (self.index(i) for i in expression.args)
            return self.choose(f"{left} == {right}", self.number(1), self.number(0))
        if isinstance(expression, Symbol):
            return expression.name
        if expression.is_number and not isinstance(expression, Function):
            return self._constant(expression, place)
        if isinstance(expression, Add):
            return self._sum(expression, place)
        if isinstance(expression, Mul):
            return self._product(expression, place)
        if isinstance(expression, Pow):
            return self._power(expression, place)
        if isinstance(expression, Piecewise):
            return self._pieces(expression, place)
        if isinstance(expression, sign):
            return self._pieces(by_choice(expression), place)
        if isinstance(expression, (Function, AppliedUndef)):
            name = type(expression).__name__.lower()
            if name == "undefined":
                return self.undefined(self.text(expression.args[0]), place)
            return self.call(name, [self.text(argument) for argument in expression.args])
        raise TypeError(f"{type(expression).__name__} cannot be printed: {expression}")

    def index(self, index: Expr) -> str:
        """An index, as this language counts."""
        return str(int(index) + self.base) if isinstance(index, Integer) else str(index)

    def _constant(self, expression: Expr, place: int) -> str:
        value = expression if isinstance(expression, NumberSymbol) else expression.evalf(25)
        text = self.number(float(value))
        return f"({text})" if text.startswith("-") and place > _SUM else text

    def _sum(self, expression: Add, place: int) -> str:
        # Numbers last, as one writes them, unless all else is subtracted.
        terms = sorted(expression.args, key=lambda term: _negative(term))
        text = self.text(terms[0], _inside(terms[0]))
        for term in terms[1:]:
            if _negative(term):
                text += f" - {self.text(_opposite(term), _PRODUCT)}"
            else:
                text += f" + {self.text(term, _PRODUCT)}"
        return f"({text})" if place > _SUM else text

    def _product(self, expression: Mul, place: int) -> str:
        factors = list(expression.args)
        if factors[0] == -1:
            rest = _opposite(expression)
            text = f"-{self.text(rest, _FACTOR)}"
            return f"({text})" if place > _SUM else text
        above = [f for f in factors if not _is_divisor(f)]
        below = [_inverse(f) for f in factors if _is_divisor(f)]
        # A number in front keeps its sign.
        first, *others = above or [S.One]
        text = self.text(first, _PRODUCT if place == _SUM and not first.is_number else _FACTOR)
        if first.is_number and place == _SUM:
            text = self.text(first)
        text += "".join(self.times + self.text(factor, _FACTOR) for factor in others)
        text = f"({text})" if self.brackets and others and below else text
        text += "".join(self.over + self.text(divisor, _ATOM) for divisor in below)
        return f"({text})" if place > _FACTOR or (place == _FACTOR and below) else text

    def _power(self, expression: Pow, place: int) -> str:
        base, power = expression.args
        if power.is_number and power < 0:
            text = f"{self.number(1)}{self.over}{self.text(_inverse(expression), _ATOM)}"
            return f"({text})" if place >= _FACTOR else text
        if power == S.Half:
            return self.call("sqrt", [self.text(base)])
        if power.is_Integer and power <= 3 and isinstance(base, (Symbol, At)):
            return self._product(Mul(*[base] * int(power), evaluate=False), place)
        return self.call("pow", [self.text(base), self.text(power)])

    def _pieces(self, expression: Piecewise, place: int) -> str:
        *pieces, (value, last) = expression.args
        if last != True:  # noqa: E712 - SymPy's true is not Python's
            raise TypeError(f"{expression} has no value for some arguments")
        text = self.text(value)
        for value, condition in reversed(pieces):
            text = self.choose(self.condition(condition), self.text(value), text)
        return bare(text) if self.bare_choice and place == _SUM else text

    def condition(self, condition: Any) -> str:
        """A comparison."""
        if isinstance(condition, (And, Or)):
            word = self.both if isinstance(condition, And) else self.either
            told = needed(condition.args) if isinstance(condition, And) else condition.args
            parts = sorted(map(self.condition, told))
            return f"({f' {word} '.join(parts)})" if len(parts) > 1 else parts[0]
        if not isinstance(condition, Relational):
            raise TypeError(f"{condition} is no comparison")
        left, right = (self.text(side, _inside(side)) for side in (condition.lhs, condition.rhs))
        return f"{left} {condition.rel_op} {right}"


_LARGEST = float(np.finfo(np.float32).max)


def _single(value: float) -> str:
    """The fewest digits that give the number back in single precision.

    What is beyond that is its largest number, as a bound of z that none passes.
    """
    found = np.float32(np.clip(value, -_LARGEST, _LARGEST))
    if 1e-3 <= abs(value) < 1e6:
        return str(found)  # as below, four times faster
    text = np.format_float_scientific(found, unique=True, trim="0", exp_digits=1)
    plain = np.format_float_positional(found, unique=True, trim="0")
    return plain if len(plain) <= len(text) + 4 else text


def needed(conditions: Iterable[Any]) -> list[Any]:
    """What all of the conditions together say: z > 1 alone for z > 0 and z > 1."""
    every = list(conditions)
    return [c for c in every if not any(_follows(c, other) for other in every if other != c)]


def _follows(condition: Any, other: Any) -> bool:
    """Whether a comparison with a number is true wherever another of the same side is."""
    for kinds, way in (((">", ">="), 1), (("<", "<="), -1)):
        both = (condition, other)
        if all(isinstance(c, Relational) and c.rel_op in kinds and c.rhs.is_number for c in both):
            room = way * (other.rhs - condition.rhs)
            stricter = room == 0 and condition.rel_op == kinds[1]
            return bool(condition.lhs == other.lhs and (room > 0 or stricter))
    return False


def bare(text: str) -> str:
    """The text without brackets around all of it."""
    depth = 0
    for place, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if depth == 0:
            return text[1:-1] if text.startswith("(") and place + 1 == len(text) else text
    return text


def _inside(term: Expr) -> int:
    """The place of a sum's first term, or of what is compared: a choice is in brackets there."""
    return _PRODUCT if isinstance(term, (Piecewise, sign)) else _SUM


def by_choice(expression: Expr) -> Expr:
    """A sign as the choice that it is, choices in a last arm as further arms."""
    if isinstance(expression, sign):
        (x,) = expression.args
        return Piecewise((-1, x < 0), (1, x > 0), (x, True))
    if isinstance(expression, Piecewise):
        *pieces, (otherwise, _) = expression.args
        inner = by_choice(otherwise)
        if isinstance(inner, Piecewise):
            return Piecewise(*pieces, *inner.args, evaluate=False)
    return expression


def _negative(term: Expr) -> bool:
    if term.is_number:
        return bool(term < 0)
    return isinstance(term, Mul) and term.args[0].is_number and bool(term.args[0] < 0)


def _opposite(term: Expr) -> Expr:
    if term.is_number:
        return -term
    number, *rest = term.args
    factors = rest if number == -1 else [-number, *rest]
    return factors[0] if len(factors) == 1 else Mul(*factors, evaluate=False)


def _is_divisor(factor: Expr) -> bool:
    return isinstance(factor, Pow) and factor.exp.is_number and bool(factor.exp < 0)


def _inverse(power: Pow) -> Expr:
    base, exponent = power.args
    return base if exponent == -1 else Pow(base, -exponent, evaluate=False)
