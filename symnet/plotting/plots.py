"""plot(): the picture that fits a network, or the kind that is asked for."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from symnet.catalogue import PICTURES
from symnet.derivation import Derivation
from symnet.fitting import MixedData
from symnet.network import Network
from symnet.network.mistaken import unlike
from symnet.plotting import distributions, drawing, writing
from symnet.plotting.curves import curves
from symnet.plotting.frame import Frame
from symnet.plotting.framing import Range, framed
from symnet.plotting.maps import maps
from symnet.plotting.measured import measured
from symnet.plotting.pairs import pairs
from symnet.plotting.picture import Picture, format_of, style
from symnet.sensitivities import Dependence, Sensitivity
from symnet.sensitivities.points import network_of

FRAMED: Mapping[str, Callable[[Frame], Picture]] = {"curves": curves, "maps": maps, "pairs": pairs}
"""The kinds that show values and partials over ranges."""


def plot(
    what: Network | Derivation | Sensitivity | Sequence[Sensitivity] | Dependence,
    path: str | os.PathLike[str] | None = None,
    *,
    kind: str | None = None,
    order: int | None = None,
    inputs: Sequence[str] | None = None,
    outputs: Sequence[str] | None = None,
    over: Mapping[str, Range] | None = None,
    at: Mapping[str, float] | Sequence[float] | None = None,
    data: Any = None,
    units: Mapping[str, str] | None = None,
) -> Picture:
    """A picture, written to `path` where one is given: .png, .svg or .pdf.

    Of a Network or a Derivation, `kind`:

        curves      y, ∂y/∂x_i, ∂²y/∂x_i² along each input; the default but for two inputs
        maps        y and every partial over two inputs, with contours; the default for two
        pairs       y over every two inputs, and how they act together
        network     the network drawn
        measured    predicted against measured, for each kind of measurement in `data`

    Of a Sensitivity, or several to compare: bars, violins, boxes, alpha or interactions. Of a
    Dependence: the only one there is. What a picture does not look at is refused: a drawing takes
    no other argument than its kind, measurements take data and units, sensitivities their kind.

    Args:
        order: of the partials shown, 0 to 2; by default 2, or less where the Derivation is of less
            or the network is linear in pieces.
        inputs, outputs: names of those shown, by default the most important inputs, and as many
            outputs as there is room for.
        over: ranges by name, {"rho": (20, 600)}; by default those of `data`, or else where the
            network's first layer is neither flat nor saturated.
        at: the values of the inputs that are not moved, by name or all of them; by default the
            median of the data or the middle of the ranges.
        data: points (N, n), or MixedData.
        units: by name, {"rho": "kg/m3"}, in place of the network's own.

    Raises ValueError for names, ranges, kinds and endings that are none, as the message says, and
    when a weight is symbolic (a drawing may have some); TypeError for what is none of these;
    ImportError without matplotlib.
    """
    if path is not None:
        format_of(path)
    options: dict[str, Any] = {
        "order": order,
        "inputs": inputs,
        "outputs": outputs,
        "over": over,
        "at": at,
    }
    options |= {"kind": kind, "data": data, "units": units}
    given = {name: value for name, value in options.items() if value is not None}
    with style():
        if isinstance(what, Dependence):
            _check(given, "a dependence")
            picture = distributions.dependence(what)
        elif isinstance(what, Network | Derivation):
            picture = _of_network(what, given)
        else:
            several = _several(what)
            _check(given, "sensitivities", "kind")
            picture = distributions.sensitivities(several, kind or "bars")
    if path is not None:
        picture.save(path)
    return picture


def _several(what: Any) -> list[Sensitivity]:
    found = list(what) if isinstance(what, Iterable) else [what]
    if not found or not all(isinstance(one, Sensitivity) for one in found):
        raise TypeError(
            f"a picture is of a Network, a Derivation, Sensitivities or a Dependence; got "
            f"{unlike(what)}"
        )
    return found


def _check(given: Iterable[str], what: str, *taken: str) -> None:
    """ValueError for what is given and the picture does not look at."""
    strange = [name for name in given if name not in taken]
    if strange:
        own = f"takes {', '.join(taken)}" if taken else "takes none of these"
        raise ValueError(f"a picture of {what} {own}; leave out {', '.join(strange)}")


def _of_network(what: Network | Derivation, options: Mapping[str, Any]) -> Picture:
    given = dict(options)
    kind, data = given.pop("kind", None), given.pop("data", None)
    if kind == "network":
        _check(options, "the network itself", "kind")
        return drawing.drawing(network_of(what))
    if kind == "measured":
        _check(options, "measurements", "kind", "data", "units")
        return _measured(network_of(what), data, given.get("units"))
    if kind is not None and kind not in FRAMED:
        raise ValueError(f"no picture {kind!r} of a network; there are {', '.join(PICTURES)}")
    frame = framed(what, data=data.points if isinstance(data, MixedData) else data, **given)
    return FRAMED[kind or ("maps" if len(frame.inputs) == 2 else "curves")](frame)


def _measured(network: Network, data: Any, units: Mapping[str, str] | None) -> Picture:
    if not isinstance(data, MixedData):
        raise ValueError(
            "predicted against measured needs data with outputs or partials: "
            "symnet.fitting.read('table.csv')"
        )
    return measured(network, data, writing.checked_units(network, units))
