"""The size of the terms that each entry is made of; see `analytic.scale`.

What cancels is 0 in one order of rounding and a rounding error in another, as the slope of x·(1/x),
and a product of two such is of second order: `_known` takes nothing for exact.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from symnet.witness.analytic.chainrule import (
    EMPTY,
    Activation,
    Graph,
    Node,
    Step,
    Term,
    Vector,
    by,
    entered,
    forward,
    full,
    jet,
    mean,
    outer,
    summed,
    unneeded,
)
from symnet.witness.analytic.own import turns
from symnet.witness.analytic.table import TABLE, Array


def value_and_size(
    graph: Graph, X: Array, order: int, directions: Array | None = None
) -> tuple[Vector, Vector]:
    """The last node's value at points X (N, n), and its sizes as `scale` has them."""
    inputs = entered(X, directions, order)
    vectors = {0: inputs}
    found = {0: Vector(np.abs(X), np.zeros_like(inputs.J), None)}
    steps = zip(graph.nodes, forward(graph, X, order, directions), unneeded(graph), strict=True)
    for k, (node, step, dropped) in enumerate(steps, start=1):
        form = _form_size(node, vectors, found, order)
        factor = None if node.factor is None else found[node.factor]
        vectors[k], found[k] = step.value, _SIZES[node.kind](step, form, factor, order)
        for source in dropped:
            del vectors[source], found[source]
    last = len(graph.nodes)
    return vectors[last], found[last]


def _form_size(
    node: Node, vectors: Mapping[int, Vector], sizes: Mapping[int, Vector], order: int
) -> Vector:
    """The terms' magnitudes, and the root of the sum of what entered them by squares."""
    weights = [None if term.weights is None else np.abs(term.weights) for term in node.terms]
    squared = [None if W is None else W * W for W in weights]
    own = summed([(W, _magnitude(vectors[t.source])) for W, t in _with(weights, node)], order)
    squares = summed([(W, _squares(sizes[t.source])) for W, t in _with(squared, node)], order)
    z = own.a if node.bias is None else own.a + np.abs(node.bias)
    H = None
    if own.H is not None and squares.H is not None:
        H = np.hypot(own.H, np.sqrt(squares.H))
    return Vector(np.hypot(z, np.sqrt(squares.a)), np.hypot(own.J, np.sqrt(squares.J)), H)


def _with(weights: list[Array | None], node: Node) -> Iterator[tuple[Array | None, Term]]:
    return zip(weights, node.terms, strict=True)


_ROUNDING = 1e-7
"""Single precision's. Of doubles it allows 1e-19 of the terms where there would be 0."""


def _known(value: Array, size: Array) -> Array:
    """The magnitude of a value whose terms are of this size, no smaller than what they leave."""
    return np.abs(value) + _ROUNDING * size


def _factor(value: Vector, size: Vector) -> Vector:
    """`_known` of a factor and its derivatives."""
    H = None if value.H is None else _known(value.H, full(size, 2))
    return Vector(_known(value.a, size.a), _known(value.J, size.J), H)


def _squares(vector: Vector) -> Vector:
    a, J, H = vector
    return Vector(a * a, J * J, None if H is None else H * H)


def _magnitude(vector: Vector) -> Vector:
    a, J, H = vector
    return Vector(np.abs(a), np.abs(J), None if H is None else np.abs(H))


def _norm(*terms: Array) -> Array:
    """The root of the sum of squares."""
    result = terms[0]
    for term in terms[1:]:
        result = np.hypot(result, term)
    return result


def _form_alone(step: Step, form: Vector, factor: Vector | None, order: int) -> Vector:
    return form


def _activated_size(step: Step, form: Vector, factor: Vector | None, order: int) -> Vector:
    """Beside the terms of each product, the rounding of z itself counts: it moves sigma^(r) by
    sigma^(r+1), see `_moved_last` for the last order, where no derivative is left.
    """
    s0, s1, s2 = map(np.abs, step.jet)
    last = _moved_last(step, form.a)
    s2 = _known(s2, last)
    s1 = _known(s1, s2 * form.a)
    J = H = EMPTY
    if order >= 1:
        Jz = _known(step.form.J, form.J)
        J = np.hypot(by(s1, form.J), by(s2 * form.a, Jz))
    if order == 2:
        bend = by(s2, _crossed(form.J, Jz))
        moved = by(last, outer(Jz, Jz))
        H = np.hypot(bend, moved)
        if step.form.H is not None:
            H = np.hypot(
                H, by(s1, full(form, 2)) + by(s2 * form.a, _known(step.form.H, full(form, 2)))
            )
    return Vector(np.hypot(s0, s1 * form.a), J, H)


def _moved_last(step: Step, size: Array) -> Array:
    """The size of sigma'', and by how much an error in z of this size moves it.

    In the table, the next derivative is taken as sigma' and sigma'', and the terms of sigma''
    are of the size of sigma', as in s t (t - s) of the sigmoid. Powers and logarithms take a z of
    any magnitude, as 1/T does, and so may a user's own; of z - tanh(z) both are 0 at 0, where the
    next is 2. The slope of their sigma'' is measured; of sines where they do not turn yet, too.
    """
    _, s1, s2 = map(np.abs, step.jet)
    usual = (s1 + s2) * size + s1
    name = None if step.activation is None else step.activation.name
    if step.activation is None or (name in TABLE and name not in _MEASURED):
        return usual
    z = step.form.a
    steps = [_near(z), 1e-10 * np.abs(z)]
    if turns(step.activation.meant_tree):
        steps.append(_FEW_DIGITS * np.abs(z))
    moved = np.fmax.reduce([_change(step.activation, z, h, size) for h in steps])
    measured = moved + s1 / np.maximum(1, np.abs(z)) + s2
    return np.where(np.isnan(measured), usual, measured)


