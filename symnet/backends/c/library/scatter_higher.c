/* result[point][p][${brackets}] from the vectors at ${ordered}. */
SHARED void scatter${order}(long count, const vec *part, long output_step, real *result)
{
    for (long p = 0; p < M; p++)
        for (long entry = 0; entry < ${entries}; entry++) {
            long index[${order}], rest = entry;
            for (int d = 0; d < ${order}; d++, rest /= N) {
                int e = d;
                for (; e > 0 && index[e - 1] > rest % N; e--)
                    index[e] = index[e - 1];
                index[e] = rest % N;
            }
            const long at = at${order}(${arguments});
            const real *from = (const real *)(part + p * output_step + at * V);
            for (long l = 0; l < count; l++)
                result[(l * M + p) * ${entries} + entry] = from[l];
        }
}
