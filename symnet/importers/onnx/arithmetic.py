"""ONNX operators of arithmetic: sums, products, matrices, convolutions, reductions."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from symnet.importers.folding import images
from symnet.importers.folding.cumulating import cumulative
from symnet.importers.folding.einsum import einsum
from symnet.importers.folding.small import determinant
from symnet.importers.folding.tensors import Tensors, Value
from symnet.importers.folding.windows import Windows, same_pads
from symnet.importers.onnx.call import Call, Reader, Result

Binary = Callable[[Tensors, Value, Value], Value]


def _binary(operation: Binary) -> Reader:
    return lambda c: operation(c.tensors, c.value(0), c.second())


def _prelu(c: Call) -> Result:
    """Opsets below 7 have a slope for each channel."""
    x, slopes = c.value(0), c.value(1)
    if c.opset < 7 and len(slopes.shape) == 1 and slopes.shape[0] > 1:
        slopes = c.tensors.reshape(slopes, (-1, *[1] * (len(x.shape) - 2)))
    return c.tensors.prelu(x, slopes)


def _many(operation: Binary, mean: bool = False) -> Reader:
    def read(c: Call) -> Result:
        parts = [c.value(i) for i in range(len(c.inputs))]
        total = functools.reduce(functools.partial(operation, c.tensors), parts)
        return c.tensors.multiply(total, 1 / len(parts)) if mean else total

    return read


def _gemm(c: Call) -> Result:
    t = c.tensors
    a, b = c.value(0), c.value(1)
    a = t.places(a, np.transpose) if c.get("transA", 0) else a
    b = t.places(b, np.transpose) if c.get("transB", 0) else b
    if len(a.shape) != 2 or len(b.shape) != 2:
        c.refuse(f"a product of the shapes {a.shape} and {b.shape}; expected two matrices")
    result = t.multiply(t.matmul(a, b), float(c.get("alpha", 1.0)))
    if not c.has(2) or c.get("beta", 1.0) == 0:
        return result
    return t.add(result, t.multiply(c.value(2), float(c.get("beta", 1.0))))


def _batch_normalization(c: Call) -> Result:
    x = c.value(0)
    if c.get("training_mode", 0) or (c.opset < 7 and not c.get("is_test", 0)):
        c.refuse("it is in training mode; export the model in evaluation mode")
    if 7 <= c.opset < 14 and any(c.named[1:]):
        c.refuse("it gives statistics of a batch: training mode; export it in evaluation mode")
    scale, shift, mean, variance = (
        np.asarray(c.constant(i, "parameters"), dtype=np.float64) for i in range(1, 5)
    )
    factor = scale / np.sqrt(variance + float(c.get("epsilon", np.float32(1e-5))))
    shape = [1, -1, *[1] * (len(x.shape) - 2)] if len(x.shape) > 1 else [-1]
    if c.opset < 9 and not c.get("spatial", 1):  # each place has parameters of its own
        shape = [1, *x.shape[1:]]
    t = c.tensors
    scaled = t.multiply(x, factor.reshape(shape))
    return [t.add(scaled, (shift - mean * factor).reshape(shape)), *[None] * (c.results - 1)]


def windows_of(c: Call, image: tuple[int, ...], kernel: tuple[int, ...]) -> Windows:
    """How the node's kernel moves over an image."""
    rank = len(kernel)
    strides = list(c.get("strides") or [1] * rank)
    dilations = list(c.get("dilations") or [1] * rank)
    pads = list(c.get("pads") or [0] * 2 * rank)
    auto = c.get("auto_pad", b"NOTSET")
    auto = auto.decode() if isinstance(auto, bytes) else auto
    if len(image) != rank or len(strides) != rank or len(dilations) != rank:
        c.refuse(f"a kernel of {rank} axes on an image of {len(image)}")
    if auto in ("SAME_UPPER", "SAME_LOWER"):
        pads = same_pads(image, kernel, strides, dilations, auto == "SAME_LOWER")
    elif auto == "VALID":
        pads = [0] * 2 * rank
    elif auto not in ("NOTSET", ""):
        c.refuse(f"its auto_pad is {auto!r}")
    return Windows.of(kernel, strides, dilations, pads, bool(c.get("ceil_mode", 0)))


