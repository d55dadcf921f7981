"""Names for formulas that a user gave without one: custom, custom2, custom3, … of one network."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import count
from typing import TypeVar

from symnet.activations import Activation
from symnet.activations.named import UNNAMED
from symnet.network.graph import Node
from symnet.network.layer import Layer

_P = TypeVar("_P", Layer, Node)


def layers(given: Sequence[Layer]) -> tuple[Layer, ...]:
    """The layers, of whose formulas without a name no two different ones are called alike."""
    return _apart(given, lambda layer, own: Layer(layer.weights, layer.bias, own))


def nodes(given: Sequence[Node]) -> tuple[Node, ...]:
    """The same of nodes."""
    return _apart(given, lambda node, own: replace(node, activation=own))


def _apart(given: Sequence[_P], named: Callable[[_P, Activation], _P]) -> tuple[_P, ...]:
    used = dict.fromkeys(part.activation for part in given if part.activation is not None)
    unnamed = [own for own in used if re.fullmatch(rf"{UNNAMED}\d*", own.name)]
    if len(unnamed) == len({own.name for own in unnamed}):
        return tuple(given)
    values = dict.fromkeys(own.value for own in unnamed)
    names = (UNNAMED if k == 1 else f"{UNNAMED}{k}" for k in count(1))
    called = {value: Activation(name, value) for value, name in zip(values, names, strict=False)}
    return tuple(
        named(part, called[own.value]) if (own := part.activation) in unnamed else part
        for part in given
    )
