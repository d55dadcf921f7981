"""Functions of one number that NumPy and the frameworks have by name, beside the table's rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import sympy
from sympy import Expr, Rational, exp, log, sqrt

from symnet.activations.functions import rint
from symnet.activations.ondemand import OnDemand
from symnet.activations.systems import Z

_FORMULAS: Mapping[str, Callable[[str], Expr]] = {
    "tan": lambda _: sympy.tan(Z),
    "asin": lambda _: sympy.asin(Z),
    "acos": lambda _: sympy.acos(Z),
    "sinh": lambda _: sympy.sinh(Z),
    "cosh": lambda _: sympy.cosh(Z),
    "acosh": lambda _: log(Z + sqrt(Z**2 - 1)),
    "atanh": lambda _: log((1 + Z) / (1 - Z)) / 2,
    "exp2": lambda _: 2**Z,
    "expm1": lambda _: exp(Z) - 1,
    "log1p": lambda _: log(1 + Z),
    "log2": lambda _: log(Z) / log(2),
    "log10": lambda _: log(Z) / log(10),
    "rsqrt": lambda _: 1 / sqrt(Z),
    "cbrt": lambda _: sympy.sign(Z) * sympy.Abs(Z) ** Rational(1, 3),
    "cube": lambda _: Z**3,
    "erf": lambda _: sympy.erf(Z),
    "erfc": lambda _: sympy.erfc(Z),
    "sign": lambda _: sympy.sign(Z),
    "floor": lambda _: sympy.floor(Z),
    "ceil": lambda _: sympy.ceiling(Z),
    "round": lambda _: rint(Z),
    "erfinv": lambda _: sympy.erfinv(Z),
    "loggamma": lambda _: sympy.loggamma(Z),
    "digamma": lambda _: sympy.digamma(Z),
}

ELEMENTWISE = OnDemand(_FORMULAS)
"""Their formulas. `activation("log1p")` is one; an activation of another value has another name."""
