"""One formula of the inputs: nodes put into each other.

SymPy writes a `Piecewise` within the condition of another out, case by case, which takes time and
space as the product of the cases. So conditions get a formula of their own, in which a function
that is f up to t and g from there on, and continuous, is written without cases:

    f(min(z, t)) + g(max(z, t)) - f(t)

The condition of a relu whose inputs are relus reads `w·max(0, z) + b ≤ 0`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from itertools import chain, islice
from math import prod
from typing import Any, NamedTuple

import sympy
from sympy import Add, Expr, Max, Min, Mul, Piecewise, Symbol, exp, log

from symnet.activations import Z
from symnet.network.graph import Node
from symnet.network.weights import Array, as_expression

LARGEST = 50_000
"""Operations of the largest expression that is built: about 10 s of SymPy's time."""

_TESTED = Symbol("tested", real=True)
"""What stands for z in conditions."""


def expression(
    inputs: Iterable[Expr], nodes: Sequence[Node], widths: Sequence[int], told: str
) -> sympy.Matrix:
    """The last node's value, shape (m, 1). ValueError for one too large, which `told` describes."""
    if widths[-1] * size(nodes, widths) > LARGEST:
        raise ValueError(
            f"the expanded formula of {told} has more than {LARGEST} operations; "
            "use the neuron or layer notation"
        )
    try:
        return sympy.Matrix(nested(inputs, nodes, widths))
    except RecursionError:
        raise ValueError(
            f"the expanded formula of {len(nodes)} layers is nested too deeply; "
            "use the neuron or layer notation"
        ) from None


def nested(inputs: Iterable[Expr], nodes: Sequence[Node], widths: Sequence[int]) -> list[Expr]:
    """The value of the last of the nodes as formulas of the inputs."""
    values = [list(inputs)]
    tested = [values[0]]
    for node, width in zip(nodes, widths[1:], strict=True):
        same = all(tested[source] is values[source] for source in node.sources)
        z = form(node, values)
        t = z if same else form(node, tested)
        if node.activation is None:
            values.append(combined(node, z, values, width))
            tested.append(values[-1] if same else combined(node, t, tested, width))
            continue
        formula = _formula(node.activation.value)
        values.append([put(formula.value, {Z: a, _TESTED: b}) for a, b in zip(z, t, strict=True)])
        plain = same and formula.tested == formula.value
        tested.append(values[-1] if plain else [put(formula.tested, {Z: b}) for b in t])
    return [_with_infinities(value) for value in values[-1]]


def _with_infinities(formula: Expr) -> Expr:
    """1/0 as doubles have it.

    SymPy takes a Piecewise to a power arm by arm, those included that no z of the network reaches;
    what it has for 1/0 is no number to what prints or evaluates a formula.
    """
    if formula is sympy.zoo:
        return sympy.oo
    if not formula.has(sympy.zoo):
        return formula
    parts = map(_with_infinities, formula.args)
    if isinstance(formula, (*_COMPARING, sympy.Function)):
        return formula.func(*parts, evaluate=False)
    return formula.func(*parts)


def size(nodes: Sequence[Node], widths: Sequence[int]) -> int:
    """About how many operations an output of `nested` has, told without building it.

        size(z) = Σ in·(size(a before) + 2),   size(a) = ops(σ) + occurrences of z in σ · size(z)

    The same for what conditions are of, which counts for each condition. Zero weights, and equal
    terms which SymPy collects, make it smaller. Where a condition has cases all the same, SymPy
    writes it out for each combination of them: cases(z)·in·ops(σ), cases(z) = cases(a before)^in.
    """
    found = [_Size(0, 0, 1)]
    for node, width in zip(nodes, widths[1:], strict=True):
        found.append(_size_of(node, found, width))
    return found[-1].value


def put(formula: Expr, values: dict[Symbol, Expr]) -> Expr:
    """The formula of these values; what compares them, or is a function of much, is left as it is.

    SymPy would ask of each comparison whether its sides are real, of an exponential whether its
    exponent is, and of a tanh within them by greatest common divisors: minutes, for answers that
    are not known but of numbers.
    """
    large = any(_is_large(value) for value in values.values())
    kept = (*_COMPARING, sympy.Function) if large else _COMPARING
    return _left(formula, values, kept)


def _left(formula: Expr, values: dict[Symbol, Expr], kept: tuple[Any, ...]) -> Expr:
    if not formula.has(*kept) or all(value.is_number for value in values.values()):
        return formula.xreplace(values)
    parts = [_left(part, values, kept) for part in formula.args]
    if not parts:
        return values.get(formula, formula)
    if isinstance(formula, kept):
        return formula.func(*parts, evaluate=False)
    return formula.func(*parts)


def _is_large(value: Expr) -> bool:
    return sum(1 for _ in islice(sympy.preorder_traversal(value), _EVALUATED)) == _EVALUATED


_EVALUATED = 60
"""Nodes of an argument up to which SymPy is let to take signs and numbers out of a function."""


