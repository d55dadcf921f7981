"""A Program's statements lowered to loops.

Each statement becomes loops over its output p, its directions i ≥ j ≥ … and its entries r; those of
neighbouring statements are joined where what one writes the other reads at the same p, i, …, and
an array then needs no axis for them. Products in a sum are formed where their last factor becomes
known: λ σ″ outside of the loops over i and j, λ σ″ ∂z/∂x_i outside of that over j.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import permutations

from sympy import Add, Expr, Mul, Piecewise, Pow, S, Symbol, exp, log

from symnet.calculus.algebra import (
    DIRECTIONS,
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
from symnet.calculus.program import Application, Program, Statement
from symnet.lowering.joining import Item
from symnet.lowering.loops import (
    At,
    Call,
    Let,
    Loop,
    Mirror,
    More,
    Put,
    Same,
    Shape,
    Start,
    Step,
    Store,
    at,
)
from symnet.names import array_name

_TEMPORARY = "v"
_LONGEST = 30  # letters of an activation in a function's name; Fortran's names end at 63


class Lowering:
    """A Program's statements as items; `arrays` are the shapes of what they store."""

    def __init__(self, program: Program, functions: dict[tuple[str, tuple[int, ...]], str]) -> None:
        self.program, self.shapes, self.functions = program, program.shapes, functions
        self.items: list[Item] = []
        self.arrays: dict[str, Shape] = {}
        self.same: dict[tuple, Expr] = {}  # families that are columns or rows of a matrix
        self.temporaries: dict[Expr, Quantity] = {}
        self._emit((), self._loop(self._calls(X, at("x", "r")), program.shapes.n))
        for statement in program.statements:
            self._statement(statement)

    # --- statements -----------------------------------------------------------------------------

    def _statement(self, statement: Statement) -> None:
        target, expression = statement.target, statement.expression
        if isinstance(expression, sigma):
            return  # written by the call at its argument
        if isinstance(expression, (column, row)) and target.letter != "y":
            self.same[target.family] = expression
        elif isinstance(expression, (softmax, log_softmax)):
            self._normalized(target, expression)
        else:
            self._assign(target, expression)

    def _assign(self, target: Quantity, expression: Expr) -> None:
        """Loops that store the expression, and what activations make of it at once."""
        along = tuple(sorted(along_directions(expression) | set(target.along), key=_rank))
        index = "p" if target.letter == "y" else "r"
        plain, sums = self._terms(expression, index, along)
        body: list[Step] = [Start("sum", _added(plain))]
        for size, term in sums:
            body.append(Loop("s", size, (More("sum", term),)))
        element = self._element(target, index)
        body.append(Store(element, Symbol("sum")))
        body += self._mirrored(element, target)
        if not target.along:
            body += self._calls(target, Symbol("sum"), index)
        inner = tuple(body)
        if index not in along:
            inner = self._loop(inner, self._width(target), index)
        self._emit(along, inner)

    def _mirrored(self, element: At, target: Quantity) -> list[Step]:
        """The other entries of a symmetric result."""
        if target.letter != "y" or target.order < 2:
            return []
        first, *directions = element.indices
        orders = sorted(set(permutations(directions)), key=str)
        others = tuple(at(element.array, first, *o) for o in orders if o != tuple(directions))
        return [Mirror(element, others)]

    def _calls(self, argument: Quantity, value: Expr, index: str = "r") -> list[Step]:
        """σ⁽ʳ⁾ of what has just become known, and what is applied to those in turn."""
        found: list[Step] = []
        for used in self.program.applied_to.get(argument, ()):
            results = tuple(self._derivative(used, order, index) for order in used.orders)
            found.append(Call(self._function(used.name, used.orders), value, results))
            if used.value is not None:
                found += self._calls(used.value, results[0], index)
        return found

    def _function(self, name: str, orders: tuple[int, ...]) -> str:
        key = (name, orders)
        if key not in self.functions:
            stem = f"{name[:_LONGEST]}_{''.join(map(str, orders))}"
            taken = {known.lower() for known in self.functions.values()}
            k, found = 1, stem
            while found.lower() in taken:
                k += 1
                found = f"{stem}_{k}"
            self.functions[key] = found
        return self.functions[key]

    def _derivative(self, used: Application, order: int, index: str | Expr) -> At:
        if order == 0 and used.value is not None:
            return self._element(used.value, index)
        name = f"{'d' * order}s{used.number}"
        self.arrays[name] = (self._width(used.argument),)
        return at(name, self._place(used.argument, index))

    def _normalized(self, target: Quantity, expression: Expr) -> None:
        """exp(v - max v)/Σ, or v - max v - log Σ, which do not overflow."""
        vector, width = expression.args[0], self._width(target)
        value, found = self._element(vector, "r"), self._element(target, "r")
        top, total, power = Symbol("top"), Symbol("total"), Symbol("power")
        first = self._element(vector, S.Zero)
        larger = Piecewise((value, value > top), (top, True), evaluate=False)
        whole = isinstance(expression, log_softmax)
        powers: list[Step] = [Let("power", exp(value - top)), More("total", power)]
        powers += [] if whole else [Store(found, power)]
        result = value - top - Symbol("logarithm") if whole else found / total
        self._emit(
            (),
            (
                Start("top", first),
                *self._loop([Put("top", larger)], width),
                Start("total", S.Zero),
                *self._loop(powers, width),
                *([Let("logarithm", log(total))] if whole else []),
                *self._loop([Store(found, result)], width),
                *self._loop(self._calls(target, found), width),
            ),
        )

    def _emit(self, along: tuple[str, ...], body: tuple[Step, ...]) -> None:
        if body:
            self.items.append(Item(along, body))

    @staticmethod
    def _loop(body: Sequence[Step], size: int, index: str = "r") -> tuple[Step, ...]:
        return (Loop(index, size, tuple(body)),) if body else ()

    # --- expressions ----------------------------------------------------------------------------

    def _terms(
        self, expression: Expr, index: str, along: tuple[str, ...]
    ) -> tuple[list[Expr], list[tuple[int, Expr]]]:
        """A vector's entry: plain summands, and sums over s as their sizes and terms."""
        plain: list[Expr] = []
        sums: list[tuple[int, Expr]] = []
        for term in Add.make_args(expression):
            if isinstance(term, matvec):
                sums.append(self._product_with_matrix(term, index))
            elif isinstance(term, dot):
                sums.append(self._scalar_product(term, along))
            elif isinstance(term, entry):
                inner = self._terms(term.args[0], _unit(term), along)
                plain += inner[0]
                sums += inner[1]
            else:
                plain.append(self._entry(term, index))
        return plain, sums

    def _product_with_matrix(self, term: matvec, index: str) -> tuple[int, Expr]:
        matrix, vector = term.args
        if not isinstance(vector, Quantity):
            vector = self._temporary(vector)
        size = self.shapes.shape(matrix)[1]
        weight = at(str(matrix), index, "s")
        if isinstance(matrix, transposed):
            weight = at(str(matrix.args[0]), "s", index)
        return size, _times([weight, self._entry(vector, "s")])

    def _scalar_product(self, term: dot, along: tuple[str, ...]) -> tuple[int, Expr]:
        size = max(map(self._width, term.args))
        factors = [f for side in term.args for f in Mul.make_args(side)]
        hoisted = self._hoisted(factors, along, size)
        return size, _times([self._entry(factor, "s") for factor in hoisted])

    def _hoisted(self, factors: list[Expr], along: tuple[str, ...], size: int) -> list[Expr]:
        """The factors of a sum's term, those of outer loops multiplied there.

        Of two directions the inner loop has three passes in all: a product for it is stored as
        often as it is used (2-8-8-1 in floats on a Cortex-M4: 5,482 instructions, 5,610 with it).
        """
        if self.shapes.n == 1 or size == 1:
            return factors
        deepest = len(along) if self.shapes.n > 2 else len(along) - 1
        for depth in range(1, deepest):
            inner = set(along[:depth])
            outer = [f for f in factors if along_directions(f) <= inner]
            if sum(not f.is_number for f in outer) > 1:
                rest = [f for f in factors if f not in outer]
                factors = [self._temporary(Mul(*outer), size), *rest]
        return factors

    def _temporary(self, expression: Expr, width: int | None = None) -> Quantity:
        """A vector that has a name only here."""
        if expression not in self.temporaries:
            along = tuple(sorted(along_directions(expression), key=_rank))
            number = len(self.temporaries) + 1
            quantity = Quantity(_TEMPORARY, number, along)
            self.temporaries[expression] = quantity
            self.arrays[str(Quantity(_TEMPORARY, number))] = (
                *self._axes(quantity),
                width or self._width(expression),
            )
            self._assign(quantity, expression)
        return self.temporaries[expression]

    def _entry(self, expression: Expr, index: str | Expr) -> Expr:
        """An entry of a vector that takes no sum."""
        match expression:
            case _ if expression == OUTPUT:
                return Same(self._place(expression, index), Symbol("p"))
            case _ if is_direction(expression):
                return Same(self._place(expression, index), Symbol(expression.along[0]))
            case Quantity():
                return self._element(expression, index)
            case sigma():
                used = self.program.applications[expression.name, expression.argument]
                return self._derivative(used, expression.order, index)
            case column(args=(matrix, unit)):
                return at(str(matrix), self._place(expression, index), unit.along[0])
            case row(args=(matrix, _)):
                return at(str(matrix), "p", self._place(expression, index))
            case entry(args=(vector, _)):
                return self._entry(vector, _unit(expression))
            case matvec() | dot():
                return self._element(self._temporary(expression), index)
            case Add():
                return Add(*(self._entry(a, index) for a in expression.args), evaluate=False)
            case Mul():
                return _times([self._entry(factor, index) for factor in expression.args])
            case Pow(args=(base, power)) if power.is_Integer and power > 0:
                return _times([self._entry(base, index)] * int(power))
        if expression.is_number:
            return expression
        raise TypeError(f"{type(expression).__name__} has no loop form: {expression}")

    def _element(self, quantity: Quantity, index: str | Expr) -> At:
        """Where a quantity's entry is stored."""
        directions = [d for d in quantity.along if d != "p"]
        alias = self.same.get(quantity.family)
        if alias is not None:
            index = self._place(alias, index)
            found = at(str(alias.args[0]), index, *directions)
            return found if isinstance(alias, column) else at(str(alias.args[0]), "p", index)
        index = self._place(quantity, index)
        if quantity.letter == "y":
            name = array_name(quantity.order)
            self.arrays[name] = (self.shapes.m,) + (self.shapes.n,) * quantity.order
            return at(name, index, *directions)
        name = "d" * len(directions) * (quantity.letter != _TEMPORARY)
        name += SPELLED.get(quantity.letter, quantity.letter)
        name += "" if quantity.layer is None else str(quantity.layer)
        if quantity.letter not in "xb":
            self.arrays.setdefault(name, (*self._axes(quantity), self._width(quantity)))
        return at(name, *sorted(quantity.along, key=_rank), index)

    def _place(self, vector: Expr, index: str | Expr) -> Expr:
        """The index of a vector's entry: one wide, a vector has the same for all entries."""
        if self._width(vector) == 1:
            return S.Zero
        return Symbol(index) if isinstance(index, str) else index

    def _axes(self, quantity: Quantity) -> Shape:
        return tuple(self.shapes.m if d == "p" else self.shapes.n for d in quantity.along)

    def _width(self, expression: Expr) -> int:
        if isinstance(expression, Quantity) and expression.letter == _TEMPORARY:
            return self.arrays[f"{_TEMPORARY}{expression.layer}"][-1]
        if isinstance(expression, (Add, Mul)):
            return max(map(self._width, expression.args))
        return self.shapes.width(expression)


def _rank(variable: str) -> int:
    """Outputs are the outermost loop, then directions in their order."""
    return ("p" + DIRECTIONS).index(variable)


def _unit(node: entry) -> str:
    """The loop variable whose entry of a vector is meant."""
    return str(node.args[1].along[0])


def _times(factors: Iterable[Expr]) -> Expr:
    """A product in this order, its sign in front."""
    flat = [f for factor in factors for f in Mul.make_args(factor)]
    number = Mul(*(f for f in flat if f.is_number))
    rest = [f for f in flat if not f.is_number]
    if number == 0 or not rest:
        return number
    kept = rest if number == 1 else [number, *rest]
    return kept[0] if len(kept) == 1 else Mul(*kept, evaluate=False)


def _added(terms: Sequence[Expr]) -> Expr:
    if len(terms) < 2:
        return terms[0] if terms else S.Zero
    return Add(*terms, evaluate=False)
