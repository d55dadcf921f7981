/* Of the power only half, which does not overflow before exp(x) does. */
INLINE real exp_of(real x)
{
    const reduction y = reduced(x);
    const real half = real_of((y.power - 1) << $fraction);
    const real e = 2*(half + half*(y.r + y.tail));
    const real normal = x < $least ? 0 : e;
    return x > $most ? INFINITY : normal;
}
