"""Elementary functions as C99 text without branches, which compilers turn into vector instructions.

    exp(x)   = 2^n (1 + p),  p = exp(r) - 1,  x = n log 2 + r,  |r| <= log(2)/2
    log(x)   = n log 2 + log(1 + f),  log(1 + f) = log((1 + s)/(1 - s)),  s = f/(2 + f)
    tanh(x)  = sign(x) (1 - 2 e/(1 + e)),  e = exp(-2 |x|),  and x + x^3 P(x^2) near 0
    erfc(x)  = exp(-x^2) P(x)/Q(x) for x >= 0,  erfc(-x) = 2 - erfc(x)
    erf(x)   = 1 - erfc(x),  and x + x P(x^2) near 0

Errors are below 1.5 units in the last place, of erfc below 3, and without fused multiply-adds half
a unit more. What is smaller than the smallest normal number may be 0. The other functions have no
text here: C's own are called.

Two functions of one argument share what they have in common once a compiler has inlined them: exp
and expm1, or erfc(x) and exp(-x^2) when it is written like here.

Sources: the reduction by two parts of log 2, W. J. Cody and W. Waite, "Software Manual for the
Elementary Functions" (1980); erfc, W. J. Cody, "Rational Chebyshev approximations for the error
function", Math. Comp. 23 (1969). The coefficients are minimax, of the relative error: found by the
Remez exchange in 60-digit arithmetic, then rounded.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from string import Template

import numpy as np
import sympy
from sympy import Expr, Symbol

LINE = 100  # columns of the text


def function_name(call: Expr, definitions: Mapping[Symbol, Expr]) -> str | None:
    """The C function for a call such as `exp(x)`, or None where there is none.

    `definitions` says what symbols stand for: exp(x) is cheaper where x <= 0 is known, and
    log1p(e) where e is the exponential of such an x.
    """
    name = type(call).__name__
    if f"{name}_of" not in _FUNCTIONS:
        return None
    argument = call.args[0]
    meant = definitions.get(argument, argument)
    if name == "exp" and (argument.is_nonpositive or meant.is_nonpositive):
        return "decay_of"
    if name == "log1p" and isinstance(meant, sympy.exp):
        return "log1p_of_unit" if meant.args[0].is_nonpositive else "log1p_of"
    return f"{name}_of"


def definitions(names: Iterable[str], dtype: str) -> list[str]:
    """The texts of those functions that are of this module, each after the ones it calls.

    dtype: the type `real` of the text, "double" or "float". Before them the text must include
    math.h, stdint.h and string.h, and define INLINE.
    """
    wanted: set[str] = set()
    waiting = [name for name in names if name in _FUNCTIONS]
    while waiting:
        name = waiting.pop()
        wanted.add(name)
        waiting += _FUNCTIONS[name][0]
    values = _constants(dtype) | _polynomials(dtype)
    texts = (text for name, (_, text) in _FUNCTIONS.items() if name in wanted)
    return [_broken(Template(text).substitute(values)) for text in texts]


def _constants(dtype: str) -> dict[str, str]:
    """Numbers and words of the text that depend on the type."""
    kind = np.float32 if dtype == "float" else np.float64
    info, real = np.finfo(kind), lambda number: _literal(number, dtype)
    fraction, bias = info.nmant, info.maxexp - 1
    root = int(np.sqrt(kind(0.5)).view(f"u{info.bits // 8}"))
    return {
        "f": "f" if dtype == "float" else "",
        "unsigned": f"uint{info.bits}_t",
        "fraction": str(fraction),
        "bias": str(bias),
        "below": str(bias - 1),
        "above": str(2 * bias + 1),
        "one_less_root": hex((bias << fraction) - root),
        "root": hex(root),
        "mantissa": hex((1 << fraction) - 1),
        "whole": hex(bias + fraction << fraction),
        "whole_bias": real(2.0**fraction + bias),
        "rounding": real(1.5 * 2.0**fraction),
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
    }


def _polynomials(dtype: str) -> dict[str, str]:
    """Polynomials in the form of Estrin, and the powers of their variables."""
    found = {}
    for name, (x, *parts) in _COEFFICIENTS[dtype].items():
        longest = max(map(len, parts))
        powers, power = [], 2
        while power < longest:
            half = x if power == 2 else f"{x}{power // 2}"
            powers.append(f"{x}{power} = {half}*{half}")
            power *= 2
        found[f"{name}_powers"] = ", ".join(powers)
        for key, part in zip((name, f"{name}_below"), parts, strict=False):
            found[key] = _estrin([_literal(number, dtype) for number in part], x)
    return found


def _estrin(terms: Sequence[str], x: str) -> str:
    """`c0 + c1 x + c2 x^2 + ...` by pairs, pairs of pairs, ...: independent sums run at once."""
    power = ""
    while len(terms) > 1:
        pairs = [terms[i : i + 2] for i in range(0, len(terms), 2)]
        terms = [f"({' + '.join(pair)}*{x}{power})" if pair[1:] else pair[0] for pair in pairs]
        power = str(2 * int(power or 1))
    return terms[0]


def _literal(number: float, dtype: str) -> str:
    return f"{np.float32(number)}F" if dtype == "float" else repr(float(number))


def _broken(text: str) -> str:
    return "\n".join(
        textwrap.fill(
            line,
            LINE,
            subsequent_indent=" " * (len(line) - len(line.lstrip()) + 4),
            break_long_words=False,
            break_on_hyphens=False,
        )
        for line in text.split("\n")
    )


_COEFFICIENTS: dict[str, dict[str, tuple]] = {
    "double": {
        "exp": (
            "r",
            (
                *(0.5, 0.16666666666666602, 0.04166666666662003, 0.008333333333388294),
                *(0.001388888892048523, 0.00019841269709533601, 2.4801516383055102e-05),
                *(2.7557424926144836e-06, 2.7622211158844284e-07, 2.5045938235e-08),
            ),
        ),
        "log": (
            "w",
            (
                *(0.6666666666666734, 0.39999999999414626, 0.2857142874240221),
                *(0.2222219857143583, 0.1818356442826347, 0.15314047684964324),
                0.14795980676757348,
            ),
        ),
        "log1p": (
            "w",
            (
                *(0.6666666666666631, 0.4000000000015727, 0.28571428547850075),
                *(0.22222223969962343, 0.1818174391695311, 0.1538656009008921),
                *(0.13300971419278582, 0.12106103262869425, 0.08340027500041361),
                0.17018712307317208,
            ),
        ),
        "tanh": (
            "w",
            (
                *(-0.3333333333333231, 0.1333333333316823, -0.053968253875843905),
                *(0.02186948596917198, -0.008863194428198853, 0.0035917190818500165),
                *(-0.0014532136897364072, 0.0005791278362214551, -0.00021028725873233864),
                5.101090510133894e-05,
            ),
        ),
        "erf": (
            "w",
            (
                *(0.12837916709551256, -0.3761263890318352, 0.1128379167094417),
                *(-0.026866170643109016, 0.005223977606097641, -0.0008548325928296288),
                *(0.0001205529354611401, -1.4924711706695891e-05, 1.644712419419782e-06),
                *(-1.6206257078955124e-07, 1.3710734554827891e-08, -7.779008384721908e-10),
            ),
        ),
        "erfc": (
            "u",
            (
                *(1.0, 2.3390466981825075, 2.7125360743241047, 2.0150199408929206),
                *(1.0519192066778664, 0.4013979280375485, 0.11323044818613892),
                *(0.023344600021641106, 0.0033792592372420133, 0.00031231981681706264),
                1.4167353956325516e-05,
            ),
            (
                *(1.1283791670955128, 2.912571109827835, 3.632080672062305, 2.855344241881004),
                *(1.5604647475448412, 0.6186406844844101, 0.18033337882854863),
                *(0.038274753203568955, 0.005689816721899249, 0.0005394051080762655),
                2.5110981077023947e-05,
            ),
        ),
    },
    "float": {
        "exp": ("r", (0.5, 0.1666655, 0.041666854, 0.008366035, 0.0013898229)),
        "log": ("w", (0.6666666, 0.40000334, 0.28537306, 0.2358219)),
        "log1p": ("w", (0.6666641, 0.400217, 0.27999124, 0.2802456)),
        "tanh": ("w", (-0.33333316, 0.13332585, -0.053852197, 0.021071175, -0.006273483)),
        "erf": (
            "w",
            (0.12837912, -0.37612325, 0.11280179, -0.026711268, 0.0049174973, -0.00056311855),
        ),
        "erfc": (
            "u",
            (1.0, 1.2314217, 0.724305, 0.22574699, 0.0320703),
            (1.1283797, 1.6627425, 1.0859982, 0.3680858, 0.056842305),
        ),
    },
}
"""The variable of each approximation, and the coefficients from the constant term up."""

_FUNCTIONS: dict[str, tuple[tuple[str, ...], str]] = {
    "sign_of": (
        (),
        """\
