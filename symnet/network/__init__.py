"""What a network is: weights, layers, nodes and how they are written; its formula of the inputs."""

from symnet.network.building import (
    Vector,
    apply,
    concat,
    layer_norm,
    log_softmax,
    maximum,
    mean,
    minimum,
    prelu,
    softmax,
    variables,
)
from symnet.network.graph import Node, Term
from symnet.network.layer import Layer, Spec
from symnet.network.network import Network

__all__ = [
    "Layer",
    "Network",
    "Node",
    "Spec",
    "Term",
    "Vector",
    "apply",
    "concat",
    "layer_norm",
    "log_softmax",
    "maximum",
    "mean",
    "minimum",
    "prelu",
    "softmax",
    "variables",
]
