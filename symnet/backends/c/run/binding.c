/*
 * A C kernel as a Python function of points, X (N, n) -> a tuple of arrays (N, ...), or of one
 * point, X (n,) -> a tuple of arrays (...).
 *
 * Checking an array, making the results and calling the kernel takes ctypes 3.5 microseconds, more
 * than small kernels run; this takes 0.3. `binding` compiles it where Python's headers are.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#define NPY_NO_DEPRECATED_API NPY_1_22_API_VERSION
#include <numpy/arrayobject.h>
#include <stddef.h>

enum { RESULTS = 9, AXES = 10 }; /* of derivatives up to the eighth order */

/* A call of fewer points than one in so many of `alone` takes some microseconds at most: it keeps
   the GIL, since giving it away and taking it back costs 20 ns of the 500 that a point may take. */
enum { BRIEF = 64 };

typedef void (*Function)(void);

typedef struct {
    Function kernel;
    const void *weights;
    int type; /* NumPy's number of it */
    npy_intp inputs;
    npy_intp alone;   /* points from which threads are asked for */
    npy_intp stretch; /* points of a call of the kernel, between which Python sees to signals */
    npy_intp size; /* bytes of a number */
    int results;
    int axes[RESULTS];
    npy_intp entries[RESULTS]; /* numbers of a point */
    npy_intp shapes[RESULTS][AXES]; /* the first axis is that of the points */
} Binding;

/* What the function is bound to, a tuple that owns it all and lets Python collect cycles. */
enum { BINDING, WEIGHTS, THREADS, GENERAL, LONE, NO_MEMORY, MEMBERS };

#define CALL(types, ...) \
    ((int (*)(ptrdiff_t, const void *, const void *, types, int))b->kernel)( \
        points, x, b->weights, __VA_ARGS__, threads)
#define TYPES(...) __VA_ARGS__

/* int kernel(points, X, weights, result, ..., threads): C calls what has a fixed number of them. */
static int run(const Binding *b, ptrdiff_t points, const void *x, void **r, int threads)
{
    typedef void *P;
    switch (b->results) {
    case 1: return CALL(TYPES(P), r[0]);
    case 2: return CALL(TYPES(P, P), r[0], r[1]);
    case 3: return CALL(TYPES(P, P, P), r[0], r[1], r[2]);
    case 4: return CALL(TYPES(P, P, P, P), r[0], r[1], r[2], r[3]);
    case 5: return CALL(TYPES(P, P, P, P, P), r[0], r[1], r[2], r[3], r[4]);
    case 6: return CALL(TYPES(P, P, P, P, P, P), r[0], r[1], r[2], r[3], r[4], r[5]);
    case 7: return CALL(TYPES(P, P, P, P, P, P, P), r[0], r[1], r[2], r[3], r[4], r[5], r[6]);
    case 8:
        return CALL(
            TYPES(P, P, P, P, P, P, P, P), r[0], r[1], r[2], r[3], r[4], r[5], r[6], r[7]);
    default:
        return CALL(
            TYPES(P, P, P, P, P, P, P, P, P), r[0], r[1], r[2], r[3], r[4], r[5], r[6], r[7], r[8]);
    }
}

/* The kernel at all points, stretch by stretch: 1 without memory, -1 with an exception set. */
static int run_on(const Binding *b, npy_intp points, const char *x, void **r, int threads, int brief)
{
    for (;;) {
        const npy_intp now = points < b->stretch ? points : b->stretch;
        int failed;
        if (brief) {
            failed = run(b, (ptrdiff_t)now, x, r, threads);
        } else {
            Py_BEGIN_ALLOW_THREADS
            failed = run(b, (ptrdiff_t)now, x, r, threads);
            Py_END_ALLOW_THREADS
        }
        points -= now;
        if (failed || !points)
            return failed;
        if (PyErr_CheckSignals())
            return -1;
        x += now * b->inputs * b->size;
        for (int k = 0; k < b->results; ++k)
            r[k] = (char *)r[k] + now * b->entries[k] * b->size;
    }
}

static int is_plain(const Binding *b, PyObject *X)
{
    PyArrayObject *x = (PyArrayObject *)X;
    if (!PyArray_CheckExact(X) || PyArray_TYPE(x) != b->type || !PyArray_ISCARRAY_RO(x))
        return 0;
    switch (PyArray_NDIM(x)) {
    case 1: return PyArray_DIM(x, 0) == b->inputs;
    case 2: return PyArray_DIM(x, 1) == b->inputs && PyArray_DIM(x, 0) > 0;
    default: return 0;
    }
}

/* What the callable `threads` says of so many points; -1 with an exception set. */
static int threads_for(PyObject *threads, npy_intp points)
{
    PyObject *found = PyObject_CallFunction(threads, "n", (Py_ssize_t)points);
    const long count = found ? PyLong_AsLong(found) : -1;
    Py_XDECREF(found);
    if (PyErr_Occurred())
        return -1;
    return count > 1 ? (int)count : 1;
}

/*
 * New arrays for so many points, or without their axis for `one`, and where their entries are;
 * NULL with an exception set.
 */
