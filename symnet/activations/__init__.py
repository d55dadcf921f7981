"""Activations: the table, a user's own, and the stable forms that both are computed by."""

from symnet.activations.systems import Forms, Quantity, System, Z
from symnet.activations.table import TABLE, Activation, activation, from_tree

__all__ = ["TABLE", "Activation", "Forms", "Quantity", "System", "Z", "activation", "from_tree"]
