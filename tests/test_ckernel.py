"""Compiling, keeping and calling generated C text."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import pickle
import platform
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from ccalls import call
from symnet import compiling
from symnet.backends.c.run import compiler, loading
from symnet.backends.c.text import file
from symnet.calculus.schemes import Cost
from symnet.network import Network
from symnet.witness import analytic
from symnet.witness.checking import CheckError

NETWORK = Network.dense([2, 8, 8, 1], seed=0)
COST = Cost(multiply_adds=100, activations=10, scheme="adjoint")
NAME = "value_jacobian_hessian"

TEXT = "int twice(long points, const double *x, double *y, int threads)\n{{\n{body}}}\n"
DOUBLING = TEXT.format(
    body="    for (long k = 0; k < points; k++) y[k] = 2 * x[k];\n    return threads < 0;\n"
)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache directory, and nothing remembered from before."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("SYMNET_CACHE", str(folder))
    forget()
    yield folder
    forget()


def forget() -> None:
    loading._loaded.cache_clear()


def text(network: Network = NETWORK, dtype: str = "double") -> str:
    choices = compiling.choices(network, 2)
    kernels = {name: (c.program, c.orders) for name, c in choices.items()}
    return file.source(kernels, network, dtype)


def outputs(network: Network, count: int) -> list[np.ndarray]:
    return [np.empty((count, network.m) + (network.n,) * r) for r in range(3)]


def evaluated(count: int, threads: int, network: Network = NETWORK) -> list[np.ndarray]:
    """Value, Jacobian and Hessian at `count` points: everything from text to call."""
    X = np.random.default_rng(count).standard_normal((count, network.n))
    outs = outputs(network, count)
    call(loading.load(text(network)), NAME, X, outs, threads, file.packed(network))
    return outs


def fingerprint(count: int, threads: int) -> bytes:
    """`evaluated` as bytes: what another process answers."""
    return b"".join(array.tobytes() for array in evaluated(count, threads))


def twice(library: loading.Library) -> list[float]:
    y = np.empty(3)
    call(library, "twice", np.array([1.0, 2.0, 4.0]), [y])
    return y.tolist()


def entries(cache: Path) -> list[Path]:
    """What the cache holds, leftovers included."""
    return sorted(cache.iterdir())


# --- calls --------------------------------------------------------------------------------------


def test_results_are_those_of_the_analytic_engine():
    """Value, Jacobian and Hessian in one call."""
    X = np.random.default_rng(77).standard_normal((77, 2))
    functions = analytic.BY_ORDER
    for r, found in enumerate(evaluated(77, 1)):
        error = np.abs(found - functions[r](NETWORK, X))
        assert (error <= 1e-13 * analytic.scale(NETWORK, X, r)).all()


@pytest.mark.parametrize("count", [1, 31, 32, 33, 1000])
def test_threads_do_not_change_a_bit(count):
    """Blocks are cut the same way whatever the number of threads."""
    alone = fingerprint(count, 1)
    assert all(fingerprint(count, threads) == alone for threads in (2, 3, 50))


def test_no_points():
    """Arrays without entries are left alone."""
    assert [array.size for array in evaluated(0, 2)] == [0, 0, 0]


def test_results_must_be_writable_and_contiguous(cache):
    """Neither a copy is filled in vain, nor memory beside the array."""
    library = loading.load(DOUBLING)
    frozen = np.zeros(2)
    frozen.flags.writeable = False
    for y in (frozen, np.zeros(4)[::2]):
        with pytest.raises((TypeError, ValueError, BufferError)):
            call(library, "twice", np.ones(2), [y])
        assert not y.any()


def test_memory_error(cache):
    """A function that returns 1 had no memory."""
    library = loading.load(TEXT.format(body="    return points && x && y && threads;\n"))
    with pytest.raises(MemoryError, match="twice"):
        twice(library)


def test_several_networks_of_one_library():
    """Each has its own weights: they are not a library's."""
    networks = (NETWORK, Network.dense([2, 8, 8, 1], seed=1))
    functions = [compiling.compiled(network, 2, "c") for network in networks]
    assert functions[0].source == functions[1].source
    X = np.ones((4, 2))
    for f, network in [*zip(functions, networks, strict=True)] * 2:
        np.testing.assert_allclose(f(X)[1], analytic.jacobian(network, X), rtol=1e-12)


