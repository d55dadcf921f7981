"""Rules of PyTorch's tables: Embedding and EmbeddingBag, bucketize and searchsorted."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from symnet.importers.folding import taking
from symnet.importers.folding.choices import Condition, compared
from symnet.importers.folding.forms import Form
from symnet.importers.folding.tensors import Tensors, Value
from symnet.importers.torch.moves import COUNTED

_SUM, _MEAN, _MAX = range(3)


def embedding(t: Tensors, weight: Value, index: Value, *_: Any) -> Value:
    """A row for each number."""
    if isinstance(index, Form):
        return taking.taken(t, weight, index, 0, COUNTED)
    return t.places(weight, lambda a: a[np.asarray(index, dtype=np.int64)])


def embedding_bag(
    t: Tensors,
    weight: Value,
    indices: Value,
    offsets: Value,
    scale_grad: bool = False,
    mode: int = _SUM,
    sparse: bool = False,
    factors: Value | None = None,
    include_last: bool = False,
    padding: int | None = None,
) -> list[Value]:
    """The sum, mean or maximum of the rows from each offset to the next; of none 0."""
    if isinstance(offsets, Form):
        raise ValueError("how long its bags are depends on the inputs; give them one length")
    rows = embedding(t, weight, indices)
    if factors is not None:
        rows = t.multiply(rows, t.reshape(factors, (-1, 1)))
    bounds = np.asarray(offsets, dtype=np.int64)
    if not include_last:
        bounds = np.append(bounds, rows.shape[0])
    kept = _unpadded(indices, padding)
    bags = [_bag(t, rows, np.flatnonzero(kept[a:b]) + a, mode) for a, b in pairwise(bounds)]
    return [t.concatenate(bags, 0), None, None, None]


def bucketize(
    t: Tensors, x: Value, knots: Value, int32: bool = False, right: bool = False
) -> Value:
    """How many knots, in their order, are below x; with `right` at it, too."""
    if isinstance(knots, Form) or len(knots.shape) != 1:
        raise ValueError("its knots depend on the inputs, or differ from row to row")
    below = compared(t, "ge" if right else "gt", t.places(x, lambda a: a[..., None]), knots)
    numbers = below.forced(t) if isinstance(below, Condition) else np.asarray(below, np.float64)
    return t.sum(numbers, [-1], False)


def searchsorted(
    t: Tensors,
    knots: Value,
    x: Value,
    int32: bool = False,
    right: bool = False,
    side: str | None = None,
    sorter: Value | None = None,
) -> Value:
    """The same; `side` says left or right, too."""
    if sorter is not None:
        raise ValueError("its knots are sorted by another tensor (sorter); give them in order")
    return bucketize(t, x, knots, int32, right or side == "right")


def _unpadded(indices: Value, padding: int | None) -> Any:
    """Which numbers are none of those that only fill a bag."""
    if padding is None or padding < 0:
        return np.ones(indices.shape, dtype=bool)
    if isinstance(indices, Form):
        raise ValueError("which rows it leaves out (padding_idx) depends on the inputs")
    return np.asarray(indices) != padding


def _bag(t: Tensors, rows: Value, members: Any, mode: int) -> Value:
    if not len(members):
        return np.zeros((1, rows.shape[1]))
    own = t.places(rows, lambda a: a[members])
    if mode == _MAX:
        return t.extreme(own, [0], True, True)
    return t.sum(own, [0], True, mean=mode == _MEAN)
