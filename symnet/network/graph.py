"""The nodes of a network: vectors computed from affine forms of earlier vectors.

Vectors are counted: 0 is the inputs x, k the value of node k, and the last node's value is y.

    z_k = Σ_j W_kj a_j + b_k

    form          a_k = z_k
    activation    a_k = σ(z_k)
    product       a_k = z_k ⊙ a_j              either may be one wide, and is then spread
    softmax       a_k = exp(z_k)/Σ_r exp(z_kr)
    log_softmax   a_k = z_k − log Σ_r exp(z_kr)

A softmax of a single entry is the constant 1, its logarithm 0: a network has a form for it.
W_kj may be the identity, `None`: a skip connection stays a sum and is never multiplied out.
Everything else that is affine (concatenation, slices, scaling, batch normalisation) is in the
matrices, and a chain of layers is the graph in which each node has one matrix and the vector
before it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sympy import Symbol

from symnet.activations import Activation, Z
from symnet.network.layer import Layer
from symnet.network.weights import Array, content, matrix, replaced, vector

KINDS = ("form", "activation", "product", "softmax", "log_softmax")


@dataclass(frozen=True, eq=False, repr=False)
class Term:
    """`W a_source`, a summand of a form; without weights `a_source` itself."""

    weights: Array | None
    source: int

    def __post_init__(self) -> None:
        if self.weights is not None:
            object.__setattr__(self, "weights", matrix(self.weights))


@dataclass(frozen=True, eq=False, repr=False)
class Node:
    """One node; see the module for the kinds and what each computes.

    Args:
        terms: the form's summands, each of another vector.
        bias: shape (width,), or None.
        activation: for the kind "activation".
        factor: the vector that multiplies the form, for the kind "product".
        name: what messages and printed formulas call the node; no part of comparisons.

    Raises ValueError for an unknown kind, for attributes that do not belong to it, and as Layer
    does for weights and biases. Whether shapes fit is known to the network only.
    """

    terms: tuple[Term, ...]
    bias: Array | None = None
    kind: str = "form"
    activation: Activation | None = None
    factor: int | None = None
    name: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "terms", tuple(self.terms))
        if self.kind not in KINDS:
            raise ValueError(f"kind {self.kind!r} of a node is none of {', '.join(KINDS)}")
        for attribute, kind in (("activation", "activation"), ("factor", "product")):
            if (getattr(self, attribute) is None) == (self.kind == kind):
                verb = "needs" if self.kind == kind else "has no"
                raise ValueError(f"a node of kind {self.kind!r} {verb} {attribute}")
        sources = [term.source for term in self.terms]
        if not sources or len(set(sources)) < len(sources):
            raise ValueError(f"a form of the vectors {sources}: give at least one, and each once")
        if self.bias is not None:
            rows = self._rows()
            object.__setattr__(
                self, "bias", vector(self.bias, len(self.bias) if rows is None else rows)
            )

    def _rows(self) -> int | None:
        return next((len(t.weights) for t in self.terms if t.weights is not None), None)

    @classmethod
    def of(cls, layer: Layer, source: int) -> Node:
        """The node of a layer of neurons whose inputs are the vector `source`."""
        kind = "form" if layer.activation.value == Z else "activation"
        activation = None if kind == "form" else layer.activation
        return cls((Term(layer.weights, source),), layer.bias, kind, activation)

    @property
    def sources(self) -> tuple[int, ...]:
        """The vectors that it is computed from, the factor of a product last."""
        factor = () if self.factor is None else (self.factor,)
        return (*(term.source for term in self.terms), *factor)

    @property
    def weighted(self) -> tuple[int, ...]:
        """The sources that have a matrix, in the order of `arrays`."""
        return tuple(term.source for term in self.terms if term.weights is not None)

    @property
    def plain(self) -> int | None:
        """The source of a form that is one vector and nothing else."""
        alone = len(self.terms) == 1 and self.terms[0].weights is None and self.bias is None
        return self.terms[0].source if alone else None

    @property
    def label(self) -> str:
        """What the node is, in a word: `tanh`, `sum`, `linear`, `product`."""
        if self.activation is not None:
            return self.activation.name
        if self.kind != "form":
            return self.kind
        return "linear" if any(term.weights is not None for term in self.terms) else "sum"

    def arrays(self, k: int) -> Iterator[tuple[str, Array]]:
        """The node's arrays as node k: `Wk`, or `Wk_j` for each of several sources j, and `bk`."""
        weighted = [(t.weights, t.source) for t in self.terms if t.weights is not None]
        for weights, source in weighted:
            yield weights_name(k, None if len(weighted) == 1 else source), weights
        if self.bias is not None:
            yield f"b{k}", self.bias

    def mapped(self, change: Callable[[Array, str], Array]) -> Node:
        """The node with each of its arrays changed; "weight" or "bias" says which it is."""
        terms = tuple(
            term if term.weights is None else Term(change(term.weights, "weight"), term.source)
            for term in self.terms
        )
        bias = None if self.bias is None else change(self.bias, "bias")
        return replace(self, terms=terms, bias=bias)

    def with_arrays(self, k: int, arrays: Mapping[str, Array]) -> Node:
        """The node with these arrays, by the names that `arrays` gives them as node k."""
        names = (name for name, _ in self.arrays(k))
        return self.mapped(lambda *_: arrays[next(names)])

    def subs(self, values: Mapping[Symbol, object]) -> Node:
        """The node with these symbols replaced by numbers or other symbols, all at once."""
        return self.mapped(lambda array, _: replaced(array, values))

    def _content(self) -> object:
        terms = tuple((content(term.weights), term.source) for term in self.terms)
        return terms, content(self.bias), self.kind, self.activation, self.factor

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Node) and self._content() == other._content()

    def __hash__(self) -> int:
        return hash(self._content())

    def __reduce__(self) -> tuple[type[Node], tuple[object, ...]]:
        # Through __init__, since NumPy does not pickle the read-only flag.
        return Node, (
            self.terms,
            self.bias,
            self.kind,
            self.activation,
            self.factor,
            self.name,
        )

    def __repr__(self) -> str:
        sources = ", ".join(map(str, self.sources))
        return f"Node({self.label} of {sources})"


