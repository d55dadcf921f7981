SHARED void pairs(wide neurons, const vec *weight, const vec *t, wide t_row, vec *out, int more)
{
    all_pairs(0, neurons, weight, t, t_row, (const real *)t, out, more);
}
