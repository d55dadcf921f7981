"""Predicted against measured: one panel for each kind of measurement in mixed data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from symnet.fitting import MixedData, predictions
from symnet.network import Network
from symnet.plotting import writing
from symnet.plotting.frame import Array
from symnet.plotting.picture import COLOURS, Picture, figure, headed

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLUMNS = 3
_DRAWN = 2000  # points as shapes of their own: more are one image, in SVG and PDF too


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
        _points(axes, found, given)
        title = writing.quantity(kind.output, kind.along, units, writing.names(network))
        axes.set_title(title, loc="left")
        axes.set_xlabel("measured")
        axes.set_ylabel("network")
    for axes in panels[len(kinds) :]:
        axes.set_axis_off()
    headed(drawn, writing.heading(network))
    return Picture(drawn, f"predicted against measured of {network.describe()}")


def _points(axes: Axes, found: Array, given: Array) -> None:
    """The rows about the line of equal values, none where the network has no finite value.

    The more there are, the fainter, which shows where they lie densely.
    """
    told = np.isfinite(given)
    lost, found, given = int((~told).sum()), found[told], given[told]
    ends = _ends(np.concatenate([found, given]))
    axes.plot(
        found,
        given,
        "o",
        color=COLOURS[0],
        markersize=3,
        alpha=float(np.clip(10.0 / np.sqrt(len(found) + 1), 0.12, 0.5)),
        mew=0,
        rasterized=len(found) > _DRAWN,
    )
    axes.plot(ends, ends, color="0.15", linewidth=0.8, zorder=3)
    axes.set(xlim=ends, ylim=ends, aspect="equal")
    axes.locator_params(nbins=5)
    x, y = ((values - ends[0]) / np.ptp(ends) for values in (found, given))
    above, below = np.sum((x < 0.6) & (y > 0.75)), np.sum((x > 0.4) & (y < 0.25))
    at, ha, va = (0.04, "left", "top") if above <= below else (0.96, "right", "bottom")
    said = _said(given - found, lost)
    axes.text(at, 1 - at, said, ha=ha, va=va, transform=axes.transAxes, fontsize=8)


def _ends(values: Array) -> Array:
    """Of the line: those of the values, and some room."""
    ends = np.array([values.min(), values.max()]) if len(values) else np.array([0.0, 1.0])
    room = 0.04 * (np.ptp(ends) or abs(ends[0]) or 1.0)
    return ends + np.array([-room, room])


def _said(errors: Array, lost: int) -> str:
    rows = len(errors) + lost
    said = [f"{rows:,} row{'s' * (rows != 1)}"]
    said += [f"{lost:,} without a finite value"] * bool(lost)
    said += [f"rms error {float(np.sqrt(np.mean(errors**2))):.3g}"] if len(errors) else []
    return "\n".join(said)


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
