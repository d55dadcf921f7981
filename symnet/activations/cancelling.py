"""Whether a derivative as SymPy writes it is right in double precision, too."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from symnet.activations.accuracy import TOLERANCE, grid
from symnet.activations.activation import Activation
from symnet.activations.arithmetic import doubles, in_steps
from symnet.activations.pieces import pieces_of
from symnet.activations.systems import differentiated


@lru_cache(maxsize=512)
def cancels(activation: Activation, order: int) -> bool:
    """Whether a derivative up to `order`, as SymPy writes it, goes wrong in double precision.

    Compared with what is compiled, on a grid over the whole domain. Rounding of z moves a
    derivative by the next one, where that can be computed.
    """
    value = activation.meant
    try:
        forms = activation.forms(order + 1)
    except ValueError:
        forms = activation.forms(order)
    for low, high, _, defined in pieces_of(value).pieces:
        if not defined:
            continue
        points = grid(value, low, high, order).points
        right = in_steps(forms.shared, forms.derivatives, points)
        for r in range(order + 1):
            found = doubles(differentiated(value, r), points)
            with np.errstate(all="ignore"):
                slope = right[r + 1] if r + 1 < len(right) else np.gradient(right[r], points)
                allowed = TOLERANCE * (np.abs(right[r]) + np.abs(points * slope)) + 1e-290
                wrong = ~(np.abs(found - right[r]) <= allowed) & np.isfinite(right[r])
            if wrong.any():
                return True
    return False
