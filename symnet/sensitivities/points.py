"""Points at which sensitivities are taken, checked, and functions applied to them in blocks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symnet.compiling import Compiled
from symnet.derivation import Derivation
from symnet.foreign import named, real
from symnet.names import shortened
from symnet.network import Network
from symnet.network.mistaken import unlike

Array = NDArray[np.float64]

_ENTRIES = 2**21  # of a block's results at most: 16 MB


def network_of(what: Network | Derivation) -> Network:
    """The network itself, or the one of a Derivation. TypeError for anything else."""
    found = what.network if isinstance(what, Derivation) else what
    if not isinstance(found, Network):
        raise TypeError(f"a Network or a Derivation is needed, got {unlike(what)}")
    return found


def checked(network: Network, X: Any) -> Array:
    """X as an array (N, n) of its own, of what has names the columns of the inputs' names.

    ValueError for another shape and what is not finite; TypeError for what is not real.
    """
    points = real("the data", named(network.input_names, X))
    if points.ndim != 2 or points.shape[1] != network.n or not len(points):
        names = shortened(", ".join(network.input_names))
        raise ValueError(
            f"data has shape {points.shape}; expected (N, {network.n}), a column for each of "
            f"{names} and at least one row"
        )
    if not np.isfinite(points).all():
        row, column = np.argwhere(~np.isfinite(points))[0].tolist()
        found, name = points[row, column], network.input_names[column]
        raise ValueError(f"row {row} of the data: {name} is {found}; expected a finite number")
    return points


def counted(points: Array) -> str:
    """`442 points`, `1 point`."""
    return f"{len(points)} point{'s' * (len(points) != 1)}"


def blocks(points: Array, entries: int) -> Iterator[slice]:
    """Slices of the rows, so short that `entries` numbers a row stay within some megabytes."""
    rows = max(1, _ENTRIES // max(1, entries))
    return (slice(start, start + rows) for start in range(0, len(points), rows))


def derivative(function: Compiled, order: int, points: Array) -> Array:
    """`function.derivative(order, points)`. ValueError where it is not finite."""
    found = function.derivative(order, points)
    if not np.isfinite(found).all():
        what = ("value is", "first partials are", "second partials are")[order]
        bad = points[np.argwhere(~np.isfinite(found))[0, 0]]
        raise ValueError(
            f"the network's {what} not finite at {located(function.network, bad)}; "
            "leave such points out of the data"
        )
    return found


def located(network: Network, point: Sequence[float] | Array) -> str:
    """The point with its names: `rho = 20, T = 660`."""
    pairs = zip(network.input_names, point, strict=True)
    return shortened(", ".join(f"{name} = {x:.6g}" for name, x in pairs))
