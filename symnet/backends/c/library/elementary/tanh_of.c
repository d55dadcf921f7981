INLINE real tanh_of(real x)
{
    const real w = x*x, $tanh_square;
    const real near = x + x*w*$tanh;
    const real e = decay_of(-2*fabs$f(x));
    const real p = 1/(1 + e);
    const real far = copysign$f(1 - 2*(e*p), x);
    return w < $near ? near : far;
}
