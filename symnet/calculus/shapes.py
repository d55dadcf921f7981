"""How large a Program's symbols are: what its statements themselves do not say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import comb
from types import MappingProxyType

from sympy import Expr

from symnet.calculus.algebra import (
    Quantity,
    along_directions,
    column,
    dot,
    entry,
    matvec,
    row,
    sigma,
    transposed,
)
from symnet.network import Network
from symnet.network.graph import form_width

SCALARS = "mμ"
"""Letters of quantities that are one wide in every layer."""


@dataclass(frozen=True)
class Shapes:
    """Widths of vectors by the number of their node, and shapes of matrices and biases.

    widths: `(n, width of node 1, …, m)`; matrices: `(rows, columns)` of each matrix symbol;
    forms: the width of a node's form, where a product spreads it over another vector.
    """

    widths: tuple[int, ...]
    matrices: Mapping[str, tuple[int, int]]
    forms: Mapping[int, int]

    @classmethod
    def of(cls, network: Network) -> Shapes:
        """The shapes of a network's symbols."""
        matrices = {k: a.shape for k, a in network.parameters.items() if a.ndim == 2}
        forms = {k: form_width(node, network.widths) for k, node in enumerate(network.nodes, 1)}
        return cls(network.widths, MappingProxyType(matrices), MappingProxyType(forms))

    @property
    def n(self) -> int:
        """Number of inputs."""
        return self.widths[0]

    @property
    def m(self) -> int:
        """Number of outputs."""
        return self.widths[-1]

    @property
    def depth(self) -> int:
        """Number of nodes."""
        return len(self.widths) - 1

    def number(self, quantity: Quantity) -> int:
        """The node a quantity belongs to: 0 for x, the last one for y."""
        if quantity.layer is not None:
            return quantity.layer
        return 0 if quantity.letter == "x" else self.depth

    def width(self, expression: Expr) -> int:
        """Entries of a vector: of a sum or a product, those of its widest part."""
        if isinstance(expression, Quantity):
            return self._width_of(expression)
        if isinstance(expression, sigma):
            return self.width(expression.argument)
        if isinstance(expression, (matvec, column)):
            return self.shape(expression.args[0])[0]
        if isinstance(expression, row):
            return self.shape(expression.args[0])[1]
        if isinstance(expression, (dot, entry)):
            return 1
        return max((self.width(argument) for argument in expression.args), default=1)

    def spread(self, target: Quantity, expression: Expr) -> int:
        """The target's width where its expression has one entry for all of it, else 0.

        So has the second derivative of log_softmax, -dot(∂s, ∂z). An adjoint's rows are no entries.
        """
        if "p" in along_directions(expression):
            return 0
        width = self.width(target)
        return width if self.width(expression) < width else 0

    def _width_of(self, quantity: Quantity) -> int:
        number = self.number(quantity)
        if quantity.letter in SCALARS:
            return 1
        if quantity.letter in "zζb" and quantity.layer is not None:
            return self.forms[number]
        return self.widths[number]

    def shape(self, matrix: Expr) -> tuple[int, int]:
        """(rows, columns) of a matrix or its transpose."""
        if isinstance(matrix, transposed):
            rows, columns = self.shape(matrix.args[0])
            return columns, rows
        return self.matrices[matrix.name]

    def copies(self, *expressions: Expr) -> int:
        """Combinations of directions, times outputs where an adjoint runs over them."""
        along = {d for expression in expressions for d in along_directions(expression)}
        order = len(along - {"p"})
        outputs = self.m if "p" in along else 1
        return outputs * self.combinations(order)

    def combinations(self, order: int) -> int:
        """Multi-indices i ≤ j ≤ … of this order."""
        return comb(self.n + order - 1, order)
