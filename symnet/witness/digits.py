"""The second witness: a network's value in arithmetic of as many digits as one likes.

    digits.value(net)(x)               y at x, a list of mpmath's numbers, in its working precision
    digits.along(value, x, u, order)   the derivatives of t -> y(x + t u) at 0

No rule of differentiation is in it: derivatives are differences, in a precision that affords them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import factorial
from typing import Any, TypeAlias

import mpmath
import numpy as np
import sympy
from numpy.typing import NDArray
from sympy import lambdify

from symnet import precision
from symnet.activations import Activation, Z
from symnet.activations.identities import complemented
from symnet.network import Network
from symnet.network.graph import Node

DIGITS = 50
"""Digits of the arithmetic in which `along` takes its differences."""

_MORE = (350, 1000)
_QUICK = 60  # digits more before those, of functions that take milliseconds in 400
_SLOW = (sympy.erf, sympy.erfc, sympy.erfinv, sympy.loggamma, sympy.polygamma)
_PLAIN = 1e-3, 10.0  # sizes of z between which the table's formulas lose half of these at most

Array = NDArray[Any]
Numbers: TypeAlias = list[Any]
"""A vector of mpmath's numbers."""


def value(network: Network) -> Callable[[Numbers], Numbers]:
    """The network's value in mpmath's current precision, for its weights in double precision.

    ValueError when a weight is symbolic.
    """
    nodes = [(_form(node), _RULES[node.kind](node)) for node in network.numeric().nodes]

    def computed(x: Numbers) -> Numbers:
        vectors = [x]
        for form, rule in nodes:
            vectors.append(rule(form(vectors), vectors))
        return vectors[-1]

    return computed


def along(value: Callable[[Numbers], Numbers], point: Array, u: Array, order: int) -> Array:
    """The derivatives of t -> y(x + t u) at 0 up to `order`, as doubles: (order + 1, m).

    `value` gives y; point and u are (n,). With r + 1 values of the network for order r, whatever
    the number of inputs.
    """
    known: dict[Any, Numbers] = {}

    def restricted(t: Any) -> Numbers:
        key = t, mpmath.mp.prec
        if key not in known:
            pairs = zip(point.tolist(), u.tolist(), strict=True)
            known[key] = value([mpmath.mpf(x) + t * mpmath.mpf(d) for x, d in pairs])
        return known[key]

    with precision.digits(DIGITS):
        series = [
            mpmath.taylor(lambda t, p=p: restricted(t)[p], 0, order, chop=False)
            for p in range(len(restricted(mpmath.mpf(0))))
        ]
        return np.array([[float(c[r] * factorial(r)) for c in series] for r in range(order + 1)])


def _form(node: Node) -> Callable[[Sequence[Numbers]], Numbers]:
    """`sum_j W_j a_j + b`; zero weights take no part."""
    terms = [(None if t.weights is None else _rows(t.weights), t.source) for t in node.terms]
    bias = [] if node.bias is None else [mpmath.mpf(b) for b in node.bias.tolist()]

    def form(vectors: Sequence[Numbers]) -> Numbers:
        parts = [vectors[j] if rows is None else _times(rows, vectors[j]) for rows, j in terms]
        parts += [bias] if bias else []
        return parts[0] if len(parts) == 1 else [mpmath.fsum(p) for p in zip(*parts, strict=True)]

    return form


def _rows(weights: Array) -> list[tuple[list[int], Numbers]]:
    """Of each row the columns of its entries that are not 0, and these."""
    found = []
    for row in weights:
        columns = np.flatnonzero(row).tolist()
        found.append((columns, [mpmath.mpf(row[j].item()) for j in columns]))
    return found


def _times(rows: list[tuple[list[int], Numbers]], v: Numbers) -> Numbers:
    return [mpmath.fdot(entries, [v[j] for j in columns]) for columns, entries in rows]


_Rule: TypeAlias = Callable[[Numbers, Sequence[Numbers]], Numbers]


def _itself(node: Node) -> _Rule:
    return lambda z, vectors: z


def _activated(node: Node) -> _Rule:
    function = _function(node.activation)
    return lambda z, vectors: [function(entry) for entry in z]


def _function(activation: Activation | None) -> Callable[[Any], Any]:
    assert activation is not None
    formula = complemented(activation.meant)
    known = {"rint": mpmath.nint, "held": lambda x: x}
    direct = _real(lambdify(Z, formula, [known, "mpmath"]))
    sure = _told(direct, (_QUICK, *_MORE) if formula.has(*_SLOW) else _MORE)
    if not activation.given:
        return sure
    near, far = _PLAIN
    return lambda z: direct(z) if near < abs(z) < far else sure(z)


def _real(found: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def real(z: Any) -> Any:
        try:
            value = found(z)
        except (ZeroDivisionError, ValueError, OverflowError):  # a pole, an end of the domain
            return mpmath.nan
        return mpmath.nan if mpmath.im(value) else mpmath.re(value)

    return real


def _told(function: Callable[[Any], Any], steps: Sequence[int]) -> Callable[[Any], Any]:
    """In as many more digits as it takes: in 50 of them 1 + tanh(z) is 0 from -58 on.

    And in 110 from -127 on, where exp(2 z) + z (1 + tanh(z)) then seems to be told.

    An infinity is the logarithm of such a 0, or of one that is 0 in 110 digits, too.
    """

    def sure(z: Any) -> Any:
        least = mpmath.mpf(10) ** (5 - mpmath.mp.dps)
        value = function(z)
        for more in steps:
            before = value
            with precision.digits(mpmath.mp.dps + more):
                value = function(z)
            if value and mpmath.isfinite(value) and abs(value - before) <= least * abs(value):
                break
        return +value

    return sure


def _multiplied(node: Node) -> _Rule:
    factor = node.factor
    assert factor is not None

    def product(z: Numbers, vectors: Sequence[Numbers]) -> Numbers:
        width = max(len(z), len(vectors[factor]))
        left, right = (v * width if len(v) == 1 else v for v in (z, vectors[factor]))
        return [a * b for a, b in zip(left, right, strict=True)]

    return product


def _softmax(node: Node) -> _Rule:
    def shares(z: Numbers, vectors: Sequence[Numbers]) -> Numbers:
        powers = [mpmath.exp(entry - max(z)) for entry in z]
        total = mpmath.fsum(powers)
        return [power / total for power in powers]

    return shares


def _log_softmax(node: Node) -> _Rule:
    def logarithms(z: Numbers, vectors: Sequence[Numbers]) -> Numbers:
        top = max(range(len(z)), key=z.__getitem__)
        others = (mpmath.exp(entry - z[top]) for k, entry in enumerate(z) if k != top)
        total = mpmath.log1p(mpmath.fsum(others))  # the largest share may be all but 1
        return [entry - z[top] - total for entry in z]

    return logarithms


_RULES: dict[str, Callable[[Node], _Rule]] = {
    "form": _itself,
    "activation": _activated,
    "product": _multiplied,
    "softmax": _softmax,
    "log_softmax": _log_softmax,
}
