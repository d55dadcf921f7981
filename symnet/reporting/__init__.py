"""A page on one network to send to a colleague: what it is, its derivatives, how they were checked.

As HTML (one file, nothing loaded from elsewhere), Markdown, a LaTeX document or a PDF. The page is
described once, as sections of blocks (`contents`), and written by one printer a format.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import PurePath
from typing import Any

from symnet import catalogue, files
from symnet.calculus.schemes import Cost
from symnet.derivation import Derivation
from symnet.reporting import html, latex, markdown, outline, pdf
from symnet.reporting.contents import Page
from symnet.reporting.outline import Subject
from symnet.sensitivities import points
from symnet.witness.checking import Report, check
from symnet.witness.places import few_weights

__all__ = [
    "FORMATS",
    "Page",
    "checked",
    "described",
    "format_of",
    "page",
    "reported",
    "text",
    "write",
]


def reported(derivation: Derivation, path: str, data: Any = None) -> Report | None:
    """Write the page, and give the report of the check on it; see `Derivation.report`."""
    format_of(path)
    cost, report = checked(derivation)
    command = f'symnet.derive(network, {derivation.order}).report("{PurePath(path).name}")'
    write(described(derivation, report, cost, data, command), path)
    return report


def checked(derivation: Derivation) -> tuple[Cost | None, Report | None]:
    """What a point costs, and a full check of the functions; None where weights are symbols."""
    network = derivation.network
    if network.symbols:
        return None, None
    function = derivation.compile(check=False)  # whose quick check the full one would repeat
    return function.cost, check(network, function, digits=few_weights(network))


def page(
    derivation: Derivation,
    report: Report | None,
    cost: Cost | None,
    format: str,
    data: Any = None,
    command: str = "",
) -> str:
    """The page in a format of `FORMATS`, by the end of its file's name: html, md or tex.

    report and cost are of the compiled functions, None where symbolic weights allow none; data are
    points (N, n) over which slopes are measured; command is how the page was asked for, which it
    repeats. Markdown and LaTeX are without pictures here, which are files: see `write`.
    ValueError for data of another shape.
    """
    return text(described(derivation, report, cost, data, command), format)


def text(page: Page, format: str) -> str:
    """What `page` gives of a page that is described already."""
    with _any_names():
        return FORMATS[format](page)


def described(
    derivation: Derivation,
    report: Report | None,
    cost: Cost | None,
    data: Any = None,
    command: str = "",
) -> Page:
    """What the page says, for any format. Arguments as for `page`."""
    if data is not None:
        data = points.checked(derivation.network, data)
    return outline.page(Subject(derivation, report, cost, data, command))


def write(page: Page, path: str) -> None:
    """Write the page in the format that the file's name asks for.

    Pages of HTML and PDF hold their pictures; of others they are files beside it,
    `report-maps.svg` of `report.md`. Files are written beside and renamed. ValueError as
    `format_of`, and where no PDF can be made; OSError where they cannot be written.
    """
    format = format_of(path)
    whole = PurePath(path)
    with _any_names():
        if format == "pdf":
            made = pdf.make(page, write)
            with files.replacing_bytes(path) as file:
                file.write(made)
            return
        if ending := PICTURES.get(format):
            for drawn in page.pictures():
                drawn.picture.save(whole.with_name(f"{whole.stem}-{drawn.name}.{ending}"))
            content = WRITERS[format](page, whole.stem)
        else:
            content = FORMATS[format](page)
    with files.replacing(path) as out:
        out.write(content)


@contextmanager
def _any_names() -> Iterator[None]:
    """Names in a script that the pictures' font lacks, of which matplotlib warns: the page's own
    text has them."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        yield


def format_of(path: str) -> str:
    """The format that a file's name asks for.

    ValueError for one that is unknown, and for a PDF where no program makes one.
    """
    ending = catalogue.format_of(path, "a report", catalogue.PAGES)
    if ending == "pdf":
        pdf.check_tools()
    return ending


FORMATS: dict[str, Callable[[Page], str]] = {
    "html": html.write,
    "md": markdown.write,
    "tex": latex.write,
}
"""A function of a page for each format."""

PICTURES = {"md": "svg", "tex": "pdf"}
"""What pictures beside a file are, for formats that cannot hold them."""

WRITERS: dict[str, Callable[[Page, str], str]] = {"md": markdown.write, "tex": latex.write}
"""Functions of a page and of what the names of its pictures begin with."""
