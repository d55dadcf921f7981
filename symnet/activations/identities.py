"""A formula as an equal one that cancels less, where mathematics has a name for it.

log(f + sqrt(f^2 + c^2)) = asinh(f/c) + log c,     log(sqrt(f^2 + c^2) - f) = log c - asinh(f/c)
log(f + sqrt(f^2 - c^2)) = acosh(f/c) + log c
asin(tanh f) = atan(sinh f) = 2 atan(tanh(f/2)),   acos(tanh f) = 2 atan(exp(-f))
a - a erf(f) = a erfc(f),     2 a - a erfc(f) = a erfc(-f)
log(1 - 1/(1 + exp f)) = f - log(1 + exp f),     1 + tanh f = 2/(1 + exp(-2 f))
1/(1 - tanh(f)^2) = cosh(f)^2,   log(1 + sinh(f)^2) = log cosh(f)^2 = 2 log cosh(f)
acosh(1 + f) = 2 asinh(sqrt(f/2)),   loggamma(exp f) = loggamma(1 + exp f) - f
cosh f - 1 = 2 sinh(f/2)^2,   1 - cos f = 2 sin(f/2)^2,   1 - sin f = 2 sin(pi/4 - f/2)^2
cosh f + 1 = 2 cosh(f/2)^2,   1 + cos f = 2 cos(f/2)^2,   1 + sin f = 2 sin(pi/4 + f/2)^2
cosh(f)^2 - 1 = sinh(f)^2,   1 - cos(f)^2 = sin(f)^2,   1 - sin(f)^2 = cos(f)^2
sqrt(1 - cos f) = sqrt(2) |sin(f/2)|, and roots of the others
"""

from __future__ import annotations

from functools import lru_cache

import sympy
from sympy import Expr, S, acosh, asinh, atan, cosh, exp, log, sqrt, tanh

from symnet.activations.functions import held
from symnet.activations.systems import Z


@lru_cache(maxsize=1024)
def renamed(node: Expr) -> Expr:
    """The formula with these in it written the other way, the inner ones first."""
    if not node.args or not node.has(Z) or isinstance(node, sympy.Piecewise):
        return node
    node = node.func(*map(renamed, node.args))
    (inner, *_) = node.args
    if isinstance(node, sympy.asin) and isinstance(inner, tanh):
        return 2 * atan(tanh(inner.args[0] / 2))
    if isinstance(node, sympy.acos) and isinstance(inner, tanh):
        return 2 * atan(exp(-inner.args[0]))
    if isinstance(node, atan) and isinstance(inner, sympy.sinh):
        return 2 * atan(tanh(inner.args[0] / 2))
    if isinstance(node, acosh) and (rest := inner - 1).func != sympy.Add and not rest.is_number:
        return 2 * asinh(sqrt(rest / 2))
    if isinstance(node, sympy.loggamma) and isinstance(inner, exp):
        return sympy.loggamma(1 + inner) - inner.args[0]
    if isinstance(node, sympy.Add):
        return _share(node) or _half(node) or complement(node) or node
    if isinstance(node, log):
        power = _of_power(_square(inner) or inner)
        return _inverse_hyperbolic(inner) or _of_share(inner) or power or node
    if node.is_Pow and node.exp.is_negative and inner.has(tanh):
        return (_square(inner) or inner) ** node.exp
    return node


def complement(node: Expr) -> Expr | None:
    """`a - a erf(x)` as `a erfc(x)`, and `2 a - a erfc(x)`, which SymPy makes of `a erfc(-x)`."""
    number, product = node.as_independent(Z, as_Add=True)
    factor, error = product.as_independent(Z, as_Add=False)
    if not isinstance(error, (sympy.erf, sympy.erfc)):
        return None
    (x,) = error.args
    if isinstance(error, sympy.erfc) and number == -2 * factor:
        return number / 2 * sympy.erfc(held(-x))
    if isinstance(error, sympy.erf) and abs(number) == abs(factor):
        return number * sympy.erfc(x if number == -factor else held(-x))
    return None


@lru_cache(maxsize=256)
def complemented(node: Expr) -> Expr:
    """The formula with erfc alone for 1 - erf(f) and 2 - erfc(f), as SymPy never leaves it."""
    if not node.has(sympy.erf, sympy.erfc) or isinstance(node, sympy.Piecewise):
        return node
    node = node.func(*map(complemented, node.args))
    return (isinstance(node, sympy.Add) and complement(node)) or node


