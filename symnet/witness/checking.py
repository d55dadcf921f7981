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
from symnet.network.mistaken import unlike
from symnet.progress import part, warn
from symnet.witness import calls, directions, places, sampling
from symnet.witness.comparing import Checkable, CheckError, Comparison, Truth, worst
from symnet.witness.exact import against_digits

__all__ = ["CheckError", "Comparison", "Report", "check", "verify"]

Array = NDArray[Any]

_NARROW = 64  # neurons a layer of the network that `verify` takes many points or digits for
_SEVERAL = 4  # times as many of these as 50-digit arithmetic gets


class Generated(Checkable, Protocol):
    """What can be verified before it is handed out: it knows its network, and narrower ones.

    `types` are those it computes in, and `texts` those for which it has a text of its own, the
    first of them compiled. `crowded(threads, points)` is the same function on so many threads, in
    several blocks of so many points, `crowd` the number of points that takes them. `teams` are the
    numbers of threads at which a method runs differently from others. Where it is `lone`, single
    points have functions of their own.
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
    def crowded(self, threads: int, points: int) -> Checkable: ...


@dataclass(frozen=True)
class Report:
    """All comparisons of one function, and notes on what was left out of them."""

    network: str
    comparisons: tuple[Comparison, ...]
    notes: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether every comparison is within its tolerance, and anything could be compared."""
        within = all(comparison.ok for comparison in self.comparisons)
        return within and any(comparison.points for comparison in self.comparisons)

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

    _repr_pretty_ = showing.pretty

    def _repr_html_(self) -> str:
        head = ["what", "against", "points", "worst error", "allowed", "verdict"]
        rows = [
            [
                *(c.what, c.against, str(c.points)),
                *(f"{c.error:.1e}", f"{c.tolerance:.1e}", c.verdict),
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
    compared, and a direction in which all take part; `notes` of the Report say so. ValueError for a
    function of other inputs or outputs, when a weight is symbolic, and for an activation that would
    be refused by `compile`; TypeError for what is no network. What is finite at no point fails.
    """
    _check_pair(network, function)
    for node in network.nodes:
        if node.activation is not None:
            node.activation.forms(function.order)  # the judge of what is compiled
    random = np.random.default_rng(seed)
    points = places.many(network, function.order, random)
    few = places.in_digits(network)
    ordinary = sampling.ordinary(network, random, few)
    several = min(_SEVERAL * few, calls.room(network, function.order))
    farther, beyond = (sampling.far(network, random, several, k) for k in places.FARTHER)
    nearer = np.concatenate([ordinary, farther])
    end = 0.7 if digits else 1.0
    with part(0.0, 0.3 * end):
        along = directions.chosen(network, function.order, random)
        truth = calls.true(network, points, function, along=along)
        usual = calls.true(network, ordinary, function, along=along)
    with part(0.3 * end, end):
        comparisons = [*calls.together(function, truth), *calls.singly(function, truth)]
        comparisons += calls.crowd(function, usual)
        for other in (t for t in getattr(function, "types", ()) if t != np.float64):
            comparisons += calls.in_type(function, network, nearer, beyond, other)
    found = [*_by_order(comparisons), *truth.nowhere()]
    if digits:
        with part(end, 1.0):
            found += against_digits(usual, function, random)
    notes = (*_left_out(network, along), *_unknown(truth))
    return Report(network.describe(), tuple(found), notes)


def _check_pair(network: object, function: Checkable) -> None:
    """TypeError for what is no network or no functions, ValueError for those of another size."""
    if not isinstance(network, Network):
        raise TypeError(f"check(network, function): a Network is needed, got {unlike(network)}")
    if not hasattr(function, "derivative"):  # as a Derivation has none
        raise TypeError(
            "check(network, function): what derive(network).compile() gives is needed, got "
            f"{type(function).__name__}"
        )
    own = getattr(function, "network", network)
    if (own.n, own.m) != (network.n, network.m):
        raise ValueError(
            f"check(network, function): the function is of {own.n} inputs and {own.m} outputs, "
            f"the network of {network.n} and {network.m}"
        )


def _left_out(network: Network, along: Array | None) -> tuple[str, ...]:
    if along is None:
        return ()
    return (
        f"derivatives by {along.shape[1] - 1} of the {network.n} inputs were compared, and along "
        "a direction in which all take part",
    )


def _unknown(truth: Truth) -> tuple[str, ...]:
    lost = int(np.sum(~truth.known))
    if not lost:
        return ()
    return (
        f"at {lost} of {len(truth.points)} points rounding leaves nothing of what a neuron's "
        "activation is of; nothing was compared there",
    )


def verify(function: Generated, dtype: Any = None) -> None:
    """Raise CheckError unless all of `function`'s methods agree with the analytic engine.

    A quick check, for functions about to be handed out: each method at a few points, ordinary
    and far out, at full size, and at many points of the leading neurons. Orders above the second,
    which the analytic engine does not know, are compared with 50-digit arithmetic. In the types
    that need no more compilation, or in the given one alone, single points included. A warning to
    the logger "symnet" names what could be compared at no point.
    """
    random = np.random.default_rng(0)
    network = function.network
    points = places.few(network, function.order, random)
    if dtype is not None:
        _demand_in_type(function, points, dtype)
        return
    truth = calls.true(network, points.all, function, quick=True)
    narrow, small, narrower = function.narrowed(_NARROW), points, truth
    if narrow.network is not network:
        small = places.few(narrow.network, narrow.order, random)
        narrower = calls.true(narrow.network, small.all, narrow, quick=True)
    if narrow is function:
        compared = list(calls.together(function, truth))
    else:
        compared = list(calls.at_once(function, truth, len(points.all)))
        _demand(calls.together(narrow, narrower))
    _demand(compared)
    lost = _uncompared(compared)
    _tell(network, lost)
    if not function.lone:
        _demand(calls.singly(narrow, narrower))
    _demand(calls.crowd(narrow, narrower))
    for other in (t for t in function.types if t not in function.texts):
        _demand_in_type(narrow, small, other, lost)
    if function.order > 2:
        _demand(against_digits(narrower.part(small.some), narrow, random))


def _demand_in_type(
    function: Generated, points: places.Few, dtype: Any, told: Sequence[str] = ()
) -> None:
    """What is `told` to be lost in double precision is not told again."""
    network = function.network
    compared = list(calls.in_type(function, network, points.near, points.beyond, dtype, True))
    _demand(compared)
    lost = [quantity for quantity in _uncompared(compared) if quantity not in told]
    _tell(network, lost, f" in {np.dtype(dtype)}")


def _uncompared(comparisons: Sequence[Comparison]) -> list[str]:
    """The quantities of which no point was compared, the value first."""
    least = dict.fromkeys((c.quantity for c in comparisons), 0)
    for comparison in comparisons:
        least[comparison.quantity] += comparison.points
    # The highest order is the first that is compared.
    return [quantity for quantity, points in reversed(least.items()) if not points]


def _tell(network: Network, lost: Sequence[str], kind: str = "") -> None:
    if lost:
        warn(
            f"{network.describe()}: {', '.join(lost)} could be compared at no point{kind}: "
            "rounding leaves nothing of what an activation is of, or results are not finite"
        )


def _demand(comparisons: Sequence[Comparison] | Iterator[Comparison]) -> None:
    for comparison in comparisons:
        if not comparison.ok:
            raise CheckError(
                f"a generated function failed its check; please report it: {comparison}"
            )


def _by_order(comparisons: Sequence[Comparison]) -> list[Comparison]:
    """The worst comparison of each order in each precision."""
    rows: dict[Any, list[Comparison]] = {}
    for comparison in comparisons:
        kind = comparison.quantity, comparison.against, comparison.tolerance
        rows.setdefault(kind, []).append(comparison)
    return [replace(worst(row), points=max(c.points for c in row)) for row in rows.values()]
