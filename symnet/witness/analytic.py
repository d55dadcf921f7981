"""The witness: value, Jacobian and Hessian of a network by a chain rule written by hand in NumPy.

Node by node and from the inputs forward, for a form `z = sum_j W_j a_j + b` of earlier vectors:

    J_z = sum_j W_j J_j                  H_z = sum_j W_j H_j

    a = sigma(z)      J = sigma'(z) J_z                H = sigma''(z) (J_z x J_z) + sigma'(z) H_z
    a = z c           J = c J_z + z J_c                H = c H_z + J_z x J_c + J_c x J_z + z H_c
    s = softmax(z)    J = s C                          H = s (E - sum_r s_r E_r)
    log_softmax(z)    J = C = J_z - sum_r s_r J_zr     H = H_z - sum_r s_r E_r

where `J_z x J_z` is, per neuron, the outer product of its gradient with itself, s_r softmax of the
form, C the Jacobian of log_softmax, and E = H_z + C x C. Nothing is shared
with the formulas that are checked against this module: it imports no symbolic code, has its own
table of activations, evaluates a user's own activation by its own second-order rules (and where
they are in doubt by one-sided limits, see `limits`), and goes forward where the compiled functions
go backward. It is written to be obviously right, not fast.

Shapes: points X (..., n); value (..., m), Jacobian (..., m, n), Hessian (..., m, n, n), float64.
A point with a NaN among its inputs has NaN in all its entries; no NumPy warning escapes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any, NamedTuple, Protocol, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from symnet.witness import limits

Array: TypeAlias = NDArray[np.float64]
Jet: TypeAlias = tuple[Array, Array, Array]
"""A function's value, first and second derivative with respect to z, elementwise."""

_BLOCK = 2**19  # entries of the largest intermediate array: 4 MB, a few of which exist at a time


