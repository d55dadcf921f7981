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

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, ClassVar, NamedTuple

import sympy
from sympy import Abs, And, Expr, Or, Piecewise, Symbol, exp, floor
from sympy.codegen.cfunctions import expm1, log1p
from sympy.core.relational import Relational

Z = Symbol("z", real=True)
_DIGITS = 60  # of irrational constants in forms: enough for evaluation at 50 digits


class Auxiliary(NamedTuple):
    """A named temporary: its definition in z and the quantities before it, and its derivative.

    `slope` is None for a stepping stone, which only definitions use.
    """

    symbol: Symbol
    definition: Expr
    slope: Expr | None = None


class System(NamedTuple):
    """A function as an expression in z and quantities whose derivatives are known."""

    value: Expr
    quantities: tuple[Auxiliary, ...] = ()


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


def slope_of(expression: Expr, quantities: Sequence[Auxiliary]) -> Expr:
    """`d/dz f(z, q) = df/dz + sum over q of df/dq q'`."""
    # Steps are constants between their jumps; SymPy has no derivative of them.
    steps = {step: sympy.Dummy(real=True) for step in expression.atoms(*STEPS)}
    smooth = expression.xreplace(steps)
    total = sympy.diff(smooth, Z)
    for symbol, _, slope in quantities:
        if slope is not None:
            total += sympy.diff(smooth, symbol) * slope
    return total.xreplace({dummy: step for step, dummy in steps.items()})


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
    common, derivatives = repeated([chain(system, r) for r in range(order + 1)])
    needed = set().union(*(part.free_symbols for _, part in common))
    needed = needed.union(*(part.free_symbols for part in derivatives))
    kept: list[tuple[Symbol, Expr]] = []
    for symbol, definition, _ in reversed(system.quantities):
        if symbol in needed:
            needed |= definition.free_symbols
            kept.append((symbol, definition))
    return Forms((*reversed(kept), *common), tuple(derivatives))


def repeated(expressions: list[Expr]) -> tuple[list[tuple[Symbol, Expr]], list[Expr]]:
    """What occurs in the expressions more than once as temporaries `u0`, `u1`, ..., and the rest.

    A condition is no number, and is left where it is. What is `held` is a temporary.
    """
    tests: set[Any] = set().union(*(e.atoms(Relational, And, Or) for e in expressions))
    hidden = {test: sympy.Dummy() for test in tests}
    names = sympy.numbered_symbols("u", real=True)
    common, rest = sympy.cse([e.xreplace(hidden) for e in expressions], names)
    shown = {dummy: test for test, dummy in hidden.items()}
    lines = [(symbol, e.xreplace(shown)) for symbol, e in common]
    return _let_go(lines, [e.xreplace(shown) for e in rest], names)


def _let_go(
    lines: list[tuple[Symbol, Expr]], results: list[Expr], names: Iterator[Symbol]
) -> tuple[list[tuple[Symbol, Expr]], list[Expr]]:
    """The lines and results, each `held(e)` in them a line of its own."""
    written: list[tuple[Symbol, Expr]] = []
    known: dict[Expr, Expr] = {}

    def free(expression: Expr) -> Expr:
        for node in sorted(expression.atoms(held), key=lambda e: (e.count_ops(), str(e))):
            if node not in known:
                inner = free(node.args[0])
                known[node] = next(names)
                written.append((known[node], inner))
        return expression.xreplace(known)

    for symbol, definition in lines:
        found = free(definition)
        written.append((symbol, found))
    return written, [free(result) for result in results]


@lru_cache(maxsize=4096)
def forms(system: System, order: int) -> Forms:
    """All derivatives up to `order` with shared temporaries, as generated code evaluates them."""
    return finished(_exact_forms(system, order))


def finished(exact: Forms) -> Forms:
    """The forms without powers, and with decimals for irrational constants."""
    shared, derivatives = exact
    written: list[tuple[Symbol, Expr]] = []
    same: dict[Expr, Expr] = {}

    def rewritten(expression: Expr) -> Expr:
        return _decimal(_without_powers(_of_one(expression.xreplace(same)), written))

    for symbol, definition in shared:
        found = rewritten(definition)
        if found.is_Symbol or found.is_number:
            same[symbol] = found
        else:
            written.append((symbol, found))
    last = tuple(map(rewritten, derivatives))
    return Forms(tuple(written), last)


