"""Operators for onnx's evaluator that it has in single precision, of newer opsets only, or not."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from symnet.extras import needed
from symnet.network.weights import Array

_ERF = np.vectorize(math.erf, otypes=[np.float64])


def _gelu(z: Array, approximate: Any = None) -> Array:
    if approximate in ("tanh", b"tanh"):
        return z / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (z + 0.044715 * z**3)))
    return z / 2 * (1 + _ERF(z / np.sqrt(2)))


def _log_softmax(z: Array, axis: Any = None) -> Array:
    """Over all axes from one on, as before opset 13."""
    first = (1 if axis is None else axis) % z.ndim
    flat = z.reshape(math.prod(z.shape[:first]), -1)
    shifted = flat - flat.max(axis=1, keepdims=True)
    total = np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return (shifted - total).reshape(z.shape)


def _places(z: Array) -> tuple[int, ...]:
    return tuple(range(2, z.ndim))


def _local(z: Array, size: int, alpha: Any = None, beta: Any = None, bias: Any = None) -> Array:
    """The evaluator's own normalises the first channels only."""
    scale, power, shift = (
        float(np.float32(d if v is None else v))
        for v, d in ((alpha, 1e-4), (beta, 0.75), (bias, 1.0))
    )
    wide = np.pad(z**2, [(0, 0), ((size - 1) // 2, size // 2), *[(0, 0)] * (z.ndim - 2)])
    sums = sum(wide[:, k : k + z.shape[1]] for k in range(size))
    return np.asarray(z / (shift + scale / size * sums) ** power)


def _standard(z: Array, axes: Any = None) -> Array:
    over = tuple(axes or (0, 2, 3))
    mean = z.mean(axis=over, keepdims=True)
    squares = (z**2).mean(axis=over, keepdims=True)
    return np.asarray((z - mean) / (np.sqrt(squares - mean**2) + float(np.float32(1e-9))))


def _norm(z: Array, p: Any = None) -> Array:
    order = 2 if p is None else p
    return np.asarray((np.abs(z) ** order).sum(axis=_places(z), keepdims=True) ** (1 / order))


def _normalised(z: Array, axis: Any = None, p: Any = None) -> Array:
    """The evaluator's own sums z where p is 1, not |z|."""
    order = 2 if p is None else p
    sums = (np.abs(z) ** order).sum(axis=-1 if axis is None else axis, keepdims=True)
    return np.asarray(z / sums ** (1 / order))


_FOUND: dict[str, Callable[..., Any]] = {
    "Erf": _ERF,
    "HardSwish": lambda z: z * np.clip(z / 6 + 0.5, 0, 1),
    "Gelu": _gelu,
    "LRN": lambda z, size=1, **more: _local(z, size, **more),
    "GlobalMaxPool": lambda z: z.max(axis=_places(z), keepdims=True),
    "GlobalLpPool": _norm,
    "LpNormalization": _normalised,
    "MeanVarianceNormalization": _standard,
}
_OLD: dict[str, Callable[..., Any]] = {
    "Softmax": lambda z, axis=None: np.exp(_log_softmax(z, axis)),
    "LogSoftmax": _log_softmax,
}


def operators(opset: int) -> list[Any]:
    """Classes as onnx's ReferenceEvaluator takes them."""
    run = needed("onnx.reference.op_run", "onnx").OpRun
    found = _FOUND | (_OLD if opset < 13 else {})

    def made(name: str, call: Callable[..., Any]) -> Any:
        def one(self: Any, *args: Any, **kwargs: Any) -> tuple[Any]:
            return (call(*args, **kwargs),)

        return type(name, (run,), {"op_domain": "", "_run": one})

    return [_resize(), *(made(name, call) for name, call in found.items())]


def _resize() -> Any:
    """The evaluator's own has the coefficient of cubics, and what it makes of it, in float32."""
    own = needed("onnx.reference.ops.op_resize", "onnx").Resize

    def one(self: Any, *args: Any, cubic_coeff_a: Any = None, **kwargs: Any) -> Any:
        a = None if cubic_coeff_a is None else float(cubic_coeff_a)
        return own._run(self, *args, cubic_coeff_a=a, **kwargs)

    return type("Resize", (own,), {"op_domain": "", "_run": one})
