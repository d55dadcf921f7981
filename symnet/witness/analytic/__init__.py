"""The witness: value, Jacobian and Hessian of a network by a chain rule written by hand in NumPy.

Node by node and from the inputs forward, for a form `z = sum_j W_j a_j + b` of earlier vectors:

    J_z = sum_j W_j J_j                  H_z = sum_j W_j H_j

    a = sigma(z)      J = sigma'(z) J_z                H = sigma''(z) (J_z x J_z) + sigma'(z) H_z
    a = z c           J = c J_z + z J_c                H = c H_z + J_z x J_c + J_c x J_z + z H_c
    s = softmax(z)    J = s C                          H = s (E - sum_r s_r E_r)
    log_softmax(z)    J = C = J_z - sum_r s_r J_zr     H = H_z - sum_r s_r E_r

where `J_z x J_z` is, per neuron, the outer product of its gradient with itself, s_r softmax of the
form, C the Jacobian of log_softmax, and E = H_z + C x C. Nothing is shared with the formulas that
are checked against this: it imports no symbolic code, has its own `table` of activations, evaluates
a user's `own` by its own second-order rules (and where they are in doubt by one-sided `limits`),
and goes forward where the compiled functions go backward. It is written to be obviously right, not
fast.

Shapes: points X (..., n); value (..., m), Jacobian (..., m, n), Hessian (..., m, n, n), float64.
A point with a NaN among its inputs has NaN in all its entries; no NumPy warning escapes.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from symnet.witness.analytic.chainrule import Graph, Vector, forward, full, sketched, unneeded
from symnet.witness.analytic.sizes import value_and_size
from symnet.witness.analytic.table import Array

_BLOCK = 2**19  # entries of the largest intermediate array: 4 MB, a few of which exist at a time


class Numeric(Protocol):
    """What is asked of a network: itself in double precision."""

    def numeric(self) -> Graph: ...


def value(net: Numeric, X: ArrayLike) -> Array:
    """`y(x)` at points X (..., n): an array (..., m).

    Raises ValueError where the last axis of X is not n or a weight is symbolic, TypeError for what
    is not real.
    """
    return _single(net, X, 0, _alone)


def jacobian(net: Numeric, X: ArrayLike) -> Array:
    """`J[..., k, i] = dy_k/dx_i` at points X (..., n): an array (..., m, n). Raises as `value`."""
    return _single(net, X, 1, _alone)


def hessian(net: Numeric, X: ArrayLike) -> Array:
    """`H[..., k, i, j] = d2y_k/dx_i dx_j` at X (..., n): an array (..., m, n, n).

    Raises as `value`.
    """
    return _single(net, X, 2, _alone)


BY_ORDER = (value, jacobian, hessian)
"""The derivative of each order."""


def derivatives(
    net: Numeric, X: ArrayLike, order: int, directions: Array | None = None
) -> tuple[Array, ...]:
    """Value, Jacobian and Hessian up to `order`, 0 to 2, in one pass. Raises as `value`.

    Along directions S (n, k) they are J S (..., m, k) and S^T H S (..., m, k, k); with points
    (N, n) each may have its own, S (N, n, k).
    """
    return _evaluate(net, X, order, range(order + 1), _alone, directions)[0]


def measured(
    net: Numeric, X: ArrayLike, order: int, directions: Array | None = None
) -> tuple[tuple[Array, ...], tuple[Array, ...]]:
    """`derivatives`, and the `scale` of each of them, in one pass. Raises as `value`."""
    results, sizes = _evaluate(net, X, order, range(order + 1), value_and_size, directions)
    return results, sizes


def preactivations(net: Numeric, X: ArrayLike) -> list[Array]:
    """The form `z` of every node at points X (N, n): arrays (N, width). Raises as `value`."""
    graph = net.numeric()
    points = _points(X, graph.widths[0])
    with np.errstate(all="ignore"):
        return [step.form.a for step in forward(graph, points, 0)]


def sketch(net: Numeric, X: ArrayLike) -> tuple[list[Array], NDArray[np.intp]]:
    """`preactivations`, and how many entries of all values are not finite: (N,). Raises as `value`.

    Of a user's own formulas without limits and without derivatives: quick, to look for a place
    where everything is defined.
    """
    graph = net.numeric()
    points = _points(X, graph.widths[0])
    with np.errstate(all="ignore"):
        steps = list(sketched(graph, points))
    lost = np.concatenate([~np.isfinite(value) for _, value in steps], axis=1)
    return [form for form, _ in steps], np.sum(lost, axis=1)


def largest(net: Numeric, X: ArrayLike, order: int) -> Array:
    """The largest magnitude of any value, of any activation's derivatives up to `order`, and of the
    products of so many slopes that derivatives of this order are made of: (N,).

    Derivatives above the second are told from how it grows beside the first. Raises as `value`.
    """
    graph = net.numeric()
    points = _points(X, graph.widths[0])
    found = np.zeros(len(points))
    with np.errstate(all="ignore"):
        for step in forward(graph, points, min(order, 1)):
            found = np.fmax(found, np.abs(step.value.a).max(axis=1))
            if order:
                found = np.fmax(found, np.abs(step.form.J).max(axis=(1, 2)) ** order)
            if step.activation is not None:
                value, first, second = map(np.abs, step.jet)
                higher = second * (second / first) ** max(0, order - 2)
                for part in (value, first, second, higher):
                    found = np.fmax(found, part.max(axis=1))
    return found


def scale(net: Numeric, X: ArrayLike, order: int) -> Array:
    """The size of the terms each entry is made of: what a rounding error is measured against.

    Same shape as `value`, `jacobian` or `hessian` (order 0, 1, 2), and nowhere smaller than the
    magnitude of their entries. A sum `sum_j u_j v_j` has the size

        S^2 = (sum_j |u_j| |v_j|)^2 + sum_j (|u_j| S(v_j))^2 + sum_j (S(u_j) |v_j|)^2

    its own terms taken by their absolute values, and the size of what entered it by squares,
    as rounding errors of independent sign add up: absolute values all the way would grow as a power
    of the depth and excuse any error in a deep network. Weights have no error, S(W) = 0. Raises as
    `value`, and for another order.
    """
    if order not in (0, 1, 2):
        raise ValueError(f"order is {order}, expected 0, 1 or 2")
    return _single(net, X, order, lambda *given: value_and_size(*given)[1:])


# --- points, in blocks --------------------------------------------------------------------------

_Method: TypeAlias = Callable[[Graph, Array, int, Array | None], tuple[Vector, ...]]
"""Of a network, points (N, n), an order and directions: the last node's value, or more vectors."""


