"""Vectors of formulas of the inputs, and their arithmetic.

A vector is an affine form of values that nodes compute. Concatenation, slices, permutations and
scaling, whose rows have one entry each, dissolve in the matrices of what comes next; a sum stays
a sum.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import sympy
from sympy import Expr, Symbol, SympifyError

from symnet.activations import Activation, Z, activation, power
from symnet.network.building.matrices import (
    added,
    diagonal,
    entries,
    multiplier,
    multiplies,
    plus,
    reciprocals,
    selection,
    times,
)
from symnet.network.building.protocol import OfNumpy
from symnet.network.layer import Layer, Spec
from symnet.network.weights import Array, as_expression, symbols, weight


@dataclass(frozen=True, eq=False)
class Atom:
    """A value that a node computes, or the inputs; told apart by identity."""

    width: int
    kind: str = "inputs"
    form: Vector | None = None
    activation: Activation | None = None
    factor: Atom | None = None
    names: tuple[str | Symbol, ...] = ()
    layer: Layer | None = None

    @property
    def sources(self) -> tuple[Atom, ...]:
        factor = () if self.factor is None else (self.factor,)
        return factor if self.form is None else (*self.form.terms, *factor)


@dataclass(frozen=True, eq=False, repr=False)
class Vector(OfNumpy):
    """A vector of a graph, `Σ_j A_j a_j + c`; made by `variables` and by what is done with them.

    `v[0]`, `v[1:3]` and `rho, T = x` are parts of it. `+ - * /` and `**` work entry by entry, with
    vectors of the same width, a vector one wide, numbers and arrays; `W @ v` is a matrix times it,
    `w @ v` its scalar product with another vector or with numbers; NumPy's `exp`, `sin`, … are
    `apply`.

    ValueError for widths that do not fit and for what `Layer` refuses as weights; TypeError for a
    function that is no activation.
    """

    width: int
    terms: Mapping[Atom, Array | None]
    """The matrix of each value, None for the identity."""
    bias: Array | None = None

    def __len__(self) -> int:
        return self.width

    def __iter__(self) -> Iterator[Vector]:
        return (self[i] for i in range(self.width))

    def __getitem__(self, which: int | slice | Sequence[int]) -> Vector:
        try:
            rows = np.atleast_1d(np.arange(self.width)[which])
        except IndexError as error:
            raise IndexError(f"a vector of {self.width} entries: {error}") from None
        if rows.ndim > 1:
            raise IndexError(f"a vector of {self.width} entries has one axis, not {rows.ndim}")
        if not rows.size:
            raise ValueError(f"no entry of a vector of {self.width} is chosen")
        return self._times(selection(rows, self.width))

    def __repr__(self) -> str:
        return f"Vector({self.width} wide)"

    def through(self, layer: Layer) -> Vector:
        """σ(W v + b)."""
        if layer.inputs != self.width:
            raise ValueError(
                f"the layer's weights have {layer.inputs} columns, but the vector has "
                f"{self.width} entries"
            )
        form = self._times(layer.weights)._shifted(layer.bias)
        kind = "form" if layer.activation.value == Z else "activation"
        return value(form, kind, None if kind == "form" else layer.activation, layer=layer)

    def applied(self, function: Spec) -> Vector:
        """A function of one number, entry by entry, as `apply`."""
        return apply(function, self)

    # --- arithmetic -----------------------------------------------------------------------------

    def __add__(self, other: Any) -> Vector:
        return self._sum(other)

    __radd__ = __add__

    def __pos__(self) -> Vector:
        return self

    def __neg__(self) -> Vector:
        return self._scaled(-1)

    def __sub__(self, other: Any) -> Vector:
        return self._sum(-other if isinstance(other, Vector) else np.negative(other))

    def __rsub__(self, other: Any) -> Vector:
        return -self + other

    def __mul__(self, other: Any) -> Vector:
        return _product(self, other) if isinstance(other, Vector) else self._scaled(other)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Vector:
        if isinstance(other, Vector):
            return self * apply("reciprocal", other)
        return self._scaled(reciprocals(other))

    def __rtruediv__(self, other: Any) -> Vector:
        return apply("reciprocal", self) * other

    def __pow__(self, exponent: Any) -> Vector:
        if isinstance(exponent, Vector):
            return apply("exp", exponent * apply("log", self))
        return apply(_power(exponent), self)

    def __rpow__(self, base: Any) -> Vector:
        return apply(_exponential(base), self)

    def __rmatmul__(self, other: Any) -> Vector:
        return linear(other, self)

    def __matmul__(self, other: Any) -> Vector:
        """The scalar product with a vector or numbers, one wide, or v W of a matrix, Wᵀ v."""
        if isinstance(other, Vector):
            if other.width != self.width:
                raise ValueError(
                    f"vectors of {self.width} and {other.width} entries have no scalar product"
                )
            return linear([[1] * self.width], self * other)
        return linear(multiplier(other, after=True), self)

    def __abs__(self) -> Vector:
        return apply("abs", self)

    def _sympy_(self) -> Any:
        raise SympifyError(  # after which SymPy's numbers leave their products to the vector
            "a vector of a network is no SymPy expression; write functions of it with NumPy's, as "
            "np.sin(v), or as symnet.apply(formula, v)"
        )

    def _sum(self, other: Any) -> Vector:
        if not isinstance(other, Vector):
            return self._shifted(entries(other, self.width))
        wide = max(self.width, other.width)
        left, right = (_spread(v._seen, wide) for v in (self, other))
        terms = dict(left.terms)
        for atom, A in right.terms.items():
            terms[atom] = added(terms[atom], A, wide) if atom in terms else A
        return Vector(wide, terms, left.bias)._shifted(right.bias)

    def _shifted(self, bias: Array | None) -> Vector:
        if bias is None:
            return self
        if self.width == 1 and len(bias) > 1:
            return _spread(self, len(bias))._shifted(bias)
        if self.bias is None:
            return Vector(self.width, self.terms, bias)
        if symbols(self.bias) or symbols(bias):
            return self._node._shifted(bias)
        return Vector(self.width, self.terms, plus(self.bias, bias))

    def _scaled(self, factor: Any) -> Vector:
        factors = entries(factor, self.width)
        if self.width == 1 and len(factors) > 1:
            return _spread(self, len(factors))._scaled(factor)
        return self._times(diagonal(factors))

    @cached_property
    def _node(self) -> Vector:
        """The vector as a value of a node of its own, which it may be already."""
        alone = len(self.terms) == 1 and self.bias is None
        plain = alone and next(iter(self.terms.values())) is None
        return self if plain else value(self, "form")

    @property
    def atom(self) -> Atom:
        """The value of the node that the vector is, or is given."""
        return next(iter(self._node.terms))

    @property
    def _seen(self) -> Vector:
        """The node that the vector has got by now, else the vector: sums of sums stay short."""
        return self.__dict__.get("_node", self)

    def _times(self, weights: Array) -> Vector:
        """A matrix times the vector, which gets a node where its own matrices do not dissolve."""
        plain = self if self._dissolves_in(weights) else self._node
        terms = {atom: times(weights, A) for atom, A in plain.terms.items()}
        bias = None if plain.bias is None else times(weights, plain.bias[:, None])[:, 0]
        return Vector(len(weights), terms, bias)

    def _dissolves_in(self, weights: Array) -> bool:
        """Whether W A is no larger than W, with entries as weights have, no letter's multiple."""
        constant = self.bias is None or not (symbols(weights) or symbols(self.bias))
        products = all(multiplies(weights, A) for A in self.terms.values())
        return constant and products and _has_single_entries(self)


