"""The page as a LaTeX document, pictures in files beside it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from symnet.formulas import tex
from symnet.reporting.contents import (
    Block,
    Code,
    Drawn,
    Folded,
    Formulas,
    Items,
    Live,
    Page,
    Paragraph,
    Table,
)

_PREAMBLE = r"""\usepackage{array,graphicx}
\setlength{\textwidth}{400pt}\setlength{\oddsidemargin}{26pt}
\setlength{\textheight}{660pt}\setlength{\topmargin}{-40pt}
\setlength{\parindent}{0pt}\setlength{\parskip}{5pt plus 1pt}
\renewcommand{\arraystretch}{1.2}
\renewcommand{\topfraction}{0.9}\emergencystretch=3em
"""
# As wide as it is, or as the page where that is less.
_FITTED = r"\resizebox{\ifdim\width>\textwidth\textwidth\else\width\fi}{!}{%"
_SCALE = 0.85  # of pictures, whose text is then as large as the page's small print
_WIDEST = 400 / 72.27  # inches: the width of the text
_CHARACTERS = 92  # of small print in a line of it
_LONG = 16  # characters: columns that are longer may be broken
_PARTS = re.compile(r"(?<=[_/])(?=[^/])")  # where a long name may be, beside its spaces
_PIECES = re.compile(rf"{_PARTS.pattern}|\s")


def write(page: Page, pictures: str = "") -> str:
    """The file's text; `pictures` is what the names of pictures begin with, none without it."""
    blocks = [rf"{{\LARGE\bfseries {_text(page.heading)}\par}}", _text(page.subtitle)]
    for section in page.sections:
        blocks.append(rf"\section*{{{_text(section.title)}}}")
        blocks += [text for block in section.blocks if (text := _block(block, pictures))]
    return tex.document("\n\n".join(blocks), preamble=_PREAMBLE)


def _block(block: Block, pictures: str) -> str:
    if isinstance(block, Drawn):
        return _drawn(block, pictures) if pictures else ""
    return _WRITERS[type(block)](block)


def _drawn(block: Drawn, pictures: str) -> str:
    width = min(_SCALE * float(block.picture.figure.get_figwidth()), _WIDEST)
    size = f"width={width:.2f}in,height=0.75\\textheight,keepaspectratio"
    image = rf"\includegraphics[{size}]{{\detokenize{{{pictures}-{block.name}}}.pdf}}"
    return f"\\medskip\n{image}\\nopagebreak\n\n{{\\small {_text(block.caption)}\\par}}"


def _text(text: str) -> str:
    # Two hyphens would be set as a dash.
    return r"-{}-".join(map(tex.escaped, text.replace("’", "'").split("--")))


def _paragraph(block: Paragraph) -> str:
    return rf"{_text(' '.join(filter(None, [block.strong, block.text])))}"


def _items(block: Items) -> str:
    return "\n\n".join(rf"{_text(text)}" for text in block.texts)


def _table(block: Table) -> str:
    """Its columns broken where the page is too narrow, and then however small."""
    lines = [" & ".join(map(_cell, row)) + r" \\" for row in block.rows]
    columns = "".join(_columns(block))
    body = "\n".join([lines[0] + r" \hline", *lines[1:]])
    tabular = f"\\begin{{tabular}}{{@{{}}{columns}@{{}}}}\n{body}\n\\end{{tabular}}"
    caption = f"{{\\small {_text(block.caption)}\\par}}\\nopagebreak\n" if block.caption else ""
    return f"\\medskip\n{caption}{{\\footnotesize {_FITTED}\n{tabular}}}}}"


def _cell(text: str) -> str:
    return r"\allowbreak{}".join(_text(part) for part in _PARTS.split(text))


def _columns(block: Table) -> list[str]:
    """How LaTeX has each column: as wide as it is, or as a share of the page."""
    cells = list(zip(*block.rows, strict=True))
    longest = [max(map(len, column)) for column in cells]
    kinds = ["r" if numeric else "l" for numeric in block.numeric]
    broken = [j for j in range(len(kinds)) if longest[j] > _LONG]
    words = {j: max(len(w) for cell in cells[j] for w in _PIECES.split(cell)) for j in broken}
    room = _CHARACTERS - 2 * len(kinds) - sum(longest) + sum(longest[j] for j in broken)
    wanted = sum(longest[j] - words[j] for j in broken)
    spare = max(0, room - sum(words.values()))
    if wanted > spare:
        for j in broken:
            width = words[j] + spare * (longest[j] - words[j]) / wanted
            side = "left" if kinds[j] == "r" else "right"
            share = width / _CHARACTERS
            kinds[j] = rf">{{\ragged{side}\arraybackslash}}p{{{share:.3f}\textwidth}}"
    return kinds


_WRITERS: dict[type, Callable[[Any], str]] = {
    Paragraph: _paragraph,
    Items: _items,
    Formulas: lambda block: block.tex,
    Table: _table,
    Code: lambda block: rf"\texttt{{{_text(block.text)}}}",
    Folded: lambda block: "",
    Live: lambda block: "\n\n".join(map(_table, block.values)),
}
"""How each kind of block is written."""
