"""Value + Jacobian + Hessian, side by side in one run, as a Markdown table.

    python tests/benchmarks/speed.py                    the four networks of the README
    python tests/benchmarks/speed.py --network 5-16-16-3 --activation tanh

Every peer is compared with the analytic engine before it is timed. A time is the median of
several calls, spread over rounds in which all peers take turns, so that a slow moment of the
machine meets them all. `first` is the time from the network to the first result, derivation,
generation and compilation included; imports are not, nor is the module through which arrays reach
C kernels, which is made once for an installation. No other compiled library is kept.
"""

from __future__ import annotations

import argparse
import contextlib
import math
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from peers import PEERS, THREADS, Function, TooLarge

import symnet

NETWORKS = ("2-2-2-1", "2-8-8-1", "2-32-32-1", "2-64-64-64-1", "30-32-32-1")
POINTS = (1, 1_000, 100_000)
REFERENCE = "JAX"

_SETTLED = 0.05
"""Seconds after which a peer's threads have gone to sleep.

OpenBLAS's and JAX's wait some 20 ms for more work at full speed, on the processors that the next
peer's threads need: that halved the speed of whoever came after.
"""
_TURN = 0.02  # seconds


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--network", action="append", help="widths, such as 2-8-8-1; repeatable")
    parser.add_argument("--activation", default="sigmoid")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--only", action="append", help="a peer's name, or the start of one")
    options = parser.parse_args()
    print(machine())
    with tempfile.TemporaryDirectory() as cache:
        os.environ["SYMNET_CACHE"] = cache  # so that a compilation is one
        wanted = [p for p in PEERS if not options.only or p.startswith(tuple(options.only))]
        import_all(wanted)
        for widths in options.network or NETWORKS:
            network = symnet.Network.dense(
                [int(w) for w in widths.split("-")], hidden=options.activation, seed=0
            )
            print(measure(network, wanted, options.rounds), flush=True)


def import_all(names: list[str]) -> None:
    """Run each peer once on one linear neuron, so that nobody's first result includes imports."""
    for name in names:
        with contextlib.suppress(ImportError, TooLarge):
            PEERS[name](symnet.Network.dense([1, 1], seed=0))(np.zeros((1, 1)))


def machine() -> str:
    """What was measured on."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    model = next((line.split(":")[1].strip() for line in lines if "model name" in line), "")
    wide = "AVX-512" if any("avx512f" in line for line in lines) else "AVX2 or less"
    return (
        f"{time.strftime('%Y-%m-%d')}, {model or platform.machine()} ({wide}), {THREADS} threads, "
        f"Python {platform.python_version()}, NumPy {np.__version__}; "
        f"dgemm {dgemm_rate() / 1e9:.0f} Gflop/s\n"
    )


def dgemm_rate(size: int = 2048) -> float:
    """Floating-point operations a second of NumPy's product of large square matrices."""
    A, B = np.random.default_rng(0).standard_normal((2, size, size))
    return 2 * size**3 / min(timed(lambda: A @ B) for _ in range(5))


def timed(call: Callable[[], object]) -> float:
    """Seconds that one call takes."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def measure(network: symnet.Network, wanted: list[str], rounds: int) -> str:
    """The table of one network."""
    random = np.random.default_rng(1)
    batches = {count: random.standard_normal((count, network.n)) for count in POINTS}
    functions, first, remarks = {}, {}, []
    for name in wanted:
        try:
            functions[name], first[name] = started(name, network, batches[1])
            confirm(name, network, functions[name], batches[1_000])
        except ImportError as error:
            remarks.append(f"{name}: not installed ({error})")
        except TooLarge as reason:
            remarks.append(f"{name}: {reason}")
    times = {count: rounds_of(functions, X, rounds, remarks) for count, X in batches.items()}
    return table(network, first, times, remarks)


def started(name: str, network: symnet.Network, X: np.ndarray) -> tuple[Function, float]:
    """The peer's function, and the time from the network to its first result."""
    start = time.perf_counter()
    function = PEERS[name](network)
    function(X)
    return function, time.perf_counter() - start