/* Of a number other than 0. */
INLINE real sign_of(real x)
{
    return copysign$f(1, x);
}
""",
    ),
    "bits": (
        (),
        """\
typedef $unsigned bits;

INLINE bits bits_of(real x)
{
    bits b;
    memcpy(&b, &x, sizeof b);
    return b;
}

INLINE real real_of(bits b)
{
    real x;
    memcpy(&x, &b, sizeof x);
    return x;
}
""",
    ),
    "reduction": (
        ("bits",),
        """\
/* x = n log 2 + r + rest, and exp(r) = 1 + r + tail; n stands in the last bits of a number. */
typedef struct {
    bits n;
    real r, rest, tail;
} reduction;

INLINE reduction reduced(real x)
{
    const real rounded = x*$log2e + $rounding;
    const real n = rounded - $rounding;
    const real y = x - n*$high;
    const real r = y - n*$low;
    const real $exp_powers;
    const real tail = r2*$exp;
    const reduction found = {bits_of(rounded), r, (y - r) - n*$low, tail};
    return found;
}
""",
    ),
    "decay_of": (
        ("reduction",),
        """\
/* exp(x) for x <= 0. */
INLINE real decay_of(real x)
{
    const reduction y = reduced(x);
    const real power = real_of((y.n + $bias) << $fraction);
    const real e = power + power*(y.r + y.tail);
    return x < $least ? 0 : e;
}
""",
    ),
    "exp_of": (
        ("reduction",),
        """\