def test_thread_pool():
    """The same from eight Python threads at once as from one."""
    expected = fingerprint(500, 1)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: fingerprint(500, 2), range(32)))
    assert set(found) == {expected}


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_process_pool(method):
    """Neither a spawned nor a forked child hangs, though its parent has used threads."""
    expected = fingerprint(5000, 2)
    children = 2 if method == "fork" else 1  # the others import everything anew
    with multiprocessing.get_context(method).Pool(children) as pool:
        found = pool.starmap_async(fingerprint, [(5000, 2)] * 4).get(timeout=60)
    assert set(found) == {expected}


# --- single points ------------------------------------------------------------------------------


WIDE = Network.dense([3, 64, 64, 2], "tanh", seed=5)


@pytest.mark.complete(every=4)
@pytest.mark.parametrize("order", [2, 3])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_single_points_of_larger_networks(dtype, order):
    """They are computed in numbers instead of vectors, all methods of every order; small ones not.

    Compared when they are first used.
    """
    f = compiling.compiled(WIDE, order, "c").verified()
    assert f.lone
    assert not compiling.compiled(NETWORK, 2, "c").lone
    X = np.random.default_rng(0).standard_normal((5, 3)).astype(dtype)
    together = f(X)
    for x, *rows in zip(X, *together, strict=True):
        for found in (f(x), tuple(r[0] for r in f(x[None]))):
            for order, (a, b) in enumerate(zip(found, rows, strict=True)):
                near = {"rtol": 0, "atol": 4e3 * np.finfo(dtype).eps * np.abs(b).max()}
                np.testing.assert_allclose(a, b, **near)
                np.testing.assert_allclose(f.derivative(order, x), b, **near)
                assert a.dtype == dtype


def test_they_are_compiled_when_they_are_first_used(monkeypatch):
    """Once for all methods, whoever asks; nothing is compiled for them before."""
    asked = []
    load = loading.load
    monkeypatch.setattr(
        loading, "load", lambda *given: (asked.append(given[2]), load(*given))[1], raising=True
    )
    f = compiling.compiled(WIDE, 2, "c").verified()
    f(np.ones((2, 3)))
    assert set(asked) == {False}
    del asked[:]
    f(np.ones(3))
    assert True in asked
    del asked[:]
    f(np.ones(3))
    assert not asked


def test_a_wrong_one_is_caught_when_it_is_first_used(monkeypatch):
    """What is handed out checked is compared in these functions, too."""
    wrong = Network.dense([3, 64, 64, 2], "sin", seed=5)
    others, load = {dtype: text(wrong, dtype) for dtype in ("double", "float")}, loading.load

    def mixed(source, part=0, plain=False):
        # Of the same type: doubles written over an array of floats would end the process.
        other = others["float" if "typedef float real;" in source else "double"]
        return load(other if plain else source, part, plain)

    monkeypatch.setattr(loading, "load", mixed)
    f = compiling.compiled(WIDE, 2, "c").verified()
    f(np.ones((2, 3)))
    with pytest.raises(CheckError, match="at one point"):
        f.hessian(np.ones(3))
    with pytest.raises(CheckError, match="at one point"):
        f(np.ones(3, np.float32))


# --- threads that pay ---------------------------------------------------------------------------


def test_threads_only_where_they_pay(monkeypatch):
    """One for little work, all for much, never more than asked for."""
    monkeypatch.setattr(loading, "available", lambda: 6)
    assert loading.threads(1, COST) == 1
    assert loading.threads(10**6, COST) == 6
    assert loading.threads(10**6, COST, 4) == 4
    assert loading.threads(0, COST) == 1
    counts = [loading.threads(n, COST) for n in range(0, 10000, 100)]
    assert counts == sorted(counts)
    assert set(counts) == {1, 2, 3, 4, 5, 6}


