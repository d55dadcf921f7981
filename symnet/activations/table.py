"""The one table of activations: what each is in a textbook, and how it is computed.

An activation is described twice. `value` is the formula of the textbook, which is printed and
which `sympy.diff` differentiates for the expanded notation. What is computed is its `system` (see
`symnet.activations.systems`), accurate in both tails. To add an activation is to add one row to
`_ROWS`; a user's own needs only its formula: `Activation("swish2", z / (1 + exp(-2 * z)))`.

Constants, and derivatives at kinks, are those of PyTorch: relu'(0) = 0, leaky_relu'(0) = 0.01,
elu'(0) = 1, abs'(0) = 0, hardtanh'(1) = 0. A second derivative that jumps at 0 is that of the arm
which holds 0: 1 for elu, 1.758... for selu, -2 for softsign. `sinc` is sin(z)/z, without the pi
that NumPy's and PyTorch's have in it; sqrt, log and reciprocal are NaN where they are not defined.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import sympy
from sympy import Abs, Expr, Float, Piecewise, Rational, exp, pi, sqrt
from sympy.codegen.cfunctions import log1p

from symnet.activations.activation import TABLE, Activation, register
from symnet.activations.blocks import (
    between,
    clipped,
    either,
    exponential,
    hyperbolic,
    logistic,
    reals,
    rectified,
    sized,
    squared,
    within,
)
from symnet.activations.functions import erfcx, undefined
from symnet.activations.systems import Auxiliary, System, Z

__all__ = ["TABLE"]

_c, _e, _g, _h, _k, _p, _q, _s, _t = reals("c e g h k p q s t")
_a, _d, _l, _r, _u, _v, _w, _x, _y = reals("a d l r u v w x y")
_SIGMOID, _TANH, _EXP, _GAUSSIAN = reals("sigmoid tanh exp gaussian")
_ZERO, _ONE = sympy.S.Zero, sympy.S.One

_SELU_SCALE = Float(1.0507009873554804934193349852946)
_SELU_ALPHA = Float(1.6732632423543772848170429916717)
_RATE = 2 * sqrt(2 / pi)
_CUBIC = Rational(44715, 10**6)
_INNER = _RATE / 2 * (Z + _CUBIC * Z**3)
_NEAR = Rational(3, 10)  # up to where tanh(z) is computed as z minus a series
_CIRCLE = (Auxiliary(_s, sympy.sin(Z), _c), Auxiliary(_c, sympy.cos(Z), -_s))
_READ_LOGISTIC = (
    Auxiliary(_s, 1 / (1 + exp(-Z)), _w),
    Auxiliary(_w, exp(-Z) / (1 + exp(-Z)) ** 2, _w * _d),
    Auxiliary(_d, -sympy.tanh(Z / 2), -2 * _w),
)


def _series() -> Expr:
    """z - tanh(z) = z^3 (c_0 + c_1 z^2 + ...) without its z^3, in x = z^2."""
    terms = (
        4**n * (4**n - 1) * sympy.bernoulli(2 * n) / sympy.factorial(2 * n) for n in range(2, 13)
    )
    return sympy.horner(sum(-c * _x**k for k, c in enumerate(terms)))


def _clamped(name: str, low: Expr | int, high: Expr | int, inside: Expr, above: Expr) -> Activation:
    """A row that is `inside` between low and high, and flat (or z itself) beyond."""
    low, high = sympy.sympify(low), sympy.sympify(high)
    arms = (inside.subs(Z, low), inside, above)
    value = between(low, high, *arms)
    return Activation(name, value, (low, high), system=within(low, high, arms))


_ROWS: Mapping[str, Callable[[str], Activation]] = {
    "linear": lambda name: Activation(
        name, Z, system=System(Z), glyph="id", latex=r"\operatorname{id}"
    ),
    "sigmoid": lambda name: Activation(
        name,
        1 / (1 + exp(-Z)),
        glyph="σ",
        latex=r"\sigma",
        system=System(_s, logistic(Z)),
        reading=System(
            _SIGMOID,
            (
                Auxiliary(_SIGMOID, _SIGMOID, _SIGMOID * _c),
                Auxiliary(_c, 1 - _SIGMOID, -_SIGMOID * _c),
            ),
        ),
    ),
    "tanh": lambda name: Activation(
        name,
        sympy.tanh(Z),
        latex=r"\tanh",
        system=System(_t, hyperbolic(Z)),
        reading=System(
            _TANH,
            (Auxiliary(_TANH, _TANH, _w), Auxiliary(_w, 1 - _TANH**2, -2 * _TANH * _w)),
        ),
    ),
    "relu": lambda name: Activation(
        name, either(Z <= 0, 0, Z), (_ZERO,), system=rectified(_ZERO, _ZERO)
    ),
    "leaky_relu": lambda name: Activation(
        name,
        either(Z <= 0, Z / 100, Z),
        (_ZERO,),
        system=rectified(Z / 100, Rational(1, 100)),
    ),
    "elu": lambda name: Activation(
        name, either(Z <= 0, exp(Z) - 1, Z), system=exponential(_ONE, _ONE)
    ),
    "selu": lambda name: Activation(
        name,
        either(Z <= 0, _SELU_SCALE * _SELU_ALPHA * (exp(Z) - 1), _SELU_SCALE * Z),
        (_ZERO,),
        system=exponential(_SELU_SCALE, _SELU_ALPHA),
    ),
    "softplus": lambda name: Activation(
        name,
        sympy.log(1 + exp(Z)),
        system=System(_v, logistic(Z)),
        reading=System(_v, (Auxiliary(_v, sympy.log(1 + exp(Z)), _s), *_READ_LOGISTIC)),
    ),
    "silu": lambda name: Activation(
        name,
        Z / (1 + exp(-Z)),
        system=System(Z * _s, logistic(Z)),
        reading=System(Z * _s, _READ_LOGISTIC),
    ),
    "gelu": lambda name: Activation(
        name,
        Z * (1 + sympy.erf(Z / sqrt(2))) / 2,
        system=System(
            _x,
            (
                # The normal distribution function p has the tail q and the density y.
                *sized(40),
                *squared(_c, Rational(1, 2)),
                Auxiliary(_v, _e + _e * _u),
                Auxiliary(_y, _v / sqrt(2 * pi), -_g),
                Auxiliary(_g, Z * _y, _y - _t * _y),
                Auxiliary(_q, _v * erfcx(_c / sqrt(2)) / 2),
                Auxiliary(_p, either(Z >= 0, 1 - _q, _q), _y),
                Auxiliary(_x, Z * _p, _p + _g),
            ),
        ),
    ),
    "gelu_tanh": lambda name: Activation(
        name,
        Z * (1 + sympy.tanh(_INNER)) / 2,
        system=System(
            Z * _s,
            (
                *clipped(30),
                Auxiliary(_t, _c**2, 2 * _c),
                Auxiliary(_x, _RATE * _c * (1 + _CUBIC * _t), _g),
                Auxiliary(_g, _RATE * (1 + 3 * _CUBIC * _t), 6 * _RATE * _CUBIC * _c),
                *logistic(_x, _g),
            ),
        ),
        reading=System(
            Z * (1 + _t) / 2,
            (
                Auxiliary(_t, sympy.tanh(_INNER), _w * _g),
                Auxiliary(_w, 1 - sympy.tanh(_INNER) ** 2, -2 * _t * _w * _g),
                Auxiliary(_g, _RATE / 2 * (1 + 3 * _CUBIC * Z**2), _k * Z),
                Auxiliary(_k, 3 * _RATE * _CUBIC, _ZERO),
            ),
        ),
    ),
    "softsign": lambda name: Activation(
        name,
        either(Z < 0, Z / (1 - Z), Z / (1 + Z)),
        system=System(
            _v,
            (
                Auxiliary(_p, 1 / (1 + Abs(Z)), -_h * _p),
                Auxiliary(_h, either(Z < 0, -_p, _p), -_w),
                Auxiliary(_w, _p**2, -2 * _h * _w),
                Auxiliary(_v, Z * _p, _w),
            ),
        ),
    ),
    "mish": lambda name: Activation(
        name,
        Z * sympy.tanh(sympy.log(1 + exp(Z))),
        system=System(
            Z * _t,
            (
                # t = tanh(softplus(z)), g = 1/(2 + 2 exp(z) + exp(2 z)), w = 1 - t^2.
                *logistic(Z),
                Auxiliary(_a, either(Z >= 0, 1 + 2 * _e, _e * (2 + _e))),
                Auxiliary(_y, either(Z >= 0, 1 + 2 * _e * (1 + _e), 2 + _e * (2 + _e))),
                Auxiliary(_g, 1 / _y),
                Auxiliary(_t, _a * _g, _u * _s),
                Auxiliary(_x, either(Z >= 0, _e * _g, _g) * (1 + _e)),
                Auxiliary(_u, 4 * _x**2, -2 * _t * _u * _s),
            ),
        ),
        reading=System(
            Z * _t,
            (
                Auxiliary(_t, sympy.tanh(sympy.log(1 + exp(Z))), _u * _s),
                Auxiliary(_u, 1 - sympy.tanh(sympy.log(1 + exp(Z))) ** 2, -2 * _t * _u * _s),
                *_READ_LOGISTIC,
            ),
        ),
    ),
    "hardtanh": lambda name: _clamped(name, -1, 1, Z, _ONE),
    "hardsigmoid": lambda name: _clamped(name, -3, 3, (Z + 3) / 6, _ONE),
    "hardswish": lambda name: _clamped(name, -3, 3, Z * (Z + 3) / 6, Z),
    "relu6": lambda name: _clamped(name, 0, 6, Z, sympy.Integer(6)),
    "satlin": lambda name: _clamped(name, 0, 1, Z, _ONE),
    "logsigmoid": lambda name: Activation(
        name,
        -sympy.log(1 + exp(-Z)),
        system=System(_y, (*logistic(Z), Auxiliary(_y, either(Z <= 0, Z, 0) - log1p(_e), _r))),
    ),
    "tanhshrink": lambda name: Activation(
        name,
        Z - sympy.tanh(Z),
        system=System(
            _y,
            (
                *hyperbolic(Z),
                Auxiliary(_x, either(Abs(Z) < _NEAR, Z**2, 0)),
                Auxiliary(_y, either(Abs(Z) < _NEAR, Z * _x * _series(), Z - _t), _t**2),
            ),
        ),
    ),
    "celu": lambda name: Activation(
        name, either(Z <= 0, exp(Z) - 1, Z), system=exponential(_ONE, _ONE)
    ),
    "abs": lambda name: Activation(
        name,
        Piecewise((-Z, Z < 0), (_ZERO, Z <= 0), (Z, True)),
        (_ZERO,),
        system=System(
            _v,
            (
                Auxiliary(_v, Abs(Z), _s),
                # At 0 and for NaN it is z.
                Auxiliary(_s, Piecewise((-1, Z < 0), (1, Z > 0), (Z, True)), _ZERO),
            ),
        ),
    ),
    "square": lambda name: Activation(
        name, Z**2, system=System(_y, (Auxiliary(_y, Z * Z, 2 * Z),))
    ),
    "sqrt": lambda name: Activation(
        name,
        sqrt(Z),
        latex=r"\operatorname{sqrt}",
        system=System(_s, (Auxiliary(_s, sqrt(Z), _p / 2), Auxiliary(_p, 1 / _s, -(_p**3) / 2))),
    ),
    "log": lambda name: Activation(
        name,
        sympy.log(Z),
        latex=r"\log",
        system=System(
            _l,
            (
                Auxiliary(_l, sympy.log(Z), _p),
                Auxiliary(_p, either(Z >= 0, 1 / Z, undefined(Z)), -(_p**2)),
            ),
        ),
    ),
    "reciprocal": lambda name: Activation(
        name, 1 / Z, system=System(_p, (Auxiliary(_p, 1 / Z, -(_p**2)),))
    ),
    "asinh": lambda name: Activation(
        name,
        sympy.asinh(Z),
        latex=r"\operatorname{arsinh}",
        system=System(
            _l,
            (
                # 1/sqrt(1 + z^2) and z/sqrt(1 + z^2), from a and x of at most 1.
                Auxiliary(_y, either(Abs(Z) > 1, Abs(Z), 1)),
                Auxiliary(_a, 1 / _y),
                Auxiliary(_x, Z * _a),
                Auxiliary(_h, sqrt(_a**2 + _x**2)),
                Auxiliary(_g, 1 / _h),
                Auxiliary(_l, sympy.asinh(Z), _p),
                Auxiliary(_p, _a * _g, -_v * _p**2),
                Auxiliary(_v, _x * _g, _p**3),
            ),
        ),
    ),
    "sinc": lambda name: Activation(name, sympy.sin(Z) / Z),
    "sin": lambda name: Activation(name, sympy.sin(Z), latex=r"\sin", system=System(_s, _CIRCLE)),
    "cos": lambda name: Activation(name, sympy.cos(Z), latex=r"\cos", system=System(_c, _CIRCLE)),
    "exp": lambda name: Activation(
        name,
        exp(Z),
        latex=r"\exp",
        system=System(_e, (Auxiliary(_e, exp(Z), _e),)),
        reading=System(_EXP, (Auxiliary(_EXP, _EXP, _EXP),)),
    ),
    "gaussian": lambda name: Activation(
        name,
        exp(-(Z**2)),
        system=System(
            _y,
            (
                *sized(28),
                *squared(_c),
                Auxiliary(_y, _e + _e * _u, -2 * _g),
                Auxiliary(_g, Z * _y, _y - 2 * _t * _y),
            ),
        ),
        reading=System(_GAUSSIAN, (Auxiliary(_GAUSSIAN, _GAUSSIAN, -2 * Z * _GAUSSIAN),)),
    ),
    "arctan": lambda name: Activation(
        name,
        sympy.atan(Z),
        latex=r"\arctan",
        system=System(
            _t,
            (
                Auxiliary(_t, sympy.atan(Z), _p),
                Auxiliary(_p, 1 / (1 + Z**2), -2 * _v * _p),
                Auxiliary(_v, Z * _p, _p - 2 * _v**2),
            ),
        ),
    ),
}

register(_ROWS)
