"""What standard output is written in: UTF-8 where it is a file's content, as files themselves are.

What is read on a screen is in the screen's encoding; a sign that this lacks is written as it is
called or spelled elsewhere, `d^2p/drho^2` for ∂²p/∂ρ².
"""

from __future__ import annotations

import codecs
import sys
import unicodedata
from itertools import pairwise
from typing import TextIO

from symnet.names import spelled

_SIGNS = {"∂": "d", "−": "-", "·": "*", "⊙": "*", "×": "x", "→": "->", "∞": "inf", "’": "'"}
_NEAREST = "symnet.nearest"


def as_file() -> TextIO:
    """Standard output for what would be in a file; a screen shows it in its own encoding."""
    if not sys.stdout.isatty():
        _reconfigure(encoding="utf-8", errors="strict")
    return sys.stdout


def show_what_can_be_shown() -> None:
    """Signs that standard output's encoding lacks are replaced rather than refused."""
    codecs.register_error(_NEAREST, _replaced)
    _reconfigure(errors=_NEAREST)


def _reconfigure(**options: str) -> None:
    if reconfigure := getattr(sys.stdout, "reconfigure", None):
        reconfigure(**options)


def _replaced(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    signs = error.object[error.start : error.end]
    raised = [unicodedata.decomposition(sign).startswith("<super>") for sign in signs]
    marks = ["^" * (now and not before) for before, now in pairwise([False, *raised])]
    return "".join(mark + _nearest(s) for mark, s in zip(marks, signs, strict=True)), error.end


def _nearest(sign: str) -> str:
    """In ASCII: `2` for ₂, `rho` for ρ, `e` for é, `?` for what has no name there."""
    apart = unicodedata.normalize("NFKD", sign)
    letters = "".join(_SIGNS.get(part) or spelled(part) for part in apart)
    return letters.encode("ascii", "ignore").decode() or "?"
