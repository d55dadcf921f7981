"""A drawing of the network: its nodes from left to right, and what joins them.

Where there are few neurons each is a circle, and lines are weights: blue and dashed below 0, red
above, the thicker the larger beside the largest of their matrix. Otherwise each node is a box with
its width.
"""

from __future__ import annotations

from collections.abc import Sequence

from symnet.network import Network
from symnet.plotting.boxes import MOST_NODES, boxes
from symnet.plotting.neurons import neurons
from symnet.plotting.picture import Picture
from symnet.plotting.structure import Edge, Vertex, kinds_of_lines, structure

_WIDEST = 12  # vectors up to which neurons are drawn
_MOST_LINES = 600


def drawing(network: Network) -> Picture:
    """The network drawn; weights may be symbols, which have no colour."""
    draw = neurons if shows_neurons(network) else boxes
    return draw(network, *structure(network))


def shows_neurons(network: Network) -> bool:
    """Whether the drawing has each neuron and each weight, rather than a box for a node."""
    vertices, edges = structure(network)
    lines = sum(_line_count(edge, vertices) for edge in edges)
    small = max(vertex.width for vertex in vertices) <= _WIDEST and lines <= _MOST_LINES
    return small and len(vertices) <= 2 * MOST_NODES


def lines(network: Network) -> set[str]:
    """What lines there are in the drawing of neurons, as its legend calls them."""
    return set(kinds_of_lines(structure(network)[1]))


def _line_count(edge: Edge, vertices: Sequence[Vertex]) -> int:
    return vertices[edge.target].width if edge.weights is None else int(edge.weights.size)
