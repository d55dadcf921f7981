"""What a routine costs, counted from its steps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sympy import Add, Mul, exp, log

from symnet.lowering.loops import Call, Loop, Routine, Step, read


@dataclass(frozen=True)
class Count:
    """What one point takes: multiplications with the sums they enter, and activations.

    The exponentials of a softmax are among these.
    """

    multiply_adds: int
    calls: int


def operations(routine: Routine, n: int) -> Count:
    """Counted from a routine's steps; a loop up to another's variable is half as long."""
    return _counted(routine.body, {}, n)


def _counted(steps: Iterable[Step], sizes: Mapping[str, int], n: int) -> Count:
    work = calls = 0
    for step in steps:
        if isinstance(step, Loop):
            passes, inner = _passes(step, sizes)
            found = _counted(step.body, inner, n)
            work += int(passes * found.multiply_adds)
            calls += int(passes * found.calls)
        elif isinstance(step, Call):
            calls += 1
        else:
            products = sum(len(m.args) - 1 for m in read(step).atoms(Mul))
            sums = sum(len(a.args) - 1 for a in read(step).atoms(Add))
            work += max(products, sums)
            calls += len(read(step).atoms(exp, log))
    return Count(work, calls)


def _passes(loop: Loop, sizes: Mapping[str, int]) -> tuple[float, dict[str, int]]:
    if isinstance(loop.last, int):
        return loop.last, {**sizes, loop.variable: loop.last}
    size = sizes[loop.last]
    return (size + 1) / 2, {**sizes, loop.variable: size}
