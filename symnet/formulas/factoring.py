"""Sums and products regrouped before they are written: like factors once, adjoints to the left.

λ·u + λ·v = λ·(u + v)        s ⊙ t − s ⊙ m = s ⊙ (t − m)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sympy import Add, Expr, Function, Mul, S

from symnet.calculus.algebra import OUTPUT, SPELLED, Quantity, dot, entry, row, sigma
from symnet.calculus.shapes import Shapes


class Scalar(Function):
    """Scalar(u, v) = u·v, as it is to be written."""

    nargs = 2


@dataclass(frozen=True)
class Factoring:
    """Regroups expressions of a Program: of a chain its scalar products alone.

    scalar: whether there is one output, whose unit vector is 1.
    """

    shapes: Shapes
    chain: bool
    scalar: bool

    def merged(self, terms: Iterable[Expr]) -> list[Expr]:
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
            if left == 1 or (left == OUTPUT and self.scalar and not self.chain):
                others += [scale * right for right in rights]
                continue
            right = self._factored(Add(*rights))
            sign = -1 if right.as_coeff_Mul()[0].is_negative and not self.chain else 1
            merged.append(sign * scale * Scalar(left, sign * right))
        return [*_common(others, self.chain), *merged]

    def width(self, term: Expr) -> int:
        """Entries of a vector, or one for what is a scalar product."""
        if isinstance(term, Scalar):
            return 1
        if isinstance(term, Mul | Add):
            return max(map(self.width, term.args))
        return self.shapes.width(term)

    def _factored(self, expression: Expr) -> Expr:
        terms = _common(list(Add.make_args(expression)), self.chain)
        return terms[0] if len(terms) == 1 else expression

    def _sides(self, left: Expr, right: Expr) -> tuple[Expr, Expr, Expr]:
        """dot(u, v) as scale · (adjoint · rest): what is one wide before, adjoints to the left."""
        if right == OUTPUT:
            left, right = right, left
        if self.chain:
            return S.One, left, right
        if left == OUTPUT:
            return S.One, left, right
        factors = factors_of(left * right)
        scale = [f for f in factors if self.shapes.width(f) == 1 and not f.is_number]
        rest = [f for f in factors if f not in scale]
        vectors = [f for f in rest if not f.is_number]
        if not vectors:
            return Mul(*factors), S.One, S.One
        adjoint = next((f for f in vectors if is_adjoint(f)), None)
        if adjoint is None:
            adjoint = next((f for f in factors_of(left) if f in vectors), vectors[0])
        rest.remove(adjoint)
        return Mul(*scale), adjoint, Mul(*rest)


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


def factors_of(term: Expr) -> list[Expr]:
    """The factors of a product, powers written out."""
    powers = [factor.as_base_exp() for factor in Mul.make_args(term)]
    return [base for base, n in powers for _ in range(int(n) if n.is_Integer and n > 0 else 1)]


def _vectors(term: Expr) -> list[Expr]:
    return [f for f in factors_of(term) if isinstance(f, Quantity | sigma | row) and f != OUTPUT]


def is_adjoint(factor: Expr) -> bool:
    """Whether a factor is an adjoint, or the row of weights that one is."""
    return isinstance(factor, row) or (
        isinstance(factor, Quantity) and (factor.letter in SPELLED or factor == OUTPUT)
    )
