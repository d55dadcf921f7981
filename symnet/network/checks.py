"""What is asked of a network's layers and nodes before it is one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from symnet.activations import TABLE, Activation, has_its_name
from symnet.names import check_name, whole
from symnet.network.graph import Node, called
from symnet.network.layer import Layer


def layers(given: object) -> tuple[Layer, ...]:
    """The layers. ValueError for none, for what is no layer, and for widths that do not follow."""
    if not isinstance(given, Iterable) or isinstance(given, str):
        kind = type(given).__name__
        raise ValueError(
            f"a network is of a list of layers, Network([layer, ...]), not of a {kind}"
        )
    layers = tuple(given)
    if not layers:
        raise ValueError("a network needs at least one layer")
    for k, layer in enumerate(layers, start=1):
        if not isinstance(layer, Layer):
            raise ValueError(f"layer {k} is of type {type(layer).__name__}; use symnet.Layer")
    for k, (before, layer) in enumerate(pairwise(layers), start=2):
        if layer.inputs != before.outputs:
            raise ValueError(
                f"layer {k}: weights have {layer.inputs} columns, "
                f"but layer {k - 1} has {before.outputs} neurons"
            )
    return layers


def activations(named: Iterable[tuple[str, Activation]], parameters: Iterable[str]) -> None:
    """ValueError for a name that formulas or weights use, and for two activations of one name."""
    known: dict[str, Activation] = {}
    # Functions of an activation are called W2_01 in text where matrices are W2_0 and W2_1.
    taken = {start.lower(): name for name in parameters for start in _starts(name)}
    for where, own in named:
        if own.name not in TABLE and own.name not in known and not has_its_name(own):
            check_name(own.name, f"{where}: activation")
        if own.name.lower() in taken:
            raise ValueError(
                f"{where}: activation: {own.name!r} is what generated text calls the weights "
                f"{taken[own.name.lower()]}; choose another name"
            )
        if known.setdefault(own.name, TABLE.get(own.name, own)) != own:
            raise ValueError(
                f"{where}: its activation {own.name!r} differs from another of that name; "
                "give it a name of its own: Activation(name, expression)"
            )


def _starts(name: str) -> Iterator[str]:
    """What stands before each of its underscores."""
    return (name[:k] for k, letter in enumerate(name) if letter == "_")


def inputs_of(nodes: Sequence[Node], count: object) -> int:
    """The number of inputs, as it is given, or the columns of a matrix that multiplies them."""
    if count is not None:
        return whole(count, "the number of inputs", 1)
    for node in nodes:
        for term in node.terms:
            if term.source == 0 and term.weights is not None:
                return int(term.weights.shape[1])
    raise ValueError("no matrix tells the number of inputs; give their names, or how many")


def used(nodes: Sequence[Node]) -> None:
    """ValueError for a node that nothing uses."""
    sources = {source for node in nodes for source in node.sources}
    for k, node in enumerate(nodes[:-1], start=1):
        if k not in sources:
            raise ValueError(f"{called(k, node)}: nothing uses it; leave it out")
