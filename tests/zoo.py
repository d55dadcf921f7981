"""Networks of every shape that a graph can have, for tests: each a function without arguments.

    @pytest.mark.parametrize("name", zoo.GRAPHS)
    def test_something(name):
        network = zoo.network(name)

All weights are doubles drawn by `numpy.random.default_rng`, without symmetry, so that a wrong
index or a transposition shows. `GRAPHS` are small, `LARGE` is what wants speed, `CHAINS` are chains
for tests that compare both. `KINKED` names those with a kink, `BOUNDED` those whose inputs have a
domain: take points from `points`, which are inside.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
import sympy
from numpy.typing import NDArray

import symnet
from symnet.activations import Activation, Z
from symnet.network import Layer, Network, Node, Term
from symnet.network.building import Vector, apply, concat, layer_norm, maximum, mean, prelu
from symnet.witness import sampling

Array = NDArray[np.float64]


def network(name: str) -> Network:
    """The network of that name, the same object at every call."""
    return _made(name)


def points(network: Network, count: int = 5, seed: int = 0) -> Array:
    """Points (count, n) inside the network's domain, where it is neither flat nor saturated."""
    return sampling.ordinary(network, np.random.default_rng(seed), count)


@lru_cache
def _made(name: str) -> Network:
    found = (_GRAPHS | _LARGE | _CHAINS)[name]()
    assert found.is_chain == (name in _CHAINS), name
    return found


class Draw:
    """Layers of random weights, reproducible: `draw(rows, columns, activation)`."""

    def __init__(self, seed: int) -> None:
        self.random = np.random.default_rng(seed)

    def __call__(
        self, rows: int, columns: int, activation: str = "linear", bias: bool = True
    ) -> Layer:
        weights = self.random.normal(size=(rows, columns)) / np.sqrt(columns)
        shift = 0.5 * self.random.normal(size=rows) if bias else None
        return Layer(weights, shift, activation)

    def positive(self, rows: int, columns: int) -> Array:
        """A matrix of positive weights."""
        return self.random.uniform(0.1, 1.0, (rows, columns))


# --- skip connections and concatenation ---------------------------------------------------------


def residual() -> Network:
    """h + f(h), twice."""
    draw, x = Draw(1), symnet.variables("x1", "x2")
    h = draw(4, 2, "tanh")(x)
    for _ in range(2):
        h = h + draw(4, 4, "sigmoid")(h)
    return Network.of(draw(1, 4)(h))


def residual_of_inputs() -> Network:
    """The inputs themselves are added: y = x + W tanh(V x), as many outputs as inputs."""
    draw, x = Draw(2), symnet.variables("x1", "x2", "x3")
    return Network.of(x + draw(3, 5, bias=False)(draw(5, 3, "tanh")(x)))


def residual_of_two_layers() -> Network:
    """The activation after the sum, as in the first residual networks: relu(h + f(g(h)))."""
    draw, x = Draw(3), symnet.variables("x1", "x2")
    h = draw(4, 2, "relu")(x)
    h = apply("relu", h + draw(4, 3)(draw(3, 4, "relu")(h)))
    return Network.of(draw(2, 4)(h))


def difference() -> Network:
    """h - g and 2 h - 3: scaled and shifted vectors."""
    draw, x = Draw(4), symnet.variables("x1", "x2")
    h, g = draw(3, 2, "sin")(x), draw(3, 2, "arctan")(x)
    return Network.of(draw(1, 3)(2.0 * h - 3.0 - g))


def dense_net() -> Network:
    """Each layer sees the inputs and all layers before it."""
    draw, x = Draw(5), symnet.variables("x1", "x2")
    seen = x
    for width in (3, 4):
        seen = concat(seen, draw(width, seen.width, "tanh")(seen))
    return Network.of(draw(1, seen.width)(seen))


def input_convex() -> Network:
    """Positive weights of convex, growing activations, and the inputs passed through to each."""
    draw, x = Draw(6), symnet.variables("x1", "x2")
    h = draw(4, 2, "softplus")(x)
    for width in (4, 1):
        through = draw(width, 2)(x)
        h = apply("softplus", draw.positive(width, h.width) @ h + through)
    return Network.of(h)


