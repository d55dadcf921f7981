"""ONNX operators that are constant in steps, and the largest of several."""

from __future__ import annotations

from functools import partial

import numpy as np

from symnet.importers.folding.rounding import remainder, rounded
from symnet.importers.folding.sorting import sorted_along
from symnet.importers.onnx.call import Call, Reader, Result


def _rounded(how: str) -> Reader:
    return lambda c: rounded(c.tensors, c.value(0), how)


def _mod(c: Call) -> Result:
    """With the sign of the divisor, or of what is divided (fmod)."""
    how = "trunc" if c.get("fmod", 0) else "floor"
    return remainder(c.tensors, c.value(0), c.value(1), how)


def _top(c: Call) -> Result:
    """The values; their places are no numbers."""
    axis, k = int(c.get("axis", -1)), int(c.constant(1, "k").reshape(-1)[0])
    if c.opset < 10 or not 0 < k <= c.value(0).shape[axis]:
        c.refuse(f"it takes {k} of the entries along its axis, in opset {c.opset}")
    whole = sorted_along(c.tensors, c.value(0), axis, bool(c.get("largest", 1)))
    return [c.tensors.places(whole, partial(np.take, indices=range(k), axis=axis)), None]


READERS: dict[str, Reader] = {
    "Floor": _rounded("floor"),
    "Ceil": _rounded("ceil"),
    "Round": _rounded("round"),
    "Mod": _mod,
    "TopK": _top,
}
