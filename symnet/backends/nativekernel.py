"""Generated C text as running functions: compiled once a shape and type, shared by its networks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from symnet.backends import ccode, ckernel
from symnet.backends.runtime import Array
from symnet.backends.threads import keep_freed_memory
from symnet.network import Network
from symnet.schemes import Choice

_TYPES = {8: "double", 4: "float"}  # by the size of a number in bytes


@dataclass(frozen=True)
class NativeKernels:
    """The kernels of one network, by name, in both precisions.

    Weights are an argument of the functions, so that compiling takes the same time at any width
    and networks of one shape share a library. Texts are compiled when first used.
    """

    network: Network = field(repr=False)
    texts: Mapping[str, str]
    work: Mapping[str, tuple[int, int]]
    _bound: dict[tuple[str, str], ckernel.Run] = field(
        default_factory=dict, repr=False, compare=False
    )

    @classmethod
    def of(cls, network: Network, choices: Mapping[str, Choice]) -> NativeKernels:
        """Generate the kernels of `choices`. ValueError when a weight is symbolic.

        CompilerError, in one line, where no C compiler is found or it refuses the text.
        """
        network.numbers()
        pairs = {name: (choice.program, choice.orders) for name, choice in choices.items()}
        texts = {dtype: ccode.source(pairs, network, dtype) for dtype in _TYPES.values()}
        work = {n: (c.cost.multiply_adds, c.cost.activations) for n, c in choices.items()}
        ckernel.load(texts["double"])
        return cls(network, texts, work)

    @property
    def source(self) -> str:
        """The text for double precision."""
        return self.texts["double"]

    def run(self, name: str, points: Array, results: Sequence[Array], most: int | None) -> None:
        """Fill `results` at `points` (N, n), on at most so many threads."""
        key = _TYPES[points.itemsize], name
        if key not in self._bound:
            self._bound[key] = self._function(*key, len(results))
        keep_freed_memory()
        self._bound[key](points, results, ckernel.threads(len(points), *self.work[name], most))

    def _function(self, dtype: str, name: str, outputs: int) -> ckernel.Run:
        library = ckernel.load(self.texts[dtype])
        return library.bind(name, outputs, ccode.packed(self.network, dtype))

    def narrowed(self, network: Network) -> NativeKernels:
        """Itself: the text knows its network's widths."""
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        # Without the bound functions, which belong to this process.
        return NativeKernels, (self.network, self.texts, self.work)
