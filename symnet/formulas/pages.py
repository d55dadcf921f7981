"""Blocks of lines `left = right` put on a page: of text, or of LaTeX displays.

Labels are aligned. A row of several lines stays side by side where that fits the page; a long
formula is broken before its operators, the deeper inside parentheses the further to the right.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import TypeAlias

from symnet.formulas.lines import broken, has_marks, unbroken
from symnet.formulas.tex import escaped, width

COLUMNS = 100
"""Characters in a line of text."""

POINTS = 314.0
"""Width of a line of LaTeX: that of an article at 10 pt with indented displays, and some play."""

_GAP = "     "
_INDENT = 2
_LARGEST_DISPLAY = 40  # rows; amsmath reads a display twice, so that a long one is slow
_LONGEST_SHOWN = 2000  # characters of a display: MathJax 3 takes 5 kB, KaTeX 1000 expansions
_EQUALS, _QUAD = 13.4, 10.0  # points
_DEEPEST = 6  # no further indentation of nested parentheses


@dataclass(frozen=True)
class Line:
    """`left = right`; `where` says for which layers when it stands for several."""

    left: str
    right: str
    where: str = ""


Rows: TypeAlias = Sequence[Sequence[Line]]
"""Rows of lines that belong side by side."""


@dataclass(frozen=True)
class Block:
    """Tables of rows under a title, each aligned by itself; `apart` with a blank line between."""

    tables: Sequence[Rows]
    title: str = ""
    apart: bool = False


# --- text -----------------------------------------------------------------------------------------


def text(blocks: Sequence[Block], parenthesized: bool, columns: int = COLUMNS) -> list[str]:
    """Lines of text. `parenthesized`: a broken formula is put in parentheses, as Python needs."""
    lines: list[str] = []
    for i, block in enumerate(blocks):
        follows = i > 0 and not blocks[i - 1].title
        if block.title:
            # What is explained stands right above its explanation.
            lines += [block.title] if follows else ["", block.title]
        elif i > 0:
            lines.append("")
        for j, rows in enumerate(block.tables):
            lines += [""] if block.apart and j > 0 else []
            lines += _text_rows(rows, _INDENT if block.title else 0, parenthesized, columns)
    return lines


def _text_rows(rows: Rows, indent: int, parenthesized: bool, columns: int) -> Iterator[str]:
    if any(len(row) > 1 for row in rows):
        table = _table([[_in_line(line) for line in row] for row in rows], indent)
        if max(map(len, table)) <= columns:
            yield from table
            return
    lines = _below_each_other(rows)
    labels = max(len(line.left) for line in lines)
    for line in lines:
        yield from _text_line(line, indent, labels, parenthesized, columns)


def _below_each_other(rows: Rows) -> list[Line]:
    """The lines one by one, each with what is said of its row."""
    return [replace(line, where=row[-1].where) for row in rows for line in row]


def _table(rows: list[list[str]], indent: int) -> list[str]:
    columns = [max(map(len, column)) for column in zip_longest(*rows, fillvalue="")]
    padded = (
        _GAP.join(cell.ljust(size) for cell, size in zip(row, columns, strict=False))
        for row in rows
    )
    return [" " * indent + row.rstrip() for row in padded]


def _in_line(line: Line) -> str:
    where = f"{_GAP}({line.where})" if line.where else ""
    return f"{line.left} = {unbroken(line.right)}{where}"


def _text_line(
    line: Line, indent: int, labels: int, parenthesized: bool, columns: int
) -> Iterator[str]:
    head = f"{' ' * indent}{line.left.ljust(labels)} = "
    where = f"{_GAP}({line.where})" if line.where else ""
    if len(head) + len(unbroken(line.right)) <= columns or not has_marks(line.right):
        yield head + unbroken(line.right) + where
        return
    left, right = ("(", ")") if parenthesized else ("", "")
    room = columns - len(head) - len(left + right)
    first, *rest = broken(line.right, room, _text_indent)
    yield head + left + first.text
    for i, part in enumerate(rest, 1):
        margin = " " * (len(head) + len(left) + _text_indent(part.level))
        yield margin + part.text + (right + where if i == len(rest) else "")


def _text_indent(level: int) -> int:
    return _INDENT * min(level, _DEEPEST)


# --- LaTeX ----------------------------------------------------------------------------------------


def latex(blocks: Sequence[Block], points: float = POINTS) -> list[str]:
    """Paragraphs of LaTeX: titles and displays of amsmath."""
    paragraphs = []
    for block in blocks:
        displays = [display for rows in block.tables for display in _displays(rows, points)]
        title = [rf"\noindent {escaped(block.title)}"] if block.title else []
        # An empty line before a display would be set as one.
        paragraphs.append("\n".join(title + displays))
    return paragraphs


def notebook(blocks: Sequence[Block], sentences: Sequence[str]) -> str:
    r"""The same for MathJax and KaTeX, which know formulas only: displays in $$.

    What is no formula is in \text; environments are those that may stand inside a display. No
    display is longer than these programs take.
    """
    rows = []
    for block in blocks:
        rows += [rf"\text{{{block.title}}}"] if block.title else []
        rows += [
            display for table in block.tables for display in _displays(table, POINTS, inner=True)
        ]
    rows += [rf"\text{{{sentence}}}" for sentence in sentences]
    bodies = map(_below_each, _parts(rows, len(rows), _LONGEST_SHOWN))
    return "\n".join(f"$$\\begin{{array}}{{l}}\n{body}\n\\end{{array}}$$\n" for body in bodies)


def _below_each(rows: Sequence[str]) -> str:
    """Rows with room between: after a display that is a row of nothing, since in TeX and KaTeX the
    room that a row asks for is no more than a short one's."""
    *others, last = rows
    gaps = (r"\\ \\[-0.6em]" if r"\end{" in row else r"\\[0.6em]" for row in others)
    return "".join(f"{row} {gap}\n" for row, gap in zip(others, gaps, strict=True)) + last


