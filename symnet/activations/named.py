"""Activations by name: the table's, NumPy's, other tools', and those with a parameter."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from sympy import Expr

from symnet.activations import aliases, parametrised
from symnet.activations.activation import Activation
from symnet.activations.elementwise import ELEMENTWISE
from symnet.activations.table import TABLE
from symnet.names import shortened

_LONGEST = 40  # letters of a name in a message

_MADE: Mapping[str, tuple[Callable[..., Activation], int]] = MappingProxyType(
    {
        "leaky_relu": (parametrised.leaky_relu, 1),
        "elu": (parametrised.elu, 1),
        "celu": (parametrised.celu, 1),
        "softplus": (parametrised.softplus, 1),
        "power": (parametrised.power, 1),
        "clip": (parametrised.clip, 2),
    }
)
"""What a name makes of so many numbers."""

_ELSEWHERE: Mapping[str, str] = MappingProxyType(
    {
        "softmax": "is of a whole vector: in a graph, symnet.softmax(Layer(W, b)(h))",
        "logsoftmax": "is of a whole vector: in a graph, symnet.log_softmax(Layer(W, b)(h))",
        "prelu": "has a slope for each neuron: in a graph, symnet.prelu(Layer(W, b)(h), slopes)",
        "layernorm": "is of a whole vector: in a graph, symnet.layer_norm(Layer(W, b)(h))",
        "maxout": "is of several vectors: in a graph, np.maximum(Layer(U)(h), Layer(V)(h))",
    }
)
"""What is no function of one number, written plainly, and how it is had."""


UNNAMED = "custom"
"""What a formula is called that has no name of its own."""


def activation(spec: str | Expr | Activation) -> Activation:
    """The activation that a name of `TABLE` or an expression of one symbol stands for.

    Functions of NumPy's that are no rows of the table go by their names too: `erf`, `log1p`, see
    `symnet.activations.elementwise`; those of `symnet.activations.parametrised` by name and
    numbers: `leaky_relu(0.2)`, `clip(-1, 6)`, of which `none` is no end.

    A name may be spelled as other tools do (`ReLU`, `leaky-relu`), or be another tool's (`swish`,
    `logistic`, `tansig`: see `symnet.activations.aliases`). An expression is named "custom", and a
    second one of a network "custom2". Raises ValueError for an unknown name or unusable expression.
    """
    if isinstance(spec, Activation):
        return spec
    if isinstance(spec, Expr):
        return Activation(UNNAMED, spec)
    if callable(spec):
        raise ValueError(_function(spec))
    if not isinstance(spec, str):
        kind = type(spec).__name__
        raise ValueError(
            f"activation is of type {kind}, expected a name or a SymPy expression {_known()}"
        )
    if called := re.fullmatch(r"\s*([\w\s-]+?)\s*\(([^()]*)\)\s*", spec):
        return _with_numbers(spec, *called.groups())
    name = aliases.resolved(spec, (*TABLE, *ELEMENTWISE))
    if name is None:
        raise ValueError(_unknown(spec))
    return TABLE[name] if name in TABLE else _elementwise(name)


def has_its_name(own: Activation) -> bool:
    """Whether an activation is what its name says to everybody: `erf`, `log1p`."""
    return own.name in ELEMENTWISE and own == _elementwise(own.name)


@lru_cache
def _elementwise(name: str) -> Activation:
    return Activation(name, ELEMENTWISE[name])


def _with_numbers(spec: str, name: str, listed: str) -> Activation:
    called, found = repr(shortened(spec, _LONGEST)), aliases.resolved(name, _MADE)
    if found is None:
        raise ValueError(f"unknown activation {called}: only {', '.join(_MADE)} take numbers")
    make, count = _MADE[found]
    given = [part.strip() for part in listed.split(",")]
    if len(given) != count:
        wanted = "a number" if count == 1 else f"{count} numbers"
        raise ValueError(f"activation {called}: {found} takes {wanted}, found {len(given)}")
    try:
        return make(*map(_number, given))
    except ValueError as error:
        raise ValueError(f"activation {called}: {error}") from None


def _number(text: str) -> float | Fraction | None:
    """A decimal number is a double, as a weight is; whole numbers and fractions are exact."""
    if text.lower() == "none":
        return None
    if len(text) > 40 or not text.isascii() or "_" in text:
        raise ValueError(f"{shortened(text, _LONGEST)!r} is no number")
    try:
        return Fraction(text) if re.fullmatch(r"[-+]?\d+(/\d+)?", text) else float(text)
    except (ValueError, ZeroDivisionError):
        raise ValueError(f"{text!r} is no number") from None


def _function(spec: Callable[..., Any]) -> str:
    """What is said of np.tanh, sympy.tanh, torch.tanh or a lambda."""
    name = aliases.resolved(getattr(spec, "__name__", ""), (*TABLE, *ELEMENTWISE))
    called = f"by its name, {name!r}, or" if name else "by its name, as 'tanh', or"
    return f"activation is a function: give it {called} as a SymPy expression, as z*sympy.tanh(z)"


def _unknown(spec: str) -> str:
    if remedy := _ELSEWHERE.get(aliases.plainly(spec)):
        return f"{spec!r} {remedy}"
    near = aliases.nearest(spec, TABLE) or aliases.nearest(spec, ELEMENTWISE)
    hint = f"; did you mean {near!r}?" if near else ""
    return f"unknown activation {shortened(spec, _LONGEST)!r}{hint} {_known()}"


def _known() -> str:
    return f"(known: {', '.join(TABLE)})"
