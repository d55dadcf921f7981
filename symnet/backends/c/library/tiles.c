/* out[r] = (out[r] or bias[r] or 0) + sum over s of W(r, s) in[s], W(r, s) = W[r*down + s*right],
   for `size` rows and `width` vectors side by side, whose sums stay in registers. The first
   `biased` vectors have a bias. */
INLINE void tile(const int size, const int width, const wide depth, const real *W,
                 const wide down, const wide right, const real *bias, const wide biased,
                 const vec *restrict in, const wide in_row, vec *restrict out,
                 const wide out_row, const int more)
{
    vec sum[SUMS][6];
    UNROLL
    for (int r = 0; r < size; r++) {
        UNROLL
        for (int c = 0; c < width; c++)
            sum[r][c] = more ? out[r * out_row + c] : splat(bias && c < biased ? bias[r] : 0);
    }
    for (wide s = 0; s < depth; s++) {
        vec a[6];
        UNROLL
        for (int c = 0; c < width; c++)
            a[c] = in[s * in_row + c];
        UNROLL
        for (int r = 0; r < size; r++) {
            const vec w = splat(W[r * down + s * right]);
            UNROLL
            for (int c = 0; c < width; c++)
                sum[r][c] += w * a[c];
        }
    }
    UNROLL
    for (int r = 0; r < size; r++) {
        UNROLL
        for (int c = 0; c < width; c++)
            out[r * out_row + c] = sum[r][c];
    }
}

/* The rows from `first` to `end`, and `panels` times `width` vectors of each; the bias is added to
   the first `biased` vectors, which share no panel of two with others. */
INLINE void tiles(const int size, const int width, const wide first, const wide end,
                  const wide panels, const wide depth, const real *W, const wide down,
                  const wide right, const real *bias, const wide biased, const vec *in,
                  const wide in_row, vec *out, const wide out_row, const int more)
{
    for (wide r = first; r < end; r += size)
        for (wide c = 0; c < panels * width; c += width)
            tile(size, width, depth, W + r * down, down, right, c < biased ? bias + r : NULL,
                 width > 2 ? biased - c : width, in + c, in_row, out + r * out_row + c, out_row,
                 more);
}

/* All rows, in tiles that are as large as registers allow and as equal as can be: first some of
   LARGE(rows, width) rows, then, where these do not come out even, some of one row less. */
#define COUNT(rows, width) (((rows) + SUMS / (width) - 1) / (SUMS / (width)))
#define LARGE(rows, width) (((rows) + COUNT(rows, width) - 1) / COUNT(rows, width))
#define ROWS_LARGE(rows, width) \
    (((rows) - COUNT(rows, width) * (LARGE(rows, width) - 1)) * LARGE(rows, width))
#define PRODUCT(rows, width, ...) \
    do { \
        tiles(LARGE(rows, width), width, 0, ROWS_LARGE(rows, width), __VA_ARGS__); \
        if (ROWS_LARGE(rows, width) < (rows)) \
            tiles(LARGE(rows, width) - 1, width, ROWS_LARGE(rows, width), rows, __VA_ARGS__); \
    } while (0)
