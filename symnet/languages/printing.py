"""What the printers of the loop form share: statements, steps as lines, arrays of numbers.

A language is a subclass of `Printer` that says how it writes a number, an element, a loop, a
scalar, a choice, and puts a file together.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import count
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sympy import Expr, Piecewise, Symbol
from sympy.core.function import AppliedUndef, Function

from symnet.activations import Z
from symnet.breaking import Kind, between, broken
from symnet.languages import splitting
from symnet.languages.expressions import Expressions, bare, by_choice
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
    elements,
    read,
    walk,
)

Numbers = NDArray[Any]


class Printer(Expressions):
    """The loop form as text.

    lacking: the elementary functions that the language does not have, which a file defines for
    itself; choice: the lines of a choice in blocks.
    """

    width: ClassVar[int] = 100
    tab: ClassVar[str] = "    "
    going_on: ClassVar[str] = ""  # at the end of a line that is continued
    stop: ClassVar[str] = ";"
    end: ClassVar[str] = "}"
    choice: ClassVar[tuple[str, ...]] = ("if ({}) {{", "}} else if ({}) {{", "} else {", "}")
    lacking: ClassVar[frozenset[str]] = elementary.LACKING

    def __init__(self, precision: str = "double") -> None:
        super().__init__(precision)
        self.function()

    # --- what a language says -------------------------------------------------------------------

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

        parts, rest = splitting.split(by_choice(value), fits, self.parts)
        for symbol, part in parts:
            yield from self.assigned("let", symbol.name, part, depth)
        if isinstance(rest, Piecewise) and not fits(rest):
            yield from self.branches(kind, name, rest, depth)
        else:
            yield from self.broken(line(rest))

    def shared(self, named: Iterable[tuple[Symbol, Expr]]) -> Iterator[str]:
        """The values that a function's results share, each by its name."""
        for symbol, value in named:
            yield from self.assigned("let", symbol.name, value)

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

    def results(self, function: ScalarFunction) -> tuple[list[str], list[str]]:
        """What a function of z returns, formulas by names, and the lines that give them these."""
        returned: list[str] = []
        lines: list[str] = []
        for order, result in zip(function.orders, function.results, strict=True):
            if result.is_Symbol or result.is_number:
                returned.append(self.text(result))
            else:
                returned.append(f"sigma{order}")
                lines += self.assigned("let", returned[-1], result)
        return returned, lines

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
        yield from broken(line, Kind(self.tab, self.going_on, inside="("), self.width)


def nested(
    values: Any, printer: Printer, brackets: str = "{}", before: str = "", end: str = ","
) -> list[str]:
    """An array of numbers, a bracket for each axis, as lines from `before` to `end`."""
    array = np.asarray(values)
    opening, closing = brackets[0], brackets[1]
    if array.ndim == 1:
        items = printer.numbers(array.tolist())
        return between(before + opening, items, closing + end, printer.tab, printer.width)
    lines, indent = [before + opening], before[: len(before) - len(before.lstrip())]
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
    return any(e.array == "x" for step in walk(steps) for e in elements(read(step)))


def reads_argument(function: ScalarFunction) -> bool:
    """Whether a function of z, or any of its derivatives, depends on it."""
    return any(e.has_free(Z) for e in (*function.results, *(e for _, e in function.shared)))
