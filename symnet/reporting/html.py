"""The page as HTML: one file that loads nothing, reads without scripts, and prints."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from html import escape
from importlib.resources import files as package_files
from itertools import takewhile
from typing import Any

from symnet.plotting.writing import LEFTWARDS
from symnet.progress import steps
from symnet.reporting import inline
from symnet.reporting.contents import (
    Block,
    Code,
    Drawn,
    Folded,
    Formulas,
    Items,
    Live,
    Page,
    Paragraph,
    Section,
    Table,
)

_LONG = 24  # characters of a head or a cell that may take several lines
_LONG_BESIDE_NUMBERS = 12  # of the head of a column that is no wider than that
_PARTS = re.compile(r"(?<=[^∂]/)(?=∂)")  # where ∂y/∂x ends one rather than within a name
_ENDS = re.compile(r"(?<=_)")  # where a name may end one, beside its spaces
_OPTION = re.compile(r"(?<!\S)--[a-z]+")  # which would be broken behind its hyphens


def write(page: Page) -> str:
    """The file's text."""
    live = [b for s in page.sections for b in s.blocks if isinstance(b, Live)]
    places = [(f"s{k}", section) for k, section in enumerate(page.sections, start=1)]
    links = "".join(
        f'<li><a href="#{place}">{escape(section.title)}</a></li>' for place, section in places
    )
    return "\n".join(
        [
            '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8"/>',
            '<meta name="viewport" content="width=device-width, initial-scale=1"/>',
            '<meta name="color-scheme" content="light dark"/>',
            # Browsers ask for an icon otherwise.
            '<link rel="icon" href="data:,"/>',
            f"<title>{escape(page.heading)}</title>\n<style>\n{_resource('page.css')}</style>",
            "</head>\n<body>",
            f"<header><h1>{_ended(page.heading)}</h1>",
            f'<p class="subtitle">{_text(page.subtitle)}</p></header>',
            f'<nav aria-label="Contents"><ul>{links}</ul></nav>',
            "<main>",
            *(_section(place, section) for place, section in steps(places, _weights(page))),
            "</main>",
            *_scripts(live),
            "</body>\n</html>\n",
        ]
    )


def _weights(page: Page) -> list[float]:
    """How long each section takes: pictures take all of the time."""
    return [0.1 + sum(isinstance(b, Drawn) for b in section.blocks) for section in page.sections]


def _section(place: str, section: Section) -> str:
    """A section, whose heading is on one printed page with what it begins with.

    A division says so, as Firefox knows no `break-after: avoid`.
    """
    opening = _opening(section.blocks)
    return (
        f'<section aria-labelledby="{place}">\n<div class="opening">\n'
        f'<h2 id="{place}">{escape(section.title)}</h2>\n{_blocks(section.blocks[:opening])}\n'
        f"</div>\n{_blocks(section.blocks[opening:])}\n</section>"
    )


def _opening(blocks: Sequence[Block]) -> int:
    """How many blocks belong to the heading: paragraphs, and a picture behind them."""
    said = sum(1 for _ in takewhile(lambda block: isinstance(block, Paragraph), blocks))
    return said + any(isinstance(block, Drawn) for block in blocks[said : said + 1])


def _blocks(blocks: Iterable[Block]) -> str:
    return "\n".join(_WRITERS[type(block)](block) for block in blocks)


def _text(text: str) -> str:
    """Text as HTML; names that are written from the right leave what is beside them in place."""
    shown = LEFTWARDS.sub(r"<bdi>\g<0></bdi>", escape(text, quote=False))
    return _OPTION.sub(r'<span class="whole">\g<0></span>', shown)


def _ended(text: str) -> str:
    """Text whose lines may end within names, too."""
    return _ENDS.sub("<wbr/>", _text(text))


def _paragraph(block: Paragraph) -> str:
    strong = f"<strong>{_text(block.strong)}</strong> " if block.strong else ""
    return f"<p>{strong}{_text(block.text)}</p>"


def _items(block: Items) -> str:
    return "<ul>" + "".join(f"<li>{_text(text)}</li>" for text in block.texts) + "</ul>"


def _formulas(block: Formulas) -> str:
    copies = "".join(
        f'<div class="copy"><h3>{escape(name)}</h3><pre tabindex="0">{escape(text)}</pre></div>'
        for name, text in block.copies
    )
    taken = ", ".join(name for name, _ in block.copies)
    folded = (
        f'<details class="copies"><summary>{escape(taken)}</summary>\n{copies}</details>'
        if copies
        else ""
    )
    opened = '<div class="formulas" tabindex="0" role="group" aria-label="formulas">'
    return f"{opened}\n{block.html}\n</div>\n{folded}"


