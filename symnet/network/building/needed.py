"""Which neurons of a graph anything needs: where outputs were chosen, the others need no row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from symnet.network.building.matrices import selection
from symnet.network.building.vectors import Atom
from symnet.network.weights import Array

Rows = NDArray[np.bool_]


def needed(ordered: Sequence[Atom]) -> Mapping[Atom, Rows]:
    """The rows of each value, in the order of computing, that the last one needs.

    Matrices that choose and scale tell it, with one entry a row at most. Those of layers do not: a
    weight that is 0 may be about to be learned.
    """
    found = {atom: np.full(atom.width, False) for atom in ordered}
    found[ordered[-1]][:] = True
    for atom in reversed(ordered):
        if atom.kind not in ("form", "activation"):
            found[atom][:] = True  # the inputs; a product's and a softmax's rows are few or all
        for source in atom.sources:
            found[source] |= _read(atom, source, found[atom])
    return found


def _read(atom: Atom, source: Atom, rows: Rows) -> Rows:
    """The rows of the source that these rows of a value read."""
    everything = np.full(source.width, True)
    if source is atom.factor or atom.form is None:
        return everything
    A = atom.form.terms[source]
    if A is None:
        return rows if source.width == len(rows) else everything
    if atom.layer is not None or len(A) != len(rows) or (np.count_nonzero(A, axis=1) > 1).any():
        return everything
    chosen: Rows = (A[rows] != 0).any(axis=0)
    return chosen if chosen.any() else everything


def narrowed(A: Array | None, rows: Rows, columns: Rows) -> Array | None:
    """The rows and columns of a matrix that are needed; None is the identity."""
    if A is None:
        if len(rows) != len(columns) or (rows == columns).all():
            return None
        A = selection(np.arange(len(rows)), len(rows))
    if not columns.all():
        A = A[:, columns]
    return A if rows.all() or len(A) != len(rows) else A[rows]
