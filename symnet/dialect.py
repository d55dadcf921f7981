"""The one dialect of CSV that tables of points and tables of measurements are read in.

UTF-8, with or without a byte order mark, and any line ends. The first line names the columns;
lines that are blank or begin with # are skipped, except that `# x1,x2` names the columns where
numbers follow at once, as NumPy writes it. Commas separate, else semicolons or tabs, as the header
has them or a line `sep=;` above it says. Names and cells may stand in quotes, with blanks around.
A first column without a name (an index) and blank cells at the end of lines are passed over.

Numbers are what `float` reads, in ASCII and without `_`, nan and inf among them; digits beyond all
doubles, as 1e999, are refused. Where semicolons or tabs separate they may have a decimal comma, but
then all do: 1,5 and 1.5 in one table are refused.
"""

from __future__ import annotations

import csv
import math
import re
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain

from symnet.names import shortened

SEPARATORS = ",;\t"

_EXCEL = re.compile(r'"?sep=(.)"?\s*')
_QUOTED = re.compile(r'"[^"]*"')
_BLANKS_AFTER_QUOTE = re.compile(r'(?<=") +(?=[,;\t\r\n]|$)')
_DECIMAL_COMMA = re.compile(r"[+-]?[0-9]*,[0-9]+([eE][+-]?[0-9]+)?", re.ASCII)
_LONGEST_CELL = 40
_REMEDY = "save the table as UTF-8 (in a spreadsheet: CSV UTF-8)"
_SEPARATING = re.compile(r"[^\w /()\[\].²³°%*^+-]")


def header(names: Iterable[str]) -> str:
    """The first line of a table that is written, of names that `Table` gives back."""
    return ",".join(map(quoted, names)) + "\n"


def quoted(name: str) -> str:
    """A cell of a table that is written."""
    if not _SEPARATING.search(name):
        return name
    doubled = name.replace('"', '""')
    return f'"{doubled}"'


class Table:
    """A table that is being read: its columns' names, and its rows by iteration.

    `header` are the names as they stand, without blanks around, "" where there is none; `line` is
    the header's number. A row is (line, cells), as many cells as names. What is held in memory does
    not depend on the number of rows.

    Raises ValueError, in one line with the place, for what is no table; so does its iteration.
    """

    def __init__(self, lines: Iterable[str]) -> None:
        """`lines` with their ends, as a file opened with `newline=""` gives them."""
        self._lines = _Lines(lines)
        with _located(self._lines):
            self._separator, first = _beginning(self._lines)
            self._rows = csv.reader(
                map(_without_blanks_after_quotes, chain(first, self._lines)),
                delimiter=self._separator,
                strict=True,
                skipinitialspace=True,
            )
            self.line = self._lines.comment[0] if len(first) > 1 else self._lines.number
            self.header = tuple(cell.strip() for cell in next(self._rows, []))
        self._unnamed = [i for i, name in enumerate(self.header) if i and not name]
        self._signs: dict[str, int] = {}  # the line in which "." or "," first was a decimal sign

    def __iter__(self) -> Iterator[tuple[int, list[str]]]:
        lines, width, unnamed = self._lines, len(self.header), self._unnamed
        with _located(lines):
            for row in self._rows:
                if len(row) == width + 1 and not row[-1].strip():
                    row.pop()  # a separator at the end of the line
                if unnamed or len(row) != width:
                    self._check(row, lines.number)
                yield lines.number, row

    def _check(self, row: Sequence[str], line: int) -> None:
        if len(row) != len(self.header):
            cells = f"{len(row)} cell{'' if len(row) == 1 else 's'}"
            raise ValueError(f"line {line} has {cells}, but the header has {len(self.header)}")
        for i in self._unnamed:
            if cell := row[i].strip():
                raise ValueError(
                    f"line {self.line}: column {i + 1} of the header has no name, "
                    f"but line {line} holds {_shown(cell)} there"
                )

    def numbers(self, row: Sequence[str], places: Sequence[int], line: int) -> list[float]:
        """The numbers in these cells of a row. ValueError names the line and the column."""
        if self._separator == ",":
            try:  # this alone is fast enough for millions of rows
                found = [_number(row[place]) for place in places]
            except ValueError:
                found = [math.nan]
            if all(map(math.isfinite, found)):
                return found
        return [self._checked(row[place], self.header[place], line) for place in places]

    def _checked(self, cell: str, column: str, line: int) -> float:
        cell, where = cell.strip(), f"line {line}: {shortened(column, _LONGEST_CELL)}"
        if not cell:
            raise ValueError(f"{where} is missing")
        comma = _DECIMAL_COMMA.fullmatch(cell) is not None
        try:
            if comma and self._separator == ",":
                raise ValueError
            value = _number(cell.replace(",", ".") if comma else cell)
        except ValueError:
            remedy = "; write a decimal point, or separate by semicolons" if comma else ""
            raise ValueError(f"{where} is {_shown(cell)}; expected a number{remedy}") from None
        if math.isinf(value) and re.search(r"\d", cell):
            raise ValueError(f"{where} is {_shown(cell)}; expected a number that doubles hold")
        self._note_sign("," if comma else "." if "." in cell else "", cell, where, line)
        return value

    def _note_sign(self, sign: str, cell: str, where: str, line: int) -> None:
        if self._separator == "," or not sign:
            return
        self._signs.setdefault(sign, line)
        if len(self._signs) > 1:
            other = min(self._signs.values())
            raise ValueError(
                f"{where} is {_shown(cell)}, but a number in line {other} has the other decimal "
                "sign; write all with a point, or all with a comma"
            )


