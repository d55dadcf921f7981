"""Functions of constants: NumPy's where it has them, else the formula."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import sympy
from sympy import Expr

from symnet.activations import Z
from symnet.importers.folding import functions
from symnet.network.weights import Array

_MOST = 100_000  # constants: beyond it, functions that NumPy lacks would take minutes

_NUMPY: dict[str, Callable[[Array], Array]] = {
    "atan": np.arctan,
    "asin": np.arcsin,
    "acos": np.arccos,
    "relu": lambda z: np.maximum(z, 0),
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "rsqrt": lambda z: 1 / np.sqrt(z),
}


def evaluated(name: str, value: Expr, x: Array) -> Array:
    """The function of constants, entry by entry."""
    known = name in functions.PLAIN and functions.PLAIN[name] == value
    found = _NUMPY.get(name, getattr(np, name, None)) if known else None
    if found is not None:
        return np.asarray(found(x))
    if x.size > _MOST:
        raise ValueError(f"{name} of {x.size} constants")
    flat = [float(sympy.re(value.xreplace({Z: sympy.Float(float(v))}))) for v in x.reshape(-1)]
    return np.array(flat).reshape(x.shape)
