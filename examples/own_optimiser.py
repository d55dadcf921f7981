"""Train with a particle swarm of your own: `objective` gives the loss of a whole swarm in a call.

    python examples/own_optimiser.py

Rows give [x1, x2]: y, or [x1, x2]: ∂y/∂x1, or [x1, x2]: ∂y/∂x2. Any optimiser can be used: the
swarm below is twelve lines of NumPy, and SciPy's `minimize` then takes the exact gradient.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize

from symnet.fitting import Objective, objective, table
from symnet.network import Network


def main() -> None:
    """Learn y = sin(x1) x2 from 40 values and 80 slopes, twice."""
    rng = np.random.default_rng(1)
    x1, x2 = rng.uniform(-2, 2, (2, 120))
    row = np.arange(120)
    data = table(
        {
            "x1": x1,
            "x2": x2,
            "y": np.where(row % 3 == 0, np.sin(x1) * x2, np.nan),
            "dy/dx1": np.where(row % 3 == 1, np.cos(x1) * x2, np.nan),
            "dy/dx2": np.where(row % 3 == 2, np.sin(x1), np.nan),
        }
    )
    target = objective(Network.dense([2, 8, 8, 1], hidden="tanh"), data)

    p = swarm(target, particles=40, generations=300, rng=rng)
    report("own swarm", target, p)

    found = minimize(target.loss_and_gradient, p, jac=True, method="BFGS", options={"maxiter": 500})
    report("then BFGS", target, found.x)

    net = target.network(found.x)
    print(net, "takes and gives the data's own units")


def swarm(
    target: Objective, particles: int, generations: int, rng: np.random.Generator
) -> np.ndarray:
    """The best parameters that a particle swarm finds."""
    P = target.start(seed=1, count=particles)
    velocity = np.zeros_like(P)
    own, own_loss = P, target.loss(P)
    for _ in range(generations):
        best = own[np.argmin(own_loss)]
        pull, drift = rng.uniform(0, 1.5, (2, *P.shape))
        velocity = 0.72 * velocity + pull * (own - P) + drift * (best - P)
        P = P + velocity
        loss = target.loss(P)
        better = loss < own_loss
        own, own_loss = np.where(better[:, None], P, own), np.where(better, loss, own_loss)
    return own[np.argmin(own_loss)]


def report(name: str, target: Objective, p: np.ndarray) -> None:
    """The error of each kind, relative to the spread of its rows."""
    errors = target.relative_errors(target.residuals(p))
    print(f"{name:10}", ", ".join(f"{kind} {100 * error:.2g} %" for kind, error in errors.items()))


if __name__ == "__main__":
    main()
