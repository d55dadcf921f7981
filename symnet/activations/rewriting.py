"""The same derivative written in other ways, one of which may be accurate where another is not.

    rational in exp(c w)   in e = exp(-c |w|), which cannot overflow, one way for each sign of w;
                           w is z, 1/z or any other function
    algebraic              see `algebraic`
    exp(f) exp(g)          exp(f + g), which is no infinity times zero

Each is exact; whether it helps is measured (see `accuracy`), not argued.
"""

from __future__ import annotations

from collections.abc import Iterator

import sympy
from sympy import Abs, Expr, Piecewise, Symbol, exp, log
from sympy.codegen.cfunctions import expm1, log1p

from symnet.activations.algebraic import (
    HIGHEST,
    LARGEST,
    algebraic,
    conjugate,
    factored,
    in_a_power,
    lowest,
)
from symnet.activations.functions import held
from symnet.activations.systems import Z

_SHORT = 10_000  # of numerators and denominators

_E = Symbol("E", positive=True)
_HYPERBOLIC = (sympy.sinh, sympy.cosh, sympy.tanh, sympy.coth, sympy.sech, sympy.csch)


def rewritings(derivative: Expr) -> Iterator[Expr]:
    """The derivative in other ways, the plainest first."""
    if derivative.count_ops() > LARGEST:
        return
    for way in (merged, exponential, lowest, factored, in_a_power, conjugate, algebraic):
        try:
            found = way(derivative)
        except (ArithmeticError, AttributeError, TypeError, ValueError, sympy.PolynomialError):
            continue  # SymPy's own mistakes, with decimals among polynomials' coefficients
        if found is not None and found != derivative:
            yield found


def in_fractions(arm: Expr) -> Expr:
    """With decimals as they are exactly: of products of rounded ones nothing cancels."""
    return arm.xreplace({c: sympy.Rational(c) for c in arm.atoms(sympy.Float)})


def in_decimals(expression: Expr) -> Expr:
    """With decimals for fractions that nobody wrote, and factors that are about 1."""
    expression = _of_one(expression)
    long = [r for r in expression.atoms(sympy.Rational) if r.q > _SHORT or abs(r.p) > _SHORT]
    return expression.xreplace({r: sympy.Float(r, 20) for r in long})


def _of_one(node: Expr) -> Expr:
    """With the largest coefficient taken out of sums: cubes of 1e16 are no number of float32."""
    if not node.args or not node.has(Z):
        return node
    node = node.func(*map(_of_one, node.args))
    if isinstance(node, sympy.Pow) and isinstance(node.base, sympy.Add) and not node.exp.has(Z):
        size = _coefficient(node.base)
        return size**node.exp * sympy.expand(node.base / size) ** node.exp
    if isinstance(node, sympy.Mul):
        sums = [part for part in node.args if isinstance(part, sympy.Add)]
        sizes = [_coefficient(part) for part in sums]
        rest = [part for part in node.args if part not in sums]
        parts = (sympy.expand(part / size) for part, size in zip(sums, sizes, strict=True))
        return sympy.Mul(*sizes, *rest, *parts)
    return node


def _coefficient(terms: Expr) -> Expr:
    """The largest, where they are long."""
    found = [abs(term.as_coeff_Mul()[0]) for term in terms.args]
    return max(found) if max(found) > _SHORT or min(found) < sympy.S.One / _SHORT else sympy.S.One


def merged(derivative: Expr) -> Expr:
    """Multiplied out, with one exponential a term."""
    return sympy.powsimp(sympy.expand(derivative), combine="exp")


# --- rational functions of exp(c w) ---------------------------------------------------------------


def exponential(derivative: Expr) -> Expr | None:
    """P(E)/Q(E), E = exp(c w), in e = exp(-c |w|): P and Q begin at their largest power of E."""
    found = _in_exponential(derivative)
    if found is None:
        return None
    expression, exponent = found
    logs = {node: sympy.Dummy(real=True) for node in expression.atoms(log)}
    if any(node.args[0].has(log) for node in logs):
        return None
    quotient = _quotient(expression.xreplace(logs))
    inner = {dummy: _quotient(node.args[0]) for node, dummy in logs.items()}
    if quotient is None or None in inner.values():
        return None
    sides = []
    for right in (True, False):
        side = _Side(exponent, right)
        parts = {dummy: side.logarithm(*pair) for dummy, pair in inner.items() if pair}
        sides.append(side.quotient(*quotient).xreplace(parts))
    return (
        sides[0] if sides[0] == sides[1] else Piecewise((sides[0], exponent >= 0), (sides[1], True))
    )


