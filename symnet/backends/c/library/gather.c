/* The points into a slab; what a block has too much repeats the last point. */
SHARED void gather(const real *restrict points, wide count, vec *slab)
{
    enum { POINTS = V * LANES };
    real *restrict to = (real *)slab;
    if (N <= 4 && count == POINTS) {
        EACH_LANE
        for (wide l = 0; l < POINTS; l++)
            for (wide i = 0; i < N; i++)
                to[i * POINTS + l] = points[l * N + i];
        return;
    }
    for (wide l = 0; l < count; l++)
        for (wide i = 0; i < N; i++)
            to[i * POINTS + l] = points[l * N + i];
    for (wide l = count; l < POINTS; l++)
        for (wide i = 0; i < N; i++)
            to[i * POINTS + l] = points[(count - 1) * N + i];
}