def concat(*vectors: Vector | Sequence[Vector]) -> Vector:
    """The vectors, or those of one list, one after the other.

    ValueError for none, TypeError for what is no vector.
    """
    listed = len(vectors) == 1 and isinstance(vectors[0], list | tuple)
    given = [checked(v, "concat") for v in (vectors[0] if listed else vectors)]
    if not given:
        raise ValueError("concat: give vectors of a network, at least one")
    total = sum(v.width for v in given)
    result, start = None, 0
    for v in given:
        rows = np.arange(start, start + v.width)
        placed = v._times(selection(rows, total).T)
        result = placed if result is None else result._sum(placed)
        start += v.width
    assert result is not None
    return result


def linear(weights: Any, v: Vector) -> Vector:
    """W v; Σ_r w_r v_r of numbers in a row."""
    W = multiplier(weights)
    if W.shape[1] != v.width:
        raise ValueError(
            f"the matrix has {W.shape[1]} columns, but the vector has {v.width} entries"
        )
    return v._times(W)


def checked(v: object, what: str) -> Vector:
    """The vector itself. TypeError for anything else."""
    if not isinstance(v, Vector):
        raise TypeError(f"{what} is of a vector of symnet.variables, not {type(v).__name__}")
    return v


def apply(spec: Spec, v: Vector) -> Vector:
    """An activation or any function of one symbol, entry by entry: `apply("sin", v)`.

    ValueError for one that is not known, TypeError for what is no vector.
    """
    found, v = activation(spec), checked(v, "apply")
    return v if found.value == Z else value(v, "activation", found)


def _of(atom: Atom) -> Vector:
    return Vector(atom.width, {atom: None})


def value(
    form: Vector,
    kind: str,
    function: Activation | None = None,
    factor: Atom | None = None,
    layer: Layer | None = None,
) -> Vector:
    """What a node of this kind computes of the form, as a vector."""
    width = form.width if factor is None else max(form.width, factor.width)
    return _of(Atom(width, kind, form, function, factor, layer=layer))


def _product(left: Vector, right: Vector) -> Vector:
    if left.width != right.width and 1 not in (left.width, right.width):
        raise ValueError(f"vectors of {left.width} and {right.width} entries have no product")
    if left._node is left and right._node is not right:
        left, right = right, left
    return value(left, "product", factor=right.atom)


def _has_single_entries(v: Vector) -> bool:
    """Whether each row of the form has one entry at most, so that matrices can take it in."""
    counts = np.zeros(v.width, dtype=int)
    for A in v.terms.values():
        counts += 1 if A is None else np.count_nonzero(A, axis=1)
    return bool((counts <= 1).all())


def _spread(v: Vector, width: int) -> Vector:
    if v.width == width:
        return v
    if v.width != 1:
        raise ValueError(f"a vector of {v.width} entries and one of {width} have no sum")
    return v._times(np.full((width, 1), sympy.S.One, dtype=object))


def _power(exponent: Any) -> Activation:
    number = as_expression(weight(exponent, "exponent"))
    return power(sympy.nsimplify(number, rational=True))


def _exponential(base: Any) -> Activation:
    number = sympy.nsimplify(as_expression(weight(base, "base")), rational=True)
    if number <= 0:
        raise ValueError(f"a vector is the exponent of {base}; the base must be positive")
    return Activation(f"exp_base_{_identifier(number)}", number**Z)


def _identifier(number: Expr) -> str:
    return str(number).replace("-", "m").replace("/", "_over_")
