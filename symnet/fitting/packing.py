"""A network's weights as one vector, as optimisers want them, and standard units for data.

    p = (W1 row by row, b1, W2 row by row, b2, …)

The vector belongs to a network in *standard units*, in which inputs and outputs have mean 0 and
spread 1, and a partial follows by the chain rule:

    x̂ = (x − x₀)/s        ∂ŷ/∂x̂_i = s_i/t ∂y/∂x_i
    ŷ = (y − y₀)/t        ∂²ŷ/∂x̂_i∂x̂_j = s_i s_j/t ∂²y/∂x_i∂x_j

A network in raw units is the same network with other first and last layers:

    W1 = Ŵ1/s,   b1 = b̂1 − W1 x₀        W_L = t Ŵ_L,   b_L = t b̂_L + y₀
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from symnet.fitting.data import Kind, MixedData
from symnet.network import Network

Array: TypeAlias = NDArray[np.float64]
Numbers: TypeAlias = Mapping[str, Array]
"""Weights and biases by their names, W1, b1, W2, …"""


@dataclass(frozen=True)
class Packing:
    """Where each weight of networks of one shape stands in the parameter vector."""

    network: Network

    @cached_property
    def shapes(self) -> tuple[tuple[str, tuple[int, ...]], ...]:
        """Name and shape of W1, b1, W2, … in the order of the vector."""
        return tuple((name, array.shape) for name, array in self.network.parameters.items())

    @cached_property
    def slices(self) -> tuple[slice, ...]:
        """The part of the vector that each of `shapes` takes."""
        ends = np.cumsum([math.prod(shape) for _, shape in self.shapes]).tolist()
        return tuple(slice(a, b) for a, b in zip([0, *ends], ends, strict=False))

    @property
    def size(self) -> int:
        """The number of parameters, P."""
        return self.slices[-1].stop

    @cached_property
    def names(self) -> tuple[str, ...]:
        """`W1[0,0]`, `W1[0,1]`, …, `b1[0]`, …: one for each entry of the vector."""
        return tuple(
            f"{name}[{','.join(map(str, index))}]"
            for name, shape in self.shapes
            for index in np.ndindex(shape)
        )

    @cached_property
    def spread(self) -> Array:
        """The bound of a random start, (P,): sqrt(6/(in + out)) for weights, 1/sqrt(in) for biases.

        Source: X. Glorot, Y. Bengio, Understanding the difficulty of training deep feedforward
        neural networks, AISTATS 2010, eq. 16.
        """
        bounds = []
        for k, node in enumerate(self.network.nodes, 1):
            arrays = dict(node.arrays(k))
            entering = sum(array.shape[1] for array in arrays.values() if array.ndim == 2)
            for array in arrays.values():
                matrix = array.ndim == 2
                bound = math.sqrt(6 / sum(array.shape)) if matrix else 1 / math.sqrt(entering or 1)
                bounds.append(np.full(array.size, bound))
        return np.concatenate(bounds)

    def pack(self, numbers: Numbers) -> Array:
        """The vector (P,) of these weights."""
        return np.concatenate([numbers[name].ravel() for name, _ in self.shapes])

    def unpack(self, p: Array) -> Numbers:
        """The weights of the vector (P,) by name."""
        return {
            name: p[part].reshape(shape)
            for part, (name, shape) in zip(self.slices, self.shapes, strict=True)
        }

    def arguments(self, P: Array) -> list[Array]:
        """What row kernels take: W (…, out, in) and b (…, out, 1) of vectors P (…, P), as views."""
        return [
            P[..., part].reshape(*P.shape[:-1], *shape, *(1,) * (2 - len(shape)))
            for part, (_, shape) in zip(self.slices, self.shapes, strict=True)
        ]

    def build(self, numbers: Numbers) -> Network:
        """The network with these weights, other things as in the template."""
        return self.network.with_parameters(numbers)


@dataclass(frozen=True)
class Scaling:
    """Origin and unit of each input (n,) and each output (m,), taken up by these parameters.

    first: the matrices that multiply x, each with its node's bias where there is one; last: the
    matrices of the output and its bias.
    """

    x0: Array
    s: Array
    y0: Array
    t: Array
    first: tuple[tuple[str, str | None], ...] = ()
    last: tuple[tuple[str, ...], str | None] = ((), None)

    @classmethod
    def none(cls, network: Network) -> Scaling:
        """Raw units."""
        zero, one = np.zeros, np.ones
        return cls(zero(network.n), one(network.n), zero(network.m), one(network.m))

    @classmethod
    def of(cls, data: MixedData, network: Network) -> Scaling:
        """Mean and standard deviation of the data, as far as the network can take them up.

        Inputs that enter without a matrix are left alone, and not shifted where a matrix of theirs
        stands without bias; so are outputs, and those of a last node that is no form. The unit of
        an output without two different values comes from its partials. ValueError for an input
        that is constant.
        """
        x0, s = data.points.mean(axis=0), np.ones(network.n)
        units = _spread(data.points, x0)
        for name, unit, value in zip(data.inputs, units, data.points[0], strict=True):
            if unit == 0:
                where = f"all {len(data)} rows" if len(data) > 1 else "the only row"
                raise ValueError(f"input {name} is {value:g} in {where}; leave the column out")
        first, last = _entering(network), _leaving(network)
        shifted = bool(first) and all(bias for _, bias in first)
        x0 = x0 if shifted else np.zeros(network.n)
        s = _spread(data.points, x0) if first else s
        y0, t = np.zeros(network.m), np.ones(network.m)
        if last[0]:
            for p, output in enumerate(data.outputs):
                y0[p], t[p] = _unit(data, output, s, last[1] is not None)
        return cls(x0, s, y0, t, first, last)

    def factor(self, data: MixedData, kind: Kind) -> float:
        """What a partial in standard units is multiplied with to be in the data's: t/(s_i s_j)."""
        inputs = [self.s[data.inputs.index(name)] for name in kind.along]
        return float(self.t[data.outputs.index(kind.output)] / np.prod(inputs))

    def to_raw(self, numbers: Numbers) -> Numbers:
        """Weights for raw units from weights for standard units."""
        found = dict(numbers)
        for W, b in self.first:
            found[W] = found[W] / self.s
            if b:
                found[b] = found[b] - found[W] @ self.x0
        matrices, b = self.last
        for W in matrices:
            found[W] = found[W] * self.t[:, None]
        if matrices and b:
            found[b] = found[b] * self.t + self.y0
        return found

    def to_standard(self, numbers: Numbers) -> Numbers:
        """Weights for standard units from weights for raw units."""
        found = dict(numbers)
        matrices, b = self.last
        for W in matrices:
            found[W] = found[W] / self.t[:, None]
        if matrices and b:
            found[b] = (found[b] - self.y0) / self.t
        for W, b in self.first:
            if b:
                found[b] = found[b] + found[W] @ self.x0
            found[W] = found[W] * self.s
        return found


