"""What generated C calls: pieces of C99 text, of which a file gets those that it needs.

A vector `vec` holds LANES points. A layer's quantities stand in a slab

    [neurons][columns][vectors]        columns: the value, then its derivatives, i ≤ j ≤ … once

so that a weight matrix times all columns of a slab is one product of matrices. Points are the
innermost axis: nothing is ever added up across the lanes of a vector, and what is computed for a
point depends neither on its neighbours nor on the number of threads.

Source of the method: K. Goto, R. van de Geijn, "Anatomy of high-performance matrix multiplication",
ACM TOMS 34 (2008): a tile of sums stays in registers while the inner dimension runs.
"""

from __future__ import annotations

INCLUDES = """\
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
"""

VECTORS = """\
/* A vector of LANES points: the machine's where the compiler has one, else a single number. */
#if defined(__GNUC__) && !defined(SYMNET_PLAIN)
#if defined(__AVX512F__)
enum { VECTOR_BYTES = 64 };
#elif defined(__AVX__)
enum { VECTOR_BYTES = 32 };
#else
enum { VECTOR_BYTES = 16 };
#endif
typedef real vec __attribute__((vector_size(VECTOR_BYTES), may_alias));
#define INLINE static inline __attribute__((always_inline))
#define SHARED static __attribute__((noinline))
#else
typedef real vec;
#define INLINE static inline
#define SHARED static
#endif
enum { LANES = sizeof(vec) / sizeof(real) };

/* Sums that stay in registers: this many neurons by two vectors. */
#if defined(__AVX512F__) || defined(__aarch64__)
enum { TILE = 8 };
#else
enum { TILE = 4 };
#endif

#if defined(_OPENMP)
#define OMP(...) _Pragma(#__VA_ARGS__)
#define EACH_LANE _Pragma("omp simd")
#elif defined(__GNUC__) && !defined(__clang__)
#define OMP(...)
#define EACH_LANE _Pragma("GCC ivdep")
#else
#define OMP(...)
#define EACH_LANE
#endif

/* What stands in column `column` of neuron `row` of a slab. */
#define AT(slab, row, columns, column) ((slab) + ((row) * (columns) + (column)) * vectors)

INLINE vec splat(real number)
{
    vec all = {0};
    all += number;
    return all;
}
"""

VECTOR_VERSION = """\
/* glibc has vector versions of these functions, which without -ffast-math must be asked for. */
#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__)
#define VECTOR_VERSION __attribute__((simd("notinbranch")))
#endif"""

LIBMVEC = """\
#if defined(VECTOR_VERSION) && __GLIBC_MINOR__ >= {minor}
{declarations}
#endif
"""

MATVEC = """\
/* out[r] = (bias or out[r] or 0) + sum over s of W(r, s) in[s], W(r, s) = W[r*down + s*right],
   for a tile of neurons and vectors. */
INLINE void tile(const int neurons, const int width, long depth,
                 const real *W, long down, long right, const real *bias, int more,
                 const vec *restrict in, long in_row, vec *restrict out, long out_row)
{
    vec sum[TILE][2];
    for (int r = 0; r < neurons; r++)
        for (int c = 0; c < width; c++)
            sum[r][c] = more ? out[r * out_row + c] : splat(bias ? bias[r] : 0);
    for (long s = 0; s < depth; s++, W += right, in += in_row) {
        real w[TILE];
        for (int r = 0; r < neurons; r++)
            w[r] = W[r * down];
        for (int c = 0; c < width; c++) {
            const vec a = in[c];
            for (int r = 0; r < neurons; r++)
                sum[r][c] += w[r] * a;
        }
    }
    for (int r = 0; r < neurons; r++)
        for (int c = 0; c < width; c++)
            out[r * out_row + c] = sum[r][c];
}

/* All neurons of `width` neighbouring vectors. */
INLINE void panel(const int width, long neurons, long depth,
                  const real *W, long down, long right, const real *bias, int more,
                  const vec *in, long in_row, vec *out, long out_row)
{
    long r = 0;
#define TILES(size)                                                                              \\
    for (; r + (size) <= neurons; r += (size))                                                   \\
        tile((size), width, depth, W + r * down, down, right, bias ? bias + r : bias, more,      \\
             in, in_row, out + r * out_row, out_row)
    TILES(TILE);
    TILES(4);
    TILES(2);
    TILES(1);
#undef TILES
}

/* out = W in for `width` vectors of each row; the first `biased` of them get the bias too.
   The inner dimension is cut so that a panel and its weights stay in the cache. */
SHARED void matvec(long neurons, long depth, const real *W, long down, long right,
                   const real *bias, long biased, long width,
                   const vec *in, long in_row, vec *out, long out_row)
{
    enum { DEPTH = 256 };
    for (long s = 0; s < depth; s += DEPTH) {
        const long chunk = depth - s < DEPTH ? depth - s : DEPTH;
        for (long c = 0; c < width;) {
            const real *b = c < biased ? bias : NULL;
            const int two = c + 2 <= width && c + 1 != biased;
            if (two)
                panel(2, neurons, chunk, W + s * right, down, right, b, s > 0,
                      in + s * in_row + c, in_row, out + c, out_row);
            else
                panel(1, neurons, chunk, W + s * right, down, right, b, s > 0,
                      in + s * in_row + c, in_row, out + c, out_row);
            c += two ? 2 : 1;
        }
    }
}
"""