class _Activation(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def tree(self) -> Any: ...


class _Term(Protocol):
    @property
    def weights(self) -> Any: ...
    @property
    def source(self) -> int: ...


class _Node(Protocol):
    @property
    def terms(self) -> Sequence[_Term]: ...
    @property
    def bias(self) -> Any: ...
    @property
    def kind(self) -> str: ...
    @property
    def activation(self) -> _Activation | None: ...
    @property
    def factor(self) -> int | None: ...


class _Graph(Protocol):
    """Nodes whose arrays are float64, and the width of each vector, the inputs' first."""

    @property
    def nodes(self) -> Sequence[_Node]: ...
    @property
    def widths(self) -> Sequence[int]: ...


class Numeric(Protocol):
    """What is asked of a network: itself in double precision."""

    def numeric(self) -> _Graph: ...


def value(net: Numeric, X: ArrayLike) -> Array:
    """`y(x)` at points X (..., n): an array (..., m).

    Raises ValueError where the last axis of X is not n, X is not real, or a weight is symbolic.
    """
    return _evaluate(net, X, 0, _results)


def jacobian(net: Numeric, X: ArrayLike) -> Array:
    """`J[..., k, i] = dy_k/dx_i` at points X (..., n): an array (..., m, n). Raises as `value`."""
    return _evaluate(net, X, 1, _results)


def hessian(net: Numeric, X: ArrayLike) -> Array:
    """`H[..., k, i, j] = d2y_k/dx_i dx_j` at X (..., n): an array (..., m, n, n).

    Raises as `value`.
    """
    return _evaluate(net, X, 2, _results)


def derivatives(net: Numeric, X: ArrayLike, order: int) -> tuple[Array, ...]:
    """Value, Jacobian and Hessian up to `order`, 0 to 2, in one pass. Raises as `value`."""
    graph = net.numeric()
    points = _points(X, graph.widths[0])
    flat = points.reshape(math.prod(points.shape[:-1]), points.shape[-1])
    with np.errstate(all="ignore"):
        *_, last = _forward(graph, flat, order)
        found = [np.array(_full(last.value, r)) for r in range(order + 1)]
    for result in found:
        result[np.isnan(flat).any(axis=1)] = np.nan
    return tuple(result.reshape(points.shape[:-1] + result.shape[1:]) for result in found)


def preactivations(net: Numeric, X: ArrayLike) -> list[Array]:
    """The form `z` of every node at points X (N, n): arrays (N, width). Raises as `value`."""
    graph = net.numeric()
    points = _points(X, graph.widths[0])
    with np.errstate(all="ignore"):
        return [step.form.a for step in _forward(graph, points, 0)]


def missing(net: Numeric, X: ArrayLike) -> NDArray[np.intp]:
    """How many entries of the nodes' values are not finite, at points X (N, n): (N,)."""
    graph = net.numeric()
    points = _points(X, graph.widths[0])
    with np.errstate(all="ignore"):
        lost = [~np.isfinite(step.value.a) for step in _forward(graph, points, 0)]
    return np.sum(np.concatenate(lost, axis=1), axis=1)


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
    return _evaluate(net, X, order, _sizes)


# --- points, in blocks --------------------------------------------------------------------------


def _evaluate(
    net: Numeric, X: ArrayLike, order: int, method: Callable[[_Graph, Array, int], Array]
) -> Array:
    graph = net.numeric()
    n, m = graph.widths[0], graph.widths[-1]
    points = _points(X, n)
    flat = points.reshape(math.prod(points.shape[:-1]), n)
    result = np.empty((len(flat), m) + (n,) * order)
    size = max(1, _BLOCK // max(1, _most_neurons(graph) * n**order))
    with np.errstate(all="ignore"):
        for start in range(0, len(flat), size):
            result[start : start + size] = method(graph, flat[start : start + size], order)
    result[np.isnan(flat).any(axis=1)] = np.nan
    return result.reshape(points.shape[:-1] + result.shape[1:])


def _points(X: ArrayLike, n: int) -> Array:
    points = np.asarray(X)
    if points.dtype.kind not in "biuf":
        raise ValueError(f"X has dtype {points.dtype}, expected real numbers")
    if points.ndim == 0 or points.shape[-1] != n:
        raise ValueError(f"X has shape {points.shape}, expected (..., {n}): one column per input")
    return points.astype(np.float64)


def _most_neurons(graph: _Graph) -> int:
    """The most neurons that are kept at a time: in a chain those of its widest layer."""
    kept: set[int] = set()
    most = 0
    for k, dropped in enumerate(_dropped(graph), start=1):
        others = kept - {0, k - 1}
        most = max(most, graph.widths[k] + sum(graph.widths[j] for j in others))
        kept = (kept | {k}) - dropped
    return most


def _dropped(graph: _Graph) -> list[set[int]]:
    """For each node the vectors which nothing after it needs."""
    last = {source: k for k, node in enumerate(graph.nodes, start=1) for source in _sources(node)}
    dropped: list[set[int]] = [set() for _ in graph.nodes]
    for source, k in last.items():
        dropped[k - 1].add(source)
    return dropped


def _sources(node: _Node) -> set[int]:
    factor = set() if node.factor is None else {node.factor}
    return {term.source for term in node.terms} | factor


# --- the chain rule -----------------------------------------------------------------------------


class _Vector(NamedTuple):
    """A vector and its derivatives at N points; those of a higher order than asked for are empty.

    H is None where it is zero, as the inputs' own, which would be n^3 zeros a point.
    """

    a: Array  # (N, width)
    J: Array  # (N, width, n)
    H: Array | None  # (N, width, n, n)


class _Step(NamedTuple):
    """One node at N points: its form, the vector that multiplies it, and its value."""

    form: _Vector
    factor: _Vector | None
    jet: Jet  # of what is applied to the form
    value: _Vector
    activation: _Activation | None = None


_EMPTY: Array = np.empty(0)


def _results(graph: _Graph, X: Array, order: int) -> Array:
    """The value, Jacobian or Hessian at points X (N, n)."""
    *_, last = _forward(graph, X, order)
    return _full(last.value, order)


def _full(vector: _Vector, order: int) -> Array:
    """The vector's derivative of this order, zeros written out."""
    a, J, H = vector
    if order == 2 and H is None:
        return np.zeros((*J.shape, J.shape[-1]))
    found = (a, J, H)[order]
    assert found is not None
    return found


def _forward(graph: _Graph, X: Array, order: int) -> Iterator[_Step]:
    """The nodes one after the other; what no later one needs is forgotten."""
    count, n = X.shape
    vectors = {0: _Vector(X, np.broadcast_to(np.eye(n), (count, n, n)), None)}
    for k, (node, dropped) in enumerate(zip(graph.nodes, _dropped(graph), strict=True), start=1):
        form = _form(node, vectors, order)
        factor = None if node.factor is None else vectors[node.factor]
        step = _RULES[node.kind](node, form, factor, order)
        vectors[k] = step.value
        for source in dropped:
            del vectors[source]
        yield step


def _form(node: _Node, vectors: Mapping[int, _Vector], order: int) -> _Vector:
    """`sum_j W_j a_j + b` and its derivatives."""
    terms = [(term.weights, vectors[term.source]) for term in node.terms]
    z = _total([v.a if W is None else v.a @ W.T for W, v in terms])
    if node.bias is not None:
        z = z + node.bias
    J = _total([v.J if W is None else W @ v.J for W, v in terms]) if order >= 1 else _EMPTY
    curved = [(W, v.H) for W, v in terms if v.H is not None and order == 2]
    H = _total([H if W is None else _times(W, H) for W, H in curved]) if curved else None
    return _Vector(z, J, H)


def _total(terms: Sequence[Array]) -> Array:
    result = terms[0]
    for term in terms[1:]:
        result = result + term
    return result


def _times(weights: Array, H: Array) -> Array:
    """`W H` over the axis of neurons: (N, inputs, n, n) to (N, outputs, n, n)."""
    count, inputs, n, _ = H.shape
    return (weights @ H.reshape(count, inputs, n * n)).reshape(count, len(weights), n, n)


def _outer(left: Array, right: Array) -> Array:
    """`(l x r)[p, k, i, j] = l[p, k, i] r[p, k, j]`."""
    return left[..., :, None] * right[..., None, :]


def _by(factor: Array, J: Array) -> Array:
    """A number for each neuron times its derivatives."""
    return factor.reshape(factor.shape + (1,) * (J.ndim - 2)) * J


def _itself(node: _Node, form: _Vector, factor: _Vector | None, order: int) -> _Step:
    return _Step(form, None, _linear(form.a), form)


def _activated(node: _Node, form: _Vector, factor: _Vector | None, order: int) -> _Step:
    assert node.activation is not None
    jet = a, first, second = _jet(node.activation, form.a)
    J = H = _EMPTY
    if order >= 1:
        J = _by(first, form.J)
    if order == 2:
        H = _by(second, _outer(form.J, form.J)) + _by(first, _full(form, 2))
    return _Step(form, None, jet, _Vector(a, J, H), node.activation)


def _multiplied(node: _Node, form: _Vector, factor: _Vector | None, order: int) -> _Step:
    assert factor is not None
    (z, Jz, Hz), (c, Jc, Hc) = form, factor
    J = H = _EMPTY
    if order >= 1:
        J = _by(c, Jz) + _by(z, Jc)
    if order == 2:
        H = _outer(Jz, Jc) + _outer(Jc, Jz)
        H = H if Hz is None else H + _by(c, Hz)
        H = H if Hc is None else H + _by(z, Hc)
    return _Step(form, factor, _linear(z), _Vector(z * c, J, H))


def _softmax(node: _Node, form: _Vector, factor: _Vector | None, order: int) -> _Step:
    """`s`, from `log s`: where one share is nearly 1, its own logarithm is exact, not `1 - s`."""
    logs = _log_softmax(node, form, factor, order)
    s, (_, C, B) = logs.jet[0], logs.value
    J = H = _EMPTY
    if order >= 1:
        J = _by(s, C)
    if order == 2:
        assert B is not None
        H = _by(s, B + _outer(C, C))
    return logs._replace(value=_Vector(s, J, H))


def _log_softmax(node: _Node, form: _Vector, factor: _Vector | None, order: int) -> _Step:
    """All relative to the largest entry, which changes nothing but the rounding.

    Then no exponential overflows, and of nearly equal derivatives no small difference is taken:
    `sum_r s_r (J_r - J_top)` has a share s_r beside every term. The jet's first is softmax.
    """
    top = np.argmax(form.a, axis=1)
    rows = np.arange(len(top))
    z = form.a - form.a[rows, top][:, None]
    powers = np.exp(z)
    powers[rows, top] = 0  # beside the 1 of the largest, which log1p adds
    rest = np.sum(powers, axis=1, keepdims=True)
    powers[rows, top] = 1
    s = powers / (1 + rest)
    C = B = _EMPTY
    if order >= 1:
        J = form.J - form.J[rows, top][:, None]
        C = J - _mean(s, J)
    if order == 2:
        H = _full(form, 2)
        H = H - H[rows, top][:, None]
        B = H - _mean(s, H + _outer(C, C))
    value = _Vector(z - np.log1p(rest), C, B)
    return _Step(form, None, (s, s, s), value)


def _mean(s: Array, J: Array) -> Array:
    """`sum_r s_r J_r` for each point, to be spread over the neurons."""
    return np.sum(_by(s, J), axis=1, keepdims=True)


_RULES: dict[str, Callable[[_Node, _Vector, _Vector | None, int], _Step]] = {
    "form": _itself,
    "activation": _activated,
    "product": _multiplied,
    "softmax": _softmax,
    "log_softmax": _log_softmax,
}
"""How the value of a node follows from its form and the vector that multiplies it."""


# --- the size of the terms ----------------------------------------------------------------------


def _sizes(graph: _Graph, X: Array, order: int) -> Array:
    """The sizes described in `scale` at points X (N, n), node by node beside the values."""
    inputs = _Vector(X, np.broadcast_to(np.eye(X.shape[1]), (len(X), X.shape[1], X.shape[1])), None)
    vectors = {0: inputs}
    sizes = {0: _Vector(np.abs(X), np.zeros_like(inputs.J), None)}
    steps = zip(graph.nodes, _forward(graph, X, order), _dropped(graph), strict=True)
    for k, (node, step, dropped) in enumerate(steps, start=1):
        form = _form_size(node, vectors, sizes, order)
        factor = None if node.factor is None else sizes[node.factor]
        vectors[k], sizes[k] = step.value, _SIZES[node.kind](step, form, factor, order)
        for source in dropped:
            del vectors[source], sizes[source]
    return _full(sizes[len(graph.nodes)], order)


def _form_size(
    node: _Node, vectors: Mapping[int, _Vector], sizes: Mapping[int, _Vector], order: int
) -> _Vector:
    terms = [
        (None if term.weights is None else np.abs(term.weights), _magnitude(vectors[term.source]))
        for term in node.terms
    ]
    entered = [(W, sizes[term.source]) for term, (W, _) in zip(node.terms, terms, strict=True)]
    z = _total([v.a if W is None else v.a @ W.T for W, v in terms])
    if node.bias is not None:
        z = z + np.abs(node.bias)
    squares = _total([v.a * v.a if W is None else (v.a * v.a) @ (W * W).T for W, v in entered])
    a, J, H = np.hypot(z, np.sqrt(squares)), _EMPTY, None
    if order >= 1:
        J = _total([v.J if W is None else W @ v.J for W, v in terms])
        squares = _total([v.J * v.J if W is None else (W * W) @ (v.J * v.J) for W, v in entered])
        J = np.hypot(J, np.sqrt(squares))
    curved = [pair for pair in zip(terms, entered, strict=True) if pair[0][1].H is not None]
    if order == 2 and curved:
        own = _total([_weighed(W, v.H) for (W, v), _ in curved])
        squares = _total([_weighed(W, v.H, 2) for _, (W, v) in curved])
        H = np.hypot(own, np.sqrt(squares))
    return _Vector(a, J, H)


def _weighed(weights: Array | None, H: Array | None, power: int = 1) -> Array:
    assert H is not None
    H = H if power == 1 else H * H
    if weights is None:
        return H
    return _times(weights if power == 1 else weights * weights, H)


def _magnitude(vector: _Vector) -> _Vector:
    a, J, H = vector
    return _Vector(np.abs(a), np.abs(J), None if H is None else np.abs(H))


def _norm(*terms: Array) -> Array:
    """The root of the sum of squares."""
    result = terms[0]
    for term in terms[1:]:
        result = np.hypot(result, term)
    return result


def _form_alone(step: _Step, form: _Vector, factor: _Vector | None, order: int) -> _Vector:
    return form


def _activated_size(step: _Step, form: _Vector, factor: _Vector | None, order: int) -> _Vector:
    """Beside the terms of each product, the rounding of z itself counts: it moves sigma^(r) by
    sigma^(r+1), see `_moved_last` for the last order, where no derivative is left.
    """
    s0, s1, s2 = map(np.abs, step.jet)
    J = H = _EMPTY
    if order >= 1:
        Jz = np.abs(step.form.J)
        J = np.hypot(_by(s1, form.J), _by(s2 * form.a, Jz))
    if order == 2:
        bend = _by(s2, _crossed(form.J, Jz))
        moved = _by(_moved_last(step, form.a), _outer(Jz, Jz))
        kept = _by(s1, _full(form, 2)) + _by(s2 * form.a, np.abs(_full(step.form, 2)))
        H = _norm(bend, moved, kept)
    return _Vector(np.hypot(s0, s1 * form.a), J, H)


def _moved_last(step: _Step, size: Array) -> Array:
    """The size of sigma'', and by how much an error in z of this size moves it.

    In the table, the next derivative is taken as sigma' and sigma'', and the terms of sigma''
    are of the size of sigma', as in s t (t - s) of the sigmoid. Powers and logarithms take a z of
    any magnitude, as 1/T does, and so may a user's own: the slope of their sigma'' is measured.
    """
    _, s1, s2 = map(np.abs, step.jet)
    usual = (s1 + s2) * size + s1
    name = None if step.activation is None else step.activation.name
    if step.activation is None or (name in _TABLE and name not in _OF_ANY_SIZE):
        return usual
    z = step.form.a
    h = 1e-3 * np.minimum(1, np.abs(z)) + 1e-300
    right, left = (_jet(step.activation, z + side)[2] for side in (h, -h))
    measured = np.abs(right - left) / (2 * h) * size + s1 / np.maximum(1, np.abs(z)) + s2
    return np.where(np.isfinite(measured), measured, usual)


_OF_ANY_SIZE = frozenset(["log", "reciprocal", "sqrt", "square", "asinh"])


def _crossed(left: Array, right: Array) -> Array:
    """`l x r + r x l`."""
    return _outer(left, right) + _outer(right, left)


def _multiplied_size(step: _Step, form: _Vector, factor: _Vector | None, order: int) -> _Vector:
    assert factor is not None
    assert step.factor is not None
    (z, Jz, Hz), (c, Jc, Hc) = _magnitude(step.form), _magnitude(step.factor)
    J = H = _EMPTY
    if order >= 1:
        own = _by(c, Jz) + _by(z, Jc)
        J = _norm(own, _by(c, form.J), _by(factor.a, Jz), _by(z, factor.J), _by(form.a, Jc))
    if order == 2:
        own = _crossed(Jz, Jc)
        H = _norm(_crossed(form.J, Jc), _crossed(Jz, factor.J))
        if Hz is not None and form.H is not None:
            own = own + _by(c, Hz)
            H = _norm(H, _by(c, form.H), _by(factor.a, Hz))
        if Hc is not None and factor.H is not None:
            own = own + _by(z, Hc)
            H = _norm(H, _by(z, factor.H), _by(form.a, Hc))
        H = np.hypot(own, H)
    return _Vector(_norm(z * c, form.a * c, z * factor.a), J, H)


def _softmax_size(step: _Step, form: _Vector, factor: _Vector | None, order: int) -> _Vector:
    """Of products of s with what log_softmax has; s has the relative error of its exponent."""
    s, logs = step.jet[0], _log_softmax_size(step, form, factor, order)
    moved = _moved(s, form.a)
    C, E = _shares(step, order)
    J = H = _EMPTY
    if order >= 1:
        J = _by(s, np.hypot(logs.J, _by(moved, np.abs(C))))
    if order == 2:
        assert logs.H is not None
        squared = np.hypot(_outer(np.abs(C), np.abs(C)), _crossed(logs.J, np.abs(C)))
        H = _by(s, _norm(logs.H, squared, _by(moved, E + _mean(s, E))))
    return _Vector(s * np.hypot(1, moved), J, H)


def _log_softmax_size(step: _Step, form: _Vector, factor: _Vector | None, order: int) -> _Vector:
    """The formulas as they are in the module's heading, with all terms of each sum over r."""
    s, z = step.jet[0], step.form.a
    moved = _moved(s, form.a)
    C, E = _shares(step, order)
    total = (
        np.max(z, axis=1, keepdims=True) + np.log(np.sum(np.exp(z - z.max(1)[:, None]), 1))[:, None]
    )
    J = H = _EMPTY
    if order >= 1:
        Jz = np.abs(step.form.J)
        J = _norm(
            Jz + _mean(s, Jz),
            form.J,
            _mean_of_squares(s, form.J),
            _mean_of_squares(s, _by(moved, Jz)),
        )
    if order == 2:
        H = np.abs(_full(step.form, 2))
        size = np.hypot(_full(form, 2), _crossed(J, np.abs(C)))
        own = H + _mean(s, H + _outer(np.abs(C), np.abs(C)))
        H = _norm(
            own,
            _full(form, 2),
            _mean_of_squares(s, size),
            _mean_of_squares(s, _by(moved, np.abs(E))),
        )
    a = _norm(np.abs(z) + np.abs(total), form.a, _mean_of_squares(s, form.a))
    return _Vector(a, J, H)


def _moved(s: Array, size: Array) -> Array:
    """The size of the relative error of softmax: that of its exponent z and of the sum."""
    return np.hypot(size, _mean_of_squares(s, size))


def _mean_of_squares(s: Array, size: Array) -> Array:
    """`sqrt(sum_r (s_r S_r)^2)`, to be spread over the neurons."""
    terms = _by(s, size)
    return np.sqrt(np.sum(terms * terms, axis=1, keepdims=True))


def _shares(step: _Step, order: int) -> tuple[Array, Array]:
    """C and E of the module's heading, the terms of each difference by their absolute values."""
    s, J = step.jet[0], np.abs(step.form.J)
    C = J + _mean(s, J) if order >= 1 else _EMPTY
    return C, np.abs(_full(step.form, 2)) + _outer(C, C) if order == 2 else _EMPTY


_SIZES: dict[str, Callable[[_Step, _Vector, _Vector | None, int], _Vector]] = {
    "form": _form_alone,
    "activation": _activated_size,
    "product": _multiplied_size,
    "softmax": _softmax_size,
    "log_softmax": _log_softmax_size,
}


# --- the table of activations -------------------------------------------------------------------


def _jet(activation: _Activation, z: Array) -> Jet:
    rule = _TABLE.get(activation.name)
    return rule(z) if rule else _own_jet(_tuples(activation.tree), z)


def _linear(z: Array) -> Jet:
    return z, np.ones_like(z), np.zeros_like(z)


def _logistic(z: Array) -> tuple[Array, Array]:
    """`1/(1 + exp(-z))` and `1/(1 + exp(z))`, from an exponential that cannot overflow."""
    small = np.exp(-np.abs(z))
    large_side, small_side = 1 / (1 + small), small / (1 + small)
    right = z >= 0
    return np.where(right, large_side, small_side), np.where(right, small_side, large_side)


def _sigmoid(z: Array) -> Jet:
    s, rest = _logistic(z)
    return s, s * rest, s * rest * (rest - s)


def _tanh(z: Array) -> Jet:
    t = np.tanh(z)
    s, rest = _logistic(2 * z)
    slope = 4 * s * rest
    return t, slope, -2 * t * slope


def _relu(z: Array) -> Jet:
    return np.maximum(z, 0), np.where(z > 0, 1.0, 0.0), np.zeros_like(z)


def _leaky_relu(z: Array) -> Jet:
    return np.where(z > 0, z, 0.01 * z), np.where(z > 0, 1.0, 0.01), np.zeros_like(z)


def _elu(z: Array) -> Jet:
    left = np.minimum(z, 0)
    right = z > 0
    return (
        np.where(right, z, np.expm1(left)),
        np.where(right, 1.0, np.exp(left)),
        np.where(right, 0.0, np.exp(left)),
    )


def _selu(z: Array) -> Jet:
    lam, alpha = 1.0507009873554804934193349852946, 1.6732632423543772848170429916717
    right = z > 0
    below, slope, bend = _elu(np.minimum(z, 0))
    return (
        np.where(right, lam * z, lam * alpha * below),
        np.where(right, lam, lam * alpha * slope),
        np.where(right, 0.0, lam * alpha * bend),
    )


def _softplus(z: Array) -> Jet:
    s, rest = _logistic(z)
    return np.logaddexp(0, z), s, s * rest


def _silu(z: Array) -> Jet:
    s, rest = _logistic(z)
    return z * s, s * (1 + z * rest), s * rest * (2 + z * (rest - s))


def _rounded(function: Callable[[float], float]) -> Callable[[Array], Array]:
    """Of doubles. In extended precision off by what a double leaves out, so that this is seen."""
    doubles = np.vectorize(function, otypes=[np.float64])

    def computed(u: Array) -> Array:
        found: Array = doubles(u)
        if u.dtype == np.longdouble:
            found = found * np.longdouble(1 + 2.0**-50)  # type: ignore[assignment]
        return found

    return computed


_erfc = _rounded(math.erfc)


def _gelu(z: Array) -> Jet:
    below = 0.5 * _erfc(-z / math.sqrt(2))
    density = np.exp(-0.5 * z * z) / math.sqrt(2 * math.pi)
    # Beyond 40 the density is 0, and 0 times the square of a huge z would be NaN.
    c = np.clip(z, -40, 40)
    return z * below, below + c * density, density * (2 - c * c)


def _gelu_tanh(z: Array) -> Jet:
    k, cubic = math.sqrt(8 / math.pi), 0.044715
    c = np.clip(z, -30, 30)  # where the logistic function has long been 0 or 1
    u, du, ddu = k * (c + cubic * c**3), k * (1 + 3 * cubic * c * c), 6 * k * cubic * c
    s, rest = _logistic(u)
    slope = s * rest
    first = s + c * slope * du
    return z * s, first, slope * (2 * du + c * (ddu + du * du * (rest - s)))


def _softsign(z: Array) -> Jet:
    p = 1 / (1 + np.abs(z))
    return z * p, p * p, np.where(z < 0, 2.0, -2.0) * p * p * p


def _sin(z: Array) -> Jet:
    return np.sin(z), np.cos(z), -np.sin(z)


def _cos(z: Array) -> Jet:
    return np.cos(z), -np.sin(z), -np.cos(z)


def _exp(z: Array) -> Jet:
    return np.exp(z), np.exp(z), np.exp(z)


def _gaussian(z: Array) -> Jet:
    c = np.clip(z, -30, 30)
    bell = np.exp(-c * c)
    return bell, -2 * c * bell, (4 * c * c - 2) * bell


def _arctan(z: Array) -> Jet:
    p = 1 / (1 + z * z)
    return np.arctan(z), p, -2 * z * p * p


def _mish(z: Array) -> Jet:
    """tanh(softplus(z)) is tanh(v) with v' = s, and 1/cosh(v)^2 = 1/cosh^2 of what is above 0."""
    s, rest = _logistic(z)
    t, w, _ = _tanh(np.logaddexp(0, z))
    dt = w * s
    ddt = w * s * (rest - 2 * t * s)
    return z * t, t + z * dt, 2 * dt + z * ddt


def _flat_beyond(low: float, high: float, inside: Callable[[Array], Jet]) -> Callable[[Array], Jet]:
    """`inside` from low to high, constant beyond, with derivative 0 at both ends."""

    def rule(z: Array) -> Jet:
        value = inside(np.clip(z, low, high))[0]
        between = (z > low) & (z < high)
        _, slope, bend = inside(z)
        return value, np.where(between, slope, 0.0), np.where(between, bend, 0.0)

    return rule


def _hardswish(z: Array) -> Jet:
    middle = (z > -3) & (z < 3)
    above = np.where(z >= 3, 1.0, 0.0)
    return (
        np.where(middle, z * (z + 3) / 6, np.where(z >= 3, z, 0 * np.minimum(z, 0))),
        np.where(middle, z / 3 + 0.5, above),
        np.where(middle, 1 / 3, 0.0),
    )


def _logsigmoid(z: Array) -> Jet:
    s, rest = _logistic(z)
    return -np.logaddexp(0, -z), rest, -s * rest


def _tanhshrink(z: Array) -> Jet:
    t, w, _ = _tanh(z)
    square = np.minimum(z * z, 0.1)
    # tanh(z)/z as a continued fraction: 1/(1 + z^2/(3 + z^2/(5 + ...))).
    fraction = np.full_like(z, 23.0)
    for odd in range(21, 1, -2):
        fraction = odd + square / fraction
    near = z * square / (fraction + square)
    return np.where(z * z < 0.1, near, z - t), t * t, 2 * t * w


def _log(z: Array) -> Jet:
    inside = np.where(z >= 0, z, np.nan)
    return np.log(inside), 1 / inside, -1 / (inside * inside)


def _asinh(z: Array) -> Jet:
    root = np.hypot(1, z)
    return np.arcsinh(z), 1 / root, -(z / root) / root / root


def _sinc(z: Array) -> Jet:
    """sin(z)/z by its series near 0, where the quotients cancel."""
    near = np.where(np.abs(z) < 2, z, 0.0)
    value, slope, bend = np.zeros_like(z), np.zeros_like(z), np.zeros_like(z)
    for k in range(16, -1, -1):
        c = (-1) ** k / math.factorial(2 * k + 1)
        value += c * near ** (2 * k)
        slope += 2 * k * c * near ** max(0, 2 * k - 1)
        bend += 2 * k * (2 * k - 1) * c * near ** max(0, 2 * k - 2)
    sine, cosine = np.sin(z), np.cos(z)
    inside = np.abs(z) < 2
    return (
        np.where(inside, value, sine / z),
        np.where(inside, slope, (cosine - sine / z) / z),
        np.where(inside, bend, -(sine + 2 * (cosine - sine / z) / z) / z),
    )


_TABLE: dict[str, Callable[[Array], Jet]] = {
    "linear": _linear,
    "sigmoid": _sigmoid,
    "tanh": _tanh,
    "relu": _relu,
    "leaky_relu": _leaky_relu,
    "elu": _elu,
    "selu": _selu,
    "softplus": _softplus,
    "silu": _silu,
    "gelu": _gelu,
    "gelu_tanh": _gelu_tanh,
    "softsign": _softsign,
    "sin": _sin,
    "cos": _cos,
    "exp": _exp,
    "gaussian": _gaussian,
    "arctan": _arctan,
    "mish": _mish,
    "hardtanh": _flat_beyond(-1, 1, lambda z: (z, 1.0 + 0 * z, 0 * z)),
    "hardsigmoid": _flat_beyond(-3, 3, lambda z: ((z + 3) / 6, 1 / 6 + 0 * z, 0 * z)),
    "relu6": _flat_beyond(0, 6, lambda z: (z, 1.0 + 0 * z, 0 * z)),
    "satlin": _flat_beyond(0, 1, lambda z: (z, 1.0 + 0 * z, 0 * z)),
    "hardswish": _hardswish,
    "logsigmoid": _logsigmoid,
    "tanhshrink": _tanhshrink,
    "celu": _elu,
    "abs": lambda z: (np.abs(z), np.sign(z), 0 * z),
    "square": lambda z: (z * z, 2 * z, 2 + 0 * z),
    "sqrt": lambda z: (np.sqrt(z), 0.5 / np.sqrt(z), -0.25 / (z * np.sqrt(z))),
    "log": _log,
    "reciprocal": lambda z: (1 / z, -1 / z / z, 2 / z / z / z),
    "asinh": _asinh,
    "sinc": _sinc,
}


# --- a user's own activation, from its tree -----------------------------------------------------


def _own_jet(tree: Any, z: Array) -> Jet:
    """The jet of a user's own formula, with one-sided limits where double precision is in doubt.

    That is where extended precision has another result, or neither has one, and at corners. Beyond
    `_LIMITS` such places the rest of them have no reference, and are NaN.
    """
    jet = _tree_jet(tree, z)
    longer = _tree_jet(tree, z.astype(np.longdouble))
    sure = np.ones(z.shape, bool)
    for a, b in zip(jet, longer, strict=True):
        sure &= np.isfinite(a) & (np.abs(a - b) <= _AGREED * np.abs(b))
    corner = _corners(tree, z)
    found = tuple(np.array(np.broadcast_to(part, z.shape), dtype=np.float64) for part in jet)
    for count, at in enumerate(map(tuple, np.argwhere(~(sure & ~corner) & ~np.isnan(z)))):
        limit: Any = (math.nan,) * 3
        if count < _LIMITS:
            plain = 0.0 if np.isnan(found[1][at]) else float(found[1][at])
            twice = bool(corner[at]) or any(np.isinf(part[at]) for part in found)
            limit = limits.jet(tree, float(z[at]), twice, plain)
        for part, value in zip(found, limit or (), strict=False):
            part[at] = value
    return found[0], found[1], found[2]


_AGREED = 2.0**-38  # of double and extended precision
_LIMITS = 20_000  # a second or two


def _tuples(tree: Any) -> Any:
    """The tree in tuples, whatever it was read as."""
    return tuple(map(_tuples, tree)) if isinstance(tree, (list, tuple)) else tree


def _corners(tree: Any, z: Array) -> Any:
    """Where z is at a corner: a condition's sides are equal, or what |.| or max(.) compare."""
    if not isinstance(tree, tuple):
        return np.zeros(z.shape, bool)
    operation, *arguments = tree
    if operation == "piecewise":
        *pieces, otherwise = arguments
        found = _corners(otherwise, z)
        for value, (_, left, right) in pieces:
            found |= _corners(value, z) | (_tree_jet(left, z)[0] == _tree_jet(right, z)[0])
        return found
    found = np.zeros(z.shape, bool)
    for argument in arguments:
        found |= _corners(argument, z)
    if operation in ("abs", "sign", "min", "max"):
        values = [_tree_jet(argument, z)[0] for argument in arguments]
        pairs = [(0, values[0])] if len(values) == 1 else combinations(values, 2)
        for a, b in pairs:
            found |= a == b
    return found


def _tree_jet(tree: Any, z: Array) -> Jet:
    """The jet of a formula stored as nested tuples, such as `("mul", "z", ("exp", "z"))`."""
    if isinstance(tree, str):
        return _linear(z) if tree == "z" else _constant(_WORDS.get(tree) or _fraction(tree), z)
    if isinstance(tree, (int, float)):
        return _constant(tree, z)
    operation, *arguments = tree
    if operation == "piecewise":
        return _piecewise(arguments, z)
    if operation == "pow" and not isinstance(arguments[1], (list, tuple)) and arguments[1] != "z":
        return _power(_tree_jet(arguments[0], z), float(_tree_jet(arguments[1], np.zeros(()))[0]))
    jets = [_tree_jet(argument, z) for argument in arguments]
    if operation in _FUNCTIONS:
        return _composed(_FUNCTIONS[operation](jets[0][0]), jets[0])
    result = jets[0]
    for jet in jets[1:]:
        result = _PAIRS[operation](result, jet)
    return result


_WORDS = {"pi": math.pi, "e": math.e}


def _fraction(word: str) -> float:
    top, _, bottom = word.partition("/")
    return int(top) / int(bottom)  # correctly rounded, however long


def _constant(number: float, z: Array) -> Jet:
    return np.full_like(z, number), np.zeros_like(z), np.zeros_like(z)


def _composed(outer: Jet, inner: Jet) -> Jet:
    """`f(u)`: `f' u'` and `f'' u'^2 + f' u''`."""
    value, first, second = outer
    _, slope, bend = inner
    return value, first * slope, second * slope * slope + first * bend


def _sum(left: Jet, right: Jet) -> Jet:
    return left[0] + right[0], left[1] + right[1], left[2] + right[2]


def _product(left: Jet, right: Jet) -> Jet:
    (u, du, ddu), (v, dv, ddv) = left, right
    return u * v, du * v + u * dv, ddu * v + 2 * du * dv + u * ddv


def _power(base: Jet, n: float) -> Jet:
    u = base[0]
    first = n * u ** (n - 1) if n else np.zeros_like(u)
    second = n * (n - 1) * u ** (n - 2) if n not in (0, 1) else np.zeros_like(u)
    return _composed((u**n, first, second), base)


def _general_power(base: Jet, exponent: Jet) -> Jet:
    """`u^v = exp(v log u)`."""
    product = _product(exponent, _composed(_FUNCTIONS["log"](base[0]), base))
    return _composed(_exp(product[0]), product)


def _smaller(left: Jet, right: Jet) -> Jet:
    return _chosen(left[0] <= right[0], left, right)


def _larger(left: Jet, right: Jet) -> Jet:
    return _chosen(left[0] >= right[0], left, right)


def _chosen(condition: Any, then: Jet, otherwise: Jet) -> Jet:
    first, second, third = (np.where(condition, a, b) for a, b in zip(then, otherwise, strict=True))
    return first, second, third


def _piecewise(arguments: Sequence[Any], z: Array) -> Jet:
    *pieces, otherwise = arguments
    result = _tree_jet(otherwise, z)
    for value, (relation, left, right) in reversed(pieces):
        sides = _tree_jet(left, z)[0], _tree_jet(right, z)[0]
        result = _chosen(_RELATIONS[relation](*sides), _tree_jet(value, z), result)
    return result


def _tan(u: Array) -> Jet:
    t = np.tan(u)
    return t, 1 + t * t, 2 * t * (1 + t * t)


def _erf(u: Array) -> Jet:
    slope = 2 / math.sqrt(math.pi) * np.exp(-u * u)
    return _error(u), slope, -2 * u * slope


def _erfc_jet(u: Array) -> Jet:
    _, slope, bend = _erf(u)
    return _erfc(u), -slope, -bend


def _arc(u: Array) -> Array:
    """1 - u^2, to its last digit beside the ends."""
    return (1 - u) * (1 + u)


_error = _rounded(math.erf)
_RELATIONS = {"<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal}
_PAIRS: dict[str, Callable[[Jet, Jet], Jet]] = {
    "add": _sum,
    "mul": _product,
    "pow": _general_power,
    "min": _smaller,
    "max": _larger,
}
_FUNCTIONS: dict[str, Callable[[Array], Jet]] = {
    "exp": _exp,
    "log": lambda u: (np.log(u), 1 / u, -1 / (u * u)),
    "sqrt": lambda u: (np.sqrt(u), 0.5 / np.sqrt(u), -0.25 / (u * np.sqrt(u))),
    "sin": _sin,
    "cos": _cos,
    "tan": _tan,
    "asin": lambda u: (np.arcsin(u), _arc(u) ** -0.5, u * _arc(u) ** -1.5),
    "acos": lambda u: (np.arccos(u), -(_arc(u) ** -0.5), -u * _arc(u) ** -1.5),
    "atan": _arctan,
    "sinh": lambda u: (np.sinh(u), np.cosh(u), np.sinh(u)),
    "cosh": lambda u: (np.cosh(u), np.sinh(u), np.cosh(u)),
    "tanh": _tanh,
    "erf": _erf,
    "erfc": _erfc_jet,
    "asinh": _asinh,
    "acosh": lambda u: (np.arccosh(u), (-_arc(u)) ** -0.5, -u * (-_arc(u)) ** -1.5),
    "atanh": lambda u: (np.arctanh(u), 1 / _arc(u), 2 * u / _arc(u) ** 2),
    "floor": lambda u: (np.floor(u), np.zeros_like(u), np.zeros_like(u)),
    "ceil": lambda u: (np.ceil(u), np.zeros_like(u), np.zeros_like(u)),
    "abs": lambda u: (np.abs(u), np.sign(u), np.zeros_like(u)),
    "sign": lambda u: (np.sign(u), np.zeros_like(u), np.zeros_like(u)),
}
