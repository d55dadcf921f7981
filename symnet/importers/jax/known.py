"""Functions of JAX's that are read as a whole, by their names, and factors of matrices."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from symnet.importers.folding import functions, small, tables
from symnet.importers.folding.angles import distance
from symnet.importers.folding.rounding import remainder, whole_quotient
from symnet.importers.folding.tensors import Tensors, Value
from symnet.importers.jax.rules import Parameters, Rule, named, of_values, plain, varies
from symnet.network.weights import Array


def _log_add_of_two(t: Tensors, x: Value, y: Value) -> Value:
    """log₂(2^x + 2^y)."""
    return t.divide(t.log_add(t.multiply(x, np.log(2)), t.multiply(y, np.log(2))), np.log(2))


def _solve(t: Tensors, parameters: Parameters, A: Value, B: Value) -> Value:
    A, B = plain(t, A), plain(t, B)
    return small.solved(t, A, B, len(B.shape) == 1)


def _triangular_solve(t: Tensors, parameters: Parameters, A: Value, B: Value) -> Value:
    """A⁻¹ B, or B A⁻¹ by its transpose."""
    A, B = plain(t, A), plain(t, B)
    left, lower = parameters["left_side"], parameters["lower"]
    if parameters["transpose_a"] == left:  # of B A⁻¹ the transpose is A⁻ᵀ Bᵀ
        A, lower = t.places(A, _turned), not lower
    B = B if left else t.places(B, _turned)
    found = small.triangular(t, A, B, lower, parameters["unit_diagonal"])
    return found if left else t.places(found, _turned)


def _sign_and_log(t: Tensors, parameters: Parameters, A: Value) -> tuple[Value, Value]:
    return small.sign_and_log(t, plain(t, A))


def _turned(a: Any) -> Any:
    return np.swapaxes(a, -1, -2)


def _nan_to_num(t: Tensors, parameters: Parameters, x: Value, *_: Any) -> Value:
    t.fold.assume(functions.FINITE)
    return plain(t, x)


def _interpolated(
    t: Tensors, parameters: Parameters, x: Value, at: Value, values: Value, *more: Value
) -> Value:
    """jnp.interp. What it is beyond its ends, its own values there tell."""
    jaxpr, run = parameters["jaxpr"], parameters["run"]
    if any(map(varies, (at, values, *more))):
        raise ValueError("the table in which it interpolates depends on the inputs")
    if any(equation.primitive.name == "sort" for equation in jaxpr.eqns):
        raise ValueError("it has a period; symnet reads interpolation in a table without")

    def own(place: float) -> float:
        points = np.full(np.shape(x), place, dtype=jaxpr.invars[0].aval.dtype)
        return float(np.ravel(run([points, at, values, *more])[0])[0])

    ends = [_beyond(own, *np.asarray([at, values], np.float64)[:, k]) for k in ([0, 1], [-1, -2])]
    return tables.interpolated(t, plain(t, x), at, values, ends)


def _beyond(own: Callable[[float], float], at: Array, values: Array) -> float | None:
    """The number beyond an end of a table, which comes first; None where its line goes on."""
    places = [at[0] + k * (at[0] - at[1]) for k in (1, 2)]
    near, far = map(own, places)
    line = [values[0] + k * (values[0] - values[1]) for k in (1, 2)]
    return near if near == far and not np.allclose(line, near) else None


KNOWN: Mapping[str, Rule] = {
    "relu": named("relu"),
    "relu6": named("relu6"),
    "xlogy": of_values(tables.x_log),
    "xlog1py": lambda t, parameters, x, y: tables.x_log(t, plain(t, x), plain(t, y), 1),
    "nan_to_num": _nan_to_num,
    **dict.fromkeys(("remainder", "mod"), of_values(remainder)),
    "floor_divide": of_values(whole_quotient),
    "_interp": _interpolated,
    "solve": _solve,
    "_det": of_values(small.determinant),
    "slogdet": _sign_and_log,
    "hypot": of_values(distance),
    "logaddexp": of_values(Tensors.log_add),
    "logaddexp2": of_values(_log_add_of_two),
    "log_ndtr": named("log_ndtr"),
}
"""Functions of JAX's that it writes by choices, or by steps that symnet does not read."""

RESULTS: Mapping[str, int] = {"slogdet": 2}
"""Of those that give more than one."""

MATRICES: Mapping[str, Rule] = {
    "cholesky": of_values(small.cholesky),
    "triangular_solve": _triangular_solve,
}
"""Primitives."""
