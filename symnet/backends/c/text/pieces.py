"""What generated C calls: pieces of C99 text, of which a file gets those that it needs.

A vector `vec` holds LANES points. A layer's quantities stand in a slab

    [neurons][columns][V]        columns: the value, then its derivatives, i ≤ j ≤ … once

so that a weight matrix times all columns of a slab is one product of matrices. Points are the
innermost axis: nothing is ever added up across the lanes of a vector, and what is computed for a
point depends neither on its neighbours nor on the number of threads.

Source of the method: K. Goto, R. van de Geijn, "Anatomy of high-performance matrix multiplication",
ACM TOMS 34 (2008): a tile of sums stays in registers while the inner dimension runs.
"""

from __future__ import annotations

INCLUDES = """\
#if defined(_OPENMP) && defined(__linux__) && !defined(_GNU_SOURCE)
#define _GNU_SOURCE /* for a thread's processors */
#endif
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
#else
typedef real vec;
#endif
enum { LANES = sizeof(vec) / sizeof(real) };

#if defined(__GNUC__)
#define INLINE static inline __attribute__((always_inline))
#define SHARED static __attribute__((noinline))
#else
#define INLINE static inline
#define SHARED static
#endif

/* Sums that stay in registers. */
#if defined(__AVX512F__) || defined(__aarch64__)
enum { SUMS = 24 };
#else
enum { SUMS = 12 };
#endif

#if defined(_OPENMP)
#define OMP(...) _Pragma(#__VA_ARGS__)
#define EACH_LANE _Pragma("omp simd")
#elif defined(__clang__)
#define OMP(...)
#define EACH_LANE _Pragma("clang loop vectorize(assume_safety)")
#elif defined(__GNUC__)
#define OMP(...)
#define EACH_LANE _Pragma("GCC ivdep")
#else
#define OMP(...)
#define EACH_LANE
#endif

/* Short loops over what stays in registers are written out. */
#if defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#elif defined(__GNUC__) && __GNUC__ >= 8
#define UNROLL _Pragma("GCC unroll 24")
#else
#define UNROLL
#endif

/* What stands in column `column` of neuron `row` of a slab. */
#define AT(slab, row, columns, column) ((slab) + ((row) * (columns) + (column)) * V)

/* The number in all lanes; less zero changes nothing, not even the sign of zero. */
INLINE vec splat(real number)
{
    const vec zero = {0};
    return number - zero;
}
"""

PROCESSORS = """\
/* Where the thread is that shares its work. */
#if defined(_OPENMP) && defined(__GLIBC__)
#include <omp.h>
#include <pthread.h>
#include <sched.h>

typedef struct {
    pthread_t thread;
    int processor;
} caller_t;

static caller_t this_thread(void)
{
    return (caller_t){pthread_self(), sched_getcpu()};
}

/* Sends a thread that has woken on its caller's processor to another one, where there is one. */
static void keep_off(caller_t caller)
{
    cpu_set_t others;
    if (!omp_get_thread_num() || sched_getcpu() != caller.processor)
        return;
    if (pthread_getaffinity_np(caller.thread, sizeof others, &others))
        return;
    CPU_CLR(caller.processor, &others);
    if (CPU_COUNT(&others))
        sched_setaffinity(0, sizeof others, &others);
}
#else
typedef int caller_t;
#define this_thread() 0
#define keep_off(caller) (void)caller
#endif
"""
"""Linux wakes a thread on the processor it last ran on, though its caller is at work there now.

It can then begin only when the caller, done with everything, waits for it: on 2 processors that
others had used meanwhile this was so in most calls, which took up to three times as long. Allowed
back to that processor, a thread was soon woken there again.
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

TILES = """\
/* out[r] = (out[r] or bias[r] or 0) + sum over s of W(r, s) in[s], W(r, s) = W[r*down + s*right],
   for `size` rows and `width` vectors side by side, whose sums stay in registers. The first
   `biased` vectors have a bias. */
