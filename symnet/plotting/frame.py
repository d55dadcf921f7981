"""What a picture is taken of: which inputs and outputs, over which ranges, at which point.

Ranges are those asked for, or else from the least to the largest value in data, or else where the
network's first layer is neither flat nor saturated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations_with_replacement
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symnet import physical
from symnet.compiling import Compiled
from symnet.derivation import Derivation, derive
from symnet.names import listed, shortened
from symnet.network import Network
from symnet.network.graph import Node, Term
from symnet.plotting import writing
from symnet.progress import steps
from symnet.sensitivities import points as data_points
from symnet.witness import sampling

Array = NDArray[np.float64]
Range = tuple[float, float]
Quantity = tuple[int, tuple[int, ...]]
"""An output's position, and those of the inputs along which it is derived."""

MANY = 16
"""Inputs from which on derivatives are taken along those shown only."""

MOST = 6
"""Inputs that are shown where none are named."""

_GUESSED = "ranges are guessed from the first layer's weights; give them by over or data"
_STEPS = 2.5  # of `sampling.ordinary` to either side of its centre
_SLOPES = 2**25  # by which inputs are chosen, some seconds of them
_ENTRIES = 2**21  # of a block's results at most: 16 MB


@dataclass(frozen=True, eq=False)
class Frame:
    """A network with all that a picture of it needs.

    inputs, outputs: positions of those shown. low, high, at: (n,), ranges, and the point through
    which lines and planes are drawn. data: points (N, n), or None. notes: what was chosen here.
    """

    network: Network
    function: Compiled
    order: int
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    low: Array
    high: Array
    at: Array
    units: Mapping[str, str]
    data: Array | None
    notes: tuple[str, ...]

    def name(self, i: int) -> str:
        """An input's plain name."""
        return self.network.input_names[i]

    def axis(self, i: int) -> str:
        """An input as an axis has it: its name and unit."""
        return writing.labelled(writing.name(self.name(i)), self.units.get(self.name(i)))

    def title(self, quantity: Quantity) -> str:
        """A quantity as a panel's title has it: ∂p/∂ρ and its unit."""
        output, inputs = self.network.output_names[quantity[0]], self.along(quantity)
        unit = physical.of_partial(self.units, output, inputs)
        return writing.labelled(writing.partial(output, inputs), unit)

    def along(self, quantity: Quantity) -> list[str]:
        """The names of the inputs along which it is derived."""
        return [self.name(i) for i in quantity[1]]

    def line(self, i: int, count: int) -> Array:
        """Values of input i over its range: (count,)."""
        return np.linspace(self.low[i], self.high[i], count)

    def on_line(self, i: int, values: Array) -> Array:
        """The points (…, n) through `at` with these values of input i."""
        points = np.broadcast_to(self.at, (*values.shape, len(self.at))).copy()
        points[..., i] = values
        return points

    def on_plane(self, i: int, j: int, across: Array, up: Array) -> Array:
        """The points (len(up), len(across), n) through `at`: input i across, input j up."""
        points = np.broadcast_to(self.at, (len(up), len(across), len(self.at))).copy()
        points[..., i], points[..., j] = across, up[:, np.newaxis]
        return points

    def values(self, points: Array, wanted: Sequence[Quantity]) -> list[Array]:
        """Each quantity at points (…, n): arrays (…), as the compiled function gives them."""
        flat = points.reshape(-1, points.shape[-1])
        found = np.empty((len(wanted), len(flat)))
        orders = sorted({len(along) for _, along in wanted})
        # Values take the least time of all, second partials the most.
        for order in steps(orders, [1.0 + order * self.network.n for order in orders]):
            entries = self.network.m * self.network.n**order
            rows = max(1, _ENTRIES // entries)
            for start in steps(range(0, len(flat), rows)):
                block = slice(start, start + rows)
                result = self.function.derivative(order, flat[block])
                for q, (output, along) in enumerate(wanted):
                    if len(along) == order:
                        place = np.ravel_multi_index((output, *along), result.shape[1:])
                        found[q, block] = result.reshape(len(result), -1)[:, place]
        return list(found.reshape(len(wanted), *points.shape[:-1]))

    def elsewhere(self, shown: Sequence[int]) -> str:
        """Where the inputs that are not shown are: `at T = 800 K`."""
        rest = [i for i in range(self.network.n) if i not in shown]
        if not rest:
            return ""
        few = rest[:6]
        said = writing.point(((self.name(i), float(self.at[i])) for i in few), self.units)
        return f"at {said}" + (f" and {len(rest) - 6} more" if rest[6:] else "")


def quantities(output: int, inputs: Sequence[int], order: int) -> list[Quantity]:
    """The value and every partial up to `order` along these inputs, lower orders first."""
    return [
        (output, along)
        for r in range(order + 1)
        for along in combinations_with_replacement(sorted(inputs), r)
    ]


def framed(
    what: Network | Derivation,
    *,
    order: int | None = None,
    inputs: Sequence[str] | None = None,
    outputs: Sequence[str] | None = None,
    over: Mapping[str, Range] | None = None,
    at: Mapping[str, float] | Sequence[float] | None = None,
    data: Any = None,
    units: Mapping[str, str] | None = None,
    most: int = MOST,
) -> Frame:
    """The Frame of a network or Derivation; without `inputs` the first n, `most` at most.

    Of more inputs those along which the outputs change most are chosen, and a note says so.
    Raises ValueError for unknown names, empty ranges, a point of another length, and as
    `Derivation.compile` and `sensitivity` do.
    """
    network, order = _subject(what, order)
    given = None if data is None else data_points.checked(network, data)
    low, high, notes = _ranges(network, over, given)
    point = _point(network, at, low, high, given)
    chosen_outputs = _positions(outputs, network.output_names, "output")
    # Of many inputs those shown are chosen by slopes, and the others then fixed.
    chosen_first = network.n > max(MANY, most if inputs is None else len(inputs))
    function = derive(network, 1 if chosen_first else max(1, order)).compile()
    everything = tuple(range(network.n))
    frame = Frame(
        network=network,
        function=function,
        order=order,
        inputs=everything,
        outputs=chosen_outputs,
        low=low,
        high=high,
        at=point,
        units=writing.checked_units(network, units),
        data=given,
        notes=notes,
    )
    if inputs is not None:
        chosen = _positions(inputs, network.input_names, "input")
        return _narrowed(_told(replace(frame, inputs=chosen), over))
    return _narrowed(_told(most_important(frame, most), over))


def _subject(what: Network | Derivation, order: int | None) -> tuple[Network, int]:
    network = data_points.network_of(what)
    highest = what.order if isinstance(what, Derivation) else 2
    if order is None:
        return network, min(highest, 2)
    if isinstance(order, bool) or not isinstance(order, int) or not 0 <= order <= 2:
        raise ValueError(f"order is {order!r}; pictures have orders 0, 1 and 2")
    return network, order


def _positions(names: Sequence[str] | None, known: Sequence[str], what: str) -> tuple[int, ...]:
    if names is None:
        return tuple(range(len(known)))
    if isinstance(names, str):
        raise ValueError(f"{what}s: give a sequence of names such as [{names!r}], not a string")
    found = []
    for name in map(str, names):
        if name not in known:
            raise ValueError(
                f"no {what} is called {name!r}; there are {shortened(', '.join(known))}"
            )
        if known.index(name) in found:
            raise ValueError(f"{what} {name} is asked for twice")
        found.append(known.index(name))
    if not found:
        raise ValueError(f"no {what} is asked for; there are {shortened(', '.join(known))}")
    return tuple(found)


def _ranges(
    network: Network, over: Mapping[str, Range] | None, data: Array | None
) -> tuple[Array, Array, tuple[str, ...]]:
    names = list(network.input_names)
    centre, steps = sampling.scaling(network)
    low, high = centre - _STEPS * steps, centre + _STEPS * steps
    flat = np.zeros(network.n, bool)
    if data is not None:
        least, most = data.min(axis=0), data.max(axis=0)
        flat = least == most
        low = np.where(flat, least - _STEPS * steps, least)
        high = np.where(flat, most + _STEPS * steps, most)
    for name, (start, end) in (over or {}).items():
        if str(name) not in names:
            raise ValueError(f"range of {str(name)!r}: the inputs are {listed(network.inputs)}")
        if not (np.isfinite([start, end]).all() and start < end):
            raise ValueError(f"range of {name} is {start}:{end}; expected two rising numbers")
        low[names.index(str(name))], high[names.index(str(name))] = start, end
    told = data is not None or set(names) <= set(map(str, over or {}))
    return low, high, () if told else (_GUESSED,)


def _told(frame: Frame, over: Mapping[str, Range] | None) -> Frame:
    """With a note on the inputs shown that have one value in all of the data, and so no range."""
    asked = set(map(str, over or {}))
    flat = [
        f"{frame.name(i)} = {frame.data[0, i]:g}"
        for i in frame.inputs
        if frame.data is not None and not np.ptp(frame.data[:, i]) and frame.name(i) not in asked
    ]
    said = f"{', '.join(flat)} in all of the data: ranges are guessed; give them by over"
    return replace(frame, notes=(*frame.notes, said)) if flat else frame


def _point(
    network: Network,
    at: Mapping[str, float] | Sequence[float] | None,
    low: Array,
    high: Array,
    data: Array | None,
) -> Array:
    names = list(network.input_names)
    point = (low + high) / 2 if data is None else np.median(data, axis=0)
    if isinstance(at, Mapping):
        for name, value in at.items():
            if str(name) not in names:
                raise ValueError(f"point: no input is called {str(name)!r}; there are {names}")
            point[names.index(str(name))] = value
    elif at is not None:
        if len(at) != network.n:
            raise ValueError(
                f"point: {len(at)} numbers, but the inputs are {listed(network.inputs)}"
            )
        point = np.array(at, dtype=np.float64)
    if not np.isfinite(point).all():
        raise ValueError(f"point: {shortened(str(point.tolist()))} is not finite")
    return point


def most_important(frame: Frame, most: int) -> Frame:
    """The frame of at most so many inputs: those with the largest rms(∂y/∂x)·range."""
    if frame.network.n <= most:
        return frame
    random = np.random.default_rng(0)
    count = min(200, max(12, _SLOPES // (frame.network.m * frame.network.n)))
    points = random.uniform(frame.low, frame.high, (count, frame.network.n))
    squares = np.zeros((len(frame.outputs), frame.network.n))
    for rows in data_points.blocks(points, frame.network.m * frame.network.n):
        slopes = frame.function.derivative(1, points[rows])[:, list(frame.outputs)]
        squares += np.sum(slopes**2, axis=0)
    size = np.sqrt(squares / len(points)) * (frame.high - frame.low)
    whole = size.max(axis=1, keepdims=True)
    share = np.max(size / np.where(whole > 0, whole, 1), axis=0)
    chosen = sorted(np.argsort(-share, kind="stable")[:most].tolist())
    shown = ", ".join(frame.name(i) for i in chosen)
    note = (
        f"of {frame.network.n} inputs the {most} are shown along which the outputs change most: "
        f"{shown}; name others by inputs"
    )
    return replace(frame, inputs=tuple(chosen), notes=(*frame.notes, note))


def _narrowed(frame: Frame) -> Frame:
    """Of a network with many inputs, the network of those shown, the others at the point."""
    for i in frame.inputs:
        if not frame.low[i] < frame.high[i]:
            raise ValueError(
                f"{frame.name(i)} has no range about {frame.low[i]:g}; give one by over"
            )
    if frame.network.n <= max(MANY, len(frame.inputs)):
        return frame
    chosen = list(frame.inputs)
    network = restricted(frame.network, chosen, frame.at)
    rest = len(frame.at) - len(chosen)
    note = f"{rest} inputs are not shown and kept where the point has them"
    return replace(
        frame,
        network=network,
        function=derive(network, max(1, frame.order)).compile(),
        inputs=tuple(range(len(chosen))),
        low=frame.low[chosen],
        high=frame.high[chosen],
        at=frame.at[chosen],
        data=None if frame.data is None else frame.data[:, chosen],
        notes=(*frame.notes, note),
    )


def restricted(network: Network, inputs: Sequence[int], at: Array) -> Network:
    """The network as a function of some inputs, the others as `at` (n,) has them.

    They become part of the biases; where an input goes elsewhere than into a matrix, a form
    x = E u + at' comes before the first node instead.
    """
    numeric, chosen = network.numeric(), list(inputs)
    rest = np.array(at, dtype=np.float64)
    rest[chosen] = 0.0
    names = [network.input_names[i] for i in chosen]
    folded = [_folded(node, chosen, rest) for node in numeric.nodes]
    nodes = [node for node in folded if node is not None]
    if len(nodes) < len(folded):
        first = Node((Term(np.eye(network.n)[:, chosen], 0),), rest)
        nodes = [first, *map(_moved, numeric.nodes)]
    return Network.from_nodes(nodes, names, network.output_names, network.name)


def _folded(node: Node, inputs: list[int], rest: Array) -> Node | None:
    """The node with the inputs that are held in its bias; None where that cannot be."""
    if node.factor == 0:
        return None
    terms, bias = [], node.bias
    for term in node.terms:
        if term.source == 0:
            if term.weights is None:
                return None
            held = term.weights @ rest
            bias = held if bias is None else bias + held
            term = Term(term.weights[:, inputs], 0)
        terms.append(term)
    return replace(node, terms=tuple(terms), bias=bias)


def _moved(node: Node) -> Node:
    """The node with one more before it."""
    return replace(
        node,
        terms=tuple(Term(term.weights, term.source + 1) for term in node.terms),
        factor=None if node.factor is None else node.factor + 1,
    )
