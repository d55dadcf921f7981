"""The comment on top of a C file: its functions, their arrays, and the statements they compute."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import takewhile

from sympy import Add, Expr

from symnet.backends.c.text.expressions import formula
from symnet.breaking import SENTENCES, WIDTH, paragraph
from symnet.calculus.program import Program
from symnet.names import array_name
from symnet.network import Network

Kernels = Mapping[str, tuple[Program, Sequence[int]]]
"""Name of each function: its Program, and the orders of derivatives that its outputs are of."""

FLAGS = (
    "-std=c99",
    "-O2",
    "-march=native",
    "-fno-math-errno",
    "-fno-trapping-math",
    "-ffp-contract=fast",
)
"""Flags for speed that leave NaN and infinity their meaning: no -ffast-math.

What -O3 would write out the text does itself: 3 % faster, a fifth more of the compiler's time.
"""

_LONGEST_LISTING = 40  # statements of a Program that are shown; of more, both ends


def signature(name: str, orders: Sequence[int], weighted: bool) -> str:
    """How a function of these orders is declared, `weighted` where weights are an argument."""
    outputs = [f"real *{array_name(r)}" for r in orders]
    weights = ["const real *weights"] * weighted
    arguments = ["ptrdiff_t points", "const real *x", *weights, *outputs, "int threads"]
    return f"int {name}({', '.join(arguments)})"


def heading(
    kernels: Kernels,
    network: Network,
    title: str,
    weights: Mapping[str, tuple[int, ...]] | None,
) -> str:
    """The comment that says what the file computes, in which arrays, and how to compile it.

    weights: the shapes of the arrays in the functions' argument `weights`, where they have one.
    """
    computed = sorted({r for _, orders in kernels.values() for r in orders})
    results = [f"{array_name(r)} (points, {', '.join(['m', *'n' * r])})" for r in computed]
    lines = [
        title or f"The network {network.describe()}, and its derivatives.",
        "",
        *(
            f"    {signature(name, orders, weights is not None)}"
            for name, (_, orders) in kernels.items()
        ),
        "",
        f"Arrays, row by row: x (points, n); {'; '.join(results)}; with n = {network.n}, "
        f"m = {network.m}. The functions return 0, or 1 where there is no memory. Up to "
        "`threads` threads share the points when compiled with OpenMP; results do not depend "
        "on their number.",
    ]
    if weights is not None:
        shapes = [f"{name} {shape}" for name, shape in weights.items()]
        lines += ["", f"weights, row by row, one after the other: {_runs(shapes)}"]
    lines += ["", f"    cc {' '.join(FLAGS)} -fopenmp -c kernel.c, linked with -lm", ""]
    told: dict[str, list[str]] = {}
    for name, (program, _) in kernels.items():
        listing = list(_listing(program))
        lines += [*_told(name, listing, told), ""]
        told[name] = listing
    told_in = paragraph(lines[:-1], SENTENCES, WIDTH - 3)
    return "/*\n" + "\n".join(f" * {line}".rstrip() for line in told_in) + "\n */\n"


def _told(name: str, listing: list[str], known: Mapping[str, list[str]]) -> list[str]:
    """What a function computes, from where it differs from the one before that it is most like."""
    alike = {other: _beginning(listing, lines) for other, lines in known.items()}
    like = max(alike, key=alike.__getitem__, default=None)
    if like is None or alike[like] < 2:
        return [f"{name} computes, layer by layer and then back:", *listing]
    last = listing[alike[like] - 1].partition("=")[0].strip()
    return [f"{name} computes the same as {like} up to {last}, then:", *listing[alike[like] :]]


def _beginning(lines: Sequence[str], others: Sequence[str]) -> int:
    """How many lines both begin with."""
    pairs = zip(lines, others, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _listing(program: Program) -> list[str]:
    """The statements, both ends of very many."""
    statements = list(program.statements)
    half = _LONGEST_LISTING // 2
    left_out = len(statements) - _LONGEST_LISTING
    if left_out > 0:
        statements = statements[:half] + statements[-half:]
    lines = [f"    {formula(s.target)} = {_shortened(s.expression)}" for s in statements]
    if left_out > 0:
        lines.insert(half, f"    ... and {left_out} statements like these")
    return lines


def _shortened(expression: Expr) -> str:
    """A sum, both ends of very many terms."""
    terms = Add.make_args(expression)
    if len(terms) <= 8:
        return formula(expression)
    shown = [*map(formula, terms[:2]), f"... + {len(terms) - 3} more", formula(terms[-1])]
    return " + ".join(shown)


def _runs(words: list[str]) -> str:
    """Words in a row, both ends of very many."""
    if len(words) > 12:
        words = [*words[:6], "...", *words[-4:]]
    return ", ".join(words) + "."
