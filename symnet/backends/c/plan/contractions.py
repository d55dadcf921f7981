"""The steps that an adjoint's result takes: Σ over neurons of products of derivatives."""

from __future__ import annotations

from sympy import Add, Expr, Mul

from symnet.backends.c.plan.draft import Draft
from symnet.backends.c.plan.steps import Contraction, Entry, Place, directions
from symnet.backends.c.plan.terms import is_local, unknown, weighted
from symnet.calculus.algebra import OUTPUT, Quantity, dot, entry, is_direction, symbols
from symnet.calculus.program import Statement


def contract(draft: Draft, place: Place, statement: Statement) -> None:
    """Σ dot(weight, moving) + entry(f, e), like weights collected; the entries first."""
    along = directions(statement.target)
    own, dots = [], []
    for term in Add.make_args(statement.expression):
        number, rest = term.as_coeff_Mul()
        if isinstance(rest, entry) and rest.args[1] == OUTPUT and is_local(rest.args[0]):
            own.append(Mul(number, rest.args[0]))
        elif isinstance(rest, dot) and all(map(is_local, rest.args)):
            dots.append(Mul(number, *rest.args))
        else:
            raise unknown(statement, term)
    if own:
        expression = Add(*(weight * moving for weight, moving in weighted(own)))
        draft.enter(Entry(place, along, expression))
    begun = bool(own)
    for weight, moving in weighted(dots):
        rows = max(map(draft.shapes.width, (weight, moving)))
        pair = _pair(draft, moving, rows)
        if pair is not None:
            number, moving = moving.as_coeff_Mul()
            weight = Mul(number, weight)
        scale = _weight(draft, weight)
        if scale.slab.rows != rows:
            pair = None
        draft.append(Contraction(place, along, scale, moving, rows, pair, begun))
        begun = True


def _pair(draft: Draft, moving: Expr, rows: int) -> Quantity | None:
    """t for t_i t_j of one vector as wide as all, else None."""
    factors = Mul.make_args(moving.as_coeff_Mul()[1])
    if len(factors) != 2 or not all(isinstance(f, Quantity) and f.order == 1 for f in factors):
        return None
    t, other = factors
    same = t.family == other.family and not is_direction(t)
    return t if same and draft.shapes.width(t) == rows else None


def _weight(draft: Draft, weight: Expr) -> Place:
    """λ σ″, [neurons][outputs]."""
    if isinstance(weight, Quantity) and weight.family in draft.places:
        return draft.places[weight.family]
    adjoints = [q for q in symbols(weight) if "p" in q.along]
    layer = min(adjoints, key=str).layer if adjoints else None
    place = draft.new(f"g{'' if layer is None else layer}", draft.shapes.width(weight), ("p",))
    draft.enter(Entry(place, ("p",), weight))
    return place
