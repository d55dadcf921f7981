"""Names that other tools have for the activations of the table.

Compared without capitals, `_`, `-` and blanks: `LeakyReLU`, `leaky-relu` and `leakyrelu` are one.
The last group is MATLAB's.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType

_OTHERS: Mapping[str, tuple[str, ...]] = {
    "linear": ("identity", "id", "none", "purelin"),
    "sigmoid": ("logistic", "expit", "logsig"),
    "tanh": ("tansig",),
    "silu": ("swish",),
    "gelu_tanh": ("gelu_new", "gelu_pytorch_tanh", "gelu_approximate"),
    "relu": ("rectifier", "poslin"),
    "hardsigmoid": ("hard_sigmoid",),
    "hardtanh": ("hard_tanh", "satlins"),
    "hardswish": ("hard_swish", "hard_silu"),
    "logsigmoid": ("log_sigmoid",),
    "softsign": ("elliotsig",),
    "gaussian": ("gauss", "radbas"),
    "sin": ("sine",),
    "cos": ("cosine",),
    "exp": ("exponential",),
    "arctan": ("atan",),
    "asinh": ("arcsinh",),
    "abs": ("absolute", "fabs"),
    "log": ("ln",),
    "reciprocal": ("inverse",),
    "asin": ("arcsin",),
    "acos": ("arccos",),
    "acosh": ("arccosh",),
    "atanh": ("arctanh",),
    "ceil": ("ceiling",),
    "round": ("rint",),
    "loggamma": ("lgamma", "gammaln"),
    "digamma": ("psi",),
}


def plainly(name: str) -> str:
    """Without capitals, `_`, `-` and blanks."""
    return re.sub(r"[\s_-]", "", name).lower()


ALIASES: Mapping[str, str] = MappingProxyType(
    {plainly(other): name for name, others in _OTHERS.items() for other in others}
)
"""The table's name for each other one, written plainly."""


def resolved(name: str, known: Iterable[str]) -> str | None:
    """The name of `known` that `name` is another spelling or another tool's name of, or None."""
    plain = plainly(name)
    spelled = {plainly(row): row for row in known}
    return spelled.get(plain) or spelled.get(plainly(ALIASES.get(plain, "")))


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The name of `known` that is most like this one, or like a name that another tool has."""
    spelled = {plainly(row): row for row in known} | dict(ALIASES)
    near = difflib.get_close_matches(plainly(name[:40]), spelled, n=1)
    return spelled[near[0]] if near else None
