INLINE void logarithms(vec *x)
{
    real *to = (real *)x;
    EACH_LANE
    for (int lane = 0; lane < LANES; lane++)
        to[lane] = log_of(to[lane]);
}

/* out_r = (z_r - max) - log(sum of exp(z_r - max)), over all neurons r. */
SHARED void log_softmax(long neurons, const vec *z, long z_row, vec *out, long out_row)
{
    for (long c = 0; c < V; c++) {
        vec most = z[c], sum = splat(0);
        for (long r = 1; r < neurons; r++)
            larger_of(&most, z[r * z_row + c]);
        for (long r = 0; r < neurons; r++) {
            vec share = z[r * z_row + c] - most;
            out[r * out_row + c] = share;
            decay(&share);
            sum += share;
        }
        logarithms(&sum);
        for (long r = 0; r < neurons; r++)
            out[r * out_row + c] -= sum;
    }
}
