"""What the printers of the loop form share: expressions with few brackets, steps as lines.

A language is a subclass of `Printer` that says how it writes a number, an element, a loop, a
scalar, a choice, and puts a file together.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import count
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sympy import Add, Expr, Integer, Mul, NumberSymbol, Piecewise, Pow, S, Symbol, sign
from sympy.core.function import AppliedUndef, Function
from sympy.core.relational import Relational
from sympy.logic.boolalg import And, Or

from symnet.breaking import Kind, broken, listed
from symnet.languages import splitting
from symnet.lowering import elementary
from symnet.lowering.loops import (
    At,
    Call,
    Let,
    Loop,
    Lowered,
    Mirror,
    More,
    Put,
    Same,
    ScalarFunction,
    Start,
    Step,
    Store,
    read,
    walk,
)

_SUM, _PRODUCT, _FACTOR, _ATOM = range(4)  # how tightly the place of an expression binds


class Printer:
    """The loop form as text.

    functions: the language's names of elementary functions; lacking: those that it does not have,
    which a file defines for itself; choice: the lines of a choice in blocks; bare_choice: whether
    one in a line needs no brackets where nothing is around it; brackets: whether a product that is
    divided has them.
    """

    width: ClassVar[int] = 100
    tab: ClassVar[str] = "    "
    going_on: ClassVar[str] = ""  # at the end of a line that is continued
    stop: ClassVar[str] = ";"
    end: ClassVar[str] = "}"
    base: ClassVar[int] = 0
    times: ClassVar[str] = "*"
    over: ClassVar[str] = "/"
    bare_choice: ClassVar[bool] = False
    brackets: ClassVar[bool] = False
    choice: ClassVar[tuple[str, ...]] = ("if ({}) {{", "}} else if ({}) {{", "} else {", "}")
    both: ClassVar[str] = "&&"
    either: ClassVar[str] = "||"
    functions: ClassVar[Mapping[str, str]] = {"ceiling": "ceil"}
    lacking: ClassVar[frozenset[str]] = elementary.LACKING

    def __init__(self, precision: str = "double") -> None:
        self.precision = precision
        self.function()

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

    def loop(self, variable: str, last: int | str) -> str:
        """A loop's first line."""
        raise NotImplementedError

    def let(self, name: str, value: str) -> str:
        """A scalar that keeps its value."""
        raise NotImplementedError

    def start(self, name: str, value: str) -> str:
        """A scalar that changes."""
        raise NotImplementedError

    def more(self, name: str, value: str) -> str:
        """scalar += value."""
        return f"{name} += {value}"

    def activate(self, function: str, argument: str, results: Sequence[str]) -> str:
        """An activation called with an argument, its results stored."""
        raise NotImplementedError

    # --- numbers --------------------------------------------------------------------------------

    def number(self, value: Any) -> str:
        """A number with the fewest digits that give it back in this precision."""
        if self.precision == "float":
            found = np.float32(value)
            text = np.format_float_scientific(found, unique=True, trim="0", exp_digits=1)
            plain = np.format_float_positional(found, unique=True, trim="0")
            return self.literal(plain if len(plain) <= len(text) + 4 else text)
        return self.literal(repr(float(value)))

    def numbers(self, values: Iterable[Any]) -> list[str]:
        """The text of each."""
        return [self.number(value) for value in values]

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
            return self._pieces(_by_choice(expression), place)
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
            parts = sorted(map(self.condition, condition.args))
            return f"({f' {word} '.join(parts)})"
        if not isinstance(condition, Relational):
            raise TypeError(f"{condition} is no comparison")
        left, right = (self.text(side, _inside(side)) for side in (condition.lhs, condition.rhs))
        return f"{left} {condition.rel_op} {right}"

    # --- assignments ----------------------------------------------------------------------------

    def assignment(self, kind: str, name: str, value: str) -> str:
        """A statement: what is given a value, where a name that is new is declared, or returned."""
        if kind == "return":
            return f"return {value}"
        if kind == "more":
            return self.more(name, value)
        known = {"let": self.let, "start": self.start}.get(kind)
        return known(name, value) if known else f"{name} = {value}"

    def fits(self, statement: str) -> bool:
        """Whether a statement, with its indent, is as long as a line may be."""
        return len(statement) <= self.width

    def function(self) -> None:
        """A function begins: names in it are its own."""
        self.parts: Iterator[str] = (f"part{k}" for k in count(1))

    def assigned(self, kind: str, name: str, value: Expr, depth: int = 1) -> Iterator[str]:
        """The lines of an assignment; long ones in parts, long choices in blocks."""

        def line(expression: Expr) -> str:
            statement = self.assignment(kind, name, self.text(expression))
            return self.tab * depth + statement + self.stop

        def fits(expression: Expr) -> bool:
            return self.fits(line(expression))

        parts, rest = splitting.split(_by_choice(value), fits, self.parts)
        for symbol, part in parts:
            yield from self.assigned("let", symbol.name, part, depth)
        if isinstance(rest, Piecewise) and not fits(rest):
            yield from self.branches(kind, name, rest, depth)
        else:
            yield from self.broken(line(rest))

    def branches(self, kind: str, name: str, choice: Piecewise, depth: int) -> Iterator[str]:
        """A choice of which only one arm is computed, as blocks."""
        indent = self.tab * depth
        if kind in ("let", "start"):
            declared = self.declare(name)
            yield from [indent + declared + self.stop] if declared else []
            kind = "set"
        *pieces, (otherwise, _) = choice.args
        first, later, last, end = self.choice
        for k, (value, condition) in enumerate(pieces):
            yield indent + (later if k else first).format(bare(self.condition(condition)))
            yield from self.assigned(kind, name, value, depth + 1)
        yield indent + last
        yield from self.assigned(kind, name, otherwise, depth + 1)
        yield indent + end

    def declare(self, name: str) -> str:
        """A scalar without a value yet; nothing where there is no need to."""
        return ""

    # --- steps ----------------------------------------------------------------------------------

    def lines(self, steps: Iterable[Step], depth: int = 1) -> Iterator[str]:
        """The lines of steps, indented."""
        for step in steps:
            if isinstance(step, Loop):
                yield self.tab * depth + self.loop(step.variable, step.last)
                yield from self.lines(step.body, depth + 1)
                yield self.tab * depth + self.end
            else:
                yield from self.statement(step, depth)

    def statement(self, step: Step, depth: int) -> Iterator[str]:
        """The lines of one step, which is no loop."""
        match step:
            case Let(name, value) | Start(name, value) | More(name, value):
                yield from self.assigned(type(step).__name__.lower(), name, value, depth)
            case Put(name, value):
                yield from self.assigned("set", name, value, depth)
            case Store(element, value):
                yield from self.assigned("set", self.text(element), value, depth)
            case Mirror(element, others):
                for other in others:
                    yield from self.assigned("set", self.text(other), element, depth)
            case Call(function, argument, results):
                call = self.activate(function, self.text(argument), [self.text(r) for r in results])
                yield from self.broken(self.tab * depth + call + self.stop)
            case _:
                raise TypeError(f"{type(step).__name__} is no step")

    def broken(self, line: str) -> Iterator[str]:
        """The line, continued where it is too long."""
        yield from broken(line, Kind(self.tab, self.going_on), self.width)