PAIRS = """\
/* t_i of neuron r: in a slab t[r][i], or, when the same for all points, a weight W[r*N + i]. */
INLINE vec moving(const int fixed, const vec *t, long t_row, const real *W, long r, long i,
                  long vectors)
{{
    return fixed ? splat(W[r * N + i]) : t[r * t_row + i * vectors];
}}

/* out_ij += sum over r of weight_r t_i[r] t_j[r] for a tile of i and j. */
INLINE void pair_tile(const int fixed, const int rows, const int columns, long neurons,
                      long vectors, const vec *weight, long weight_row, const vec *t, long t_row,
                      const real *W, long i, long j, vec *restrict out)
{{
    vec sum[{tile}][{tile}];
    for (int a = 0; a < rows; a++)
        for (int b = 0; b < columns; b++)
            sum[a][b] = splat(0);
    for (long r = 0; r < neurons; r++) {{
        vec u[{tile}], v[{tile}];
        for (int a = 0; a < rows; a++)
            u[a] = weight[r * weight_row] * moving(fixed, t, t_row, W, r, i + a, vectors);
        for (int b = 0; b < columns; b++)
            v[b] = moving(fixed, t, t_row, W, r, j + b, vectors);
        for (int a = 0; a < rows; a++)
            for (int b = 0; b < columns; b++)
                sum[a][b] += u[a] * v[b];
    }}
    for (int a = 0; a < rows; a++)
        for (int b = 0; b < columns; b++)
            if (i + a <= j + b)
                out[at2(i + a, j + b) * vectors] += sum[a][b];
}}

/* The same for every i <= j, every output p and every vector. */
INLINE void all_pairs(const int fixed, long neurons, long vectors, const vec *weight,
                      const vec *t, long t_row, const real *W, vec *out)
{{
    for (long p = 0; p < M; p++)
        for (long c = 0; c < vectors; c++) {{
            const vec *w = weight + p * vectors + c, *from = t + c;
            vec *to = out + p * at2(N, N) * vectors + c;
            const long row = M * vectors;
{body}
        }}
}}
"""

PAIRS_OF_SLAB = """\
SHARED void pairs(long neurons, long vectors, const vec *weight, const vec *t, long t_row,
                  vec *out)
{
    all_pairs(0, neurons, vectors, weight, t, t_row, (const real *)t, out);
}
"""

PAIRS_OF_WEIGHTS = """\
SHARED void pairs_of_weights(long neurons, long vectors, const vec *weight, const real *W,
                             vec *out)
{
    all_pairs(1, neurons, vectors, weight, weight, 0, W, out);
}
"""

