"""Sums over a layer's neurons, taken by the pass that has the terms at hand.

Outputs are sums over neurons. As a step of its own such a sum reads from memory what a pass has
just written there; and on some processors, AMD's Zen 3 for one, a store of a vector keeps a fused
multiply-add waiting. So where the sums are few enough for registers, they become part of the pass,
and their terms take no memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from sympy import Expr, Mul

from symnet.backends.c.plan.steps import (
    Contraction,
    Entry,
    Linear,
    Pass,
    Place,
    Places,
    Result,
    Slab,
    Step,
    Sum,
    moves,
    read_by,
    reads,
    written_by,
)
from symnet.calculus.algebra import OUTPUT, row, sigma

_REGISTERS = 6
"""Sums that stay in registers, beside what an activation needs of the sixteen that there are."""


class _Found(NamedTuple):
    """The pass that has a step's terms, where it is, which of its entries these are, the sums."""

    position: int
    owner: Pass
    terms: list[Entry]
    sums: list[Sum]


def fused(
    steps: Sequence[Step], places: Places, results: Iterable[Result], outputs: int
) -> tuple[Step, ...]:
    """The steps, passes taking the sums that are later steps where nothing else needs the terms."""
    uses, kept = _Uses(steps, places, results), dict(enumerate(steps))
    for k, step in enumerate(steps):
        if isinstance(step, Pass) or outputs * step.target.count > _REGISTERS:
            continue
        match step:
            case Linear() if step.target.slab.rows == outputs:
                found = _product(kept, uses, k, step)
            case Contraction():
                found = _contraction(kept, uses, k, step)
            case _:
                continue
        if found is None:
            continue
        position, owner, terms, sums = found
        if outputs * sum(s.target.count for s in [*owner.sums, *sums]) <= _REGISTERS:
            entries = tuple(entry for entry in owner.entries if entry not in terms)
            kept[position] = replace(owner, entries=entries, sums=(*owner.sums, *sums))
            del kept[k]
    return tuple(_assigning_before_adding(kept.values()))


class _Uses:
    """Which steps read and write each slab, by their positions, before any sum is moved.

    A sum that moves to a pass reads there what its step reads here, so that what is told here
    never allows too much.
    """

    def __init__(self, steps: Sequence[Step], places: Places, results: Iterable[Result]) -> None:
        self.places = places
        self.readers: dict[str, list[int]] = {}
        self.writers: dict[str, list[int]] = {}
        self.assigned: set[str] = set()  # by a step that does not add to what others have begun
        for k, step in enumerate(steps):
            for name in read_by(places, step):
                self.readers.setdefault(name, []).append(k)
            written = written_by(step)
            for name in written:
                self.writers.setdefault(name, []).append(k)
            if not isinstance(step, Contraction):
                self.assigned |= written
        self.results = {result.place.slab.name for result in results if result.place}

    def writer(self, slab: Slab, reader: int) -> int | None:
        """The only step that writes to a slab, if none but the `reader` needs what it writes."""
        alone = self.readers.get(slab.name, []) == [reader] and slab.name not in self.results
        writers = self.writers.get(slab.name, [])
        return writers[0] if alone and len(writers) == 1 else None


def _product(steps: Mapping[int, Step], uses: _Uses, k: int, step: Linear) -> _Found | None:
    """W a + b, W ∂a, …, of one pass's σ(z) and its entries ∂a, …"""
    slab = step.source.slab
    writer = uses.writer(slab, k)
    owner = None if writer is None else steps.get(writer)
    if writer is None or not isinstance(owner, Pass) or not owner.activated:
        return None
    if step.backward or step.accumulate:
        return None
    value = sigma(owner.activated.name, 0, owner.activated.argument)
    if uses.places.get(value) != Place(slab):
        return None
    terms = [entry for entry in owner.entries if entry.target.slab == slab]
    columns: list[tuple[tuple[str, ...], Place, Expr]] = [((), Place(slab), value)]
    columns += [(entry.along, entry.target, entry.expression) for entry in terms]
    if step.source != Place(slab, 0, sum(place.count for _, place, _ in columns)):
        return None
    chosen = row(step.matrix, OUTPUT)
    sums = []
    for along, place, expression in columns:
        factors = Mul.make_args(expression)
        moving = [f for f in factors if moves(f) or not along]
        weight = Mul(chosen, *(f for f in factors if f not in moving))
        target = Place(step.target.slab, step.target.first + place.first, place.count)
        bias = None if along else step.bias
        sums.append(Sum(target, along, weight, Mul(*moving), bias))
    return _Found(writer, owner, terms, sums)


def _contraction(
    steps: Mapping[int, Step], uses: _Uses, k: int, step: Contraction
) -> _Found | None:
    """Σ_r g t_i t_j of one pass's entry g, when all t are there before the pass."""
    writer = uses.writer(step.weight.slab, k)
    owner = None if writer is None else steps.get(writer)
    if step.pair is None or writer is None or not isinstance(owner, Pass):
        return None
    if any(max(uses.writers.get(name, [-1])) >= writer for name in reads(uses.places, step.moving)):
        return None
    if step.target.slab.name in uses.assigned:
        return None  # an entry assigns first
    terms = [entry for entry in owner.entries if entry.target.slab == step.weight.slab]
    sums = [Sum(step.target, step.along, entry.expression, step.moving) for entry in terms]
    return _Found(writer, owner, terms, sums) if len(terms) == 1 else None


def _assigning_before_adding(steps: Iterable[Step]) -> Iterator[Step]:
    """The first of the sums that go to one place assigns, the others add."""
    steps = list(steps)
    fused = {s.target for step in steps if isinstance(step, Pass) for s in step.sums}
    begun: set[Place] = set()
    for step in steps:
        if isinstance(step, Pass):
            sums = tuple(replace(s, accumulate=s.target in begun) for s in step.sums)
            begun |= {s.target for s in sums}
            yield replace(step, sums=sums)
        elif isinstance(step, Contraction) and step.target in fused:
            yield replace(step, accumulate=step.target in begun)
            begun.add(step.target)
        else:
            yield step
