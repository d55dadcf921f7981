r"""Expressions as LaTeX that fits the page.

A fraction or an exponent cannot be broken across lines, so only short ones are set that way; long
ones are written in a line, with `\big/` and `\exp`, and may be broken at their operators. What is
short is measured: `width` knows about how wide Computer Modern sets a formula.

    \frac{2\,e^{-x_{1}-x_{2}-1}}{\left(1+e^{-x_{1}-x_{2}-1}\right)^{2}}
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import zip_longest
from types import MappingProxyType
from typing import Any

from sympy import Expr

from symnet.calculus.algebra import Quantity
from symnet.formulas import labels
from symnet.formulas.lines import CASE, IF, SOFT, has_marks, unbroken
from symnet.formulas.printers import FormulaPrinter

# Points up to which something is set in one piece; a line has 345.
_FRACTION, _CASES, _EXPONENT, _GROUP, _DIVISOR = 210.0, 170.0, 150.0, 120.0, 30.0
OPERATORS = frozenset(
    ("arctan", "cos", "cosh", "exp", "log", "max", "min", "sin", "sinh", "tan", "tanh")
)
"""Functions that LaTeX has commands for."""


class LatexPrinter(FormulaPrinter):
    """Expressions as LaTeX, floats as decimal fractions and powers of ten."""

    times, prime, dots = r"\,", "'", r"\ldots"
    slashed = False
    relations = MappingProxyType({"<=": r"\le", ">=": r"\ge"})
    logic = MappingProxyType({"And": r"\land", "Or": r"\lor"})

    def name(self, name: str) -> str:
        return labels.latex_name(self.brief.get(name, name))

    def partial(self, of: str, along: Iterable[str]) -> str:
        return labels.latex_partial(of, along)

    def function(self, name: str, order: int = 0) -> str:
        if name in self.activations:
            command = self.activations[name].latex
        else:
            command = f"\\{name}" if name in OPERATORS else rf"\operatorname{{{name}}}"
        return command + (self.prime * order if order < 4 else f"^{{({order})}}")

    def decimal(self, number: str) -> str:
        mantissa, _, exponent = number.partition("e")
        return rf"{mantissa}\cdot 10^{{{int(exponent)}}}" if exponent else mantissa

    def power(self, base: str, exponent: Expr) -> str:
        if base.startswith("e^"):  # TeX takes no second superscript
            base = self.parentheses(base)
        if exponent.is_Rational:
            return f"{base}^{{{exponent}}}"
        return f"{base}^{{{unbroken(self._print(exponent))}}}"

    def root(self, radicand: Expr) -> str:
        content = self._print(radicand)
        if width(content) > _FRACTION:
            return f"{self.parentheses(content)}^{{1/2}}"
        return rf"\sqrt{{{unbroken(content)}}}"

    def call(self, function: str, arguments: str) -> str:
        return f"{function}{self.parentheses(arguments)}"

    def coefficient(self, number: Expr) -> str:
        return str(self._print(number))

    def parentheses(self, content: str) -> str:
        if not any(tall in content for tall in (r"\frac", "^", r"\begin", r"igl(")):
            return f"({content})"
        if has_marks(content) and width(content) > _GROUP:
            size = "Big" if r"\frac" in content else "big"
            return rf"\{size}l({content}\{size}r)"
        return rf"\left({unbroken(content)}\right)"

    def joined(self, factors: Sequence[str]) -> str:
        text, before = "", ""
        functions = set(map(self.function, self.activations))
        for factor in factors:
            # A function beside a sum in parentheses would be read as applied to it.
            apart = factor[0].isdigit() or (before in functions and _opens(factor))
            sign = r"\cdot " if text and apart else self.times
            soft = SOFT if text and width(text) + width(factor) > _EXPONENT else ""
            text += soft + sign * bool(text) + factor
            before = factor
        return text

    def quotient(self, numerator: Sequence[str], denominator: Sequence[str]) -> str:
        top = [_bare(numerator[0])] if len(numerator) == 1 else numerator
        bottom = [_bare(denominator[0])] if len(denominator) == 1 else denominator
        above, below = self.joined(top) if top else "1", self.joined(bottom)
        if max(width(above), width(below)) <= _FRACTION:
            return rf"\frac{{{unbroken(above)}}}{{{unbroken(below)}}}"
        above = self.joined(numerator) if numerator else "1"
        below = self.parentheses(below) if len(denominator) > 1 else denominator[0]
        soft = SOFT if width(below) > _DIVISOR else ""
        return rf"{above}{soft}\big/ {below}"

    def either(self, cases: Sequence[tuple[str, str]], otherwise: str) -> str:
        rows = [(value, rf"\text{{if }} {condition}") for value, condition in cases]
        rows.append((otherwise, r"\text{otherwise}"))
        # The columns are as wide as their widest entries.
        if sum(max(map(width, column)) for column in zip(*rows, strict=True)) <= _CASES:
            listed = r" \\ ".join(" & ".join(row) for row in rows)
            return unbroken(rf"\begin{{cases}} {listed} \end{{cases}}")
        listed = rf",\ {CASE}".join(
            rf"{value}\ {IF}\text{{if }} {condition}" for value, condition in cases
        )
        # Without \mathopen a leading minus would be spaced as a binary one.
        return rf"\bigl({listed},\ {CASE}\text{{else }}\mathopen{{}}{otherwise}\bigr)"

    def entry(self, quantity: Quantity) -> str:
        if quantity.layer is None:
            return self.name(quantity.letter)
        letter = quantity.letter.lstrip("d")
        order = len(quantity.letter) - len(letter)
        raised = self.prime * order if order < 4 else f"^{{({order})}}"
        shown = {"lse": r"\ell"}.get(letter, letter)
        numbers = (quantity.layer, quantity.index)
        place = ",".join(str(n) for n in numbers if n is not None)
        return self.own(letter, f"{shown}{raised}_{{{place}}}")

    def _print_BooleanAtom(self, expr: Any) -> str:
        return rf"\text{{{str(bool(expr)).lower()}}}"

    def _print_exp(self, expr: Expr) -> str:
        argument = self._print(expr.args[0])
        if 0.7 * width(argument) <= _EXPONENT and r"\begin" not in argument:
            return f"e^{{{unbroken(argument)}}}"
        return self.call(r"\exp", argument)

    def _print_Exp1(self, expr: Expr) -> str:
        return "e"

    def _print_Abs(self, expr: Expr) -> str:
        return rf"\lvert {self._print(expr.args[0])}\rvert "


_PARENTHESES = ((r"\left(", r"\right)"), (r"\bigl(", r"\bigr)"), (r"\Bigl(", r"\Bigr)"), ("(", ")"))


def _opens(factor: str) -> bool:
    return factor.startswith(tuple(left for left, _ in _PARENTHESES))


def _bare(factor: str) -> str:
    """A factor without the parentheses around the whole of it."""
    for left, right in _PARENTHESES:
        if factor.startswith(left) and factor.endswith(right):
            inner = factor[len(left) : -len(right)]
            depths = [1 if character == "(" else -1 for character in inner if character in "()"]
            if all(sum(depths[: i + 1]) >= 0 for i in range(len(depths))):
                return inner
    return factor


def document(body: str, title: str = "", preamble: str = "") -> str:
    r"""A complete document around what `formulas.latex` gives; needs amsmath only.

    `title` is plain text, written as `escaped` has it; `preamble` is LaTeX.
    """
    heading = rf"\noindent\textbf{{{escaped(title)}}}" + "\n\n\\medskip\n" if title else ""
    return (
        "\\documentclass[fleqn]{article}\n\\usepackage{amsmath}\n\\allowdisplaybreaks\n"
        f"{preamble}"
        f"\\pagestyle{{plain}}\n\\begin{{document}}\n{heading}{body}\n\\end{{document}}\n"
    )


escaped = labels.latex_escaped

# Commands of text that MathJax or KaTeX lack there, and what is a formula in all of them.
_NOT_IN_NOTEBOOKS = re.compile(
    r"\\ensuremath\{((?:[^{}]|\{[^{}]*\})*)\}|\\texttt\{U\+([0-9A-F]+)\}"
    r"|\\text(asciicircum|asciitilde|backslash)\{\}|\\([&%#_{}])|(\\\$)"
)
_AS_FORMULAS = {"asciicircum": r"\hat{\ }", "asciitilde": r"\sim", "backslash": r"\backslash"}


def in_notebooks(text: str) -> str:
    r"""A sentence that `escaped` made, as \\text of MathJax 3, MathJax 4 and KaTeX takes it.

    A dollar sign, which would end the display, is a wide one.
    """
    parts = _FORMULA.split(text)
    parts[::2] = [_NOT_IN_NOTEBOOKS.sub(_in_notebooks, part) for part in parts[::2]]
    return "".join(parts)


_FORMULA = re.compile(r"((?<!\\)\$.*?(?<!\\)\$)")


def _in_notebooks(found: re.Match[str]) -> str:
    formula, number, command, sign, _ = found.groups()
    if number:
        return chr(int(number, 16))
    if formula or command or sign:
        return f"${formula or _AS_FORMULAS.get(command) or chr(92) + sign}$"
    return "\N{FULLWIDTH DOLLAR SIGN}"


# --- how wide a formula is ----------------------------------------------------------------------

_TOKEN = re.compile(r"\\[A-Za-z]+|\\.|.", re.DOTALL)
_SCALE = (1.0, 1.0, 0.8, 0.64)  # of display, text, script and scriptscript style
# Advance widths of Computer Modern at 10 pt with TeX's spacing around binary and other operators.
_BINARY = {
    "+": 12.3,
    "-": 12.3,
    r"\cdot": 7.3,
    r"\odot": 12.3,
    "=": 13.4,
    r"\le": 13.4,
    r"\ge": 13.4,
    "<": 13.4,
    ">": 13.4,
    ":": 8.4,
}
_GLYPHS = {
    ".": 2.8,
    ",": 4.5,
    "'": 2.8,
    "(": 4.6,
    ")": 4.6,
    "[": 2.8,
    "]": 2.8,
    "/": 5.0,
    "&": 10.0,
    "m": 8.8,
    "w": 7.2,
    " ": 0.0,
    r"\,": 1.7,
    r"\ ": 3.4,
    r"\quad": 10.0,
    r"\qquad": 20.0,
    r"\sum": 14.5,
    r"\sqrt": 8.4,
    r"\partial": 5.7,
    r"\ldots": 13.4,
    r"\lvert": 2.8,
    r"\rvert": 2.8,
    r"\top": 7.8,
    r"\big": 1.0,
    r"\left": 2.0,
    r"\right": 2.0,
    r"\bigl": 0.5,
    r"\bigr": 0.5,
    r"\Bigl": 1.5,
    r"\Bigr": 1.5,
    r"\begin": 8.0,
    r"\end": 0.0,
    r"\mathrm": 0.0,
    r"\operatorname": 1.7,
    r"\text": 0.0,
}


@lru_cache(maxsize=65536)
def width(formula: str) -> float:
    """About how many points wide the formula is at 10 pt in display style."""
    return _sequence(iter(_TOKEN.findall(unbroken(formula))), 0)


def _sequence(tokens: Iterator[str], style: int) -> float:
    """Up to the end or a closing brace."""
    total = 0.0
    for token in tokens:
        if token == "}":
            break
        total += _token(token, tokens, style)
    return total


def _cases(tokens: Iterator[str], style: int) -> float:
    """A brace, and columns as wide as their widest entries."""
    _group(tokens, style)  # the name
    rows = [[0.0]]
    for token in tokens:
        if token == r"\end":
            break
        if token == "&":
            rows[-1].append(0.0)
        elif token == r"\\":
            rows.append([0.0])
        else:
            rows[-1][-1] += _token(token, tokens, style)
    _group(tokens, style)
    return 20.0 + sum(map(max, zip_longest(*rows, fillvalue=0.0)))


def _token(token: str, tokens: Iterator[str], style: int) -> float:
    if token == "{":
        return _sequence(tokens, style)
    if token in "^_":
        return _group(tokens, max(2, min(style + 1, 3))) + 0.5
    if token == r"\frac":
        inner = min(style + 1, 3)
        return max(_group(tokens, inner), _group(tokens, inner)) + 2.4
    if token == r"\begin":
        return _cases(tokens, style)
    if token in _BINARY:
        return _BINARY[token] * _SCALE[style] - (4.4 if style > 1 else 0.0)
    if token in _GLYPHS:
        return _GLYPHS[token] * _SCALE[style]
    if token[1:] in OPERATORS:
        return (5.2 * len(token[1:]) + 1.7) * _SCALE[style]
    return (8.0 if token.isupper() else 5.0 if token.isdigit() else 5.6) * _SCALE[style]


def _group(tokens: Iterator[str], style: int) -> float:
    token = next(tokens, "}")
    return _token(token, tokens, style) if token != "}" else 0.0
