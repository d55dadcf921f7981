"""Einstein's sums of tensors, some of which vary: pairs of them as matrix products.

einsum("bi,oi->bo", x, W)        letters that are not in the result are summed over
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from symnet.importers.folding.forms import Form
from symnet.importers.folding.tensors import Tensors, Value


def einsum(t: Tensors, equation: str, operands: Sequence[Value]) -> Value:
    """NumPy's einsum. ValueError for an equation that does not fit, or that takes a diagonal."""
    terms, result = _parsed(equation.replace(" ", ""), [len(x.shape) for x in operands])
    if not any(isinstance(x, Form) for x in operands):
        return np.einsum(",".join(terms) + "->" + result, *operands)
    for term in (*terms, result):
        if len(set(term)) != len(term):
            raise ValueError(f"its equation {equation!r} takes a diagonal")
    value, letters = operands[0], terms[0]
    for k, (other, term) in enumerate(zip(operands[1:], terms[1:], strict=True), start=2):
        later = set(result).union(*terms[k:])
        value, letters = _pair(t, value, letters, other, term, later)
    value, letters = _summed(t, value, letters, set(result))
    return t.places(value, lambda a: a.transpose([letters.index(c) for c in result]))


def _parsed(equation: str, ranks: Sequence[int]) -> tuple[list[str], str]:
    """The letters of each operand and of the result, those of an ellipsis among them."""
    left, arrow, right = equation.partition("->")
    terms = left.split(",")
    if len(terms) != len(ranks):
        raise ValueError(f"its equation {equation!r} is of {len(terms)} tensors, not {len(ranks)}")
    free = [c for c in "ZYXWVUTSRQ" if c not in equation]
    rest = [rank - len(term.replace("...", "")) for term, rank in zip(terms, ranks, strict=True)]
    if any(r < 0 or (r and "..." not in t) for t, r in zip(terms, rest, strict=True)):
        raise ValueError(f"its equation {equation!r} does not fit tensors of {list(ranks)} axes")
    whole = "".join(free[: max(rest, default=0)])
    found = [
        term.replace("...", whole[len(whole) - r :] if r else "")
        for term, r in zip(terms, rest, strict=True)
    ]
    if not arrow:
        once = sorted(c for c in set("".join(terms)) - set(".") if left.count(c) == 1)
        right = ("..." if "..." in left else "") + "".join(once)
    return found, right.replace("...", whole)


def _summed(t: Tensors, x: Value, letters: str, kept: set[str]) -> tuple[Value, str]:
    """Without the letters that nothing else has."""
    over = [k for k, c in enumerate(letters) if c not in kept]
    if not over:
        return x, letters
    return t.sum(x, over, False), "".join(c for c in letters if c in kept)


def _pair(
    t: Tensors, x: Value, left: str, y: Value, right: str, later: set[str]
) -> tuple[Value, str]:
    """The product of two, summed over the letters that are not needed later."""
    x, left = _summed(t, x, left, later | set(right))
    y, right = _summed(t, y, right, later | set(left))
    shared = [c for c in left if c in right]
    batch, over = [c for c in shared if c in later], [c for c in shared if c not in later]
    mine, its = ([c for c in term if c not in shared] for term in (left, right))
    sizes = dict(zip(left, x.shape, strict=True)) | dict(zip(right, y.shape, strict=True))
    for c in shared:
        if x.shape[left.index(c)] != y.shape[right.index(c)]:
            raise ValueError(f"tensors of the shapes {x.shape} and {y.shape} differ along {c!r}")
    a = _arranged(t, x, left, (batch, mine, over), sizes)
    b = _arranged(t, y, right, (batch, over, its), sizes)
    letters = "".join((*batch, *mine, *its))
    return t.reshape(t.matmul(a, b), [sizes[c] for c in letters]), letters


def _arranged(
    t: Tensors, x: Value, letters: str, groups: Sequence[list[str]], sizes: dict[str, int]
) -> Value:
    """With an axis for each letter of the first group, and one for each other group."""
    order = [letters.index(c) for group in groups for c in group]
    shape = [sizes[c] for c in groups[0]]
    shape += [math.prod(sizes[c] for c in group) for group in groups[1:]]
    return t.reshape(t.places(x, lambda a: a.transpose(order)), shape)