INLINE void tile(const int size, const int width, const long depth, const real *W,
                 const long down, const long right, const real *bias, const long biased,
                 const vec *restrict in, const long in_row, vec *restrict out,
                 const long out_row, const int more)
{
    vec sum[SUMS][6];
    UNROLL
    for (int r = 0; r < size; r++) {
        UNROLL
        for (int c = 0; c < width; c++)
            sum[r][c] = more ? out[r * out_row + c] : splat(bias && c < biased ? bias[r] : 0);
    }
    for (long s = 0; s < depth; s++) {
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
INLINE void tiles(const int size, const int width, const long first, const long end,
                  const long panels, const long depth, const real *W, const long down,
                  const long right, const real *bias, const long biased, const vec *in,
                  const long in_row, vec *out, const long out_row, const int more)
{
    for (long r = first; r < end; r += size)
        for (long c = 0; c < panels * width; c += width)
            tile(size, width, depth, W + r * down, down, right, c < biased ? bias + r : NULL,
                 width > 2 ? biased - c : width, in + c, in_row, out + r * out_row + c, out_row,
                 more);
}

/* All rows, in tiles that are as large as registers allow and as equal as can be: first some of
   LARGE(rows, width) rows, then, where these do not come out even, some of one row less. */
#define COUNT(rows, width) (((rows) + SUMS / (width) - 1) / (SUMS / (width)))
#define LARGE(rows, width) (((rows) + COUNT(rows, width) - 1) / COUNT(rows, width))
#define ROWS_LARGE(rows, width)                                                                  \\
    (((rows) - COUNT(rows, width) * (LARGE(rows, width) - 1)) * LARGE(rows, width))
#define PRODUCT(rows, width, ...)                                                                \\
    do {                                                                                         \\
        tiles(LARGE(rows, width), width, 0, ROWS_LARGE(rows, width), __VA_ARGS__);               \\
        if (ROWS_LARGE(rows, width) < (rows))                                                    \\
            tiles(LARGE(rows, width) - 1, width, ROWS_LARGE(rows, width), rows, __VA_ARGS__);    \\
    } while (0)
"""

PAIRS = """\
/* Inputs in a tile of pairs, whose sums stay in registers; those left over; those in a batch. */
enum { PAIR = N < 4 ? N : SUMS < 24 ? 3 : 4, REST = N % PAIR, BATCH = 4 * PAIR };

/* t_i of neuron r: in a slab t[r][i], or, when the same for all points, a weight W[r*N + i]. */
INLINE vec moving(const int fixed, const vec *t, const long t_row, const real *W, long r, long i)
{
    return fixed ? splat(W[r * N + i]) : t[r * t_row + i * V];
}

/* out_ij = (out_ij or 0) + sum over r of weight_r t_i[r] t_j[r] for a tile of i <= j. */
INLINE void pair_tile(const int fixed, const int rows, const int columns, const int diagonal,
                      long neurons, const vec *weight, const vec *t, const long t_row,
                      const real *W, long i, long j, vec *restrict out, int more)
{
    vec sum[PAIR][PAIR];
    UNROLL
    for (int a = 0; a < rows; a++) {
        UNROLL
        for (int b = 0; b < columns; b++)
            sum[a][b] = splat(0);
    }
    for (long r = 0; r < neurons; r++) {
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
INLINE void all_pairs(const int fixed, long neurons, const vec *weight, const vec *t,
                      const long t_row, const real *W, vec *out, int more)
{
    for (long p = 0; p < M; p++)
        for (long c = 0; c < V; c++) {
            const vec *w = weight + p * V + c, *from = t + c;
            vec *to = out + p * at2(N, N) * V + c;
#define TILE(rows, columns, diagonal, i, j)                                                      \\
    pair_tile(fixed, rows, columns, diagonal, neurons, w, from, t_row, W, i, j, to, more)
            for (long first = 0; first + PAIR <= N; first += BATCH) {
                const long end = first + BATCH < N - REST ? first + BATCH : N - REST;
                for (long i = 0; i < first; i += PAIR)
                    for (long j = first; j < end; j += PAIR)
                        TILE(PAIR, PAIR, 0, i, j);
                for (long i = first; i < end; i += PAIR) {
                    TILE(PAIR, PAIR, 1, i, i);
                    for (long j = i + PAIR; j < end; j += PAIR)
                        TILE(PAIR, PAIR, 0, i, j);
                }
            }
            if (REST) {
                for (long i = 0; i + PAIR <= N; i += PAIR)
                    TILE(PAIR, REST, 0, i, N - REST);
                TILE(REST, REST, 1, N - REST, N - REST);
            }
#undef TILE
        }
}
"""

PAIRS_OF_SLAB = """\
SHARED void pairs(long neurons, const vec *weight, const vec *t, long t_row, vec *out, int more)
{
    all_pairs(0, neurons, weight, t, t_row, (const real *)t, out, more);
}
"""

PAIRS_OF_WEIGHTS = """\
SHARED void pairs_of_weights(long neurons, const vec *weight, const real *W, vec *out, int more)
{
    all_pairs(1, neurons, weight, weight, 0, W, out, more);
}
"""

GATHER = """\
/* The points into a slab; what a block has too much repeats the last point. */
SHARED void gather(const real *restrict points, long count, vec *slab)
{
    enum { POINTS = V * LANES };
    real *restrict to = (real *)slab;
    if (N <= 4 && count == POINTS) {
        EACH_LANE
        for (long l = 0; l < POINTS; l++)
            for (long i = 0; i < N; i++)
                to[i * POINTS + l] = points[l * N + i];
        return;
    }
    for (long l = 0; l < count; l++)
        for (long i = 0; i < N; i++)
            to[i * POINTS + l] = points[l * N + i];
    for (long l = count; l < POINTS; l++)
        for (long i = 0; i < N; i++)
            to[i * POINTS + l] = points[(count - 1) * N + i];
}
"""

SCATTER = """\
/* result[point][p][i] from vectors at part[p*output_step + i*column_step]. */
INLINE void scatter(long count, const long columns, const vec *part, const long output_step,
                    const long column_step, real *restrict result)
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
SHARED void scatter2(long count, const vec *part, long output_step, real *restrict result)
{
    for (long p = 0; p < M; p++) {
        const real *restrict from = (const real *)(part + p * output_step);
        for (long l = 0; l < count; l++) {
            UNROLL
            for (long i = 0; i < N; i++) {
                UNROLL
                for (long j = 0; j < N; j++)
                    result[((l * M + p) * N + i) * N + j] =
                        from[(i < j ? at2(i, j) : at2(j, i)) * V * LANES + l];
            }
        }
    }
}
"""

SCATTER2_MANY = """\
/* result[point][p][i][j] and [j][i] from the vectors at i <= j, a cache line of each at a time. */
SHARED void scatter2(long count, const vec *part, long output_step, real *restrict result)
{
    enum { WIDTH = 8 };
    const real *from[WIDTH];
    for (long p = 0; p < M; p++)
        for (long i = 0; i < N; i++)
            for (long j = 0; j < N; j += WIDTH) {
                const long width = N - j < WIDTH ? N - j : WIDTH;
                for (long k = 0; k < width; k++) {
                    const long at = i < j + k ? at2(i, j + k) : at2(j + k, i);
                    from[k] = (const real *)(part + p * output_step + at * V);
                }
                for (long l = 0; l < count; l++)
                    for (long k = 0; k < width; k++)
                        result[((l * M + p) * N + i) * N + j + k] = from[k][l];
            }
}
"""

SCATTER_HIGHER = """\
/* result[point][p][{brackets}] from the vectors at {ordered}. */
SHARED void scatter{order}(long count, const vec *part, long output_step, real *result)
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
            const real *from = (const real *)(part + p * output_step + at * V);
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


SOFTMAX = """\
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
"""

LOG_SOFTMAX = """\
/* out_r = (z_r - max) - log(sum of exp(z_r - max)), over all neurons r. */
SHARED void log_softmax(long neurons, const vec *z, long z_row, vec *out, long out_row)
{
    for (long c = 0; c < V; c++) {
        vec most = z[c], sum = splat(0);
        for (long r = 1; r < neurons; r++)
            larger_of(&most, z[r * z_row + c]);
        for (long r = 0; r < neurons; r++) {
            vec share = z[r * z_row + c] - most;
            out[r * out_row + c] = share;
            decay(&share);
            sum += share;
        }
        logarithms(&sum);
        for (long r = 0; r < neurons; r++)
            out[r * out_row + c] -= sum;
    }
}
"""

LANES = """\
/* x = max(x, other), x = exp(x) for x <= 0, x = log(x). */
INLINE void larger_of(vec *x, vec other)
{
    real *to = (real *)x;
    const real *from = (const real *)&other;
    EACH_LANE
    for (int lane = 0; lane < LANES; lane++)
        to[lane] = from[lane] > to[lane] ? from[lane] : to[lane];
}

INLINE void decay(vec *x)
{
    real *to = (real *)x;
    EACH_LANE
    for (int lane = 0; lane < LANES; lane++)
        to[lane] = decay_of(to[lane]);
}
"""

LOGARITHMS = """\
INLINE void logarithms(vec *x)
{
    real *to = (real *)x;
    EACH_LANE
    for (int lane = 0; lane < LANES; lane++)
        to[lane] = log_of(to[lane]);
}
"""
