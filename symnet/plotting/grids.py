"""How finely pictures sample a network: by what a point costs, and by what is held at a time."""

from __future__ import annotations

import math

from symnet.network import Network

WORK = 1e10
"""Multiply-adds for the values of a picture, about: two seconds."""

HELD = 2**25
"""Pre-activations that are held at a time where kinks are looked for: 256 MB."""

SIDE = 161
"""Points along each side of a map at most."""

SAMPLES = 401
"""Points along a line at most."""

_FEWEST_SIDE, _FEWEST_SAMPLES = 41, 101


def side(network: Network, products: int, planes: int = 1, most: int = SIDE) -> int:
    """How many points a side each of `planes` has, of a network with so many products a point."""
    points = WORK / (planes * (1 + products))
    if network.kinks:
        points = min(points, HELD / sum(network.widths))
    return min(most, max(_FEWEST_SIDE, math.isqrt(int(points))))


def samples(products: int, lines: int = 1) -> int:
    """How many points each of `lines` has."""
    return min(SAMPLES, max(_FEWEST_SAMPLES, int(WORK / (lines * (1 + products)))))


def coarse(count: int, most: int, what: str) -> tuple[str, ...]:
    """A note where `what` has fewer points than it has of small networks."""
    return () if count >= most else (f"as the network is large, {what} instead of {most}",)


def points(network: Network, products: int) -> int:
    """How many points a picture is made of, about."""
    return side(network, products) ** 2
