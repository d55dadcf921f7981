"""Value, Jacobian and Hessian at 10⁸ points of a grid, straight to disk, on several processes.

A compiled function of a lazy array is lazy: nothing is held in memory but the chunks that are being
worked on. The function pickles to the workers, each of which loads its own kernel.

Run it:  pip install '.[examples]'  and  python examples/grid.py
         python examples/grid.py 10000 2      (10,000 × 10,000 points, 5.6 GB of results, 2 workers)
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import dask
import dask.array as da
import numpy as np
from distributed import Client, LocalCluster

import symnet

CHUNK = 1000  # of each axis at most: a million points, 56 MB of results


def main(side: int = 1000, workers: int = 2) -> None:
    """With one worker, then with all of them: what each gives in a second."""
    network = symnet.Network.dense([2, 8, 8, 1], "tanh", seed=0, inputs=["rho", "T"])
    function = symnet.derive(network).compile(backend(), threads=1)
    points = grid(side)
    results = function(points)
    print(f"{side**2:,} points, results of {sum(r.nbytes for r in results) / 1e9:.2f} GB")
    times = []
    for count in dict.fromkeys((1, workers)):
        with (
            tempfile.TemporaryDirectory() as folder,
            started(count) as cluster,
            Client(cluster) as client,
        ):
            client.run(warmed, function)
            begin = time.perf_counter()
            written(results, Path(folder))
            times.append(time.perf_counter() - begin)
            rate = side**2 / times[-1] / 1e6
            print(f"{count} worker(s): {times[-1]:.1f} s, {rate:.1f} million a second")
            check(function, points, Path(folder))
    if len(times) > 1:
        print(f"{workers} workers: {times[0] / times[1]:.2f} times as fast as one")


def started(count: int) -> LocalCluster:
    """So many processes of one thread each."""
    return LocalCluster(n_workers=count, threads_per_worker=1, dashboard_address=None)


def warmed(function: symnet.Compiled) -> None:
    """On each worker, so that starting and loading kernels are no part of what is measured."""
    function(np.zeros((1, 2)))


def backend() -> str:
    """C where there is a compiler."""
    try:
        symnet.derive(symnet.Network.example()).compile("c")
    except (ImportError, OSError, RuntimeError):
        return "numpy"
    return "c"


def grid(side: int) -> da.Array:
    """rho from -2 to 2 by T from -1 to 1, lazily: (side, side, 2)."""
    chunk = min(CHUNK, -(-side // 4))  # so that a small grid has some for each worker, too
    rho = da.linspace(-2, 2, side, chunks=chunk)
    T = da.linspace(-1, 1, side, chunks=chunk)
    return da.stack(da.meshgrid(rho, T, indexing="ij"), axis=-1)


def written(results: tuple[da.Array, ...], folder: Path) -> None:
    """Each result in a zarr array of its own, all in one go."""
    stores = [
        da.to_zarr(result, str(folder / name), compute=False)
        for name, result in zip(("y", "J", "H"), results, strict=True)
    ]
    dask.compute(*stores)


def check(function: symnet.Compiled, points: da.Array, folder: Path) -> None:
    """What is on disk, at a few points, is what the analytic engine gives."""
    some = np.random.default_rng(0).integers(0, points.shape[0], 20)
    X = np.stack([points[i, i].compute(scheduler="sync") for i in some])
    for name, witness in (("y", "value"), ("J", "jacobian"), ("H", "hessian")):
        stored = da.from_zarr(str(folder / name))
        found = np.stack([stored[i, i].compute(scheduler="sync") for i in some])
        expected = getattr(symnet.analytic, witness)(function.network, X)
        np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-13)
    print("checked against the analytic engine")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
