"""The layer notation: a Program's statements as a textbook writes them.

    y = w₃·a₂ + b₃        ∂y/∂xᵢ = w₃·(σ′(z₂) ⊙ t₂ᵢ)        t₂ᵢ = W₂ (σ′(z₁) ⊙ t₁ᵢ)

Here t is the tangent of z; tangents of a and the means m of a softmax are put in their place where
they stand in one line only. λ is the adjoint of a, ζ of z, μ of m; s is the softmax beside a
log_softmax. A single output's weights are a row w, and W₄,₃ are a node's weights for the third
vector where it has several. Layers that say the same with other numbers are one line with the
layer k: the size depends neither on widths nor, for layers alike, on depth.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from sympy import Add, Expr, Mul

from symnet.calculus.algebra import (
    DIRECTIONS,
    SPELLED,
    Quantity,
    along_directions,
    column,
    dot,
    entry,
    is_direction,
    row,
)
from symnet.calculus.program import Program, Statement
from symnet.calculus.schemes import candidates, needed
from symnet.formulas.folding import Numbers, folded
from symnet.formulas.pages import Line
from symnet.formulas.printers import FormulaPrinter
from symnet.formulas.signs import Signs
from symnet.formulas.terms import Terms
from symnet.network import Network


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
        self.terms = Terms(network, program.shapes, signs, printer, self.number)
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
            elif target.letter in SPELLED:
                adjoints.append([statement])
            else:
                rows.setdefault(target.layer or 0, []).append(statement)
        results += [
            Line(self._result(r), "0") for r, y in enumerate(self.program.outputs) if y == 0
        ]
        layers = list(self._rows([rows[k] for k in sorted(rows)], self._named))
        backwards = [row[0] for row in self._rows(adjoints, lambda row: "")]
        written = " ".join(line.right for line in (*results, *backwards))
        return Formulas(
            results,
            layers,
            backwards,
            self._legend([row[0].target for row in adjoints], written),
            self.program.statements,
        )

    def _substitutions(self) -> dict[Quantity, Expr]:
        """Tangents of a and means where one line needs them; adjoints that are rows of weights."""
        # a₁ⱼ is a use of a₁ᵢ too, which could not be put in its place.
        used = Counter(s.family for t in self.program.statements for s in t.expression.free_symbols)
        found: dict[Quantity, Expr] = {}
        for statement in self.program.statements:
            target, expression = statement.target, statement.expression
            moved = target.letter in "am" and target.along and used[target.family] == 1
            if moved or (target.letter in SPELLED and isinstance(expression, row)):
                found[target] = expression.xreplace(found)
        return found

    # What the signs mean.

    def _legend(self, adjoints: Sequence[Quantity], written: str) -> str:
        said = [self.signs.tangents] if self.program.order else []
        shown = set().union(*(_shown(s.expression.xreplace(self.put)) for s in self._lines()))
        shown = {s for s in shown if isinstance(s, Quantity)}
        for letter, name in (("a", "a"), ("p", "s"), ("y", "y")):
            if any(s.letter == letter and s.along for s in shown):
                said.append(self.signs.moved.format(name))
        if any(map(is_direction, shown)):
            said.append(self.signs.unit)
        unit = self.signs.vector("e", "", "p")
        if re.search(rf"(?<!\w){re.escape(unit)}(?!\w)", written):
            said.append(self.signs.unit_output)
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
        totals = (d for s in self._lines() for d in s.expression.atoms(dot))
        if self.signs.ones and any(d.args[1].is_number for d in totals):
            said.append(self.signs.ones)
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
        left = self._result(target.order) if target.letter == "y" else self.terms.quantity(target)
        return Line(left, self.terms.sum(statement.expression.xreplace(self.put)))

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


def _shown(expression: Expr) -> set[Expr]:
    """The symbols, without the directions that columns and entries are written with."""
    chosen = {c: c.args[0] for c in expression.atoms(column, entry)}
    return set(expression.xreplace(chosen).free_symbols)
