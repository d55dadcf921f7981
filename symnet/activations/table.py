"""The one table of activations: what each is in a textbook, and how it is computed.

An activation is described twice. `value` is the formula of the textbook, which is printed and
which `sympy.diff` differentiates for the expanded notation. What is computed is its `system` (see
`symnet.activations.systems`), accurate in both tails. To add an activation is to add one row to
`_ROWS`; a user's own needs only its formula: `Activation("swish2", z / (1 + exp(-2 * z)))`.

Constants, and derivatives at kinks, are those of PyTorch: relu'(0) = 0, leaky_relu'(0) = 0.01,
elu'(0) = 1. A second derivative that jumps at 0 is that of the arm which holds 0: 1 for elu,
1.758... for selu, -2 for softsign.
"""

from __future__ import annotations

import difflib
import keyword
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType

import sympy
from sympy import (
    Abs,
    Expr,
    Float,
    Max,
    Min,
    Piecewise,
    Rational,
    Symbol,
    exp,
    pi,
    sqrt,
)

from symnet.activations.systems import (
    Forms,
    Quantity,
    System,
    Z,
    chain,
    clipped,
    derivative,
    either,
    erfcx,
    exponential,
    forms,
    hyperbolic,
    kinks_of,
    logistic,
    reals,
    rectified,
    sized,
    slope_of,
    squared,
    understood,
)
from symnet.activations.trees import Tree, expression_of, tree_of

__all__ = ["TABLE", "Activation", "Forms", "Z", "activation", "from_tree"]

TABLE: Mapping[str, Activation] = {}
"""The built-in activations by name; filled at the end of this module."""


@dataclass(frozen=True)
class Activation:
    """A scalar function `sigma(z)`, applied elementwise: `Activation("swish2", expression)`.

    `value` is an expression of exactly one symbol, whatever its name (it becomes `Z`), made of
    `+ - * / **`, `Piecewise` and the functions of `trees.FUNCTIONS`; ValueError otherwise. Abs,
    sign, Min and Max in it become `Piecewise`, whose derivatives are functions again.

    The other fields are found from the value where they are not given: `kinks`, the places where
    sigma' jumps; `glyph` and `latex`, what a layer formula prints for the function; `system`, how
    it is computed; `reading`, how its derivatives are best read; `tree`, the value as nested tuples
    that JSON can hold.
    """

    name: str
    value: Expr
    kinks: tuple[Expr, ...] = field(default=(), compare=False)
    glyph: str = field(default="", compare=False)
    latex: str = field(default="", compare=False)
    system: System = field(default=None, compare=False, repr=False)  # type: ignore[assignment]
    reading: System | None = field(default=None, compare=False, repr=False)
    tree: Tree = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        _check_name(self.name)
        value, tree = _checked_value(self.name, self.value)
        found = {
            "value": value,
            "tree": tree,
            "kinks": self.kinks or kinks_of(value),
            "glyph": self.glyph or self.name,
            "latex": self.latex or rf"\operatorname{{{self.name}}}".replace("_", r"\_"),
            "system": self.system or understood(value),
        }
        for attribute, content in found.items():
            object.__setattr__(self, attribute, content)

    @property
    def own(self) -> Symbol:
        """The symbol that stands for the activation's own value in `formula`."""
        return Symbol(self.name, real=True)

    def derivative(self, order: int) -> Expr:
        """The derivative of the given order in `Z`, in its numerically stable form."""
        return derivative(self.system, _checked_order(order))

    def constant(self, order: int) -> Expr | None:
        """The derivative of the given order where it is one number for every z, else None."""
        found = chain(self.system, _checked_order(order))
        return None if found.free_symbols else found

    def forms(self, order: int) -> Forms:
        """All derivatives up to `order` in elementary functions with shared temporaries."""
        return forms(self.system, _checked_order(order))

    def formula(self, order: int) -> Expr:
        """The derivative as a reader wants it, in `Z` and `own`: `sigmoid*(1 - sigmoid)`."""
        return _formula(self, _checked_order(order))


def activation(spec: str | Expr | Activation) -> Activation:
    """The activation that a name of `TABLE` or an expression of one symbol stands for.

    An expression is named "custom". Raises ValueError for an unknown name or unusable expression.
    """
    if isinstance(spec, Activation):
        return spec
    if isinstance(spec, Expr):
        return Activation("custom", spec)
    if isinstance(spec, str) and spec in TABLE:
        return TABLE[spec]
    raise ValueError(_unknown(spec))


def from_tree(name: str, tree: Tree) -> Activation:
    """The activation whose `tree` was stored. Raises ValueError for anything malformed."""
    _check_name(name)
    try:
        value = expression_of(tree, Z)
    except ValueError as error:
        raise ValueError(f"activation {name!r}: {error}") from None
    return Activation(name, value)


