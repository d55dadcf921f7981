"""A picture: a figure of matplotlib (the extra `plot`), its style, and how it gets into a file.

Figures are made without pyplot: no window opens, and nothing is kept or changed globally.
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from symnet import catalogue, files
from symnet.extras import needed
from symnet.plotting import writing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Text

_CANVASES = {
    "png": ("backend_agg", "FigureCanvasAgg"),
    "svg": ("backend_svg", "FigureCanvasSVG"),
    "pdf": ("backend_pdf", "FigureCanvasPdf"),
}

VALUES = "cividis"
"""The colour map of values: the same to most who are colour-blind, and in grey."""

ENDS_OF_VALUES = "#00224e", "#fee838"
"""Of that map, and so of the arrows of its bar where values go on."""

SIGNED = "RdBu_r"
"""The colour map of partials, centred on 0; contours below 0 are dashed, for prints in grey."""

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""M. Okabe, K. Ito, Color universal design (2008): lines that everybody can tell apart."""

NEGATIVE, POSITIVE, KINK = "#2166AC", "#B2182B", "#404040"
"""The ends of `SIGNED`, and the lines along kinks."""

ON_COLOURS = BLACK_ON_COLOURS, WHITE_ON_COLOURS = "#010101", "#fefefe"
"""Of what lies on a map: a page on dark paper, which turns black and white, leaves these."""

SIGNED_PANEL = "signed-"
"""What the names begin with of panels whose colours mean a sign, and of their colour bars."""

_FROM_LEFT = "\N{LEFT-TO-RIGHT MARK}"
_FONT = "DejaVu Sans"  # of text and mathematics alike
_DOTS_PER_INCH = 160
_MARKUP = re.compile(r"\\[a-z]+ ?|[${}_^]")
_CHARACTERS = 12.5  # of a heading, for each inch
_STYLE = {
    "font.family": [_FONT],
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.labelsize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.7,
    "axes.formatter.limits": (-3, 4),
    "axes.formatter.use_mathtext": False,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "lines.linewidth": 1.5,
    "contour.negative_linestyle": "dashed",
    "svg.hashsalt": "symnet",  # the same picture gives the same file
}


@dataclass(frozen=True, eq=False)
class Picture:
    """A figure, a line that says what it shows, and remarks on how it was made.

    A notebook shows it; `save` writes a file, `png` and `svg` give its content.
    """

    figure: Figure
    title: str
    notes: tuple[str, ...] = ()

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a file in the format that its name ends in: .png, .svg or .pdf.

        Written beside and renamed. ValueError for another ending, OSError where it can't be
        written; a file that was there is then as it was.
        """
        content = self._rendered(format_of(path))
        with files.replacing_bytes(path) as file:
            file.write(content)

    def png(self) -> bytes:
        """The picture as a PNG file."""
        return self._rendered("png")

    def svg(self) -> str:
        """The picture as an SVG file."""
        return self._rendered("svg").decode()

    def _rendered(self, format: str) -> bytes:
        # Only SVG and PDF are stamped with a date, and only PDF calls it CreationDate.
        dates = {"png": {}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}
        said: dict[str, Any] = {"Title": self.title} | dates[format]
        stream = io.BytesIO()
        with style(), _drawn_on(self.figure, format) as canvas:
            getattr(canvas, f"print_{format}")(stream, metadata=said)
        return stream.getvalue()

    def _repr_png_(self) -> bytes:
        return self.png()

    def __repr__(self) -> str:
        return f"Picture({self.title})"


def format_of(path: str | os.PathLike[str]) -> str:
    """The format that a file's name asks for. ValueError for one that is not drawn."""
    return catalogue.format_of(path, "a picture", catalogue.DRAWN)


@contextmanager
def style() -> Iterator[None]:
    """Drawn inside, pictures look alike. ImportError, naming the extra, without matplotlib."""
    matplotlib = needed("matplotlib", "plot")
    with matplotlib.rc_context(_STYLE):
        yield


