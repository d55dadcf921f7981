"""Expressions of a Program as C99 text, printed by SymPy's own C printer.

Two kinds: activations, functions of one number z (`decay_of(-fabs(z))`, for floats `fabsf`), and
layer-level products and sums, whose quantities are entries of slabs (`AT(a, r, 3, 1 + i)[c]`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from math import factorial
from types import MappingProxyType

from sympy import Expr, Mul, Symbol
from sympy.codegen.ast import float32, float64, real
from sympy.printing.c import C99CodePrinter
from sympy.printing.precedence import PRECEDENCE

from symnet import breaking
from symnet.activations.functions import Polygamma
from symnet.backends.c.plan.steps import Pass, Place, Plan, Sum, directions
from symnet.backends.c.text.elementary import function_name
from symnet.backends.c.text.lines import broken, literal, literals
from symnet.breaking import SENTENCES, WIDTH, listed
from symnet.calculus.algebra import (
    DIRECTIONS,
    OUTPUT,
    SPELLED,
    Quantity,
    X,
    is_direction,
    row,
    sigma,
)

_TYPES = {"double": float64, "float": float32}


@cache
def _printer(dtype: str, terms: str | None) -> C99CodePrinter:
    """SymPy's printer of a type, which takes longer to make than to print an expression."""
    settings = {"type_aliases": {real: _TYPES[dtype]}, "contract": False, "order": terms}
    return C99CodePrinter(settings)


class ScalarPrinter(C99CodePrinter):
    """Elementary functions of numbers of a C type, "double" or "float".

    `meanings` says what temporaries stand for, which decides between functions of `elementary`.
    """

    terms: str | None = None  # SymPy's order of monomials

    def __init__(self, dtype: str, meanings: Mapping[Symbol, Expr] = MappingProxyType({})) -> None:
        self.__dict__.update(vars(_printer(dtype, self.terms)))
        self.dtype, self.meanings = dtype, meanings

    def _handle_UnevaluatedExpr(self, expr: Expr) -> Expr:
        return expr  # SymPy would look for re() in each: all is real here

    def _print_elementary(self, call: Expr) -> str:
        name = function_name(call, self.meanings)
        return f"{name}({self._print(call.args[0])})"

    _print_exp = _print_expm1 = _print_log = _print_log1p = _print_elementary
    _print_tanh = _print_erf = _print_erfc = _print_erfcx = _print_sign = _print_elementary
    _print_erfinv = _print_loggamma = _print_elementary

    def _print_Function(self, call: Expr) -> str:
        if isinstance(call, Polygamma):
            return f"polygamma_of({call.degree}, {self._print(call.args[0])})"
        return str(super()._print_Function(call))

    def _print_rint(self, call: Expr) -> str:
        name = "rintf" if self.dtype == "float" else "rint"
        return f"{name}({self._print(call.args[0])})"

    def _print_Float(self, number: Expr) -> str:
        return literal(float(number), self.dtype)

    def _print_Rational(self, number: Expr) -> str:
        return f"{literal(float(number.p), self.dtype)}/{literal(float(number.q), self.dtype)}"

    def _print_undefined(self, expr: Expr) -> str:
        return "NAN"

    def _print_Pow(self, expr: Expr) -> str:
        # Not cbrt for z**(1/3): a power of what is negative is NaN, as in NumPy.
        if expr.exp.is_Rational and expr.exp.q not in (1, 2):
            power = "powf" if self.dtype == "float" else "pow"
            return f"{power}({self._print(expr.base)}, {self._print(expr.exp)})"
        return str(super()._print_Pow(expr))

    def _print_Piecewise(self, expr: Expr) -> str:
        (value, condition), *rest = expr.args
        if condition == True or not rest:  # noqa: E712 - SymPy's true is not Python's
            return str(self._print(value))
        otherwise = self._print(expr.func(*rest, evaluate=False))
        return f"({self._print(condition)} ? {self._print(value)} : {otherwise})"


