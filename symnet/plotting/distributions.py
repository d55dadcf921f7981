"""Pictures of sensitivities: bars, boxes, violins, alpha-curves, interactions, of one or several
networks side by side; and partial dependence."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from symnet.names import shortened
from symnet.plotting import writing
from symnet.plotting.picture import (
    BLACK_ON_COLOURS,
    COLOURS,
    VALUES,
    WHITE_ON_COLOURS,
    Picture,
    figure,
    headed,
)
from symnet.sensitivities import Dependence, Sensitivity
from symnet.sensitivities.points import counted

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MOST_INPUTS = 16
_MOST_CURVES = 300
_STANDARDIZED = r"$\cdot\;\mathrm{sd}(x)\,/\,\mathrm{sd}(y)$"
_ALPHAS = tuple(range(1, 16))
_SHORT = 10  # characters of an output whose measure has room in one line
_BESIDE, _SQUARE = 16, 5  # characters of a name beside a matrix, and of one below a square of it
_CHARACTER = 0.085  # inches


def sensitivities(given: Sequence[Sensitivity], kind: str = "bars") -> Picture:
    """The picture `kind` of one network's sensitivities, or of several with the same names.

    ValueError for a kind that there is not, for networks with other inputs or outputs, and for
    interactions of more than one network or without second partials.
    """
    if kind not in PANELS:
        raise ValueError(f"no picture {kind!r} of sensitivities; there are {', '.join(PANELS)}")
    inputs = _common_names(given)
    if kind == "interactions" and len(given) > 1:
        raise ValueError("interactions are drawn of one network at a time")
    first = given[0].network
    vary = np.any([one.varies for one in given], axis=0)
    if not vary.any():
        names = shortened(", ".join(first.output_names))
        raise ValueError(
            f"{names}: constant over {counted(given[0].points)}, "
            "so that slopes have no spread to be compared in; give points over which y varies"
        )
    shown, notes = _shown(given)
    columns = min(3, first.m)
    rows = -(-first.m // columns)
    width, height = _panel(kind, [inputs[i] for i in shown], len(given))
    drawn = figure(0.6 + width * columns, 0.5 + height * rows)
    panels = np.array(drawn.subplots(rows, columns, squeeze=False)).ravel()
    for p, axes in enumerate(panels[: first.m]):
        if not vary[p]:
            _constant(axes, writing.name(first.output_names[p], first.output_names))
            continue
        PANELS[kind](axes, given, p, shown)
        if kind not in ("alpha", "interactions"):
            alone = not vary[p - p % columns : p].any()  # in its row, from the left
            beside = [writing.name(inputs[i], inputs) for i in shown] if alone else []
            _inputs(axes, beside, len(shown))
    for axes in panels[first.m :]:
        axes.set_axis_off()
    called = ", ".join(_called(given, k) for k in range(len(given)))
    heading = writing.heading(first) if len(given) == 1 else f"sensitivities of {called}"
    headed(drawn, shortened(heading, 90), f"over {counted(given[0].points)}")
    if len(given) > 1:
        _legend(drawn, panels, min(3, len(given)))
    what = first.describe() if len(given) == 1 else shortened(called, 90)
    return Picture(drawn, f"{kind} of the sensitivities of {what}", notes)


def _panel(kind: str, names: Sequence[str], networks: int) -> tuple[float, float]:
    """Width and height in inches; squares have room for names, a title and a colour bar."""
    count = len(names)
    if kind == "interactions":
        written = _CHARACTER * min(_BESIDE, max(map(len, names)))
        return max(2.7, 1.5 + 0.5 * count) + written, 1.3 + 0.5 * count + 0.7 * written
    bars = max(min(1.2, 0.5 * count), 0.24 * count * max(1, 0.6 * networks))
    return 3.9, 3.4 if kind == "alpha" else 1.2 + bars


def _legend(drawn: Figure, panels: Iterable[Axes], columns: int) -> None:
    """Below all panels, with each label once."""
    found = [zip(*axes.get_legend_handles_labels(), strict=True) for axes in panels]
    handles = {label: handle for pairs in found for handle, label in pairs}
    drawn.legend([*handles.values()], [*handles], loc="outside lower center", ncols=columns)


def _constant(axes: Axes, output: str) -> None:
    """Instead of a panel in spreads of an output that has none."""
    axes.set_axis_off()
    axes.set_title(f"{output} does not vary", loc="left")


def _common_names(given: Sequence[Sensitivity]) -> list[str]:
    if not given:
        raise ValueError("there is no network to show")
    names = [[*g.network.input_names, *g.network.output_names] for g in given]
    for other in names[1:]:
        if other != names[0]:
            raise ValueError(
                "networks side by side need the same names; found "
                f"{shortened(', '.join(names[0]))} and {shortened(', '.join(other))}"
            )
    return names[0][: given[0].network.n]


def _shown(given: Sequence[Sensitivity]) -> tuple[list[int], tuple[str, ...]]:
    """The inputs from the least to the most important, the last at the top; the least left out."""
    importance = np.nan_to_num(np.max([g.standardized for g in given], axis=(0, 1)))
    order = np.argsort(importance, kind="stable").tolist()
    notes = tuple(dict.fromkeys(note for g in given for note in g.notes))
    if len(order) <= _MOST_INPUTS:
        return order, notes
    left = len(order) - _MOST_INPUTS
    return order[left:], (*notes, f"the {left} least important of {len(order)} inputs are left out")


def _inputs(axes: Axes, names: Sequence[str], count: int) -> None:
    """The names of the inputs, which are so many, at the left edge, or nothing there."""
    axes.set_ylim(-0.6, count - 0.4)
    axes.set_yticks(range(len(names)), names)
    axes.tick_params(axis="y", length=0, labelsize=10)


def _called(given: Sequence[Sensitivity], k: int) -> str:
    """A network's name, with its place where others are called the same."""
    names = [one.network.name for one in given]
    name = names[k] or "network"
    alone = names[k] and names.count(names[k]) == 1
    return (name if alone else f"{name} {k + 1}").replace("$", r"\$")


