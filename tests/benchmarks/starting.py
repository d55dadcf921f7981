"""How long commands take from the shell, as whole processes beside the imports that they stand on.

    python tests/benchmarks/starting.py [RUNS]

The processes are run in turns, so that what else the machine does falls on all of them alike.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import time

PROCESSES = {
    "Python alone": ["-c", ""],
    "import numpy, sympy; x + y": ["-c", "import numpy, sympy; sympy.Symbol('x') + 1"],
    "symnet --help": ["-m", "symnet", "--help"],
    "symnet derive --help": ["-m", "symnet", "derive", "--help"],
    "symnet derive": ["-m", "symnet", "derive"],
    "symnet derive --notation layer": ["-m", "symnet", "derive", "--notation", "layer"],
    "symnet evaluate --help": ["-m", "symnet", "evaluate", "--help"],
}


def main(runs: int = 11) -> None:
    """Measure and print, as Markdown: medians, and the least processor time."""
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in PROCESSES}
    for name in PROCESSES:
        measured(name)  # files that are compiled and cached at the first run
    for _ in range(runs):
        for name, times in taken.items():
            times.append(measured(name))
    print("| process | clock, ms | processor, ms | least |\n|---|---|---|---|")
    for name, times in taken.items():
        clock, processor = zip(*times, strict=True)
        shown = [statistics.median(clock), statistics.median(processor), min(processor)]
        print(f"| {name} | {' | '.join(f'{1e3 * seconds:.0f}' for seconds in shown)} |")


def measured(name: str) -> tuple[float, float]:
    """Seconds by the clock and of the processor."""
    before, start = processor(), time.perf_counter()
    subprocess.run(
        [sys.executable, *PROCESSES[name]], stdout=subprocess.DEVNULL, env=environment(), check=True
    )
    return time.perf_counter() - start, processor() - before


def processor() -> float:
    """Seconds that the processes which have ended took of the processor."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def environment() -> dict[str, str]:
    """That of a user, in which Python keeps what it has compiled."""
    return {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
