/* out_r = exp(z_r - max)/sum of these, over all neurons r. */
SHARED void softmax(wide neurons, const vec *z, wide z_row, vec *out, wide out_row)
{
    for (wide c = 0; c < V; c++) {
        vec most = z[c], sum = splat(0);
        for (wide r = 1; r < neurons; r++)
            larger_of(&most, z[r * z_row + c]);
        for (wide r = 0; r < neurons; r++) {
            vec *share = out + r * out_row + c;
            *share = z[r * z_row + c] - most;
            decay(share);
            sum += *share;
        }
        for (wide r = 0; r < neurons; r++)
            out[r * out_row + c] /= sum;
    }
}