def _offsets(count: int) -> tuple[Any, float]:
    """Where several networks' bars lie around an input's line, and how high they are."""
    height = 0.8 / count
    return (np.arange(count)[::-1] - (count - 1) / 2) * height, height


# --- one panel each -----------------------------------------------------------------------------


def _bars(axes: Axes, given: Sequence[Sensitivity], p: int, shown: list[int]) -> None:
    offsets, height = _offsets(len(given))
    for k, sensitivity in enumerate(given):
        values = sensitivity.standardized[p, shown]
        places = np.arange(len(shown)) + offsets[k]
        axes.barh(
            *(places, values, 0.9 * height),
            color=COLOURS[k % len(COLOURS)],
            label=_called(given, k),
        )
    axes.set_title(_standardized("rms of ", given, p), loc="left")
    axes.set_xlim(left=0)


def _standardized(measure: str, given: Sequence[Sensitivity], p: int) -> str:
    """The title of a measure of ∂y/∂x in spreads, in two lines where y has a long name."""
    outputs = given[0].network.output_names
    output = outputs[p]
    between = "\n" if len(output) > _SHORT else " "
    return f"{measure}{writing.partial(output, ['x'], among=outputs)}{between}{_STANDARDIZED}"


def _varying(given: Sequence[Sensitivity], p: int) -> list[tuple[int, Sensitivity]]:
    """The networks whose output p varies, each with its place."""
    return [(k, one) for k, one in enumerate(given) if one.varies[p]]


def _scaled(given: Sensitivity, p: int, shown: list[int]) -> list[Any]:
    """Partials in spreads of the data, an array for each input."""
    unit = given.points.std(axis=0) / given.value[:, p].std()
    return [given.slopes[:, p, i] * unit[i] for i in shown]


def _violins(axes: Axes, given: Sequence[Sensitivity], p: int, shown: list[int]) -> None:
    offsets, height = _offsets(len(given))
    for k, sensitivity in _varying(given, p):
        colour = COLOURS[k % len(COLOURS)]
        label: str | None = _called(given, k)
        for place, values in zip(
            np.arange(len(shown)) + offsets[k], _scaled(sensitivity, p, shown), strict=True
        ):
            if np.ptp(values) > 1e-9 * np.abs(values).max():
                bodies: Any = axes.violinplot(
                    [values], [place], orientation="horizontal", widths=height, showextrema=False
                )["bodies"]
                bodies[0].set(facecolor=colour, alpha=0.6, edgecolor=colour)
            middle = np.median(values)
            axes.plot(middle, place, "o", color=colour, mec="black", markersize=4, zorder=3)
            axes.fill_between([], [], color=colour, alpha=0.6, label=label)
            label = None
    _about_zero(axes, given, p)


def _boxes(axes: Axes, given: Sequence[Sensitivity], p: int, shown: list[int]) -> None:
    offsets, height = _offsets(len(given))
    for k, sensitivity in _varying(given, p):
        colour = COLOURS[k % len(COLOURS)]
        boxes = axes.boxplot(
            _scaled(sensitivity, p, shown),
            positions=np.arange(len(shown)) + offsets[k],
            orientation="horizontal",
            widths=0.7 * height,
            patch_artist=True,
            boxprops={"facecolor": colour, "alpha": 0.6, "linewidth": 0.7},
            medianprops={"color": "black"},
            flierprops={"marker": ".", "markersize": 2, "alpha": 0.5},
        )
        boxes["boxes"][0].set_label(_called(given, k))
    _about_zero(axes, given, p)


def _about_zero(axes: Axes, given: Sequence[Sensitivity], p: int) -> None:
    axes.axvline(0, color="0.8", linewidth=0.7, zorder=0)
    axes.set_title(_standardized("", given, p), loc="left")


