"""Systems found in a user's formula: what is known to overflow or cancel becomes quantities."""

from __future__ import annotations

import sympy
from sympy import Expr, Piecewise, Symbol, exp
from sympy.codegen.cfunctions import expm1, log1p

from symnet.activations.blocks import below_one, hyperbolic, logistic
from symnet.activations.identities import complement
from symnet.activations.systems import Auxiliary, System, Z, slope_of

_FAMILIES = {"s": logistic, "v": logistic, "t": hyperbolic, "l": below_one}


class _Understanding:
    """Finds the logistic function, softplus, tanh and exp(x) - 1 in a formula.

    So a user's `z/(1 + exp(-2 z))` is computed as safely as the table's silu.
    """

    def __init__(self) -> None:
        self.quantities: list[Auxiliary] = []
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
        if isinstance(node, sympy.Pow) and not node.exp.has(Z) and not node.exp.is_Integer:
            exponent = _exponent(node.base - 1)
            return node if exponent is None else exp(node.exp * self.symbol("v", exponent))
        if isinstance(node, sympy.Add):
            return _complements(node) if len(node.args) > 2 else complement(node) or _less_one(node)
        return self.quotient(node) if isinstance(node, sympy.Mul) else node

    def logarithm(self, node: Expr) -> Expr:
        """`log(1 + exp(x))`, `log(exp(x) - 1)`, `log(1 - exp(x))` and `log(1 + x)`."""
        number, rest = node.args[0].as_coeff_Add()
        if isinstance(node.args[0], expm1):
            (x,) = node.args[0].args
            return x + self.symbol("l", x)
        if number == 1 and (exponent := _exponent(-rest)) is not None:
            return self.symbol("l", -exponent)
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
                self.quantities.append(Auxiliary(argument, x, slope))
            family = _FAMILIES[kind]
            found = family(argument, slope, suffix)
            self.quantities.extend(found)
            named = {str(quantity.symbol)[:1]: quantity.symbol for quantity in found}
            known = {(name, x): named[name] for name in ("sv" if kind in "sv" else kind)}
            known |= {("s", -x): named["r"]} if kind in "sv" else {}
            # What stands in the formula already keeps its name.
            self.symbols = known | self.symbols
        return self.symbols[kind, x]


def _exponent(node: Expr) -> Expr | None:
    """x of `exp(x)`, and `x + log(a)` of `a exp(x)`, a > 0."""
    factor, power = node.as_independent(Z, as_Add=False)
    if not isinstance(power, exp) or not power.free_symbols:
        return None
    if factor == 1:
        return power.args[0]
    return power.args[0] + sympy.log(factor) if factor.is_positive else None


def _less_one(node: Expr) -> Expr:
    """`a exp(x) - a` as `a expm1(x)`."""
    number, product = node.as_independent(Z, as_Add=True)
    factor, power = product.as_independent(Z, as_Add=False)
    if number.is_number and number == -factor and _exponent(power) is not None:
        return factor * expm1(_exponent(power))
    return node


def _complements(node: Expr) -> Expr:
    """`a + a erf(x) + ...`, of which the first two are `a erfc(-x)`."""
    number, rest = node.as_independent(Z, as_Add=True)
    for term in sympy.Add.make_args(rest):
        found = complement(number + term) if number else None
        if found is not None:
            return found + (rest - term)
    return node


def understood(value: Expr) -> System:
    """The system of a formula in z: what is known to overflow or cancel becomes quantities."""
    finder = _Understanding()
    return System(finder.visit(value), tuple(finder.quantities))
