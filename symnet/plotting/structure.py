"""What a drawing of a network is made of: vectors, what joins them, and how lines are drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from symnet.network import Network
from symnet.plotting.picture import NEGATIVE, POSITIVE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLUMN = 1.6
"""From one column of a drawing to the next, in units of its axes."""

ABOVE, BELOW = "weight above 0", "weight below 0"
NEUTRAL = "0.55"
"""The colour of symbols as weights."""


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


def span(vertices: Sequence[Vertex], edge: Edge) -> int:
    """How many columns a line goes over."""
    return vertices[edge.target].depth - vertices[edge.source].depth


def numbers_of(weights: Any) -> Any:
    """The weights as floats; None for symbols and skip connections."""
    if weights is None or any(getattr(w, "free_symbols", None) for w in weights.flat):
        return None
    return np.asarray(weights, dtype=float)


def dashed(width: float) -> Any:
    """The style of weights below 0, whose blue is as dark as red in prints in grey."""
    return (0, (2 + 3 / width, 0.5 + 1.2 / width))  # in widths: thin lines have gaps that are seen


def kinds_of_lines(edges: Sequence[Edge]) -> dict[str, tuple[str, Any]]:
    """The kinds of lines that there are, each with its colour and style."""
    numbers = [n for edge in edges if (n := numbers_of(edge.weights)) is not None]
    known = {
        ABOVE: (any((n > 0).any() for n in numbers), POSITIVE, "-"),
        BELOW: (any((n < 0).any() for n in numbers), NEGATIVE, dashed(1.5)),
        "symbolic weight": (
            any(e.weights is not None and numbers_of(e.weights) is None for e in edges),
            NEUTRAL,
            "-",
        ),
        "identity": (any(e.weights is None and e.kind == "term" for e in edges), "0.25", "--"),
        "factor": (any(e.kind == "factor" for e in edges), "0.25", ":"),
    }
    return {label: (colour, line) for label, (there, colour, line) in known.items() if there}


def legend(axes: Axes, edges: Sequence[Edge]) -> None:
    """What the lines are, below the drawing."""
    from matplotlib.lines import Line2D

    shown = [
        Line2D([], [], color=colour, linestyle=line, label=label)
        for label, (colour, line) in kinds_of_lines(edges).items()
    ]
    if shown:
        axes.legend(handles=shown, loc="upper center", bbox_to_anchor=(0.5, 0.0), ncols=3)


def canvas(drawn: Any) -> Axes:
    """Axes for a drawing, which are not seen themselves."""
    axes: Axes = drawn.subplots()
    axes.set_aspect("equal")
    axes.set_axis_off()
    return axes
