"""Lines of C and numbers in them."""

from __future__ import annotations

import re
import textwrap

import numpy as np

LINE = 100  # columns of the text


def broken(line: str) -> str:
    """The line, continued on the next ones where it is too long."""
    if len(line) <= LINE:
        return line
    indent = " " * (len(line) - len(line.lstrip()))
    # A `*` stays with its name, a comment with its end.
    words = re.sub(r" (?=\*)|(?<=\bconst) |(?<=\brestrict) ", "\0", line.strip())
    return textwrap.fill(
        words,
        LINE,
        initial_indent=indent,
        subsequent_indent=f"{indent}    ",
        break_long_words=False,
        break_on_hyphens=False,
    ).replace("\0", " ")


def literal(number: float, dtype: str) -> str:
    """The number with the fewest digits that give it back in this type."""
    return f"{np.float32(number)}F" if dtype == "float" else repr(float(number))
