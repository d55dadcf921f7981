"""How objects show themselves: paragraphs and tables in HTML, text escaped; columns of text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

MOST_ROWS = 60
"""Rows of a table that are shown at most, of which some from its end."""

_LAST = 10


def pretty(shown: object, printer: Any, cycle: bool) -> None:
    """A class's `_repr_pretty_`: IPython shows its text where there is no HTML, not its fields."""
    printer.text(str(shown))


def paragraph(text: str, strong: str = "") -> str:
    """A paragraph, which may begin with something in bold."""
    begin = f"<strong>{escape(strong)}</strong> " if strong else ""
    return f"<p>{begin}{escape(text)}</p>"


def table(head: Sequence[str], rows: Iterable[Sequence[str]], left: int = 1) -> str:
    """A table whose first `left` columns begin at the left, the others end at the right.

    Of more than MOST_ROWS rows the middle is left out, and the table says so.
    """
    body = [_row("td", row, left) for row in rows]
    if len(body) > MOST_ROWS:
        out = len(body) - MOST_ROWS
        body[MOST_ROWS - _LAST : -_LAST] = [_row("td", [f"… {out} more …"], left)]
    return "\n".join(["<table>", _row("th", head, left), *body, "</table>"])


def aligned(cells: Sequence[Sequence[str]]) -> list[str]:
    """The same in lines of text, indented: the first column begins at the left."""
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return [
        "  "
        + row[0].ljust(widths[0])
        + "".join(
            "  " + cell.rjust(w) for cell, w in zip(row[1:], widths[1:], strict=True)
        ).rstrip()
        for row in cells
    ]


def folded(summary: str, text: str) -> str:
    """Preformatted text that is shown when its summary is clicked."""
    return f"<details><summary>{escape(summary)}</summary><pre>{escape(text)}</pre></details>"


def _row(tag: str, cells: Sequence[str], left: int) -> str:
    sides = ("left" if i < left else "right" for i in range(len(cells)))
    return (
        "<tr>"
        + "".join(
            f'<{tag} style="text-align: {side}">{escape(cell)}</{tag}>'
            for side, cell in zip(sides, cells, strict=True)
        )
        + "</tr>"
    )
