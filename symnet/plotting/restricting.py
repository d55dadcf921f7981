"""Networks of which a picture needs a part: some outputs, or some inputs while others are held."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from symnet.network import Network
from symnet.network.graph import Node, Term

Array = NDArray[np.float64]


def selected(network: Network, outputs: Sequence[int]) -> Network:
    """The network of these outputs alone, in this order.

    They are rows of the last matrices; where outputs depend on one another, as of a softmax, a
    form y' = E y comes after the last node instead.
    """
    numeric, chosen = network.numeric(), list(outputs)
    *nodes, last = numeric.nodes
    rows = np.eye(network.m)[chosen]
    if last.kind in ("form", "activation"):
        terms = tuple(
            Term(rows if term.weights is None else term.weights[chosen], term.source)
            for term in last.terms
        )
        bias = None if last.bias is None else last.bias[chosen]
        nodes.append(replace(last, terms=terms, bias=bias))
    else:
        nodes += [last, Node((Term(rows, network.depth),))]
    names = [network.output_names[p] for p in chosen]
    return Network.from_nodes(nodes, network.input_names, names, network.name)


def restricted(network: Network, inputs: Sequence[int], at: Array) -> Network:
    """The network as a function of some inputs, the others as `at` (n,) has them.

    They become part of the biases; where an input goes elsewhere than into a matrix, a form
    x = E u + at' comes before the first node instead.
    """
    numeric, chosen = network.numeric(), list(inputs)
    rest = np.array(at, dtype=np.float64)
    rest[chosen] = 0.0
    names = [network.input_names[i] for i in chosen]
    folded = [_folded(node, chosen, rest) for node in numeric.nodes]
    nodes = [node for node in folded if node is not None]
    if len(nodes) < len(folded):
        first = Node((Term(np.eye(network.n)[:, chosen], 0),), rest)
        nodes = [first, *map(_moved, numeric.nodes)]
    return Network.from_nodes(nodes, names, network.output_names, network.name)


def _folded(node: Node, inputs: list[int], rest: Array) -> Node | None:
    """The node with the inputs that are held in its bias; None where that cannot be."""
    if node.factor == 0:
        return None
    terms, bias = [], node.bias
    for term in node.terms:
        if term.source == 0:
            if term.weights is None:
                return None
            held = term.weights @ rest
            bias = held if bias is None else bias + held
            term = Term(term.weights[:, inputs], 0)
        terms.append(term)
    return replace(node, terms=tuple(terms), bias=bias)


def _moved(node: Node) -> Node:
    """The node with one more before it."""
    return replace(
        node,
        terms=tuple(Term(term.weights, term.source + 1) for term in node.terms),
        factor=None if node.factor is None else node.factor + 1,
    )
