"""A Keras layer that is applied: configuration, tensors, arrays, and the function at its end."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sympy import Piecewise

from symnet.activations import Z, activation
from symnet.importers.folding import functions
from symnet.importers.folding.tensors import Tensors, Value
from symnet.names import shortened
from symnet.network.weights import Array


@dataclass(frozen=True)
class Layer:
    """A layer that is applied: its configuration, the tensors it takes, its arrays in order.

    `named` are keyword arguments, of layers that take any; `inner` applies a layer inside of it.
    """

    tensors: Tensors
    config: Mapping[str, Any]
    inputs: Sequence[Value]
    arrays: Sequence[Array]
    named: Mapping[str, Any] = field(default_factory=dict)
    inner: Callable[[Mapping[str, Any], Value], Value] | None = None

    @property
    def x(self) -> Value:
        """The only input."""
        if len(self.inputs) != 1:
            raise ValueError(f"it takes {len(self.inputs)} tensors, expected one")
        return self.inputs[0]


Rule = Callable[[Layer], Value]

FORMULAS = {
    "hard_sigmoid_of_keras_2": functions.hard_sigmoid(0.2, 0.5),
    "relu6": functions.PLAIN["relu6"],
    "leaky_relu": functions.leaky(0.2),
    "celu": functions.celu(),
    "soft_shrink": functions.shrink(0.5, 0.5),
    "hard_shrink": functions.shrink(0.5, 0),
    "squareplus": functions.squareplus(4),
    "sparse_plus": Piecewise((0, Z <= -1), (Z, Z >= 1), ((Z + 1) ** 2 / 4, True)),
    "sparse_sigmoid": Piecewise((0, Z <= -1), (1, Z >= 1), ((Z + 1) / 2, True)),
}
"""Keras's activations whose formula is not that of the table's row of the same name."""


def function(layer: Layer, given: Any, x: Value) -> Value:
    """An activation that a configuration names."""
    t, name = layer.tensors, given
    if isinstance(given, Mapping):
        if isinstance(given.get("config"), Mapping) and layer.inner is not None:
            return layer.inner(given, x)
        name = given.get("config", given.get("class_name"))
        told = f"the function {shortened(repr(name))}" if name else "a function without a name"
        raise ValueError(
            f"its activation is {told}, which is code: write it as "
            "layers or keras.ops of a functional model, or export the model to ONNX"
        )
    if name in (None, "linear"):
        return x
    if not isinstance(name, str):
        raise ValueError(f"its activation is {shortened(repr(given))}")
    if name == "glu":
        half = x.shape[-1] // 2
        gate = t.apply("sigmoid", t.places(x, lambda a: a[..., half:]))
        return t.multiply(t.places(x, lambda a: a[..., :half]), gate)
    if name in ("softmax", "log_softmax"):
        return t.softmax(x, [-1], name == "log_softmax")
    value = FORMULAS.get(name)
    return t.apply(activation(name).value if value is None else value, x, name)


def array(layer: Layer, k: int, what: str) -> Array:
    """Its k-th array. ValueError where the file has none."""
    if k >= len(layer.arrays):
        raise ValueError(f"the file has no {what} for it ({len(layer.arrays)} arrays)")
    return layer.arrays[k]
