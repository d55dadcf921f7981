"""Functions of z as small closed systems of quantities, differentiated by the chain rule.

A quantity has a definition that is accurate in both tails, and a derivative that is again an
expression in the quantities, as for the logistic function

    s = 1/(1 + exp(-z)),  w = s (1 - s),  d = 1 - 2 s:      s' = w,   w' = w d,   d' = -2 w

so that every order follows by the chain rule, shares its exponentials with the other orders, and
subtracts nothing that a reformulation avoids (`sech^2` is not computed as `1 - tanh^2`).

Sources: the derivatives of the logistic function as polynomials in it, A. A. Minai and
R. D. Williams, "On the derivatives of the sigmoid", Neural Networks 6 (1993); the split exponent of
exp(-z^2), W. J. Cody, "Rational Chebyshev approximations for the error function", Math. Comp. 23
(1969).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import mpmath
import sympy
from sympy import Abs, Expr, Piecewise, Symbol, exp, floor
from sympy.codegen.cfunctions import expm1, log1p
from sympy.core.relational import Relational

Z = Symbol("z", real=True)
_DIGITS = 60  # of irrational constants in forms: enough for evaluation at 50 digits


class Quantity(NamedTuple):
    """A named temporary: its definition in z and the quantities before it, and its derivative.

    `slope` is None for a stepping stone, which only definitions use.
    """

    symbol: Symbol
    definition: Expr
    slope: Expr | None = None


class System(NamedTuple):
    """A function as an expression in z and quantities whose derivatives are known."""

    value: Expr
    quantities: tuple[Quantity, ...] = ()


class Forms(NamedTuple):
    """`sigma, sigma', ..., sigma^(order)` as code evaluates them.

    `shared` are the temporaries in order of evaluation, each in z and those before it;
    `derivatives[r]` is the r-th derivative in z and the temporaries. Conditions are written so that
    NaN takes the last arm of a `Piecewise`, and comes out as NaN.
    """

    shared: tuple[tuple[Symbol, Expr], ...]
    derivatives: tuple[Expr, ...]

    def only(self, orders: Sequence[int]) -> Forms:
        """The derivatives of these orders, and the temporaries that they need."""
        wanted = tuple(self.derivatives[order] for order in orders)
        needed: set[Symbol] = set().union(*(e.free_symbols for e in wanted))
        shared: list[tuple[Symbol, Expr]] = []
        for symbol, expression in reversed(self.shared):
            if symbol in needed:
                needed |= expression.free_symbols
                shared.insert(0, (symbol, expression))
        return Forms(tuple(shared), wanted)


# --- derivatives, by the chain rule -------------------------------------------------------------


def slope_of(expression: Expr, quantities: Sequence[Quantity]) -> Expr:
    """`d/dz f(z, q) = df/dz + sum over q of df/dq q'`."""
    total = sympy.diff(expression, Z)
    for symbol, _, slope in quantities:
        if slope is not None:
            total += sympy.diff(expression, symbol) * slope
    return total


@lru_cache(maxsize=4096)
def chain(system: System, order: int) -> Expr:
    """The derivative in z and the system's own quantities."""
    value, quantities = system
    if order == 0:
        return value
    return sympy.factor_terms(sympy.expand_mul(slope_of(chain(system, order - 1), quantities)))


@lru_cache(maxsize=4096)
def _exact_forms(system: System, order: int) -> Forms:
    """The forms with their constants exact: only the quantities that these orders need."""
    repeated, derivatives = _repeated([chain(system, r) for r in range(order + 1)])
    needed = set().union(*(part.free_symbols for _, part in repeated))
    needed = needed.union(*(part.free_symbols for part in derivatives))
    kept: list[tuple[Symbol, Expr]] = []
    for symbol, definition, _ in reversed(system.quantities):
        if symbol in needed:
            needed |= definition.free_symbols
            kept.append((symbol, definition))
    return Forms((*reversed(kept), *repeated), tuple(derivatives))


