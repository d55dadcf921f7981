"""What a picture shows, where that is not asked for: inputs, outputs, ranges, a point.

Ranges are those asked for, or else from the least to the largest value in data, or else where the
network's first layer is neither flat nor saturated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symnet.derivation import Derivation, derive
from symnet.names import shortened
from symnet.network import Network
from symnet.plotting import writing
from symnet.plotting.frame import PANELS, Array, Frame
from symnet.plotting.restricting import restricted, selected
from symnet.sensitivities import points as data_points
from symnet.witness import analytic, sampling

Range = tuple[float, float]

MANY = 16
"""Inputs from which on derivatives are taken along those shown only."""

MOST = 6
"""Inputs that are shown where none are named."""

_GUESSED = "ranges are guessed from the first layer's weights; give over= or data="
_FLAT = "second partials are 0 almost everywhere and not shown; ask for them by order="
_STEPS = 2.5  # of `sampling.ordinary` to either side of its centre
_PROBES = 101  # of a line from the centre on, for where the domain ends
_SLOPES = 2**25  # by which inputs are chosen, some seconds of them


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

    Of more inputs those along which the outputs change most are chosen, of more outputs than there
    is room for the first. Notes say so, as one does of second partials that are 0, which are shown
    only where `order` asks for them.
    Raises ValueError for unknown names, empty ranges, a point of another length, and as
    `Derivation.compile` and `sensitivity` do.
    """
    network, highest = _subject(what, order)
    flat = order is None and highest == 2 and has_no_curvature(network)
    given = None if data is None else data_points.checked(network, data)
    low, high, notes = _ranges(network, over, given)
    point = _point(network, at, low, high, given)
    across = min(network.n, most) if inputs is None else len(inputs)
    room = _room(across, 1 if flat else highest)
    shown = _positions(outputs, network.output_names, "output")
    if outputs is None and network.m > room:
        shown = shown[:room]
        said = f"of {network.m} outputs the first {room} are shown; name others by outputs="
        notes = (*notes, said)
    computed = network
    if len(shown) < network.m:
        computed, shown = selected(network, shown), tuple(range(len(shown)))
    # Of many inputs those shown are chosen by slopes, and the others then held.
    chosen_first = network.n > max(MANY, across)
    frame = Frame(
        whole=network,
        network=computed,
        function=derive(computed, 1 if chosen_first else max(1, highest)).compile(),
        order=1 if flat else highest,
        inputs=tuple(range(network.n)),
        outputs=shown,
        low=low,
        high=high,
        at=point,
        units=writing.checked_units(network, units),
        data=given,
        notes=(*notes, *[_FLAT] * flat),
    )
    if inputs is not None:
        chosen = _positions(inputs, network.input_names, "input")
        return _narrowed(_told(replace(frame, inputs=chosen), over), highest)
    return _narrowed(_told(most_important(frame, most), over), highest)


def _subject(what: Network | Derivation, order: int | None) -> tuple[Network, int]:
    network = data_points.network_of(what)
    highest = what.order if isinstance(what, Derivation) else 2
    if order is None:
        return network, min(highest, 2)
    if isinstance(order, bool) or not isinstance(order, int) or not 0 <= order <= 2:
        raise ValueError(f"order is {order!r}; pictures have orders 0, 1 and 2")
    return network, order


