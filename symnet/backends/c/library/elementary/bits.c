typedef $unsigned bits;

INLINE bits bits_of(real x)
{
    bits b;
    memcpy(&b, &x, sizeof b);
    return b;
}

INLINE real real_of(bits b)
{
    real x;
    memcpy(&x, &b, sizeof x);
    return x;
}
