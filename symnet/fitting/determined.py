"""What mixed data determine: from which partials and values each direction of an output is known.

Partials alone leave a function g free whose measured partials all vanish: a constant where every
first partial is measured, a function of x2 where only dy/dx1 is. Values fix it where they are
given, so that rows which give y at one x2 alone say nothing about another.
"""

from __future__ import annotations

import numpy as np

from symnet.fitting.data import Kind, MixedData, listed
from symnet.names import shortened

_NOTHING = 1e-13
"""Of the largest eigenvalue of X^T X, what a dependent direction's may be by rounding."""


def described(data: MixedData) -> tuple[str, ...]:
    """A line for each output: `y: along x1 from dy/dx1 and y, along x2 from nothing`."""
    lines = []
    for output in data.outputs:
        along = [
            f"along {shortened(name)} from {_joined(_sources(data, output, name)) or 'nothing'}"
            for name in data.inputs
        ]
        lines.append(shortened(f"{shortened(output)}: {', '.join(along)}", 400))
    return tuple(lines)


def undetermined(data: MixedData) -> list[str]:
    """What of each output the data leave open, a line each; none where they determine it."""
    lines = []
    for output in data.outputs:
        if Kind(output) in data.kinds:
            lines += [
                f"nothing tells how {shortened(output)} changes with {shortened(name)}: all rows "
                f"that give {shortened(output)} itself have one {shortened(name)}, and "
                f"{Kind(output, (name,))} is not measured"
                for name in data.inputs
                if not _sources(data, output, name)
            ]
            if together := _together(data, output):
                lines.append(
                    f"{shortened(listed(together))} depend on each other linearly in the rows that "
                    f"give {shortened(output)}: how it changes with one of them alone is not known"
                )
        else:
            lines.append(
                f"no row gives {shortened(output)} itself: it is learned up to "
                f"{_freedom(data, output)}"
            )
    return lines


def _sources(data: MixedData, output: str, name: str) -> list[str]:
    """The kinds that say how the output changes with an input."""
    partials = [k for k in data.kinds if k.output == output and name in k.along]
    value = Kind(output)
    if value not in data.kinds:
        return [str(kind) for kind in partials]
    at = data.points[data.of(value)[0], data.inputs.index(name)]
    return [str(kind) for kind in (*partials, *([value] if np.ptp(at) > 0 else []))]


def _together(data: MixedData, output: str) -> list[str]:
    """The inputs of which values alone tell, and of which a sum v x is one number in all rows."""
    known = [name for name in data.inputs if _sources(data, output, name) == [str(Kind(output))]]
    at = data.points[data.of(Kind(output))[0]][:, [data.inputs.index(name) for name in known]]
    if not known:
        return []
    scaled = (at - at.mean(axis=0)) / np.ptp(at, axis=0)
    values, vectors = np.linalg.eigh(scaled.T @ scaled)
    free = vectors[:, values <= _NOTHING * values[-1]]
    return [name for name, row in zip(known, free, strict=True) if np.any(abs(row) > 1e-6)]


def _freedom(data: MixedData, output: str) -> str:
    """The functions g whose partials of the kinds that are measured all vanish, in words."""
    kinds = [kind for kind in data.kinds if kind.output == output]
    sloped = {kind.along[0] for kind in kinds if kind.order == 1}
    free = [name for name in data.inputs if name not in sloped]
    if not free:
        return "a constant"
    # A second partial along an input on which g does not depend says nothing more about g.
    curved = [kind for kind in kinds if kind.order == 2 and set(kind.along) <= set(free)]
    if len(curved) == len(free) * (len(free) + 1) // 2:
        return f"a constant and multiples of {listed(free)}"
    missing = ", ".join(str(Kind(output, (name,))) for name in free)
    where = f" with {_joined(list(map(str, curved)))} = 0" if curved else ""
    verb = "are" if len(free) > 1 else "is"
    return f"a function of {listed(free)}{where}, since {shortened(missing)} {verb} not measured"


def _joined(names: list[str]) -> str:
    shown = [shortened(name) for name in names]
    return " and ".join(filter(None, [", ".join(shown[:-1]), *shown[-1:]]))
