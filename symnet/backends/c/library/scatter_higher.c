/* result[point][p][${brackets}] from the vectors at ${ordered}. */
SHARED void scatter${order}(wide count, const vec *part, wide output_step, real *result)
{
    for (wide p = 0; p < M; p++)
        for (wide entry = 0; entry < ${entries}; entry++) {
            wide index[${order}], rest = entry;
            for (int d = 0; d < ${order}; d++, rest /= N) {
                int e = d;
                for (; e > 0 && index[e - 1] > rest % N; e--)
                    index[e] = index[e - 1];
                index[e] = rest % N;
            }
            const wide at = at${order}(${arguments});
            const real *from = (const real *)(part + p * output_step + at * V);
            for (wide l = 0; l < count; l++)
                result[(l * M + p) * ${entries} + entry] = from[l];
        }
}
