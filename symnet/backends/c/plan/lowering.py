"""A Program as steps on slabs: where each quantity stands, and what is computed in which order.

Forward statements are taken layer by layer rather than order by order, so that a layer's value and
its derivatives stand side by side, and one run over the weights serves all of them. What belongs to
a neuron is computed in the earliest pass over its layer that has all it needs: most derivatives of
activations are used at once, and take no memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import comb, inf

from sympy import Add, Expr, Integer, Mul, S

from symnet.backends.c.plan import fusion
from symnet.backends.c.plan.steps import (
    Activation,
    Contraction,
    Entry,
    Linear,
    Pass,
    Place,
    Plan,
    Result,
    Slab,
    directions,
    moves,
    written_by,
)
from symnet.calculus.algebra import (
    Quantity,
    dot,
    is_direction,
    matvec,
    sigma,
    transposed,
    without_output,
)
from symnet.calculus.program import (
    OUTPUT,
    Program,
    Statement,
    activations_used,
    family,
)
from symnet.network import Network


def plan(program: Program, network: Network) -> Plan:
    """The steps that compute `program` for a network of this shape."""
    return _Planner(program, network).run()


class _Planner:
    def __init__(self, program: Program, network: Network) -> None:
        self.program, self.plan = program, Plan()
        self.n, self.m, self.widths = network.n, network.m, network.widths
        self.sigmas = activations_used(program)
        self.values = {
            s.expression.argument: s.target
            for s in program.statements
            if isinstance(s.expression, sigma)
        }
        self.activated: set[Quantity] = set()

    def run(self) -> Plan:
        forward = [s for s in self.program.statements if not _backward(s)]
        forward.sort(key=_position)
        self._allocate(forward)
        for statements in _by_layer(forward):
            self._layer(statements)
        for statement in self.program.statements:
            if _backward(statement):
                self._adjoint(statement)
        self.plan.results += [self._result(output) for output in self.program.outputs]
        fusion.fuse(self.plan, self.m)
        self._give_memory()
        return self.plan

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
        """A slab for the inputs and for each layer's vector, its orders side by side."""
        self.plan.places["x", None, 0] = Place(self._slab("x", self.n, 1))
        multiplied = {family(v) for s in forward for _, v in _products(s.expression)}
        outputs = {family(o) for o in self.program.outputs if o != 0}
        groups: dict[tuple[str, int | None], list[int]] = {}
        for statement in forward:
            target, expression = statement.target, statement.expression
            key = family(target)
            column = isinstance(expression, matvec) and is_direction(expression.args[1])
            if column and key not in multiplied | outputs:
                self.plan.columns[key] = expression
            else:
                groups.setdefault(key[:2], []).append(key[2])
        for (letter, layer), orders in groups.items():
            sizes = [comb(self.n + r - 1, r) for r in orders]
            rows = self.widths[-1 if layer is None else layer]
            slab = self._slab("Y" if letter == "y" else _name(letter, layer), rows, sum(sizes))
            for k, r in enumerate(orders):
                self.plan.places[letter, layer, r] = Place(slab, sum(sizes[:k]), sizes[k])

    def _slab(self, name: str, rows: int, columns: int) -> Slab:
        """A new slab; a name that is taken gets another number."""
        slabs, number, first = self.plan.slabs, 1, name
        while name in slabs:
            number += 1
            name = f"{first}_{number}"
        slabs[name] = Slab(name, rows, columns)
        return slabs[name]

    # --- forward --------------------------------------------------------------------------------

    def _layer(self, statements: Sequence[Statement]) -> None:
        entries = []
        products: list[Linear] = []
        for statement in statements:
            target, expression = statement.target, statement.expression
            if family(target) in self.plan.columns or isinstance(expression, sigma):
                continue
            place = self.plan.places[family(target)]
            found = _products(expression)
            if found and not is_direction(found[0][1]):
                (layer, vector), biased = found[0], isinstance(expression, Add)
                source = self.plan.places[family(vector)]
                products.append(Linear(place, layer, False, biased, source))
            else:
                entries.append(Entry(place, directions(target), expression))
        self.plan.steps += _merged(products)
        for statement in statements:
            self._activate(statement.expression)
        for entry in entries:
            self._enter(entry)

    def _enter(self, entry: Entry) -> None:
        """Add an entry to the earliest pass over its neurons that comes after all it reads."""
        steps, rows = self.plan.steps, entry.target.slab.rows
        read = self.plan.reads(entry.expression)
        read |= {entry.target.slab.name} if entry.accumulate else set()
        position = len(steps)
        while position and not read & written_by(steps[position - 1]):
            position -= 1
        # The step before has what the entry reads; of a pass, what it has of the same neuron.
        position -= bool(position and _is_local(entry.expression))
        for step in steps[position:]:
            if isinstance(step, Pass) and step.rows == rows:
                step.entries.append(entry)
                return
        steps.append(Pass(rows, entries=[entry]))

    def _activate(self, expression: Expr) -> None:
        """The activations that `expression` uses, where this has not been done."""
        for z in sorted({node.argument for node in expression.atoms(sigma)}, key=str):
            if z in self.activated:
                continue
            self.activated.add(z)
            name, orders = self.sigmas[z]
            rows = self.plan.places[family(z)].slab.rows
            for r in orders:
                place = (
                    self.plan.places[family(self.values[z])]
                    if r == 0
                    else Place(self._slab(_name("d" * r + "s", z.layer), rows, 1))
                )
                self.plan.derivatives[z, r] = place
            results = tuple((r, self.plan.derivatives[z, r]) for r in orders)
            source = self.plan.places[family(z)]
            self.plan.steps.append(Pass(rows, Activation(name, z, source, results)))

    # --- backward -------------------------------------------------------------------------------

    def _adjoint(self, statement: Statement) -> None:
        target, expression = statement.target, statement.expression
        self._activate(expression)
        if target.letter != "λ":
            self._output(target, expression)
        elif isinstance(expression, matvec) and expression.args[1] == OUTPUT:
            self.plan.columns[family(target)] = expression
        else:
            rows = self.widths[target.layer or 0]
            place = Place(self._slab(_name("lam", target.layer), rows, self.m), 0, self.m)
            self.plan.places[family(target)] = place
            self._backward_into(place, expression)

    def _backward_into(self, place: Place, expression: Expr) -> None:
        """A sum of terms Wᵀ(…), one after the other; a scaled row of W takes no product."""
        if not isinstance(expression, matvec) or without_output(expression.args[1]) is not None:
            self._enter(Entry(place, ("p",), expression))
            return
        matrix, vector = expression.args
        layer = matrix.args[0].layer
        source = self._backward_vector(vector, layer)
        self.plan.steps.append(Linear(place, layer, True, False, source))

    def _backward_vector(self, vector: Expr, layer: int) -> Place:
        if isinstance(vector, Quantity) and family(vector) in self.plan.places:
            return self.plan.places[family(vector)]
        place = Place(self._slab(_name("t", layer), self.widths[layer], self.m), 0, self.m)
        self._backward_into(place, vector)
        return place

    def _output(self, target: Quantity, expression: Expr) -> None:
        """y_I = Σ dot(λ, …), or for the gradient the last Wᵀ(…) itself."""
        terms = Add.make_args(expression)
        if isinstance(terms[0], dot) and any(map(is_direction, terms[0].args)):
            (cotangent,) = (arg for arg in terms[0].args if not is_direction(arg))
            place = Place(self._slab("dY", self.n, self.m), 0, self.m)
            self.plan.places[family(target)] = place
            self._backward_into(place, cotangent)
            return
        order = target.order
        count = comb(self.n + order - 1, order)
        place = Place(self._slab("d" * order + "Y", self.m, count), 0, count)
        self.plan.places[family(target)] = place
        for k, (weight, moving) in enumerate(_dots(terms)):
            if OUTPUT in Mul.make_args(weight):
                rest = Mul(weight.xreplace({OUTPUT: Integer(1)}), moving)
                self._enter(Entry(place, directions(target), rest, accumulate=k > 0))
            else:
                pair, scale = _pair(moving), self._weight(weight)
                along = directions(target)
                step = Contraction(place, along, scale, moving, pair, accumulate=k > 0)
                self.plan.steps.append(step)

    def _weight(self, weight: Expr) -> Place:
        """λ σ″, [neurons][outputs]."""
        layer = next(q.layer for q in weight.free_symbols if q.letter == "λ")
        slab = self._slab(_name("g", layer), self.widths[layer], self.m)
        place = Place(slab, 0, self.m)
        self._enter(Entry(place, ("p",), weight))
        return place

    def _result(self, output: Expr) -> Result:
        if output == 0:
            return Result(None)
        place = self.plan.places[family(output)]
        return Result(place, by_input=output.order == 1 and place.slab.name == "dY")


