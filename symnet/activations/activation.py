"""What an activation is: a formula of z, what is to be known of it, and how it is computed."""

from __future__ import annotations

import keyword
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

import sympy
from sympy import Abs, Expr, Max, Min, Piecewise, Symbol, sign
from sympy.core.relational import Relational

from symnet.activations.alike import in_known
from symnet.activations.cuts import hangs_on_steps, turns_at_poles
from symnet.activations.decimals import meant, whole_exponents
from symnet.activations.joined import own_forms
from symnet.activations.limits import shown
from symnet.activations.ondemand import OnDemand
from symnet.activations.pieces import Pieces, pieces_of, written
from symnet.activations.systems import (
    Forms,
    System,
    Z,
    chain,
    derivative,
    differentiated,
    forms,
    slope_of,
)
from symnet.activations.trees import Tree, expression_of, operation, tree_of
from symnet.activations.understood import understood
from symnet.progress import lasting

_CORNERS = (Abs, sign, Min, Max, Piecewise)
_SETTLING = 4
_SOUGHT = "a way to compute it right in double precision is looked for, which may take a minute"
_recipes: dict[str, Callable[[str], Activation]] = {}

TABLE: OnDemand[Activation] = OnDemand(_recipes)
"""The built-in activations by name; filled by `symnet.activations.table`."""


def register(recipes: Mapping[str, Callable[[str], Activation]]) -> None:
    """Put rows into the table: each is made, of its name, when it is first looked up."""
    _recipes.update(recipes)


@dataclass(frozen=True)
class Activation:
    """A scalar function `sigma(z)`, applied elementwise: `Activation("swish2", expression)`.

    `value` is an expression of one symbol, whatever its name (it becomes `Z`), or of none, made of
    `+ - * / **`, `Piecewise` and the functions of `trees.FUNCTIONS` (and what `alike` writes in
    them: sech, coth, Heaviside, frac, GoldenRatio, ...); ValueError otherwise. A
    formula with corners (Abs, sign, Min, Max, Piecewise) becomes one `Piecewise` in the order of
    z, whose arms are smooth: see `symnet.activations.meetings` for the derivative at a corner.

    The other fields are found from the value where they are not given: `kinks`, the places where
    sigma' jumps; `glyph` and `latex`, what a layer formula prints for the function; `system`, how
    it is computed; `reading`, how its derivatives are best read; `tree`, the value as nested tuples
    that JSON can hold.
    """

    name: str
    value: Expr
    kinks: tuple[Expr, ...] = field(default=(), compare=False)
    glyph: str = field(default="", compare=False)
    latex: str = field(default="", compare=False)
    system: System = field(default=None, compare=False, repr=False)  # type: ignore[assignment]
    reading: System | None = field(default=None, compare=False, repr=False)
    tree: Tree = field(init=False, compare=False, repr=False)
    given: bool = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        _check_name(self.name)
        value, tree, kinks = _checked_value(self)
        found = {
            "value": value,
            "tree": tree,
            "given": self.system is not None,
            "kinks": self.kinks or kinks,
            "glyph": self.glyph or self.name,
            "latex": self.latex or rf"\operatorname{{{self.name}}}".replace("_", r"\_"),
            "system": self.system or understood(value),
        }
        for attribute, content in found.items():
            object.__setattr__(self, attribute, content)

    @property
    def meant(self) -> Expr:
        """The value as it is computed, with decimals as they are written: see `decimals`."""
        return self.value if self.given else meant(self.value)

    @property
    def meant_tree(self) -> Tree:
        """The same as a tree."""
        return self.tree if self.meant == self.value else _meant_tree(self.meant)

    @property
    def domain(self) -> tuple[tuple[Expr, Expr], ...]:
        """The intervals of z where sigma has a value, in order; beyond them it is NaN."""
        return pieces_of(self.meant).domain

    @property
    def seams(self) -> tuple[Expr, ...]:
        """The kinks, and of a user's own function where its arms meet without one, too."""
        if self.given:
            return self.kinks
        met = {meeting.place for meeting in pieces_of(self.meant).meetings}
        return tuple(sorted({*self.kinks, *met}))

    @property
    def jumps(self) -> tuple[Expr, ...]:
        """Those of the kinks where sigma itself jumps."""
        places = pieces_of(self.meant).jumps
        return tuple(kink for kink in self.kinks if kink in places)

    @property
    def endless(self) -> bool:
        """Whether sigma has corners or jumps without end, as floor(z) and |sin z|: in no list."""
        return pieces_of(self.meant).endless

    @property
    def total(self) -> bool:
        """Whether sigma has a value for every z."""
        return self.domain == ((-sympy.oo, sympy.oo),)

    @property
    def own(self) -> Symbol:
        """The symbol that stands for the activation's own value in `formula`."""
        return Symbol(self.name, real=True)

    def derivative(self, order: int) -> Expr:
        """The derivative of the given order in `Z`, in its numerically stable form."""
        return derivative(self.system, _checked_order(order))

    def constant(self, order: int) -> Expr | None:
        """The derivative of the given order where it is one number for every z, else None."""
        found = chain(self.system, _checked_order(order))
        if found.free_symbols or (order and not self.given and not self.total):
            return None  # NaN, where it is not defined
        return found if found.is_Rational or found.is_Float else sympy.N(found, 60)

    def forms(self, order: int) -> Forms:
        """All derivatives up to `order` in elementary functions with shared temporaries.

        What is not from the table is compared with 50 digits on a grid over its whole domain, order
        by order: ValueError where it would not be right in double precision. Of a composed one
        that may take a minute, which is said after two seconds: see `symnet.progress`.
        """
        if self.given:
            return forms(self.system, _checked_order(order))
        try:
            with lasting(f"activation {self.name!r}: {_SOUGHT}"):
                return own_forms(self.meant, _checked_order(order))
        except ValueError as error:
            raise ValueError(f"activation {self.name!r}: {error}") from None

    def formula(self, order: int) -> Expr:
        """The derivative as a reader wants it, in `Z` and `own`: `sigmoid*(1 - sigmoid)`."""
        return _formula(self, _checked_order(order))