def _table(block: Table) -> str:
    head, *body = block.rows
    sides = [' class="number"' if numeric else "" for numeric in block.numeric]
    caption = f"<caption>{_text(block.caption)}</caption>" if block.caption else ""
    heads = "".join(
        f'<th scope="col"{side}>{_words(cell, _LONG_BESIDE_NUMBERS if side else _LONG)}</th>'
        if cell
        else "<td></td>"
        for cell, side in zip(head, sides, strict=True)
    )
    rows = "\n".join(_row(row, sides) for row in body)
    filled = f"<thead><tr>{heads}</tr></thead>\n<tbody>{rows}</tbody>"
    return f"{_scrolled(f'table: {block.caption}')}<table>{caption}{filled}</table></div>"


def _scrolled(what: str) -> str:
    """Opens a division that may be wider than the screen, and is moved by the keyboard too."""
    return f'<div class="scroll" tabindex="0" role="group" aria-label="{escape(what)}">'


def _row(row: tuple[str, ...], sides: list[str]) -> str:
    first, *rest = row
    cells = "".join(
        f"<td{side}>{_text(cell) if side else _words(cell)}</td>"
        for cell, side in zip(rest, sides[1:], strict=True)
    )
    return f'<tr><th scope="row">{_words(first)}</th>{cells}</tr>'


def _words(text: str, most: int = _LONG) -> str:
    """A head or a cell of words; a long one takes several lines rather than the screen."""
    if len(text) <= most:
        return _text(text)
    parts = [_ended(part) for part in _PARTS.split(text)]
    shown = (
        parts[0] if len(parts) == 1 else "".join(f'<span class="part">{p}</span>' for p in parts)
    )
    shown = shown.replace("∂/∂", '<span class="whole">∂/∂</span>')
    return f'<span class="long">{shown}</span>'


_PRINTED = 1.4  # centimetres an inch of a picture has on paper at least, for its numbers to be read


def _drawn(block: Drawn) -> str:
    inches = block.picture.figure.get_figwidth()
    style = (
        f"width: {7.2 * inches:.1f}rem; max-width: max(100%, {4.6 * inches:.1f}rem); "
        f"--printed: {_PRINTED * block.picture.figure.get_figheight():.1f}cm"
    )
    picture = inline.svg(block.picture.svg(), block.name, block.alt, style)
    return (
        f"<figure>{_scrolled(f'picture: {block.caption}')}{picture}</div>"
        f"<figcaption>{_text(block.caption)}</figcaption></figure>"
    )


def _code(block: Code) -> str:
    label = f"<h3>{escape(block.name)}</h3>" if block.name else ""
    return f'<div class="copy">{label}<pre tabindex="0">{escape(block.text)}</pre></div>'


def _folded(block: Folded) -> str:
    return (
        f"<details><summary>{escape(block.summary)}</summary>\n{_blocks(block.blocks)}\n</details>"
    )


def _live(block: Live) -> str:
    values = "\n".join(map(_table, block.values))
    return (
        f'<div id="live"><p id="told" hidden="hidden">{escape(block.told)}</p>'
        "<noscript><p>With scripts on, the point can be moved here.</p></noscript>"
        '<div id="sliders" hidden="hidden"></div>\n<p id="self-test" role="status"></p>\n'
        f'<div id="results">{values}</div>\n<div id="slices"></div>\n'
        f'<p id="key" hidden="hidden">{escape(block.key)}</p></div>'
    )


def _scripts(live: list[Live]) -> list[str]:
    reading = f"<script>\n{_guarded(_resource('reading.js'))}</script>"
    if not live:
        return [reading]
    (block,) = live
    settings = json.dumps(block.settings, allow_nan=False).replace("<", "\\u003c")
    module = _guarded(f"{block.module}\n{_resource('moving.js')}")
    return [
        reading,
        f'<script type="application/json" id="settings">{settings}</script>',
        f'<script type="module">\n{module}</script>',
    ]


def _guarded(script: str) -> str:
    """Text of a script that cannot end it: names in its comments may hold any characters."""
    return re.sub(r"<(?=/|!--|script)", r"<\\", script, flags=re.IGNORECASE)


def _resource(name: str) -> str:
    return (package_files("symnet.reporting") / name).read_text(encoding="utf-8")


_WRITERS: dict[type, Callable[[Any], str]] = {
    Paragraph: _paragraph,
    Items: _items,
    Formulas: _formulas,
    Table: _table,
    Drawn: _drawn,
    Code: _code,
    Folded: _folded,
    Live: _live,
}
"""How each kind of block is written."""
