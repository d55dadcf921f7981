"""The points at which generated text tests itself.

They are ordinary ones, the first of them always; where other points let the activations' forms take
branches that these do not reach, such as z >= 0 and |z| > 40 of GELU, those take their places: also
branches inside of functions that some languages lack, such as erf near 0. Single precision is as
good there, in which numbers end at 3e38 and the square of 1e-20 is nearly nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from sympy import Expr, Piecewise, Symbol
from sympy.core.function import AppliedUndef, Function
from sympy.core.relational import Relational

from symnet.activations import Activation, Z
from symnet.activations.arithmetic import in_steps
from symnet.compiling import Compiled
from symnet.lowering import elementary
from symnet.network import Network
from symnet.witness import analytic, sampling
from symnet.witness.units import units

Array = NDArray[Any]
_Branches: TypeAlias = tuple[Sequence[tuple[Any, Expr]], list[Expr]]
_Region: TypeAlias = tuple[object, ...]

_POINTS = 3
_FACTORS = (1.0, 4.0, 20.0, 100.0)  # how far out other points are
_EACH = 16  # of them
ROUNDING = {
    "double": 2**13 * float(np.finfo(np.float64).eps),
    "float": 2**10 * float(np.finfo(np.float32).eps),
}
"""By precision, an allowed error in multiples of the terms' size: other machines round otherwise.

Single precision's own sums are longer for its digits.
"""

_LARGER = 100.0  # times the terms of ordinary points: more would excuse errors at these


def direction_of(network: Network) -> Array:
    """A direction (n,) in the inputs' own units, in which all differ and each takes part."""
    step = units(network).step / (1 + np.arange(network.n) % 7)
    return np.array([float(f"{x:.4g}") for x in step.tolist()])


def chosen(function: Compiled, order: int) -> Array:
    """Points (N, n) for `function`, `exact`, that reach as many branches as can be found.

    Those of derivatives up to `order`, at most the second.
    ValueError where the network is not finite at ordinary points.
    """
    network = function.network
    points = exact(ordinary_points(network))
    low = min(order, 2)
    named = network.activations.items()
    branches = {name: found for name, own in named if (found := _branches(own, low))[1]}
    if not branches:
        return points
    sets = [points]
    random = np.random.default_rng(1)
    for factor in _FACTORS:
        others = exact(rounded(sampling.far(network, random, _EACH, factor)))
        others = others[sampling.clear(network, others, float(np.finfo(np.float32).eps))]
        sets.append(_covering(function, low, points, others, branches))
    counts = [len(set().union(*_reached(network, own, branches))) for own in sets]
    return sets[int(np.argmax(counts))]


def _covering(
    function: Compiled,
    order: int,
    points: Array,
    others: Array,
    branches: Mapping[str, _Branches],
) -> Array:
    """The first of the points, and such of both as reach the most new branches each."""
    network = function.network
    pool = np.concatenate([points, others])
    reached = _reached(network, pool, branches)
    largest = np.array([size.max() for size in _along(network, points)[1]])
    taken = [0]
    while len(taken) < len(points):
        known = set().union(*(reached[k] for k in taken))
        new = [float(len(regions - known)) for regions in reached]
        new[len(taken)] += 0.5  # the ordinary one whose place it would take
        best = int(np.argmax(new))
        if best < len(points) or _is_like(function, order, pool[best], largest):
            taken.append(best)
        else:
            reached[best] = set()
    return pool[taken]


def ordinary_points(network: Network, count: int = _POINTS) -> Array:
    """Points (count, n) of `sampling.ordinary`, rounded to 4 digits.

    Closer together where the network overflows or is not defined; ValueError when nothing helps.
    """
    points = sampling.ordinary(network, np.random.default_rng(0), count)
    along = direction_of(network)[:, None]  # each entry takes part
    centre = np.mean(points, axis=0)
    for factor in (1, 0.1, 0.01, 0):
        nearer = rounded(centre + factor * (points - centre))
        known, sizes = analytic.measured(network, nearer, 2, along)
        if all(np.isfinite(part).all() for part in (*known, *sizes)):
            return nearer
    centre = tuple(nearer[0].tolist())
    raise ValueError(f"{network.describe()}: its value or partials are not finite even at {centre}")


def exact(points: Array) -> Array:
    """Points that are exact in either precision, where single precision has such numbers."""
    with np.errstate(over="ignore", under="ignore"):
        single = points.astype(np.float32).astype(np.float64)
    held = np.isfinite(single) & (np.abs(single) >= np.finfo(np.float32).tiny)
    return np.where(held, single, points)


