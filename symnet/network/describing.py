"""Networks in a line, `2-8-8-1, sigmoid, sigmoid, linear`, and as a table of nodes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from math import prod

from symnet import showing
from symnet.network.graph import Node
from symnet.network.layer import Layer

_MANY = 4  # repetitions from which a description counts them
_TOLD = 16  # parts of a description


def line(layers: Sequence[Layer] | None, nodes: Sequence[Node], widths: Sequence[int]) -> str:
    """Widths and activations of a chain; of a graph the number of nodes and each of them."""
    return (
        f"{shape(layers, widths)}{': ' if layers is None else ', '}{parts(layers, nodes, widths)}"
    )


def shape(layers: Sequence[Layer] | None, widths: Sequence[int]) -> str:
    """`2-8-8-1`; of a graph `2-1, graph of 4 nodes`."""
    if layers is not None:
        return _joined(widths, "-")
    count = len(widths) - 1
    return f"{widths[0]}-{widths[-1]}, graph of {count} node{'s' * (count > 1)}"


def parts(layers: Sequence[Layer] | None, nodes: Sequence[Node], widths: Sequence[int]) -> str:
    """`sigmoid, sigmoid, linear`; of a graph with the nodes' widths."""
    if layers is None:
        return _nodes(nodes, widths)
    return _joined([layer.label for layer in layers], ", ")


def table(nodes: Sequence[Node], widths: Sequence[int]) -> str:
    """HTML: each node, its kind, its width, and what it is of."""
    rows = []
    for k, node in enumerate(nodes, start=1):
        sources = ", ".join(str(source) if source else "inputs" for source in node.sources)
        bias = "no" if node.bias is None else "yes"
        rows.append([str(k), node.label, str(widths[k]), sources, bias])
    return showing.table(["node", "kind", "width", "of", "bias"], rows, left=2)


def _nodes(nodes: Sequence[Node], sizes: Sequence[int]) -> str:
    """The nodes in a row with their widths: `tanh 8, sum 8, linear 1`.

    What repeats itself more often than a reader would, in parts of up to four nodes, is written
    once: `(tanh 8, sum 8) x500`; of many parts the first are told, and the last.
    """
    words = [f"{node.label} {size}" for node, size in zip(nodes, sizes[1:], strict=True)]
    parts, first = [], 0
    while first < len(words):
        period, count = max(((p, _repeats(words, first, p)) for p in range(1, 5)), key=prod)
        part = ", ".join(words[first : first + period])
        if count < _MANY:
            period, count, part = 1, 1, words[first]
        many = f"({part})" if period > 1 else part
        parts.append(part if count == 1 else f"{many} x{count}")
        first += period * count
    if len(parts) > _TOLD:
        parts[_TOLD - 2 : -1] = ["…"]
    return ", ".join(parts)


def _repeats(words: Sequence[str], first: int, period: int) -> int:
    """How often the words from `first` on say the same in a row."""
    count = 1
    while (
        words[first : first + period]
        == words[first + count * period : first + (count + 1) * period]
    ):
        count += 1
    return count


def _joined(items: Sequence[object], separator: str) -> str:
    """The items in a row; runs of more than six, as in very deep networks, as `8 (x500)`."""
    parts: list[str] = []
    for item, run in groupby(map(str, items)):
        count = len(list(run))
        parts += [item] * count if count <= 6 else [f"{item} (x{count})"]
    return separator.join(parts)
