"""Keras's layers that change the size of images: linear maps, beside Keras in doubles."""

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

L = keras.layers
LAYERS = {
    "bilinear": lambda: L.UpSampling2D((2, 3), interpolation="bilinear"),
    "nearest": lambda: L.UpSampling2D(2),
    "channels first": lambda: L.UpSampling2D(2, "channels_first", "bilinear"),
    "larger": lambda: L.Resizing(7, 6),
    "smaller": lambda: L.Resizing(3, 2),
    "resized nearest": lambda: L.Resizing(7, 3, interpolation="nearest"),
    "cropped": lambda: L.CenterCrop(2, 3),
}


@pytest.mark.parametrize("name", LAYERS)
def test_sizes_are_linear_maps(name):
    """One form; its matrix is Keras's own of unit images."""
    layer = LAYERS[name]()
    model = keras.Sequential([keras.Input((4, 5, 2)), layer, L.Flatten()])
    found = imported(model, Options())
    assert "Keras in double precision (24 points)" in found.compared
    assert [node.kind for node in found.network.nodes] == ["form"]
    units = np.eye(40).reshape(40, 4, 5, 2)
    with jax.enable_x64(True):  # doubles, where another module has set them
        expected = np.asarray(model(units)).reshape(40, -1).T
    slopes = analytic.jacobian(found.network, np.zeros(40))
    np.testing.assert_allclose(slopes, expected, atol=1e-6)


@pytest.mark.parametrize(
    ("layer", "what"),
    [
        (lambda: L.Resizing(7, 6, interpolation="bicubic"), "interpolates bicubic"),
        (lambda: L.Resizing(7, 6, crop_to_aspect_ratio=True), "crop_to_aspect_ratio"),
        (lambda: L.CenterCrop(9, 9), "which Keras resizes"),
    ],
)
def test_what_backends_do_differently_is_refused(layer, what):
    """By the layer's name."""
    model = keras.Sequential([keras.Input((4, 5, 2)), layer(), L.Flatten()])
    with pytest.raises(ValueError, match=what):
        imported(model, Options())
