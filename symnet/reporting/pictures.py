"""What a page shows of values and partials, where matplotlib (the extra `plot`) is installed."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from symnet import plotting
from symnet.derivation import Derivation
from symnet.network import Network
from symnet.plotting.frame import Frame, framed
from symnet.plotting.picture import Picture
from symnet.reporting.contents import Block, Drawn, Paragraph, said

_MOST_INPUTS, _MOST_OUTPUTS = 6, 3


@dataclass(frozen=True, eq=False)
class Scene:
    """What is shown: the derivation, the data, and the frame of inputs that matter most."""

    derivation: Derivation
    data: Any
    frame: Frame
    outputs: tuple[str, ...]

    @property
    def notes(self) -> list[str]:
        """What was chosen, without advice for those who draw."""
        told = [note.partition("; ")[0] for note in self.frame.notes]
        if self.data is None:
            told.append("data, by symnet report --data table.csv, give better ranges")
        return told


def scene(derivation: Derivation, data: Any) -> Scene:
    """The inputs that matter most, over the ranges of the data, and the first few outputs."""
    names = tuple(symbol.name for symbol in derivation.network.outputs)[:_MOST_OUTPUTS]
    frame = framed(derivation, data=data, outputs=names, most=_MOST_INPUTS)
    # A slider that starts at -0.49999999999 helps nobody.
    at = np.array([float(f"{x:.4g}") for x in frame.at.tolist()])
    return Scene(derivation, data, replace(frame, at=at), names)


def drawing(network: Network) -> Iterator[Block]:
    """The network drawn."""
    alt = f"The network drawn from left to right: {network.describe()}."
    caption = "Blue weights are negative, red ones positive; the thicker, the larger."
    yield from drawn("network", lambda: plotting.plot(network, kind="network"), alt, caption)


def values(scene: Scene) -> tuple[Block, ...]:
    """Maps of two inputs, curves along each, and over every two."""
    network = scene.derivation.network
    found: list[Block] = []
    if network.m > len(scene.outputs):
        found += said(f"Of {network.m} outputs {', '.join(scene.outputs)} are shown.")
    found += said(*(f"{note[0].upper()}{note[1:]}." for note in scene.notes))
    names = [scene.frame.name(i) for i in scene.frame.inputs]
    if len(names) == 2:
        found += _maps(scene, names)
    found += _kind(scene, "curves", names, "along each input, the others held")
    if len(names) > 2:
        found += _kind(scene, "pairs", names[:4], "over every two inputs")
    return tuple(found)


def _maps(scene: Scene, names: list[str]) -> Iterator[Block]:
    shown = ", ".join(scene.outputs)
    alt = f"Heat maps of {shown} and of its first and second partials over {' and '.join(names)}."
    caption = "Value and partials over two inputs. In the partials white is 0, red is positive."
    yield from drawn("maps", lambda: _plot(scene, "maps", names), alt, caption)


def _kind(scene: Scene, kind: str, names: list[str], where: str) -> Iterator[Block]:
    shown = ", ".join(scene.outputs)
    alt = f"Plots of {shown} and its partials {where}: {', '.join(names)}."
    yield from drawn(
        kind, lambda: _plot(scene, kind, names), alt, f"The value and partials {where}."
    )


def _plot(scene: Scene, kind: str, names: list[str]) -> Picture:
    return plotting.plot(
        scene.derivation, kind=kind, inputs=names, outputs=scene.outputs, data=scene.data
    )


def drawn(name: str, make: Callable[[], Picture], alt: str, caption: str) -> Iterator[Block]:
    """The picture, or why there is none."""
    try:
        with warnings.catch_warnings():
            # A name in a script that the font lacks stands on the page itself.
            warnings.filterwarnings("ignore", "Glyph .* missing from font")
            picture = make()
            svg = picture.svg()
    except (ImportError, ValueError) as error:
        yield Paragraph(f"Not drawn ({name}): {error}.")
        return
    yield Drawn(name, svg, alt, caption, picture.figure.get_figwidth())
