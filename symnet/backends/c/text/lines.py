"""Lines of C and numbers in them."""

from __future__ import annotations

import numpy as np

from symnet import breaking
from symnet.breaking import Kind

# A `*` stays with its name, a comment with its end.
_CODE = Kind("    ", kept=r" (?=\*)|(?<=\bconst) |(?<=\brestrict) ")


def broken(line: str) -> str:
    """The line, continued on the next ones where it is too long."""
    return "\n".join(breaking.broken(line, _CODE))


def literal(number: float, dtype: str) -> str:
    """The number with the fewest digits that give it back in this type."""
    return f"{np.float32(number)}F" if dtype == "float" else repr(float(number))