def rounded(points: Array) -> Array:
    """Points of 4 digits."""
    return np.array([[float(f"{x:.4g}") for x in row] for row in points.tolist()])


def _along(network: Network, points: Array) -> tuple[Sequence[Array], Sequence[Array]]:
    """Value, first and second derivatives along a direction, (N, m), and the sizes of terms."""
    known, sizes = analytic.measured(network, points, 2, direction_of(network)[:, None])
    shape = len(points), network.m
    return [part.reshape(shape) for part in known], [part.reshape(shape) for part in sizes]


def _is_like(function: Compiled, order: int, point: Array, largest: Array) -> bool:
    """Whether nothing is much larger there, and single precision right up to the order."""
    known, sizes = _along(function.network, point[None])
    finite = all(np.isfinite(part).all() for part in known)
    larger = any(size.max() > _LARGER * most for size, most in zip(sizes, largest, strict=True))
    return finite and not larger and right_in_single(function, order, point)


def right_in_single(function: Compiled, order: int, point: Array) -> bool:
    """Whether single precision gives what double does at a point (n,), up to the second order."""
    known, sizes = _along(function.network, point[None])
    with np.errstate(over="ignore", under="ignore"):
        single = point[None].astype(np.float32)
    direction = direction_of(function.network)
    for r in range(min(order, 2) + 1):
        found = function.derivative(r, single)
        for _ in range(r):
            found = found @ direction
        allowed = ROUNDING["float"] * sizes[r] + float(np.finfo(np.float32).tiny)
        if not (np.abs(found - known[r]) <= allowed).all():
            return False
    return True


# --- branches -----------------------------------------------------------------------------------


def _branches(activation: Activation, order: int) -> _Branches:
    """Temporaries, and for each comparison that chooses among forms 1 where it holds, else 0."""
    shared, results = activation.forms(order).only(tuple(range(order + 1)))
    lines = [*(definition for _, definition in shared), *results]
    inner, tests = _inside(lines)
    tests |= _comparisons(lines)
    return [*shared, *inner], [Piecewise((1, test), (0, True)) for test in sorted(tests, key=str)]


def _inside(lines: Iterable[Expr]) -> tuple[list[tuple[Any, Expr]], set[Relational]]:
    """Temporaries and comparisons of the functions that lines call and some texts define."""
    shared: list[tuple[Any, Expr]] = []
    tests: set[Relational] = set()
    calls = set().union(*(line.atoms(Function, AppliedUndef) for line in lines))
    for k, call in enumerate(sorted(calls, key=str)):
        name = type(call).__name__.lower()
        if name not in elementary.NAMES:
            continue
        own = elementary.own(name)
        names = {s: Symbol(f"{s}_{name}{k}", real=True) for s in (Z, *dict(own.shared))}
        steps = [(names[Z], call.args[0])]
        steps += [(names[symbol], step.xreplace(names)) for symbol, step in own.shared]
        inner = _comparisons([step for _, step in steps[1:]])
        inner |= _comparisons([result.xreplace(names) for result in own.results])
        shared += _used(steps, inner)
        tests |= inner
    return shared, tests


def _comparisons(lines: Iterable[Expr]) -> set[Relational]:
    return set().union(*(line.atoms(Relational) for line in lines))


def _used(steps: Sequence[tuple[Any, Expr]], tests: Iterable[Relational]) -> list[tuple[Any, Expr]]:
    """The temporaries that comparisons depend on."""
    needed = set().union(*(test.free_symbols for test in tests))
    kept: list[tuple[Any, Expr]] = []
    for symbol, step in reversed(steps):
        if symbol in needed:
            kept.insert(0, (symbol, step))
            needed |= step.free_symbols
    return kept


def _reached(
    network: Network, points: Array, branches: Mapping[str, _Branches]
) -> list[set[_Region]]:
    """For each of the points, the combinations of comparisons that its neurons make true."""
    found: list[set[_Region]] = [set() for _ in points]
    for node, z in zip(network.nodes, analytic.preactivations(network, points), strict=True):
        if node.activation is not None and node.activation.name in branches:
            name = node.activation.name
            table = np.stack(in_steps(*branches[name], z), axis=-1)
            for regions, row in zip(found, table, strict=True):
                regions |= {(name, *truths) for truths in np.unique(row, axis=0).tolist()}
    return found