def _is_local(expression: Expr) -> bool:
    """Whether a neuron's entry reads no other neuron's: Wᵀ(e_p ⊙ f) has f of output p."""
    chosen = (v.args[1] for v in expression.atoms(matvec) if without_output(v.args[1]) is not None)
    return all(vector == OUTPUT for vector in chosen)


def _name(letter: str, layer: int | None) -> str:
    return letter + ("" if layer is None else str(layer))


def _position(statement: Statement) -> tuple[float, bool, int]:
    target = statement.target
    layer = inf if target.layer is None else target.layer
    return layer, target.letter != "z", target.order


def _by_layer(statements: Iterable[Statement]) -> list[list[Statement]]:
    groups: dict[tuple[str, int | None], list[Statement]] = {}
    for statement in statements:
        groups.setdefault(family(statement.target)[:2], []).append(statement)
    return list(groups.values())


def _backward(statement: Statement) -> bool:
    return statement.target.letter == "λ" or statement.expression.has(dot)


def _products(expression: Expr) -> list[tuple[int, Quantity]]:
    """The layer of W, and v, of a forward statement W v + b."""
    terms = Add.make_args(expression)
    return [
        (term.args[0].layer, term.args[1])
        for term in terms
        if isinstance(term, matvec) and not isinstance(term.args[0], transposed)
    ]


