"""Keras's attention: softmax(q kᵀ scale + mask) v, of one head or several."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from symnet.importers.folding.choices import Condition
from symnet.importers.folding.einsum import einsum
from symnet.importers.folding.forms import Form
from symnet.importers.folding.tensors import Tensors, Value
from symnet.importers.keras.layer import Layer, Rule, array
from symnet.network.weights import Array


def causal(t: Tensors, scores: Value, asked: Any, mask: Any = None) -> Value:
    """−∞ where the place of a key is after that of a query, or where a constant mask is 0."""
    allowed = np.tri(*scores.shape[-2:]) > 0 if asked else np.asarray(True)
    if mask is not None:
        allowed = allowed & (constant_mask(mask) != 0)
    if not allowed.any(axis=-1).all():
        raise ValueError("its mask leaves nothing of a row")
    return masked(t, scores, allowed)


def constant_mask(mask: Any) -> Array:
    """ValueError for one that depends on the inputs."""
    if isinstance(mask, Form | Condition):
        raise ValueError("its mask depends on the inputs")
    return np.asarray(mask)


def masked(t: Tensors, x: Value, allowed: Array) -> Value:
    """−∞ where it is not allowed."""
    return x if allowed.all() else t.add(x, np.where(allowed, 0.0, -np.inf))


def _attention(layer: Layer) -> Any:
    """Attention by products, or (AdditiveAttention, score_mode="concat") by tanh of sums."""
    t, config, named = layer.tensors, layer.config, layer.named
    query, value = layer.inputs[:2]
    key = layer.inputs[2] if len(layer.inputs) > 2 else value
    scale = array(layer, 0, "scale") if layer.arrays else None
    if config.get("score_mode", "dot") != "dot":
        raise ValueError(f"its score_mode is {config['score_mode']!r}; symnet reads dot")
    scores = t.matmul(query, t.places(key, lambda a: np.swapaxes(a, -1, -2)))
    return _weighted(layer, scores if scale is None else t.multiply(scores, scale), value, named)


def _additive(layer: Layer) -> Any:
    t = layer.tensors
    query, value = layer.inputs[:2]
    key = layer.inputs[2] if len(layer.inputs) > 2 else value
    queries = t.places(query, lambda a: a[:, :, None])
    keys = t.places(key, lambda a: a[:, None])
    sums = t.apply("tanh", t.add(queries, keys))
    if layer.arrays:
        sums = t.multiply(sums, array(layer, 0, "scale"))
    return _weighted(layer, t.sum(sums, [-1], False), value, layer.named)


def _weighted(layer: Layer, scores: Value, value: Value, named: Mapping[str, Any]) -> Any:
    t = layer.tensors
    weights = t.softmax(causal(t, scores, named.get("use_causal_mask")), [-1])
    result = t.matmul(weights, value)
    return [result, weights] if named.get("return_attention_scores") else result


def _heads(layer: Layer) -> Any:
    """On (batch, tokens, width); arrays are of query, key, value, output.

    In GroupQueryAttention several heads of queries share one of keys and values.
    """
    t, config, named = layer.tensors, layer.config, layer.named
    if config.get("use_gate") or config.get("sliding_window") is not None:
        raise ValueError("it has a gate or a sliding window")
    given = dict(zip(("query", "value", "key"), layer.inputs, strict=False)) | dict(named)
    query, value = given["query"], given["value"]
    key = value if given.get("key") is None else given["key"]
    if len(query.shape) != 3 or config.get("attention_axes") not in (None, [1]):
        raise ValueError(f"it takes a query of the shape {query.shape[1:]}; symnet reads 2 axes")
    biased = bool(config.get("use_bias", True))
    step = 2 if biased else 1

    def projected(x: Value, k: int, equation: str, what: str) -> Value:
        result = einsum(t, equation, [x, array(layer, k * step, f"kernel of its {what}")])
        return (
            t.add(result, array(layer, k * step + 1, f"bias of its {what}")) if biased else result
        )

    into = "btd,dnk->btnk"
    q, k, v = (
        projected(x, place, into, what)
        for place, (x, what) in enumerate(((query, "query"), (key, "key"), (value, "value")))
    )
    times = q.shape[2] // k.shape[2]
    k, v = (t.places(part, lambda a: np.repeat(a, times, axis=2)) for part in (k, v))
    scores = t.multiply(einsum(t, "btnk,bsnk->bnts", [q, k]), 1 / math.sqrt(q.shape[3]))
    mask: Any = named.get("attention_mask")
    if mask is not None and len(mask.shape) == 3:
        mask = t.places(mask, lambda a: a[:, None])  # the same for each head
    weights = t.softmax(causal(t, scores, named.get("use_causal_mask"), mask), [-1])
    mixed = einsum(t, "bnts,bsnv->btnv", [weights, v])
    result = projected(mixed, 3, "btnv,nvo->bto", "output")
    return [result, weights] if named.get("return_attention_scores") else result


OF_HEADS = ("MultiHeadAttention", "GroupQueryAttention")

ATTENTION: Mapping[str, Rule] = {
    "Attention": _attention,
    "AdditiveAttention": _additive,
    **dict.fromkeys(OF_HEADS, _heads),
}

KEYWORDS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(
        OF_HEADS,
        (
            *("query", "value", "key", "use_causal_mask", "attention_mask"),
            "return_attention_scores",
        ),
    ),
    "Softmax": ("mask",),
    **dict.fromkeys(
        ("Attention", "AdditiveAttention"), ("use_causal_mask", "return_attention_scores")
    ),
    **dict.fromkeys(("SimpleRNN", "LSTM", "GRU", "RNN", "Bidirectional"), ("initial_state",)),
}
"""Keyword arguments beside `training` that change what a layer gives, and are read."""
