"""NumPy's functions of vectors, by name: `np.sum(v)`, `np.maximum(u, v)`, `np.concatenate([u, v])`.

Those of one number, as `np.tanh`, are activations and need no line here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial, reduce
from typing import Any

import numpy as np

from symnet.activations import clip
from symnet.network.building import blocks
from symnet.network.building.protocol import NUMPY
from symnet.network.building.vectors import Vector, apply, concat, linear


def _over_all(
    name: str,
    made: Callable[[Vector], Vector],
    v: Vector,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    keepdims: Any = False,
    **others: Any,
) -> Vector:
    """A function of all entries, one wide; `axis` may say that these are meant."""
    asked = [value for value in (dtype, out, *others.values()) if value is not np._NoValue]
    if axis not in (None, 0, -1) or any(value is not None for value in asked):
        raise TypeError(f"NumPy's {name} is over all entries of a vector, without options")
    return made(v)


def _swapped(symmetric: Callable[[Vector, Any], Vector], a: Any, b: Any) -> Vector:
    """A function whose order does not matter, of which the second may be the only vector."""
    return symmetric(a, b) if isinstance(a, Vector) else symmetric(b, a)


def _log_of_sum(a: Vector, b: Any) -> Vector:
    """log(exp a + exp b) = b + softplus(a − b)."""
    return apply("softplus", a - b) + b


def _hypotenuse(a: Vector, b: Any) -> Vector:
    """sqrt(a² + b²), of which the squares must be doubles."""
    return apply("sqrt", a**2 + b**2)


def _clip(v: Vector, low: Any = None, high: Any = None) -> Vector:
    if not any(isinstance(end, Vector) or np.ndim(end) for end in (low, high)):
        return apply(clip(low, high), v)
    v = v if low is None else blocks.maximum(v, low)
    return v if high is None else blocks.minimum(v, high)


def _joined(vectors: Sequence[Vector], axis: int = 0) -> Vector:
    if axis not in (0, -1):
        raise TypeError(f"vectors of a network have one axis; found axis {axis}")
    return concat(*vectors)


def _times(a: Any, b: Any) -> Vector:
    return a @ b if isinstance(a, Vector) else linear(a, b)


def _dot(a: Any, b: Any) -> Vector:
    numbers = any(not isinstance(side, Vector) and np.ndim(side) == 0 for side in (a, b))
    return _swapped(Vector.__mul__, a, b) if numbers else _times(a, b)


_OPERATORS: dict[str, Callable[..., Vector]] = {
    "add": lambda a, b: b + a if isinstance(b, Vector) else a + b,
    "subtract": lambda a, b: a - b if isinstance(a, Vector) else b.__rsub__(a),
    "multiply": lambda a, b: b * a if isinstance(b, Vector) else a * b,
    "divide": lambda a, b: a / b if isinstance(a, Vector) else b.__rtruediv__(a),
    "power": lambda a, b: a**b if isinstance(a, Vector) else b.__rpow__(a),
    "negative": lambda a: -a,
    "positive": lambda a: a,
    "matmul": _times,
}
_PAIRS: dict[str, Callable[[Vector, Any], Vector]] = {
    "maximum": blocks.maximum,
    "minimum": blocks.minimum,
    "logaddexp": _log_of_sum,
    "hypot": _hypotenuse,
}
_TOTALS: dict[str, Callable[[Vector], Vector]] = {
    "sum": blocks.total,
    "mean": blocks.mean,
    "prod": blocks.product,
    "max": partial(reduce, blocks.maximum),
    "min": partial(reduce, blocks.minimum),
}
_OTHER_NAMES = {
    "amax": "max",
    "amin": "min",
    "add.reduce": "sum",
    "multiply.reduce": "prod",
    "maximum.reduce": "max",
    "minimum.reduce": "min",
}

__all__ = ["NUMPY"]

NUMPY.update(_OPERATORS)
NUMPY.update((name, partial(_swapped, made)) for name, made in _PAIRS.items())
NUMPY.update((name, partial(_over_all, name, made)) for name, made in _TOTALS.items())
NUMPY.update((other, NUMPY[name]) for other, name in _OTHER_NAMES.items())
NUMPY.update(
    {
        "clip": _clip,
        "concatenate": _joined,
        "cumsum": lambda v: linear(np.tri(v.width, dtype=int), v),
        "dot": _dot,
        "flip": lambda v: v[::-1],
        "hstack": _joined,
    }
)
