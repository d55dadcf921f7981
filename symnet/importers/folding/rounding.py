"""Rounding, and remainders of divisions: constant between jumps, where derivatives are as if not.

x mod y = x − y floor(x/y)        fmod(x, y) = x − y trunc(x/y)
"""

from __future__ import annotations

import numpy as np
from sympy import Abs, Rational, ceiling, floor, sign

from symnet.activations import Z
from symnet.activations.functions import rint
from symnet.importers.folding.forms import Form
from symnet.importers.folding.functions import number
from symnet.importers.folding.tensors import Tensors, Value

ROUNDED = {
    "floor": floor(Z),
    "ceil": ceiling(Z),
    "round": rint(Z),
    "trunc": sign(Z) * floor(Abs(Z)),
    "round_half_away": sign(Z) * floor(Abs(Z) + Rational(1, 2)),
}
"""By the frameworks' names; `round` takes the even one of two."""


def rounded(t: Tensors, x: Value, how: str) -> Value:
    """A whole number near x."""
    return t.apply(ROUNDED[how], x, how)


def remainder(t: Tensors, x: Value, y: Value, how: str = "floor") -> Value:
    """x − y times the rounded x/y."""
    return t.subtract(x, t.multiply(y, whole_quotient(t, x, y, how)))


def whole_quotient(t: Tensors, x: Value, y: Value, how: str = "floor") -> Value:
    """The rounded x/y; by the formula with x/y in it, as x times 1/y jumps at other places."""
    if isinstance(x, Form) and not isinstance(y, Form) and np.unique(y).size == 1:
        period = float(np.ravel(y)[0])
        if period:
            wide = t.broadcast(x, np.broadcast_shapes(x.shape, np.shape(y)))
            return t.apply(ROUNDED[how].xreplace({Z: Z / number(period)}), wide, how)
    return rounded(t, t.divide(x, y), how)
