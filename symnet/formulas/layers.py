"""The layer notation: a Program's statements as a textbook writes them.

    y = w₃·a₂ + b₃        ∂y/∂xᵢ = w₃·(σ′(z₂) ⊙ t₂ᵢ)        t₂ᵢ = W₂ (σ′(z₁) ⊙ t₁ᵢ)

Here t is the tangent of z, and tangents of a are put in their place; λ is the adjoint of a. A
single output's weights are a row w. Layers that say the same with other numbers are one line with
the layer k: its size depends neither on widths nor, for layers alike, on depth.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from sympy import Add, Expr, Mul, S

from symnet.calculus.algebra import DIRECTIONS, Quantity, dot, matvec, sigma, transposed
from symnet.calculus.program import OUTPUT, Program, Statement
from symnet.calculus.schemes import candidates
from symnet.formulas.lines import BREAK, SOFT
from symnet.formulas.pages import Line
from symnet.formulas.printers import FormulaPrinter
from symnet.formulas.signs import Signs
from symnet.network import Network

_ALIKE = 4  # so many layers alike in a row are written as one with a layer number k


@dataclass(frozen=True)
class Formulas:
    """Results, what they are made of (a row of lines a layer), the adjoints, in words the signs."""

    results: list[Line]
    layers: list[list[Line]]
    adjoints: list[Line]
    legend: str
    statements: tuple[Statement, ...]


def formulas(network: Network, order: int, signs: Signs, printer: FormulaPrinter) -> Formulas:
    """The network and its derivatives up to `order`, the highest one in its adjoint form."""
    programs = candidates(network, order)
    program = programs["adjoint"] if order > 1 and "adjoint" in programs else programs["tangent"]
    return _Layers(network, program, signs, printer).formulas()


class _Layers:
    def __init__(
        self, network: Network, program: Program, signs: Signs, printer: FormulaPrinter
    ) -> None:
        self.network, self.program = network, program
        self.signs, self.printer = signs, printer
        self.scalar = network.m == 1
        # k also names the third direction
        self.layer_index = "k" if program.order < 3 else "r"
        self.base: int | None = None  # layers are written relative to it
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
            elif target.letter == "λ":
                adjoints.append([statement])
            else:
                rows.setdefault(target.layer or 0, []).append(statement)
        results += [
            Line(self._result(r), "0") for r, y in enumerate(self.program.outputs) if y == 0
        ]
        layers = [rows[k] for k in sorted(rows)]
        return Formulas(
            results,
            list(self._grouped(layers)),
            [row[0] for row in self._grouped(adjoints)],
            self._legend(bool(adjoints)),
            self.program.statements,
        )

    def _legend(self, adjoints: bool) -> str:
        said = [self.signs.products]
        if self.program.order:
            said.insert(0, self.signs.tangents)
        if adjoints:
            said.insert(1, self.signs.adjoints)
        return "; ".join(said)

    def _substitutions(self) -> dict[Quantity, Expr]:
        """Tangents of a, and adjoints that are but a row of the last layer's weights."""
        found: dict[Quantity, Expr] = {}
        for statement in self.program.statements:
            target, expression = statement.target, statement.expression
            if target.letter == "a" and target.along:
                found[target] = expression
            if target.letter == "λ" and _is_row(expression):
                found[target] = expression
        return found

    # Layers alike.

    def _grouped(self, rows: list[list[Statement]]) -> Iterator[list[Line]]:
        """One row of lines a layer, or one pattern for a run of layers alike."""
        for _, run in groupby(rows, key=self._pattern):
            alike = list(run)
            if len(alike) < _ALIKE:
                yield from ([self._line(s) for s in row] for row in alike)
            else:
                first, last = (str(row[0].target.layer) for row in (alike[0], alike[-1]))
                where = self.signs.dots.format(self.layer_index, first, last)
                lines = self._pattern(alike[0])
                yield [*lines[:-1], Line(lines[-1].left, lines[-1].right, where)]

    def _pattern(self, row: list[Statement]) -> list[Line]:
        """The lines of a row with layers relative to its own."""
        self.base = row[0].target.layer
        lines = [self._line(statement) for statement in row]
        self.base = None
        return lines

    def _number(self, layer: int) -> str:
        if self.base is None:
            return str(layer)
        offset = layer - self.base
        sign = "+" if offset > 0 else self.signs.minus
        return self.layer_index + (f"{sign}{abs(offset)}" if offset else "")

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
        statements = [s for s in self.program.statements if s.target.letter == "y"]
        return any(s.target.order == order and s.expression.has(dot) for s in statements)

    def _sum(self, expression: Expr) -> str:
        """Terms of later layers first; runs of layers alike as one sum over k."""
        terms = sorted(_merged(Add.make_args(expression)), key=self._term_key)
        written: list[str] = []
        for _, run in groupby(terms, key=self._relative):
            alike = list(run)
            if len(alike) < _ALIKE or not _layers(alike[0]):
                written += [self._term(term) for term in alike]
            else:
                low, high = (str(max(_layers(term))) for term in (alike[-1], alike[0]))
                written.append(self.signs.sum.format(low, high, self._relative(alike[0])))
        return f" {BREAK}+ ".join(written)

    def _relative(self, term: Expr) -> str:
        outer, self.base = self.base, max(_layers(term), default=None)
        text = self._term(term)
        self.base = outer
        return text

    def _term_key(self, term: Expr) -> tuple[int, int, int, str]:
        """Products with W before biases; then later layers, then higher derivatives of σ."""
        bias = isinstance(term, Quantity) and term.letter == "b"
        order = max((node.order for node in term.atoms(sigma)), default=0)
        return int(bias), -max(_layers(term), default=0), -order, str(term)

    def _term(self, term: Expr) -> str:
        if isinstance(term, Add):
            return f"({self._sum(term)})"
        if isinstance(term, Mul):
            return self._product(term)
        if isinstance(term, matvec):
            return self._applied(*term.args)
        if isinstance(term, dot):
            return self._dot(*term.args)
        if isinstance(term, sigma):
            name = self.printer.function(term.name, term.order)
            return self.printer.call(name, self._term(term.argument))
        if isinstance(term, Quantity):
            return self._quantity(term)
        return self.printer.doprint(term)

    def _product(self, term: Expr) -> str:
        """Elementwise; numbers scale, and so does everything where a layer has one neuron."""
        powers = [factor.as_base_exp() for factor in Mul.make_args(term)]
        factors = [
            base for base, n in powers for _ in range(int(n) if n.is_Integer and n > 0 else 1)
        ]
        numbers = [f for f in factors if f.is_number]
        vectors = sorted((f for f in factors if not f.is_number), key=_factor_key)
        single = self.scalar and _layers(term) == {self.network.depth}
        sign = self.signs.scaled if single else self.signs.elementwise
        text = sign.join(map(self._grouped_term, vectors))
        coefficient = Mul(*numbers)
        if coefficient == 1 or not vectors:
            return text or self.printer.doprint(coefficient)
        return f"{self.printer.doprint(coefficient)}{self.signs.scaled}{text}"

    def _grouped_term(self, term: Expr) -> str:
        """The term as a factor: in parentheses unless it is a name or a call."""
        text = self._term(term)
        plain = isinstance(term, sigma | Quantity | Add) or _is_row(term)
        return text if plain else self.printer.parentheses(text)

    def _applied(self, matrix: Expr, vector: Expr) -> str:
        if isinstance(vector, Quantity) and vector.letter == "x" and vector.along:
            template = self.signs.entry if self._is_single(matrix) else self.signs.column
            return template.format(self._matrix(matrix), *vector.along)
        if isinstance(matrix, transposed) and self._is_single(matrix.args[0]):
            return self._scaled_row(matrix.args[0], vector)
        if isinstance(matrix, transposed) and vector == OUTPUT:
            return self.signs.row.format(self._matrix(matrix.args[0]), "p")
        template = self.signs.product if self._is_single(matrix) else self.signs.applied
        return template.format(self._matrix(matrix), self._grouped_term(vector))

    def _scaled_row(self, matrix: Expr, vector: Expr) -> str:
        """wᵀ (e f) for the only output: the row w, times a number."""
        scale = vector.xreplace({OUTPUT: 1})
        row = self._matrix(matrix)
        return row if scale == 1 else f"{self._term(scale)}{self.signs.scaled}{row}"

    def _dot(self, left: Expr, right: Expr) -> str:
        if self.scalar and left == OUTPUT:
            return self._term(right)
        mark = SOFT if isinstance(right, Mul) else ""
        return mark + self.signs.product.format(self._grouped_term(left), self._grouped_term(right))

    def _matrix(self, matrix: Expr) -> str:
        if isinstance(matrix, transposed):
            return self.signs.transposed.format(self._matrix(matrix.args[0]))
        letter = "w" if self._is_single(matrix) else "W"
        return self.signs.vector(letter, self._number(matrix.layer), "")

    def _is_single(self, matrix: Expr) -> bool:
        """Whether the matrix is the row of weights of the only output."""
        return self.scalar and isinstance(matrix, Quantity) and matrix.layer == self.network.depth

    def _quantity(self, quantity: Quantity) -> str:
        letter = "t" if quantity.letter == "z" and quantity.along else quantity.letter
        along = "".join(quantity.along)
        if self.scalar:
            along = along.replace("p", "") if letter in "λe" else along
        number = "" if quantity.layer is None else self._number(quantity.layer)
        return self.signs.vector(letter, number, along)


def _is_row(term: Expr) -> bool:
    """Whether it is Wᵀ e, a row of the last layer's weights."""
    return isinstance(term, matvec) and term.args[1] == OUTPUT


def _merged(terms: Iterable[Expr]) -> list[Expr]:
    """Scalar products with the same left side as one: λ·u + λ·v = λ·(u + v)."""
    sides: dict[Expr, list[Expr]] = {}
    for term in terms:
        left, right = term.args if isinstance(term, dot) else (S.One, term)
        sides.setdefault(left, []).append(right)
    others = sides.pop(S.One, [])
    return [*others, *(dot(left, Add(*rights)) for left, rights in sides.items())]


def _layers(term: Expr) -> set[int]:
    symbols = term.free_symbols
    return {
        s.layer for s in symbols if isinstance(s, Quantity) and s.layer and s.letter not in "Wb"
    }


def _factor_key(factor: Expr) -> tuple[int, int, str]:
    """Adjoints and rows of weights, then σ″ before σ′, then tangents."""
    if isinstance(factor, sigma):
        return 1, -factor.order, ""
    if isinstance(factor, Quantity) and factor.letter not in "λe":
        return 2, factor.order, factor.name
    return 0, 0, str(factor)
