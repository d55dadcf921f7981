"""Softmax of groups of entries: given as such, or as the quotient exp/Σ exp.

What a constant mask leaves nothing of, by −∞ or by a number as −1e9, leaves its group.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import sympy

from symnet.activations import Z
from symnet.importers.folding import matrices
from symnet.importers.folding.forms import Form
from symnet.network.weights import Array

if TYPE_CHECKING:
    from symnet.importers.folding.fold import Folding

_MASK = -1e9  # beside the largest constant of a softmax: exp of it is 0
_LEFT_OUT = (
    "entries of a softmax that a mask makes 1e9 smaller than others, or more, are left out: as "
    "doubles they are 0 until the others differ by as much"
)


def of_groups(fold: Folding, x: Form, groups: Sequence[Array], kind: str = "softmax") -> Form:
    """softmax or log_softmax over each of these groups of flat places; 0 or −∞ elsewhere.

    Entries that a mask leaves nothing of leave their group.
    """
    kept = [members[~_masked(fold, x.full_bias[members], kind)] for members in groups]
    if len(kept) == 1 and np.array_equal(kept[0], np.arange(x.size)):
        return fold.reshaped(fold.normalised(x, kind), x.shape)
    parts = [fold.normalised(fold.selected(x, members), kind) for members in kept]
    found = fold.placed(parts, np.concatenate(kept), x.shape)
    left_out = np.setdiff1d(np.concatenate(groups), np.concatenate(kept))
    if kind == "softmax" or not left_out.size:
        return found
    bias = found.full_bias.copy()
    bias[left_out] = -np.inf
    return replace(found, bias=bias)


def _masked(fold: Folding, bias: Array, kind: str) -> Array:
    """Which entries a mask leaves nothing of. ValueError where it leaves none."""
    largest = bias.max()
    if not largest > -np.inf:
        raise ValueError("a softmax of nothing but -inf is NaN: its mask leaves nothing of it")
    if kind == "softmax" and (masked := bias - largest <= _MASK).any():
        if np.isfinite(bias[masked]).any():
            fold.assume(_LEFT_OUT)
        return masked
    return np.isneginf(bias)


def of_quotient(fold: Folding, x: Form, y: Form) -> Form | None:
    """softmax(z) where x is of entries of exp(z), and y the sums of groups that have them."""
    atom = next(iter(x.terms), None)
    if atom is None or atom.activation is None or atom.form is None:
        return None
    if atom.activation.value != sympy.exp(Z) or x.full_bias.any() or y.full_bias.any():
        return None
    if {*x.terms, *y.terms} != {atom} or np.broadcast_shapes(x.shape, y.shape) != x.shape:
        return None
    spread = fold.broadcast(y, x.shape)
    entries, sums = (matrices.dense(v.terms[atom], atom.width) for v in (x, spread))
    groups = _groups(entries, sums)
    if groups is None:
        return None
    parts = []
    for members, rows in groups:
        whole = of_groups(fold, fold.selected(atom.form, members), [np.arange(len(members))])
        parts.append(fold.selected(whole, np.searchsorted(members, entries[rows].argmax(1))))
    return fold.placed(parts, np.concatenate([rows for _, rows in groups]), x.shape)


def _groups(entries: Array, sums: Array) -> list[tuple[Array, Array]] | None:
    """Places that are summed, and rows whose one entry is among them; None where they are no such.

    Rows without an entry are in none.
    """
    used = np.flatnonzero(entries.any(axis=1))
    one = (np.count_nonzero(entries, axis=1)[used] == 1).all()
    inside = (sums[used, entries[used].argmax(axis=1)] == 1).all()
    if not (
        one and inside and np.isin(entries, (0, 1)).all() and np.isin(sums[used], (0, 1)).all()
    ):
        return None
    rows: dict[bytes, list[int]] = {}
    for k in used:
        rows.setdefault(sums[k].tobytes(), []).append(int(k))
    return [(np.flatnonzero(sums[own[0]]), np.array(own)) for own in rows.values()] or None