class EntryPrinter(ScalarPrinter):
    """Expressions of one of `rows` neurons r, vector c, along the directions i, j, …, for output p.

    What the activation of the `step` that they are part of gives is in its variables s0, s1, ….
    `parameters` collects what else they read and write: the name in the text and the name in the
    plan, `orders` the orders of multi-indices whose positions are computed. In results the neurons
    are the outputs, and `output` is "r".
    """

    terms = "none"  # as they stand, which is by name: another order takes long to find

    def __init__(self, plan: Plan, dtype: str, rows: int, step: Pass | None = None) -> None:
        super().__init__(dtype)
        self.plan, self.rows, self.row, self.output = plan, rows, "r", "p"
        self.parameters: dict[str, str] = {}
        self.orders: set[int] = set()
        results = step.activated.results if step and step.activated else ()
        self.locals = {place: f"s{r}" for r, place in results}

    def value(self, expression: Expr) -> str:
        """The expression as a `vec`."""
        text = str(self._print(expression))
        return text if re.search(r"\[c\]|\bs\d\b", text) else f"splat({text})"

    def product(self, term: Sum) -> str:
        """A sum's term; its weight first, which others may have use for."""
        moving = self.parenthesize(term.moving, PRECEDENCE["Mul"])
        return f"{self.parenthesize(term.weight, PRECEDENCE['Mul'])}*{moving}"

    def parameter(self, weights: Quantity) -> str:
        """A matrix or a bias, whose layer the text does not tell either."""
        return self._named(str(weights), weights.letter)

    def entry(self, place: Place, along: Sequence[str], at: str) -> str:
        """The entry of neuron `at` along these directions; ("p",) for an adjoint's output p."""
        if len(along) > 1:
            self.orders.add(len(along))
        along = [self.output if d == "p" else d for d in along]
        first = re.sub(r"\d.*", "", place.slab.name)
        first = f"out_{first}" if at == "p" and not first.endswith("Y") else first
        name = self._named(place.slab.name, first)
        return f"AT({name}, {at}, {place.slab.columns}, {_column(place.first, along)})[c]"

    def _named(self, actual: str, first: str) -> str:
        """The parameter that stands for a slab or weights: `first`, or that with a number."""
        name, number = first, 1
        while self.parameters.setdefault(name, actual) != actual:
            number += 1
            name = f"{first}_{number}"
        return name

    def _at(self, width: int) -> str:
        """The row of a vector this wide; of one that is one wide and spread, its only one."""
        return "0" if width == 1 < self.rows else self.row

    def _print_Quantity(self, quantity: Quantity) -> str:
        along = directions(quantity)
        weights = self.plan.weights.get(quantity.family)
        if weights is not None:
            return str(self._print(weights.xreplace(_turned(weights, along))))
        width = self.plan.shapes.width(quantity)
        if is_direction(quantity):
            return f"(real)({self._at(width)} == {along[0]})"
        if quantity == OUTPUT:
            return f"(real)({self._at(width)} == {self.output})"
        if quantity.letter == "b":
            return f"{self.parameter(quantity)}[{self._at(width)}]"
        place = self.plan.places[quantity.family]
        return self._read(place, along or ("p",) * ("p" in quantity.along))

    def _print_sigma(self, node: sigma) -> str:
        return self._read(self.plan.places[node], ())

    def _read(self, place: Place, along: Sequence[str]) -> str:
        if not along and self.row == "r" and place in self.locals:
            return self.locals[place]
        return self.entry(place, along, self._at(place.slab.rows))

    def _print_column(self, node: Expr) -> str:
        """W u_i = W[:, i]."""
        matrix, unit = node.args
        at = self._at(self.plan.shapes.width(node))
        return f"{self.parameter(matrix)}[{at} * N + {directions(unit)[0]}]"

    def _print_row(self, node: Expr) -> str:
        """Wᵀ e = W[p, :]."""
        matrix = node.args[0]
        width = self.plan.shapes.width(node)
        at = self._at(width)
        columns = "neurons" if at == "r" else width
        return f"{self.parameter(matrix)}[{self.output} * {columns} + {at}]"

    def _print_entry(self, node: Expr) -> str:
        """f_p, or the entry that belongs to the input i."""
        vector, unit = node.args
        before = self.rows, self.row
        if unit == OUTPUT:
            self.rows, self.row = self.plan.shapes.m, self.output
        else:
            self.rows, self.row = self.plan.shapes.n, directions(unit)[0]
        text = self.parenthesize(vector, PRECEDENCE["Mul"])
        self.rows, self.row = before
        return text

    def _print_Mul(self, expr: Expr) -> str:
        """Rows of weights first, as in W[p, :] f_p."""
        number, rest = expr.as_coeff_Mul()
        factors = sorted(Mul.make_args(rest), key=lambda factor: not isinstance(factor, row))
        printed = [self.parenthesize(factor, PRECEDENCE["Mul"]) for factor in factors]
        if abs(number) != 1:
            printed.insert(0, self.parenthesize(abs(number), PRECEDENCE["Mul"]))
        return "-" * bool(number < 0) + "*".join(printed)

    def _print_Pow(self, expr: Expr) -> str:
        base, exponent = expr.args
        factor = self.parenthesize(base, PRECEDENCE["Mul"])
        return f"({'*'.join([factor] * int(exponent))})"

    def _print_Function(self, expr: Expr) -> str:
        raise TypeError(f"{expr} is no function of a neuron's own entries")


