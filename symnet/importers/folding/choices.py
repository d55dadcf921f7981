"""Choices by value (`where`).

Where all parts are functions of one form, entry by entry, the choice is one function in pieces, as
relu, elu and their kin are. Any other is each arm times the step that is 1 where it is taken:

    where(c, x, y) = [c] x + [not c] y          [a > b] = step(a − b)

which is the choice as long as the arm that is not taken is finite.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any

import numpy as np
import sympy
from sympy import Dummy, Expr, Piecewise

from symnet.activations import Z
from symnet.importers.folding import functions, rounding
from symnet.importers.folding.axes import grouped
from symnet.importers.folding.forms import Form, Shape
from symnet.importers.folding.tensors import Tensors, Value
from symnet.network.weights import Array

RELATIONS: dict[str, Any] = {
    **{"gt": sympy.Gt, "ge": sympy.Ge, "lt": sympy.Lt, "le": sympy.Le},
    **{"eq": sympy.Eq, "ne": sympy.Ne},
}

_STEPS: dict[Any, Expr] = {
    **{
        kind: Piecewise((1, kind(Z, 0)), (0, True))
        for kind in (sympy.Gt, sympy.Ge, sympy.Lt, sympy.Le)
    },
    sympy.Eq: Piecewise((0, Z < 0), (1, Z <= 0), (0, True)),
    sympy.Ne: Piecewise((1, Z < 0), (0, Z <= 0), (1, True)),
}
"""1 where the relation to 0 holds, else 0."""

_HALF = sympy.Rational(1, 2)
_WHOLE_STEPS: dict[Any, Expr] = {
    kind: Piecewise((other, Z <= -_HALF), (1 - other, Z <= _HALF), (other, True))
    for kind, other in ((sympy.Eq, sympy.S.Zero), (sympy.Ne, sympy.S.One))
}
"""The same of whole numbers, of which nothing jumps where they stand."""

_FINITE = (
    "a choice by another value (where) is the sum of its arms, each times 0 or 1: where the arm "
    "that is not taken is NaN or infinite, so is the choice"
)
_INFINITE = "where a choice (where) gives NaN or an infinity, it has no value here: NaN"
_DEEPEST = 4  # products within products, into which a step is taken
_LONGEST = 120  # operations of choices within a choice that is one function
_MOST = 64  # conditions that are joined along an axis


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
        whole = [v if isinstance(v, Form) else np.asarray(v) for v in self.values]
        spread = [t.places(t.broadcast(v, self.shape), change) for v in whole]
        return replace(self, values=tuple(spread), shape=shape)


def compared(t: Tensors, name: str, x: Value, y: Value) -> Value:
    """The condition, or a constant: a value is itself, never NaN, and never infinite."""
    shape = np.broadcast_shapes(np.shape(x), np.shape(y))
    if x is y:
        return np.full(shape, name in ("eq", "ge", "le"))
    if not isinstance(x, Form) and not isinstance(y, Form):
        return getattr(operator, name)(x, y)
    known = next((v for v in (x, y) if not isinstance(v, Form)), None)
    if known is not None and np.size(known) and not np.isfinite(known).any():
        compare = getattr(operator, name)
        numbers = [v if v is known else np.zeros(()) for v in (x, y)]
        return np.broadcast_to(compare(*numbers), shape)
    relation = RELATIONS[name]
    return Condition((x, y), lambda laws: relation(laws[0], laws[1]), shape)


def condition(t: Tensors, x: Any) -> Any:
    """A condition or a constant as it is, a form as the condition that it is not 0."""
    return compared(t, "ne", x, np.zeros(())) if isinstance(x, Form) else x


def joined(both: Any, x: Value, y: Value) -> Value:
    """Both conditions (sympy.And), or one of them (sympy.Or); either may be constant."""
    shape = np.broadcast_shapes(np.shape(x), np.shape(y))
    if not isinstance(x, Condition):
        x, y = y, x
    if not isinstance(x, Condition):
        return (np.logical_and if both is sympy.And else np.logical_or)(x, y)
    if not isinstance(y, Condition):
        if np.unique(y).size == 1:
            decides = bool(np.ravel(y)[0]) != (both is sympy.And)
            return np.broadcast_to(np.asarray(y), shape) if decides else replace(x, shape=shape)
        y = _of_constants(y)
    first = len(x.values)
    return Condition(
        (*x.values, *y.values),
        lambda laws: both(x.build(laws[:first]), y.build(laws[first:])),
        shape,
    )


def _of_constants(known: Value) -> Condition:
    numbers = np.asarray(known, dtype=np.float64)
    return Condition((numbers, np.zeros(())), lambda laws: sympy.Ne(*laws), numbers.shape)


def all_or_any(
    t: Tensors, both: Any, x: Condition, axes: Sequence[int] | None, keep: bool = False
) -> Value:
    """The condition that all hold along axes (sympy.And), or that one of them does (sympy.Or)."""
    groups, shape = grouped(x.shape, axes, keep)
    if not 0 < groups.shape[1] <= _MOST:
        raise ValueError(f"it joins {groups.shape[1]} conditions; symnet reads 1 to {_MOST}")
    parts = [
        x.moved(shape, lambda a, k=k: a.reshape(-1)[groups[:, k]].reshape(shape), t)  # type: ignore[misc]
        for k in range(groups.shape[1])
    ]
    return reduce(lambda first, second: joined(both, first, second), parts)


def negated(x: Condition) -> Condition:
    """Where it does not hold."""
    return replace(x, build=lambda laws: sympy.Not(x.build(laws)))


def chosen(t: Tensors, condition: Condition, otherwise: Value, then: Value) -> Value:
    """`then` where the condition holds, `otherwise` elsewhere."""
    found = _in_pieces(t, condition, otherwise, then)
    if found is None:
        found = _where_it_has_none(t, condition, then, otherwise)
    if found is None:
        found = _where_it_has_none(t, negated(condition), otherwise, then)
    if found is not None:
        return found
    if any(isinstance(arm, Form) for arm in (then, otherwise)):
        t.fold.assume(_FINITE)
    return t.add(_taken(t, condition, then), _taken(t, negated(condition), otherwise))


def by_number(t: Tensors, which: Value, cases: Sequence[Value]) -> Value:
    """The case of a whole number that depends on the inputs, entry by entry."""
    found = cases[0]
    for k, case in enumerate(cases[1:], start=1):
        found = chosen(t, compared(t, "gt", which, np.asarray(k - 0.5)), found, case)
    return found


# --- one function in pieces ---------------------------------------------------------------------


def _in_pieces(
    t: Tensors, condition: Condition, otherwise: Value, then: Value, hint: str = "choice"
) -> Value | None:
    """One function of one form, None where there is none."""
    values = [*condition.values, otherwise, then]
    shape = np.broadcast_shapes(condition.shape, *(np.shape(v) for v in (otherwise, then)))
    spread = [t.broadcast(v, shape) if isinstance(v, Form) else v for v in values]
    first = next((v for v in spread if isinstance(v, Form) and v.terms), None)
    if first is None:
        return None
    for base in first.functions():
        laws = [_law(v, base) for v in spread]
        if base.size != first.size or any(law is None for law in laws):
            continue
        if sum(sympy.count_ops(law) for law in laws) > _LONGEST:
            continue
        where = condition.build(laws[:-2])
        if where in (True, False, sympy.true, sympy.false):
            return t.broadcast(then if where == True else otherwise, shape)  # noqa: E712
        whole = sympy.piecewise_fold(Piecewise((laws[-1], where), (laws[-2], True)))
        with suppress(ValueError):  # an arm may be no function by itself, as 1/0
            return t.fold.applied(t.reshape(base, shape), whole, hint)
    return None


def _law(value: Value, base: Form) -> Expr | None:
    """The formula of a value in terms of the form, a number where it is constant."""
    if isinstance(value, Form) and value.terms:
        return value.functions().get(base)
    constants = value.full_bias if isinstance(value, Form) else value
    numbers = np.unique(np.asarray(constants, dtype=np.float64))
    finite = len(numbers) == 1 and np.isfinite(numbers[0])
    return functions.number(numbers[0]) if finite else None


def _where_it_has_none(t: Tensors, condition: Condition, arm: Value, other: Value) -> Form | None:
    """The other arm, if this one is NaN or infinite where it has no value; else None."""
    if isinstance(arm, Form) or not isinstance(other, Form) or np.isfinite(arm).any():
        return None
    for base, law in other.functions().items():
        laws = [_law(v, base) for v in condition.values]
        if base.size == other.size and not any(own is None for own in laws):
            if not functions.lacks_values(law, condition.build(laws)):
                return None
            t.fold.assume(_INFINITE)
            return other
    return None


# --- each arm times a step ----------------------------------------------------------------------


def _taken(t: Tensors, condition: Condition, arm: Value, depth: int = 0) -> Value:
    """The arm where the condition holds, else 0."""
    if not isinstance(arm, Form):
        if not np.isfinite(arm).all():
            raise ValueError("one of its arms is NaN or infinite; give a large number instead")
        return t.multiply(_step(t, condition), np.asarray(arm, dtype=np.float64))
    found = _in_pieces(t, condition, 0.0, arm)
    if found is None and depth < _DEEPEST:
        found = _in_a_factor(t, condition, arm, depth + 1)
    return t.multiply(_step(t, condition), arm) if found is None else found


def _in_a_factor(t: Tensors, condition: Condition, arm: Form, depth: int) -> Value | None:
    """[c] (x y) as ([c] x) y where [c] x is one function: it has a value wherever c fails."""
    atom = arm.atom
    if atom is None or atom.kind != "product":
        return None
    assert atom.form is not None
    assert atom.factor is not None
    (first, second) = atom.form, t.fold.form_of(atom.factor)
    factors = first if first.atom is None else t.fold.form_of(first.atom), second
    whole = [t.reshape(f, arm.shape if f.size == arm.size else ()) for f in factors]
    found = [_in_pieces(t, condition, 0.0, factor) for factor in whole]
    if depth < _DEEPEST:
        found = [
            _in_a_factor(t, condition, factor, depth + 1) if part is None else part
            for part, factor in zip(found, whole, strict=True)
        ]
    if all(part is None for part in found):
        return None
    pairs = zip(found, whole, strict=True)
    return t.multiply(*(factor if part is None else part for part, factor in pairs))


def _step(t: Tensors, condition: Condition) -> Value:
    """1 where the condition holds, else 0."""
    found = _in_pieces(t, condition, 0.0, 1.0, "step")
    if found is not None:
        return found
    symbols = [Dummy(real=True) for _ in condition.values]
    known = dict(zip(symbols, condition.values, strict=True))
    return t.broadcast(_truth(t, condition.build(symbols), known), condition.shape)


def _truth(t: Tensors, test: Any, known: dict[Expr, Value]) -> Value:
    if test in (True, False):
        return np.asarray(float(bool(test)))
    if isinstance(test, sympy.Not):
        return t.subtract(np.ones(()), _truth(t, test.args[0], known))
    if isinstance(test, sympy.Or):
        return _truth(t, sympy.Not(sympy.And(*map(sympy.Not, test.args)), evaluate=False), known)
    if isinstance(test, sympy.And):
        parts = [_truth(t, part, known) for part in sorted(test.args, key=sympy.default_sort_key)]
        return reduce(t.multiply, parts)
    difference = t.form(t.subtract(known[test.lhs], known[test.rhs]))
    asks = isinstance(test, sympy.Eq | sympy.Ne)
    if asks and rounding.is_whole(difference):
        return t.apply(_WHOLE_STEPS[test.func], difference, "step")
    if asks and not difference.terms.keys() <= {t.fold.inputs}:
        raise ValueError(
            "it asks whether two computed numbers are equal, which rounding decides (the gradient "
            "of a maximum does); write the choice with < or >"
        )
    return t.apply(_STEPS[test.func], difference, "step")
