/* NaN in a point is NaN in all of its results, also in those that are the same at every point. */
SHARED void keep_nan(const real *points, long count, long entries, real *result)
{
    for (long l = 0; l < count; l++)
        for (long i = 0; i < N; i++)
            if (isnan(points[l * N + i]))
                for (long e = 0; e < entries; e++)
                    result[l * entries + e] = points[l * N + i];
}