def _repeated(expressions: list[Expr]) -> tuple[list[tuple[Symbol, Expr]], list[Expr]]:
    """What occurs in the expressions more than once as temporaries `u0`, `u1`, ..., and the rest.

    A condition is no number, and is left where it is.
    """
    tests = set().union(*(expression.atoms(Relational) for expression in expressions))
    hidden = {test: sympy.Dummy() for test in tests}
    names = sympy.numbered_symbols("u", real=True)
    repeated, rest = sympy.cse([e.xreplace(hidden) for e in expressions], names)
    shown = {dummy: test for test, dummy in hidden.items()}
    return [(symbol, e.xreplace(shown)) for symbol, e in repeated], [
        e.xreplace(shown) for e in rest
    ]


@lru_cache(maxsize=4096)
def forms(system: System, order: int) -> Forms:
    """All derivatives up to `order` with shared temporaries, as generated code evaluates them."""
    shared, derivatives = _exact_forms(system, order)
    written: list[tuple[Symbol, Expr]] = []
    same: dict[Expr, Expr] = {}

    def rewritten(expression: Expr) -> Expr:
        return _decimal(_without_powers(expression.xreplace(same), written))

    for symbol, definition in shared:
        found = rewritten(definition)
        if found.is_Symbol:
            same[symbol] = found
        else:
            written.append((symbol, found))
    last = tuple(map(rewritten, derivatives))
    return Forms(tuple(written), last)


def _without_powers(expression: Expr, written: list[tuple[Symbol, Expr]]) -> Expr:
    """`expression` with each `w**n` a temporary `w_n`, a product: C would call pow for it."""
    powers = {
        power
        for power in expression.atoms(sympy.Pow)
        if power.base.is_Symbol and power.exp.is_Integer and power.exp > 1
    }
    return expression.xreplace({p: _power(p.base, int(p.exp), written) for p in powers})


