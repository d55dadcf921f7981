"""ONNX operators that become nodes: functions entry by entry, softmax, normalisation."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from sympy import Expr, Piecewise

from symnet.activations import Z
from symnet.importers.folding import functions
from symnet.importers.folding.forms import Form
from symnet.importers.folding.tensors import Value
from symnet.importers.onnx.call import Call, Reader, Result


def _plain(name: str) -> Reader:
    return lambda c: c.tensors.apply(name, c.value(0))


def _formula(name: str, build: Callable[[Call], Expr]) -> Reader:
    return lambda c: c.tensors.apply(build(c), c.value(0), name)


def _single(c: Call, name: str, default: float) -> float:
    """A float attribute: ONNX has it in single precision, its default as well."""
    return float(np.float32(c.get(name, default)))


def _clip(c: Call) -> Result:
    if c.opset >= 11 and any(c.has(i) and isinstance(c.value(i), Form) for i in (1, 2)):
        above = c.tensors.maximum(c.value(0), c.value(1)) if c.has(1) else c.value(0)
        return c.tensors.minimum(above, c.value(2)) if c.has(2) else above
    low, high = c.number("min", 0 if c.opset < 11 else 1, 11), c.number("max", 2, 11)
    return c.tensors.clip(c.value(0), low, high)


def _selu(c: Call) -> Expr:
    alpha, gamma = (
        _single(c, "alpha", 1.67326319217681884765625),
        _single(c, "gamma", 1.05070102214813232421875),
    )
    return functions.elu(alpha, gamma)


def _gelu(c: Call) -> Expr:
    return functions.gelu(c.get("approximate", b"none") in (b"tanh", "tanh"))


def _hard_sigmoid(c: Call) -> Expr:
    return functions.hard_sigmoid(_single(c, "alpha", 0.2), _single(c, "beta", 0.5))


def _thresholded(c: Call) -> Expr:
    return Piecewise((0, functions.number(_single(c, "alpha", 1.0)) >= Z), (Z, True))


def _softmax(log: bool) -> Reader:
    def read(c: Call) -> Result:
        x = c.value(0)
        if c.opset >= 13:
            return c.tensors.softmax(x, [c.get("axis", -1)], log)
        axis = c.get("axis", 1) % max(1, len(x.shape))
        return c.tensors.softmax(x, list(range(axis, len(x.shape))), log)

    return read


def _trailing(c: Call) -> list[int]:
    rank = len(c.value(0).shape)
    return list(range(c.get("axis", -1) % rank, rank))


def _affine(c: Call, x: Value, first: int, shape: Sequence[int] | None = None) -> Value:
    """Scale and shift, the inputs `first` and the one after it."""
    for i, operation in ((first, c.tensors.multiply), (first + 1, c.tensors.add)):
        if c.has(i):
            given = c.value(i)
            x = operation(x, given if shape is None else c.tensors.reshape(given, shape))
    return x


def _layer_normalization(c: Call) -> Result:
    """(normalised, mean, 1/deviation): the last two where they have names."""
    t, x, axes, epsilon = c.tensors, c.value(0), _trailing(c), _single(c, "epsilon", 1e-5)
    found = [_affine(c, t.normalised(x, axes, epsilon), 1)]
    if any(c.named[1:]):
        mean = t.sum(x, axes, True, mean=True)
        squares = t.apply("square", t.subtract(x, mean))
        spread = t.add(t.sum(squares, axes, True, mean=True), epsilon)
        found += [mean, t.apply("rsqrt", spread)]
    return found[: c.results]


def _rms_normalization(c: Call) -> Result:
    epsilon = _single(c, "epsilon", 1e-5)
    return _affine(c, c.tensors.normalised(c.value(0), _trailing(c), epsilon, centre=False), 1)


def _instance_normalization(c: Call) -> Result:
    x = c.value(0)
    axes = list(range(2, len(x.shape)))
    normal = c.tensors.normalised(x, axes, _single(c, "epsilon", 1e-5))
    return _affine(c, normal, 1, [1, -1, *[1] * len(axes)])


def _group_normalization(c: Call) -> Result:
    x, groups = c.value(0), c.get("num_groups")
    batch, channels, *image = x.shape
    t = c.tensors
    grouped = t.reshape(x, (batch, groups, -1))
    normal = t.reshape(t.normalised(grouped, [2], _single(c, "epsilon", 1e-5)), x.shape)
    if c.opset < 21:  # a scale for each group, in 18 to 20
        wide = t.reshape(normal, (batch, groups, channels // groups, *image))
        scaled = _affine(c, wide, 1, [1, -1, *[1] * (len(image) + 1)])
        return t.reshape(scaled, x.shape)
    return _affine(c, normal, 1, [1, -1, *[1] * len(image)])


_NAMES = (
    *("relu", "sigmoid", "tanh", "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh"),
    *("asinh", "acosh", "atanh", "exp", "log", "sqrt", "reciprocal", "erf", "abs"),
    *("softplus", "softsign", "mish"),
)

READERS: dict[str, Reader] = {
    **{name.capitalize(): _plain(name) for name in _NAMES},
    "HardSwish": _plain("hard_swish"),
    "LeakyRelu": _formula("leaky_relu", lambda c: functions.leaky(_single(c, "alpha", 0.01))),
    "Elu": _formula("elu", lambda c: functions.elu(_single(c, "alpha", 1.0))),
    "Celu": _formula("celu", lambda c: functions.celu(_single(c, "alpha", 1.0))),
    "Selu": _formula("selu", _selu),
    "Gelu": _formula("gelu", _gelu),
    "Swish": _formula("swish", lambda c: functions.swish(_single(c, "alpha", 1.0))),
    "HardSigmoid": _formula("hard_sigmoid", _hard_sigmoid),
    "ThresholdedRelu": _formula("thresholded_relu", _thresholded),
    "Shrink": _formula(
        "shrink", lambda c: functions.shrink(_single(c, "lambd", 0.5), _single(c, "bias", 0.0))
    ),
    "Sign": _formula("sign", lambda c: functions.SIGN),
    "Clip": _clip,
    "Softmax": _softmax(False),
    "LogSoftmax": _softmax(True),
    "LayerNormalization": _layer_normalization,
    "RMSNormalization": _rms_normalization,
    "InstanceNormalization": _instance_normalization,
    "GroupNormalization": _group_normalization,
}
