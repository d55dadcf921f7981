"""Formulas of a derivation written so that they may be evaluated in double precision.

    1/(1 + exp(-x)) - 1/(1 + exp(-x))^2   at x = 39 is 0,  and its stable form 1.15e-17

A part that is a function f(u) of one quantity u, be that an input or what a neuron computes of
them, is put in a form of `activations.stable`, which has been compared with many digits for all u.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import sympy
from sympy import Add, Expr, Max, Mul, Piecewise, S, exp, log

from symnet.activations import Z
from symnet.activations.functions import let_be, undefined
from symnet.activations.joined import whole
from symnet.activations.limits import shown
from symnet.activations.stable import Inaccurate
from symnet.progress import lasting, still

_FUNCTIONS = (sympy.Function, sympy.Pow, Piecewise)
_CANDIDATES = 12
_SLOW = 100  # operations of a function of one quantity that takes over five seconds
_SOUGHT = (
    "may take a minute; a derivation's partial(…, stable=True), which knows its activations, takes "
    "milliseconds"
)
_LARGEST = 400
"""Operations of a part that is looked at as a whole; of larger ones only its parts are."""


def stable(expression: Any) -> Any:
    """The expression, or each of a matrix, in a form that is safe in doubles, as by `lambdify`.

    Exactly equal to it but for polynomials of 20 digits near removable points. Right to about 1e-12
    of the derivative, and of what the last digit of u changes it by, for what is a function of one
    quantity u, such as `d.partial("x1")` of one neuron: it neither cancels nor overflows, and where
    it is too large for a double it is infinite. Sums and products of such parts are computed as
    they stand, `log(exp(u) + exp(v))` from its largest term. A part takes up to a second or some;
    before a large one, which may take a minute, and after two seconds, the logger "symnet" says so.
    TypeError for what is no SymPy expression, ValueError for a part that no known form makes right.
    """
    parts = expression if isinstance(expression, sympy.MatrixBase) else [expression]
    for part in parts:
        if not isinstance(part, Expr):
            raise TypeError(f"a SymPy expression is needed, got {type(part).__name__}")
    size = sum(part.count_ops() for part in parts)
    with lasting(f"stable: an expression of {size} operations {_SOUGHT}"):
        if isinstance(expression, sympy.MatrixBase):
            return expression.applyfunc(_of_reals)
        return _of_reals(expression)


def _of_reals(expression: Expr) -> Expr:
    """The form of it where all symbols are real."""
    real = {s: sympy.Dummy(s.name, real=True) for s in expression.free_symbols}
    back = {dummy: symbol for symbol, dummy in real.items()}
    return _safe(expression.xreplace(real)).xreplace(back)


def _composed(outer: Expr, inner: Expr) -> Expr:
    """f(u). ValueError where SymPy takes u for no real number, which conditions compare."""
    try:
        return outer.xreplace({Z: inner})
    except TypeError:
        raise ValueError(
            f"no stable form is known of what is a function of {shown(str(inner))}; use compile()"
        ) from None


def _safe(node: Expr) -> Expr:
    if not node.free_symbols or not node.args or _is_linear(node):
        return node
    if isinstance(node, Piecewise):
        return Piecewise(*((_safe(value), test) for value, test in node.args))
    for inner in _candidates(node):
        outer = _in_terms(node, inner)
        if outer is not None:
            still(outer.count_ops() > _SLOW)
            return _composed(_alone(outer), _safe(inner))
    if isinstance(node, log) and (found := _log_sum(node.args[0])) is not None:
        return found
    if isinstance(node, (Add, Mul)):
        return _grouped(node)
    return node.func(*map(_safe, node.args))


def _is_linear(node: Expr) -> bool:
    """Whether a part is a sum of inputs, in which nothing can be rewritten."""
    return all(
        term.is_Symbol or not term.free_symbols
        for summand in Add.make_args(node)
        for term in Mul.make_args(summand)
    ) and not any(len(s.free_symbols) > 1 for s in Add.make_args(node))


@lru_cache(maxsize=1024)
def _alone(outer: Expr) -> Expr:
    """The stable form of a function of Z."""
    try:
        return let_be(whole(outer)).replace(undefined, lambda _: S.NaN)
    except Inaccurate as error:
        raise ValueError(f"{shown(str(outer))}: {error}") from None


# --- functions of one quantity --------------------------------------------------------------------


def _candidates(node: Expr) -> Iterator[Expr]:
    """Quantities that the whole may be a function of, the plainest first."""
    if len(node.free_symbols) == 1:
        yield next(iter(node.free_symbols))
    if node.count_ops() > _LARGEST:
        return
    found = {a for f in node.atoms(*_FUNCTIONS) for a in f.args if isinstance(a, Expr)}
    found -= set(node.args) if isinstance(node, log) else set()
    wanted = [a for a in found if a.free_symbols == node.free_symbols]
    for quantity in sorted(wanted, key=lambda a: (a.count_ops(), str(a)))[:_CANDIDATES]:
        yield _unscaled(quantity)


def _unscaled(quantity: Expr) -> Expr:
    """`u` of `-u` and `-2 u`."""
    number, rest = sympy.factor_terms(quantity).as_coeff_Mul()
    return -quantity if number.is_negative and rest.free_symbols else quantity


def _in_terms(node: Expr, inner: Expr) -> Expr | None:
    """f with node = f(inner) as an expression in Z, or None."""
    if not node.free_symbols:
        return node
    multiple = _multiple(node, inner)
    if multiple is not None:
        return multiple
    if not node.args or isinstance(node, Piecewise):
        return None
    parts = []
    for argument in node.args:
        part = _in_terms(argument, inner)
        if part is None:
            return None
        parts.append(part)
    return node.func(*parts)


def _multiple(node: Expr, inner: Expr) -> Expr | None:
    """`r Z + c` where the node is `r inner + c` for numbers r and c."""
    if node == inner:
        return Z
    if not isinstance(node, (Add, Mul)) or node.free_symbols != inner.free_symbols:
        return None
    constant, rest = sympy.expand(node).as_independent(*node.free_symbols, as_Add=True)
    base, own = sympy.expand(inner).as_independent(*node.free_symbols, as_Add=True)
    some, others = Add.make_args(own)[0], Add.make_args(rest)
    if len(others) != len(Add.make_args(own)):
        return None
    for other in others:
        ratio = other / some
        if ratio.is_number and ratio.is_real and sympy.expand(rest - ratio * own) == 0:
            return ratio * Z + (constant - ratio * base)
    return None


def _grouped(node: Expr) -> Expr:
    """A sum or product, those of its parts put together that are of the same quantities."""
    groups: dict[frozenset[sympy.Basic], list[Expr]] = {}
    for part in node.args:
        groups.setdefault(frozenset(part.free_symbols), []).append(part)
    if len(groups) > 1:
        return node.func(*(_safe(node.func(*parts)) for parts in groups.values()))
    return node.func(*map(_safe, node.args))


def _log_sum(total: Expr) -> Expr | None:
    """`log(sum of a exp(u))` as `m + log(sum of a exp(u - m))`, m the largest u; a > 0."""
    exponents, factors = [], []
    for term in Add.make_args(total):
        power, factor = S.Zero, S.One
        for part in Mul.make_args(term):
            if isinstance(part, exp):
                power += part.args[0]
            else:
                factor *= part
        if not factor.is_number or not factor.is_positive:
            return None
        exponents.append(power)
        factors.append(factor)
    if len(exponents) < 2:
        return None
    largest = Max(*exponents)
    top = sympy.UnevaluatedExpr(largest)
    return largest + log(Add(*(a * exp(u - top) for a, u in zip(factors, exponents, strict=True))))