def _in_exponential(derivative: Expr) -> tuple[Expr, Expr] | None:
    """The derivative in E = exp(c w) and z, and c w; None where that is not all."""
    found = derivative.rewrite(_HYPERBOLIC, exp)
    bases = {p: exp(p.exp * log(p.base)) for p in found.atoms(sympy.Pow) if p.exp.has(Z)}
    found = found.xreplace(bases)
    powers = sorted(found.atoms(exp), key=sympy.default_sort_key)
    parts = {power: sympy.expand(power.args[0]).as_independent(Z, as_Add=True) for power in powers}
    if not parts:
        return None
    factor, w = parts[powers[0]][1].as_independent(Z, as_Add=False)
    slopes = {power: rest / w for power, (_, rest) in parts.items()}
    if any(slope.has(Z) for slope in slopes.values()) or not factor.is_real:
        return None
    ratios = {power: sympy.nsimplify(slope / factor) for power, slope in slopes.items()}
    if not all(ratio.is_Rational for ratio in ratios.values()):
        return None
    unit = sympy.gcd(list(ratios.values()))
    turned = 1 if (factor * unit).is_positive else -1
    written = {
        power: exp(parts[power][0]) * _E ** int(turned * ratio / unit)
        for power, ratio in ratios.items()
    }
    return found.xreplace(written), turned * factor * unit * w


def _quotient(expression: Expr) -> tuple[Expr, Expr] | None:
    """P and Q, polynomials in E without a common factor."""
    together = sympy.together(expression)
    if any(_degree(part) > HIGHEST for part in sympy.fraction(together)):
        return None
    p, q = sympy.fraction(sympy.cancel(together))
    if not (p.is_polynomial(_E) and q.is_polynomial(_E)) or q.has(Piecewise):
        return None
    return p, q


def _degree(node: Expr) -> int:
    """Of a polynomial in E before it is multiplied out, or more."""
    if node.is_Pow and node.exp.is_Integer:
        return int(node.exp) * _degree(node.base)
    degrees = [_degree(part) for part in node.args]
    return (sum if node.is_Mul else max)(degrees) if degrees else int(node == _E)


class _Side:
    """Functions of E = exp(x) for one sign of x = c w, in e = exp(-|x|)."""

    def __init__(self, x: Expr, right: bool) -> None:
        self.right = right
        self.exponent = -Abs(x)
        self.e, self.less_one = held(exp(self.exponent)), held(expm1(self.exponent))

    def quotient(self, p: Expr, q: Expr) -> Expr:
        above, up = self.product(p)
        below, down = self.product(q)
        return self.power(up - down) * above / below

    def power(self, n: int) -> Expr:
        """`exp(-n |x|)`."""
        return self.e**n if n >= 0 else exp(n * self.exponent)

    def product(self, p: Expr) -> tuple[Expr, int]:
        """p as a product that is about 1 for large |x|, and the power of e that goes before it."""
        try:
            constant, factors = sympy.factor_list(p, _E)
        except sympy.PolynomialError:
            constant, factors = sympy.S.One, [(p, 1)]
        product, power = constant, 0
        for factor, n in factors:
            part, shift = self.factor(factor)
            product, power = product * part**n, power + shift * n
        return product, power

    def factor(self, p: Expr) -> tuple[Expr, int]:
        if sympy.expand(p - (_E - 1)) == 0:
            return (-self.less_one, -1) if self.right else (self.less_one, 0)
        poly = sympy.Poly(p, _E)
        degrees = [d for (d,) in poly.monoms()]
        low, high = min(degrees), max(degrees)
        terms = poly.as_dict()
        start, sign = (high, -1) if self.right else (low, 1)
        found: Expr = sympy.S.Zero
        for k in range(high - low, -1, -1):
            found = found * self.e + terms.get((start + sign * k,), 0)
        return found, -high if self.right else low

    def logarithm(self, p: Expr, q: Expr) -> Expr:
        """`log(P/Q)`, the exponential before it taken out."""
        (above, up), (below, down) = self.product(p), self.product(q)
        linear = (up - down) * self.exponent
        rest = sympy.expand(above - below)
        if rest.xreplace({self.e: sympy.S.Zero, self.less_one: -sympy.S.One}) == 0:
            return linear + log1p(rest / below)
        return linear + log(above / below)
