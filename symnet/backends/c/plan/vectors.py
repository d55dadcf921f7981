"""The steps that compute vectors: products with matrices, sums over neurons, and what is left."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

from sympy import Expr, S

from symnet.backends.c.plan.draft import Draft
from symnet.backends.c.plan.steps import Entry, Linear, Place, Total
from symnet.backends.c.plan.terms import Parts
from symnet.calculus.algebra import Quantity, transposed


class Computed(NamedTuple):
    """A place, the directions of its columns, and what is computed there."""

    place: Place
    along: tuple[str, ...]
    parts: Parts


def compute(draft: Draft, computed: Sequence[Computed]) -> None:
    """Products with matrices, then sums over neurons, then the rest neuron by neuron."""
    begun: set[Place] = set()
    for product in _products(draft, computed, begun):
        draft.append(product)
    for place, along, parts in computed:
        if parts.totals and place.slab.rows != 1:
            raise TypeError(f"{place.slab.name} is no vector one wide, but a sum over neurons")
        for rows, expression in _by_rows(draft, parts.totals):
            draft.append(Total(place, along, expression, rows, place in begun))
            begun.add(place)
        if parts.local != 0:
            draft.enter(Entry(place, along, parts.local, place in begun))


def _products(draft: Draft, computed: Sequence[Computed], begun: set[Place]) -> list[Linear]:
    """Matrix by matrix, the one of most orders first: it assigns, what follows adds."""
    found: dict[Expr, list[tuple[Computed, Expr]]] = {}
    for one in computed:
        for matrix, vector in one.parts.products:
            found.setdefault(matrix, []).append((one, vector))
    steps: list[Linear] = []
    for matrix in sorted(found, key=lambda matrix: -len(found[matrix])):
        backward = isinstance(matrix, transposed)
        symbol = matrix.args[0] if backward else matrix
        same = []
        for (place, along, parts), vector in found[matrix]:
            source = _source(draft, matrix, vector, along)
            more = place in begun
            bias = None if more else parts.bias
            same.append(Linear(place, symbol, source, backward, bias, more))
            begun.add(place)
        steps += _merged(same)
    return steps


def _source(draft: Draft, matrix: Expr, vector: Expr, along: tuple[str, ...]) -> Place:
    """Where the vector stands that a matrix is multiplied with, computed if it has no name."""
    rows = draft.shapes.shape(matrix)[1]
    if isinstance(vector, Quantity):
        place = draft.places.get(vector.family)
        if place is not None and place.slab.rows == rows:
            return place
    symbol = matrix.args[0] if isinstance(matrix, transposed) else matrix
    place = draft.new(f"t{symbol.layer}", rows, along)
    draft.enter(Entry(place, along, vector))
    return place


def _by_rows(draft: Draft, totals: Iterable[Expr]) -> list[tuple[int, Expr]]:
    """Sums over vectors of one width together."""
    found: dict[int, Expr] = {}
    for expression in totals:
        rows = draft.shapes.width(expression)
        found[rows] = found.get(rows, S.Zero) + expression
    return list(found.items())


def _merged(products: Sequence[Linear]) -> list[Linear]:
    """One product for neighbouring columns of the same slabs."""
    merged: list[Linear] = []
    for step in products:
        if merged and _continues(merged[-1], step):
            last = merged[-1]
            target = replace(last.target, count=last.target.count + step.target.count)
            source = replace(last.source, count=last.source.count + step.source.count)
            merged[-1] = replace(last, target=target, source=source)
        else:
            merged.append(step)
    return merged


def _continues(last: Linear, step: Linear) -> bool:
    return (
        step.bias is None
        and last.accumulate == step.accumulate
        and last.target.slab == step.target.slab
        and last.source.slab == step.source.slab
        and last.target.first + last.target.count == step.target.first
        and last.source.first + last.source.count == step.source.first
    )
