"""The network: frozen, validated layers of numbers and symbols.

    z[k] = W[k] a[k-1] + b[k],    a[k] = σ_k(z[k]),    a[0] = x,    y = a[L]

`W[k]` has shape (neurons of layer k, neurons of layer k-1). In messages layers are counted from
1, rows and columns from 0 as NumPy does. Which names are allowed: see `symnet.names`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby, pairwise
from typing import Any, Self, TypeAlias, TypeVar

import numpy as np
import sympy
from sympy import Expr, Symbol

from symnet.activations import TABLE, Activation, activation
from symnet.names import check_distinct, check_label, check_name, listed, shortened, variables
from symnet.network import nesting
from symnet.network.weights import (
    Array,
    content,
    doubles,
    is_exact,
    matrix,
    replaced,
    symbols,
    vector,
    weight,
)

Spec: TypeAlias = str | Expr | Activation
_T = TypeVar("_T")


@dataclass(frozen=True, init=False, eq=False, repr=False)
class Layer:
    """One layer, `a = σ(W v + b)` of the vector v before it.

    Args:
        weights: shape (neurons, inputs): nested lists, an array or a SymPy Matrix. `float` is a
            double; `int`, `Fraction` and SymPy's Rational are exact; a plain SymPy Symbol is
            itself. SymPy expressions other than these are refused.
        bias: shape (neurons,), or None for a layer without bias.
        activation: a name from the table, a SymPy expression of one symbol, or an Activation.

    Both are kept as read-only arrays of their own: float64 when all entries are floats, otherwise
    of SymPy objects (floats among them become a Float of the same 53 bits).

    Raises ValueError for empty or ragged weights, a bias of another length, and any entry that is
    not finite, not real or no number or symbol: `weight [0, 3] is nan; weights must be finite`.
    """

    weights: Array
    bias: Array | None
    activation: Activation

    def __init__(self, weights: object, bias: object = None, activation: Spec = "linear") -> None:
        checked = matrix(weights)
        object.__setattr__(self, "weights", checked)
        object.__setattr__(self, "bias", None if bias is None else vector(bias, len(checked)))
        object.__setattr__(self, "activation", _resolved(activation))

    @property
    def outputs(self) -> int:
        """Number of neurons: rows of the weights."""
        return int(self.weights.shape[0])

    @property
    def inputs(self) -> int:
        """Number of neurons or inputs before it: columns of the weights."""
        return int(self.weights.shape[1])

    @property
    def arrays(self) -> tuple[Array, ...]:
        """Weights, and the bias where there is one."""
        return (self.weights,) if self.bias is None else (self.weights, self.bias)

    @property
    def exact(self) -> bool:
        """Whether no entry is a float."""
        return all(map(is_exact, self.arrays))

    @property
    def symbols(self) -> frozenset[Symbol]:
        """The symbols among weights and bias."""
        return frozenset().union(*map(symbols, self.arrays))

    @property
    def weights_count(self) -> int:
        """Number of weights and biases."""
        return sum(array.size for array in self.arrays)

    def numbers(self) -> tuple[Array, Array | None]:
        """Weights and bias in double precision, exact entries rounded once.

        ValueError for a symbol, or a number beyond the range of doubles.
        """
        weights = doubles(self.weights, "weight")
        return weights, None if self.bias is None else doubles(self.bias, "bias")

    def subs(self, values: Mapping[Symbol, object]) -> Layer:
        """The layer with these symbols replaced by numbers or other symbols, all at once."""
        bias = None if self.bias is None else replaced(self.bias, values)
        return Layer(replaced(self.weights, values), bias, self.activation)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Layer) and self._content() == other._content()

    def __hash__(self) -> int:
        return hash(self._content())

    def _content(self) -> object:
        return *map(content, (self.weights, self.bias)), self.activation

    def __reduce__(self) -> tuple[type[Layer], tuple[object, ...]]:
        # Through __init__, since NumPy does not pickle the read-only flag.
        return Layer, (self.weights, self.bias, self.activation)

    def __repr__(self) -> str:
        return f"Layer({self.inputs}-{self.outputs}: {_label(self)})"


def _resolved(spec: Spec) -> Activation:
    return activation(spec)


def _label(layer: Layer) -> str:
    return layer.activation.name + (" without bias" if layer.bias is None else "")


def _check_layers(layers: tuple[Layer, ...]) -> None:
    if not layers:
        raise ValueError("a network needs at least one layer")
    for k, layer in enumerate(layers, start=1):
        if not isinstance(layer, Layer):
            raise ValueError(f"layer {k} is a {type(layer).__name__}; use symnet.Layer")
    for k, (before, layer) in enumerate(pairwise(layers), start=2):
        if layer.inputs != before.outputs:
            raise ValueError(
                f"layer {k}: weights have {layer.inputs} columns, "
                f"but layer {k - 1} has {before.outputs} neurons"
            )


def _check_activations(layers: tuple[Layer, ...]) -> None:
    known: dict[str, Activation] = dict(TABLE)
    for k, layer in enumerate(layers, start=1):
        own = layer.activation
        if own.name not in known:
            check_name(own.name, f"layer {k}: activation")
        if known.setdefault(own.name, own) != own:
            raise ValueError(
                f"layer {k}: its activation {own.name!r} differs from another of that name; "
                "give it a name of its own: Activation(name, expression)"
            )


@dataclass(frozen=True, init=False, eq=False, repr=False)
class Network:
    """A feed-forward network, immutable and compared by value.

    Args:
        layers: at least one Layer; each has as many columns as the one before has neurons.
        inputs: n names (str or plain Symbol), by default x1..xn.
        outputs: m names, by default y, or y1..ym.
        name: a heading for printed output; it takes no part in comparisons.

    Raises ValueError for shapes that don't fit (`layer 2: weights have 3 columns, but layer 1 has
    4 neurons`) and for names that are no identifiers, used twice or reserved (see
    `symnet.names`).
    """

    layers: tuple[Layer, ...]
    inputs: tuple[Symbol, ...]
    outputs: tuple[Symbol, ...]
    name: str | None

    def __init__(
        self,
        layers: Iterable[Layer],
        inputs: Iterable[str | Symbol] | None = None,
        outputs: Iterable[str | Symbol] | None = None,
        name: str | None = None,
    ) -> None:
        layers = tuple(layers)
        _check_layers(layers)
        _check_activations(layers)
        if outputs is None and layers[-1].outputs == 1:
            outputs = ("y",)
        object.__setattr__(self, "layers", layers)
        object.__setattr__(self, "inputs", variables(inputs, "input", "x", self.n))
        object.__setattr__(self, "outputs", variables(outputs, "output", "y", self.m))
        object.__setattr__(self, "name", None if name is None else check_label(name))
        functions = {layer.activation.name for layer in layers}
        check_distinct(self.inputs, self.outputs, self.symbols, functions)

    @classmethod
    def dense(
        cls,
        widths: Sequence[int],
        hidden: Spec | Sequence[Spec] = "sigmoid",
        output: Spec = "linear",
        fill: object = None,
        seed: int | None = None,
        bias: bool = True,
        output_bias: bool = True,
        inputs: Iterable[str | Symbol] | None = None,
        outputs: Iterable[str | Symbol] | None = None,
        name: str | None = None,
    ) -> Self:
        """A fully connected network of these widths `(n, w1, ..., m)`.

        Every weight and bias is `fill` (exact when `fill` is: `fill=1` is the integer 1,
        `fill=1.0` a float). Without it they are random and reproducible by `seed` (0 if not
        given), drawn from `numpy.random.default_rng(seed)` layer by layer, weights first:
        weights uniform within ±sqrt(6/(in + out)), biases within ±1/sqrt(in).

        `hidden` may be one activation for all hidden layers or a list with one for each.
        `bias=False` leaves out all biases, `output_bias=False` the last layer's.

        Source: the bound of the weights is X. Glorot, Y. Bengio, Understanding the difficulty
        of training deep feedforward neural networks, AISTATS 2010, eq. 16.
        """
        sizes = _checked_widths(widths)
        activations = [*_per_layer(hidden, len(sizes) - 2), output]
        draw = _drawing(fill, seed)
        last = len(sizes) - 1
        layers = []
        for k, (before, here) in enumerate(pairwise(sizes), start=1):
            weights = draw((here, before), math.sqrt(6 / (before + here)))
            biased = bias and (output_bias or k < last)
            vector = draw((here,), 1 / math.sqrt(before)) if biased else None
            layers.append(Layer(weights, vector, activations[k - 1]))
        return cls(layers, inputs, outputs, name)

    @classmethod
    def example(cls) -> Self:
        """The built-in 2-2-1 network, y = 2/(1 + exp(-x1 - x2 - 1)).

        Sigmoid, then linear without bias; all weights and the first layer's biases are exactly 1.
        """
        return cls.dense([2, 2, 1], fill=1, output_bias=False)

    @property
    def n(self) -> int:
        """Number of inputs."""
        return self.layers[0].inputs

    @property
    def m(self) -> int:
        """Number of outputs."""
        return self.layers[-1].outputs

    @property
    def depth(self) -> int:
        """Number of layers, the output layer included."""
        return len(self.layers)

    @property
    def widths(self) -> tuple[int, ...]:
        """`(n, w1, ..., m)`."""
        return (self.n, *(layer.outputs for layer in self.layers))

    @property
    def exact(self) -> bool:
        """Whether no weight is a float."""
        return all(layer.exact for layer in self.layers)

    @property
    def symbols(self) -> frozenset[Symbol]:
        """The symbols among the weights."""
        return frozenset().union(*(layer.symbols for layer in self.layers))

    @property
    def weights_count(self) -> int:
        """Number of weights and biases."""
        return sum(layer.weights_count for layer in self.layers)

    @property
    def kinks(self) -> tuple[Activation, ...]:
        """The activations whose derivative jumps, each once; empty for a smooth network."""
        return tuple(
            dict.fromkeys(a for a in (layer.activation for layer in self.layers) if a.kinks)
        )

    def numbers(self) -> tuple[tuple[Array, Array | None], ...]:
        """`(W float64, b float64 or None)` of each layer, read-only.

        Exact weights are rounded once. ValueError names the symbols when weights are symbolic.
        """
        if self.symbols:
            raise ValueError(
                f"weights are symbolic ({listed(self.symbols)}); give them numbers by subs()"
            )
        return tuple(_located(k, layer.numbers) for k, layer in enumerate(self.layers, start=1))

    def subs(self, values: Mapping[str | Symbol, object]) -> Self:
        """The network with weight symbols replaced by numbers or by other symbols, all at once.

        Keys are symbols or their names; ValueError for one that is no weight of this network.
        """
        plain = {Symbol(str(key)): value for key, value in values.items()}
        if unknown := plain.keys() - self.symbols:
            known = listed(self.symbols) or "none"
            raise ValueError(f"no weight symbol {listed(unknown)}; the network has {known}")
        layers = [
            _located(k, partial(layer.subs, plain)) for k, layer in enumerate(self.layers, start=1)
        ]
        return type(self)(layers, self.inputs, self.outputs, self.name)

    def narrowed(self, width: int) -> Self:
        """The network of at most the first `width` neurons in each hidden layer.

        The network itself when none is wider.
        """
        if max(self.widths[1:-1], default=0) <= width:
            return self
        sizes = [self.n, *(min(w, width) for w in self.widths[1:-1]), self.m]
        layers = [
            Layer(
                layer.weights[:rows, :columns],
                None if layer.bias is None else layer.bias[:rows],
                layer.activation,
            )
            for layer, columns, rows in zip(self.layers, sizes, sizes[1:], strict=False)
        ]
        return type(self)(layers, self.inputs, self.outputs, self.name)

    @property
    def expression_size(self) -> int:
        """About how many operations `expression()` has, told without building it: `nesting.size`.

        Zero weights, and equal terms which SymPy collects, make the expression smaller.
        """
        return self.m * nesting.size(self.layers)

    def expression(self) -> sympy.Matrix:
        """The outputs as one nested formula of the inputs, shape (m, 1).

        Its size grows as the product of the widths. ValueError, at once, for more than
        nesting.LARGEST operations, and where SymPy cannot nest that many layers.
        """
        if self.expression_size > nesting.LARGEST:
            raise ValueError(
                f"the expanded formula of {_joined(self.widths, '-')} has more than "
                f"{nesting.LARGEST} operations; use the neuron or layer notation"
            )
        try:
            return sympy.Matrix(nesting.nested(self.inputs, self.layers))
        except RecursionError:
            raise ValueError(
                f"the expanded formula of {self.depth} layers is nested too deeply; "
                "use the neuron or layer notation"
            ) from None

    def describe(self) -> str:
        """The network in a line: `2-8-8-1, sigmoid, sigmoid, linear`."""
        return f"{_joined(self.widths, '-')}, {_joined(map(_label, self.layers), ', ')}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Network) and self._content() == other._content()

    def __hash__(self) -> int:
        return hash(self._content())

    def _content(self) -> object:
        return self.layers, self.inputs, self.outputs

    def __repr__(self) -> str:
        widths, labels = _joined(self.widths, "-"), _joined(map(_label, self.layers), ", ")
        return f"Network({widths}: {labels})"


def _located(k: int, call: Callable[[], _T]) -> _T:
    try:
        return call()
    except ValueError as error:
        raise ValueError(f"layer {k}: {error}") from None


def _joined(items: Iterable[object], separator: str) -> str:
    """The items in a row; runs of more than six, as in very deep networks, as `8 (x500)`."""
    parts: list[str] = []
    for item, run in groupby(map(str, items)):
        count = len(list(run))
        parts += [item] * count if count <= 6 else [f"{item} (x{count})"]
    return separator.join(parts)


def _checked_widths(widths: Sequence[int]) -> list[int]:
    sizes = list(widths)
    if len(sizes) < 2:
        raise ValueError(f"widths {sizes}: give at least the inputs and the outputs, as [2, 1]")
    for size in sizes:
        if isinstance(size, bool) or not isinstance(size, int | np.integer) or size < 1:
            raise ValueError(f"widths {shortened(str(sizes))}: {size!r} is no positive integer")
    return [int(size) for size in sizes]


def _per_layer(spec: Any, count: int) -> list[Spec]:
    if not isinstance(spec, list | tuple):
        return [spec] * count
    if len(spec) != count:
        raise ValueError(f"hidden: {len(spec)} activations, but {count} hidden layers")
    return list(spec)


def _drawing(fill: object, seed: int | None) -> Callable[[tuple[int, ...], float], Array]:
    """A function of a shape and a bound that gives an array of weights."""
    if fill is None:
        rng = np.random.default_rng(0 if seed is None else seed)
        return lambda shape, bound: rng.uniform(-bound, bound, shape)
    if seed is not None:
        raise ValueError("give either fill or seed, not both")
    entry = weight(fill, "fill")
    return lambda shape, _: np.full(
        shape, entry, dtype=float if isinstance(entry, float) else object
    )
