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

from sympy import Add, Expr, Mul, Pow, S

from symnet.backends.c.plan import fusion
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
    Step,
    Total,
    directions,
    moves,
    written_by,
)
from symnet.calculus.algebra import (
    OUTPUT,
    SPELLED,
    Quantity,
    X,
    along_directions,
    column,
    dot,
    entry,
    is_direction,
    log_softmax,
    matvec,
    row,
    sigma,
    softmax,
    transposed,
)
from symnet.calculus.program import Program, Statement, activations_used, family

_NAMES = SPELLED | {"y": "Y", "m": "mean", "p": "soft"}
"""Slabs of these letters have names of their own: the text's loops run over m, p, …"""


def lowered(program: Program) -> Plan:
    """The steps that compute `program`.

    TypeError, naming the statement, for an expression that is none of a Program's.
    """
    return _Planner(program).run()


class _Parts(NamedTuple):
    """A sum's terms, by what computes them.

    products: matrix, transposed or not, and vector; totals: what is added up over neurons;
    bias: of the products; local: what a neuron needs of itself and of one-wide vectors only.
    """

    products: list[tuple[Expr, Expr]]
    totals: list[Expr]
    bias: Quantity | None
    local: Expr


class _Computed(NamedTuple):
    """A place, the directions of its columns, and what is computed there."""

    place: Place
    along: tuple[str, ...]
    parts: _Parts


