"""What is left of erfc far out, as quantities of which nothing cancels at any order.

    i_n(x): the n-th repeated integral of erfc from x on, i_0 = erfc, i_(-1) = 2/sqrt(pi) exp(-x^2)
    q_n = i_n/i_(n-1):     1/q_(n-1) = 2 x + 2 n q_n,     q_n' = 2 q_n (n q_n - (n + 1) q_(n+1))
    r = 1/q_0 = -(log erfc)',     d = r - 2 x = 2 q_1,     r' = r d,     d' = r d - 2
    erfcx = 2/sqrt(pi) q_0,     erfcx' = -2 q_1 erfcx

For x >= 0 all terms of the first are positive, so that an error of the last q is lost on the way
to the first. On the left of 0 r is small, and 2 x no neighbour of it.

Source: W. Gautschi, "Evaluation of the repeated integrals of the coerror function", ACM Trans.
Math. Softw. 3 (1977); the coefficients are this package's own, of least squares.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import sympy
from sympy import Expr, Piecewise, S, Symbol, exp, sqrt

from symnet.activations.functions import erfcx
from symnet.activations.systems import Auxiliary, System, Z, chain

SCALE = 2 / sqrt(sympy.pi)
"""r at 0."""

_LAST = 10
"""n of the q that is approximated."""

_MOST = 6
"""Order of r's derivatives that nothing cancels in."""

_LEAST = -40  # x from which on r is 0
_TURN = 2 * _LAST + 1  # about which x^2 the last q passes from a constant to 1/(2 x)

_NAMES = [f"q{n}" for n in range(1, _LAST + 1)]

_DIGITS = 20  # of coefficients, in which a double is itself

# q (x + h) = P(t)/Q(t) to 2e-15, h = sqrt(x^2 + 21), t = x/h
_P = (
    *(0.9994364220082063, -0.1783484876727407, -0.4761466356110886, -0.06832014753076876),
    *(0.12641941591461295, 0.011298481017207979, -0.009354589551815548, 2.1088851735436275e-05),
)
_Q = (
    *(1.0, -0.15533568618608207, -0.5061567473085381, -0.07243446124925842),
    *(0.13753790911445554, 0.012976907674204318, -0.01193797474235112, 0.00035560012291891796),
)


class Family(NamedTuple):
    """A function of x that is known as a quantity, and what it takes of others."""

    argument: Symbol
    value: Symbol
    quantities: tuple[Auxiliary, ...]


def hazard(x: Expr, slope: Expr, suffix: str) -> Family:
    """`r(x) = 2/sqrt(pi) exp(-x^2)/erfc(x)`, whose derivatives are quantities, too."""
    u, p, d = _named("upd", suffix)
    r = _named([f"r{k}" for k in range(_MOST + 1)], suffix)
    quotients = _quotients(p, suffix)
    q = _named(_NAMES, suffix)
    falling = (Auxiliary(r[0], r[0], r[0] * d), Auxiliary(d, d, r[0] * d - 2))
    rising = tuple(map(Auxiliary, q, q, _rules(q, Z)))
    left = [chain(System(r[0], falling), k) for k in range(_MOST + 2)]
    right = [chain(System(2 * q[0], rising), k) for k in range(_MOST + 1)]
    below = SCALE * exp(-(u**2)) / sympy.erfc(u)
    behind = Piecewise((-2 * _LEAST, u < _LEAST), (-2 * u, True))
    rows = (
        Auxiliary(u, x, slope),
        Auxiliary(p, Piecewise((0, u < 0), (u, True))),
        *quotients,
        Auxiliary(r[0], Piecewise((below, u < 0), (2 * p + right[0], True)), r[1] * slope),
        Auxiliary(d, Piecewise((r[0] + behind, u < 0), (right[0], True)), (r[1] - 2) * slope),
        Auxiliary(r[1], r[0] * d, r[2] * slope),
        *(
            Auxiliary(r[k], Piecewise((left[k], u < 0), (right[k], True)), following * slope)
            for k, following in enumerate([*r[3:], left[-1]], 2)
        ),
    )
    return Family(u, r[0], rows)


def scaled(x: Expr, slope: Expr, suffix: str) -> Family:
    """`erfcx(x)` for x >= 0, whose derivatives are products with the q."""
    u, f = _named("uf", suffix)
    quotients = _quotients(u, suffix, slope)
    own = Auxiliary(f, erfcx(u), -2 * quotients[-1].symbol * f * slope)
    return Family(u, f, (Auxiliary(u, x, slope), *quotients, own))


def _named(names: Iterable[str], suffix: str = "") -> list[Symbol]:
    return [Symbol(name + suffix, real=True) for name in names]


def _quotients(x: Expr, suffix: str, slope: Expr | None = None) -> list[Auxiliary]:
    """The q of x >= 0, from the last to the first; stepping stones if x has no slope."""
    h, t = _named("ht", suffix)
    q = _named(_NAMES, suffix)
    last = _polynomial(_P, t) / _polynomial(_Q, t) / (x + h)
    values = [*(1 / (2 * x + 2 * n * following) for n, following in enumerate(q[1:], 2)), last]
    slopes = [None if slope is None else rule * slope for rule in _rules(q, x)]
    found = list(map(Auxiliary, q, values, slopes))
    return [Auxiliary(h, sqrt(x**2 + _TURN)), Auxiliary(t, x / h), *reversed(found)]


def _rules(q: Sequence[Symbol], x: Expr) -> list[Expr]:
    """The derivatives of the quotients; that of the last has what cancels far out."""
    beyond = (1 / q[-1] - 2 * x) / (2 * _LAST + 2)
    pairs = zip(q, (*q[1:], beyond), strict=True)
    return [2 * a * (n * a - (n + 1) * b) for n, (a, b) in enumerate(pairs, 1)]


def _polynomial(coefficients: Sequence[float], t: Expr) -> Expr:
    found: Expr = S.Zero
    for coefficient in reversed(coefficients):
        found = found * t + sympy.Float(coefficient, _DIGITS)
    return found
