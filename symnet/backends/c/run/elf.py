"""Whether a library of Linux and its like is as long as its headers say.

The loader maps what they place in the file; reading what is not there ends the process (SIGBUS).
Sources: the ELF-32 and ELF-64 object file formats (System V ABI, chapters 4 and 5).
"""

from __future__ import annotations

import struct
from typing import NamedTuple

_MAGIC = b"\x7fELF"


class _Layout(NamedTuple):
    """Where a class of files has the tables' places, and a segment's place and size in the file.

    places: of the program and the section headers; counts: size and number of each, in turn.
    """

    word: str
    places: int
    counts: int
    segment: tuple[int, int]


_LAYOUTS = {1: _Layout("I", 28, 42, (4, 16)), 2: _Layout("Q", 32, 54, (8, 32))}


def is_cut(content: bytes) -> bool:
    """Whether an ELF file ends before what its headers place in it; False for other formats."""
    if content[:4] != _MAGIC:
        return False
    try:
        return _end(content) > len(content)
    except (KeyError, struct.error):
        return True


def _end(content: bytes) -> int:
    layout = _LAYOUTS[content[4]]
    order = {1: "<", 2: ">"}[content[5]]
    segments, sections = struct.unpack_from(f"{order}2{layout.word}", content, layout.places)
    size, count, section_size, section_count = struct.unpack_from(
        f"{order}4H", content, layout.counts
    )
    ends = [segments + size * count, sections + section_size * section_count]
    for start in range(segments, segments + size * count, size or 1):
        place, length = (
            struct.unpack_from(f"{order}{layout.word}", content, start + offset)[0]
            for offset in layout.segment
        )
        ends.append(place + length)
    return max(ends)
