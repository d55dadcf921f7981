"""Keras models without Keras: `.keras` archives and `.h5` files, their configuration and weights.

The configuration is data: layers that hold code (`Lambda`, custom objects) are refused, never
loaded. Sequential and functional models; weights of an archive are found as Keras stores them, by
the class of a layer and its number among those of its class, not by its name.
"""

from __future__ import annotations

import json
import math
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from functools import cache, partial
from io import BytesIO
from typing import Any

import numpy as np

from symnet.files import LARGEST_FILE
from symnet.importers import comparing
from symnet.importers.folding.forms import Form
from symnet.importers.folding.tensors import Tensors
from symnet.importers.formats import apart
from symnet.importers.formats.arrays import read_hdf5
from symnet.importers.formats.content import check_archive
from symnet.importers.imported import (
    FilePath,
    Imported,
    Model,
    Options,
    content_of,
    exactness,
    label_of,
)
from symnet.importers.keras import stored, twin
from symnet.importers.keras.graph import (
    Reading,
    Weights,
    all_layers,
    input_shapes,
    is_of_one_point,
    is_operation,
    model_of,
)
from symnet.importers.keras.tensorflow import function_of
from symnet.network import Network
from symnet.network.weights import Array
from symnet.witness import analytic

_LARGEST_CONFIG = 2**24


def read(path: FilePath, options: Options) -> Imported:
    """The network in a `.keras` or `.h5` file. ValueError names the layer that is refused."""
    content = content_of(path, LARGEST_FILE)
    if content.startswith(b"PK"):
        with zipfile.ZipFile(BytesIO(content)) as archive:
            check_archive(archive)
            _check_configuration(archive, "config.json")
            config = json.loads(archive.read("config.json"))
            arrays = archive.read("model.weights.h5")
            version = _version(archive)
        weights = dict(stored.archived(config, apart.contents("hdf5", arrays, "keras").arrays))
        compare = partial(twin.compared, config, arrays, ".weights.h5")
    else:
        found = apart.contents("hdf5", content, "keras")
        told = found.texts.get("", {}).get("model_config")
        if told is None:
            return read_hdf5(path, options)
        config, version = json.loads(told), found.texts[""].get("keras_version")
        weights = dict(stored.named(config, found.below("model_weights")))
        compare = partial(twin.compared, config, content, ".h5")
    options.check_complete()
    now = stored.of_keras_3(config) if str(version).startswith(("1.", "2.")) else config
    found_net = built(now, weights, label_of(path), options)
    if now != config or any(function_of(layer) for layer in all_layers(config)):
        why = f"Keras 3 does not compute as Keras {version} did, which wrote the file"
        return replace(found_net, compared=f"not compared: {why}")
    if not options.check or options.select is not None:
        return found_net
    if "module" not in config and any(map(is_operation, all_layers(config))):
        why = "Keras does not load operations of keras.ops from HDF5 files"
        return replace(found_net, compared=f"not compared: {why}")
    return replace(found_net, compared=compare(found_net, options.alone))


def _check_configuration(archive: zipfile.ZipFile, name: str) -> None:
    size = archive.getinfo(name).file_size
    if size > _LARGEST_CONFIG:
        raise ValueError(f"its {name} takes {size >> 20} MiB, more than {_LARGEST_CONFIG >> 20}")


def _version(archive: zipfile.ZipFile) -> str | None:
    """That of Keras which wrote it."""
    if "metadata.json" not in archive.namelist():
        return None
    _check_configuration(archive, "metadata.json")
    found = json.loads(archive.read("metadata.json"))
    return str(found.get("keras_version")) if isinstance(found, dict) else None


def built(
    config: Mapping[str, Any],
    weights: Weights,
    name: str | None,
    options: Options,
) -> Imported:
    """The network of a configuration and its weights."""
    reading, model = _read(config, weights, 1, name)
    net = model.network(options)
    if any(map(is_operation, all_layers(config))) and not is_of_one_point(config):
        _check_apart(config, weights)
    dtypes = {str(a.dtype) for arrays in weights.values() for a in arrays if a.dtype.kind == "f"}
    folded = tuple(
        f"{count} {kind}"
        for kind, count in sorted(reading.met.items())
        if kind not in ("Dense", "Activation", "InputLayer")
    )
    assumed = reading.tensors.fold.assumed
    return Imported(net, "Keras", exactness(dtypes), folded, assumed, "not compared")


def _read(
    config: Mapping[str, Any], weights: Weights, count: int, name: str | None = None
) -> tuple[Reading, Model]:
    """The model of a batch of `count` points."""
    reading, inputs = Reading(Tensors(), weights), input_shapes(config)
    batches = [(count, *shape) for _, shape in inputs]
    forms = reading.tensors.fold.inputs_of(batches)
    batched = [reading.tensors.reshape(x, s) for x, s in zip(forms, batches, strict=True)]
    outputs = model_of(reading, config, batched, "")
    sizes = tuple((key, form.size) for (key, _), form in zip(inputs, forms, strict=True))
    return reading, Model(reading.tensors, sizes, tuple(outputs), name)


def _check_apart(config: Mapping[str, Any], weights: Weights) -> None:
    """ValueError where the model, read for a batch of several points, mixes them."""
    sizes = [math.prod(shape) for _, shape in input_shapes(config)]

    @cache
    def whole(count: int) -> tuple[Network, list[Form]]:
        reading, model = _read(config, weights, count)
        forms = [reading.tensors.form(value) for _, value in model.outputs]
        return model.network(Options()), forms

    def call(X: Array) -> list[Array]:
        net, forms = whole(len(X))
        parts = np.split(X, np.cumsum(sizes)[:-1], axis=1)
        y = analytic.value(net, np.concatenate([part.reshape(-1) for part in parts]))
        values = np.split(y, np.cumsum([form.size for form in forms])[:-1])
        return [v.reshape(form.shape) for v, form in zip(values, forms, strict=True)]

    for note in comparing.check_apart("model", call, sum(sizes)):
        raise ValueError(f"the model mixes the points of a batch: {note.partition(':')[0]}")
