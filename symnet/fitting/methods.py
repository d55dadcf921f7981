"""Ways to train: a particle swarm, least squares and L-BFGS, each from a library.

| stage | library | what it uses |
|---|---|---|
| swarm | pymoo's PSO | the loss of a whole swarm in one call |
| least-squares | SciPy's `least_squares` (trust region) | residuals and their exact Jacobian |
| lbfgs | SciPy's `minimize(method="L-BFGS-B")` | the loss and its exact gradient |

A stage starts where the one before ended. The extra `fit` installs both libraries.

Sources: J. Kennedy, R. Eberhart, Particle swarm optimization, ICNN 1995; J. Blank, K. Deb, pymoo:
multi-objective optimization in Python, IEEE Access 8 (2020); M. A. Branch, T. F. Coleman, Y. Li, A
subspace, interior, and conjugate gradient method, SIAM J. Sci. Comput. 21 (1999); D. C. Liu,
J. Nocedal, On the limited memory BFGS method, Math. Program. 45 (1989).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from symnet.catalogue import METHODS
from symnet.extras import needed
from symnet.fitting.search import Search, Stage

Array: TypeAlias = NDArray[np.float64]


def train(search: Search) -> None:
    """Every stage of every restart. TimeUp when the time limit is over."""
    for restart in range(1, search.restarts + 1):
        search.begin(restart)
        for stage in search.stages:
            search.enter(stage)
            _RUN[stage.name](search)
            search.report()


def staged(method: str, generations: int | None, iterations: int | None) -> tuple[Stage, ...]:
    """The stages of a method of METHODS, with other numbers of steps where they are given.

    ValueError for an unknown method.
    """
    if method not in METHODS:
        raise ValueError(f"method is {method!r}, expected one of {', '.join(METHODS)}")
    given = {"swarm": generations, "least-squares": iterations, "lbfgs": iterations}
    return tuple(Stage(name, given[name] or steps) for name, steps in METHODS[method].items())


def _swarm(search: Search) -> None:
    # pymoo prints a hint where it is not compiled; here only the command line prints.
    needed("pymoo.config", "fit").Config.show_compile_hint = False
    pso = needed("pymoo.algorithms.soo.nonconvex.pso", "fit").PSO
    problem = needed("pymoo.core.problem", "fit").Problem
    minimize = needed("pymoo.optimize", "fit").minimize

    class Losses(problem):  # type: ignore[misc, valid-type]
        def _evaluate(self, P: Array, out: dict[str, Any], *_: Any, **__: Any) -> None:
            out["F"] = search.losses(P)[:, None]

    lower, upper = search.objective.bounds
    seed = [search.seed, search.restart]
    minimize(
        Losses(n_var=lower.size, n_obj=1, xl=lower, xu=upper),
        pso(pop_size=search.particles, sampling=search.swarm),
        ("n_gen", search.steps),
        seed=int(np.random.SeedSequence(seed).generate_state(1)[0]),
    )


def _least_squares(search: Search) -> None:
    needed("scipy.optimize", "fit").least_squares(
        search.residuals,
        search.start,
        search.residual_jacobian,
        max_nfev=search.steps,
        # As good as the exact solver here, and 2-3 times faster at 540 x 337.
        tr_solver="lsmr",
        ftol=1e-12,
        xtol=1e-12,
        gtol=1e-15,
    )


def _lbfgs(search: Search) -> None:
    needed("scipy.optimize", "fit").minimize(
        search.loss_and_gradient,
        search.start,
        jac=True,
        method="L-BFGS-B",
        options={
            "maxiter": search.steps,
            "maxfun": search.steps,
            "maxcor": 50,
            "ftol": 1e-15,
            "gtol": 1e-12,
        },
    )


_RUN: Mapping[str, Callable[[Search], None]] = MappingProxyType(
    {"swarm": _swarm, "least-squares": _least_squares, "lbfgs": _lbfgs}
)
