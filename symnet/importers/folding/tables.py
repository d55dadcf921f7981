"""Functions that frameworks define by cases: x log y, log |Γ|, and interpolation in a table."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import sympy
from sympy import Expr, Piecewise, log

from symnet.activations import Z
from symnet.importers.folding.forms import Form
from symnet.importers.folding.functions import number
from symnet.importers.folding.tensors import Tensors, Value

_MOST = 64  # points of a table
_ZERO = "x log y (xlogy) has no value where x is 0 and log y is infinite; frameworks give 0"


def x_log(t: Tensors, x: Value, y: Value, plus: int = 0) -> Value:
    """x log(y + plus), 0 where x is 0."""
    if isinstance(x, Form) and isinstance(y, Form):

        def formula(a: Expr, b: Expr) -> Expr:
            whole = a * log(b + plus)
            return Piecewise((0, sympy.Eq(a, 0)), (whole, True)) if a.is_polynomial(Z) else whole

        found = t.fold.combined(x, y, formula, "xlogy")
        if found is not None:
            return found
        t.fold.assume(_ZERO)
    return t.multiply(x, t.apply("log1p" if plus else "log", y))


def log_gamma(t: Tensors, x: Value) -> Value:
    """log Γ, of positive numbers."""
    if isinstance(x, Form):
        t.fold.assume("lgamma of a negative number has no value here; frameworks give log |Γ|")
    return t.apply("loggamma", x)


def interpolated(
    t: Tensors, x: Value, at: Value, values: Value, ends: Sequence[float | None]
) -> Value:
    """Straight lines between the points of a table; a number beyond each end, None its line."""
    if isinstance(at, Form) or isinstance(values, Form):
        raise ValueError("the table in which it interpolates depends on the inputs")
    if not 1 < np.size(at) <= _MOST or np.ndim(at) != 1 or (np.diff(at) <= 0).any():
        raise ValueError(
            f"it interpolates in {np.size(at)} points; symnet reads 2 to {_MOST} that rise"
        )
    at, values = (np.asarray(v, dtype=np.float64) for v in (at, values))
    lines = [
        number(f) + number((g - f) / (b - a)) * (Z - number(a))
        for a, b, f, g in zip(at, at[1:], values, values[1:], strict=False)
    ]
    arms = [(line, number(b) > Z) for line, b in zip(lines, at[1:], strict=True)]
    arms[-1] = (lines[-1], number(at[-1]) >= Z)
    below, above = (
        line if end is None else number(end)
        for line, end in zip((lines[0], lines[-1]), ends, strict=True)
    )
    cases = [(below, number(at[0]) > Z), *arms, (above, True)]
    return t.apply(Piecewise(*cases), x, "interpolation")
