"""Real zeros of a smooth function of z: exactly where it can be solved, else to 50 digits."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from itertools import pairwise

import mpmath
import sympy
from sympy import Expr

from symnet import precision
from symnet.activations.digits import Number, value
from symnet.activations.systems import Z

MOST = 24
"""Zeros that a function may have here; one that has more is taken to have no end of them."""

_DIGITS = 50
_NEAR = sympy.Float("1e-40")


class TooMany(ValueError):
    """A function has more zeros than can be listed."""


@lru_cache(maxsize=2048)
def zeros(u: Expr) -> tuple[Expr, ...]:
    """The real zeros of `u`, in order. Raises TooMany for the sine and the like."""
    if not u.has(Z):
        return ()
    found: set[Expr] = set()
    for factor in sympy.Mul.make_args(sympy.factor_terms(u)):
        base = factor.base if isinstance(factor, sympy.Pow) else factor
        if base.has(Z):
            found |= set(_of_factor(base))
    if len(found) > MOST:
        raise TooMany
    return tuple(sorted(found, key=lambda t: mpmath.mpf(sympy.N(t, _DIGITS))))


def _of_factor(u: Expr) -> tuple[Expr, ...]:
    if u.is_polynomial(Z):
        return _of_polynomial(u)
    solved = _solved(u)
    return _scanned(u) if solved is None else solved


def _of_polynomial(u: Expr) -> tuple[Expr, ...]:
    rounded = u.has(sympy.Float)
    exact = u.xreplace({f: sympy.Rational(float(f)) for f in u.atoms(sympy.Float)})
    poly = sympy.Poly(exact, Z)
    if poly.degree() == 1:
        found = [-poly.coeffs()[1] / poly.coeffs()[0] if len(poly.coeffs()) > 1 else sympy.S.Zero]
    elif poly.degree() <= 2 or not all(c.is_Rational for c in poly.coeffs()):
        found = [root for root in sympy.roots(poly) if root.is_real]
    else:
        found = list(dict.fromkeys(sympy.real_roots(poly)))
    return tuple(sympy.Float(float(sympy.N(root, 20))) if rounded else root for root in found)


def _solved(u: Expr) -> tuple[Expr, ...] | None:
    """The zeros of `a + b g(z)`, z standing in one place; None where that is no help."""
    constant, rest = u.as_independent(Z, as_Add=True)
    factor, inner = rest.as_independent(Z, as_Add=False)
    wanted = -constant / factor
    if not wanted.is_real:
        return None
    if isinstance(inner, sympy.Pow) and inner.exp.has(Z) and not inner.base.has(Z):
        inner, wanted = inner.exp * sympy.log(inner.base), sympy.log(wanted) if wanted > 0 else None
    elif isinstance(inner, sympy.Pow) and inner.exp.is_Rational:
        p = inner.exp
        if p.q == 1 and p.p % 2 == 0:
            return None
        odd = p.q == 1
        if not odd and wanted < 0:
            return ()
        root = sympy.root(abs(wanted), p.p) if odd else wanted ** (1 / p)
        inner, wanted = inner.base, sympy.sign(wanted) * root if odd else root
    elif type(inner) in _INVERSES:
        inner, wanted = inner.args[0], _INVERSES[type(inner)](wanted)
    else:
        return None
    return () if wanted is None else zeros(inner - wanted)


_INVERSES: dict[type, Callable[[Expr], Expr | None]] = {
    sympy.exp: lambda c: sympy.log(c) if c > 0 else None,
    sympy.log: sympy.exp,
    sympy.sinh: sympy.asinh,
    sympy.asinh: sympy.sinh,
    sympy.tanh: lambda c: sympy.atanh(c) if abs(c) < 1 else None,
    sympy.atan: lambda c: sympy.tan(c) if abs(c) < sympy.pi / 2 else None,
}


def _scanned(u: Expr) -> tuple[Expr, ...]:
    """Changes of sign on a grid, closed in on."""
    sizes = [mpmath.mpf(1.15) ** k for k in range(-160, 70)]
    grid = [*(-s for s in reversed(sizes)), mpmath.mpf(0), *sizes]
    with precision.digits(_DIGITS + 10):
        values = [value(u, z) for z in grid]
        # Where neighbours vanish, too, nothing is left in so many digits: tanh(2 z) - tanh(z).
        found: list[Expr] = [
            named(grid[k])
            for k, v in enumerate(values)
            if v is not None and v == 0 and 0 not in values[max(k - 1, 0) : k + 2 : 2]
        ]
        for (a, low), (b, high) in pairwise(zip(grid, values, strict=True)):
            if low is None or high is None or low * high >= 0:
                continue
            found.append(named(bisected(u, a, b)))
            if len(found) > MOST:
                raise TooMany
    return tuple(found)


def bisected(u: Expr, a: Number, b: Number) -> Number:
    """The zero between a and b, where u has values of two signs."""
    low = value(u, a)
    for _ in range(4 * _DIGITS):
        middle = (a + b) / 2
        found = value(u, middle)
        if found is not None and found * low > 0:
            a = middle
        else:
            b = middle
    return a


def named(root: Number) -> Expr:
    """A short exact number where the root is one, else the double next to it."""
    if abs(root) < mpmath.mpf(10) ** -45:
        return sympy.S.Zero
    near = sympy.nsimplify(sympy.Float(root, _DIGITS), tolerance=_NEAR, rational=True)
    return near if near.q < 10**6 else sympy.Float(float(root))
