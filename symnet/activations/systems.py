"""Functions of z as small closed systems of quantities, differentiated by the chain rule.

A quantity has a definition that is accurate in both tails, and a derivative that is again an
expression in the quantities, as for the logistic function

    s = 1/(1 + exp(-z)),  w = s (1 - s),  d = 1 - 2 s:      s' = w,   w' = w d,   d' = -2 w

so that every order follows by the chain rule, shares its exponentials with the other orders, and
subtracts nothing that a reformulation avoids (`sech^2` is not computed as `1 - tanh^2`).

Source: the derivatives of the logistic function as polynomials in it, A. A. Minai and
R. D. Williams, "On the derivatives of the sigmoid", Neural Networks 6 (1993).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import sympy
from sympy import And, Expr, Or, Symbol
from sympy.core.relational import Relational

from symnet.activations.functions import POLYGAMMAS, STEPS, held

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


@lru_cache(maxsize=1024)
def differentiated(arm: Expr, order: int) -> Expr:
    """The derivative by SymPy; steps such as floor(z) are constants between their jumps."""
    steps = {step: sympy.Dummy(real=True) for step in arm.atoms(*STEPS)}
    back = {dummy: step for step, dummy in steps.items()}
    return sympy.diff(arm.xreplace(steps), Z, order).xreplace(back)


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
    quantities, _ = _let_go(kept[::-1], [], sympy.numbered_symbols("h", real=True))
    return Forms((*quantities, *common), tuple(derivatives))


def repeated(
    expressions: list[Expr], products: bool = True
) -> tuple[list[tuple[Symbol, Expr]], list[Expr]]:
    """What occurs in the expressions more than once as temporaries `u0`, `u1`, ..., and the rest.

    A condition is no number, and is left where it is. What is `held` is a temporary. `products`:
    also of some of a product's factors, which may overflow where the product does not.
    """
    tests: set[Any] = set().union(*(e.atoms(Relational, And, Or) for e in expressions))
    hidden = {test: sympy.Dummy() for test in tests}
    names = sympy.numbered_symbols("u", real=True)
    ignored = () if products else [Z]
    common, rest = sympy.cse([e.xreplace(hidden) for e in expressions], names, ignore=ignored)
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
