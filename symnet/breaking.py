"""Long lines in several: text and code at their blanks, lists between their items.

What a language, or a comment of it, has of its own is a `Kind`. Formulas are broken by
`symnet.formulas.lines`: at marks, nearest to the outside, by widths that are measured.
"""

from __future__ import annotations

import re
import textwrap
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate

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
    pieces = [f"{item}," for item in items]
    pieces[-1:] = [f"{item}{last}" for item in items[-1:]]
    return [indent + line for line in packed(pieces, width - len(indent), measure) or [""]]


def packed(pieces: Sequence[str], width: int, measure: Callable[[str], int] = len) -> list[str]:
    """Pieces between blanks in as few lines of at most `width` as there can be.

    >>> packed(["1.0", "2.0", "3.0"], 8)
    ['1.0 2.0', '3.0']
    """
    ends = [0, *accumulate(measure(piece) + 1 for piece in pieces)]
    lines, first = [], 0
    while first < len(pieces):
        last = max(bisect_right(ends, ends[first] + width + 1) - 1, first + 1)
        lines.append(" ".join(pieces[first:last]))
        first = last
    return lines


def paragraph(lines: Iterable[str], kind: Kind = WORDS, width: int = WIDTH) -> list[str]:
    """Each of the lines in several, those that are short enough as they are."""
    return [part for line in lines for part in broken(line, kind, width)]
