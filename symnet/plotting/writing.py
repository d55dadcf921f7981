"""What stands on pictures: names, partials and units as mathtext.

ρ    ∂p/∂ρ [MPa/(kg/m³)]    ∂²p/∂ρ∂T [MPa/((kg/m³) K)]    ∂²p/∂T² [MPa/K²]
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from symnet import physical
from symnet.formulas import labels
from symnet.names import shortened
from symnet.network import Network


def checked_units(network: Network, units: Mapping[str, str] | None) -> Mapping[str, str]:
    """The network's units, with those that are given instead. ValueError as `physical.checked`."""
    return network.with_units({**network.units, **(units or {})}).units


def name(plain: str) -> str:
    """An input's or output's name as mathtext."""
    return f"${_mathematics(plain)}$"


def _mathematics(plain: str) -> str:
    r"""`T` and `\rho` as LaTeX has them; the characters of `T [K]` stand for themselves.

    A long name is without its middle: beside it nothing else would have room.
    """
    if len(plain) > _LONGEST:
        plain = f"{plain[: _LONGEST - 12]}…{plain[-11:]}"
    if _IDENTIFIER.fullmatch(plain):
        return _BRACED.sub(r"\1\2", labels.latex_name(plain))
    return rf"\mathrm{{{''.join(_PLAINLY.get(c, c) for c in plain)}}}"


_LONGEST = 28  # characters; with 36 on both sides a drawing of a network is nothing but names
_IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_]*", re.ASCII)
_BRACED = re.compile(r"([_^])\{(\w)\}")  # braces and macros take twice as long to read as signs
_PLAINLY = {c: f"\\{c}" for c in " $%#_{}"} | {
    "\\": r"\backslash ",
    "^": r"\wedge ",
    "~": r"\sim ",
    "'": "\N{RIGHT SINGLE QUOTATION MARK}",
    "`": "\N{LEFT SINGLE QUOTATION MARK}",
    '"': "\N{RIGHT DOUBLE QUOTATION MARK}",
    "-": "\N{HYPHEN}",
}


def partial(output: str, inputs: Sequence[str] = ()) -> str:
    """∂²p/∂ρ∂T as mathtext, in a line; the output's name without inputs."""
    if not inputs:
        return name(output)
    below = r"\,".join(
        f"∂{_mathematics(along)}" + _raised(len(list(run))) for along, run in groupby(inputs)
    )
    return rf"$∂{_raised(len(inputs))}{_mathematics(output)}\,/\,{below}$"


def _raised(count: int) -> str:
    return f"^{count}" if count > 1 else ""


def labelled(text: str, unit: str | None) -> str:
    """The text, and the unit in brackets where there is one."""
    return text + _plainly(physical.bracketed("", unit))


def axis(plain: str, units: Mapping[str, str]) -> str:
    """An input as an axis has it: ρ [kg/m³]."""
    return labelled(name(plain), units.get(plain))


def quantity(output: str, inputs: Sequence[str], units: Mapping[str, str]) -> str:
    """An output, or a partial of it, as a panel's title has it: ∂p/∂ρ [MPa/(kg/m³)]."""
    return labelled(partial(output, inputs), physical.of_partial(units, output, inputs))


def _plainly(text: str) -> str:
    return text.replace("$", r"\$")


def number(value: float) -> str:
    """A number as a title has it: four digits."""
    return f"{value:.4g}".replace("-", "−")


def point(pairs: Iterable[tuple[str, float]], units: Mapping[str, str]) -> str:
    """ρ = 300 kg/m³, T = 800 K."""
    said = []
    for plain, value in pairs:
        unit = units.get(plain)
        shown = f" {_plainly(physical.shown(unit))}" if unit else ""
        said.append(f"{name(plain)} = {number(value)}{shown}")
    return ", ".join(said)


def heading(network: Network) -> str:
    """The network in a line, as a title."""
    described = shortened(network.describe(), 90)
    return (f"{network.name}: {described}" if network.name else described).replace("$", r"\$")
