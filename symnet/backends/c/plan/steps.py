"""The steps that compute a Program, on slabs of memory, as data.

    Linear        columns of one slab times a weight matrix, into columns of another
    Pass          one neuron after the other: σ, σ′, … and what needs them, sums over neurons too
    Softmax       softmax or log-softmax over all neurons of a vector
    Total         Σ_r of an expression, one wide
    Contraction   Σ_r of products of derivatives, of pairs t_i t_j above all, for each output

Made by `lowering`, printed by `functions`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

from sympy import Expr

from symnet.calculus.algebra import Quantity, along_directions, outside, sigma, sigmas
from symnet.calculus.shapes import Shapes

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
    """target = W source (+ b), or with Wᵀ (`backward`), or target += it."""

    target: Place
    matrix: Quantity
    source: Place
    backward: bool = False
    bias: Quantity | None = None
    accumulate: bool = False


@dataclass(frozen=True)
class Activated:
    """`results[r]` = σ⁽ʳ⁾(z) of the activation `name` for the orders r that are used."""

    name: str
    argument: Expr
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

    Plus a bias, when one is given.
    """

    target: Place
    along: tuple[str, ...]
    weight: Expr
    moving: Expr
    bias: Quantity | None = None
    accumulate: bool = False


@dataclass(frozen=True)
class Pass:
    """For every neuron of `rows`: the activation, if there is one, then the entries in order.

    The sums over the neurons are taken on the way.
    """

    rows: int
    activated: Activated | None = None
    entries: tuple[Entry, ...] = ()
    sums: tuple[Sum, ...] = ()

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
class Softmax:
    """target = softmax(source), or its logarithm."""

    target: Place
    source: Place
    logarithm: bool


@dataclass(frozen=True)
class Total:
    """target = Σ_r expression over `rows` neurons, or += ; for all directions `along`."""

    target: Place
    along: tuple[str, ...]
    expression: Expr
    rows: int
    accumulate: bool = False


@dataclass(frozen=True)
class Contraction:
    """target[p] = Σ_r weight[r][p] · moving[r] over `rows` neurons, or +=.

    `pair` is t when moving is t_i t_j, of vectors that have all these rows.
    """

    target: Place
    along: tuple[str, ...]
    weight: Place
    moving: Expr
    rows: int
    pair: Quantity | None
    accumulate: bool


Places: TypeAlias = Mapping["Family | sigma", Place]
Step: TypeAlias = Linear | Pass | Softmax | Total | Contraction


@dataclass(frozen=True)
class Result:
    """Where an order's derivatives stand; None where they vanish. `by_input`: [input][p]."""

    place: Place | None
    by_input: bool = False


@dataclass(frozen=True)
class Plan:
    """The steps of a Program, and all that a printer must know of its quantities.

    `places` are those of quantities and of activations' derivatives, `weights` the columns and rows
    of matrices that are read where they stand. `starts` has the slabs that need memory, with the
    vector that each starts at, times V.
    """

    shapes: Shapes
    steps: tuple[Step, ...]
    places: Places
    weights: Mapping[Family, Expr]
    slabs: Mapping[str, Slab]
    results: tuple[Result, ...]
    starts: Mapping[str, int]

    @property
    def vectors(self) -> int:
        """Vectors of memory that a block of one vector takes."""
        return sum(self.slabs[name].rows * self.slabs[name].columns for name in self.starts)


def reads(places: Places, expression: Expr) -> set[str]:
    """The slabs that an expression's quantities stand in."""
    return {places[key].slab.name for key in _read(expression) if key in places}


@lru_cache(maxsize=2**14)
def _read(expression: Expr) -> tuple[Family | sigma, ...]:
    """The activations' derivatives in an expression, and quantities that stand outside of these."""
    return (*sigmas(expression), *(q.family for q in outside(expression)))


def read_by(places: Places, step: Step) -> set[str]:
    """The slabs that a step reads, but for what its own activation gives it."""
    match step:
        case Linear() | Softmax():
            return {step.source.slab.name}
        case Contraction():
            return {step.weight.slab.name} | reads(places, step.moving)
        case Total():
            return reads(places, step.expression)
        case Pass():
            if step.activated is None:
                return set().union(*(reads(places, e) for e in step.expressions))
            given = [place for _, place in step.activated.results]
            keys = set().union(*map(_read, step.expressions)) & places.keys()
            found = {step.activated.source.slab.name}
            return found | {places[k].slab.name for k in keys if places[k] not in given}


def written_by(step: Step) -> set[str]:
    """The slabs that a step writes to."""
    if not isinstance(step, Pass):
        return {step.target.slab.name}
    results = step.activated.results if step.activated else ()
    return {place.slab.name for place in [*step.targets, *(place for _, place in results)]}


def moves(expression: Expr) -> bool:
    """Whether an expression depends on directions of inputs."""
    return bool(along_directions(expression) - {"p"})


def directions(quantity: Quantity) -> tuple[str, ...]:
    """The directions of inputs that a quantity has been differentiated in."""
    return tuple(d for d in quantity.along if d != "p")
