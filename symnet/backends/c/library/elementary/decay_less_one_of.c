/* exp(x) - 1 for x <= 0. */
INLINE real decay_less_one_of(real x)
{
    const reduction y = reduced(x);
    const real power = real_of(y.power << $fraction);
    const real e = (power - 1 + power*y.r) + power*(y.rest + y.tail);
    return x < $least ? -1 : e;
}