def _conv(c: Call) -> Result:
    x, weights = c.form(0), c.constant(1, "weights")
    bias = c.constant(2, "biases") if c.has(2) else None
    windows = windows_of(c, x.shape[2:], weights.shape[2:])
    return images.conv(c.tensors, x, weights, bias, windows, c.get("group", 1))


def _average_pool(c: Call) -> Result:
    x = c.form(0)
    windows = windows_of(c, x.shape[2:], tuple(c.get("kernel_shape")))
    return images.average_pool(c.tensors, x, windows, bool(c.get("count_include_pad", 0)))


def _max_pool(c: Call) -> Result:
    """The values; their places are no numbers."""
    x = c.form(0)
    windows = windows_of(c, x.shape[2:], tuple(c.get("kernel_shape")))
    return [images.max_pool(c.tensors, x, windows), None][: c.results]


def _global_pool(reduce: Callable[[Tensors, Value, list[int]], Value]) -> Reader:
    return lambda c: reduce(c.tensors, c.value(0), list(range(2, len(c.value(0).shape))))


def _reduction(reduce: Callable[[Tensors, Value, Any, bool], Value], before: int = 18) -> Reader:
    def read(c: Call) -> Result:
        axes = c.integers("axes", 1, before)
        if not axes and not c.get("noop_with_empty_axes", 0):
            axes = None
        elif not axes:  # each entry by itself
            wide = c.tensors.reshape(c.value(0), (*c.value(0).shape, 1))
            return reduce(c.tensors, wide, [len(wide.shape) - 1], False)
        return reduce(c.tensors, c.value(0), axes, bool(c.get("keepdims", 1)))

    return read


def _squares(t: Tensors, x: Value, axes: Any, keep: bool) -> Value:
    return t.sum(t.multiply(x, x), axes, keep)


def _absolutes(t: Tensors, x: Value, axes: Any, keep: bool) -> Value:
    return t.sum(t.apply("abs", x), axes, keep)


def _cumsum(c: Call) -> Result:
    axis = int(c.constant(1, "axis").reshape(-1)[0])
    reverse, exclusive = bool(c.get("reverse", 0)), bool(c.get("exclusive", 0))
    return c.tensors.cumulated(c.value(0), axis, reverse, exclusive)


def _cumprod(c: Call) -> Result:
    axis, back = int(c.constant(1, "axis").reshape(-1)[0]), bool(c.get("reverse", 0))
    if not c.get("exclusive", 0):
        return cumulative(c.tensors, c.value(0), axis, Tensors.multiply, back)
    # Of the entries before each: 1 in the place of the first, and all but the last of the others.
    shape = c.value(0).shape
    one = np.ones([1 if k == axis % len(shape) else s for k, s in enumerate(shape)])
    kept = range(1, shape[axis]) if back else range(shape[axis] - 1)
    others = c.tensors.places(c.value(0), lambda a: np.take(a, kept, axis=axis))
    parts = [others, one] if back else [one, others]
    return cumulative(c.tensors, c.tensors.concatenate(parts, axis), axis, Tensors.multiply, back)


def _einsum(c: Call) -> Result:
    equation = c.get("equation")
    text = equation.decode() if isinstance(equation, bytes) else str(equation)
    return einsum(c.tensors, text, [c.value(i) for i in range(len(c.inputs))])


def _conv_transpose(c: Call) -> Result:
    """The transpose of the matrix of a convolution, cut or padded at the ends."""
    x, weights = c.form(0), np.asarray(c.constant(1, "weights"), dtype=np.float64)
    image, kernel, groups = x.shape[2:], weights.shape[2:], int(c.get("group", 1))
    rank = len(kernel)
    strides = list(c.get("strides") or [1] * rank)
    dilations = list(c.get("dilations") or [1] * rank)
    more = list(c.get("output_padding") or [0] * rank)
    extents = [(k - 1) * d + 1 for k, d in zip(kernel, dilations, strict=True)]
    full = [s * (n - 1) + e for n, s, e in zip(image, strides, extents, strict=True)]
    pads = _transpose_pads(c, image, strides, full, more)
    size = [
        f + m - pads[k] - pads[rank + k] for k, (f, m) in enumerate(zip(full, more, strict=True))
    ]
    bias = np.asarray(c.constant(2, "biases")) if c.has(2) else None
    windows = Windows(tuple(kernel), tuple(strides), tuple(dilations), tuple(pads))
    return images.conv_transpose(c.tensors, x, weights, bias, windows, size, groups)


