"""keras.ops by themselves, with each of their options: read as they are, or refused by name."""

from __future__ import annotations

import os

import numpy as np
import pytest

os.environ.setdefault("KERAS_BACKEND", "jax")
keras = pytest.importorskip("keras")
jax = pytest.importorskip("jax")

from symnet.importers.imported import Options  # noqa: E402
from symnet.importers.keras.live import imported  # noqa: E402
from symnet.witness import analytic  # noqa: E402

ops = keras.ops
X = np.random.default_rng(0).normal(size=(4, 12)) * 2
ONES = np.ones((3, 4), bool)
ROWS = np.arange(1.0, 4)


def places(x):
    """Whole numbers from 0 to 2."""
    return ops.cast(ops.clip(ops.floor(x), 0, 2), "int32")


OPERATIONS = {
    "max from": lambda x: ops.max(x, axis=1, initial=2.0),
    "min from": lambda x: ops.min(x, axis=2, keepdims=True, initial=-0.5),
    "max": lambda x: ops.max(x, axis=(1, 2)),
    "layers of rows": lambda x: ops.layer_normalization(
        ops.matmul(x, ROWS * np.ones((4, 3))), ROWS, ROWS, axis=1
    ),
    "layers of columns": lambda x: ops.layer_normalization(x, np.arange(4.0), axis=-1),
    "both of the second's shape": lambda x: ops.cast(
        ops.logical_and(ops.sum(x, axis=1, keepdims=True) > 0, ONES), "float32"
    ),
    "neither depends": lambda x: x + ops.cast(ops.logical_or(ops.isnan(x), ONES), "float32"),
    "counted": lambda x: ops.sum(x > 0, axis=1) + x[:, 0],
    "cumsum": lambda x: ops.cumsum(x, axis=-1),
    "whole numbers": lambda x: x + ops.cast(ops.cast(x, "int32"), "float32"),
    "truth values": lambda x: ops.cast(ops.cast(ops.floor(x), "bool"), "float32"),
    "looked up": lambda x: ops.take(ROWS, places(x), axis=0),
    "looked up in rows": lambda x: ops.take_along_axis(x, places(x)[:, :, :2], axis=2),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_operations_are_kerass(name):
    """Far from 0, too, where comparing with Keras would not tell."""
    x = keras.Input((3, 4))
    model = keras.Model(x, OPERATIONS[name](x))
    net = imported(model, Options(check=False)).network
    with jax.enable_x64(True):
        expected = [np.ravel(model(x.reshape(1, 3, 4))) for x in X]
    np.testing.assert_allclose(analytic.value(net, X), expected, rtol=1e-5, atol=1e-6)


MIXED = "the model mixes the points of a batch"


@pytest.mark.parametrize(
    ("function", "what"),
    [
        (lambda x: ops.cumsum(x, axis=1, dtype="int32"), r"Cumsum\): it makes int32"),
        (lambda x: ops.prod(x, axis=1, dtype="int32"), r"Prod\): it makes int32"),
        (lambda x: ops.full_like(x, 2.7, dtype="int32") + x, r"FullLike\): it makes int32"),
        (lambda x: ops.cumsum(x), r"Cumsum\): it mixes the points of a batch, along its axis None"),
        (lambda x: x - ops.mean(x, axis=0), r"Mean\): it mixes the points .* axis 0"),
        (lambda x: x / ops.max(x), r"Max\): it mixes the points"),
        (lambda x: ops.softmax(x, axis=0), r"Softmax\): it mixes the points"),
        (lambda x: ops.flip(x, axis=-3), r"Flip\): it mixes the points .* axis -3"),
        (keras.layers.Softmax(axis=[0, 1]), r"Softmax\): it mixes the points .* axis \[0, 1\]"),
        (lambda x: ops.roll(x, 1, axis=0), r"Roll\): it mixes the points"),
        (lambda x: ops.matmul(ops.transpose(x[:, 0]), x[:, 0]), rf"{MIXED}: .* the shape \(4, 4\)"),
        (lambda x: ops.matmul(x[:, 0], ops.transpose(x[:, 1])), MIXED),
        (lambda x: ops.einsum("bi,ci->bc", x[:, 0], x[:, 1]), MIXED),
        (lambda x: ops.einsum("bij,bkj->ik", x, x), MIXED),
        (lambda x: ops.reshape(ops.transpose(x[:, 0]), (-1, 4)), MIXED),
    ],
)
def test_options_that_are_refused(function, what):
    """Whole numbers, and what mixes the points of a batch."""
    x = keras.Input((3, 4))
    with pytest.raises(ValueError, match=what):
        imported(keras.Model(x, function(x)), Options(check=False))
