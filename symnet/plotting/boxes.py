"""A drawing of many neurons: each node is a box with its width."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from symnet.names import shortened
from symnet.network import Network
from symnet.plotting import writing
from symnet.plotting.picture import Picture, figure, headed
from symnet.plotting.structure import COLUMN, Edge, Vertex, canvas, legend

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_NODES = 12
"""In boxes, beyond which the middle of the network is left out."""


def boxes(network: Network, vertices: list[Vertex], edges: list[Edge]) -> Picture:
    """The drawing with a box for each node."""
    shown, left_out = _kept(len(vertices))
    columns = _columns(vertices, shown)
    tallest = max(sum(vertices[k].depth == depth for k in shown) for depth in columns)
    last = max(columns.values())
    drawn = figure(2.3 + 1.15 * last, 1.1 + 0.7 * tallest + 0.3 * any(map(_is_skip, edges)))
    axes = canvas(drawn)
    places = {}
    for depth, x in columns.items():
        here = [k for k in shown if vertices[k].depth == depth]
        for row, k in enumerate(here):
            places[k] = np.array([COLUMN * x, (len(here) - 1) / 2 - row])
    for k, place in places.items():
        _box(axes, vertices[k], place, outer=k in (0, len(vertices) - 1))
    for edge in edges:
        if edge.source in places and edge.target in places:
            span = columns[vertices[edge.target].depth] - columns[vertices[edge.source].depth]
            _arrow(axes, places[edge.source], places[edge.target], span, edge)
    notes: tuple[str, ...] = ()
    if left_out:
        notes = (f"{left_out} nodes in the middle are left out",)
        middle = COLUMN * (columns[vertices[shown[MOST_NODES // 2 - 1]].depth] + 1)
        axes.text(middle, 0.0, f"… {left_out} more …", ha="center", va="center", fontsize=8)
    heights = [place[1] for place in places.values()]
    axes.set_xlim(-0.8, COLUMN * last + 0.8)
    axes.set_ylim(min(heights) - 0.5, max(heights) + 0.5 + 0.4 * any(map(_is_skip, edges)))
    legend(axes, [e for e in edges if e.weights is None])
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
    if count <= MOST_NODES:
        return list(range(count)), 0
    half = MOST_NODES // 2
    return [*range(half), *range(count - half, count)], count - MOST_NODES


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
