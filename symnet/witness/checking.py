"""Checks of what is handed out: against the analytic engine, and against 50-digit arithmetic.

Errors are measured relative to the size of the terms that an entry is made of
(`analytic.scale`), so that an entry that happens to cancel is not blamed for its terms' rounding.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from symnet import showing
from symnet.names import partial_name
from symnet.network import Network
from symnet.witness import analytic, digits, sampling

Array = NDArray[Any]

ANALYTIC = "analytic chain rule"

_ULPS = 2**13  # allowed error in units of the result's rounding: about 2e-12 in double precision
_MANY_WEIGHTS = 20_000  # from here on, 50-digit arithmetic takes seconds a point
_SHOWN = 4  # coordinates of a point that a report shows
_ENTRIES = 2**26  # products that the analytic engine may take for the ordinary points
_NARROW = 64  # neurons a layer that `verify` looks at with every method
_TINY = 1e-140  # below this, terms lose digits to underflow and there is nothing to compare


class Checkable(Protocol):
    """What can be checked: a compiled network, or anything with its interface."""

    @property
    def order(self) -> int: ...
    def __call__(self, X: Any) -> tuple[Array, ...]: ...
    def derivative(self, order: int, X: Any) -> Array: ...


class Generated(Checkable, Protocol):
    """What can be verified before it is handed out: it knows its network, and narrower ones."""

    @property
    def network(self) -> Network: ...
    def narrowed(self, width: int) -> Generated: ...


class CheckError(RuntimeError):
    """A generated function disagrees with the independent engine."""


@dataclass(frozen=True)
class Comparison:
    """The worst disagreement of one order of derivative with one witness.

    error: relative to the size of the terms; entry and point: where; points: how many were
    compared; against: the witness.
    """

    quantity: str
    against: str
    points: int
    error: float
    entry: str
    point: tuple[float, ...]
    tolerance: float

    @property
    def ok(self) -> bool:
        return self.error <= self.tolerance

    def __str__(self) -> str:
        verdict = "ok" if self.ok else "WRONG"
        point = ", ".join(f"{x:.6g}" for x in self.point[:_SHOWN])
        point += ", …" if len(self.point) > _SHOWN else ""
        return (
            f"{verdict:5} {self.quantity:10} {self.against:23} {self.points:4} points, "
            f"worst {self.error:.1e} in {self.entry} at ({point})"
        )


@dataclass(frozen=True)
class Report:
    """All comparisons of one function."""

    network: str
    comparisons: tuple[Comparison, ...]

    @property
    def ok(self) -> bool:
        """Whether every comparison is within its tolerance."""
        return all(comparison.ok for comparison in self.comparisons)

    @property
    def worst(self) -> Comparison:
        """The comparison with the largest error for its tolerance."""
        return max(self.comparisons, key=lambda c: c.error / c.tolerance)

    @property
    def points(self) -> int:
        """How many points were compared with the analytic engine."""
        return max(comparison.points for comparison in self.comparisons)

    def __str__(self) -> str:
        heading = f"check of {self.network}: {'ok' if self.ok else 'FAILED'}"
        limit = f"errors relative to the size of the terms; allowed {self.worst.tolerance:.1e}"
        return "\n".join([heading, *(f"  {c}" for c in self.comparisons), f"  {limit}"])

    def _repr_html_(self) -> str:
        head = ["what", "against", "points", "worst error", "allowed", "verdict"]
        rows = [
            [
                *(c.quantity, c.against, str(c.points)),
                *(f"{c.error:.1e}", f"{c.tolerance:.1e}", "ok" if c.ok else "WRONG"),
            ]
            for c in self.comparisons
        ]
        said = f"check of {self.network}; errors relative to the size of the terms"
        verdict = "ok:" if self.ok else "FAILED:"
        return showing.paragraph(said, verdict) + showing.table(head, rows, left=2)


def check(network: Network, function: Checkable, *, seed: int = 0, digits: bool = True) -> Report:
    """Compare `function` with two independent witnesses of `network`.

    Against `analytic`, every entry of the value, the Jacobian and the Hessian, on ordinary,
    large and extreme points and on both sides of kinks; against 50-digit arithmetic, derivatives
    of every order along random directions, to which each entry contributes. `digits=False` leaves
    that out, which takes some 10 s for a million weights. ValueError when a weight is symbolic.
    """
    random = np.random.default_rng(seed)
    points = sample(network, random)
    comparisons = [
        against_analytic(network, order, points, function.derivative(order, points))
        for order in range(min(function.order, 2) + 1)
    ]
    if digits:
        few = 3 if network.weights_count <= _MANY_WEIGHTS else 1
        ordinary = sampling.ordinary(network, random, few)
        comparisons += against_digits(network, function, ordinary, random)
    return Report(network.describe(), tuple(comparisons))


def verify(function: Generated) -> None:
    """Raise CheckError unless all of `function`'s methods agree with the analytic engine.

    A quick check on a few ordinary points, for functions about to be handed out. Of a wide
    network each method is checked on the leading neurons, since the generated text knows no
    width, and all orders together at full size. Orders above the second, which the analytic
    engine does not know, are compared with 50-digit arithmetic.
    """
    random = np.random.default_rng(0)
    points = sampling.ordinary(function.network, random, 2)
    narrow = function.narrowed(_NARROW)
    for order in range(min(function.order, 2) + 1):
        _confirm(narrow.network, order, points, narrow.derivative(order, points))
    for subject in {id(f): f for f in (narrow, function)}.values():
        for order, result in enumerate(subject(points[:1])[:3]):
            _confirm(subject.network, order, points[:1], result)
    if function.order > 2:
        for comparison in against_digits(narrow.network, narrow, points[:1], random):
            _demand(comparison)


def _confirm(network: Network, order: int, points: Array, result: Array) -> None:
    """CheckError where `result` is off; looks at single entries only if a quick look is not enough.

    The quick look: the largest difference is small beside the largest entry.
    """
    reference = _WITNESS[order](network, points)
    limit = 1e-13 * np.max(np.abs(reference), initial=0.0)
    with np.errstate(invalid="ignore"):
        if result.shape == reference.shape and np.max(np.abs(result - reference)) <= limit:
            return
    _demand(against_analytic(network, order, points, result))


def _demand(comparison: Comparison) -> None:
    if not comparison.ok:
        raise CheckError(f"a generated function failed its check; please report it: {comparison}")


def sample(network: Network, random: np.random.Generator) -> Array:
    """Points (N, n) to check at: ordinary, large, extreme, and beside kinks."""
    count = int(np.clip(_ENTRIES // (max(network.weights_count, 1) * network.n**2), 4, 64))
    groups = [
        sampling.ordinary(network, random, count),
        sampling.far(network, random, count // 2, 10.0),
        sampling.far(network, random, count // 4, 1e4),
    ]
    if network.kinks:
        groups.append(sampling.beside_kinks(network, random))
    return np.concatenate(groups)


_WITNESS = (analytic.value, analytic.jacobian, analytic.hessian)


def against_analytic(network: Network, order: int, points: Array, result: Array) -> Comparison:
    """The worst entry of one order's `result` at `points` (N, n), against the analytic engine."""
    reference = _WITNESS[order](network, points)
    if result.shape != reference.shape:
        raise CheckError(f"order {order} has shape {result.shape}, expected {reference.shape}")
    scale = analytic.scale(network, points, order)
    representable = np.isfinite(reference) & np.isfinite(scale)
    with np.errstate(all="ignore"):
        error = np.abs(result - reference) / (scale + _TINY)
    error = np.where(representable, np.where(np.isnan(error), np.inf, error), 0.0)
    position = np.unravel_index(np.argmax(error), error.shape)
    point, output, *inputs = map(int, position)
    names = [network.inputs[i].name for i in inputs]
    return Comparison(
        quantity=("value", "jacobian", "hessian")[order],
        against=ANALYTIC,
        points=len(points),
        error=float(error[position]),
        entry=partial_name(network.outputs[output].name, names),
        point=tuple(map(float, points[point])),
        tolerance=_ULPS * float(np.finfo(result.dtype).eps),
    )


