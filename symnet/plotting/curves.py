"""Curves: the value and partials along each input, the others at a point."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from symnet.plotting import grids, kinks, writing
from symnet.plotting.frame import PANELS, Array, Frame, Quantity
from symnet.plotting.maps import is_constant, label_outer, upright
from symnet.plotting.picture import COLOURS, Picture, figure, headed
from symnet.progress import steps

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_TOO_MANY = f"more than {kinks.MANY} kinks along {{}} are not drawn"


def curves(frame: Frame) -> Picture:
    """For each output a row of y, ∂y/∂x_i and ∂²y/∂x_i², a column for each input.

    Of one input, a row for each output. Kinks are dotted lines; curves that jump there are
    interrupted. ValueError for more panels than can be read.
    """
    count = len(frame.inputs) * len(frame.outputs) * (frame.order + 1)
    if count > PANELS:
        raise ValueError(
            f"{len(frame.inputs)} inputs and {len(frame.outputs)} outputs make {count} panels; "
            f"name at most {PANELS} panels' worth by inputs= and outputs="
        )
    turned = len(frame.inputs) == 1
    blocks, across = len(frame.outputs), frame.order + 1
    shape = (blocks, across) if turned else (blocks * across, len(frame.inputs))
    drawn = figure(max(3.0, 0.4 + 2.7 * shape[1]), 0.7 + 1.9 * shape[0])
    panels = np.array(drawn.subplots(*shape, squeeze=False))
    points = _count(frame)
    notes = [*frame.notes, *grids.coarse(points, grids.SAMPLES, f"curves have {points} points")]
    for column, i in enumerate(steps(frame.inputs)):
        values, found = sampled(frame, i)
        if found is None:
            notes.append(_TOO_MANY.format(frame.name(i)))
        wanted: list[Quantity] = [(p, (i,) * r) for p in frame.outputs for r in range(across)]
        marked = frame.values(frame.at, wanted)
        for place, curve in enumerate(frame.values(frame.on_line(i, values), wanted)):
            axes = panels[divmod(place, across) if turned else (place, column)]
            _panel(axes, frame, i, wanted[place], values, curve, found)
            if len(frame.at) > 1 and frame.low[i] <= frame.at[i] <= frame.high[i]:
                axes.plot(frame.at[i], marked[place], "o", color="black", markersize=3.5)
    if not turned:
        _share(panels, across, frame)
    for axes in panels[:-1].ravel():
        label_outer(axes, left=True, below=False)
    where = "" if turned and frame.network.n == 1 else f"lines through {through(frame)}"
    headed(drawn, writing.heading(frame.whole), where)
    return Picture(drawn, f"curves of {frame.whole.describe()}", tuple(notes))


def sampled(frame: Frame, i: int) -> tuple[Array, Array | None]:
    """Values of input i, with NaN and both its sides at each kink, and the kinks."""
    values = frame.line(i, _count(frame))
    found = kinks.on_line(frame, i, values)
    if found is None:
        return values, None
    aside = 1e-9 * (frame.high[i] - frame.low[i])
    sides = [found - aside, found, found + aside]
    samples = np.unique(np.concatenate([values, *sides]))
    return np.where(np.isin(samples, found), np.nan, samples), found


def _count(frame: Frame) -> int:
    """How many points each line has."""
    return grids.samples(frame.function.cost.multiply_adds, len(frame.inputs))


def _panel(
    axes: Axes,
    frame: Frame,
    i: int,
    quantity: Quantity,
    values: Array,
    curve: Array,
    found: Array | None,
) -> None:
    order = len(quantity[1])
    upright(axes, [] if found is None else found.tolist())
    if order and np.nanmin(curve, initial=0) <= 0 <= np.nanmax(curve, initial=0):
        axes.axhline(0, color="0.8", linewidth=0.7, zorder=0)
    continuous = order == 0 and not np.isnan(values).all()
    shown = ~np.isnan(values) if continuous else slice(None)
    axes.plot(values[shown], curve[shown], color=COLOURS[order % len(COLOURS)])
    if frame.data is not None and order == 0:
        _rug(axes, frame.data[:, i])
    axes.set_title(frame.title(quantity), loc="left")
    axes.set_xlabel(frame.axis(i))
    axes.set_xlim(frame.low[i], frame.high[i])
    axes.locator_params(axis="x", nbins=4)  # more would run into one another, as -0.075 -0.050
    axes.locator_params(axis="y", nbins=5)
    _level(axes, curve)


def _level(axes: Axes, curve: Array) -> None:
    """Room around a constant, whose rounding errors would fill the panel otherwise."""
    if is_constant(curve):
        middle = float(np.nanmean(curve))
        room = 0.1 * abs(middle) or 1.0
        axes.set_ylim(middle - room, middle + room)


def _rug(axes: Axes, values: Array) -> None:
    """Where there are data, as strokes along the lower edge."""
    few = values if len(values) <= 500 else np.random.default_rng(0).choice(values, 500, False)
    height = axes.get_xaxis_transform()
    axes.vlines(few, 0, 0.03, color="0.5", linewidth=0.4, transform=height)


def _share(panels: Any, across: int, frame: Frame) -> None:
    """One scale for a row of values, so that slopes compare."""
    for block in range(len(frame.outputs)):
        row = panels[block * across]
        low = min(axes.get_ylim()[0] for axes in row)
        high = max(axes.get_ylim()[1] for axes in row)
        for axes in row:
            axes.set_ylim(low, high)


def through(frame: Frame) -> str:
    """The point, as a title has it."""
    few = range(min(frame.network.n, 8))
    said = frame.said_point(few)
    return said + (f" and {frame.network.n - 8} more" if frame.network.n > 8 else "")
