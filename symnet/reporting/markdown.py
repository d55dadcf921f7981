"""The page as Markdown, pictures in files beside it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

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


def write(page: Page, pictures: str = "") -> str:
    """The file's text; `pictures` is what the names of pictures begin with, none without it."""
    blocks = [f"# {plain(page.heading)}", plain(page.subtitle)]
    for section in page.sections:
        blocks.append(f"## {plain(section.title)}")
        blocks += [text for block in section.blocks if (text := _block(block, pictures))]
    return "\n\n".join(blocks) + "\n"


def plain(text: str) -> str:
    """Plain text as Markdown: neither markup nor HTML. A _ within a word is none."""
    return re.sub(r"[\\`*\[\]<>&|~$]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])", r"\\\g<0>", text)


def _block(block: Block, pictures: str) -> str:
    if isinstance(block, Drawn):
        image = f"![{plain(block.alt)}](<{pictures}-{block.name}.svg>)\n\n" if pictures else ""
        return f"{image}{plain(block.caption)}" if pictures else ""
    return _WRITERS[type(block)](block)


def _paragraph(block: Paragraph) -> str:
    return plain(" ".join(filter(None, [block.strong, block.text])))


def _formulas(block: Formulas) -> str:
    return _fenced(block.unicode)


def _fenced(text: str) -> str:
    longest = max(map(len, re.findall("`{3,}", text)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}text\n{text}\n{fence}"


def _table(block: Table) -> str:
    head, *body = (f"| {' | '.join(map(plain, row))} |" for row in block.rows)
    sides = "".join("---:|" if numeric else "---|" for numeric in block.numeric)
    return "\n".join([head, f"|{sides}", *body])


def _live(block: Live) -> str:
    return "\n\n".join(map(_table, block.values))


_WRITERS: dict[type, Callable[[Any], str]] = {
    Paragraph: _paragraph,
    Items: lambda block: "\n".join(f"- {plain(text)}" for text in block.texts),
    Formulas: _formulas,
    Table: _table,
    Code: lambda block: _fenced(block.text),
    Folded: lambda block: "",
    Live: _live,
}
"""How each kind of block is written."""
