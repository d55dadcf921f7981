"""Comparisons of results with a witness, entry by entry, each relative to the size of its terms.

An entry that happens to cancel is so not blamed for its terms' rounding, and a small one, of
inputs or outputs in large units, is not excused by its neighbours.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from symnet.names import text_partial
from symnet.network import Network
from symnet.witness import analytic, sampling
from symnet.witness.directions import contracted
from symnet.witness.units import units

Array = NDArray[Any]

ANALYTIC = "analytic chain rule"
ITSELF = "its other functions"

_ULPS = 2**13  # allowed error in units of the result's rounding: about 2e-12 in double precision
_SHOWN = 4  # coordinates of a point that a report shows

_QUANTITIES = ("value", "jacobian", "hessian")


class Checkable(Protocol):
    """What can be checked: a compiled network, or anything with its interface."""

    @property
    def order(self) -> int: ...
    def __call__(self, X: Any) -> tuple[Array, ...]: ...
    def derivative(self, order: int, X: Any) -> Array: ...


class CheckError(RuntimeError):
    """A generated function disagrees with the independent engine."""


@dataclass(frozen=True)
class Comparison:
    """The worst disagreement of one order of derivative with one witness.

    error: relative to the size of the terms; entry and point: where; points: how many were
    compared, 0 where nothing could be; against: the witness; call: the function that gave it, and
    at how many points.
    """

    quantity: str
    against: str
    points: int
    error: float
    entry: str
    point: tuple[float, ...]
    tolerance: float
    call: str = ""

    @property
    def what(self) -> str:
        """`jacobian derivative(1, X) of float32 at 4 points`"""
        return f"{self.quantity} {self.call}".rstrip()

    @property
    def ok(self) -> bool:
        return self.error <= self.tolerance

    @property
    def weight(self) -> float:
        """The error in parts of what is allowed."""
        return self.error / self.tolerance

    @property
    def verdict(self) -> str:
        """`ok`, `WRONG`, or `none` where nothing could be compared."""
        return "WRONG" if not self.ok else "ok" if self.points else "none"

    def __str__(self) -> str:
        point = ", ".join(f"{x:.6g}" for x in self.point[:_SHOWN])
        point += ", …" if len(self.point) > _SHOWN else ""
        call = f" by {self.call}" if self.call else ""
        worst = f", worst {self.error:.1e} in {self.entry} at ({point})"
        found = "" if self.verdict == "none" else worst
        head = f"{self.verdict:5} {self.quantity:10} {self.against:23} {self.points:4} points"
        return f"{head}{found}{call}"


def missing(count: int) -> NDArray[np.intp]:
    """Which of so many rolled points have a NaN: one amid others, and the last."""
    return np.array([count // 2, count - 1])


def worst(comparisons: Iterable[Comparison]) -> Comparison:
    """The one with the largest error for its tolerance."""
    return max(comparisons, key=lambda comparison: comparison.weight)


@dataclass(frozen=True, eq=False)
class Truth:
    """What a witness gives at points (N, n), by order, and the size of the terms where asked.

    Orders above the second are those of a function itself, which another comparison confirms; the
    size of an entry is then its largest magnitude among the points, or that of the Hessian's terms,
    in the inputs' own units, where this is larger: what cancels in these cancels again. Where
    `quick`, sizes are not asked for as long as each entry is right relative to itself. Derivatives
    are along `directions` (n, k), see `witness.directions`, where these are given.
    """

    network: Network
    points: Array
    results: tuple[Array, ...]
    quick: bool = False
    directions: Array | None = None
    _sizes: dict[int, Array] = field(default_factory=dict, repr=False)

    @classmethod
    def of(
        cls,
        network: Network,
        points: Array,
        order: int,
        quick: bool = False,
        directions: Array | None = None,
    ) -> Truth:
        """The analytic engine's results up to `order`, at most the second."""
        asked = network, points, min(order, 2), directions
        if quick:
            return cls(network, points, analytic.derivatives(*asked), quick, directions)
        results, sizes = analytic.measured(*asked)
        known = dict(enumerate(sizes))
        return cls(network, points, results, directions=directions, _sizes=known)

    def extended(self, higher: Sequence[Array]) -> Truth:
        """With a function's own results of the orders above the second."""
        own = [contracted(found, r, self.directions) for r, found in enumerate(higher, start=3)]
        return replace(self, results=(*self.results, *own))

    def part(self, rows: Any) -> Truth:
        """The same at some of the points."""
        sizes = {order: size[rows] for order, size in self._sizes.items()}
        results = tuple(result[rows] for result in self.results)
        return replace(self, points=self.points[rows], results=results, _sizes=sizes)

    def size(self, order: int) -> Array:
        """The size of the terms of each entry."""
        if order not in self._sizes:
            if order <= 2:
                _, sizes = analytic.measured(self.network, self.points, order, self.directions)
                self._sizes.update(enumerate(sizes))
            else:
                magnitudes = np.abs(self.results[order])
                finite = np.where(np.isfinite(magnitudes), magnitudes, 0.0)
                usual = np.maximum(magnitudes, finite.max(axis=0))
                self._sizes[order] = np.maximum(usual, self._terms(order))
        return self._sizes[order]

    def _terms(self, order: int) -> Array:
        """About the size of the terms of a higher order, (N, m, n, …): the Hessian's a unit.

        Infinite where no double holds it; such entries are not compared.
        """
        terms, unit = self.size(2), self._unit
        with np.errstate(over="ignore", invalid="ignore"):
            found: Array = (terms * np.outer(unit, unit)).max(axis=(2, 3))
            for _ in range(order):
                found = found[..., None] / unit
        return found

    @property
    def _unit(self) -> Array:
        """The steps along which derivatives are taken, in which slopes are about 1."""
        if self.directions is not None:
            return np.ones(self.directions.shape[1])
        return units(self.network).step

    def _slopes(self, order: int) -> Array:
        """About the product of slopes that an entry has as a factor, (n, …)."""
        found = np.ones(())
        with np.errstate(over="ignore", under="ignore"):
            for _ in range(order):
                found = found[..., None] / self._unit
        return found

    @cached_property
    def known(self) -> Array:
        """The points at which rounding leaves something of each neuron's z."""
        return sampling.known(self.network, self.points, float(np.finfo(np.float64).eps))

    def comparison(self, order: int, result: Array, call: str = "", shift: int = 0) -> Comparison:
        """The worst entry of `result`, at these points over and over. CheckError for its shape.

        shift: by how many places the points were rolled, those at `missing` then made NaN.
        """
        reference = self.results[order]
        expected = (len(result), self.network.m, *(self.network.n,) * order)
        if result.shape != expected:
            raise CheckError(f"order {order} has shape {result.shape}, expected {expected}")
        kind, result = result.dtype, contracted(result, order, self.directions)
        result = self._in_order(order, result, shift) if shift else result
        if self.quick and _near(result, reference, tolerance(kind)):
            return self._named(order, result, 0.0, (0,) * result.ndim, call, kind)
        return self._entry_by_entry(order, result, call, kind)

    def _in_order(self, order: int, result: Array, shift: int) -> Array:
        """Results of rolled points; NaN is right, and nothing else, where a point has a NaN."""
        result = np.roll(result, -shift, axis=0)
        for row in (missing(len(result)) - shift) % len(result):
            right = self.results[order][row % len(self.points)]
            with np.errstate(over="ignore"):
                result[row] = right if np.isnan(result[row]).all() else np.inf
        return result

    def nowhere(self) -> Iterator[Comparison]:
        """A failed comparison for each order and output of which there was nothing to compare."""
        for order, reference in enumerate(self.results[:3]):
            finite = np.isfinite(reference).reshape(*reference.shape[:2], -1).any(axis=(0, 2))
            for output in np.flatnonzero(~finite):
                position = (0, output, *[0] * order)
                found = self._named(order, reference, float("inf"), position, "", np.float64)
                entry = f"{found.entry}, finite at no point: nothing to compare"
                yield replace(found, points=0, entry=entry)

    def _entry_by_entry(self, order: int, result: Array, call: str, kind: Any) -> Comparison:
        which = np.arange(len(result)) % len(self.points)
        reference, size = self.results[order][which], self.size(order)[which]
        limits, slopes = _limits(kind), self._slopes(order)
        with np.errstate(all="ignore"):
            comparable = np.isfinite(reference) & (size < limits.largest)
            comparable &= slopes * limits.largest > 1
            comparable &= ~(np.isnan(result) & self._overflown(order)[which])
            lost = ~np.isfinite(result)
            if limits.largest < np.inf and (lost & comparable).any():
                comparable &= ~(lost & (self._largest(order) >= limits.largest)[which])
            allowed = size + limits.tiny * np.maximum(1, slopes)
            error = np.abs(result - reference) / allowed
        error = np.where(comparable, np.where(np.isnan(error), np.inf, error), 0.0)
        if (error > tolerance(kind)).any():
            error[~self.known[which]] = 0.0
            with np.errstate(all="ignore"):
                lost = float(np.finfo(kind).tiny) * self._largest(order)[which] / allowed
            error /= 1 + np.where(np.isfinite(lost), lost, 0.0)
        position = np.unravel_index(np.argmax(error), error.shape)
        found = self._named(order, result, float(error[position]), position, call, kind)
        return found if comparable.any() else replace(found, points=0)

    def _overflown(self, order: int) -> Array:
        """Where another entry of the same point is infinite or NaN, (N, 1, …).

        The adjoint of one output multiplies every other one by 0, and 0·∞ is NaN.
        """
        finite = [np.isfinite(found) for found in self.results[: order + 1]]
        whole = [part.all(axis=tuple(range(1, part.ndim))) for part in finite]
        return ~np.logical_and.reduce(whole).reshape(-1, *[1] * (order + 1))

    def _largest(self, order: int) -> Array:
        """The largest factor or product of slopes, (N, 1, …).

        1/s of a share s = 1e-13 is a number of single precision, its second derivative 2/s³ none;
        nor is the square of a slope of 1e20, which inputs of 1e-20 have. Of z = 1e16, 2/z³ is 0
        there, and slopes of 1e14 that multiply it make a number of it in doubles.
        """
        found: Array = analytic.largest(self.network, self.points, order)
        return found.reshape(-1, *[1] * (order + 1))

    def _named(
        self,
        order: int,
        result: Array,
        error: float,
        position: Sequence[Any],
        call: str,
        kind: Any,
    ) -> Comparison:
        point, output, *along = map(int, position)
        return Comparison(
            quantity=_QUANTITIES[order] if order <= 2 else f"order {order}",
            against=ANALYTIC if order <= 2 else ITSELF,
            points=min(len(result), len(self.points)),
            error=error,
            entry=self._entry(output, along),
            point=tuple(map(float, self.points[point % len(self.points)])),
            tolerance=tolerance(kind),
            call=call,
        )

    def _entry(self, output: int, along: Sequence[int]) -> str:
        """`∂y/∂x1`; along the dense direction as well `∂y/∂x1 along a random direction`."""
        name, inputs = self.network.output_names[output], list(along)
        if self.directions is None:
            return text_partial(name, [self.network.input_names[i] for i in inputs])
        dense = self.directions.shape[1] - 1
        rows = [int(np.argmax(self.directions[:, k])) for k in inputs if k != dense]
        entry = text_partial(name, [self.network.input_names[i] for i in rows])
        return entry + " along a random direction" * (dense in inputs)


