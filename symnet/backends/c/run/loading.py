"""Generated C text as functions: compiled (see `compiler`), loaded, and called on threads."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from ctypes import c_int, c_ssize_t, c_void_p
from functools import lru_cache
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from symnet.backends.c.run import compiler
from symnet.backends.c.run.binding import POINTER
from symnet.backends.c.text.file import FLAGS
from symnet.backends.numpy.threads import available, startable
from symnet.calculus.schemes import Cost

Array = NDArray[Any]

_OPTIONAL = ("-fopenmp", "-mprefer-vector-width=512")
_ATTEMPTS = (
    (*FLAGS, *_OPTIONAL),
    *((*FLAGS, flag) for flag in _OPTIONAL),
    FLAGS,
    tuple(flag for flag in FLAGS if flag != "-march=native"),
)
"""Flags from the fastest on."""

_ACTIVATION = 20
"""What an activation with its derivatives costs, in multiply-adds: measured, sigmoid and tanh."""

_WORTHWHILE = 250_000
"""Multiply-adds that pay for a thread: some 20 microseconds, twice what waking it takes."""

_STRETCH = 2**31
"""Multiply-adds of a call of a kernel, after which Ctrl-C is heard: a second at most."""

_WHOLE = 384
"""Points that are whole blocks of every kernel: 2, 4, 6 or 8 vectors of at most 16 numbers."""

_WORTH_A_TEXT = 5_000
"""Multiply-adds of a point that pay for compiling the text once more, for single points.

A vector of points holds one of them as slowly as all: 2-48-48-1 takes 2.4 instead of 3.8
microseconds, 2-64-64-64-1 6.4 instead of 10.9, 30-32-32-1 8.1 instead of 12.5.
"""

_in_fork = False


def _after_fork() -> None:
    """A forked child has none of its parent's OpenMP threads, and libgomp would wait for them."""
    global _in_fork
    _in_fork = True


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


class Library:
    """Functions of one compiled text. Pointers go to C: shapes and dtypes are the caller's."""

    def __init__(self, path: Path) -> None:
        with _patience():
            self._library = ctypes.CDLL(str(path))

    def function(self, name: str, outputs: int, weighted: bool = False) -> Any:
        """int name(points, X, [weights,] out, …, threads): an address, buffers of arrays.

        CompilerError where the library has none, as what C++ compilers make.
        """
        try:
            # An object of its own: the prototypes that ctypes keeps belong to it.
            function = self._library[name]
        except AttributeError:
            said = compiler.said(compiler.command())
            raise compiler.CompilerError(
                f"{said} made a library without the function {name}; it must compile C99"
            ) from None
        function.argtypes = [
            c_ssize_t,
            POINTER,
            *[c_void_p] * weighted,
            *[POINTER] * outputs,
            c_int,
        ]
        function.restype = c_int
        return function


_SPINS = "1000"
"""How often GNU OpenMP looks before a waiting thread sleeps: for some 50 microseconds.

Its default is milliseconds. Where another process has the second core, that kept the thread which
was waited for from running: 12 ms for a call of 0.5 ms; with this, 1 ms, and nothing lost alone.
"""


@contextmanager
def _patience() -> Iterator[None]:
    """The environment that libgomp reads once, when it is loaded, unless the user has set it."""
    if os.environ.keys() & {"GOMP_SPINCOUNT", "OMP_WAIT_POLICY"}:
        yield
        return
    os.environ["GOMP_SPINCOUNT"] = _SPINS
    try:
        yield
    finally:
        os.environ.pop("GOMP_SPINCOUNT", None)


def load(text: str, part: int = 0, plain: bool = False) -> Library:
    """The functions of a C text, or of one of its parts, from the cache or compiled now.

    `plain` in single numbers instead of vectors of points. CompilerError, in one line, without a
    compiler and for a text that it refuses.
    """
    defined = [f"-DSYMNET_PART={part}"] if part else []
    defined += ["-DSYMNET_PLAIN"] if plain else []
    return _loaded(text, tuple(defined), compiler.command(), compiler.cache_directory())


@lru_cache(maxsize=128)
def _loaded(
    text: str, defined: tuple[str, ...], command: tuple[str, ...], directory: Path
) -> Library:
    attempts = [(*defined, *flags) for flags in _ATTEMPTS]
    return compiler.opened(Library, text, command, attempts, directory)


def alone(cost: Cost) -> int:
    """The number of points, of this cost each, from which a second thread pays."""
    return -(-2 * _WORTHWHILE // _work(cost))


def stretch(cost: Cost) -> int:
    """The number of points that a kernel is called with at most: whole blocks of them."""
    return max(1, _STRETCH // _work(cost) // _WHOLE) * _WHOLE


def threads(points: int, cost: Cost, most: int | None = None) -> int:
    """How many threads are to share the points: at most `most`, and only as many as pay.

    `cost` is that of a point; `most` is by default `available()`. No more than can be started.
    """
    if _in_fork:
        return 1
    return startable(max(1, min(most or available(), points * _work(cost) // _WORTHWHILE)))


def pays_alone(cost: Cost) -> bool:
    """Whether single points of this cost are worth functions of their own."""
    return _work(cost) >= _WORTH_A_TEXT


def _work(cost: Cost) -> int:
    return max(1, cost.multiply_adds + _ACTIVATION * cost.activations)
