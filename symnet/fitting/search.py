"""The state of a training: the best parameters so far, the clock, the progress that is shown.

A `Search` stands between an optimiser and the objective, so that nothing which was evaluated is
lost when the optimiser is interrupted.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from symnet.fitting.data import Kind
from symnet.fitting.loss import Objective

Array: TypeAlias = NDArray[np.float64]

REPORT_EVERY = 0.1  # seconds between two calls of a progress callback, at least


@dataclass(frozen=True)
class Stage:
    """One optimiser and how many steps it may take: generations, or evaluations."""

    name: str
    steps: int


@dataclass(frozen=True)
class Progress:
    """How far a training is.

    restart counts from 1 to restarts, step from 1 to steps within the stage. `loss` is the best
    of this restart, `best` of all; `errors` are the best network's relative errors by kind, on
    the rows trained with. `remaining` seconds is None until every stage has been seen.
    """

    stage: str
    step: int
    steps: int
    restart: int
    restarts: int
    loss: float
    best: float
    errors: Mapping[Kind, float]
    elapsed: float
    remaining: float | None

    def __str__(self) -> str:
        errors = ", ".join(f"{kind} {100 * error:.2g} %" for kind, error in self.errors.items())
        left = "" if self.remaining is None else f", {self.remaining:.0f} s left"
        return (
            f"restart {self.restart}/{self.restarts}, {self.stage} {self.step}/{self.steps}: "
            f"{errors} ({self.elapsed:.0f} s{left})"
        )


@dataclass(frozen=True)
class Milestone:
    """An improvement within a restart: after `elapsed` seconds the loss fell to `loss`."""

    restart: int
    stage: str
    step: int
    elapsed: float
    loss: float


class TimeUp(Exception):
    """Raised inside an optimiser when the time limit is over."""


@dataclass
class Search:
    """What optimisers evaluate: it remembers the best parameters and watches the clock.

    The best parameters are there at any moment, so that a search may be interrupted. `known` are
    parameters (P,) that the first restart begins with, the others are random.
    """

    objective: Objective
    stages: tuple[Stage, ...]
    restarts: int
    particles: int
    seed: int
    time_limit: float | None = None
    progress: Callable[[Progress], None] | None = None
    known: Array | None = None
    best: Array | None = field(default=None, init=False)
    best_loss: float = field(default=np.inf, init=False)
    history: list[Milestone] = field(default_factory=list, init=False)
    restart: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self._stage, self._step = self.stages[0], 0
        self._own: Array | None = None  # the best parameters of this restart
        self._loss = np.inf
        self._began = self._stage_began = self._reported = time.perf_counter()
        self._rates: dict[str, float] = {}  # seconds a step, by stage

    @property
    def elapsed(self) -> float:
        """Seconds since the search was set up."""
        return time.perf_counter() - self._began

    def begin(self, restart: int) -> None:
        """Forget where the last restart ended, but not the best of all."""
        self.restart, self._own, self._loss = restart, None, np.inf
        if restart == 1 and self.known is not None:
            self.losses(self.known[None])

    def enter(self, stage: Stage) -> None:
        """The evaluations that follow are this stage's."""
        self._stage, self._step, self._stage_began = stage, 0, time.perf_counter()

    @property
    def start(self) -> Array:
        """Where the stage begins, (P,): the best of this restart, or random."""
        return self.objective.start([self.seed, self.restart]) if self._own is None else self._own

    @property
    def swarm(self) -> Array:
        """Where particles begin, (particles, P): random, but for one of known parameters."""
        found = self.objective.start([self.seed, self.restart], self.particles)
        if self._own is not None:
            found[0] = np.clip(self._own, *self.objective.bounds)
        return found

    @property
    def steps(self) -> int:
        """Of the stage."""
        return self._stage.steps

    def losses(self, P: Array) -> Array:
        """(particles, P) → (particles,), finite."""
        losses = _finite(self.objective.loss(P))
        best = int(np.argmin(losses))
        self._seen(P[best], float(losses[best]))
        return losses

    def residuals(self, p: Array) -> Array:
        """(P,) → (R,), finite."""
        residuals = _finite(self.objective.residuals(p))
        self._seen(p, float(residuals @ residuals))
        return residuals

    def residual_jacobian(self, p: Array) -> Array:
        """(P,) → (R, P), finite."""
        return _finite(self.objective.residual_jacobian(p))

    def loss_and_gradient(self, p: Array) -> tuple[float, Array]:
        """(P,) → the loss and (P,), finite."""
        loss, gradient = self.objective.loss_and_gradient(p)
        self._seen(p, float(_finite(np.float64(loss))))
        return float(_finite(np.float64(loss))), _finite(gradient)

    def _seen(self, p: Array, loss: float) -> None:
        self._step += 1
        now = time.perf_counter()
        self._rates[self._stage.name] = (now - self._stage_began) / self._step
        if loss < self._loss:
            self._loss, self._own = loss, p.copy()
            self.history.append(
                Milestone(self.restart, self._stage.name, self._step, now - self._began, loss)
            )
        if loss < self.best_loss:
            self.best_loss, self.best = loss, p.copy()
        if now - self._reported >= REPORT_EVERY:
            self.report()
        if self.time_limit is not None and now - self._began > self.time_limit:
            raise TimeUp

    def report(self) -> None:
        """Call the progress callback, where there is one and something to say."""
        if self.progress is None or self.best is None:
            return
        self._reported = time.perf_counter()
        errors = self.objective.relative_errors(self.objective.residuals(self.best))
        self.progress(
            Progress(
                stage=self._stage.name,
                step=self._step,
                steps=self._stage.steps,
                restart=self.restart,
                restarts=self.restarts,
                loss=self._loss,
                best=self.best_loss,
                errors=MappingProxyType(errors),
                elapsed=self.elapsed,
                remaining=self._remaining(),
            )
        )

    def _remaining(self) -> float | None:
        """At the rates seen so far; an optimiser may end sooner, when nothing improves."""
        limit = np.inf if self.time_limit is None else max(0.0, self.time_limit - self.elapsed)
        left = np.inf
        if all(stage.name in self._rates for stage in self.stages):
            later = self.stages[self.stages.index(self._stage) + 1 :]
            later += self.stages * (self.restarts - self.restart)
            left = sum(self._rates[stage.name] * stage.steps for stage in later)
            left += self._rates[self._stage.name] * max(0, self._stage.steps - self._step)
        return min(left, limit) if min(left, limit) < np.inf else None


def _finite(values: Any) -> Any:
    """Where a network overflows it is as bad as a number can say; optimisers take no inf."""
    return np.nan_to_num(values, nan=1e100, posinf=1e100, neginf=-1e100)
