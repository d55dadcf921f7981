"""Matrices of what dissolves into a form: selections, scales and their products with weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import sympy

from symnet.network.weights import Array, as_expression, matrix, symbols, vector, weight


def entries(given: Any, width: int) -> Array:
    """A number or an array of them as a vector's entries: as many, or one for all."""
    if np.ndim(given) > 1:
        raise ValueError(
            f"an array of shape {np.shape(given)} for a vector of {width} entries; a matrix times "
            "the vector is W @ v"
        )
    flat = list(given) if np.ndim(given) else [given] * width
    if width not in (1, len(flat)):
        raise ValueError(f"{len(flat)} numbers for a vector of {width} entries")
    return vector([weight(e, f"number [{i}]") for i, e in enumerate(flat)], len(flat))


def multiplier(given: Any, after: bool = False) -> Array:
    """W of W @ v, or where it stands `after` the vector Wᵀ; numbers in a row are one row of it."""
    if _is_row(given):
        return matrix([given])
    return np.transpose(matrix(given)) if after else matrix(given)


def _is_row(given: Any) -> bool:
    try:
        return np.ndim(given) == 1
    except ValueError:  # of ragged rows, which `matrix` refuses
        return False


def selection(rows: Array, width: int) -> Array:
    """The matrix that takes these rows of a vector."""
    chosen = np.full((len(rows), width), sympy.S.Zero, dtype=object)
    chosen[np.arange(len(rows)), rows] = sympy.S.One
    return chosen


def diagonal(entries: Array) -> Array:
    """The square matrix with these entries, exact zeros beside exact ones."""
    if entries.dtype == np.float64:
        return np.diag(entries)
    result = np.full((len(entries),) * 2, sympy.S.Zero, dtype=object)
    np.fill_diagonal(result, entries)
    return result


def times(weights: Array, A: Array | None) -> Array:
    """W A; doubles where one of the two is and the other has no letters."""
    if A is None:
        return weights
    left, right = _alike(weights, A)
    if left.dtype == np.float64:
        return left @ right
    return _by_rows(left, right)


def multiplies(weights: Array, A: Array | None) -> bool:
    """Whether the entries of W A are numbers or symbols again, as those of weights are."""
    if A is None or not (symbols(weights) or symbols(A)):
        return True
    return _is_selection(A) or _is_selection(weights)


def chooses(array: Array) -> bool:
    """Whether each row of a matrix takes one entry as it is."""
    return bool(_is_selection(array) and (np.count_nonzero(array, axis=1) == 1).all())


def _is_selection(array: Array) -> bool:
    return bool(np.isin(array, (0, 1)).all())


def _by_rows(left: Array, right: Array) -> Array:
    """A product of SymPy's numbers in which zeros cost nothing."""
    result = np.full((left.shape[0], right.shape[1]), sympy.S.Zero, dtype=object)
    for i, k in np.argwhere(left != 0):
        for j in np.flatnonzero(right[k] != 0):
            result[i, j] += left[i, k] * right[k, j]
    return result


def _alike(left: Array, right: Array) -> tuple[Array, Array]:
    """Both as doubles, or both of SymPy's objects."""
    if left.dtype == right.dtype:
        return left, right
    exact = left if right.dtype == np.float64 else right
    if all(isinstance(e, sympy.Number) for e in exact.flat):
        return left.astype(np.float64), right.astype(np.float64)
    to = np.vectorize(lambda e: as_expression(float(e)), otypes=[object])
    return (left, to(right)) if exact is left else (to(left), right)


def plus(left: Array, right: Array) -> Array:
    """The sum; doubles where one of the two is and the other has no letters."""
    a, b = _alike(left, right)
    return a + b


def added(left: Array | None, right: Array | None, width: int) -> Array:
    """The sum of two matrices of which None is the identity of this width."""
    unit = selection(np.arange(width), width)
    return plus(unit if left is None else left, unit if right is None else right)


def reciprocals(number: Any) -> Any:
    """1/number, of nested lists or arrays entry by entry. ValueError for 0."""
    if np.ndim(number):
        return [reciprocals(e) for e in number]
    found = weight(number, "divisor")
    if found == 0:
        raise ValueError("a vector is divided by 0")
    return 1 / found
