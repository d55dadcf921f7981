"""Functions of TensorFlow in models of Keras 2, as `x + y` and `tf.exp(x)`, as Keras 3 has them.

Keras 2 has a layer for each, which is called with the first argument, and by name with the others.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_BINARY = {
    **{"add": "Add", "subtract": "Subtract", "multiply": "Multiply", "pow": "Power"},
    **{"truediv": "TrueDivide", "divide": "Divide", "maximum": "Maximum", "minimum": "Minimum"},
}
_UNARY = {
    **{name: name.capitalize() for name in ("exp", "expm1", "log", "log1p", "sqrt", "rsqrt")},
    **{name: name.capitalize() for name in ("square", "negative", "abs", "reciprocal", "erf")},
    **{name: name.capitalize() for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh")},
    **{name: name.capitalize() for name in ("sigmoid", "softplus", "softsign", "elu", "selu")},
    **{"relu": "Relu", "relu6": "Relu6", "silu": "Silu", "swish": "Silu"},
    **{"log_sigmoid": "LogSigmoid", "atan": "Arctan"},
}
_OVER_AXES = {"reduce_sum": "Sum", "reduce_mean": "Mean"}
_ROOMS = ("__operators__", "math", "nn")


def with_operations(layer: Mapping[str, Any]) -> Mapping[str, Any]:
    """The layer of a function as an operation, or as it is where symnet does not read it.

    ValueError for keywords that change what the function gives.
    """
    config = layer["config"]
    room, _, function = str(config.get("function")).rpartition(".")
    kind = {**_BINARY, **_UNARY, **_OVER_AXES}.get(function)
    if room not in _ROOMS or kind is None:
        return layer
    settings: dict[str, Any] = {"name": config.get("name")}
    nodes = []
    for node in layer.get("inbound_nodes", []):
        source = node if isinstance(node[0], str) else node[0]
        named = {k: v for k, v in dict(*source[3:4]).items() if v is not None and k != "name"}
        others = [_source(named.pop("y"))] if function in _BINARY and "y" in named else []
        if function in _OVER_AXES:
            settings |= {key: named.pop(key) for key in ("axis", "keepdims") if key in named}
        if named:
            raise ValueError(
                f"layer {config.get('name')!r} ({config['function']}): it is called with "
                f"{', '.join(map(repr, named))}, which symnet does not read"
            )
        nodes.append([[*source[:3], {}], *others])
    operation = {"class_name": kind, "module": "keras.ops", "config": settings}
    return {**operation, "name": layer.get("name"), "inbound_nodes": nodes}


def _source(given: Any) -> list[Any]:
    """An argument as a node has it: an output of a layer, or a constant."""
    if isinstance(given, list) and given and isinstance(given[0], str):
        return [*given[:3], {}]
    return ["_CONSTANT_VALUE", -1, given, {}]
