"""`.nnet` files, of ACAS Xu and its kin: layers of relu, with means and ranges around them.

    x' = (x − mean)/range       y = range_y N(x') + mean_y

Source: K. Julian, NNet, Stanford Intelligent Systems Laboratory, github.com/sisl/NNet.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from symnet.files import LARGEST_FILE
from symnet.importers.folding import matrices
from symnet.importers.folding.tensors import Tensors, Value
from symnet.importers.imported import FilePath, Imported, Model, Options, content_of, label_of
from symnet.network.weights import Array


def read(path: FilePath, options: Options) -> Imported:
    """The network in a file. ValueError names the line."""
    options.check_complete()
    text = content_of(path, LARGEST_FILE).decode("utf-8-sig", "replace")  # of comments
    lines = _numbers(text)
    counts = _whole(next(lines), "the number of layers, inputs and outputs")
    widths = _whole(next(lines), "the widths of the layers")
    if len(counts) < 3 or len(widths) != counts[0] + 1 or min(widths) < 1:
        raise ValueError(f"{counts[0]} layers, but {len(widths)} widths")
    if (widths[0], widths[-1]) != (counts[1], counts[2]):
        raise ValueError(f"widths {widths}, but {counts[1]} inputs and {counts[2]} outputs")
    n = widths[0]
    next(lines)  # a flag that is no longer used
    lows, highs = (_at_least(next(lines), n, what) for what in ("minima", "maxima"))
    means, ranges = (_at_least(next(lines), n + 1, what) for what in ("means", "ranges"))
    _check_scales(means, ranges, widths)
    t = Tensors()
    value: Value = t.fold.inputs_of([(n,)])[0]
    value = t.divide(t.subtract(value, means[:n]), ranges[:n])
    for k, (before, here) in enumerate(pairwise(widths), start=1):
        value = _layer(t, value, lines, (here, before), f"layer {k}")
        value = t.apply("relu", value) if k < counts[0] else value
    if len(next(lines)):
        raise ValueError("there are more numbers than the widths say")
    result = t.add(t.multiply(value, ranges[-1]), means[-1])
    net = Model(t, (("x", n),), (("y", result),), label_of(path)).network(options)
    notes = []
    if len(means) > n + 1:  # ACAS Xu has two of inputs that it no longer has
        notes = [f"of {len(means)} means and ranges the last are taken for all outputs"]
    if (lows[:n] > -1e30).any() or (highs[:n] < 1e30).any():
        notes += ["inputs are not clipped to the file's minima and maxima, as NNet itself does"]
    exact, folded = "weights decimal, as doubles", ("means and ranges",)
    return Imported(net, "NNet", exact, folded, tuple(notes), "nothing to compare with")


def _layer(
    t: Tensors, x: Value, lines: Iterator[Array], shape: tuple[int, int], what: str
) -> Value:
    """W x + b: a line for each row of W, and one for each number of b."""
    rows, columns = shape
    matrices.check_size(rows * columns, what)
    weights = np.array([_exactly(next(lines), columns, what) for _ in range(rows)])
    bias = np.array([_exactly(next(lines), 1, f"{what}: bias")[0] for _ in range(rows)])
    return t.add(t.matmul(weights, x), bias)


def _check_scales(means: Array, ranges: Array, widths: list[int]) -> None:
    """ValueError where numbers of the outputs cannot be told from those of all of them."""
    n, m = widths[0], widths[-1]
    if len(means) != len(ranges):
        raise ValueError(f"{len(means)} means, but {len(ranges)} ranges")
    if m > 1 and len(means) == n + m:
        raise ValueError(
            f"{len(means)} means and ranges are one for each of {n} inputs and {m} outputs; NNet "
            "has one for all outputs: give that, and scale the last layer's weights"
        )
    if not ranges.all():
        raise ValueError("a range is 0")


def _numbers(text: str) -> Iterator[Array]:
    """The numbers of each line; comments begin with //."""
    for k, line in enumerate(text.splitlines(), start=1):
        told = line.partition("//")[0].strip()
        if not told:
            continue
        try:
            yield np.array([_float(p) for p in told.rstrip(",").split(",")])
        except ValueError:
            raise ValueError(f"line {k}: {told[:40]!r} are no numbers between commas") from None
    while True:
        yield np.zeros(0)


def _float(text: str) -> float:
    if "_" in text:  # a digit's neighbour in Python only
        raise ValueError(text)
    return float(text)


def _whole(numbers: Array, what: str) -> list[int]:
    if not len(numbers) or (numbers != numbers.astype(np.int64)).any():
        raise ValueError(f"{what} are {numbers[:4].tolist()}")
    return [int(v) for v in numbers]


def _exactly(numbers: Array, count: int, what: str) -> Array:
    if len(numbers) != count:
        raise ValueError(f"{what}: {len(numbers)} numbers in a line, expected {count}")
    return _finite(numbers, what)


def _at_least(numbers: Array, count: int, what: str) -> Array:
    if len(numbers) < count:
        raise ValueError(f"{what}: {len(numbers)} numbers in a line, expected {count}")
    return _finite(numbers, what)


def _finite(numbers: Array, what: str) -> Array:
    if not np.isfinite(numbers).all():
        raise ValueError(f"{what}: a number is not finite")
    return numbers
