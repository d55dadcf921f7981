"""A drawing of the network: its nodes from left to right, and what joins them.

Where there are few neurons each is a circle, and lines are weights: blue below 0, red above, the
thicker the larger beside the largest of their matrix. Otherwise each node is a box with its width.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from symnet.names import shortened
from symnet.network import Network
from symnet.plotting import writing
from symnet.plotting.cutting import cut
from symnet.plotting.picture import NEGATIVE, POSITIVE, Picture, figure, headed

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_WIDEST = 12  # vectors up to which neurons are drawn
_MOST_LINES = 600
_MOST_NODES = 12  # in boxes, beyond which the middle of the network is left out
_NEUTRAL = "0.55"
ABOVE, BELOW = "weight above 0", "weight below 0"
_COLUMN = 1.6
_RADIUS = 0.17
_BEND = 0.28  # of lines around vectors: twice their height over their length
_CORNERS = 25  # of such a line
_ROOM = 1.1  # beside the outer columns, where names are short
_INCH = 0.8  # for a unit of length
_CHARACTER = 0.11  # of a name


@dataclass(frozen=True, eq=False)
class Vertex:
    """A vector of the network: what it is, how wide, and how far from the inputs."""

    label: str
    width: int
    depth: int


@dataclass(frozen=True, eq=False)
class Edge:
    """What a vector takes from another; weights are None for a skip connection and a factor."""

    source: int
    target: int
    weights: Any
    kind: str  # "term" or "factor"


def structure(network: Network) -> tuple[list[Vertex], list[Edge]]:
    """The vectors of a network, the inputs first, and what joins them."""
    vertices, edges = [Vertex("inputs", network.n, 0)], []
    for k, node in enumerate(network.nodes, start=1):
        edges += [Edge(term.source, k, term.weights, "term") for term in node.terms]
        edges += [] if node.factor is None else [Edge(node.factor, k, None, "factor")]
        depth = 1 + max(vertices[source].depth for source in node.sources)
        vertices.append(Vertex(node.label, network.widths[k], depth))
    return vertices, edges


def drawing(network: Network) -> Picture:
    """The network drawn; weights may be symbols, which have no colour."""
    draw = _neurons if shows_neurons(network) else _boxes
    return draw(network, *structure(network))


def shows_neurons(network: Network) -> bool:
    """Whether the drawing has each neuron and each weight, rather than a box for a node."""
    vertices, edges = structure(network)
    lines = sum(_line_count(edge, vertices) for edge in edges)
    small = max(vertex.width for vertex in vertices) <= _WIDEST and lines <= _MOST_LINES
    return small and len(vertices) <= 2 * _MOST_NODES


def lines(network: Network) -> set[str]:
    """What lines there are in the drawing of neurons, as its legend calls them."""
    return set(_lines(structure(network)[1]))


def _line_count(edge: Edge, vertices: Sequence[Vertex]) -> int:
    return vertices[edge.target].width if edge.weights is None else int(edge.weights.size)


# --- each neuron --------------------------------------------------------------------------------


def _neurons(network: Network, vertices: list[Vertex], edges: list[Edge]) -> Picture:
    places = _circles(vertices)
    depth = max(vertex.depth for vertex in vertices)
    tall = max(-min(p[:, 1].min() for p in places), max(p[:, 1].max() for p in places))
    above = max(tall, _crest(vertices, places, edges))
    left, right = (_room(names) for names in (network.input_names, network.output_names))
    wider = _INCH * (left + right - 2 * _ROOM)
    drawn = figure(1.9 + 1.25 * depth + wider, 1.5 + 0.62 * (tall + above + 1))
    axes = _canvas(drawn)
    for edge in edges:
        _weights(axes, vertices, places, edge)
    for k, (vertex, circles) in enumerate(zip(vertices, places, strict=True)):
        ends = ("0.88", "0.88") if k in (0, len(vertices) - 1) else ("white", "white")
        _circle_column(axes, circles, ends[0])
        first = vertex.depth not in (before.depth for before in vertices[:k])
        _label(axes, vertex.label, circles[0], above if first else None)
    _names(axes, network.input_names, places[0], -1)
    _names(axes, network.output_names, places[-1], 1)
    axes.set_xlim(-left, _COLUMN * depth + right)
    axes.set_ylim(-tall - 0.6, above + 1.1)
    _legend(axes, edges)
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
            places[edge.source][:, 1].max() + _BEND / 2 * _COLUMN * span - 0.3
            for edge in edges
            if (span := vertices[edge.target].depth - vertices[edge.source].depth) > 1
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
            places[k] = np.column_stack([np.full(len(rows), _COLUMN * depth), rows])
            top = rows[-1] - 2.2
    return places


def _numbers(weights: Any) -> Any:
    """The weights as floats; None for symbols and skip connections."""
    if weights is None or any(getattr(w, "free_symbols", None) for w in weights.flat):
        return None
    return np.asarray(weights, dtype=float)


def _weights(axes: Axes, vertices: Sequence[Vertex], places: list[Any], edge: Edge) -> None:
    start, end = places[edge.source], places[edge.target]
    if edge.weights is None:
        few = max(len(start), len(end))
        for a, b in zip(np.resize(start, (few, 2)), np.resize(end, (few, 2)), strict=True):
            far = vertices[edge.target].depth - vertices[edge.source].depth > 1
            _arc(axes, a, b, far, ":" if edge.kind == "factor" else "--")
        return
    from matplotlib.collections import LineCollection

    far = vertices[edge.target].depth - vertices[edge.source].depth > 1
    numbers, shape = _numbers(edge.weights), edge.weights.shape
    largest = 1.0 if numbers is None else float(np.abs(numbers).max()) or 1.0
    lines, colours, widths, styles = [], [], [], []
    for r, c in np.ndindex(shape):
        if numbers is not None and not numbers[r, c]:
            continue
        sign = None if numbers is None else bool(numbers[r, c] > 0)
        size = 0.5 if numbers is None else abs(numbers[r, c]) / largest
        lines.append(_around(start[c], end[r]) if far else [start[c], end[r]])
        colours.append({None: _NEUTRAL, True: POSITIVE, False: NEGATIVE}[sign])
        widths.append(0.3 + 2.7 * size)
        styles.append(_dashed(widths[-1]) if sign is False else "-")
    axes.add_collection(
        LineCollection(
            lines, colors=colours, linewidths=widths, linestyles=styles, alpha=0.75, zorder=1
        )
    )


def _dashed(width: float) -> Any:
    """The style of weights below 0, whose blue is as dark as red in prints in grey."""
    return (0, (2 + 3 / width, 0.5 + 1.2 / width))  # in widths: thin lines have gaps that are seen


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


def _lines(edges: Sequence[Edge]) -> dict[str, tuple[str, Any]]:
    """The kinds of lines that there are, each with its colour and style."""
    numbers = [n for edge in edges if (n := _numbers(edge.weights)) is not None]
    known = {
        ABOVE: (any((n > 0).any() for n in numbers), POSITIVE, "-"),
        BELOW: (any((n < 0).any() for n in numbers), NEGATIVE, _dashed(1.5)),
        "symbolic weight": (
            any(e.weights is not None and _numbers(e.weights) is None for e in edges),
            _NEUTRAL,
            "-",
        ),
        "identity": (any(e.weights is None and e.kind == "term" for e in edges), "0.25", "--"),
        "factor": (any(e.kind == "factor" for e in edges), "0.25", ":"),
    }
    return {label: (colour, line) for label, (there, colour, line) in known.items() if there}


def _legend(axes: Axes, edges: Sequence[Edge]) -> None:
    from matplotlib.lines import Line2D

    shown = [
        Line2D([], [], color=colour, linestyle=line, label=label)
        for label, (colour, line) in _lines(edges).items()
    ]
    if shown:
        axes.legend(handles=shown, loc="upper center", bbox_to_anchor=(0.5, 0.0), ncols=3)


# --- boxes --------------------------------------------------------------------------------------


def _boxes(network: Network, vertices: list[Vertex], edges: list[Edge]) -> Picture:
    shown, left_out = _kept(len(vertices))
    columns = _columns(vertices, shown)
    tallest = max(sum(vertices[k].depth == depth for k in shown) for depth in columns)
    last = max(columns.values())
    drawn = figure(2.3 + 1.15 * last, 1.1 + 0.7 * tallest + 0.3 * any(map(_is_skip, edges)))
    axes = _canvas(drawn)
    places = {}
    for depth, x in columns.items():
        here = [k for k in shown if vertices[k].depth == depth]
        for row, k in enumerate(here):
            places[k] = np.array([_COLUMN * x, (len(here) - 1) / 2 - row])
    for k, place in places.items():
        _box(axes, vertices[k], place, outer=k in (0, len(vertices) - 1))
    for edge in edges:
        if edge.source in places and edge.target in places:
            span = columns[vertices[edge.target].depth] - columns[vertices[edge.source].depth]
            _arrow(axes, places[edge.source], places[edge.target], span, edge)
    notes: tuple[str, ...] = ()
    if left_out:
        notes = (f"{left_out} nodes in the middle are left out",)
        middle = _COLUMN * (columns[vertices[shown[_MOST_NODES // 2 - 1]].depth] + 1)
        axes.text(middle, 0.0, f"… {left_out} more …", ha="center", va="center", fontsize=8)
    heights = [place[1] for place in places.values()]
    axes.set_xlim(-0.8, _COLUMN * last + 0.8)
    axes.set_ylim(min(heights) - 0.5, max(heights) + 0.5 + 0.4 * any(map(_is_skip, edges)))
    _legend(axes, [e for e in edges if e.weights is None])
    names = f"{_listed(network.input_names)} → {_listed(network.output_names)}"
    headed(drawn, writing.heading(network), names)
    return Picture(drawn, f"drawing of {network.describe()}", notes)


def _columns(vertices: Sequence[Vertex], shown: Sequence[int]) -> dict[int, int]:
    """Where each depth is drawn; a column is left free where nodes are left out."""
    columns: dict[int, int] = {}
    for before, k in zip([0, *shown], shown, strict=False):
        free = max(columns.values(), default=-1) + (2 if k > before + 1 else 1)
        columns.setdefault(vertices[k].depth, free)
    return columns


def _is_skip(edge: Edge) -> bool:
    return edge.weights is None


def _kept(count: int) -> tuple[list[int], int]:
    """The vectors that are drawn, and how many are left out in the middle."""
    if count <= _MOST_NODES:
        return list(range(count)), 0
    half = _MOST_NODES // 2
    return [*range(half), *range(count - half, count)], count - _MOST_NODES


def _box(axes: Axes, vertex: Vertex, place: Any, outer: bool) -> None:
    from matplotlib.patches import FancyBboxPatch

    width, height = 0.8, 0.56
    corner = tuple(place - np.array([width, height]) / 2)
    axes.add_patch(
        FancyBboxPatch(
            *(corner, width, height),
            boxstyle="round,pad=0.02,rounding_size=0.1",
            facecolor="0.9" if outer else "white",
            edgecolor="black",
            linewidth=0.9,
            zorder=3,
        )
    )
    text = f"{shortened(vertex.label, 12)}\n{vertex.width}"
    axes.text(place[0], place[1], text, ha="center", va="center", fontsize=8, zorder=4)


def _arrow(axes: Axes, a: Any, b: Any, span: int, edge: Edge) -> None:
    from matplotlib.patches import FancyArrowPatch

    far, inner = span > 1, np.array([0.43, 0.0])
    above = np.array([0.0, 0.3])
    start, end = (a + above, b + above) if far else (a + inner, b - inner)
    line = {"factor": ":", "term": "--" if edge.weights is None else "-"}[edge.kind]
    axes.add_patch(
        FancyArrowPatch(
            *(tuple(start), tuple(end)),
            connectionstyle=f"arc3,rad={-0.5 / span if far else 0.0}",
            arrowstyle="-|>",
            mutation_scale=8,
            linestyle=line,
            color="0.3",
            linewidth=1.0,
            zorder=2,
        )
    )


def _listed(names: Sequence[str]) -> str:
    few = names if len(names) <= 8 else [*names[:6], "…", names[-1]]
    return ", ".join(writing.name(name, names) for name in few)


def _canvas(drawn: Any) -> Axes:
    axes: Axes = drawn.subplots()
    axes.set_aspect("equal")
    axes.set_axis_off()
    return axes