_COMPARING = (Max, Min, Piecewise, sympy.Rel)


class _Size(NamedTuple):
    """Operations of a vector's entry, those of what conditions have of it, and its cases."""

    value: int
    tested: int
    cases: int


def _size_of(node: Node, found: Sequence[_Size], width: int) -> _Size:
    terms = [
        (1 if term.weights is None else term.weights.shape[1], found[term.source])
        for term in node.terms
    ]
    z = sum(count * (s.value + 2) for count, s in terms)
    t = sum(count * (s.tested + 2) for count, s in terms)
    cases = min(prod(min(s.cases, LARGEST) ** count for count, s in terms), LARGEST)
    if node.factor is not None:
        other = found[node.factor]
        return _Size(z + other.value + 1, t + other.tested + 1, min(cases * other.cases, LARGEST))
    if node.activation is None:
        share = 1 if node.kind == "form" else width + 1
        return _Size(share * z + share - 1, share * t + share - 1, min(cases**share, LARGEST))
    formula = _formula(node.activation.value)
    written_out = cases * sum(count for count, _ in terms) if cases > 1 else 0
    return _Size(
        _size(formula.value, z, t, written_out),
        _size(formula.tested, t, t, written_out),
        # More of them makes no difference.
        min(cases * _cases(formula.tested), LARGEST),
    )


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
    """f(min(z, t)) + g(max(z, t)) - f(t), or the node itself where it is something else.

    Of more arms, up to t, u, …:  f(min(z, t)) + g(min(max(z, t), u)) - g(t) + …
    """
    arms = _in_order(node)
    if arms is None:
        return node
    total, low, before = sympy.S.Zero, None, arms[0][0]
    for arm, high in arms:
        inside = Z if low is None else Max(Z, low)
        meeting = sympy.S.Zero if low is None else arm.subs(Z, low)
        if low is not None and not _meet(before, arm, low):
            return node
        total += arm.xreplace({Z: inside if high is None else Min(inside, high)}) - meeting
        low, before = high, arm
    return total


def _meet(f: Expr, g: Expr, t: Expr) -> bool:
    meeting = f.subs(Z, t)
    return bool(t.is_number and meeting == g.subs(Z, t) and meeting.is_finite)


def _in_order(node: Piecewise) -> list[tuple[Expr, Expr | None]] | None:
    """Arms and the z up to which each holds, the last to the end; None for other conditions.

    An arm of one point belongs to what it stands between.
    """
    *first, (last, _) = node.args
    if len(first) == 1 and isinstance(first[0][1], (sympy.Ge, sympy.Gt)):
        (arm, condition) = first[0]
        return [(last, condition.rhs), (arm, None)] if condition.lhs == Z else None
    if not all(isinstance(c, (sympy.Le, sympy.Lt)) and c.lhs == Z for _, c in first):
        return None
    arms: list[tuple[Expr, Expr | None]] = []
    for arm, condition in first:
        if not arms or arms[-1][1] != condition.rhs:
            arms.append((arm, condition.rhs))
    return [*arms, (last, None)]


def form(node: Node, values: Sequence[list[Expr]]) -> list[Expr]:
    """Σ W a + b."""
    columns = [_product(term.weights, values[term.source]) for term in node.terms]
    if node.bias is not None:
        columns.append([[as_expression(b)] for b in node.bias.tolist()])
    return [Add(*chain(*entry)) for entry in zip(*columns, strict=True)]


def _product(weights: Array | None, values: list[Expr]) -> list[list[Expr]]:
    """The terms of each entry of W a."""
    if weights is None:
        return [[value] for value in values]
    return [
        [Mul(w, v) for w, v in zip(map(as_expression, row), values, strict=True)]
        for row in weights.tolist()
    ]


def combined(node: Node, z: list[Expr], values: Sequence[list[Expr]], width: int) -> list[Expr]:
    """What a node without activation makes of its form."""
    match node.kind:
        case "form":
            return z
        case "product":
            other = values[node.factor or 0]
            spread = (v * width if len(v) < width else v for v in (z, other))
            return [a * b for a, b in zip(*spread, strict=True)]
        case "softmax":
            total = Add(*map(exp, z))
            return [exp(entry) / total for entry in z]
        case "log_softmax":
            total = log(Add(*map(exp, z)))
            return [entry - total for entry in z]
    raise ValueError(f"a node of kind {node.kind!r} has no formula")


def _size(formula: Expr, z: int, t: int, written_out: int) -> int:
    """Operations of a formula in Z and _TESTED of which each has so many."""
    nodes = list(sympy.preorder_traversal(formula))
    operations = sum(1 for node in nodes if node.args)
    conditions = written_out * operations if formula.has(Piecewise) else 0
    return operations + nodes.count(Z) * z + nodes.count(_TESTED) * t + conditions


def _cases(formula: Expr) -> int:
    return max((len(node.args) for node in formula.atoms(Piecewise)), default=1)
