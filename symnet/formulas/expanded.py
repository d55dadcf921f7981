"""The expanded notation: partial derivatives as one formula of the inputs and nothing else.

    ∂^r y_p / ∂x_i ∂x_j …  =  sympy.diff(network.expression()[p], x_i, x_j, …)

This is the definition by which the other notations are judged: SymPy's rules for SymPy's
expression, but for the questions that take it minutes; as it is `shown`, each slope is kept
together. Such formulas grow with the product of the widths, which is why their size is estimated
first and large ones are refused at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import lru_cache
from math import comb, log10
from typing import Any

import sympy
from sympy import Add, Expr, Function, Mul, Piecewise, Pow, Symbol
from sympy.core.relational import Relational

from symnet.network import Network
from symnet.network.nesting import put

LARGEST = 50_000
"""Estimated operations of a derivation, its value and all its partials counted, at most.

About 10 s of SymPy's time; 2-8-8-1 has 32,000 at order 2.
"""

READABLE = 1_500
"""Estimated operations up to which formulas are shown expanded unless told otherwise.

About 150 lines: 2-8-1 has 1,145 at order 2.
"""

_GROWTH = Fraction(9, 5)
"""A derivative has this many times the operations of what was derived, per nonlinear layer.

Measured on 2-8-1, 2-8-8-1, 3-12-12-1 and 2-4-4-4-1, whose second partials have between 0.9 and
1.2 times the length so predicted.
"""


def partial(network: Network, output: int, inputs: tuple[int, ...] = ()) -> Expr:
    """∂^r y_output / ∂x_i ∂x_j …, for positions from 0: `partial(network, 0, (0, 1))`.

    `()` is the value itself. Exact and symbolic weights stay exact. ValueError, at once, where
    the formula would be too large.
    """
    check_partial(network, len(inputs))
    return _partial(network, network.inputs, output, tuple(sorted(inputs)), False)


def shown(network: Network, output: int, inputs: tuple[int, ...] = ()) -> Expr:
    """`partial` as it is printed: the slope of a function, 1 - tanh(z)**2, is kept together.

    SymPy multiplies it out where its factor is a number, and adds up what is left of the neurons.
    Conditions are as the value has them: SymPy writes z + 1/4 < 0 as z < -1/4 in derivatives.
    """
    check_partial(network, len(inputs))
    found = _partial(network, network.inputs, output, tuple(sorted(inputs)), True)
    given = _expression(network, network.inputs)[output].atoms(Relational) if inputs else ()
    conditions = {_compared(condition): condition for condition in given}
    return _released(found.replace(_is_inexact, _one_number), conditions)


def check_partial(network: Network, order: int) -> None:
    """ValueError, without building anything, where a partial of this order would be too large."""
    _check(size(network, order) // network.m, network, f"a formula of order {order}")


def check_size(network: Network, order: int) -> None:
    """ValueError, without building anything, for more than LARGEST operations up to `order`.

    Counted are the operations of the value and of all distinct partials, as `size` estimates them.
    """
    count = network.m * comb(network.n + order, order)
    _check(total_size(network, order), network, f"{_shown(count)} formulas up to order {order}")


def is_readable(network: Network, order: int) -> bool:
    """Whether the derivation takes a few screens at most, so that it is read rather than kept."""
    return total_size(network, order) <= READABLE


def total_size(network: Network, order: int) -> int:
    """About how many operations the value and all distinct partials up to `order` have."""
    return sum(size(network, r) * comb(network.n + r - 1, r) for r in range(order + 1))


def size(network: Network, order: int) -> int:
    """About how many operations a partial of this order has, added up over the outputs.

    expression_size · (1.8 · nonlinear layers)^order, of a graph those on the longest way to y
    """
    # Of hundreds of layers it is more than a float holds.
    return int(network.expression_size * max(Fraction(1), _GROWTH * _nonlinear(network)) ** order)


def _nonlinear(network: Network) -> int:
    """The most nonlinear nodes one after another."""
    found = [0]
    for node in network.nodes:
        linear = node.kind == "form"
        if node.activation is not None:
            linear = node.activation.constant(1) is not None
        found.append(max(found[source] for source in node.sources) + (not linear))
    return found[-1]


def _check(operations: int, network: Network, what: str) -> None:
    if operations > LARGEST:
        shape = network.describe().partition("," if network.is_chain else ":")[0]
        raise ValueError(
            f"expanded notation of {shape}: {what} would have about {_shown(operations)} "
            f'operations, limited to {LARGEST:,}; use notation "neuron" or "layer"'
        )


def _shown(count: int) -> str:
    return f"{count:,}" if count < 10**12 else f"1e{int(log10(count))}"


# Networks are equal by their labels, whichever symbols stand for these in formulas.
@lru_cache(maxsize=64)
def _expression(network: Network, symbols: tuple[Symbol, ...]) -> sympy.Matrix:
    return network.expression()


@lru_cache(maxsize=4096)
def _partial(
    network: Network, symbols: tuple[Symbol, ...], output: int, inputs: tuple[int, ...], whole: bool
) -> Expr:
    if not inputs:
        return _expression(network, symbols)[output]
    *before, last = inputs
    try:
        before_last = _partial(network, symbols, output, tuple(before), whole)
        return _derivative(before_last, symbols[last], whole)
    except RecursionError:
        raise ValueError(
            f"expanded notation: {network.depth} nested layers are too deep for SymPy; "
            'use notation "neuron" or "layer"'
        ) from None


@lru_cache(maxsize=4096)
def _derivative(expression: Expr, x: Symbol, whole: bool) -> Expr:
    """`sympy.diff(expression, x)`, without the questions that take SymPy minutes.

    Of 0·f it asks whether f is finite, of each tanh that it writes whether its argument is 0: two
    minutes where that is a cube of the same. Where slopes stay `whole`, numbers pass them by.
    """
    if x not in expression.free_symbols:
        return sympy.S.Zero
    kept = _held if whole else _as_it_is
    parts = expression.args
    if isinstance(expression, _Held):
        return _derivative(parts[0], x, whole)
    if isinstance(expression, Add):
        return Add(*(_derivative(term, x, whole) for term in parts))
    if isinstance(expression, Mul):
        parts = tuple(map(kept, parts))
        slopes = enumerate(kept(_derivative(factor, x, whole)) for factor in parts)
        return Add(*(Mul(*parts[:i], d, *parts[i + 1 :]) for i, d in slopes if d != 0))
    if isinstance(expression, Pow) and x not in expression.exp.free_symbols:
        power, slope = kept(expression), kept(_derivative(expression.base, x, whole))
        return power * (slope * power.exp / power.base)
    if isinstance(expression, Pow) and x not in expression.base.free_symbols:
        slope = kept(_derivative(expression.exp, x, whole))
        return expression * (slope * sympy.log(expression.base))
    kind = type(expression)
    # A Piecewise and an Abs have rules of their own, and a floor has none.
    if kind._eval_derivative is Function._eval_derivative and kind.fdiff is not Function.fdiff:
        slopes = enumerate(kept(_derivative(argument, x, whole)) for argument in parts)
        return Add(*(kept(_slope(expression, i)) * d for i, d in slopes if d != 0))
    return sympy.diff(expression, x)


def _slope(f: Function, i: int) -> Expr:
    """∂f/∂(its argument i)."""
    rule, symbols = _rule(f.func, len(f.args), i)
    return put(rule, dict(zip(symbols, f.args, strict=True)))


@lru_cache(maxsize=256)
def _rule(function: type[Function], count: int, i: int) -> tuple[Expr, tuple[Symbol, ...]]:
    symbols = tuple(sympy.Dummy() for _ in range(count))
    return function(*symbols).fdiff(i + 1), symbols


class _Held(Function):
    """A sum, by itself: SymPy multiplies no number into it."""


def _held(factor: Expr) -> Expr:
    """A sum, or a power of one, held."""
    base, exponent = factor.as_base_exp()
    if base.is_Add and exponent.is_Integer and exponent > 0:
        return _Held(base) ** exponent
    return factor


def _as_it_is(factor: Expr) -> Expr:
    return factor


def _released(expression: Expr, conditions: Mapping[Any, Relational]) -> Expr:
    """With the contents of what is held, and nothing multiplied out; with these conditions."""
    if isinstance(expression, Relational):
        return conditions.get(_compared(expression), expression)
    if not expression.has(_Held, Relational):
        return expression
    parts = [_released(part, conditions) for part in expression.args]
    if isinstance(expression, _Held):
        return parts[0]
    if isinstance(expression, Add):
        return Add(*_without_ones(parts), evaluate=False)
    if isinstance(expression, Mul | Pow | Piecewise):
        return expression.func(*parts, evaluate=False)
    return expression.func(*parts)


def _compared(condition: Relational) -> tuple[str, Expr]:
    """What is asked of 0, however its terms are spread over both sides."""
    return condition.rel_op, condition.lhs - condition.rhs


def _without_ones(terms: Sequence[Expr]) -> Sequence[Expr]:
    """Terms of a sum, slopes without their constants where these cancel: 1 - (1 - t**2) is t**2."""
    number = Add(*(term for term in terms if term.is_number))
    slopes = {term: factors for term in terms if (factors := _slope_of(term))}
    if number == 0 or number + Add(*(c * slope.as_coeff_Add()[0] for c, slope in slopes.values())):
        return terms
    left = (c * (slope - slope.as_coeff_Add()[0]) for c, slope in slopes.values())
    return [*left, *(term for term in terms if not term.is_number and term not in slopes)]


def _slope_of(term: Expr) -> tuple[Expr, Expr] | None:
    """The number and the sum with a constant whose product a term is."""
    number, rest = term.as_coeff_Mul()
    return (number, rest) if rest.is_Add and rest.as_coeff_Add()[0] != 0 else None


def _is_inexact(expression: Expr) -> bool:
    """Whether a rounded number is multiplied by an exact one, as of 0.8*sqrt(2)."""
    numbers = _numbers(expression) if expression.is_Mul else []
    return len(numbers) > 1 and any(number.is_Float for number in numbers)


def _one_number(product: Expr) -> Expr:
    others = (part for part in product.args if not part.is_number)
    return Mul(Mul(*_numbers(product)).evalf(), *others)


def _numbers(product: Expr) -> list[Expr]:
    return [part for part in product.args if part.is_number]
