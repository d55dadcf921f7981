r"""LaTeX, as `tex` writes it, as MathML, which browsers set by themselves.

    \frac{\partial y}{\partial x_{1}}    <mfrac><mrow><mi>∂</mi>…</mrow>…</mfrac>

One layout for both: what is a fraction, and where a line may be broken, is decided once, by the
LaTeX printer. This reads its own small language and no other: an unknown command is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from html import escape
from types import MappingProxyType

from symnet.formulas.labels import GREEK
from symnet.formulas.lines import SOFT, Piece, pieces, unbroken
from symnet.formulas.pages import Block, Line, Rows
from symnet.formulas.signs import LATEX
from symnet.formulas.tex import OPERATORS, width

_TOKEN = re.compile(r"\\[A-Za-z]+|\\.|[0-9]+(?:\.[0-9]+)?|.", re.DOTALL)
# Points: a factor that does not stay behind in a line alone, and what a narrow screen holds.
_SHORT, _WIDE = 60.0, 170.0
_TIMES, _APPLY = "\u2062", "\u2061"  # invisible: times, and the application of a function


def quoted(text: str) -> str:
    r"""Plain text that may stand in \text{}: here any character is itself."""
    return re.sub(r"[\\{}]", r"\\\g<0>", text)


MATHML = replace(LATEX, escaped=quoted)
"""How the layer algebra is written: as in LaTeX, with names as they are."""

_LETTERS = {
    **{rf"\{name}": letter for name, letter in GREEK.items()},
    **{r"\partial": "∂", r"\ell": "ℓ", r"\top": "⊤", r"\infty": "∞"},
}
_FUNCTIONS = frozenset(rf"\{name}" for name in OPERATORS)
_OPERATORS: Mapping[str, str] = MappingProxyType(
    {
        **{sign: sign for sign in "+=<>/,:!|"},
        **{"-": "−", r"\cdot": "·", r"\odot": "⊙", r"\le": "≤", r"\ge": "≥", r"\ne": "≠"},
        **{r"\land": "∧", r"\lor": "∨", r"\ldots": "…", r"\lvert": "|", r"\rvert": "|"},
        **{"(": "(", ")": ")", "[": "[", "]": "]"},
    }
)
_SPACES = {r"\ ": "0.25em", r"\quad": "1em", r"\qquad": "2em", "~": "0.25em"}
_FENCES = {r"\big": "1.2em", r"\Big": "1.6em"}
_OPENING = frozenset(["(", "[", ",", "=", "<", ">", "≤", "≥", "·", "⊙", "/", "∧", "∨", ":"])


def math(latex: str) -> str:
    """A formula within a line of text."""
    return f"<math>{row(latex)}</math>"


def row(latex: str) -> str:
    """The formula's elements. ValueError for a command that is not known."""
    return "".join(_Reader(unbroken(latex)).sequence())


def sentence(text: str) -> str:
    """HTML of a sentence with formulas between dollars."""
    parts = text.split("$")
    return "".join(math(p) if i % 2 else escape(p) for i, p in enumerate(parts))


def html(blocks: Sequence[Block], sentences: Sequence[str]) -> str:
    """Blocks of lines as HTML that the browser may break wherever the printer would.

    The sentences that follow are HTML.
    Each term is an inline block, so that the next line begins with a term where there is room.
    """
    parts = []
    for block in blocks:
        parts += [f'<p class="over">{escape(block.title)}</p>'] if block.title else []
        parts += [_table(rows) for rows in block.tables]
    parts += [f'<p class="legend">{said}.</p>' for said in sentences]
    return "\n".join(parts)


def _table(rows: Rows) -> str:
    several = any(len(line) > 1 for line in rows)
    made = []
    for line in rows:
        cells = "".join(map(_cell, line))
        made.append(f'<div class="row">{cells}</div>' if several else cells)
    kind = "lines beside" if several else "lines"
    return f'<div class="{kind}">\n' + "\n".join(made) + "\n</div>"


def _cell(line: Line) -> str:
    where = f' <span class="where">{math(f"({line.where})")}</span>' if line.where else ""
    return (
        f'<div class="line"><span class="left">{math(line.left + "=")}</span> '
        f'<span class="right">{flowing(line.right)}{where}</span></div>'
    )