def pass_through() -> Network:
    """The inputs are among the outputs, in another order."""
    draw, x = Draw(7), symnet.variables("x1", "x2")
    return Network.of(concat(x[1], draw(1, 3)(draw(3, 2, "gelu")(x)), x[0]))


def branches() -> Network:
    """Two subnetworks of unequal depth, one for each input, that meet."""
    draw, (a, b) = Draw(8), symnet.variables("x1", "x2")
    left = draw(3, 3, "silu")(draw(3, 1, "tanh")(a))
    right = draw(2, 1, "sigmoid")(b)
    return Network.of(draw(2, 5)(concat(left, right)))


def shared() -> Network:
    """A layer applied twice, to the inputs and to themselves exchanged: a symmetric function."""
    draw, x = Draw(9), symnet.variables("x1", "x2")
    first, second = draw(4, 2, "tanh"), draw(3, 4, "tanh")
    total = second(first(x)) + second(first(x[[1, 0]]))
    return Network.of(draw(1, 3)(total))


# --- products -----------------------------------------------------------------------------------


def highway() -> Network:
    """t * h + (1 - t) * g with a gate t: products of two branches."""
    draw, x = Draw(10), symnet.variables("x1", "x2")
    g = draw(4, 2, "tanh")(x)
    gate, h = draw(4, 4, "sigmoid")(g), draw(4, 4, "tanh")(g)
    return Network.of(draw(1, 4)(gate * h + (1 - gate) * g))


def product_of_outputs() -> Network:
    """y1 y2 and y1**2, of the outputs of one network."""
    draw, x = Draw(11), symnet.variables("x1", "x2")
    y1, y2 = draw(2, 4)(draw(4, 2, "tanh")(x))
    return Network.of(concat(y1 * y2, y1**2), outputs=("product", "squared"))


def two_in_two_out() -> Network:
    """An envelope of one width that multiplies two outputs: the narrow factor is spread."""
    draw, x = Draw(12), symnet.variables("x1", "x2")
    inner = draw(2, 4)(draw(4, 2, "tanh")(x))
    return Network.of(apply("gaussian", draw(1, 2)(x)) * inner, outputs=("u", "v"))


def spread_form() -> Network:
    """The form is one wide and the factor is not: the other way round."""
    draw, x = Draw(13), symnet.variables("x1", "x2")
    h = draw(3, 2, "tanh")(x)
    form, out = draw(1, 2), draw(1, 3)
    nodes = (
        Node.of(Layer(draw(3, 2).weights, None, "tanh"), 0),
        Node((Term(form.weights, 0),), form.bias, "product", factor=1),
        Node((Term(out.weights, 2), Term(form.weights, 0)), out.bias),
    )
    assert h.width == 3
    return Network.from_nodes(nodes)


def spread_input() -> Network:
    """The only input multiplies a wide vector: its unit direction and its column are spread."""
    draw, x = Draw(61), symnet.variables("x")
    h = draw(3, 1, "gaussian")(x)
    form = draw(1, 1, bias=False)(x)
    return Network.of(draw(1, 3)(x * (1.0 - h)) + draw(1, 3)((form + 0.5) * h))


def bilinear() -> Network:
    """Products of the inputs with each other and with neurons, a matrix on the product."""
    draw, x = Draw(14), symnet.variables("x1", "x2")
    h = draw(2, 2, "tanh")(x)
    return Network.of(draw(2, 2)(h * x) + x[0] * x[1])


def square_of_itself() -> Network:
    """v * v: both factors are the same vector."""
    draw, x = Draw(15), symnet.variables("x1", "x2")
    h = draw(3, 2, "sigmoid")(x)
    return Network.of(draw(1, 3)(h * h * h))


def quotient() -> Network:
    """h / g with g > 0."""
    draw, x = Draw(16), symnet.variables("x1", "x2")
    h, g = draw(2, 2, "tanh")(x), draw(2, 2, "softplus")(x)
    return Network.of(draw(1, 2)(h / (g + 1.0)))


def mixture() -> Network:
    """Experts weighed by softmax: the sum of products of shares and outputs."""
    draw, x = Draw(17), symnet.variables("x1", "x2")
    shares = symnet.softmax(draw(3, 2)(x))
    return Network.of(np.ones((1, 3)) @ (shares * draw(3, 4)(draw(4, 2, "tanh")(x))))


# --- softmax and normalisation ------------------------------------------------------------------


