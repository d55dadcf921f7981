"""A Program as steps on slabs: where each quantity stands, and what is computed in which order.

Forward statements are taken node by node rather than order by order, so that a vector's value and
its derivatives stand side by side, and one run over the weights serves all of them. What belongs to
a neuron is computed in the earliest pass over its vector that has all it needs: most derivatives of
activations are used at once, and take no memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import groupby
from typing import NamedTuple

from sympy import Add, Expr, Mul, S

from symnet.backends.c.plan import fusion
from symnet.backends.c.plan.draft import Draft
from symnet.backends.c.plan.steps import (
    Activated,
    Contraction,
    Entry,
    Linear,
    Pass,
    Place,
    Plan,
    Result,
    Softmax,
    Total,
    directions,
)
from symnet.backends.c.plan.terms import Parts, is_local, multiplied, parts_of, unknown, weighted
from symnet.calculus.algebra import (
    OUTPUT,
    SPELLED,
    Quantity,
    X,
    along_directions,
    column,
    dot,
    entry,
    heads,
    is_direction,
    log_softmax,
    row,
    sigma,
    sigmas,
    softmax,
    symbols,
    transposed,
)
from symnet.calculus.program import Program, Statement

_NAMES = SPELLED | {"y": "Y", "m": "mean", "p": "soft"}
"""Slabs of these letters have names of their own: the text's loops run over m, p, …"""


def lowered(program: Program) -> Plan:
    """The steps that compute `program`.

    TypeError, naming the statement, for an expression that is none of a Program's.
    """
    return _Planner(program).run()


_SUMS = frozenset((dot, entry))


class _Computed(NamedTuple):
    """A place, the directions of its columns, and what is computed there."""

    place: Place
    along: tuple[str, ...]
    parts: Parts