def _single(net: Numeric, X: ArrayLike, order: int, method: _Method) -> Array:
    ((result,),) = _evaluate(net, X, order, (order,), method)
    return result


def _evaluate(
    net: Numeric,
    X: ArrayLike,
    order: int,
    kept: Sequence[int],
    method: _Method,
    directions: Array | None = None,
) -> list[tuple[Array, ...]]:
    """Of each vector that the method gives, in blocks of points, its derivatives of orders kept."""
    graph = net.numeric()
    n, m = graph.widths[0], graph.widths[-1]
    points = _points(X, n)
    flat = points.reshape(math.prod(points.shape[:-1]), n)
    along = n if directions is None else directions.shape[-1]
    size = max(1, _BLOCK // max(1, _most_neurons(graph) * along**order))
    results: list[tuple[Array, ...]] = []
    # Without points once too: for the number of vectors, and their shapes.
    for start in range(0, max(1, len(flat)), size):
        block = slice(start, start + size)
        own = directions if directions is None or directions.ndim < 3 else directions[block]
        with np.errstate(all="ignore"):
            found = method(graph, flat[block], order, own)
        results = results or [
            tuple(np.empty((len(flat), m) + (along,) * r) for r in kept) for _ in found
        ]
        for vector, arrays in zip(found, results, strict=True):
            for r, array in zip(kept, arrays, strict=True):
                array[block] = full(vector, r)
    unknown = np.isnan(flat).any(axis=1)
    for array in itertools.chain.from_iterable(results):
        array[unknown] = np.nan
    return [
        tuple(array.reshape(points.shape[:-1] + array.shape[1:]) for array in arrays)
        for arrays in results
    ]


def _points(X: ArrayLike, n: int) -> Array:
    if any(hasattr(X, labels) for labels in ("columns", "iloc", "coords", "mask")):
        raise TypeError(f"X is a {type(X).__name__}, in any order of columns; give an array of it")
    points = np.asarray(X)
    if points.dtype.kind not in "biuf":
        raise TypeError(f"X holds {points.dtype}; real numbers are needed")
    if points.ndim == 0 or points.shape[-1] != n:
        raise ValueError(f"X has shape {points.shape}, expected (..., {n}): one column per input")
    return points.astype(np.float64)


def _most_neurons(graph: Graph) -> int:
    """The most neurons that are kept at a time: in a chain those of its widest layer."""
    kept: set[int] = set()
    most = 0
    for k, dropped in enumerate(unneeded(graph), start=1):
        others = kept - {0, k - 1}
        most = max(most, graph.widths[k] + sum(graph.widths[j] for j in others))
        kept = (kept | {k}) - dropped
    return most


def _alone(graph: Graph, X: Array, order: int, directions: Array | None) -> tuple[Vector]:
    """The last node's value at points X (N, n)."""
    *_, last = forward(graph, X, order, directions)
    return (last.value,)
