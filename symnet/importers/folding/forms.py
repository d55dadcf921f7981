"""The middle form of a model that is read: every tensor is an affine form of node values.

    Σ_k A_k v_k + b        flat, in C order of the tensor's shape

v_k are the inputs and what came out of nonlinear nodes. Reshaping, slicing, scaling and adding
change (A, b) only.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from sympy import Expr

from symnet.activations import Activation, Z
from symnet.importers.folding import matrices
from symnet.importers.folding.matrices import Matrix
from symnet.network.weights import Array

Shape = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Atom:
    """A vector that a node will compute, or the inputs; told apart by identity.

    `order` counts atoms as they are made, so that each is after those it needs.
    """

    order: float
    width: int
    kind: str = "inputs"
    form: Form | None = None
    activation: Activation | None = None
    factor: Atom | None = None

    @property
    def sources(self) -> tuple[Atom, ...]:
        """The atoms that it is computed from."""
        factor = () if self.factor is None else (self.factor,)
        return factor if self.form is None else (*self.form.terms, *factor)


@dataclass(frozen=True, eq=False)
class Form:
    """A tensor as an affine form of atoms.

    Args:
        shape: the tensor's; the matrices have as many rows as it has entries.
        terms: the matrix of each atom.
        bias: flat, or None.
        layered: whether a layer's weights stand in it, so that the next layer's do not fold in.
        laws: earlier forms of which this is a function entry by entry, nearest first.
        origin: the form of whose entries this is made, and their flat places in it, if it is told.
    """

    shape: Shape
    terms: Mapping[Atom, Matrix]
    bias: Array | None = None
    layered: bool = False
    laws: Mapping[Form, Expr] = field(default_factory=dict)
    origin: tuple[Form, Array] | None = None

    @property
    def size(self) -> int:
        """Number of entries."""
        return math.prod(self.shape)

    @property
    def atom(self) -> Atom | None:
        """The atom that the form is, and nothing else."""
        alone = len(self.terms) == 1 and self.bias is None
        ((atom, A),) = self.terms.items() if alone else ((None, 0),)
        return atom if A is None else None

    @property
    def simple(self) -> bool:
        """Whether each row has one entry at most, and the next matrix can take it in."""
        if self.layered:
            return False
        if len(self.terms) <= 1 and all(A is None for A in self.terms.values()):
            return True
        counts = sum(matrices.entries_in_rows(A, atom.width) for atom, A in self.terms.items())
        return bool((np.asarray(counts) <= 1).all())

    @property
    def skips(self) -> bool:
        """Whether it is a sum in which an atom stands as it is."""
        return len(self.terms) > 1 and any(A is None for A in self.terms.values())

    @property
    def constant(self) -> Array:
        """Whether each entry, flat, is a constant."""
        found = np.ones(self.size, dtype=bool)
        for A in self.terms.values():
            found &= False if A is None else matrices.zero_rows(A)
        return found

    def functions(self) -> dict[Form, Expr]:
        """Each form of which this one is a function entry by entry, itself first."""
        return {self: Z, **self.laws}

    @property
    def full_bias(self) -> Array:
        """The bias, zeros where there is none."""
        return np.zeros(self.size) if self.bias is None else self.bias


def of(atom: Atom, shape: Shape, laws: Mapping[Form, Expr] | None = None) -> Form:
    """The form that is one atom."""
    return Form(shape, {atom: None}, None, False, laws or {})


def constant(values: Array) -> Form:
    """The form of no atoms."""
    array = np.asarray(values, dtype=np.float64)
    return Form(array.shape, {}, array.reshape(-1))
