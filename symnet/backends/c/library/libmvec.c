#if defined(VECTOR_VERSION) && __GLIBC_MINOR__ >= ${minor}
${declarations}
#endif
