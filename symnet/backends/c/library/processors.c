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
