"""Partial derivatives as one formula of the inputs that may be evaluated in double precision.

    ∂y/∂x_i  =  Σ w₂ σ′(z) w₁ᵢ,    ∂²y/∂x_i∂x_j  =  Σ w₂ σ″(z) w₁ᵢ w₁ⱼ,   …

The chain rule with σ′, σ″, … as they are: each is then put in the form that is compiled, which
neither cancels nor overflows, where `expanded` has what SymPy makes of their formulas.
"""

from __future__ import annotations

from functools import lru_cache

import sympy
from sympy import Expr

from symnet.activations import Activation, Z
from symnet.activations.functions import erfcx, let_be
from symnet.activations.joined import whole
from symnet.network import Network, nesting


class _Named(sympy.Function):
    """σ⁽ʳ⁾(z): `_Named(z, k, r)` of the k-th activation."""

    def fdiff(self, argindex: int = 1) -> Expr:
        z, k, r = self.args
        return _Named(z, k, r + 1)


def partial(network: Network, output: int, inputs: tuple[int, ...] = ()) -> Expr:
    """∂^r y_output / ∂x_i ∂x_j …, for positions from 0.

    ValueError where there is a softmax, and where SymPy cannot nest the formulas.
    """
    activations = tuple(dict.fromkeys(n.activation for n in network.nodes if n.activation))
    values = [list(network.inputs)]
    for node, width in zip(network.nodes, network.widths[1:], strict=True):
        z = nesting.form(node, values)
        if node.activation is not None:
            k = activations.index(node.activation)
            values.append([_Named(entry, k, 0) for entry in z])
        elif node.kind in ("form", "product"):
            values.append(nesting.combined(node, z, values, width))
        else:
            raise ValueError(f"a stable formula of {node.kind} is not known; use compile()")
    found = values[-1][output]
    for i in inputs:
        found = sympy.diff(found, network.inputs[i])
    try:
        return _written(found, activations)
    except RecursionError:  # |u| and |-u| go in circles for some sums u of decimals
        raise ValueError(
            "SymPy cannot nest the stable forms of these activations; use compile()"
        ) from None


def _written(node: Expr, activations: tuple[Activation, ...]) -> Expr:
    if not node.has(_Named):
        return node
    parts = [_written(part, activations) for part in node.args]
    if isinstance(node, _Named):
        z, k, r = parts
        return _form(activations[int(k)], int(r)).xreplace({Z: z})
    return node.func(*parts)


@lru_cache(maxsize=512)
def _form(activation: Activation, order: int) -> Expr:
    """A derivative as it is compiled, in Z alone."""
    if activation.given and not activation.derivative(order).has(erfcx):
        return let_be(activation.derivative(order))
    activation.forms(order)  # ValueError where it is refused
    return let_be(whole(activation.meant, order))
