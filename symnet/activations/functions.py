"""Functions that formulas have beside SymPy's own: what computes, or rounds, in its own way."""

from __future__ import annotations

from typing import ClassVar

import sympy
from sympy import Expr, Piecewise, exp, floor


class undefined(sympy.Function):
    """Not a number, of z's type, where a formula has no value."""

    def fdiff(self, argindex: int = 1) -> Expr:
        return self

    def _eval_evalf(self, prec: int) -> Expr:
        return sympy.nan


class rint(sympy.Function):
    """The nearest integer, of two the even one, as NumPy, PyTorch and JAX round."""

    is_integer = True

    @classmethod
    def eval(cls, x: Expr) -> Expr | None:
        if x.is_integer:
            return x
        if x.is_number and x.is_comparable:
            return sympy.Integer(round(sympy.Rational(x)) if x.is_Rational else _nearest(x))
        return None

    def fdiff(self, argindex: int = 1) -> Expr:
        return sympy.S.Zero


def _nearest(x: Expr) -> int:
    return int(floor(x + sympy.S.Half))  # no tie: it is irrational, or a decimal


STEPS = (floor, sympy.ceiling, rint)
"""Functions that are constant between jumps, of which there is no end."""


class Polygamma(sympy.Function):
    """The derivative of digamma of order `degree`, as what is computed calls it."""

    degree: ClassVar[int]

    def fdiff(self, argindex: int = 1) -> Expr:
        return POLYGAMMAS[self.degree + 1](self.args[0])

    def _eval_evalf(self, prec: int) -> Expr:
        return sympy.polygamma(self.degree, self.args[0])._eval_evalf(prec)


POLYGAMMAS = tuple(type(f"polygamma{n}", (Polygamma,), {"degree": n}) for n in range(11))
"""Functions of one argument in the place of SymPy's `polygamma(n, x)`."""


class held(sympy.Function):
    """Its argument, out of SymPy's sight, which would take `erfc(-x)` or a `Piecewise` apart."""

    def fdiff(self, argindex: int = 1) -> Expr:
        return sympy.S.One

    def _eval_evalf(self, prec: int) -> Expr:
        return self.args[0]._eval_evalf(prec)


def let_be(node: Expr) -> Expr:
    """Without `held`, whose place SymPy's own sign for it takes: nothing is put together again."""
    if not node.args:
        return node
    parts = [let_be(part) if isinstance(part, Expr) else part for part in node.args]
    if isinstance(node, Piecewise):
        return Piecewise(*((let_be(value), _released_test(test)) for value, test in node.args))
    if isinstance(node, held):
        return sympy.UnevaluatedExpr(parts[0])
    return node.func(*parts)


def _released_test(test: sympy.Basic) -> sympy.Basic:
    return test.xreplace({h: h.args[0] for h in test.atoms(held)})


class erfcx(sympy.Function):
    """The scaled complementary error function `exp(x^2) erfc(x)`, for x >= 0."""

    def fdiff(self, argindex: int = 1) -> Expr:
        (x,) = self.args
        return 2 * x * self - 2 / sympy.sqrt(sympy.pi)

    def _eval_rewrite_as_erfc(self, x: Expr, **_: object) -> Expr:
        return exp(x**2) * sympy.erfc(x)

    def _eval_evalf(self, prec: int) -> Expr:
        return self.rewrite(sympy.erfc)._eval_evalf(prec)
