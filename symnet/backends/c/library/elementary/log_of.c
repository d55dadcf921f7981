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
