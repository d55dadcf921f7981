"""Operators outside of ONNX: those of the domain com.microsoft that onnxruntime's optimiser writes,
and those of ONNX's first releases that converters still write.

Gelu, FastGelu (tanh), QuickGelu x σ(α x); FusedMatMul α A B; FusedGemm and FusedConv with an
activation; SkipLayerNormalization of x + skip + bias.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from symnet.importers.folding import functions
from symnet.importers.folding.tensors import Value
from symnet.importers.onnx import arithmetic, nonlinear, scattering
from symnet.importers.onnx.call import Call, Reader, Result


def _number(c: Call, name: str, default: float) -> float:
    return float(np.float32(c.get(name, default)))


def _biased(c: Call, i: int = 1) -> Value:
    return c.tensors.add(c.value(0), c.value(i)) if c.has(i) else c.value(0)


def _gelu(tanh: bool) -> Reader:
    return lambda c: c.tensors.apply(functions.gelu(tanh), _biased(c), "gelu")


def _quick_gelu(c: Call) -> Result:
    alpha = _number(c, "alpha", 1.702)
    return c.tensors.apply(functions.swish(alpha), c.value(0), "quick_gelu")


def _matmul(c: Call) -> Result:
    if c.get("transBatchA", 0) or c.get("transBatchB", 0):
        c.refuse("it moves the first axes (transBatchA, transBatchB)")
    t = c.tensors
    a, b = (
        t.places(c.value(i), lambda v: np.swapaxes(v, -1, -2)) if c.get(name, 0) else c.value(i)
        for i, name in enumerate(("transA", "transB"))
    )
    return t.multiply(t.matmul(a, b), _number(c, "alpha", 1.0))


def _fused_gemm(c: Call) -> Result:
    return _activation(c, arithmetic.READERS["Gemm"](c))


def _fused_conv(c: Call) -> Result:
    """f(W * x + b + z)."""
    y = arithmetic.READERS["Conv"](c)
    return _activation(c, c.tensors.add(y, c.value(3)) if c.has(3) else y)


_PARAMETERS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("Relu", "Tanh", "Sigmoid", "Softplus", "Softsign"), ()),
    **dict.fromkeys(("LeakyRelu", "Elu", "ThresholdedRelu"), ("alpha",)),
    "HardSigmoid": ("alpha", "beta"),
    "Selu": ("alpha", "gamma"),
    "Clip": ("min", "max"),
}
"""Activations that are fused, and the attributes that they have in `activation_params`' order."""


def _activation(c: Call, x: Value) -> Value:
    word = c.get("activation", b"")
    name = word.decode() if isinstance(word, bytes) else str(word)
    if not name:
        return x
    if name not in _PARAMETERS:
        c.refuse(f"its activation is {name!r}")
    given = dict(zip(_PARAMETERS[name], c.get("activation_params") or (), strict=False))
    given |= {n: v for n in _PARAMETERS[name] if (v := c.get(f"activation_{n}")) is not None}
    # Before opset 11 the bounds of Clip are attributes.
    return nonlinear.READERS[name](replace(c, op=name, inputs=[x], attributes=given, opset=10))


def _skip(centre: bool) -> Reader:
    def read(c: Call) -> Result:
        """(normalised, none, none, the sum): only the first and the last are read."""
        t, shift = c.tensors, 4 if centre else 3
        x = t.add(c.value(0), c.value(1))
        x = t.add(x, c.value(shift)) if c.has(shift) else x
        epsilon = _number(c, "epsilon", 1e-12)
        normal = t.multiply(t.normalised(x, [-1], epsilon, centre), c.constant(2, "scales"))
        if centre and c.has(3):
            normal = t.add(normal, c.constant(3, "shifts"))
        return [normal, None, None, x][: c.results]

    return read


def _bias_add(c: Call) -> Result:
    return c.tensors.add(_biased(c), c.value(2))


def _scaled_tanh(c: Call) -> Result:
    inner = c.tensors.multiply(c.value(0), _number(c, "beta", 1.0))
    return c.tensors.multiply(c.tensors.apply("tanh", inner), _number(c, "alpha", 1.0))


def _affine(c: Call) -> Result:
    scaled = c.tensors.multiply(c.value(0), _number(c, "alpha", 1.0))
    return c.tensors.add(scaled, _number(c, "beta", 0.0))


def _parametric_softplus(c: Call) -> Result:
    inner = c.tensors.multiply(c.value(0), _number(c, "beta", 1.0))
    return c.tensors.multiply(c.tensors.apply("softplus", inner), _number(c, "alpha", 1.0))


def _image_scaler(c: Call) -> Result:
    scaled = c.tensors.multiply(c.value(0), _number(c, "scale", 1.0))
    shifts = np.array(c.get("bias") or [0.0], dtype=np.float32).astype(np.float64)
    return c.tensors.add(scaled, shifts.reshape(1, -1, 1, 1))


READERS: dict[str, Reader] = {
    "Gelu": _gelu(False),
    "BiasGelu": _gelu(False),
    "FastGelu": _gelu(True),
    "QuickGelu": _quick_gelu,
    "FusedMatMul": _matmul,
    "TransposeMatMul": _matmul,
    "FusedGemm": _fused_gemm,
    "FusedConv": _fused_conv,
    "SkipLayerNormalization": _skip(True),
    "SkipSimplifiedLayerNormalization": _skip(False),
    "BiasAdd": _bias_add,
    "Trilu": scattering.READERS["Trilu"],
}
"""Operators of com.microsoft."""

PLAIN: dict[str, Reader] = {
    "SimplifiedLayerNormalization": nonlinear.READERS["RMSNormalization"],
    "ScaledTanh": _scaled_tanh,
    "Affine": _affine,
    "ParametricSoftplus": _parametric_softplus,
    "ImageScaler": _image_scaler,
}
"""Operators without a domain that no opset of ONNX has, or has any more."""
