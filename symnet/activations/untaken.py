"""Where a user's own activation is NaN in double precision, though it has a value there.

That is so for z that nobody has, of powers beyond all doubles, and where the argument of a sine is:
no double has a phase there (see `accuracy.pardoned`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache

import numpy as np

from symnet.activations.accuracy import FAR, SIZES
from symnet.activations.activation import Activation
from symnet.activations.arithmetic import Array, in_steps

_SIZES = np.array(sorted({*SIZES, *FAR, *(10.0**k for k in range(-307, 309))}))
_HALVINGS = 30
_SHOWN = "{:.3g}"


@lru_cache(maxsize=512)
def untaken(activation: Activation, order: int) -> tuple[str, ...]:
    """Conditions on z, such as `z > 1.34e+154`, under which a derivative up to `order` is NaN."""
    if activation.given:
        return ()
    inside = {
        (side, large): bound
        for side in (1, -1)
        for large in (True, False)
        if (bound := _bound(activation, order, side, large)) is not None
    }
    return tuple(_conditions(inside))


def _conditions(bounds: dict[tuple[int, bool], float]) -> Iterator[str]:
    for large, sign in ((True, ">"), (False, "<")):
        right, left = (bounds.get((side, large)) for side in (1, -1))
        shown = [None if b is None else _SHOWN.format(b) for b in (right, left)]
        if right is not None and shown[0] == shown[1]:
            yield f"|z| {sign} {shown[0]}"
            continue
        if right is not None:
            yield f"z > {shown[0]}" if large else f"0 < z < {shown[0]}"
        if left is not None:
            yield f"z < -{shown[1]}" if large else f"-{shown[1]} < z < 0"


def _bound(activation: Activation, order: int, side: int, large: bool) -> float | None:
    """A size from which on, or up to which, there is a NaN on a side, within the domain."""
    sizes = _SIZES[_SIZES > 1][::-1] if large else _SIZES[_SIZES < 1]
    if not _inside(activation, side * sizes[0]):
        return None
    lost = _is_nan(activation, order, side * sizes)
    count = int(np.argmin(lost)) if not lost.all() else 0
    if not count:
        return None
    beyond, right = float(sizes[count - 1]), float(sizes[count])
    for _ in range(_HALVINGS):
        middle = math.sqrt(beyond) * math.sqrt(right)
        if _is_nan(activation, order, np.array([side * middle]))[0]:
            beyond = middle
        else:
            right = middle
    return right


def _inside(activation: Activation, z: float) -> bool:
    return any(low < z < high for low, high in activation.domain)


def _is_nan(activation: Activation, order: int, z: Array) -> Array:
    found = in_steps(*activation.forms(order), z)
    return np.any([np.isnan(part) for part in found], axis=0)
