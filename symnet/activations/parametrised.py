"""Activations with a parameter, as frameworks have them: `leaky_relu(0.2)`, `clip(-1, 3)`.

Numbers are held exactly, a float as the double that it is. Equal parameters give equal
activations, and the name says them: `leaky_relu_0p2` (p for the point, m for a minus, over for a
fraction's bar).
A slope for each neuron (PReLU) is none of these: `alpha z + (1 - alpha) relu(z)`, in the graph.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TypeAlias, TypedDict

import sympy
from sympy import Expr, Piecewise, exp
from sympy.codegen.cfunctions import expm1

from symnet.activations.activation import Activation
from symnet.activations.blocks import either, exponential, reals, rectified
from symnet.activations.systems import Auxiliary, System, Z
from symnet.activations.table import TABLE

Number: TypeAlias = int | float | Fraction | Expr

_v, _h, _s, _m, _e, _t = reals("v h s m e t")


def leaky_relu(slope: Number) -> Activation:
    """`z` where z > 0, else `slope z`; its derivative at 0 is the slope, as PyTorch has it.

    Raises ValueError for a slope that is no finite number; so do the others for theirs.
    """
    a = _exact("leaky_relu", slope)
    if a == sympy.Rational(1, 100) or float(a) == 0.01:
        return TABLE["leaky_relu"]
    if a == 1:
        return TABLE["linear"]
    system = rectified(a * Z, a)
    value = either(Z <= 0, a * Z, Z)
    return Activation(value=value, kinks=(_ZERO,), system=system, **_called("leaky_relu", a))


def elu(alpha: Number) -> Activation:
    """`z` where z > 0, else `alpha (exp(z) - 1)`; its derivative at 0 is alpha."""
    a = _exact("elu", alpha)
    if a == 1:
        return TABLE["elu"]
    value = either(Z <= 0, a * (exp(Z) - 1), Z)
    system = exponential(_ONE, a)
    return Activation(value=value, kinks=(_ZERO,), system=system, **_called("elu", a))


def celu(alpha: Number) -> Activation:
    """`z` where z > 0, else `alpha (exp(z/alpha) - 1)`. alpha > 0."""
    a = _positive("celu", alpha)
    if a == 1:
        return TABLE["celu"]
    value = either(Z <= 0, a * (exp(Z / a) - 1), Z)
    system = System(
        _v,
        (
            Auxiliary(_m, either(Z > 0, 0, Z / a)),
            Auxiliary(_e, exp(_m)),
            Auxiliary(_v, either(Z > 0, Z, a * expm1(_m)), _s),
            Auxiliary(_s, either(Z > 0, 1, _e), _t / a),
            Auxiliary(_t, either(Z > 0, 0, _e), _t / a),
        ),
    )
    return Activation(value=value, system=system, **_called("celu", a))


def softplus(beta: Number) -> Activation:
    """`log(1 + exp(beta z))/beta`, beta > 0: without PyTorch's line beyond a threshold."""
    b = _positive("softplus", beta)
    if b == 1:
        return TABLE["softplus"]
    return Activation(value=sympy.log(1 + exp(b * Z)) / b, **_called("softplus", b))


def power(p: Number) -> Activation:
    """`z^p`; for a p that is not whole only where z >= 0, for a negative one where z is not 0."""
    exponent = _exact("power", p)
    if exponent.is_Float and float(2 * exponent).is_integer():
        exponent = sympy.Rational(int(2 * exponent), 2)
    if exponent == 0:
        raise ValueError("power(0) is 1 everywhere, which does not depend on z")
    known = {1: "linear", 2: "square", -1: "reciprocal", _HALF: "sqrt"}
    if exponent in known:
        return TABLE[known[exponent]]
    if abs(exponent) > _LARGEST:
        raise ValueError(f"power({p}): exponents are limited to {_LARGEST}")
    return Activation(value=Z**exponent, **_called("power", exponent))


def clip(low: Number | None, high: Number | None) -> Activation:
    """`min(max(z, low), high)`, either of which may be None; its derivative at both is 1.

    So is PyTorch's of clamp; of hardtanh, the same function, it is 0.
    """
    ends = [None if end is None else _exact("clip", end) for end in (low, high)]
    a, b = ends
    if a is None and b is None:
        return TABLE["linear"]
    if a is not None and b is not None and not a < b:
        raise ValueError(f"clip({low}, {high}): the first must be less than the second")
    below = [] if a is None else [(a, a > Z)]
    above = [] if b is None else [(b, b < Z)]
    value = Piecewise(*below, (Z, b >= Z), (b, True)) if b is not None else None
    before = [(_ZERO, test) for _, test in below]
    inside = [] if b is None else [(_ONE, b >= Z)]
    last = (_ONE, a <= Z) if b is None else (_ZERO, b < Z)
    system = System(
        _v,
        (
            Auxiliary(_v, Piecewise(*below, *above, (Z, True)), _s),
            # Only NaN reaches the last z: a step alone would turn it into a number.
            Auxiliary(_h, Piecewise(last, (Z, True))),
            Auxiliary(_s, Piecewise(*before, *inside, (_h, True)), _ZERO),
        ),
    )
    shown = Piecewise(*below, (Z, True)) if value is None else value
    kinks = tuple(end for end in ends if end is not None)
    return Activation(value=shown, kinks=kinks, system=system, **_called("clip", *ends))


_ZERO, _ONE, _HALF = sympy.S.Zero, sympy.S.One, sympy.S.Half
_LARGEST = 64


def _exact(what: str, number: Number) -> Expr:
    """The number as SymPy's: a float is the double that it is, everything else exact."""
    if isinstance(number, float):
        if not math.isfinite(number):
            raise ValueError(f"{what} has the parameter {number}, expected a finite number")
        return sympy.Integer(int(number)) if number.is_integer() else sympy.Float(number)
    found = sympy.sympify(number) if isinstance(number, (int, Fraction, Expr)) else None
    if found is None or not found.is_Number or not found.is_finite:
        raise ValueError(f"{what} has the parameter {number!r}, expected a finite number")
    return found


def _positive(what: str, number: Number) -> Expr:
    found = _exact(what, number)
    if not found > 0:
        raise ValueError(f"{what} has the parameter {number}, expected one above 0")
    return found


class _Called(TypedDict):
    name: str
    latex: str


def _called(what: str, *numbers: Expr | None) -> _Called:
    """`leaky_relu_0p2`; in LaTeX the numbers are an index."""
    written = ["" if number is None else _written(number) for number in numbers]
    below = r",\,".join(text or r"\infty" for text in written)
    if len(written) == 2 and not written[0]:
        below = "-" + below
    command = rf"\operatorname{{{what}}}".replace("_", r"\_")
    name = "_".join([what, *(_word(text) or "none" for text in written)])
    return {"name": name, "latex": f"{command}_{{{below}}}"}


def _written(number: Expr) -> str:
    return repr(float(number)) if number.is_Float else str(number)


def _word(text: str) -> str:
    """A number as part of an identifier: -0.5 is m0p5, 1/3 is 1over3."""
    for sign, word in (("-", "m"), ("+", ""), (".", "p"), ("/", "over")):
        text = text.replace(sign, word)
    return text
