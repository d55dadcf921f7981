"""The angle and the distance of a point, of coordinates that vary: atan2 and hypot.

r    = sqrt(x² + y²)
|x|  = 2 relu(x) − x
θ    = 2 atan(y/(r + |x|))                      within −π/2 and π/2, no digits cancel
atan2(y, x) = θ where x > 0,  ±π − θ elsewhere

It is smooth at x = 0, and there the derivatives of what it is made of are those from the left.
At the origin there is no angle. Squares of coordinates must be doubles, which is noted of the
network: a scale that kept them so would stand in every formula.
"""

from __future__ import annotations

import math

import numpy as np
from sympy import Piecewise

from symnet.activations import Z
from symnet.importers.folding.forms import Form
from symnet.importers.folding.functions import number
from symnet.importers.folding.tensors import Tensors, Value

_SIDE = Piecewise((-1, Z <= 0), (1, True))
_LEFT = Piecewise((1, Z <= 0), (0, True))


_LIMITS = (
    "distances and angles (hypot, atan2) are by squares of coordinates: values are right for "
    "distances from 1e-150 to 1e150, second derivatives from 1e-100 to 1e100"
)


def distance(t: Tensors, x: Value, y: Value) -> Value:
    """sqrt(x² + y²), entry by entry."""
    if isinstance(x, Form) or isinstance(y, Form):
        t.fold.assume(_LIMITS)
    return t.apply("sqrt", t.add(t.apply("square", x), t.apply("square", y)))


def angle(t: Tensors, y: Value, x: Value, half_turn: float = math.pi) -> Value:
    """atan2(y, x), entry by entry; π may be that of single precision, as a file has it."""
    shape = np.broadcast_shapes(np.shape(y), np.shape(x))
    y, x = (t.broadcast(v, shape) for v in (y, x))
    # Not |x| by itself: that would be the table's abs, whose derivative at 0 is 0.
    below = t.subtract(t.add(distance(t, x, y), t.multiply(t.apply("relu", x), 2.0)), x)
    turn = Piecewise((-number(half_turn), Z < 0), (number(half_turn), True))
    half = t.apply("atan", t.divide(y, below))
    inner = t.multiply(t.multiply(half, 2.0), t.apply(_SIDE, x, "side"))
    return t.add(inner, t.multiply(t.apply(_LEFT, x, "left"), t.apply(turn, y, "half_turn")))
