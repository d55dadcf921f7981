"""A workbook: type in a point, and its cells show y, the Jacobian, the Hessian, by formulas alone.

Sheets: `Network` has the inputs and the results, `Weights` the numbers, `Computation` a column for
each vector, `Check` three points with what another engine gives there, `About` the formulas. There
are no macros, no array formulas, nothing volatile, and no defined names that could collide; what is
used exists in Excel since 2007 and in LibreOffice. It needs openpyxl: pip install 'symnet[xlsx]'.
"""

from __future__ import annotations

import io
import re
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

from symnet.extras import needed
from symnet.languages.cells import (
    CELLS,
    TOO_LARGE,
    Cells,
    Place,
    address,
    letters,
    made_of_themselves,
)
from symnet.languages.job import Job
from symnet.lowering.loops import Routine
from symnet.names import array_name, commented, partial_name
from symnet.network import Network

_NETWORK, _WEIGHTS, _TURNED, _COMPUTATION, _CHECK = (
    "Network",
    "Weights",
    "Transposed",
    "Computation",
    "Check",
)
_INPUTS = 8  # the first input's row
_BOLD, _TYPED = "bold", "typed"


def content(job: Job) -> bytes:
    """The file's bytes, the same at each call.

    ImportError that names the extra where openpyxl is not installed; ValueError for networks of
    too many cells, and for functions that spreadsheets do not have.
    """
    openpyxl = needed("openpyxl", "xlsx")
    return _reproducible(_Workbook(job, openpyxl).filled())


def check(network: Network) -> None:
    """ValueError for more weights than a workbook has cells."""
    if network.weights_count > CELLS:
        raise ValueError(TOO_LARGE)


