"""Chains of layers from their matrices and biases."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
from sympy import Expr

from symnet.activations import Activation, activation
from symnet.activations.aliases import resolved
from symnet.importers.formats import named
from symnet.network import Layer, Network, Spec
from symnet.network.building import Vector, log_softmax, softmax, variables
from symnet.network.weights import Array

_OF_VECTORS: Mapping[str, Callable[[Vector], Vector]] = MappingProxyType(
    {"softmax": softmax, "log_softmax": log_softmax}
)


def from_arrays(
    arrays: Sequence[Any] | Mapping[str, Any],
    activations: Spec | Sequence[Spec],
    layout: str | None = None,
    inputs: Sequence[str] | None = None,
    outputs: Sequence[str] | None = None,
    name: str | None = None,
) -> Network:
    """The chain of layers with these weights: each a matrix, followed by its bias or not.

    Args:
        arrays: [W1, b1, W2, b2, ...], or [(W1, b1), (W2, b2), ...]; a layer's bias may be missing,
            or None. Or arrays by their names, as `np.load("net.npz")` and a module's `state_dict()`
            have them, in the order of these.
        activations: one for each layer; one name alone is for all but the last, which is linear
            (a list of one name for one layer is that layer's). Of arrays with names `name=tanh`
            for each layer tells the order of the layers as well.
            `leaky_relu(0.2)` and others with a parameter as `symnet.activations.activation` has
            them, and of the whole vector softmax and log_softmax.
        layout: "out,in" where a matrix has a row a neuron, as it is unless said or unless names
            or shapes tell otherwise; "in,out" where it has a column (Keras' `kernel`), and
            where each matrix has a bias, these may be rows.

    ValueError for shapes that do not fit, for another number of activations, and as Layer has it.
    """
    if isinstance(activations, Expr | Activation):
        activations = [activations]
    if isinstance(arrays, Mapping):
        given = {name: _numbers(array) for name, array in arrays.items()}
        told = [activations] if isinstance(activations, str) else activations
        pairs, own, layout, _, others = named.chain(given, told, layout)
        if others:
            raise ValueError(f"no activations of {', '.join(others)}, which are given with others")
        activations = own if named.tells_layers(told) else activations
        return of_layers(pairs, activations, layout, inputs, outputs, name)
    layout = layout or "out,in"
    if layout not in named.LAYOUTS:
        raise ValueError(f"layout {layout!r} is none of {', '.join(named.LAYOUTS)}")
    plain = [_numbers(array) for array in _unpaired(arrays)]
    if layout == "in,out":
        plain = _without_rows(plain, 1 if isinstance(activations, str) else len(activations or ()))
    return of_layers(_grouped(plain), activations, layout, inputs, outputs, name)


def _unpaired(arrays: Iterable[Any]) -> Iterator[Any]:
    """One after the other, of tuples of weights and a bias, or None, as well."""
    for given in arrays:
        pair = given if isinstance(given, tuple) else (given,)
        yield from (array for array in pair if array is not None)


def _numbers(given: Any) -> Array:
    """An array; doubles of a tensor of PyTorch's, which may ask for gradients or be bfloat16."""
    return np.asarray(given.detach().cpu().double() if hasattr(given, "detach") else given)


def of_layers(
    pairs: Sequence[named.Pair],
    activations: str | Sequence[Spec],
    layout: str,
    inputs: Sequence[str] | None = None,
    outputs: Sequence[str] | None = None,
    name: str | None = None,
) -> Network:
    """The chain of matrices with their biases."""
    functions = _functions(activations, len(pairs))
    ends = [resolved(own, _OF_VECTORS) if isinstance(own, str) else None for own in functions]
    layers = [
        Layer(W if layout == "out,in" else W.T, b, "linear" if end else activation(own))
        for (W, b), own, end in zip(pairs, functions, ends, strict=True)
    ]
    chain = Network(layers, inputs, outputs, name)
    if not any(ends):
        return chain
    h = variables(*chain.input_names)
    for layer, end in zip(layers, ends, strict=True):
        h = layer(h) if end is None else _OF_VECTORS[end](layer(h))
    return Network.of(h, outputs, name)


def _without_rows(arrays: Sequence[Array], told: int) -> list[Array]:
    """The arrays, biases that are rows, as `x @ W + b` has them, as vectors.

    Each second array must be one. A wide one cannot be a layer's matrix; where all are one wide,
    the number of activations that are told says what they are.
    """
    pairs = list(zip(arrays[::2], arrays[1::2], strict=False))
    if not pairs or not all(W.ndim == 2 and b.shape == (1, W.shape[1]) for W, b in pairs):
        return list(arrays)
    biased = len(arrays[::2])
    wide = any(b.size > 1 for _, b in pairs)
    if not wide and (told == 1 or told not in (biased, len(arrays))):
        raise ValueError(
            "each second array has the shape (1, 1), that of a bias or of a layer: give biases as "
            f"vectors (b.ravel()), or {len(arrays)} activations, of layers without biases"
        )
    rows = wide or told == biased
    return [a.ravel() if rows and k % 2 else a for k, a in enumerate(arrays)]


def _grouped(arrays: Sequence[Array]) -> list[named.Pair]:
    layers: list[named.Pair] = []
    for k, array in enumerate(arrays):
        if array.ndim == 2:
            layers.append((array, None))
        elif array.ndim == 1 and layers and layers[-1][1] is None:
            layers[-1] = layers[-1][0], array
        else:
            raise ValueError(
                f"array {k} has the shape {array.shape}; expected a matrix, or after one its bias"
            )
    if not layers:
        raise ValueError("there is no matrix among the arrays")
    return layers


def _functions(given: str | Sequence[Spec] | None, count: int) -> list[Spec]:
    if not given:
        raise ValueError(named.untold(count))
    if isinstance(given, str) or (len(given) == 1 and count > 1):
        one = given if isinstance(given, str) else given[0]
        activation(one)  # an unknown name is an error for one layer, too
        return [one] * (count - 1) + ["linear"]
    if len(given) != count:
        raise ValueError(f"{len(given)} activations for {count} layers")
    return list(given)