def _unknown(spec: object) -> str:
    known = f"(known: {', '.join(TABLE)})"
    if not isinstance(spec, str):
        kind = type(spec).__name__
        return f"activation is a {kind}, expected a name or a SymPy expression {known}"
    shown = spec if len(spec) <= 40 else f"{spec[:37]}..."
    near = difflib.get_close_matches(spec[:40].lower(), TABLE, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return f"unknown activation {shown!r}{hint} {known}"


def _check_name(name: object) -> None:
    plain = isinstance(name, str) and name.isascii() and name.isidentifier() and len(name) <= 60
    if not plain or keyword.iskeyword(str(name)):
        shown = repr(name)[:60]
        raise ValueError(f"activation name {shown} is not an identifier: use letters, digits and _")


def _checked_order(order: int) -> int:
    if order < 0:
        raise ValueError(f"derivative order is {order}, expected 0 or more")
    return int(order)


def _checked_value(name: str, given: object) -> tuple[Expr, Tree]:
    """The formula in Z and as a tree."""
    if not isinstance(given, Expr):
        raise ValueError(f"activation {name!r} is a {type(given).__name__}, not a SymPy expression")
    symbols = sorted(given.free_symbols, key=str)
    if len(symbols) != 1:
        found = ", ".join(map(str, symbols)) or "none"
        raise ValueError(f"activation {name!r} has the symbols {found}, expected exactly one")
    value = _without_corners(given.xreplace({symbols[0]: Z}))
    if name in TABLE and TABLE[name].value != value:
        raise ValueError(f"activation name {name!r} is taken by the table; choose another")
    try:
        return value, tree_of(value, Z)
    except ValueError as error:
        raise ValueError(f"activation {name!r}: {error}") from None


def _without_corners(value: Expr) -> Expr:
    """Abs, sign, Min and Max as Piecewise, whose derivatives are no distributions."""
    found = value.rewrite((Abs, sympy.sign, Min, Max), Piecewise)
    return found.xreplace({test: sympy.simplify(test) for test in found.atoms(sympy.ITE)})


@lru_cache(maxsize=1024)
def _formula(activation: Activation, order: int) -> Expr:
    if order == 0:
        return activation.value
    if activation.reading is not None:
        return _read(activation.reading, order, activation.own)
    found = sympy.diff(activation.value, Z, order)
    # A user's own formula may be of any size, and simplify may then take minutes.
    return sympy.simplify(found) if activation.name in TABLE else sympy.factor_terms(found)


def _read(reading: System, order: int, own: Symbol) -> Expr:
    """The derivative as a product, with the reading's quantities written out."""
    found, quantities = reading
    for _ in range(order):
        found = slope_of(found, quantities)
    definitions = {quantity.symbol: quantity.definition for quantity in quantities}
    coefficient, factors = sympy.factor_list(found)
    parts = [(base.xreplace(definitions), power) for base, power in factors]
    tidy = [(sympy.expand(base) if base.free_symbols <= {own} else base, n) for base, n in parts]
    return sympy.Mul(coefficient, *(base**n for base, n in tidy))


# --- the table ----------------------------------------------------------------------------------

_c, _e, _g, _h, _k, _p, _q, _s, _t = reals("c e g h k p q s t")
_d, _u, _v, _w, _x, _y = reals("d u v w x y")
_SIGMOID, _TANH, _EXP, _GAUSSIAN = reals("sigmoid tanh exp gaussian")
_ZERO, _ONE = sympy.S.Zero, sympy.S.One

_SELU_SCALE = Float(1.0507009873554804934193349852946)
_SELU_ALPHA = Float(1.6732632423543772848170429916717)
_RATE = 2 * sqrt(2 / pi)
_CUBIC = Rational(44715, 10**6)
_INNER = _RATE / 2 * (Z + _CUBIC * Z**3)
_CIRCLE = (Quantity(_s, sympy.sin(Z), _c), Quantity(_c, sympy.cos(Z), -_s))
_READ_LOGISTIC = (
    Quantity(_s, 1 / (1 + exp(-Z)), _w),
    Quantity(_w, exp(-Z) / (1 + exp(-Z)) ** 2, _w * _d),
    Quantity(_d, -sympy.tanh(Z / 2), -2 * _w),
)

_ROWS = (
    Activation("linear", Z, glyph="id", latex=r"\operatorname{id}"),
    Activation(
        "sigmoid",
        1 / (1 + exp(-Z)),
        glyph="σ",
        latex=r"\sigma",
        system=System(_s, logistic(Z)),
        reading=System(
            _SIGMOID,
            (
                Quantity(_SIGMOID, _SIGMOID, _SIGMOID * _c),
                Quantity(_c, 1 - _SIGMOID, -_SIGMOID * _c),
            ),
        ),
    ),
    Activation(
        "tanh",
        sympy.tanh(Z),
        latex=r"\tanh",
        system=System(_t, hyperbolic(Z)),
        reading=System(
            _TANH,
            (Quantity(_TANH, _TANH, _w), Quantity(_w, 1 - _TANH**2, -2 * _TANH * _w)),
        ),
    ),
    Activation("relu", either(Z <= 0, 0, Z), system=rectified(_ZERO, _ZERO)),
    Activation(
        "leaky_relu",
        either(Z <= 0, Z / 100, Z),
        system=rectified(Z / 100, Rational(1, 100)),
    ),
    Activation("elu", either(Z <= 0, exp(Z) - 1, Z), system=exponential(_ONE, _ONE)),
    Activation(
        "selu",
        either(Z <= 0, _SELU_SCALE * _SELU_ALPHA * (exp(Z) - 1), _SELU_SCALE * Z),
        system=exponential(_SELU_SCALE, _SELU_ALPHA),
    ),
    Activation(
        "softplus",
        sympy.log(1 + exp(Z)),
        system=System(_v, logistic(Z)),
        reading=System(_v, (Quantity(_v, sympy.log(1 + exp(Z)), _s), *_READ_LOGISTIC)),
    ),
    Activation(
        "silu",
        Z / (1 + exp(-Z)),
        system=System(Z * _s, logistic(Z)),
        reading=System(Z * _s, _READ_LOGISTIC),
    ),
    Activation(
        "gelu",
        Z * (1 + sympy.erf(Z / sqrt(2))) / 2,
        system=System(
            _x,
            (
                # The normal distribution function p has the tail q and the density y.
                *sized(40),
                *squared(_c, Rational(1, 2)),
                Quantity(_v, _e + _e * _u),
                Quantity(_y, _v / sqrt(2 * pi), -_g),
                Quantity(_g, Z * _y, _y - _t * _y),
                Quantity(_q, _v * erfcx(_c / sqrt(2)) / 2),
                Quantity(_p, either(Z >= 0, 1 - _q, _q), _y),
                Quantity(_x, Z * _p, _p + _g),
            ),
        ),
    ),
    Activation(
        "gelu_tanh",
        Z * (1 + sympy.tanh(_INNER)) / 2,
        system=System(
            Z * _s,
            (
                *clipped(30),
                Quantity(_t, _c**2, 2 * _c),
                Quantity(_x, _RATE * _c * (1 + _CUBIC * _t), _g),
                Quantity(_g, _RATE * (1 + 3 * _CUBIC * _t), 6 * _RATE * _CUBIC * _c),
                *logistic(_x, _g),
            ),
        ),
        reading=System(
            Z * (1 + _t) / 2,
            (
                Quantity(_t, sympy.tanh(_INNER), _w * _g),
                Quantity(_w, 1 - sympy.tanh(_INNER) ** 2, -2 * _t * _w * _g),
                Quantity(_g, _RATE / 2 * (1 + 3 * _CUBIC * Z**2), _k * Z),
                Quantity(_k, 3 * _RATE * _CUBIC, _ZERO),
            ),
        ),
    ),
    Activation(
        "softsign",
        either(Z < 0, Z / (1 - Z), Z / (1 + Z)),
        system=System(
            _v,
            (
                Quantity(_p, 1 / (1 + Abs(Z)), -_h * _p),
                Quantity(_h, either(Z < 0, -_p, _p), -_w),
                Quantity(_w, _p**2, -2 * _h * _w),
                Quantity(_v, Z * _p, _w),
            ),
        ),
    ),
    Activation("sin", sympy.sin(Z), latex=r"\sin", system=System(_s, _CIRCLE)),
    Activation("cos", sympy.cos(Z), latex=r"\cos", system=System(_c, _CIRCLE)),
    Activation(
        "exp",
        exp(Z),
        latex=r"\exp",
        system=System(_e, (Quantity(_e, exp(Z), _e),)),
        reading=System(_EXP, (Quantity(_EXP, _EXP, _EXP),)),
    ),
    Activation(
        "gaussian",
        exp(-(Z**2)),
        system=System(
            _y,
            (
                *sized(28),
                *squared(_c),
                Quantity(_y, _e + _e * _u, -2 * _g),
                Quantity(_g, Z * _y, _y - 2 * _t * _y),
            ),
        ),
        reading=System(_GAUSSIAN, (Quantity(_GAUSSIAN, _GAUSSIAN, -2 * Z * _GAUSSIAN),)),
    ),
    Activation(
        "arctan",
        sympy.atan(Z),
        latex=r"\arctan",
        system=System(
            _t,
            (
                Quantity(_t, sympy.atan(Z), _p),
                Quantity(_p, 1 / (1 + Z**2), -2 * _v * _p),
                Quantity(_v, Z * _p, _p - 2 * _v**2),
            ),
        ),
    ),
)

TABLE = MappingProxyType({row.name: row for row in _ROWS})