def _turned(weights: Expr, along: Sequence[str]) -> dict[Expr, Expr]:
    """Another direction for that of W u_i; none for Wᵀ e."""
    unit = weights.args[1]
    return {unit: X.toward(along[0])} if along else {}


def formula(expression: Expr) -> str:
    """The expression for a comment, in ASCII: `lam2_p*sigmoid'(z2)`."""
    named = re.compile(r"sigma[(](\w+), (\d), (\w+)[)]")
    text = named.sub(
        lambda found: f"{found[1]}{chr(39) * int(found[2])}({found[3]})", str(expression)
    )
    return text.translate(_SPELLED)


_SPELLED = str.maketrans(SPELLED)


def function(opening: str, lines: Sequence[str], comment: str = "") -> str:
    """A C function's text, its lines indented and none too long."""
    remark = breaking.broken(comment, SENTENCES, WIDTH - 6)
    heading = [f"/* {chr(10).join(remark)} */".replace("\n", "\n   ")] if comment else []
    body = (broken(f"    {line}") for line in lines)
    return "\n".join([*heading, broken(opening), "{", *body, "}", ""])


def loops(
    along: Sequence[str], body: Sequence[str], output: bool, unrolled: bool = False
) -> list[str]:
    """Loops over outputs p and over i ≤ j ≤ … around `body`."""
    heads = ["for (wide p = 0; p < M; p++)"] if output else []
    before = "0"
    for d in along:
        if d != "p":
            heads.append(f"for (wide {d} = {before}; {d} < N; {d}++)")
            before = d
    if not heads:
        return list(body)
    parts = [[head, "UNROLL"][::-1] if unrolled else [head] for head in heads]
    lines = [" " * 4 * k + line for k, part in enumerate(parts) for line in part]
    inner = " " * 4 * len(heads)
    if len(body) == 1:
        return [*lines, inner + body[0]]
    return [*lines[:-1], lines[-1] + " {", *(inner + line for line in body), inner[4:] + "}"]


def position_function(order: int) -> str:
    """The C function at2, at3, …: where a multi-index i ≤ j ≤ … stands among all such.

    With C(a + g − 1, g) multisets of size g of a things, and i₀ = 0,

        Σ_d C(N − i_{d−1} + r − d, r − d + 1) − C(N − i_d + r − d, r − d + 1),  d = 1 … r
    """
    names = DIRECTIONS[:order]
    terms = []
    for d in range(1, order):
        before = "N" if d == 1 else f"(N - {names[d - 2]})"
        after, degree = f"(N - {names[d - 1]})", order - d + 1
        terms.append(f"{_multisets(before, degree)} - {_multisets(after, degree)}")
    terms.append(f"{names[-1]} - {names[-2]}")
    return function(
        f"INLINE wide at{order}({', '.join(f'wide {i}' for i in names)})",
        [f"return {' + '.join(terms)};"],
        f"Where {' <= '.join(names)} stands among all such, the last index fastest.",
    )


def _multisets(things: str, degree: int) -> str:
    factors = [things, *(f"({things} + {k})" for k in range(1, degree))]
    return f"{' * '.join(factors)} / {factorial(degree)}"


def _column(first: int, along: Sequence[str]) -> str:
    if not along:
        return str(first)
    at = along[0] if len(along) == 1 else f"at{len(along)}({', '.join(along)})"
    return at if first == 0 else f"{first} + {at}"


def table(opening: str, numbers: Sequence[float], dtype: str) -> str:
    """A C array of these numbers."""
    return "\n".join([f"{opening}[] = {{", *rows(numbers, dtype), "};", ""])


def rows(numbers: Sequence[float], dtype: str) -> list[str]:
    """Numbers of a C array in lines, a comma after each."""
    return listed(literals(numbers, dtype), WIDTH, "    ")
