"""Matrices of affine forms while a model is folded: identity, dense or sparse.

`None` is the identity, a NumPy array is a layer's own matrix, and everything that slices,
scales or places is one of SciPy's `csr_array`: SciPy is imported when the first of these appears.
Selecting, placing and multiplying by selections is exact; no entry is rounded by it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeAlias

import numpy as np

from symnet.extras import needed
from symnet.network.weights import Array

Matrix: TypeAlias = Any
"""None (identity), a float64 array, or a scipy.sparse.csr_array."""

LARGEST = 2**26
"""Entries of matrices that a model may fold to, and of one array met on the way: 512 MB."""


MOST_NAMED = 2**17
"""Inputs or outputs of a model: each is a symbol, which takes 10 µs."""


def check_size(entries: int, what: str) -> None:
    """ValueError, with the size, for more entries than are held in memory."""
    if entries > LARGEST:
        raise ValueError(
            f"{what} takes {entries:,} entries, more than the {LARGEST:,} that fit; "
            "symnet holds convolutions and the like as full matrices"
        )


def check_named(count: int, what: str, advice: str) -> None:
    """ValueError, with the number and advice, for more inputs or outputs than are named."""
    if count > MOST_NAMED:
        raise ValueError(
            f"its {what} are {count:,} numbers, more than the {MOST_NAMED:,} that are named; "
            f"{advice}"
        )


def check_inputs(count: int) -> None:
    """The same of a model's inputs."""
    check_named(count, "inputs", "symnet is for models of fewer")


def rows(A: Matrix, index: Array, width: int) -> Matrix:
    """The rows A[index] of a matrix with `width` columns."""
    if A is None:
        ones = np.ones(len(index))
        return simplified(_csr(ones, index, np.arange(len(index) + 1), (len(index), width)))
    check_size(len(index) * width if isinstance(A, np.ndarray) else len(index), "a selection")
    return A[index] if isinstance(A, np.ndarray) else simplified(A[index])


def scaled(A: Matrix, factors: Array) -> Matrix:
    """diag(factors) A."""
    if isinstance(A, np.ndarray):
        return factors[:, None] * A
    n = len(factors)
    diagonal = _csr(factors, np.arange(n), np.arange(n + 1), (n, n))
    return diagonal if A is None else diagonal @ A


def times(M: Matrix, A: Matrix) -> Matrix:
    """M A."""
    return M if A is None else simplified(M @ A)


def image(M: Matrix, b: Array) -> Array:
    """M b; what is not stored in a sparse matrix takes nothing of an infinity."""
    if np.isfinite(b).all():
        return M @ b
    if isinstance(M, np.ndarray):
        with np.errstate(invalid="ignore"):
            return (M * b).sum(axis=1)
    entries = M.tocoo()
    result = np.zeros(M.shape[0])
    with np.errstate(invalid="ignore"):
        np.add.at(result, entries.coords[0], entries.data * b[entries.coords[1]])
    return result


def without_rows(A: Matrix, left_out: Array) -> Matrix:
    """With zeros in these rows."""
    kept = np.where(left_out, 0.0, 1.0)
    result = scaled(A, kept)
    if not isinstance(result, np.ndarray):
        result.eliminate_zeros()
    return result


def added(A: Matrix, B: Matrix, width: int) -> Matrix:
    """A + B; each has `width` columns."""
    if isinstance(A, np.ndarray) or isinstance(B, np.ndarray):
        return dense(A, width) + dense(B, width)
    return _sparse(A, width) + _sparse(B, width)


def placed(parts: Iterable[tuple[int, Matrix]], height: int, width: int) -> Matrix:
    """The matrices below each other, each from its own row on; zeros elsewhere."""
    pieces = [(start, _sparse(A, width).tocoo()) for start, A in parts]
    row = np.concatenate([start + piece.coords[0] for start, piece in pieces])
    column = np.concatenate([piece.coords[1] for _, piece in pieces])
    values = np.concatenate([piece.data for _, piece in pieces])
    return simplified(from_entries(row, column, values, (height, width)))


def from_entries(row: Array, column: Array, values: Array, shape: tuple[int, int]) -> Matrix:
    """The sparse matrix of these entries; those of one place are added."""
    sparse = needed("scipy.sparse", "importers")
    return sparse.coo_array((values, (row, column)), shape=shape).tocsr()


def from_rows(columns: Array, values: Array, width: int) -> Matrix:
    """The sparse matrix whose rows have entries in these columns, all as many, none twice."""
    rows, length = columns.shape
    kind = np.int32 if max(columns.size, width) < 2**31 else np.int64
    starts = np.arange(rows + 1, dtype=kind) * length
    return _csr(values, columns.astype(kind).reshape(-1), starts, (rows, width))


def entries_in_rows(A: Matrix, width: int) -> Array:
    """The number of entries in each row."""
    if A is None:
        return np.ones(width, dtype=np.int64)
    if isinstance(A, np.ndarray):
        return np.count_nonzero(A, axis=1)
    return np.diff(A.indptr)


def zero_rows(A: Matrix) -> Array:
    """Which rows of a matrix are zero."""
    if isinstance(A, np.ndarray):
        return np.asarray(~A.any(axis=1))
    rows = np.repeat(np.arange(A.shape[0]), np.diff(A.indptr))
    return np.asarray(np.bincount(rows[A.data != 0], minlength=A.shape[0]) == 0)


def is_whole(A: Matrix) -> bool:
    """Whether all entries are whole numbers."""
    values = np.zeros(0) if A is None else A if isinstance(A, np.ndarray) else A.data
    return bool((values == np.round(values)).all())


def is_empty(A: Matrix) -> bool:
    """Whether a selection took nothing of a vector; a layer's own zeros are kept."""
    return A is not None and not isinstance(A, np.ndarray) and A.nnz == 0


def dense(A: Matrix, width: int) -> Array:
    """As an array."""
    if A is None:
        check_size(width * width, "an identity matrix")
        return np.eye(width)
    if isinstance(A, np.ndarray):
        return A
    check_size(A.shape[0] * A.shape[1], f"a matrix of {A.shape[0]} rows, {A.shape[1]} columns")
    return A.toarray()


def simplified(A: Matrix) -> Matrix:
    """None for a sparse matrix that is the identity, else the matrix itself."""
    if A is None or isinstance(A, np.ndarray) or A.shape[0] != A.shape[1]:
        return A
    n = A.shape[0]
    plain = (
        A.nnz == n
        and np.array_equal(A.indptr, np.arange(n + 1))
        and np.array_equal(A.indices, np.arange(n))
        and bool((A.data == 1).all())
    )
    return None if plain else A


def _sparse(A: Matrix, width: int) -> Any:
    sparse = needed("scipy.sparse", "importers")
    if A is None:
        return sparse.eye_array(width, format="csr")
    return sparse.csr_array(A) if isinstance(A, np.ndarray) else A


def _csr(values: Array, indices: Array, starts: Array, shape: tuple[int, int]) -> Any:
    sparse = needed("scipy.sparse", "importers")
    return sparse.csr_array((values, indices, starts), shape=shape)
