"""From vectors to nodes, which `Network.of` makes, and from nodes to the vector they compute."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import reduce
from operator import add

import numpy as np
import sympy
from sympy import Symbol

from symnet.network.building.matrices import chooses, selection
from symnet.network.building.needed import Rows, narrowed, needed
from symnet.network.building.vectors import Atom, Vector, linear, value
from symnet.network.graph import Node, Term
from symnet.network.layer import Layer
from symnet.network.weights import Array


def nodes_of(y: object) -> tuple[tuple[str | Symbol, ...], list[Node]]:
    """The names of the inputs and the nodes of the graph whose last value is y.

    Values are in the order in which they are needed, so a graph of any depth will do.
    """
    if not isinstance(y, Vector):
        raise ValueError(f"Network.of: y is of type {type(y).__name__}; give a vector of variables")
    last = y.atom
    if last.kind == "inputs":
        last = Atom(last.width, "form", y)
    ordered = _ordered(_chosen(last))
    inputs = [atom for atom in ordered if atom.kind == "inputs"]
    if len(inputs) != 1:
        found = " and ".join(str(atom.names) for atom in inputs) or "none"
        raise ValueError(f"Network.of: y needs one set of variables, found {found}")
    places = {inputs[0]: 0} | {
        atom: k for k, atom in enumerate((a for a in ordered if a.kind != "inputs"), start=1)
    }
    structural, rows = _Structural(list(places)), needed(ordered)
    return inputs[0].names, [_as_node(a, places, rows, structural) for a in places if places[a]]


def applied(nodes: Sequence[Node], x: Vector) -> Vector:
    """What the last of the nodes computes of the inputs x."""
    values = [x]
    for node in nodes:
        form = _form(node, values)
        factor = None if node.factor is None else values[node.factor].atom
        values.append(value(form, node.kind, node.activation, factor))
    return values[-1]


def _form(node: Node, values: Sequence[Vector]) -> Vector:
    total = reduce(add, (_summand(term, values[term.source]) for term in node.terms[::-1]))
    return total if node.bias is None else total + node.bias


def _summand(term: Term, a: Vector) -> Vector:
    return a if term.weights is None else linear(term.weights, a)


def _chosen(last: Atom) -> Atom:
    """Outputs that are some rows of a form, as the form of these rows."""
    while last.kind == "form" and last.form is not None and len(last.form.terms) == 1:
        ((source, A),) = last.form.terms.items()
        if source.kind != "form" or last.form.bias is not None or A is None or not chooses(A):
            break
        last = _rows_of(source, np.argmax(A, axis=1))
    return last


def _rows_of(atom: Atom, rows: Array) -> Atom:
    """Some rows of a form; of a layer, the layer of these rows."""
    assert atom.form is not None
    bias = None if atom.form.bias is None else atom.form.bias[rows]
    if atom.layer is not None and _is_direct(atom):
        (source,) = atom.form.terms
        inputs = Vector(source.width, {source: None})
        return inputs.through(Layer(atom.layer.weights[rows], bias)).atom
    terms = {
        source: selection(rows, source.width) if A is None else A[rows]
        for source, A in atom.form.terms.items()
    }
    return Atom(len(rows), "form", Vector(len(rows), terms, bias))


def _ordered(last: Atom) -> list[Atom]:
    """The values that `last` needs, each after those that it needs itself; no recursion."""
    found: dict[Atom, None] = {}
    waiting = [last]
    while waiting:
        atom = waiting[-1]
        if missing := [s for s in atom.sources if s not in found]:
            waiting += reversed(missing)
        else:
            found[waiting.pop()] = None
    return list(found)


class _Structural:
    """Matrices of slices, scales and the like as doubles where the network's other weights are.

    They are exact themselves, and would make every sum with them one of SymPy's.
    """

    def __init__(self, atoms: Iterable[Atom]) -> None:
        arrays = [a for atom in atoms if atom.form is not None for a in _arrays(atom.form)]
        self.doubles = any(array.dtype == np.float64 for array in arrays)

    def __call__(self, array: Array | None) -> Array | None:
        if array is None or not self.doubles or array.dtype == np.float64:
            return array
        if not all(isinstance(e, sympy.Number) for e in array.flat):
            return array
        return np.array([float(e) for e in array.flat]).reshape(array.shape)


def _arrays(form: Vector) -> Iterator[Array]:
    yield from (A for A in form.terms.values() if A is not None)
    if form.bias is not None:
        yield form.bias


def _as_node(
    atom: Atom, places: Mapping[Atom, int], rows: Mapping[Atom, Rows], structural: _Structural
) -> Node:
    assert atom.form is not None
    own, bias = rows[atom], atom.form.bias
    change = structural if atom.layer is None or not _is_direct(atom) else (lambda array: array)
    terms = sorted(
        (
            Term(change(narrowed(A, own, rows[source])), places[source])
            for source, A in atom.form.terms.items()
        ),
        key=lambda term: -term.source,
    )
    factor = None if atom.factor is None else places[atom.factor]
    bias = bias if bias is None or own.all() else bias[own]
    return Node(tuple(terms), change(bias), atom.kind, atom.activation, factor)


def _is_direct(atom: Atom) -> bool:
    """Whether a layer's own arrays are the node's."""
    assert atom.form is not None
    assert atom.layer is not None
    return all(A is atom.layer.weights for A in atom.form.terms.values())
