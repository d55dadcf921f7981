"""Programs lowered to the loop form: the routines of a generated file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sympy import S

from symnet.activations import Activation
from symnet.calculus.algebra import DIRECTIONS
from symnet.calculus.program import Program
from symnet.calculus.schemes import Choice, cheapest
from symnet.lowering.joining import joined
from symnet.lowering.loops import (
    Call,
    Loop,
    Lowered,
    Routine,
    ScalarFunction,
    Shape,
    Step,
    Store,
    at,
    elements,
    read,
    walk,
    written,
)
from symnet.lowering.statements import Lowering
from symnet.lowering.tidying import tidied
from symnet.names import array_name, method_name, together_name
from symnet.network import Network


def routines(order: int) -> dict[str, tuple[int, ...]]:
    """The functions of a generated file and the orders that each computes.

    One for each order alone, and one for all orders up to each: value, jacobian, value_jacobian, …
    """
    found: dict[str, tuple[int, ...]] = {method_name(r): (r,) for r in range(order + 1)}
    return found | {together_name(r): tuple(range(r + 1)) for r in range(1, order + 1)}


def choices(network: Network, order: int) -> dict[str, Choice]:
    """For each of `routines(order)`, the Program that computes it cheapest."""
    return cheapest(network, routines(order))


def lowered(network: Network, order: int) -> Lowered:
    """The network's routines in the loop form. ValueError when a weight is symbolic."""
    chosen = choices(network, order)
    return assembled(
        network, [(name, choice.program, choice.orders) for name, choice in chosen.items()]
    )


def assembled(
    network: Network, programs: Iterable[tuple[str, Program, tuple[int, ...]]]
) -> Lowered:
    """Routines of these Programs: the name, the Program and its outputs' orders of each."""
    functions: dict[tuple[str, tuple[int, ...]], str] = {}
    found = [lower(name, program, orders, functions) for name, program, orders in programs]
    return gathered(network, found, functions)


def gathered(
    network: Network,
    found: Sequence[Routine],
    functions: Mapping[tuple[str, tuple[int, ...]], str],
) -> Lowered:
    """The routines with the constants and the activations that they use."""
    used = {e.array for r in found for s in walk(r.body) for e in elements(read(s))}
    parameters = network.numeric().parameters
    called = {s.function for r in found for s in walk(r.body) if isinstance(s, Call)}
    return Lowered(
        network.n,
        network.m,
        tuple(found),
        tuple(
            scalar_function(functions[key], network.activations[key[0]], key[1])
            for key in sorted(functions)
            if functions[key] in called
        ),
        {name: array for name, array in parameters.items() if name in used},
    )


def scalar_function(name: str, activation: Activation, orders: tuple[int, ...]) -> ScalarFunction:
    """The activation's derivatives of these orders, as a function of its own."""
    shared, results = activation.forms(max(orders)).only(orders)
    return ScalarFunction(name, activation.name, orders, shared, results)


def lower(
    name: str,
    program: Program,
    orders: tuple[int, ...],
    functions: dict[tuple[str, tuple[int, ...]], str],
) -> Routine:
    """One Program as a routine; `functions` collects the activations that it calls."""
    lowering = Lowering(program, functions)
    shapes = program.shapes
    results = {array_name(order): (shapes.m,) + (shapes.n,) * order for order in orders}
    zeros = [
        _zeros(array_name(order), results[array_name(order)])
        for order, output in zip(orders, program.outputs, strict=True)
        if output == 0
    ]
    items = sorted(lowering.items, key=lambda item: ("p" in item.along, len(item.along)))
    body = (*joined(items, (shapes.n, shapes.m), lowering.arrays, results), *zeros)
    body = tidied(body, results)
    used = {e.array for step in walk(body) for e in (*written(step), *elements(read(step)))}
    used -= set(results)
    arrays = {key: shape for key, shape in lowering.arrays.items() if key in used}
    return Routine(name, orders, results, arrays, body)


def _zeros(array: str, shape: Shape) -> Step:
    variables = ("p", *DIRECTIONS[: len(shape) - 1])
    step: Step = Store(at(array, *variables), S.Zero)
    for variable, size in zip(reversed(variables), reversed(shape), strict=True):
        step = Loop(variable, size, (step,))
    return step
