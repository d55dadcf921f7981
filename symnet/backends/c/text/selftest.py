"""The self-test of a generated C file: a `main` under the macro SYMNET_TEST.

It calls every function at 0, 1 and about a block's number of points, on one thread and on two,
with arrays of exactly that size (for the compiler's sanitizers), and compares what it gives with
what another engine gave.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symnet.backends.c.text.expressions import broken, table

Array = NDArray[Any]


@dataclass(frozen=True)
class Examples:
    """Points (N, n); by order, what to expect and how much an entry may differ from it.

    `expected[r]` is (N, m, n, …, n), `allowed[r]` an absolute error, or one for each entry.
    """

    points: Array
    expected: Mapping[int, Array]
    allowed: Mapping[int, float | Array]


def self_test(
    examples: Examples,
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
            f"got_{r}, EXPECTED_{r}, ALLOWED_{r});"
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
    return _TEST.format(
        tables="\n".join(tables), count=len(examples.points), calls="\n".join(calls)
    )


_TEST = """\
#ifdef SYMNET_TEST
#include <stdio.h>

{tables}
enum {{ EXAMPLES = {count} }};

/* An array of exactly that size, for the compiler's sanitizers. */
static real *fresh(long numbers)
{{
    real *array = malloc((size_t)(numbers ? numbers : 1) * sizeof(real));
    if (!array)
        abort();
    return array;
}}

/* Whether an entry differs from what another engine gives by more than rounding explains. */
static int differs(const char *what, long count, long size, const real *got, const real *expected,
                   const double *allowed)
{{
    for (long k = 0; k < count * size; k++) {{
        const double error = fabs((double)got[k] - (double)expected[k % (EXAMPLES * size)]);
        if (!(error <= allowed[k % size])) {{
            printf("%s at %ld points: error %g in entry %ld, allowed %g\\n", what, count, error,
                   k % size, allowed[k % size]);
            return 1;
        }}
    }}
    return 0;
}}

/* All functions at the examples' points, as often repeated as it takes. */
static int tested(long count, int threads)
{{
    int bad = 0;
    real *x = fresh(count * N);
    for (long k = 0; k < count * N; k++)
        x[k] = POINTS[k % (EXAMPLES * N)];
{calls}
    free(x);
    return bad;
}}

int main(void)
{{
    const long block = V * LANES;
    const long counts[] = {{0, 1, block - 1, block, block + 1, 3 * block}};
    int bad = 0;
    for (int k = 0; k < 6; k++)
        for (int threads = 1; threads <= 2; threads++)
            bad += tested(counts[k], threads);
    puts(bad ? "FAILED" : "all functions give what is expected");
    return bad != 0;
}}
#endif
"""
