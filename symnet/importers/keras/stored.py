"""Where Keras stores the arrays of layers: in archives by classes and numbers, before by names.

    layers/lstm_1/cell/vars/0           `.keras`: the second layer of its class
    _layer_checkpoint_dependencies/…    the same of Keras 2, whose Windows has \\ between the parts
    lstm_7/lstm_cell/kernel             `.h5`: the layer called lstm_7

A layer's arrays are those of its parts, one part after the other.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from symnet.importers.formats.apart import Contents
from symnet.importers.keras.attention import OF_HEADS
from symnet.network.weights import Array

MODELS = ("Sequential", "Functional", "Model")
WRAPPERS = ("TimeDistributed", "SpectralNormalization")
"""Layers that apply another one, which has the arrays."""

Config = Mapping[str, Any]


def name_of(layer: Config) -> str:
    """What the model calls it, which is not always what it calls itself."""
    return str(layer.get("name") or layer["config"].get("name"))


def layers_of(model: Config) -> list[Config]:
    """The layers in a model's configuration, which older files have as a list."""
    inner = model["config"]
    return list(inner["layers"] if isinstance(inner, dict) else inner)


def of_keras_3(config: Any) -> Any:
    """A configuration of Keras 2 as Keras 3 has it: its hard_sigmoid was another."""
    if isinstance(config, list):
        return [of_keras_3(part) for part in config]
    if not isinstance(config, dict):
        return config
    return {
        key: "hard_sigmoid_of_keras_2"
        if value == "hard_sigmoid" and key in ("activation", "recurrent_activation")
        else of_keras_3(value)
        for key, value in config.items()
    }


def inside(layer: Config) -> list[Config]:
    """The layers in a model, in a wrapper, or in a layer's activation."""
    if layer.get("class_name") in MODELS:
        return layers_of(layer)
    if layer.get("class_name") in WRAPPERS:
        return [layer["config"]["layer"]]
    return [inner] if (inner := activation_of(layer)) else []


def activation_of(layer: Config) -> Config | None:
    """The layer that is its activation, as PReLU may be."""
    given = layer["config"].get("activation")
    return given if isinstance(given, dict) and isinstance(given.get("config"), dict) else None


# --- archives -----------------------------------------------------------------------------------


def archived(
    model: Config, arrays: Mapping[str, Array], prefix: str = "", group: str = ""
) -> Iterator[tuple[str, list[Array]]]:
    """(path of the layer, its arrays) of a `.keras` file; a path is outer/inner names."""
    if not group:
        arrays = {key.replace("\\", "/"): array for key, array in arrays.items()}
    for layer, here in _placed(layers_of(model), arrays, group):
        yield from _found(layer, arrays, prefix, here)


_OLD = "_layer_checkpoint_dependencies/"


def _placed(
    layers: Sequence[Config], arrays: Mapping[str, Array], group: str
) -> Iterator[tuple[Config, str]]:
    """Each layer with its folder."""
    old = f"{group}{_OLD}"
    there = {key[len(old) :].split("/", 1)[0] for key in arrays if key.startswith(old)}
    names = _counted_twice(layers, there) if there else _numbered(layers)
    for layer, stored in names:
        yield layer, f"{old if there else f'{group}layers/'}{stored}/"


def _counted_twice(layers: Sequence[Config], there: set[str]) -> Iterator[tuple[Config, str]]:
    """As Keras 2 numbers layers of a class: those with arrays once more, dense, dense_2, ..."""
    seen: Counter[str] = Counter()
    for layer in layers:
        base = _base(layer)
        numbers = (seen[base], seen[base] + 1)
        number = next((k for k in numbers if _nth(base, k) in there), seen[base])
        seen[base] = number + 1
        yield layer, _nth(base, number)


def _nth(base: str, number: int) -> str:
    return f"{base}_{number}" if number else base


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
        if inner := activation_of(layer):
            yield from _found(inner, arrays, f"{path}/", f"{here}activation/")


def _numbered(layers: Sequence[Config]) -> Iterator[tuple[Config, str]]:
    """Each layer with its class in small letters, and its number among those before it."""
    seen: Counter[str] = Counter()
    for layer in layers:
        base = _base(layer)
        yield layer, _nth(base, seen[base])
        seen[base] += 1


def _base(layer: Config) -> str:
    """The class in small letters, as Keras parts it: conv1_d, p_re_lu."""
    kind = str(layer.get("class_name")).replace("GroupQuery", "GroupedQuery")  # its own name
    parted = re.sub(r"(.)([A-Z][a-z0-9]+)", r"\1_\2", kind)
    return re.sub(r"(?<=[a-z])([A-Z])", r"_\1", parted).lower()


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
    if kind in OF_HEADS:
        parts = [f"{part}_dense/" for part in ("query", "key", "value", "output")]
        return [f"{private}{part}" for part in parts for private in ("", "_")]
    return [""]


def _number(path: str) -> int:
    return int(path.rpartition("/")[2])


# --- older files --------------------------------------------------------------------------------


def named(model: Config, found: Contents) -> Iterator[tuple[str, list[Array]]]:
    """The same of an `.h5` file: each outer layer's arrays in the order of its weight_names."""
    for layer in layers_of(model):
        if layer["config"].get("lora_rank"):
            raise ValueError(f"layer {name_of(layer)!r}: it has LoRA; save the model as .keras")
        group = name_of(layer)
        keys = list(found.texts.get(group, {}).get("weight_names", []))
        parts = list(_leaves(layer, ""))
        for path, leaf in parts:
            own = [key for key in keys if path == group or leaf in key.split("/")[:-1]]
            if not own and len(parts) == 1:  # Keras 2 names the arrays in a wrapper after it
                own = keys
            if own:
                yield path, [found.arrays[f"{group}/{key}"] for key in own]


def _leaves(layer: Config, prefix: str) -> Iterator[tuple[str, str]]:
    """Paths and names of the layers that have arrays."""
    path = prefix + name_of(layer)
    if layer.get("class_name") not in (*MODELS, *WRAPPERS):
        yield path, name_of(layer)
    for part in inside(layer):
        yield from _leaves(part, f"{path}/")
