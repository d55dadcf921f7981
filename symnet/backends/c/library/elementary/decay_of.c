/* exp(x) for x <= 0. */
INLINE real decay_of(real x)
{
    const reduction y = reduced(x);
    const real power = real_of(y.power << $fraction);
    const real e = power + power*(y.r + y.tail);
    return x < $least ? 0 : e;
}