def _room(inputs: int, order: int) -> int:
    """How many outputs there are panels for, as maps of two inputs or curves of others."""
    each = (1, 3, 6)[order] if inputs == 2 else inputs * (order + 1)
    return max(1, PANELS // max(1, each))


def has_no_curvature(network: Network) -> bool:
    """Whether it is linear in pieces, as with relu."""
    return all(
        node.kind == "form" or (node.activation is not None and node.activation.constant(2) == 0)
        for node in network.nodes
    )


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
    low, high = _defined(network, centre - _STEPS * steps, centre + _STEPS * steps)
    flat = np.zeros(network.n, bool)
    if data is not None:
        least, most = data.min(axis=0), data.max(axis=0)
        flat = least == most
        low = np.where(flat, least - _STEPS * steps, least)
        high = np.where(flat, most + _STEPS * steps, most)
    over = over or {}
    if not isinstance(over, Mapping):
        raise TypeError(f"ranges are by name, as {{{names[0]!r}: (0, 1)}}; found {over!r:.60}")
    for name, ends in over.items():
        if str(name) not in names:
            raise ValueError(
                f"range of {str(name)!r}: the inputs are {shortened(', '.join(names))}"
            )
        if np.shape(ends) != (2,):
            raise ValueError(f"range of {name} is {ends!r:.60}; expected two rising numbers")
        start, end = ends
        if not (np.isfinite([start, end]).all() and start < end):
            raise ValueError(f"range of {name} is {start}:{end}; expected two rising numbers")
        low[names.index(str(name))], high[names.index(str(name))] = start, end
    told = data is not None or set(names) <= set(map(str, over))
    return low, high, () if told else (_GUESSED,)


def _defined(network: Network, low: Array, high: Array) -> tuple[Array, Array]:
    """The ranges through their middle as far as 1/T and log ρ are defined and have no pole.

    Along each input alone; all of them where their new middle is beyond an end after all.
    """
    nodes = [node.activation for node in network.nodes]
    pieces = {
        k: [tuple(map(float, ends)) for ends in activation.domain]
        for k, activation in enumerate(nodes)
        if activation is not None and not activation.total
    }
    middle = (low + high) / 2
    if not pieces or np.isnan(analytic.value(network, middle)).any():
        return low, high

    def alike(points: Array) -> NDArray[np.bool_]:
        """Where each neuron is in the piece of its activation's domain that the first point has."""
        found = analytic.preactivations(network, points)
        held = [(a < found[k]) & (found[k] < b) for k, ends in pieces.items() for a, b in ends]
        same: NDArray[np.bool_] = np.all([(h == h[0]).all(axis=1) for h in held], axis=0)
        return same

    least, most = low.copy(), high.copy()
    for i in range(network.n):
        for ends, far in ((least, low[i]), (most, high[i])):
            line = np.linspace(middle[i], far, _PROBES)
            points = np.repeat(middle[np.newaxis], _PROBES, axis=0)
            points[:, i] = line
            ends[i] = line[np.cumprod(alike(points)).sum() - 1]
    usable = (least < most).all() and alike(np.array([middle, (least + most) / 2])).all()
    return (least, most) if usable else (low, high)


def _told(frame: Frame, over: Mapping[str, Range] | None) -> Frame:
    """With a note on the inputs shown that have one value in all of the data, and so no range."""
    asked = set(map(str, over or {}))
    flat = [
        f"{frame.name(i)} = {frame.data[0, i]:g}"
        for i in frame.inputs
        if frame.data is not None and not np.ptp(frame.data[:, i]) and frame.name(i) not in asked
    ]
    said = f"{', '.join(flat)} in all of the data: ranges are guessed; give over="
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
                known = shortened(", ".join(names))
                raise ValueError(f"point: no input is called {str(name)!r}; there are {known}")
            point[names.index(str(name))] = value
    elif at is not None:
        if len(at) != network.n:
            numbers = f"{len(at)} number{'s' * (len(at) != 1)}"
            raise ValueError(f"point: {numbers}, but the inputs are {shortened(', '.join(names))}")
        point = np.array(at, dtype=np.float64)
    for name, value in zip(names, point.tolist(), strict=True):
        if not np.isfinite(value):
            raise ValueError(f"point: {name} = {value} is not finite; expected a number")
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
        f"{shown}; name others by inputs="
    )
    return replace(frame, inputs=tuple(chosen), notes=(*frame.notes, note))


def _narrowed(frame: Frame, order: int) -> Frame:
    """Of a network with many inputs, the network of those shown, the others at the point.

    order: of its functions.
    """
    for i in frame.inputs:
        if not frame.low[i] < frame.high[i]:
            raise ValueError(f"{frame.name(i)} has no range about {frame.low[i]:g}; give over=")
    if frame.network.n <= max(MANY, len(frame.inputs)):
        return frame
    chosen = list(frame.inputs)
    network = restricted(frame.network, chosen, frame.at)
    rest = len(frame.at) - len(chosen)
    note = f"{rest} inputs are not shown and kept where the point has them"
    return replace(
        frame,
        network=network,
        function=derive(network, max(1, order)).compile(),
        inputs=tuple(range(len(chosen))),
        low=frame.low[chosen],
        high=frame.high[chosen],
        at=frame.at[chosen],
        data=None if frame.data is None else frame.data[:, chosen],
        notes=(*frame.notes, note),
    )
