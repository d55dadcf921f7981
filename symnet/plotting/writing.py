"""What stands on pictures: names, partials and units as mathtext.

ρ    ∂p/∂ρ [MPa/(kg/m³)]    ∂²p/∂ρ∂T [MPa/((kg/m³) K)]    ∂²p/∂T² [MPa/K²]
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby, product

from symnet import physical
from symnet.formulas import labels
from symnet.names import shortened, superscript
from symnet.network import Network

_LONGEST, _TOGETHER, _TITLE = 28, 23, 31
"""Characters of a name, of those of a partial together, and of a title with its unit."""
_LEAST = 7  # characters of a name, whatever room there is
_SHORTEST = 2  # letters of a word that is abbreviated
_NOTED = re.compile(r"(?<=.)[ _]*[(\[]")  # where what is added to a name in brackets begins


def checked_units(network: Network, units: Mapping[str, str] | None) -> Mapping[str, str]:
    """The network's units, with those that are given instead. ValueError as `physical.checked`."""
    return network.with_units({**network.units, **(units or {})}).units


def name(plain: str) -> str:
    """An input's or output's name as mathtext."""
    return f"${_mathematics(plain)}$"


def cut(plain: str, most: int = _LONGEST) -> str:
    """A long name with its words abbreviated, as sep. len. is sepal length: so names that begin or
    end alike stay apart. Without its middle where that is not enough."""
    if len(plain) <= most:
        return plain
    words = _NOTED.split(plain)[0]
    note = plain[len(words) :]
    if re.search(r"[ _]", words):
        for noted, letters in product((note, ""), range(most, _SHORTEST - 1, -1)):
            short = re.sub(rf"([^ _]{{{letters}}})[^ _\d]{{2,}}", r"\1.", words) + noted
            if len(short) <= most:
                return short
    end = 2 * most // 5
    return f"{plain[: most - end - 1]}…{plain[-end:]}"


def _mathematics(plain: str, most: int = _LONGEST) -> str:
    r"""`T` and `\rho` as LaTeX has them; the characters of `T [K]` stand for themselves."""
    plain = cut(plain, most)
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


def partial(output: str, inputs: Sequence[str] = (), room: int = _TITLE) -> str:
    """∂²p/∂ρ∂T as mathtext, in a line of so many characters; the output's name without inputs."""
    if not inputs:
        return name(cut(output, max(_LEAST, min(_LONGEST, room))))
    runs = [(along, len(list(run))) for along, run in groupby(inputs)]
    written = [output, *(along for along, _ in runs)]
    most = _shares(written, min(_TOGETHER, room - 2 * len(written)))
    below = r"\,".join(
        f"∂{_mathematics(along, most[along])}" + _raised(count) for along, count in runs
    )
    return rf"$∂{_raised(len(inputs))}{_mathematics(output, most[output])}\,/\,{below}$"


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


def axis(plain: str, units: Mapping[str, str], room: int | None = None) -> str:
    """An input as an axis has it: ρ [kg/m³]; room: for how many characters, those of units too."""
    unit = units.get(plain)
    most = _LONGEST if room is None else max(_LEAST, room - len(physical.bracketed("", unit)))
    return labelled(name(cut(plain, most)), unit)


def quantity(output: str, inputs: Sequence[str], units: Mapping[str, str]) -> str:
    """An output, or a partial of it, as a panel's title has it: ∂p/∂ρ [MPa/(kg/m³)].

    The unit is below where both have no room in a line.
    """
    unit = physical.of_partial(units, output, inputs)
    bracket = physical.bracketed("", unit)
    text = partial(output, inputs, _TITLE - len(bracket))
    if len(in_plain(text)) + len(bracket) > _TITLE:
        return f"{text}\n{_plainly(bracket.lstrip())}"
    return labelled(text, unit)


def _plainly(text: str) -> str:
    return text.replace("$", r"\$")


def number(value: float) -> str:
    """A number as a title has it: four digits."""
    return f"{value:.4g}".replace("-", "−")


def point(pairs: Iterable[tuple[str, float]], units: Mapping[str, str]) -> str:
    """ρ = 300 kg/m³, T = 800 K."""
    said = []
    for plain, value in pairs:
        shown = _plainly(physical.shown(units.get(plain, "1")))
        said.append(f"{name(plain)} = {number(value)} {shown}".rstrip())
    return ", ".join(said)


def heading(network: Network) -> str:
    """The network in a line, as a title."""
    described = shortened(network.describe(), 90)
    return (f"{network.name}: {described}" if network.name else described).replace("$", r"\$")
