"""The angle and the distance of a point, of coordinates that vary: atan2 and hypot.

r    = sqrt(x² + y²)
|x|  = 2 relu(x) − x
θ    = 2 atan(y/(r + |x|))                      within −π/2 and π/2, no digits cancel
atan2(y, x) = θ where x > 0,  ±π − θ elsewhere

It is smooth at x = 0, and there the derivatives of what it is made of are those from the left.
At the origin there is no angle. Squares of coordinates must be doubles, which is noted of the
network: a scale that kept them so stands in the formula only where weights are that large or small.
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


_SMALL = 1e-75
_LIMITS = (
    "distances and angles (hypot, atan2) are by squares of coordinates: values are right for "
    "distances from 1e-150 to 1e150, second derivatives from 1e-100 to 1e100"
)


def distance(t: Tensors, x: Value, y: Value) -> Value:
    """sqrt(x² + y²), entry by entry."""
    if isinstance(x, Form) or isinstance(y, Form):
        t.fold.assume(_LIMITS)
    size = _size(x, y)
    x, y = (t.multiply(v, 1 / size) if size != 1 else v for v in (x, y))
    found = t.apply("sqrt", t.add(t.apply("square", x), t.apply("square", y)))
    return t.multiply(found, size) if size != 1 else found


def _size(x: Value, y: Value) -> float:
    """A power of two of the size of weights whose squares are no doubles, else 1."""
    largest = max(_largest(v) for v in (x, y))
    if not np.isfinite(largest) or largest == 0 or _SMALL < largest < 1 / _SMALL:
        return 1.0
    return float(2.0 ** np.floor(np.log2(largest)))


def _largest(value: Value) -> float:
    if not isinstance(value, Form):
        return float(np.abs(value).max(initial=0.0))
    numbers = [
        A if isinstance(A, np.ndarray) else A.data for A in value.terms.values() if A is not None
    ]
    sizes = [np.abs(n).max(initial=0.0) for n in (*numbers, value.full_bias)]
    return float(max(*sizes, *(1.0 for A in value.terms.values() if A is None), 0.0))


def angle(t: Tensors, y: Value, x: Value, half_turn: float = math.pi) -> Value:
    """atan2(y, x), entry by entry; π may be that of single precision, as a file has it."""
    shape = np.broadcast_shapes(np.shape(y), np.shape(x))
    size = _size(x, y)
    y, x = (t.broadcast(v if size == 1 else t.multiply(v, 1 / size), shape) for v in (y, x))
    # Not |x| by itself: that would be the table's abs, whose derivative at 0 is 0.
    below = t.subtract(t.add(distance(t, x, y), t.multiply(t.apply("relu", x), 2.0)), x)
    turn = Piecewise((-number(half_turn), Z < 0), (number(half_turn), True))
    half = t.apply("atan", t.divide(y, below))
    inner = t.multiply(t.multiply(half, 2.0), t.apply(_SIDE, x, "side"))
    return t.add(inner, t.multiply(t.apply(_LEFT, x, "left"), t.apply(turn, y, "half_turn")))
