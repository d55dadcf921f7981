"""C99 source text of Programs: one readable, standalone file.

A kernel works on blocks of points that stay in the cache, with the points as the lanes of machine
vectors (see `library`). The text holds loops over neurons and directions, one function for each
kind of layer, one call a step (see `lowering`), and loops over layers that are alike (see
`calls`): its size depends neither on the widths nor, for layers alike, on the depth, and the C
compiler's time neither. Activations are printed by SymPy's own C printer.

    int NAME(ptrdiff_t points, const T *x, [const T *weights,] T *y, T *jacobian, …, int threads)

returns 0, or 1 where there is no memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symnet.backends.c.plan.lowering import lowered
from symnet.backends.c.plan.steps import Linear, Plan
from symnet.backends.c.text import library
from symnet.backends.c.text.calls import written
from symnet.backends.c.text.expressions import function, rows
from symnet.backends.c.text.functions import Functions, call_of, count_of
from symnet.backends.c.text.heading import FLAGS, Kernels, heading, signature
from symnet.backends.c.text.lines import broken
from symnet.backends.c.text.selftest import Known, self_test
from symnet.calculus.program import Program
from symnet.names import array_name
from symnet.network import Network

__all__ = ["FLAGS", "Known", "Kernels", "packed", "source"]

Array = NDArray[Any]

_FAR = 1024  # neurons from which weights come from memory
_WIDE = 256  # neurons whose weights stay in the second-level cache
_MANY = 4096  # vectors of a quarter of a megabyte
_BLOCK, _MOST = 300, 8  # vectors of a narrow network's block: all of them, and those of points
_WIDEST = 64  # bytes of a vector
_STAGE = 16  # vectors of an activation's first stage, before its second follows


def source(
    kernels: Kernels,
    network: Network,
    dtype: str = "double",
    weights: str = "argument",
    heading: str = "",
    examples: Known | None = None,
    parts: bool = False,
) -> str:
    """The text of one C99 file with a function for each of `kernels`.

    dtype: "double" or "float". weights: "constant" for the network's numbers in the text, or
    "argument" for one array of W1, b1, W2, …, row by row, which a caller hands over (`packed`).
    With `examples`, a self-test `main` stands at the end under the macro SYMNET_TEST; with `parts`,
    the macro SYMNET_PART chooses among the functions.
    ValueError for another type or place, and for symbolic weights whose numbers are wanted.
    """
    return _File(kernels, network, dtype, weights, heading).text(examples, parts)


def memory(programs: Mapping[str, Program]) -> dict[str, int]:
    """Bytes that each thread of a function takes from the heap, of the widest vectors."""
    plans = {name: lowered(program) for name, program in programs.items()}
    vectors = _vectors(list(plans.values()))
    return {name: _WIDEST * (1 + vectors * planned.vectors) for name, planned in plans.items()}


def part(name: str, names: Iterable[str]) -> int:
    """The value of SYMNET_PART for which a text with parts has this function, 1 or 2.

    The function for all orders is nearly half of the compiler's work; the first one is the least.
    """
    all_names = list(names)
    return 1 if name in (all_names[0], all_names[-1]) else 2


def packed(network: Network, dtype: str = "double") -> Array:
    """The array `weights` of the functions: W1, b1, W2, … row by row, one after the other.

    ValueError, naming the symbols, when a weight is symbolic.
    """
    arrays = [array.ravel() for array in network.numeric().parameters.values()]
    with np.errstate(over="ignore"):  # infinite, as the results then are
        return np.concatenate([*arrays, []]).astype(np.float32 if dtype == "float" else np.float64)


class _File:
    """One file: the functions that its kernels turn out to need, and the kernels."""

    def __init__(
        self, kernels: Kernels, network: Network, dtype: str, weights: str, title: str
    ) -> None:
        if dtype not in ("double", "float"):
            raise ValueError(f"dtype is {dtype!r}, expected 'double' or 'float'")
        if weights not in ("constant", "argument"):
            raise ValueError(f"weights is {weights!r}, expected 'constant' or 'argument'")
        self.kernels, self.network, self.dtype = kernels, network, dtype
        self.constant, self.title = weights == "constant", title
        self.plans = {name: lowered(program) for name, (program, _) in kernels.items()}
        self.vectors = _vectors(list(self.plans.values()))
        self.functions = Functions(network, dtype, self.vectors)

    def text(self, examples: Known | None, parts: bool) -> str:
        kernels = [self.kernel(name) for name in self.kernels]
        if parts:
            pairs = zip(self.kernels, kernels, strict=True)
            kernels = [_PART.format(part=part(n, self.kernels), text=text) for n, text in pairs]
        shapes = {name: shape for name, (_, shape) in self.functions.starts.items()}
        found = [
            heading(self.kernels, self.network, self.title, None if self.constant else shapes),
            library.text("includes"),
            library.text("arithmetic"),
            f"typedef {self.dtype} real;\n",
            "/* Inputs, outputs, vectors of points in a block, and neurons whose activations are\n"
            "   computed at a time. */\n"
            f"enum {{ N = {self.network.n}, M = {self.network.m}, V = {self.vectors}, "
            f"ROWS = {_STAGE // self.vectors} }};\n",
            library.text("vectors"),
            library.text("processors"),
            *([self.weights_table()] if self.constant and self.functions.starts else []),
            *self.functions.texts,
            *kernels,
            *([self.test(examples)] if examples else []),
        ]
        return "\n".join(found)

    # --- before the kernels ---------------------------------------------------------------------

    def weights_table(self) -> str:
        texts = []
        numbers = packed(self.network, self.dtype).tolist()
        for name, (start, shape) in self.functions.starts.items():
            part = numbers[start : start + prod(shape)]
            texts += [f"    /* {name} {shape} */", *rows(part, self.dtype)]
        return "\n".join(["static const real weights[] = {", *texts, "};", ""])

    # --- kernels --------------------------------------------------------------------------------

    def kernel(self, name: str) -> str:
        """A block's function, and the exported one that shares the blocks among threads."""
        (program, orders), planned = self.kernels[name], self.plans[name]
        functions = self.functions
        functions.library.need("allocate")
        calls = [functions.gathering(planned)] if "x" in planned.starts else []
        calls += (functions.call(step, planned, program.activations) for step in planned.steps)
        for k, (result, order) in enumerate(zip(planned.results, orders, strict=True)):
            calls.append(functions.scattering(planned, result, order))
            constant = program.is_constant(k)
            if result.place is None or constant or not self.network.is_chain:
                functions.library.need("keep_nan")
                given = ("points", "count", count_of(order), array_name(order))
                calls.append(call_of("keep_nan", *given))
        weights = [] if self.constant else ["const real *weights"]
        outputs = [f"real *{array_name(r)}" for r in orders]
        parameters = ", ".join(
            ["wide count", "const real *points", *weights, *outputs, "vec *memory"]
        )
        lines = written(calls)
        pointers = [pointer for call in calls for pointer in call.pointers]
        used = {
            "weights": self.constant or any(pointer.weights for pointer in pointers),
            "memory": not all(pointer.weights for pointer in pointers),
            "points": any("points" in call.arguments for call in calls),
        }
        lines += [f"(void){parameter};" for parameter, yes in used.items() if not yes]
        return "\n".join(
            [
                function(f"static void {name}_block({parameters})", lines),
                self.entry(name, orders, planned),
            ]
        )

    def entry(self, name: str, orders: Sequence[int], planned: Plan) -> str:
        weights = [] if self.constant else ["weights"]
        shifted = [f"{array_name(r)} + first * {count_of(r)}" for r in orders]
        declared = signature(name, orders, not self.constant)
        text = library.filled(
            "entry",
            name=name,
            signature=declared,
            parameters=declared.split("(")[1].rpartition(",")[0],
            memory=planned.vectors,
            shifted=", ".join(["x + first * N", *weights, *shifted]),
            passed=", ".join(["points", "x", *weights, *map(array_name, orders)]),
        )
        return "\n".join(map(broken, text.split("\n")))

    def test(self, examples: Known) -> str:
        orders = {r for _, orders in self.kernels.values() for r in orders}
        return self_test(
            examples,
            {name: orders for name, (_, orders) in self.kernels.items()},
            {r: (array_name(r), count_of(r)) for r in sorted(orders)},
            None if self.constant else packed(self.network, self.dtype),
            self.dtype,
        )


_PART = """\
#if !defined(SYMNET_PART) || SYMNET_PART == {part}
{text}#endif
"""
"""Two compilers, each for some of the functions, take half of the time."""


def _vectors(plans: Sequence[Plan]) -> int:
    """V: how many vectors of points a block has.

    Two or, where weights come from memory, four, so that what is read of a weight serves all; more
    for a narrow network, so that calls cost little beside what they do. One where many columns
    share a weight anyway, or where many layers would leave the second-level cache. A single point
    costs as much as a block.
    """
    steps = [step for planned in plans for step in planned.steps if isinstance(step, Linear)]
    columns = max((step.source.count for step in steps), default=1)
    rows = max(slab.rows for planned in plans for slab in planned.slabs.values())
    memory = max(1, *(planned.vectors for planned in plans))
    if columns > 8 or (rows < _WIDE and memory > _MANY):
        return 1
    return max(4 if rows > _FAR else 2, min(_MOST, _BLOCK // memory // 2 * 2))
