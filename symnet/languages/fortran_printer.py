"""Steps as Fortran 2008."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

from sympy import Expr, Piecewise

from symnet.languages.printing import Printer
from symnet.lowering import elementary
from symnet.lowering.loops import Shape


class FortranPrinter(Printer):
    """Steps as Fortran."""

    stop: ClassVar[str] = ""
    going_on: ClassVar[str] = " &"  # strings have no blanks here
    end: ClassVar[str] = "end do"
    base: ClassVar[int] = 1
    choice: ClassVar[tuple[str, ...]] = ("if ({}) then", "else if ({}) then", "else", "end if")
    both: ClassVar[str] = ".and."
    either: ClassVar[str] = ".or."
    functions: ClassVar[Mapping[str, str]] = {"erfcx": "erfc_scaled"}
    lacking: ClassVar[frozenset[str]] = elementary.LACKING - {"erfcx"} | {
        *("expm1", "log1p", "floor", "ceiling", "rint")
    }

    def literal(self, text: str) -> str:
        return f"{text}_wp"

    def element(self, array: str, indices: Sequence[str]) -> str:
        return f"{array}({', '.join(indices)})" if indices else array

    def call(self, function: str, arguments: Sequence[str]) -> str:
        if function == "pow":
            return f"({arguments[0]})**({arguments[1]})"
        if function in self.lacking:
            return f"{function}_of({', '.join(arguments)})"
        return super().call(function, arguments)

    def choose(self, condition: str, value: str, otherwise: str) -> str:
        return f"merge({value}, {otherwise}, {condition})"

    def undefined(self, argument: str, place: int = 0) -> str:
        """Quiet: 0/0 would stop programs that are compiled to stop at invalid operations."""
        return f"ieee_value({argument}, ieee_quiet_nan)"

    def loop(self, variable: str, last: int | str) -> str:
        return f"do {variable} = 1, {last}"

    def let(self, name: str, value: str) -> str:
        return f"{name} = {value}"

    def start(self, name: str, value: str) -> str:
        return f"{name} = {value}"

    def more(self, name: str, value: str) -> str:
        sign = " - " if value.startswith("-") else " + "
        return f"{name} = {name}{sign}{value.removeprefix('-')}"

    def activate(self, function: str, argument: str, results: Sequence[str]) -> str:
        return f"call {function}({', '.join([argument, *results])})"

    def assigned(self, kind: str, name: str, value: Expr, depth: int = 2) -> Iterator[str]:
        """A choice at its top as a block, of which one arm is computed; long lines go on."""
        if isinstance(value, Piecewise):
            yield from self.branches(kind, name, value, depth)
            return
        yield from self.broken(self.tab * depth + self.assignment(kind, name, self.text(value)))

    def array(self, name: str, shape: Shape) -> str:
        """name(m, n)."""
        return f"{name}({', '.join(map(str, shape))})" if shape else name
