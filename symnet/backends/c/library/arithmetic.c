#if defined(__FAST_MATH__) || defined(__ASSOCIATIVE_MATH__) || defined(_M_FP_FAST) || \
    (defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__)
#error "compile without -ffast-math, -Ofast, -fassociative-math, -ffinite-math-only,"
#error "-funsafe-math-optimizations, /fp:fast: they make derivatives wrong"
#endif
#if defined(__clang__) && __clang_major__ >= 11
#pragma clang fp reassociate(off) /* -fassociative-math, of which Clang has no macro */
#endif