GATHER = """\
/* The points into a slab; what a block has too much repeats the last point. */
SHARED void gather(const real *restrict points, long count, long vectors, vec *slab)
{
    const long lanes = vectors * LANES;
    real *restrict to = (real *)slab;
    for (long l = 0; l < count; l++)
        for (long i = 0; i < N; i++)
            to[i * lanes + l] = points[l * N + i];
    for (long l = count; l < lanes; l++)
        for (long i = 0; i < N; i++)
            to[i * lanes + l] = points[(count - 1) * N + i];
}
"""

SCATTER = """\
/* result[point][p][i] from vectors at part[p*output_step + i*column_step]. */
INLINE void scatter(long count, const long columns, const vec *part, long output_step,
                    long column_step, real *restrict result)
{
    for (long p = 0; p < M; p++) {
        const real *restrict from = (const real *)(part + p * output_step);
        for (long l = 0; l < count; l++)
            for (long i = 0; i < columns; i++)
                result[(l * M + p) * columns + i] = from[i * column_step * LANES + l];
    }
}
"""

SCATTER2_FEW = """\
/* result[point][p][i][j] and [j][i] from the vectors at i <= j. */
SHARED void scatter2(long count, long vectors, const vec *part, long output_step,
                     real *restrict result)
{
    for (long p = 0; p < M; p++) {
        const real *restrict from = (const real *)(part + p * output_step);
        for (long l = 0; l < count; l++)
            for (long i = 0; i < N; i++)
                for (long j = 0; j < N; j++)
                    result[((l * M + p) * N + i) * N + j] =
                        from[(i < j ? at2(i, j) : at2(j, i)) * vectors * LANES + l];
    }
}
"""

SCATTER2_MANY = """\
/* result[point][p][i][j] and [j][i] from the vectors at i <= j, a cache line of each at a time. */
SHARED void scatter2(long count, long vectors, const vec *part, long output_step,
                     real *restrict result)
{
    enum { WIDTH = 8 };
    const real *from[WIDTH];
    for (long p = 0; p < M; p++)
        for (long i = 0; i < N; i++)
            for (long j = 0; j < N; j += WIDTH) {
                const long width = N - j < WIDTH ? N - j : WIDTH;
                for (long k = 0; k < width; k++) {
                    const long at = i < j + k ? at2(i, j + k) : at2(j + k, i);
                    from[k] = (const real *)(part + p * output_step + at * vectors);
                }
                for (long l = 0; l < count; l++)
                    for (long k = 0; k < width; k++)
                        result[((l * M + p) * N + i) * N + j + k] = from[k][l];
            }
}
"""

SCATTER_HIGHER = """\
/* result[point][p][{brackets}] from the vectors at {ordered}. */
SHARED void scatter{order}(long count, long vectors, const vec *part, long output_step,
                     real *result)
{{
    for (long p = 0; p < M; p++)
        for (long entry = 0; entry < {entries}; entry++) {{
            long index[{order}], rest = entry;
            for (int d = 0; d < {order}; d++, rest /= N) {{
                int e = d;
                for (; e > 0 && index[e - 1] > rest % N; e--)
                    index[e] = index[e - 1];
                index[e] = rest % N;
            }}
            const long at = at{order}({arguments});
            const real *from = (const real *)(part + p * output_step + at * vectors);
            for (long l = 0; l < count; l++)
                result[(l * M + p) * {entries} + entry] = from[l];
        }}
}}
"""

NOT_A_NUMBER = """\
/* NaN in a point is NaN in all of its results, also in those that are the same at every point. */
SHARED void keep_nan(const real *points, long count, long entries, real *result)
{
    for (long l = 0; l < count; l++)
        for (long i = 0; i < N; i++)
            if (isnan(points[l * N + i]))
                for (long e = 0; e < entries; e++)
                    result[l * entries + e] = points[l * N + i];
}
"""

MEMORY = """\
/* Memory for vectors; `raw` is what to free. NULL when there is none. */
static vec *allocate(long vectors, void **raw)
{
    *raw = malloc((size_t)(vectors + 1) * sizeof(vec));
    if (!*raw)
        return NULL;
    return (vec *)(((uintptr_t)*raw + sizeof(vec) - 1) / sizeof(vec) * sizeof(vec));
}
"""
