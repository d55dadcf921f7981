"""What a page is made of: sections of blocks, in the order in which a reader wants them.

It is described once, and written by one printer a format. A format that has no place for a kind
of block leaves it out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from symnet.plotting import Picture


@dataclass(frozen=True)
class Paragraph:
    """Plain text; `strong` is what it begins with."""

    text: str
    strong: str = ""


@dataclass(frozen=True)
class Items:
    """A list of plain sentences."""

    texts: tuple[str, ...]


@dataclass(frozen=True)
class Formulas:
    """Formulas in each format; `copies` are texts to take away, by what they are called."""

    html: str
    unicode: str
    tex: str
    copies: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Table:
    """A caption and rows of text, the first of them heads."""

    rows: tuple[tuple[str, ...], ...]
    caption: str = ""

    @property
    def numeric(self) -> tuple[bool, ...]:
        """Which columns are of numbers, and end at the right."""
        return tuple(map(_numeric, zip(*self.rows[1:], strict=True)))


@dataclass(frozen=True)
class Drawn:
    """A picture: what its file is called, what it shows, and what is said below."""

    name: str
    picture: Picture = field(repr=False)
    alt: str
    caption: str


@dataclass(frozen=True)
class Code:
    """Text as it is, to be copied."""

    text: str
    name: str = ""


@dataclass(frozen=True)
class Folded:
    """Blocks that are shown when asked for; formats on paper leave them out."""

    summary: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Live:
    """A point that readers move, where scripts run: settings, and the module that computes.

    `told` is what can be done there, `key` what the slices' lines are; `values` are shown where no
    scripts run.
    """

    told: str
    key: str
    settings: dict[str, Any] = field(repr=False)
    module: str = field(repr=False)
    values: tuple[Table, ...]


Block = Paragraph | Items | Formulas | Table | Drawn | Code | Folded | Live


@dataclass(frozen=True)
class Section:
    """A title and what stands below it."""

    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Page:
    """A heading, a line below it, and sections."""

    heading: str
    subtitle: str
    sections: tuple[Section, ...]

    def pictures(self) -> list[Drawn]:
        """All pictures, in their order."""
        return [b for s in self.sections for b in s.blocks if isinstance(b, Drawn)]


def _numeric(column: tuple[str, ...]) -> bool:
    numbers = all(cell[:1] in "0123456789-−∞" or cell == "nan" for cell in column)
    return numbers and any(column)


def said(*texts: str) -> tuple[Paragraph, ...]:
    """A paragraph each, without those that are empty."""
    return tuple(Paragraph(text) for text in texts if text)


def listed(texts: Sequence[str]) -> tuple[Block, ...]:
    """One sentence as a paragraph, several as a list."""
    ended = tuple(text if text[-1] in ".!?" else f"{text}." for text in texts)
    return said(*ended) if len(ended) < 2 else (Items(ended),)
