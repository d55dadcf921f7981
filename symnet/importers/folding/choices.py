"""Choices by value (`where`) as pieces of one function: they are read where all parts are
functions of one form, entry by entry, as in relu, elu and their kin."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import sympy
from sympy import Expr, Piecewise

from symnet.importers.folding import functions
from symnet.importers.folding.forms import Form, Shape
from symnet.importers.folding.tensors import Tensors, Value
from symnet.network.weights import Array

RELATIONS: dict[str, Any] = {
    **{"gt": sympy.Gt, "ge": sympy.Ge, "lt": sympy.Lt, "le": sympy.Le},
    **{"eq": sympy.Eq, "ne": sympy.Ne},
}

_NONE = "its condition depends on the inputs in a way that is no function of one value"


@dataclass(frozen=True, eq=False)
class Condition:
    """A comparison of values that depend on the inputs, entry by entry."""

    values: tuple[Value, ...]
    build: Callable[[Sequence[Expr]], Any]
    shape: Shape

    def forced(self, t: Tensors) -> Value:
        """As numbers, 1 where it holds."""
        return chosen(t, self, 0.0, 1.0)

    def moved(self, shape: Shape, change: Callable[[Array], Array], t: Tensors) -> Condition:
        """With its values' entries in other places."""
        spread = [t.places(t.broadcast(v, self.shape), change) for v in self.values]
        return replace(self, values=tuple(spread), shape=shape)


def compared(t: Tensors, name: str, x: Value, y: Value) -> Value:
    """The condition, or a constant: a value is itself, and never NaN."""
    shape = np.broadcast_shapes(np.shape(x), np.shape(y))
    if x is y:
        return np.full(shape, name in ("eq", "ge", "le"))
    relation = RELATIONS[name]
    return Condition((x, y), lambda laws: relation(laws[0], laws[1]), shape)


def joined(both: Any, x: Value, y: Value) -> Value:
    """Both conditions (sympy.And), or one of them (sympy.Or); either may be constant."""
    if isinstance(x, Condition) and isinstance(y, Condition):
        first = len(x.values)
        return Condition(
            (*x.values, *y.values),
            lambda laws: both(x.build(laws[:first]), y.build(laws[first:])),
            np.broadcast_shapes(x.shape, y.shape),
        )
    condition, known = (x, y) if isinstance(x, Condition) else (y, x)
    if np.unique(known).size != 1:
        raise ValueError(_NONE)
    return condition if bool(np.ravel(known)[0]) == (both is sympy.And) else np.asarray(known)


def negated(x: Condition) -> Condition:
    """Where it does not hold."""
    return replace(x, build=lambda laws: sympy.Not(x.build(laws)))


def chosen(t: Tensors, condition: Condition, otherwise: Value, then: Value) -> Value:
    """One function of one form, in pieces."""
    values = [*condition.values, otherwise, then]
    shape = np.broadcast_shapes(condition.shape, *(np.shape(v) for v in (otherwise, then)))
    spread = [t.broadcast(v, shape) if isinstance(v, Form) else v for v in values]
    first = next(v for v in spread if isinstance(v, Form) and v.terms)
    for base in first.functions():
        laws = [_law(v, base) for v in spread]
        if base.size != first.size or any(law is None for law in laws):
            continue
        where = condition.build(laws[:-2])
        if where in (True, False, sympy.true, sympy.false):
            return t.broadcast(then if where == True else otherwise, shape)  # noqa: E712
        whole = sympy.piecewise_fold(Piecewise((laws[-1], where), (laws[-2], True)))
        return t.fold.applied(t.reshape(base, shape), whole, "choice")
    raise ValueError(_NONE)


def _law(value: Value, base: Form) -> Expr | None:
    """The formula of a value in terms of the form, a number where it is constant."""
    if isinstance(value, Form) and value.terms:
        return value.functions().get(base)
    constants = value.full_bias if isinstance(value, Form) else value
    numbers = np.unique(np.asarray(constants, dtype=np.float64))
    return functions.number(numbers[0]) if len(numbers) == 1 else None
