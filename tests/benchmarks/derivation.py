"""How long derivations, texts and compilations take, and what a million points need of memory.

    python tests/benchmarks/derivation.py

Each time is the median of several runs in a warm process, with nothing remembered of the network.
"""

from __future__ import annotations

import resource
import statistics
import time
from collections.abc import Callable, Sequence

import numpy as np

import symnet


def main() -> None:
    """Measure and print, as Markdown; memory first, before anything else has taken some."""
    print(f"1,000,000 points of 2-8-8-1: {memory():.0f} MB beyond the results\n")
    symnet.derive(symnet.Network.dense([2, 8, 8, 8, 1], seed=9)).compile()
    print("| derive, compile and verify | ms | of 2-8-8-8-1's |\n|---|---|---|")
    base = compilation([2, 8, 8, 8, 1])
    for widths in ([2, 8, 8, 8, 1], [2, 64, 64, 64, 1], [2, 8, 8, 1], [2, 1024, 1024, 1]):
        taken = compilation(widths)
        print(f"| {label(widths)} | {1e3 * taken:.1f} | {taken / base:.0%} |")
    deep = compilation([2, *[8] * 500, 1], runs=1)
    print(f"| 2-8 (x500)-1 | {1e3 * deep:.0f} | {deep / base:.0%} |")
    for backend in ("numpy", "c"):
        symnet.derive(residual(500, 0)).compile(backend)  # C's text compiled, if it was not
        networks = [residual(500, seed) for seed in (1, 2, 3)]
        taken = statistics.median(
            timed(lambda n=n, b=backend: symnet.derive(n).compile(b)) for n in networks
        )
        print(f"| 2-8 (x500)-1 with skips, {backend} | {1e3 * taken:.0f} | {taken / base:.0%} |")

    print("\n| text, order 2 | s | characters | a weight |\n|---|---|---|---|")
    for notation, widths in (
        ("expanded", [2, 8, 8, 1]),
        ("neuron", [2, 16, 16, 16, 1]),
        ("neuron", [2, 32, 32, 32, 1]),
        ("neuron", [2, 64, 64, 64, 1]),
        ("layer", [2, 64, 64, 64, 1]),
        ("layer", [2, 1024, 1024, 1]),
    ):
        print(text(notation, widths))


def compilation(widths: Sequence[int], runs: int = 7) -> float:
    """Seconds from a network to verified functions of order 2."""
    networks = [symnet.Network.dense(widths, seed=seed) for seed in range(runs)]
    return statistics.median(timed(lambda n=n: symnet.derive(n).compile()) for n in networks)


def residual(layers: int, seed: int) -> symnet.Network:
    """tanh layers of eight neurons, each added to what went into it."""
    rng = np.random.default_rng(seed)

    def layer(rows: int, columns: int, activation: str = "linear") -> symnet.Layer:
        return symnet.Layer(rng.normal(size=(rows, columns)) / 8, rng.normal(size=rows), activation)

    hidden = layer(8, 2, "tanh")(symnet.variables(2))
    for _ in range(layers - 1):
        hidden = layer(8, 8, "tanh")(hidden) + hidden
    return symnet.Network.of(layer(1, 8)(hidden))


def text(notation: str, widths: Sequence[int]) -> str:
    """A row: the time of a notation's text, and its length."""
    network = symnet.Network.dense(widths, seed=0)
    found: list[str] = []
    taken = timed(lambda: found.append(symnet.derive(network).text(notation)))
    each = len(found[0]) / network.weights_count
    return f"| {notation}, {label(widths)} | {taken:.2f} | {len(found[0]):,} | {each:.1f} |"


def memory() -> float:
    """Megabytes that the process grows by, less those of the results."""
    function = symnet.derive(symnet.Network.dense([2, 8, 8, 1], seed=0)).compile()
    X = np.random.default_rng(0).standard_normal((1_000_000, 2))
    function(X[:10])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    results = function(X)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    return grown / 1e3 - sum(result.nbytes for result in results) / 1e6


def label(widths: Sequence[int]) -> str:
    """2-8-8-1"""
    return "-".join(map(str, widths))


def timed(call: Callable[[], object]) -> float:
    """Seconds that one call takes."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
