INLINE void logarithms(vec *x)
{
    real *to = (real *)x;
    EACH_LANE
    for (int lane = 0; lane < LANES; lane++)
        to[lane] = log_of(to[lane]);
}

/* out_r = (z_r - max) - log(sum of exp(z_r - max)), over all neurons r. */
SHARED void log_softmax(wide neurons, const vec *z, wide z_row, vec *out, wide out_row)
{
    for (wide c = 0; c < V; c++) {
        vec most = z[c], sum = splat(0);
        for (wide r = 1; r < neurons; r++)
            larger_of(&most, z[r * z_row + c]);
        for (wide r = 0; r < neurons; r++) {
            vec share = z[r * z_row + c] - most;
            out[r * out_row + c] = share;
            decay(&share);
            sum += share;
        }
        logarithms(&sum);
        for (wide r = 0; r < neurons; r++)
            out[r * out_row + c] -= sum;
    }
}
