"""One formula of the inputs: layers put into each other.

SymPy writes a `Piecewise` within the condition of another out, case by case, which takes time and
space as the product of the cases. So conditions get a formula of their own, in which a function
that is f up to t and g from there on, and continuous, is written without cases:

    f(min(z, t)) + g(max(z, t)) - f(t)

The condition of a relu whose inputs are relus reads `w·max(0, z) + b ≤ 0`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import NamedTuple, Protocol

import sympy
from sympy import Add, Expr, Max, Min, Mul, Piecewise, Symbol

from symnet.activations import Activation, Z
from symnet.network.weights import Array, as_expression

LARGEST = 50_000
"""Operations of the largest expression that is built: about 10 s of SymPy's time."""

_TESTED = Symbol("tested", real=True)
"""What stands for z in conditions."""


class Layer(Protocol):
    """What is needed of a layer."""

    @property
    def weights(self) -> Array: ...
    @property
    def bias(self) -> Array | None: ...
    @property
    def activation(self) -> Activation: ...
    @property
    def inputs(self) -> int: ...


def nested(inputs: Iterable[Expr], layers: Iterable[Layer]) -> list[Expr]:
    """The outputs of the last of the layers as formulas of the inputs."""
    values = tested = list(inputs)
    for layer in layers:
        formula = _formula(layer.activation.value)
        z = _combined(layer, values)
        t = z if tested is values else _combined(layer, tested)
        values = [formula.value.xreplace({Z: a, _TESTED: b}) for a, b in zip(z, t, strict=True)]
        same = t is z and formula.tested == formula.value
        tested = values if same else [formula.tested.xreplace({Z: b}) for b in t]
    return values


def size(layers: Iterable[Layer]) -> int:
    """About how many operations an output of `nested` has, told without building it.

        size(z) = in·(size(a before) + 2),   size(a) = ops(σ) + occurrences of z in σ · size(z)

    The same for what conditions are of, which counts for each condition. Zero weights, and equal
    terms which SymPy collects, make it smaller. Where a condition has cases all the same, SymPy
    writes it out for each combination of them: cases(z)·in·ops(σ), cases(z) = cases(a before)^in.
    """
    value, tested, cases = 0, 0, 1
    for layer in layers:
        formula = _formula(layer.activation.value)
        z, t = (layer.inputs * (before + 2) for before in (value, tested))
        cases **= layer.inputs
        written_out = cases * layer.inputs if cases > 1 else 0
        value = _size(formula.value, z, t, written_out)
        tested = _size(formula.tested, t, t, written_out)
        # More of them makes no difference.
        cases = min(cases * _cases(formula.tested), LARGEST)
    return value


class _Formula(NamedTuple):
    """An activation, z in its conditions being `_TESTED`; the same without cases where it can."""

    value: Expr
    tested: Expr


@lru_cache(maxsize=256)
def _formula(value: Expr) -> _Formula:
    return _Formula(_rewritten(value, _conditions_apart), _rewritten(value, _without_cases))


def _rewritten(expression: Expr, rule: Callable[[Piecewise], Expr]) -> Expr:
    """The expression with every Piecewise rewritten, the inner ones first."""
    if not expression.has(Piecewise):
        return expression
    if not isinstance(expression, Piecewise):
        return expression.func(*(_rewritten(part, rule) for part in expression.args))
    arms = [(_rewritten(arm, rule), condition) for arm, condition in expression.args]
    return rule(Piecewise(*arms, evaluate=False))


def _conditions_apart(node: Piecewise) -> Expr:
    return Piecewise(*((arm, condition.xreplace({Z: _TESTED})) for arm, condition in node.args))


def _without_cases(node: Piecewise) -> Expr:
    """f(min(z, t)) + g(max(z, t)) - f(t), or the node itself where it is something else."""
    if len(node.args) != 2:
        return node
    (first, condition), (second, _) = node.args
    if not isinstance(condition, (sympy.Le, sympy.Lt, sympy.Ge, sympy.Gt)) or condition.lhs != Z:
        return node
    below = isinstance(condition, (sympy.Le, sympy.Lt))
    f, g, t = *((first, second) if below else (second, first)), condition.rhs
    meeting = f.subs(Z, t)
    if not t.is_number or meeting != g.subs(Z, t) or not meeting.is_finite:
        return node
    return f.xreplace({Z: Min(Z, t)}) + g.xreplace({Z: Max(Z, t)}) - meeting


def _combined(layer: Layer, values: list[Expr]) -> list[Expr]:
    """W a + b."""
    bias = [sympy.S.Zero] * len(layer.weights) if layer.bias is None else layer.bias.tolist()
    return [
        Add(*map(Mul, map(as_expression, row), values), offset)
        for row, offset in zip(layer.weights.tolist(), map(as_expression, bias), strict=True)
    ]


def _size(formula: Expr, z: int, t: int, written_out: int) -> int:
    """Operations of a formula in Z and _TESTED of which each has so many."""
    nodes = list(sympy.preorder_traversal(formula))
    operations = sum(1 for node in nodes if node.args)
    conditions = written_out * operations if formula.has(Piecewise) else 0
    return operations + nodes.count(Z) * z + nodes.count(_TESTED) * t + conditions


def _cases(formula: Expr) -> int:
    return max((len(node.args) for node in formula.atoms(Piecewise)), default=1)
