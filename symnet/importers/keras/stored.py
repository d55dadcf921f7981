"""Where Keras stores the arrays of layers: in archives by classes and numbers, before by names.

    layers/lstm_1/cell/vars/0           `.keras`: the second layer of its class
    lstm_7/lstm_cell/kernel             `.h5`: the layer called lstm_7

A layer's arrays are those of its parts, one part after the other.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from symnet.importers.formats.apart import Contents
from symnet.network.weights import Array

MODELS = ("Sequential", "Functional", "Model")
WRAPPERS = ("TimeDistributed", "SpectralNormalization")
"""Layers that apply another one, which has the arrays."""

Config = Mapping[str, Any]


def name_of(layer: Config) -> str:
    """What the model calls it."""
    return str(layer["config"].get("name") or layer.get("name"))


def layers_of(model: Config) -> list[Config]:
    """The layers in a model's configuration, which older files have as a list."""
    inner = model["config"]
    return list(inner["layers"] if isinstance(inner, dict) else inner)


def _inside(layer: Config) -> list[Config] | None:
    """The layers whose arrays are found in this one; None where it has its own."""
    if layer.get("class_name") in MODELS:
        return layers_of(layer)
    return [layer["config"]["layer"]] if layer.get("class_name") in WRAPPERS else None


# --- archives -----------------------------------------------------------------------------------


def archived(
    model: Config, arrays: Mapping[str, Array], prefix: str = "", group: str = ""
) -> Iterator[tuple[str, list[Array]]]:
    """(path of the layer, its arrays) of a `.keras` file; a path is outer/inner names."""
    for layer, stored in _numbered(layers_of(model)):
        yield from _found(layer, arrays, prefix, f"{group}layers/{stored}/")


def _found(
    layer: Config, arrays: Mapping[str, Array], prefix: str, here: str
) -> Iterator[tuple[str, list[Array]]]:
    path = prefix + name_of(layer)
    if layer.get("class_name") in MODELS:
        yield from archived(layer, arrays, f"{path}/", here)
    elif layer.get("class_name") in WRAPPERS:
        yield from _found(layer["config"]["layer"], arrays, f"{path}/", f"{here}layer/")
    else:
        starts = [f"{here}{part}vars/" for part in _parts(layer)]
        own = [
            arrays[key]
            for start in starts
            for key in sorted((key for key in arrays if key.startswith(start)), key=_number)
        ]
        if own:
            yield path, own


def _numbered(layers: Sequence[Config]) -> Iterator[tuple[Config, str]]:
    """Each layer with its class in small letters, and its number among those before it."""
    seen: Counter[str] = Counter()
    for layer in layers:
        kind = str(layer.get("class_name"))
        base = re.sub(r"(?<=[a-z])([A-Z])", r"_\1", re.sub(r"(.)([A-Z][a-z0-9]+)", r"\1_\2", kind))
        base = base.lower()
        yield layer, base if not seen[base] else f"{base}_{seen[base]}"
        seen[base] += 1


def _parts(layer: Config) -> list[str]:
    """The folders of what a layer is made of, in the order in which it is made."""
    kind, config = str(layer.get("class_name")), layer["config"]
    if kind in ("SimpleRNN", "LSTM", "GRU"):
        return ["cell/"]
    if kind == "RNN" and config["cell"]["class_name"] == "StackedRNNCells":
        cells = config["cell"]["config"]["cells"]
        return [f"cell/cells/{stored}/" for _, stored in _numbered(cells)]
    if kind == "RNN":
        return ["cell/"]
    if kind == "Bidirectional":
        backward = config.get("backward_layer") or config["layer"]
        ways = (("forward", config["layer"]), ("backward", backward))
        return [f"{way}_layer/{part}" for way, inner in ways for part in _parts(inner)]
    if kind == "MultiHeadAttention":
        return [f"{part}_dense/" for part in ("query", "key", "value", "output")]
    return [""]


def _number(path: str) -> int:
    return int(path.rpartition("/")[2])


# --- older files --------------------------------------------------------------------------------


def named(model: Config, found: Contents) -> Iterator[tuple[str, list[Array]]]:
    """The same of an `.h5` file: each outer layer's arrays in the order of its weight_names."""
    for layer in layers_of(model):
        group = name_of(layer)
        keys = list(found.texts.get(group, {}).get("weight_names", []))
        for path, leaf in _leaves(layer, ""):
            own = [key for key in keys if path == group or leaf in key.split("/")[:-1]]
            if own:
                yield path, [found.arrays[f"{group}/{key}"] for key in own]


def _leaves(layer: Config, prefix: str) -> Iterator[tuple[str, str]]:
    """Paths and names of the layers that have arrays."""
    path, inside = prefix + name_of(layer), _inside(layer)
    if inside is None:
        yield path, name_of(layer)
    for part in inside or ():
        yield from _leaves(part, f"{path}/")
