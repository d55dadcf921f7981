/* result[point][p][i] from vectors at part[p*output_step + i*column_step]. */
INLINE void scatter(long count, const long columns, const vec *part, const long output_step,
                    const long column_step, real *restrict result)
{
    for (long p = 0; p < M; p++) {
        const real *restrict from = (const real *)(part + p * output_step);
        for (long l = 0; l < count; l++)
            for (long i = 0; i < columns; i++)
                result[(l * M + p) * columns + i] = from[i * column_step * LANES + l];
    }
}
