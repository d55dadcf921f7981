"""RRTMGP's networks in NetCDF: weights nn_weights_k (inputs, neurons) with scaling around them.

    x' = (x − min)/(max − min)       y = std N(x') + mean

Powers and logarithms outside the network are told by the file's attributes and stay outside.
Source: P. Ukkonen, rte-rrtmgp-nn. NetCDF-4 is HDF5, and read as that.
"""

from __future__ import annotations

import numpy as np

from symnet.activations import activation
from symnet.files import LARGEST_FILE
from symnet.importers.folding.tensors import Tensors, Value
from symnet.importers.formats import apart
from symnet.importers.imported import (
    FilePath,
    Imported,
    Model,
    Options,
    content_of,
    exactness,
    label_of,
)
from symnet.network.weights import Array


def read(path: FilePath, options: Options) -> Imported:
    """The network in a file. ValueError where it has no nn_weights_1."""
    options.check_complete()
    content = content_of(path, LARGEST_FILE)
    if not content.startswith(b"\x89HDF"):
        raise ValueError("is no NetCDF-4 file; convert it with nccopy -k nc4")
    found = apart.contents("hdf5", content, "keras")
    arrays = {
        name: array
        for name, array in found.arrays.items()
        if name.startswith(("nn_weights_", "nn_bias_", "nn_input_", "nn_output_"))
    }
    functions = _texts(found.arrays.get("nn_activation_char"))
    names = _texts(found.arrays.get("nn_inputs_char"))
    told = [
        str(text) for key, text in found.texts.get("", {}).items() if key.endswith("scaling_info")
    ]
    count = sum(name.startswith("nn_weights_") for name in arrays)
    if not count or len(functions) != count:
        raise ValueError(f"{count} arrays nn_weights_k and {len(functions)} activations")
    t = Tensors()
    value = _value(t, arrays, functions)
    n = len(arrays["nn_weights_1"])
    inputs = tuple((name, 1) for name in names) if len(names) == n else (("x", n),)
    net = Model(t, inputs, (("y", value),), label_of(path)).network(options)
    dtypes = {str(a.dtype) for name, a in arrays.items() if "weights" in name}
    notes = tuple(f"the file says: {text}" for text in told)
    folded = tuple(
        what
        for what, key in (
            ("input scaling", "nn_input_coeffs_min"),
            ("output scaling", "nn_output_coeffs_std"),
        )
        if key in arrays
    )
    return Imported(
        net, "RRTMGP NetCDF", exactness(dtypes), folded, notes, "nothing to compare with"
    )


def _value(t: Tensors, arrays: dict[str, Array], functions: list[str]) -> Value:
    wide = {name: np.asarray(array, dtype=np.float64) for name, array in arrays.items()}
    value: Value = t.fold.inputs_of([(len(wide["nn_weights_1"]),)])[0]
    if "nn_input_coeffs_min" in wide:
        low, high = wide["nn_input_coeffs_min"], wide["nn_input_coeffs_max"]
        value = t.divide(t.subtract(value, low), high - low)
    for k, name in enumerate(functions, start=1):
        value = t.matmul(value, wide[f"nn_weights_{k}"])
        if f"nn_bias_{k}" in wide:
            value = t.add(value, wide[f"nn_bias_{k}"])
        value = t.apply(activation(name).value, value, name)
    if "nn_output_coeffs_std" in wide:
        value = t.multiply(value, wide["nn_output_coeffs_std"])
        value = t.add(value, wide["nn_output_coeffs_mean"])
    return value


def _texts(rows: Array | None) -> list[str]:
    """Rows of characters, padded with blanks or zeros."""
    if rows is None:
        return []
    return [b"".join(row.tolist()).decode("ascii").strip(" \0") for row in rows]