def _share(node: Expr) -> Expr | None:
    """`a + a tanh(f)` and `a - a tanh(f)`."""
    number, product = node.as_independent(Z, as_Add=True)
    factor, function = product.as_independent(Z, as_Add=False)
    if not isinstance(function, tanh) or abs(number) != abs(factor):
        return None
    side = -2 if number == factor else 2
    return 2 * number / (1 + exp(side * function.args[0]))


def _half(node: Expr) -> Expr | None:
    """`a - a cos(f)`, `a cosh(f) - a` and their kin, of which little is left near a zero."""
    found = _as_square(node)
    return found and found[0] * found[1] ** 2


def rooted(node: Expr) -> Expr:
    """The formula with the sizes of sines that these roots are, which have corners without end."""
    if not node.args or not node.has(sympy.sin, sympy.cos):
        return node
    if isinstance(node, sympy.Piecewise):
        return sympy.Piecewise(*((rooted(arm), condition) for arm, condition in node.args))
    node = node.func(*map(rooted, node.args))
    n = 2 * node.exp if node.is_Pow and node.exp.is_positive else S.Zero
    size = _size(node.base) if n.is_number and float(n) % 2 == 1 else None
    return node if size is None else size ** int(n)


def _size(node: Expr) -> Expr | None:
    """The root of `a - a cos(f)` and its kin."""
    factor, wave = _as_square(node) or (S.Zero, S.Zero)
    return sqrt(factor) * sympy.Abs(wave) if factor.is_positive else None


def _as_square(node: Expr) -> tuple[Expr, Expr] | None:
    """c and w of a sum that is `c w^2`, w a sine or cosine."""
    number, product = node.as_independent(Z, as_Add=True)
    factor, wave = product.as_independent(Z, as_Add=False)
    if abs(factor) != abs(number) or not wave.args:
        return None
    less, half = factor == -number, wave.args[0] / 2
    if isinstance(wave, sympy.cos):
        return 2 * number, sympy.sin(half) if less else sympy.cos(half)
    if isinstance(wave, sympy.sin):
        return 2 * number, sympy.sin(sympy.pi / 4 - half if less else sympy.pi / 4 + half)
    if isinstance(wave, cosh):
        return (2 * factor, sympy.sinh(half)) if less else (2 * factor, cosh(half))
    if wave.is_Pow and wave.exp == 2 and wave.base.func in _OTHERS and less:
        sign, other = _OTHERS[wave.base.func]
        return sign * number, other(*wave.base.args)
    return None


_OTHERS = {
    sympy.sin: (1, sympy.cos),
    sympy.cos: (1, sympy.sin),
    cosh: (-1, sympy.sinh),
}
"""Of 1 - w^2: the sign and the root."""


def _square(node: Expr) -> Expr | None:
    """`a - a tanh(f)^2` and `a + a sinh(f)^2`, for logarithms and denominators: cosh overflows."""
    number, product = node.as_independent(Z, as_Add=True)
    factor, square = product.as_independent(Z, as_Add=False)
    if not (square.is_Pow and square.exp == 2 and number.is_positive):
        return None
    if isinstance(square.base, tanh) and number == -factor:
        return number / cosh(square.base.args[0]) ** 2
    if isinstance(square.base, sympy.sinh) and number == factor:
        return number * cosh(square.base.args[0]) ** 2
    return None


def _of_power(inner: Expr) -> Expr | None:
    """Of a power of a cosine that overflows."""
    factor, power = inner.as_independent(Z, as_Add=False)
    base, n = power.as_base_exp()
    known = isinstance(base, cosh) and n != 1 and not n.has(Z) and factor.is_positive
    return log(factor) + n * log(base) if known else None


def _inverse_hyperbolic(inner: Expr) -> Expr | None:
    roots = [t for t in sympy.Add.make_args(inner) if t.is_Pow and t.exp == S.Half]
    if len(roots) != 1:
        return None
    f = inner - roots[0]
    rest = sympy.expand(roots[0].base - f**2)
    if f == 0 or rest.has(Z) or not rest.is_real or rest == 0:
        return None
    size = sqrt(abs(rest))
    if rest > 0:
        return asinh(f / size) + log(size)
    # Where f < 0, f + sqrt(f^2 - c^2) is no argument of a logarithm.
    return acosh(f / size) + log(size)


def _of_share(inner: Expr) -> Expr | None:
    """`1 - s(f)`, and the same with a common factor."""
    if not isinstance(inner, sympy.Add) or not inner.has(exp):
        return None
    above, below = sympy.fraction(sympy.together(inner))
    above = sympy.expand(above)
    factor, power = above.as_independent(Z, as_Add=False)
    if not (isinstance(power, exp) or power == 1) or not factor.is_positive or below == 1:
        return None
    return log(factor) + (power.args[0] if power != 1 else 0) - log(below)
