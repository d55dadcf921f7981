"""The rate of multiply–adds over widths, depths, numbers of inputs and outputs, and activations.

    python tests/benchmarks/scaling.py
    python tests/benchmarks/scaling.py --network 5-16-16-3:tanh

Time is to grow as the count of multiply–adds says, so the rates of one backend are to be alike,
but for what an activation takes, which counts in narrow networks. Value, Jacobian and Hessian in
double precision, on as many threads as there are.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

import symnet

NETWORKS = (
    *("2-4-4-1", "2-8-8-1", "2-16-16-1", "2-64-64-1", "2-256-256-1", "2-1024-1024-1"),
    "2-4096-4096-1",
    *("3-16-16-1", "5-16-16-3", "10-32-32-1", "50-64-64-1", "200-64-64-1", "10-16-16-50"),
    *("2-8-8-1:tanh", "2-8-8-1:softplus", "2-8-8-1:silu", "2-8-8-1:gelu", "2-8-8-1:sin"),
    "-".join(["2", *["8"] * 500, "1"]),
)
WORK = 5e8  # multiply–adds that a measured call takes, at least where that is a thousand points


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--network", action="append", help="such as 2-8-8-1:tanh; repeatable")
    options = parser.parse_args()
    print("| network | scheme | multiply–adds | activations | C | NumPy |")
    print("|---|---|---|---|---|---|")
    for name in options.network or NETWORKS:
        widths, _, activation = name.partition(":")
        network = symnet.Network.dense(
            [int(width) for width in widths.split("-")], activation or "sigmoid", seed=0
        )
        functions = [symnet.derive(network).compile(backend) for backend in ("c", "numpy")]
        cost = functions[0].cost
        rates = (rate(function, network.n) for function in functions)
        shown = name if len(name) < 40 else f"{name[:12]}…{name[-5:]}"
        print(
            f"| {shown} | {cost.scheme} | {cost.multiply_adds:,} | {cost.activations:,} | "
            f"{' | '.join(rates)} |",
            flush=True,
        )


def rate(function: symnet.Compiled, inputs: int) -> str:
    """Time a point, and multiply–adds a second."""
    cost = function.cost.multiply_adds
    points = int(np.clip(WORK / cost, 200, 100_000))
    X = np.random.default_rng(0).standard_normal((points, inputs))
    function(X)
    seconds = min(timed(function, X) for _ in range(5)) / points
    return f"{seconds * 1e6:.3g} µs, {cost / seconds / 1e9:.1f} G/s"


def timed(function: symnet.Compiled, X: np.ndarray) -> float:
    """Seconds that one call takes."""
    start = time.perf_counter()
    function(X)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
