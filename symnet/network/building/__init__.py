"""A graph as one writes it: vectors of formulas of the inputs, until `Network.of` makes it nodes.

    x = variables("rho", "T")
    h = Layer(W1, b1, "tanh")(x)
    g = Layer(W2, b2, "tanh")(h) + h           a skip connection
    y = Layer(W3)(concat(g, x))
    net = Network.of(y)

`inputs` has the variables, `vectors` what a vector is and its arithmetic, `blocks` what networks
are made of, `dispatch` NumPy's functions of vectors and `protocol` how NumPy calls them, `matrices`
the products that dissolve in weights, `nodes` the way to a network's nodes and back.
"""

from symnet.network.building.blocks import (
    layer_norm,
    log_softmax,
    maximum,
    mean,
    minimum,
    prelu,
    softmax,
)
from symnet.network.building.dispatch import NUMPY
from symnet.network.building.inputs import variables
from symnet.network.building.nodes import applied, nodes_of
from symnet.network.building.vectors import Vector, apply, concat

__all__ = [
    "NUMPY",
    "Vector",
    "applied",
    "apply",
    "concat",
    "layer_norm",
    "log_softmax",
    "maximum",
    "mean",
    "minimum",
    "nodes_of",
    "prelu",
    "softmax",
    "variables",
]
