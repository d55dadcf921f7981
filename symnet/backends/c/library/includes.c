#if defined(_OPENMP) && defined(__linux__) && !defined(_GNU_SOURCE)
#define _GNU_SOURCE /* for a thread's processors */
#endif
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#ifdef __cplusplus
#define restrict __restrict
#endif
