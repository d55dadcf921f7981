"""A Program as steps on slabs: where each quantity stands, and what is computed in which order.

Forward statements are taken node by node rather than order by order, so that a vector's value and
its derivatives stand side by side, and one run over the weights serves all of them. What belongs to
a neuron is computed in the earliest pass over its vector that has all it needs: most derivatives of
activations are used at once, and take no memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby

from sympy import Expr

from symnet.backends.c.plan import fusion
from symnet.backends.c.plan.contractions import contract
from symnet.backends.c.plan.draft import Draft
from symnet.backends.c.plan.steps import (
    Activated,
    Pass,
    Place,
    Plan,
    Result,
    Softmax,
    directions,
)
from symnet.backends.c.plan.terms import multiplied, parts_of
from symnet.backends.c.plan.vectors import Computed, compute
from symnet.calculus.algebra import (
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


class _Planner:
    def __init__(self, program: Program) -> None:
        self.program, self.shapes = program, program.shapes
        self.draft = Draft(program.shapes)
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
                    computed.append(Computed(place, directions(target), parts_of(statement)))
        compute(self.draft, computed)

    def _adjoint(self, statement: Statement) -> None:
        target, expression = statement.target, statement.expression
        self._activate(expression)
        if target.letter == "y":
            self._output(statement)
        elif isinstance(expression, row):
            self.draft.weights[target.family] = expression
        else:
            place = self.draft.new(_name(target), self.shapes.width(target), ("p",))
            self.draft.places[target.family] = place
            compute(self.draft, [Computed(place, ("p",), parts_of(statement))])

    def _output(self, statement: Statement) -> None:
        """y_I = Σ dot(λ, …) + f_p, or for the gradient the vector whose entries are wanted."""
        target, expression = statement.target, statement.expression
        name = "d" * target.order + "Y"
        if isinstance(expression, entry) and is_direction(expression.args[1]):
            place = self.draft.new(name, self.shapes.n, ("p",))
            parts = parts_of(replace(statement, expression=expression.args[0]))
            compute(self.draft, [Computed(place, ("p",), parts)])
            self.by_input.add(target)
        else:
            place = self.draft.new(name, self.shapes.m, directions(target))
            contract(self.draft, place, statement)
        self.draft.places[target.family] = place

    def _result(self, output: Expr) -> Result:
        if output == 0:
            return Result(None)
        return Result(self.draft.places[output.family], output in self.by_input)

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
