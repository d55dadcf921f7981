/* x = max(x, other), x = exp(x) for x <= 0, x = log(x). */
INLINE void larger_of(vec *x, vec other)
{
    real *to = (real *)x;
    const real *from = (const real *)&other;
    EACH_LANE
    for (int lane = 0; lane < LANES; lane++)
        to[lane] = from[lane] > to[lane] ? from[lane] : to[lane];
}

INLINE void decay(vec *x)
{
    real *to = (real *)x;
    EACH_LANE
    for (int lane = 0; lane < LANES; lane++)
        to[lane] = decay_of(to[lane]);
}
