/* Inputs in a tile of pairs, whose sums stay in registers; those left over; those in a batch. */
enum { PAIR = N < 4 ? N : SUMS < 24 ? 3 : 5, REST = N % PAIR, BATCH = 4 * PAIR };

/* t_i of neuron r: in a slab t[r][i], or, when the same for all points, a weight W[r*N + i]. */
INLINE vec moving(const int fixed, const vec *t, const wide t_row, const real *W, wide r, wide i)
{
    return fixed ? splat(W[r * N + i]) : t[r * t_row + i * V];
}

/* out_ij = (out_ij or 0) + sum over r of weight_r t_i[r] t_j[r] for a tile of i <= j. */
INLINE void pair_tile(const int fixed, const int rows, const int columns, const int diagonal,
                      wide neurons, const vec *weight, const vec *t, const wide t_row,
                      const real *W, wide i, wide j, vec *restrict out, int more)
{
    vec sum[PAIR][PAIR];
    UNROLL
    for (int a = 0; a < rows; a++) {
        UNROLL
        for (int b = 0; b < columns; b++)
            sum[a][b] = splat(0);
    }
    for (wide r = 0; r < neurons; r++) {
        const vec w = weight[r * M * V];
        vec v[PAIR];
        UNROLL
        for (int b = 0; b < columns; b++)
            v[b] = moving(fixed, t, t_row, W, r, j + b);
        UNROLL
        for (int a = 0; a < rows; a++) {
            const vec u = w * (diagonal ? v[a] : moving(fixed, t, t_row, W, r, i + a));
            UNROLL
            for (int b = diagonal ? a : 0; b < columns; b++)
                sum[a][b] += u * v[b];
        }
    }
    UNROLL
    for (int a = 0; a < rows; a++) {
        UNROLL
        for (int b = diagonal ? a : 0; b < columns; b++) {
            vec *to = out + at2(i + a, j + b) * V;
            *to = sum[a][b] + (more ? *to : splat(0));
        }
    }
}

/* The same for every i <= j, every output p and every vector; a batch of t_j at a time, which
   stays in the cache while all t_i pass. */
INLINE void all_pairs(const int fixed, wide neurons, const vec *weight, const vec *t,
                      const wide t_row, const real *W, vec *out, int more)
{
    for (wide p = 0; p < M; p++)
        for (wide c = 0; c < V; c++) {
            const vec *w = weight + p * V + c, *from = t + c;
            vec *to = out + p * at2(N, N) * V + c;
#define TILE(rows, columns, diagonal, i, j) \
    pair_tile(fixed, rows, columns, diagonal, neurons, w, from, t_row, W, i, j, to, more)
            for (wide first = 0; first + PAIR <= N; first += BATCH) {
                const wide end = first + BATCH < N - REST ? first + BATCH : N - REST;
                for (wide i = 0; i < first; i += PAIR)
                    for (wide j = first; j < end; j += PAIR)
                        TILE(PAIR, PAIR, 0, i, j);
                for (wide i = first; i < end; i += PAIR) {
                    TILE(PAIR, PAIR, 1, i, i);
                    for (wide j = i + PAIR; j < end; j += PAIR)
                        TILE(PAIR, PAIR, 0, i, j);
                }
            }
            for (wide i = N * (REST == 0); i < N; i += PAIR) {
                if (i + PAIR <= N)
                    TILE(PAIR, REST, 0, i, N - REST);
                else
                    TILE(REST, REST, 1, i, N - REST);
            }
#undef TILE
        }
}
