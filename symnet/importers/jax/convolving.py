"""JAX's one convolution, which is also that of gradients and the transposed one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from symnet.extras import needed
from symnet.importers.folding import images, matrices
from symnet.importers.folding.tensors import Tensors, Value
from symnet.importers.folding.windows import Windows
from symnet.importers.jax.rules import Parameters, plain, varies


def convolved(t: Tensors, equation: Any, given: list[Any]) -> Sequence[Value]:
    """conv_general_dilated, of an image or of kernels that vary."""
    x, weights = given
    if varies(x) and varies(weights):
        raise ValueError("its weights depend on the inputs")
    if varies(x) and equation.params["batch_group_count"] == 1:
        return [_conv(t, equation.params, plain(t, x), weights)]
    return [_linear(t, equation, given)]


def _conv(t: Tensors, parameters: Parameters, x: Value, weights: Value) -> Value:
    numbers = parameters["dimension_numbers"]
    image = t.places(x, lambda a: a.transpose(numbers.lhs_spec))
    kernel = np.asarray(weights).transpose(numbers.rhs_spec)
    for axis, step in enumerate(parameters["lhs_dilation"], start=2):
        image = _spread(t, image, axis, step)
    pads = parameters["padding"]
    if any(low < 0 or high < 0 for low, high in pads):
        image = t.pad(image, [(0, 0), (0, 0), *((min(a, 0), min(b, 0)) for a, b in pads)])
    windows = Windows.of(
        kernel.shape[2:],
        parameters["window_strides"],
        parameters["rhs_dilation"],
        [max(low, 0) for low, _ in pads] + [max(high, 0) for _, high in pads],
    )
    groups = parameters["feature_group_count"]
    value = images.conv(t, t.form(image), kernel, None, windows, groups)
    return t.places(value, lambda a: a.transpose(np.argsort(numbers.out_spec)))


def _spread(t: Tensors, x: Value, axis: int, step: int) -> Value:
    """With zeros between the entries along an axis, which then stand `step` apart."""
    if step == 1:
        return x
    before, n, after = x.shape[:axis], x.shape[axis], x.shape[axis + 1 :]
    widths = [*[(0, 0)] * len(before), (0, 0), (0, step - 1), *[(0, 0)] * len(after)]
    wide = t.reshape(t.pad(t.reshape(x, (*before, n, 1, *after)), widths), (*before, -1, *after))
    return t.places(wide, lambda a: np.take(a, range((n - 1) * step + 1), axis))


def _linear(t: Tensors, equation: Any, given: list[Any]) -> Value:
    """What is linear in the one argument that varies, by its matrix: JAX's own of unit vectors."""
    jax, parameters = needed("jax", "jax"), equation.params
    (where,) = (k for k, v in enumerate(given) if varies(v))
    x = t.form(plain(t, given[where]))
    known = [None if k == where else np.asarray(v, dtype=np.float64) for k, v in enumerate(given)]
    (shape,) = (v.aval.shape for v in equation.outvars)
    entries = x.size * max(x.size, math.prod(shape))
    matrices.check_size(entries, f"the matrix from {x.shape} to {shape}")

    def run(unit: Any) -> Any:
        arguments = [unit if v is None else v for v in known]
        return equation.primitive.bind(*arguments, **parameters)

    units = jax.vmap(run)(np.eye(x.size).reshape(x.size, *x.shape))
    M = np.asarray(units).reshape(x.size, -1).T
    row, column = np.nonzero(M)
    found = matrices.from_entries(row, column, M[row, column], M.shape)
    return t.fold.times(x, found, tuple(shape), True)
