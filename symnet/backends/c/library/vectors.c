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

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized" /* all lanes of a vector are written */
#endif
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
#pragma clang diagnostic ignored "-Wpass-failed" /* of loops that it leaves as they are */
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
