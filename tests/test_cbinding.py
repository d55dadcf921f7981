"""C functions as functions of arrays: by the compiled module, and by ctypes where there is none."""

from __future__ import annotations

import gc
import sys
import sysconfig
import threading
import weakref
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest

from symnet import compiling
from symnet.backends.c.run import binding, compiler, loading
from symnet.network import Network

NETWORK = Network.dense([2, 8, 8, 1], seed=0)
SHAPES = [(1, *(2,) * order) for order in range(9)]

# By the file itself: where the headers are, a module that is refused is a fault, and no test is
# skipped for it.
needs_headers = pytest.mark.skipif(
    not Path(sysconfig.get_path("include"), "Python.h").exists(),
    reason="Python's headers are not installed",
)


@pytest.fixture(params=[pytest.param("extension", marks=needs_headers), "ctypes"])
def way(request, monkeypatch):
    """Each of the two ways from Python to C."""
    if request.param == "ctypes":
        monkeypatch.setattr(binding, "extension", lambda: None)
    return request.param


@lru_cache
def native(results: int = 1, body: str = "return 0;") -> object:
    """A C function whose result k is 100 k + 10 weights[0] + threads + x1 at every entry."""
    names = [f"r{k}" for k in range(results)]
    lines = [
        f"for (long p = 0; p < points; p++) for (int e = 0; e < {2**k}; e++) "
        f"{name}[p * {2**k} + e] = {100 * k} + 10 * weights[0] + threads + x[2 * p];"
        for k, name in enumerate(names)
    ]
    parameters = ", ".join(f"double *{name}" for name in names)
    text = (
        f"int f(long points, double *x, const double *weights, {parameters}, int threads)\n"
        "{\n" + "\n".join([*lines, body]) + "\n}\n"
    )
    return loading.load(text).function("f", results, weighted=True)


def bound(
    function=None,
    results=1,
    alone=9,
    threads=lambda _: 1,
    general=list,
    weight=7.0,
    lone=None,
    stretch=1000,
):
    """The function of points."""
    call = binding.NativeFunction(
        function or native(results),
        np.array([weight]) if isinstance(weight, float) else weight,
        2,
        SHAPES[:results],
        alone,
        stretch,
        threads,
        general,
        lone,
    )
    return call.bound()


def test_a_single_point_has_a_function_of_its_own(way):
    """Given as a point or as a list of one, where there is such a function; no others go there."""
    f = bound(lone=lambda X: ("alone", X.shape))
    assert [f(np.ones(2)), f(np.ones((1, 2)))] == [("alone", (2,)), ("alone", (1, 2))]
    assert f(np.ones((2, 2)))[0].shape == (2, 1)
    assert type(bound()(np.ones(2))[0]) is np.ndarray


