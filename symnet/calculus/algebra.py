"""The layer algebra: one calculus for every width.

A symbol stands for a whole layer's vector and a product is elementwise, so commutative SymPy
symbols are the right ones and its sums and products the textbook's. Three functions are added:

    matvec(W, v)     W v                     linear in W and in v
    dot(u, v)        Σ_r u_r v_r             bilinear
    sigma(σ, r, z)   σ⁽ʳ⁾(z) elementwise     ∂ sigma(σ, r, z) = sigma(σ, r+1, z) · ∂z

`derivative` has the rule of each in one table. A derivative is taken along a *generic direction*
(`i`, `j`, …), so that its cost depends neither on the width of a layer nor on the number of
inputs: ∂_i x = u_i, and x1, x2, … are the choices u = e1, e2, ….
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sympy import Add, Basic, Expr, Function, Integer, Mul, S, Symbol
from sympy.core.symbol import Str

DIRECTIONS = "ijklmnoq"
"""Names of the generic directions, in the order in which derivatives are taken; p is an output."""


class Quantity(Symbol):
    """A layer's vector, or one neuron's entry of it, or a partial derivative of either.

    `letter` and `layer` say which vector (`z`, 2), `along` the directions it has been
    differentiated in, sorted, and `index` the neuron (from 1) where it is one entry only:

        Quantity("z", 2)                   z₂                 a whole layer
        Quantity("z", 2, ("i",))           ∂z₂ along u_i      a whole layer
        Quantity("z", 2, ("x1",), 3)       ∂z₂,₃/∂x1          one neuron
    """

    __slots__ = ("along", "index", "layer", "letter")

    letter: str
    layer: int | None
    along: tuple[str, ...]
    index: int | None

    def __new__(
        cls,
        letter: str,
        layer: int | None = None,
        along: tuple[str, ...] = (),
        index: int | None = None,
    ) -> Quantity:
        name = letter + ("" if layer is None else str(layer))
        name += "" if index is None else f"_{index}"
        name += "_" + "".join(along) if along else ""
        self: Quantity = Symbol.__xnew__(cls, name)
        self.letter, self.layer, self.along, self.index = letter, layer, along, index
        return self

    def _hashable_content(self) -> tuple[Any, ...]:
        return (self.letter, self.layer or 0, self.index or 0, *self.along)

    def __getnewargs_ex__(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        return (self.letter, self.layer, self.along, self.index), {}

    def __reduce__(self) -> tuple[Any, ...]:
        return Quantity, (self.letter, self.layer, self.along, self.index)

    @property
    def order(self) -> int:
        """How often this quantity has been differentiated."""
        return len(self.along)

    def toward(self, direction: str) -> Quantity:
        """This quantity's derivative along one more direction."""
        return Quantity(self.letter, self.layer, (*self.along, direction), self.index)


class matvec(Function):
    """matvec(W, v) = W v: a weight matrix applied to a layer's vector; linear in both."""

    nargs = 2

    @classmethod
    def eval(cls, matrix: Basic, vector: Basic) -> Expr | None:
        return S.Zero if matrix == 0 or vector == 0 else None


class transposed(Function):
    """transposed(W) = Wᵀ."""

    nargs = 1

    @classmethod
    def eval(cls, matrix: Basic) -> Expr | None:
        return matrix.args[0] if isinstance(matrix, cls) else None


class dot(Function):
    """dot(u, v) = Σ_r u_r v_r over a layer's neurons; bilinear."""

    nargs = 2

    @classmethod
    def eval(cls, left: Basic, right: Basic) -> Expr | None:
        return S.Zero if left == 0 or right == 0 else None


class outer(Function):
    """outer(u, v) = u vᵀ: the adjoint of a weight matrix, ∂/∂W dot(u, W v)."""

    nargs = 2


class sigma(Function):
    """sigma(σ, r, z): the r-th derivative of the activation named σ, elementwise.

    It stays named until a formula is printed in full or compiled.
    """

    nargs = 3

    def __new__(cls, name: str | Str, order: int | Integer, argument: Expr) -> sigma:
        name = name if isinstance(name, Str) else Str(name)
        return super().__new__(cls, name, Integer(order), argument)

    @property
    def name(self) -> str:
        return str(self.args[0].name)

    @property
    def order(self) -> int:
        return int(self.args[1])

    @property
    def argument(self) -> Expr:
        return self.args[2]


def derivative(expression: Expr, tangents: Mapping[Expr, Expr]) -> Expr:
    """d/dε of `expression` with every symbol s moved to s + ε·tangents[s], at ε = 0.

    Symbols that are not among `tangents` stay. TypeError for a function without a rule.
    """
    if expression in tangents:
        return tangents[expression]
    if not expression.args:
        return S.Zero
    for kind, rule in _RULES.items():
        if isinstance(expression, kind):
            return rule(expression, tangents)
    raise TypeError(f"{type(expression).__name__} has no rule of differentiation")


def _sum_rule(expression: Expr, tangents: Mapping[Expr, Expr]) -> Expr:
    return Add(*(derivative(term, tangents) for term in expression.args))


def _product_rule(expression: Expr, tangents: Mapping[Expr, Expr]) -> Expr:
    """Of products, and of matvec and dot, which are linear in each argument."""
    terms = []
    for k, factor in enumerate(expression.args):
        moved = derivative(factor, tangents)
        if moved != 0:
            terms.append(expression.func(*expression.args[:k], moved, *expression.args[k + 1 :]))
    return Add(*terms)


def _chain_rule(expression: sigma, tangents: Mapping[Expr, Expr]) -> Expr:
    moved = derivative(expression.argument, tangents)
    return sigma(expression.name, expression.order + 1, expression.argument) * moved


_RULES = {
    Add: _sum_rule,
    Mul: _product_rule,
    matvec: _product_rule,
    dot: _product_rule,
    transposed: _product_rule,
    sigma: _chain_rule,
}
