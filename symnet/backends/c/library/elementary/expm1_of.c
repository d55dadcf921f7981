INLINE real expm1_of(real x)
{
    const reduction y = reduced(x);
    const real half = real_of((y.power - 1) << $fraction);
    const real e = 2*((half - $half + half*y.r) + half*(y.rest + y.tail));
    const real normal = x < $least ? -1 : e;
    return x > $most ? INFINITY : normal;
}