def classifier() -> Network:
    """Softmax at the end."""
    draw, x = Draw(18), symnet.variables("x1", "x2")
    return Network.of(symnet.softmax(draw(3, 4)(draw(4, 2, "tanh")(x))))


def log_classifier() -> Network:
    """Log-softmax at the end."""
    draw, x = Draw(19), symnet.variables("x1", "x2")
    return Network.of(symnet.log_softmax(draw(3, 4)(draw(4, 2, "gelu")(x))))


def log_shares() -> Network:
    """Log-softmax of what is linear in the inputs: its second derivative is one wide."""
    draw, x = Draw(39), symnet.variables("x1", "x2")
    mixed = draw(2, 3)(symnet.log_softmax(draw(3, 2)(x)))
    return Network.of([mixed, symnet.log_softmax(x)])


def attention() -> Network:
    """Softmax and log-softmax inside, of one wide and of plain forms too."""
    draw, x = Draw(20), symnet.variables("x1", "x2")
    h = draw(4, 2, "tanh")(x)
    inside = symnet.softmax(h) * h + symnet.log_softmax(draw(4, 4)(h))
    return Network.of(draw(2, 4)(inside) + symnet.softmax(draw(1, 4)(h)))


def layer_normalisation() -> Network:
    """(h - mean)/sqrt(variance + eps) with a scale and a shift."""
    draw, x = Draw(21), symnet.variables("x1", "x2")
    h = draw(4, 2, "tanh")(x)
    scale, shift = draw.positive(2, 4)
    return Network.of(draw(1, 4)(apply("tanh", layer_norm(draw(4, 4)(h), scale, shift))))


# --- inputs of their own kind -------------------------------------------------------------------


def transformed_inputs() -> Network:
    """1/T and log(rho), scaled: the inputs of an equation of state, at 700 K and 200 kg/m3."""
    draw, (rho, T) = Draw(22), symnet.variables("rho", "T")
    scaled = concat((np.log(rho) - 5.3) / 0.4, (1000 / T - 1.4) / 0.15)
    return Network.of(draw(1, 5)(draw(5, 2, "tanh")(scaled)), outputs=("p",))


def transformed_output() -> Network:
    """exp of the output times an input: a quantity learned in logarithms."""
    draw, x = Draw(23), symnet.variables("rho", "T")
    return Network.of(np.exp(draw(1, 4)(draw(4, 2, "tanh")(x))) * x[0], outputs=("p",))


def fourier_features() -> Network:
    """sin and cos of 2 pi B x before the first layer."""
    draw, x = Draw(24), symnet.variables("x1", "x2")
    angles = (2 * np.pi * draw.random.normal(size=(3, 2))) @ x
    features = concat(np.sin(angles), np.cos(angles))
    return Network.of(draw(1, 4)(draw(4, 6, "tanh")(features)))


def powers() -> Network:
    """Square roots, squares and other powers of positive forms."""
    draw, x = Draw(25), symnet.variables("x1", "x2")
    h = draw(3, 2, "softplus")(x) + 0.5
    parts = concat(np.sqrt(h), h**2, h**-1.5, 2.0**h)
    return Network.of(draw(1, parts.width)(parts))


# --- activations --------------------------------------------------------------------------------


def mixed_activations() -> Network:
    """A layer whose neurons have three activations."""
    draw, x = Draw(26), symnet.variables("x1", "x2")
    z = draw(6, 2)(x)
    mixed = concat(apply("tanh", z[:2]), apply("gelu", z[2:5]), apply("sin", z[5]))
    return Network.of(draw(1, 6)(mixed))


def parametric_relu() -> Network:
    """A slope of its own for each neuron below 0."""
    draw, x = Draw(27), symnet.variables("x1", "x2")
    slopes = draw.random.uniform(-0.2, 0.4, 5)
    return Network.of(draw(1, 5)(prelu(draw(5, 2)(x), slopes)))


def maxout() -> Network:
    """The larger of two forms, and the mean of all entries."""
    draw, x = Draw(28), symnet.variables("x1", "x2")
    h = maximum(draw(4, 2)(x), draw(4, 2)(x))
    return Network.of(draw(2, 4)(h) + mean(h))


