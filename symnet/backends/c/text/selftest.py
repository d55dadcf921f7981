"""The self-test of a generated C file: a `main` under the macro SYMNET_TEST.

It calls every function at 0, 1 and about a block's number of points, on one thread and on two,
with arrays of exactly that size (for the compiler's sanitizers), and compares what it gives with
what another engine gave.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    tables = [table("static const real POINTS", examples.points.ravel().tolist(), dtype)]
    compared = [r for r in outputs if r in examples.expected]
    for r in compared:
        name = f"static const real EXPECTED_{r}"
        tables.append(table(name, examples.expected[r].ravel().tolist(), dtype))
        errors = np.broadcast_to(examples.allowed[r], examples.expected[r].shape[1:])
        shown = [float(f"{error:.1e}") for error in errors.ravel().tolist()]
        tables.append(table(f"static const double ALLOWED_{r}", shown, "double"))
    if weights is not None:
        tables.append(table("static const real WEIGHTS", weights.tolist(), dtype))
    calls = []
    for function, orders in functions.items():
        given = ["count", "x", *(["WEIGHTS"] * (weights is not None))]
        given += [*(f"got_{r}" for r in orders), "threads"]
        checks = [
            f'bad += differs("{function}: {outputs[r][0]}", count, {outputs[r][1]}, '
            f"{examples.strides.get(r, 1)}, got_{r}, EXPECTED_{r}, ALLOWED_{r});"
            for r in orders
            if r in compared
        ]
        lines = [
            *(f"real *got_{r} = fresh(count * {outputs[r][1]});" for r in orders),
            f"bad += {function}({', '.join(given)});",
            *checks,
            *(f"free(got_{r});" for r in orders),
        ]
        calls.append("\n".join(["    {", *(broken(f"        {line}") for line in lines), "    }"]))
    return library.filled(
        "selftest",
        tables="\n".join(tables),
        count=len(examples.points),
        calls="\n".join(calls),
    )
