"""Long lines in several: text and code at their blanks, lists between their items.

What a language, or a comment of it, has of its own is a `Kind`. Formulas are broken by
`symnet.formulas.lines`: at marks, nearest to the outside, by widths that are measured.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

WIDTH = 100
"""Columns of a line where nothing else is said."""

_KEPT = "\0"  # stands for a blank that is kept: no text contains it


@dataclass(frozen=True)
class Kind:
    """Where lines of a kind of text may end, and what continued ones have.

    deeper: before each line but the first, beside the indent of that one.
    going_on: at the end of each line but the last.
    kept: a pattern of the blanks at which no line ends.
    whole: words stay whole, however long, and hyphens are no place to break.
    """

    deeper: str = ""
    going_on: str = ""
    kept: str = ""
    whole: bool = True


SENTENCES = Kind(whole=False)
WORDS = Kind()
"""Text with numbers and names in it, which are read whole."""


def broken(line: str, kind: Kind = WORDS, width: int = WIDTH, indent: str = "") -> list[str]:
    """The line, after `indent`, in lines of at most `width`, which begin as far inside as it.

    >>> broken("    y = a + b", Kind("  ", going_on=" &"), 12)
    ['    y = a &', '      + b']
    """
    if len(indent) + len(line) <= width:
        return [indent + line]
    text = line.lstrip()
    indent += line[: len(line) - len(text)]
    found = textwrap.wrap(
        re.sub(kind.kept, _KEPT, text) if kind.kept else text,
        width - len(kind.going_on),
        initial_indent=indent,
        subsequent_indent=indent + kind.deeper,
        break_long_words=not kind.whole,
        break_on_hyphens=not kind.whole,
    )
    lines = [part.replace(_KEPT, " ") for part in found]
    return [*(f"{part}{kind.going_on}" for part in lines[:-1]), *lines[-1:]]


def listed(
    items: Sequence[str],
    width: int,
    indent: str = "",
    last: str = ",",
    measure: Callable[[str], int] = len,
) -> list[str]:
    """Items between commas in lines of at most `width` by `measure`; `last` is after the last.

    >>> listed(["1.0", "2.0", "3.0"], 12, "  ")
    ['  1.0, 2.0,', '  3.0,']
    """
    ends = [*(f"{item}," for item in items[:-1]), *(f"{item}{last}" for item in items[-1:])]
    lines: list[str] = []
    current = indent
    for piece in ends:
        longer = f"{current}{piece}" if current == indent else f"{current} {piece}"
        if current != indent and measure(longer) > width:
            lines.append(current)
            longer = indent + piece
        current = longer
    return [*lines, current]


def paragraph(lines: Iterable[str], kind: Kind = WORDS, width: int = WIDTH) -> list[str]:
    """Each of the lines in several, those that are short enough as they are."""
    return [part for line in lines for part in broken(line, kind, width)]
