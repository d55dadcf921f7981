"""What stands on pictures: names, partials and units as mathtext.

ρ    ∂p/∂ρ [MPa/(kg/m³)]    ∂²p/∂ρ∂T [MPa/((kg/m³) K)]    ∂²p/∂T² [MPa/K²]
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from symnet.formulas import labels
from symnet.names import shortened
from symnet.network import Network

_LONGEST_UNIT = 30
_POWER = re.compile(r"(?<=[^\W\d_])\^?([-−]?\d+)")
_COMPOUND = re.compile(r"[/·*\s]")
_LAST_OF_THE_FONT = 0x2E80  # scripts beyond it need another font


def checked_units(network: Network, units: Mapping[str, str] | None) -> dict[str, str]:
    """The units by name. ValueError for names that the network has not, and for no plain text."""
    known = [*network.input_names, *network.output_names]
    found = {}
    for name, unit in (units or {}).items():
        if str(name) not in known:
            listed = shortened(", ".join(known))
            raise ValueError(
                f"unit of {str(name)!r}: the network has no such name; it has {listed}"
            )
        plain = isinstance(unit, str) and unit.isprintable() and unit.strip() == unit
        if (
            not plain
            or not 0 < len(unit) <= _LONGEST_UNIT
            or max(map(ord, unit)) >= (_LAST_OF_THE_FONT)
        ):
            raise ValueError(
                f"unit of {name}: {shortened(repr(unit))} is none; write at most {_LONGEST_UNIT} "
                "characters such as kg/m3"
            )
        found[str(name)] = unit
    return found


def name(plain: str) -> str:
    """An input's or output's name as mathtext."""
    return f"${_mathematics(plain)}$"


def _mathematics(plain: str) -> str:
    r"""`T` and `\rho` as LaTeX has them; the characters of `T [K]` stand for themselves."""
    if _IDENTIFIER.fullmatch(plain):
        return labels.latex_name(plain)
    return rf"\mathrm{{{''.join(_PLAINLY.get(c, c) for c in plain)}}}"


_IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_]*", re.ASCII)
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
        rf"\partial {_mathematics(along)}" + _raised(len(list(run)))
        for along, run in groupby(inputs)
    )
    return rf"$\partial{_raised(len(inputs))} {_mathematics(output)}\,/\,{below}$"


def _raised(count: int) -> str:
    return f"^{{{count}}}" if count > 1 else ""


def labelled(text: str, unit: str | None) -> str:
    """The text, and the unit in brackets where there is one."""
    return f"{text} [{_shown(unit)}]" if unit and unit != "1" else text


def unit_of(units: Mapping[str, str], output: str, inputs: Sequence[str] = ()) -> str | None:
    """The unit of a partial; None where one of those it is made of is not known."""
    if output not in units or any(along not in units for along in inputs):
        return None
    parts = [
        _power(units[along], len(list(run)))
        for along, run in groupby(inputs)
        if units[along] != "1"
    ]
    if not parts:
        return units[output]
    below = parts[0] if len(parts) == 1 else f"({' '.join(parts)})"
    above = f"({units[output]})" if "/" in units[output] else units[output]
    return f"{above}/{below}"


def _power(unit: str, count: int) -> str:
    grouped = f"({unit})" if _COMPOUND.search(unit) or (count > 1 and unit[-1].isdigit()) else unit
    return grouped + (labels.superscript(str(count)) if count > 1 else "")


def _shown(unit: str) -> str:
    raised = _POWER.sub(lambda found: labels.superscript(found[1].replace("−", "-")), unit)
    return raised.replace("*", "·").replace("$", r"\$")


def number(value: float) -> str:
    """A number as a title has it: four digits."""
    return f"{value:.4g}".replace("-", "−")


def point(pairs: Iterable[tuple[str, float]], units: Mapping[str, str]) -> str:
    """ρ = 300 kg/m³, T = 800 K."""
    said = []
    for plain, value in pairs:
        unit = units.get(plain)
        said.append(f"{name(plain)} = {number(value)}" + (f" {_shown(unit)}" if unit else ""))
    return ", ".join(said)


def heading(network: Network) -> str:
    """The network in a line, as a title."""
    described = shortened(network.describe(), 90)
    return (f"{network.name}: {described}" if network.name else described).replace("$", r"\$")