def from_tree(name: str, tree: Tree) -> Activation:
    """The activation whose `tree` was stored. Raises ValueError for anything malformed."""
    _check_name(name)
    try:
        value = expression_of(tree, Z)
    except ValueError as error:
        raise ValueError(f"activation {name!r}: {error}") from None
    return Activation(name, value)


def _check_name(name: object) -> None:
    plain = isinstance(name, str) and name.isascii() and name.isidentifier() and len(name) <= 60
    if not plain or keyword.iskeyword(str(name)):
        shown = repr(name)[:60]
        raise ValueError(f"activation name {shown} is not an identifier: use letters, digits and _")


def _checked_order(order: int) -> int:
    if order < 0:
        raise ValueError(f"derivative order is {order}, expected 0 or more")
    return int(order)


def _checked_value(given: Activation) -> tuple[Expr, Tree, tuple[Expr, ...]]:
    """The formula in Z, the same as a tree, and its kinks."""
    name, value = given.name, given.value
    if not isinstance(value, Expr):
        found = shown(value)
        raise ValueError(
            f"activation {name!r} is {found}, expected a SymPy expression of one symbol; "
            "conditions stand in a Piecewise"
        )
    symbols = sorted(value.free_symbols, key=str)
    if len(symbols) > 1:
        found = ", ".join(map(str, symbols))
        raise ValueError(f"activation {name!r} has the symbols {found}, expected at most one")
    value = whole_exponents(in_known(value.xreplace(dict.fromkeys(symbols, Z))))
    row = TABLE.get(name)
    if row is not None and row.value == value:
        return row.value, row.tree, row.kinks
    try:
        if given.system is not None:
            return value, tree_of(value, Z), given.kinks
        _check_functions(value)
        value, kinks = _without_corners(value)
        tree = tree_of(value, Z)
    except ValueError as error:
        raise ValueError(f"activation {name!r}: {error}") from None
    if row is not None and row.value != value:
        raise ValueError(f"activation name {name!r} is taken by the table; choose another")
    return value, tree, kinks


def _check_functions(node: Expr) -> None:
    """ValueError for what no tree can hold; conditions may be joined, the tree's are not."""
    if isinstance(node, Piecewise):
        for arm, condition in node.args:
            _check_functions(arm)
            if any(call.has(Z) for call in condition.atoms(sympy.polygamma)):
                raise ValueError(
                    f"condition {shown(str(condition))} turns where digamma does, at places "
                    "without end; take digamma out of it"
                )
            for relation in condition.atoms(Relational):
                _check_functions(relation.lhs - relation.rhs)
        if node.args[-1][1] != sympy.true:
            raise ValueError("Piecewise does not cover every case; end it with (..., True)")
    elif node.args and not node.is_number:
        operation(node)
        if turns_at_poles(node):
            raise ValueError(
                f"{shown(str(node))} turns where digamma does, at places without end; "
                "take digamma outside of it"
            )
        if hangs_on_steps(node):
            raise ValueError(
                f"where {shown(str(node))} has a value hangs on a step, of which there is no end; "
                "take the step outside, or write a Piecewise"
            )
        for argument in node.args:
            _check_functions(argument)
    else:
        tree_of(node, Z)


def _without_corners(value: Expr) -> tuple[Expr, tuple[Expr, ...]]:
    """The formula as one Piecewise, whose derivatives are no distributions, and its kinks."""
    found: Pieces = pieces_of(value)
    if not found.domain:
        raise ValueError(f"formula {shown(str(value))} has a real value for no z")
    if not value.has(*_CORNERS):
        return value, found.kinks
    # Read again it must be the same: a zero that is a rounded number may move once.
    for _ in range(_SETTLING):
        before, value = value, written(found)
        if value == before:
            break
        found = pieces_of(value)
    return value, found.kinks


@lru_cache(maxsize=256)
def _meant_tree(value: Expr) -> Tree:
    return tree_of(value, Z)


@lru_cache(maxsize=1024)
def _formula(activation: Activation, order: int) -> Expr:
    if order == 0:
        return activation.value
    if activation.reading is not None:
        return _read(activation.reading, order, activation.own)
    found = differentiated(activation.value, order)
    # A user's own formula may be of any size, and simplify may then take minutes.
    return sympy.simplify(found) if activation.name in TABLE else sympy.factor_terms(found)


def _read(reading: System, order: int, own: Symbol) -> Expr:
    """The derivative as a product, with the reading's quantities written out."""
    found, quantities = reading
    for _ in range(order):
        found = slope_of(found, quantities)
    definitions = {quantity.symbol: quantity.definition for quantity in quantities}
    coefficient, factors = sympy.factor_list(found)
    parts = [(base.xreplace(definitions), power) for base, power in factors]
    tidy = [(sympy.expand(base) if base.free_symbols <= {own} else base, n) for base, n in parts]
    return sympy.Mul(coefficient, *(base**n for base, n in tidy))