def weights_name(k: int, source: int | None = None) -> str:
    """The name of node k's matrix, or of the one for the vector `source` where it has several."""
    return f"W{k}" if source is None else f"W{k}_{source}"


def called(k: int, node: Node) -> str:
    """The node in a message: `node 3`, `node 3 (attention)`."""
    return f"node {k} ({node.name})" if node.name else f"node {k}"


def checked_sizes(nodes: Sequence[Node], n: int) -> tuple[int, ...]:
    """`(n, width of node 1, …)`. ValueError names the first node whose shapes do not fit."""
    sizes = [n]
    for k, node in enumerate(nodes, start=1):
        where = called(k, node)
        for source in node.sources:
            if not 0 <= source < k:
                raise ValueError(f"{where}: it needs vector {source}, which does not precede it")
        sizes.append(_width(node, sizes, where))
    return tuple(sizes)


def _width(node: Node, sizes: Sequence[int], where: str) -> int:
    widths = {}
    for term in node.terms:
        here = sizes[term.source]
        if term.weights is not None:
            rows, columns = term.weights.shape
            if columns != here:
                raise ValueError(
                    f"{where}: weights have {columns} columns, but {_vector(term.source)} has "
                    f"{here} entries"
                )
            here = rows
        widths[_vector(term.source)] = here
    if node.bias is not None:
        widths["the bias"] = len(node.bias)
    if len(set(widths.values())) > 1:
        found = ", ".join(f"{width} from {what}" for what, width in widths.items())
        raise ValueError(f"{where}: it adds vectors of different widths: {found}")
    width = next(iter(widths.values()))
    if node.factor is None:
        return width
    other = sizes[node.factor]
    if width != other and 1 not in (width, other):
        raise ValueError(f"{where}: it multiplies a vector of {width} entries by one of {other}")
    return max(width, other)


def _vector(source: int) -> str:
    return f"node {source}" if source else "x"


def layers_of(nodes: Sequence[Node]) -> tuple[Layer, ...] | None:
    """The layers of a graph that is a chain of them, else None."""
    layers = []
    for k, node in enumerate(nodes, start=1):
        if node.kind not in ("form", "activation") or len(node.terms) != 1:
            return None
        (term,) = node.terms
        if term.weights is None or term.source != k - 1:
            return None
        layers.append(Layer(term.weights, node.bias, node.activation or "linear"))
    return tuple(layers)


def without_lone_softmax(nodes: Sequence[Node], sizes: Sequence[int]) -> tuple[Node, ...]:
    """The nodes with forms of zero weights and a bias where a softmax has a single entry."""
    double = any(a.dtype == np.float64 for node in nodes for _, a in node.arrays(1))
    kind: Any = np.float64 if double else np.int64

    def constant(node: Node) -> Node:
        terms = tuple(Term(np.zeros((1, sizes[t.source]), kind), t.source) for t in node.terms)
        return Node(terms, np.full(1, node.kind == "softmax", kind), name=node.name)

    return tuple(
        constant(node) if width == 1 and node.kind in ("softmax", "log_softmax") else node
        for node, width in zip(nodes, sizes[1:], strict=True)
    )


def narrowed(nodes: Sequence[Node], sizes: Sequence[int], width: int) -> tuple[Node, ...]:
    """The nodes with at most the leading `width` entries of each vector but inputs and outputs.

    Vectors that a skip connection, a product or a softmax ties to the inputs or outputs keep their
    width, and those one wide stay so.
    """
    fixed = _tied(nodes, sizes)
    kept = [size if k in fixed else min(size, width) for k, size in enumerate(sizes)]

    def cut(k: int, node: Node) -> Node:
        rows = kept[k] if form_width(node, sizes) == sizes[k] else 1
        terms = [
            t if t.weights is None else Term(t.weights[:rows, : kept[t.source]], t.source)
            for t in node.terms
        ]
        bias = None if node.bias is None else node.bias[:rows]
        return replace(node, terms=tuple(terms), bias=bias)

    return tuple(cut(k, node) for k, node in enumerate(nodes, start=1))


def form_width(node: Node, sizes: Sequence[int]) -> int:
    """The width of a node's form, where a product may spread it."""
    term = node.terms[0]
    return sizes[term.source] if term.weights is None else len(term.weights)


def _tied(nodes: Sequence[Node], sizes: Sequence[int]) -> set[int]:
    """The vectors whose widths must stay, as entries of theirs meet entries of x or y."""
    owner = list(range(len(sizes)))

    def root(k: int) -> int:
        while owner[k] != k:
            owner[k] = owner[owner[k]]
            k = owner[k]
        return k

    for k, node in enumerate(nodes, start=1):
        direct = [term.source for term in node.terms if term.weights is None]
        direct += [] if node.factor is None else [node.factor]
        for source in direct:
            if sizes[source] == sizes[k]:
                owner[root(source)] = root(k)
    ends = {root(0), root(len(nodes))}
    return {k for k in range(len(sizes)) if root(k) in ends}
