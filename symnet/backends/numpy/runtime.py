"""What generated NumPy code calls: this module's text is part of every generated module.

Kernels work on a block of points with the points along the last axis: a layer's vector is
`(width, points)`, a family of derivatives `(combinations, width, points)`. Derivatives of order r
are symmetric, so only the multi-indices i ≤ j ≤ … are kept, in lexicographic order. Results put
points first, as the user does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import combinations_with_replacement
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Kernel = Callable[..., Sequence["Array | float"]]
Run = Callable[[Array, Sequence[Array]], None]
Function = Callable[[Any], "tuple[Array, ...]"]

_FEW = 4  # entries a point that are stored one by one: 2 ns instead of 6 for a 2 × 2 Hessian
_FEW_POINTS = 64  # whose stores one by one cost more than gathering them
_FEW_PRODUCTS = 16  # points with a product of matrices each: ten times as fast for ten inputs


def evaluate(run: Run, X: Any, shape: tuple[int, int], orders: Sequence[int]) -> list[Array]:
    """The derivatives of these orders at points X (…, n): arrays (…, m, n, …, n).

    `run` fills the results at a plain list of points, each as if it were a list too. float32
    points give float32 results, integers are promoted to float64. A point with a NaN in it gives
    NaN in all of its results and in no other's. TypeError for X that is not real, ValueError for a
    last axis that is not n.
    """
    n, m = shape
    X = floats(X, n)
    points = np.ascontiguousarray(X).reshape(-1, n)
    results = [np.empty((len(points), m, *(n,) * order), X.dtype) for order in orders]
    run(points, results)
    missing = np.isnan(points)
    if np.count_nonzero(missing):
        for result in results:
            result[missing.any(axis=1)] = np.nan
    if X.ndim == 2:
        return results
    return [result.reshape(X.shape[:-1] + result.shape[1:]) for result in results]


def floats(X: Any, n: int) -> Array:
    """Points X (…, n) in float32 if they are, else in float64. Errors: see `evaluate`."""
    try:
        X = np.asarray(X)
    except ValueError:
        raise ValueError("X is ragged: its rows have several lengths") from None
    if X.dtype.kind not in "fiub":
        raise TypeError(f"X holds {X.dtype}; real numbers are needed")
    if X.ndim == 0 or X.shape[-1] != n:
        raise ValueError(f"X has shape {X.shape}, expected (..., {n}): one column per input")
    return X.astype(np.float32 if X.dtype == np.float32 else np.float64, copy=False)


def in_blocks(
    kernel: Kernel,
    parameters: Sequence[Array],
    block: int,
    points: Array,
    results: Sequence[Array],
) -> None:
    """Fill `results` at `points` (N, n), by `kernel` on at most `block` points at a time."""
    with np.errstate(all="ignore"):
        if points.dtype != np.float64:
            parameters = [p.astype(points.dtype) for p in parameters]
        for chosen in cut(len(points), block):
            one_block(kernel, parameters, chosen, points, results)


def cut(points: int, block: int) -> list[slice]:
    """Blocks of equal size, at most `block`; of several an even number, for two threads."""
    if points <= block:
        return [slice(None)] if points else []
    count = -(-points // block)
    count += count % 2
    size = -(-points // count)
    return [slice(start, start + size) for start in range(0, points, size)]


def one_block(
    kernel: Kernel,
    parameters: Sequence[Array],
    chosen: slice,
    points: Array,
    results: Sequence[Array],
) -> None:
    """Fill `results` at the `chosen` points."""
    keep_freed_memory()
    parts = kernel(np.ascontiguousarray(points[chosen].T), *parameters)
    for result, part in zip(results, parts, strict=True):
        fill(result[chosen], part)


@lru_cache(maxsize=1)
def keep_freed_memory() -> None:
    """Make glibc keep memory that was freed, up to 64 MB, for the next block or call.

    It returns memory beyond a threshold to the system at each free and takes it back page by page,
    which cost a third of the time of 100,000 points, and half of that of 1,000. Freeing one large
    array raises the threshold to its size, as any program does that frees one; elsewhere than in
    glibc it does nothing.
    """
    np.empty(2**25 - 2**16, np.uint8)


def fill(result: Array, part: Array | float) -> None:
    """Put one block's derivatives into `result` (points, m, n, …, n).

    `part` is (m, combinations, points), an axis of length 1 missing or moved if need be;
    points may be one where it stands for all. A number fills all entries.
    """
    if isinstance(part, float):
        result[...] = part
        return
    points, m, *inputs = result.shape
    rows = part.reshape(-1, part.shape[-1])
    columns = result.reshape(points, -1)
    if points < _FEW_POINTS or columns.shape[1] > _FEW:
        # Those of the first two orders stand in order.
        columns[...] = (rows if len(inputs) < 2 else rows.take(_rows(m, *inputs), axis=0)).T
        return
    for k, row in enumerate(_rows(m, *inputs).tolist()):
        columns[:, k] = rows[row]


def positions(n: int, members: tuple[int, ...], order: int) -> NDArray[np.intp]:
    """For each multi-index of `order` over n inputs, where the part of it at `members` stands."""
    return _packed(n, len(members))[tuple(_kept(n, order)[list(members)])]


def unit(size: int, x: Array) -> Array:
    """The unit vectors (size, size, 1), in the precision of x."""
    return np.eye(size, dtype=x.dtype)[:, :, None]


def softmax(z: Array) -> Array:
    """exp(z)/Σ exp(z_r) over the neurons of (width, points); no exponent is positive."""
    e = np.exp(z - np.max(z, axis=-2, keepdims=True))
    return e / np.sum(e, axis=-2, keepdims=True)


def log_softmax(z: Array) -> Array:
    """z − log Σ exp(z_r) over the neurons of (width, points)."""
    shifted = z - np.max(z, axis=-2, keepdims=True)
    return shifted - np.log(np.sum(np.exp(shifted), axis=-2, keepdims=True))


def symmetric(weight: Array, t: Array) -> Array:
    """Σ_r weight_r t_ir t_jr for i ≤ j, of (…, width, points) and (n, width, points).

    Points may be one where it stands for all. A product of matrices for each point is fastest for a
    few of them, one product for all where t is the same at all, else a sum for each i.
    """
    n, points = len(t), t.shape[-1]
    i, j = _upper(n)
    if max(points, weight.shape[-1]) <= _FEW_PRODUCTS:
        rows = t.transpose(2, 0, 1)
        full = (rows * weight.swapaxes(-1, -2)[..., None, :]) @ rows.swapaxes(1, 2)
        return full.reshape(*full.shape[:-2], -1).take(i * n + j, axis=-1).swapaxes(-1, -2)
    if points == 1:
        return (t[i, :, 0] * t[j, :, 0]) @ weight
    result = np.empty((*weight.shape[:-2], len(i), points), t.dtype)
    first = 0
    for k in range(n):
        row = result[..., first : first + n - k, :]
        np.einsum("...rb,jrb->...jb", weight * t[k], t[k:], out=row)
        first += n - k
    return result


@lru_cache(maxsize=16)
def _upper(n: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The indices i ≤ j of a symmetric matrix, row by row."""
    return np.triu_indices(n)


def _kept(n: int, order: int) -> NDArray[np.intp]:
    """The multi-indices i ≤ j ≤ … that are kept: (order, combinations)."""
    return np.array([*combinations_with_replacement(range(n), order)], np.intp).T


def _packed(n: int, order: int) -> NDArray[np.intp]:
    """Where each of those stands: (n, …, n), of which only i ≤ j ≤ … are filled."""
    kept = _kept(n, order)
    where = np.zeros((n,) * order, np.intp)
    where[tuple(kept)] = np.arange(kept.shape[1])
    return where


@lru_cache(maxsize=16)
def _rows(m: int, *inputs: int) -> NDArray[np.intp]:
    """For each entry of a result (m, n, …, n), in memory's order, the row that holds it."""
    order = len(inputs)
    if order < 2:
        return np.arange(m * (inputs[0] if inputs else 1))
    where = _packed(inputs[0], order)
    entries = where[tuple(np.sort(np.indices(inputs).reshape(order, -1), axis=0))]
    return (np.arange(m)[:, None] * (where.max() + 1) + entries).ravel()
