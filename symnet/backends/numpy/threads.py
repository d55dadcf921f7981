"""Blocks of points spread over threads, with NumPy's BLAS kept to the thread that calls it.

NumPy releases the interpreter lock, so plain threads run side by side. How points are cut into
blocks never depends on the number of threads, and with several blocks every product of matrices
runs on one thread: results are the same to the last bit whatever that number is.
"""

from __future__ import annotations

import ctypes
import os
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from importlib import import_module
from typing import Any

import numpy as np

from symnet.backends.numpy import runtime
from symnet.backends.numpy.runtime import Array, Kernel

WORTH_A_THREAD = 2**20
"""Numbers that a call computes from which a second thread pays: about a millisecond's worth."""


@lru_cache(maxsize=1)
def available() -> int:
    """Processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


_tried, _started = 1, 1


def startable(most: int) -> int:
    """How many threads may be used, the caller's among them: `most`, or what the system starts.

    It is asked when more are wanted than ever before. Where memory or processes are limited, half
    of what it starts, since they need memory too: OpenMP ends the process that it cannot start a
    thread in, and Python waits without end for one that finds no memory to begin.
    """
    global _tried, _started
    if most > _tried:
        found = _started_at_once(most)
        _tried, _started = most, found if found == most else max(1, found // 2)
    return min(most, _started)


def _started_at_once(most: int) -> int:
    """`most`, or the number from which on no thread can be started; they do nothing, and end."""
    if not sys.platform.startswith("linux"):
        return most
    system, gate = ctypes.CDLL(None), (ctypes.c_long * 8)()  # room for a semaphore
    waiting: list[ctypes.c_void_p] = []
    system.sem_init(gate, 0, 0)
    while len(waiting) < most - 1:
        thread = ctypes.c_void_p()
        if system.pthread_create(ctypes.byref(thread), None, system.sem_wait, gate):
            break
        waiting.append(thread)
    for _ in waiting:
        system.sem_post(gate)
    for thread in waiting:
        system.pthread_join(thread, None)
    return 1 + len(waiting)


def in_threads(
    kernel: Kernel,
    parameters: Sequence[Array],
    block: int,
    threads: int,
    points: Array,
    results: Sequence[Array],
) -> None:
    """`runtime.in_blocks` with blocks of equal size on up to `threads` threads."""
    with np.errstate(all="ignore"):
        parameters = [p.astype(points.dtype, copy=False) for p in parameters]
    blocks = runtime.cut(len(points), block)
    waiting = iter(blocks)
    failures: list[BaseException] = []

    def work() -> None:
        try:
            with np.errstate(all="ignore"):
                for chosen in waiting:
                    if failures:
                        return
                    runtime.one_block(kernel, parameters, chosen, points, results)
        except BaseException as failure:
            failures.append(failure)

    count = startable(min(threads, len(blocks)))
    helpers = [threading.Thread(target=work) for _ in range(count - 1)]
    with blas_on_one_thread():
        try:
            with suppress(RuntimeError):  # that no more can be started
                for helper in helpers:
                    helper.start()
            work()
            _join(helpers)
        except BaseException as interrupt:  # Ctrl-C: nothing is still computing after it
            failures.append(interrupt)
            _join(helpers)
    if failures:
        raise failures[0]


def _join(helpers: Sequence[threading.Thread]) -> None:
    for helper in helpers:
        if helper.ident is not None:
            helper.join()


_lock = threading.Lock()
_callers = 0
_before = 1


def _after_fork() -> None:
    """The threads that held the lock, or waited for their blocks, are not in the child."""
    global _lock, _callers
    _lock = threading.Lock()
    if _callers:
        _callers = 0
        controls = _openblas()
        if controls is not None:
            controls[1](_before)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


@contextmanager
def blas_on_one_thread() -> Iterator[None]:
    """Keep OpenBLAS, where NumPy uses it, from starting threads of its own meanwhile."""
    global _callers, _before
    controls = _openblas()
    if controls is None:
        yield
        return
    get, set_ = controls
    with _lock:
        if _callers == 0:
            _before = get()
            set_(1)
        _callers += 1
    try:
        yield
    finally:
        with _lock:
            _callers -= 1
            if _callers == 0:
                set_(_before)


@lru_cache(maxsize=1)
def _openblas() -> tuple[Any, Any] | None:
    """The functions that read and set the number of threads of the OpenBLAS that NumPy loaded."""
    try:
        core = import_module("numpy._core._multiarray_umath")
        library = ctypes.CDLL(core.__file__)
    except (ImportError, OSError):
        return None
    for prefix in ("scipy_openblas", "openblas"):
        for suffix in ("64_", ""):
            try:
                return (
                    getattr(library, f"{prefix}_get_num_threads{suffix}"),
                    getattr(library, f"{prefix}_set_num_threads{suffix}"),
                )
            except AttributeError:
                continue
    return None
