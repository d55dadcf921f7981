"""Chains of arrays that have names: `W1`, `dense_1/kernel`, `0.weight`.

Names say which array is whose, and as a rule the order of the layers and the axes of the matrices;
what they do not say is assumed as is usual, and told.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Any, NamedTuple

import numpy as np

from symnet.network.weights import Array

LAYOUTS = ("out,in", "in,out")

_NAME = re.compile(
    r"(?P<layer>.*?)[._/]?(?P<what>weights?|kernel|coefs?|[wW]|bias(?:es)?|intercepts?|[bB])"
    r"[._/]?(?P<k>\d*)(?::0)?"
)
_COLUMNS = ("kernel", "coefs")  # names under which a column is a neuron
_UNNAMED = re.compile(r"arr_(\d+)")  # as NumPy calls arrays that have no names
_MOST_REORDERED = 7  # layers, of whose orders all are tried


@dataclass(frozen=True, eq=False)
class Found:
    """A layer's arrays as a file names them."""

    name: str
    weights: Array
    bias: Array | None
    kernel: bool
    """Whether the name is one of those under which columns are neurons."""


Pair = tuple[Array, Array | None]
"""A layer's matrix and bias."""


class Chain(NamedTuple):
    """Layers in their order, and what was assumed of them."""

    layers: list[Pair]
    activations: list[Any]
    layout: str
    notes: list[str]
    others: list[str]
    """Arrays of no layer that was told."""


Say = Callable[[Sequence[str]], str]
"""How a user says these activations: to a function, or to the command that reads a file."""


def as_argument(activations: Sequence[str]) -> str:
    """`activations=['tanh', 'linear']`."""
    return f"activations={list(activations)}"


def of_a_file(activations: Sequence[str]) -> str:
    """`symnet.load(path, activations=['tanh', 'linear'])`, and the command for it."""
    option = f"symnet import --activations {','.join(activations)} -o net.json"
    return f"symnet.load(path, {as_argument(activations)}) or {option}"


def chain(
    arrays: Mapping[str, Array],
    activations: Sequence[Any] | None,
    layout: str | None,
    say: Say = as_argument,
) -> Chain:
    """The arrays as layers. `name=tanh` for each activation tells which layers, in their order.

    ValueError for names and shapes that make no chain, or more than one.
    """
    functions = list(activations or [])
    others: list[str] = []
    if tells_layers(functions):
        told, functions = _told(functions)
        kept, others = _chosen(_named(arrays), told)
        layers, layout, notes = _in_this_order(_in_order(_layers(kept), told), layout, say)
    else:
        layers = sorted(_layers(_named(arrays)), key=lambda layer: _natural(layer.name))
        layers, layout, notes = _fitting(layers, layout, say)
        if not functions:
            raise ValueError(untold(len(layers), say))
    pairs = [(layer.weights, layer.bias) for layer in layers]
    return Chain(pairs, functions, layout, notes, others)


def tells_layers(activations: Sequence[Any]) -> bool:
    """Whether one of them is `name=tanh`."""
    return any(isinstance(own, str) and "=" in own for own in activations)


def untold(layers: int, say: Say = as_argument) -> str:
    """That the activations of so many layers are to be said."""
    usual = [*["tanh"] * (layers - 1), "linear"]
    return f"arrays do not tell the activations of the layers; say them, as {say(usual)}"


def _named(arrays: Mapping[str, Array]) -> Mapping[str, Array]:
    """The arrays; those without names are matrices in their order, each with its bias or none."""
    if not all(map(_UNNAMED.fullmatch, arrays)):
        return arrays
    found: dict[str, Array] = {}
    for name in sorted(arrays, key=_natural):
        matrix = arrays[name].ndim == 2
        layers = sum(key.startswith("W") for key in found) + matrix
        key = f"{'W' if matrix else 'b'}{layers}"
        if not layers or key in found:
            shape = arrays[name].shape
            raise ValueError(
                f"{name} has the shape {shape}; expected a matrix, or after one its bias"
            )
        found[key] = arrays[name]
    return found


def _layers(arrays: Mapping[str, Array]) -> list[Found]:
    weights: dict[str, tuple[Array, bool]] = {}
    biases: dict[str, Array] = {}
    for name, array in arrays.items():
        if name.startswith(("optimizer", "opt_state")):
            continue
        match = _NAME.fullmatch(name)
        if match is None or array.dtype.kind not in "fiu" or array.ndim not in (1, 2):
            raise ValueError(
                f"the array {name!r} of the shape {array.shape} is neither a layer's weights "
                "nor its bias; expected names as W1, b1 or layer.weight, layer.bias, or to be told "
                f"which layers to take, as --activations {_example(arrays)}"
            )
        key = _layer_of(match)
        if match["what"][0] in "bBi":
            biases[key] = array.reshape(-1)
        else:
            weights[key] = (np.atleast_2d(array), match["what"] in _COLUMNS)
    if lost := sorted(biases.keys() - weights.keys()):
        raise ValueError(f"the bias {lost[0]!r} has no matrix")
    return [Found(key, W, biases.get(key), kernel) for key, (W, kernel) in weights.items()]


