/* result[point][p][i][j] and [j][i] from the vectors at i <= j, a cache line of each at a time. */
SHARED void scatter2(long count, const vec *part, long output_step, real *restrict result)
{
    enum { WIDTH = 8 };
    const real *from[WIDTH];
    for (long p = 0; p < M; p++)
        for (long i = 0; i < N; i++)
            for (long j = 0; j < N; j += WIDTH) {
                const long width = N - j < WIDTH ? N - j : WIDTH;
                for (long k = 0; k < width; k++) {
                    const long at = i < j + k ? at2(i, j + k) : at2(j + k, i);
                    from[k] = (const real *)(part + p * output_step + at * V);
                }
                for (long l = 0; l < count; l++)
                    for (long k = 0; k < width; k++)
                        result[((l * M + p) * N + i) * N + j + k] = from[k][l];
            }
}
