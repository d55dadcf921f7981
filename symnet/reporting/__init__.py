"""A page on one network to send to a colleague: what it is, its derivatives, how they were checked.

As HTML (one file, nothing loaded from elsewhere), Markdown or a LaTeX document. The page is
described once, as sections of blocks (`contents`), and written by one printer a format.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePath
from typing import Any

from symnet.calculus.schemes import Cost
from symnet.derivation import Derivation
from symnet.reporting import html, latex, markdown, outline
from symnet.reporting.contents import Page
from symnet.reporting.outline import Subject
from symnet.witness.checking import Report

__all__ = ["FORMATS", "Page", "described", "format_of", "page"]


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
    repeats. ValueError for data of another shape.
    """
    return FORMATS[format](described(derivation, report, cost, data, command))


def described(
    derivation: Derivation,
    report: Report | None,
    cost: Cost | None,
    data: Any = None,
    command: str = "",
) -> Page:
    """What the page says, for any format. Arguments as for `page`."""
    return outline.page(Subject(derivation, report, cost, data, command))


def format_of(path: str) -> str:
    """The format that a file's name asks for. ValueError for one that is unknown."""
    ending = PurePath(path).suffix.lower().removeprefix(".")
    if ending not in FORMATS:
        known = ", ".join(f".{name}" for name in FORMATS)
        raise ValueError(f"{path}: a report ends in one of {known}")
    return ending


FORMATS: dict[str, Callable[[Page], str]] = {
    "html": html.write,
    "md": markdown.write,
    "tex": latex.write,
}
"""A function of a page for each format."""
