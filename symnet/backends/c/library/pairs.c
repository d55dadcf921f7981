SHARED void pairs(long neurons, const vec *weight, const vec *t, long t_row, vec *out, int more)
{
    all_pairs(0, neurons, weight, t, t_row, (const real *)t, out, more);
}