def _parts(rows: Sequence[str], most: int, longest: float) -> Iterator[list[str]]:
    """The rows one after the other, at most so many and so many characters together."""
    part: list[str] = []
    for row in rows:
        if part and (len(part) == most or sum(map(len, part)) + len(row) > longest):
            yield part
            part = []
        part.append(row)
    yield part


def _displays(rows: Rows, points: float, inner: bool = False) -> Iterator[str]:
    """Displays of amsmath; `inner`: what may stand inside one."""
    align, alignat = ("aligned", "alignedat") if inner else ("align*", "alignat*")
    count, longest_display = max(map(len, rows)), _LONGEST_SHOWN if inner else math.inf
    cells = [r" & \quad ".join(map(_cell, row)) for row in rows]
    if count > 1 and _table_width(rows) <= points and sum(map(len, cells)) <= longest_display:
        yield _display(f"{alignat}}}{{{count}", cells)
        return
    lines = _below_each_other(rows)
    longest = max((line.left for line in lines), key=width)
    body = [row for line in lines for row in _latex_rows(line, points - width(longest))]
    for first, *rest in _parts(body, _LARGEST_DISPLAY, longest_display):
        # A formula continued in another display is aligned as in the first.
        label = rf"\hphantom{{{longest}}}" if first.startswith("&") else ""
        yield _display(align, [label + first, *rest])


def _display(environment: str, rows: Iterable[str]) -> str:
    body = " \\\\\n".join(rows)
    return f"\\begin{{{environment}}}\n{body}\n\\end{{{environment.partition('}')[0]}}}"


def _cell(line: Line) -> str:
    return f"{line.left} &= {unbroken(line.right)}{_where(line)}"


def _where(line: Line) -> str:
    return rf"\quad ({line.where})" if line.where else ""


def _table_width(rows: Rows) -> float:
    total = 0.0
    for column in zip_longest(*rows):
        lines = [line for line in column if line is not None]
        total += max(width(line.left) for line in lines) + _EQUALS + _QUAD
        total += max(width(line.right) + width(_where(line)) for line in lines)
    return total


def _latex_rows(line: Line, room: float) -> Iterator[str]:
    room -= _EQUALS + width(_where(line))
    first, *rest = broken(line.right, room, lambda level: _QUAD * _quads(level), width)
    yield f"{line.left} &= {first.text}" + ("" if rest else _where(line))
    for i, part in enumerate(rest, 1):
        space = r"\quad" * _quads(part.level)
        text = part.text
        if text.startswith(r"\,"):  # a product goes on: the thin space alone would not show it
            text = rf"\cdot {text[2:]}"
        yield rf"&{space}{{}}{text}" + (_where(line) if i == len(rest) else "")


def _quads(level: int) -> int:
    return min(1 + (level + 1) // 2, 4)
