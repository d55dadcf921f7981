"""Systems found in a user's formula: what is known to overflow or cancel becomes quantities."""

from __future__ import annotations

from collections.abc import Callable

import sympy
from sympy import Expr, Piecewise, Symbol, exp
from sympy.codegen.cfunctions import expm1, log1p

from symnet.activations.blocks import below_one, hyperbolic, logistic
from symnet.activations.functions import erfcx, held
from symnet.activations.identities import complement
from symnet.activations.mills import SCALE, Family, hazard, scaled
from symnet.activations.systems import Auxiliary, System, Z, slope_of

_FAMILIES = {
    **{"s": logistic, "v": logistic, "t": hyperbolic},
    **{"l": below_one, "q": below_one},
}

_HALVED = sympy.Rational(-7, 10)
"""Where exp(x) is about 1/2."""


class _Understanding:
    """Finds the logistic function, softplus, tanh and exp(x) - 1 in a formula.

    So a user's `z/(1 + exp(-2 z))` is computed as safely as the table's silu.
    """

    def __init__(self) -> None:
        self.quantities: list[Auxiliary] = []
        self.symbols: dict[tuple[str, Expr], Symbol] = {}
        self.families: dict[tuple[object, Expr], Family] = {}

    def visit(self, node: Expr) -> Expr:
        if not node.has(Z) or not node.args:
            return node
        if isinstance(node, Piecewise):
            return Piecewise(*((self.visit(value), condition) for value, condition in node.args))
        node = node.func(*map(self.visit, node.args))
        if isinstance(node, sympy.tanh):
            return self.symbol("t", node.args[0])
        if isinstance(node, erfcx):
            return self.erfc_family(scaled, node.args[0]).value
        if isinstance(node, sympy.log):
            return self.logarithm(node)
        if isinstance(node, sympy.Pow) and node.exp.is_Integer and node.exp < 0:
            if isinstance(node.base, expm1):
                return self.symbol("q", node.base.args[0]) ** (-node.exp)
            exponent = _exponent(node.base - 1)
            return node if exponent is None else self.symbol("s", -exponent) ** (-node.exp)
        if isinstance(node, sympy.Pow) and not node.exp.has(Z) and not node.exp.is_Integer:
            exponent = _exponent(node.base - 1)
            return node if exponent is None else exp(node.exp * self.symbol("v", exponent))
        if isinstance(node, sympy.Add):
            if (turned := self.turned(node)) is not None:
                return turned
            return _complements(node) if len(node.args) > 2 else complement(node) or _less_one(node)
        return self.quotient(node) if isinstance(node, sympy.Mul) else node

    def arguments(self, kind: str) -> dict[Symbol, Expr]:
        """x of the quantities of a kind."""
        return {symbol: x for (name, x), symbol in self.symbols.items() if name == kind}

    def turned(self, node: Expr) -> Expr | None:
        """`log(1 + exp(x)) - x` as `log(1 + exp(-x))`."""
        for symbol, x in self.arguments("v").items():
            factor = node.coeff(symbol)
            rest = node - factor * symbol
            if factor.is_number and factor != 0 and -factor * x in sympy.Add.make_args(rest):
                return rest + factor * x + factor * self.symbol("v", -x)
        return None

    def logarithm(self, node: Expr) -> Expr:
        """`log(1 + exp(x))`, `log(1 + x)`, and what comes near 1 in a tail."""
        near = _log_less_exponential(node.args[0])
        if near is not None:
            return near
        shares = self.arguments("s")
        if node.args[0] in shares:
            return -self.symbol("v", -shares[node.args[0]])
        for share in (sympy.S.One, sympy.S.Half):
            if isinstance(node.args[0] / share, sympy.erfc):
                return self.log_complement((node.args[0] / share).args[0], share)
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

    def log_complement(self, turned: Expr, share: Expr) -> Symbol:
        """`log(erfc(x))`, or that of half of it."""
        x = _released(turned)
        u, r, _ = self.erfc_family(hazard, x)
        v = Symbol(f"le{len(self.quantities)}", real=True)
        less = sympy.erf(u) if share == 1 else sympy.erfc(held(-u)) / 2
        far = sympy.log(share * SCALE / r) - u**2
        value = Piecewise((log1p(-less), u < sympy.S.Half), (far, True))
        self.quantities.append(Auxiliary(v, value, -r * slope_of(x, self.quantities)))
        return v

    def erfc_family(self, make: Callable[[Expr, Expr, str], Family], x: Expr) -> Family:
        """The hazard, or erfcx, at x."""
        if (make, x) not in self.families:
            suffix = f"e{len(self.quantities) + 1}"  # of no other family
            self.families[make, x] = make(x, slope_of(x, self.quantities), suffix)
            self.quantities += self.families[make, x].quantities
        return self.families[make, x]

    def quotient(self, node: Expr) -> Expr:
        """`exp(x)/(1 + exp(x))`, which has become `exp(x) s(-x)`."""
        arguments = self.arguments("s")
        for factor in node.args:
            for symbol in node.free_symbols & arguments.keys():
                if _exponent(factor) == -arguments[symbol]:
                    return node / factor / symbol * self.symbol("s", _exponent(factor))
        return self.ratio(node)

    def ratio(self, node: Expr) -> Expr:
        """`exp(-x^2)/erfc(x)` and its powers, as Mills has it."""
        below = [f for f in node.args if f.is_Pow and isinstance(f.base, sympy.erfc)]
        if len(below) != 1 or not (below[0].exp.is_Integer and below[0].exp < 0):
            return node
        x, n = _released(below[0].base.args[0]), -below[0].exp
        powers = [f for f in node.args if isinstance(f, exp)]
        rest = sympy.expand(sympy.Add(n * x**2, *(power.args[0] for power in powers)))
        if rest.has(Z**2, x):
            return node
        r = self.erfc_family(hazard, x).value
        return node / sympy.Mul(*below, *powers) * exp(rest) * (r / SCALE) ** n

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
            together = next(names for names in ("sv", "lq", "t") if kind in names)
            known = {(name, x): named[name] for name in together}
            known |= {("s", -x): named["r"]} if kind in "sv" else {}
            # What stands in the formula already keeps its name.
            self.symbols = known | self.symbols
        return self.symbols[kind, x]


def _released(x: Expr) -> Expr:
    return x.args[0] if isinstance(x, held) else x


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


def _log_less_exponential(argument: Expr) -> Expr | None:
    """`log(1 - exp(x))`, whose argument is `-expm1(x)` by now; x < 0."""
    if not isinstance(-argument, expm1):
        return None
    (x,) = (-argument).args
    return Piecewise((sympy.log(argument), x > _HALVED), (log1p(-exp(x)), True))


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
