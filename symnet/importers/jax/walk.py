"""JAX's intermediate form, a jaxpr, equation by equation; what it calls is gone into."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Protocol

_INLINED = {
    **dict.fromkeys(("pjit", "jit", "checkpoint", "remat", "remat2"), "jaxpr"),
    **dict.fromkeys(("closed_call", "core_call", "custom_jvp_call"), "call_jaxpr"),
    **dict.fromkeys(("custom_vjp_call", "custom_vjp_call_jaxpr"), "call_jaxpr"),
}
"""Primitives that call another jaxpr, and the parameter that it is."""

_LONGEST = 1000  # steps of a scan that is unrolled


class Evaluator(Protocol):
    """What the equations are computed on."""

    def apply(self, equation: Any, arguments: list[Any]) -> Sequence[Any]:
        """The results of one equation that calls no other jaxpr."""

    def known(self, name: str, arguments: list[Any], inner: Any) -> Sequence[Any] | None:
        """The results of a function of JAX's own, by its name; None to go into its jaxpr."""

    def either(
        self, index: Any, branches: Sequence[Callable[[], list[Any]]], count: int
    ) -> list[Any] | None:
        """The `count` results of the branch at a place that varies; None if it cannot."""

    def solution(self, product: Callable[[Any], Any], b: Any) -> Any:
        """x of product(x) = b, product being linear; None to apply the equation."""

    def row(self, value: Any, k: int) -> Any:
        """value[k]."""

    def stack(self, rows: list[Any]) -> Any:
        """The values along a new first axis."""

    def whole(self, value: Any) -> int | None:
        """The number, None where it depends on the inputs."""


def evaluated(
    jaxpr: Any, constants: Sequence[Any], given: Sequence[Any], evaluator: Evaluator
) -> list[Any]:
    """The outputs of a jaxpr."""
    values: dict[Any, Any] = dict(zip(jaxpr.constvars, constants, strict=True))
    values |= dict(zip(jaxpr.invars, given, strict=True))

    def known(variable: Any) -> Any:
        return variable.val if hasattr(variable, "val") else values[variable]

    for equation in jaxpr.eqns:
        arguments = [known(v) for v in equation.invars]
        results = _called(equation, arguments, evaluator)
        values |= dict(zip(equation.outvars, results, strict=True))
    return [known(v) for v in jaxpr.outvars]


def equations(jaxpr: Any) -> Iterator[Any]:
    """All equations, those of called jaxprs among them."""
    for equation in jaxpr.eqns:
        yield equation
        for parameter in equation.params.values():
            for called in parameter if isinstance(parameter, tuple | list) else (parameter,):
                inner = getattr(called, "jaxpr", called)
                if hasattr(inner, "eqns"):
                    yield from equations(inner)


def _called(equation: Any, arguments: list[Any], evaluator: Evaluator) -> Sequence[Any]:
    name, parameters = equation.primitive.name, equation.params
    if name in _INLINED:
        inner = parameters.get(_INLINED[name], parameters.get("fun_jaxpr"))
        found = evaluator.known(_own_name(inner), arguments, inner)
        return evaluated(*opened(inner), arguments, evaluator) if found is None else found
    if name == "cond" and (found := _branched(parameters, arguments, evaluator)) is not None:
        return found
    if name == "while" and (found := _repeated(parameters, arguments, evaluator)) is not None:
        return found
    if name == "custom_linear_solve":
        found = _solved(parameters, arguments, evaluator)
        return evaluator.apply(equation, arguments) if found is None else [found]
    if name == "scan":
        return _scanned(parameters, arguments, evaluator)
    return evaluator.apply(equation, arguments)


def _own_name(jaxpr: Any) -> str:
    """`logaddexp` for that function of JAX's, empty for one of a user's."""
    told = getattr(opened(jaxpr)[0], "debug_info", None)
    name, _, place = str(getattr(told, "func_src_info", "")).partition(" at ")
    return name if "/jax/_src/" in place.replace("\\", "/") else ""


def opened(jaxpr: Any) -> tuple[Any, Sequence[Any]]:
    """A jaxpr and its constants, of which an open one has none."""
    return (jaxpr.jaxpr, jaxpr.consts) if hasattr(jaxpr, "consts") else (jaxpr, ())


def _branched(
    parameters: Mapping[str, Any], arguments: list[Any], evaluator: Evaluator
) -> list[Any] | None:
    """One of several, known, or chosen by value."""
    branches = [opened(branch) for branch in parameters["branches"]]
    index, given = arguments[0], arguments[1:]
    known = evaluator.whole(index)
    if known is not None:
        return evaluated(*branches[min(max(known, 0), len(branches) - 1)], given, evaluator)
    calls = [partial(evaluated, *b, given, evaluator) for b in branches]
    return evaluator.either(index, calls, len(branches[0][0].outvars))


def _solved(parameters: Mapping[str, Any], arguments: list[Any], evaluator: Evaluator) -> Any:
    """A system of equations whose matrix is told by a function; factors of it are not asked."""
    counts = parameters["const_lengths"]
    known = counts.matvec
    *_, b = arguments
    several = len(arguments) - sum((known, counts.vecmat, counts.solve, counts.transpose_solve))
    if several != 1:
        return None
    inner = opened(parameters["jaxprs"].matvec)

    def product(x: Any) -> Any:
        (found,) = evaluated(*inner, [*arguments[:known], x], evaluator)
        return found

    return evaluator.solution(product, b)


def _repeated(
    parameters: Mapping[str, Any], arguments: list[Any], evaluator: Evaluator
) -> list[Any] | None:
    """A while loop whose number of steps is known, step by step; None where it is not."""
    first, second = parameters["cond_nconsts"], parameters["body_nconsts"]
    tested, fixed = arguments[:first], arguments[first : first + second]
    test, body = opened(parameters["cond_jaxpr"]), opened(parameters["body_jaxpr"])
    carry = arguments[first + second :]
    for _ in range(_LONGEST + 1):
        (more,) = evaluated(*test, [*tested, *carry], evaluator)
        going_on = evaluator.whole(more)
        if going_on is None:
            return None
        if not going_on:
            return carry
        carry = evaluated(*body, [*fixed, *carry], evaluator)
    raise ValueError(f"a while loop of more than {_LONGEST} steps; symnet unrolls as many")


def _scanned(
    parameters: Mapping[str, Any], arguments: list[Any], evaluator: Evaluator
) -> list[Any]:
    """A loop of a fixed number of steps, step by step: layers of the same shape."""
    length, fixed, carried = (parameters[k] for k in ("length", "num_consts", "num_carry"))
    if not 0 < length <= _LONGEST:
        raise ValueError(f"a scan of {length} steps; symnet unrolls 1 to {_LONGEST}")
    constants, carry = arguments[:fixed], arguments[fixed : fixed + carried]
    rows = arguments[fixed + carried :]
    collected: list[list[Any]] = [[] for _ in range(length)]
    order = range(length - 1, -1, -1) if parameters["reverse"] else range(length)
    for k in order:
        here = [evaluator.row(row, k) for row in rows]
        inner = opened(parameters["jaxpr"])
        results = evaluated(*inner, [*constants, *carry, *here], evaluator)
        carry, collected[k] = results[:carried], results[carried:]
    return [*carry, *(evaluator.stack(list(column)) for column in zip(*collected, strict=True))]
