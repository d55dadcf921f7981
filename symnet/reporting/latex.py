"""The page as a LaTeX document, pictures in files beside it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
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
\interlinepenalty=10000
\setlength{\parindent}{0pt}\setlength{\parskip}{5pt plus 1pt}
\renewcommand{\arraystretch}{1.2}
\renewcommand{\topfraction}{0.9}\emergencystretch=3em
"""
# As wide as it is, or as the page where that is less.
_FITTED = r"\resizebox{\ifdim\width>\textwidth\textwidth\else\width\fi}{!}{%"
_SCALE = 0.85  # of pictures, whose text is then as large as the page's small print
_WIDEST = 400 / 72.27  # inches: the width of the text
POINTS = 369.0
"""Width of a line of formulas: 400 less the indentation of displays, and some play."""
_CHARACTERS = 92  # of small print in a line of it
_HEAD = 28  # characters of a row's head, where it has so many
_MOST = 150  # numbers at a point that are read on paper
_ROWS = 40  # lines of small print, which leave a page some room
_LONG = 16  # characters: columns that are longer may be broken
_PARTS = re.compile(r"(?<=[_/])(?=[^/])")  # where a long name may be, beside its spaces
_PIECES = re.compile(rf"{_PARTS.pattern}|\s")


def write(page: Page, pictures: str = "") -> str:
    """The file's text; `pictures` is what the names of pictures begin with, none without it."""
    blocks = [rf"{{\LARGE\bfseries {_text(page.heading)}\par}}", _text(page.subtitle)]
    for section in page.sections:
        blocks.append(rf"\section*{{{_text(section.title)}}}")
        blocks += _blocks(section.blocks, pictures)
    return tex.document("\n\n".join(blocks), preamble=_PREAMBLE)


def _blocks(blocks: Sequence[Block], pictures: str) -> Iterator[str]:
    """What is said of a block stays with it."""
    shown = [(block, text) for block in blocks if (text := _block(block, pictures))]
    for (block, text), (following, _) in pairwise([*shown, (None, "")]):
        alone = isinstance(block, Paragraph) and not isinstance(following, Paragraph | None)
        yield f"{text}\n\n\\nopagebreak" if alone else text


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


def _tables(block: Table) -> str:
    """As many as pages have room for: what is wider or longer goes on in another."""
    parts = [part for columns in _by_columns(block) for part in _by_rows(columns)]
    rest = (replace(part, caption=f"{part.caption}, continued") for part in parts[1:])
    return "\n\n".join(map(_table, [parts[0], *rest]))


def _live(block: Live) -> str:
    """The values at the point; what nobody reads on paper is left out."""
    return "\n\n".join(map(_table_at_a_point, block.values))


def _table_at_a_point(table: Table) -> str:
    head, *rows = table.rows
    if (count := len(rows) * (len(head) - 1)) <= _MOST:
        return _tables(table)
    return _text(f"{table.caption}: {count} numbers, which symnet evaluate gives.")


def _by_columns(block: Table) -> Iterator[Table]:
    """The first column, and beside it as many others as there is room for."""
    first, *others = zip(*block.rows, strict=True)
    least = [_least(cells) + 2 for cells in others]
    beside = _least(first)
    if beside + sum(least) > _CHARACTERS:
        beside = max(beside, min(_HEAD, max(map(len, first))))
    start = 0
    while start < len(others):
        stop, used = start + 1, beside + least[start]
        while stop < len(others) and used + least[stop] <= _CHARACTERS:
            used += least[stop]
            stop += 1
        yield replace(block, rows=tuple(zip(first, *others[start:stop], strict=True)))
        start = stop


def _by_rows(block: Table) -> Iterator[Table]:
    """The head, and below it as many rows as there is room for."""
    widths = _widths(block)
    head, *rows = block.rows
    part, used = [head], _lines(head, widths)
    for row in rows:
        if part[1:] and used + _lines(row, widths) > _ROWS:
            yield replace(block, rows=tuple(part))
            part, used = [head], _lines(head, widths)
        part.append(row)
        used += _lines(row, widths)
    yield replace(block, rows=tuple(part))


def _lines(row: Sequence[str], widths: Sequence[float]) -> int:
    """How many lines it takes, about: one that is broken leaves some of its width free."""
    return max(-(-len(cell) // max(1, int(0.85 * w))) for cell, w in zip(row, widths, strict=True))


def _least(cells: Sequence[str]) -> int:
    """Characters of a column that is as narrow as it can be."""
    longest = max(map(len, cells))
    return _longest_word(cells) if longest > _LONG else longest


def _longest_word(cells: Sequence[str]) -> int:
    return max(len(word) for cell in cells for word in _PIECES.split(cell))


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
    kinds = ["r" if numeric else "l" for numeric in block.numeric]
    longest = [max(map(len, cells)) for cells in zip(*block.rows, strict=True)]
    for j, width in enumerate(_widths(block)):
        if width < longest[j]:
            side = "left" if kinds[j] == "r" else "right"
            share = width / _CHARACTERS
            kinds[j] = rf">{{\ragged{side}\arraybackslash}}p{{{share:.3f}\textwidth}}"
    return kinds


def _widths(block: Table) -> list[float]:
    """Characters of each column: all of them where there is room, less of the long ones else."""
    cells = list(zip(*block.rows, strict=True))
    longest = [max(map(len, column)) for column in cells]
    least = list(map(_least, cells))
    wanted = sum(longest) - sum(least)
    spare = max(0, _CHARACTERS - 2 * len(cells) - sum(least))
    share = min(1.0, spare / wanted) if wanted else 1.0
    return [short + share * (long - short) for short, long in zip(least, longest, strict=True)]


_WRITERS: dict[type, Callable[[Any], str]] = {
    Paragraph: _paragraph,
    Items: _items,
    Formulas: lambda block: block.tex,
    Table: _tables,
    Code: lambda block: rf"\texttt{{{_text(block.text)}}}",
    Folded: lambda block: "",
    Live: _live,
}
"""How each kind of block is written."""
