"""Functions of one number that NumPy and the frameworks have by name, beside the table's rows."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import sympy
from sympy import Expr, Rational, exp, log, sqrt

from symnet.activations.systems import Z, rint

ELEMENTWISE: Mapping[str, Expr] = MappingProxyType(
    {
        "tan": sympy.tan(Z),
        "asin": sympy.asin(Z),
        "acos": sympy.acos(Z),
        "sinh": sympy.sinh(Z),
        "cosh": sympy.cosh(Z),
        "acosh": log(Z + sqrt(Z**2 - 1)),
        "atanh": log((1 + Z) / (1 - Z)) / 2,
        "exp2": 2**Z,
        "expm1": exp(Z) - 1,
        "log1p": log(1 + Z),
        "log2": log(Z) / log(2),
        "log10": log(Z) / log(10),
        "rsqrt": 1 / sqrt(Z),
        "cbrt": sympy.sign(Z) * sympy.Abs(Z) ** Rational(1, 3),
        "cube": Z**3,
        "erf": sympy.erf(Z),
        "erfc": sympy.erfc(Z),
        "sign": sympy.sign(Z),
        "floor": sympy.floor(Z),
        "ceil": sympy.ceiling(Z),
        "round": rint(Z),
        "erfinv": sympy.erfinv(Z),
        "loggamma": sympy.loggamma(Z),
        "digamma": sympy.digamma(Z),
    }
)
"""Their formulas. `activation("log1p")` is one; an activation of another value has another name."""
