"""Expressions as Python writes them, and as one line of mathematics in Unicode.

text       2*exp(-x1 - x2 - 1)/(1 + exp(-x1 - x2 - 1))**2
unicode    2·exp(−x₁ − x₂ − 1)/(1 + exp(−x₁ − x₂ − 1))²
"""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType

from sympy import Expr

from symnet.calculus.algebra import Quantity
from symnet.formulas import labels
from symnet.formulas.lines import CASE, IF
from symnet.formulas.printers import FormulaPrinter
from symnet.names import superscript


class TextPrinter(FormulaPrinter):
    """Expressions as Python writes them; functions as `numpy`, `math` and SymPy call them."""


class UnicodePrinter(FormulaPrinter):
    """Expressions as one line of mathematics."""

    minus, times, prime, dots = "−", "·", "′", "…"
    relations = MappingProxyType({"<=": "≤", ">=": "≥"})

    def name(self, name: str) -> str:
        return labels.unicode_name(name)

    def function(self, name: str, order: int = 0) -> str:
        glyph = self.activations[name].glyph if name in self.activations else name
        if order < 4:
            return glyph + labels.primes(order, self.prime)
        return glyph + superscript(f"({order})")

    def decimal(self, number: str) -> str:
        mantissa, _, exponent = number.partition("e")
        return f"{mantissa}·10{superscript(str(int(exponent)))}" if exponent else mantissa

    def power(self, base: str, exponent: Expr) -> str:
        if exponent.is_Integer:
            return base + superscript(str(exponent))
        return f"{base}^{self.grouped(exponent)}"

    def root(self, radicand: Expr) -> str:
        return f"√{self.grouped(radicand)}"

    def either(self, cases: Sequence[tuple[str, str]], otherwise: str) -> str:
        listed = f", {CASE}".join(f"{value} {IF}if {condition}" for value, condition in cases)
        return f"{{{listed}, {CASE}else {otherwise}}}"

    def entry(self, quantity: Quantity) -> str:
        if quantity.layer is None:
            return self.name(quantity.letter)
        letter = quantity.letter.lstrip("d")
        order = len(quantity.letter) - len(letter)
        shown = {"lse": "ℓ"}.get(letter, letter)
        numbers = (quantity.layer, quantity.index)
        place = ",".join(labels.subscript(str(n)) for n in numbers if n is not None)
        raised = f"({order})" if order > 3 else ""
        marks = superscript(raised) or labels.primes(order, self.prime)
        return self.own(letter, f"{shown}{marks}{place}")
