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
