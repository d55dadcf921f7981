/* result[point][p][i] from vectors at part[p*output_step + i*column_step]. */
INLINE void scatter(wide count, const wide columns, const vec *part, const wide output_step,
                    const wide column_step, real *restrict result)
{
    for (wide p = 0; p < M; p++) {
        const real *restrict from = (const real *)(part + p * output_step);
        for (wide l = 0; l < count; l++)
            for (wide i = 0; i < columns; i++)
                result[(l * M + p) * columns + i] = from[i * column_step * LANES + l];
    }
}
