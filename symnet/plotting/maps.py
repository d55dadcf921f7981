"""Maps: the value and every partial over two inputs, in colours with contours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from symnet.names import text_partial
from symnet.plotting import grids, kinks, writing
from symnet.plotting.frame import PANELS, Array, Frame, Quantity, quantities
from symnet.plotting.picture import (
    BLACK_ON_COLOURS,
    KINK,
    SIGNED,
    VALUES,
    WHITE_ON_COLOURS,
    Picture,
    figure,
    headed,
    mark_signed,
)
from symnet.progress import part

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LEVELS = 7
_APART = 0.13  # of a panel: how far labels of contours are from each other
_ALL_BUT_PEAKS = 0.97  # of the points, whose values the colours show in full
_PEAK = 8  # times as large as these, the rest would leave nothing else to be seen


def maps(frame: Frame) -> Picture:
    """For each output y, both first and all three second partials over the two inputs shown.

    Partials are coloured by sign, with 0 in white. Kinks are dotted lines. ValueError for another
    number of inputs, and for more panels than can be read.
    """
    if len(frame.inputs) != 2:
        names = ", ".join(frame.name(i) for i in frame.inputs)
        raise ValueError(f"a map is over two inputs, not {names}; name two by inputs=")
    i, j = frame.inputs
    wanted = [q for p in frame.outputs for q in quantities(p, frame.inputs, frame.order)]
    if len(wanted) > PANELS:
        raise ValueError(
            f"{len(frame.outputs)} outputs make {len(wanted)} panels, more than {PANELS}; "
            "name some by outputs="
        )
    columns = 1 if len(wanted) == 1 else 3
    rows = -(-len(wanted) // columns)
    drawn = figure(0.5 + 3.1 * columns, 0.6 + 2.5 * rows)
    panels = np.array(drawn.subplots(rows, columns, squeeze=False)).ravel()
    cells = grids.side(frame.network, frame.function.cost.multiply_adds)
    across, up = frame.line(i, cells), frame.line(j, cells)
    with part(0.0, 0.9 if frame.network.kinks else 0.0):
        lines = kinks.in_plane(frame, i, j, across, up) if frame.network.kinks else []
    with part(0.9 if frame.network.kinks else 0.0, 1.0):
        found = frame.values(frame.on_plane(i, j, across, up), wanted)
    sides, marked = (across, up), zip(panels, wanted, found, strict=False)
    told = [_panel(drawn, axes, frame, q, sides, values, lines) for axes, q, values in marked]
    cut = [said for said in told if said is not None]
    for place, axes in enumerate(panels[: len(wanted)]):
        label_outer(axes, left=place % columns == 0, below=place + columns >= len(wanted))
    for axes in panels[len(wanted) :]:
        axes.set_axis_off()
    headed(drawn, writing.heading(frame.whole), frame.elsewhere(frame.inputs))
    notes = (*frame.notes, *grids.coarse(cells, grids.SIDE, f"maps have {cells} points a side"))
    if lines is None:
        notes = (*notes, kinks.NOT_DRAWN)
    if cut:
        notes = (*notes, f"colours end before the peaks of {', '.join(cut)}")
    return Picture(drawn, f"maps of {frame.whole.describe()}", notes)


def _panel(
    drawn: Figure,
    axes: Any,
    frame: Frame,
    quantity: Quantity,
    sides: tuple[Array, Array],
    values: Array,
    lines: list[Array] | None,
) -> str | None:
    """A quantity in colours, with their bar and kinks; what is told of peaks that these cut."""
    signed = bool(quantity[1])
    image = coloured(axes, *sides, values, signed=signed, contours=lines == [] or not signed)
    bar = drawn.colorbar(image, ax=axes, pad=0.02, aspect=25, extend=beyond(values, image))
    if signed:
        mark_signed(axes, bar.ax)
    if is_constant(values):
        bar.set_ticks([float(np.nanmean(values))])
    dotted(axes, lines or [])
    _dress(axes, frame, quantity)
    return None if bar.extend == "neither" else _cut(frame, quantity, values)


def beyond(values: Array, image: Any) -> str:
    """At which ends of its colours there are values without one of their own."""
    below, above = np.nanmin(values) < image.norm.vmin, np.nanmax(values) > image.norm.vmax
    return {(True, True): "both", (True, False): "min", (False, True): "max"}.get(
        (bool(below), bool(above)), "neither"
    )


def _cut(frame: Frame, quantity: Quantity, values: Array) -> str:
    """A quantity whose colours end before its largest values do, and these."""
    name = text_partial(frame.network.output_names[quantity[0]], frame.along(quantity))
    low, high = (writing.number(float(f(values))) for f in (np.nanmin, np.nanmax))
    return f"{name} ({low} to {high})"


def coloured(
    axes: Axes,
    across: Array,
    up: Array,
    values: Array,
    signed: bool,
    contours: bool,
    limit: float | None = None,
) -> Any:
    """Draw values (len(up), len(across)) and contours of them; the image, for a colour bar.

    signed: colours are centred on 0, and reach to `limit` on both sides, or the largest size.
    """
    shown = np.ma.masked_invalid(values)
    if shown.mask.all():
        raise ValueError("the network has no finite value in these ranges; choose others")
    axes.set_facecolor("0.85")
    low, high = _limits(shown, signed, limit)
    # A pixel for each value: files hold these, and not a drawing of each cell.
    aside, above = (across[1] - across[0]) / 2, (up[1] - up[0]) / 2
    image = axes.imshow(
        shown,
        cmap=SIGNED if signed else VALUES,
        vmin=low,
        vmax=high,
        origin="lower",
        aspect="auto",
        interpolation="none",
        extent=(across[0] - aside, across[-1] + aside, up[0] - above, up[-1] + above),
    )
    axes.set_xlim(across[0], across[-1])
    axes.set_ylim(up[0], up[-1])
    if is_constant(values):
        _constant(axes, float(shown.mean()))
    elif contours:
        _contours(axes, across, up, shown, (max(low, shown.min()), min(high, shown.max())))
    return image


def label_outer(axes: Axes, left: bool, below: bool) -> None:
    """Numbers and names of inputs at the edges of a grid only, where its panels share them."""
    axes.tick_params(labelleft=left, labelbottom=below)
    if not left:
        axes.set_ylabel("")
    if not below:
        axes.set_xlabel("")


def is_constant(values: Array) -> bool:
    """Whether the values, those that are finite, differ by rounding errors only."""
    finite = values[np.isfinite(values)]
    return bool(finite.size and np.ptp(finite) <= 1e-9 * np.abs(finite).max())


def dotted(axes: Axes, lines: Sequence[Array]) -> None:
    """Kinks, lines (V, 2)."""
    style = {"color": BLACK_ON_COLOURS, "linewidth": 0.8, "linestyle": (0, (1, 1.5))}
    _together(axes, lines, **style)


def upright(axes: Axes, places: Sequence[float]) -> None:
    """Kinks of curves, across the panel at these places."""
    lines = [np.array([[place, 0.0], [place, 1.0]]) for place in places]
    style = {"color": KINK, "linewidth": 0.7, "linestyle": ":", "zorder": 0}
    _together(axes, lines, transform=axes.get_xaxis_transform(), **style)


def _together(axes: Axes, lines: Sequence[Array], **options: Any) -> None:
    """Lines as one that NaN interrupts: some hundreds take seconds by themselves."""
    if lines:
        gap = np.full((1, 2), np.nan)
        parts = [part for line in lines for part in (line, gap)]
        axes.plot(*np.concatenate(parts).T, **options)


def reach(sizes: Array) -> float:
    """Where colours end: the largest size, or that of all but a few where these hide the rest."""
    largest = float(sizes.max())
    most = float(np.quantile(sizes, _ALL_BUT_PEAKS))
    return most if 0 < most < largest / _PEAK else largest


def _limits(values: Any, signed: bool, limit: float | None) -> tuple[float, float]:
    if signed:
        size = limit or reach(np.abs(values.compressed())) or 1.0
        return -size, size
    low, high = ends(values.compressed())
    return (low, high) if low < high else (low - (abs(low) or 1.0), high + (abs(high) or 1.0))


def ends(values: Array) -> tuple[float, float]:
    """Between which values colours change: all, or but for a few peaks that would hide the rest."""
    middle = float(np.median(values))
    far = reach(np.abs(values - middle))
    return max(float(values.min()), middle - far), min(float(values.max()), middle + far)


def levels(axes: Axes, across: Array, up: Array, values: Any, at: Sequence[float]) -> Any:
    """Contours at those of the levels that the values reach, dashed below 0; None without."""
    shown = np.ma.masked_invalid(values)
    reached = [level for level in at if shown.min() < level < shown.max()]
    if not reached:
        return None
    style: dict[str, Any] = {"colors": BLACK_ON_COLOURS, "linewidths": 0.6, "alpha": 0.75}
    return axes.contour(across, up, shown, reached, **style)


def _contours(axes: Axes, across: Array, up: Array, values: Any, ends: tuple[float, float]) -> None:
    """Lines at levels between the ends, those of the colours: peaks would have all of them."""
    from matplotlib.patheffects import withStroke
    from matplotlib.ticker import MaxNLocator

    at = [level for level in MaxNLocator(_LEVELS).tick_values(*ends) if ends[0] < level < ends[1]]
    drawn = levels(axes, across, up, values, at)
    if drawn is None:
        return
    texts = axes.clabel(drawn, fontsize=7, fmt=writing.number, inline=False)
    place = axes.transData + axes.transAxes.inverted()
    kept: list[Array] = []
    for text in texts:
        text.set_path_effects([withStroke(linewidth=1.8, foreground=WHITE_ON_COLOURS, alpha=0.85)])
        here = place.transform(text.get_position())
        inside = np.all(np.abs(here - 0.5) < 0.45)
        if inside and all(np.hypot(*(here - other)) > _APART for other in kept):
            kept.append(here)
        else:
            text.remove()


def _constant(axes: Axes, value: float) -> None:
    axes.text(
        *(0.5, 0.5, f"{writing.number(value)} everywhere"),
        transform=axes.transAxes,
        ha="center",
        va="center",
        color=BLACK_ON_COLOURS,
        bbox={"facecolor": WHITE_ON_COLOURS, "edgecolor": "none", "alpha": 0.8, "pad": 3},
    )


def _dress(axes: Axes, frame: Frame, quantity: Quantity) -> None:
    i, j = frame.inputs
    axes.set_title(frame.title(quantity), loc="left")
    axes.set_xlabel(frame.axis(i))
    axes.set_ylabel(frame.axis(j))
    if frame.data is not None and not quantity[1]:
        axes.plot(*_seen(frame).T, ".", color=WHITE_ON_COLOURS, markersize=2.2, alpha=0.6, mew=0)


def _seen(frame: Frame) -> Array:
    """Data in the map, a thousand at most."""
    assert frame.data is not None
    points = frame.data[:, list(frame.inputs)]
    return points if len(points) <= 1000 else np.random.default_rng(0).permutation(points)[:1000]
