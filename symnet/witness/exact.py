"""Comparison of a function's directional derivatives with 50-digit arithmetic."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from symnet.network import Network
from symnet.progress import steps
from symnet.witness import digits
from symnet.witness.comparing import Checkable, CheckError, Comparison, Truth, tolerance, worst
from symnet.witness.units import units

Array = NDArray[Any]

_TINY = 1e-140  # below this, terms lose digits to underflow and there is nothing to compare
_NOISE = 1e-100  # of the value, below which the differences in 50 digits are none of a derivative


def against_digits(
    truth: Truth, function: Checkable, random: np.random.Generator
) -> list[Comparison]:
    """Directional derivatives Σ u_i u_j … ∂ʳy_p/∂x_i∂x_j… against 50-digit arithmetic.

    With f(t) = y(x + t u) for a random u in the inputs' own units, the r-th derivative of f at 0
    needs r + 1 values of the network only, whatever the number of inputs, and no rule of
    differentiation at all. Each output, f(X) and each method are compared, at the points of
    `truth`, which gives the sizes of their terms; not where rounding leaves nothing of a neuron's
    z, which 50 digits have.
    """
    truth = truth.part(truth.known)
    network, points = truth.network, truth.points
    value, step = digits.value(network), units(network).step
    found: list[list[Comparison]] = [[] for _ in range(function.order + 1)]
    for k, point in enumerate(steps(points)):
        dense = None if truth.directions is None else truth.directions[:, -1]
        u = random.uniform(0.5, 1.5, network.n) * step if dense is None else dense
        together = function(point)
        series = digits.along(value, point, u, function.order)
        for order, exact in enumerate(series):
            size = _size_along(truth, k, order, u) + _NOISE * np.abs(series[0])
            calls = {"f(X)": together[order]}
            calls[f"derivative({order}, X)"] = function.derivative(order, point)
            for call, result in calls.items():
                found[order].append(
                    _along(network, order, (point, u), exact, size, (call, result), len(points))
                )
    return [worst(comparisons) for comparisons in found if comparisons]


def _size_along(truth: Truth, k: int, order: int, u: Array) -> Array:
    """The size of the terms of a directional derivative at the k-th point: (m,)."""
    if truth.directions is not None:
        along: Array = truth.size(order)[k].reshape(truth.network.m, -1)
        return along[:, -1]  # u is the last direction
    size = truth.size(order)[k]
    for _ in range(order):
        size = size @ u
    return size


def _along(
    network: Network,
    order: int,
    line: tuple[Array, Array],
    exact: Array,
    size: Array,
    called: tuple[str, Array],
    points: int,
) -> Comparison:
    point, u = line
    call, result = called
    expected = (network.m, *(network.n,) * order)
    if result.shape != expected:
        raise CheckError(f"order {order} has shape {result.shape}, expected {expected}")
    got = result.astype(np.float64)
    for _ in range(order):
        got = got @ u
    with np.errstate(all="ignore"):
        errors = np.abs(got - exact) / (size + _TINY)
    unknown = np.isnan(exact) & np.isnan(got)  # `nowhere` says so where there is nothing else
    errors = np.where(unknown, 0.0, np.where(np.isnan(errors), np.inf, errors))
    output = int(np.argmax(errors))
    return Comparison(
        quantity=f"order {order}",
        against=f"{digits.DIGITS}-digit arithmetic",
        points=points,
        error=float(errors[output]),
        entry=f"{network.output_names[output]} along a random direction",
        point=tuple(map(float, point)),
        tolerance=tolerance(result.dtype),
        call=call,
    )
