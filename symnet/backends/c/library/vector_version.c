/* glibc has vector versions of these functions, which without -ffast-math must be asked for. */
#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__)
#define VECTOR_VERSION __attribute__((simd("notinbranch")))
#endif
