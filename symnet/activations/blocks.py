"""Building blocks of systems, accurate in both tails: logistic function, tanh, exp(-z^2), pieces.

Source: the split exponent of exp(-z^2), W. J. Cody, "Rational Chebyshev approximations for the
error function", Math. Comp. 23 (1969).
"""

from __future__ import annotations

from typing import Any

import sympy
from sympy import Abs, Expr, Piecewise, Symbol, exp, floor, log
from sympy.codegen.cfunctions import expm1, log1p

from symnet.activations.systems import Auxiliary, System, Z


def reals(names: str) -> tuple[Symbol, ...]:
    """Real symbols for the names, which are separated by blanks."""
    return sympy.symbols(names, real=True)


_a, _b, _c, _e, _h, _i, _s, _t, _u, _v, _w = reals("a b c e h i s t u v w")
_m, _o = sympy.symbols("m o", nonpositive=True)


def either(condition: Any, then: Expr | int, otherwise: Expr | int) -> Expr:
    """`then` where the condition holds, else `otherwise`, which is also where NaN goes."""
    return Piecewise((then, condition), (otherwise, True))


def logistic(x: Expr, slope: Expr = sympy.S.One, suffix: str = "") -> tuple[Auxiliary, ...]:
    """`s = 1/(1 + exp(-x))`, `r = 1 - s`, `w = s r`, `d = r - s` and `v = log(1 + exp(x))`.

    All come from one exponential of `-|x|`, which cannot overflow.
    """
    e, p, q, s, r, w, d, v = reals(" ".join(name + suffix for name in "epqsrwdv"))
    return (
        Auxiliary(e, exp(-Abs(x))),
        Auxiliary(p, 1 / (1 + e)),
        Auxiliary(q, e * p),
        Auxiliary(s, either(x >= 0, p, q), w * slope),
        Auxiliary(r, either(x >= 0, q, p), -w * slope),
        Auxiliary(w, p * q, w * d * slope),
        Auxiliary(d, r - s, -2 * w * slope),
        Auxiliary(v, either(x <= 0, 0, x) + log1p(e), s * slope),
    )


def hyperbolic(x: Expr, slope: Expr = sympy.S.One, suffix: str = "") -> tuple[Auxiliary, ...]:
    """`t = tanh(x)` and `w = 1 - t^2 = 4 exp(-2 |x|)/(1 + exp(-2 |x|))^2`.

    The backends take their tanh from the same exponential and quotient where they have it.
    """
    t, e, p, q, w = reals(" ".join(name + suffix for name in "tepqw"))
    return (
        Auxiliary(e, exp(-2 * Abs(x))),
        Auxiliary(p, 1 / (1 + e)),
        Auxiliary(q, e * p),
        Auxiliary(t, sympy.tanh(x), w * slope),
        Auxiliary(w, 4 * p * q, -2 * t * w * slope),
    )


def below_one(x: Expr, slope: Expr = sympy.S.One, suffix: str = "") -> tuple[Auxiliary, ...]:
    """`q = 1/(exp(x) - 1)`, `r = 1 + q`, and for x > 0 `l = log(1 - exp(-x))`.

    The logarithm is that of what does not cancel: `-expm1(-x)` near 0, else `1 - exp(-x)`.
    """
    q, r, l = reals(" ".join(name + suffix for name in "qrl"))
    near = log(-expm1(-x))
    return (
        Auxiliary(q, 1 / expm1(x), -q * r * slope),
        Auxiliary(r, -1 / expm1(-x), -q * r * slope),
        Auxiliary(l, either(x > log(2), log1p(-exp(-x)), near), q * slope),
    )


def clipped(bound: int) -> tuple[Auxiliary, ...]:
    """`c = z`, but no further than `bound` from 0: beyond it, all that c multiplies is 0."""
    return (
        # Not two constants: C compilers would compute all that follows once for each of them.
        Auxiliary(_c, either(Abs(Z) > bound, bound * sympy.sign(Z), Z), sympy.S.One),
    )


