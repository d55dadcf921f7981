"""Long formulas in several lines, broken before operators.

Printers put a mark where a line may be broken: CASE before a case, IF before its condition, BREAK
before + and -, SOFT before * and /. A line ends at the mark with the fewest parentheses around it
among those in its last part, of as many at the first kind, and anywhere before the next case, or
the next term or factor of the sum or product that it began in: such stand below each other.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

CASE, IF, BREAK, SOFT = "\x00", "\x01", "\x02", "\x03"
"""Marks before a case, its condition, and the operators of a sum and a product, the first ones
broken at first; no printed text contains them."""

_MARKS = re.compile(f"([{CASE}{IF}{BREAK}{SOFT}])")
_LAST_PART = 0.65  # a break within the last 65 % of a line may be preferred to a later one
_ALL_BUT = 0.85  # as may one before what stands below, but for a line that would be nearly empty


class Part(NamedTuple):
    """A line of a broken formula, and how far inside it begins: 2 for each parenthesis."""

    text: str
    level: int


class Piece(NamedTuple):
    """What stands between two marks."""

    text: str
    rank: tuple[int, str]  # of the break before it: depth of parentheses, its mark


def unbroken(text: str) -> str:
    """The text in one line."""
    return _MARKS.sub("", text)


def has_marks(text: str) -> bool:
    """Whether the text may be broken anywhere."""
    return bool(_MARKS.search(text))


def broken(
    text: str,
    width: float,
    indent: Callable[[int], float],
    measure: Callable[[str], float] = len,
) -> list[Part]:
    """Lines no wider than `width` where possible, later ones less by `indent(level)`."""
    lines: list[Part] = []
    found = pieces(text)
    widths = [measure(piece.text) for piece in found]
    start = 0
    while start < len(found):
        depth, mark = found[start].rank
        level = 2 * depth + (mark == SOFT)
        room = width - indent(level) if lines else width
        stop = _stop(found, widths, start, room)
        joined = "".join(piece.text for piece in found[start:stop]).rstrip()
        lines.append(Part(joined, level))
        start = stop
    return lines


def pieces(text: str) -> list[Piece]:
    """The text in the pieces between its marks."""
    parts = _MARKS.split(text)
    found, depth = [Piece(parts[0], (0, BREAK))], _depth(parts[0])
    for mark, part in zip(parts[1::2], parts[2::2], strict=True):
        found.append(Piece(part, (depth, mark)))
        depth += _depth(part)
    return found


def _depth(text: str) -> int:
    return sum(map(text.count, "({")) - sum(map(text.count, ")}"))


def _stop(pieces: list[Piece], widths: list[float], start: int, width: float) -> int:
    """Where the line that begins with piece `start` ends."""
    used, late = widths[start], []
    outer, latest = pieces[start].rank[0], max(BREAK, pieces[start].rank[1])
    for i in range(start + 1, len(pieces)):
        depth, mark = pieces[i].rank
        below = mark == CASE or depth < outer or (depth == outer and mark <= latest)
        if used > (1 - (_ALL_BUT if below else _LAST_PART)) * width:
            late.append((pieces[i].rank, -i))
        used += widths[i]
        if used > width:
            return -min(late)[1] if late else i
    return len(pieces)
