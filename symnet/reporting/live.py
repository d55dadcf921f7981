"""A point that readers move: the network's generated JavaScript, and the numbers at the start."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np

from symnet.languages import generate
from symnet.network import Network
from symnet.plotting.writing import number
from symnet.reporting.contents import Block, Live, Paragraph, Table, said
from symnet.reporting.pictures import Scene

_MOST_WEIGHTS = 40_000  # of which the text has about 20 bytes each
_MOST_ENTRIES = 2_000  # of a Hessian that is shown


def blocks(scene: Scene, order: int) -> tuple[Block, ...]:
    """The point, or why there is none."""
    network, order = scene.frame.network, min(order, 2)
    whole = scene.derivation.network
    if network.weights_count > _MOST_WEIGHTS:
        return (
            Paragraph(
                f"{network.weights_count:,} weights are too many for a page to compute with: "
                "symnet generate --language javascript makes a module of them."
            ),
            *_tables(scene, order),
        )
    try:
        (module, *_) = (str(text) for text in generate(network, "javascript", order).values())
    except ValueError as error:
        return (Paragraph(f"Nothing to move here: {error}."), *_tables(scene, order))
    frame = scene.frame
    settings = {
        "inputs": list(network.input_names),
        "outputs": list(network.output_names),
        "low": np.minimum(frame.low, frame.at).tolist(),
        "high": np.maximum(frame.high, frame.at).tolist(),
        "at": frame.at.tolist(),
        "order": order,
        "units": dict(frame.units),
    }
    told = (
        "Numbers and slices are computed in this page, by the JavaScript that symnet generates of "
        "the network. Slices: the value, its tangent, and, dashed, the parabola of slope and "
        "curvature."
    )
    left = whole.n - network.n
    rest = f"{left} other inputs are kept where they are." if left else ""
    return (*said(told, rest), Live(settings, module, tuple(_tables(scene, order))))


def _tables(scene: Scene, order: int) -> Iterator[Table]:
    frame = scene.frame
    network = frame.network
    names = list(network.input_names)
    outputs = list(network.output_names)
    y, *others = (frame.function.derivative(r, frame.at[np.newaxis])[0] for r in range(order + 1))
    heads = [f"∂/∂{name}" for name in names] if order else []
    rows = [
        (outputs[p], number(y[p]), *(number(x) for x in (others[0][p] if order else ())))
        for p in range(network.m)
    ]
    yield Table((("", "value", *heads), *rows), "Value and first partials")
    if order > 1 and others[1].size <= _MOST_ENTRIES:
        yield _second(network, others[1], names, outputs)


def _second(network: Network, H: np.ndarray, names: list[str], outputs: list[str]) -> Table:
    rows = [
        (f"∂{outputs[p]}/∂{names[i]}", *(number(x) for x in H[p, i]))
        for p, i in product(range(network.m), range(network.n))
    ]
    return Table((("", *(f"∂/∂{name}" for name in names)), *rows), "Second partials")
