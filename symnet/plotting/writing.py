"""What stands on pictures: names, partials and units as mathtext.

ρ    ∂p/∂ρ [MPa/(kg/m³)]    ∂²p/∂ρ∂T [MPa/((kg/m³) K)]    ∂²p/∂T² [MPa/K²]
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from symnet import physical
from symnet.formulas import labels
from symnet.names import runs, shortened, superscript
from symnet.network import Network
from symnet.plotting.cutting import LONGEST, cut

_TOGETHER, _TITLE = 23, 31
"""Characters of the names of a partial together, and of a title with its unit."""
_LEAST = 7  # characters of a name, whatever room there is
_LINES = 3  # of a name beside an axis
_WORD = re.compile(r"[^ _]+[ _]*|[ _]+")


_LETTERS = "[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]"
LEFTWARDS = re.compile(rf"{_LETTERS}+(?:[ _]{_LETTERS}+)*")
"""Words that are written from the right, as Arabic and Hebrew ones."""


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
    return _upright(plain)


def _upright(plain: str) -> str:
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
    ".": "{.}",  # behind which mathematics has a space
}


def partial(
    output: str, inputs: Sequence[str] = (), among: Sequence[str] = (), room: int = _TOGETHER
) -> str:
    """∂²p/∂ρ∂T as mathtext; the output's name without inputs.

    room: for how many characters of names.
    """
    if not inputs:
        return name(output, among)
    counts = dict(runs(inputs))
    most = _shares([output, *counts], room)
    return f"${_above(output, len(inputs), most, among)}{_below(counts, most, among)}$"


def above(output: str, order: int, among: Sequence[str] = ()) -> str:
    """What a partial begins with, in a line of its own: ∂²p/"""
    return f"${_above(output, order, {output: LONGEST}, among)}$"


def below(counts: Mapping[str, int], among: Sequence[str] = ()) -> str:
    """What it ends in, by how often one derives along each input: ∂ρ∂T²"""
    return f"${_below(counts, dict.fromkeys(counts, LONGEST), among)}$"


def _above(output: str, order: int, most: Mapping[str, int], among: Sequence[str]) -> str:
    return rf"∂{_raised(order)}{_mathematics(cut(output, most[output], among))}\,/\,"


def _below(counts: Mapping[str, int], most: Mapping[str, int], among: Sequence[str]) -> str:
    return r"\,".join(
        f"∂{_mathematics(cut(along, most[along], among))}{_raised(count)}"
        for along, count in counts.items()
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


def axis(plain: str, units: Mapping[str, str], among: Sequence[str] = ()) -> str:
    """An input as an axis has it: ρ [kg/m³]."""
    return labelled(name(plain, among), units.get(plain))


def stacked(plain: str, room: int, units: Mapping[str, str], among: Sequence[str] = ()) -> str:
    """An input in lines of at most so many characters, which end between its words.

    The unit is below where it has no room behind; a name of longer words, or more lines, is cut.
    """
    lines = [line.rstrip() for line in _filled(cut(plain, among=among), room)]
    if len(lines) > _LINES or max(map(len, lines)) > room:
        lines = [cut(plain, room, among)]
    shown = [name(lines[0])] if len(lines) == 1 else [f"${_upright(line)}$" for line in lines]
    bracket = physical.bracketed("", units.get(plain))
    between = "" if len(lines[-1] + bracket) <= room else "\n"
    return "\n".join(shown) + between + _plainly(bracket.lstrip() if between else bracket)


def _filled(plain: str, room: int) -> list[str]:
    """A name's words in as few lines as there can be; a longer word has a line of its own."""
    lines = [""]
    for word in _WORD.findall(plain):
        fits = len(lines[-1] + word.rstrip()) <= room or not lines[-1]
        lines = [*lines[:-1], lines[-1] + word] if fits else [*lines, word]
    return lines


def quantity(
    output: str, inputs: Sequence[str], units: Mapping[str, str], among: Sequence[str] = ()
) -> str:
    """An output, or a partial of it, as a panel's title has it: ∂p/∂ρ [MPa/(kg/m³)].

    The unit is below where both have no room in a line, and so is ∂ρ where the names are long;
    ∂ρ and ∂T are below each other where these are.
    """
    unit = physical.of_partial(units, output, inputs)
    counts = dict(runs(inputs))
    if not inputs or sum(map(len, [output, *counts])) <= _TOGETHER:
        lines = [partial(output, inputs, among)]
    else:
        room = _TITLE - 2 * len(counts)
        together = sum(map(len, counts)) <= room
        rows = [counts] if together else [{along: count} for along, count in counts.items()]
        lines = [above(output, len(inputs), among), *(below(row, among) for row in rows)]
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
