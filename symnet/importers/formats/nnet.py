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
from symnet.importers.folding.tensors import Tensors
from symnet.importers.imported import FilePath, Imported, Model, Options, content_of, label_of
from symnet.network.weights import Array


def read(path: FilePath, options: Options) -> Imported:
    """The network in a file. ValueError names the line."""
    text = content_of(path, LARGEST_FILE).decode("ascii")
    lines = _numbers(text)
    counts = _whole(next(lines), "the number of layers, inputs and outputs")
    widths = _whole(next(lines), "the widths of the layers")
    if len(counts) < 3 or len(widths) != counts[0] + 1 or min(widths) < 1:
        raise ValueError(f"{counts[0]} layers, but {len(widths)} widths")
    if (widths[0], widths[-1]) != (counts[1], counts[2]):
        raise ValueError(f"widths {widths}, but {counts[1]} inputs and {counts[2]} outputs")
    next(lines)  # a flag that is no longer used
    lows, highs = (_at_least(next(lines), widths[0], what) for what in ("minima", "maxima"))
    # The first numbers are of the inputs, the last of all outputs; ACAS Xu has two more between.
    means, ranges = (_at_least(next(lines), widths[0] + 1, what) for what in ("means", "ranges"))
    n = widths[0]
    if not ranges.all():
        raise ValueError("a range is 0")
    t = Tensors()
    value = t.fold.inputs_of([(widths[0],)])[0]
    value = t.divide(t.subtract(value, means[:n]), ranges[:n])
    for k, (before, here) in enumerate(pairwise(widths), start=1):
        matrices.check_size(before * here, f"layer {k}")
        weights = np.array([_exactly(next(lines), before, f"layer {k}") for _ in range(here)])
        bias = np.array([_exactly(next(lines), 1, f"layer {k}: bias")[0] for _ in range(here)])
        value = t.add(t.matmul(weights, value), bias)
        value = t.apply("relu", value) if k < counts[0] else value
    if len(next(lines)):
        raise ValueError("there are more numbers than the widths say")
    result = t.add(t.multiply(value, ranges[-1]), means[-1])
    net = Model(t, (("x", widths[0]),), (("y", result),), label_of(path)).network(options)
    notes: tuple[str, ...] = ()
    if (lows[:n] > -1e30).any() or (highs[:n] < 1e30).any():
        notes = ("inputs are not clipped to the file's minima and maxima, as NNet itself does",)
    folded = ("means and ranges",)
    return Imported(
        net, "NNet", "weights decimal, as doubles", folded, notes, "nothing to compare with"
    )


def _numbers(text: str) -> Iterator[Array]:
    """The numbers of each line; comments begin with //."""
    for k, line in enumerate(text.splitlines(), start=1):
        if line.startswith("//") or not line.strip():
            continue
        try:
            yield np.array([float(p) for p in line.rstrip().rstrip(",").split(",")])
        except ValueError:
            raise ValueError(f"line {k}: {line[:40]!r} are no numbers between commas") from None
    while True:
        yield np.zeros(0)


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
