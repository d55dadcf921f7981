#if defined(_OPENMP) && defined(__linux__) && !defined(_GNU_SOURCE)
#define _GNU_SOURCE /* for a thread's processors */
#endif
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#if defined(__cplusplus) || (defined(_MSC_VER) && !defined(__clang__))
#define restrict __restrict
#endif
typedef ptrdiff_t wide; /* counts and offsets: elsewhere a long may have 32 bits */
