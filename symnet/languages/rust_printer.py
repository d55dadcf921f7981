"""Steps as Rust, in the lines that rustfmt gives them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

from sympy import Expr, Piecewise

from symnet.languages.expressions import bare
from symnet.languages.printing import Printer
from symnet.lowering import elementary
from symnet.lowering.loops import Shape

CALL, _CHOICE = 60, 50  # rustfmt's fn_call_width and single_line_if_else_max_width


class RustPrinter(Printer):
    """Steps as Rust, whose own acosh loses digits near 1."""

    times: ClassVar[str] = " * "
    over: ClassVar[str] = " / "
    lacking: ClassVar[frozenset[str]] = elementary.LACKING | {"acosh", "erf", "erfc", "rint"}

    def __init__(self, precision: str = "double") -> None:
        super().__init__(precision)
        self.used: set[str] = {"abs"}  # functions that have been printed, and the self-test's

    @property
    def kind(self) -> str:
        """The type of numbers."""
        return "f32" if self.precision == "float" else "f64"

    def call(self, function: str, arguments: Sequence[str]) -> str:
        if function in self.lacking:
            return f"{function}({', '.join(arguments)})"
        self.used.add(function)
        return f"math::{function}({', '.join(arguments)})"

    def fits(self, statement: str) -> bool:
        """rustfmt breaks calls and choices that are long, in lines of whatever length."""
        return len(statement) <= self.width and _narrow(statement)

    def assignment(self, kind: str, name: str, value: str) -> str:
        return _taken(value) if kind == "return" else super().assignment(kind, name, _taken(value))

    def assigned(self, kind: str, name: str, value: Expr, depth: int = 1) -> Iterator[str]:
        lines = list(super().assigned(kind, name, value, depth))
        if kind == "return":
            lines[-1] = lines[-1].removesuffix(self.stop)
        return iter(lines)

    def branches(self, kind: str, name: str, choice: Piecewise, depth: int) -> Iterator[str]:
        """A choice is a value here."""
        indent = self.tab * depth
        opening = self.assignment(kind, name, "") if kind != "return" else ""
        *pieces, (otherwise, _) = choice.args
        for k, (value, condition) in enumerate(pieces):
            word = "} else if" if k else f"{opening}if"
            yield f"{indent}{word} {bare(self.condition(condition))} {{"
            yield from self.assigned("return", "", value, depth + 1)
        yield f"{indent}}} else {{"
        yield from self.assigned("return", "", otherwise, depth + 1)
        yield f"{indent}}};"

    def choose(self, condition: str, value: str, otherwise: str) -> str:
        condition = bare(condition)
        if otherwise.startswith("(if "):
            return f"(if {condition} {{ {value} }} else {otherwise[1:]}"
        return f"(if {condition} {{ {value} }} else {{ {otherwise} }})"

    def undefined(self, argument: str, place: int = 0) -> str:
        return f"{self.kind}::NAN"

    def loop(self, variable: str, last: int | str) -> str:
        return f"for {variable} in 0..{last if isinstance(last, int) else f'={last}'} {{"

    def let(self, name: str, value: str) -> str:
        return f"let {name} = {_taken(value)}"

    def start(self, name: str, value: str) -> str:
        return f"let mut {name} = {_taken(value)}"

    def activate(self, function: str, argument: str, results: Sequence[str]) -> str:
        taken = results[0] if len(results) == 1 else f"({', '.join(results)})"
        return f"{taken} = {function}({argument})"

    def type(self, shape: Shape, sizes: Sequence[str] = ()) -> str:
        """An array's type, by its numbers or by names of them."""
        if not shape:
            return self.kind
        return f"[{self.type(shape[1:], sizes[1:])}; {sizes[0] if sizes else shape[0]}]"

    def zero(self, shape: Shape) -> str:
        """An array of zeros."""
        return f"[{self.zero(shape[1:])}; {shape[0]}]" if shape else "0.0"


def _taken(value: str) -> str:
    """A choice without the brackets that it needs inside of a sum."""
    return bare(value) if value.startswith("(if ") else value


def _narrow(text: str) -> bool:
    """Whether what is in brackets is short, and what chooses."""
    if " else if " in text:
        return False
    open_at: list[int] = []
    for place, letter in enumerate(text):
        if letter == "(":
            open_at.append(place)
        elif letter == ")":
            first = open_at.pop()
            called = text[first - 1 : first].isalnum() or "," in text[first:place]
            chooses = text.startswith("(if ", first)
            if place - first - 1 > (_CHOICE if chooses else CALL if called else len(text)):
                return False
    taken, _, chosen = text.rpartition(" = if ")
    return len(chosen) + 2 <= _CHOICE if taken else not text.lstrip().startswith("if ")