class _Lines:
    """The lines that are neither blank nor comments, and the number of the last one given.

    `comment` is the last comment before it, with its number.
    """

    def __init__(self, lines: Iterable[str]) -> None:
        self._numbered = enumerate(lines, start=1)
        self.number = 0
        self.comment = (0, "")

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        for self.number, line in self._numbered:  # noqa: B020 - told to whoever reports an error
            text = line.removeprefix("\ufeff") if self.number == 1 else line
            if "\0" in text:
                raise ValueError(f"line {self.number} holds NUL bytes, as UTF-16 does; {_REMEDY}")
            if text.lstrip().startswith("#"):
                self.comment = (self.number, text.lstrip()[1:])
            elif text.strip():
                return text
        raise StopIteration


@contextmanager
def _located(lines: _Lines) -> Iterator[None]:
    try:
        yield
    except UnicodeDecodeError as error:
        wide = not lines.number and error.object.startswith((BOM_UTF16_LE, BOM_UTF16_BE))
        after = f" after line {lines.number}" if lines.number else ""
        what = "UTF-16 text" if wide else f"no UTF-8 text{after}"
        raise ValueError(f"{what}; {_REMEDY}") from None
    except csv.Error as error:
        closed = str(error) != "unexpected end of data"
        reason = shortened(str(error)) if closed else "a quote is not closed"
        raise ValueError(f"line {lines.number}: {reason}") from None


def _beginning(lines: _Lines) -> tuple[str, list[str]]:
    """The separator, and the header's line: with the first row's where the header is a comment."""
    first, told = next(lines, ""), ""
    if match := _EXCEL.fullmatch(first):
        told = match[1]
        if told not in SEPARATORS:
            raise ValueError(
                f"line {lines.number}: {told!r} is to separate; use commas, semicolons or tabs"
            )
        first = next(lines, "")
    if not told and len(first.split(" ")) > 1 and all(map(_is_number, first.split())):
        raise ValueError(
            f"line {lines.number}: blanks separate; use commas, semicolons or tabs, and a header"
        )
    number, comment = lines.comment
    separator = told or _separator(comment if number else first)
    row = [cell.replace(",", ".") for cell in first.split(separator)]
    if number and len(row) == len(comment.split(separator)) and all(map(_is_number, row)):
        return separator, [comment, first]
    return told or _separator(first), [first]


def _without_blanks_after_quotes(line: str) -> str:
    return _BLANKS_AFTER_QUOTE.sub("", line) if '" ' in line else line


def _separator(header: str) -> str:
    outside = _QUOTED.sub("", header)
    return next((separator for separator in SEPARATORS if separator in outside), ",")


def _number(cell: str) -> float:
    # float() alone would take 1_000 and the digits of other scripts.
    if "_" in cell or not cell.isascii():
        raise ValueError
    return float(cell)


def _is_number(cell: str) -> bool:
    try:
        _number(cell)
    except ValueError:
        return False
    return True


def _shown(cell: str) -> str:
    return shortened(repr(cell), _LONGEST_CELL)
