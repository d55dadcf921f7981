"""Hypothesis strategies: random small networks of every activation, width and kind of number."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
from hypothesis import strategies as st
from sympy import Symbol

from symnet.activations import TABLE
from symnet.network import Layer, Network

EVERYWHERE = tuple(name for name, row in TABLE.items() if row.total and name != "sinc")
"""Names of the activations whose formula has a value for every z; sin(z)/z has a limit at 0."""

SMOOTH = tuple(name for name in EVERYWHERE if not TABLE[name].kinks)
"""Names of those without kinks."""

# Of this size, no activation of a few layers overflows (`exp` of `exp` does beyond about 6).
floats = st.floats(-1.5, 1.5, allow_subnormal=False)
fractions = st.fractions(-2, 2, max_denominator=12)
integers = st.integers(-2, 2)


def weights(kind: str) -> st.SearchStrategy[Any]:
    """One weight: "float", "exact", "symbolic" or "mixed" (each of the three)."""
    symbols = st.integers(1, 9).map(lambda i: Symbol(f"w{i}"))
    exact = st.one_of(integers, fractions)
    kinds = {"float": floats, "exact": exact, "symbolic": st.one_of(symbols, exact)}
    return st.one_of(*kinds.values()) if kind == "mixed" else kinds[kind]


@st.composite
def layers(
    draw: st.DrawFn,
    inputs: int,
    outputs: int,
    activations: Sequence[str] = EVERYWHERE,
    kind: str = "float",
) -> Layer:
    """A layer of this shape, with or without bias."""
    row = st.lists(weights(kind), min_size=inputs, max_size=inputs)
    matrix = draw(st.lists(row, min_size=outputs, max_size=outputs))
    bias = draw(st.none() | st.lists(weights(kind), min_size=outputs, max_size=outputs))
    return Layer(matrix, bias, draw(st.sampled_from(activations)))


@st.composite
def networks(
    draw: st.DrawFn,
    activations: Sequence[str] = EVERYWHERE,
    kinds: Sequence[str] = ("float", "exact"),
    inputs: tuple[int, int] = (1, 3),
    width: int = 4,
    depth: int = 3,
    outputs: int = 3,
) -> Network:
    """A network of 1 to `depth` layers, at most `width` neurons each, 1 to `outputs` outputs."""
    hidden = draw(st.lists(st.integers(1, width), max_size=depth - 1))
    sizes = [draw(st.integers(*inputs)), *hidden, draw(st.integers(1, outputs))]
    kind = draw(st.sampled_from(list(kinds)))
    pairs = pairwise(sizes)
    return Network([draw(layers(a, b, activations, kind)) for a, b in pairs])


@st.composite
def points(draw: st.DrawFn, network: Network, count: int = 3, bound: float = 2.0) -> np.ndarray:
    """`count` points in the network's inputs, shape (count, n), each within ±bound."""
    coordinate = st.floats(-bound, bound, allow_subnormal=False)
    row = st.lists(coordinate, min_size=network.n, max_size=network.n)
    return np.array(draw(st.lists(row, min_size=count, max_size=count)), dtype=float)


def as_fraction(value: Any) -> Fraction:
    """The exact value of a float or of a SymPy Rational."""
    return Fraction(value) if isinstance(value, float) else Fraction(int(value.p), int(value.q))
