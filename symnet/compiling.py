"""Functions of a network's derivatives: the public callable, and the backends behind it."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from functools import cached_property, lru_cache, partial
from typing import Any, ClassVar, Protocol

import numpy as np

from symnet import foreign, showing
from symnet.backends import Foreign
from symnet.backends.numpy.kernel import NumpyKernels
from symnet.backends.numpy.runtime import Array, Function
from symnet.calculus.schemes import Choice, Cost, cheapest
from symnet.names import method_name, together_name, whole
from symnet.network import Network
from symnet.witness import checking


class Kernels(Protocol):
    """What a backend makes of a network's Programs."""

    @property
    def source(self) -> str: ...
    @property
    def own_texts(self) -> tuple[type, ...]: ...
    @property
    def teams(self) -> tuple[int, ...]: ...
    @property
    def lone(self) -> bool: ...
    @property
    def crowd(self) -> int: ...
    def function(
        self,
        name: str,
        orders: Sequence[int],
        most: int | None,
        foreign: Foreign | None = None,
        confirm: Callable[[type], None] | None = None,
    ) -> Function: ...
    def narrowed(self, network: Network) -> Kernels: ...
    def crowded(self, points: int) -> Kernels: ...


def _native(network: Network, choices: Mapping[str, Choice]) -> Kernels:
    from symnet.backends.c.kernel import NativeKernels  # a tenth of the time to import symnet

    return NativeKernels.of(network, choices)


BACKENDS: Mapping[str, Callable[[Network, Mapping[str, Choice]], Kernels]] = {
    "numpy": NumpyKernels.of,
    "c": _native,
}


@lru_cache(maxsize=32)
def methods(order: int) -> dict[str, tuple[int, ...]]:
    """The functions that a compilation to `order` consists of, and the orders each computes."""
    single: dict[str, tuple[int, ...]] = {method_name(r): (r,) for r in range(order + 1)}
    return single | {together_name(order): tuple(range(order + 1))}


def choices(network: Network, order: int) -> dict[str, Choice]:
    """For each of `methods(order)`, the Program that computes it cheapest."""
    return cheapest(network, methods(order))