def _merged(products: Sequence[Linear]) -> list[Linear]:
    """One product for neighbouring columns of the same slabs."""
    merged: list[Linear] = []
    for step in products:
        if merged and _continues(merged[-1], step):
            last = merged[-1]
            count = last.target.count + step.target.count
            target = Place(last.target.slab, last.target.first, count)
            source = Place(last.source.slab, last.source.first, count)
            merged[-1] = Linear(target, last.layer, False, last.biased, source)
        else:
            merged.append(step)
    return merged


def _continues(last: Linear, step: Linear) -> bool:
    return (
        not step.biased
        and last.target.slab == step.target.slab
        and last.source.slab == step.source.slab
        and last.target.first + last.target.count == step.target.first
        and last.source.first + last.source.count == step.source.first
    )


def _dots(terms: Iterable[Expr]) -> list[tuple[Expr, Expr]]:
    """Σ dot(u, v) as (factor without directions, sum of factors with them), like ones collected."""
    collected: dict[Expr, Expr] = {}
    for term in terms:
        number, rest = term.as_coeff_Mul()
        factors = Mul.make_args(Mul(*rest.args))
        moving = Mul(number, *(f for f in factors if moves(f)))
        weight = Mul(*(f for f in factors if not moves(f)))
        collected[weight] = collected.get(weight, S.Zero) + moving
    return list(collected.items())


def _pair(moving: Expr) -> Quantity | None:
    """t for t_i t_j, else None."""
    factors = Mul.make_args(moving)
    if len(factors) == 2 and all(isinstance(f, Quantity) and f.order == 1 for f in factors):
        return factors[0]
    return None