def flowing(latex: str) -> str:
    """A formula in as many pieces as it may be broken into, those of a term together."""
    found: list[Piece] = []
    for piece in pieces(latex):
        if found and _begun(found[-1], piece):
            found[-1] = Piece(found[-1].text + piece.text, found[-1].rank)
        elif piece.text.strip():
            found.append(piece)
    return _grouped(found)


def _begun(before: Piece, piece: Piece) -> bool:
    """Whether what is before is the short beginning of a product, or of what is in parentheses.

    The short end of a parenthesis is not.
    """
    deeper = piece.rank[0] - before.rank[0]
    together = width(before.text) + width(piece.text)
    if piece.rank[1] == SOFT and deeper >= 0:
        return width(before.text) < _SHORT and together < _WIDE
    return deeper > 0 and together < 2 * _SHORT


def _grouped(found: Sequence[Piece]) -> str:
    """The pieces; between breaks with the fewest parentheses around them each part is one box."""
    if len(found) == 1:
        return _piece(found[0])
    outermost = min(piece.rank for piece in found[1:])
    parts: list[list[Piece]] = [[found[0]]]
    for piece in found[1:]:
        if piece.rank == outermost:
            parts.append([])
        parts[-1].append(piece)
    return "".join(f'<span class="term">{_grouped(part)}</span>' for part in parts)


def _piece(piece: Piece) -> str:
    text = piece.text.lstrip()
    if text.startswith(r"\,"):  # a product goes on: a space alone would not show it
        text = rf"\cdot {text[2:]}"
    return f"<math>{''.join(_Reader(text, goes_on=True).sequence())}</math>"


