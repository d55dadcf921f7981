"""Where a network is checked: so many points of each kind as its size affords."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import sympy
from numpy.typing import NDArray

from symnet.activations.functions import STEPS
from symnet.network import Network
from symnet.witness import calls, directions, sampling

Array = NDArray[Any]

FARTHER = (10.0, 100.0)
"""Times farther out than ordinary points, where single precision is looked at, too."""

_MANY_WEIGHTS = 20_000  # from here on, 50-digit arithmetic takes seconds a point
_ENTRIES = 2**26  # products that the analytic engine may take for the ordinary points
_MORE = 2**21, 256  # and for more of them, of narrow networks, and how many at most
_QUICK = 2**20  # products that it may take for a few points
_MORE_QUICKLY = 2**17, 128  # and for more of them
_TIMES = 6  # as many points as of the largest networks
_PAIRS = 3  # of points beside seams, among a few
_IN_DIGITS = (sympy.erfinv, sympy.loggamma, sympy.polygamma)


def many(network: Network, order: int, random: np.random.Generator) -> Array:
    """The points of a full check: ordinary, large, extreme, beside seams, and more of the first."""
    points = sampling.ever_farther(network, random, _counts(network))
    beside = sampling.beside_seams(network, random)
    more = _more(network, order, _MORE, random)
    return np.concatenate([points, beside, more])[: calls.room(network, order)]


def most(network: Network, order: int) -> int:
    """How many these are at most."""
    points = sum(_counts(network).values()) + 2 * sampling.PAIRS
    return min(points + _affordable(network, order, _MORE), calls.room(network, order))


def _counts(network: Network) -> dict[float, int]:
    """How many points are taken at each distance."""
    count = int(np.clip(_ENTRIES // (max(network.weights_count, 1) * network.n**2), 4, 64))
    return {1.0: count, 10.0: count // 2, 1e4: count // 4}


def few_weights(network: Network) -> bool:
    """Whether 50-digit arithmetic takes no many seconds; else it is left to `symnet check`."""
    return network.weights_count <= 100_000


def in_digits(network: Network) -> int:
    """At how many points 50-digit arithmetic is the witness."""
    return 3 if network.weights_count <= _MANY_WEIGHTS else 1


class Few(NamedTuple):
    """Ordinary points, some farther out, beyond these, very far, pairs beside seams, and more."""

    ordinary: Array
    farther: Array
    beyond: Array
    far: Array
    beside: Array
    more: Array

    @property
    def all(self) -> Array:
        return np.concatenate(self)

    @property
    def near(self) -> Array:
        return np.concatenate([*self[:2], self.more[::_TIMES]])

    @property
    def some(self) -> list[int]:
        """Where the first two ordinary ones stand, and the first farther one."""
        return [0, 1, len(self.ordinary)]


def few(network: Network, order: int, random: np.random.Generator) -> Few:
    """As many as are quickly compared: of a small network 24, those beside seams, and more.

    Four where an activation is of functions that the engine takes in many digits.
    """
    quick = _QUICK // (4 * directions.work(network, order))
    times = int(np.clip(min(quick, calls.room(network, order) // 4), 1, _TIMES))
    own = [a.value for a in network.activations.values() if not a.given]
    if any(value.has(*_IN_DIGITS) for value in own):
        times = 1
    counts = {1.0: 2 * times} | dict.fromkeys((*FARTHER, 1e4), times)
    points = sampling.ever_farther(network, random, counts)
    ordinary, farther, beyond, far = np.split(points, np.cumsum([*counts.values()])[:-1])
    all_kinds = times == _TIMES
    beside = sampling.beside_seams(network, random, _PAIRS * all_kinds)
    steps = any(value.has(*STEPS) for value in own)  # of which the engine takes limits everywhere
    more = _more(network, order, _MORE_QUICKLY if all_kinds and not steps else (0, 0), random)
    return Few(ordinary, farther, beyond, far, beside, more)


def _more(
    network: Network, order: int, budget: tuple[int, int], random: np.random.Generator
) -> Array:
    """Points for a budget: what is wrong in a narrow range of z is so at few of them."""
    fourth = _affordable(network, order, budget) // 4
    return sampling.ever_farther(network, random, {1.0: 2 * fourth, 3.0: fourth, 10.0: fourth})


def _affordable(network: Network, order: int, budget: tuple[int, int]) -> int:
    """As many as so many products are enough for, and no more than so many, a multiple of 4."""
    products, most = budget
    points = min(products // directions.work(network, order), calls.room(network, order) // 2)
    return min(most, points // 4 * 4)
