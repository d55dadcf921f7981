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
