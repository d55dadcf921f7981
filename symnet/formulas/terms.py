"""An expression of a Program in the layer notation: w₃·(σ′(z₂) ⊙ t₂ᵢ)."""

from __future__ import annotations

from sympy import Add, Expr, Mul, S

from symnet.calculus.algebra import (
    OUTPUT,
    SPELLED,
    Quantity,
    column,
    dot,
    entry,
    log_softmax,
    matvec,
    row,
    sigma,
    softmax,
    transposed,
)
from symnet.calculus.shapes import Shapes
from symnet.formulas.factoring import Factoring, Scalar, factors_of, is_adjoint
from symnet.formulas.folding import Fold, Numbers, folded
from symnet.formulas.lines import BREAK, SOFT
from symnet.formulas.printers import FormulaPrinter
from symnet.formulas.signs import Signs
from symnet.network import Network


class Terms:
    """Writes expressions with the signs of a format; `number` writes the numbers of nodes."""

    def __init__(
        self,
        network: Network,
        shapes: Shapes,
        signs: Signs,
        printer: FormulaPrinter,
        number: Numbers,
    ) -> None:
        self.depth, self.chain, self.scalar = network.depth, network.is_chain, network.m == 1
        self.single = _as_wide_as_output(network) if self.scalar else frozenset()
        self.signs, self.printer, self.number = signs, printer, number
        self.regrouped = Factoring(shapes, self.chain, self.scalar)

    def sum(self, expression: Expr) -> str:
        """Terms of later layers first; runs of layers alike as one sum over k."""
        terms = sorted(self.regrouped.merged(Add.make_args(expression)), key=self._term_key)
        if len(terms) == 1 and isinstance(terms[0], Mul) and len(Add.make_args(expression)) > 1:
            return self._term(terms[0])
        text = ""
        for fold in folded(terms, last_layer, self._signed, self.number):
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
        return int(bias), int(negative), -last_layer(term), -order, str(term)

    def _term(self, term: Expr) -> str:
        if isinstance(term, Add):
            return f"({self.sum(term)})"
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
            (term,) = self.regrouped.merged([term])
            return self._term(term) if not isinstance(term, entry) else self._entry(*term.args)
        if isinstance(term, Scalar):
            return self._dot(*term.args)
        if isinstance(term, sigma):
            name = self.printer.function(term.name, term.order)
            return self.printer.call(name, self._term(term.argument))
        if isinstance(term, softmax | log_softmax):
            name = getattr(self.signs, type(term).__name__)
            return self.printer.call(name, self._term(term.args[0]))
        if isinstance(term, Quantity):
            return self.quantity(term)
        if term.is_number:
            return self.printer.doprint(term)
        raise TypeError(f"{term}: the layer notation has no {type(term).__name__}")

    def _product(self, term: Expr) -> str:
        """Elementwise; numbers scale, and so does everything where a layer has one neuron."""
        factors = [f for f in factors_of(term) if not (self.scalar and f == OUTPUT)]
        rows = [f for f in factors if isinstance(f, row)]
        scales = [f for f in factors if isinstance(f, entry) and f.args[1] == OUTPUT]
        if len(factors) == 2 and rows and scales:
            return self._applied(transposed(rows[0].args[0]), OUTPUT * scales[0].args[0])
        numbers = [f for f in factors if f.is_number]
        vectors = sorted((f for f in factors if not f.is_number), key=_factor_key)
        single = self.scalar and _layers(term) == {self.depth}
        single = single or (not self.chain and self.regrouped.width(term) == 1)
        sign = self.signs.scaled if single else self.signs.elementwise
        text = sign.join(map(self._grouped_term, vectors))
        coefficient = Mul(*numbers)
        if coefficient == 1 or not vectors:
            return text or self.printer.doprint(coefficient)
        return f"{self.printer.doprint(coefficient)}{self.signs.scaled}{text}"

    def _grouped_term(self, term: Expr) -> str:
        """The term as a factor: in parentheses unless it is a name or a call."""
        if self.scalar and term.is_Mul:
            term = term.xreplace({OUTPUT: S.One})
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
        """Whether the matrix is a row of weights of the only output, or of a term of it."""
        return isinstance(matrix, Quantity) and matrix.layer in self.single

    def quantity(self, quantity: Quantity) -> str:
        """A vector's name: zₖ, its tangent tₖᵢ, its adjoint ζₖₚ; a single output's have no p."""
        if self.scalar and quantity == OUTPUT:
            return "1"
        letter = {"p": "s"}.get(quantity.letter, quantity.letter)
        if quantity.along and letter in "zx":
            letter = "t" if letter == "z" else "u"
        along = "".join(quantity.along)
        if self.scalar:
            along = along.replace("p", "") if letter in {*SPELLED, "e"} else along
        number = "" if quantity.layer is None else self.number(quantity.layer)
        return self.signs.vector(letter, number, along)


def _as_wide_as_output(network: Network) -> frozenset[int]:
    """The nodes that are terms or factors of the output, whatever the widths of others."""
    found = {network.depth}
    for k in range(network.depth, 0, -1):
        if k in found:
            node = network.nodes[k - 1]
            found |= {*node.sources} - {*node.weighted}
    return frozenset(found)


def _layers(term: Expr) -> set[int]:
    """The numbers of the nodes whose vectors are in the term."""
    symbols = term.free_symbols
    return {
        s.layer for s in symbols if isinstance(s, Quantity) and s.layer and s.letter not in "Wb"
    }


def last_layer(term: Expr) -> int:
    """The last node whose vectors are in the term, 0 for none."""
    return max(_layers(term), default=0)


def _factor_key(factor: Expr) -> tuple[int, int, str]:
    """Adjoints and rows of weights, then σ″ before σ′, then tangents, sums, scalar products."""
    if isinstance(factor, sigma):
        return 1, -factor.order, ""
    if isinstance(factor, Quantity) and not is_adjoint(factor):
        return 2, factor.order, factor.name
    return 3 * isinstance(factor, Add) + 4 * isinstance(factor, Scalar), 0, str(factor)
