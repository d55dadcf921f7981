"""What a layer is called with, as configurations have it: of Keras 3, and of those before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from symnet.importers.folding.choices import Condition
from symnet.importers.folding.forms import Form
from symnet.importers.folding.tensors import Value

Use: TypeAlias = tuple[str, int]
"""A layer's name, and the how manieth use of it."""


@dataclass(frozen=True)
class Tensor:
    """An output of a use of a layer."""

    name: str
    use: int
    output: int


@dataclass(frozen=True)
class Arguments:
    """What a layer is called with: tensors, or their values, and constants in lists."""

    positional: Any
    named: Any

    @property
    def tensors(self) -> list[Value]:
        """All tensors among the positional arguments."""
        found = leaves(self.positional)
        return [x for x in found if isinstance(x, Form | Condition | np.ndarray)]


def leaves(tree: Any) -> Iterator[Any]:
    if isinstance(tree, Mapping):
        tree = list(tree.values())
    if isinstance(tree, list):
        for part in tree:
            yield from leaves(part)
    else:
        yield tree


def with_values(tree: Any, values: Mapping[Use, Any]) -> Any:
    """With values for tensors."""
    if isinstance(tree, Mapping):
        return {key: with_values(part, values) for key, part in tree.items()}
    if isinstance(tree, list):
        return [with_values(part, values) for part in tree]
    if not isinstance(tree, Tensor):
        return tree
    found = values[(tree.name, tree.use)]
    several = isinstance(found, list)
    if tree.output and not several:
        raise ValueError(f"the output {tree.output + 1} of the layer {tree.name!r} is used")
    return found[tree.output] if several else found


def needs(given: Arguments) -> set[Use]:
    """The uses of layers whose outputs it takes."""
    found = leaves([given.positional, given.named])
    return {(x.name, x.use) for x in found if isinstance(x, Tensor)}


def calls(layer: Mapping[str, Any]) -> list[Arguments]:
    """For each use of a layer what it is called with."""
    found = []
    for node in layer.get("inbound_nodes", []):
        if isinstance(node, dict):
            found.append(Arguments(_argument(node.get("args", [])), _argument(node["kwargs"])))
        else:
            sources = list(_sources(node))
            named = {key: v for part in sources for key, v in dict(*part[3:4]).items()}
            found.append(Arguments(_older(sources), _older(named)))
    return found


def _sources(node: Any) -> Iterator[list[Any]]:
    """[name, node, tensor, keywords] of each tensor, as files before Keras 3 have them."""
    if isinstance(node, list) and len(node) >= 3 and isinstance(node[0], str):
        yield node
    elif isinstance(node, list):
        for part in node:
            yield from _sources(part)


def _older(tree: Any) -> Any:
    """Arguments as files before Keras 3 have them: [name, node, tensor] for each tensor."""
    if isinstance(tree, dict):
        return {key: _older(part) for key, part in tree.items()}
    if not isinstance(tree, list):
        return tree
    if len(tree) >= 3 and isinstance(tree[0], str):
        constant = tree[0] == "_CONSTANT_VALUE"
        return tree[2] if constant else Tensor(tree[0], int(tree[1]), int(tree[2]))
    return [_older(part) for part in tree]


def _argument(tree: Any) -> Any:
    """An argument as Keras 3 writes it."""
    if isinstance(tree, list):
        return [_argument(part) for part in tree]
    if not isinstance(tree, dict):
        return tree
    kind, inner = tree.get("class_name"), tree.get("config", {})
    if kind == "__keras_tensor__":
        name, k, output = inner["keras_history"]
        return Tensor(str(name), int(k), int(output))
    if kind == "__slice__":
        return slice(*(_argument(inner[key]) for key in ("start", "stop", "step")))
    if kind in ("__tensor__", "__numpy__"):
        return np.asarray(inner["value"], dtype=np.float64)
    if kind == "__ellipsis__":
        return ...
    return {key: _argument(part) for key, part in tree.items()}


def by_position(given: Arguments) -> Arguments:
    """With what is called `inputs` first."""
    if "inputs" not in given.named:
        return given
    named = {key: value for key, value in given.named.items() if key != "inputs"}
    return Arguments([given.named["inputs"], *given.positional], named)
