"""Algebraic functions of z, and what other functions of z they have, written in other ways.

    rational in z^a and z  in lowest terms of these
    algebraic              in lowest terms, and in 1/|z| where |z| > 1
    a + b sqrt(r)          (a^2 - b^2 r)/(a - b sqrt(r)), where a and b differ in sign

Each is exact; whether it helps is measured (see `accuracy`), not argued.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import sympy
from sympy import Abs, Expr, Piecewise, Symbol, log

from symnet.activations.functions import held
from symnet.activations.identities import renamed
from symnet.activations.systems import Z

LARGEST = 300
"""Operations of a formula that is worth rewriting: beyond, SymPy takes seconds."""

HIGHEST = 48
"""Power of a variable that SymPy finds common factors with in less than a second."""

_ROOTS, _POWERS = 3, 8  # z^(1/q) up to which q is a variable, and powers of z^a
_S = Symbol("S", positive=True)
_U = Symbol("U", positive=True)
_FUNCTIONS = (sympy.Add, sympy.Mul, sympy.Pow, log)


def is_real(expression: Expr) -> bool:
    """Without a number that is none of the reals, as SymPy takes (-1)^(1/3) out of roots."""
    parts = sympy.preorder_traversal(expression)
    return not any(part.is_number and part.is_extended_real is False for part in parts)


def lowest(derivative: Expr) -> Expr:
    """One quotient, its numerator multiplied out: 1/(1 + z^2)^(3/2) of two terms."""
    above, below = sympy.fraction(sympy.together(derivative))
    return sympy.factor_terms(sympy.expand(above)) / below


def factored(derivative: Expr) -> Expr | None:
    """As a product: (z^2 - 1)/(z - 1) is z + 1, at 1 as well; e^(2z) - 4 e^z + 4 is (e^z - 2)^2.

    Of rational functions of z, and polynomials in one other function of it.
    """
    if derivative.is_rational_function(Z):
        return sympy.factor(derivative)
    roots = any(not power.exp.is_Integer for power in derivative.atoms(sympy.Pow))
    if roots or derivative.has(sympy.Float) or derivative.count_ops() > LARGEST // 4:
        return None
    poly = derivative.as_poly()
    if poly is None or len(poly.gens) > 1 or poly.degree() > HIGHEST // 4:
        return None
    return renamed(sympy.factor(derivative))


def in_a_power(derivative: Expr) -> Expr | None:
    """A rational function of s = z^a and z in lowest terms, or of their inverses where z > 1.

    (1 + 4 s + 5 s^2)/(s^5 (1 + s)^4) of sqrt(z)/(1 + sqrt(z)), where SymPy has z^2/z^(9/2). Other
    functions of z are factors as they are.
    """
    exponent = _exponent(derivative)
    if exponent is None or derivative.has(sympy.Float):
        return None
    others = {node: sympy.Dummy(real=True) for node in _outermost(derivative)}
    written = _in_power(derivative.xreplace(others), exponent)
    if not written.is_rational_function(_S, _U, *others.values()) or not _is_low(written):
        return None
    near, far = (sympy.factor(written.xreplace({_S: _S**k, _U: _U**k})) for k in (1, -1))
    back = {dummy: node for node, dummy in others.items()}
    return Piecewise(
        (near.xreplace(back | {_S: held(Z**exponent), _U: Z}), Z <= 1),
        (far.xreplace(back | {_S: held(Z**-exponent), _U: held(1 / Z)}), True),
    )


def _exponent(derivative: Expr) -> Expr | None:
    """a such that all broken powers of z are those of z^a and z.

    It is 1/q where q is small, else the one that is there most often.
    """
    parts = sympy.preorder_traversal(derivative)
    powers = Counter(p.exp for p in parts if p.is_Pow and p.base == Z and p.exp.is_Rational)
    broken = [e for e, _ in powers.most_common() if not e.is_Integer]
    if not broken:
        return None
    root = sympy.ilcm(*(e.q for e in broken))
    whole = (a for a in broken if all(_multiple(e, a) is not None for e in broken))
    return sympy.Rational(1, root) if root <= _ROOTS else next(whole, None)


def _multiple(e: Expr, a: Expr) -> int | None:
    """k of z^e = (z^a)^k z^n, n whole."""
    return min(
        (k for k in range(-_POWERS, _POWERS + 1) if (e - k * a).is_Integer), key=abs, default=None
    )


def _in_power(node: Expr, exponent: Expr) -> Expr:
    """z^a as s, and z as U, or as a power of s where a is 1/q."""
    if exponent.p == 1:
        return node.xreplace({Z: _S**exponent.q})
    powers = {p: _multiple(p.exp, exponent) for p in node.atoms(sympy.Pow) if p.base == Z}
    named = {p: _S**k * _U ** (p.exp - k * exponent) for p, k in powers.items() if k is not None}
    return node.xreplace(named).xreplace({Z: _U})


def _is_low(expression: Expr) -> bool:
    exponents = [p.exp for p in expression.atoms(sympy.Pow)]
    return all(exponent.is_Integer and abs(exponent) <= HIGHEST for exponent in exponents)


def algebraic(derivative: Expr) -> Expr | None:
    """In 1/|z| where |z| > 1: no power of a large z is taken that is not there in the end.

    Other functions of z are factors as they are, but for their arguments.
    """
    others = {node: sympy.Dummy(real=True) for node in _outermost(derivative)}
    written = derivative.xreplace(others)
    if not all(power.exp.is_real for power in written.atoms(sympy.Pow) if power.base.has(Z)):
        return None
    near = conjugate(lowest(written))
    if near.count_ops() > LARGEST // 2:
        return None
    sides = [_in_inverse(near.xreplace({Z: side / _U})) for side in (1, -1)]
    real = [side for side in sides if is_real(side) and not side.has(sympy.nan, sympy.zoo)]
    if not real:
        return None
    right, left = sides if len(real) == 2 else real * 2  # roots of z have one side only
    arms = [(near, Abs(Z) <= 1), (right, True)]
    if right != left:
        arms[1:] = [(right, Z > 1), (left, True)]
    back = {dummy: _in_arguments(node) for node, dummy in others.items()}
    return Piecewise(*((arm.xreplace(back), test) for arm, test in arms))


def _in_arguments(node: Expr) -> Expr:
    """The function with its arguments written so."""
    return node.func(*(held(algebraic(part) or part) if part.args else part for part in node.args))


def _outermost(node: Expr) -> Iterator[Expr]:
    """What is no algebraic function of z, nor a logarithm."""
    if node.args and node.has(Z) and (not isinstance(node, _FUNCTIONS) or _is_exponential(node)):
        yield node
    else:
        for argument in node.args:
            yield from _outermost(argument)


def _is_exponential(node: Expr) -> bool:
    """As 10^(z/(50 + z)): SymPy would take whole parts out of the exponent, of 1,000 digits."""
    return isinstance(node, sympy.Pow) and bool(node.exp.has(Z))


def _in_inverse(expression: Expr) -> Expr:
    found = sympy.powsimp(sympy.expand_power_base(_tidy(expression), force=True))
    return _cancelled(conjugate(lowest(found))).xreplace({_U: held(1 / Abs(Z))})


def _cancelled(expression: Expr) -> Expr:
    """Without powers of U that stand above and below."""
    above, below = sympy.fraction(sympy.powsimp(expression))
    power, rest = sympy.factor_terms(above).as_independent(*_roots(above), as_Add=False)
    return sympy.powsimp(power * rest / below)


def _roots(expression: Expr) -> list[Expr]:
    return [p for p in expression.atoms(sympy.Pow) if not p.exp.is_Integer and p.base != _U]


def conjugate(node: Expr) -> Expr:
    """`a + b sqrt(r)` as `(a^2 - b^2 r)/(a - b sqrt(r))` where a and b differ in sign."""
    if not node.args:
        return node
    node = node.func(*map(conjugate, node.args))
    terms = node.args if isinstance(node, sympy.Add) else ()
    roots = [(p, root) for p in terms if (root := _root_of(p)) is not None]
    if len(roots) != 1:
        return node
    ((term, root),) = roots
    a, b = node - term, term / root
    if a.has(root):
        return node
    turned = sympy.factor_terms(sympy.expand(a**2 - b**2 * root**2)) / (a - b * root)
    sign = (a * b).is_negative
    if sign is None:
        return Piecewise((turned, sympy.expand(a * b) < 0), (node, True))
    return turned if sign else node


def _root_of(term: Expr) -> Expr | None:
    """The square root among the factors of a term."""
    found = [f for f in sympy.Mul.make_args(term) if f.is_Pow and f.exp == sympy.S.Half]
    return found[0] if len(found) == 1 and found[0].has(Z, _U) else None


def _tidy(node: Expr) -> Expr:
    """Powers of U taken out of sums, from the inside."""
    if not node.args:
        return node
    node = node.func(*map(_tidy, node.args))
    if isinstance(node, sympy.Add):
        above, below = sympy.fraction(sympy.together(node))
        return conjugate(above) / below
    if isinstance(node, sympy.Pow):
        return sympy.expand_power_base(node, force=True)
    return sympy.expand_log(node, force=True) if isinstance(node, log) else node
