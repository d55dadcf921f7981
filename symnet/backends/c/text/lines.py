"""Lines of C and numbers in them."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from symnet import breaking
from symnet.breaking import Kind

# A `*` stays with its name, a comment with its end.
_CODE = Kind("    ", kept=r" (?=\*)|(?<=\bconst) |(?<=\brestrict) ", inside="(")


def broken(line: str) -> str:
    """The line, continued on the next ones where it is too long."""
    return "\n".join(breaking.broken(line, _CODE))


def literal(number: float, dtype: str) -> str:
    """The number with the fewest digits that give it back in this type."""
    return literals([number], dtype)[0]


def literals(numbers: Iterable[float], dtype: str) -> list[str]:
    """The `literal` of each."""
    if dtype == "float":
        with np.errstate(over="ignore"):
            singles = list(map(np.float32, numbers))
        return [f"{x}F" if np.isfinite(x) else _beyond(x) for x in singles]
    return list(map(repr, map(float, numbers)))


def _beyond(number: np.float32) -> str:
    """As `math.h` has it: a bound of z that no float reaches."""
    return "NAN" if np.isnan(number) else "-INFINITY" if number < 0 else "INFINITY"
