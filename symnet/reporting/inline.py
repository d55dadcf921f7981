"""A picture as a part of the page, whose colours follow the reader's light or dark setting.

Ink, paper and the colours of lines become variables of the page's style. Panels whose colours mean
a sign (`SIGNED_PANEL`) are left as they are, and inverted as a whole where the page is dark: 0 is
then as dark as the paper.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from html import escape
from types import MappingProxyType

from symnet.plotting.picture import (
    COLOURS,
    ENDS_OF_VALUES,
    KINK,
    NEGATIVE,
    ON_COLOURS,
    POSITIVE,
    SIGNED_PANEL,
)

VARIABLES = MappingProxyType(
    {
        "#000000": "ink",
        "#ffffff": "paper",
        **dict.fromkeys(["#404040", "#4c4c4c", "#808080", "#8c8c8c", KINK], "soft"),
        "#cccccc": "rule",
        **dict.fromkeys(["#d9d9d9", "#e0e0e0", "#e6e6e6"], "shade"),
        **{colour.lower(): f"line{k}" for k, colour in enumerate(COLOURS[:6], start=1)},
        POSITIVE.lower(): "positive",
        NEGATIVE.lower(): "negative",
    }
)
"""The variable of page.css that each colour of a picture becomes."""

FIXED = frozenset((*ON_COLOURS, *ENDS_OF_VALUES))
"""What lies on the colours of a map, or is one of them, and is the same on dark paper."""

_COLOUR = re.compile(r"#[0-9a-f]{6}\b")
_REFERENCE = re.compile(r"(?:#|url\(#)([\w.-]+)")
_NUMBER = re.compile(r"-?\d+\.\d{3,}")
_HREF = "{http://www.w3.org/1999/xlink}href"
_LEFT_OUT = ("metadata", "title", "style")


def svg(text: str, name: str, alt: str, style: str) -> str:
    """The picture of that SVG file as an element of HTML; its ids begin with `name`."""
    root = ET.fromstring(text)
    _plain(root)
    needed = _references(root)
    _rewrite(root, name, needed, signed=False)
    root.attrib.update({"role": "img", "aria-label": alt, "style": style})
    for attribute in ("width", "height", "version"):
        root.attrib.pop(attribute, None)
    return _text(root)


def _plain(element: ET.Element) -> None:
    """Names without namespaces, which HTML knows, and without what a page has no use for."""
    element.tag = element.tag.rpartition("}")[2]
    for child in list(element):
        _plain(child)
        if child.tag in _LEFT_OUT:
            element.remove(child)
    if _HREF in element.attrib:
        element.attrib["href"] = element.attrib.pop(_HREF)


def _references(root: ET.Element) -> set[str]:
    return {
        found[1]
        for element in root.iter()
        for key, value in element.attrib.items()
        if key != "style" and (found := _REFERENCE.match(value))
    }


def _rewrite(element: ET.Element, name: str, needed: set[str], signed: bool) -> None:
    own = element.attrib
    place = own.pop("id", "")
    if place.startswith(SIGNED_PANEL):
        signed, own["class"] = True, "signed"
    elif place in needed:
        own["id"] = f"{name}-{place}"
    for key, value in own.items():
        if key == "style":
            own[key] = value if signed else _COLOUR.sub(_variable, value)
        elif key in ("d", "x", "y"):
            own[key] = _NUMBER.sub(_shorter, " ".join(value.split()))
        elif key in ("href", "clip-path") and (found := _REFERENCE.match(value)):
            own[key] = value.replace(f"#{found[1]}", f"#{name}-{found[1]}")
    for child in element:
        _rewrite(child, name, needed, signed)


def _variable(found: re.Match[str]) -> str:
    variable = VARIABLES.get(found[0])
    return f"var(--{variable})" if variable else found[0]


def _shorter(found: re.Match[str]) -> str:
    return f"{float(found[0]):.2f}".rstrip("0").rstrip(".")


def _text(element: ET.Element) -> str:
    inside = "".join(map(_text, element))
    if not inside and element.tag in ("g", "defs"):
        return ""
    attributes = "".join(f' {k}="{escape(v)}"' for k, v in element.attrib.items())
    return f"<{element.tag}{attributes}>{inside}</{element.tag}>"
