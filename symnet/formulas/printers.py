"""What text, Unicode and LaTeX have in common: a printer of formulas for reading.

SymPy's own printers sort terms by what they are made of; here they are in the order of the
inputs, constants last, and floats have the fewest digits that give the number back. Where a line
may be broken stands a mark, see `lines`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import sympy
from sympy import Expr, Symbol
from sympy.printing.printer import Printer

from symnet.activations import Activation
from symnet.calculus.algebra import Quantity, sigma
from symnet.calculus.scalars import logsumexp
from symnet.formulas import labels, ordering, radicals
from symnet.formulas.lines import BREAK, CASE, IF, SOFT, has_marks
from symnet.names import text_partial

_LONG = 20  # characters of a factor before which a product may be broken, as before each sum


class FormulaPrinter(Printer):
    """Signs, order, fractions, parentheses; each format overrides how it writes them.

    Args:
        inputs: the input symbols, by which terms and factors are ordered.
        activations: by name, for the glyphs of named functions.
        digits: significant digits of floats; None for the fewest that give the number back.
        own: what a derivation's own quantity is called, of its letter and of how it is written.
        sort: False to print sums and products in the order in which they were built.
        brief: what is written for names that are too long to be set.
    """

    plus, minus, times, over = "+", "-", "*", "/"
    relations: Mapping[str, str] = MappingProxyType({})
    logic: Mapping[str, str] = MappingProxyType({"And": "and", "Or": "or"})
    prime = "'"
    dots = "..."
    slashed = True
    """Whether a partial is written with a slash: (∂y/∂x)·z, which else is read as ∂y/(∂x·z)."""

    def __init__(
        self,
        inputs: Iterable[Symbol] = (),
        activations: Mapping[str, Activation] | None = None,
        digits: int | None = None,
        own: Callable[[str, str], str] = lambda letter, text: text,
        sort: bool = True,
        brief: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        super().__init__()
        self.inputs = {symbol: position for position, symbol in enumerate(inputs)}
        self.activations = activations or {}
        self.digits, self.own, self.sort, self.brief = digits, own, sort, brief
        self._places = {symbol.name: position for symbol, position in self.inputs.items()}
        self._memory: dict[Expr, str] = {}

    # What each format writes in its own way.

    def name(self, name: str) -> str:
        """A symbol's name."""
        return name

    def partial(self, of: str, along: Iterable[str]) -> str:
        """The partial derivative of `of`, both already written."""
        return text_partial(of, along)

    def function(self, name: str, order: int = 0) -> str:
        """An activation's name with its primes."""
        return name + labels.primes(order, self.prime) if order < 4 else f"{name}^({order})"

    def decimal(self, number: str) -> str:
        """A float, not negative, as Python writes it."""
        return number

    def power(self, base: str, exponent: Expr) -> str:
        """The base is in parentheses already where it needs them."""
        return f"{base}**{self.grouped(exponent)}"

    def root(self, radicand: Expr) -> str:
        """The square root."""
        return f"sqrt({self._print(radicand)})"

    def call(self, function: str, arguments: str) -> str:
        """A function of arguments already printed."""
        return f"{function}({arguments})"

    def parentheses(self, content: str) -> str:
        """The content in parentheses."""
        return f"({content})"

    def quotient(self, numerator: Sequence[str], denominator: Sequence[str]) -> str:
        """Factors over factors."""
        top = self.joined(numerator) if numerator else "1"
        bottom = self.joined(denominator)
        if len(denominator) > 1:
            bottom = self.parentheses(bottom)
        return f"{top}{_soft(bottom)}{self.over}{bottom}"

    def either(self, cases: Sequence[tuple[str, str]], otherwise: str) -> str:
        """(value, condition), …, and the value for all other cases."""
        for value, condition in reversed(cases):
            otherwise = f"({value} {IF}if {condition} {CASE}else {otherwise})"
        return otherwise

    # Sums and products.

    def _print(self, expr: Any, **kwargs: Any) -> str:
        if not self.sort or not expr.args:
            return str(super()._print(expr, **kwargs))
        # Derivatives repeat their subexpressions many times over.
        found = self._memory.get(expr)
        if found is None:
            found = self._memory[expr] = str(super()._print(expr, **kwargs))
        return found

    def emptyPrinter(self, expr: Any) -> str:
        """Whatever has no rule here, as SymPy prints it."""
        return sympy.sstr(expr)

    def _print_Add(self, expr: Expr) -> str:
        first, *rest = (self._signed(term) for term in self._terms(expr))
        text = (self.minus if first[0] else "") + first[1]
        return text + "".join(
            f" {BREAK}{self.minus if negative else self.plus} {term}" for negative, term in rest
        )

    def _print_Mul(self, expr: Expr) -> str:
        negative, text = self._signed(expr)
        return self.minus + text if negative else text

    def _signed(self, term: Expr) -> tuple[bool, str]:
        """Whether a minus comes before the term, and the term without it."""
        if term.is_Mul:
            return self._product(term.args)
        if term.is_Number and term.is_negative:
            return True, self._print(-term)
        return False, self.grouped(term) if term.is_Add else self._print(term)

    def _product(self, factors: Sequence[Expr]) -> tuple[bool, str]:
        negative = False
        numbers: list[str] = []
        top: list[Expr] = []
        bottom: list[Expr] = []
        factors = radicals.rationalised(self._in_turn(factors))
        partials = [factor for factor in factors if _is_partial(factor.as_base_exp()[0])]
        for factor in factors:
            if factor.is_Number:
                negative ^= bool(factor.is_negative)
                self._number_factor(abs(factor), numbers, bottom, bool(partials))
            elif factor.is_Pow and factor.exp.is_Number and factor.exp.is_negative:
                bottom.append(radicals.inverted(factor))
            else:
                top.append(factor)
        top, bottom = [*self._ordered(top)], [*self._ordered(radicals.under_one_root(bottom))]
        apart = self.slashed and bool(bottom or partials != top[-1:])
        above = numbers + [self._factor(f, apart) for f in top]
        below = [self._factor(f, apart) for f in bottom]
        if not below:
            return negative, self.joined(above) or "1"
        if len(above) == 1 and len(top) == 1 and top[0].is_Add:
            above = [self.parentheses(self._print(top[0]))]
        return negative, self.quotient(above, below)

    def _in_turn(self, factors: Sequence[Expr]) -> Sequence[Expr]:
        """Factors; those of one quantity's partials as the inputs are: (∂z/∂ρ)·(∂z/∂T)."""
        partials = [f for f in factors if _is_partial(f)]
        if len(partials) < 2 or len({(f.letter, f.layer, f.index) for f in partials}) > 1:
            return factors
        turn = iter(sorted(partials, key=lambda f: [self._places.get(d, 0) for d in f.along]))
        return [next(turn) if _is_partial(f) else f for f in factors]

    def _number_factor(
        self, number: Expr, above: list[str], below: list[Expr], whole: bool
    ) -> None:
        """Numerator and denominator, or the whole of a fraction above."""
        if number.is_Rational:
            over = 1 if whole else number.q
            if number * over != 1:
                above.append(self.coefficient(number * over))
            if over != 1:
                below.append(sympy.Integer(over))
        elif self.digits is None or self._print(number) != "1":
            above.append(self._print(number))  # rounded, 1.0 says nothing of a product

    def coefficient(self, number: Expr) -> str:
        """A rational factor."""
        return self.grouped(number)

    def _factor(self, factor: Expr, apart: bool) -> str:
        if apart and _is_partial(factor):
            return self.parentheses(self._print(factor))
        return self.grouped(factor) if factor.is_Add or factor.is_Mul else self._print(factor)

    def joined(self, factors: Sequence[str]) -> str:
        """Factors as a product."""
        first, *rest = factors or [""]
        return "".join([first, *(_soft(factor) + self.times + factor for factor in rest)])

    def grouped(self, expr: Expr) -> str:
        """The expression in parentheses unless it is a name, a call or a number without sign."""
        simple = expr.is_Symbol or (expr.is_Number and not expr.is_negative and expr.is_Integer)
        simple = simple or expr.is_NumberSymbol or expr.is_Function
        text = self._print(expr)
        return text if simple and not _is_partial(expr) else self.parentheses(text)

    def _terms(self, expr: Expr) -> Iterable[Expr]:
        return ordering.terms(expr, self.inputs, self._print) if self.sort else expr.args

    def _ordered(self, factors: Sequence[Expr]) -> Sequence[Expr]:
        return ordering.factors(factors, self.inputs, self._print) if self.sort else factors

    # Atoms and functions.

    def _print_Symbol(self, expr: Symbol) -> str:
        if expr.name in self.activations:  # an activation's own value in its formula
            return self.function(expr.name)
        return self.name(expr.name)

    def _print_Quantity(self, expr: Quantity) -> str:
        return self.partial(self.entry(expr), map(self.name, expr.along))

    def entry(self, quantity: Quantity) -> str:
        """One neuron's quantity without its directions: z1_3; or a node's, lse2."""
        letter, layer, index = quantity.letter, quantity.layer, quantity.index
        if layer is None:
            return self.name(letter)
        text = f"{letter}{layer}" + ("" if index is None else f"_{index}")
        return self.own(letter.lstrip("d"), text)

    def _print_Integer(self, expr: Expr) -> str:
        return f"{self.minus}{-expr.p}" if expr.p < 0 else str(expr.p)

    def _print_Rational(self, expr: Expr) -> str:
        sign = self.minus if expr.p < 0 else ""
        return sign + self.quotient([str(abs(expr.p))], [str(expr.q)])

    def _print_Float(self, expr: Expr) -> str:
        text = repr(float(expr)) if self.digits is None else f"{float(expr):.{self.digits}g}"
        return self.minus + self.decimal(text[1:]) if text[0] == "-" else self.decimal(text)

    def _print_Pi(self, expr: Expr) -> str:
        return self.name("pi")

    def _print_Exp1(self, expr: Expr) -> str:
        return self.call("exp", "1")

    def _print_Pow(self, expr: Expr) -> str:
        if expr.exp.is_Number and expr.exp.is_negative:
            return self._product([expr])[1]
        if expr.exp == sympy.S.Half:
            return self.root(expr.base)
        return self.power(self.grouped(expr.base), expr.exp)

    def _print_exp(self, expr: Expr) -> str:
        return self.call("exp", self._print(expr.args[0]))

    def _print_Function(self, expr: Expr) -> str:
        name = self.function(type(expr).__name__.lower())
        return self.call(name, ", ".join(map(self._print, expr.args)))

    _print_Max = _print_Min = _print_Function

    def _print_atan(self, expr: Expr) -> str:
        return self.call(self.function("arctan"), self._print(expr.args[0]))

    def _print_Abs(self, expr: Expr) -> str:
        return self.call("abs", self._print(expr.args[0]))

    def _print_sigma(self, expr: sigma) -> str:
        return self.call(self.function(expr.name, expr.order), self._print(expr.argument))

    def _print_logsumexp(self, expr: logsumexp) -> str:
        return self._print(expr.written_out())

    def _print_Piecewise(self, expr: Expr) -> str:
        *cases, (otherwise, _) = expr.args
        printed = [(self._print(value), self._print(condition)) for value, condition in cases]
        return self.either(printed, self._print(otherwise))

    def _print_ITE(self, expr: Any) -> str:
        condition, then, otherwise = map(self._print, expr.args)
        return self.either([(then, condition)], otherwise)

    def _print_And(self, expr: Any) -> str:
        sign = self.logic[type(expr).__name__]
        return f" {BREAK}{sign} ".join(self.parentheses(self._print(a)) for a in expr.args)

    _print_Or = _print_And

    def _print_BooleanAtom(self, expr: Any) -> str:
        return str(bool(expr))

    def _print_Relational(self, expr: Any) -> str:
        operator = self.relations.get(expr.rel_op, expr.rel_op)
        return f"{self._print(expr.lhs)} {operator} {self._print(expr.rhs)}"


def _soft(factor: str) -> str:
    return SOFT if len(factor) > _LONG or has_marks(factor) else ""


def _is_partial(expr: Expr) -> bool:
    return isinstance(expr, Quantity) and bool(expr.along)
