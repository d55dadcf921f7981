"""Scalar functions of models as activations: those of the table, else with names of their own.

Constants are those of the file. A number of few decimal digits is read as the fraction that was
meant (0.1 is 1/10, which is the same double), √2 and its like where the double is the nearest to
them; any other stays the double it is. So a GELU whose √2 is stored in single precision is a
function of its own, `gelu_2`, and not the table's `gelu`, from which it is 1e-8 apart.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import sympy
from sympy import Expr, Float, Integer, Piecewise, Rational, exp, log, pi, sqrt

from symnet.activations import ELEMENTWISE, TABLE, Activation, Z, activation
from symnet.activations.functions import rint
from symnet.activations.ondemand import OnDemand
from symnet.activations.pieces import pieces_of
from symnet.names import check_name

LARGEST = 60
"""Operations of a formula that several nodes of a model are fused to, at most."""

_CASES = 6
"""Operations of a choice within another, at most."""

_PROBES = (-7.3, -3.4, -2.2, -0.9, -0.31, 0.27, 0.83, 2.6, 3.9, 6.7)
"""Between the kinks of all activations in use: at -3, -1, 0, 1, 3 and 6."""

_ROOTS = {float(e): e for e in (sqrt(2), sqrt(2) / 2, sqrt(2 / pi), sqrt(pi), pi, sympy.E)}
_DIGITS = 7


def number(value: Any) -> Expr:
    """The constant as an exact number where it is one, else the Float of the same 53 bits.

    ValueError where it is not finite.
    """
    double = float(value)
    if not math.isfinite(double):
        raise ValueError(f"the constant {double} in a function must be finite")
    for known, exact in _ROOTS.items():
        if math.isclose(abs(double), known, rel_tol=4e-16):  # 1/√2 rounded twice is one bit off
            return exact if double > 0 else -exact
    short = Rational(repr(double)) if len(repr(double)) <= _DIGITS + 6 else None
    if double == int(double) and abs(double) < 2**53:
        return Integer(int(double))
    if short is not None and len(str(short.q)) <= _DIGITS + 1 and float(short) == double:
        return short
    return Float(double, precision=53)


def leaky(slope: Any, z: Expr = Z) -> Expr:
    """z where it is positive, else slope z."""
    return Piecewise((number(slope) * z, z <= 0), (z, True))


def clip(low: Any = None, high: Any = None, z: Expr = Z) -> Expr:
    """z within these bounds, low at most high, either of which may be left out."""
    pieces: list[tuple[Expr, Any]] = []
    if low is not None and math.isfinite(float(low)):
        pieces.append((number(low), z <= number(low)))
    if high is not None and math.isfinite(float(high)):
        pieces.append((number(high), z >= number(high)))
    return Piecewise(*pieces, (z, True)) if pieces else z


def elu(alpha: Any = 1, scale: Any = 1) -> Expr:
    """scale z where z is positive, else scale alpha (exp(z) - 1)."""
    a, s = number(alpha), number(scale)
    return Piecewise((s * a * (exp(Z) - 1), Z <= 0), (s * Z, True))


def celu(alpha: Any = 1) -> Expr:
    """z where it is positive, else alpha (exp(z/alpha) - 1)."""
    a = number(alpha)
    return Piecewise((a * (exp(Z / a) - 1), Z <= 0), (Z, True))


def hard_sigmoid(slope: Any, offset: Any) -> Expr:
    """slope z + offset within 0 and 1."""
    a, b = number(slope), number(offset)
    return Piecewise((0, a * Z + b <= 0), (1, a * Z + b >= 1), (a * Z + b, True))


def gelu(approximate: bool = False) -> Expr:
    """z Φ(z), or its approximation by tanh."""
    return TABLE["gelu_tanh" if approximate else "gelu"].value


def softplus(beta: Any = 1) -> Expr:
    """log(1 + exp(beta z))/beta."""
    b = number(beta)
    return log(1 + exp(b * Z)) / b


def swish(beta: Any = 1) -> Expr:
    """z/(1 + exp(-beta z))."""
    return Z / (1 + exp(-number(beta) * Z))


def shrink(threshold: Any, bias: Any) -> Expr:
    """z − bias above the threshold, z + bias below its negative, 0 between."""
    t, b = number(threshold), number(bias)
    return Piecewise((Z + b, sympy.Lt(Z, -t)), (sympy.S.Zero, sympy.Le(Z, t)), (Z - b, True))


def squareplus(b: Any) -> Expr:
    """(z + sqrt(z² + b))/2."""
    return (Z + sqrt(Z**2 + number(b))) / 2


FINITE = "nan_to_num is left out: where its argument is NaN or infinite, so is its value"
"""What is said of it."""

TIES = (
    "where the arguments of a maximum or minimum are equal its derivative is that of one of them; "
    "the framework takes the mean of both"
)
"""What is said of those."""

SIGN = Piecewise((-1, sympy.Lt(Z, 0)), (1, sympy.Gt(Z, 0)), (0, True))
"""−1, 0 or 1."""


def power(exponent: Any, z: Expr = Z) -> Expr:
    """z to a constant power."""
    return z ** number(exponent)


_TABLES = (
    *("relu", "sigmoid", "tanh", "sin", "cos", "atan", "asinh", "exp", "log", "sqrt", "square"),
    *("reciprocal", "abs", "softplus", "softsign", "silu", "mish", "hard_swish", "log_sigmoid"),
    *("tanhshrink", "elu", "selu", "gelu", "gelu_tanh"),
)

PLAIN: Mapping[str, Expr] = OnDemand(
    {
        **dict.fromkeys(_TABLES, lambda name: activation(name).value),
        "relu6": lambda _: clip(0, 6),
        "entr": lambda _: Piecewise((0, sympy.Eq(Z, 0)), (-Z * log(Z), True)),
        "log_ndtr": lambda _: log(sympy.erfc(-Z / sqrt(2)) / 2),
        **dict.fromkeys(ELEMENTWISE, lambda name: ELEMENTWISE[name]),
    }
)
"""The functions without parameters, by the names that frameworks share; the table's are its."""


