/* Takes `share` blocks at a time from `next` on, until none are left. */
static int ${name}_blocks(wide *next, wide share, ${parameters})
{
    enum { BLOCK = V * LANES };
    void *raw = NULL;
    vec *const memory = points > 0 ? allocate(${memory} * V, &raw) : NULL;
    if (!memory)
        return points > 0;
    for (;;) {
        wide first, end;
        OMP(omp atomic capture)
        {
            first = *next;
            *next += share;
        }
        first *= BLOCK;
        if (first >= points)
            break;
        end = first + share * BLOCK;
        for (; first < end && first < points; first += BLOCK) {
            const wide count = points - first < BLOCK ? points - first : (wide)BLOCK;
            ${name}_block(count, ${shifted}, memory);
        }
    }
    free(raw);
    return 0;
}

${signature}
{
    const wide blocks = 1 + points / (V * LANES);
    wide next = 0;
    int failed = 0;
    if (threads < 2)
        return ${name}_blocks(&next, blocks, ${passed});
    const caller_t caller = this_thread();
    OMP(omp parallel num_threads(threads) reduction(|:failed))
    {
        keep_off(caller);
        failed |= ${name}_blocks(&next, 1 + blocks / (8L * threads), ${passed});
    }
    return failed;
}
