"""Generated C text as running functions: compiled once a shape and type, shared by its networks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, ClassVar

import numpy as np

from symnet.backends import Foreign
from symnet.backends.c.run import binding, compiler, loading
from symnet.backends.c.text import file
from symnet.backends.numpy import runtime
from symnet.backends.numpy.runtime import Function
from symnet.calculus.schemes import Choice, Cost
from symnet.network import Network

_TYPES = {np.dtype(np.float64): "double", np.dtype(np.float32): "float"}
_CROWDS = 71, 1031  # points of several blocks, for wide networks and for others
_AFFORDED = 2**26  # multiply-adds that as many points may cost


@dataclass(frozen=True)
class NativeKernels:
    """The kernels of one network, by name, in both precisions.

    Weights are an argument of the functions, so that compiling takes the same time at any width
    and networks of one shape share a library. The text of a type is made and compiled when it is
    first used, and once more, in numbers instead of vectors of points, for single points of what is
    not small.
    """

    network: Network = field(repr=False)
    orders: Mapping[str, tuple[int, ...]]
    costs: Mapping[str, Cost]
    texts: dict[str, str] = field(default_factory=dict, repr=False)
    _kernels: file.Kernels = field(default_factory=dict, repr=False, compare=False)
    _bound: dict[Any, Function] = field(default_factory=dict, repr=False, compare=False)
    _confirmed: set[Any] = field(default_factory=set, repr=False, compare=False)

    own_texts: ClassVar[tuple[type, ...]] = (np.float64, np.float32)
    """The types that have a text of their own, the first of them compiled."""
    teams: ClassVar[tuple[int, ...]] = (1, 2)
    """Each function shares its blocks among threads by a text of its own."""

    @classmethod
    def of(cls, network: Network, choices: Mapping[str, Choice]) -> NativeKernels:
        """Generate the kernels of `choices`. ValueError when a weight is symbolic.

        CompilerError, in one line, where no C compiler is found or it refuses the text.
        """
        network.numeric()
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

    def function(
        self,
        name: str,
        orders: Sequence[int],
        most: int | None,
        foreign: Foreign | None = None,
        confirm: Callable[[type], None] | None = None,
    ) -> Function:
        """What `runtime.evaluate` says as a function of X, on at most so many threads.

        A plain array of doubles goes straight to C, which looks after NaN itself; what isn't one is
        offered to `foreign` first. `confirm` is called with a type before its functions are first
        used, but for those of many doubles.
        """
        runtime.keep_freed_memory()
        n, m = self.network.n, self.network.m
        shapes = tuple((m, *(n,) * order) for order in orders)
        return _Method(self, name, shapes, most, foreign, confirm).bound(np.dtype(np.float64))

    def narrowed(self, network: Network) -> NativeKernels:
        """Itself: the text knows its network's widths."""
        return self

    @property
    def lone(self) -> bool:
        """Whether single points have functions of their own, compiled when they are first used."""
        return any(map(loading.pays_alone, self.costs.values()))

    @property
    def crowd(self) -> int:
        """A number of points that takes several blocks, the last of them not full."""
        few, many = _CROWDS
        most = max(cost.multiply_adds for cost in self.costs.values())
        return min(max(few, _AFFORDED // (1 + most)), many)

    def crowded(self, points: int) -> NativeKernels:
        """The same functions where every point pays for a thread: their blocks are in the text."""
        costs = {name: replace(cost, activations=10**9) for name, cost in self.costs.items()}
        return replace(self, costs=costs, _bound={})

    def _text(self, dtype: str) -> str:
        if dtype not in self.texts:
            self.texts[dtype] = file.source(self._kernels, self.network, dtype, parts=True)
        return self.texts[dtype]

    def _compile(self, dtype: str, plain: bool = False) -> dict[int, loading.Library]:
        """The parts of the text, by compilers that run side by side, and with them `binding.c`."""
        text = self._text(dtype)
        parts = sorted({file.part(name, self.orders) for name in self.orders})
        loads = [partial(loading.load, text, part, plain) for part in parts]
        compiler.side_by_side([binding.extension, *loads])
        return {part: loading.load(text, part, plain) for part in parts}

    def __reduce__(self) -> tuple[Any, ...]:
        # Texts for both types instead of Programs; bound functions belong to this process.
        for dtype in _TYPES.values():
            self._text(dtype)
        return NativeKernels, (self.network, self.orders, self.costs, self.texts)


@dataclass(frozen=True)
class _Method:
    """One function of the kernels, for points of any type and shape."""

    kernels: NativeKernels
    name: str
    shapes: tuple[tuple[int, ...], ...]
    most: int | None
    foreign: Foreign | None
    confirm: Callable[[type], None] | None

    def bound(self, dtype: Any, plain: bool = False) -> Function:
        """The function for arrays of a type, `plain` the one for single points; confirmed."""
        kernels, cost = self.kernels, self.kernels.costs[self.name]
        if plain or dtype != np.float64:
            self._confirmed(dtype, plain)
        # What is bound for doubles hands other types to its own `_general`, with its `confirm`.
        key = self.name, self.most, dtype, plain, self.confirm is None
        if key not in kernels._bound:
            library = kernels._compile(_TYPES[dtype], plain)[file.part(self.name, kernels.orders)]
            single = kernels.lone and not plain
            call = binding.NativeFunction(
                library.function(self.name, len(self.shapes), weighted=True),
                file.packed(kernels.network, _TYPES[dtype]),
                kernels.network.n,
                self.shapes,
                loading.alone(cost),
                loading.stretch(cost),
                lambda points: loading.threads(points, cost, self.most),
                self._general,
                _once(lambda: self.bound(dtype, plain=True)) if single else None,
            )
            kernels._bound[key] = call.bound()
        return kernels._bound[key]

    def _confirmed(self, dtype: Any, plain: bool) -> None:
        confirmed = self.kernels._confirmed
        if self.confirm is not None and (dtype, plain) not in confirmed:
            self.confirm(dtype.type)
            confirmed.add((dtype, plain))

    def _general(self, X: Any) -> tuple[Any, ...]:
        """The results for what is no plain array of doubles."""
        if self.foreign is not None and (found := self.foreign(X)) is not None:
            return found
        n = self.kernels.network.n
        X = runtime.floats(X, n)
        points = np.require(X.reshape(-1, n), requirements=["C", "A", "W"])
        if len(points):
            results = self.bound(points.dtype)(points)
        else:
            results = tuple(np.empty((0, *shape), X.dtype) for shape in self.shapes)
        if X.ndim == 2:
            return results
        return tuple(result.reshape(X.shape[:-1] + result.shape[1:]) for result in results)


def _once(make: Callable[[], Function]) -> Function:
    """The function that `make` gives at the first call."""
    made: list[Function] = []

    def call(X: Any) -> tuple[Any, ...]:
        if not made:
            made.append(make())
        return made[0](X)

    return call
