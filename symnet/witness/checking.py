"""Checks of what is handed out: against the analytic engine, and against 50-digit arithmetic.

Every method is compared, of every order, at one point, at a few, and at so many that blocks,
the last and partial one, and a second thread all take part.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from symnet import showing
from symnet.network import Network
from symnet.progress import part, steps
from symnet.witness import digits, directions, sampling
from symnet.witness.comparing import CheckError, Comparison, Truth, tolerance, worst
from symnet.witness.units import units

__all__ = ["CheckError", "Comparison", "Report", "check", "sample", "verify"]

Array = NDArray[Any]

MANY_WEIGHTS = 20_000  # from here on, 50-digit arithmetic takes seconds a point
_ENTRIES = 2**26  # products that the analytic engine may take for the ordinary points
_NARROW = 64  # neurons a layer of the network that `verify` takes many points or digits for
_CROWD = 1031  # points of a call with many: more than two blocks of any kernel, the last partial
_AFFORDED = 2**19  # entries of the highest order in one call
_NOISE = 1e-100  # of the value, below which the differences in 50 digits are none of a derivative
_CROWDED, _FEWEST = 2**30, 4  # products that a call with many points may take, or so many points
_TINY = 1e-140  # below this, terms lose digits to underflow and there is nothing to compare


class Checkable(Protocol):
    """What can be checked: a compiled network, or anything with its interface."""

    @property
    def order(self) -> int: ...
    def __call__(self, X: Any) -> tuple[Array, ...]: ...
    def derivative(self, order: int, X: Any) -> Array: ...


class Generated(Checkable, Protocol):
    """What can be verified before it is handed out: it knows its network, and narrower ones.

    `types` are those it computes in, and `texts` those for which it has a text of its own, the
    first of them compiled. `crowded(threads)` is the same function on so many threads, in small
    blocks, `crowd` the number of points that takes several of them. `teams` are the numbers of
    threads at which a method runs differently from others. Where it is `lone`, single points have
    functions of their own.
    """

    @property
    def network(self) -> Network: ...
    @property
    def lone(self) -> bool: ...
    @property
    def types(self) -> Sequence[Any]: ...
    @property
    def texts(self) -> Sequence[Any]: ...
    @property
    def teams(self) -> Sequence[int]: ...
    @property
    def crowd(self) -> int: ...
    def narrowed(self, width: int) -> Generated: ...
    def crowded(self, threads: int) -> Checkable: ...


@dataclass(frozen=True)
class Report:
    """All comparisons of one function, and notes on what was left out of them."""

    network: str
    comparisons: tuple[Comparison, ...]
    notes: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether every comparison is within its tolerance."""
        return all(comparison.ok for comparison in self.comparisons)

    @property
    def worst(self) -> Comparison:
        """The comparison with the largest error for its tolerance."""
        return worst(self.comparisons)

    @property
    def points(self) -> int:
        """How many points were compared with the analytic engine."""
        return max(comparison.points for comparison in self.comparisons)

    def __str__(self) -> str:
        heading = f"check of {self.network}: {'ok' if self.ok else 'FAILED'}"
        allowed = sorted({comparison.tolerance for comparison in self.comparisons})
        shown = " (double) and ".join(f"{tolerance:.1e}" for tolerance in allowed)
        limit = f"errors relative to the size of the terms; allowed {shown}"
        limit += " (float32)" * (len(allowed) > 1)
        said = [f"  {line}" for line in (*self.comparisons, limit, *self.notes)]
        return "\n".join([heading, *said])

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
        notes = (showing.paragraph(note, "note:") for note in self.notes)
        return "".join(
            [showing.paragraph(said, verdict), showing.table(head, rows, left=2), *notes]
        )