@dataclass(frozen=True)
class _Limits:
    """Sizes of terms beyond which a type's own range spoils the comparison."""

    tiny: float
    largest: float


def _limits(dtype: Any) -> _Limits:
    """Below `tiny` digits are lost to underflow, in factors and squares before the result.

    A factor so small may then be multiplied by large slopes; slopes whose product is below
    1/`largest` are lost themselves. In single precision a power before the result is 0 where that
    is 7e-30, as of 1/cosh(z)^4.
    """
    return _Limits(1e-26, 1e30) if dtype == np.float32 else _Limits(1e-140, np.inf)


def tolerance(dtype: Any) -> float:
    """The error that is put down to rounding, relative to the size of the terms."""
    return _ULPS * float(np.finfo(dtype).eps)


def _near(result: Array, reference: Array, allowed: float) -> bool:
    """Whether each entry is right relative to itself, which is less than its terms' size."""
    if result.shape[1:] != reference.shape[1:]:
        return False
    whole, rest = divmod(len(result), len(reference))
    limit = allowed * np.abs(reference)
    parts = [(result[: whole * len(reference)].reshape(whole, *reference.shape), slice(None))]
    parts.append((result[len(result) - rest :][None], slice(rest)))
    with np.errstate(invalid="ignore"):
        return all(
            bool((np.abs(part - reference[chosen]) <= limit[chosen]).all())
            for part, chosen in parts
        )
