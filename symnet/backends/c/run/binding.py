"""A C function as a Python function of points, with as little between them as can be."""

from __future__ import annotations

import ctypes
import sys
import sysconfig
from collections.abc import Callable, Sequence
from ctypes import c_byte, c_void_p
from dataclasses import dataclass
from functools import lru_cache
from importlib.machinery import ExtensionFileLoader, ModuleSpec
from importlib.resources import files
from importlib.util import module_from_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from symnet.backends.c.run import compiler
from symnet.backends.numpy.runtime import Array, Function

POINTER = ctypes.POINTER(c_byte)

# A quarter of the time that `array.ctypes` takes, and it refuses what is not contiguous.
buffer: Any = c_byte.from_buffer

_MODULE = "symnet_binding"


def no_memory(name: str) -> MemoryError:
    """What is raised when the function `name` returns 1."""
    return MemoryError(f"{name}: no memory for a block of points on each thread")


@dataclass(frozen=True)
class NativeFunction:
    """What a call of `function(N, X, weights, results…, threads)` needs besides X (N, inputs).

    shapes: of one point's results, which the function fills as arrays (N, *shape).
    alone, threads: how many threads share N points, `threads` being asked from `alone` points on.
    stretch: the points that one call takes at most.
    general: what takes all but C-contiguous arrays of the weights' type; lone: what takes a single
        point, where there is such a function.
    """

    function: Any
    weights: Array
    inputs: int
    shapes: Sequence[tuple[int, ...]]
    alone: int
    stretch: int
    threads: Callable[[int], int]
    general: Function
    lone: Function | None = None

    def bound(self) -> Function:
        """X (N, n) → arrays (N, *shape); one point (n,) → arrays of these shapes.

        MemoryError where a thread's memory cannot be had. The GIL is free meanwhile, but for the
        few points of a small network that take microseconds.
        """
        module = extension()
        if module is None:  # a call takes 4 microseconds more
            return self._in_python()
        address = ctypes.cast(self.function, c_void_p).value
        found: Function = module.bind(
            address,
            self.weights,
            self.inputs,
            tuple(self.shapes),
            self.alone,
            self.stretch,
            self.threads,
            self.general,
            self.lone,
            str(no_memory(self.function.__name__)),
        )
        return found

    def _in_python(self) -> Function:
        function, inputs, stretch = self.function, self.inputs, self.stretch
        address, dtype = self.weights.ctypes.data, self.weights.dtype

        def call(X: Any) -> tuple[Array, ...]:
            plain = type(X) is np.ndarray and 0 < X.ndim < 3 and X.dtype == dtype and X.flags.carray
            if not plain or X.shape[-1] != inputs or not X.size:
                return self.general(X)
            several = X.shape[:-1]
            points = several[0] if several else 1
            if points == 1 and self.lone is not None:
                return self.lone(X)
            results = tuple([np.empty(several + shape, dtype) for shape in self.shapes])
            count = 1 if points < self.alone else self.threads(points)
            arrays = [array.reshape(points, -1) for array in (X, *results)]
            for first in range(0, points, stretch):
                x, *filled = (array[first : first + stretch] for array in arrays)
                if function(len(x), buffer(x), address, *map(buffer, filled), count):
                    raise no_memory(function.__name__)
            return results

        return call


@lru_cache(maxsize=1)
def extension() -> ModuleType | None:
    """`binding.c` as a module, compiled once for a Python, a NumPy and a compiler.

    None without Python's headers, or where the compiler refuses them.
    """
    headers = sysconfig.get_path("include")
    if sys.implementation.name != "cpython" or not Path(headers, "Python.h").exists():
        return None
    made_for = f"/* {sysconfig.get_config_var('SOABI')}, NumPy {np.__version__} */\n"
    source = files("symnet.backends.c.run").joinpath("binding.c")
    text = made_for + source.read_text(encoding="utf-8")
    flags = ["-O1", f"-I{headers}", f"-I{np.get_include()}"]
    if sys.platform == "darwin":
        flags += ["-undefined", "dynamic_lookup"]
    try:
        command = compiler.command()
        return compiler.opened(_imported, text, command, [flags], compiler.cache_directory())
    except (compiler.CompilerError, OSError):
        return None


def _imported(path: Path) -> ModuleType:
    """The module at the path, whatever the file is called. OSError when it cannot be loaded."""
    loader = ExtensionFileLoader(_MODULE, str(path))
    try:
        module = module_from_spec(ModuleSpec(_MODULE, loader, origin=str(path)))
        loader.exec_module(module)
    except ImportError as error:
        raise OSError(str(error)) from error
    return module