class _Planner:
    def __init__(self, program: Program) -> None:
        self.program, self.shapes = program, program.shapes
        self.plan = Plan(program.shapes)
        self.orders = {(a.name, a.argument): used for a, used in activations_used(program).items()}
        self.values: dict[Expr, Quantity] = {}
        for s in program.statements:
            if isinstance(s.expression, sigma):
                self.values.setdefault(s.expression, s.target)
        self.by_input: set[Quantity] = set()
        self.written: dict[str, int] = {}

    def run(self) -> Plan:
        forward = [s for s in self.program.statements if not _backward(s)]
        forward.sort(key=self._position)
        self._allocate(forward)
        for _, statements in groupby(forward, lambda s: family(s.target)[:2]):
            self._forward(list(statements))
        for statement in self.program.statements:
            if _backward(statement):
                self._adjoint(statement)
        self.plan.results += [self._result(output) for output in self.program.outputs]
        self._check_order()
        fusion.fuse(self.plan, self.shapes.m)
        self._give_memory()
        return self.plan

    def _check_order(self) -> None:
        """ValueError when a step reads what no step before it has written."""
        known = {"x"}
        for step in self.plan.steps:
            written = written_by(step)
            missing = self.plan.read_by(step) - written - known
            if missing:
                raise ValueError(f"{', '.join(sorted(missing))}: read before it is computed")
            known |= written

    def _position(self, statement: Statement) -> tuple[int, bool, int]:
        """By node; its form with all orders first, then its value order by order."""
        target = statement.target
        return self.shapes.number(target), target.letter != "z", target.order

    def _give_memory(self) -> None:
        """To every slab but those that one pass fills and reads, and nothing else does."""
        needed = {result.place.slab.name for result in self.plan.results if result.place}
        for step in self.plan.steps:
            places = step.targets if isinstance(step, Pass) else [step.target]
            needed |= self.plan.read_by(step) | {place.slab.name for place in places}
        start = 0
        for slab in self.plan.slabs.values():
            if slab.name in needed:
                self.plan.starts[slab.name] = start
                start += slab.rows * slab.columns

    # --- where quantities stand -----------------------------------------------------------------

    def _allocate(self, forward: Sequence[Statement]) -> None:
        """A slab for the inputs and for each vector, its orders side by side.

        Columns of a matrix are read where they stand, unless a product or a caller wants them.
        """
        self.plan.places[family(X)] = Place(self.plan.slab("x", self.shapes.n, 1))
        products = set().union(*(s.expression.atoms(matvec) for s in forward))
        vectors = set().union(*(product.args[1].atoms(Quantity) for product in products))
        wanted = set(map(family, vectors))
        wanted |= {family(output) for output in self.program.outputs if output != 0}
        groups: dict[tuple[str, int | None], list[Quantity]] = {}
        for statement in forward:
            target, expression = statement.target, statement.expression
            if isinstance(expression, column) and family(target) not in wanted:
                self.plan.weights[family(target)] = expression
            else:
                groups.setdefault(family(target)[:2], []).append(target)
        for targets in groups.values():
            sizes = [self.shapes.combinations(target.order) for target in targets]
            slab = self.plan.slab(_name(targets[0]), self.shapes.width(targets[0]), sum(sizes))
            for k, target in enumerate(targets):
                self.plan.places[family(target)] = Place(slab, sum(sizes[:k]), sizes[k])

    def _new(self, name: str, rows: int, along: Sequence[str]) -> Place:
        """A slab of its own for a vector along these directions, or for each output."""
        copies = self.shapes.m if "p" in along else self.shapes.combinations(len(along))
        return Place(self.plan.slab(name, rows, copies), 0, copies)

    # --- statements -----------------------------------------------------------------------------

    def _forward(self, statements: Sequence[Statement]) -> None:
        """Statements of one vector, or of its derivatives of one order."""
        computed = []
        for statement in statements:
            target, expression = statement.target, statement.expression
            self._activate(expression)
            if family(target) in self.plan.weights:
                continue
            place = self.plan.places[family(target)]
            match expression:
                case softmax() | log_softmax():
                    source = self.plan.places[family(expression.args[0])]
                    logarithm = isinstance(expression, log_softmax)
                    self._append(Softmax(place, source, logarithm))
                case sigma() if self.values[expression] == target:
                    pass  # by the activation itself
                case _:
                    computed.append(_Computed(place, directions(target), _parts(statement)))
        self._compute(computed)

    def _adjoint(self, statement: Statement) -> None:
        target, expression = statement.target, statement.expression
        self._activate(expression)
        if target.letter == "y":
            self._output(statement)
        elif isinstance(expression, row):
            self.plan.weights[family(target)] = expression
        else:
            place = self._new(_name(target), self.shapes.width(target), ("p",))
            self.plan.places[family(target)] = place
            self._compute([_Computed(place, ("p",), _parts(statement))])

    def _output(self, statement: Statement) -> None:
        """y_I = Σ dot(λ, …) + f_p, or for the gradient the vector whose entries are wanted."""
        target, expression = statement.target, statement.expression
        name = "d" * target.order + "Y"
        if isinstance(expression, entry) and is_direction(expression.args[1]):
            place = self._new(name, self.shapes.n, ("p",))
            parts = _parts(replace(statement, expression=expression.args[0]))
            self._compute([_Computed(place, ("p",), parts)])
            self.by_input.add(target)
        else:
            place = self._new(name, self.shapes.m, directions(target))
            self._contract(place, statement)
        self.plan.places[family(target)] = place

    def _result(self, output: Expr) -> Result:
        if output == 0:
            return Result(None)
        return Result(self.plan.places[family(output)], output in self.by_input)

    # --- sums -----------------------------------------------------------------------------------

    def _compute(self, computed: Sequence[_Computed]) -> None:
        """Products with matrices, then sums over neurons, then the rest neuron by neuron."""
        begun: set[Place] = set()
        for product in self._products(computed, begun):
            self._append(product)
        for place, along, parts in computed:
            if parts.totals and place.slab.rows != 1:
                raise TypeError(f"{place.slab.name} is no vector one wide, but a sum over neurons")
            for rows, expression in self._by_rows(parts.totals):
                self._append(Total(place, along, expression, rows, place in begun))
                begun.add(place)
            if parts.local != 0:
                self._enter(Entry(place, along, parts.local, place in begun))

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
            place = self.plan.places.get(family(vector))
            if place is not None and place.slab.rows == rows:
                return place
        symbol = matrix.args[0] if isinstance(matrix, transposed) else matrix
        place = self._new(f"t{symbol.layer}", rows, along)
        self._enter(Entry(place, along, vector))
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
            if isinstance(rest, entry) and rest.args[1] == OUTPUT and _is_local(rest.args[0]):
                own.append(number * rest.args[0])
            elif isinstance(rest, dot) and all(map(_is_local, rest.args)):
                dots.append(number * Mul(*rest.args))
            else:
                raise _unknown(statement, term)
        if own:
            expression = Add(*(weight * moving for weight, moving in _weighted(own)))
            self._enter(Entry(place, along, expression))
        begun = bool(own)
        for weight, moving in _weighted(dots):
            rows = self.shapes.width(weight * moving)
            pair = self._pair(moving, rows)
            if pair is not None:
                number, moving = moving.as_coeff_Mul()
                weight = number * weight
            scale = self._weight(weight)
            if scale.slab.rows != rows:
                pair = None
            self._append(Contraction(place, along, scale, moving, rows, pair, begun))
            begun = True

    def _pair(self, moving: Expr, rows: int) -> Quantity | None:
        """t for t_i t_j of one vector as wide as all, else None."""
        factors = Mul.make_args(moving.as_coeff_Mul()[1])
        if len(factors) != 2 or not all(isinstance(f, Quantity) and f.order == 1 for f in factors):
            return None
        t, other = factors
        same = family(t) == family(other) and not is_direction(t)
        return t if same and self.shapes.width(t) == rows else None

    def _weight(self, weight: Expr) -> Place:
        """λ σ″, [neurons][outputs]."""
        if isinstance(weight, Quantity) and family(weight) in self.plan.places:
            return self.plan.places[family(weight)]
        adjoints = [q for q in weight.atoms(Quantity) if "p" in q.along]
        layer = min(adjoints, key=str).layer if adjoints else None
        place = self._new(f"g{'' if layer is None else layer}", self.shapes.width(weight), ("p",))
        self._enter(Entry(place, ("p",), weight))
        return place

    # --- steps ----------------------------------------------------------------------------------

    def _append(self, step: Step) -> None:
        self.plan.steps.append(step)
        self._wrote(written_by(step), len(self.plan.steps) - 1)

    def _wrote(self, slabs: Iterable[str], position: int) -> None:
        """Keep the last step that writes to each slab."""
        for slab in slabs:
            self.written[slab] = max(self.written.get(slab, -1), position)

    def _enter(self, new: Entry) -> None:
        """Add an entry to the earliest pass over its neurons that comes after all it reads."""
        steps, rows = self.plan.steps, new.target.slab.rows
        read = self.plan.reads(new.expression)
        read |= {new.target.slab.name} if new.accumulate else set()
        last = max((self.written.get(slab, -1) for slab in read), default=-1)
        # That step has what the entry reads; of a pass, what it has of the same neuron.
        first = last + 1 if last < 0 or new.expression.has(entry) else last
        for position in range(first, len(steps)):
            step = steps[position]
            if isinstance(step, Pass) and step.rows == rows:
                step.entries.append(new)
                self._wrote([new.target.slab.name], position)
                return
        self._append(Pass(rows, entries=[new]))

    def _activate(self, expression: Expr) -> None:
        """The activations that `expression` uses, where this has not been done."""
        used = {(node.name, node.argument) for node in expression.atoms(sigma)}
        for name, argument in sorted(used, key=str):
            if sigma(name, self.orders[name, argument][0], argument) in self.plan.places:
                continue
            number = self.program.applied[name, argument]
            source = self.plan.places[family(argument)]
            results = []
            for r in self.orders[name, argument]:
                node = sigma(name, r, argument)
                if node in self.values:
                    place = self.plan.places[family(self.values[node])]
                else:
                    place = Place(self.plan.slab(f"{'d' * r}s{number or ''}", source.slab.rows, 1))
                self.plan.places[node] = place
                results.append((r, place))
            activated = Activated(name, argument, source, tuple(results))
            self._append(Pass(source.slab.rows, activated))


