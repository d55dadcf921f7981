"""A C function as a Python function of points, with as little between them as can be."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from ctypes import c_byte
from functools import lru_cache
from typing import Any

import numpy as np

from symnet.backends.runtime import Array, Function

POINTER = ctypes.POINTER(c_byte)

# A quarter of the time that `array.ctypes` takes, and it refuses what is not contiguous.
buffer: Any = c_byte.from_buffer

_TEXT = """
def bind(function, weights, dtype, alone, threads, general, failed, empty, ndarray, buffer):
    def call(X):
        if type(X) is not ndarray or X.ndim != 2 or X.dtype != dtype or not X.flags.carray:
            return general(X)
        points, inputs = X.shape
        if inputs != {inputs} or not points:
            return general(X)
        {allocate}
        count = 1 if points < alone else threads(points)
        if function(points, buffer(X), weights, {pass_on}, count):
            failed()
        return {results},
    return call
"""
"""Written out for the results that there are: loops over them would take a fifth of a call."""


def no_memory(name: str) -> MemoryError:
    """What is raised when the function `name` returns 1."""
    return MemoryError(f"{name}: no memory for a block of points on each thread")


@lru_cache(maxsize=64)
def _bind(inputs: int, shapes: tuple[tuple[int, ...], ...]) -> Any:
    names = [f"r{order}" for order in range(len(shapes))]
    text = _TEXT.format(
        inputs=inputs,
        allocate="\n        ".join(
            f"{name} = empty((points, {', '.join(map(str, shape))}), dtype)"
            for name, shape in zip(names, shapes, strict=True)
        ),
        pass_on=", ".join(f"buffer({name})" for name in names),
        results=", ".join(names),
    )
    found: dict[str, Any] = {}
    # Nothing but the numbers of inputs and outputs went into the text.
    exec(compile(text, "<symnet>", "exec"), found)
    return found["bind"]


def bound(
    function: Any,
    weights: Array,
    inputs: int,
    shapes: Sequence[tuple[int, ...]],
    alone: int,
    threads: Callable[[int], int],
    general: Function,
) -> Function:
    """X (N, n) → arrays (N, *shape) that function(N, X, weights, results…, threads) fills.

    For arrays of `weights`' type, C-contiguous and writable; anything else goes to `general`.
    `threads` tells how many are to share N points, from `alone` on. MemoryError where a thread's
    memory cannot be had. The GIL is free meanwhile.
    """
    address = weights.ctypes.data

    def failed() -> None:
        raise no_memory(function.__name__)

    bind = _bind(inputs, tuple(shapes))
    call: Function = bind(
        function, address, weights.dtype, alone, threads, general, failed,
        np.empty, np.ndarray, buffer,
    )  # fmt: skip
    call.weights = weights  # type: ignore[attr-defined] # they must live as long
    return call
