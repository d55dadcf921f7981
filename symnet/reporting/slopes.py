"""What the outputs depend on over the data that are given."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from symnet import physical, plotting
from symnet.network import Network
from symnet.plotting.picture import Picture
from symnet.plotting.writing import number
from symnet.reporting.contents import Block, Paragraph, Table, listed
from symnet.reporting.pictures import drawn
from symnet.sensitivities import Sensitivity, sensitivity

_MOST_ROWS = 40


def blocks(network: Network, data: Any) -> tuple[Block, ...]:
    """Measures of the slopes, the largest first, and pictures."""
    order = 2 if network.n <= 16 else 1
    measured = sensitivity(network, data, order=order)
    told = (
        f"Slopes at {len(measured.points):,} points of data: mean, standard deviation and root "
        "mean square; standardized by the spreads of input and output; and the share of the "
        "points at which the output rises with the input."
    )
    return (
        Paragraph(told),
        _table(measured),
        *_pictures(measured, order),
        *listed(list(measured.notes)),
    )


def _table(s: Sensitivity) -> Table:
    network = s.network
    ranked = sorted(
        ((p, i) for p in range(network.m) for i in range(network.n)),
        key=lambda place: (place[0], -s.rms[place] * s.points.std(axis=0)[place[1]]),
    )
    rows = [
        (
            _partial(network, network.output_names[p], network.input_names[i]),
            *(number(float(m[p, i])) for m in (s.mean, s.sd, s.rms, s.standardized)),
            f"{100 * float(s.rising[p, i]):.0f} %",
        )
        for p, i in ranked
    ]
    left = len(rows) - _MOST_ROWS
    caption = "Slopes over the data, the most important first"
    if left > 0:
        caption += f"; {left} less important are left out"
    head = ("", "mean", "sd", "rms", "standardized", "rising")
    return Table((head, *rows[:_MOST_ROWS]), caption)


def _partial(network: Network, output: str, along: str) -> str:
    unit = physical.of_partial(network.units, output, [along])
    return physical.bracketed(f"∂{output}/∂{along}", unit)


def _pictures(s: Sensitivity, order: int) -> Iterator[Block]:
    caption = "How much each input matters over the data."
    yield from drawn("bars", lambda: _picture(s, "bars"), caption, caption)
    if order > 1 and s.network.n > 1:
        caption = (
            "How much each two inputs act together: root mean squares of second partials, in "
            "spreads of the data."
        )
        yield from drawn("interactions", lambda: _picture(s, "interactions"), caption, caption)


def _picture(s: Sensitivity, kind: str) -> Picture:
    """With the notes that are its own; the others stand below all pictures."""
    made = plotting.plot(s, kind=kind)
    return replace(made, notes=tuple(note for note in made.notes if note not in s.notes))