def _layer_of(match: re.Match[str]) -> str:
    return f"{match['layer']}{match['k']}"


def _layers_by_array(arrays: Mapping[str, Array]) -> dict[str, str]:
    """The layer of each array that has such a name."""
    matches = {name: _NAME.fullmatch(name) for name in arrays}
    return {name: _layer_of(match) for name, match in matches.items() if match}


def _example(arrays: Mapping[str, Array]) -> str:
    """Two layers of those that there are, with activations."""
    matrices = (layer for name, layer in _layers_by_array(arrays).items() if arrays[name].ndim == 2)
    first, second = [*dict.fromkeys(matrices), "layer1", "layer2"][:2]
    return f"{first}=tanh,{second}=linear"


def _told(given: Sequence[str]) -> tuple[list[str], list[str]]:
    """The layers and activations of `name=activation`."""
    pairs = [own.partition("=")[::2] for own in given]
    return [name for name, _ in pairs], [own for _, own in pairs]


def _chosen(arrays: Mapping[str, Array], told: Sequence[str]) -> tuple[dict[str, Array], list[str]]:
    """The arrays of these layers, and the names of the others."""
    layers = _layers_by_array(arrays)
    known = sorted(set(layers.values()), key=_natural)
    if len(set(told)) != len(told) or not set(told) <= set(known):
        raise ValueError(f"activations of {', '.join(told)}, but the layers are {', '.join(known)}")
    kept = {name: array for name, array in arrays.items() if layers.get(name) in told}
    return kept, [name for name in arrays if name not in kept]


def _in_order(layers: Sequence[Found], told: Sequence[str]) -> list[Found]:
    by_name = {layer.name: layer for layer in layers}
    return [by_name[name] for name in told]


def _in_this_order(
    layers: list[Found], layout: str | None, say: Say
) -> tuple[list[Found], str, list[str]]:
    if not any(_fits(layers, known) for known in ([layout] if layout else LAYOUTS)):
        shapes = ", ".join(f"{layer.name} {layer.weights.shape}" for layer in layers)
        raise ValueError(f"the matrices do not fit in this order: {shapes}")
    return _fitting(layers, layout, say)


def _natural(name: str) -> list[Any]:
    """Numbers in names by their value: dense_2 is before dense_10."""
    return [(int(p), "") if p.isdigit() else (-1, p) for p in re.split(r"(\d+)", name) if p]


def _fits(layers: Sequence[Found], layout: str) -> bool:
    before = None
    for layer in layers:
        shape = layer.weights.shape if layout == "out,in" else layer.weights.shape[::-1]
        if layer.bias is not None and len(layer.bias) != shape[0]:
            return False
        if before not in (None, shape[1]):
            return False
        before = shape[0]
    return True


def _fitting(
    layers: list[Found], layout: str | None, say: Say
) -> tuple[list[Found], str, list[str]]:
    """The layers in an order in which they fit, the layout, and what was assumed."""
    if not layers:
        raise ValueError("there is no matrix among the arrays")
    usual = "in,out" if layers[0].kernel else "out,in"
    other = LAYOUTS[usual == "out,in"]
    layouts = [layout] if layout else [usual, other]
    if layout and layout not in LAYOUTS:
        raise ValueError(f"layout {layout!r} is none of {', '.join(LAYOUTS)}")
    fitting = [found for found in layouts if _fits(layers, found)]
    names = ", ".join(layer.name or "(no name)" for layer in layers)
    if fitting:
        notes = [f"layers in the order {names}"]
        if len(fitting) > 1:
            notes.append(f"either layout of the matrices fits; {fitting[0]} is assumed")
        return layers, fitting[0], notes
    orders = _orders(layers, layouts) if len(layers) <= _MOST_REORDERED else []
    numbered = [order for order in orders if _ascending(order[0])]
    for known, why in ((orders, "that fits"), (numbered, "that fits and keeps their numbers")):
        if len(known) == 1:
            order, found = known[0]
            told = ", ".join(layer.name for layer in order)
            return order, found, [f"layers in the order {told}, the only one {why}"]
    shapes = ", ".join(f"{layer.name} {layer.weights.shape}" for layer in layers)
    named = [f"{layer.name}={'linear' if layer is layers[-1] else 'tanh'}" for layer in layers]
    raise ValueError(
        f"the matrices make no single chain of layers: {shapes}; "
        f"say their order with their activations, as {say(named)}"
    )


def _orders(layers: Sequence[Found], layouts: Sequence[str]) -> list[tuple[list[Found], str]]:
    """All orders of the layers in which their matrices fit, with the layout."""
    return [
        (list(order), found)
        for found in layouts
        for order in permutations(layers)
        if _fits(order, found)
    ]


def _ascending(layers: Sequence[Found]) -> bool:
    """Whether layers that differ in numbers only stand in the order of these."""
    last: dict[str, list[Any]] = {}
    for layer in layers:
        stem, key = re.sub(r"\d+", "#", layer.name), _natural(layer.name)
        if stem in last and key < last[stem]:
            return False
        last[stem] = key
    return True
