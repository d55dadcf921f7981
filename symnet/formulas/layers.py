"""The layer notation: a Program's statements as a textbook writes them.

    y = w₃·a₂ + b₃        ∂y/∂xᵢ = w₃·(σ′(z₂) ⊙ t₂ᵢ)        t₂ᵢ = W₂ (σ′(z₁) ⊙ t₁ᵢ)

Here t is the tangent of z; tangents of a and the means m of a softmax are put in their place where
they stand in one line only. λ is the adjoint of a, ζ of z, μ of m; s is the softmax beside a
log_softmax. A single output's weights are a row w, and W₄,₃ are a node's weights for the third
vector where it has several. Layers that say the same with other numbers are one line with the
layer k: the size depends neither on widths nor, for layers alike, on depth.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from sympy import Add, Expr, Function, Mul, S

from symnet.calculus.algebra import (
    DIRECTIONS,
    OUTPUT,
    Quantity,
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
from symnet.calculus.program import Program, Statement, family
from symnet.calculus.schemes import candidates, needed
from symnet.formulas.folding import Fold, Numbers, folded
from symnet.formulas.lines import BREAK, SOFT
from symnet.formulas.pages import Line
from symnet.formulas.printers import FormulaPrinter
from symnet.formulas.signs import Signs
from symnet.network import Network

_ADJOINTS = "λζμπ"


@dataclass(frozen=True)
class Formulas:
    """Results, what they are made of (a row of lines a layer), the adjoints, in words the signs."""

    results: list[Line]
    layers: list[list[Line]]
    adjoints: list[Line]
    legend: str
    statements: tuple[Statement, ...]


def formulas(network: Network, order: int, signs: Signs, printer: FormulaPrinter) -> Formulas:
    """The network and its derivatives up to `order`, the highest one in its adjoint form.

    TypeError, naming the expression, for a statement of a form that has no notation.
    """
    programs = candidates(network, order)
    program = programs["adjoint"] if order > 1 and "adjoint" in programs else programs["tangent"]
    return _Layers(network, needed(program, range(order + 1)), signs, printer).formulas()


class _Layers:
    def __init__(
        self, network: Network, program: Program, signs: Signs, printer: FormulaPrinter
    ) -> None:
        self.network, self.program, self.shapes = network, program, program.shapes
        self.signs, self.printer = signs, printer
        self.scalar = network.m == 1
        # k also names the third direction
        self.number = Numbers("k" if program.order < 3 else "r", signs.minus)
        self.put = self._substitutions()

    def formulas(self) -> Formulas:
        results, adjoints = [], []
        rows: dict[int, list[Statement]] = {}
        for statement in self.program.statements:
            target = statement.target
            if target in self.put:
                continue
            if target.letter == "y":
                results.append(self._line(statement))
            elif target.letter in _ADJOINTS:
                adjoints.append([statement])
            else:
                rows.setdefault(target.layer or 0, []).append(statement)
        results += [
            Line(self._result(r), "0") for r, y in enumerate(self.program.outputs) if y == 0
        ]
        layers = [rows[k] for k in sorted(rows)]
        return Formulas(
            results,
            list(self._rows(layers, self._named)),
            [row[0] for row in self._rows(adjoints, lambda row: "")],
            self._legend([row[0].target for row in adjoints]),
            self.program.statements,
        )

    def _substitutions(self) -> dict[Quantity, Expr]:
        """Tangents of a and means where one line needs them; adjoints that are rows of weights."""
        # a₁ⱼ is a use of a₁ᵢ too, which could not be put in its place.
        used = Counter(
            family(s) for t in self.program.statements for s in t.expression.free_symbols
        )
        found: dict[Quantity, Expr] = {}
        for statement in self.program.statements:
            target, expression = statement.target, statement.expression
            moved = target.letter in "am" and target.along and used[family(target)] == 1
            if moved or (target.letter in _ADJOINTS and isinstance(expression, row)):
                found[target] = expression.xreplace(found)
        return found

    # What the signs mean.

    def _legend(self, adjoints: Sequence[Quantity]) -> str:
        said = [self.signs.tangents] if self.program.order else []
        shown = set().union(*(_shown(s.expression.xreplace(self.put)) for s in self._lines()))
        shown = {s for s in shown if isinstance(s, Quantity)}
        for letter, name in (("a", "a"), ("p", "s"), ("y", "y")):
            if any(s.letter == letter and s.along for s in shown):
                said.append(self.signs.moved.format(name))
        if any(map(is_direction, shown)):
            said.append(self.signs.unit)
        if adjoints:
            said.append(self.signs.adjoints)
        activated = {s.target.layer for s in self.program.statements if s.target.letter == "a"}
        if not self.network.is_chain and any(
            s.letter == "λ" and s.layer not in activated for s in adjoints
        ):
            said.append(self.signs.bare)
        for letter, name in (("ζ", "z"), ("μ", "m"), ("π", "s")):
            if any(s.letter == letter for s in adjoints):
                said.append(self.signs.adjoint_of.format(self.signs.vector(letter, "", ""), name))
        said.append(self.signs.products)
        if any(self._spreads(s.expression) for s in self._lines()):
            said.append(self.signs.spread)
        return "; ".join(said)

    def _lines(self) -> Iterator[Statement]:
        return (s for s in self.program.statements if s.target not in self.put)

    def _spreads(self, expression: Expr) -> bool:
        parts = [part for part in expression.atoms(Mul, Add) if not self.network.is_chain]
        return any(
            len({self.shapes.width(f) for f in part.args if not f.is_number}) > 1 for part in parts
        )

    # Layers alike.

    def _rows(
        self, rows: list[list[Statement]], named: Callable[[list[Statement]], str]
    ) -> Iterator[list[Line]]:
        """One row of lines a layer, or one pattern for a run of layers alike."""

        def write(row: list[Statement]) -> list[Line]:
            *others, last = (self._line(statement) for statement in row)
            return [*others, replace(last, where=named(row))]

        for fold in folded(rows, lambda row: row[0].target.layer or 0, write, self.number):
            if not fold.several:
                yield write(fold.item)
                continue
            pattern = partial(write, fold.item)
            lines, _ = self.number.written(pattern, fold.numbers[0], fold.moving)
            where = ", ".join(filter(None, (lines[-1].where, self._range(fold.numbers))))
            yield [*lines[:-1], replace(lines[-1], where=where)]

    def _named(self, row: list[Statement]) -> str:
        """The name of the row's node, where it has one."""
        name = self.network.nodes[(row[0].target.layer or 0) - 1].name
        return "" if name is None else self.signs.quoted.format(self.signs.escaped(name))

    def _range(self, numbers: Sequence[int]) -> str:
        if abs(numbers[1] - numbers[0]) == 1:
            return self.signs.dots.format(self.number.letter, numbers[0], numbers[-1])
        return self.signs.stepped.format(self.number.letter, *numbers[:2], numbers[-1])

    # Lines.

    def _line(self, statement: Statement) -> Line:
        target = statement.target
        left = self._result(target.order) if target.letter == "y" else self._quantity(target)
        return Line(left, self._sum(statement.expression.xreplace(self.put)))

    def _result(self, order: int) -> str:
        of = self.printer.name(self.network.outputs[0].name) if self.scalar else "y"
        if self._by_output(order):
            of = self.signs.vector("y", "", "p")
        x = [self.signs.vector("x", "", d) for d in DIRECTIONS[:order]]
        return self.printer.partial(of, x)

    def _by_output(self, order: int) -> bool:
        """Whether this order is written for one output p, with adjoints, rather than for all."""
        if self.scalar:
            return False
        return any(
            s.target.letter == "y"
            and s.target.order == order
            and "p" in along_directions(s.expression)
            for s in self.program.statements
        )

    def _sum(self, expression: Expr) -> str:
        """Terms of later layers first; runs of layers alike as one sum over k."""
        terms = sorted(self._merged(Add.make_args(expression)), key=self._term_key)
        if len(terms) == 1 and isinstance(terms[0], Mul) and len(Add.make_args(expression)) > 1:
            return self._term(terms[0])
        text = ""
        for fold in folded(terms, _last, self._signed, self.number):
            negative, term = self._summed(fold) if fold.several else self._signed(fold.item)
            minus = self.printer.minus
            if text:
                text += f" {BREAK}{minus if negative else '+'} {term}"
            else:
                text = minus * negative + term
        return text

    def _signed(self, term: Expr) -> tuple[bool, str]:
        """Whether a minus comes before the term, and the term without it."""
        negative = bool(term.as_coeff_Mul()[0].is_negative)
        return negative, self._term(-term if negative else term)

    def _summed(self, fold: Fold[Expr]) -> tuple[bool, str]:
        (negative, term), _ = self.number.written(
            lambda: self._signed(fold.item), fold.numbers[0], fold.moving
        )
        low, second, *_, high = sorted(fold.numbers)
        letter = self.number.letter
        if second - low == 1:
            return negative, self.signs.sum.format(letter, low, high, term)
        return negative, self.signs.stepped_sum.format(letter, low, second, high, term)

    def _term_key(self, term: Expr) -> tuple[int, int, int, int, str]:
        """Products with W before biases; minus last; later layers first, σ″ before σ′."""
        bias = isinstance(term, Quantity) and term.letter == "b"
        negative = bool(term.as_coeff_Mul()[0].is_negative)
        order = max((node.order for node in term.atoms(sigma)), default=0)
        return int(bias), int(negative), -_last(term), -order, str(term)

    def _merged(self, terms: Iterable[Expr]) -> list[Expr]:
        """Scalar products with the same left side as one: λ·u + λ·v = λ·(u + v)."""
        sides: dict[tuple[Expr, Expr], list[Expr]] = {}
        others = []
        for term in terms:
            if isinstance(term, dot) or (isinstance(term, entry) and term.args[1] == OUTPUT):
                scale, left, right = self._sides(*term.args)
                sides.setdefault((scale, left), []).append(right)
            else:
                others.append(term)
        merged = []
        for (scale, left), rights in sides.items():
            if left == 1 or (left == OUTPUT and self.scalar and not self.network.is_chain):
                others += [scale * right for right in rights]
                continue
            right = self._factored(Add(*rights))
            sign = -1 if right.as_coeff_Mul()[0].is_negative and not self.network.is_chain else 1
            merged.append(sign * scale * _Scalar(left, sign * right))
        return [*_common(others, self.network.is_chain), *merged]

    def _width(self, term: Expr) -> int:
        """Entries of a vector, or one for what is a scalar product."""
        if isinstance(term, _Scalar):
            return 1
        if isinstance(term, Mul | Add):
            return max(map(self._width, term.args))
        return self.shapes.width(term)

    def _factored(self, expression: Expr) -> Expr:
        terms = _common(list(Add.make_args(expression)), self.network.is_chain)
        return terms[0] if len(terms) == 1 else expression

    def _sides(self, left: Expr, right: Expr) -> tuple[Expr, Expr, Expr]:
        """dot(u, v) as scale · (adjoint · rest): what is one wide before, adjoints to the left."""
        if right == OUTPUT:
            left, right = right, left
        if self.network.is_chain:
            return S.One, left, right
        if left == OUTPUT:
            return S.One, left, right
        factors = _factors(left * right)
        scale = [f for f in factors if self.shapes.width(f) == 1 and not f.is_number]
        rest = [f for f in factors if f not in scale]
        vectors = [f for f in rest if not f.is_number]
        if not vectors:
            return Mul(*factors), S.One, S.One
        adjoint = next((f for f in vectors if _is_adjoint(f)), None)
        if adjoint is None:
            adjoint = next((f for f in _factors(left) if f in vectors), vectors[0])
        rest.remove(adjoint)
        return Mul(*scale), adjoint, Mul(*rest)

    def _term(self, term: Expr) -> str:
        if isinstance(term, Add):
            return f"({self._sum(term)})"
        if isinstance(term, Mul) or (term.is_Pow and term.exp.is_Integer):
            return self._product(term)
        if isinstance(term, matvec):
            return self._applied(*term.args)
        if isinstance(term, column):
            template = self.signs.entry if self._is_single(term.args[0]) else self.signs.column
            return template.format(self._matrix(term.args[0]), *term.args[1].along)
        if isinstance(term, row):
            return self._row(term.args[0])
        if isinstance(term, dot | entry):
            (term,) = self._merged([term])
            return self._term(term) if not isinstance(term, entry) else self._entry(*term.args)
        if isinstance(term, _Scalar):
            return self._dot(*term.args)
        if isinstance(term, sigma):
            name = self.printer.function(term.name, term.order)
            return self.printer.call(name, self._term(term.argument))
        if isinstance(term, softmax | log_softmax):
            name = getattr(self.signs, type(term).__name__)
            return self.printer.call(name, self._term(term.args[0]))
        if isinstance(term, Quantity):
            return self._quantity(term)
        if term.is_number:
            return self.printer.doprint(term)
        raise TypeError(f"{term}: the layer notation has no {type(term).__name__}")

    def _product(self, term: Expr) -> str:
        """Elementwise; numbers scale, and so does everything where a layer has one neuron."""
        factors = [f for f in _factors(term) if not (self.scalar and f == OUTPUT)]
        rows = [f for f in factors if isinstance(f, row)]
        scales = [f for f in factors if isinstance(f, entry) and f.args[1] == OUTPUT]
        if len(factors) == 2 and rows and scales:
            return self._applied(transposed(rows[0].args[0]), OUTPUT * scales[0].args[0])
        numbers = [f for f in factors if f.is_number]
        vectors = sorted((f for f in factors if not f.is_number), key=_factor_key)
        single = self.scalar and _layers(term) == {self.network.depth}
        single = single or (not self.network.is_chain and self._width(term) == 1)
        sign = self.signs.scaled if single else self.signs.elementwise
        text = sign.join(map(self._grouped_term, vectors))
        coefficient = Mul(*numbers)
        if coefficient == 1 or not vectors:
            return text or self.printer.doprint(coefficient)
        return f"{self.printer.doprint(coefficient)}{self.signs.scaled}{text}"

    def _grouped_term(self, term: Expr) -> str:
        """The term as a factor: in parentheses unless it is a name or a call."""
        text = self._term(term)
        plain = isinstance(term, sigma | Quantity | Add | row)
        return text if plain else self.printer.parentheses(text)

    def _applied(self, matrix: Expr, vector: Expr) -> str:
        if isinstance(matrix, transposed) and self._is_single(matrix.args[0]):
            return self._scaled_row(matrix.args[0], vector)
        template = self.signs.product if self._is_single(matrix) else self.signs.applied
        return template.format(self._matrix(matrix), self._grouped_term(vector))

    def _row(self, matrix: Expr) -> str:
        """Wᵀ e, a row of the last layer's weights."""
        text = self._matrix(matrix)
        return text if self._is_single(matrix) else self.signs.row.format(text, "p")

    def _scaled_row(self, matrix: Expr, vector: Expr) -> str:
        """wᵀ (e f) for the only output: the row w, times a number."""
        scale = vector.xreplace({OUTPUT: 1})
        row = self._matrix(matrix)
        return row if scale == 1 else f"{self._term(scale)}{self.signs.scaled}{row}"

    def _dot(self, left: Expr, right: Expr) -> str:
        if self.scalar and left == OUTPUT:
            return self._term(right)
        if right.is_number:
            number = "" if right == 1 else f"{self.printer.doprint(right)}{self.signs.scaled}"
            return number + self.signs.total.format(self._term(left))
        mark = SOFT if isinstance(right, Mul) else ""
        return mark + self.signs.product.format(self._grouped_term(left), self._grouped_term(right))

    def _entry(self, vector: Expr, unit: Expr) -> str:
        return self.signs.entry.format(self._grouped_term(vector), *unit.along)

    def _matrix(self, matrix: Expr) -> str:
        if isinstance(matrix, transposed):
            return self.signs.transposed.format(self._matrix(matrix.args[0]))
        letter = "w" if self._is_single(matrix) else "W"
        numbers = [n for n in (matrix.layer, matrix.index) if n is not None]
        return self.signs.vector(letter, ",".join(map(self.number, numbers)), "")

    def _is_single(self, matrix: Expr) -> bool:
        """Whether the matrix is a row of weights of the only output."""
        return self.scalar and isinstance(matrix, Quantity) and matrix.layer == self.network.depth

    def _quantity(self, quantity: Quantity) -> str:
        if self.scalar and quantity == OUTPUT:
            return "1"
        letter = {"p": "s"}.get(quantity.letter, quantity.letter)
        if quantity.along and letter in "zx":
            letter = "t" if letter == "z" else "u"
        along = "".join(quantity.along)
        if self.scalar:
            along = along.replace("p", "") if letter in f"{_ADJOINTS}e" else along
        number = "" if quantity.layer is None else self.number(quantity.layer)
        return self.signs.vector(letter, number, along)


