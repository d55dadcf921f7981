/* log(1 + x) for 0 <= x <= 1. */
INLINE real log1p_of_unit(real x)
{
    const real s = x/(2 + x), w = s*s, square = x*x/2, $log1p_square;
    return x - (square - s*(square + w*$log1p));
}
