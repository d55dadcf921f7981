INLINE real erfinv_of(real x)
{
    const real u = fabs$f(x);
    const real w = -log_of((1 - u)*(1 + u)), $erfinv_square;
    const real near = x*($erfinv/$erfinv_below);
    const real t = sqrt$f(-log_of(1 - u)) - $erfinv_shift, $erfinv_far_square;
    const real far = copysign$f($erfinv_far/$erfinv_far_below, x);
    const real inside = w <= 5 ? near : far;
    return u == 1 ? x*INFINITY : inside;
}