def _alpha(axes: Axes, given: Sequence[Sensitivity], p: int, shown: list[int]) -> None:
    lines = ("-", "--", ":", "-.")
    for k, sensitivity in _varying(given, p):
        spread = sensitivity.value[:, p].std()
        curves = sensitivity.alpha_curves(_ALPHAS)[:, p] * sensitivity.points.std(axis=0)
        for c, i in enumerate(reversed(shown)):
            inputs = sensitivity.network.input_names
            name = writing.name(inputs[i], inputs)
            label = name if len(given) == 1 else f"{name}, {_called(given, k)}"
            style: dict[str, Any] = {
                "color": COLOURS[c % len(COLOURS)],
                "linestyle": lines[(k + c // 7) % 4],
            }
            axes.plot(_ALPHAS, curves[:, i] / spread, label=label, **style)
    axes.set_title(_standardized(r"$M_\alpha$ of ", given, p), loc="left")
    axes.set_xlabel(r"$\alpha$  (1: mean size, 2: rms, large: maximum)", loc="left")
    axes.set_xticks([1, 5, 10, 15])
    axes.set_ylim(bottom=0)
    axes.set_xlim(1, _ALPHAS[-1])
    if len(given) == 1:
        axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))


def _interactions(axes: Axes, given: Sequence[Sensitivity], p: int, shown: list[int]) -> None:
    matrix = np.nan_to_num(given[0].standardized_interactions[p][np.ix_(shown, shown[::-1])])
    inputs = given[0].network.input_names
    names = [writing.stacked(inputs[i], _BESIDE, {}, inputs) for i in shown]
    image = axes.imshow(
        matrix, cmap=VALUES, vmin=0, vmax=matrix.max() or 1, origin="lower", aspect="equal"
    )
    slanted: dict[str, Any] = {"rotation": 40, "ha": "right", "rotation_mode": "anchor"}
    wide = max(len(inputs[i]) for i in shown) > _SQUARE
    axes.set_xticks(range(len(names)), names[::-1], **(slanted if wide else {}))
    axes.set_yticks(range(len(names)), names)
    axes.tick_params(length=0, labelsize=10)
    dark = matrix.max() / 2
    if len(shown) <= 8:
        for (row, column), value in np.ndenumerate(matrix):
            colour = WHITE_ON_COLOURS if value <= dark else BLACK_ON_COLOURS
            axes.text(
                column, row, f"{value:.2g}", ha="center", va="center", color=colour, fontsize=8
            )
    axes.figure.colorbar(image, ax=axes, pad=0.03, shrink=0.8)
    outputs = given[0].network.output_names
    above, below = writing.above(outputs[p], 2, outputs), writing.below({"x_i": 1, "x_j": 1})
    unit = r"$\cdot\;\mathrm{sd}(x_i)\,\mathrm{sd}(x_j)/\mathrm{sd}(y)$"
    between = ("", "\n") if len(outputs[p]) <= _SHORT else ("\n", " ")
    axes.set_title(f"rms of {above}{between[0]}{below}{between[1]}{unit}", loc="left")


PANELS: dict[str, Callable[[Any, Sequence[Sensitivity], int, list[int]], None]] = {
    "bars": _bars,
    "violins": _violins,
    "boxes": _boxes,
    "alpha": _alpha,
    "interactions": _interactions,
}
"""What draws one output's panel of each kind: of axes, sensitivities, its position, the inputs."""


# --- partial dependence -------------------------------------------------------------------------


def dependence(given: Dependence) -> Picture:
    """The partial dependence over the individual curves, and their slopes below, by output.

    ValueError for a grid of one value.
    """
    network, grid = given.network, given.grid_values
    if len(grid) < 2:
        raise ValueError(
            f"{network.input_names[given.input]} has one value, {grid[0]:g}, which makes no curve; "
            "give data in which it varies, or a grid"
        )
    drawn = figure(0.5 + 3.6 * network.m, 4.9)
    panels = np.array(drawn.subplots(2, network.m, squeeze=False, sharex=True))
    rows = len(given.rows)
    few = np.random.default_rng(0).permutation(rows)[:_MOST_CURVES]
    name, names = network.input_names[given.input], writing.names(network)
    for p, output in enumerate(network.output_names):
        for axes, curves, mean, along in (
            (panels[0, p], given.individual[p], given.average[p], []),
            (panels[1, p], given.slopes[p], given.slope[p], [name]),
        ):
            shade = {"color": COLOURS[0], "alpha": 0.18, "linewidth": 0.6, "rasterized": True}
            axes.plot(grid, curves[few].T, **shade)
            axes.plot(grid, mean, color="black", linewidth=2)
            axes.set_title(writing.quantity(output, along, network.units, names), loc="left")
        panels[1, p].axhline(0, color="0.8", linewidth=0.7, zorder=0)
        panels[1, p].set_xlabel(writing.axis(name, network.units, among=names))
        strokes = np.quantile(given.rows, np.linspace(0.1, 0.9, 9))
        for axes in panels[:, p]:
            transform = axes.get_xaxis_transform()
            axes.vlines(strokes, 0, 0.04, color="black", linewidth=0.7, transform=transform)
            axes.set_xlim(grid.min(), grid.max())
    said = f"mean of {rows} rows in black, strokes are deciles of the data"
    headed(drawn, writing.heading(network), said)
    notes = (f"{len(few)} of {rows} rows' curves are drawn",) if len(few) < rows else ()
    return Picture(drawn, f"partial dependence on {name} of {network.describe()}", notes)
