INLINE real erf_of(real x)
{
    const real w = x*x, $erf_square;
    const real near = x + x*$erf;
    const real far = copysign$f(1 - erfc_of(fabs$f(x)), x);
    return w < 1 ? near : far;
}
