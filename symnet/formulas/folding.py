"""Nodes alike written as one pattern of a node number k.

    z₂ = W₂ a₁ + b₂,   z₃ = W₃ a₂ + b₃,   …        zₖ = Wₖ aₖ₋₁ + bₖ     (k = 2, …, 500)

What is alike is decided by the text itself: written with blanks for the numbers it must be the
same, and from one to the next each number must stay or grow with the node's. So a skip connection
from the node before last is aₖ₋₂, and one from the first node stays a₁. A pattern may take several
nodes in turn, as a residual block's: k = 2, 5, …, 500.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

T = TypeVar("T")

ALIKE = 4
"""So many alike in a row are written as one."""

_LONGEST = 6  # nodes in turn that are looked for
_BLANK = "\x04"  # no mark of lines


class Numbers:
    """Writes node numbers: plainly, as blanks, or those that move relative to a base, k-1."""

    def __init__(self, letter: str, minus: str) -> None:
        self.letter, self.minus = letter, minus
        self.seen: list[int] = []
        self.base: int | None = None
        self.moving: Sequence[bool] | None = None

    def __call__(self, number: int) -> str:
        self.seen.append(number)
        if self.base is None:
            return str(number)
        if self.moving is None:
            return _BLANK
        if not self.moving[len(self.seen) - 1]:
            return str(number)
        offset = number - self.base
        sign = "+" if offset > 0 else self.minus
        return self.letter + (f"{sign}{abs(offset)}" if offset else "")

    def written(
        self, write: Callable[[], T], base: int, moving: Sequence[bool] | None = None
    ) -> tuple[T, tuple[int, ...]]:
        """What `write` gives with blanks, or with the numbers that move; and all numbers in it."""
        before = self.seen, self.base, self.moving
        self.seen, self.base, self.moving = [], base, moving
        try:
            return write(), tuple(self.seen)
        finally:
            self.seen, self.base, self.moving = before


@dataclass(frozen=True)
class Fold(Generic[T]):
    """One item, or the first of several alike: `numbers` are those of all, `moving` which move."""

    item: T
    numbers: Sequence[int]
    moving: Sequence[bool] = ()

    @property
    def several(self) -> bool:
        """Whether it stands for several items."""
        return len(self.numbers) > 1


@dataclass(frozen=True)
class _Form(Generic[T]):
    item: T
    number: int
    text: object
    seen: tuple[int, ...]


def folded(
    items: Sequence[T], number: Callable[[T], int], write: Callable[[T], object], numbers: Numbers
) -> Iterator[Fold[T]]:
    """The items in their order, those alike folded. `write` gives the text of one."""
    forms = []
    for item in items:
        text, seen = numbers.written(partial(write, item), number(item))
        forms.append(_Form(item, number(item), text, seen))
    start = 0
    while start < len(forms):
        period, count = _repeats(forms, start)
        for first in range(start, start + period):
            alike = forms[first : start + period * count : period]
            yield Fold(
                forms[first].item,
                [form.number for form in alike],
                _moving(alike[0], alike[1]) if count > 1 else (),
            )
        start += period * count


def _repeats(forms: Sequence[_Form[T]], start: int) -> tuple[int, int]:
    """(items in turn, how often they come) from `start` on; (1, 1) where nothing repeats."""
    for period in range(1, _LONGEST + 1):
        count = 1
        while _goes_on(forms, start, period, count):
            count += 1
        if count >= ALIKE:
            return period, count
    return 1, 1


def _goes_on(forms: Sequence[_Form[T]], start: int, period: int, count: int) -> bool:
    """Whether the block after `count` blocks is like them."""
    last = start + period * count
    if last + period > len(forms):
        return False
    for i in range(period):
        first, second = forms[start + i], forms[start + period + i]
        before, here = forms[last - period + i], forms[last + i]
        step = here.number - before.number
        if step != second.number - first.number or here.text != first.text or not step:
            return False
        if any(b - a not in (0, step) for a, b in zip(before.seen, here.seen, strict=True)):
            return False
        if _moving(before, here) != _moving(first, second):
            return False
    return True


def _moving(before: _Form[T], here: _Form[T]) -> tuple[bool, ...]:
    return tuple(a != b for a, b in zip(before.seen, here.seen, strict=True))