class _Scalar(Function):
    """_Scalar(u, v) = u·v, as it is to be written."""

    nargs = 2


def _common(terms: Sequence[Expr], chain: bool) -> list[Expr]:
    """A sum's terms, with common factors before the sum of the rest: s ⊙ (t − m)."""
    shared = None if chain or len(terms) < 2 else Counter(_vectors(terms[0]))
    if not shared:
        return list(terms)
    for term in terms[1:]:
        shared &= Counter(_vectors(term))
    factor = Mul(*shared.elements())
    if factor == 1:
        return list(terms)
    return [factor * Add(*(term / factor for term in terms))]


def _factors(term: Expr) -> list[Expr]:
    """The factors of a product, powers written out."""
    powers = [factor.as_base_exp() for factor in Mul.make_args(term)]
    return [base for base, n in powers for _ in range(int(n) if n.is_Integer and n > 0 else 1)]


def _vectors(term: Expr) -> list[Expr]:
    return [f for f in _factors(term) if isinstance(f, Quantity | sigma | row) and f != OUTPUT]


def _shown(expression: Expr) -> set[Expr]:
    """The symbols, without the directions that columns and entries are written with."""
    chosen = {c: c.args[0] for c in expression.atoms(column, entry)}
    return set(expression.xreplace(chosen).free_symbols)


def _is_adjoint(factor: Expr) -> bool:
    return isinstance(factor, row) or (
        isinstance(factor, Quantity) and (factor.letter in _ADJOINTS or factor == OUTPUT)
    )


def _layers(term: Expr) -> set[int]:
    symbols = term.free_symbols
    return {
        s.layer for s in symbols if isinstance(s, Quantity) and s.layer and s.letter not in "Wb"
    }


def _last(term: Expr) -> int:
    return max(_layers(term), default=0)


def _factor_key(factor: Expr) -> tuple[int, int, str]:
    """Adjoints and rows of weights, then σ″ before σ′, then tangents, sums, scalar products."""
    if isinstance(factor, sigma):
        return 1, -factor.order, ""
    if isinstance(factor, Quantity) and not _is_adjoint(factor):
        return 2, factor.order, factor.name
    return 3 * isinstance(factor, Add) + 4 * isinstance(factor, _Scalar), 0, str(factor)
