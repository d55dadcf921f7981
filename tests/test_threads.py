"""Threads, processes and many calls: the same bits, and nothing left behind."""

from __future__ import annotations

import gc
import multiprocessing
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import symnet
from symnet.backends.numpy import threads
from symnet.compiling import compiled
from symnet.names import together_name

NETWORK = symnet.Network.dense([2, 48, 48, 1], hidden="tanh", seed=0)


@pytest.fixture(scope="module")
def points():
    """Enough for several blocks, and for threads."""
    return np.random.default_rng(0).standard_normal((5_001, 2))


def same(left, right):
    """Bit for bit."""
    return all(np.array_equal(a, b) for a, b in zip(left, right, strict=True))


def test_results_do_not_depend_on_the_number_of_threads(points):
    """One, two, five threads, or as many as pay: the same bits."""
    expected = compiled(NETWORK, 2, threads=1)(points)
    for number in (2, 5, None):
        assert same(compiled(NETWORK, 2, threads=number)(points), expected)


@pytest.mark.parametrize("extra", [-1, 0, 1])
@pytest.mark.parametrize("number", [1, 2])
def test_blocks_at_their_borders(extra, number):
    """One point less than a block, exactly one, and one more."""
    f = compiled(NETWORK, 2, threads=number)
    count = f.kernels.block(together_name(2)) + extra
    X = np.random.default_rng(1).standard_normal((count, 2))
    for part, whole in zip(f(X[-3:]), f(X), strict=True):
        np.testing.assert_allclose(part, whole[-3:], rtol=1e-11, atol=1e-13)


def test_a_thread_pool_may_share_one_function(points):
    """Calls side by side do not meet."""
    f = compiled(NETWORK, 2)
    expected = f(points)
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(f, [points] * 12))
    assert all(same(result, expected) for result in results)


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
# Python 3.12 on warns of forking a process with threads; what is tested is that it works.
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_process_pool_gives_the_same(points, method):
    """spawn, fork and forkserver, after the parent has used threads itself."""
    f = compiled(NETWORK, 2)
    expected = f(points)
    with multiprocessing.get_context(method).Pool(1) as pool:
        results = pool.map(f, [points] * 3)
    assert all(same(result, expected) for result in results)


def test_blas_is_given_its_threads_back(points):
    """What NumPy's BLAS may use is the same after a call, also after one that failed."""
    controls = threads._openblas()
    if controls is None:
        pytest.skip("NumPy's BLAS is not OpenBLAS")
    get, set_ = controls
    before = get()
    set_(2)
    try:
        compiled(NETWORK, 2)(points)
        assert get() == 2

        def broken(*_):
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            threads.in_threads(broken, [], 10, 2, points, [])
        assert get() == 2
    finally:
        set_(before)


def test_an_error_in_a_helper_thread_reaches_the_caller(points):
    """Whichever thread meets it, and no block is started after it."""
    calls = []

    def broken(x, *_):
        calls.append(threading.current_thread())
        raise FloatingPointError("planted")

    with pytest.raises(FloatingPointError, match="planted"):
        threads.in_threads(broken, [], 10, 2, points, [])
    assert len(calls) <= 2


def test_no_thread_is_left_behind(points):
    """Helpers end with the call."""
    before = threading.active_count()
    compiled(NETWORK, 2, threads=4)(points)
    assert threading.active_count() == before


def test_no_more_threads_than_the_system_starts(monkeypatch):
    """Asked once for a number; half of them where it starts fewer, and one at least."""
    asked = []

    def started(most):
        asked.append(most)
        return min(most, 6)

    monkeypatch.setattr(threads, "_tried", 1)
    monkeypatch.setattr(threads, "_started", 1)
    monkeypatch.setattr(threads, "_started_at_once", started)
    assert [threads.startable(most) for most in (1, 4, 3, 64, 2, 64)] == [1, 4, 3, 3, 2, 3]
    assert asked == [4, 64]
    monkeypatch.undo()
    assert threads.startable(3) == 3


def blocks():
    """Python's own blocks of memory, of which every object takes one."""
    gc.collect()
    return sys.getallocatedblocks()


@pytest.mark.complete
def test_compiling_and_discarding_leaks_nothing():
    """Memory after many compilations is what it was after a few.

    What is lost would be lost each time; SymPy's caches, full of other tests' objects, change at
    some times only.
    """
    networks = [symnet.Network.dense([2, w, 1], seed=w) for w in (3, 4)]

    def some():
        for k in range(10):
            compiled(networks[k % 2], 1).value([0.1, 0.2])
        return blocks()

    sizes = [some() for _ in range(6)]
    assert min(np.diff(sizes)) < 10


def test_calling_leaks_nothing():
    """Neither do calls."""
    f = compiled(NETWORK, 2)
    x = np.array([0.1, 0.2])

    def some(count):
        for _ in range(count):
            f(x)
        return blocks()

    some(300)
    first = some(300)
    assert some(2_000) - first < 100