def confirm(name: str, network: symnet.Network, function: Function, X: np.ndarray) -> None:
    """Fail unless the peer computes the same derivatives."""
    witnesses = (
        symnet.analytic.value,
        symnet.analytic.jacobian,
        symnet.analytic.hessian,
    )
    for result, witness in zip(function(X), witnesses, strict=False):
        expected = witness(network, X)
        limit = 1e-9 * np.abs(expected).max()
        np.testing.assert_allclose(result, expected, rtol=1e-7, atol=limit, err_msg=name)


def rounds_of(
    functions: dict[str, Function], X: np.ndarray, rounds: int, remarks: list[str]
) -> dict[str, float]:
    """Each function's median time a call, infinite if it cannot; the functions take turns."""
    found: dict[str, list[float]] = {name: [] for name in functions}
    for _ in range(rounds):
        for name, function in functions.items():
            if found[name] and statistics.median(found[name]) > 2.0:
                continue  # a peer of several seconds is not made to repeat them
            time.sleep(_SETTLED)
            try:
                found[name].append(warm(function, X))
            except TooLarge as reason:
                found[name].append(math.inf)
                remarks.append(f"{name}: {reason}  ")
    return {name: statistics.median(values) for name, values in found.items()}


def warm(function: Function, X: np.ndarray) -> float:
    """Seconds a call, as in a loop of calls: some 20 ms of them, after as many that do not count.

    Those wake the processors and the function's threads, and fill the caches with its own.
    """
    calls, end = 0, time.perf_counter() + _TURN
    while not calls or time.perf_counter() < end:
        function(X)
        calls += 1

    def several() -> None:
        for _ in range(calls):
            function(X)

    return timed(several) / calls


def table(
    network: symnet.Network,
    first: dict[str, float],
    times: dict[int, dict[str, float]],
    remarks: list[str],
) -> str:
    """Markdown: a row a peer, with its times as multiples of symnet's C kernel's."""
    counts = list(times)
    lines = [f"**{network.describe()}**", ""]
    lines.append("| | first result | " + " | ".join(map(numbered, counts)) + " |")
    lines.append("|---|---|" + "---|" * len(counts))
    base = next((name for name in first if name.startswith("symnet c")), next(iter(first)))
    for name in first:
        cells = [shown(first[name])]
        for count in counts:
            ratio = times[count][name] / times[count][base]
            multiple = (
                ""
                if name == base or math.isinf(ratio)
                else f" ({ratio:.{1 if ratio < 10 else 0}f}×)"
            )
            cells.append(shown(times[count][name]) + multiple)
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    lines += ["", *ratios(first, times), *share(network, times), *remarks, ""]
    return "\n".join(lines)


def ratios(first: dict[str, float], times: dict[int, dict[str, float]]) -> list[str]:
    """How much faster symnet is than the best of JAX's configurations."""
    peers = [name for name in first if name.startswith(REFERENCE)]
    lines = []
    for name in (n for n in first if n.startswith("symnet") and peers):
        parts = [
            f"{numbered(count)} {min(t[p] for p in peers) / t[name]:.1f}×"
            for count, t in times.items()
        ]
        start = min(first[p] for p in peers) / first[name]
        lines.append(
            f"{name} against the best of {REFERENCE}: first {start:.1f}×, {', '.join(parts)}  "
        )
    return lines


def share(network: symnet.Network, times: dict[int, dict[str, float]]) -> list[str]:
    """The C kernel's rate as a share of this machine's dgemm, by its own multiply–adds."""
    count = max(times)
    if "symnet c" not in times[count]:
        return []
    cost = symnet.derive(network).compile("c").cost
    rate = 2 * cost.multiply_adds * count / times[count]["symnet c"]
    return [
        f"symnet c: {cost.multiply_adds:,} multiply–adds a point ({cost.scheme}), "
        f"{rate / 1e9:.1f} Gflop/s, {rate / dgemm_rate():.0%} of dgemm  "
    ]


def numbered(count: int) -> str:
    """How many points."""
    return f"{count:,} point{'s' if count > 1 else ''}"


def shown(seconds: float) -> str:
    """Three digits and a unit."""
    if math.isinf(seconds):
        return "fails"
    for limit, unit, factor in ((1e-3, "µs", 1e6), (1, "ms", 1e3)):
        if seconds < limit:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds:.3g} s"


if __name__ == "__main__":
    main()