class _Planner:
    def __init__(self, program: Program) -> None:
        self.program, self.shapes = program, program.shapes
        self.draft = Draft()
        self.by_input: set[Quantity] = set()

    def run(self) -> Plan:
        forward: list[Statement] = []
        backward: list[Statement] = []
        for statement in self.program.statements:
            (backward if _backward(statement) else forward).append(statement)
        forward.sort(key=self._position)
        self._allocate(forward)
        for _, statements in groupby(forward, lambda s: s.target.family[:2]):
            self._forward(list(statements))
        for statement in backward:
            self._adjoint(statement)
        draft, results = self.draft, tuple(map(self._result, self.program.outputs))
        draft.check_order()
        steps = fusion.fused(draft.steps, draft.places, results, self.shapes.m)
        starts = draft.starts(steps, results)
        return Plan(self.shapes, steps, draft.places, draft.weights, draft.slabs, results, starts)

    def _position(self, statement: Statement) -> tuple[int, bool, int]:
        """By node; its form with all orders first, then its value order by order."""
        target = statement.target
        return self.shapes.number(target), target.letter != "z", target.order

    # --- where quantities stand -----------------------------------------------------------------

    def _allocate(self, forward: Sequence[Statement]) -> None:
        """A slab for the inputs and for each vector, its orders side by side.

        Columns of a matrix are read where they stand, unless a product or a caller wants them.
        """
        self.draft.places[X.family] = Place(self.draft.slab("x", self.shapes.n, 1))
        vectors = set().union(*(multiplied(s.expression) for s in forward))
        wanted = {q.family for q in vectors}
        wanted |= {output.family for output in self.program.outputs if output != 0}
        groups: dict[tuple[str, int | None], list[Quantity]] = {}
        for statement in forward:
            target, expression = statement.target, statement.expression
            if isinstance(expression, column) and target.family not in wanted:
                self.draft.weights[target.family] = expression
            else:
                groups.setdefault(target.family[:2], []).append(target)
        for targets in groups.values():
            sizes = [self.shapes.combinations(target.order) for target in targets]
            slab = self.draft.slab(_name(targets[0]), self.shapes.width(targets[0]), sum(sizes))
            for k, target in enumerate(targets):
                self.draft.places[target.family] = Place(slab, sum(sizes[:k]), sizes[k])

    def _new(self, name: str, rows: int, along: Sequence[str]) -> Place:
        """A slab of its own for a vector along these directions, or for each output."""
        copies = self.shapes.m if "p" in along else self.shapes.combinations(len(along))
        return Place(self.draft.slab(name, rows, copies), 0, copies)

    # --- statements -----------------------------------------------------------------------------

    def _forward(self, statements: Sequence[Statement]) -> None:
        """Statements of one vector, or of its derivatives of one order."""
        computed = []
        for statement in statements:
            target, expression = statement.target, statement.expression
            self._activate(expression)
            if target.family in self.draft.weights:
                continue
            place = self.draft.places[target.family]
            match expression:
                case softmax() | log_softmax():
                    source = self.draft.places[expression.args[0].family]
                    logarithm = isinstance(expression, log_softmax)
                    self.draft.append(Softmax(place, source, logarithm))
                case sigma(order=0):
                    pass  # by the activation itself
                case _:
                    computed.append(_Computed(place, directions(target), parts_of(statement)))
        self._compute(computed)

    def _adjoint(self, statement: Statement) -> None:
        target, expression = statement.target, statement.expression
        self._activate(expression)
        if target.letter == "y":
            self._output(statement)
        elif isinstance(expression, row):
            self.draft.weights[target.family] = expression
        else:
            place = self._new(_name(target), self.shapes.width(target), ("p",))
            self.draft.places[target.family] = place
            self._compute([_Computed(place, ("p",), parts_of(statement))])

    def _output(self, statement: Statement) -> None:
        """y_I = Σ dot(λ, …) + f_p, or for the gradient the vector whose entries are wanted."""
        target, expression = statement.target, statement.expression
        name = "d" * target.order + "Y"
        if isinstance(expression, entry) and is_direction(expression.args[1]):
            place = self._new(name, self.shapes.n, ("p",))
            parts = parts_of(replace(statement, expression=expression.args[0]))
            self._compute([_Computed(place, ("p",), parts)])
            self.by_input.add(target)
        else:
            place = self._new(name, self.shapes.m, directions(target))
            self._contract(place, statement)
        self.draft.places[target.family] = place

    def _result(self, output: Expr) -> Result:
        if output == 0:
            return Result(None)
        return Result(self.draft.places[output.family], output in self.by_input)

    # --- sums -----------------------------------------------------------------------------------

    def _compute(self, computed: Sequence[_Computed]) -> None:
        """Products with matrices, then sums over neurons, then the rest neuron by neuron."""
        begun: set[Place] = set()
        for product in self._products(computed, begun):
            self.draft.append(product)
        for place, along, parts in computed:
            if parts.totals and place.slab.rows != 1:
                raise TypeError(f"{place.slab.name} is no vector one wide, but a sum over neurons")
            for rows, expression in self._by_rows(parts.totals):
                self.draft.append(Total(place, along, expression, rows, place in begun))
                begun.add(place)
            if parts.local != 0:
                self.draft.enter(Entry(place, along, parts.local, place in begun))

    def _products(self, computed: Sequence[_Computed], begun: set[Place]) -> list[Linear]:
        """Matrix by matrix, the one of most orders first: it assigns, what follows adds."""
        found: dict[Expr, list[tuple[_Computed, Expr]]] = {}
        for one in computed:
            for matrix, vector in one.parts.products:
                found.setdefault(matrix, []).append((one, vector))
        steps: list[Linear] = []
        for matrix in sorted(found, key=lambda matrix: -len(found[matrix])):
            backward = isinstance(matrix, transposed)
            symbol = matrix.args[0] if backward else matrix
            same = []
            for (place, along, parts), vector in found[matrix]:
                source = self._source(matrix, vector, along)
                more = place in begun
                bias = None if more else parts.bias
                same.append(Linear(place, symbol, source, backward, bias, more))
                begun.add(place)
            steps += _merged(same)
        return steps

    def _source(self, matrix: Expr, vector: Expr, along: tuple[str, ...]) -> Place:
        """Where the vector stands that a matrix is multiplied with, computed if it has no name."""
        rows = self.shapes.shape(matrix)[1]
        if isinstance(vector, Quantity):
            place = self.draft.places.get(vector.family)
            if place is not None and place.slab.rows == rows:
                return place
        symbol = matrix.args[0] if isinstance(matrix, transposed) else matrix
        place = self._new(f"t{symbol.layer}", rows, along)
        self.draft.enter(Entry(place, along, vector))
        return place

    def _by_rows(self, totals: Iterable[Expr]) -> list[tuple[int, Expr]]:
        """Sums over vectors of one width together."""
        found: dict[int, Expr] = {}
        for expression in totals:
            rows = self.shapes.width(expression)
            found[rows] = found.get(rows, S.Zero) + expression
        return list(found.items())

    def _contract(self, place: Place, statement: Statement) -> None:
        """Σ dot(weight, moving) + entry(f, e), like weights collected; the entries first."""
        along = directions(statement.target)
        own, dots = [], []
        for term in Add.make_args(statement.expression):
            number, rest = term.as_coeff_Mul()
            if isinstance(rest, entry) and rest.args[1] == OUTPUT and is_local(rest.args[0]):
                own.append(Mul(number, rest.args[0]))
            elif isinstance(rest, dot) and all(map(is_local, rest.args)):
                dots.append(Mul(number, *rest.args))
            else:
                raise unknown(statement, term)
        if own:
            expression = Add(*(weight * moving for weight, moving in weighted(own)))
            self.draft.enter(Entry(place, along, expression))
        begun = bool(own)
        for weight, moving in weighted(dots):
            rows = max(map(self.shapes.width, (weight, moving)))
            pair = self._pair(moving, rows)
            if pair is not None:
                number, moving = moving.as_coeff_Mul()
                weight = Mul(number, weight)
            scale = self._weight(weight)
            if scale.slab.rows != rows:
                pair = None
            self.draft.append(Contraction(place, along, scale, moving, rows, pair, begun))
            begun = True

    def _pair(self, moving: Expr, rows: int) -> Quantity | None:
        """t for t_i t_j of one vector as wide as all, else None."""
        factors = Mul.make_args(moving.as_coeff_Mul()[1])
        if len(factors) != 2 or not all(isinstance(f, Quantity) and f.order == 1 for f in factors):
            return None
        t, other = factors
        same = t.family == other.family and not is_direction(t)
        return t if same and self.shapes.width(t) == rows else None

    def _weight(self, weight: Expr) -> Place:
        """λ σ″, [neurons][outputs]."""
        if isinstance(weight, Quantity) and weight.family in self.draft.places:
            return self.draft.places[weight.family]
        adjoints = [q for q in symbols(weight) if "p" in q.along]
        layer = min(adjoints, key=str).layer if adjoints else None
        place = self._new(f"g{'' if layer is None else layer}", self.shapes.width(weight), ("p",))
        self.draft.enter(Entry(place, ("p",), weight))
        return place

    def _activate(self, expression: Expr) -> None:
        """The activations that `expression` uses, where this has not been done."""
        nodes = [node for node in sigmas(expression) if node not in self.draft.places]
        used = {(node.name, node.argument) for node in nodes}
        for name, argument in used if len(used) < 2 else sorted(used, key=str):
            application = self.program.applications[name, argument]
            source = self.draft.places[argument.family]
            results = []
            for r in application.orders:
                if r == 0 and application.value is not None:
                    place = self.draft.places[application.value.family]
                else:
                    letters = f"{'d' * r}s{application.number or ''}"
                    place = Place(self.draft.slab(letters, source.slab.rows, 1))
                self.draft.places[sigma(name, r, argument)] = place
                results.append((r, place))
            activated = Activated(name, argument, source, tuple(results))
            self.draft.append(Pass(source.slab.rows, activated))


def _name(quantity: Quantity) -> str:
    """The slab's name: z2, a2, lam2, …"""
    letter = _NAMES.get(quantity.letter, quantity.letter)
    return letter + ("" if quantity.layer is None else str(quantity.layer))


def _backward(statement: Statement) -> bool:
    """Whether a statement is an adjoint or the result that is made of adjoints.

    An adjoint that is a number has no output p in it, but the sum remains.
    """
    target, expression = statement.target, statement.expression
    result = target.letter == "y" and not _SUMS.isdisjoint(heads(expression))
    return result or "p" in along_directions(target) | along_directions(expression)


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
