"""The loop form as JSON, for tools.

    {"symnet": "loops 1", "inputs": [...], "outputs": [...], "constants": {name: nested lists},
     "functions": [{"name", "activation", "orders", "shared": [[name, E], ...], "results": [E]}],
     "routines": [{"name", "orders", "results": {name: shape}, "arrays": {name: shape},
                   "entries": {result: names of chosen partials}, "body": [step, ...]}],
     "self_test": {"points": [...],
                   "expected": [{"order", "stride", "allowed": [...], "at": [...]}]}}

A step is {"loop": variable, "last": number or variable, "body"}, where the variable runs over the
first `last` indices from 0, or up to and with another variable; {"let"}, {"start"}, {"more"} or
{"put": name, "value": E}; {"store": E, "value": E}; {"mirror": E, "others": [E]};
{"call": function, "argument": E, "results": [E]}.

An expression E is a number, a name or [operation, E, ...]: `at` (an
array's name, indices), `same` (1 where two indices are equal, else 0), `add`, `mul`, `pow`, a
function, or `piecewise` with [value, [relation, left, right]] and a last value;
conditions may be joined: ["or", condition, condition].
"""

from __future__ import annotations

import json
from typing import Any

from sympy import Expr, Piecewise, Symbol
from sympy.logic.boolalg import And, Or

from symnet.breaking import WIDTH, listed
from symnet.languages.job import Files, Job
from symnet.languages.selftest import Expectation
from symnet.lowering.loops import (
    At,
    Call,
    Let,
    Loop,
    Mirror,
    More,
    Put,
    Routine,
    ScalarFunction,
    Start,
    Step,
    Store,
)


def files(job: Job) -> Files:
    """NAME.json."""
    lowered = job.lowered
    document = {
        "symnet": "loops 1",
        "about": job.head("arrays"),
        "name": job.name,
        "inputs": [str(symbol) for symbol in job.network.inputs],
        "outputs": [str(symbol) for symbol in job.network.outputs],
        "constants": {name: values.tolist() for name, values in lowered.constants.items()},
        "functions": list(map(_function, lowered.functions)),
        "routines": list(map(_routine, lowered.routines)),
        "self_test": {
            "points": job.points.tolist(),
            "expected": list(map(_known, job.expected)),
        },
    }
    return {f"{job.name}.json": _text(document) + "\n"}


def _function(function: ScalarFunction) -> dict[str, Any]:
    return {
        "name": function.name,
        "activation": function.activation,
        "orders": list(function.orders),
        "shared": [[symbol.name, tree(value)] for symbol, value in function.shared],
        "results": list(map(tree, function.results)),
    }


def _routine(routine: Routine) -> dict[str, Any]:
    return {
        "name": routine.name,
        "orders": list(routine.orders),
        "results": {name: list(shape) for name, shape in routine.results.items()},
        "arrays": {name: list(shape) for name, shape in routine.arrays.items()},
        "entries": {name: list(labels) for name, labels in routine.entries.items()},
        "body": list(map(_step, routine.body)),
    }


def _known(known: Expectation) -> dict[str, Any]:
    return {
        "order": known.order,
        "stride": known.stride,
        "allowed": known.allowed.tolist(),
        "at": known.expected.tolist(),
    }


def _text(part: Any, start: str = "\n") -> str:
    """JSON, each part that is short in one line; `start` begins a line at the part's indent."""
    if not isinstance(part, (dict, list)):
        return json.dumps(part, ensure_ascii=False)
    inner = start + " "
    if isinstance(part, dict):
        opening, closing, numbers = "{", "}", False
        items = [f"{json.dumps(key)}: {_text(value, inner)}" for key, value in part.items()]
    else:
        opening, closing = "[", "]"
        numbers = all(type(e) is float for e in part)
        items = list(map(repr, part)) if numbers else [_text(e, inner) for e in part]
    flat = ", ".join(items)
    if len(start) + len(flat) < WIDTH and "\n" not in flat:
        return f"{opening}{flat}{closing}"
    lines = listed(items, WIDTH, inner[1:], "") if numbers else [f",{inner}".join(items)]
    first = "" if numbers else inner[1:]
    return "\n".join([opening, first + lines[0], *lines[1:], start[1:] + closing])


def _step(step: Step) -> dict[str, Any]:
    match step:
        case Loop(variable, last, body):
            return {"loop": variable, "last": last, "body": list(map(_step, body))}
        case Let(name, value) | Start(name, value) | More(name, value) | Put(name, value):
            return {type(step).__name__.lower(): name, "value": tree(value)}
        case Store(element, value):
            return {"store": tree(element), "value": tree(value)}
        case Mirror(element, others):
            return {"mirror": tree(element), "others": list(map(tree, others))}
        case Call(function, argument, results):
            return {
                "call": function,
                "argument": tree(argument),
                "results": list(map(tree, results)),
            }
    raise TypeError(f"{type(step).__name__} is no step")


def _condition(condition: Any) -> list[Any]:
    if isinstance(condition, (And, Or)):
        return [type(condition).__name__.lower(), *map(_condition, condition.args)]
    return [condition.rel_op, tree(condition.lhs), tree(condition.rhs)]


def tree(expression: Expr) -> Any:
    """An expression as nested lists."""
    if isinstance(expression, Symbol):
        return expression.name
    if expression.is_Integer:
        return int(expression)
    if expression.is_number and not isinstance(expression, At) and not expression.args:
        return float(expression)
    if isinstance(expression, Piecewise):
        *pieces, (otherwise, _) = expression.args
        arms = [[tree(v), _condition(c)] for v, c in pieces]
        return ["piecewise", *arms, tree(otherwise)]
    return [type(expression).__name__.lower(), *map(tree, expression.args)]
