"""Where a formula is cut into smooth pieces: its corners, its poles, the ends of its domain."""

from __future__ import annotations

from functools import lru_cache
from itertools import combinations, pairwise
from typing import Any

import mpmath
import sympy
from sympy import Abs, Expr, Max, Min, Piecewise, S, sign

from symnet import precision
from symnet.activations import digits
from symnet.activations.digits import Number
from symnet.activations.functions import STEPS
from symnet.activations.near import CORNERS, DIGITS, Near, is_limited
from symnet.activations.systems import Z
from symnet.activations.zeros import MOST, TooMany, zeros


def number(t: Expr, count: int = DIGITS) -> Number:
    """A cut as a number of mpmath's, of ten digits more than these."""
    try:
        return digits.number(t, count + 10)
    except ValueError:
        return mpmath.make_mpf(sympy.N(t, count + 10)._mpf_)


@lru_cache(maxsize=2048)
def cuts_of(node: Expr) -> tuple[Expr, ...]:
    """The ends of the pieces, in order. TooMany where there are more than MOST."""
    if not node.has(Z) or node == Z:
        return ()
    tests = list(_tests(node))
    inner = [*node.args, *tests] if not isinstance(node, Piecewise) else [*_arms(node), *tests]
    found = _ordered(cut for part in inner for cut in cuts_of(part))
    more: list[Expr] = []
    for test in tests:
        for low, high in pairwise((-S.Infinity, *found, S.Infinity)):
            at = Near(between(low, high))
            smooth = at.visit(test)
            if at.defined:
                more += (z for z in zeros(smooth) if low < z < high)
    found = _ordered([*found, *more])
    if len(found) > MOST:
        raise TooMany
    return found


def _arms(node: Piecewise) -> list[Expr]:
    return [value for value, _ in node.args]


def _tests(node: Expr) -> Any:
    """Functions of z at whose zeros the node has a corner, a pole or an end."""
    if isinstance(node, Piecewise):
        for _, condition in node.args:
            for relation in condition.atoms(sympy.core.relational.Relational):
                yield relation.lhs - relation.rhs
    elif isinstance(node, (Max, Min)):
        for a, b in combinations(node.args, 2):
            yield a - b
    elif isinstance(node, (sympy.asin, sympy.acos, sympy.atanh, sympy.erfinv)):
        yield from (node.args[0] - 1, node.args[0] + 1)
    elif isinstance(node, sympy.acosh):
        yield node.args[0] - 1
    elif isinstance(node, sympy.polygamma):
        yield node.args[1]
    elif isinstance(node, (Abs, sign)) or is_limited(node):
        yield node.args[0]


def turns_at_poles(node: Expr) -> bool:
    """Whether a corner or a step is one of digamma's, whose poles have no end."""
    inner = (argument for argument in node.args if argument.has(Z))
    return isinstance(node, (*CORNERS, *STEPS)) and any(a.has(sympy.polygamma) for a in inner)


def hangs_on_steps(node: Expr) -> bool:
    """Whether the node has a value here or there by floor(z) or the like, at places without end."""
    cornered = isinstance(node, (Piecewise, *CORNERS))
    return not cornered and any(test.has(*STEPS) for test in _tests(node))


def _ordered(cuts: Any) -> tuple[Expr, ...]:
    """Each once, in order; equal ones may be written in two ways."""
    with precision.digits(DIGITS):
        values = sorted(((number(cut), cut) for cut in set(cuts)), key=lambda pair: pair[0])
        found: list[tuple[Number, Expr]] = []
        for value, cut in values:
            if not found or not _same(value, found[-1][0]):
                found.append((value, cut))
    return tuple(cut for _, cut in found)


def _same(a: Number, b: Number) -> bool:
    return bool(abs(a - b) <= mpmath.mpf(10) ** -30 * (1 + abs(a)))


def between(low: Expr, high: Expr) -> Number:
    """A point of the interval, no special one."""
    a: Number = None if low == -S.Infinity else number(low)
    b: Number = None if high == S.Infinity else number(high)
    if a is None and b is None:
        return mpmath.mpf("0.7390851")
    if a is None:
        return b - mpmath.mpf("0.6180339") * max(1, abs(b))
    if b is None:
        return a + mpmath.mpf("0.6180339") * max(1, abs(a))
    return a + (b - a) * mpmath.mpf("0.4142135")
