"""One layer of neurons: `a = σ(W v + b)`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias, TypeVar

from sympy import Expr, Symbol

from symnet.activations import Activation, activation
from symnet.network.weights import (
    Array,
    content,
    doubles,
    is_exact,
    matrix,
    replaced,
    symbols,
    vector,
)

Spec: TypeAlias = str | Expr | Activation


class _Vector(Protocol):
    """A vector of a graph: what a layer can be applied to."""

    def through(self, layer: Layer) -> Any: ...


_V = TypeVar("_V", bound=_Vector)


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

    @property
    def label(self) -> str:
        """What the layer is, in words: `tanh`, `linear without bias`."""
        return self.activation.name + (" without bias" if self.bias is None else "")

    def __call__(self, vector: _V) -> _V:
        """The layer of a vector, `σ(W v + b)`: a vector of a graph, see `symnet.variables`.

        ValueError where the vector has another width than the layer has inputs.
        """
        if not hasattr(vector, "through"):
            raise TypeError(
                f"a layer is applied to a vector of symnet.variables, not {type(vector).__name__}"
            )
        found: _V = vector.through(self)
        return found

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
        return f"Layer({self.inputs}-{self.outputs}: {self.label})"


def _resolved(spec: Spec) -> Activation:
    return activation(spec)
