#if defined(__FAST_MATH__) || defined(__ASSOCIATIVE_MATH__) || defined(_M_FP_FAST)
#define CHANGED_ARITHMETIC
#elif defined(__FINITE_MATH_ONLY__)
#if __FINITE_MATH_ONLY__
#define CHANGED_ARITHMETIC
#endif
#endif
#ifdef CHANGED_ARITHMETIC
#error "compile without -ffast-math, -Ofast, -fassociative-math, -ffinite-math-only,"
#error "-funsafe-math-optimizations, /fp:fast: they make derivatives wrong"
#error "icx, icpx: compile with -fp-model=precise, their default is fast"
#endif
#if defined(__INTEL_LLVM_COMPILER) || defined(__INTEL_COMPILER)
#pragma float_control(precise, on) /* where no macro says that it is fast */
#elif defined(__clang__)
#if __clang_major__ >= 11
#pragma clang fp reassociate(off) /* -fassociative-math, of which Clang has no macro */
#endif
#endif
