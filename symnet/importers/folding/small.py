"""Linear algebra of small matrices that depend on the inputs, written out in products.

    det A        by Laplace's expansion
    A⁻¹          adj A / det A
    A⁻¹ B        adj A B / det A
    A = L Lᵀ     column by column

Matrices stand in the last two axes. Above a size that is named each is refused.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from symnet.extras import needed
from symnet.importers.folding.forms import Form
from symnet.importers.folding.tensors import Tensors, Value

_LARGEST = 4
_TRIANGULAR = 8

_Minors = dict[tuple[tuple[int, ...], tuple[int, ...]], Value]


def determinant(t: Tensors, A: Value) -> Value:
    """det A."""
    every = tuple(range(_size(A, "the determinant", _LARGEST)))
    return _minor(t, A, every, every, {})


def sign_and_log(t: Tensors, A: Value) -> tuple[Value, Value]:
    """The sign of det A and log |det A|."""
    found = determinant(t, A)
    return t.apply("sign", found), t.apply("log", t.apply("abs", found))


def inverse(t: Tensors, A: Value) -> Value:
    """A⁻¹."""
    if not isinstance(A, Form):
        return np.linalg.inv(A)
    n = _size(A, "the inverse", _LARGEST)
    known: _Minors = {}
    every = tuple(range(n))
    over = t.apply("reciprocal", _minor(t, A, every, every, known))
    rows = [[_cofactor(t, A, j, i, known) for j in range(n)] for i in range(n)]
    return t.multiply(_matrix(t, rows), t.reshape(over, (*over.shape, 1, 1)))


def solved(t: Tensors, A: Value, B: Value, vector: bool) -> Value:
    """A⁻¹ B, of a vector in the last axis or a matrix."""
    if vector:
        B = t.reshape(B, (*B.shape, 1))
    found = t.matmul(inverse(t, A), B)
    return t.reshape(found, found.shape[:-1]) if vector else found


def solved_in_blocks(t: Tensors, A: Value, b: Value) -> Value:
    """A⁻¹ b of a vector b, by the parts of A that have nothing to do with each other."""
    graphs = needed("scipy.sparse.csgraph", "importers")
    if isinstance(A, Form):
        joined = ~(A.constant & (A.full_bias == 0)).reshape(A.shape)
    else:
        joined = np.asarray(A) != 0
    count, block = graphs.connected_components(joined, directed=False)
    parts, order = [], []
    for k in range(count):
        own = np.flatnonzero(block == k)
        inside = t.places(A, lambda a: a[np.ix_(own, own)])  # noqa: B023
        parts.append(solved(t, inside, t.places(b, lambda a: a[own]), True))  # noqa: B023
        order.append(own)
    back = np.argsort(np.concatenate(order))
    return t.mixed(parts, lambda arrays: np.concatenate(arrays)[back])


def cholesky(t: Tensors, A: Value) -> Value:
    """The lower L of A = L Lᵀ, by the entries of A on and below its diagonal."""
    n = _size(A, "the Cholesky factor", _TRIANGULAR)
    zero = np.zeros(A.shape[:-2])
    L: list[list[Value]] = [[zero] * n for _ in range(n)]
    for j in range(n):
        left = [t.multiply(L[j][k], L[j][k]) for k in range(j)]
        L[j][j] = t.apply("sqrt", _less(t, _entry(t, A, j, j), left))
        over = t.apply("reciprocal", L[j][j])
        for i in range(j + 1, n):
            left = [t.multiply(L[i][k], L[j][k]) for k in range(j)]
            L[i][j] = t.multiply(_less(t, _entry(t, A, i, j), left), over)
    return _matrix(t, L)


def triangular(t: Tensors, A: Value, B: Value, lower: bool, unit: bool) -> Value:
    """A⁻¹ B of a triangular A, by substitution; `unit` where its diagonal is 1."""
    n = _size(A, "a triangular solution", _TRIANGULAR)
    rows: list[Value] = [None] * n
    order = range(n) if lower else range(n - 1, -1, -1)
    for i in order:
        before = range(i) if lower else range(i + 1, n)
        own = t.places(B, lambda v, i=i: v[..., i, :])  # type: ignore[misc]
        left = [t.multiply(_column(t, _entry(t, A, i, k)), rows[k]) for k in before]
        value = _less(t, own, left)
        rows[i] = value if unit else t.divide(value, _column(t, _entry(t, A, i, i)))
    return t.mixed(rows, lambda parts: np.stack(parts, -2))


def _size(A: Value, what: str, largest: int) -> int:
    n = int(A.shape[-1])
    if A.shape[-2:] != (n, n) or not 0 < n <= largest:
        raise ValueError(
            f"{what} of a matrix of the shape {tuple(A.shape[-2:])} that depends on the inputs; "
            f"symnet writes it out up to {largest} x {largest}"
        )
    return n


def _entry(t: Tensors, A: Value, i: int, j: int) -> Value:
    return t.places(A, lambda v: v[..., i, j])


def _column(t: Tensors, x: Value) -> Value:
    return t.reshape(x, (*x.shape, 1))


def _less(t: Tensors, x: Value, parts: Sequence[Value]) -> Value:
    for part in parts:
        x = t.subtract(x, part)
    return x


def _minor(
    t: Tensors, A: Value, rows: tuple[int, ...], columns: tuple[int, ...], known: _Minors
) -> Value:
    """The determinant of these rows and columns, by its first row."""
    if (rows, columns) in known:
        return known[rows, columns]
    first, *others = rows
    total: Value = None
    for k, j in enumerate(columns):
        term = _entry(t, A, first, j)
        if others:
            rest = columns[:k] + columns[k + 1 :]
            term = t.multiply(term, _minor(t, A, tuple(others), rest, known))
        signed = t.negative(term) if k % 2 else term
        total = signed if total is None else t.add(total, signed)
    known[rows, columns] = total
    return total


def _cofactor(t: Tensors, A: Value, i: int, j: int, known: _Minors) -> Value:
    n = A.shape[-1]
    if n == 1:
        return np.ones(A.shape[:-2])
    rows, columns = (tuple(k for k in range(n) if k != left_out) for left_out in (i, j))
    found = _minor(t, A, rows, columns, known)
    return t.negative(found) if (i + j) % 2 else found


def _matrix(t: Tensors, rows: Sequence[Sequence[Value]]) -> Value:
    n = len(rows)
    parts = [part for row in rows for part in row]

    def arrange(arrays: list[np.ndarray]) -> np.ndarray:
        whole = np.stack(np.broadcast_arrays(*arrays), -1)
        return whole.reshape(*whole.shape[:-1], n, n)

    return t.mixed(parts, arrange)
