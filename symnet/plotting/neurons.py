"""A drawing of few neurons: each is a circle, and each weight a line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from symnet.network import Network
from symnet.plotting import writing
from symnet.plotting.cutting import cut
from symnet.plotting.picture import NEGATIVE, POSITIVE, Picture, figure, headed
from symnet.plotting.structure import (
    COLUMN,
    NEUTRAL,
    Edge,
    Vertex,
    canvas,
    dashed,
    legend,
    numbers_of,
    span,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_RADIUS = 0.17
_BEND = 0.28  # of lines around vectors: twice their height over their length
_CORNERS = 25  # of such a line
_ROOM = 1.1  # beside the outer columns, where names are short
_INCH = 0.8  # for a unit of length
_CHARACTER = 0.11  # of a name


def neurons(network: Network, vertices: list[Vertex], edges: list[Edge]) -> Picture:
    """The drawing with a circle for each neuron."""
    places = _circles(vertices)
    depth = max(vertex.depth for vertex in vertices)
    tall = max(-min(p[:, 1].min() for p in places), max(p[:, 1].max() for p in places))
    above = max(tall, _crest(vertices, places, edges))
    left, right = (_room(names) for names in (network.input_names, network.output_names))
    wider = _INCH * (left + right - 2 * _ROOM)
    drawn = figure(1.9 + 1.25 * depth + wider, 1.5 + 0.62 * (tall + above + 1))
    axes = canvas(drawn)
    for edge in edges:
        _weights(axes, vertices, places, edge)
    for k, (vertex, circles) in enumerate(zip(vertices, places, strict=True)):
        _circle_column(axes, circles, "0.88" if k in (0, len(vertices) - 1) else "white")
        first = vertex.depth not in (before.depth for before in vertices[:k])
        _label(axes, vertex.label, circles[0], above if first else None)
    _names(axes, network.input_names, places[0], -1)
    _names(axes, network.output_names, places[-1], 1)
    axes.set_xlim(-left, COLUMN * depth + right)
    axes.set_ylim(-tall - 0.6, above + 1.1)
    legend(axes, edges)
    headed(drawn, writing.heading(network))
    return Picture(drawn, f"drawing of {network.describe()}")


def _label(axes: Axes, label: str, top: Any, above: float | None) -> None:
    """What a vector is: above all lines, or, below another vector, above its first circle."""
    x, y = top
    behind = None if above is not None else {"facecolor": "white", "edgecolor": "none", "pad": 1}
    height = (y if above is None else above) + 0.5
    axes.text(x, height, label, ha="center", va="bottom", fontsize=8, bbox=behind, zorder=2)


def _crest(vertices: Sequence[Vertex], places: list[Any], edges: Sequence[Edge]) -> float:
    """How high the lines reach that go around vectors, 0 where there are none."""
    return max(
        (
            places[edge.source][:, 1].max() + _BEND / 2 * COLUMN * columns - 0.3
            for edge in edges
            if (columns := span(vertices, edge)) > 1
        ),
        default=0.0,
    )


def _room(names: Sequence[str]) -> float:
    """How far the names beside a column of circles reach, at least `_ROOM`."""
    longest = max(len(cut(name, among=names)) for name in names)
    return max(_ROOM, 2 * _RADIUS + _CHARACTER * longest)


def _circles(vertices: Sequence[Vertex]) -> list[Any]:
    """Where each vector's neurons are: (width, 2); those at one depth are below each other."""
    places: list[Any] = [None] * len(vertices)
    for depth in range(max(vertex.depth for vertex in vertices) + 1):
        here = [k for k, vertex in enumerate(vertices) if vertex.depth == depth]
        height = sum(vertices[k].width for k in here) + 1.2 * (len(here) - 1)
        top = (height - 1) / 2
        for k in here:
            rows = top - np.arange(vertices[k].width)
            places[k] = np.column_stack([np.full(len(rows), COLUMN * depth), rows])
            top = rows[-1] - 2.2
    return places


def _weights(axes: Axes, vertices: Sequence[Vertex], places: list[Any], edge: Edge) -> None:
    start, end = places[edge.source], places[edge.target]
    far = span(vertices, edge) > 1
    if edge.weights is None:
        few = max(len(start), len(end))
        for a, b in zip(np.resize(start, (few, 2)), np.resize(end, (few, 2)), strict=True):
            _arc(axes, a, b, far, ":" if edge.kind == "factor" else "--")
        return
    from matplotlib.collections import LineCollection

    numbers, shape = numbers_of(edge.weights), edge.weights.shape
    largest = 1.0 if numbers is None else float(np.abs(numbers).max()) or 1.0
    lines, colours, widths, styles = [], [], [], []
    for r, c in np.ndindex(shape):
        if numbers is not None and not numbers[r, c]:
            continue
        sign = None if numbers is None else bool(numbers[r, c] > 0)
        size = 0.5 if numbers is None else abs(numbers[r, c]) / largest
        lines.append(_around(start[c], end[r]) if far else [start[c], end[r]])
        colours.append({None: NEUTRAL, True: POSITIVE, False: NEGATIVE}[sign])
        widths.append(0.3 + 2.7 * size)
        styles.append(dashed(widths[-1]) if sign is False else "-")
    axes.add_collection(
        LineCollection(
            lines, colors=colours, linewidths=widths, linestyles=styles, alpha=0.75, zorder=1
        )
    )


def _around(a: Any, b: Any) -> Any:
    """A line (V, 2) above the vectors between, which a straight one would go through."""
    t = np.linspace(0, 1, _CORNERS)[:, np.newaxis]
    aside = np.array([a[1] - b[1], b[0] - a[0]])  # to the left of the way from a to b
    return a + t * (b - a) + 2 * t * (1 - t) * _BEND * aside


def _arc(axes: Axes, a: Any, b: Any, far: bool, line: str) -> None:
    """A skip connection or a factor; around the vectors in between where it is far."""
    from matplotlib.patches import FancyArrowPatch

    bend = f"arc3,rad={-_BEND if far else 0.0}"
    axes.add_patch(
        FancyArrowPatch(
            *(tuple(a), tuple(b)),
            connectionstyle=bend,
            arrowstyle="-",
            linestyle=line,
            color="0.25",
            linewidth=1.0,
            zorder=1,
        )
    )


def _circle_column(axes: Axes, circles: Any, fill: str) -> None:
    from matplotlib.patches import Circle

    for place in circles:
        axes.add_patch(
            Circle(
                tuple(place), _RADIUS, facecolor=fill, edgecolor="black", linewidth=0.8, zorder=3
            )
        )


def _names(axes: Axes, names: Sequence[str], places: Any, side: int) -> None:
    for name, (x, y) in zip(names, places, strict=True):
        axes.text(
            *(x + side * 0.3, y, writing.name(name, names)),
            ha="left" if side > 0 else "right",
            va="center",
            fontsize=10,
        )
