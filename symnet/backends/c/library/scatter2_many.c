/* result[point][p][i][j] and [j][i] from the vectors at i <= j, a cache line of each at a time. */
SHARED void scatter2(wide count, const vec *part, wide output_step, real *restrict result)
{
    enum { WIDTH = 8, LEFT = N % WIDTH };
    const real *from[WIDTH];
    for (wide p = 0; p < M; p++)
        for (wide i = 0; i < N; i++)
            for (wide j = 0; j < N; j += WIDTH) {
                const int whole = j + WIDTH <= N;
                for (wide k = 0; k < (whole ? WIDTH : LEFT); k++) {
                    const wide at = i < j + k ? at2(i, j + k) : at2(j + k, i);
                    from[k] = (const real *)(part + p * output_step + at * V);
                }
                for (wide l = 0; l < count; l++) {
                    real *restrict to = result + ((l * M + p) * N + i) * N + j;
                    UNROLL
                    for (int k = 0; k < LEFT; k++)
                        to[k] = from[k][l];
                    UNROLL
                    for (int k = LEFT; k < WIDTH && whole; k++)
                        to[k] = from[k][l];
                }
            }
}