COLLISION = """
#include <stdio.h>

static int cpu, moves, by_caller, to_cpu, elsewhere;

int sched_getcpu(void)
{
    return cpu;
}

int sched_setaffinity(pid_t thread, size_t size, const cpu_set_t *mask)
{
#pragma omp critical
    {
        moves += thread == 0 && size == sizeof *mask;
        by_caller += !omp_get_thread_num();
        to_cpu += CPU_ISSET(cpu, mask);
        elsewhere += CPU_COUNT(mask) > 0;
    }
    return 0;
}

int main(void)
{
    enum { POINTS = 1000 };
    static double x[2 * POINTS], y[POINTS];
    double weights[1000] = {0};
    cpu_set_t mine;
    pthread_getaffinity_np(pthread_self(), sizeof mine, &mine);
    while (!CPU_ISSET(cpu, &mine))
        cpu++;
    int failed = value(POINTS, x, weights, y, 3);
    printf("%d %d %d %d %d\\n", failed, moves, by_caller, to_cpu, elsewhere);
    return 0;
}
"""


@pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc" or loading.available() < 2,
    reason="needs Linux's affinities and two processors",
)
@pytest.mark.parametrize("same", [True, False])
def test_threads_keep_off_their_callers_processor(tmp_path, same):
    """Where all claim to be on one processor, all but the caller leave it; else nobody moves."""
    program = (
        COLLISION if same else COLLISION.replace("return cpu;", "return omp_get_thread_num();")
    )
    source, binary = tmp_path / "main.c", tmp_path / "main"
    source.write_text(text() + program)
    command = [*compiler.command(), "-std=gnu99", "-fopenmp", "-o", str(binary), str(source)]
    if subprocess.run([*command, "-lm"], check=False, capture_output=True).returncode:
        pytest.skip("the compiler has no OpenMP")
    done = subprocess.run([binary], check=True, capture_output=True, text=True)
    moves = 2 if same else 0
    assert [int(word) for word in done.stdout.split()] == [0, moves, 0, 0, moves]


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no thread can be pinned here")
def test_the_caller_stays_where_it_was():
    """On one processor the results are the same; its mask is the user's own."""
    expected = fingerprint(1000, 1)

    def pinned():
        one = {min(os.sched_getaffinity(0))}
        os.sched_setaffinity(0, one)
        return {fingerprint(1000, 3) for _ in range(20)}, os.sched_getaffinity(0) == one

    before = os.sched_getaffinity(0)
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(pinned).result() == ({expected}, True)
    assert fingerprint(1000, 3) == expected
    assert os.sched_getaffinity(0) == before


# --- the cache ----------------------------------------------------------------------------------


def test_compiled_once(cache, monkeypatch):
    """A second process, or a library forgotten, finds the entry."""
    loading.load(DOUBLING)
    (entry,) = entries(cache)
    forget()
    monkeypatch.setattr(subprocess, "Popen", lambda *_, **__: pytest.fail("compiled again"))
    assert twice(loading.load(DOUBLING)) == [2, 4, 8]
    assert entries(cache) == [entry]


def test_other_text_other_entry(cache):
    """Entries are kept by content."""
    loading.load(DOUBLING)
    loading.load(DOUBLING.replace("2 *", "3 *"))
    assert len(entries(cache)) == 2
    assert twice(loading.load(DOUBLING)) == [2, 4, 8]


def test_other_compiler_or_processor_other_entry(cache, monkeypatch):
    """What -march=native made elsewhere must not run here."""
    loading.load(DOUBLING)
    forget()
    monkeypatch.setenv("CC", "cc -DOTHER")
    loading.load(DOUBLING)
    assert len(entries(cache)) == 2
    forget()
    monkeypatch.setattr(compiler, "_processor", lambda: "another")
    loading.load(DOUBLING)
    assert len(entries(cache)) == 3


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: content[: len(content) // 2],
        lambda content: b"garbage",
        lambda content: content[:2000] + bytes([content[2000] ^ 1]) + content[2001:],
        lambda content: content + b"x",
    ],
    ids=["empty", "truncated", "garbage", "one bit", "longer"],
)
def test_damaged_entry_is_made_again(cache, damage):
    """It is noticed before it is loaded: loading garbage can kill a process."""
    loading.load(DOUBLING)
    forget()
    (entry,) = entries(cache)
    whole = entry.read_bytes()
    replacement = entry.with_suffix(".new")
    replacement.write_bytes(damage(whole))
    os.replace(replacement, entry)
    assert not compiler.is_whole(entry)
    assert twice(loading.load(DOUBLING)) == [2, 4, 8]
    assert compiler.is_whole(entry)


