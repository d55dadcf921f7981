"""The network: frozen, validated layers of numbers and symbols, or a graph of nodes.

    z[k] = W[k] a[k-1] + b[k],    a[k] = σ_k(z[k]),    a[0] = x,    y = a[L]

`W[k]` has shape (neurons of layer k, neurons of layer k-1). In messages layers are counted from
1, rows and columns from 0 as NumPy does. Which names are allowed: see `symnet.names`; what a node
of a graph is: `symnet.network.graph`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial, reduce
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Self, TypeVar

import numpy as np
import sympy
from sympy import Symbol

from symnet import showing
from symnet.activations import Activation
from symnet.names import listed, shortened
from symnet.network import building, checks, dense, describing, graph, naming, nesting, unnamed
from symnet.network.graph import Node, called
from symnet.network.layer import Layer, Spec
from symnet.network.naming import Called, Named
from symnet.network.weights import Array, doubles, is_exact, symbols

if TYPE_CHECKING:
    from symnet.plotting import Picture

_T = TypeVar("_T")
_N = TypeVar("_N", bound="Network")


@dataclass(frozen=True, init=False, eq=False, repr=False)
class Network(Named):
    """A feed-forward network, immutable and compared by value.

    Args:
        layers: at least one Layer; each has as many columns as the one before has neurons.
        inputs: n names, by default x1..xn: any printable text, such as "T [K]", or plain Symbols.
        outputs: m names, by default y, or y1..ym.
        name: a heading for printed output; it takes no part in comparisons.

    A network that is no chain of layers is written with `variables`, and made by `Network.of`:

        x = symnet.variables("rho", "T")
        h = symnet.Layer(W1, b1, "tanh")(x)
        net = symnet.Network.of(symnet.Layer(W2)(symnet.concat(h, x)), outputs=("p",))

    Raises ValueError for shapes that don't fit (`layer 2: weights have 3 columns, but layer 1 has
    4 neurons`) and for names that are used twice or cannot be printed on a line.
    """

    nodes: tuple[Node, ...]
    widths: tuple[int, ...]
    """`(n, w1, ..., m)`: the width of each vector, the inputs' first."""
    _layers: tuple[Layer, ...] | None

    def __init__(
        self,
        layers: Iterable[Layer],
        inputs: Iterable[str | Symbol] | None = None,
        outputs: Iterable[str | Symbol] | None = None,
        name: str | None = None,
    ) -> None:
        layers = unnamed.layers(checks.layers(layers))
        nodes = tuple(Node.of(layer, k) for k, layer in enumerate(layers))
        self._set_nodes(nodes, layers, (layers[0].inputs, *(layer.outputs for layer in layers)))
        self._set_names(inputs, outputs, name)

    @classmethod
    def from_nodes(
        cls,
        nodes: Iterable[Node],
        inputs: Iterable[str | Symbol] | int | None = None,
        outputs: Iterable[str | Symbol] | None = None,
        name: str | None = None,
    ) -> Self:
        """The network of these nodes, the last of which is y; see `symnet.network.graph`.

        `inputs` may be the number of inputs, where no matrix tells it. ValueError, naming the
        node, for shapes that do not fit and for a node that nothing uses.
        """
        nodes = tuple(nodes)
        if not nodes:
            raise ValueError("a network needs at least one node")
        names: Called = None
        if isinstance(inputs, str):  # which is refused when all else is known
            names, inputs = inputs, None
        elif isinstance(inputs, Iterable):
            inputs = len(names := tuple(inputs))
        count = checks.inputs_of(nodes, inputs)
        sizes = graph.checked_sizes(nodes, count)
        checks.used(nodes)
        nodes = unnamed.nodes(graph.without_lone_softmax(nodes, sizes))
        self = cls.__new__(cls)
        self._set_nodes(nodes, graph.layers_of(nodes), sizes)
        self._set_names(names, outputs, name)
        return self

    @classmethod
    def of(
        cls,
        y: building.Vector | Sequence[building.Vector],
        outputs: Iterable[str | Symbol] | None = None,
        name: str | None = None,
    ) -> Self:
        """The network whose output is the vector `y`, a formula of `symnet.variables`.

        Of several vectors the outputs are those of one after the other. The inputs are the
        variables, whether y needs all of them or not. ValueError where y is of no variables, or of
        two sets of them.
        """
        joined = building.concat(*y) if isinstance(y, (list, tuple)) else y
        inputs, nodes = building.nodes_of(joined)
        return cls.from_nodes(nodes, inputs, outputs, name)

    def __call__(self, x: building.Vector) -> building.Vector:
        """The network of a vector of a graph: a part of a larger network, see `symnet.variables`.

            rho, T = symnet.variables("rho", "T")
            net = Network.of(N(symnet.concat(rho, 1 / T)) - N(symnet.concat(0 * rho, 1 / T)))

        ValueError where the vector has another width than the network has inputs; TypeError for
        numbers, of which `symnet.derive(network).compile()` is a function.
        """
        if not isinstance(x, building.Vector):
            raise TypeError(
                f"a network is applied to a vector of symnet.variables, not {type(x).__name__}; "
                "symnet.derive(network).compile() makes a function of numbers"
            )
        if x.width != self.n:
            names = shortened(", ".join(self.input_names), 100)
            raise ValueError(
                f"the network has {self.n} inputs ({names}), but the vector has {x.width} entries"
            )
        if self._layers is None:
            return building.applied(self.nodes, x)
        return reduce(building.Vector.through, self._layers, x)

    def _set_nodes(
        self, nodes: tuple[Node, ...], layers: tuple[Layer, ...] | None, sizes: tuple[int, ...]
    ) -> None:
        object.__setattr__(self, "nodes", nodes)
        object.__setattr__(self, "_layers", layers)
        object.__setattr__(self, "widths", sizes)

    def _set_names(self, inputs: Called, outputs: Called, name: str | None) -> None:
        """Check and set what has names: activations, inputs, outputs, the network itself."""
        checks.activations(self._activations(), self.parameters)
        self._call(naming.made(inputs, outputs, (self.n, self.m), self._weight_names()), name)

    def _weight_names(self) -> list[str]:
        return [symbol.name for symbol in self.symbols]

    def _activations(self) -> Iterable[tuple[str, Activation]]:
        """Every activation, and where it stands."""
        if self._layers is not None:
            for k, layer in enumerate(self._layers, start=1):
                yield f"layer {k}", layer.activation
            return
        for k, node in enumerate(self.nodes, start=1):
            if node.activation is not None:
                yield called(k, node), node.activation

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
        layers = dense.layers(widths, hidden, output, fill, seed, bias, output_bias)
        return cls(layers, inputs, outputs, name)

    @classmethod
    def example(cls) -> Self:
        """The built-in 2-2-1 network, y = 2/(1 + exp(-x1 - x2 - 1)).

        Sigmoid, then linear without bias; all weights and the first layer's biases are exactly 1.
        """
        return cls.dense([2, 2, 1], fill=1, output_bias=False)

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers of a chain. ValueError for another network: that has `nodes`."""
        if self._layers is None:
            raise ValueError("this network is no chain of layers; look at its nodes")
        return self._layers

    @property
    def is_chain(self) -> bool:
        """Whether the network is a chain of layers."""
        return self._layers is not None

    @property
    def n(self) -> int:
        """Number of inputs."""
        return self.widths[0]

    @property
    def m(self) -> int:
        """Number of outputs."""
        return self.widths[-1]

    @property
    def depth(self) -> int:
        """Number of nodes: in a chain of layers, the output layer included."""
        return len(self.nodes)

    @cached_property
    def parameters(self) -> Mapping[str, Array]:
        """Weights and biases by the names that formulas have for them: W1, b1, W2, …

        The matrix of node k is `Wk`; where it has several, `Wk_j` is the one of vector j.
        """
        pairs = (pair for k, node in enumerate(self.nodes, 1) for pair in node.arrays(k))
        return MappingProxyType(dict(pairs))

    @cached_property
    def activations(self) -> Mapping[str, Activation]:
        """The activations by name."""
        return MappingProxyType({own.name: own for _, own in self._activations()})

    @cached_property
    def exact(self) -> bool:
        """Whether no weight is a float."""
        return all(map(is_exact, self.parameters.values()))

    @cached_property
    def symbols(self) -> frozenset[Symbol]:
        """The symbols among the weights."""
        return frozenset().union(*map(symbols, self.parameters.values()))

    @property
    def weights_count(self) -> int:
        """Number of weights and biases."""
        return sum(array.size for array in self.parameters.values())

    @property
    def kinks(self) -> tuple[Activation, ...]:
        """The activations whose derivative jumps, each once; empty for a smooth network."""
        return tuple(own for own in self.activations.values() if own.kinks)

    def numeric(self) -> Self:
        """The network with its weights in double precision, exact ones rounded once.

        The network itself where they are. ValueError names the symbols when weights are symbolic.
        """
        if self.symbols:
            raise ValueError(
                f"weights are symbolic ({listed(self.symbols)}); give them numbers by subs()"
            )
        if all(array.dtype == np.float64 for array in self.parameters.values()):
            return self
        return self._mapped(lambda node: node.mapped(doubles))

    def numbers(self) -> tuple[tuple[Array, Array | None], ...]:
        """`(W float64, b float64 or None)` of each layer of a chain, read-only.

        ValueError as `numeric` and `layers`.
        """
        return tuple((layer.weights, layer.bias) for layer in self.numeric().layers)

    def subs(self, values: Mapping[str | Symbol, object]) -> Self:
        """The network with weight symbols replaced by numbers or by other symbols, all at once.

        Keys are symbols or their names; ValueError for one that is no weight of this network.
        """
        plain = {Symbol(str(key)): value for key, value in values.items()}
        if unknown := plain.keys() - self.symbols:
            known = listed(self.symbols) or "none"
            raise ValueError(f"no weight symbol {listed(unknown)}; the network has {known}")
        return self._mapped(lambda node: node.subs(plain))

    def with_parameters(self, arrays: Mapping[str, Array]) -> Self:
        """The network with these weights and biases, by the names of `parameters`.

        ValueError as for Layer; KeyError for a name that is missing.
        """
        return self._with(
            [node.with_arrays(k, arrays) for k, node in enumerate(self.nodes, start=1)]
        )

    def _mapped(self, change: Callable[[Node], Node]) -> Self:
        """The network with each node changed, all else as it is."""
        what = "layer {}".format if self.is_chain else "node {}".format
        nodes = [
            _located(what(k), partial(change, node)) for k, node in enumerate(self.nodes, start=1)
        ]
        return self._with(nodes)

    def _with(self, nodes: Sequence[Node]) -> Self:
        layers = self._layers and [
            Layer(node.terms[0].weights, node.bias, layer.activation)
            for node, layer in zip(nodes, self._layers, strict=True)
        ]
        found = _made(type(self), layers, nodes, (*self._labels(), {}))
        # A symbol made for a label keeps its name, whatever is free now: formulas have it.
        if not found.symbols & {*self.inputs, *self.outputs}:
            found._set_ends(self._ends)
        return found

    def narrowed(self, width: int) -> Self:
        """The network of at most the first `width` neurons in each hidden layer.

        The network itself when none is wider. What is tied to inputs or outputs entry by entry
        keeps its width.
        """
        if max(self.widths[1:-1], default=0) <= width:
            return self
        return self._with(graph.narrowed(self.nodes, self.widths, width))

    @property
    def expression_size(self) -> int:
        """About how many operations `expression()` has, told without building it: `nesting.size`.

        Zero weights, and equal terms which SymPy collects, make the expression smaller.
        """
        return self.m * nesting.size(self.nodes, self.widths)

    def expression(self) -> sympy.Matrix:
        """The outputs as one nested formula of the inputs, shape (m, 1).

        Its size grows as the product of the widths. ValueError, at once, for more than
        nesting.LARGEST operations, and where SymPy cannot nest that many layers.
        """
        told = describing.shape(self._layers, self.widths)
        return nesting.expression(self.inputs, self.nodes, self.widths, told)

    def describe(self) -> str:
        """The network in a line: `2-8-8-1, sigmoid, sigmoid, linear`.

        A graph as `2-1, graph of 4 nodes: tanh 8, tanh 8, sum 8, linear 1`.
        """
        return describing.line(self._layers, self.nodes, self.widths)

    def draw(self, path: str | os.PathLike[str] | None = None) -> Picture:
        """The network drawn; see the kind "network" of `symnet.plot`."""
        from symnet.plotting import plot

        return plot(self, path, kind="network")

    def _repr_html_(self) -> str:
        ends = map(", ".join, (self.input_names, self.output_names))
        names = " → ".join(shortened(names, 100) for names in ends)
        said = f"{self.describe()}, {self.weights_count} weights; {names}"
        title = f"{self.name}:" if self.name else ""
        return showing.paragraph(said, title) + describing.table(self.nodes, self.widths)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Network) and self._content() == other._content()

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        return hash(self._content())

    def _content(self) -> object:
        return self._layers or self.nodes, self.input_names, self.output_names

    def __reduce__(self) -> tuple[Any, ...]:
        nodes = () if self._layers else self.nodes
        return _made, (type(self), self._layers, nodes, (*self._labels(), self.own_symbols))

    def __repr__(self) -> str:
        shape = describing.shape(self._layers, self.widths)
        return f"Network({shape}: {describing.parts(self._layers, self.nodes, self.widths)})"


def _made(
    kind: type[_N], layers: Iterable[Layer] | None, nodes: Iterable[Node], called: tuple[Any, ...]
) -> _N:
    """The network of these layers, or else nodes, through all checks.

    called: its labels as `_labels` has them, and the symbols that it would not have by itself.
    """
    *names, units, symbols = called
    made = kind(layers, *names) if layers else kind.from_nodes(nodes, *names)
    return made.with_units(units).with_symbols(symbols)


def _located(where: str, call: Callable[[], _T]) -> _T:
    try:
        return call()
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None
