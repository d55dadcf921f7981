/* NaN in a point is NaN in all of its results, also in those that are the same at every point. */
SHARED void keep_nan(const real *points, wide count, wide entries, real *result)
{
    for (wide l = 0; l < count; l++)
        for (wide i = 0; i < N; i++)
            if (isnan(points[l * N + i]))
                for (wide e = 0; e < entries; e++)
                    result[l * entries + e] = points[l * N + i];
}
