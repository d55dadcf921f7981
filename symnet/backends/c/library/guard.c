#if defined(__FAST_MATH__) || defined(__ASSOCIATIVE_MATH__) || defined(_M_FP_FAST) || \
    (defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__)
#error "compile this file without -ffast-math, -Ofast, -fassociative-math, -ffinite-math-only or \
/fp:fast, which make its derivatives wrong"
#endif
#if defined(__clang__) && __clang_major__ >= 11 /* which has no macro for -fassociative-math */
#pragma clang fp reassociate(off)
#endif