def sized(bound: int) -> tuple[Auxiliary, ...]:
    """`c = |z|`, but at most `bound`, and `t = c^2`: beyond it, all that they multiply is 0."""
    return (
        Auxiliary(_c, either(Abs(Z) > bound, bound, Abs(Z))),
        Auxiliary(_t, _c**2, 2 * Z),
    )


def rectified(below: Expr, slope: Expr, scale: Expr = sympy.S.One) -> System:
    """`scale z` where z > 0, else `slope z`."""
    return System(
        _v,
        (
            Auxiliary(_v, either(Z <= 0, below, scale * Z), _s),
            # Only NaN reaches the z of this line: a step alone would turn it into a number.
            Auxiliary(_h, either(Z > 0, scale, Z)),
            Auxiliary(_s, either(Z <= 0, slope, _h), sympy.S.Zero),
        ),
    )


def exponential(scale: Expr, alpha: Expr) -> System:
    """`scale z` where z > 0, else `scale alpha (exp(z) - 1)`."""
    left = scale * alpha
    return System(
        _v,
        (
            Auxiliary(_m, either(Z > 0, 0, Z)),
            Auxiliary(_v, either(Z > 0, scale * Z, left * expm1(_m)), _s),
            Auxiliary(_e, left * exp(_m)),
            Auxiliary(_s, either(Z > 0, scale, _e), _t),
            Auxiliary(_t, either(Z > 0, 0, _e), _t),
        ),
    )


def squared(x: Expr, share: Expr = sympy.S.One) -> tuple[Auxiliary, ...]:
    """`e exp(u) = exp(-share x^2)`, the rounding of the exponent being u: `e + e u` is exact.

    With a short h, whose square is exact, `-x^2 = -h^2 + (h - x)(h + x)`. `share` is a power of 2.
    """
    return (
        Auxiliary(_h, floor(256 * x) / 256),
        Auxiliary(_a, -share * _h**2),
        Auxiliary(_b, (_h - x) * (_h + x)),
        Auxiliary(_o, _a + share * _b),
        Auxiliary(_i, _a - _o),
        Auxiliary(_u, _i + share * _b),
        Auxiliary(_e, exp(_o)),
    )


def between(low: Expr, high: Expr, below: Expr, inside: Expr, above: Expr) -> Expr:
    """One formula up to low, one from high on, and one inside."""
    return Piecewise((below, low >= Z), (inside, high > Z), (above, True))


def within(low: Expr, high: Expr, arms: tuple[Expr, Expr, Expr]) -> System:
    """Three arms that meet at low and high; the ends are of the outer ones."""
    return System(
        _v,
        (
            *_on_arms(_w, _v, low, high, arms, _s),
            *_on_arms(_h, _s, low, high, _slopes(arms), _t),
            *_on_arms(_u, _t, low, high, _slopes(_slopes(arms)), sympy.S.Zero),
        ),
    )


def _slopes(arms: tuple[Expr, Expr, Expr]) -> tuple[Expr, Expr, Expr]:
    below, between, above = (sympy.diff(arm, Z) for arm in arms)
    return below, between, above


def _on_arms(
    inner: Symbol,
    symbol: Symbol,
    low: Expr,
    high: Expr,
    arms: tuple[Expr, Expr, Expr],
    slope: Expr,
) -> tuple[Auxiliary, Auxiliary]:
    below, between, above = arms
    # Only NaN reaches the last z: a step alone would turn it into a number.
    beyond = Piecewise((above, high <= Z), (between, low < Z), (Z, True))
    bends = any(arm.has(Z) or arm != below for arm in arms)
    return Auxiliary(inner, beyond), Auxiliary(
        symbol, either(low >= Z, below, inner), slope if bends else sympy.S.Zero
    )