class Names:
    """The activations of one network: equal functions have one name, different ones differ."""

    def __init__(self) -> None:
        self._known: dict[Expr, Activation] = {}

    def named(self, value: Expr, hint: str) -> Activation:
        """The table's activation of this value, or one called after `hint`.

        ValueError where the value is no function that symnet can use.
        """
        found = TABLE.get(hint)
        if found is None or found.value != value:
            found = recognised(value)
        if found is not None:
            return found
        near = _alike(value)
        hint = hint if near is None else near.name
        if value == ELEMENTWISE.get(hint):
            return activation(hint)
        if value not in self._known:
            self._known[value] = Activation(self._free(hint), value)
        return self._known[value]

    def _free(self, hint: str) -> str:
        taken = {own.name for own in self._known.values()} | set(TABLE)
        candidates = (hint, *(f"{hint}_{k}" for k in range(2, 10_000)))
        return next(name for name in candidates if name not in taken and _allowed(name))


def _allowed(name: str) -> bool:
    try:
        check_name(name, "activation")
    except ValueError:
        return False
    return True


def recognised(value: Expr) -> Activation | None:
    """The table's activation that this is, whatever way it is written, or None."""
    found = _alike(value)
    return found if found is None or _same_at_kinks(found.value, value) else None


@lru_cache(maxsize=1024)
def _alike(value: Expr) -> Activation | None:
    """The table's activation of these values, which may have other slopes at its kinks.

    Two formulas are one function when they agree to 14 digits at points on both sides of all the
    numbers which stand in them.
    """
    for own in TABLE.values():
        if own.value == value:
            return own
    if sympy.count_ops(value) > LARGEST:
        return None
    left = list(TABLE.values())
    for probe in _probes(value):
        here = _value(value, probe)
        left = [own for own in left if _agree(_value(own.value, probe), here)]
        if not left:
            return None
    return left[0]


def _same_at_kinks(known: Expr, value: Expr) -> bool:
    """Whether both have one slope wherever that jumps: of PyTorch's leaky ReLU it is 0.01 at 0."""
    try:
        return known == value or _slopes(known) == _slopes(value)
    except ValueError:  # too many corners to be told apart
        return True


@lru_cache(maxsize=1024)
def _slopes(value: Expr) -> dict[float, str]:
    """The slope at each kink."""
    return {
        float(meeting.place): f"{float(sympy.diff(meeting.value, Z).subs(Z, meeting.place)):.12g}"
        for meeting in pieces_of(value).meetings
        if meeting.kink
    }


def _probes(value: Expr) -> tuple[float, ...]:
    numbers = {abs(float(e)) for e in value.atoms(sympy.Number)}
    near = {sign * (1.07 * v + d) for v in numbers for sign in (1, -1) for d in (0.13, -0.11)}
    return (*_PROBES, *sorted(near))


def _agree(found: float, known: float) -> bool:
    return math.isclose(found, known, rel_tol=1e-14) or (math.isnan(known) and math.isnan(found))


@lru_cache(maxsize=8192)
def _value(value: Expr, probe: float) -> float:
    try:
        found = complex(value.xreplace({Z: Float(probe, 25)}).evalf(17))
    except (TypeError, ValueError, OverflowError):
        return math.nan
    return found.real if found.imag == 0 else math.nan


def composed(outer: Expr, inner: Expr) -> Expr | None:
    """outer(inner(z)), or None where it is too long to be one function.

    SymPy takes choices within conditions apart case by case, which takes seconds for long ones.
    """
    if in_steps(inner):
        return None
    if outer.has(Piecewise) and inner.has(Piecewise) and sympy.count_ops(inner) > _CASES:
        return None
    return fused(outer.xreplace({Z: inner}))


def in_steps(value: Expr) -> bool:
    """Whether it has jumps without end, which are told best of a function by itself."""
    return bool(value.has(sympy.floor, sympy.ceiling, rint))


def lacks_values(value: Expr, where: Any) -> bool:
    """Whether the formula has no value at any point, of several, at which the condition holds."""
    places = [probe for probe in (*_PROBES, 0.0) if where.subs(Z, probe) == True]  # noqa: E712
    return bool(places) and all(math.isnan(_value(value, probe)) for probe in places)


def fused(value: Expr) -> Expr | None:
    """The formula that several nodes of a model make, or None where it is too long to be one."""
    return value if value.has(Z) and sympy.count_ops(value) <= LARGEST else None


def bounds(value: Expr) -> tuple[float | None, float | None] | None:
    """(low, high) of a formula that is `clip(low, high)`, else None."""
    if value == Z:
        return None, None
    if not isinstance(value, Piecewise) or value.args[-1] != (Z, True):
        return None
    low = high = None
    for constant, condition in value.args[:-1]:
        if not constant.is_number or condition.lhs != Z or condition.rhs != constant:
            return None
        if isinstance(condition, sympy.Le):
            low = float(constant)
        elif isinstance(condition, sympy.Ge):
            high = float(constant)
        else:
            return None
    return low, high
