"""Operations of `keras.ops` on vectors and matrices: products, norms, means, attention."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from symnet.importers.folding.einsum import einsum
from symnet.importers.folding.forms import Form
from symnet.importers.folding.tensors import Tensors, Value
from symnet.importers.keras.attention import causal
from symnet.importers.keras.convolutions import CONVOLUTIONS
from symnet.importers.keras.layer import Layer
from symnet.importers.keras.moves import Config, Rule, axes_of, constant


def _einsum(t: Tensors, config: Config, *operands: Value) -> Value:
    return einsum(t, config["subscripts"], [constant(x) for x in operands])


def _contracted(t: Tensors, config: Config, x1: Any, x2: Any) -> Value:
    """Sums of products over axes: inner has the last of both, tensordot says its."""
    x, y = constant(x1), constant(x2)
    if isinstance(x, Form) and isinstance(y, Form):
        raise ValueError("it multiplies the points of a batch with each other; use ops.einsum")
    axes = config.get("axes", [[-1], [-1]])
    if isinstance(axes, int):
        axes = [list(range(len(x.shape) - axes, len(x.shape))), list(range(axes))]
    mine, its = (np.ravel(part).astype(int) for part in axes)
    left, right = list("abcdefgh"[: len(x.shape)]), list("ijklmnop"[: len(y.shape)])
    for a, b in zip(mine, its, strict=True):
        right[b] = left[a]
    result = [c for c in left + right if (c in left) != (c in right)]
    return einsum(t, f"{''.join(left)},{''.join(right)}->{''.join(result)}", [x, y])


def _layer_norm(t: Tensors, config: Config, x: Value, gamma: Any = None, beta: Any = None) -> Value:
    if config.get("rms_scaling"):
        raise ValueError("it has rms_scaling; use ops.rms_normalization")
    rank = len(x.shape)
    axes = {axis % rank for axis in axes_of(config) or [-1]}
    shape = [n if k in axes else 1 for k, n in enumerate(x.shape)]
    scale, shift = (None if v is None else t.reshape(constant(v), shape) for v in (gamma, beta))
    return _shifted(t, config, x, scale, shift, True)


def _rms_norm(t: Tensors, config: Config, x: Value, scale: Any = None) -> Value:
    return _shifted(t, config, x, scale, None, False)


def _shifted(t: Tensors, config: Config, x: Value, scale: Any, shift: Any, centre: bool) -> Value:
    epsilon = config.get("epsilon")
    epsilon = 1e-7 if epsilon is None else float(epsilon)
    value = t.normalised(x, axes_of(config) or [-1], epsilon, centre)
    value = value if scale is None else t.multiply(value, constant(scale))
    return value if shift is None else t.add(value, constant(shift))


def _attention(
    t: Tensors,
    config: Config,
    query: Value,
    key: Value,
    value: Value,
    bias: Any = None,
    mask: Any = None,
    scale: Any = None,
) -> Value:
    """softmax(q kᵀ scale + bias) v on tensors (batch, place, head, width)."""
    if config.get("attn_logits_soft_cap") or query.shape[2] != key.shape[2]:
        raise ValueError("it has a soft cap, or fewer heads of keys than of queries")
    scale = query.shape[-1] ** -0.5 if scale is None else float(scale)
    scores = t.multiply(einsum(t, "btnh,bsnh->bnts", [query, key]), scale)
    scores = scores if bias is None else t.add(scores, constant(bias))
    scores = causal(t, scores, config.get("is_causal"), mask)
    return einsum(t, "bnts,bsnh->btnh", [t.softmax(scores, [-1]), value])


def _image(kind: str) -> Rule:
    """A convolution or a pooling, as the layer of the same name."""

    def rule(t: Tensors, config: Config, inputs: Value, kernel: Any = None) -> Value:
        name = f"{kind}{len(inputs.shape) - 2}D"
        arrays = [] if kernel is None else [constant(kernel)]
        return CONVOLUTIONS[name](Layer(t, {**config, "use_bias": False}, [inputs], arrays))

    return rule


def _norm(t: Tensors, config: Config, x: Value) -> Value:
    order = config.get("ord")
    if order not in (None, 2, "fro", 1) or (
        order in (1, 2) and len(axes_of(config) or x.shape) != 1
    ):
        raise ValueError(f"it is the norm {order!r}; symnet reads that of vectors of order 1 and 2")
    keep = bool(config.get("keepdims"))
    if order == 1:
        return t.sum(t.apply("abs", x), axes_of(config), keep)
    return t.apply("sqrt", t.sum(t.apply("square", x), axes_of(config), keep))


def _normalize(t: Tensors, config: Config, x: Value) -> Value:
    """x/|x|, with Keras's least |x|²: epsilon of it."""
    if config.get("order", 2) != 2:
        raise ValueError(f"it is of the order {config['order']}; symnet reads 2")
    epsilon = float(config.get("epsilon") or 1e-7)
    axes = axes_of(config) or [-1]
    squares = t.sum(t.apply("square", x), axes, True)
    return t.multiply(x, t.apply("rsqrt", t.maximum(squares, np.array(epsilon**2))))


def _average(t: Tensors, config: Config, x: Value, weights: Any = None) -> Value:
    if weights is None:
        return t.sum(x, axes_of(config), False, mean=True)
    over, shares = axes_of(config), constant(weights)
    if isinstance(shares, Form) or (shares.shape != x.shape and over is None):
        raise ValueError(f"its weights are of the shape {shares.shape}")
    if shares.shape != x.shape and over is not None:
        shares = shares.reshape(
            [-1 if k == over[0] % len(x.shape) else 1 for k in range(len(x.shape))]
        )
    shares = np.broadcast_to(shares, x.shape)
    whole = shares.sum(axis=None if over is None else tuple(over), keepdims=True)
    return t.sum(t.multiply(x, shares / whole), over, False)


def _dot(t: Tensors, config: Config, x: Value, y: Value) -> Value:
    if len(np.shape(y)) > 2:
        raise ValueError(f"it is of tensors of the shapes {np.shape(x)} and {np.shape(y)}")
    return t.matmul(constant(x), constant(y))


def _cross(t: Tensors, config: Config, x: Value, y: Value) -> Value:
    """x × y of vectors of three along the last axis: (x₂y₃ − x₃y₂, …)."""
    axes = {config.get(key) for key in ("axis", "axisa", "axisb", "axisc")}
    x, y = constant(x), constant(y)
    if not axes <= {None, -1} or {x.shape[-1], y.shape[-1]} != {3}:
        raise ValueError("it is not of vectors of three along the last axis")
    after, before = (partial(np.take, indices=k, axis=-1) for k in ([1, 2, 0], [2, 0, 1]))
    first = t.multiply(t.places(x, after), t.places(y, before))
    return t.subtract(first, t.multiply(t.places(x, before), t.places(y, after)))


VECTORS: Mapping[str, Rule] = {
    "Einsum": _einsum,
    "Norm": _norm,
    "Normalize": _normalize,
    "Average": _average,
    "Dot": _dot,
    "Cross": _cross,
    **dict.fromkeys(("Inner", "Tensordot"), _contracted),
    "LayerNorm": _layer_norm,
    "RMSNorm": _rms_norm,
    "DotProductAttention": _attention,
    "AveragePool": _image("AveragePooling"),
    "MaxPool": _image("MaxPooling"),
    "Conv": _image("Conv"),
}
