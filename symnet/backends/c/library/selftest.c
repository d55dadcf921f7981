#ifdef SYMNET_TEST
#include <stdio.h>

${tables}
enum { EXAMPLES = ${count} };

/* An array of exactly that size, for the compiler's sanitizers. */
static real *fresh(wide numbers)
{
    real *array = (real *)malloc((size_t)(numbers ? numbers : 1) * sizeof(real));
    if (!array)
        abort();
    return array;
}

/* Whether one of the entries 0, stride, ... of `size` differs from what another engine gives by
   more than rounding explains. */
static int differs(const char *what, wide count, wide size, wide stride, const real *got,
                   const real *expected, const double *allowed)
{
    const wide each = (size + stride - 1) / stride;
    for (wide k = 0; k < count * each; k++) {
        const wide entry = k % each * stride;
        const double found = (double)got[k / each * size + entry];
        const double error = fabs(found - (double)expected[k % (EXAMPLES * each)]);
        if (!(error <= allowed[k % each])) {
            printf("%s at %ld points: error %g in entry %ld, allowed %g\n", what, (long)count,
                   error, (long)entry, allowed[k % each]);
            return 1;
        }
    }
    return 0;
}

/* All functions at the examples' points, as often repeated as it takes. */
static int tested(wide count, int threads)
{
    int bad = 0;
    real *x = fresh(count * N);
    for (wide k = 0; k < count * N; k++)
        x[k] = POINTS[k % (EXAMPLES * N)];
${calls}
    free(x);
    return bad;
}

int main(void)
{
    const wide block = V * LANES;
    const wide counts[] = {0, 1, block - 1, block, block + 1, 3 * block};
    int bad = 0;
    for (int k = 0; k < 6; k++)
        for (int threads = 1; threads <= 2; threads++)
            bad += tested(counts[k], threads);
    printf("self-test %s: %d points, alone and in blocks, 1 and 2 threads\n", bad ? "WRONG" : "ok",
           (int)EXAMPLES);
    return bad != 0;
}
#endif