def _transpose_pads(
    c: Call, image: Sequence[int], strides: list[int], full: list[int], more: list[int]
) -> list[int]:
    auto, shape = c.get("auto_pad", b"NOTSET"), c.get("output_shape")
    auto = auto.decode() if isinstance(auto, bytes) else auto
    if shape is None and auto in ("NOTSET", "VALID", ""):
        return (
            list(c.get("pads") or [0] * 2 * len(image)) if auto != "VALID" else [0] * 2 * len(image)
        )
    wanted = shape or [n * s for n, s in zip(image, strides, strict=True)]
    total = [f + m - w for f, m, w in zip(full, more, wanted, strict=True)]
    if min(total) < 0:
        c.refuse(f"its image is {list(wanted)}, larger than the {full} that its kernels write")
    small, large = [t // 2 for t in total], [t - t // 2 for t in total]
    return small + large if auto == "SAME_UPPER" else large + small


def _norm(c: Call) -> Result:
    t, x, axis = c.tensors, c.value(0), c.get("axis", -1)
    if c.get("p", 2) not in (1, 2):
        c.refuse(f"its p is {c.get('p')}; ONNX has 1 and 2")
    if c.get("p", 2) == 2:
        size = t.apply("sqrt", _squares(t, x, [axis], True))
    else:
        size = _absolutes(t, x, [axis], True)
    return t.divide(x, size)


READERS: dict[str, Reader] = {
    "Add": _binary(Tensors.add),
    "Sub": _binary(Tensors.subtract),
    "Mul": _binary(Tensors.multiply),
    "Div": _binary(Tensors.divide),
    "Pow": _binary(Tensors.power),
    "PRelu": _prelu,
    "Sum": _many(Tensors.add),
    "Mean": _many(Tensors.add, mean=True),
    "Max": _many(Tensors.maximum),
    "Min": _many(Tensors.minimum),
    "Neg": lambda c: c.tensors.negative(c.value(0)),
    "MatMul": lambda c: c.tensors.matmul(c.value(0), c.value(1)),
    "Gemm": _gemm,
    "Conv": _conv,
    "BatchNormalization": _batch_normalization,
    "AveragePool": _average_pool,
    "MaxPool": _max_pool,
    "GlobalAveragePool": _global_pool(lambda t, x, axes: t.sum(x, axes, True, mean=True)),
    "GlobalMaxPool": _global_pool(lambda t, x, axes: t.extreme(x, axes, True, True)),
    "ReduceSum": _reduction(Tensors.sum, 13),
    "ReduceMean": _reduction(lambda t, x, axes, keep: t.sum(x, axes, keep, mean=True)),
    "ReduceMax": _reduction(lambda t, x, axes, keep: t.extreme(x, axes, keep, True)),
    "ReduceMin": _reduction(lambda t, x, axes, keep: t.extreme(x, axes, keep, False)),
    "ReduceSumSquare": _reduction(_squares),
    "ReduceL1": _reduction(_absolutes),
    "ReduceL2": _reduction(lambda t, x, axes, keep: t.apply("sqrt", _squares(t, x, axes, keep))),
    "ReduceLogSumExp": _reduction(Tensors.log_sum_exp),
    "LpNormalization": _norm,
    "CumSum": _cumsum,
    "CumProd": _cumprod,
    "Det": lambda c: determinant(c.tensors, c.value(0)),
    "Einsum": _einsum,
    "ConvTranspose": _conv_transpose,
    "ReduceProd": _reduction(Tensors.product),
    "ReduceLogSum": _reduction(lambda t, x, axes, keep: t.apply("log", t.sum(x, axes, keep))),
}