@dataclass(frozen=True)
class Compiled:
    """A network's value and derivatives as functions of NumPy arrays.

    For points X (…, n) with any leading shape, or none:

        f(X)             (y, J, H): one array for each order up to `order`
        f.value(X)       y (…, m)
        f.jacobian(X)    J (…, m, n)             J[…, p, i] = ∂y_p/∂x_i
        f.hessian(X)     H (…, m, n, n)          H[…, p, i, j] = ∂²y_p/∂x_i∂x_j
        f.derivative(r, X)                       (…, m, n, …, n), any order r up to `order`

    Each computes only what it needs. Results are full arrays, float32 for float32 X and float64
    otherwise, the same to the last bit on any number of threads; a point with a NaN among its
    inputs has NaN in all of its entries. In C a single point of a larger network has functions of
    its own, compiled at the first such call, whose last bits may differ. `source` is the text that
    runs, `cost` what a point of f(X) costs, and `threads` how many are used at most, None for as
    many as pay. It pickles. Of dask's arrays it gives lazy ones, of xarray's ones with named
    dimensions, and of a data frame it takes the columns by their names; see `symnet.foreign`.

    Raises TypeError for X that is not real, ValueError for X of another number of inputs, and
    ValueError for a derivative of a higher order than was compiled.
    """

    network: Network
    order: int
    backend: str
    cost: Cost
    threads: int | None
    kernels: Kernels = field(repr=False)
    checked: bool = field(default=False, repr=False)

    types: ClassVar[tuple[type, ...]] = (np.float64, np.float32)
    """The types of number that results may have."""

    @property
    def texts(self) -> tuple[type, ...]:
        """The types for which there is a text of its own, the first of them compiled."""
        return self.kernels.own_texts

    @property
    def teams(self) -> tuple[int, ...]:
        """The numbers of threads at which one method runs differently from another."""
        return self.kernels.teams

    @property
    def lone(self) -> bool:
        """Whether single points have functions of their own, compared when they are first used."""
        return self.kernels.lone

    @property
    def crowd(self) -> int:
        """A number of points that takes several blocks of `crowded`."""
        return self.kernels.crowd

    def verified(self) -> Compiled:
        """The same functions, compared with the analytic engine: see `checking.verify`.

        What is compiled later is compared when it is first used: in C float32's text, and the
        functions of single points where a point is work enough for them. CheckError where they
        disagree, then or now.
        """
        checking.verify(self)
        return replace(self, checked=True)

    @property
    def source(self) -> str:
        """The generated text that runs."""
        return self.kernels.source

    def narrowed(self, width: int) -> Compiled:
        """The same functions of the network's leading neurons, at most `width` in a hidden layer.

        For checks: generated text need not know widths. The function itself when the network is
        no wider, or its text does.
        """
        network = self.network.narrowed(width)
        kernels = self.kernels if network is self.network else self.kernels.narrowed(network)
        if kernels is self.kernels:
            return self
        return replace(self, network=network, kernels=kernels)

    def crowded(self, threads: int, points: int) -> Compiled:
        """The same functions on so many threads, for checks, in several blocks of `points`."""
        return replace(self, kernels=self.kernels.crowded(points), threads=threads)

    def __call__(self, X: Any) -> tuple[Array, ...]:
        return self._everything(X)

    def value(self, X: Any) -> Array:
        """y(x): (…, n) → (…, m)."""
        return self.derivative(0, X)

    def jacobian(self, X: Any) -> Array:
        """∂y_p/∂x_i: (…, n) → (…, m, n)."""
        return self.derivative(1, X)

    def hessian(self, X: Any) -> Array:
        """∂²y_p/∂x_i∂x_j: (…, n) → (…, m, n, n)."""
        return self.derivative(2, X)

    def derivative(self, order: int, X: Any) -> Array:
        """All partial derivatives of one order: (…, n) → (…, m, n, …, n)."""
        if not 0 <= order <= self.order:
            raise ValueError(
                f"derivatives of order {order} were not compiled; the highest is {self.order}"
            )
        if order not in self._single:
            self._single[order] = self._function(order)
        return self._single[order](X)[0]

    @cached_property
    def _everything(self) -> Function:
        return self._function(-1)

    @cached_property
    def _single(self) -> dict[int, Function]:
        return {}

    def _function(self, which: int) -> Function:
        name, orders = list(methods(self.order).items())[which]
        confirm = self._confirm if self.checked else None
        others = partial(foreign.applied, self, orders)
        return self.kernels.function(name, orders, self.threads, others, confirm)

    def _confirm(self, dtype: type) -> None:
        """Verify the functions of a type before they are first used, as the others were."""
        checking.verify(replace(self, checked=False), dtype)

    def _repr_html_(self) -> str:
        threads = "as many threads as pay" if self.threads is None else f"threads: {self.threads}"
        said = (
            f"{self.network.describe()}; derivatives up to order {self.order}, backend "
            f"{self.backend}, {threads}; a point takes {self.cost.multiply_adds} multiply-adds and "
            f"{self.cost.activations} evaluations of an activation"
        )
        return showing.paragraph(said, "compiled:") + showing.folded("source", self.source)

    def __dask_tokenize__(self) -> tuple[Any, ...]:
        numbers = self.network.numeric().parameters.values()
        weights = tuple((array.shape, array.tobytes()) for array in numbers)
        return self.backend, self.order, self.source, repr(self.network.nodes), weights

    def __hash__(self) -> int:
        return hash((self.network, self.order, self.backend, self.threads))

    def __reduce__(self) -> tuple[Any, ...]:
        # Functions that were bound belong to this process.
        return Compiled, tuple(getattr(self, f.name) for f in fields(self))


@contextmanager
def _uncollected() -> Iterator[None]:
    """The collector of cyclic garbage stands still, unless it does so anyway.

    A Program and its text are many new objects that stay and none that is garbage, and at each
    quarter more of them the collector looks through all that there are: a fifth of the time. What
    was made counts as old afterwards, which saves it a last look.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if not gc.get_freeze_count():  # or what the user has frozen would thaw
            gc.freeze()
            gc.unfreeze()
        if collecting:
            gc.enable()


def compiled(
    network: Network, order: int, backend: str = "numpy", threads: int | None = None
) -> Compiled:
    """`network`'s derivatives up to `order` as functions, not yet checked.

    ValueError when a weight is symbolic, for a backend that does not exist, and for fewer than
    one thread.
    """
    if backend not in BACKENDS:
        raise ValueError(f"no backend {backend!r}; there are {' and '.join(BACKENDS)}")
    threads = None if threads is None else whole(threads, "threads", 1)
    with _uncollected():
        chosen = choices(network, order)
        kernels = BACKENDS[backend](network, chosen)
    return Compiled(network, order, backend, chosen[together_name(order)].cost, threads, kernels)
