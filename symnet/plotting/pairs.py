"""A grid of pairs: an output over every two inputs, and how they act together."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from symnet.plotting import grids, kinks, maps, writing
from symnet.plotting.curves import sampled, through
from symnet.plotting.frame import Array, Frame
from symnet.plotting.picture import COLOURS, Picture, figure, headed, mark_signed
from symnet.progress import part, steps

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_Place = tuple[int, int]
_Planes = dict[_Place, Array]

_CELLS = 101
_MOST = 8
_ROOM, _ROOM_ALONG = 16, 34  # characters beside a panel, and of names along the colour bar
_SLIGHT = 0.05  # of the scale: what has no colour that is seen, and is told as a number


def pairs(frame: Frame) -> Picture:
    """y along each input on the diagonal, over each two inputs below it, all on one scale.

    Above it ∂²y/∂x_i∂x_j in units of y: times both inputs' ranges, so that all share a scale and
    what acts together is seen. ValueError for one input, for more than eight, and for more than
    one output.
    """
    names = ", ".join(frame.network.output_names)
    if len(frame.outputs) != 1:
        raise ValueError(f"a grid of pairs is of one output; name one of {names} by outputs=")
    if not 2 <= len(frame.inputs) <= _MOST:
        raise ValueError(
            f"a grid of pairs is of 2 to {_MOST} inputs, not {len(frame.inputs)}; "
            "name some by inputs="
        )
    count, (p,) = len(frame.inputs), frame.outputs
    drawn = figure(1.6 + 1.75 * count, 0.9 + 1.6 * count)
    panels = np.array(drawn.subplots(count, count, sharex="col", squeeze=False))
    mixed = frame.order >= 2
    first = 0.2 if frame.network.kinks else 1.0
    with part(0.0, first / 2):
        below = _planes(frame, p, mixed=False)
    with part(first / 2, first):
        above = _planes(frame, p, mixed=True) if mixed else {}
    with part(first, 1.0):
        lines = _kinks(frame)
    value = _drawn(panels, frame, below, lines or {}, signed=False)
    action = _drawn(panels, frame, above, lines or {}, signed=True) if mixed else None
    _diagonal(panels, frame, p)
    _dress(panels, frame, with_upper=action is not None)
    _scales(drawn, panels, frame, (below, value), (above, action))
    headed(drawn, writing.heading(frame.whole), f"planes through {through(frame)}")
    side = len(_sides(frame, *frame.inputs[:2])[0])
    notes = (*frame.notes, *grids.coarse(side, _CELLS, f"maps have {side} points a side"))
    if lines is None:
        notes = (*notes, kinks.NOT_DRAWN)
    return Picture(drawn, f"pairs of {frame.whole.describe()}", notes)


def _scales(
    drawn: Figure,
    panels: Any,
    frame: Frame,
    below: tuple[_Planes, Any],
    above: tuple[_Planes, Any],
) -> None:
    """Colour bars: of the values, and of how inputs act together; each of its planes and image."""
    output = frame.network.output_names[frame.outputs[0]]
    name, unit = writing.name(output, frame.names), frame.units.get(output)
    value, action = below[1], above[1]
    drawn.colorbar(
        value,
        ax=panels,
        location="bottom",
        aspect=40,
        shrink=0.5,
        label=("" if action is None else "below: ") + writing.labelled(name, unit),
        extend=_beyond(*below),
    )
    if action is not None:
        bar = drawn.colorbar(
            action,
            ax=panels,
            location="right",
            aspect=40,
            shrink=0.7,
            label=f"above: {writing.labelled(_mixed(frame, output), unit)}",
            extend=_beyond(*above),
        )
        mark_signed(bar.ax, *(panels[place] for place in above[0]))


def _beyond(planes: _Planes, image: Any) -> str:
    return maps.beyond(np.concatenate([values.ravel() for values in planes.values()]), image)


def _mixed(frame: Frame, output: str) -> str:
    partial = writing.partial(output, ["x_i", "x_j"], frame.names, _ROOM_ALONG)
    return partial + r"$\,\Delta x_i\,\Delta x_j$"


def _places(frame: Frame, above: bool) -> list[_Place]:
    """Rows and columns of the panels below the diagonal, or above it."""
    places = product(range(len(frame.inputs)), repeat=2)
    return [(row, column) for row, column in places if (row < column if above else row > column)]


def _planes(frame: Frame, p: int, mixed: bool) -> _Planes:
    """Values at (row, column) of the grid: y below the diagonal, mixed partials above it."""
    found = {}
    for row, column in steps(_places(frame, above=mixed)):
        i, j = frame.inputs[row], frame.inputs[column]
        points = frame.on_plane(j, i, *_sides(frame, j, i))
        along = tuple(sorted((i, j))) if mixed else ()
        (values,) = frame.values(points, [(p, along)])
        widths = (frame.high - frame.low)[[i, j]]
        found[row, column] = values * (widths.prod() if mixed else 1)
    return found


def _sides(frame: Frame, across: int, up: int) -> tuple[Array, Array]:
    """The values of two inputs over which a plane is drawn."""
    planes = len(frame.inputs) * (len(frame.inputs) - 1) // 2
    products = frame.function.cost.multiply_adds
    count = grids.side(frame.network, products, planes, _CELLS)
    return frame.line(across, count), frame.line(up, count)


def _kinks(frame: Frame) -> dict[_Place, list[Array]] | None:
    """The lines along kinks in each panel; one above the diagonal has those of the one below.

    None where they are too many to be drawn.
    """
    found: dict[_Place, list[Array]] = {}
    for row, column in steps(_places(frame, above=False) if frame.network.kinks else ()):
        i, j = frame.inputs[row], frame.inputs[column]
        lines = kinks.in_plane(frame, j, i, *_sides(frame, j, i))
        if lines is None:
            return None
        found[row, column] = lines
        found[column, row] = [line[:, ::-1] for line in lines]
    return found


def _drawn(
    panels: Any,
    frame: Frame,
    planes: _Planes,
    lines: Mapping[_Place, list[Array]],
    signed: bool,
) -> Any:
    """The planes on one scale; an image for its colour bar."""
    finite = [values[np.isfinite(values)] for values in planes.values()]
    if not all(part.size for part in finite):
        raise ValueError("the network has no finite value in these ranges; choose others")
    low, high = maps.ends(np.concatenate(finite))
    # Each plane is seen but for its peaks: one of these would leave the others blank.
    limit = max(maps.reach(np.abs(values)) for values in finite) or 1.0
    image = None
    for (row, column), values in planes.items():
        across, up = _sides(frame, frame.inputs[column], frame.inputs[row])
        image = maps.coloured(panels[row, column], across, up, values, signed, False, limit)
        if not signed:
            image.set_clim(low, high if high > low else low + 1)
        elif not maps.is_constant(values) and np.nanmax(np.abs(values)) < _SLIGHT * limit:
            _slight(panels[row, column], values)
        elif not maps.is_constant(values):
            maps.levels(
                panels[row, column], across, up, values, [k / 4 * limit for k in (-3, -1, 1, 3)]
            )
        maps.dotted(panels[row, column], lines.get((row, column), []))
    return image


def _slight(axes: Axes, values: Array) -> None:
    """How large what has no colour is."""
    least, most = (writing.number(float(f(values))) for f in (np.nanmin, np.nanmax))
    axes.text(
        0.5,
        0.5,
        f"{least} to\n{most}",
        transform=axes.transAxes,
        ha="center",
        va="center",
        fontsize=7,
    )


def _diagonal(panels: Any, frame: Frame, p: int) -> None:
    curves = []
    for place, i in enumerate(frame.inputs):
        values, found = sampled(frame, i)
        shown = values[~np.isnan(values)]
        (curve,) = frame.values(frame.on_line(i, shown), [(p, ())])
        axes = panels[place, place]
        axes.plot(shown, curve, color=COLOURS[0])
        maps.upright(axes, [] if found is None else found.tolist())
        axes.set_xlim(frame.low[i], frame.high[i])
        curves.append(curve)
    together = np.concatenate(curves)
    together = together[np.isfinite(together)]
    room = 0.05 * np.ptp(together) or 1.0
    for place in range(len(frame.inputs)):
        panels[place, place].set_ylim(together.min() - room, together.max() + room)


def _dress(panels: Any, frame: Frame, with_upper: bool) -> None:
    """Names at the left and lower edges; the diagonal has its own scale at the right."""
    for row, i in enumerate(frame.inputs):
        for column, j in enumerate(frame.inputs):
            axes: Axes = panels[row, column]
            axes.locator_params(nbins=4)  # whatever their size, which the labels' widths decide
            if row == column:
                axes.yaxis.tick_right()
                axes.spines["right"].set_visible(True)
                axes.spines["left"].set_visible(False)
            elif column > row and not with_upper:
                axes.set_axis_off()
            elif column:
                axes.tick_params(labelleft=False)
            if row == len(frame.inputs) - 1:
                axes.set_xlabel(frame.stacked(j, _ROOM))
            if column == 0:
                axes.set_ylabel(frame.stacked(i, _ROOM))
    panels[0, 0].figure.align_ylabels(panels[:, 0])
