/* exp(u*u) erfc(u) for u >= 0. */
INLINE real erfcx_of(real u)
{
    const real $erfcx_square;
    const real above = $erfcx;
    const real below = above + u*$erfcx_below;
    return above/below;
}
