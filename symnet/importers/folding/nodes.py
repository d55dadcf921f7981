"""From the atoms of a folded model to the nodes of a network, each after those it needs."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable

import numpy as np

from symnet.importers.folding import matrices
from symnet.importers.folding.forms import Atom, Form
from symnet.importers.folding.matrices import Matrix
from symnet.network.graph import Node, Term
from symnet.network.weights import Array


def made(y: Form, inputs: Atom, order: int) -> list[Node]:
    """The nodes that compute the form, the last one the form itself; `order` is an unused one."""
    live = _live(y)
    homes = _homes(live)
    ordered = _ordered(live, homes)
    if not ordered or y.atom is not ordered[-1]:
        ordered.append(Atom(order, y.size, "form", y))
    places = {inputs: 0} | {atom: k for k, atom in enumerate(ordered, start=1)}
    _check_entries(ordered, homes)
    return [_as_node(atom, places, homes) for atom in ordered]


def _live(y: Form) -> list[Atom]:
    """The atoms that y needs, the inputs aside; no recursion."""
    found: set[Atom] = set()
    waiting = list(y.terms)
    while waiting:
        atom = waiting.pop()
        if atom not in found and atom.kind != "inputs":
            found.add(atom)
            waiting += atom.sources
    return sorted(found, key=lambda atom: atom.order)


def _homes(live: Iterable[Atom]) -> dict[Form, Atom]:
    """The node that computes each form which has one, or which several nodes need."""
    homes = {atom.form: atom for atom in live if atom.kind == "form" and atom.form is not None}
    uses = Counter(atom.form for atom in live if atom.form is not None and atom.kind != "form")
    for form, times in uses.items():
        if times > 1 and form not in homes and (form.layered or len(form.terms) > 1):
            homes[form] = Atom(math.inf, form.size, "form", form)
    return homes


def _ordered(live: Iterable[Atom], homes: dict[Form, Atom]) -> list[Atom]:
    """All nodes, each after those it needs: a form's own node before all that use it."""
    place = {atom: float(atom.order) for atom in (*live, *homes.values())}
    for atom in live:
        if atom.form in homes and atom.kind != "form":
            home = homes[atom.form]
            place[home] = min(place[home], atom.order - 0.5)
    return sorted(place, key=lambda atom: place[atom])


def _terms(atom: Atom, homes: dict[Form, Atom]) -> tuple[dict[Atom, Matrix], Array | None]:
    """The form's terms and bias, or the node that computes it already."""
    form = atom.form
    assert form is not None
    if atom.kind != "form" and form in homes:
        return {homes[form]: None}, None
    return dict(form.terms), form.bias


def _check_entries(atoms: Iterable[Atom], homes: dict[Form, Atom]) -> None:
    total = 0
    for atom in atoms:
        terms, _ = _terms(atom, homes)
        assert atom.form is not None
        total += sum(atom.form.size * a.width for a, A in terms.items() if A is not None)
    matrices.check_size(total, "the model, folded,")


def _as_node(atom: Atom, places: dict[Atom, int], homes: dict[Form, Atom]) -> Node:
    terms, bias = _terms(atom, homes)
    assert atom.form is not None
    if not terms:  # a constant output still needs a vector
        inputs = next(a for a, place in places.items() if place == 0)
        terms = {inputs: np.zeros((atom.form.size, inputs.width))}
    found = [
        Term(None if A is None else matrices.dense(A, source.width), places[source])
        for source, A in terms.items()
    ]
    factor = None if atom.factor is None else places[atom.factor]
    ordered = tuple(sorted(found, key=lambda term: -term.source))
    return Node(ordered, bias, atom.kind, atom.activation, factor)
