"""The steps that compute a Program, on slabs of memory, as data.

    Linear        columns of one slab times a weight matrix, into columns of another
    Pass          one neuron after the other: σ, σ′, … and what needs them, sums over neurons too
    Contraction   Σ_r of products of derivatives, of pairs t_i t_j above all

Made by `lowering`, printed by `functions`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from sympy import Expr, S

from symnet.calculus.algebra import Quantity, sigma
from symnet.calculus.program import family

Family: TypeAlias = tuple[str, int | None, int]


@dataclass(frozen=True)
class Slab:
    """`[rows][columns][V]` vectors of memory."""

    name: str
    rows: int
    columns: int


@dataclass(frozen=True)
class Place:
    """Columns of a slab: `count` of them from `first` on."""

    slab: Slab
    first: int = 0
    count: int = 1


@dataclass(frozen=True)
class Linear:
    """target = W source (+ b), or with Wᵀ."""

    target: Place
    layer: int
    backward: bool
    biased: bool
    source: Place


@dataclass(frozen=True)
class Activation:
    """`results[r]` = σ⁽ʳ⁾(z) for the orders r that are used."""

    name: str
    argument: Quantity
    source: Place
    results: tuple[tuple[int, Place], ...]


@dataclass(frozen=True)
class Entry:
    """target = expression, or target += expression, for all directions `along`."""

    target: Place
    along: tuple[str, ...]
    expression: Expr
    accumulate: bool = False


@dataclass(frozen=True)
class Sum:
    """target[p] = Σ_r weight · moving, or +=, for all directions `along`, of which weight has none.

    Plus the bias of a layer, when one is given.
    """

    target: Place
    along: tuple[str, ...]
    weight: Expr
    moving: Expr
    bias: int | None = None
    accumulate: bool = False


@dataclass
class Pass:
    """For every neuron of `rows`: the activation, if there is one, then the entries in order.

    The sums over the neurons are taken on the way.
    """

    rows: int
    activation: Activation | None = None
    entries: list[Entry] = field(default_factory=list)
    sums: list[Sum] = field(default_factory=list)

    @property
    def targets(self) -> list[Place]:
        """Where its entries and sums go."""
        return [*(entry.target for entry in self.entries), *(s.target for s in self.sums)]

    @property
    def expressions(self) -> list[Expr]:
        """What its entries and sums read."""
        terms = [e for s in self.sums for e in (s.weight, s.moving)]
        return [e.expression for e in self.entries] + terms


@dataclass(frozen=True)
class Contraction:
    """target[p] = Σ_r weight[r][p] · moving[r], or += ; `pair` is t when moving is t_i t_j."""

    target: Place
    along: tuple[str, ...]
    weight: Place
    moving: Expr
    pair: Quantity | None
    accumulate: bool


Step: TypeAlias = Linear | Pass | Contraction


@dataclass(frozen=True)
class Result:
    """Where an order's derivatives stand; None where they vanish. `by_input`: [input][p]."""

    place: Place | None
    by_input: bool = False


@dataclass
class Plan:
    """The steps of a Program, and all that a printer must know of its quantities.

    `starts` has the slabs that need memory, with the vector that each starts at, times V.
    """

    steps: list[Step] = field(default_factory=list)
    places: dict[Family, Place] = field(default_factory=dict)
    derivatives: dict[tuple[Quantity, int], Place] = field(default_factory=dict)
    columns: dict[Family, Expr] = field(default_factory=dict)
    slabs: dict[str, Slab] = field(default_factory=dict)
    results: list[Result] = field(default_factory=list)
    starts: dict[str, int] = field(default_factory=dict)

    @property
    def vectors(self) -> int:
        """Vectors of memory that a block of one vector takes."""
        return sum(self.slabs[name].rows * self.slabs[name].columns for name in self.starts)

    def reads(self, expression: Expr) -> set[str]:
        """The slabs that an expression's quantities stand in."""
        nodes = expression.atoms(sigma)
        places = [self.derivatives[node.argument, node.order] for node in nodes]
        places += [
            self.places[family(q)]
            for q in expression.xreplace(dict.fromkeys(nodes, S.One)).atoms(Quantity)
            if family(q) in self.places
        ]
        return {place.slab.name for place in places}

    def read_by(self, step: Step) -> set[str]:
        """The slabs that a step reads, but for what its own activation gives it."""
        match step:
            case Linear():
                return {step.source.slab.name}
            case Contraction():
                return {step.weight.slab.name} | self.reads(step.moving)
            case Pass():
                found: set[str] = set().union(*map(self.reads, step.expressions))
                if step.activation is None:
                    return found
                own = {place.slab.name for _, place in step.activation.results}
                return (found - own) | {step.activation.source.slab.name}


def written_by(step: Step) -> set[str]:
    """The slabs that a step writes to."""
    if not isinstance(step, Pass):
        return {step.target.slab.name}
    results = step.activation.results if step.activation else ()
    return {place.slab.name for place in [*step.targets, *(place for _, place in results)]}


def moves(expression: Expr) -> bool:
    """Whether an expression depends on directions."""
    return any(isinstance(s, Quantity) and directions(s) for s in expression.free_symbols)


def directions(quantity: Quantity) -> tuple[str, ...]:
    return tuple(d for d in quantity.along if d != "p")