def bare(text: str) -> str:
    """The text without brackets around all of it."""
    depth = 0
    for place, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if depth == 0:
            return text[1:-1] if text.startswith("(") and place + 1 == len(text) else text
    return text


def nested(
    values: Any, printer: Printer, brackets: str = "{}", indent: str = "", end: str = ","
) -> list[str]:
    """An array of numbers, a bracket for each axis, as lines that end with `end`."""
    array = np.asarray(values)
    opening, closing = brackets[0], brackets[1]
    if array.ndim == 1:
        items = printer.numbers(array.tolist())
        flat = f"{indent}{opening}{', '.join(items)}{closing}{end}"
        if len(flat) <= printer.width:
            return [flat]
        inner = listed(items, printer.width, indent + printer.tab)
        return [indent + opening, *inner, indent + closing + end]
    lines = [indent + opening]
    for row in array:
        lines += nested(row, printer, brackets, indent + printer.tab)
    return [*lines, indent + closing + end]


def called(lowered: Lowered) -> set[str]:
    """Names of the elementary functions that are called anywhere."""
    expressions = [e for f in lowered.functions for e in (*f.results, *(e for _, e in f.shared))]
    expressions += [read(step) for r in lowered.routines for step in walk(r.body)]
    functions = set().union(*(e.atoms(Function, AppliedUndef) for e in expressions), set())
    return {type(f).__name__.lower() for f in functions if not isinstance(f, (At, Same))} - {
        "undefined"
    }


def own_functions(lowered: Lowered, printer: Printer) -> tuple[ScalarFunction, ...]:
    """The functions that a file defines since its language lacks them."""
    return elementary.needed(called(lowered), printer.lacking)


def reads_inputs(steps: Iterable[Step]) -> bool:
    """Whether any step reads x."""
    return any(e.array == "x" for step in walk(steps) for e in read(step).atoms(At))


def _inside(term: Expr) -> int:
    """The place of a sum's first term, or of what is compared: a choice is in brackets there."""
    return _PRODUCT if isinstance(term, (Piecewise, sign)) else _SUM


def _by_choice(expression: Expr) -> Expr:
    """A sign as the choice that it is, choices in a last arm as further arms."""
    if isinstance(expression, sign):
        (x,) = expression.args
        return Piecewise((-1, x < 0), (1, x > 0), (x, True))
    if isinstance(expression, Piecewise):
        *pieces, (otherwise, _) = expression.args
        inner = _by_choice(otherwise)
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


Numbers = NDArray[Any]
