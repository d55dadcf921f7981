"""Measurements as the row kernels of `symnet.fitting.rowcode` take them, in standard units.

    residual = √(w/Σw) (prediction − measurement)/d = Σ_p e_p y_p − target

where y is the derivative in standard units, and e holds, for the output that the row measures,
√(w/Σw)/d times the unit t/(s_i s_j) of `symnet.fitting.packing`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from symnet.fitting.data import Kind, MixedData
from symnet.fitting.packing import Scaling, spread

Array: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Rows:
    """The measurements of one derivative order, as the row kernels take them.

    points, directions: x (n, rows), and a unit vector (n, rows) for each derivative.
    selector: e (m, rows): which output a row measures, times its scale.
    target: (rows,): the measurement on that scale; residual = Σ_p e_p y_p − target.
    part: where these rows stand among all residuals.
    """

    order: int
    points: Array
    directions: tuple[Array, ...]
    selector: Array
    target: Array
    part: slice

    def residuals(self, y: Array) -> Array:
        """r (…, rows) of the derivatives y (…, m, rows)."""
        return (self.selector * y).sum(axis=-2) - self.target

    def residuals_slope(self, _: Array) -> Array:
        """∂r/∂y at any y: (m, rows)."""
        return self.selector

    def loss_slope(self, y: Array) -> Array:
        """∂(Σ r²)/∂y at y: (m, rows)."""
        return 2 * self.residuals(y) * self.selector

    def run(self, kernels: Mapping[str, Any], name: str, *arguments: Any) -> Any:
        """The row kernel `name` of this order."""
        return kernels[f"{name}_{self.order}"](self.points, *self.directions, *arguments)


def gathered(
    data: MixedData, scaling: Scaling, importance: Mapping[Kind, Array]
) -> tuple[tuple[Rows, ...], dict[Kind, slice]]:
    """The measurements by order, and where each kind stands among the residuals.

    Kinds keep the data's order, which has lower orders first. `importance` is √(w/Σw) of each
    measurement.
    """
    kinds: dict[Kind, slice] = {}
    parts: dict[int, list[Rows]] = {}
    end = 0
    for kind in data.kinds:
        part = _rows_of(kind, data, scaling, importance[kind], end)
        kinds[kind], end = part.part, part.part.stop
        parts.setdefault(kind.order, []).append(part)
    return tuple(_together(parts[order]) for order in sorted(parts)), kinds


def _rows_of(kind: Kind, data: MixedData, scaling: Scaling, importance: Array, start: int) -> Rows:
    chosen, values = data.of(kind)
    output = data.outputs.index(kind.output)
    shift = scaling.y0[output] if kind.order == 0 else 0.0
    unit = spread(values)
    selector = np.zeros((len(data.outputs), len(chosen)))
    selector[output] = importance * (scaling.factor(data, kind) / unit)
    directions = []
    for name in kind.along:
        direction = np.zeros((len(data.inputs), len(chosen)))
        direction[data.inputs.index(name)] = 1
        directions.append(direction)
    points = ((data.points[chosen] - scaling.x0) / scaling.s).T
    target = importance * ((values - shift) / unit)
    part = slice(start, start + len(chosen))
    return Rows(kind.order, points, tuple(directions), selector, target, part)


def _together(parts: Sequence[Rows]) -> Rows:
    def joined(arrays: Iterable[Array]) -> Array:
        return np.ascontiguousarray(np.concatenate([*arrays], axis=-1))

    return Rows(
        parts[0].order,
        joined(part.points for part in parts),
        tuple(map(joined, zip(*(part.directions for part in parts), strict=True))),
        joined(part.selector for part in parts),
        joined(part.target for part in parts),
        slice(parts[0].part.start, parts[-1].part.stop),
    )
