"""`jnp.select` and `jnp.piecewise`: the first or last of several conditions that holds.

Both put conditions side by side and take argmax of them, or of their cumulative sums, whose
largest is first reached at the last that holds; of none it is 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from symnet.importers.folding.choices import Condition, chosen
from symnet.importers.folding.forms import Form, Shape
from symnet.importers.folding.tensors import Tensors, Value


@dataclass(frozen=True, eq=False)
class Row:
    """Conditions side by side, each a Condition or constant; `summed` up to each, or not."""

    parts: tuple[Any, ...]
    summed: bool = False

    @property
    def shape(self) -> Shape:
        """With the axis along which they stand first."""
        return (len(self.parts), *np.shape(self.parts[0]))

    def forced(self, t: Tensors) -> Value:
        """As numbers, 1 where one holds."""
        numbers = [p.forced(t) if isinstance(p, Condition) else np.asarray(p) for p in self.parts]
        whole = t.mixed(numbers, np.stack)
        return t.cumulated(whole, 0) if self.summed else whole


@dataclass(frozen=True, eq=False)
class Which:
    """The place of the first of a row's conditions that holds, of the last where it is summed."""

    row: Row

    @property
    def shape(self) -> Shape:
        """Of one of the conditions."""
        return self.row.shape[1:]

    def forced(self, t: Tensors) -> Value:
        """As a number."""
        places = range(len(self.row.parts))
        return self.select(t, [np.full(self.shape, float(k)) for k in places])

    def select(self, t: Tensors, cases: Sequence[Value]) -> Value:
        """The case at the place."""
        found = cases[0]
        numbered = list(zip(self.row.parts, cases, strict=True))[1:]
        for part, case in numbered if self.row.summed else numbered[::-1]:
            if isinstance(part, Condition):
                found = chosen(t, part, found, case)
            else:
                found = _constant(t, np.asarray(part, dtype=bool), found, case)
        return found


def _constant(t: Tensors, known: Any, otherwise: Value, then: Value) -> Value:
    if np.unique(known).size == 1:
        return then if known.flat[0] else otherwise
    wide = [t.broadcast(v, known.shape) for v in (otherwise, then)]
    return t.mixed(wide, lambda arrays: np.where(known, arrays[1], arrays[0]))


def beside(t: Tensors, axis: int, stacked: bool, given: Sequence[Any]) -> Row | None:
    """Conditions stacked, or concatenated, along the first axis; None for anything else."""
    if axis or not any(isinstance(v, Condition | Row) for v in given):
        return None
    if any(isinstance(v, Form) or (isinstance(v, Row) and v.summed) for v in given):
        return None
    parts: list[Any] = []
    for v in given:
        if stacked:
            parts += [v]
        elif isinstance(v, Row):
            parts += v.parts
        elif isinstance(v, Condition):
            rest = v.shape[1:]
            parts += [v.moved(rest, partial(_at, k=k), t) for k in range(v.shape[0])]
        else:
            parts += list(np.asarray(v))
    return None if any(isinstance(part, Row) for part in parts) else Row(tuple(parts))


def _at(array: Any, k: int) -> Any:
    return array[k]


def summed(x: Row, axis: int, reverse: bool) -> Row | None:
    """Cumulative sums along the row."""
    return None if axis or reverse or x.summed else replace(x, summed=True)


def which(x: Any, axes: Sequence[int]) -> Which:
    """argmax. ValueError of what are no conditions."""
    if not isinstance(x, Row) or tuple(axes) != (0,):
        raise ValueError(
            "it chooses by values: that has no derivative; leave it out of what is returned"
        )
    return Which(x)