def test_stretches_of_points_give_the_same(way):
    """Each by a call of its own, the last of them shorter, on as many threads as all pay."""
    X = np.random.default_rng(0).normal(size=(23, 2))
    together = bound(results=3, threads=lambda points: points)(X)
    for stretch in (1, 5, 22, 23):
        f = bound(results=3, threads=lambda points: points, stretch=stretch)
        for a, b in zip(together, f(X), strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("alone", [9, 10_000])
def test_ctrl_c_is_heard_between_stretches(way, alone):
    """The kernel is not called again; here it interrupts itself, and counts its calls."""
    body = "int raise(int); raise(2); ((double *)weights)[0] += 1; return 0;"
    calls = np.zeros(1)
    f = bound(native(1, body), weight=calls, stretch=5, alone=alone)
    with pytest.raises(KeyboardInterrupt):
        f(np.ones((23, 2)))
    assert calls == 1


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_points_of_every_kind_give_the_same(way, dtype):
    """Plain arrays go straight to C; what is prepared first gives the same bits and shapes."""
    f = compiling.compiled(NETWORK, 2, "c")
    plain = np.random.default_rng(0).standard_normal((12, 2)).astype(dtype)
    expected = [result.tobytes() for result in f(plain)]
    frozen = plain.copy()
    frozen.flags.writeable = False
    unaligned = np.frombuffer(b"?" + plain.tobytes(), np.uint8)[1:].view(dtype).reshape(12, 2)
    odd = [frozen, np.asfortranarray(plain), np.repeat(plain, 2, axis=0)[::2], unaligned]
    odd += [plain.astype(plain.dtype.newbyteorder()), plain.reshape(3, 2, 2, 2), plain[:, None]]
    for X in [*odd, plain.view(np.matrix)]:
        found = f(X)
        assert [type(result) for result in found] == [np.ndarray] * 3
        if X.dtype.isnative or dtype is np.float64:
            assert [result.tobytes() for result in found] == expected
        assert [result.shape for result in found] == [
            (*X.shape[:-1], 1, *(2,) * order) for order in range(3)
        ]
    assert f(plain.tolist())[2].shape == (12, 1, 2, 2)
    assert [result.shape for result in f(plain[0])] == [(1,), (1, 2), (1, 2, 2)]
    assert [result.shape for result in f(plain[:0])] == [(0, 1), (0, 1, 2), (0, 1, 2, 2)]
    assert f(np.empty((4, 0, 2), dtype))[1].shape == (4, 0, 1, 2)


def test_points_that_cannot_be(way):
    """The same errors from both backends, also once a function is bound."""
    for f in (compiling.compiled(NETWORK, 2, backend) for backend in ("c", "numpy")):
        f(np.ones((1, 2)))
        for X in (np.ones((4, 3)), np.ones(()), np.ones((0, 1))):
            with pytest.raises(ValueError, match="one column per input"):
                f(X)
        with pytest.raises(TypeError, match="real numbers are needed"):
            f(np.ones((4, 2), complex))


@pytest.mark.parametrize("results", range(1, 10))
def test_every_result_in_its_place(way, results):
    """As many as a derivation to the eighth order has, each of its shape."""
    X = np.arange(6.0).reshape(3, 2)
    found = bound(results=results)(X)
    assert type(found) is tuple
    assert [result.shape for result in found] == [(3, *shape) for shape in SHAPES[:results]]
    for k, result in enumerate(found):
        for p in range(3):
            assert (result[p] == 100 * k + 70 + 1 + X[p, 0]).all()


def test_weights_live_as_long_as_the_function(way):
    """They are read by address: nothing else may hold them."""
    functions = [bound(weight=float(k)) for k in range(50)]
    rubbish = [np.full(1, -1.0) for _ in range(500)]
    assert [f(np.zeros((1, 2)))[0].item() for f in functions] == [10.0 * k + 1 for k in range(50)]
    assert len(rubbish) == 500


def test_threads_are_asked_for_from_alone_on(way):
    """Below, nobody is asked; an answer that fails is the caller's to hear."""
    asked = []

    def threads(points):
        asked.append(points)
        return 1 / (points - 12)

    f = bound(threads=lambda points: asked.append(points) or 3)
    assert [f(np.zeros((count, 2)))[0][0].item() for count in (1, 8, 9, 20)] == [71, 71, 73, 73]
    assert asked == [9, 20]
    with pytest.raises(ZeroDivisionError):
        bound(threads=threads)(np.zeros((12, 2)))


def test_what_is_not_plain_goes_to_general(way):
    """Whatever it is, and its answer comes back as it is."""
    f = bound(general=lambda X: ("general", X))
    rows = np.zeros((4, 2))
    swapped = rows.astype(rows.dtype.newbyteorder())
    others = [None, [[1.0, 2.0]], rows[:, :1], rows[:, 0], rows[None], rows[::2], rows[:0], swapped]
    for X in [*others, rows.astype(np.float32), rows.T.copy().T, rows.view(np.matrix)]:
        assert f(X)[0] == "general"
        assert f(X)[1] is X
    assert f(rows)[0].shape == (4, 1)


def test_one_point(way):
    """(n,) → (m, n, …), the entries of (1, n) → (1, m, n, …)."""
    f = bound(results=3)
    point = np.array([5.0, 6.0])
    for one, several in zip(f(point), f(point[None]), strict=True):
        assert one.shape == several.shape[1:]
        assert (one == several[0]).all()


def test_memory_error(way):
    """A function that returns 1 had no memory; the next call is as good as any."""
    f = bound(native(body="return points > 3;"))
    for _ in range(3):
        with pytest.raises(MemoryError, match="f: no memory for a block of points"):
            f(np.ones((4, 2)))
        assert f(np.ones((3, 2)))[0].shape == (3, 1)


def test_the_interpreter_is_free_meanwhile(way):
    """Another thread runs while C does: here C waits for what that thread writes."""
    body = (
        "for (long k = 0; k < 20000; k++) {\n"
        "    if (((volatile double *)x)[1] != 0) return 0;\n"
        "    nanosleep(&(struct timespec){0, 1000000}, 0);\n"
        "}\n"
        "return 1;"
    )
    text = (
        "#define _POSIX_C_SOURCE 199309L\n#include <time.h>\n"
        "int f(long points, double *x, const double *weights, double *y, int threads)\n"
        "{\n    *y = points + *weights + threads;\n" + body + "\n}\n"
    )
    f = bound(loading.load(text).function("f", 1, weighted=True))
    X = np.zeros((1, 2))
    writer = threading.Timer(0.1, lambda: X.fill(1))
    writer.start()
    assert f(X)[0].item() == 9
    writer.join()


def test_nothing_is_kept(way):
    """Arguments, results, weights and the function itself go when their user lets go."""
    X, weights = np.zeros((3, 2)), np.ones(1)
    counts = sys.getrefcount(X), sys.getrefcount(weights)
    f = binding.NativeFunction(native(9), weights, 2, SHAPES, 1, 1000, lambda _: 1, list).bound()
    for _ in range(100):
        results = f(X)
    assert {sys.getrefcount(result) for result in results} == {3}
    results = [weakref.ref(result) for result in results]
    assert {reference() for reference in results} == {None}
    del f
    gc.collect()
    assert (sys.getrefcount(X), sys.getrefcount(weights)) == counts


def test_discarded_functions_are_collected(way):
    """A bound function and its kernels hold one another."""
    f = compiling.compiled(NETWORK, 1, "c")
    f(np.zeros((1, 2)))
    kernels = weakref.ref(f.kernels)
    del f
    gc.collect()
    assert kernels() is None


@needs_headers
def test_what_the_module_refuses():
    """It never writes beyond what it has room for."""
    bind, weights = binding.extension().bind, np.ones(1)

    def refused(error, address=1, weights=weights, shapes=((1,),), message="no"):
        with pytest.raises(error):
            bind(address, weights, 2, shapes, 1, 1, None, None, None, message)

    refused(ValueError, shapes=())
    refused(ValueError, shapes=((1,),) * 10)
    refused(ValueError, shapes=((1,) * 10,))
    refused(ValueError, shapes=(1,))
    refused(TypeError, shapes=[(1,)])
    refused(TypeError, shapes=(("1",),))
    refused(OverflowError, shapes=((2**70,),))
    refused(TypeError, weights=[1.0])
    refused(TypeError, address="1")
    refused(TypeError, message=b"no")
    with pytest.raises((ValueError, MemoryError)):
        bind(1, weights, 2, ((2**62, 2**62),), 9, 9, None, None, None, "no")(np.ones((1, 2)))


# --- the module itself --------------------------------------------------------------------------


@pytest.fixture
def anew():
    """The module is looked for again, now and afterwards."""
    binding.extension.cache_clear()
    yield
    binding.extension.cache_clear()


@needs_headers
def test_it_is_compiled_once(anew, tmp_path, monkeypatch):
    """Kept in the cache beside the kernels, and made again when damaged."""
    monkeypatch.setenv("SYMNET_CACHE", str(tmp_path))
    assert binding.extension() is not None
    (entry,) = tmp_path.iterdir()
    binding.extension.cache_clear()
    with monkeypatch.context() as patch:
        patch.setattr(compiler.subprocess, "Popen", lambda *_, **__: pytest.fail("compiled again"))
        assert binding.extension() is not None
    entry.unlink()
    entry.write_bytes(b"garbage")
    binding.extension.cache_clear()
    assert binding.extension() is not None
    assert compiler.is_whole(entry)


@needs_headers
def test_another_numpy_another_module(anew, tmp_path, monkeypatch):
    """It was made for the NumPy whose arrays it reads."""
    monkeypatch.setenv("SYMNET_CACHE", str(tmp_path))
    binding.extension()
    binding.extension.cache_clear()
    monkeypatch.setattr(np, "__version__", "99.0")
    binding.extension()
    assert len(list(tmp_path.iterdir())) == 2


def test_without_headers(anew, tmp_path, monkeypatch):
    """Functions work as well, only with a little more before each call."""
    X = np.random.default_rng(0).standard_normal((5, 2))
    expected = compiling.compiled(NETWORK, 2, "c")(X)
    monkeypatch.setattr(sysconfig, "get_path", lambda _: str(tmp_path))
    binding.extension.cache_clear()
    assert binding.extension() is None
    for a, b in zip(compiling.compiled(NETWORK, 2, "c")(X), expected, strict=True):
        np.testing.assert_array_equal(a, b)


def test_headers_that_the_compiler_refuses(anew, tmp_path, monkeypatch):
    """Nor do they keep anything from working."""
    monkeypatch.setenv("SYMNET_CACHE", str(tmp_path / "cache"))
    (tmp_path / "Python.h").write_text("#error of another compiler\n")
    monkeypatch.setattr(sysconfig, "get_path", lambda _: str(tmp_path))
    assert binding.extension() is None
    assert list((tmp_path / "cache").iterdir()) == []
    assert compiling.compiled(NETWORK, 1, "c")(np.zeros((1, 2)))[0].shape == (1, 1)
