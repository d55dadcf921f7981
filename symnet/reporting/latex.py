"""The page as a LaTeX document, pictures in files beside it."""

from __future__ import annotations

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

_SIZE = r"width=\textwidth,height=0.75\textheight,keepaspectratio"
# As wide as it is, or as the page where that is less.
_FITTED = r"\resizebox{\ifdim\width>\textwidth\textwidth\else\width\fi}{!}{%"


def write(page: Page, pictures: str = "") -> str:
    """The file's text; `pictures` is what the names of pictures begin with, none without it."""
    blocks = []
    for section in page.sections:
        blocks.append(rf"\section*{{{tex.escaped(section.title)}}}")
        blocks += [text for block in section.blocks if (text := _block(block, pictures))]
    text = tex.document("\n\n".join(blocks), page.heading)
    return text.replace(r"\usepackage{amsmath}", "\\usepackage{amsmath}\n\\usepackage{graphicx}", 1)


def _block(block: Block, pictures: str) -> str:
    if isinstance(block, Drawn):
        if not pictures:
            return ""
        image = rf"\includegraphics[{_SIZE}]{{\detokenize{{{pictures}-{block.name}}}.pdf}}"
        return f"\\medskip\\noindent\n{image}\n\n\\noindent {_text(block.caption)}"
    return _WRITERS[type(block)](block)


def _text(text: str) -> str:
    return tex.escaped(text.replace("’", "'"))


def _paragraph(block: Paragraph) -> str:
    return rf"\noindent {_text(' '.join(filter(None, [block.strong, block.text])))}"


def _items(block: Items) -> str:
    return "\n\n".join(rf"\noindent {_text(text)}" for text in block.texts)


def _table(block: Table) -> str:
    """Its head, and as many columns as the page can hold, however small."""
    lines = [" & ".join(map(_text, row)) + r" \\" for row in block.rows]
    columns = "l" * len(block.rows[0])
    body = "\n".join([lines[0] + r" \hline", *lines[1:]])
    tabular = f"\\begin{{tabular}}{{@{{}}{columns}@{{}}}}\n{body}\n\\end{{tabular}}"
    return f"\\medskip\\noindent\n{_FITTED}\n{tabular}}}"


_WRITERS: dict[type, Callable[[Any], str]] = {
    Paragraph: _paragraph,
    Items: _items,
    Formulas: lambda block: block.tex,
    Table: _table,
    Code: lambda block: rf"\noindent\texttt{{{_text(block.text)}}}",
    Folded: lambda block: "",
    Live: lambda block: "\n\n".join(map(_table, block.values)),
}
"""How each kind of block is written."""
