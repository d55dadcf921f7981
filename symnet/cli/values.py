"""What options' texts mean: points, names, ranges, units. What is none of these says so."""

from __future__ import annotations

import argparse
import csv
import re


def whole(text: str) -> int:
    """A number of digits only."""
    if not re.fullmatch(r"[0-9]{1,4}", text, re.ASCII):
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number")
    return int(text)


def widths(text: str) -> tuple[int, ...]:
    """Whole numbers between commas."""
    return tuple(whole(part) for part in text.split(","))


def point(text: str) -> list[float]:
    """Numbers between commas."""
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no point; write it as 1,0.5") from None


def names(text: str) -> list[str]:
    """Names between commas; one with a comma in it stands in quotes, as in a table's header."""
    return [name.strip() for name in _parts(text)]


def functions(text: str) -> list[str]:
    """Activations between commas, but for those that are in brackets: `clip(-1,6),linear`."""
    return [part.strip() for part in re.split(r",(?![^(]*\))", text)]


def _parts(text: str) -> list[str]:
    (found,) = csv.reader([text], skipinitialspace=True) if text else [[""]]
    return found


def units(text: str) -> dict[str, str]:
    """`rho=kg/m3,T=K`."""
    return dict(_pairs(text, "unit", "rho=kg/m3,T=K"))


def ranges(text: str) -> dict[str, tuple[float, float]]:
    """`rho=20:600,T=660:1000`."""
    found = {}
    for name, value in _pairs(text, "range", "rho=20:600,T=660:1000"):
        try:
            low, high = map(float, value.split(":"))
        except ValueError:
            raise argparse.ArgumentTypeError(
                f"{name}={value!r} is no range; write it as {name}=20:600"
            ) from None
        found[name] = (low, high)
    return found


def place(text: str) -> list[float] | dict[str, float]:
    """A point with all its numbers, `300,800`, or some of them by name, `T=800`."""
    if "=" not in text:
        return point(text)
    pairs = _pairs(text, "point", "rho=300,T=800")
    return {name: _number(name, value) for name, value in pairs}


def _pairs(text: str, what: str, example: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for part in _parts(text):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not (name and equals and value):
            raise argparse.ArgumentTypeError(f"{part!r} is no {what}; write {example}")
        if name in dict(found):
            raise argparse.ArgumentTypeError(f"{what} of {name} is given twice")
        found.append((name, value))
    return found


def _number(name: str, value: str) -> float:
    try:
        return float(value)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{name}={value!r}: expected a number") from None
