"""Rounding, and remainders of divisions: constant between jumps, where derivatives are as if not.

x mod y = x − y floor(x/y)        fmod(x, y) = x − y trunc(x/y)
"""

from __future__ import annotations

import numpy as np
from sympy import Abs, Add, Expr, Mul, Piecewise, Pow, Rational, ceiling, floor, sign

from symnet.activations import Z
from symnet.activations.functions import rint
from symnet.importers.folding import matrices
from symnet.importers.folding.forms import Atom, Form
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


def is_whole(x: Form) -> bool:
    """Whether all entries are sums and products of rounded numbers, which are exact."""
    if not all(map(matrices.is_whole, (*x.terms.values(), x.bias))):
        return False
    return all(map(_is_whole_atom, x.terms))


def _is_whole_atom(atom: Atom) -> bool:
    if atom.form is None:
        return False
    if atom.kind == "product":
        assert atom.factor is not None
        return is_whole(atom.form) and _is_whole_atom(atom.factor)
    law = atom.activation and atom.activation.value
    if law is None:
        return atom.kind == "form" and is_whole(atom.form)
    return _is_whole_law(law, False) or (_is_whole_law(law, True) and is_whole(atom.form))


def _is_whole_law(law: Expr, of_whole: bool) -> bool:
    """Whether a formula has whole values, of all z or of whole ones."""
    if isinstance(law, floor | ceiling | rint | sign) or law.is_Integer:
        return True
    if isinstance(law, Piecewise):
        return all(_is_whole_law(arm, of_whole) for arm, _ in law.args)
    if law.is_Pow and not law.exp.is_nonnegative:
        return False
    if isinstance(law, Add | Mul | Pow | Abs):
        return all(_is_whole_law(part, of_whole) for part in law.args)
    return of_whole and law == Z


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
