"""The C99 text of elementary functions, by name: templates that `elementary` fills in.

None has a branch: a select is one comparison, and no select decides another one's constants, since
compilers then compute all that follows for each of the cases.
"""

from __future__ import annotations

FUNCTIONS: dict[str, tuple[tuple[str, ...], str]] = {
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
/* x = n log 2 + r + rest, and exp(r) = 1 + r + tail; `power`, shifted, is 2^n. */
typedef struct {
    bits power;
    real r, rest, tail;
} reduction;

INLINE reduction reduced(real x)
{
    const real rounded = x*$log2e + $rounding; /* n + $bias in the last bits */
    const real n = rounded - $rounding;
    const real y = x - n*$high;
    const real r = y - n*$low;
    const real $exp_square;
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
    const real power = real_of(y.power << $fraction);
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
    const real half = real_of((y.power - 1) << $fraction);
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
    const real half = real_of((y.power - 1) << $fraction);
    const real e = 2*((half - $half + half*y.r) + half*(y.rest + y.tail));
    const real normal = x < $least ? -1 : e;
    return x > $most ? INFINITY : normal;
}
""",
    ),
    "decay_less_one_of": (
        ("reduction",),
        """\
/* exp(x) - 1 for x <= 0. */
INLINE real decay_less_one_of(real x)
{
    const reduction y = reduced(x);
    const real power = real_of(y.power << $fraction);
    const real e = (power - 1 + power*y.r) + power*(y.rest + y.tail);
    return x < $least ? -1 : e;
}
""",
    ),
    "tanh_of": (
        ("decay_of",),
        """\
INLINE real tanh_of(real x)
{
    const real w = x*x, $tanh_square;
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
    const real s = f/(2 + f), w = s*s, square = f*f/2, $log_square;
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
    const real s = x/(2 + x), w = s*s, square = x*x/2, $log1p_square;
    return x - (square - s*(square + w*$log1p));
}
""",
    ),
    "erfcx_of": (
        (),
        """\
/* exp(u*u) erfc(u) for u >= 0. */
INLINE real erfcx_of(real u)
{
    const real $erfcx_square;
    const real above = $erfcx;
    const real below = above + u*$erfcx_below;
    return above/below;
}
""",
    ),
    "erfc_of": (
        ("reduction", "erfcx_of"),
        """\
/* exp(-x*x) as exp(s + lost): the square of a short h is exact. */
INLINE real erfc_of(real x)
{
    const real h = floor$f(256*x)/256;
    const real a = -(h*h), b = (h - x)*(h + x);
    const real s = a + b, lost = (a - s) + b;
    const reduction y = reduced(s);
    const real power = real_of(y.power << $fraction);
    const real q = y.r + (y.tail + y.rest);
    const real p = q + (1 + q)*lost;
    const real u = fabs$f(x);
    const real ratio = erfcx_of(u);
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
    const real w = x*x, $erf_square;
    const real near = x + x*$erf;
    const real far = copysign$f(1 - erfc_of(fabs$f(x)), x);
    return w < 1 ? near : far;
}
""",
    ),
}
"""The functions that each calls, and its text, in an order in which they can be defined."""
