"""A plan while it is made: slabs are added, and steps, or entries to the passes among them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from sympy import Expr

from symnet.backends.c.plan.steps import (
    Entry,
    Family,
    Pass,
    Place,
    Result,
    Slab,
    Step,
    read_by,
    reads,
    written_by,
)
from symnet.calculus.algebra import entry, heads, sigma
from symnet.calculus.shapes import Shapes


class Draft:
    """Slabs and where quantities stand in them, weights that are read where they stand, steps."""

    def __init__(self, shapes: Shapes) -> None:
        self.shapes = shapes
        self.slabs: dict[str, Slab] = {}
        self.places: dict[Family | sigma, Place] = {}
        self.weights: dict[Family, Expr] = {}
        self.steps: list[Step] = []
        self._written: dict[str, int] = {}  # the last step that writes to each slab

    def slab(self, name: str, rows: int, columns: int) -> Slab:
        """A new slab; a name that is taken gets another number."""
        number, first = 1, name
        while name in self.slabs:
            number += 1
            name = f"{first}_{number}"
        self.slabs[name] = Slab(name, rows, columns)
        return self.slabs[name]

    def new(self, name: str, rows: int, along: Sequence[str]) -> Place:
        """A slab of its own for a vector along these directions, or for each output."""
        copies = self.shapes.m if "p" in along else self.shapes.combinations(len(along))
        return Place(self.slab(name, rows, copies), 0, copies)

    def append(self, step: Step) -> None:
        """Add a step after all others."""
        self.steps.append(step)
        self._wrote(written_by(step), len(self.steps) - 1)

    def enter(self, new: Entry) -> None:
        """Add an entry to the earliest pass over its neurons that comes after all it reads."""
        rows = new.target.slab.rows
        read = reads(self.places, new.expression)
        read |= {new.target.slab.name} if new.accumulate else set()
        last = max((self._written.get(slab, -1) for slab in read), default=-1)
        # That step has what the entry reads; of a pass, what it has of the same neuron.
        first = last + 1 if last < 0 or entry in heads(new.expression) else last
        for position in range(first, len(self.steps)):
            step = self.steps[position]
            if isinstance(step, Pass) and step.rows == rows:
                self.steps[position] = replace(step, entries=(*step.entries, new))
                self._wrote([new.target.slab.name], position)
                return
        self.append(Pass(rows, entries=(new,)))

    def _wrote(self, slabs: Iterable[str], position: int) -> None:
        for slab in slabs:
            self._written[slab] = max(self._written.get(slab, -1), position)

    def check_order(self) -> None:
        """ValueError when a step reads what no step before it has written."""
        known = {"x"}
        for step in self.steps:
            written = written_by(step)
            missing = read_by(self.places, step) - written - known
            if missing:
                raise ValueError(f"{', '.join(sorted(missing))}: read before it is computed")
            known |= written

    def starts(self, steps: Sequence[Step], results: Iterable[Result]) -> dict[str, int]:
        """Memory for every slab but those that one pass fills and reads, and nothing else does."""
        needed = {result.place.slab.name for result in results if result.place}
        for step in steps:
            places = step.targets if isinstance(step, Pass) else [step.target]
            needed |= read_by(self.places, step) | {place.slab.name for place in places}
        starts, start = {}, 0
        for slab in self.slabs.values():
            if slab.name in needed:
                starts[slab.name] = start
                start += slab.rows * slab.columns
        return starts
