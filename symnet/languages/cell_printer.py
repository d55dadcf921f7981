"""Expressions as formulas of a spreadsheet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from sympy.logic.boolalg import And, Or

from symnet.languages.printing import Printer
from symnet.lowering import elementary


class CellPrinter(Printer):
    """Expressions as Excel and LibreOffice both read them.

    A power is POWER(a, b): in -a^2 a spreadsheet takes the sign first. Accurate forms of the error
    functions, expm1, log1p and asinh are spelled out, as neither program has all of them.
    """

    lacking: ClassVar[frozenset[str]] = elementary.LACKING | frozenset(
        {"erf", "erfc", "log1p", "expm1", "asinh", "rint"}
    )
    functions: ClassVar[Mapping[str, str]] = {
        **{name: name.upper() for name in ("abs", "exp", "sin", "cos", "tan", "sinh", "cosh")},
        **{name: name.upper() for name in ("tanh", "asin", "acos", "atan", "acosh", "atanh")},
        **{"log": "LN", "floor": "INT", "pow": "POWER", "sqrt": "SQRT"},
    }

    def literal(self, text: str) -> str:
        return text.upper()

    def call(self, function: str, arguments: list[str]) -> str:  # type: ignore[override]
        if function == "ceiling":
            return f"(-INT(-({arguments[0]})))"
        if function not in self.functions:
            raise ValueError(f"spreadsheets have no function {function!r}; use another language")
        return super().call(function, arguments)

    def choose(self, condition: str, value: str, otherwise: str) -> str:
        return f"IF({condition}, {value}, {otherwise})"

    def condition(self, condition: object) -> str:
        if isinstance(condition, (And, Or)):
            parts = ", ".join(sorted(map(self.condition, condition.args)))
            return f"{type(condition).__name__.upper()}({parts})"
        return super().condition(condition).replace(" == ", " = ").replace(" != ", " <> ")
