"""Generated C text as running functions: compiled once a shape and type, shared by its networks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from symnet.backends import ccode, ckernel, runtime
from symnet.backends.runtime import Array
from symnet.backends.threads import keep_freed_memory
from symnet.network import Network
from symnet.schemes import Choice, Cost


class _Bound(NamedTuple):
    """A compiled function, and the shape of a point and of each of its results."""

    run: ckernel.Run
    inputs: int
    shapes: tuple[tuple[int, ...], ...]
    cost: Cost


_TYPES = {np.dtype(np.float64): "double", np.dtype(np.float32): "float"}


@dataclass(frozen=True)
class NativeKernels:
    """The kernels of one network, by name, in both precisions.

    Weights are an argument of the functions, so that compiling takes the same time at any width
    and networks of one shape share a library. The text of a type is made and compiled when it is
    first used.
    """

    network: Network = field(repr=False)
    orders: Mapping[str, tuple[int, ...]]
    costs: Mapping[str, Cost]
    texts: dict[str, str] = field(default_factory=dict, repr=False)
    _kernels: ccode.Kernels = field(default_factory=dict, repr=False, compare=False)
    _bound: dict[tuple[str, Any], _Bound] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, network: Network, choices: Mapping[str, Choice]) -> NativeKernels:
        """Generate the kernels of `choices`. ValueError when a weight is symbolic.

        CompilerError, in one line, where no C compiler is found or it refuses the text.
        """
        network.numbers()
        made = cls(
            network,
            {name: choice.orders for name, choice in choices.items()},
            {name: choice.cost for name, choice in choices.items()},
            _kernels={name: (choice.program, choice.orders) for name, choice in choices.items()},
        )
        made._compile("double")
        return made

    @property
    def source(self) -> str:
        """The text for double precision."""
        return self._text("double")

    def evaluate(self, name: str, orders: Sequence[int], X: Any, most: int | None) -> list[Array]:
        """What `runtime.evaluate` says, on at most so many threads.

        An array that needs no preparation goes straight to C, which looks after NaN itself.
        """
        if type(X) is np.ndarray and X.ndim == 2 and X.flags.carray:
            dtype = X.dtype
            bound = self._bound.get((name, dtype))
            if bound is not None and X.shape[1] == bound.inputs:
                points = len(X)
                results = [np.empty((points, *shape), dtype) for shape in bound.shapes]
                bound.run(X, results, ckernel.threads(points, bound.cost, most))
                return results

        def run(points: Array, results: Sequence[Array]) -> None:
            bound = self._bind(name, points.dtype)
            bound.run(points, results, ckernel.threads(len(points), bound.cost, most))

        return runtime.evaluate(run, X, (self.network.n, self.network.m), orders)

    def narrowed(self, network: Network) -> NativeKernels:
        """Itself: the text knows its network's widths."""
        return self

    def _bind(self, name: str, dtype: Any) -> _Bound:
        """The compiled function for points of this type."""
        if (name, dtype) not in self._bound:
            keep_freed_memory()
            library = self._compile(_TYPES[dtype])[ccode.part(name, self.orders)]
            orders, n = self.orders[name], self.network.n
            weights = ccode.packed(self.network, _TYPES[dtype])
            run = library.bind(name, len(orders), weights)
            shapes = tuple((self.network.m, *(n,) * order) for order in orders)
            self._bound[name, dtype] = _Bound(run, n, shapes, self.costs[name])
        return self._bound[name, dtype]

    def _text(self, dtype: str) -> str:
        if dtype not in self.texts:
            self.texts[dtype] = ccode.source(self._kernels, self.network, dtype, parts=True)
        return self.texts[dtype]

    def _compile(self, dtype: str) -> dict[int, ckernel.Library]:
        """The parts of the text, by compilers that run side by side."""
        text = self._text(dtype)
        parts = sorted({ccode.part(name, self.orders) for name in self.orders})
        with ThreadPoolExecutor(len(parts)) as pool:
            libraries = pool.map(lambda part: ckernel.load(text, part), parts)
            return dict(zip(parts, libraries, strict=True))

    def __reduce__(self) -> tuple[Any, ...]:
        # Texts for both types instead of Programs; bound functions belong to this process.
        for dtype in _TYPES.values():
            self._text(dtype)
        return NativeKernels, (self.network, self.orders, self.costs, self.texts)
