"""What a page shows of values and partials, where matplotlib (the extra `plot`) is installed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from symnet import plotting
from symnet.derivation import Derivation
from symnet.network import Network
from symnet.plotting.drawing import lines, shows_neurons
from symnet.plotting.frame import Frame
from symnet.plotting.framing import MOST, framed, has_no_curvature, most_important
from symnet.plotting.picture import Picture, headed, style
from symnet.plotting.plots import FRAMED
from symnet.plotting.structure import ABOVE, BELOW
from symnet.progress import part
from symnet.reporting.contents import Block, Drawn, Paragraph, said

_MOST_OUTPUTS, _MOST_PAIRED = 3, 3
_MOST_ACROSS = 4  # panels, beyond which a screen does not hold them
_MOST_KINKS = 40  # neurons, beyond which lines of kinks take longer than all else

_WEIGHTS = {
    frozenset({ABOVE, BELOW}): (
        "Blue, dashed weights are negative, red ones positive; the thicker, the larger."
    ),
    frozenset({ABOVE}): "All weights are positive, and red; the thicker, the larger.",
    frozenset({BELOW}): "All weights are negative, blue and dashed; the thicker, the larger.",
    frozenset[str](): "A circle is a neuron, or an input.",
}
"""What is said of a drawing, by the signs of its weights."""


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
        if self.data is not None and len(self.frame.inputs) < min(self.frame.network.n, MOST):
            told.append("inputs that are the same in all of the data are not shown")
        if self.data is None:
            told.append("data, by symnet report --data table.csv, give better ranges")
        return told


def panels(network: Network, order: int) -> int:
    """How many panels the pictures of values have, colour bars included: these take the time."""
    outputs = min(network.m, _MOST_OUTPUTS)
    order = min(order, 1 if has_no_curvature(network) else 2)
    maps = outputs * (order + 1) * (order + 2) if network.n > 1 else 0
    curves = outputs * (order + 1) * min(network.n, _MOST_ACROSS)
    pairs = _MOST_PAIRED**2 if network.n > 2 and not _many_kinks(network) else 0
    return maps + curves + pairs


def scene(derivation: Derivation, data: Any) -> Scene:
    """The inputs that matter most, over the ranges of the data, and the first few outputs."""
    names = derivation.network.output_names[:_MOST_OUTPUTS]
    inputs = _varying(derivation.network, data)
    frame = framed(derivation, data=data, outputs=names, inputs=inputs, most=MOST)
    # A slider that starts at -0.49999999999 helps nobody.
    at = np.array([float(f"{x:.4g}") for x in frame.at.tolist()])
    return Scene(derivation, data, replace(frame, at=at), names)


def _varying(network: Network, data: Any) -> list[str] | None:
    """The inputs that differ within the data, the first few; None where all do, or none."""
    if data is None:
        return None
    differ = np.ptp(data, axis=0) > 0
    if differ.all() or not differ.any():
        return None
    names = (
        name for name, varies in zip(network.input_names, differ.tolist(), strict=True) if varies
    )
    return list(names)[:MOST]


def drawing(network: Network) -> Iterator[Block]:
    """The network drawn."""
    alt = f"The network drawn from left to right: {network.describe()}."
    caption = (
        _WEIGHTS[frozenset({ABOVE, BELOW} & lines(network))]
        if shows_neurons(network)
        else "A box is a vector, with its number of neurons."
    )
    yield from drawn("network", lambda: plotting.plot(network, kind="network"), alt, caption)


def values(scene: Scene) -> tuple[Block, ...]:
    """Maps of two inputs, curves along each, and over every two."""
    network = scene.derivation.network
    told = [*scene.notes]
    if network.m > len(scene.outputs):
        told.insert(0, f"of {network.m} outputs {', '.join(scene.outputs)} are shown")
    found: list[Block] = [*said(_sentences(told))]
    shown = scene.frame.inputs
    with part(0.0, 0.4):
        if len(shown) > 1:
            found += _maps(scene, most_important(scene.frame, 2).inputs)
    with part(0.4, 0.7):
        found += _curves(scene)
    with part(0.7, 1.0):
        if len(shown) > 2:
            found += _pairs(scene)
    return tuple(found)


def _maps(scene: Scene, inputs: tuple[int, ...]) -> Iterator[Block]:
    names = " and ".join(scene.frame.name(i) for i in inputs)
    shown = ", ".join(scene.outputs)
    orders = ("", " and of its first partials", " and of its first and second partials")
    alt = f"Heat maps of {shown}{orders[scene.frame.order]} over {names}."
    caption = (
        f"Value and partials over {names}. In the partials 0 has the colour of the paper, and red "
        f"is positive.{_dotted(scene)}"
    )
    yield from drawn("maps", lambda: _plot(scene, "maps", inputs), alt, caption)


def _curves(scene: Scene) -> Iterator[Block]:
    shown = most_important(scene.frame, _MOST_ACROSS).inputs
    each = "each input" if len(shown) == len(scene.frame.inputs) else "the inputs that matter most"
    yield from _kind(scene, "curves", shown, f"along {each}, the others held")


def _pairs(scene: Scene) -> Iterator[Block]:
    network = scene.frame.network
    if _many_kinks(network):
        yield Paragraph("Maps over more inputs are left out: symnet plot --kind pairs draws them.")
        return
    inputs = most_important(scene.frame, _MOST_PAIRED).inputs
    scene = replace(scene, frame=replace(scene.frame, outputs=scene.frame.outputs[:1]))
    yield from _kind(scene, "pairs", inputs, "over every two of the inputs that matter most")


def _many_kinks(network: Network) -> bool:
    return bool(network.kinks) and sum(network.widths) > _MOST_KINKS


def _kind(scene: Scene, kind: str, inputs: tuple[int, ...], where: str) -> Iterator[Block]:
    names = ", ".join(scene.frame.name(i) for i in inputs)
    alt = f"Plots of {', '.join(scene.outputs)} and its partials {where}: {names}."
    caption = f"The value and partials {where}.{_dotted(scene)}"
    yield from drawn(kind, lambda: _plot(scene, kind, inputs), alt, caption)


def _dotted(scene: Scene) -> str:
    return " Dotted lines are kinks." if scene.frame.network.kinks else ""


def _plot(scene: Scene, kind: str, inputs: tuple[int, ...]) -> Picture:
    with style():
        return FRAMED[kind](replace(scene.frame, inputs=inputs, notes=()))


def _untitled(picture: Picture) -> Picture:
    """Without the line that names the network, which stands on top of the page."""
    _, _, rest = picture.figure.get_suptitle().partition("\n")
    headed(picture.figure, rest)
    return picture


def drawn(name: str, make: Callable[[], Picture], alt: str, caption: str) -> Iterator[Block]:
    """The picture of that name, or why there is none."""
    try:
        picture = _untitled(make())
    except (ImportError, ValueError) as error:
        yield Paragraph(f"Not drawn ({name}): {error}.")
        return
    yield Drawn(name, picture, alt, f"{caption} {_sentences(picture.notes)}".strip())


def _sentences(notes: Sequence[str]) -> str:
    return " ".join(f"{note[0].upper()}{note[1:]}." for note in notes)
