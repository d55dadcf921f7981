"""The products of a layer's matrix with the columns of a slab, as calls of `library/tiles.c`."""

from __future__ import annotations

from collections.abc import Iterator


def linear_lines(
    matrix: tuple[int, int, int, int],
    width: int,
    biased: int,
    strides: tuple[str, str],
    accumulate: bool,
) -> list[str]:
    """The lines that make `width` neighbouring vectors of out = W in + b, or add them to out.

    `matrix` is (rows, depth, down, right): W(r, s) = W[r * down + s * right]. The bias is added to
    the first `biased` vectors; `strides` are those of the rows of in and out, in vectors.
    """
    rows, depth, down, right = matrix
    whole = depth <= _DEPTH
    lines = []
    for first, panels, columns in _panels(width, biased, rows, depth):
        operands = [
            f"{panels}, {depth if whole else 'depth'}, W{'' if whole else f' + s * {right}'}",
            f"{down}, {right}, {'b' if first < biased else 'NULL'}, {max(0, biased - first)}",
            f"in{'' if whole else f' + s * {strides[0]}'}{f' + {first}' * (first > 0)}",
            f"{strides[0]}, out{f' + {first}' * (first > 0)}, {strides[1]}",
            "1" if accumulate else "0" if whole else "s > 0",
        ]
        lines.append(f"PRODUCT({rows}, {columns}, {', '.join(operands)});")
    if whole:
        return lines
    return [
        f"for (wide s = 0; s < {depth}; s += {_DEPTH}) {{",
        f"    const wide depth = {depth} - s < {_DEPTH} ? {depth} - s : {_DEPTH};",
        *(f"    {line}" for line in lines),
        "}",
    ]


_DEPTH = 256  # of the inner dimension at a time: a tile of weights stays in the first-level cache


def _panels(width: int, biased: int, rows: int, depth: int) -> Iterator[tuple[int, int, int]]:
    """(first vector, number of panels, vectors of each): two, or one where that is left over.

    Six where two would give tiles of a few rows, whose sums wait for each other. In panels of two
    and one the vectors with a bias stand apart: whether there is one is then asked once a panel.
    """
    first = 0
    if rows in _FEW_ROWS and depth >= _DEEP and width >= 6:
        yield 0, width // 6, 6
        first = width // 6 * 6
    for end in (max(first, biased), width) if biased % 2 else (width,):
        pairs, single = divmod(end - first, 2)
        if pairs:
            yield first, pairs, 2
        if single:
            yield end - 1, 1, 1
        first = end


_FEW_ROWS = (1, 2, 3, 4, 7, 8)
"""Those that make no tiles of five or six rows: the sums of six by two fill a machine's registers.

2-8-8-1 gains 5 %; where the inner dimension is shorter than `_DEEP` nothing is gained.
"""

_DEEP = 4