static PyObject *allocated(const Binding *b, npy_intp points, int one, void **entries)
{
    PyObject *results = PyTuple_New(b->results);
    for (int k = 0; results && k < b->results; ++k) {
        npy_intp shape[AXES];
        memcpy(shape, b->shapes[k], sizeof shape);
        shape[0] = points;
        PyObject *result = PyArray_EMPTY(b->axes[k] - one, shape + one, b->type, 0);
        if (!result) {
            Py_CLEAR(results);
            break;
        }
        PyTuple_SET_ITEM(results, k, result);
        entries[k] = PyArray_DATA((PyArrayObject *)result);
    }
    return results;
}

static PyObject *call(PyObject *self, PyObject *X)
{
    const Binding *b = PyCapsule_GetPointer(PyTuple_GET_ITEM(self, BINDING), NULL);
    void *entries[RESULTS];
    int threads = 1, failed;

    if (!is_plain(b, X))
        return PyObject_CallOneArg(PyTuple_GET_ITEM(self, GENERAL), X);
    const int one = PyArray_NDIM((PyArrayObject *)X) == 1;
    const npy_intp points = one ? 1 : PyArray_DIM((PyArrayObject *)X, 0);
    PyObject *const lone = PyTuple_GET_ITEM(self, LONE);
    if (points == 1 && lone != Py_None)
        return PyObject_CallOneArg(lone, X);
    const char *x = PyArray_DATA((PyArrayObject *)X);
    PyObject *results = allocated(b, points, one, entries);
    if (!results)
        return NULL;
    if (points >= b->alone && (threads = threads_for(PyTuple_GET_ITEM(self, THREADS), points)) < 0) {
        Py_DECREF(results);
        return NULL;
    }
    failed = run_on(b, points, x, entries, threads, points < b->alone / BRIEF);
    if (failed)
        Py_CLEAR(results);
    if (failed > 0)
        PyErr_SetObject(PyExc_MemoryError, PyTuple_GET_ITEM(self, NO_MEMORY));
    return results;
}

static PyMethodDef call_method = {
    "call", call, METH_O, PyDoc_STR("Points X (N, n) or (n,) -> derivatives (N, m, n, ...) or (m, n, ...).")};

/* The shapes (m, n, ...) of the results, without points; 0, or -1 with an exception set. */
static int read_shapes(Binding *b, PyObject *shapes)
{
    if (PyTuple_GET_SIZE(shapes) < 1 || PyTuple_GET_SIZE(shapes) > RESULTS) {
        PyErr_SetString(PyExc_ValueError, "a kernel has 1 to 9 results");
        return -1;
    }
    b->results = (int)PyTuple_GET_SIZE(shapes);
    for (int k = 0; k < b->results; ++k) {
        PyObject *shape = PyTuple_GET_ITEM(shapes, k);
        if (!PyTuple_Check(shape) || PyTuple_GET_SIZE(shape) >= AXES) {
            PyErr_SetString(PyExc_ValueError, "a shape is a tuple of at most 9 numbers");
            return -1;
        }
        b->axes[k] = 1 + (int)PyTuple_GET_SIZE(shape);
        b->entries[k] = 1;
        for (int axis = 1; axis < b->axes[k]; ++axis) {
            b->shapes[k][axis] = PyLong_AsSsize_t(PyTuple_GET_ITEM(shape, axis - 1));
            b->entries[k] *= b->shapes[k][axis];
        }
    }
    return PyErr_Occurred() ? -1 : 0;
}

static void release(PyObject *capsule)
{
    PyMem_Free(PyCapsule_GetPointer(capsule, NULL));
}

static PyObject *bind(PyObject *module, PyObject *arguments)
{
    PyObject *weights, *shapes, *threads, *general, *lone, *no_memory, *capsule, *self, *bound;
    unsigned long long kernel;
    Py_ssize_t inputs, alone, stretch;
    (void)module;
    if (!PyArg_ParseTuple(arguments, "KO!nO!nnOOOU:bind", &kernel, &PyArray_Type, &weights, &inputs,
            &PyTuple_Type, &shapes, &alone, &stretch, &threads, &general, &lone, &no_memory))
        return NULL;
    Binding *b = PyMem_Calloc(1, sizeof *b);
    if (!b)
        return PyErr_NoMemory();
    b->kernel = (Function)(Py_uintptr_t)kernel;
    b->weights = PyArray_DATA((PyArrayObject *)weights);
    b->type = PyArray_TYPE((PyArrayObject *)weights);
    b->inputs = inputs;
    b->alone = alone;
    b->stretch = stretch;
    b->size = PyArray_ITEMSIZE((PyArrayObject *)weights);
    if (read_shapes(b, shapes) || !(capsule = PyCapsule_New(b, NULL, release))) {
        PyMem_Free(b);
        return NULL;
    }
    self = PyTuple_Pack(MEMBERS, capsule, weights, threads, general, lone, no_memory);
    Py_DECREF(capsule);
    bound = self ? PyCFunction_New(&call_method, self) : NULL;
    Py_XDECREF(self);
    return bound;
}

static PyMethodDef methods[] = {
    {"bind", bind, METH_VARARGS,
        PyDoc_STR("bind(address, weights, inputs, shapes, alone, stretch, threads, general, lone, no_memory)")},
    {NULL, NULL, 0, NULL},
};

static int execute(PyObject *module)
{
    (void)module;
    import_array1(-1);
    return 0;
}

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, execute},
#ifdef Py_mod_gil
    {Py_mod_gil, Py_MOD_GIL_NOT_USED}, /* what is bound never changes */
#endif
    {0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "symnet_binding", NULL, 0, methods, slots, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit_symnet_binding(void)
{
    return PyModuleDef_Init(&definition);
}
