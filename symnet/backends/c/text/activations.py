"""Activations as functions of a vector of pre-activations, lane by lane, in two stages."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import count
from typing import NamedTuple

from sympy import (
    Abs,
    Basic,
    Expr,
    Function,
    Piecewise,
    Symbol,
    ceiling,
    default_sort_key,
    exp,
    floor,
    preorder_traversal,
    sign,
    symbols,
    tanh,
)
from sympy.codegen.cfunctions import expm1

from symnet.activations import Activation, Forms
from symnet.activations.functions import rint, undefined
from symnet.backends.c.text.elementary import function_name
from symnet.backends.c.text.expressions import ScalarPrinter, function

_NO_CALLS = (Abs, Piecewise, ceiling, floor, rint, sign, undefined)
_MANY_OPERATIONS = 16
"""Beyond so many a temporary is stored, not computed twice: 11 % of the time of 2-8-8-1 of gelu."""


class Stages(NamedTuple):
    """An activation's derivatives in two stages: `calls` of elementary functions, then the rest.

    Among the calls are temporaries that are kept for the rest. `before` are those that the calls
    need, `after` those that the derivatives `wanted` need, in which the symbols k0, k1, … stand for
    the calls' values.

    Processors look ahead some hundred instructions. A point's whole activation is a chain of about
    that many which wait for each other; of two shorter chains more run side by side.
    """

    before: tuple[tuple[Symbol, Expr], ...]
    calls: tuple[Expr, ...]
    after: tuple[tuple[Symbol, Expr], ...]
    wanted: tuple[Expr, ...]
    meanings: Mapping[Symbol, Expr]


@lru_cache(maxsize=256)
def stages(activation: Activation, orders: tuple[int, ...]) -> Stages:
    """The two stages of σ⁽ʳ⁾ for r in `orders`; the first has the calls that need no other call."""
    shared, wanted = activation.forms(max(orders)).only(orders)
    rewritten = _without_tanh(shared)
    late: set[Symbol] = set()
    calls: dict[Expr, Symbol] = {}
    for expression, symbol in [*((e, s) for s, e in rewritten), *((e, None) for e in wanted)]:
        found = sorted(filter(_is_call, preorder_traversal(expression)), key=default_sort_key)
        for node in found:
            if not node.free_symbols & late and not any(map(_is_call, _inside(node))):
                calls.setdefault(node, Symbol(f"k{len(calls)}", real=True))
        if symbol is not None and (found or expression.free_symbols & late):
            late.add(symbol)
    after = [(symbol, expression.xreplace(calls)) for symbol, expression in rewritten]
    rest = tuple(expression.xreplace(calls) for expression in wanted)
    for symbol in _worth_keeping(after, rest, late):
        calls[symbol] = Symbol(f"k{len(calls)}", real=True)
    after = [(symbol, expression.xreplace(calls)) for symbol, expression in after]
    rest = tuple(expression.xreplace(calls) for expression in rest)
    meanings = {**dict(rewritten), **{symbol: call for call, symbol in calls.items()}}
    return Stages(_needed(rewritten, calls), tuple(calls), _needed(after, rest), rest, meanings)


def _worth_keeping(
    after: Sequence[tuple[Symbol, Expr]], wanted: Iterable[Expr], late: set[Symbol]
) -> list[Symbol]:
    """What the second stage uses, needs no call's value, and takes many operations to compute."""
    users = [*(expression for symbol, expression in after if symbol in late), *wanted]
    used = set().union(*(expression.free_symbols for expression in users))
    early = [symbol for symbol, _ in after if symbol in used - late]
    work = {s: sum(1 + e.count_ops() for _, e in _needed(after, [s])) for s in early}
    return [symbol for symbol in early if work[symbol] > _MANY_OPERATIONS]


