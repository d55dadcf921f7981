"""The angle of a point, of coordinates that vary: atan2.

|x|  = 2 relu(x) − x
θ    = 2 atan(y/(sqrt(x² + y²) + |x|))          within −π/2 and π/2, no digits cancel
atan2(y, x) = θ where x > 0,  ±π − θ elsewhere

It is smooth at x = 0, and there the derivatives of what it is made of are those from the left.
At the origin there is no value, and squares of coordinates must be doubles: between 1e-150 and
1e150.
"""

from __future__ import annotations

import numpy as np
from sympy import Piecewise, pi

from symnet.activations import Z
from symnet.importers.folding.tensors import Tensors, Value

_SIDE = Piecewise((-1, Z <= 0), (1, True))
_LEFT = Piecewise((1, Z <= 0), (0, True))
_TURN = Piecewise((-pi, Z < 0), (pi, True))


def angle(t: Tensors, y: Value, x: Value) -> Value:
    """atan2(y, x), entry by entry."""
    shape = np.broadcast_shapes(np.shape(y), np.shape(x))
    y, x = (t.broadcast(v, shape) for v in (y, x))
    radius = t.apply("sqrt", t.add(t.apply("square", x), t.apply("square", y)))
    # Not |x| by itself: that would be the table's abs, whose derivative at 0 is 0.
    below = t.subtract(t.add(radius, t.multiply(t.apply("relu", x), 2.0)), x)
    half = t.apply("atan", t.divide(y, below))
    inner = t.multiply(t.multiply(half, 2.0), t.apply(_SIDE, x, "side"))
    return t.add(inner, t.multiply(t.apply(_LEFT, x, "left"), t.apply(_TURN, y, "half_turn")))
