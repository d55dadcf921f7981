"""PyTorch's linear algebra of small matrices, and what orders entries; places are not read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

from symnet.importers.folding import small
from symnet.importers.folding.sorting import sorted_along
from symnet.importers.folding.tensors import Tensors, Value


def _turned(t: Tensors, x: Value) -> Value:
    return t.places(x, lambda a: np.swapaxes(a, -1, -2))


def _solve(t: Tensors, A: Value, B: Value, left: bool = True, **_: Any) -> list[Any]:
    vector = len(B.shape) == 1 or tuple(B.shape) == tuple(A.shape[:-1])
    if left:
        return [small.solved(t, A, B, vector), None, None, None]
    return [_turned(t, small.solved(t, _turned(t, A), _turned(t, B), False)), None, None, None]


def _cholesky(t: Tensors, A: Value, *, upper: bool = False, **_: Any) -> list[Any]:
    found = small.cholesky(t, _turned(t, A) if upper else A)
    return [_turned(t, found) if upper else found, None]


def _triangular(
    t: Tensors, A: Value, B: Value, *, upper: bool, left: bool = True, unitriangular: bool = False
) -> Value:
    if left:
        return small.triangular(t, A, B, not upper, unitriangular)
    return _turned(t, small.triangular(t, _turned(t, A), _turned(t, B), upper, unitriangular))


def _cholesky_solved(t: Tensors, B: Value, factor: Value, upper: bool = False) -> Value:
    """(L Lᵀ)⁻¹ B, or (Uᵀ U)⁻¹ B."""
    lower, turned = (_turned(t, factor), factor) if upper else (factor, _turned(t, factor))
    return small.triangular(t, turned, small.triangular(t, lower, B, True, False), False, False)


def _sort(t: Tensors, x: Value, dim: int = -1, descending: bool = False, **_: Any) -> list[Any]:
    return [sorted_along(t, x, dim, descending), None]


def _top(
    t: Tensors, x: Value, k: int, dim: int = -1, largest: bool = True, *_: Any, **__: Any
) -> list[Any]:
    whole = sorted_along(t, x, dim, largest)
    return [t.places(whole, partial(np.take, indices=range(k), axis=dim)), None]


def _kth(t: Tensors, x: Value, k: int, dim: int = -1, keepdim: bool = False) -> list[Any]:
    whole = sorted_along(t, x, dim)
    index = np.array([k - 1]) if keepdim else np.array(k - 1)
    return [t.places(whole, partial(np.take, indices=index, axis=dim)), None]


def _median(t: Tensors, x: Value, dim: int | None = None, keepdim: bool = False) -> Any:
    """Of an even number the lower of the two in the middle."""
    if dim is None:
        flat = t.reshape(x, (-1,))
        return _kth(t, flat, (flat.shape[0] + 1) // 2)[0]
    return _kth(t, x, (x.shape[dim] + 1) // 2, dim, keepdim)


RULES: Mapping[str, Callable[..., Any]] = {
    "_linalg_det": lambda t, A: [small.determinant(t, A), None, None],
    "_linalg_slogdet": lambda t, A: [*small.sign_and_log(t, A), None, None],
    "logdet": lambda t, A: t.apply("log", small.determinant(t, A)),
    "linalg_inv_ex": lambda t, A, *_, **__: [small.inverse(t, A), None],
    "_linalg_solve_ex": _solve,
    "linalg_cholesky_ex": _cholesky,
    "linalg_solve_triangular": _triangular,
    "cholesky_solve": _cholesky_solved,
    "sort": _sort,
    "topk": _top,
    "kthvalue": _kth,
    "median": _median,
}
