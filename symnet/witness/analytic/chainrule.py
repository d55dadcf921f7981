"""A network's nodes one after the other, each with its derivatives at points X (N, n)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np

from symnet.witness.analytic.own import own_jet, own_value
from symnet.witness.analytic.table import TABLE, Array, Jet, linear


class Activation(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def meant_tree(self) -> Any: ...


class Term(Protocol):
    @property
    def weights(self) -> Any: ...
    @property
    def source(self) -> int: ...


class Node(Protocol):
    @property
    def terms(self) -> Sequence[Term]: ...
    @property
    def bias(self) -> Any: ...
    @property
    def kind(self) -> str: ...
    @property
    def activation(self) -> Activation | None: ...
    @property
    def factor(self) -> int | None: ...


class Graph(Protocol):
    """Nodes whose arrays are float64, and the width of each vector, the inputs' first."""

    @property
    def nodes(self) -> Sequence[Node]: ...
    @property
    def widths(self) -> Sequence[int]: ...


class Vector(NamedTuple):
    """A vector and its derivatives at N points; those of a higher order than asked for are empty.

    H is None where it is zero, as the inputs' own, which would be n^3 zeros a point.
    """

    a: Array  # (N, width)
    J: Array  # (N, width, n)
    H: Array | None  # (N, width, n, n)


class Step(NamedTuple):
    """One node at N points: its form, the vector that multiplies it, and its value."""

    form: Vector
    factor: Vector | None
    jet: Jet  # of what is applied to the form
    value: Vector
    activation: Activation | None = None


EMPTY: Array = np.empty(0)


def full(vector: Vector, order: int) -> Array:
    """The vector's derivative of this order, zeros written out."""
    a, J, H = vector
    if order == 2 and H is None:
        return np.zeros((*J.shape, J.shape[-1]))
    found = (a, J, H)[order]
    assert found is not None
    return found


def entered(X: Array, directions: Array | None, order: int) -> Vector:
    """The inputs at points X (N, n), with derivatives by each, or along directions (n, k).

    Each point may have its own, (N, n, k).
    """
    if order == 0:  # of 12,000 inputs the columns take 1 GB
        return Vector(X, EMPTY, None)
    columns = np.eye(X.shape[1]) if directions is None else directions
    return Vector(X, np.broadcast_to(columns, (len(X), *columns.shape[-2:])), None)


def forward(graph: Graph, X: Array, order: int, directions: Array | None = None) -> Iterator[Step]:
    """The nodes one after the other; what no later one needs is forgotten."""
    vectors = {0: entered(X, directions, order)}
    for k, (node, dropped) in enumerate(zip(graph.nodes, unneeded(graph), strict=True), start=1):
        form = _form(node, vectors, order)
        factor = None if node.factor is None else vectors[node.factor]
        step = RULES[node.kind](node, form, factor, order)
        vectors[k] = step.value
        for source in dropped:
            del vectors[source]
        yield step


def sketched(graph: Graph, X: Array) -> Iterator[tuple[Array, Array]]:
    """Form and value of each node, a user's own activation as double precision has it."""
    vectors = [entered(X, None, 0)]
    for node in graph.nodes:
        form = _form(node, dict(enumerate(vectors)), 0)
        if node.activation is not None and node.activation.name not in TABLE:
            vectors.append(Vector(own_value(node.activation.meant_tree, form.a), EMPTY, None))
        else:
            factor = None if node.factor is None else vectors[node.factor]
            vectors.append(RULES[node.kind](node, form, factor, 0).value)
        yield form.a, vectors[-1].a


def _form(node: Node, vectors: Mapping[int, Vector], order: int) -> Vector:
    """`sum_j W_j a_j + b` and its derivatives."""
    form = summed([(term.weights, vectors[term.source]) for term in node.terms], order)
    return form if node.bias is None else form._replace(a=form.a + node.bias)


def summed(terms: Sequence[tuple[Array | None, Vector]], order: int) -> Vector:
    """`sum_j W_j a_j` and its derivatives; no matrix is the vector itself."""
    z = total([v.a if W is None else v.a @ W.T for W, v in terms])
    J = total([v.J if W is None else times(W, v.J) for W, v in terms]) if order >= 1 else EMPTY
    curved = [(W, v.H) for W, v in terms if v.H is not None and order == 2]
    H = total([H if W is None else times(W, H) for W, H in curved]) if curved else None
    return Vector(z, J, H)


