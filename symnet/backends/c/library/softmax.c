/* out_r = exp(z_r - max)/sum of these, over all neurons r. */
SHARED void softmax(long neurons, const vec *z, long z_row, vec *out, long out_row)
{
    for (long c = 0; c < V; c++) {
        vec most = z[c], sum = splat(0);
        for (long r = 1; r < neurons; r++)
            larger_of(&most, z[r * z_row + c]);
        for (long r = 0; r < neurons; r++) {
            vec *share = out + r * out_row + c;
            *share = z[r * z_row + c] - most;
            decay(share);
            sum += *share;
        }
        for (long r = 0; r < neurons; r++)
            out[r * out_row + c] /= sum;
    }
}
