/* result[point][p][i][j] and [j][i] from the vectors at i <= j. */
SHARED void scatter2(long count, const vec *part, long output_step, real *restrict result)
{
    for (long p = 0; p < M; p++) {
        const real *restrict from = (const real *)(part + p * output_step);
        for (long l = 0; l < count; l++) {
            UNROLL
            for (long i = 0; i < N; i++) {
                UNROLL
                for (long j = 0; j < N; j++)
                    result[((l * M + p) * N + i) * N + j] =
                        from[(i < j ? at2(i, j) : at2(j, i)) * V * LANES + l];
            }
        }
    }
}
