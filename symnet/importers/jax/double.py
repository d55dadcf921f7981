"""A JAX function in double precision: itself, or its equations where it narrows."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from symnet.importers import comparing
from symnet.importers.jax.moves import bound
from symnet.importers.jax.walk import equations, evaluated
from symnet.network import Network
from symnet.network.weights import Array
from symnet.witness import analytic
from symnet.witness.checking import CheckError

NARROW = ("float32", "float16", "bfloat16")
_OWN_SLOPES = ("custom_jvp_call", "custom_vjp_call", "custom_vjp_call_jaxpr", "stop_gradient")


@dataclass(frozen=True)
class Widening:
    """Equations by JAX, in double precision wherever a result depends on the inputs."""

    jax: Any

    def apply(self, equation: Any, arguments: list[Any]) -> Sequence[Any]:
        """What depends on no input stays in the precision that the function has for it."""
        if not any(isinstance(argument, self.jax.core.Tracer) for argument in arguments):
            with self.jax.ensure_compile_time_eval():
                return bound(equation, arguments, equation.params)
        parameters = {
            key: np.dtype("float64") if str(value) in NARROW else value
            for key, value in equation.params.items()
        }
        return bound(equation, [_wide(argument) for argument in arguments], parameters)

    def known(self, name: str, arguments: list[Any], inner: Any) -> Sequence[Any] | None:
        """All is gone into."""
        return None

    def either(
        self, index: Any, branches: Sequence[Callable[[], list[Any]]], count: int
    ) -> list[Any] | None:
        """JAX runs one of them."""
        return None

    def solution(self, product: Callable[[Any], Any], b: Any) -> Any:
        """JAX solves."""
        return None

    def row(self, value: Any, k: int) -> Any:
        """value[k]."""
        return value[k]

    def stack(self, rows: list[Any]) -> Any:
        """The values along a new first axis."""
        return self.jax.numpy.stack(rows)

    def whole(self, value: Any) -> int | None:
        """The number, None where it depends on the inputs."""
        return None if isinstance(value, self.jax.core.Tracer) else int(value)


def _wide(value: Any) -> Any:
    narrow = str(getattr(value, "dtype", "")) in NARROW
    return value.astype("float64") if narrow else value


def check_apart(jax: Any, function: Any, shape: tuple[int, ...]) -> tuple[str, ...]:
    """ValueError where a function of a batch of one would mix the points of a larger one."""
    if len(shape) < 2 or shape[0] != 1:
        return ()

    def call(X: Array) -> list[Array]:
        found = function(jax.numpy.asarray(X.reshape(len(X), *shape[1:])))
        return [np.asarray(leaf) for leaf in jax.tree_util.tree_leaves(found)]

    return comparing.check_apart("function", call, math.prod(shape))


def compared(
    jax: Any,
    net: Network,
    function: Any,
    closed: Any,
    shape: tuple[int, ...],
    narrow: bool,
    notes: Sequence[str],
) -> str:
    """By values, and by Jacobians where JAX has been told other derivatives than the values'."""

    def call(x: Any) -> Any:
        point = x.reshape(shape)
        if narrow:
            found: Any = evaluated(closed.jaxpr, closed.consts, [point], Widening(jax))
        else:
            found = function(point)
        parts = [jax.numpy.ravel(y) for y in jax.tree_util.tree_leaves(found)]
        return jax.numpy.concatenate(parts).astype("float64")

    own = jax.jit(jax.vmap(call))
    text = comparing.compared(net, own, "JAX in double precision", notes=notes)
    if not any(e.primitive.name in _OWN_SLOPES for e in equations(closed.jaxpr)):
        return text
    X = comparing.points(net.n, 6)
    found = analytic.jacobian(net, X)
    error = _slope_error(found, np.asarray(jax.jit(jax.vmap(jax.jacrev(call)))(X)))
    if error > comparing.TOLERANCE:
        raise CheckError(
            f"the function's Jacobian in JAX differs from that of its values by {error:.1e}: "
            "it has derivatives of its own (custom_jvp, custom_vjp, stop_gradient), "
            "which symnet cannot take over"
        )
    return f"{text}, its Jacobian {error:.1e}"


def _slope_error(found: Array, expected: Array) -> float:
    inside = np.isfinite(found).all(axis=(1, 2)) & np.isfinite(expected).all(axis=(1, 2))
    size = np.abs(expected[inside]).max(axis=(0, 2), initial=0)[None, :, None]
    error = np.abs(found - expected)[inside] / np.where(size > 0, size, 1)
    return float(error.max(initial=0.0))
