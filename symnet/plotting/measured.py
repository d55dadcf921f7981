"""Predicted against measured: one panel for each kind of measurement in mixed data."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from symnet.fitting import MixedData, predictions
from symnet.network import Network
from symnet.plotting import writing
from symnet.plotting.picture import COLOURS, Picture, figure, headed

_COLUMNS = 3


def measured(network: Network, data: MixedData, units: Mapping[str, str]) -> Picture:
    """What the network gives over what was measured, and the root-mean-square error of each kind.

    Inputs and outputs are found by name. ValueError where the data's are not the network's.
    """
    matched = _matched(network, data)
    kinds = [kind for kind in matched.kinds if matched.counts[kind]]
    columns = min(_COLUMNS, len(kinds))
    rows = -(-len(kinds) // columns)
    drawn = figure(0.4 + 3.0 * columns, 0.6 + 2.9 * rows)
    panels = np.array(drawn.subplots(rows, columns, squeeze=False)).ravel()
    for axes, kind in zip(panels, kinds, strict=False):
        at, found = matched.of(kind)
        given = predictions(network, matched.points[at], kind)
        axes.plot(found, given, "o", color=COLOURS[0], markersize=3, alpha=0.5, mew=0)
        both = np.concatenate([found, given])
        ends = np.array([both.min(), both.max()])
        room = 0.04 * (np.ptp(ends) or abs(ends[0]) or 1.0)
        ends += np.array([-room, room])
        axes.plot(ends, ends, color="0.3", linewidth=0.8, zorder=0)
        axes.set(xlim=ends, ylim=ends, aspect="equal")
        title = writing.quantity(kind.output, kind.along, units, writing.names(network))
        axes.set_title(title, loc="left")
        axes.set_xlabel("measured")
        axes.set_ylabel("network")
        rms = float(np.sqrt(np.mean((given - found) ** 2)))
        said = f"{len(found)} rows\nrms error {rms:.3g}"
        axes.text(0.04, 0.96, said, transform=axes.transAxes, va="top", fontsize=8)
    for axes in panels[len(kinds) :]:
        axes.set_axis_off()
    headed(drawn, writing.heading(network))
    return Picture(drawn, f"predicted against measured of {network.describe()}")


def _matched(network: Network, data: MixedData) -> MixedData:
    """The data with its inputs in the network's order."""
    inputs = list(network.input_names)
    outputs = list(network.output_names)
    if sorted(inputs) != sorted(data.inputs) or not set(data.outputs) <= set(outputs):
        raise ValueError(
            f"the data have inputs {', '.join(data.inputs)} and outputs {', '.join(data.outputs)}; "
            f"the network's are {', '.join(inputs)} and {', '.join(outputs)}"
        )
    order = [data.inputs.index(name) for name in inputs]
    kinds = [
        type(kind)(kind.output, tuple(sorted(kind.along, key=inputs.index))) for kind in data.kinds
    ]
    return MixedData(
        *(tuple(inputs), data.outputs, data.points[:, order]),
        *(tuple(kinds), data.values, data.weights),
    )
