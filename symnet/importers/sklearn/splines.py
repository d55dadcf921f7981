"""scikit-learn's SplineTransformer: each basis function of a column as polynomials in pieces."""

from __future__ import annotations

from typing import Any

import numpy as np
from sympy import Expr, Piecewise

from symnet.activations import Z
from symnet.extras import needed
from symnet.importers.folding import functions
from symnet.importers.folding.rounding import remainder
from symnet.importers.folding.tensors import Tensors, Value
from symnet.network.weights import Array

_BEYOND = ("constant", "continue", "linear", "error", "periodic")
_MOST = 40  # functions; each is one of its own


def splines(t: Tensors, transformer: Any, x: Value) -> Value:
    """All basis functions of the first column, then those of the next."""
    how = transformer.extrapolation
    if how not in _BEYOND:
        raise ValueError(f"SplineTransformer extrapolates {how}; symnet reads {', '.join(_BEYOND)}")
    parts = []
    for k, spline in enumerate(transformer.bsplines_):
        count = spline.c.shape[1] - (not transformer.include_bias)
        if count > _MOST:
            raise ValueError(f"SplineTransformer has {count} functions; symnet reads {_MOST}")
        column = t.places(x, lambda a, k=k: a[k : k + 1])  # type: ignore[misc]
        if how == "periodic":
            low, high = float(spline.t[spline.k]), float(spline.t[-spline.k - 1])
            since = remainder(t, t.subtract(column, low), np.asarray(high - low))
            column = t.add(since, low)
        for j in range(count):
            value = _function(spline, j, "continue" if how in ("error", "periodic") else how)
            parts.append(t.apply(value, column, "spline"))
    return t.concatenate(parts, 0)


def _function(spline: Any, j: int, how: str) -> Expr:
    """One basis function: its pieces between knots, and what it is beyond them."""
    pieces = needed("scipy.interpolate", "sklearn").PPoly.from_spline(
        (spline.t, np.asarray(spline.c)[:, j], spline.k)
    )
    low, high = float(spline.t[spline.k]), float(spline.t[-spline.k - 1])
    inside = [i for i in range(len(pieces.x) - 1) if low <= pieces.x[i] < pieces.x[i + 1] <= high]
    found = [(_polynomial(pieces.c[:, i], pieces.x[i]), float(pieces.x[i + 1])) for i in inside]
    below, above = found[0][0], found[-1][0]
    if how != "continue":
        degree = 0 if how == "constant" else 1
        below, above = (_taylor(e, at, degree) for e, at in ((below, low), (above, high)))
    branches: list[tuple[Expr, Any]] = [(below, functions.number(low) > Z)]
    branches += [(value, functions.number(end) >= Z) for value, end in found]
    return Piecewise(*branches, (above, True))


def _polynomial(coefficients: Array, start: float) -> Expr:
    """By Horner's rule, about the beginning of its piece."""
    step, value = Z - functions.number(start), functions.number(0.0)
    for c in coefficients:
        value = value * step + functions.number(float(c))
    return value


def _taylor(value: Expr, at: float, degree: int) -> Expr:
    point = functions.number(at)
    found = value.subs(Z, point)
    return found + (value.diff(Z).subs(Z, point) * (Z - point) if degree else 0)
