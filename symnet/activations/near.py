"""A formula as it is near a point: without corners, whose arm there is known."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
import sympy
from sympy import Abs, Expr, Max, Min, Piecewise, S, sign

from symnet import precision
from symnet.activations import digits
from symnet.activations.digits import Number
from symnet.activations.systems import Z

DIGITS = 50
CORNERS = (Abs, sign, Max, Min)
_LIMITED = (
    *(sympy.log, sympy.asin, sympy.acos, sympy.acosh, sympy.atanh, sympy.erfinv),
    *(sympy.loggamma, sympy.polygamma),
)
_HOLDS: dict[str, Callable[[Number], bool]] = {
    "<": lambda d: d < 0,
    "<=": lambda d: d <= 0,
    ">": lambda d: d > 0,
    ">=": lambda d: d >= 0,
    "==": lambda d: d == 0,
    "!=": lambda d: d != 0,
}
"""When a relation holds between numbers with the difference d."""


def is_limited(node: Expr) -> bool:
    """Whether a function, or a power, has values for some arguments only."""
    if isinstance(node, sympy.Pow):
        return node.base.has(Z) and not (node.exp.is_Integer and node.exp.is_positive)
    return isinstance(node, _LIMITED)


class Near:
    """What formulas are near a point: `visit` gives one without corners, or what is not defined.

    tied: whether a corner is at the point itself; defined: whether all was, so far.
    """

    def __init__(self, point: Number) -> None:
        self.point = point
        self.tied = False
        self.defined = True

    def visit(self, node: Expr) -> Expr:
        """The formula without corners; where it is not `defined`, the culprit."""
        if not node.has(Z) or node == Z or not self.defined:
            return node
        if isinstance(node, Piecewise):
            return self._arm(node)
        args = []
        for argument in node.args:
            args.append(self.visit(argument))
            if not self.defined:
                return args[-1]
        if isinstance(node, CORNERS):
            return self._corner(node, args)
        found = node.func(*args)
        if is_limited(node) and digits.value(found, self.point) is None:
            self.defined = False
        return found

    def _arm(self, node: Piecewise) -> Expr:
        for value, condition in node.args:
            if self._holds(condition):
                return self.visit(value)
        self.defined = False
        return sympy.log(-1 - Z**2)

    def _holds(self, condition: Any) -> bool:
        if condition in (sympy.true, sympy.false):
            return bool(condition)
        if isinstance(condition, (sympy.And, sympy.Or)):
            together = all if isinstance(condition, sympy.And) else any
            return together(self._holds(part) for part in condition.args)
        if isinstance(condition, sympy.ITE):
            test, then, otherwise = condition.args
            return self._holds(then if self._holds(test) else otherwise)
        if isinstance(condition, sympy.Not):
            return not self._holds(condition.args[0])
        d = self._number(condition.lhs - condition.rhs)
        return d is not None and _HOLDS[condition.rel_op](d)

    def _corner(self, node: Expr, args: list[Expr]) -> Expr:
        values: list[Number] = [self._number(argument) for argument in args]
        if any(v is None for v in values):
            self.defined = False
            return args[0]
        if isinstance(node, (Max, Min)):
            best = (max if isinstance(node, Max) else min)(values)
            self.tied |= sum(v == best for v in values) > 1
            return args[values.index(best)]
        self.tied |= values[0] == 0
        side = int(mpmath.sign(values[0]))
        return S(side) if isinstance(node, sign) else side * args[0]

    def _number(self, u: Expr) -> Number | None:
        with precision.digits(DIGITS):
            found = digits.value(u, self.point)
            return (
                mpmath.mpf(0) if found is not None and abs(found) < mpmath.mpf(10) ** -35 else found
            )
