"""Elementary functions as C99 text without branches, which compilers turn into vector instructions.

    exp(x)   = 2^n (1 + p),  p = exp(r) - 1,  x = n log 2 + r,  |r| <= log(2)/2
    log(x)   = n log 2 + log(1 + f),  log(1 + f) = log((1 + s)/(1 - s)),  s = f/(2 + f)
    tanh(x)  = sign(x) (1 - 2 e/(1 + e)),  e = exp(-2 |x|),  and x + x^3 P(x^2) near 0
    erfcx(x) = exp(x^2) erfc(x) = P(x)/Q(x) for x >= 0
    erfc(x)  = exp(-x^2) erfcx(x) for x >= 0,  erfc(-x) = 2 - erfc(x)
    erf(x)   = 1 - erfc(x),  and x + x P(x^2) near 0
    erfinv, loggamma and polygamma as in `backends.numpy`, by `special` and `gammas`

Errors are below 1.5 units in the last place, of erf below 2, erfcx 4, loggamma 8, erfc 5 (6.5
without fused multiply-adds) and erfinv 5; of polygamma 6 in those of |f| + |x f'|. Results below
1.5 times the smallest normal number may be 0. The other functions have no text here: C's own are
called.

Two functions of one argument share what they have in common once a compiler has inlined them: exp
and expm1, or tanh(x) and exp(-2 |x|).

Sources: the reduction by two parts of log 2, W. J. Cody and W. Waite, "Software Manual for the
Elementary Functions" (1980); erfc, W. J. Cody, "Rational Chebyshev approximations for the error
function", Math. Comp. 23 (1969); the coefficients are this package's own, see `minimax`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from string import Template

import numpy as np
import sympy
from sympy import Expr, Symbol

from symnet.activations.functions import POLYGAMMAS, Polygamma
from symnet.backends.c.text import library
from symnet.backends.c.text.lines import broken, literal
from symnet.backends.c.text.minimax import COEFFICIENTS
from symnet.backends.numpy import gammas


def function_name(call: Expr, definitions: Mapping[Symbol, Expr]) -> str | None:
    """The C function for a call such as `exp(x)`, or None where there is none.

    `definitions` says what symbols stand for: exp(x) is cheaper where x <= 0 is known, and
    log1p(e) where e is the exponential of such an x.
    """
    name = "polygamma" if isinstance(call, Polygamma) else type(call).__name__
    if f"{name}_of" not in _ORDER:
        return None
    argument = call.args[0]
    meant = definitions.get(argument, argument)
    if name in ("exp", "expm1") and (argument.is_nonpositive or meant.is_nonpositive):
        return "decay_of" if name == "exp" else "decay_less_one_of"
    if name == "log1p" and isinstance(meant, sympy.exp):
        return "log1p_of_unit" if meant.args[0].is_nonpositive else "log1p_of"
    return f"{name}_of"


def definitions(names: Iterable[str], dtype: str) -> list[str]:
    """The texts of those functions that are of this module, each after the ones it calls.

    dtype: the type `real` of the text, "double" or "float". Before them the text must include
    math.h, stdint.h and string.h, and define INLINE.
    """
    texts = {name: library.text(f"elementary/{name}") for name in _ORDER}
    wanted: set[str] = set()
    waiting = [name for name in names if name in texts]
    while waiting:
        name = waiting.pop()
        wanted.add(name)
        waiting += set(texts) & set(re.findall(r"\w+", texts[name])) - wanted
    values = _constants(dtype) | _polynomials(dtype)
    return [
        "\n".join(map(broken, Template(text).substitute(values).split("\n")))
        for name, text in texts.items()
        if name in wanted
    ]


_ORDER = (
    *("sign_of", "bits", "reduction", "decay_of", "exp_of", "expm1_of", "decay_less_one_of"),
    *("tanh_of", "logarithm", "log_of", "log1p_of", "log1p_of_unit"),
    *("erfcx_of", "erfc_of", "erf_of", "erfinv_of", "loggamma_of", "polygamma_of"),
)
"""The functions in `library/elementary`, each after those that it calls.

None has a branch: a select is one comparison, and no select decides another one's constants, since
compilers then compute all that follows for each of the cases.
"""


def _constants(dtype: str) -> dict[str, str]:
    """Numbers and words of the text that depend on the type."""
    kind = np.float32 if dtype == "float" else np.float64
    info, real = np.finfo(kind), lambda number: literal(number, dtype)
    fraction, bias = info.nmant, info.maxexp - 1
    root = int(np.sqrt(kind(0.5)).view(f"u{info.bits // 8}"))
    return {
        "f": "f" if dtype == "float" else "",
        "unsigned": f"uint{info.bits}_t",
        "fraction": str(fraction),
        "bias": str(bias),
        "above": str(2 * bias + 1),
        "one_less_root": hex((bias << fraction) - root),
        "root": hex(root),
        "mantissa": hex((1 << fraction) - 1),
        "whole": hex(bias + fraction << fraction),
        "whole_bias": real(2.0**fraction + bias),
        "rounding": real(1.5 * 2.0**fraction + bias),
        "most": real(np.log(info.max)),
        "least": real(np.log(info.smallest_normal)),
        "max": real(info.max),
        "smallest": real(info.smallest_normal),
        "growth": real(2.0 ** (fraction + 1)),
        "grown": str(fraction + 1),
        "half": real(0.5),
        "log2e": real(1.4426950408889634),
        "high": real(0.693359375 if dtype == "float" else 0.6931471803691238),
        "low": real(-2.12194440e-4 if dtype == "float" else 1.9082149292705877e-10),
        "near": real(0.3025),  # 0.55^2: beyond, tanh > 1/2
        "zero": real(9.3 if dtype == "float" else 26.6),
        "erfinv_shift": real(2.375),
        "half_log_2pi": real(math.log(2 * math.pi) / 2),
        "pi": real(math.pi),
        "bernoulli": ", ".join(map(real, gammas.BERNOULLI)),
        "cotangent": ",\n".join(_braced(map(real, row)) for row in _COTANGENTS),
    }


def _braced(numbers: Iterable[str]) -> str:
    return f"        {{{', '.join(numbers)}}}"


_COTANGENTS = [gammas.cotangent(n) for n in range(len(POLYGAMMAS))]


def _polynomials(dtype: str) -> dict[str, str]:
    """Polynomials as E(x^2) + x O(x^2): two sums that run at once, and no power beyond x^2."""
    found = {}
    for name, (x, *parts) in COEFFICIENTS[dtype].items():
        found[f"{name}_square"] = f"{x}2 = {x}*{x}"
        for key, part in zip((name, f"{name}_below"), parts, strict=False):
            terms = [literal(number, dtype) for number in part]
            even, odd = _horner(terms[::2], f"{x}2"), _horner(terms[1::2], f"{x}2")
            found[key] = f"({even} + {odd}*{x})"
    return found


def _horner(terms: Sequence[str], x: str) -> str:
    first, *rest = terms
    return f"({first} + {_horner(rest, x)}*{x})" if rest else first
