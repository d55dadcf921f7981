"""Generated NumPy text as running functions: executed, cut into blocks, spread over threads."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import Any, ClassVar

import numpy as np

from symnet.backends import Foreign
from symnet.backends.numpy import layers, runtime, special, threads
from symnet.backends.numpy.runtime import Array, Function
from symnet.calculus.schemes import Choice, entries
from symnet.network import Network

_WORKING_SET = 2**23
"""Bytes of a block's arrays, freed ones included.

Measured on 2-2-2-1 to 2-64-64-64-1: on one thread 2 to 8 MB are alike, and less is all overhead;
two threads want 8, since the shorter a block, the longer they wait for each other's Python.
"""
_SMALLEST_BLOCK, _LARGEST_BLOCK = 64, 32768
_HELD = 2**23  # entries of a block, 64 MB, whatever a point takes
_CROWDED = 64  # points a block in checks: the last, of one point less, stores them otherwise


@dataclass(frozen=True)
class NumpyKernels:
    """The kernels of one network, by name, and how many numbers a point takes in each."""

    network: Network = field(repr=False)
    source: str
    entries: Mapping[str, int]
    largest: int = field(default=_LARGEST_BLOCK, repr=False)

    own_texts: ClassVar[tuple[type, ...]] = (np.float64,)
    """The types that have a text of their own: this one stands for all."""
    teams: ClassVar[tuple[int, ...]] = (1,)
    """Threads share the blocks of every kernel in the same way."""
    lone: ClassVar[bool] = False
    """Single points have no functions of their own."""
    crowd: ClassVar[int] = 255
    """Points for four blocks of `crowded`, the last of one point less."""

    @classmethod
    def of(cls, network: Network, choices: Mapping[str, Choice]) -> NumpyKernels:
        """Generate the kernels of `choices`. ValueError when a weight is symbolic."""
        network.numeric()
        programs = {name: choice.program for name, choice in choices.items()}
        counts = {name: entries(program) for name, program in programs.items()}
        return cls(network, layers.kernels(programs, network), counts)

    def function(
        self,
        name: str,
        orders: Sequence[int],
        most: int | None,
        foreign: Foreign | None = None,
        confirm: Callable[[type], None] | None = None,
    ) -> Function:
        """What `runtime.evaluate` says as a function of X, on at most so many threads.

        What is no array of NumPy's, or one with names, is offered to `foreign` first. There is no
        type that would have to be confirmed later.
        """
        shape = self.network.n, self.network.m

        def run(points: Array, results: Sequence[Array]) -> None:
            self._run(name, points, results, most)

        def function(X: Any) -> tuple[Any, ...]:
            if foreign is not None and (type(X) is not np.ndarray or X.dtype.names):
                found = foreign(X)
                if found is not None:
                    return found
            return tuple(runtime.evaluate(run, X, shape, orders))

        return function

    def _run(self, name: str, points: Array, results: Sequence[Array], most: int | None) -> None:
        kernel, block = _executed(self.source)[name], self.block(name)
        if len(points) <= block:
            runtime.in_blocks(kernel, self.parameters, block, points, results)
            return
        if most is None:
            pays = len(points) * self.entries[name] >= threads.WORTH_A_THREAD
            most = threads.available() if pays else 1
        threads.in_threads(kernel, self.parameters, block, most, points, results)

    def block(self, name: str) -> int:
        """Points a block, such that the arrays of all statements stay in the cache."""
        entries = max(1, self.entries[name])
        points = max(_WORKING_SET // (8 * entries), min(_SMALLEST_BLOCK, _HELD // entries), 1)
        return min(points, self.largest)

    @cached_property
    def parameters(self) -> tuple[Array, ...]:
        """The arguments of a kernel after x: W1, b1, W2, …, biases as columns."""
        arrays = self.network.numeric().parameters.values()
        return tuple(array if array.ndim == 2 else array[:, None] for array in arrays)

    def narrowed(self, network: Network) -> NumpyKernels:
        """The same text with the numbers of another network: it knows no width."""
        return replace(self, network=network)

    def crowded(self, points: int) -> NumpyKernels:
        """The same text with several blocks of so many points, or more."""
        return replace(self, largest=max(1, min(_CROWDED, (points - 1) // 2)))


@lru_cache(maxsize=64)
def _executed(source: str) -> dict[str, Any]:
    names = {"np": np, **vars(runtime), **special.FUNCTIONS}
    # The text is this package's own: every name in it was validated as a plain identifier.
    exec(compile(source, "<symnet>", "exec"), names)
    return names