def figure(width: float, height: float) -> Figure:
    """A new figure, in inches, that lays its panels out by itself."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


@contextmanager
def _drawn_on(figure: Figure, format: str) -> Iterator[Any]:
    """Inside, the figure has the canvas of that format.

    `savefig` would draw all twice, to lay it out and to write it; a canvas lays out what it writes.
    """
    backend, name = _CANVASES[format]
    before, dpi = figure.canvas, figure.dpi
    canvas = getattr(import_module(f"matplotlib.backends.{backend}"), name)(figure)
    try:
        _find_characters(figure)
        if any(axes.get_aspect() != "auto" for axes in figure.axes):
            figure.draw_without_rendering()  # the room around squares is known once they are placed
        figure.set_dpi(_DOTS_PER_INCH)
        _keep_titles(figure)
        _measure_less(figure)
        yield canvas
    finally:
        figure.set_canvas(before)
        figure.set_dpi(dpi)


def _keep_titles(figure: Figure) -> None:
    """Titles stay above panels that have no power of ten there.

    Each axis is laid out once more else, to see whether a title has to give way.
    """
    for axes in figure.axes:
        title, scale = axes.get_title(loc="left"), axes.yaxis.get_major_formatter()
        scale.set_locs(axes.get_yticks().tolist())
        if title and not scale.get_offset():
            axes.set_title(title, loc="left", y=1.0)


def _measure_less(figure: Figure) -> None:
    """Leave frames, which numbers surround, out of the layout."""
    for axes in figure.axes:
        for spine in axes.spines.values():
            spine.set_in_layout(False)


def _find_characters(figure: Figure) -> None:
    """Texts with characters that the font of mathematics lacks are plain, in one that has them.

    So are those with words from the right, of which mathematics is a row of letters from the left;
    marks keep what is beside these in place.
    """
    from matplotlib.text import Text
    from matplotlib.ticker import FuncFormatter

    for axis in (axis for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)):
        if isinstance(axis.get_major_formatter(), FuncFormatter):  # names, which it writes anew
            before = [(label.get_text(), label.get_parse_math()) for label in axis.get_ticklabels()]
            axis.set_ticklabels([_plain(name) if math else name for name, math in before])
            for label, (name, _) in zip(axis.get_ticklabels(), before, strict=True):
                _show_plainly(label, name)
    for text in figure.findobj(Text):
        _show_plainly(text, text.get_text())


def _show_plainly(text: Text, said: str) -> None:
    plain = _plain(said)
    if plain != said and text.get_parse_math():
        text.set(text=plain, parse_math=False, family=[_FONT, *sorted(_families(said))])


def _families(text: str) -> set[str]:
    """The fonts of its characters that the usual one lacks."""
    return {_font_of(c) for c in text if not c.isascii()} - {""}


def _plain(text: str) -> str:
    """The text as mathematics, or without any where that cannot show it."""
    leftwards = writing.LEFTWARDS.search(text)
    if not leftwards and not _families(text):
        return text
    return writing.LEFTWARDS.sub(rf"{_FROM_LEFT}\g<0>{_FROM_LEFT}", writing.in_plain(text))


@lru_cache(maxsize=4096)
def _font_of(character: str) -> str:
    """A font that has the character; none where the usual one has it, or is as good as any."""
    from matplotlib.font_manager import findfont, fontManager, get_font

    def has(path: str) -> bool:
        return bool(get_font(path).get_char_index(ord(character)))

    if has(findfont(_FONT)):
        return ""
    upright = (f for f in fontManager.ttflist if (f.style, f.weight) == ("normal", 400))
    drawn = (f for f in upright if not f.name.startswith("Last Resort"))
    return next((font.name for font in drawn if has(font.fname)), _FONT)


def mark_signed(*panels: Axes) -> None:
    """Say that the colours of these panels mean a sign, 0 being that of the paper."""
    for panel in panels:
        panel.set_gid(f"{SIGNED_PANEL}{panel.figure.axes.index(panel)}")


def headed(figure: Figure, title: str, subtitle: str = "") -> None:
    """A title at the left end, and below it lines that are no wider than the figure."""
    width = int(_CHARACTERS * figure.get_figwidth())
    text = "\n".join(filter(None, [title, *_wrapped(subtitle, width)]))
    figure.suptitle(text, x=0.008, ha="left", fontsize=10, linespacing=1.4)


def _wrapped(text: str, width: int) -> list[str]:
    """Lines of at most so many characters shown, broken between its parts."""
    lines: list[str] = []
    for part in text.replace(", ", ",\0").split("\0"):
        longer = f"{lines[-1]} {part}" if lines else part
        if lines and len(_MARKUP.sub("", longer)) <= width:
            lines[-1] = longer
        else:
            lines.append(part)
    return lines