def _of_one(expression: Expr) -> Expr:
    """With functions of one argument in the place of `polygamma(n, x)`."""
    calls = sorted(expression.atoms(sympy.polygamma), key=sympy.count_ops)
    for call in calls:
        inner = _of_one(call.args[1])
        expression = expression.xreplace({call: POLYGAMMAS[int(call.args[0])](inner)})
    return expression


def _without_powers(expression: Expr, written: list[tuple[Symbol, Expr]]) -> Expr:
    """`expression` with each `w**n` a temporary `w_n`, a product: C would call pow for it."""
    powers = {
        power
        for power in expression.atoms(sympy.Pow)
        if power.base.is_Symbol and power.exp.is_Integer and abs(power.exp) > 1
    }
    return expression.xreplace(
        {p: _power(p.base, abs(int(p.exp)), written) ** sympy.sign(p.exp) for p in powers}
    )


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


class undefined(sympy.Function):
    """Not a number, of z's type, where a formula has no value."""

    def fdiff(self, argindex: int = 1) -> Expr:
        return self

    def _eval_evalf(self, prec: int) -> Expr:
        return sympy.nan


class rint(sympy.Function):
    """The nearest integer, of two the even one, as NumPy, PyTorch and JAX round."""

    is_integer = True

    @classmethod
    def eval(cls, x: Expr) -> Expr | None:
        if x.is_integer:
            return x
        if x.is_number and x.is_comparable:
            return sympy.Integer(round(sympy.Rational(x)) if x.is_Rational else _nearest(x))
        return None

    def fdiff(self, argindex: int = 1) -> Expr:
        return sympy.S.Zero


def _nearest(x: Expr) -> int:
    return int(floor(x + sympy.S.Half))  # no tie: it is irrational, or a decimal


STEPS = (floor, sympy.ceiling, rint)
"""Functions that are constant between jumps, of which there is no end."""


class Polygamma(sympy.Function):
    """The derivative of digamma of order `degree`, as what is computed calls it."""

    degree: ClassVar[int]

    def fdiff(self, argindex: int = 1) -> Expr:
        return POLYGAMMAS[self.degree + 1](self.args[0])

    def _eval_evalf(self, prec: int) -> Expr:
        return sympy.polygamma(self.degree, self.args[0])._eval_evalf(prec)


POLYGAMMAS = tuple(type(f"polygamma{n}", (Polygamma,), {"degree": n}) for n in range(11))
"""Functions of one argument in the place of SymPy's `polygamma(n, x)`."""


class held(sympy.Function):
    """Its argument, out of SymPy's sight, which would take `erfc(-x)` or a `Piecewise` apart."""

    def fdiff(self, argindex: int = 1) -> Expr:
        return sympy.S.One

    def _eval_evalf(self, prec: int) -> Expr:
        return self.args[0]._eval_evalf(prec)


def let_be(node: Expr) -> Expr:
    """Without `held`, whose place SymPy's own sign for it takes: nothing is put together again."""
    if not node.args:
        return node
    parts = [let_be(part) if isinstance(part, Expr) else part for part in node.args]
    if isinstance(node, Piecewise):
        return Piecewise(*((let_be(value), _released_test(test)) for value, test in node.args))
    if isinstance(node, held):
        return sympy.UnevaluatedExpr(parts[0])
    return node.func(*parts)


def _released_test(test: sympy.Basic) -> sympy.Basic:
    return test.xreplace({h: h.args[0] for h in test.atoms(held)})


class erfcx(sympy.Function):
    """The scaled complementary error function `exp(x^2) erfc(x)`, for x >= 0."""

    def _eval_rewrite_as_erfc(self, x: Expr, **_: object) -> Expr:
        return exp(x**2) * sympy.erfc(x)

    def _eval_evalf(self, prec: int) -> Expr:
        return self.rewrite(sympy.erfc)._eval_evalf(prec)


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
