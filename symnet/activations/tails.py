"""Far from 0, where functions come to an end: tanh(z) is 1, and log(1 + exp(z)) is exp(z) or z.

    exp(u)             0 on one side           tanh(u), erf(u)   1 and -1
    erfc(u)            0 and 2                 log(1 + exp(u))   u, and exp(u)
    digamma(c + e^u)   u + (c - 1/2) e^-u - (6 c^2 - 6 c + 1)/12 e^-2u

What they leave of a formula is often algebraic, so that its powers of z need not be beyond doubles.
Roots of what goes to 0 are numbers of a double still where that is none: sqrt(log(1 + exp z)) is
exp(z/2) at -800.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import NamedTuple

import sympy
from sympy import Expr, S, exp, log
from sympy.core.relational import Relational

from symnet.activations.functions import erfcx, held
from symnet.activations.systems import Z

_BOUND = 40
"""Of u, from which on log(1 + exp(u)) and its derivatives are those of u, or exp(u), in doubles."""

_SERIES = 20  # of u, from which on so many terms are 16 digits of erfcx(u)
_TERMS = 8

BOUNDS = (_BOUND, 800)
"""Of u, from which on a number is what a function comes to: beside another, or even alone."""

_ENDS = {
    exp: (None, S.Zero),
    sympy.tanh: (S.One, S.NegativeOne),
    sympy.erf: (S.One, S.NegativeOne),
    sympy.erfc: (S.Zero, S(2)),
}
"""What a function comes to where its argument grows, and where it falls."""


class Tail(NamedTuple):
    """What a formula is from a bound on: on the right of it (side 1), or on the left (-1).

    last: where another one takes over.
    """

    formula: Expr
    bound: Expr
    side: int
    last: Expr = S.Infinity

    @property
    def test(self) -> Relational:
        """The condition on z."""
        return self.bound < Z if self.side > 0 else self.bound > Z

    @property
    def ends(self) -> tuple[Expr, Expr]:
        """The interval of z."""
        return (self.bound, self.last) if self.side > 0 else (-abs(self.last), self.bound)


def vanishing(arm: Expr) -> Tail | None:
    """Where log(1 + exp(u)) is exp(u), if u is linear in z, and the same in all of them."""
    found = {node: u for node in arm.atoms(log) if (u := _exponent(node)) is not None}
    if len(set(found.values())) != 1:
        return None
    (u,) = set(found.values())
    rate = sympy.diff(u, Z)
    if not rate.is_number or not rate.is_real or rate == 0:
        return None
    bound = sympy.Float(float((-_BOUND - u.subs(Z, 0)) / rate))
    there = sympy.powdenest(arm.xreplace({node: exp(u) for node in found}), force=True)
    return Tail(there, bound, -1 if rate > 0 else 1)


def settled(arm: Expr, size: int) -> Iterator[Tail]:
    """The formula on each side of 0 where arguments have this size, if any function has an end."""
    for side in (1, -1):
        known: dict[Expr, Expr] = {}
        bound = S.Zero
        nodes = arm.atoms(log, sympy.polygamma, *_ENDS)
        for node in sorted(nodes, key=sympy.count_ops, reverse=True):
            u = _argument(node)
            reached = None if u is None else _reached(u, side, size)
            if reached is None:
                continue
            growing, place = reached
            end = _end(node, u, growing)
            if end is not None:
                known[node] = end
                bound = max(bound, place)
        if known and (found := arm.xreplace(known)).has(Z):
            yield Tail(found, side * bound, side)


def scaled(arm: Expr, order: int) -> Iterator[Tail]:
    """The formula with exp(-x^2) erfcx(x) for erfc(x), on each side of what x are 0 at.

    Of a value the series of erfcx where x is large: it is approximated up to there only.
    """
    if not arm.has(sympy.erf, sympy.erfc):
        return
    bounds: dict[int, Expr] = {}
    for large, side in product((True, False) if order == 0 else (False,), (1, -1)):
        known: dict[Expr, Expr] = {}
        bound = -side * S.Infinity
        for node in arm.atoms(sympy.erf, sympy.erfc):
            x = node.args[0].replace(held, lambda inner: inner)
            slope = sympy.diff(x, Z)
            if not slope.is_number or not slope.is_real or slope == 0:
                continue
            sign = 1 if side * slope > 0 else -1
            u = sympy.expand(sign * x)
            rest = exp(-sympy.expand(x**2)) * (_far_erfcx(u) if large else erfcx(u))
            complement = 1 - sign + sign * rest
            known[node] = complement if isinstance(node, sympy.erfc) else 1 - complement
            start = (sign * _SERIES * large - x.subs(Z, 0)) / slope
            exact = start if start.is_Rational else sympy.Float(float(start))
            bound = (max if side > 0 else min)(bound, exact)
        if known:
            found = arm.xreplace(known).replace(log, _logarithm)
            yield Tail(found, bound, side, S.Infinity if large or order else bounds[side])
            bounds[side] = bound


def _logarithm(inner: Expr) -> Expr:
    """`log(f exp(u) + g exp(u))` as `u + log(f + g)`."""
    product = sympy.factor_terms(inner)
    powers = [f for f in sympy.Mul.make_args(product) if isinstance(f, exp)]
    return sympy.Add(*(power.args[0] for power in powers), log(product / sympy.Mul(*powers)))


def _far_erfcx(u: Expr) -> Expr:
    """sum (-1)^k 1 3 5 ... (2 k - 1) / (2 u^2)^k, over sqrt(pi) u."""
    terms = [(-1) ** k * sympy.factorial2(2 * k - 1) / (2 * u**2) ** k for k in range(_TERMS)]
    return sympy.Add(*terms) / (sympy.sqrt(sympy.pi) * u)


def dominated(arm: Expr) -> Iterator[Tail]:
    """The formula with the exponential that grows most taken out of powers and logarithms of sums.

    (f + exp(u))^p = exp(p u) (1 + f exp(-u))^p
    asinh(f exp(u)) = u + log(f + sqrt(f^2 + exp(-2 u)))
    """
    for side in (1, -1):
        known: dict[Expr, Expr] = {}
        for node in arm.atoms(sympy.Pow, log, *_INVERSE):
            inner = node.args[0]
            growing = None
            if isinstance(inner, sympy.Add) or isinstance(node, _INVERSE):
                growing = _growing(inner, side)
            if growing is None:
                continue
            rest = sympy.expand(inner * exp(-growing))
            if isinstance(node, _INVERSE):
                one = exp(-2 * growing) * (1 if isinstance(node, sympy.asinh) else -1)
                known[node] = growing + log(rest + sympy.sqrt(sympy.expand(rest**2 + one)))
            elif isinstance(node, log):
                known[node] = growing + log(rest)
            elif not node.exp.has(Z):
                known[node] = exp(node.exp * growing) * rest**node.exp
        if known:
            yield Tail(sympy.powsimp(arm.xreplace(known), combine="exp"), S(side), side)


_INVERSE = (sympy.asinh, sympy.acosh)
"""Functions that are the logarithm of a sum."""


def _growing(inner: Expr, side: int) -> Expr | None:
    """u of the exp(u) among the terms that grows most on a side, linear in z."""
    rates = {}
    for term in sympy.Add.make_args(inner):
        power = term.as_independent(Z, as_Add=False)[1]
        if isinstance(power, exp):
            rate = sympy.diff(power.args[0], Z)
            if rate.is_number and rate.is_real and side * rate > 0:
                rates[power.args[0]] = abs(rate)
    return max(rates, key=lambda u: rates[u]) if rates else None


def _argument(node: Expr) -> Expr | None:
    """What grows or falls."""
    if isinstance(node, log):
        return _exponent(node)
    if not isinstance(node, sympy.polygamma):
        return node.args[0]
    _, power = node.args[1].as_independent(Z, as_Add=True)
    return power.args[0] if node.args[0] == 0 and isinstance(power, exp) else None


def _end(node: Expr, u: Expr, growing: bool) -> Expr | None:
    if isinstance(node, log):
        return u if growing else None
    if isinstance(node, sympy.polygamma):
        c = node.args[1] - exp(u)
        next_ = (6 * c**2 - 6 * c + 1) / 12 * exp(-2 * u)
        return u + (c - S.Half) * exp(-u) - next_ if growing else None
    return _ENDS[type(node)][not growing]


def _reached(u: Expr, side: int, size: int) -> tuple[bool, Expr] | None:
    """Whether a polynomial of z grows on a side, and from where on its size is that."""
    if not u.is_polynomial(Z) or not u.has(Z):
        return None
    first, *others = sympy.Poly(u.xreplace({Z: side * Z}), Z).all_coeffs()
    if not first.is_real or not all(c.is_real for c in others):
        return None
    degree, place = len(others), S.One
    leading, rest = abs(float(first)), sum(abs(float(c)) for c in others)
    while leading * float(place) ** degree < size + rest * float(place) ** (degree - 1):
        place *= 2
        if place > 2**60:
            return None
    return bool(first > 0), place


def _exponent(node: Expr) -> Expr | None:
    rest = node.args[0] - S.One
    return rest.args[0] if isinstance(rest, exp) else None
