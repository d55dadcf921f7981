"""Long lines in several: text and code at their blanks, lists between their items.

What a language, or a comment of it, has of its own is a `Kind`. Formulas are broken by
`symnet.formulas.lines`: at marks, nearest to the outside, by widths that are measured.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Sequence
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
    inside: a sign behind which a word ends that no line has room for.
    """

    deeper: str = ""
    going_on: str = ""
    kept: str = ""
    whole: bool = True
    inside: str = ""


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
    text = re.sub(kind.kept, _KEPT, text) if kind.kept else text
    room = width - len(kind.going_on) - len(indent + kind.deeper)
    found = textwrap.wrap(
        _with_ends(text, kind.inside, room) if kind.inside else text,
        width - len(kind.going_on),
        initial_indent=indent,
        subsequent_indent=indent + kind.deeper,
        break_long_words=not kind.whole,
        break_on_hyphens=not kind.whole,
    )
    lines = [part.replace(_KEPT, " ") for part in found]
    return [*(f"{part}{kind.going_on}" for part in lines[:-1]), *lines[-1:]]


def _with_ends(text: str, sign: str, room: int) -> str:
    """The text with a blank in words of more than `room`, behind the last sign that there is for.

    >>> _with_ends("y = a*(b*(c*(d", "(", 8)
    'y = a*(b*( c*(d'
    """
    parts = rf"(?=\S{{{room + 1}}})\S{{0,{max(room - 1, 0)}}}{re.escape(sign)}(?=\S)"
    return re.sub(parts, r"\g<0> ", text)


def listed(items: Sequence[str], width: int, indent: str = "", last: str = ",") -> list[str]:
    """Items between commas in lines of at most `width`; `last` is after the last.

    >>> listed(["1.0", "2.0", "3.0"], 12, "  ")
    ['  1.0, 2.0,', '  3.0,']
    """
    lines = packed(items, width - len(indent), ",", last) if items else [""]
    return [indent + line for line in lines]


def between(opening: str, items: Sequence[str], closing: str, tab: str, width: int) -> list[str]:
    """A list in one line where it fits, else its items in lines of their own, a comma after all.

    >>> between("a = [", ["1.0", "2.0"], "]", "  ", 12)
    ['a = [', '  1.0, 2.0,', ']']
    """
    room = width - len(opening) - len(closing)
    if 3 * len(items) <= room + 2 and sum(map(len, items)) + 2 * len(items) - 2 <= room:
        return [f"{opening}{', '.join(items)}{closing}"]
    indent = opening[: len(opening) - len(opening.lstrip())]
    return [opening, *listed(items, width, indent + tab), indent + closing]


def packed(pieces: Sequence[str], width: int, comma: str = "", last: str = "") -> list[str]:
    """Pieces between blanks in as few lines of at most `width` as there can be.

    comma, last: what stands after each but the last, and after that.

    >>> packed(["1.0", "2.0", "3.0"], 8)
    ['1.0 2.0', '3.0']
    """
    text = f"{comma}{_KEPT}".join(pieces) + last
    filled = rf"(.{{1,{max(width, 1)}}}|[^{_KEPT}]+)(?:{_KEPT}|\Z)"
    return [line.replace(_KEPT, " ") for line in re.findall(filled, text, re.DOTALL)]


def paragraph(lines: Iterable[str], kind: Kind = WORDS, width: int = WIDTH) -> list[str]:
    """Each of the lines in several, those that are short enough as they are."""
    return [part for line in lines for part in broken(line, kind, width)]
