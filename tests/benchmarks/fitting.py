"""Learning from mixed data: the residual Jacobian beside JAX's, and a swarm's generation.

    python tests/benchmarks/fitting.py

The Jacobian is that of 600 rows of water (200 values, 400 first partials) in the 337 weights of
2-16-16-1 tanh, of identical residuals; each of JAX's is compared with symnet's before it is timed.
`jacrev` is JAX's function for the purpose; `vmap(grad)` is what an expert writes instead, a
gradient for each row. The peers take turns, so that a slow moment of the machine meets them all.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from symnet.fitting import Objective, objective, read
from symnet.network import Network

DATA = Path(__file__).parents[2] / "examples" / "data" / "water_mixed.csv"
ROUNDS = 15


def main() -> None:
    """Measure and print."""
    data = read(DATA)
    names = {"inputs": data.inputs, "outputs": data.outputs}
    began = time.perf_counter()
    target = objective(Network.dense([2, 16, 16, 1], "tanh", **names), data)
    p = target.start(1)
    expected = target.residual_jacobian(p)
    print(f"derived, generated and first called in {1e3 * (time.perf_counter() - began):.0f} ms\n")
    peers: dict[str, Callable[[], object]] = {"symnet": lambda: target.residual_jacobian(p)}
    for name, jacobian in jax_jacobians(target).items():
        np.testing.assert_allclose(np.asarray(jacobian(p)), expected, atol=1e-12)
        peers[name] = lambda f=jacobian: f(p).block_until_ready()
    print("| residual Jacobian, 600 x 337 | median |\n|---|---|")
    for name, seconds in in_turns(peers).items():
        print(f"| {name} | {1e3 * seconds:.2f} ms |")

    half = data.rows(np.arange(300))
    small = objective(Network.dense([2, 8, 8, 1], "tanh", **names), half)
    swarm = small.start(1, 50)
    (seconds,) = in_turns({"": lambda: small.loss(swarm)}).values()
    print(f"\nswarm: 50 particles x 300 mixed rows, 2-8-8-1: {1e3 * seconds:.2f} ms a generation")


def in_turns(peers: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Median seconds of each peer's call."""
    times: dict[str, list[float]] = {name: [] for name in peers}
    for _ in range(ROUNDS):
        for name, call in peers.items():
            began = time.perf_counter()
            call()
            times[name].append(time.perf_counter() - began)
    return {name: statistics.median(each) for name, each in times.items()}


def jax_jacobians(target: Objective) -> dict[str, Callable]:
    """The same Jacobian in JAX, compiled, where it is installed."""
    try:
        import jax
    except ImportError:
        print("JAX is not installed")
        return {}
    jax.config.update("jax_enable_x64", True)
    values, slopes = target.rows

    def output(p: jax.Array, x: jax.Array) -> jax.Array:
        (W1, b1), (W2, b2), (W3, b3) = target.packing.unpack(p)
        return (W3 @ jax.numpy.tanh(W2 @ jax.numpy.tanh(W1 @ x + b1) + b2) + b3)[0]

    def value(p: jax.Array, x: jax.Array, scale: jax.Array) -> jax.Array:
        return scale * output(p, x)

    def slope(p: jax.Array, x: jax.Array, u: jax.Array, scale: jax.Array) -> jax.Array:
        return scale * jax.jvp(lambda x: output(p, x), (x,), (u,))[1]

    first = values.points.T, values.selector[0]
    second = slopes.points.T, slopes.directions[0].T, slopes.selector[0]

    def residuals(p: jax.Array) -> jax.Array:
        a = jax.vmap(value, (None, 0, 0))(p, *first) - values.target
        b = jax.vmap(slope, (None, 0, 0, 0))(p, *second) - slopes.target
        return jax.numpy.concatenate([a, b])

    def by_hand(p: jax.Array) -> jax.Array:
        a = jax.vmap(jax.grad(value), (None, 0, 0))(p, *first)
        b = jax.vmap(jax.grad(slope), (None, 0, 0, 0))(p, *second)
        return jax.numpy.concatenate([a, b])

    return {
        "JAX, jit(jacrev(residuals))": jax.jit(jax.jacrev(residuals)),
        "JAX, jit(vmap(grad)) by hand": jax.jit(by_hand),
    }


if __name__ == "__main__":
    main()