_FEW_DIGITS = 1e-15  # of z


def _near(z: Array) -> Array:
    """A thousandth; a formula may end within it, as a root, or turn around, as tan(z^3) far out."""
    return 1e-3 * np.minimum(1, np.abs(z))


def _change(activation: Activation, z: Array, h: Array, size: Array) -> Array:
    """The size of what moves sigma'' by its slope over h to both sides, for a z that is moved by
    `size`; NaN where one has no value. The slope alone may be no double, as of sqrt at 1e-162.

    Infinite where no double holds it: such entries are not compared.
    """
    h = h + 1e-300
    right, left = (jet(activation, z + side)[2] for side in (h, -h))
    known = np.isfinite(right) & np.isfinite(left)
    with np.errstate(over="ignore"):
        return np.where(known, np.abs(right - left) * (size / (2 * h)), np.nan)


_MEASURED = frozenset(["log", "reciprocal", "sqrt", "square", "asinh", "tanhshrink"])


def _crossed(left: Array, right: Array) -> Array:
    """`l x r + r x l`."""
    return outer(left, right) + outer(right, left)


def _multiplied_size(step: Step, form: Vector, factor: Vector | None, order: int) -> Vector:
    assert factor is not None
    assert step.factor is not None
    (z, Jz, Hz), (c, Jc, Hc) = _factor(step.form, form), _factor(step.factor, factor)
    J = H = EMPTY
    if order >= 1:
        own = by(c, Jz) + by(z, Jc)
        J = _norm(own, by(c, form.J), by(factor.a, Jz), by(z, factor.J), by(form.a, Jc))
    if order == 2:
        own = _crossed(Jz, Jc)
        H = _norm(_crossed(form.J, Jc), _crossed(Jz, factor.J))
        if Hz is not None and form.H is not None:
            own = own + by(c, Hz)
            H = _norm(H, by(c, form.H), by(factor.a, Hz))
        if Hc is not None and factor.H is not None:
            own = own + by(z, Hc)
            H = _norm(H, by(z, factor.H), by(form.a, Hc))
        H = np.hypot(own, H)
    return Vector(_norm(z * c, form.a * c, z * factor.a), J, H)


def _softmax_size(step: Step, form: Vector, factor: Vector | None, order: int) -> Vector:
    """Of products of s with what log_softmax has; s has the relative error of its exponent."""
    s, logs = step.jet[0], _log_softmax_size(step, form, factor, order)
    moved = _moved(s, form.a)
    C, E = _shares(step, form, order)
    J = H = EMPTY
    if order >= 1:
        J = by(s, np.hypot(logs.J, by(moved, np.abs(C))))
    if order == 2:
        assert logs.H is not None
        squared = np.hypot(outer(np.abs(C), np.abs(C)), _crossed(logs.J, np.abs(C)))
        H = by(s, _norm(logs.H, squared, by(moved, E + mean(s, E))))
    return Vector(s * np.hypot(1, moved), J, H)


def _log_softmax_size(step: Step, form: Vector, factor: Vector | None, order: int) -> Vector:
    """The formulas as they are in `analytic`'s heading, with all terms of each sum over r."""
    s, z = step.jet[0], step.form.a
    moved = _moved(s, form.a)
    C, E = _shares(step, form, order)
    total = (
        np.max(z, axis=1, keepdims=True) + np.log(np.sum(np.exp(z - z.max(1)[:, None]), 1))[:, None]
    )
    J = H = EMPTY
    if order >= 1:
        Jz = _known(step.form.J, form.J)
        J = _norm(
            Jz + mean(s, Jz),
            form.J,
            _mean_of_squares(s, form.J),
            _mean_of_squares(s, by(moved, Jz)),
        )
    if order == 2:
        H = np.abs(full(step.form, 2))
        size = np.hypot(full(form, 2), _crossed(J, np.abs(C)))
        own = H + mean(s, H + outer(np.abs(C), np.abs(C)))
        H = _norm(
            own,
            full(form, 2),
            _mean_of_squares(s, size),
            _mean_of_squares(s, by(moved, np.abs(E))),
        )
    a = _norm(np.abs(z) + np.abs(total), form.a, _mean_of_squares(s, form.a))
    return Vector(a, J, H)


def _moved(s: Array, size: Array) -> Array:
    """The size of the relative error of softmax: that of its exponent z and of the sum."""
    return np.hypot(size, _mean_of_squares(s, size))


def _mean_of_squares(s: Array, size: Array) -> Array:
    """`sqrt(sum_r (s_r S_r)^2)`, to be spread over the neurons."""
    terms = by(s, size)
    return np.sqrt(np.sum(terms * terms, axis=1, keepdims=True))


def _shares(step: Step, form: Vector, order: int) -> tuple[Array, Array]:
    """C and E of `analytic`'s heading, the terms of each difference by their absolute values."""
    s, J = step.jet[0], _known(step.form.J, form.J)
    C = J + mean(s, J) if order >= 1 else EMPTY
    return C, np.abs(full(step.form, 2)) + outer(C, C) if order == 2 else EMPTY


_SIZES: dict[str, Callable[[Step, Vector, Vector | None, int], Vector]] = {
    "form": _form_alone,
    "activation": _activated_size,
    "product": _multiplied_size,
    "softmax": _softmax_size,
    "log_softmax": _log_softmax_size,
}
