"""Long names cut to the room that there is for them, such that they stay apart.

sepal length (cm)       sep. len.
feedtemperatureinlet    feedte…inlet
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import product

LONGEST = 28
"""Characters of a name."""

_SHORTEST = 2  # letters of a word that is abbreviated
_LEGIBLE = 4  # and of one for whose sake what is added to the name is left out
_NOTED = re.compile(r"(?<=.)[ _]*[(\[]")  # where what is added to a name in brackets begins


def cut(plain: str, most: int = LONGEST, among: Sequence[str] = ()) -> str:
    """A name in at most so many characters, told apart from the others that it is among.

    Its words are abbreviated, as sep. len. is sepal length; what does not get short enough so, or
    would be read as another name, is without its middle, or shows where it differs from that.
    """
    short = _alone(plain, most)
    if short == plain:
        return plain
    alike = [other for other in dict.fromkeys(among) if _alone(other, most) == short]
    if len(alike) < 2:
        return short
    different = [_differing(other, alike, most) for other in alike]
    found = _differing(plain, alike, most)
    if different.count(found) < 2:
        return found
    number = f"…{1 + alike.index(plain)}"
    return plain[: most - len(number)] + number


@lru_cache(maxsize=4096)
def _alone(plain: str, most: int) -> str:
    if len(plain) <= most:
        return plain
    words = _NOTED.split(plain)[0]
    note = plain[len(words) :]
    if re.search(r"[ _]", words):
        noted = product([note], range(most, _LEGIBLE - 1, -1))
        bare = product([""], range(most, _SHORTEST - 1, -1))
        for added, letters in (*noted, *bare):
            short = re.sub(rf"([^ _]{{{letters}}})[^ _\d]{{2,}}", r"\1.", words) + added
            if len(short) <= most:
                return short
    end = 2 * most // 5
    return f"{plain[: most - end - 1]}…{plain[-end:]}"


def _differing(plain: str, alike: Sequence[str], most: int) -> str:
    """The name's beginning, and where it differs from the most similar of the others."""
    same = max(_same(plain, other) for other in alike if other != plain)
    shown = (most - 2) * 2 // 3
    part = plain[same : same + shown]
    rest = "…" if same + shown < len(plain) else ""
    head = plain[: min(same, most - 1 - len(part + rest))]
    return f"{head}{'…' if len(head) < same else ''}{part}{rest}"


def _same(first: str, second: str) -> int:
    """How many characters both begin with."""
    pairs = enumerate(zip(first, second, strict=False))
    return next((k for k, (a, b) in pairs if a != b), min(len(first), len(second)))
