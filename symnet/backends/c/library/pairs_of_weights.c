SHARED void pairs_of_weights(wide neurons, const vec *weight, const real *W, vec *out, int more)
{
    all_pairs(1, neurons, weight, weight, 0, W, out, more);
}