def check(network: Network, function: Checkable, *, seed: int = 0, digits: bool = True) -> Report:
    """Compare `function` with two independent witnesses of `network`.

    Against `analytic`, every entry of the value, the Jacobian and the Hessian, on ordinary,
    large and extreme points and on both sides of kinks, by each method and by f(X), in both
    precisions, of one, some and many points; against 50-digit arithmetic, derivatives of every
    order along random directions, to which each entry contributes. `digits=False` leaves that
    out, which takes some 10 s for a million weights. Of many inputs and neurons some inputs are
    compared, and a direction in which all take part; `notes` of the Report say so. ValueError when
    a weight is symbolic, and for an activation that would be refused by `compile`. What is finite
    at no point fails.
    """
    for node in network.nodes:
        if node.activation is not None:
            node.activation.forms(function.order)  # the judge of what is compiled
    random = np.random.default_rng(seed)
    points = sample(network, random)
    ordinary = sampling.ordinary(network, random, in_digits(network))
    end = 0.7 if digits else 1.0
    with part(0.0, 0.3 * end):
        along = directions.chosen(network, function.order, random)
        truth = _truth(network, _afforded(network, function, points), function, along=along)
        usual = _truth(network, ordinary, function, along=along)
    with part(0.3 * end, end):
        comparisons = [*_calls(function, truth), *_calls(function, truth, single=True)]
        comparisons += _crowd(function, usual)
        for other in (t for t in getattr(function, "types", ()) if t != np.float64):
            comparisons += _in_type(function, network, ordinary, other)
    found = [*_by_order(comparisons), *truth.nowhere()]
    if digits:
        with part(end, 1.0):
            found += against_digits(usual, function, random)
    return Report(network.describe(), tuple(found), _left_out(network, along))


def _left_out(network: Network, along: Array | None) -> tuple[str, ...]:
    if along is None:
        return ()
    return (
        f"derivatives by {along.shape[1] - 1} of the {network.n} inputs were compared, and along "
        "a direction in which all take part",
    )


def verify(function: Generated, dtype: Any = None) -> None:
    """Raise CheckError unless all of `function`'s methods agree with the analytic engine.

    A quick check, for functions about to be handed out: each method at a few points, ordinary
    and far out, at full size, and at many points of the leading neurons. Orders above the second,
    which the analytic engine does not know, are compared with 50-digit arithmetic. In the types
    that need no more compilation, or in the given one alone, single points included.
    """
    random = np.random.default_rng(0)
    network = function.network
    points = _afforded(network, function, _few(network, random))
    narrow = function.narrowed(_NARROW)
    small = points if narrow.network is network else _few(narrow.network, random)
    if dtype is not None:
        _demand(_in_type(function, network, points[:2], dtype))
        return
    truth = _truth(network, points, function, quick=True)
    narrower = truth if narrow is function else _truth(narrow.network, small, narrow, quick=True)
    _demand(_calls(function, truth))
    if not function.lone:
        _demand(_calls(narrow, narrower, single=True))
    _demand(_crowd(narrow, narrower))
    for other in (t for t in function.types if t not in function.texts):
        _demand(_in_type(narrow, narrow.network, small[:2], other))
    if function.order > 2:
        one = _truth(narrow.network, small[:1], narrow, quick=True)
        _demand(against_digits(one, narrow, random))


def _demand(comparisons: Sequence[Comparison] | Iterator[Comparison]) -> None:
    for comparison in comparisons:
        if not comparison.ok:
            raise CheckError(
                f"a generated function failed its check; please report it: {comparison}"
            )


def sample(network: Network, random: np.random.Generator) -> Array:
    """Points (N, n) to check at: ordinary, large, extreme, and beside kinks."""
    points = sampling.ever_farther(network, random, _counts(network))
    if not network.kinks:
        return points
    return np.concatenate([points, sampling.beside_kinks(network, random)])