def _name(quantity: Quantity) -> str:
    """The slab's name: z2, a2, lam2, …"""
    letter = _NAMES.get(quantity.letter, quantity.letter)
    return letter + ("" if quantity.layer is None else str(quantity.layer))


def _backward(statement: Statement) -> bool:
    """Whether a statement is an adjoint or the result that is made of adjoints.

    An adjoint that is a number has no output p in it, but the sum remains.
    """
    target, expression = statement.target, statement.expression
    result = target.letter == "y" and expression.has(dot, entry)
    return result or "p" in along_directions(target) | along_directions(expression)


def _parts(statement: Statement) -> _Parts:
    """A statement's terms. TypeError for one that no step computes."""
    products, totals, biases, local = [], [], [], []
    for term in Add.make_args(statement.expression):
        number, rest = term.as_coeff_Mul()
        if isinstance(rest, matvec) and number == 1 and _is_local(rest.args[1]):
            products.append((rest.args[0], rest.args[1]))
        elif isinstance(rest, dot) and all(map(_is_local, rest.args)):
            totals.append(number * Mul(*rest.args))
        elif isinstance(rest, Quantity) and rest.letter == "b" and number == 1:
            biases.append(rest)
        elif _is_local(term):
            local.append(term)
        else:
            raise _unknown(statement, term)
    if not products:
        local, biases = [*biases, *local], []
    return _Parts(products, totals, biases[0] if biases else None, Add(*local))


def _is_local(expression: Expr) -> bool:
    """Whether an expression is made of entries: sums, products and powers of quantities."""
    match expression:
        case Quantity() | sigma():
            return True
        case column() | row():
            return isinstance(expression.args[0], Quantity)
        case entry():
            return _is_local(expression.args[0])
        case Pow():
            base, exponent = expression.args
            return _is_local(base) and bool(exponent.is_Integer and exponent > 0)
        case Add() | Mul():
            return all(map(_is_local, expression.args))
    return bool(expression.is_number)


def _unknown(statement: Statement, term: Expr) -> TypeError:
    return TypeError(f"{statement}: the C backend has no step for {term}")


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


def _weighted(terms: Iterable[Expr]) -> list[tuple[Expr, Expr]]:
    """Sums over neurons as (factor without directions, sum of those with), like factors once."""
    collected: dict[Expr, Expr] = {}
    for term in terms:
        number, rest = term.as_coeff_Mul()
        factors = Mul.make_args(rest)
        moving = Mul(number, *(f for f in factors if moves(f)))
        weight = Mul(*(f for f in factors if not moves(f)))
        collected[weight] = collected.get(weight, S.Zero) + moving
    return list(collected.items())