def against_digits(
    network: Network, function: Checkable, points: Array, random: np.random.Generator
) -> list[Comparison]:
    """Directional derivatives Σ e_p u_i u_j … ∂ʳy_p/∂x_i∂x_j… against 50-digit arithmetic.

    With f(t) = e·y(x + t u) for random e and u, the r-th derivative of f at 0 needs r + 1 values
    of the network only, whatever the number of inputs, and no rule of differentiation at all.
    """
    value = digits.value(network)
    worst = [(-1.0, points[0])] * (function.order + 1)
    for point in points:
        e, u = random.uniform(0.5, 1.5, network.m), random.uniform(0.5, 1.5, network.n)
        truth = digits.along(value, e, point, u, function.order)
        results = function(point)
        for order, (result, exact) in enumerate(zip(results, truth, strict=True)):
            got = size = result
            size = analytic.scale(network, point, order) if order <= 2 else np.abs(result)
            for _ in range(order):
                got, size = got @ u, size @ u
            error = abs(float(e @ got - exact)) / (float(e @ size) + _TINY)
            worst[order] = max(worst[order], (error, point), key=lambda pair: pair[0])
    return [
        Comparison(
            quantity=f"order {order}",
            against=f"{digits.DIGITS}-digit arithmetic",
            points=len(points),
            error=error,
            entry="a random direction",
            point=tuple(map(float, point)),
            tolerance=_ULPS * float(np.finfo(np.float64).eps),
        )
        for order, (error, point) in enumerate(worst)
    ]