def _entering(network: Network) -> tuple[tuple[str, str | None], ...]:
    """The matrices of x and their biases; none where x itself enters a node."""
    found = []
    for k, node in enumerate(network.nodes, 1):
        if 0 not in node.sources:
            continue
        names = dict(zip(node.weighted, (name for name, _ in node.arrays(k)), strict=False))
        if node.factor == 0 or 0 not in names:
            return ()
        found.append((names[0], None if node.bias is None else f"b{k}"))
    return tuple(found)


def _leaving(network: Network) -> tuple[tuple[str, ...], str | None]:
    """The matrices of the output's form and its bias; none where they are not all of it."""
    k, node = network.depth, network.nodes[-1]
    if node.kind != "form" or len(node.weighted) < len(node.terms):
        return (), None
    names = [name for name, array in node.arrays(k) if array.ndim == 2]
    return tuple(names), None if node.bias is None else f"b{k}"


def spread(values: Array) -> float:
    """A positive scale: the standard deviation of `values`, or their size where they are equal."""
    deviation = float(_spread(values, values.mean()))
    if deviation > 0:
        return deviation
    return float(np.abs(values).max()) or 1.0


def _spread(values: Array, centre: Any) -> Any:
    """The root mean square distance from `centre` along the first axis, without overflow."""
    distance = values - centre
    largest = np.abs(distance).max(axis=0)
    # Rounding of the mean alone must not pass for a spread.
    noise = 1e-13 * np.abs(values).max(axis=0)
    unit = np.where(largest > noise, largest, 1.0)
    return np.where(largest > noise, unit * np.sqrt(np.mean((distance / unit) ** 2, axis=0)), 0.0)


def _unit(data: MixedData, output: str, s: Array, shifts: bool) -> tuple[float, float]:
    """Origin and unit of an output."""
    origin, units = 0.0, []
    for kind in (kind for kind in data.kinds if kind.output == output):
        values = data.of(kind)[1]
        if kind.order:
            along = [s[data.inputs.index(name)] for name in kind.along]
            units.append(spread(values) * float(np.prod(along)))
            continue
        origin = float(values.mean()) if shifts else 0.0
        deviation = float(_spread(values, origin))
        if deviation > 0:
            return origin, deviation
    return origin, max(units, default=1.0)