def total(terms: Sequence[Array]) -> Array:
    result = terms[0]
    for term in terms[1:]:
        result = result + term
    return result


def times(weights: Array, J: Array) -> Array:
    """`W J` over the axis of neurons: (N, inputs, n) to (N, outputs, n), and the same of H.

    One product for all points; where these have the inputs' own J, which is one for all, of that.
    """
    own = J[:1] if J.strides[0] == 0 else J
    found = np.tensordot(weights, own, (1, 1)).swapaxes(0, 1)
    return np.broadcast_to(found, (len(J), *found.shape[1:]))


def outer(left: Array, right: Array) -> Array:
    """`(l x r)[p, k, i, j] = l[p, k, i] r[p, k, j]`."""
    return left[..., :, None] * right[..., None, :]


def by(factor: Array, J: Array) -> Array:
    """A number for each neuron times its derivatives."""
    return factor.reshape(factor.shape + (1,) * (J.ndim - 2)) * J


def _itself(node: Node, form: Vector, factor: Vector | None, order: int) -> Step:
    return Step(form, None, linear(form.a), form)


def _activated(node: Node, form: Vector, factor: Vector | None, order: int) -> Step:
    assert node.activation is not None
    found = a, first, second = jet(node.activation, form.a)
    J = H = EMPTY
    if order >= 1:
        J = by(first, form.J)
    if order == 2:
        H = by(second, outer(form.J, form.J))
        H = H if form.H is None else H + by(first, form.H)
    return Step(form, None, found, Vector(a, J, H), node.activation)


def _multiplied(node: Node, form: Vector, factor: Vector | None, order: int) -> Step:
    assert factor is not None
    (z, Jz, Hz), (c, Jc, Hc) = form, factor
    J = H = EMPTY
    if order >= 1:
        J = by(c, Jz) + by(z, Jc)
    if order == 2:
        H = outer(Jz, Jc) + outer(Jc, Jz)
        H = H if Hz is None else H + by(c, Hz)
        H = H if Hc is None else H + by(z, Hc)
    return Step(form, factor, linear(z), Vector(z * c, J, H))


def _softmax(node: Node, form: Vector, factor: Vector | None, order: int) -> Step:
    """`s`, from `log s`: where one share is nearly 1, its own logarithm is exact, not `1 - s`."""
    logs = _log_softmax(node, form, factor, order)
    s, (_, C, B) = logs.jet[0], logs.value
    J = H = EMPTY
    if order >= 1:
        J = by(s, C)
    if order == 2:
        assert B is not None
        H = by(s, B + outer(C, C))
    return logs._replace(value=Vector(s, J, H))


def _log_softmax(node: Node, form: Vector, factor: Vector | None, order: int) -> Step:
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
    C = B = EMPTY
    if order >= 1:
        J = form.J - form.J[rows, top][:, None]
        C = J - mean(s, J)
    if order == 2:
        H = full(form, 2)
        H = H - H[rows, top][:, None]
        B = H - mean(s, H + outer(C, C))
    value = Vector(z - np.log1p(rest), C, B)
    return Step(form, None, (s, s, s), value)


def mean(s: Array, J: Array) -> Array:
    """`sum_r s_r J_r` for each point, to be spread over the neurons."""
    return np.sum(by(s, J), axis=1, keepdims=True)


RULES: dict[str, Callable[[Node, Vector, Vector | None, int], Step]] = {
    "form": _itself,
    "activation": _activated,
    "product": _multiplied,
    "softmax": _softmax,
    "log_softmax": _log_softmax,
}
"""How the value of a node follows from its form and the vector that multiplies it."""


def jet(activation: Activation, z: Array) -> Jet:
    rule = TABLE.get(activation.name)
    return rule(z) if rule else own_jet(activation.meant_tree, z)


def unneeded(graph: Graph) -> list[set[int]]:
    """For each node the vectors which nothing after it needs."""
    last = {source: k for k, node in enumerate(graph.nodes, start=1) for source in sources(node)}
    dropped: list[set[int]] = [set() for _ in graph.nodes]
    for source, k in last.items():
        dropped[k - 1].add(source)
    return dropped


def sources(node: Node) -> set[int]:
    factor = set() if node.factor is None else {node.factor}
    return {term.source for term in node.terms} | factor
