"""Parts of a formula that are functions of e = exp(-c |z|) alone, as their series where e is small.

    sin(a/(1 + exp(-z))) = c_0 + c_1 e + c_2 e^2 + ...,   z > -log(reach of the series)/c

so that nothing is lost of 1 - tanh(z), and of what is multiplied by it, however small it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import mpmath
import sympy
from sympy import Expr, S, exp

from symnet import precision
from symnet.activations.digits import Number
from symnet.activations.functions import STEPS, held
from symnet.activations.patches import horner, power_series
from symnet.activations.systems import Z
from symnet.activations.tails import Tail

_FUNCTIONS = (sympy.sinh, sympy.cosh, sympy.tanh)
_POLES = 2
_MOST = 12  # powers of e that a formula is written with


class _Series(sympy.Function):
    """The derivative of an order of a series, which one by its number: (e, number, order)."""

    def fdiff(self, argindex: int = 1) -> Expr:
        e, number, order = self.args
        return _Series(e, number, order + 1)


class _Known(NamedTuple):
    """How far a series is right, and its coefficients."""

    reach: float
    terms: tuple[Number, ...]


class _Side(NamedTuple):
    """What e is on one side of 0, exponentials in it, and the series met so far."""

    e: Expr
    rate: Expr
    powers: dict[Expr, Expr]
    known: list[_Known]

    def polynomial(self, e: Expr, number: Expr, order: Expr) -> Expr:
        """A derivative of a series as a polynomial in e."""
        terms = self.known[int(number)].terms
        with precision.digits(40):
            left = [c * mpmath.ff(k, int(order)) for k, c in enumerate(terms)][int(order) :]
            return horner([c or None for c in left], held(e))


def expansions(arm: Expr, order: int) -> Iterator[Tail]:
    """A derivative with such parts as polynomials in e, on the right and on the left."""
    if arm.has(sympy.Piecewise, *STEPS):
        return
    written = arm.rewrite(_FUNCTIONS, exp)
    for side in (1, -1):
        found = _side(written, side)
        if found is None:
            continue
        expanded = _expanded(written, found)
        if found.known:
            reach = min(known.reach for known in found.known)
            bound = sympy.Float(float(-sympy.log(reach) / found.rate))
            derivative = sympy.diff(expanded, Z, order).replace(_Series, found.polynomial)
            yield Tail(derivative, side * bound, side)


def _side(arm: Expr, side: int) -> _Side | None:
    slopes = {}
    for power in arm.atoms(exp):
        exponent = power.args[0]
        slope = sympy.diff(exponent, Z)
        if slope.is_number and slope.is_real and slope != 0:
            slopes[power] = slope
    if not slopes:
        return None
    first = abs(next(iter(slopes.values())))
    ratios = {
        power: sympy.nsimplify(slope / first, rational=True) for power, slope in slopes.items()
    }
    unit = abs(sympy.gcd(list(ratios.values())))
    if any(abs(ratio / unit) > _MOST for ratio in ratios.values()):
        return None
    rate = first * unit
    powers = {
        power: exp(power.args[0] - slopes[power] * Z) * Z ** int(-side * ratio / unit)
        for power, ratio in ratios.items()
    }
    return _Side(exp(-side * rate * Z), rate, powers, [])


def _expanded(node: Expr, on: _Side) -> Expr:
    if not node.has(exp):
        return node
    if _is_of_e(node, on):
        return _series(node, on)
    if isinstance(node, (sympy.Add, sympy.Mul)):
        alone = [part for part in node.args if part.has(exp) and _is_of_e(part, on)]
        others = [_expanded(part, on) for part in node.args if part not in alone]
        return node.func(_series(node.func(*alone), on) if alone else node.func(), *others)
    return node.func(*(_expanded(part, on) for part in node.args))


def _is_of_e(node: Expr, on: _Side) -> bool:
    hidden = {power: sympy.Dummy() for power in on.powers}
    return not node.xreplace(hidden).has(Z)


def _series(node: Expr, on: _Side) -> Expr:
    inner = node.xreplace(on.powers)
    if inner.is_polynomial(Z) or not inner.has(Z):
        return node
    for k in range(_POLES + 1):
        found = power_series(inner * Z**k)
        if found is not None:
            on.known.append(_Known(*found))
            return _Series(on.e, sympy.Integer(len(on.known) - 1), S.Zero) * on.e ** (-k)
    return node
