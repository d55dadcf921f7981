"""Long lines in several: nothing is lost, nothing too long, and one module does it."""

from __future__ import annotations

import doctest
import re
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import symnet
from symnet import breaking
from symnet.breaking import SENTENCES, WORDS, Kind, broken, listed, paragraph
from symnet.plotting import picture

KINDS = (WORDS, SENTENCES, Kind("    "), Kind("  ", " &"), Kind("    ", kept=r" (?=\*)"))
WORD = st.text("ab1*,+-(", min_size=1, max_size=9)


@given(st.lists(WORD, min_size=1, max_size=30), st.sampled_from(KINDS), st.integers(0, 8))
def test_broken_lines_are_the_line_again(words, kind, inside):
    """Without what was added, in order; none is wider than it must be, each as far inside."""
    line = " " * inside + " ".join(words)
    found = broken(line, kind, 40)
    assert all(len(part) <= 40 for part in found) or kind.kept
    ends = [part.removesuffix(kind.going_on) for part in found[:-1]] + found[-1:]
    assert "".join(part.replace(" ", "") for part in ends) == line.replace(" ", "")
    assert all(part.startswith(" " * inside) for part in found)
    assert all(part.startswith(" " * inside + kind.deeper) for part in found[1:])
    if kind.kept:
        assert not any(part.lstrip().startswith("*") for part in found[1:])


@given(st.lists(WORD, min_size=1, max_size=30), st.integers(0, 4))
def test_lines_are_as_few_as_can_be(words, inside):
    """The first word of each line would not have fitted on the line before."""
    for lines in (broken(" ".join(words), WORDS, 20), listed(words, 20, " " * inside)):
        for before, line in pairwise(lines):
            assert len(before) + 1 + len(line.split()[0]) > 20


def test_what_is_too_long_for_a_line():
    """A number or a name stays whole, a sentence's word does not."""
    long = "x" * 50
    assert broken(f"a {long} b", WORDS, 20) == ["a", long, "b"]
    assert max(map(len, broken(f"a {long} b", SENTENCES, 20))) == 20


def test_before_each_line():
    """`indent` is before all lines, beside their own; short ones stay as they are."""
    assert broken("aa bb cc", WORDS, 7, "# ") == ["# aa bb", "# cc"]
    assert paragraph(["", "  short  one", "aa bb cc dd"], WORDS, 12) == [
        *("", "  short  one", "aa bb cc dd"),
    ]
    assert listed(["a"], 10, last=")") == ["a)"]
    assert listed([], 10) == [""]


def test_measure_of_what_is_shown():
    """Markup of a subtitle takes no room."""
    shown = ", ".join(f"${name}$" for name in "abcdef")
    assert picture._wrapped(shown, 5) == ["$a$, $b$,", "$c$, $d$,", "$e$, $f$"]


@pytest.mark.parametrize("call", ["textwrap.wrap(", "textwrap.fill(", "TextWrapper("])
def test_lines_are_broken_in_one_place(call):
    """A new kind of text is a Kind, no further call of what breaks."""
    package = Path(symnet.__file__).parent
    calling = {p.name for p in package.rglob("*.py") if re.search(re.escape(call), p.read_text())}
    assert calling <= {"breaking.py"}


def test_examples_of_the_docstrings():
    """They are what they say."""
    found = doctest.testmod(breaking)
    assert (found.failed, found.attempted) == (0, 5)