def _power(base: Symbol, n: int, written: list[tuple[Symbol, Expr]]) -> Symbol:
    if n == 1:
        return base
    symbol = Symbol(f"{base.name}_{n}", real=True)
    if symbol not in dict(written):
        halves = _power(base, n - n // 2, written), _power(base, n // 2, written)
        written.append((symbol, sympy.Mul(*halves, evaluate=False)))
    return symbol


def _decimal(expression: Expr) -> Expr:
    """Irrational constants as numbers: NumPy's own `sqrt(2)` would turn float32 into float64."""
    if expression.is_number and not expression.is_Rational and not expression.is_Float:
        return sympy.N(expression, _DIGITS)
    if not expression.args:
        return expression
    if isinstance(expression, sympy.Mul):
        constant, rest = expression.as_independent(Z, *expression.free_symbols, as_Add=False)
        if constant.args:
            return _decimal(constant) * _decimal(rest)
    return expression.func(*(_decimal(argument) for argument in expression.args))


@lru_cache(maxsize=4096)
def derivative(system: System, order: int) -> Expr:
    """The derivative in z alone, its temporaries replaced by their definitions."""
    shared, derivatives = _exact_forms(system, order)
    found = derivatives[order]
    for symbol, definition in reversed(shared):
        found = found.xreplace({symbol: definition})
    return found


# --- building blocks ----------------------------------------------------------------------------


def reals(names: str) -> tuple[Symbol, ...]:
    """Real symbols for the names, which are separated by blanks."""
    return sympy.symbols(names, real=True)


_a, _b, _c, _e, _h, _i, _s, _t, _u, _v, _y = reals("a b c e h i s t u v y")
_m, _o = sympy.symbols("m o", nonpositive=True)


def either(condition: Any, then: Expr | int, otherwise: Expr | int) -> Expr:
    """`then` where the condition holds, else `otherwise`, which is also where NaN goes."""
    return Piecewise((then, condition), (otherwise, True))


def logistic(x: Expr, slope: Expr = sympy.S.One, suffix: str = "") -> tuple[Quantity, ...]:
    """`s = 1/(1 + exp(-x))`, `r = 1 - s`, `w = s r`, `d = r - s` and `v = log(1 + exp(x))`.

    All come from one exponential of `-|x|`, which cannot overflow.
    """
    e, p, q, s, r, w, d, v = reals(" ".join(name + suffix for name in "epqsrwdv"))
    return (
        Quantity(e, exp(-Abs(x))),
        Quantity(p, 1 / (1 + e)),
        Quantity(q, e * p),
        Quantity(s, either(x >= 0, p, q), w * slope),
        Quantity(r, either(x >= 0, q, p), -w * slope),
        Quantity(w, p * q, w * d * slope),
        Quantity(d, r - s, -2 * w * slope),
        Quantity(v, either(x <= 0, 0, x) + log1p(e), s * slope),
    )


def hyperbolic(x: Expr, slope: Expr = sympy.S.One, suffix: str = "") -> tuple[Quantity, ...]:
    """`t = tanh(x)` and `w = 1 - t^2 = 4 exp(-2 |x|)/(1 + exp(-2 |x|))^2`.

    The backends take their tanh from the same exponential and quotient where they have it.
    """
    t, e, p, q, w = reals(" ".join(name + suffix for name in "tepqw"))
    return (
        Quantity(e, exp(-2 * Abs(x))),
        Quantity(p, 1 / (1 + e)),
        Quantity(q, e * p),
        Quantity(t, sympy.tanh(x), w * slope),
        Quantity(w, 4 * p * q, -2 * t * w * slope),
    )


def clipped(bound: int) -> tuple[Quantity, ...]:
    """`c = z`, but no further than `bound` from 0: beyond it, all that c multiplies is 0."""
    return (
        # Not two constants: C compilers would compute all that follows once for each of them.
        Quantity(_c, either(Abs(Z) > bound, bound * sympy.sign(Z), Z), sympy.S.One),
    )


def sized(bound: int) -> tuple[Quantity, ...]:
    """`c = |z|`, but at most `bound`, and `t = c^2`: beyond it, all that they multiply is 0."""
    return (
        Quantity(_c, either(Abs(Z) > bound, bound, Abs(Z))),
        Quantity(_t, _c**2, 2 * Z),
    )


def rectified(below: Expr, slope: Expr, scale: Expr = sympy.S.One) -> System:
    """`scale z` where z > 0, else `slope z`."""
    return System(
        _v,
        (
            Quantity(_v, either(Z <= 0, below, scale * Z), _s),
            # Only NaN reaches the z of this line: a step alone would turn it into a number.
            Quantity(_h, either(Z > 0, scale, Z)),
            Quantity(_s, either(Z <= 0, slope, _h), sympy.S.Zero),
        ),
    )


def exponential(scale: Expr, alpha: Expr) -> System:
    """`scale z` where z > 0, else `scale alpha (exp(z) - 1)`."""
    left = scale * alpha
    return System(
        _v,
        (
            Quantity(_m, either(Z > 0, 0, Z)),
            Quantity(_v, either(Z > 0, scale * Z, left * expm1(_m)), _s),
            Quantity(_e, left * exp(_m)),
            Quantity(_s, either(Z > 0, scale, _e), _t),
            Quantity(_t, either(Z > 0, 0, _e), _t),
        ),
    )


class erfcx(sympy.Function):
    """The scaled complementary error function `exp(x^2) erfc(x)`, for x >= 0."""

    def _eval_rewrite_as_erfc(self, x: Expr, **_: object) -> Expr:
        return exp(x**2) * sympy.erfc(x)

    def _eval_evalf(self, prec: int) -> Expr:
        return self.rewrite(sympy.erfc)._eval_evalf(prec)


def squared(x: Expr, share: Expr = sympy.S.One) -> tuple[Quantity, ...]:
    """`e exp(u) = exp(-share x^2)`, the rounding of the exponent being u: `e + e u` is exact.

    With a short h, whose square is exact, `-x^2 = -h^2 + (h - x)(h + x)`. `share` is a power of 2.
    """
    return (
        Quantity(_h, floor(256 * x) / 256),
        Quantity(_a, -share * _h**2),
        Quantity(_b, (_h - x) * (_h + x)),
        Quantity(_o, _a + share * _b),
        Quantity(_i, _a - _o),
        Quantity(_u, _i + share * _b),
        Quantity(_e, exp(_o)),
    )


# --- systems found in a formula -----------------------------------------------------------------


class _Understanding:
    """Finds the logistic function, softplus, tanh and exp(x) - 1 in a formula.

    So a user's `z/(1 + exp(-2 z))` is computed as safely as the table's silu.
    """

    def __init__(self) -> None:
        self.quantities: list[Quantity] = []
        self.symbols: dict[tuple[str, Expr], Symbol] = {}

    def visit(self, node: Expr) -> Expr:
        if not node.has(Z) or not node.args:
            return node
        if isinstance(node, Piecewise):
            return Piecewise(*((self.visit(value), condition) for value, condition in node.args))
        node = node.func(*map(self.visit, node.args))
        if isinstance(node, sympy.tanh):
            return self.symbol("t", node.args[0])
        if isinstance(node, sympy.log):
            return self.logarithm(node)
        if isinstance(node, sympy.Pow) and node.exp.is_Integer and node.exp < 0:
            exponent = _exponent(node.base - 1)
            return node if exponent is None else self.symbol("s", -exponent) ** (-node.exp)
        if isinstance(node, sympy.Add) and len(node.args) == 2:
            return _less_one(node)
        return self.quotient(node) if isinstance(node, sympy.Mul) else node

    def logarithm(self, node: Expr) -> Expr:
        """`log(1 + exp(x))` and `log(1 + x)`."""
        number, rest = node.args[0].as_coeff_Add()
        if number != 1:
            return node
        exponent = _exponent(rest)
        return log1p(rest) if exponent is None else self.symbol("v", exponent)

    def quotient(self, node: Expr) -> Expr:
        """`exp(x)/(1 + exp(x))`, which has become `exp(x) s(-x)`."""
        arguments = {symbol: x for (kind, x), symbol in self.symbols.items() if kind == "s"}
        for factor in node.args:
            for symbol in node.free_symbols & arguments.keys():
                if _exponent(factor) == -arguments[symbol]:
                    return node / factor / symbol * self.symbol("s", _exponent(factor))
        return node

    def symbol(self, kind: str, x: Expr) -> Symbol:
        """The quantity s(x), v(x) or t(x), with s(-x) known as the complement of s(x)."""
        if (kind, x) not in self.symbols:
            suffix = str(len(self.symbols) + 1)
            argument = Symbol("x" + suffix, real=True) if x != Z else Z
            slope = slope_of(x, self.quantities)
            if x != Z:
                self.quantities.append(Quantity(argument, x, slope))
            family = hyperbolic if kind == "t" else logistic
            found = family(argument, slope, suffix)
            self.quantities.extend(found)
            named = {str(quantity.symbol)[:1]: quantity.symbol for quantity in found}
            known = {(name, x): named[name] for name in ("t" if kind == "t" else "sv")}
            known |= {} if kind == "t" else {("s", -x): named["r"]}
            # What stands in the formula already keeps its name.
            self.symbols = known | self.symbols
        return self.symbols[kind, x]


def _exponent(node: Expr) -> Expr | None:
    return node.args[0] if isinstance(node, exp) and node.free_symbols else None


def _less_one(node: Expr) -> Expr:
    """`a exp(x) - a` as `a expm1(x)`."""
    number, product = node.as_independent(Z, as_Add=True)
    factor, power = product.as_independent(Z, as_Add=False)
    if number.is_number and number == -factor and _exponent(power) is not None:
        return factor * expm1(_exponent(power))
    return node


def understood(value: Expr) -> System:
    """The system of a formula in z: what is known to overflow or cancel becomes quantities."""
    finder = _Understanding()
    return System(finder.visit(value), tuple(finder.quantities))


def kinks_of(value: Expr) -> tuple[Expr, ...]:
    """The places where the arms of a Piecewise meet at an angle, or do not meet."""
    meetings: set[Expr] = set()
    for relation in value.atoms(Relational):
        difference = relation.lhs - relation.rhs
        if difference.is_polynomial(Z):
            meetings |= set(sympy.roots(difference, Z)) if difference.has(Z) else set()
    slope = sympy.lambdify(Z, [value, sympy.diff(value, Z)], "mpmath")
    return tuple(
        place
        for place in sorted((m for m in meetings if m.is_real), key=float)
        if _jumps(slope, place)
    )


def _jumps(functions: Any, place: Expr) -> bool:
    with mpmath.workdps(40):
        here, step = mpmath.mpf(sympy.N(place, 40)), mpmath.mpf(10) ** -20
        sides = zip(functions(here - step), functions(here + step), strict=True)
        return any(abs(a - b) > 1e-10 * (1 + abs(a)) for a, b in sides)
