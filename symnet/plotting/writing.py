"""What stands on pictures: names, partials and units as mathtext.

ρ    ∂p/∂ρ [MPa/(kg/m³)]    ∂²p/∂ρ∂T [MPa/((kg/m³) K)]    ∂²p/∂T² [MPa/K²]
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from symnet import physical
from symnet.formulas import labels
from symnet.names import shortened, superscript
from symnet.network import Network
from symnet.plotting.cutting import LONGEST, cut

_TOGETHER, _TITLE = 23, 31
"""Characters of the names of a partial together, and of a title with its unit."""
_LEAST = 7  # characters of a name, whatever room there is


def checked_units(network: Network, units: Mapping[str, str] | None) -> Mapping[str, str]:
    """The network's units, with those that are given instead. ValueError as `physical.checked`."""
    return network.with_units({**network.units, **(units or {})}).units


def names(network: Network) -> tuple[str, ...]:
    """All names that a picture of the network may have, which are to be told apart."""
    return (*network.input_names, *network.output_names)


def name(plain: str, among: Sequence[str] = ()) -> str:
    """An input's or output's name as mathtext, told apart from the names that it is among."""
    return f"${_mathematics(cut(plain, among=among))}$"


def _mathematics(plain: str) -> str:
    r"""`T` and `\rho` as LaTeX has them; the characters of `T [K]` stand for themselves."""
    if _IDENTIFIER.fullmatch(plain):
        return _BRACED.sub(r"\1\2", labels.latex_name(plain))
    return rf"\mathrm{{{''.join(_PLAINLY.get(c, c) for c in plain)}}}"


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


def partial(output: str, inputs: Sequence[str] = (), among: Sequence[str] = ()) -> str:
    """∂²p/∂ρ∂T as mathtext; the output's name without inputs."""
    if not inputs:
        return name(output, among)
    runs = _runs(inputs)
    most = _shares([output, *runs], _TOGETHER)
    return f"${_above(output, inputs, most, among)}{_below(runs, most, among)}$"


def _runs(inputs: Sequence[str]) -> dict[str, int]:
    """Each input, and how often one derives along it."""
    return {along: len(list(run)) for along, run in groupby(inputs)}


def _above(
    output: str, inputs: Sequence[str], most: Mapping[str, int], among: Sequence[str]
) -> str:
    short = _mathematics(cut(output, most[output], among))
    return rf"∂{_raised(len(inputs))}{short}\,/\,"


def _below(runs: Mapping[str, int], most: Mapping[str, int], among: Sequence[str]) -> str:
    return r"\,".join(
        f"∂{_mathematics(cut(along, most[along], among))}{_raised(count)}"
        for along, count in runs.items()
    )


def _shares(names: Sequence[str], together: int) -> dict[str, int]:
    """How many characters each name has: what a short one leaves is for the others."""
    shares = {}
    for k, short in enumerate(sorted(names, key=len)):
        shares[short] = max(_LEAST, min(len(short), together // (len(names) - k)))
        together -= min(shares[short], len(short))
    return shares


def _raised(count: int) -> str:
    return f"^{count}" if count > 1 else ""


def in_plain(text: str) -> str:
    r"""Mathtext without mathematics: ∂²p/∂ρ∂x₁ for `$∂^2p\,/\,∂\rho\,∂x_1$`."""
    return _MARKUP.sub(_unmarked, text)


_MARKUP = re.compile(r"\\([A-Za-z]+) ?|\\(.)|([_^])(\{.*?\}|.)|[${}]")
_SIGNS = {**labels.GREEK, "cdot": "·", "backslash": "\\", "wedge": "^", "sim": "~"}


def _unmarked(found: re.Match[str]) -> str:
    command, character, place, moved = found.groups()
    if place:
        inner = in_plain(moved)
        small = superscript(inner) if place == "^" else labels.subscript(inner)
        return small if not set(small) & set(inner) else place + inner
    return _SIGNS.get(command or "", "") or (character or "").strip(",;")


def labelled(text: str, unit: str | None) -> str:
    """The text, and the unit in brackets where there is one."""
    return text + _plainly(physical.bracketed("", unit))


def axis(
    plain: str, units: Mapping[str, str], room: int | None = None, among: Sequence[str] = ()
) -> str:
    """An input as an axis has it: ρ [kg/m³]; room: for how many characters, those of units too."""
    unit = units.get(plain)
    most = LONGEST if room is None else max(_LEAST, room - len(physical.bracketed("", unit)))
    return labelled(name(cut(plain, most, among)), unit)


def quantity(
    output: str, inputs: Sequence[str], units: Mapping[str, str], among: Sequence[str] = ()
) -> str:
    """An output, or a partial of it, as a panel's title has it: ∂p/∂ρ [MPa/(kg/m³)].

    The unit is below where both have no room in a line, and so is ∂ρ where the names are long.
    """
    unit = physical.of_partial(units, output, inputs)
    runs = _runs(inputs)
    if not inputs or sum(map(len, [output, *runs])) <= _TOGETHER:
        lines = [partial(output, inputs, among)]
    else:
        room = _TITLE - 2 * len(runs)
        most = _shares([*runs], room) | {output: LONGEST}
        lines = [f"${_above(output, inputs, most, among)}$", f"${_below(runs, most, among)}$"]
    bracket = physical.bracketed("", unit)
    if len(in_plain(lines[-1])) + len(bracket) <= _TITLE:
        return "\n".join([*lines[:-1], labelled(lines[-1], unit)])
    return "\n".join([*lines, _plainly(bracket.lstrip())])


def _plainly(text: str) -> str:
    return text.replace("$", r"\$")


def number(value: float) -> str:
    """A number as a title has it: four digits."""
    return f"{value:.4g}".replace("-", "−")


def point(
    pairs: Iterable[tuple[str, float]], units: Mapping[str, str], among: Sequence[str] = ()
) -> str:
    """ρ = 300 kg/m³, T = 800 K."""
    said = []
    for plain, value in pairs:
        shown = _plainly(physical.shown(units.get(plain, "1")))
        said.append(f"{name(plain, among)} = {number(value)} {shown}".rstrip())
    return ", ".join(said)


def heading(network: Network) -> str:
    """The network in a line, as a title."""
    described = shortened(network.describe(), 90)
    return (f"{network.name}: {described}" if network.name else described).replace("$", r"\$")
