/* n log 2 + log(1 + f) + c, for a 1 + f between the roots of 1/2 and 2. */
INLINE real logarithm(real n, real f, real c)
{
    const real s = f/(2 + f), w = s*s, square = f*f/2, $log_square;
    const real tail = s*(square + w*$log) + (n*$low + c);
    return n*$high - ((square - tail) - f);
}
