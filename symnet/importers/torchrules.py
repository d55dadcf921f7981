"""A rule for each operation of PyTorch's exported programs (`aten`), with PyTorch's arguments."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from symnet.importers import functions, images
from symnet.importers.tensors import Tensors, Value
from symnet.importers.windows import Windows
from symnet.network.weights import Array

Rule = Callable[..., Value]


def _plain(name: str) -> Rule:
    return lambda t, x: t.apply(name, x)


def _linear(t: Tensors, x: Value, weight: Array, bias: Array | None = None) -> Value:
    value = t.matmul(x, t.places(weight, np.transpose))
    return value if bias is None else t.add(value, bias)


def _addmm(t: Tensors, bias: Value, x: Value, y: Value, beta: Any = 1, alpha: Any = 1) -> Value:
    return t.add(t.multiply(t.matmul(x, y), alpha), t.multiply(bias, beta))


def _add(t: Tensors, x: Value, y: Value, alpha: Any = 1) -> Value:
    return t.add(x, y if alpha == 1 else t.multiply(y, alpha))


def _sub(t: Tensors, x: Value, y: Value, alpha: Any = 1) -> Value:
    return t.subtract(x, y if alpha == 1 else t.multiply(y, alpha))


def _div(t: Tensors, x: Value, y: Value, rounding_mode: str | None = None) -> Value:
    if rounding_mode is not None:
        raise ValueError("it rounds: that has no derivative")
    return t.divide(x, y)


def _softplus(t: Tensors, x: Value, beta: Any = 1, threshold: Any = 20) -> Value:
    # Beyond the threshold PyTorch takes z itself, which differs by exp(-20) at most.
    return t.apply(functions.softplus(beta), x, "softplus")


def _gelu(t: Tensors, x: Value, approximate: str = "none") -> Value:
    return t.apply(functions.gelu(approximate == "tanh"), x, "gelu")


def _elu(t: Tensors, x: Value, alpha: Any = 1, scale: Any = 1, input_scale: Any = 1) -> Value:
    if input_scale != 1:
        raise ValueError("elu with input_scale")
    return t.apply(functions.elu(alpha, scale), x, "elu")


def _leaky(t: Tensors, x: Value, slope: Any = 0.01) -> Value:
    return t.apply(functions.leaky(slope), x, "leaky_relu")


def _prelu(t: Tensors, x: Value, slopes: Array) -> Value:
    shape = [1, -1, *[1] * (len(x.shape) - 2)] if len(x.shape) > 1 else [-1]
    return t.prelu(x, np.asarray(slopes).reshape(shape if np.size(slopes) > 1 else ()))


def _hard_sigmoid(t: Tensors, x: Value) -> Value:
    return t.apply(functions.hard_sigmoid(functions.number(1) / 6, 0.5), x, "hard_sigmoid")


def _shrink(t: Tensors, x: Value, threshold: Any = 0.5) -> Value:
    return t.apply(functions.shrink(threshold, threshold), x, "softshrink")


def _batch_norm(
    t: Tensors,
    x: Value,
    weight: Array | None,
    bias: Array | None,
    mean: Array | None,
    variance: Array | None,
    training: bool = False,
    momentum: float = 0.1,
    epsilon: float = 1e-5,
    *_: Any,
) -> Value:
    if training or mean is None or variance is None:
        raise ValueError("it normalises by the batch; track_running_stats and eval() are needed")
    factor = (
        1 / np.sqrt(variance + epsilon) if weight is None else weight / np.sqrt(variance + epsilon)
    )
    shift = -mean * factor if bias is None else bias - mean * factor
    shape = [1, -1, *[1] * (len(x.shape) - 2)]
    return t.add(t.multiply(x, factor.reshape(shape)), shift.reshape(shape))


def _layer_norm(
    t: Tensors,
    x: Value,
    normalized_shape: Sequence[int],
    weight: Array | None = None,
    bias: Array | None = None,
    epsilon: float = 1e-5,
    *_: Any,
) -> Value:
    value = t.normalised(x, list(range(-len(normalized_shape), 0)), epsilon)
    value = value if weight is None else t.multiply(value, weight)
    return value if bias is None else t.add(value, bias)


def _weight_norm(t: Tensors, v: Array, g: Array, dim: int = 0) -> Array:
    """A parametrised matrix as it is: g v/|v|, a norm for each entry along the axis."""
    axes = tuple(axis for axis in range(v.ndim) if axis != dim % v.ndim)
    result: Array = v * (g / np.sqrt((v**2).sum(axis=axes, keepdims=True)))
    return result


def _softmax(log: bool) -> Rule:
    return lambda t, x, dim, *_: t.softmax(x, [dim], log)


def _reduced(mean: bool) -> Rule:
    def rule(t: Tensors, x: Value, dim: Any = None, keepdim: bool = False, **_: Any) -> Value:
        axes = None if dim in (None, []) else [dim] if isinstance(dim, int) else list(dim)
        return t.sum(x, axes, keepdim, mean=mean)

    return rule


def _extreme(larger: bool) -> Rule:
    def rule(t: Tensors, x: Value, dim: Any = (), keepdim: bool = False) -> Value:
        axes = [dim] if isinstance(dim, int) else list(dim)
        return t.extreme(x, axes or None, keepdim, larger)

    return rule


def _conv(
    t: Tensors,
    x: Value,
    weight: Array,
    bias: Array | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Value:
    rank = weight.ndim - 2
    if isinstance(padding, str):
        raise ValueError(f"padding {padding!r}; give it as numbers")
    pads = _each(padding, rank) * 2
    windows = Windows.of(weight.shape[2:], _each(stride, rank), _each(dilation, rank), pads)
    return images.conv(t, t.form(x), weight, bias, windows, groups)


def _each(given: Any, rank: int) -> list[int]:
    values = [given] if isinstance(given, int) else list(given)
    return values * rank if len(values) == 1 else values


def _pool(average: bool, rank: int) -> Rule:
    def rule(
        t: Tensors, x: Value, kernel: Any, stride: Any = (), padding: Any = 0, *more: Any
    ) -> Value:
        if any(more[: 2 if average else 1]) and more[0] not in (False, 1, [1] * rank):
            raise ValueError("pooling with dilation or ceil_mode")
        sizes = _each(kernel, rank)
        steps = sizes if stride in ((), [], None) else _each(stride, rank)
        windows = Windows.of(sizes, steps, None, _each(padding, rank) * 2)
        if average:
            return images.average_pool(t, t.form(x), windows, True)
        return images.max_pool(t, t.form(x), windows)

    return rule


def _flatten(t: Tensors, x: Value, start: int = 0, end: int = -1) -> Value:
    rank = len(x.shape)
    first, last = start % rank, end % rank
    return t.reshape(x, (*x.shape[:first], -1, *x.shape[last + 1 :]))


def _slice(
    t: Tensors, x: Value, dim: int = 0, start: Any = None, end: Any = None, step: int = 1
) -> Value:
    cut: list[slice] = [slice(None)] * len(x.shape)
    cut[dim] = slice(start, end, step)
    return t.places(x, lambda a: a[tuple(cut)])


def _cat(t: Tensors, parts: Sequence[Value], dim: int = 0) -> Value:
    return t.concatenate(list(parts), dim)


def _stack(t: Tensors, parts: Sequence[Value], dim: int = 0) -> Value:
    return t.mixed(list(parts), lambda arrays: np.stack(arrays, dim))


def _split(t: Tensors, x: Value, sizes: Any, dim: int = 0) -> list[Value]:
    whole = x.shape[dim]
    if isinstance(sizes, int):
        sizes = [min(sizes, whole - start) for start in range(0, whole, sizes)]
    starts = np.cumsum([0, *sizes])
    return [_slice(t, x, dim, int(a), int(b)) for a, b in pairwise(starts)]


def _chunk(t: Tensors, x: Value, count: int, dim: int = 0) -> list[Value]:
    return _split(t, x, -(-x.shape[dim] // count), dim)


def _select(t: Tensors, x: Value, dim: int, index: int) -> Value:
    return t.places(x, lambda a: np.take(a, index, axis=dim))


def _index_select(t: Tensors, x: Value, dim: int, index: Array) -> Value:
    return t.places(x, lambda a: np.take(a, np.asarray(index), axis=dim))


def _expand(t: Tensors, x: Value, sizes: Sequence[int], **_: Any) -> Value:
    known = (1,) * (len(sizes) - len(x.shape)) + tuple(x.shape)
    return t.broadcast(x, [k if s == -1 else s for s, k in zip(sizes, known, strict=True)])


def _transpose(t: Tensors, x: Value, first: int, second: int) -> Value:
    return t.places(x, lambda a: np.swapaxes(a, first, second))


def _clamp(t: Tensors, x: Value, low: Any = None, high: Any = None) -> Value:
    return t.clip(x, low, high)


def _where(t: Tensors, condition: Any, x: Value, y: Value) -> Value:
    known = np.asarray(condition)
    if known.dtype == object:
        raise ValueError("its condition depends on the inputs: a choice that has no derivative")
    return t.mixed([t.broadcast(v, known.shape) for v in (x, y)], lambda a: np.where(known, *a))


def _same(t: Tensors, x: Value, *_: Any, **__: Any) -> Value:
    return x


RULES: Mapping[str, Rule] = {
    **{
        name: _plain(name)
        for name in (
            *("relu", "sigmoid", "tanh", "sin", "cos", "tan", "asin", "acos", "atan", "sinh"),
            *("cosh", "asinh", "acosh", "atanh", "exp", "expm1", "log", "log1p", "log2", "log10"),
            *("sqrt", "rsqrt", "square", "reciprocal", "erf", "erfc", "abs", "silu", "mish"),
            *("relu6", "log_sigmoid"),
        )
    },
    "hardswish": _plain("hard_swish"),
    "hardsigmoid": _hard_sigmoid,
    "hardtanh": lambda t, x, low=-1.0, high=1.0: t.clip(x, low, high),
    "softplus": _softplus,
    "gelu": _gelu,
    "elu": _elu,
    "elu_": _elu,
    "relu_": _plain("relu"),
    "silu_": _plain("silu"),
    "selu": lambda t, x: t.apply("selu", x),
    "celu": lambda t, x, alpha=1.0: t.apply(functions.celu(alpha), x, "celu"),
    "leaky_relu": _leaky,
    "leaky_relu_": _leaky,
    "prelu": _prelu,
    "softshrink": _shrink,
    "hardshrink": lambda t, x, c=0.5: t.apply(functions.shrink(c, 0), x, "hardshrink"),
    "linear": _linear,
    "addmm": _addmm,
    "mm": Tensors.matmul,
    "matmul": Tensors.matmul,
    "bmm": Tensors.matmul,
    "add": _add,
    "add_": _add,
    "sub": _sub,
    "rsub": lambda t, x, y, alpha=1: _sub(t, y, x, alpha),
    "mul": Tensors.multiply,
    "mul_": Tensors.multiply,
    "div": _div,
    "neg": Tensors.negative,
    "pow": Tensors.power,
    "maximum": Tensors.maximum,
    "minimum": Tensors.minimum,
    "_weight_norm": _weight_norm,
    "batch_norm": _batch_norm,
    "layer_norm": _layer_norm,
    "softmax": _softmax(False),
    "log_softmax": _softmax(True),
    "sum": _reduced(False),
    "mean": _reduced(True),
    "amax": _extreme(True),
    "amin": _extreme(False),
    "conv1d": _conv,
    "conv2d": _conv,
    "avg_pool1d": _pool(True, 1),
    "avg_pool2d": _pool(True, 2),
    "max_pool1d": _pool(False, 1),
    "max_pool2d": _pool(False, 2),
    "flatten": _flatten,
    "view": Tensors.reshape,
    "reshape": Tensors.reshape,
    "permute": lambda t, x, order: t.places(x, lambda a: a.transpose(order)),
    "transpose": _transpose,
    "t": lambda t, x: t.places(x, np.transpose),
    "numpy_T": lambda t, x: t.places(x, np.transpose),
    "squeeze": lambda t, x, dim=None: t.places(x, lambda a: np.squeeze(a, _axes(dim))),
    "unsqueeze": lambda t, x, dim: t.places(x, lambda a: np.expand_dims(a, dim)),
    "cat": _cat,
    "stack": _stack,
    "split": _split,
    "split_with_sizes": _split,
    "chunk": _chunk,
    "getitem": lambda t, parts, k: parts[k],
    "slice": _slice,
    "select": _select,
    "index_select": _index_select,
    "expand": _expand,
    "clamp": _clamp,
    "clamp_min": lambda t, x, low: t.clip(x, low, None),
    "clamp_max": lambda t, x, high: t.clip(x, None, high),
    "where": _where,
    **dict.fromkeys(
        ("dropout", "dropout_", "alpha_dropout", "feature_dropout", "clone", "contiguous"), _same
    ),
    **dict.fromkeys(("to", "_to_copy", "detach", "detach_", "lift_fresh_copy", "alias"), _same),
}


def _axes(dim: Any) -> Any:
    return tuple(dim) if isinstance(dim, list | tuple) else dim
