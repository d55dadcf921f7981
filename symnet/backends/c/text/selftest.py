"""The self-test of a generated C file: a `main` under the macro SYMNET_TEST.

It calls every function at 0, 1 and about a block's number of points, on one thread and on two,
with arrays of exactly that size (for the compiler's sanitizers), and compares what it gives with
what another engine gave.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symnet.backends.c.text import library
from symnet.backends.c.text.expressions import table
from symnet.backends.c.text.lines import broken

Array = NDArray[Any]


@dataclass(frozen=True)
class Known:
    """Points (N, n); by order, what to expect and how much an entry may differ from it.

    `expected[r]` has for each point the entries 0, stride, 2 stride, … of a result (m, n, …, n),
    all of them where `strides` has no r; `allowed[r]` is an absolute error, or one for each entry.
    """

    points: Array
    expected: Mapping[int, Array]
    allowed: Mapping[int, float | Array]
    strides: Mapping[int, int] = field(default_factory=dict)


def self_test(
    examples: Known,
    functions: Mapping[str, Sequence[int]],
    outputs: Mapping[int, tuple[str, str]],
    weights: Array | None,
    dtype: str,
) -> str:
    """The text of the test.

    `functions` are names and orders, `outputs` an order's name and number of entries as C text,
    `weights` the array of functions that take one.
    """
    calls = (
        _call(function, orders, outputs, examples, weights is not None)
        for function, orders in functions.items()
    )
    return library.filled(
        "selftest",
        tables="\n".join(_tables(examples, outputs, weights, dtype)),
        count=len(examples.points),
        calls="\n".join(calls),
    )


def _tables(
    examples: Known, outputs: Iterable[int], weights: Array | None, dtype: str
) -> Iterator[str]:
    yield table("static const real POINTS", examples.points.ravel().tolist(), dtype)
    for r in outputs:
        if r not in examples.expected:
            continue
        expected = examples.expected[r]
        yield table(f"static const real EXPECTED_{r}", expected.ravel().tolist(), dtype)
        errors = np.broadcast_to(examples.allowed[r], expected.shape[1:])
        shown = [float(f"{error:.1e}") for error in errors.ravel().tolist()]
        yield table(f"static const double ALLOWED_{r}", shown, "double")
    if weights is not None:
        yield table("static const real WEIGHTS", weights.tolist(), dtype)


def _call(
    function: str,
    orders: Sequence[int],
    outputs: Mapping[int, tuple[str, str]],
    examples: Known,
    weighted: bool,
) -> str:
    """A block that calls a function and compares what it gives."""
    given = ["count", "x", *(["WEIGHTS"] * weighted)]
    given += [*(f"got_{r}" for r in orders), "threads"]
    checks = [
        f'bad += differs("{function}: {outputs[r][0]}", count, {outputs[r][1]}, '
        f"{examples.strides.get(r, 1)}, got_{r}, EXPECTED_{r}, ALLOWED_{r});"
        for r in orders
        if r in examples.expected
    ]
    lines = [
        *(f"real *got_{r} = fresh(count * {outputs[r][1]});" for r in orders),
        f"bad += {function}({', '.join(given)});",
        *checks,
        *(f"free(got_{r});" for r in orders),
    ]
    return "\n".join(["    {", *(broken(f"        {line}") for line in lines), "    }"])
