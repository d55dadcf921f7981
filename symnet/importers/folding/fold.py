"""Folding: the operations of a model on affine forms, and the network that comes out of them.

What is affine changes matrices only; what is not becomes an atom, a node of the network. When a
model's layer (a matrix of its own) is applied to a form,

- a form whose rows have one entry each (scaling, slices, concatenation) is taken into the matrix,
- any other form, a layer's or a sum, becomes a node first: two layers of the model stay two, and
  a skip connection stays a sum.

A function of a function, entry by entry, is one activation where the table has it (z·sigmoid(z) is
silu); so is a product, quotient or power of two functions of the same form.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import count, islice
from typing import Any

import numpy as np
from sympy import Expr

from symnet.activations import Activation, Z
from symnet.importers.folding import forms, functions, matrices, nodes, softmaxes
from symnet.importers.folding.forms import Atom, Form, Shape
from symnet.importers.folding.matrices import Matrix
from symnet.network import Network
from symnet.network.weights import Array

_TERMS = 4  # of a sum before it becomes a node: deep residual networks stay linear in their depth
_BASES = 12  # forms of which a form is known to be a function


class Folding:
    """The forms and atoms of one model while it is read."""

    def __init__(self) -> None:
        self._orders = count()
        self._names = functions.Names()
        self._nodes: dict[Form, Form] = {}
        self._atoms: dict[tuple[Form, Activation], Atom] = {}
        self._used: set[Form] = set()
        self.inputs: Atom | None = None
        self.assumed: tuple[str, ...] = ()
        # What is wrong if the network's values are not the function's, something being read as what
        # it is where it matters at all: its reader must compare them.
        self.replaced = ""
        # Maxima and minima with what they are of: their derivatives ask where they are.
        self.extremes: dict[Form, tuple[Any, Any, bool]] = {}

    def assume(self, line: str) -> None:
        """What is to be said of the network, once."""
        self.assumed = tuple(dict.fromkeys((*self.assumed, line)))

    # --- where forms come from ------------------------------------------------------------------

    def inputs_of(self, shapes: Sequence[Shape]) -> list[Form]:
        """Input tensors of these shapes, which are laid side by side in the vector x."""
        sizes = [math.prod(shape) for shape in shapes]
        matrices.check_inputs(sum(sizes))
        if not sum(sizes):
            raise ValueError(f"the inputs have the shapes {list(shapes)}: no entry at all")
        self.inputs = Atom(next(self._orders), sum(sizes))
        x = forms.of(self.inputs, (sum(sizes),))
        starts = np.cumsum([0, *sizes])
        return [
            self.selected(x, np.arange(start, start + size).reshape(shape))
            for start, size, shape in zip(starts, sizes, shapes, strict=False)
        ]

    def node(self, x: Form) -> Form:
        """The form as an atom: itself where it is one, else a node that computes it."""
        if x.atom is not None:
            return x
        if x not in self._nodes:
            atom = Atom(next(self._orders), x.size, "form", x)
            self._nodes[x] = forms.of(atom, x.shape, _nearest(x.functions()))
        return self._nodes[x]

    def _settled(self, x: Form) -> Form:
        """The form's node where it has one or should have one, as another node computes it too."""
        if x in self._nodes:
            return self._nodes[x]
        return self.node(x) if x in self._used and (x.layered or len(x.terms) > 1) else x

    # --- shapes and places ----------------------------------------------------------------------

    def reshaped(self, x: Form, shape: Shape) -> Form:
        """The same entries in another shape."""
        if math.prod(shape) != x.size:
            raise ValueError(f"a tensor of the shape {x.shape} cannot have the shape {shape}")
        return Form(shape, x.terms, x.bias, x.layered, _nearest(x.functions()))

    def selected(self, x: Form, index: Array) -> Form:
        """The entries x.flat[index], in the shape of the index."""
        matrices.check_size(index.size, f"a tensor of the shape {index.shape}")
        flat = index.reshape(-1)
        if len(flat) == x.size and np.array_equal(flat, np.arange(x.size)):
            return self.reshaped(x, index.shape)
        if flat.size and not 0 <= flat.min() <= flat.max() < x.size:
            raise ValueError("an index is outside of the tensor")
        x = self._settled(x)
        terms = {atom: matrices.rows(A, flat, atom.width) for atom, A in x.terms.items()}
        bias = None if x.bias is None else x.bias[flat]
        return Form(index.shape, _kept(terms), bias, x.layered)

    def broadcast(self, x: Form, shape: Shape) -> Form:
        """The tensor spread to a larger shape."""
        if x.shape == shape:
            return x
        matrices.check_size(math.prod(shape), f"a tensor of the shape {shape}")
        return self.selected(x, np.broadcast_to(np.arange(x.size).reshape(x.shape), shape))

    def stacked(self, parts: Sequence[Form]) -> Form:
        """All entries of the parts, one after the other, flat."""
        starts = np.cumsum([0, *(part.size for part in parts)])
        settled = [self._settled(part) for part in parts]
        places: dict[Atom, list[tuple[int, Matrix]]] = {}
        for start, part in zip(starts, settled, strict=False):
            for atom, A in part.terms.items():
                places.setdefault(atom, []).append((int(start), A))
        height = int(starts[-1])
        matrices.check_size(height, "a concatenation")
        terms = {atom: matrices.placed(found, height, atom.width) for atom, found in places.items()}
        biased = any(part.bias is not None for part in settled)
        bias = np.concatenate([part.full_bias for part in settled]) if biased else None
        return Form((height,), terms, bias, any(part.layered for part in settled))

    # --- what is affine -------------------------------------------------------------------------

    def times(self, x: Form, M: Matrix, shape: Shape, layered: bool = False) -> Form:
        """M x for a matrix of as many columns as x has entries; a layer's where it is one."""
        if x.layered or (layered and not x.simple):
            x = self.node(x)
        terms = {atom: matrices.times(M, A) for atom, A in x.terms.items()}
        bias = None if x.bias is None else matrices.image(M, x.bias)
        if bias is not None and (infinite := ~np.isfinite(bias)).any():
            terms = {atom: matrices.without_rows(A, infinite) for atom, A in terms.items()}
        return Form(shape, _kept(terms), bias, layered)

    def scaled(self, x: Form, factor: Array | float) -> Form:
        """x times constants, which are spread over it."""
        factors = np.asarray(factor, dtype=np.float64)
        if (factors == 1).all() and np.broadcast_shapes(x.shape, factors.shape) == x.shape:
            return x
        shape = np.broadcast_shapes(x.shape, factors.shape)
        if not factors.any():
            return forms.constant(np.zeros(shape))
        x = self.node(x) if x.skips else self._settled(x)
        wide = self.broadcast(x, shape)
        flat = np.broadcast_to(factors, shape).reshape(-1)
        terms = {atom: matrices.scaled(A, flat) for atom, A in wide.terms.items()}
        bias = None if wide.bias is None else flat * wide.bias
        laws = _changed(wide, flat, lambda e, c: e * c)
        return self._known(laws, shape) or Form(shape, terms, bias, x.layered, laws)

    def _known(self, laws: Mapping[Form, Expr], shape: Shape) -> Form | None:
        """The function of the table that a multiple or sum of others is: z (1 + erf(z/√2))/2."""
        for base, law in laws.items():
            known = functions.recognised(law) if not law.is_polynomial() else None
            if known is not None and base.size == math.prod(shape):
                return self._activation(base, known, Form(shape, {}))
        return None

    def shifted(self, x: Form, constant: Array | float) -> Form:
        """x plus constants, which are spread over it."""
        numbers = np.asarray(constant, dtype=np.float64)
        shape = np.broadcast_shapes(x.shape, numbers.shape)
        wide = self.broadcast(self._settled(x), shape)
        flat = np.broadcast_to(numbers, shape).reshape(-1)
        bias = flat if wide.bias is None else wide.bias + flat
        return Form(shape, wide.terms, bias, x.layered, _changed(wide, flat, lambda e, c: e + c))

    def added(self, x: Form, y: Form) -> Form:
        """x + y."""
        shape = np.broadcast_shapes(x.shape, y.shape)
        left, right = (self.broadcast(self._summand(v), shape) for v in (x, y))
        terms = dict(left.terms)
        for atom, A in right.terms.items():
            terms[atom] = matrices.added(terms[atom], A, atom.width) if atom in terms else A
        biased = left.bias is not None or right.bias is not None
        bias = left.full_bias + right.full_bias if biased else None
        if left.bias is None or right.bias is None:
            bias = right.bias if left.bias is None else left.bias
        laws = {
            base: value
            for base, first in left.functions().items()
            if (second := right.functions().get(base)) is not None
            and (value := functions.fused(first + second)) is not None
        }
        layered = left.layered or right.layered
        return self._known(laws, shape) or Form(shape, terms, bias, layered, _nearest(laws))

    def _summand(self, x: Form) -> Form:
        x = self._settled(x)
        return self.node(x) if len(x.terms) >= _TERMS and x.skips else x

    # --- what is not ----------------------------------------------------------------------------

    def applied(self, x: Form, value: Expr, hint: str) -> Form:
        """A function, given as a formula of Z, entry by entry. Constants are evaluated by others.

        ValueError where symnet has no such function.
        """
        if value == Z:
            return x
        for base, law in x.laws.items():
            if (whole := functions.composed(value, law)) is not None:
                known = functions.recognised(whole)
                if known is not None or (whole.is_Pow and whole.base == Z):
                    return self._activation(base, known or self._names.named(whole, hint), x)
        return self._activation(x, self._names.named(value, hint), x)

    def _activation(self, base: Form, own: Activation, like: Form) -> Form:
        if own.value == Z:
            return Form(like.shape, base.terms, base.bias, base.layered, base.functions())
        self._used.add(base)
        if (base, own) not in self._atoms:
            self._atoms[base, own] = Atom(next(self._orders), base.size, "activation", base, own)
        atom = self._atoms[base, own]
        laws = {
            earlier: whole
            for earlier, law in base.functions().items()
            if (whole := functions.composed(own.value, law)) is not None
        }
        return forms.of(atom, like.shape, _nearest(laws))

    def form_of(self, atom: Atom) -> Form:
        """The atom, flat, with what it is a function of."""
        if atom.activation is None or atom.form is None:
            return forms.of(atom, (atom.width,))
        return self._activation(atom.form, atom.activation, Form((atom.width,), {}))

    def combined(
        self, x: Form, y: Form, formula: Callable[[Expr, Expr], Expr], hint: str
    ) -> Form | None:
        """formula(x, y) entry by entry where both are functions of one form, else None."""
        if x.shape != y.shape:
            return None
        others = y.functions()
        for base, law in x.functions().items():
            other = others.get(base)
            if other is None or base.size != x.size:
                continue
            if functions.in_steps(law) or functions.in_steps(other):
                continue
            whole = functions.fused(formula(law, other))
            if whole is None:
                continue
            try:
                return self._activation(base, self._names.named(whole, hint), x)
            except ValueError:
                return None
        return None

    def product(self, x: Form, y: Form) -> Form:
        """x ⊙ y."""
        found = self.combined(x, y, lambda a, b: a * b, "product_of_functions")
        return self._product(x, y) if found is None else found

    def _product(self, x: Form, y: Form) -> Form:
        shape = np.broadcast_shapes(x.shape, y.shape)
        size = math.prod(shape)
        x, y = (v if v.size in (1, size) else self.broadcast(v, shape) for v in (x, y))
        if x.constant.any() or y.constant.any():
            return self._with_constants(x, y, shape)
        if x.atom is not None and y.atom is None:
            x, y = y, x
        factor = self.node(y).atom
        assert factor is not None
        self._used.add(x)
        return forms.of(Atom(next(self._orders), size, "product", x, None, factor), shape)

    def _with_constants(self, x: Form, y: Form, shape: Shape) -> Form:
        """x ⊙ y, where one factor is a constant as a multiple of the other."""
        x, y = (self.reshaped(self.broadcast(v, shape), (math.prod(shape),)) for v in (x, y))
        fixed_x, fixed_y = x.constant, y.constant
        a, b = x.full_bias, y.full_bias
        zero = (fixed_x & (a == 0)) | (fixed_y & (b == 0))
        parts, found = [], []
        for which, how in (
            (~fixed_x & ~fixed_y, lambda x, y, _: self._product(x, y)),
            (fixed_y & ~zero, lambda x, y, p: self.scaled(x, b[p])),
            (fixed_x & ~fixed_y & ~zero, lambda x, y, p: self.scaled(y, a[p])),
        ):
            if (places := np.flatnonzero(which)).size:
                parts.append(how(self.selected(x, places), self.selected(y, places), places))
                found.append(places)
        if not parts:
            return forms.constant(np.zeros(shape))
        return self.placed(parts, np.concatenate(found), shape)

    def quotient(self, x: Form, y: Form) -> Form:
        """x / y: softmax where it is exp/sum, else a product with the reciprocal."""
        found = softmaxes.of_quotient(self, x, y) or self.combined(
            x, y, lambda a, b: a / b, "quotient"
        )
        return found or self._product(x, self.applied(y, 1 / Z, "reciprocal"))

    def softmax(self, x: Form, groups: Sequence[Array], kind: str = "softmax") -> Form:
        """softmax or log_softmax over each of these groups of flat places; 0 or −∞ elsewhere."""
        return softmaxes.of_groups(self, x, groups, kind)

    def normalised(self, x: Form, kind: str) -> Form:
        """softmax or log_softmax of all entries, flat."""
        if x.size == 1:
            return forms.constant(np.full(1, float(kind == "softmax")))
        self._used.add(x)
        return forms.of(Atom(next(self._orders), x.size, kind, x), (x.size,))

    def placed(self, parts: Sequence[Form], places: Array, shape: Shape) -> Form:
        """The entries of the parts at these flat places of a tensor, zeros elsewhere."""
        whole, size = self.stacked(parts), math.prod(shape)
        if whole.size == size:
            return self.selected(whole, np.argsort(places).reshape(shape))
        ones = np.ones(len(places))
        M = matrices.from_entries(places, np.arange(len(places)), ones, (size, len(places)))
        return self.times(whole, M, shape)

    # --- the network ----------------------------------------------------------------------------

    def network(
        self,
        y: Form,
        inputs: Iterable[str] | None = None,
        outputs: Iterable[str] | None = None,
        name: str | None = None,
    ) -> Network:
        """The network whose output is the form, flat."""
        if self.inputs is None:
            raise ValueError("the model has no inputs")
        found = nodes.made(self._nodes.get(y, y), self.inputs, next(self._orders))
        named = self.inputs.width if inputs is None else tuple(inputs)
        return Network.from_nodes(found, named, outputs, name)


def _nearest(laws: Mapping[Form, Expr]) -> dict[Form, Expr]:
    return dict(islice(laws.items(), _BASES))


def _kept(terms: Mapping[Atom, Matrix]) -> dict[Atom, Matrix]:
    """Without the atoms of which nothing is taken."""
    return {atom: A for atom, A in terms.items() if not matrices.is_empty(A)}


def _changed(x: Form, numbers: Array, change: Callable[[Expr, Expr], Expr]) -> dict[Form, Expr]:
    """The laws of x scaled or shifted by one number, none where there are several."""
    if not numbers.size or not (numbers == numbers[0]).all() or not np.isfinite(numbers[0]):
        return {}
    c = functions.number(numbers[0])
    found = {
        base: value
        for base, law in x.functions().items()
        if (value := functions.fused(change(law, c))) is not None
    }
    return _nearest(found)
