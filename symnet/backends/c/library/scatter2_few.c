/* result[point][p][i][j] and [j][i] from the vectors at i <= j. */
SHARED void scatter2(wide count, const vec *part, wide output_step, real *restrict result)
{
    for (wide p = 0; p < M; p++) {
        const real *restrict from = (const real *)(part + p * output_step);
        for (wide l = 0; l < count; l++) {
            UNROLL
            for (wide i = 0; i < N; i++) {
                UNROLL
                for (wide j = 0; j < N; j++)
                    result[((l * M + p) * N + i) * N + j] =
                        from[(i < j ? at2(i, j) : at2(j, i)) * V * LANES + l];
            }
        }
    }
}
