"""The same derivative written in other ways, one of which may be accurate where another is not.

    rational in exp(c w)   in e = exp(-c |w|), which cannot overflow, one way for each sign of w;
                           w is z, 1/z or any other function
    rational in z^a and z  in lowest terms of these
    algebraic              in lowest terms, and in 1/|z| where |z| > 1
    exp(f) exp(g)          exp(f + g), which is no infinity times zero

Each is exact; whether it helps is measured (see `accuracy`), not argued.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import sympy
from sympy import Abs, Expr, Piecewise, Symbol, exp, log
from sympy.codegen.cfunctions import expm1, log1p

from symnet.activations.functions import held
from symnet.activations.identities import renamed
from symnet.activations.systems import Z

_LARGEST = 300
"""Operations of a formula that is worth rewriting: beyond, SymPy takes seconds."""

_HIGHEST = 48  # power of E that SymPy finds common factors with in less than a second
_SHORT = 10_000  # of numerators and denominators

_E = Symbol("E", positive=True)
_U = Symbol("U", positive=True)
_S = Symbol("S", positive=True)
_HYPERBOLIC = (sympy.sinh, sympy.cosh, sympy.tanh, sympy.coth, sympy.sech, sympy.csch)
_FUNCTIONS = (sympy.Add, sympy.Mul, sympy.Pow, log)


def rewritings(derivative: Expr) -> Iterator[Expr]:
    """The derivative in other ways, the plainest first."""
    if derivative.count_ops() > _LARGEST:
        return
    for way in (merged, exponential, lowest, factored, in_a_power, conjugate, algebraic):
        try:
            found = way(derivative)
        except (ArithmeticError, AttributeError, TypeError, ValueError, sympy.PolynomialError):
            continue  # SymPy's own mistakes, with decimals among polynomials' coefficients
        if found is not None and found != derivative:
            yield found


def is_real(expression: Expr) -> bool:
    """Without a number that is none of the reals, as SymPy takes (-1)^(1/3) out of roots."""
    parts = sympy.preorder_traversal(expression)
    return not any(part.is_number and part.is_extended_real is False for part in parts)


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
    if any(_degree(part) > _HIGHEST for part in sympy.fraction(together)):
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


# --- algebraic functions --------------------------------------------------------------------------


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
    if roots or derivative.has(sympy.Float) or derivative.count_ops() > _LARGEST // 4:
        return None
    poly = derivative.as_poly()
    if poly is None or len(poly.gens) > 1 or poly.degree() > _HIGHEST // 4:
        return None
    return renamed(sympy.factor(derivative))


def in_a_power(derivative: Expr) -> Expr | None:
    """A rational function of s = z^a and z in lowest terms, or of their inverses where z > 1.

    (1 + 4 s + 5 s^2)/(s^5 (1 + s)^4) of sqrt(z)/(1 + sqrt(z)), where SymPy has z^2/z^(9/2). Other
    functions of z are factors as they are.
    """
    others = {node: sympy.Dummy(real=True) for node in _outermost(derivative)}
    exponent = _exponent(derivative)
    if exponent is None or derivative.has(sympy.Float):
        return None
    written = _in_power(derivative.xreplace(others), exponent)
    if not written.is_rational_function(_S, _U, *others.values()) or not _is_low(written):
        return None
    arms = []
    for side in (1, -1):
        found = sympy.factor(written.xreplace({_S: _S**side, _U: _U**side}))
        back = {_S: held(Z ** (side * exponent)), _U: Z if side == 1 else held(1 / Z)}
        arms.append(found.xreplace({dummy: node for node, dummy in others.items()} | back))
    return Piecewise((arms[0], Z <= 1), (arms[1], True))


def _exponent(derivative: Expr) -> Expr | None:
    """a such that all broken powers of z are those of z^a and z: 1/q if q is small, or the one
    that is there most often."""
    parts = sympy.preorder_traversal(derivative)
    powers = Counter(p.exp for p in parts if p.is_Pow and p.base == Z and p.exp.is_Rational)
    broken = [e for e, _ in powers.most_common() if not e.is_Integer]
    if not broken:
        return None
    root = sympy.ilcm(*(e.q for e in broken))
    whole = (a for a in broken if all(_multiple(e, a) is not None for e in broken))
    return sympy.Rational(1, root) if root < 4 else next(whole, None)


def _multiple(e: Expr, a: Expr) -> int | None:
    """k of z^e = (z^a)^k z^n, n whole."""
    return min((k for k in range(-8, 9) if (e - k * a).is_Integer), key=abs, default=None)


def _in_power(node: Expr, exponent: Expr) -> Expr:
    """z^a as s, and z as U, or as a power of s where a is 1/q."""
    if exponent.p == 1:
        return node.xreplace({Z: _S**exponent.q})
    powers = {p: _multiple(p.exp, exponent) for p in node.atoms(sympy.Pow) if p.base == Z}
    named = {p: _S**k * _U ** (p.exp - k * exponent) for p, k in powers.items() if k is not None}
    return node.xreplace(named).xreplace({Z: _U})


def _is_low(expression: Expr) -> bool:
    exponents = [p.exp for p in expression.atoms(sympy.Pow)]
    return all(exponent.is_Integer and abs(exponent) <= _HIGHEST for exponent in exponents)


def algebraic(derivative: Expr) -> Expr | None:
    """In 1/|z| where |z| > 1: no power of a large z is taken that is not there in the end.

    Other functions of z are factors as they are, but for their arguments.
    """
    others = {node: sympy.Dummy(real=True) for node in _outermost(derivative)}
    written = derivative.xreplace(others)
    if not all(power.exp.is_real for power in written.atoms(sympy.Pow) if power.base.has(Z)):
        return None
    near = conjugate(lowest(written))
    if near.count_ops() > _LARGEST // 2:
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
