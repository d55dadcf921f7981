/* Memory for vectors; `raw` is what to free. NULL when there is none. */
static vec *allocate(wide vectors, void **raw)
{
    *raw = malloc((size_t)(vectors + 1) * sizeof(vec));
    if (!*raw)
        return NULL;
    return (vec *)(((uintptr_t)*raw + sizeof(vec) - 1) / sizeof(vec) * sizeof(vec));
}
