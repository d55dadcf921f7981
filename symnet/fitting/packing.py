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
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from symnet.fitting.data import Kind, MixedData
from symnet.network import Layer, Network

Array: TypeAlias = NDArray[np.float64]
Numbers: TypeAlias = Sequence[tuple[Array, Array | None]]
"""Weights and bias (or None) of each layer."""


@dataclass(frozen=True)
class Packing:
    """Where each weight of networks of one shape stands in the parameter vector."""

    network: Network

    @cached_property
    def shapes(self) -> tuple[tuple[str, tuple[int, ...]], ...]:
        """Name and shape of W1, b1, W2, … in the order of the vector."""
        found: list[tuple[str, tuple[int, ...]]] = []
        for k, layer in enumerate(self.network.layers, 1):
            found.append((f"W{k}", layer.weights.shape))
            if layer.bias is not None:
                found.append((f"b{k}", layer.bias.shape))
        return tuple(found)

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
        for layer in self.network.layers:
            bounds.append(np.full(layer.weights.size, math.sqrt(6 / sum(layer.weights.shape))))
            if layer.bias is not None:
                bounds.append(np.full(layer.bias.size, 1 / math.sqrt(layer.inputs)))
        return np.concatenate(bounds)

    def pack(self, numbers: Numbers) -> Array:
        """The vector (P,) of these weights."""
        arrays = [array for pair in numbers for array in pair if array is not None]
        return np.concatenate([array.ravel() for array in arrays])

    def unpack(self, p: Array) -> Numbers:
        """The weights of the vector (P,), layer by layer."""
        arrays = iter([p[s].reshape(n[1]) for s, n in zip(self.slices, self.shapes, strict=True)])
        return [
            (next(arrays), None if layer.bias is None else next(arrays))
            for layer in self.network.layers
        ]

    def arguments(self, P: Array) -> list[Array]:
        """What row kernels take: W (…, out, in) and b (…, out, 1) of vectors P (…, P), as views."""
        return [
            P[..., part].reshape(*P.shape[:-1], *shape, *(1,) * (2 - len(shape)))
            for part, (_, shape) in zip(self.slices, self.shapes, strict=True)
        ]

    def build(self, numbers: Numbers) -> Network:
        """The network with these weights, other things as in the template."""
        layers = [
            Layer(weights, bias, layer.activation)
            for (weights, bias), layer in zip(numbers, self.network.layers, strict=True)
        ]
        template = self.network
        return Network(layers, template.inputs, template.outputs, template.name)


@dataclass(frozen=True)
class Scaling:
    """Origin and unit of each input (n,) and each output (m,)."""

    x0: Array
    s: Array
    y0: Array
    t: Array

    @classmethod
    def none(cls, network: Network) -> Scaling:
        """Raw units."""
        zero, one = np.zeros, np.ones
        return cls(zero(network.n), one(network.n), zero(network.m), one(network.m))

    @classmethod
    def of(cls, data: MixedData, network: Network) -> Scaling:
        """Mean and standard deviation of the data, as far as the network can take them up.

        Without a first bias inputs are not shifted, nor outputs without a last bias; after a
        last activation that bends, outputs are left alone. The unit of an output without two
        different values comes from its partials. ValueError for an input that is constant.
        """
        first, last = network.layers[0], network.layers[-1]
        plain = cls.none(network)
        x0 = data.points.mean(axis=0) if first.bias is not None else plain.x0
        s = _spread(data.points, x0)
        for name, unit, value in zip(data.inputs, s, data.points[0], strict=True):
            if unit == 0:
                raise ValueError(
                    f"input {name} is {value:g} in all {len(data)} rows; leave the column out"
                )
        if last.activation.constant(1) != 1:
            return cls(x0, s, plain.y0, plain.t)
        y0, t = plain.y0.copy(), plain.t.copy()
        for p, output in enumerate(data.outputs):
            y0[p], t[p] = _unit(data, output, s, last.bias is not None)
        return cls(x0, s, y0, t)

    def factor(self, data: MixedData, kind: Kind) -> float:
        """What a partial in standard units is multiplied with to be in the data's: t/(s_i s_j)."""
        inputs = [self.s[data.inputs.index(name)] for name in kind.along]
        return float(self.t[data.outputs.index(kind.output)] / np.prod(inputs))

    def to_raw(self, numbers: Numbers) -> Numbers:
        """Weights for raw units from weights for standard units."""
        layers = [*numbers]
        W, b = layers[0]
        W = W / self.s
        layers[0] = (W, b if b is None else b - W @ self.x0)
        W, b = layers[-1]
        layers[-1] = (W * self.t[:, None], b if b is None else b * self.t + self.y0)
        return layers

    def to_standard(self, numbers: Numbers) -> Numbers:
        """Weights for standard units from weights for raw units."""
        layers = [*numbers]
        W, b = layers[-1]
        layers[-1] = (W / self.t[:, None], b if b is None else (b - self.y0) / self.t)
        W, b = layers[0]
        layers[0] = (W * self.s, b if b is None else b + W @ self.x0)
        return layers


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
