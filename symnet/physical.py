"""Units of inputs and outputs, and of the partials that they make.

A unit is text, kept as it was written: `kg/m3`. Shown it is kg/m³, and ∂²p/∂ρ∂T is in
MPa/((kg/m³) K). Nothing is converted or cancelled.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from types import MappingProxyType

from symnet.names import shortened, superscript

_LONGEST = 30
_OTHER_FONTS = 0x2E80  # scripts from here on are in no font of Matplotlib's
_POWER = re.compile(r"(?<=[^\W\d_])\^?([-−]?\d+)")
_COMPOUND = re.compile(r"[/·*\s]")


def checked(units: Mapping[str, str], names: Iterable[str]) -> Mapping[str, str]:
    """The units by the names of inputs and outputs.

    ValueError for a name that is none of `names`, and for a unit that is no short printable text.
    """
    known, found = list(names), {}
    for name, unit in units.items():
        if str(name) not in known:
            listed = shortened(", ".join(known))
            raise ValueError(
                f"unit of {str(name)!r}: the network has no such name; it has {listed}"
            )
        plain = isinstance(unit, str) and unit.isprintable() and unit.strip() == unit
        if not plain or not 0 < len(unit) <= _LONGEST or max(map(ord, unit)) >= _OTHER_FONTS:
            raise ValueError(
                f"unit of {name}: {shortened(repr(unit))} is none; write at most {_LONGEST} "
                "characters such as kg/m3"
            )
        found[str(name)] = unit
    return MappingProxyType(found)


def of_partial(units: Mapping[str, str], output: str, inputs: Sequence[str] = ()) -> str | None:
    """The unit of ∂output/∂inputs; None where one of those it is made of is not known."""
    if output not in units:
        return None
    below = per(units, inputs)
    if below is None or below == "1":
        return None if below is None else units[output]
    above = f"({units[output]})" if "/" in units[output] else units[output]
    return f"{above}/{below}"


def per(units: Mapping[str, str], inputs: Sequence[str]) -> str | None:
    """What a partial along these inputs is per: `(kg/m3)²`; None where a unit is not known."""
    if any(along not in units for along in inputs):
        return None
    parts = [
        _raised(units[along], len(list(run)))
        for along, run in groupby(inputs)
        if units[along] != "1"
    ]
    if len(parts) < 2:
        return parts[0] if parts else "1"
    return f"({' '.join(parts)})"


def _raised(unit: str, count: int) -> str:
    grouped = f"({unit})" if _COMPOUND.search(unit) or (count > 1 and unit[-1].isdigit()) else unit
    return grouped + (superscript(str(count)) if count > 1 else "")


def shown(unit: str) -> str:
    """The unit as it is read: kg/m³ for kg/m3 and kg/m^3, nothing for 1."""
    if unit == "1":
        return ""
    raised = _POWER.sub(lambda found: superscript(found[1].replace("−", "-")), unit)
    return raised.replace("*", "·")


def bracketed(text: str, unit: str | None) -> str:
    """The text with its unit in brackets, where there is one: `p [MPa]`."""
    said = shown(unit or "1")
    return f"{text} [{said}]" if said else text
