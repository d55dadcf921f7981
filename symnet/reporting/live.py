"""A point that readers move: the network's generated JavaScript, and the numbers at the start."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np

from symnet import physical
from symnet.languages import generate
from symnet.plotting import writing
from symnet.plotting.cutting import LONGEST, cut
from symnet.plotting.frame import Frame
from symnet.reporting.contents import Block, Live, Paragraph, Table
from symnet.reporting.pictures import Scene

_MOST_WEIGHTS = 40_000  # of which the text has about 20 bytes each
_MOST_NODES = 100  # whose JavaScript takes some seconds to write
_MOST_ENTRIES = 2_000  # of a Hessian that is shown
_BESIDE, _LEAST = 34, 10  # characters beside a slice, and of a name there


_TOLD = (
    "Move the point: numbers and slices are computed in this page, by the JavaScript that symnet "
    "generates of the network."
)
_KEYS = (
    "The value along each input.",
    "The value along each input, and its tangent at the point.",
    "The value along each input, its tangent at the point, and, dashed, the parabola of slope and "
    "curvature.",
)
"""What the lines of the slices are, by the highest order."""


def blocks(scene: Scene) -> tuple[Block, ...]:
    """The point, with what pictures have of partials, or why it cannot be moved."""
    network, order = scene.frame.network, scene.frame.order
    where, values = Paragraph(_point(scene)), tuple(_tables(scene, order))
    whole = scene.derivation.network
    for found, most, of, what in (
        (network.weights_count, _MOST_WEIGHTS, whole.weights_count, "weights"),
        (network.depth, _MOST_NODES, whole.depth, "layers"),
    ):
        if found > most:
            told = (
                f"{of:,} {what} are too many for a page to compute with: symnet generate "
                "--language javascript makes a module of them."
            )
            return where, *values, Paragraph(told)
    try:
        (module, *_) = (str(text) for text in generate(network, "javascript", order).values())
    except ValueError as error:
        return where, *values, Paragraph(f"The point cannot be moved here: {error}.")
    return where, Live(_TOLD, _KEYS[order], _settings(scene.frame, order), module, values)


def _point(scene: Scene) -> str:
    frame = scene.frame
    left = scene.derivation.network.n - frame.network.n
    rest = f" {left} other inputs are kept where they are." if left else ""
    named = zip(frame.network.input_names, frame.at.tolist(), strict=True)
    values = ", ".join(
        f"{name} = {writing.number(x)} {physical.shown(frame.units.get(name, '1'))}".strip()
        for name, x in named
    )
    return f"The point to start from: {values}.{rest}"


def _settings(frame: Frame, order: int) -> dict[str, Any]:
    """What the page's script is told."""
    return {
        "inputs": list(frame.network.input_names),
        "outputs": list(frame.network.output_names),
        "low": np.minimum(frame.low, frame.at).tolist(),
        "high": np.maximum(frame.high, frame.at).tolist(),
        "at": frame.at.tolist(),
        "order": order,
        "beside": {name: _beside(frame, name) for name in writing.names(frame.network)},
        "units": {name: physical.shown(unit) for name, unit in frame.units.items()},
    }


def _beside(frame: Frame, name: str) -> str:
    """An input or output with its unit, as there is room for it beside a slice."""
    unit = physical.bracketed("", frame.units.get(name))
    return _cut(frame, name, max(_LEAST, _BESIDE - len(unit))) + unit


def _tables(scene: Scene, order: int) -> Iterator[Table]:
    frame = scene.frame
    network = frame.network
    y, *others = (frame.function.derivative(r, frame.at[np.newaxis])[0] for r in range(order + 1))
    slopes = others[0] if order else np.empty((network.m, 0))
    heads = [_along(frame, name) for name in (network.input_names if order else ())]
    names = (physical.bracketed(_cut(frame, y), frame.units.get(y)) for y in network.output_names)
    numbers = np.column_stack([y, slopes])
    rows = [(name, *map(writing.number, row)) for name, row in zip(names, numbers, strict=True)]
    yield Table((("", "value", *heads), *rows), "Value and first partials")
    if order > 1 and others[1].size <= _MOST_ENTRIES:
        yield _second(frame, others[1])


def _second(frame: Frame, H: np.ndarray) -> Table:
    names = frame.network.input_names
    rows = [
        (_slope(frame, y, name), *map(writing.number, H[p, i]))
        for (p, y), (i, name) in product(enumerate(frame.network.output_names), enumerate(names))
    ]
    return Table((("", *(_along(frame, name) for name in names)), *rows), "Second partials")


def _cut(frame: Frame, name: str, room: int = LONGEST) -> str:
    return cut(name, room, frame.names)


def _slope(frame: Frame, output: str, name: str) -> str:
    """∂p/∂T [MPa/K]"""
    unit = physical.of_partial(frame.units, output, [name])
    return physical.bracketed(f"∂{_cut(frame, output)}/∂{_cut(frame, name)}", unit)


def _along(frame: Frame, name: str) -> str:
    """∂/∂T [1/K]"""
    unit = frame.units.get(name, "1")
    below = f"({unit})" if re.search(r"[/·*\s]", unit) else unit
    return physical.bracketed(f"∂/∂{_cut(frame, name)}", None if unit == "1" else f"1/{below}")