class _Reader:
    """Reads a formula from left to right; elements of what has been read."""

    def __init__(self, latex: str, goes_on: bool = False) -> None:
        self.tokens = _TOKEN.findall(latex)
        self.place = 0
        self.goes_on = goes_on

    def sequence(self, end: str = "") -> list[str]:
        """Up to `end`, which is read too: elements, each with its scripts."""
        found: list[str] = []
        before = "x" if self.goes_on and self.place == 0 else "("
        while (token := self._next(end)) != end:
            if token in (" ", "\n"):
                continue
            if token in "^_'":
                base = found.pop() if found else "<mrow></mrow>"
                found.append(self._scripts(base, token))
                before = "x"
                continue
            element, sign = self._element(token, before)
            if element:
                found.append(element)
                before = sign
        return found

    def _next(self, end: str = "") -> str:
        """The next token; none at the end of the formula, unless `end` must come first."""
        if self.place == len(self.tokens):
            if not end:
                return ""
            raise ValueError(f"formula ends before {end}")
        self.place += 1
        return str(self.tokens[self.place - 1])

    def _peek(self) -> str:
        return self.tokens[self.place] if self.place < len(self.tokens) else ""

    def _scripts(self, base: str, token: str) -> str:
        primes, above, below = 0, "", ""
        while True:
            if token == "'":
                primes += 1
            elif token == "^":
                above += self._group()
            else:
                below += self._group()
            if self._peek() not in ("^", "_", "'"):
                break
            token = self._next()
        if primes:
            prime = (
                f'<mo class="prime" form="postfix" lspace="0" rspace="0">{"′″‴"[primes - 1]}</mo>'
            )
            above = f"<mrow>{prime}{above}</mrow>" if above else prime
        return _scripted(base, below, above)

    def _group(self) -> str:
        """What the next braces hold, or the next token."""
        while (token := self._next()) == " ":
            pass
        inner = self.sequence("}") if token == "{" else [self._element(token, "(")[0]]
        return _together(inner)

    def _raw(self) -> str:
        """Text in braces, in which a backslash makes the next character itself."""
        if self._next() != "{":
            raise ValueError("text is expected in braces")
        found = ""
        while (token := self._next("}")) != "}":
            found += token[1:] if len(token) == 2 and token[0] == "\\" else token
        return found

    def _element(self, token: str, before: str) -> tuple[str, str]:
        """An element, and the sign after which a minus may be one of two operands."""
        if token in _OPERATORS:
            sign = _OPERATORS[token]
            return _operator(sign, before), sign
        if token == "{":
            return _together(self.sequence("}")), "x"
        if token == r"\,":
            return f'<mo lspace="0" rspace="0.17em">{_TIMES}</mo>', "·"
        if token in _SPACES:
            return f'<mspace width="{_SPACES[token]}"></mspace>', before
        if token in (r"\mathopen", "&"):
            return "", before
        if token[0].isdigit():
            return f"<mn>{token}</mn>", "x"
        if token in _LETTERS or (len(token) == 1 and token.isalpha()):
            return f"<mi>{_LETTERS.get(token, token)}</mi>", "x"
        if token in _FUNCTIONS:
            return f"<mi>{token[1:]}</mi>", _APPLY
        return self._command(token), _APPLY if token == r"\operatorname" else "x"

    def _command(self, token: str) -> str:
        if token == r"\frac":
            return f"<mfrac>{self._group()}{self._group()}</mfrac>"
        if token == r"\sqrt":
            return f"<msqrt>{self._group()}</msqrt>"
        if token in (r"\mathrm", r"\operatorname"):
            word = self._raw()
            upright = ' mathvariant="normal"' if len(word) == 1 else ""
            return f"<mi{upright}>{escape(word)}</mi>"
        if token == r"\text":
            return f"<mtext>{escape(self._raw()).replace(' ', chr(160))}</mtext>"
        if token == r"\mathbf":
            return f'<mi class="bold">{escape(self._raw())}</mi>'
        if token == r"\bar":
            return f'<mover accent="true">{self._group()}<mo stretchy="false">\u00af</mo></mover>'
        if token == r"\sum":
            return "<mo>∑</mo>"
        if token == r"\left":
            opening = self._next()
            inner = "".join(self.sequence(r"\right"))
            return f"<mrow><mo>{opening}</mo>{inner}<mo>{self._next()}</mo></mrow>"
        if token[:-1] in _FENCES:
            return _fence(self._next(), _FENCES[token[:-1]], token[-1] == "l")
        if token in _FENCES:
            # A slash: Chromium sets a stretched one with wide gaps on both sides.
            return f'<mo lspace="0.1em" rspace="0.1em">{self._next()}</mo>'
        if token == r"\begin":
            return self._cases()
        raise ValueError(f"the formula has {token}, which has no MathML")

    def _cases(self) -> str:
        if (name := self._raw()) != "cases":
            raise ValueError(f"the formula has {name}, which has no MathML")
        rows: list[str] = []
        for line in self._rows():
            cells = (f"<mtd>{''.join(_Reader(cell).sequence())}</mtd>" for cell in line)
            rows.append(f"<mtr>{''.join(cells)}</mtr>")
        table = f'<mtable class="cases">{"".join(rows)}</mtable>'
        return f"<mrow><mo>{{</mo>{table}</mrow>"

    def _rows(self) -> Iterator[list[str]]:
        r"""The cells of each row up to \end{cases}; cases hold no others."""
        cells, depth = [""], 0
        while (token := self._next(r"\end")) != r"\end" or depth:
            depth += (token == "{") - (token == "}")
            if token == "&" and not depth:
                cells.append("")
            elif token == r"\\" and not depth:
                yield cells
                cells = [""]
            else:
                cells[-1] += token
        self._raw()
        yield cells


def _scripted(base: str, below: str, above: str) -> str:
    if base == "<mo>∑</mo>":
        return (
            f"<munderover>{base}{below or '<mrow></mrow>'}{above or '<mrow></mrow>'}</munderover>"
        )
    if 'stretchy="true"' in base:
        base = f"<mrow>{base}</mrow>"  # within which alone Chromium stretches it
    if below and above:
        return f"<msubsup>{base}{below}{above}</msubsup>"
    return f"<msub>{base}{below}</msub>" if below else f"<msup>{base}{above}</msup>"


def _together(elements: Sequence[str]) -> str:
    return elements[0] if len(elements) == 1 else f"<mrow>{''.join(elements)}</mrow>"


def _operator(sign: str, before: str) -> str:
    if sign in "()[]|":
        return f'<mo stretchy="false">{sign}</mo>'
    if sign in "−+" and before in _OPENING:
        return f'<mo form="prefix">{sign}</mo>'
    if sign in "−+":
        return f'<mo form="infix">{sign}</mo>'
    return f"<mo>{escape(sign)}</mo>"


def _fence(sign: str, size: str, opening: bool) -> str:
    form = f' form="{"prefix" if opening else "postfix"}"'
    sign = {r"\lvert": "|", r"\rvert": "|"}.get(sign, sign)
    return (
        f'<mo{form} stretchy="true" symmetric="true" minsize="{size}" maxsize="{size}">{sign}</mo>'
    )