def own_activation() -> Network:
    """A user's own functions, beside one of the table."""
    draw, x = Draw(29), symnet.variables("x1", "x2")
    swish2 = Activation("swish2", Z / (1 + sympy.exp(-2 * Z)))
    bent = Activation("bent", (sympy.sqrt(Z**2 + 1) - 1) / 2 + Z)
    h = apply(swish2, draw(3, 2)(x)) + apply(bent, draw(3, 2)(x))
    return Network.of(draw(1, 3)(apply("tanh", h)))


# --- plain cases at the edge --------------------------------------------------------------------


def inputs_alone() -> Network:
    """No weights at all: y = x1 x2."""
    x1, x2 = symnet.variables("x1", "x2")
    return Network.of(x1 * x2)


def one_input() -> Network:
    """A single input, three outputs: entries with no cross partials."""
    draw, x = Draw(30), symnet.variables("t")
    h = draw(3, 1, "sin")(x)
    return Network.of(h + draw(3, 3, "tanh")(h))


def linear_graph() -> Network:
    """Sums of forms only: a constant Jacobian, a Hessian of zeros."""
    draw, x = Draw(31), symnet.variables("x1", "x2")
    h = draw(3, 2)(x)
    return Network.of(draw(2, 3)(h) + x)


def unused_input() -> Network:
    """An input that y does not need: its partials are zeros."""
    draw, x = Draw(32), symnet.variables("x1", "x2", "x3")
    h = draw(3, 2, "tanh")(x[::2])
    return Network.of(draw(1, 3)(h + draw(3, 3, "tanh")(h)))


# --- larger -------------------------------------------------------------------------------------


def large_residual() -> Network:
    """2-32 and four residual blocks of 32."""
    draw, x = Draw(33), symnet.variables("x1", "x2")
    h = draw(32, 2, "tanh")(x)
    for _ in range(4):
        h = h + draw(32, 32, "tanh")(h)
    return Network.of(draw(1, 32)(h))


def many_inputs() -> Network:
    """Twelve inputs, gates and a skip connection: Hessians of 144 entries."""
    draw, x = Draw(34), symnet.variables(*(f"x{i}" for i in range(1, 13)))
    h = draw(24, 12, "tanh")(x)
    h = draw(24, 24, "sigmoid")(h) * h + h
    return Network.of(draw(3, 36)(concat(h, x)))


# --- chains -------------------------------------------------------------------------------------


def chain() -> Network:
    """2-5-4-1 with three activations, one layer without bias."""
    draw = Draw(35)
    return Network([draw(5, 2, "tanh"), draw(4, 5, "gelu", bias=False), draw(1, 4, "sin")])


def several_outputs() -> Network:
    """3-4-2, softplus at the end."""
    draw = Draw(36)
    return Network([draw(4, 3, "silu"), draw(2, 4, "softplus")])


def kinked_chain() -> Network:
    """2-6-6-1 of relu and elu."""
    draw = Draw(37)
    return Network([draw(6, 2, "relu"), draw(6, 6, "elu"), draw(1, 6)])


def single_layer() -> Network:
    """One layer and nothing else."""
    return Network([Draw(38)(2, 3, "sigmoid")])


def _named(*made: Callable[[], Network]) -> dict[str, Callable[[], Network]]:
    return {function.__name__: function for function in made}


_GRAPHS = _named(
    *(residual, residual_of_inputs, residual_of_two_layers, difference, dense_net, input_convex),
    *(pass_through, branches, shared),
    *(highway, product_of_outputs, two_in_two_out, spread_form, spread_input, bilinear),
    square_of_itself,
    *(quotient, mixture),
    *(classifier, log_classifier, log_shares, attention, layer_normalisation),
    *(transformed_inputs, transformed_output, fourier_features, powers),
    *(mixed_activations, parametric_relu, maxout, own_activation),
    *(inputs_alone, one_input, linear_graph, unused_input),
)
_LARGE = _named(large_residual, many_inputs)
_CHAINS = _named(chain, several_outputs, kinked_chain, single_layer)

GRAPHS = tuple(_GRAPHS)
LARGE = tuple(_LARGE)
CHAINS = tuple(_CHAINS)
KINKED = ("residual_of_two_layers", "parametric_relu", "maxout", "kinked_chain")
BOUNDED = ("transformed_inputs",)
__all__ = ["BOUNDED", "CHAINS", "GRAPHS", "KINKED", "LARGE", "Draw", "Vector", "network", "points"]