def _counts(network: Network) -> dict[float, int]:
    """How many points are taken at each distance."""
    count = int(np.clip(_ENTRIES // (max(network.weights_count, 1) * network.n**2), 4, 64))
    return {1.0: count, 10.0: count // 2, 1e4: count // 4}


def sampled(network: Network, order: int) -> int:
    """At how many points derivatives up to `order` are compared at most."""
    beside = 2 * sampling.PAIRS if network.kinks else 0
    return min(sum(_counts(network).values()) + beside, _room(network, order))


def in_digits(network: Network) -> int:
    """At how many points 50-digit arithmetic is the witness."""
    return 3 if network.weights_count <= MANY_WEIGHTS else 1


def _few(network: Network, random: np.random.Generator) -> Array:
    """Two ordinary points, one farther out and one very far."""
    return sampling.ever_farther(network, random, {1.0: 2, 10.0: 1, 1e4: 1})


# --- calls --------------------------------------------------------------------------------------


def _truth(
    network: Network,
    points: Array,
    function: Checkable,
    quick: bool = False,
    along: Array | None = None,
) -> Truth:
    if along is None:
        along = directions.chosen(network, function.order, np.random.default_rng(0))
    truth = Truth.of(network, points, function.order, quick, along)
    return truth if function.order <= 2 else truth.extended(function(points)[3:])


def _afforded(network: Network, function: Checkable, points: Array) -> Array:
    """The points, or as many of them as the results of the highest order have room for."""
    return points[: _room(network, function.order)]


def _room(network: Network, order: int) -> int:
    return max(_FEWEST, _AFFORDED // (network.m * network.n**order))


def _crowded(network: Network, order: int) -> int:
    """How many points a call with many has at most, by what they take."""
    products = network.weights_count * network.n ** max(order - 1, 0)
    return max(_FEWEST, _CROWDED // max(1, products))


def _calls(function: Checkable, truth: Truth, single: bool = False) -> Iterator[Comparison]:
    """Each method, and f(X), at the points, or at the first of them alone."""
    points = truth.points[:1] if single else truth.points
    yield from _compared(function, truth, points, " at one point" if single else "")


def _compared(function: Checkable, truth: Truth, X: Array, where: str) -> Iterator[Comparison]:
    yield from _methods(function, truth, X, where)
    yield from _together(function, truth, X, where)


def _methods(
    function: Checkable, truth: Truth, X: Array, where: str, shift: int = 0
) -> Iterator[Comparison]:
    for order in range(function.order + 1):
        result = function.derivative(order, np.roll(X, shift, axis=0))
        name = f"derivative({order}, X){where}"
        yield truth.comparison(order, _in_order(result, shift), name)


def _together(
    function: Checkable, truth: Truth, X: Array, where: str, shift: int = 0
) -> Iterator[Comparison]:
    for order, result in enumerate(function(np.roll(X, shift, axis=0))):
        yield truth.comparison(order, _in_order(result, shift), f"f(X){where}")


def _in_order(result: Array, shift: int) -> Array:
    """The result of shifted points in their own order.

    Its memory is left full of NaN: the next call may be given it, and leave entries as they are.
    """
    if not shift:
        return result
    found = np.roll(result, -shift, axis=0)
    result.fill(np.nan)
    return found


def _crowd(
    function: Checkable, truth: Truth, points: Array | None = None, name: str = ""
) -> Iterator[Comparison]:
    """Each method at the points over and over, in several blocks, by one thread and by two."""
    X = truth.points if points is None else points
    X = X[np.arange(getattr(function, "crowd", _CROWD)) % len(X)]
    X = _afforded(truth.network, function, X)[: _crowded(truth.network, function.order)]
    crowded, teams = getattr(function, "crowded", None), getattr(function, "teams", ())
    if crowded is None:
        yield from _compared(function, truth, X, f"{name} at {len(X)} points")
        return
    for threads in (1, 2):
        subject, where = crowded(threads), f"{name} at {len(X)} points, {threads} threads"
        # Shifted, so that results left in the memory of the call before are none of this one's.
        if threads in teams:
            yield from _methods(subject, truth, X, where, threads)
        yield from _together(subject, truth, X, where, threads)


def _in_type(
    function: Checkable, network: Network, points: Array, dtype: Any
) -> Iterator[Comparison]:
    """Each method in another precision, at points that are numbers of it."""
    with np.errstate(over="ignore"):
        rounded = points.astype(dtype)
    truth = _truth(network, rounded.astype(np.float64), function, quick=True)
    name = f" of {np.dtype(dtype)}"
    yield from _compared(function, truth, rounded, name)
    if dtype in getattr(function, "texts", ()):
        yield from _compared(function, truth, rounded[:1], f"{name} at one point")
        yield from _crowd(function, truth, rounded, name)


def _by_order(comparisons: Sequence[Comparison]) -> list[Comparison]:
    """The worst comparison of each order in each precision."""
    rows: dict[Any, list[Comparison]] = {}
    for comparison in comparisons:
        kind = comparison.quantity, comparison.against, comparison.tolerance
        rows.setdefault(kind, []).append(comparison)
    return [replace(worst(row), points=max(c.points for c in row)) for row in rows.values()]


# --- 50 digits ----------------------------------------------------------------------------------


def against_digits(
    truth: Truth, function: Checkable, random: np.random.Generator
) -> list[Comparison]:
    """Directional derivatives Σ u_i u_j … ∂ʳy_p/∂x_i∂x_j… against 50-digit arithmetic.

    With f(t) = y(x + t u) for a random u in the inputs' own units, the r-th derivative of f at 0
    needs r + 1 values of the network only, whatever the number of inputs, and no rule of
    differentiation at all. Each output, f(X) and each method are compared, at the points of
    `truth`, which gives the sizes of their terms.
    """
    network, points = truth.network, truth.points
    value, step = digits.value(network), units(network).step
    found: list[list[Comparison]] = [[] for _ in range(function.order + 1)]
    for k, point in enumerate(steps(points)):
        dense = None if truth.directions is None else truth.directions[:, -1]
        u = random.uniform(0.5, 1.5, network.n) * step if dense is None else dense
        together = function(point)
        series = digits.along(value, point, u, function.order)
        for order, exact in enumerate(series):
            size = _size_along(truth, k, order, u) + _NOISE * np.abs(series[0])
            calls = {"f(X)": together[order]}
            calls[f"derivative({order}, X)"] = function.derivative(order, point)
            for call, result in calls.items():
                found[order].append(
                    _along(network, order, (point, u), exact, size, (call, result), len(points))
                )
    return [worst(comparisons) for comparisons in found]


def _size_along(truth: Truth, k: int, order: int, u: Array) -> Array:
    """The size of the terms of a directional derivative at the k-th point: (m,)."""
    if order <= 2 and truth.directions is not None:
        along: Array = truth.size(order)[k].reshape(truth.network.m, -1)
        return along[:, -1]  # u is the last direction
    size = truth.size(order)[k]
    for _ in range(order):
        size = size @ u
    return size


def _along(
    network: Network,
    order: int,
    line: tuple[Array, Array],
    exact: Array,
    size: Array,
    called: tuple[str, Array],
    points: int,
) -> Comparison:
    point, u = line
    call, result = called
    expected = (network.m, *(network.n,) * order)
    if result.shape != expected:
        raise CheckError(f"order {order} has shape {result.shape}, expected {expected}")
    got = result.astype(np.float64)
    for _ in range(order):
        got = got @ u
    with np.errstate(all="ignore"):
        errors = np.abs(got - exact) / (size + _TINY)
    unknown = np.isnan(exact) & np.isnan(got)  # `nowhere` says so where there is nothing else
    errors = np.where(unknown, 0.0, np.where(np.isnan(errors), np.inf, errors))
    output = int(np.argmax(errors))
    return Comparison(
        quantity=f"order {order}",
        against=f"{digits.DIGITS}-digit arithmetic",
        points=points,
        error=float(errors[output]),
        entry=f"{network.output_names[output]} along a random direction",
        point=tuple(map(float, point)),
        tolerance=tolerance(result.dtype),
        call=call,
    )
