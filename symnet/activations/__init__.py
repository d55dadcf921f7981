"""Activations: the table, a user's own, and the stable forms that both are computed by."""

from symnet.activations.activation import Activation, from_tree
from symnet.activations.elementwise import ELEMENTWISE
from symnet.activations.named import activation, has_its_name
from symnet.activations.parametrised import (
    celu,
    clip,
    elu,
    leaky_relu,
    power,
    softplus,
)
from symnet.activations.systems import Auxiliary, Forms, System, Z
from symnet.activations.table import TABLE

__all__ = [
    "ELEMENTWISE",
    "TABLE",
    "Activation",
    "Forms",
    "Auxiliary",
    "System",
    "Z",
    "activation",
    "celu",
    "clip",
    "elu",
    "from_tree",
    "has_its_name",
    "leaky_relu",
    "power",
    "softplus",
]