class _Workbook:
    """The sheets of a job, made one after the other."""

    def __init__(self, job: Job, openpyxl: Any) -> None:
        self.job, self.styles = job, openpyxl.styles
        self.book = openpyxl.Workbook()
        self.book.calculation.fullCalcOnLoad = True
        self.book.active.title = _NETWORK
        for name in (_WEIGHTS, _COMPUTATION, _CHECK, "About"):
            self.book.create_sheet(name)
        self.routine: Routine = job.lowered.routines[-1]
        self.n, self.m = job.lowered.n, job.lowered.m
        self.inputs = [commented(name) for name in job.network.input_names]
        self.outputs = [commented(str(name)) for name in job.network.outputs]
        self.known: dict[tuple[str, tuple[int, ...]], Place] = {}
        self.turned: dict[str, Mapping[tuple[int, ...], Place]] = {}
        self.next = 1  # free row of the transposed matrices

    def filled(self) -> Any:
        self._network()
        self._weights()
        self._computation()
        self._check()
        self._about()
        return self.book

    # --- cells ----------------------------------------------------------------------------------

    def put(self, place: Place, value: Any, style: str = "") -> None:
        """A number or a formula."""
        sheet, row, column = place
        cell = self.book[sheet].cell(row, column, value)
        if style == _BOLD:
            cell.font = self.styles.Font(name="Calibri", size=11, bold=True)
        if style == _TYPED:
            cell.fill = self.styles.PatternFill("solid", fgColor="FFF2CC")

    def say(self, place: Place, text: str, style: str = "") -> None:
        """Text, never a formula, whatever it begins with."""
        self.put(place, text, style)
        sheet, row, column = place
        cell = self.book[sheet].cell(row, column)
        cell.data_type = "s"
        cell.quotePrefix = text.startswith(("=", "+", "-", "@"))

    def head(self, place: Place, text: str) -> None:
        """What stands above numbers."""
        self.say(place, text, _BOLD)
        sheet, row, column = place
        self.book[sheet].cell(row, column).alignment = self.styles.Alignment(horizontal="right")

    def wide(self, sheet: str, *widths: int) -> None:
        """Widths of the first columns; printed as wide as a page."""
        page = self.book[sheet]
        page.page_setup.orientation, page.page_setup.fitToHeight = "landscape", 0
        page.sheet_properties.pageSetUpPr.fitToPage = True
        for column, width in enumerate(widths, 1):
            self.book[sheet].column_dimensions[letters(column)].width = width

    # --- the sheets -----------------------------------------------------------------------------

    def _network(self) -> None:
        here = _NETWORK
        title = f"{commented(self.job.network.name or self.job.name)}: value and derivatives"
        self.say((here, 1, 1), title, _BOLD)
        self.say((here, 2, 1), f"Network {self.job.network.describe()}")
        self.say((here, 3, 1), "Type a point into the coloured cells; all else follows.")
        self.say((here, 5, 1), "Test point")
        self.put((here, 5, 2), None, _TYPED)
        self.say((here, 6, 1), "1, 2 or 3: a point of sheet Check; empty: the point typed below")
        self.say((here, _INPUTS - 1, 1), "Input", _BOLD)
        self.head((here, _INPUTS - 1, 2), "Typed")
        self.head((here, _INPUTS - 1, 3), "Used")
        for i, name in enumerate(self.inputs):
            row = _INPUTS + i
            self.say((here, row, 1), name)
            self.put((here, row, 2), float(self.job.points[0, i]), _TYPED)
            points = f"{_CHECK}!B{_INPUTS + i}:D{_INPUTS + i}"
            self.put((here, row, 3), f'=IF($B$5="", B{row}, INDEX({points}, 1, $B$5))')
            self.known["x", (i,)] = (here, row, 3)
        row = _INPUTS + self.n + 1
        for order in self.routine.orders:
            row = self._table(order, row)
        self.wide(here, 22, 22, *[22] * max(self.n, 1))
        self.book[here].freeze_panes = "B2"

    def _table(self, order: int, row: int) -> int:
        """A result's cells: its last axis along a row, all others down; the next free row."""
        here, name = _NETWORK, array_name(order)
        titles = ("Value", "Jacobian", "Hessian")
        title = titles[order] if order < 3 else f"Derivatives of order {order}"
        self.say((here, row, 1), title, _BOLD)
        if order:
            for i, label in enumerate(self.inputs):
                self.head((here, row, 2 + i), f"∂/∂{label}")
        for indices in self.entries(order):
            p, *rest = indices
            column = 2 + rest[-1] if rest else 2
            if not rest or rest[-1] == 0:
                row += 1
                before = [self.inputs[i] for i in rest[:-1]]
                label = partial_name(self.outputs[p], before) if before else self.outputs[p]
                self.say((here, row, 1), label)
            self.known[name, indices] = (here, row, column)
        return row + 2

    def entries(self, order: int) -> Iterator[tuple[int, ...]]:
        """The indices of a result, the last fastest."""
        return product(range(self.m), *[range(self.n)] * order)

    def _weights(self) -> None:
        row = 1
        for name, values in self.job.lowered.constants.items():
            rows = values[:, None] if values.ndim == 1 else values
            what = "a row for each neuron" if values.ndim == 2 else "an entry for each neuron"
            self.say((_WEIGHTS, row, 1), f"{name}: {what}", _BOLD)
            for r, numbers in enumerate(rows.tolist(), 1):
                for s, number in enumerate(numbers, 1):
                    place = (_WEIGHTS, row + r, s)
                    self.put(place, float(number))
                    self.known[name, (r - 1, s - 1)[: values.ndim]] = place
            row += len(rows) + 2
        self.wide(_WEIGHTS, *[22] * 8)

    def _transpose(self, name: str) -> Mapping[tuple[int, ...], Place]:
        """A matrix's columns for its rows, made where a formula needs them, by reference."""
        if name not in self.job.lowered.constants:
            return {}
        if name not in self.turned:
            if not self.turned:
                self.book.create_sheet(_TURNED, 2)
                self.wide(_TURNED, *[22] * 8)
            rows, columns = self.job.lowered.constants[name].shape
            self.say((_TURNED, self.next, 1), f"{name} once more: a column a neuron", _BOLD)
            found: dict[tuple[int, ...], Place] = {}
            for r, s in product(range(rows), range(columns)):
                found[r, s] = place = (_TURNED, self.next + 1 + s, r + 1)
                self.put(place, f"={address(self.known[name, (r, s)])}")
            self.turned[name] = found
            self.next += columns + 2
        return self.turned[name]

    def _computation(self) -> None:
        cells = Cells(
            _COMPUTATION,
            self.known,
            frozenset(self.routine.results),
            made_of_themselves(self.routine.body),
            {f.name: f for f in self.job.lowered.functions},
            self._transpose,
        )
        cells.run(self.routine.body, {})
        self.say((_COMPUTATION, 1, 1), "A column for each vector, a row for each entry.")
        for column, heading in cells.headings.items():
            self.head((_COMPUTATION, 2, column), heading)
            self.book[_COMPUTATION].column_dimensions[letters(column)].width = 22
        for place, formula in cells.formulas.items():
            self.put(place, f"={formula}")
        self.book[_COMPUTATION].freeze_panes = "A3"

    def _check(self) -> None:
        """Points, expected values, and their distances from what the workbook shows."""
        here, count = _CHECK, len(self.job.points)
        last = letters(1 + count)
        self.say((here, 1, 1), "Test of this workbook", _BOLD)
        self.say((here, 2, 1), "Values of another engine at three points; Network!B5 chooses one.")
        self.say((here, 4, 1), "Point now used")
        self.say((here, 5, 1), "Error / allowed")
        self._points()
        start = _INPUTS + self.n + 1
        end = self._distances(start, last)
        self.say((here, 4, 5), "number")
        self.put((here, 4, 6), f"=MAX(B4:{last}4)")
        self.put((here, 5, 6), f"=MAX(G{start}:G{end - 1})")
        verdict = f'IF(ISNUMBER({here}!F5), IF({here}!F5<=1, "ok", "FAULT"), "FAULT")'
        self.say((_NETWORK, 4, 1), "Self-test")
        self.put((_NETWORK, 4, 2), f'=IF({here}!F4=0, "choose a test point", {verdict})', _BOLD)
        self.wide(here, 22, *[22] * (count + 3))

    def _points(self) -> None:
        """The points, and above each its number where it is the one now used, else 0."""
        here = _CHECK
        for k, point in enumerate(self.job.points):
            column = letters(2 + k)
            first, end = _INPUTS, _INPUTS + self.n - 1
            self.head((here, _INPUTS - 1, 2 + k), f"point {k + 1}")
            used = f"{_NETWORK}!C{first}:C{end}"
            typed = f"SUMPRODUCT(ABS({column}{first}:{column}{end}-{used}))"
            self.put((here, 4, 2 + k), f"=IF({typed}=0, {k + 1}, 0)")
            for i, coordinate in enumerate(point):
                self.put((here, _INPUTS + i, 2 + k), float(coordinate))
        for i, name in enumerate(self.inputs):
            self.say((here, _INPUTS + i, 1), name)

    def _distances(self, row: int, last: str) -> int:
        """From `row` on a row an entry: expected up to column `last`, shown, and its error.

        Returns the row after them.
        """
        here, count = _CHECK, len(self.job.points)
        self.head((here, row - 1, 6), "Shown")
        self.head((here, row - 1, 7), "Error / allowed")
        for order in self.routine.orders:
            expected = self.job.known(order)
            entries = list(self.entries(order))[:: expected.stride]
            for place, indices in enumerate(entries):
                p, *along = indices
                label = partial_name(self.outputs[p], [self.inputs[i] for i in along])
                self.say((here, row, 1), label if along else self.outputs[p])
                for k in range(count):
                    self.put((here, row, 2 + k), float(expected.expected[k, place]))
                shown = address(self.known[array_name(order), indices])
                self.put((here, row, 6), f"={shown}")
                chosen = f"INDEX(B{row}:{last}{row}, 1, MAX(1, $F$4))"
                allowed = repr(float(expected.allowed[place])).upper()
                self.put((here, row, 7), f"=ABS(F{row}-{chosen})/{allowed}")
                row += 1
        return row

    def _about(self) -> None:
        for row, line in enumerate(self.job.head("", [self.routine.name]), 1):
            self.say(("About", row, 1), line)
            self.book["About"].cell(row, 1).font = self.styles.Font(name="Courier New")
        self.wide("About", 100)


def _reproducible(book: Any) -> bytes:
    """The workbook without the time at which it was written.

    OSError names the folder of temporary files where openpyxl's have no room.
    """
    written, found = io.BytesIO(), io.BytesIO()
    try:
        book.save(written)
    except OSError as error:
        full = error.filename or tempfile.gettempdir()
        raise OSError(error.errno, error.strerror, full) from None
    with zipfile.ZipFile(written) as old, zipfile.ZipFile(found, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name == "docProps/core.xml":
                data = re.sub(rb"\d{4}-\d\d-\d\dT[\d:]+Z", b"2000-01-01T00:00:00Z", data)
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(info, data)
    return found.getvalue()