/* Of the power only half, which does not overflow before exp(x) does. */
INLINE real exp_of(real x)
{
    const reduction y = reduced(x);
    const real half = real_of((y.n + $below) << $fraction);
    const real e = 2*(half + half*(y.r + y.tail));
    const real normal = x < $least ? 0 : e;
    return x > $most ? INFINITY : normal;
}
""",
    ),
    "expm1_of": (
        ("reduction",),
        """\
INLINE real expm1_of(real x)
{
    const reduction y = reduced(x);
    const real half = real_of((y.n + $below) << $fraction);
    const real e = 2*((half - $half + half*y.r) + half*(y.rest + y.tail));
    const real normal = x < $least ? -1 : e;
    return x > $most ? INFINITY : normal;
}
""",
    ),
    "tanh_of": (
        ("decay_of",),
        """\
INLINE real tanh_of(real x)
{
    const real w = x*x, $tanh_powers;
    const real near = x + x*w*$tanh;
    const real e = decay_of(-2*fabs$f(x));
    const real p = 1/(1 + e);
    const real far = copysign$f(1 - 2*(e*p), x);
    return w < $near ? near : far;
}
""",
    ),
    "logarithm": (
        ("bits",),
        """\
/* n log 2 + log(1 + f) + c, for a 1 + f between the roots of 1/2 and 2. */
INLINE real logarithm(real n, real f, real c)
{
    const real s = f/(2 + f), w = s*s, square = f*f/2, $log_powers;
    const real tail = s*(square + w*$log) + (n*$low + c);
    return n*$high - ((square - tail) - f);
}
""",
    ),
    "log_of": (
        ("logarithm",),
        """\
INLINE real log_of(real x)
{
    const int tiny = x < $smallest;
    const bits b = bits_of(tiny ? x*$growth : x) + $one_less_root;
    const real n = real_of(b >> $fraction | $whole) - $whole_bias;
    const real f = real_of((b & $mantissa) + $root) - 1;
    const real y = logarithm(tiny ? n - $grown : n, f, 0);
    const real finite = x <= $max ? y : x;
    const real positive = x < 0 ? NAN : finite;
    return x == 0 ? -INFINITY : positive;
}
""",
    ),
    "log1p_of": (
        ("logarithm",),
        """\
/* log(u + lost), lost being what 1 + x loses. */
INLINE real log1p_of(real x)
{
    const real u = 1 + x, v = u - 1;
    const real lost = (1 - (u - v)) + (x - v);
    const bits b = bits_of(u) + $one_less_root;
    const real n = real_of(b >> $fraction | $whole) - $whole_bias;
    const real f = real_of((b & $mantissa) + $root) - 1;
    const real twice = real_of(($above - (b >> $fraction)) << $fraction); /* 2 times 2^-n */
    const real y = logarithm(n, f, lost*twice*($half - f*($half - $half*f)));
    const real finite = x <= $max ? y : x;
    const real defined = x < -1 ? NAN : finite;
    return x == -1 ? -INFINITY : defined;
}
""",
    ),
    "log1p_of_unit": (
        (),
        """\
/* log(1 + x) for 0 <= x <= 1. */
INLINE real log1p_of_unit(real x)
{
    const real s = x/(2 + x), w = s*s, square = x*x/2, $log1p_powers;
    return x - (square - s*(square + w*$log1p));
}
""",
    ),
    "erfc_of": (
        ("reduction",),
        """\
/* exp(-x*x) as exp(s + lost): the square of a short h is exact. */
INLINE real erfc_of(real x)
{
    const real h = floor$f(256*x)/256;
    const real a = -(h*h), b = (h - x)*(h + x);
    const real s = a + b, lost = (a - s) + b;
    const reduction y = reduced(s);
    const real power = real_of((y.n + $bias) << $fraction);
    const real q = y.r + (y.tail + y.rest);
    const real p = q + (1 + q)*lost;
    const real u = fabs$f(x), $erfc_powers;
    const real above = $erfc;
    const real below = above + u*$erfc_below;
    const real ratio = above/below;
    const real tail = u > $zero ? 0 : power*(ratio + ratio*p);
    return x < 0 ? 2 - tail : tail;
}
""",
    ),
    "erf_of": (
        ("erfc_of",),
        """\
INLINE real erf_of(real x)
{
    const real w = x*x, $erf_powers;
    const real near = x + x*$erf;
    const real far = copysign$f(1 - erfc_of(fabs$f(x)), x);
    return w < 1 ? near : far;
}
""",
    ),
}
"""The functions that each calls, and its text, in an order in which they can be defined."""