def test_cache_that_cannot_be_written(tmp_path, monkeypatch):
    """A directory of the process's own takes its place."""
    (tmp_path / "file").write_text("no directory")
    monkeypatch.setenv("SYMNET_CACHE", str(tmp_path / "file" / "cache"))
    forget()
    assert twice(loading.load(DOUBLING)) == [2, 4, 8]
    forget()


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="the XDG variables are Linux's")
def test_cache_directory(monkeypatch, tmp_path):
    """$SYMNET_CACHE, then $XDG_CACHE_HOME when absolute, then ~/.cache."""
    monkeypatch.setenv("SYMNET_CACHE", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert compiler.cache_directory() == tmp_path
    monkeypatch.delenv("SYMNET_CACHE")
    assert compiler.cache_directory() == Path("/somewhere/symnet")
    for relative in ("", "relative"):
        monkeypatch.setenv("XDG_CACHE_HOME", relative)
        assert compiler.cache_directory() == Path("~/.cache/symnet").expanduser()


# --- compilers ----------------------------------------------------------------------------------


def test_no_compiler(cache, monkeypatch):
    """One line that says what to install and what else to do."""
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setenv("PATH", str(cache))
    with pytest.raises(compiler.CompilerError) as caught:
        loading.load(DOUBLING)
    assert str(caught.value) == (
        "the C backend needs a C compiler: none found (tried $CC, cc, gcc, clang); "
        'install gcc or clang, or use backend="numpy"'
    )


def test_named_compiler_is_missing(cache, monkeypatch):
    """$CC is taken at its word: no other compiler in its place."""
    monkeypatch.setenv("CC", "no-such-compiler -m64")
    with pytest.raises(compiler.CompilerError, match=r"tried \$CC = no-such-compiler -m64"):
        loading.load(DOUBLING)


def test_refused_text(cache):
    """The compiler's first error, in one line, and nothing left in the cache."""
    with pytest.raises(compiler.CompilerError, match=r"failed: .*error.*nonsense") as caught:
        loading.load("int twice(void) { return nonsense; }\n")
    assert "\n" not in str(caught.value)
    assert entries(cache) == []


def test_compiler_without_openmp_or_vector_flags(cache, monkeypatch, tmp_path):
    """Flags that it does not know are left out, and results stay the same."""
    expected = fingerprint(100, 2)
    forget()
    old = tmp_path / "old-cc"
    old.write_text(
        '#!/bin/sh\nfor flag; do case "$flag" in -fopenmp|-mprefer*|-march*)\n'
        'echo "error: $flag" >&2; exit 1;; esac; done\nexec cc -march=native "$@"\n'
    )
    old.chmod(0o755)
    monkeypatch.setenv("CC", str(old))
    found = [np.frombuffer(part) for part in (fingerprint(100, 2), expected)]
    np.testing.assert_allclose(*found, rtol=1e-12, atol=1e-14)


def test_environment_is_left_as_it_was(cache, monkeypatch):
    """What OpenMP reads when it is loaded is set for that moment only, and never against a user."""
    seen = []
    monkeypatch.setattr(ctypes, "CDLL", lambda _: seen.append(os.environ.get("GOMP_SPINCOUNT")))
    monkeypatch.delenv("GOMP_SPINCOUNT", raising=False)
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    loading.Library(cache)
    assert "GOMP_SPINCOUNT" not in os.environ
    monkeypatch.setenv("OMP_WAIT_POLICY", "active")
    loading.Library(cache)
    monkeypatch.delenv("OMP_WAIT_POLICY")
    monkeypatch.setenv("GOMP_SPINCOUNT", "7")
    loading.Library(cache)
    assert seen == [loading._SPINS, None, "7"]
    assert os.environ["GOMP_SPINCOUNT"] == "7"


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_it_pickles(dtype):
    """Also before a type was used, the copy computes the same, and again after another copy."""
    f = compiling.compiled(NETWORK, 2, "c")
    X = np.random.default_rng(0).standard_normal((50, 2)).astype(dtype)
    copy = pickle.loads(pickle.dumps(pickle.loads(pickle.dumps(f))))
    for a, b in zip(f(X), copy(X), strict=True):
        np.testing.assert_array_equal(a, b)
        assert b.dtype == dtype


def test_error_pickles():
    """It may have been raised in another process."""
    error = pickle.loads(pickle.dumps(compiler.CompilerError("one line")))
    assert str(error) == "one line"