def _without_tanh(shared: Iterable[tuple[Symbol, Expr]]) -> list[tuple[Symbol, Expr]]:
    """tanh(x) as sign(x) (1 - e)/(1 + e), e = exp(-2 |x|), which its derivatives are made of.

    So all share one exponential and one division; 3 units in the last place where C's has 1.
    """
    found: list[tuple[Symbol, Expr]] = []
    lines = list(shared)
    taken = {symbol.name for symbol, _ in lines}
    for symbol, expression in lines:
        values = {}
        for node in sorted(expression.atoms(tanh), key=default_sort_key):
            (x,) = node.args
            number = next(n for n in count(len(found)) if not {f"l{n}", f"t{n}"} & taken)
            taken |= {f"l{number}", f"t{number}"}
            quotient, size = symbols(f"l{number} t{number}", real=True)
            found.append((quotient, 1 / (1 + exp(-2 * Abs(x)))))
            found.append((size, -expm1(-2 * Abs(x)) * quotient))
            values[node] = Piecewise((-size, x < 0), (size, True))
        found.append((symbol, expression.xreplace(values)))
    return found


def _is_call(node: Basic) -> bool:
    return isinstance(node, Function) and not isinstance(node, _NO_CALLS)


def _inside(node: Expr) -> Iterator[Basic]:
    return (part for argument in node.args for part in preorder_traversal(argument))


def _needed(
    shared: Iterable[tuple[Symbol, Expr]], wanted: Iterable[Expr]
) -> tuple[tuple[Symbol, Expr], ...]:
    """Those of the temporaries that the expressions need."""
    derivatives = tuple(wanted)
    return Forms(tuple(shared), derivatives).only(range(len(derivatives))).shared


def inner_function(name: str, found: Stages, dtype: str) -> str:
    """A C function that gives the values k0, k1, … of the first stage.

    C's own functions have a loop each: of sin and cos in one, compilers make a call of sincos,
    which has no vector version.
    """
    printer = ScalarPrinter(dtype, found.meanings)
    calls = {f"k{i}": call for i, call in enumerate(found.calls)}
    loops = [
        {k: call}
        for k, call in calls.items()
        if not call.is_Symbol and not function_name(call, found.meanings)
    ]
    together = {k: call for k, call in calls.items() if {k: call} not in loops}
    loops += [together] if together else []
    return _on_lanes(name, (), [(found.before, results) for results in loops], printer)


def activation_function(name: str, found: Stages, orders: tuple[int, ...], dtype: str) -> str:
    """A C function that gives σ⁽ʳ⁾(z) for r in `orders`, from z and the first stage's values."""
    given = [f"k{i}" for i in range(len(found.calls))]
    results = {f"s{r}": e for r, e in zip(orders, found.wanted, strict=True)}
    printer = ScalarPrinter(dtype, found.meanings)
    return _on_lanes(name, given, [(found.after, results)], printer)


def _on_lanes(
    name: str,
    given: Sequence[str],
    loops: Iterable[tuple[Iterable[tuple[Symbol, Expr]], Mapping[str, Expr]]],
    printer: ScalarPrinter,
) -> str:
    """A C function of vectors z and `given` with a loop over lanes for each of `loops`.

    A loop has temporaries, of which it computes those that it needs, and the results it stores.
    """
    lines: list[str] = []
    read: set[str] = set()
    stored: list[str] = []
    for shared, results in loops:
        text = [
            f"const real {s} = {printer.doprint(e)};" for s, e in _needed(shared, results.values())
        ]
        text += [f"to_{r}[lane] = {printer.doprint(e)};" for r, e in results.items()]
        used = [a for a in ("z", *given) if re.search(rf"\b{a}\b", "\n".join(text))]
        loaded = [f"const real {a} = from_{a}[lane];" for a in used]
        lines += ["EACH_LANE", "for (int lane = 0; lane < LANES; lane++) {"]
        lines += [*(f"    {line}" for line in [*loaded, *text]), "}"]
        read |= set(used)
        stored += results
    stored.sort(key=lambda result: int(result[1:]))
    arguments = ["z", *given]
    body = [
        *(
            f"const real *from_{a} = (const real *)&at_{a};" if a in read else f"(void)at_{a};"
            for a in arguments
        ),
        *(f"real *to_{r} = (real *){r};" for r in stored),
        *lines,
    ]
    parameters = [*(f"const vec at_{a}" for a in arguments), *(f"vec *{r}" for r in stored)]
    return function(f"INLINE void {name}({', '.join(parameters)})", body)
