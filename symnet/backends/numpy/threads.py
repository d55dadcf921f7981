"""Blocks of points spread over threads, with NumPy's BLAS kept to the thread that calls it.

NumPy releases the interpreter lock, so plain threads run side by side. How points are cut into
blocks never depends on the number of threads, and with several blocks every product of matrices
runs on one thread: results are the same to the last bit whatever that number is.
"""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
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


def in_threads(
    kernel: Kernel,
    parameters: Sequence[Array],
    block: int,
    threads: int,
    points: Array,
    results: Sequence[Array],
) -> None:
    """`runtime.in_blocks` with blocks of equal size on up to `threads` threads."""
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

    helpers = [threading.Thread(target=work) for _ in range(min(threads, len(blocks)) - 1)]
    with _blas_on_one_thread():
        try:
            for helper in helpers:
                helper.start()
            work()
            for helper in helpers:
                helper.join()
        except BaseException as interrupt:  # Ctrl-C: nothing is still computing after it
            failures.append(interrupt)
            for helper in helpers:
                if helper.ident is not None:
                    helper.join()
    if failures:
        raise failures[0]


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
def _blas_on_one_thread() -> Iterator[None]:
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
