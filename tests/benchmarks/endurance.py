"""Memory that is left after 10,000 compilations whose functions are discarded, and 1,000,000 calls.

    python tests/benchmarks/endurance.py
    python tests/benchmarks/endurance.py --compilations 1000 --calls 100000

Prints how much the process has grown between a tenth of the work, when caches are full, and its
end. Linux only: it reads /proc.
"""

from __future__ import annotations

import argparse
import gc
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np

import symnet


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--compilations", type=int, default=10_000)
    parser.add_argument("--calls", type=int, default=1_000_000)
    options = parser.parse_args()
    grown(f"{options.compilations:,} compilations, NumPy", compilation, options.compilations)
    X = np.random.default_rng(0).standard_normal((3, 2))
    for backend in ("numpy", "c"):
        function = symnet.derive(network(0)).compile(backend)
        grown(f"{options.calls:,} calls, {backend}", lambda _, f=function: f(X), options.calls)


def network(seed: int) -> symnet.Network:
    """A network whose numbers, widths and activation depend on the seed."""
    hidden = ("sigmoid", "tanh", "softplus")[seed % 3]
    return symnet.Network.dense([2, 2 + seed % 7, 3, 1], hidden=hidden, seed=seed)


def compilation(seed: int) -> None:
    """Derive, compile, verify, and forget."""
    symnet.derive(network(seed)).compile()


def grown(what: str, work: Callable[[int], object], count: int) -> None:
    """Do the work so many times and print how much memory it keeps."""
    before = 0.0
    for k in range(count):
        if k == count // 10:
            before = megabytes()
        work(k)
    print(f"{what}: {megabytes() - before:+.1f} MB of {megabytes():.0f} MB", flush=True)


def megabytes() -> float:
    """The process's memory."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


if __name__ == "__main__":
    main()
