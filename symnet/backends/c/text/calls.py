"""Calls of a kernel's functions, and their text: alike layers in a row become one C loop.

    linear2_8x8(W2, b2, a1, z2);                for (wide k = 0; k < 498; k++) {
    pass1(8, z2, …);                       →        const real *W2 = weights + 24 + k * 72;
    linear2_8x8(W3, b3, a2, z3);                    …
    …                                               linear2_8x8(W2, b2, a1, z2);

A layer is like the one before when its calls differ in their pointers only, and these advance
evenly. So the text of a deep network is short, and the C compiler's time too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

_REPEATS = 4  # from which a loop is easier to read than the calls
_LONGEST_PERIOD = 8  # calls that a layer consists of


@dataclass(frozen=True)
class Pointer:
    """A named place in the weights, in numbers, or in a block's memory, in rows of vectors."""

    name: str
    weights: bool
    start: int
    after: str = field(default="", compare=False)  # "3 * V": columns further

    @property
    def text(self) -> str:
        return f"{self.name} + {self.after}" if self.after else self.name

    def declared(self, step: int | None = None) -> str:
        """The line that defines the name, in a loop over k when it advances by `step`."""
        offset = f"{self.start}"
        if step is not None:
            offset += f" {'-' if step < 0 else '+'} k * {abs(step)}" if step else ""
        if self.weights:
            return f"const real *const {self.name} = weights + {offset};"
        offset = f"({offset})" if " " in offset else offset
        return f"vec *const {self.name} = memory + {offset} * V;"


@dataclass(frozen=True)
class Call:
    """`function(arguments);`"""

    function: str
    arguments: tuple[str | Pointer, ...]

    @property
    def text(self) -> str:
        shown = (a.text if isinstance(a, Pointer) else a for a in self.arguments)
        return f"{self.function}({', '.join(shown)});"

    @cached_property
    def pointers(self) -> list[Pointer]:
        return [a for a in self.arguments if isinstance(a, Pointer)]

    @property
    def form(self) -> tuple[str, ...]:
        """What calls of alike layers have in common."""
        shown = ((a.after if isinstance(a, Pointer) else a) for a in self.arguments)
        return (self.function, *shown)


def written(calls: Sequence[Call]) -> list[str]:
    """The lines of these calls in their order, definitions of their pointers first."""
    pieces = list(_pieces(calls))
    alone = [calls[i] for i, _, repeats in pieces if repeats == 1]
    lines = _definitions(alone, None)
    for first, period, repeats in pieces:
        lines += _loop(calls[first:], period, repeats) if repeats > 1 else [calls[first].text]
    return lines


def _pieces(calls: Sequence[Call]) -> Iterator[tuple[int, int, int]]:
    """(first call, calls of a round, rounds): a partition, with the longest loops there are."""
    forms = [call.form for call in calls]
    i = 0
    while i < len(calls):
        rounds = {p: _rounds(calls, forms, i, p) for p in range(1, _LONGEST_PERIOD + 1)}
        period = max(rounds, key=lambda p: (rounds[p] * p if rounds[p] >= _REPEATS else 0, -p))
        repeats = rounds[period] if rounds[period] >= _REPEATS else 1
        yield i, period if repeats > 1 else 1, repeats
        i += period * repeats if repeats > 1 else 1


def _rounds(
    calls: Sequence[Call], forms: Sequence[tuple[str, ...]], first: int, period: int
) -> int:
    """How often the `period` calls from `first` on repeat with pointers that advance evenly."""
    count, i = 1, first + period
    alike = forms[first:i] == forms[i : i + period]
    if not (alike and _consistent(calls[first:i], calls[i : i + period])):
        return 1
    steps = [_advance(calls[first + j], calls[i + j]) for j in range(period)]
    while i + period <= len(calls) and all(
        forms[i + j] == forms[first + j]
        and _advance(calls[i + j - period], calls[i + j]) == steps[j]
        for j in range(period)
    ):
        count, i = count + 1, i + period
    return count


def _consistent(calls: Sequence[Call], following: Sequence[Call]) -> bool:
    """Whether all places of one name advance by the same step."""
    steps: dict[str, int] = {}
    return all(
        len(call.pointers) == len(after.pointers)
        and all(
            steps.setdefault(pointer.name, step) == step
            for pointer, step in zip(call.pointers, _advance(call, after), strict=True)
        )
        for call, after in zip(calls, following, strict=False)
    )


def _advance(before: Call, after: Call) -> list[int]:
    return [b.start - a.start for a, b in zip(before.pointers, after.pointers, strict=True)]


def _definitions(calls: Sequence[Call], following: Sequence[Call] | None) -> list[str]:
    lines: dict[str, str] = {}
    for k, call in enumerate(calls):
        steps = _advance(call, following[k]) if following else [None] * len(call.pointers)
        for pointer, step in zip(call.pointers, steps, strict=True):
            lines.setdefault(pointer.name, pointer.declared(step))
    return list(lines.values())


def _loop(calls: Sequence[Call], period: int, repeats: int) -> list[str]:
    """One round's calls with the names of the first round, `repeats` times."""
    body = calls[:period]
    lines = [
        *_definitions(body, calls[period : 2 * period]),
        *(call.text for call in body),
    ]
    return [f"for (wide k = 0; k < {repeats}; k++) {{", *(f"    {line}" for line in lines), "}"]
